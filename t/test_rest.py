"""The REST API of uPKI's RA (UPKI.md 5) by curl: every path under every spelling, with every kind of certificate, and with none."""

import base64
import concurrent.futures
import datetime
import hashlib
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import tempfile
import urllib.parse

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conftest import BUILD, System, free_ports

PROXY = "127.0.0.9"  # the one address whose headers count


# ----- keys and certificates

def pem_of(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def name_of(cn):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Company"),
                      x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def csr_for(key, cn):
    request = x509.CertificateSigningRequestBuilder().subject_name(name_of(cn)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


class Holder:
    """A key and a certificate, in files for curl."""

    def __init__(self, directory, label, certificate, key):
        self.certificate, self.key = certificate, key
        self.files = [directory / f"{label}.crt", directory / f"{label}.key"]
        for path, text in zip(self.files, (certificate, key)):
            path.write_text(text)
        self.x509 = x509.load_pem_x509_certificate(certificate.encode())
        self.dn = "/C=FR/O=Company/CN=" + self.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        self.serial = self.x509.serial_number

    @property
    def options(self):
        return ["--cert", str(self.files[0]), "--key", str(self.files[1])]

    @property
    def escaped(self):
        """As nginx's $ssl_client_escaped_cert."""
        return urllib.parse.quote(self.certificate, safe="")

    @property
    def hex(self):
        digits = f"{self.serial:x}"
        return digits.rjust(len(digits) + len(digits) % 2, "0")


def self_made(directory, label, cn, issuer=None, issuer_key=None, days=30, client=True):
    """A certificate that no realm has issued: of a CA key at hand, or of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    builder = x509.CertificateBuilder().subject_name(name_of(cn)).issuer_name(issuer or name_of(cn)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=60))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days)).add_extension(x509.ExtendedKeyUsage([usage]), False)
    made = builder.sign(issuer_key or key, hashes.SHA256())
    return Holder(directory, label, made.public_bytes(serialization.Encoding.PEM).decode(), pem_of(key))


def issue(realm, directory, label, cn, profile):
    key = ec.generate_private_key(ec.SECP256R1())
    talk = realm.talk()
    made = talk.result("certificate.issue", csr=csr_for(key, cn), profile=profile)
    talk.close()
    return Holder(directory, label, made["certificate"], pem_of(key))


class Rest(System):
    """The tests' server with a front end that may act for administrators, and a listener behind a proxy."""

    http_roles = "frontend ra-operator admin"

    def __init__(self, directory):
        super().__init__(directory)
        self.proxied_port, self.older_port, self.silent_port = free_ports(3)
        listener = '<listener name="{}" address="127.0.0.1" port="{}" default-realm="default" realms="*" {}/>'
        self.more_listeners = "\n    ".join([
            listener.format("proxied", self.proxied_port, f'tls="false" trusted-proxies="{PROXY} 192.0.2.0/24"'),
            listener.format("older", self.older_port, f'tls="false" trusted-proxies="{PROXY}" proxy-headers="SSL-Client"'),
            listener.format("silent", self.silent_port, 'names="localhost" client-certificates="none"')])

    def talk(self, realm="default"):
        return self.realm(realm).talk()

    def issue(self, label, cn, profile="user", realm="default"):
        return issue(self.realm(realm), self.holders, label, cn, profile)

    def settle(self):
        self.holders = pathlib.Path(tempfile.mkdtemp(prefix="holders-", dir=self.directory))
        talk = self.talk()
        self.admin = self.issue("admin", "rest-admin", "admin")
        talk.result("admin.add", dn=self.admin.dn)
        ra = talk.result("certificate.generate", cn="rest-ra", profile="ra", key="ec:P-256")
        self.ra = Holder(self.holders, "ra", ra["certificate"], ra["private_key"])
        self.user = self.issue("user", "rest-user")
        self.devices_admin = self.issue("devices-admin", "rest-admin", "admin", "devices")
        devices = self.talk("devices")
        devices.result("admin.add", dn=self.devices_admin.dn)
        devices.close()
        self.revoked = self.issue("revoked", "rest-revoked", "admin")
        talk.result("admin.add", dn=self.revoked.dn)
        talk.result("certificate.revoke", serial=self.revoked.hex)
        talk.close()
        ca = x509.load_pem_x509_certificate(self.realm("default").ca_file.read_bytes())
        ca_key = serialization.load_pem_private_key((self.realm("default").directory / "ca.key").read_bytes(), b"a passphrase of the tests")
        foreign_key = ec.generate_private_key(ec.SECP256R1())
        self.wrong = {
            "revoked": self.revoked,
            "expired": self_made(self.holders, "expired", "rest-admin", ca.subject, ca_key, days=-1),
            "never issued": self_made(self.holders, "never", "rest-admin", ca.subject, ca_key),
            "of a foreign CA": self_made(self.holders, "foreign", "rest-admin", name_of("Foreign CA"), foreign_key),
            "of a foreign CA of the same name": self_made(self.holders, "namesake", "rest-admin", ca.subject, foreign_key),
            "self-signed, same DN": self_made(self.holders, "self", "rest-admin"),
            "of the other realm": self.devices_admin,
        }

    def curl(self, path, holder=None, method="GET", body=None, options=(), url=None):
        """@return status, body, headers."""
        argv = ["curl", "-sS", "-D", "-", "-X", method, "--cacert", str(self.directory / "https-ca.pem"), "--max-time", "60", *options]
        if body is not None:
            argv += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
        argv += holder.options if holder else []
        text = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        done = subprocess.run(argv + [(url or self.https_url) + path], input=text, capture_output=True, timeout=90)
        assert done.returncode == 0, done.stderr
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, rest = rest.partition(b"\r\n\r\n")
        lines = head.decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), rest, headers

    def good(self, path, *arguments, **named):
        status, body, headers = self.curl(path, *arguments, **named)
        answer = json.loads(body)
        assert status == 200 and answer["status"] == "success", body
        assert headers["content-type"] == "application/json"
        return answer.get("data", answer.get("message"))

    def bad(self, want, path, *arguments, **named):
        """Holds status and code of a refusal, and its shape. @return its message."""
        status, body, headers = self.curl(path, *arguments, **named)
        answer = json.loads(body)
        assert (status, answer["code"], answer["status"]) == (*want, "error"), (status, body)
        assert set(answer) == {"status", "message", "code"} and headers["content-type"] == "application/json"
        assert not answer["message"].startswith("(")
        return answer["message"]


AUTH, AUTHZ, INVALID, MISSING = (401, "AUTH_ERROR"), (403, "AUTHZ_ERROR"), (400, "VALIDATION_ERROR"), (404, "NOT_FOUND")


@pytest.fixture(scope="module")
def rest():
    with Rest.running() as one:
        one.settle()
        yield one


OPEN, PRIVATE, CLIENT = ("/api/v1", "/api/v1/public"), ("/api/v1/private", "/api/v1"), ("/api/v1/client", "/api/client")


def spelled(prefixes, *paths):
    return [prefix + path for path in paths for prefix in prefixes]


# ----- what everybody may know (UPKI.md 5.1, 5.3)

@pytest.mark.parametrize("path", spelled(OPEN, "/health"))
@pytest.mark.parametrize("realm", ["", "/realms/devices"])
def test_health(rest, path, realm):
    assert rest.good(realm + path) == {"status": "healthy"}


@pytest.mark.parametrize("path", spelled(OPEN, "/ca", "/certs/ca.crt"))
@pytest.mark.parametrize("realm", ["default", "devices"])
def test_ca_is_the_same_octets_each_time(rest, path, realm):
    """UPKI.md 7 (1): the CLI compares SHA-256 of the text."""
    first = rest.good(f"/realms/{realm}{path}")["certificate"]
    assert first == rest.realm(realm).ca_file.read_text()
    assert hashlib.sha256(first.encode()).digest() == hashlib.sha256(rest.good(f"/realms/{realm}{path}")["certificate"].encode()).digest()


@pytest.mark.parametrize("path", spelled(OPEN, "/crl", "/certs/crl.pem"))
def test_crl_is_base64_of_der(rest, path):
    """UPKI.md 7 (8)."""
    text = rest.good(path)["crl"]
    crl = x509.load_der_x509_crl(base64.b64decode(text, validate=True))
    ca = x509.load_pem_x509_certificate(rest.realm("default").ca_file.read_bytes())
    assert crl.is_signature_valid(ca.public_key())
    assert rest.good(path)["crl"] == text


@pytest.mark.parametrize("path", spelled(OPEN, "/profiles"))
def test_profiles(rest, path):
    assert rest.good(path) == ["ca", "ra", "server", "webapp", "laptop", "user", "admin"]


@pytest.mark.parametrize("path", spelled(OPEN, "/profiles/"))
def test_profile(rest, path):
    profile = rest.good(path + "server")
    assert profile["keyType"] == "rsa" and profile["extendedKeyUsage"] == ["serverAuth"] and profile["duration"] == 60
    rest.bad(MISSING, path + "nosuch")
    for name in ("Not-a-name", "a%20b", "x" * 200):
        assert rest.curl(path + name)[0] in (400, 404)


@pytest.mark.parametrize("path", spelled(OPEN, "/health", "/ca", "/crl", "/profiles", "/profiles/user", "/certs/ca.crt", "/certs/crl.pem"))
@pytest.mark.parametrize("kind", ["plain", "wrong certificate", "admin"])
def test_open_paths_need_nobody_and_refuse_nobody(rest, path, kind):
    """A certificate that is none of ours is in nobody's way."""
    if kind == "plain":
        rest.good(path, url=rest.http_url)
    else:
        rest.good(path, rest.wrong["of a foreign CA"] if kind == "wrong certificate" else rest.admin)


# ----- who may what

def dn_segment(dn):
    return base64.urlsafe_b64encode(dn.encode()).decode()


KEEP = {"admins": []}
ROUTES = {  # method, path, body: what each needs besides the right certificate
    "RA": [("GET", path, None) for path in spelled(OPEN, "/certs", "/certs/rest-user")]
    + [("POST", path, {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), "rest-certified.example.com"), "profile": "user"}) for path in spelled(OPEN, "/certify")],
    "certificate": [("GET", path, None) for path in spelled(OPEN, "/magic/server") + spelled(CLIENT, "/certificate", "/status")]
    + [("POST", path, {"serial": 12345678901234567890}) for path in spelled(OPEN, "/ocsp")]
    + [("POST", path, {}) for path in spelled(CLIENT, "/renew")],
    "administrator": [("GET", path, None) for path in spelled(PRIVATE, "/nodes", "/admins", "/config", "/options")]
    + [("POST", path, KEEP) for path in spelled(PRIVATE, "/admins")] + [("POST", path, None) for path in spelled(PRIVATE, "/crl/generate")],
}
DANGEROUS = [("POST", path, {"reason": "superseded"}) for path in spelled(CLIENT, "/revoke")] \
    + [("POST", path, {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), "rest-enrolled.example.com")}) for path in spelled(CLIENT, "/enrol")] \
    + [("POST", path, {"cn": "rest-x", "profile": "user"}) for path in spelled(PRIVATE, "/nodes")] \
    + [("DELETE", path, None) for path in spelled(PRIVATE, "/nodes/rest-ra", "/admins/" + dn_segment("/C=FR/O=Company/CN=rest-admin"))]
