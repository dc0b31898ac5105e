"""chancery-http as a stranger sees it: garbage, oversized and half-open input, wrong methods and types, old TLS, forged JWS."""

import contextlib
import json
import socket
import ssl
import subprocess
import time

import pytest
import requests
from cryptography import x509

from acme_client import JOSE, Client, Key, b64, jws


# ----- raw connections

def connect(address, ca_file=None, **context_options):
    """A connected socket; with `ca_file`, through TLS with the certificate checked."""
    plain = socket.create_connection(address, timeout=60)
    if ca_file is None:
        return plain
    context = ssl.create_default_context(cafile=str(ca_file))
    for name, value in context_options.items():
        setattr(context, name, value)
    return context.wrap_socket(plain, server_hostname="localhost")


def read_all(connection):
    """Everything until the other side closes; a reset counts as closing."""
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except (ConnectionResetError, ssl.SSLError):
        pass
    return data


def exchange(address, octets, ca_file=None):
    """Sends the octets and reads until the server hangs up."""
    with connect(address, ca_file) as connection:
        try:
            connection.sendall(octets)
        except OSError:
            pass
        return read_all(connection)


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def still_serves(system):
    """Others are served: the point of every test here."""
    assert requests.get(f"{system.http_url}/livez", timeout=60).status_code == 200


# ----- what is published

def test_crl_and_ca_certificates(system):
    for name in ("default", "devices"):
        realm = system.realm(name)
        base = f"{system.http_url}/realms/{name}"
        ca = requests.get(f"{base}/ca.crt", timeout=60)
        assert ca.headers["Content-Type"] == "application/pkix-cert"
        certificate = x509.load_der_x509_certificate(ca.content)
        assert certificate == x509.load_pem_x509_certificate(open(realm.ca_file, "rb").read())
        assert x509.load_pem_x509_certificate(requests.get(f"{base}/ca.pem", timeout=60).content) == certificate
        crl = requests.get(f"{base}/crl", timeout=60)
        assert crl.headers["Content-Type"] == "application/pkix-crl"
        assert x509.load_der_x509_crl(crl.content).is_signature_valid(certificate.public_key())
        assert requests.get(f"{base}/crl.pem", timeout=60).text.startswith("-----BEGIN X509 CRL-----")


def test_bare_paths_are_the_default_realms(system):
    assert requests.get(f"{system.http_url}/ca.crt", timeout=60).content == requests.get(f"{system.http_url}/realms/default/ca.crt", timeout=60).content
    assert requests.get(f"{system.http_url}/readyz", timeout=60).status_code == 200


def test_head_is_get_without_the_body(system):
    got, head = requests.get(f"{system.http_url}/ca.crt", timeout=60), requests.head(f"{system.http_url}/ca.crt", timeout=60)
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Length"] == str(len(got.content))


# ----- refusals with their statuses

def test_unknown_realm_and_unknown_path_look_alike(system):
    unknown = requests.get(f"{system.http_url}/realms/nosuch/ca.crt", timeout=60)
    missing = requests.get(f"{system.http_url}/realms/default/nosuch", timeout=60)
    assert unknown.status_code == missing.status_code == 404
    assert unknown.json() == missing.json()
    assert unknown.headers["Content-Type"] == "application/problem+json"


def test_methods(system, https):
    answer = requests.post(f"{system.http_url}/crl", data=b"", timeout=60)
    assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD"
    answer = https.web.get(https.directory["newOrder"])
    assert answer.status_code == 405 and answer.headers["Allow"] == "POST"
    assert answer.headers["Replay-Nonce"] and answer.headers["Content-Type"] == "application/problem+json"


def test_acme_is_not_served_without_tls(system):
    assert requests.get(f"{system.http_url}/acme/directory", timeout=60).status_code == 404


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "application/jose", "multipart/form-data"])
def test_media_types(https, content_type):
    answer = https.send(https.directory["newOrder"], b"{}", content_type)
    assert answer.status_code == 415 and answer.headers["Replay-Nonce"]


def test_new_nonce(https):
    assert https.web.head(https.directory["newNonce"]).status_code == 200
    got = https.web.get(https.directory["newNonce"])
    assert got.status_code == 204 and got.headers["Cache-Control"] == "no-store"
    assert got.headers["Replay-Nonce"] != https.nonce()


def test_D11_bodies_above_the_limit(system, https):
    answer = https.send(https.directory["newOrder"], b"x" * (64 * 1024 + 1))
    assert answer.status_code == 413 and answer.headers["Replay-Nonce"]

    def chunks():
        for _ in range(80):
            yield b"x" * 1024
    try:
        status = https.web.post(https.directory["newOrder"], data=chunks(), headers={"Content-Type": JOSE}, timeout=60).status_code
    except requests.ConnectionError:
        status = 413  # refused before all was sent
    assert status == 413
    still_serves(system)