ALL = [one for rows in ROUTES.values() for one in rows] + DANGEROUS


def titles(rows):
    return [f"{method} {path}" for method, path, _ in rows]


@pytest.mark.parametrize("row", ALL, ids=titles(ALL))
def test_without_a_certificate_nobody_is_served(rest, row):
    method, path, body = row
    assert "client certificate" in rest.bad(AUTH, path, method=method, body=body)
    assert rest.curl(path, method=method, body=body)[2]["www-authenticate"]
    assert "HTTPS" in rest.bad(AUTH, path, method=method, body=body, url=rest.http_url)


@pytest.mark.parametrize("row", ALL, ids=titles(ALL))
@pytest.mark.parametrize("kind", ["revoked", "expired", "never issued", "of a foreign CA", "of a foreign CA of the same name", "self-signed, same DN", "of the other realm"])
def test_wrong_certificates_serve_nobody(rest, row, kind):
    method, path, body = row
    rest.bad(AUTH, path, rest.wrong[kind], method=method, body=body)


@pytest.mark.parametrize("row", ROUTES["certificate"], ids=titles(ROUTES["certificate"]))
@pytest.mark.parametrize("who", ["user", "ra", "admin"])
def test_what_every_holder_may(rest, row, who):
    method, path, body = row
    rest.good(path, getattr(rest, who), method=method, body=body)


@pytest.mark.parametrize("row", ROUTES["RA"], ids=titles(ROUTES["RA"]))
def test_what_an_ra_may(rest, row):
    method, path, body = row
    assert rest.bad(AUTHZ, path, rest.user, method=method, body=body)
    rest.good(path, rest.ra, method=method, body=body)
    rest.good(path, rest.admin, method=method, body=body)


@pytest.mark.parametrize("row", ROUTES["administrator"], ids=titles(ROUTES["administrator"]))
def test_what_an_administrator_may(rest, row):
    method, path, body = row
    for who in (rest.user, rest.ra):
        assert "administrator" in rest.bad(AUTHZ, path, who, method=method, body=body)
    rest.good(path, rest.admin, method=method, body=body)


@pytest.mark.parametrize("row", [one for one in DANGEROUS if "/client/" not in one[1]], ids=titles([one for one in DANGEROUS if "/client/" not in one[1]]))
def test_others_change_nothing_of_an_administrators(rest, row):
    method, path, body = row
    for who in (rest.user, rest.ra):
        rest.bad(AUTHZ, path, who, method=method, body=body)


def test_a_front_end_does_no_more_than_its_own_roles(system, tmp_path):
    """Here it is a front end and nothing else: an administrator can do through it what every holder can."""
    admin = issue(system.realm("default"), tmp_path, "bounded", "rest-bounded", "admin")
    talk = system.realm("default").talk()
    talk.result("admin.add", dn=admin.dn)

    def get(path):
        return requests.get(system.https_url + path, verify=str(system.realm("default").https_ca_file), cert=tuple(map(str, admin.files)), timeout=60)
    for path in ("/api/v1/private/admins", "/api/v1/certs"):
        answer = get(path)
        assert (answer.status_code, answer.json()["code"]) == AUTHZ and "chancery.xml" in answer.json()["message"]
    assert get("/api/v1/client/status").json()["data"]["serial"] == admin.serial
    talk.result("admin.remove", dn=admin.dn)
    talk.close()


def test_a_certificate_counts_in_its_own_realm_only(rest):
    rest.good("/realms/devices/api/v1/private/admins", rest.devices_admin)
    rest.bad(AUTH, "/realms/devices/api/v1/private/admins", rest.admin)
    rest.bad(AUTH, "/realms/default/api/v1/private/admins", rest.devices_admin)


def test_a_server_certificate_is_no_clients(rest):
    """RFC 5280 4.2.1.12: the TLS stack looks at extendedKeyUsage."""
    server = rest.issue("server", "rest-server.example.com", "server")
    assert "purpose" in rest.bad(AUTH, "/api/v1/client/status", server)


def test_a_key_of_another_certificate_ends_the_handshake(rest):
    """Possession is TLS's to prove."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{rest.https_port}", "-cert", str(rest.admin.files[0]), "-key", str(rest.user.files[1])],
                          input=b"", capture_output=True, timeout=60)
    assert done.returncode != 0


def test_a_listener_may_ask_for_no_certificates(rest):
    url = f"https://localhost:{rest.silent_port}"
    rest.good("/api/v1/health", rest.admin, url=url)
    rest.bad(AUTH, "/api/v1/private/admins", rest.admin, url=url)
    done = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{rest.silent_port}"], input=b"", capture_output=True, timeout=60)
    assert b"No client certificate CA names sent" in done.stdout


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_resumed_session_stands_for_the_same_certificate(rest, version):
    """And no longer for it than the server says so."""
    holder = rest.issue(f"resumed-{version}", "rest-resumed", "user")
    context = ssl.create_default_context(cafile=str(rest.directory / "https-ca.pem"))
    context.load_cert_chain(*map(str, holder.files))
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    def ask(session=None):
        plain = socket.create_connection(("127.0.0.1", rest.https_port), timeout=60)
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as one:
            one.sendall(b"GET /api/v1/client/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while part := one.recv(4096):
                answer += part
            return int(answer.split()[1]), one.session, one.session_reused
    status, session, reused = ask()
    assert (status, reused) == (200, False)
    status, session, reused = ask(session)
    assert (status, reused) == (200, True)
    talk = rest.talk()
    talk.result("certificate.revoke", serial=holder.hex)
    talk.close()
    assert ask(session)[0] == 401


# ----- a right that ends

@pytest.mark.parametrize("method,path", [("POST", "/api/v1/client/revoke"), ("GET", "/clients/renew"), ("GET", "/api/v1/private/admins")])
def test_a_page_of_another_site_has_a_browser_ask_in_vain(rest, method, path):
    """The browser would send its user's certificate along."""
    cross = ("-H", "Origin: https://evil.example", "-H", "Sec-Fetch-Site: cross-site")
    status, body, _ = rest.curl(path, rest.admin, method=method, options=cross)
    assert status == 403 and b"another site" in body
    assert rest.good("/api/v1/private/admins", rest.admin)["admins"]


def test_a_revoked_administrator_is_out_at_once_on_the_same_connection(rest):
    admin = rest.issue("short", "rest-short-lived", "admin")
    talk = rest.talk()
    talk.result("admin.add", dn=admin.dn)
    context = ssl.create_default_context(cafile=str(rest.directory / "https-ca.pem"))
    context.load_cert_chain(*map(str, admin.files))
    connection = http.client.HTTPSConnection("localhost", rest.https_port, context=context, timeout=60)

    def status():
        connection.request("GET", "/api/v1/private/admins")
        answer = connection.getresponse()
        answer.read()
        return answer.status
    assert status() == 200
    first = connection.sock
    talk.result("certificate.revoke", serial=admin.hex)
    assert status() == 401
    assert connection.sock is first, "the connection stayed"
    talk.result("admin.remove", dn=admin.dn)
    talk.close()


def test_who_is_off_the_list_is_no_administrator_from_the_next_request_on(rest):
    admin = rest.issue("former", "rest-former", "admin")
    rest.bad(AUTHZ, "/api/v1/private/admins", admin)
    assert rest.good("/api/v1/private/admins", rest.admin, method="POST", body={"admins": [admin.dn]})["results"][0]["serials"] == [admin.serial]
    rest.good("/api/v1/private/admins", admin)
    rest.good("/api/v1/private/admins/" + dn_segment(admin.dn), rest.admin, method="DELETE")
    rest.bad(AUTHZ, "/api/v1/private/admins", admin)


def test_a_deleted_ra_is_none(rest):
    talk = rest.talk()
    made = talk.result("certificate.generate", cn="rest-ra-2", profile="ra", key="ec:P-256")
    ra = Holder(rest.holders, "ra2", made["certificate"], made["private_key"])
    rest.good("/api/v1/certs", ra)
    assert "deleted" in rest.good("/api/v1/private/nodes/rest-ra-2", rest.admin, method="DELETE")
    rest.bad(AUTH, "/api/v1/certs", ra)  # deleting revokes
    talk.close()


def test_no_request_runs_with_anothers_identity(rest):
    """Sessions are shared: 8 threads, two callers, each asks who it is and what only one of them may."""
    def ask(holder, may):
        for _ in range(12):
            seen = rest.good("/api/v1/client/status", holder)["serial"]
            status = rest.curl("/api/v1/private/admins", holder)[0]
            stranger = rest.curl("/api/v1/private/admins")[0]
            assert (seen, status, stranger) == (holder.serial, 200 if may else 403, 401)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ask, *one) for one in 4 * [(rest.admin, True), (rest.user, False)]]:
            done.result()


def test_acme_is_not_disturbed(rest):
    """A client with a certificate of any kind, and one with none, find the directory."""
    for holder in (None, rest.admin, rest.wrong["of a foreign CA"]):
        status, body, _ = rest.curl("/acme/directory", holder)
        assert status == 200 and "newOrder" in json.loads(body)


# ----- proxies (UPKI.md 6, 5)

def headers(holder=None, prefix="X-SSL-CLIENT", verify="SUCCESS", dn=None):
    out = ["-H", f"{prefix}-VERIFY: {verify}"] if verify else []
    out += ["-H", f"{prefix}-CERT: {holder.escaped}"] if holder else []
    return out + (["-H", f"{prefix}-S-DN: {dn}", "-H", f"{prefix}-I-DN: CN=uPKI Root CA"] if dn else [])


def from_proxy(options):
    return ["--interface", PROXY, *options]