BAD_REQUESTS = {
    "garbage": (b"\x00\x01\x02\x03" * 100, 400),
    "text": (b"hello\r\n\r\n", 400),
    "tls on the plain port": (bytes.fromhex("16030100c8010000c40303") + b"\x00" * 200, 400),
    "socks": (b"\x05\x01\x00", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "length and coding": (b"POST /crl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (b"POST /crl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "folded": (b"GET /crl HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400),
    "bare CR": (b"GET /crl HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n", 400),
    "another scheme": (b"GET ftp://localhost/crl HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
    "URI of the TLS port": (b"GET https://localhost/crl HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 421),
    "absolute URI without a host": (b"GET http:///crl HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "two empty lines": (b"\r\n\r\nGET /crl HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "an empty line of a bare LF": (b"\nGET /crl HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "double slash": (b"GET //crl HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "dots": (b"GET /realms/../crl HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "encoded dots": (b"GET /realms/%2e%2e/crl HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "NUL": (b"GET /crl%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no host": (b"GET /crl HTTP/1.1\r\n\r\n", 400),
    "long header": (b"GET /crl HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "endless header": (b"GET /crl HTTP/1.1\r\nX: " + b"a" * 200_000, 431),
    "many headers": (b"GET /crl HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 1000 + b"\r\n", 431),
    "long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_F28_bad_requests_are_answered_and_closed(system, case):
    octets, status = BAD_REQUESTS[case]
    answer = exchange(system.http_address, octets)
    assert status_of(answer) == status, answer[:300]
    assert b"\r\nConnection: close\r\n" in answer
    still_serves(system)


@pytest.mark.parametrize("octets", [b"GET /crl\r\n", b"GET /crl\n", b"GET /crl HTTP/1.1\nHost: localhost\n\n", b"GET /crl HTTP/1.1\r\nHost: localhost\n",
                                    b"GET /crl HTTP/1.1\r\nHost: a\rb"])
def test_F26_what_can_become_no_request_is_refused_at_once(system, octets):
    began = time.monotonic()
    assert status_of(exchange(system.http_address, octets)) == 400
    assert time.monotonic() - began < 5  # less than the lingering, and than the deadline of a request


@pytest.mark.parametrize("target", ["http://localhost:{port}/realms/devices/crl", "HTTP://127.0.0.1/realms/devices/crl"])
def test_absolute_targets_are_served(system, target):
    """RFC 9112 3.2.2."""
    line = f"GET {target.format(port=system.http_address[1])} HTTP/1.1\r\nHost: ignored\r\nConnection: close\r\n\r\n"
    answer = exchange(system.http_address, line.encode())
    assert status_of(answer) == 200
    assert answer.endswith(requests.get(f"{system.http_url}/realms/devices/crl", timeout=60).content)


def test_an_empty_line_before_a_request_is_passed_over(system):
    """RFC 9112 2.2: before the first one and, as old clients do it, behind a body."""
    request = b"\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
    answer = exchange(system.http_address, request % b"" + request % b"Connection: close\r\n")
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200"]


def test_F28_pipelined_requests_are_answered_in_order(system):
    request = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
    answer = exchange(system.http_address, request % (b"livez", b"") + request % (b"nosuch", b"") + request % (b"livez", b"Connection: close\r\n"))
    parts = answer.split(b"HTTP/1.1 ")[1:]
    assert [part[:3] for part in parts] == [b"200", b"404", b"200"]


def test_F28_a_smuggled_request_is_not_served(system):
    """What follows a refused request on the same connection is thrown away."""
    smuggled = b"POST /crl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert exchange(system.http_address, smuggled).count(b"HTTP/1.1 ") == 1


# ----- half a connection (PROMISES F26, D9)

def test_F26_many_silent_connections_harm_nobody(system):
    idle = [socket.create_connection(system.http_address) for _ in range(50)]
    idle += [socket.create_connection(system.https_address) for _ in range(50)]
    for one in idle[::2]:
        one.sendall(b"G")
    still_serves(system)
    for one in idle:
        one.close()


def test_F26_a_connection_that_never_speaks_is_dropped(system):
    began = time.monotonic()
    with socket.create_connection(system.http_address, timeout=60) as plain, socket.create_connection(system.https_address, timeout=60) as tls:
        assert plain.recv(1) == b"" and tls.recv(1) == b""
    assert time.monotonic() - began > 5


def test_F26_one_byte_at_a_time_meets_the_deadline(system):
    with socket.create_connection(system.http_address, timeout=60) as slow:
        slow.sendall(b"GET /livez HTTP/1.1\r\nX: ")
        began, answer = time.monotonic(), b""
        slow.settimeout(0.5)
        while time.monotonic() - began < 60 and not answer:
            try:
                with contextlib.suppress(ConnectionError):  # it has ended, and what it said is there to be read
                    slow.sendall(b"a")
                answer = slow.recv(1000)
            except socket.timeout:
                continue
        assert status_of(answer) == 408


def test_F26_a_body_that_does_not_come_meets_the_deadline(system):
    with connect(system.https_address, system.realm("default").https_ca_file) as slow:
        slow.sendall(b"POST /acme/new-order HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose+json\r\nContent-Length: 100\r\n\r\nabc")
        assert status_of(slow.recv(1000)) == 408


def test_F26_closing_in_the_middle_harms_nobody(system):
    import struct
    for octets in (b"", b"GET", b"GET /crl HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /crl HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"):
        one = socket.create_connection(system.http_address)
        one.sendall(octets)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST
        one.close()
    still_serves(system)


# ----- TLS (PROMISES F27, D12)

def s_client(system, *options, text=b""):
    host, port = system.https_address
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", str(system.realm("default").https_ca_file), *options],
                          input=text, capture_output=True, timeout=60)
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_D12_old_tls_is_refused(system, version):
    assert "Cipher is (NONE)" in s_client(system, version, "-cipher", "ALL@SECLEVEL=0")


@pytest.mark.parametrize("version,name", [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_D12_new_tls_is_spoken_with_a_certificate_of_the_realm(system, version, name):
    output = s_client(system, version, "-verify_hostname", "localhost")
    assert "Verify return code: 0 (ok)" in output and name in output
    assert "Compression: NONE" in output


def test_D12_renegotiation_is_refused(system):
    output = s_client(system, "-tls1_2", text=b"R\nGET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert "no renegotiation" in output or "handshake failure" in output or "alive" not in output
    still_serves(system)


BAD_HELLOS = {
    "too long": b"\x16\x03\x01\xff\xff" + b"\x00" * 100,
    "plain HTTP": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "SSL 2": b"\x80\x2e\x01\x00\x02" + b"\x00" * 50,
    "cut": b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
}


@pytest.mark.parametrize("case", BAD_HELLOS)
def test_F27_a_garbage_hello_harms_nobody(system, case):
    assert b"HTTP/1.1 200" not in exchange(system.https_address, BAD_HELLOS[case])
    still_serves(system)


# ----- JWS against the running server (PROMISES F38, F39)

@pytest.fixture
def https(system):
    realm = system.realm("default")
    return Client(realm.directory_url, str(realm.https_ca_file))


@pytest.fixture
def client(https):
    assert https.register().status_code == 201
    return https


def refused(answer, kind, status=400):
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == "urn:ietf:params:acme:error:" + kind, answer.text
    assert answer.headers["Replay-Nonce"]


def test_F38_nonces(system, client):
    url, nonce = client.directory["newOrder"], client.nonce()
    payload = {"identifiers": [{"type": "dns", "value": "nonce.localhost"}]}
    assert client.post(url, payload, nonce=nonce).status_code == 201
    devices = system.realm("devices")
    other = Client(devices.directory_url, str(devices.https_ca_file)).nonce()
    for bad in (nonce, other, "", "A" * 32, client.nonce()[:-1], client.nonce() + "A", "\u00e9", "x" * 5000):
        refused(client.post(url, payload, nonce=bad), "badNonce")
    refused(client.send(url, jws(client.key, {"alg": "ES256", "kid": client.kid, "url": url}, payload)), "badNonce")


def test_F38_a_refusals_nonce_is_good(client):
    url = client.directory["newOrder"]
    fresh = client.post(url, {}, nonce="bad").headers["Replay-Nonce"]
    assert client.post(url, {"identifiers": [{"type": "dns", "value": "fresh.localhost"}]}, nonce=fresh).status_code == 201


HEADER_CASES = {
    "alg none": ({"alg": "none"}, "badSignatureAlgorithm"),
    "alg HS256": ({"alg": "HS256"}, "badSignatureAlgorithm"),
    "alg of another key": ({"alg": "ES384"}, "badSignatureAlgorithm"),
    "alg RS256 with an EC key": ({"alg": "RS256"}, "badSignatureAlgorithm"),
    "no url": ({"url": None}, "malformed"),
    "no key": ({"kid": None}, "malformed"),
    "crit": ({"crit": ["x"]}, "malformed"),
    "b64": ({"b64": False}, "malformed"),
    "kid of nobody": ({"kid": "https://localhost/acme/account/nobody"}, "accountDoesNotExist"),
}


@pytest.mark.parametrize("case", HEADER_CASES)
def test_F39_protected_headers(client, case):
    changes, kind = HEADER_CASES[case]
    refused(client.post(client.directory["newOrder"], {}, **changes), kind)


def test_F39_an_algorithm_that_is_refused_is_told_the_others(client):
    """RFC 8555 6.2; an unsigned JWS (RFC 7518 3.6) has an empty signature."""
    url = client.directory["newOrder"]
    for algorithm, signature in (("none", b""), ("none", None), ("None", b""), ("HS256", b""), ("RS1", None)):
        answer = client.send(url, jws(client.key, client.header(url, alg=algorithm), {}, signature))
        refused(answer, "badSignatureAlgorithm")
        assert answer.json()["algorithms"] == ["ES256", "ES384", "ES512", "RS256", "EdDSA"]


def test_F39_jwk_and_kid_where_the_other_belongs(client):
    refused(client.post(client.directory["newOrder"], {}, jwk=client.key.jwk()), "malformed")
    refused(client.post(client.directory["newOrder"], {}, jwk=client.key.jwk(), kid=None), "malformed")
    refused(client.post(client.directory["newAccount"], {}), "malformed")


def test_F39_the_url_is_that_of_the_request(client):
    for url in (client.directory["newAccount"], client.directory["newOrder"] + "?x=1", client.directory["newOrder"].replace("https", "http"), "/acme/new-order"):
        refused(client.send(client.directory["newOrder"], jws(client.key, client.header(url), {})), "unauthorized", 403)


def test_F39_another_accounts_kid(client):
    other = Client(client.directory_url, client.web.verify)
    other.register()
    refused(client.post(client.directory["newOrder"], {}, kid=other.kid), "malformed")


def test_F39_signatures(client):
    url = client.directory["newOrder"]
    for signature in (b"", b"\x00" * 64, b"x" * 63, client.key.sign_der(b"x"), client.key.sign(b"something else")):
        refused(client.send(url, jws(client.key, client.header(url), {}, signature)), "malformed")


def test_F39_other_serialisations(client):
    url = client.directory["newOrder"]
    good = jws(client.key, client.header(url), {})
    general = {"payload": good["payload"], "signatures": [{"protected": good["protected"], "signature": good["signature"]}] * 2}
    for body in (b"", b"[]", b"{}", b"null", json.dumps({**good, "header": {}}), json.dumps(general), json.dumps(good) + "x",
                 ".".join((good["protected"], good["payload"], good["signature"])), json.dumps(good).replace('"payload"', '"payload":"","payload"'),
                 b"[" * 60_000, b"\xff\xfe" + json.dumps(good).encode("utf-16-le")):
        refused(client.send(url, body), "malformed")


def test_F39_payloads(client):
    url = client.directory["newOrder"]
    for payload in (b"", b"[]", b"7", b"{", b'{"identifiers":[],"identifiers":[]}', b"{}x"):
        refused(client.post(url, payload), "malformed")
    refused(client.post(client.kid + "/orders", {}), "malformed")


def test_F40_weak_account_keys(https):
    class Weak(Key):
        def __init__(self, **members):
            super().__init__("RS256")
            self.members = members

        def jwk(self):
            return {**super().jwk(), **self.members}
    for members in ({"e": "AQ"}, {"e": "Aw"}, {"n": b64(b"\xff" * 128)}):
        https.key = Weak(**members)
        refused(https.register(), "badPublicKey")
    https.key = Key("RS256", 1024)
    refused(https.register(), "badPublicKey")


def test_foreign_host_headers_do_not_get_into_urls(system):
    realm = system.realm("default")
    answer = exchange(system.https_address, b"GET /acme/directory HTTP/1.1\r\nHost: evil.example.net\r\nConnection: close\r\n\r\n", realm.https_ca_file)
    assert status_of(answer) == 200 and b"evil" not in answer


def test_every_address_of_the_directory_has_the_realms_prefix(system):
    realm = system.realm("devices")
    directory = Client(realm.directory_url, str(realm.https_ca_file)).directory
    for name in ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange"):
        assert directory[name].startswith(f"{system.https_url}/realms/devices/acme/"), directory


def test_b64_of_the_client_is_strict():
    """The tests' own signer writes what RFC 7515 wants."""
    assert b64(b"\xfb\xff") == "-_8"