@pytest.mark.parametrize("path", spelled(PRIVATE, "/admins"))
def test_spoofed_headers_count_from_nowhere_else(rest, path):
    spoofed = headers(rest.admin, dn=rest.admin.dn)
    for url in (rest.https_url, rest.http_url, f"http://127.0.0.1:{rest.proxied_port}"):
        assert "client certificate" in rest.bad(AUTH, path, options=spoofed, url=url)
    rest.bad(AUTHZ, path, rest.user, options=spoofed)  # nor do they add to a certificate
    rest.bad(AUTH, path, options=["--interface", "127.0.0.8", *spoofed], url=f"http://127.0.0.1:{rest.proxied_port}")


@pytest.mark.parametrize("path", spelled(PRIVATE, "/admins"))
def test_a_trusted_proxys_headers_count(rest, path):
    url = f"http://127.0.0.1:{rest.proxied_port}"
    rest.good(path, options=from_proxy(headers(rest.admin)), url=url)
    rest.bad(AUTHZ, path, options=from_proxy(headers(rest.user)), url=url)
    older = f"http://127.0.0.1:{rest.older_port}"
    rest.good(path, options=from_proxy(headers(rest.admin, "SSL-Client")), url=older)
    rest.bad(AUTH, path, options=from_proxy(headers(rest.admin)), url=older)
    rest.bad(AUTH, path, options=from_proxy(headers(rest.admin, "SSL-Client")), url=url)


@pytest.mark.parametrize("kind", ["revoked", "expired", "never issued", "of a foreign CA", "of a foreign CA of the same name", "self-signed, same DN", "of the other realm"])
def test_a_trusted_proxy_cannot_make_a_wrong_certificate_right(rest, kind):
    rest.bad(AUTH, "/api/v1/private/admins", options=from_proxy(headers(rest.wrong[kind])), url=f"http://127.0.0.1:{rest.proxied_port}")


BAD_HEADERS = {
    "none": [],
    "a name alone": ["-H", "X-SSL-CLIENT-VERIFY: SUCCESS", "-H", "X-SSL-CLIENT-S-DN: /C=FR/O=Company/CN=rest-admin"],
    "no verdict": ["-H", "X-SSL-CLIENT-CERT: {cert}"],
    "NONE": ["-H", "X-SSL-CLIENT-VERIFY: NONE", "-H", "X-SSL-CLIENT-CERT: {cert}"],
    "FAILED": ["-H", "X-SSL-CLIENT-VERIFY: FAILED:certificate has expired", "-H", "X-SSL-CLIENT-CERT: {cert}"],
    "verdict twice": ["-H", "X-SSL-CLIENT-VERIFY: NONE", "-H", "X-SSL-CLIENT-VERIFY: SUCCESS", "-H", "X-SSL-CLIENT-CERT: {cert}"],
    "certificate twice": ["-H", "X-SSL-CLIENT-VERIFY: SUCCESS", "-H", "X-SSL-CLIENT-CERT: x", "-H", "X-SSL-CLIENT-CERT: {cert}"],
    "no PEM": ["-H", "X-SSL-CLIENT-VERIFY: SUCCESS", "-H", "X-SSL-CLIENT-CERT: 1"],
    "bad escapes": ["-H", "X-SSL-CLIENT-VERIFY: SUCCESS", "-H", "X-SSL-CLIENT-CERT: %zz{cert}"],
    "two certificates": ["-H", "X-SSL-CLIENT-VERIFY: SUCCESS", "-H", "X-SSL-CLIENT-CERT: {cert}{cert}"],
}


@pytest.mark.parametrize("case", BAD_HEADERS)
def test_bad_headers_of_a_trusted_proxy_serve_nobody(rest, case):
    options = [one.replace("{cert}", rest.admin.escaped) for one in BAD_HEADERS[case]]
    rest.bad(AUTH, "/api/v1/private/admins", options=from_proxy(options), url=f"http://127.0.0.1:{rest.proxied_port}")


# ----- what an RA does

@pytest.mark.parametrize("path", spelled(OPEN, "/certs"))
def test_certs_lists_nodes(rest, path):
    nodes = {one["cn"]: one for one in rest.good(path, rest.ra)["certificates"]}
    assert nodes["rest-user"]["dn"] == rest.user.dn and nodes["rest-ra"]["profile"] == "ra" and nodes["rest-ra"]["state"] == "issued"
    first = rest.good(path + "?limit=1", rest.ra)
    assert len(first["certificates"]) == 1
    second = rest.good(f"{path}?limit=1&after={urllib.parse.quote(first['next'], safe='')}", rest.ra)
    assert second["certificates"][0]["cn"] != first["certificates"][0]["cn"]
    for query in ("limit=0", "limit=1001", "limit=x", "limit=-1", "after=%zz"):
        rest.bad(INVALID, f"{path}?{query}", rest.ra)


@pytest.mark.parametrize("path", spelled(OPEN, "/certs/"))
def test_one_certificate_by_each_of_its_names(rest, path):
    dn = "/C=FR/O=Company/CN=rest-revoked"
    names = ["rest-revoked", "CN=rest-revoked", "CN=rest-revoked,O=Company,C=FR", "C=FR,O=Company,CN=rest-revoked",
             dn_segment(dn), dn_segment(dn).rstrip("="), base64.b64encode(b"CN=rest-revoked,O=Company,C=FR").decode(), str(rest.revoked.serial), rest.revoked.hex]
    for name in names:
        view = rest.good(path + urllib.parse.quote(name, safe="=,"), rest.ra)
        assert view["serial"] == rest.revoked.serial and view["is_revoked"] and view["subject"]["commonName"] == "rest-revoked", name
    for name in ("nosuch", "CN=nosuch", dn_segment("/CN=nosuch"), "1" * 30):
        rest.bad(MISSING, path + name, rest.ra)


@pytest.mark.parametrize("path", spelled(OPEN, "/certify"))
def test_certify(rest, path):
    key = ec.generate_private_key(ec.SECP256R1())
    made = rest.good(path, rest.ra, method="POST", body={"csr": csr_for(key, "a.rest.example.com")})
    certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
    assert made["profile"] == "server" and made["serial"] == certificate.serial_number and made["dn"] == "/C=FR/O=Company/CN=a.rest.example.com"
    assert certificate.public_key().public_numbers() == key.public_key().public_numbers()
    for profile in ("webapp", "laptop", "user"):
        assert rest.good(path, rest.ra, method="POST", body={"csr": csr_for(key, "b.rest.example.com"), "profile": profile})["profile"] == profile


@pytest.mark.parametrize("path", spelled(OPEN, "/certify"))
def test_certify_never_makes_a_ca(rest, path):
    body = {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), "rest-ca"), "profile": "ca"}
    for who in (rest.ra, rest.admin):
        assert "CA" in rest.bad(AUTHZ, path, who, method="POST", body=body)
    rest.bad(AUTHZ, "/api/v1/private/nodes", rest.admin, method="POST", body={"cn": "rest-ca", "profile": "ca"})


def test_certify_refuses_what_is_no_request(rest):
    key = ec.generate_private_key(ec.SECP256R1())
    good = csr_for(key, "c.rest.example.com")
    rest.bad(MISSING, "/api/v1/certify", rest.ra, method="POST", body={"csr": good, "profile": "nosuch"})
    for csr in ("", "x", good.replace("CERTIFICATE REQUEST", "CERTIFICATE"), good[:200], good + good):
        rest.bad(INVALID, "/api/v1/certify", rest.ra, method="POST", body={"csr": csr})
    forged = base64.b64decode("".join(good.splitlines()[1:-1]))
    forged = base64.encodebytes(forged[:-3] + bytes([forged[-3] ^ 1]) + forged[-2:]).decode()
    rest.bad(INVALID, "/api/v1/certify", rest.ra, method="POST", body={"csr": f"-----BEGIN CERTIFICATE REQUEST-----\n{forged}-----END CERTIFICATE REQUEST-----\n"})
    rest.bad(AUTHZ, "/api/v1/certify", rest.user, method="POST", body={"csr": good})


def test_an_administrators_name_is_not_certified_for_an_ra(rest):
    body = {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), "rest-admin"), "profile": "user"}
    status, answer, _ = rest.curl("/api/v1/certify", rest.ra, method="POST", body=body)
    assert status in (400, 403), answer


@pytest.mark.parametrize("path", spelled(OPEN, "/magic/"))
@pytest.mark.parametrize("profile", ["server", "user", "webapp"])
def test_magic_gives_commands_that_work(rest, path, profile, tmp_path):
    answer = rest.good(f"{path}{profile}?cn=magic.example.com&sans=DNS:magic.example.com,IP:192.0.2.1", rest.ra)
    assert answer["profile"] == profile
    for name in ("generate_key", "generate_csr"):
        subprocess.run(["sh", "-c", answer["commands"][name]], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    key = serialization.load_pem_private_key((tmp_path / "private.key").read_bytes(), None)
    assert key.key_size == rest.good(f"/api/v1/profiles/{profile}")["keyLen"]
    made = rest.good("/api/v1/certify", rest.ra, method="POST", body={"csr": (tmp_path / "request.csr").read_text(), "profile": profile})
    certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "magic.example.com"


@pytest.mark.parametrize("path", spelled(OPEN, "/magic/"))
def test_magic_follows_other_kinds_of_keys_and_quotes_for_the_shell(rest, path, tmp_path):
    rest.bad(MISSING, path + "nosuch", rest.user)
    name = urllib.parse.quote("it's $(touch x) `touch y`; touch z")
    answer = rest.good(f"{path}user?cn={name}", rest.user)
    for command in answer["commands"].values():
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["private.key", "request.csr"]
    for query in ("cn=a%0Ab", "cn=" + "x" * 300, "sans=DNS:a%20b", "sans=%00"):
        rest.bad(INVALID, f"{path}user?{query}", rest.user)


@pytest.mark.parametrize("path", spelled(OPEN, "/ocsp"))
def test_ocsp(rest, path):
    good = rest.good(path, rest.user, method="POST", body={"serial": rest.user.serial})
    assert good["status"] == "good" and good["serial"] == rest.user.serial and good["cn"] == "rest-user"
    for serial in (rest.revoked.serial, str(rest.revoked.serial), rest.revoked.hex):
        revoked = rest.good(path, rest.user, method="POST", body={"serial": serial})
        assert revoked["status"] == "revoked" and revoked["revoke_reason"] == "unspecified" and revoked["revoke_date"]
    assert rest.good(path, rest.user, method="POST", body={"cert": rest.user.certificate})["status"] == "good"
    assert rest.good(path, rest.user, method="POST", body={"cert": rest.wrong["of a foreign CA"].certificate})["status"] == "unknown"
    assert rest.good(path, rest.user, method="POST", body={"serial": 7})["status"] == "unknown"
    for body in ({}, {"serial": ""}, {"serial": -1}, {"serial": 0}, {"serial": "xyz"}, {"serial": True}, {"serial": [1]}, {"cert": "x"}, {"serial": 7, "cert": rest.user.certificate},
                 {"serial": 10 ** 60}):
        rest.bad(INVALID, path, rest.user, method="POST", body=body)


# ----- what an administrator does

@pytest.mark.parametrize("path", spelled(PRIVATE, "/nodes"))
def test_nodes(rest, path):
    cn = "node" + str(PRIVATE.index(path.removesuffix("/nodes"))) + ".rest.example.com"
    node = rest.good(path, rest.admin, method="POST", body={"cn": cn, "profile": "webapp", "sans": ["alt." + cn, {"type": "IP", "value": "192.0.2.1"}]})["node"]
    certificate = x509.load_pem_x509_certificate(node["certificate"].encode())
    assert node["dn"].endswith("/CN=" + cn) and node["serial"] == certificate.serial_number
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "alt." + cn in names.get_values_for_type(x509.DNSName) and str(names.get_values_for_type(x509.IPAddress)[0]) == "192.0.2.1"
    assert cn in {one["cn"] for one in rest.good(path, rest.admin)["nodes"]}
    assert cn in rest.good(f"{path}/{cn}", rest.admin, method="DELETE")
    assert cn not in {one["cn"] for one in rest.good(path, rest.admin)["nodes"]}
    crl = x509.load_der_x509_crl(base64.b64decode(rest.good("/api/v1/crl")["crl"]))
    assert crl.get_revoked_certificate_by_serial_number(node["serial"])
    rest.bad(MISSING, f"{path}/{cn}", rest.admin, method="DELETE")
    for body in ({}, {"cn": ""}, {"cn": 1}, {"cn": "a\nb"}, {"cn": "x" * 70}, {"cn": "x", "sans": "y"}, {"cn": "x", "sans": [1]}, {"cn": "x", "sans": [{"type": "DNS"}]}):
        rest.bad(INVALID, path, rest.admin, method="POST", body=body)


@pytest.mark.parametrize("path", spelled(PRIVATE, "/admins"))
def test_admins(rest, path):
    dn, other = "/C=FR/O=Company/CN=rest new admin", "/C=FR/CN=rest other"
    assert rest.good(path, rest.admin, method="POST", body={"admins": [dn, "CN=rest other,C=FR"]})["results"] == [
        {"dn": one, "keys": [], "serials": [], "others": [], "success": True} for one in (dn, other)]
    assert {rest.admin.dn, dn, other} <= set(rest.good(path, rest.admin)["admins"])
    row, = [one for one in rest.good(path, rest.admin)["administrators"] if one["dn"] == rest.admin.dn]
    assert rest.admin.serial in row["serials"] and row["others"] == [] and len(row["keys"]) == 1
    for segment in (dn_segment(dn), base64.b64encode(other.encode()).decode()):
        rest.good(f"{path}/{segment}", rest.admin, method="DELETE")
        rest.bad(MISSING, f"{path}/{segment}", rest.admin, method="DELETE")
    assert not {dn, other} & set(rest.good(path, rest.admin)["admins"])
    mixed = rest.good(path, rest.admin, method="POST", body={"admins": ["no DN", ""]})["results"]
    assert [one["success"] for one in mixed] == [False, False] and all(one["message"] for one in mixed)
    for body in ({}, {"admins": dn}, {"admins": [1]}, {"admins": {"dn": dn}}, {"admins": None}):
        rest.bad(INVALID, path, rest.admin, method="POST", body=body)
    for segment in ("nodn", base64.b64encode(b"nodn").decode(), "_"):
        rest.bad(INVALID, f"{path}/{segment}", rest.admin, method="DELETE")


@pytest.mark.parametrize("path", spelled(PRIVATE, "/crl/generate"))
def test_crl_generate(rest, path):
    def number(text):
        return x509.load_der_x509_crl(base64.b64decode(text)).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    before = number(rest.good("/api/v1/crl")["crl"])
    made = rest.good(path, rest.admin, method="POST")["crl"]
    assert number(made) > before
    assert number(rest.good("/api/v1/crl")["crl"]) >= number(made)
    assert rest.good(path, rest.admin, method="POST", body={})["crl"]


@pytest.mark.parametrize("path", spelled(PRIVATE, "/config"))
def test_config(rest, path):
    answer = rest.good(path, rest.admin)
    assert answer == {"ca_host": str(rest.socket), "ca_port": 0, "data_dir": str(rest.directory / "run" / "http"), "registered": True, "realm": "default"}


@pytest.mark.parametrize("path", spelled(PRIVATE, "/options"))
def test_options(rest, path):
    answer = rest.good(path, rest.admin)
    assert {"rsa:4096", "ec:P-256", "ed25519"} <= set(answer["key_types"]) and answer["digests"] == ["sha256"]
    assert answer["profiles"] == rest.good("/api/v1/profiles") and answer["validity"]["server"] == 60


# ----- what a holder does with its own

@pytest.mark.parametrize("path", spelled(CLIENT, "/certificate"))
def test_own_certificate(rest, path):
    view = rest.good(path, rest.user)
    assert view["serial"] == rest.user.serial and view["subject"]["commonName"] == "rest-user" and view["is_valid"]


@pytest.mark.parametrize("path", spelled(CLIENT, "/status"))
def test_own_status(rest, path):
    assert rest.good(path, rest.user) == {"dn": rest.user.dn, "serial": rest.user.serial, "status": "valid", "ocsp": "good"}


@pytest.mark.parametrize("path", spelled(CLIENT, "/renew"))
def test_renewing_ones_own(rest, path):
    user = rest.issue("renewing", "rest-renewing" + path.replace("/", "-"))
    made = rest.good(path, user, method="POST")
    renewed = x509.load_pem_x509_certificate(made["certificate"].encode())
    assert made["profile"] == "user" and made["dn"] == user.dn and made["serial"] == renewed.serial_number != user.serial
    assert renewed.public_key().public_numbers() == user.x509.public_key().public_numbers(), "the same key"
    key = ec.generate_private_key(ec.SECP256R1())
    other = rest.good(path, user, method="POST", body={"profile": "user", "csr": csr_for(key, user.dn.rpartition("=")[2])})
    assert x509.load_pem_x509_certificate(other["certificate"].encode()).public_key().public_numbers() == key.public_key().public_numbers()
    assert "profile" in rest.bad(AUTHZ, path, user, method="POST", body={"profile": "admin"})
    for body in ({"profile": 1}, {"csr": "x"}, {"csr": 1}):
        rest.bad(INVALID, path, user, method="POST", body=body)
    assert rest.good(path, user, method="POST", body={"csr": csr_for(key, "somebody else")})["dn"] == user.dn, "a renewal keeps its name"


@pytest.mark.parametrize("path", spelled(CLIENT, "/revoke"))
@pytest.mark.parametrize("reason", [None, "keyCompromise", "SUPERSEDED", "4", 5])
def test_revoking_ones_own(rest, path, reason):
    holder = rest.issue("leaving", "rest-leaving")
    for wrong in ("nosuch", 77, "removeFromCrl?", ["superseded"], True):
        rest.bad(INVALID, path, holder, method="POST", body={"reason": wrong})
    assert "revoked" in rest.good(path, holder, method="POST", body=None if reason is None else {"reason": reason})
    assert rest.realm("default").status_of(holder.serial) == "revoked"
    rest.bad(AUTH, path, holder, method="POST", body={"reason": "superseded"})


# ----- the paths of the older generation (UPKI.md 5.3, end)

OLDER = [("GET", "/certs/" + dn_segment("/C=FR/O=Company/CN=rest-user"), None), ("POST", "/certify", {"CSR": csr_for(ec.generate_private_key(ec.SECP256R1()), "older.rest.example.com")}),
         ("POST", "/magic/user", {"cn": "x"}), ("POST", "/ocsp", {"serial": 7}), ("GET", "/private/options", None), ("GET", "/private/nodes", None), ("POST", "/private/nodes", {"cn": "x"}),
         ("DELETE", "/private/nodes/" + dn_segment("/CN=x"), None), ("POST", "/private/sign", {"CSR": "x"}), ("POST", "/private/revoke", {"dn": "x"}), ("POST", "/private/unrevoke", {"dn": "x"}),
         ("GET", "/private/admins", None), ("POST", "/private/admins", KEEP), ("DELETE", "/private/admins/" + dn_segment("/CN=x"), None), ("GET", "/private/profiles", None), ("GET", "/clients/renew", None)]


def older(rest, path, holder=None, **named):
    """An answer of that generation: its members are beside `status`."""
    status, body, _ = rest.curl(path, holder, **named)
    answer = json.loads(body)
    assert (status, answer["status"]) == (200, "success"), body
    return answer


def older_error(rest, path, holder=None, **named):
    status, body, _ = rest.curl(path, holder, **named)
    answer = json.loads(body)
    assert (status, answer["status"]) == (200, "error") and answer["message"], body
    return answer["message"]


@pytest.mark.parametrize("row", OLDER, ids=titles(OLDER))
@pytest.mark.parametrize("kind", ["none", "spoofed", "revoked", "of a foreign CA", "of the other realm"])
def test_older_paths_serve_nobody_without_a_certificate(rest, row, kind):
    method, path, body = row
    spoofed = headers(rest.admin, "SSL-Client") + ["-H", "SSL-Client-DN: " + rest.admin.dn] if kind == "spoofed" else []
    assert rest.curl(path, rest.wrong.get(kind), method=method, body=body, options=spoofed)[0] == 403


@pytest.mark.parametrize("row", [one for one in OLDER if one[1].startswith("/private/")], ids=titles([one for one in OLDER if one[1].startswith("/private/")]))
def test_older_private_paths_are_an_administrators(rest, row):
    method, path, body = row
    for who in (rest.user, rest.ra):
        assert rest.curl(path, who, method=method, body=body)[0] == 403


def test_older_files(rest):
    status, body, sent = rest.curl("/certs/ca.crt")
    assert status == 200 and sent["content-type"] == "application/x-x509-ca-cert" and body.decode() == rest.realm("default").ca_file.read_text()
    status, body, sent = rest.curl("/certs/crl.pem")
    assert status == 200 and sent["content-type"] == "application/pkix-crl" and x509.load_pem_x509_crl(body)
    assert rest.curl("/realms/devices/certs/ca.crt")[1].decode() == rest.realm("devices").ca_file.read_text()


def test_older_certificates(rest):
    assert older(rest, "/certs/" + dn_segment(rest.revoked.dn), rest.ra)["certificate"] == rest.revoked.certificate
    assert "no certificate" in older_error(rest, "/certs/" + dn_segment("/CN=nosuch"), rest.ra)
    key = ec.generate_private_key(ec.SECP256R1())
    made = older(rest, "/certify", rest.ra, method="POST", body={"CSR": csr_for(key, "older.rest.example.com"), "profile": "webapp"})
    assert made["profile"] == "webapp" and made["dn"] == "/C=FR/O=Company/CN=older.rest.example.com" and x509.load_pem_x509_certificate(made["certificate"].encode())
    assert older(rest, "/private/sign", rest.admin, method="POST", body={"CSR": csr_for(key, "older.rest.example.com")})["profile"] == "server"
    assert "missing" in older_error(rest, "/certify", rest.ra, method="POST", body={"csr": "lower case"})
    assert rest.curl("/certify", rest.ra, method="POST", body={"CSR": csr_for(key, "x"), "profile": "ca"})[0] == 403
    assert older(rest, "/ocsp", rest.user, method="POST", body={"cert": rest.user.certificate})["response"]["status"] == "good"
    assert older(rest, "/clients/renew", rest.user)["dn"] == rest.user.dn


def test_older_magic(rest, tmp_path):
    command = older(rest, "/magic/user", rest.user, method="POST", body={"cn": "it's me", "sans": ["magic.example.com"]})["command"]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert x509.load_pem_x509_csr((tmp_path / "request.csr").read_bytes()).is_signature_valid


def test_older_administration(rest):
    assert older(rest, "/private/options", rest.admin)["profiles"] and older(rest, "/private/profiles", rest.admin)["profiles"]["server"]["keyType"] == "rsa"
    node = older(rest, "/private/nodes", rest.admin, method="POST", body={"cn": "older-node", "profile": "user"})["node"]
    assert "older-node" in {one["cn"] for one in older(rest, "/private/nodes", rest.admin)["nodes"]}
    older(rest, "/private/revoke", rest.admin, method="POST", body={"dn": node["dn"], "reason": "certificateHold"})
    assert rest.realm("default").status_of(node["serial"]) == "revoked"
    older(rest, "/private/unrevoke", rest.admin, method="POST", body={"dn": dn_segment(node["dn"])})
    assert rest.realm("default").status_of(node["serial"]) == "good"
    older(rest, "/private/nodes/" + dn_segment(node["dn"]), rest.admin, method="DELETE")
    assert rest.realm("default").status_of(node["serial"]) == "revoked"
    for body in ({"dn": "nosuch"}, {}, {"dn": 1}, {"dn": "rest-user", "reason": "nosuch"}):
        older_error(rest, "/private/revoke", rest.admin, method="POST", body=body)
    dn = "/C=FR/CN=older admin"
    assert older(rest, "/private/admins", rest.admin, method="POST", body={"admins": [dn]})["results"][0]["success"]
    assert dn in older(rest, "/private/admins", rest.admin)["admins"]
    older(rest, "/private/admins/" + dn_segment(dn), rest.admin, method="DELETE")
    older_error(rest, "/private/admins/" + dn_segment(dn), rest.admin, method="DELETE")


def test_older_proxies_headers(rest):
    url = f"http://127.0.0.1:{rest.older_port}"
    assert rest.admin.dn in older(rest, "/private/admins", options=from_proxy(headers(rest.admin, "SSL-Client")), url=url)["admins"]
    assert rest.curl("/private/admins", options=from_proxy(["-H", "SSL-Client-Verify: SUCCESS", "-H", "SSL-Client-DN: " + rest.admin.dn]), url=url)[0] == 403


# ----- refusals of the form

@pytest.mark.parametrize("path", ["/api/v1/nosuch", "/api/v1", "/api/", "/api/v2/health", "/api/v1/public/nodes", "/api/v1/private/health/x", "/api/client/nodes", "/api/v1/certs/a/b",
                                  "/realms/nosuch/api/v1/health", "/api/v1/Health", "/api/v1/health/"])
def test_unknown_paths(rest, path):
    for holder in (None, rest.admin):
        rest.bad(MISSING, path, holder)


@pytest.mark.parametrize("method,path,allowed", [("POST", "/api/v1/health", "GET, HEAD"), ("DELETE", "/api/v1/ca", "GET, HEAD"), ("GET", "/api/v1/certify", "POST"), ("PUT", "/api/v1/private/admins", "GET, HEAD, POST"),
                                                 ("GET", "/api/v1/client/renew", "POST"), ("GET", "/api/v1/private/nodes/x", "DELETE"), ("PATCH", "/api/client/status", "GET, HEAD")])
def test_wrong_methods(rest, method, path, allowed):
    status, body, headers = rest.curl(path, rest.admin, method=method)
    assert status == 405 and json.loads(body)["code"] == "VALIDATION_ERROR"
    assert set(headers["allow"].upper().split(", ")) == set(allowed.split(", "))


def test_head_has_no_body(rest):
    done = subprocess.run(["curl", "-sS", "-I", "--cacert", str(rest.directory / "https-ca.pem"), rest.https_url + "/api/v1/ca"], capture_output=True, timeout=60, check=True)
    assert done.stdout.startswith(b"HTTP/1.1 200")


def deep(levels):
    return b'{"csr":' + b"[" * levels + b"]" * levels + b"}"


BAD_BODIES = {
    "not JSON": b"csr=abc", "empty": b"", "half": b'{"csr": "x"', "two": b"{}{}", "an array": b"[]", "a text": b'"x"', "a number": b"7", "null": b"null",
    "a member twice": b'{"csr":"a","csr":"b"}', "not UTF-8": b'{"csr":"\xff\xfe"}', "NUL": b'{"csr":"a\x00"}', "deep": deep(30000), "just too deep": deep(40), "NaN": b'{"csr":NaN}',
    "wrong type": b'{"csr":7}', "null member": b'{"csr":null}', "nothing wanted": b'{"x":1}', "profile of another type": b'{"csr":"x","profile":["server"]}',
    "huge integer": b'{"csr":' + b"9" * 1000 + b"}",
}


@pytest.mark.parametrize("case", BAD_BODIES)
@pytest.mark.parametrize("path", spelled(OPEN, "/certify"))
def test_bad_bodies(rest, path, case):
    status, body, _ = rest.curl(path, rest.ra, method="POST", body=BAD_BODIES[case])
    assert status in (400, 413) and json.loads(body)["code"] == "VALIDATION_ERROR", body
    rest.good("/api/v1/health")


@pytest.mark.parametrize("path", spelled(OPEN, "/certify") + spelled(PRIVATE, "/nodes"))
def test_bodies_above_the_limit(rest, path):
    body = json.dumps({"csr": "x" * 70000}).encode()
    assert rest.curl(path, rest.admin, method="POST", body=body, options=["-H", "Expect:"])[0] == 413
    rest.good("/api/v1/health")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jose+json"])
def test_media_types(rest, media_type):
    done = rest.curl("/api/v1/certify", rest.ra, method="POST", options=["-H", f"Content-Type: {media_type}" if media_type else "Content-Type;", "--data-binary", '{"csr":"x"}'])
    assert done[0] == 415 and json.loads(done[1])["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("method,path", [("DELETE", "/api/v1/private/admins/%%%"), ("DELETE", "/api/v1/private/nodes/%zz"), ("GET", "/api/v1/certs/%00"),
                                         ("GET", "/realms/default/api/v1/certs/%%%"), ("GET", "/private/nodes/%%%"), ("GET", "/api/v1/certs/x%"),
                                         ("G@T", "/api/v1/ca")])
def test_a_head_that_cannot_be_read_is_refused_in_the_apis_shape(rest, method, path):
    done = rest.curl(path, method=method, options=["--path-as-is"])
    assert done[0] in (400, 501) and json.loads(done[1])["code"] in ("VALIDATION_ERROR", "INTERNAL_ERROR"), done
    assert json.loads(done[1])["status"] == "error"


def test_a_head_of_other_paths_is_refused_in_theirs(rest):
    for path in ("/acme/%%%", "/%%%", "/ap%%%"):
        done = rest.curl(path, options=["--path-as-is"])
        assert done[0] == 400 and "status" in json.loads(done[1]) and "code" not in json.loads(done[1]), done


# ----- the description

@pytest.mark.parametrize("path", spelled(OPEN, "/openapi.json"))
def test_openapi_names_exactly_the_routes(rest, path):
    status, body, _ = rest.curl(path)
    document = json.loads(body)
    assert status == 200 and document["openapi"] == "3.1.0" and document["servers"] == [{"url": rest.https_url}]
    named = {(method.upper(), one) for one, item in document["paths"].items() for method in item}
    done = subprocess.run([BUILD / "chancery-http", "--show-routes"], capture_output=True, text=True, timeout=60, check=True)
    ours = ("/api/", "/certs/", "/certify", "/clients/", "/magic/", "/ocsp", "/private/")
    served = {(row["method"], row["path"]) for row in map(json.loads, done.stdout.splitlines()) if row["path"].startswith(ours)}
    served -= {("GET", "/ocsp/{request*}")}  # RFC 6960's, which is published like CRLs
    assert named == served
    tried = {(method, one) for method, one, _ in ALL + OLDER} | {("GET", one) for one in spelled(OPEN, "/openapi.json", "/health", "/ca", "/crl", "/profiles", "/certs/ca.crt", "/certs/crl.pem")} \
        | {("GET", "/certs/ca.crt"), ("GET", "/certs/crl.pem")} | {("POST", one) for one in spelled(OPEN, "/enrol")}  # test_enrolment_doors.py
    plain = {(method, one) for method, one in named if "{" not in one}
    assert plain <= tried, "each route has its cases"


def resolved(document, node):
    """What a reference within the document points to."""
    if "$ref" not in node:
        return node
    assert set(node) == {"$ref"} and node["$ref"].startswith("#/")
    for part in node["$ref"][2:].split("/"):
        document = document[part]
    return document


def test_openapi_says_what_each_route_takes_refuses_and_wants_of_its_caller(rest):
    document = json.loads(rest.curl("/api/v1/openapi.json")[1])
    assert document["components"]["securitySchemes"]["clientCertificate"]["type"] == "mutualTLS"
    for path, item in document["paths"].items():
        for method, operation in item.items():
            refusals = set(operation["responses"]) - {"200", "default"}
            wants = operation["security"] == [{"clientCertificate": []}]
            is_older = not path.startswith("/api/")
            assert "default" in operation["responses"] and wants == ("403" in refusals), (method, path)
            assert is_older or {"500", "503"} <= refusals and wants == ("401" in refusals), (method, path)
            assert is_older or ("requestBody" in operation) == ("415" in refusals) and ("{" not in path or {"400", "404"} <= refusals), (method, path)
            assert not is_older or refusals <= {"403"}
            for named in operation["responses"].values():
                assert resolved(document, named)["content"]
    query = {one["name"]: one for one in document["paths"]["/api/v1/private/nodes"]["get"]["parameters"] if one["in"] == "query"}
    assert {"after", "limit"} <= set(query) and all(one["description"] and one["schema"] and not one["required"] for one in query.values())


def test_the_statuses_that_callers_get_are_described(rest):
    """Whoever comes: nobody, a holder, with nothing, with a wrong body."""
    document = json.loads(rest.curl("/api/v1/openapi.json")[1])
    for path, item in document["paths"].items():
        if not path.startswith("/api/"):
            continue
        for method, operation in item.items():
            for who in (None, rest.ra):
                status = rest.curl(path.replace("{", "no-").replace("}", ""), who, method=method.upper())[0]
                assert str(status) in operation["responses"], (method, path, who, status)


def test_openapi_is_valid(rest):
    """Against what OpenAPI 3.1 demands of a document's parts, and its schemas against JSON Schema 2020-12's own."""
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(rest.curl("/api/v1/openapi.json")[1])
    assert set(document) == {"openapi", "info", "servers", "paths", "components"} and {"title", "version"} <= set(document["info"])
    ids = set()
    for path, item in document["paths"].items():
        assert path.startswith("/")
        for method, operation in item.items():
            assert method in ("get", "post", "delete") and operation["operationId"] not in ids
            ids.add(operation["operationId"])
            in_path = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert all(one["required"] for one in operation.get("parameters", []) if one["in"] == "path")
            for named in operation["responses"].values():
                answer = resolved(document, named)
                assert answer["description"]
                for content in answer["content"].values():
                    jsonschema.Draft202012Validator.check_schema(content["schema"])
            for content in operation.get("requestBody", {}).get("content", {}).values():
                jsonschema.Draft202012Validator.check_schema(content["schema"])
            for one in operation["security"]:
                assert set(one) <= set(document["components"]["securitySchemes"])


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/ca", "/api/v1/crl", "/api/v1/profiles", "/api/v1/profiles/server", "/api/v1/client/status", "/api/v1/private/config", "/api/v1/private/options", "/api/v1/nodes"])
def test_answers_are_what_the_description_says(rest, path):
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(rest.curl("/api/v1/openapi.json")[1])
    described = document["paths"].get(path) or document["paths"]["/api/v1/profiles/{name}"]
    schema = described["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(json.loads(rest.curl(path, rest.admin)[1]), schema)


def test_errors_are_what_the_description_says(rest):
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(rest.curl("/api/v1/openapi.json")[1])
    for path in ("/api/v1/nosuch", "/api/v1/nodes", "/api/v1/profiles/nosuch"):
        jsonschema.validate(json.loads(rest.curl(path)[1]), document["components"]["schemas"]["Error"])
