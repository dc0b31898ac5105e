"""ACME with the clients that people use, against both realms: issue, several names, RSA and EC, renew, revoke (issue 2)."""

import contextlib
import os
import shutil
import socket
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from acme_client import Client, Key, b64, make_csr
from conftest import System, Web

REALMS = ["default", "devices"]


def run(argv, env=None, want=0):
    """Runs a client; its whole output is the message of a failure."""
    done = subprocess.run([str(one) for one in argv], env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=120)
    output = done.stdout + done.stderr
    assert (done.returncode == 0) == (want == 0), f"{argv[0]} ended with {done.returncode}:\n{output}"
    return output


def check_chain(realm, chain_file, names, key_type):
    """openssl's own verdict on the chain, then the names and the key."""
    run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", realm.ca_file, chain_file])
    certificate = x509.load_pem_x509_certificate(open(chain_file, "rb").read())
    sans = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sorted(sans.get_values_for_type(x509.DNSName)) == sorted(names)
    assert isinstance(certificate.public_key(), key_type)
    return certificate


def is_revoked(realm, certificate):
    """What the daemon says of the certificate now."""
    return realm.status_of(certificate.serial_number)


# ----- certbot

class Certbot:
    def __init__(self, realm, directory, http01_port):
        self.directory = directory
        self.common = ["certbot", "--non-interactive", "--config-dir", directory / "etc", "--work-dir", directory / "work",
                       "--logs-dir", directory / "log", "--server", realm.directory_url]
        self.standalone = ["--standalone", "--http-01-port", http01_port, "--http-01-address", "127.0.0.1"]
        self.env = {"REQUESTS_CA_BUNDLE": str(realm.https_ca_file)}

    def run(self, *argv, want=0):
        return run([*self.common, *argv], self.env, want)

    def issue(self, names, key_type):
        domains = [part for name in names for part in ("-d", name)]
        self.run("certonly", *self.standalone, "--agree-tos", "-m", "admin@example.com", "--no-eff-email", "--key-type", key_type,
                 "--cert-name", names[0], *domains)
        return self.directory / "etc" / "live" / names[0]


@pytest.mark.parametrize("realm_name", REALMS)
@pytest.mark.parametrize("key_type,python_type", [("rsa", rsa.RSAPublicKey), ("ecdsa", ec.EllipticCurvePublicKey)])
def test_certbot_issues_renews_and_revokes(system, tmp_path, realm_name, key_type, python_type):
    realm = system.realm(realm_name)
    names = [f"{key_type}.certbot.localhost", f"www.{key_type}.certbot.localhost"]
    certbot = Certbot(realm, tmp_path, system.http01_port)
    live = certbot.issue(names, key_type)
    first = check_chain(realm, live / "fullchain.pem", names, python_type)
    certbot.run("renew", "--force-renewal", "--no-random-sleep-on-renew")
    second = check_chain(realm, live / "fullchain.pem", names, python_type)
    assert second.serial_number != first.serial_number
    certbot.run("revoke", "--cert-path", live / "cert.pem", "--reason", "superseded", "--no-delete-after-revoke")
    assert is_revoked(realm, second) == "revoked"
    assert is_revoked(realm, first) == "good"


def test_certbot_revokes_by_the_certificates_key(system, tmp_path):
    realm = system.realm("default")
    certbot = Certbot(realm, tmp_path, system.http01_port)
    live = certbot.issue(["bykey.certbot.localhost"], "ecdsa")
    certificate = check_chain(realm, live / "fullchain.pem", ["bykey.certbot.localhost"], ec.EllipticCurvePublicKey)
    certbot.run("revoke", "--cert-path", live / "cert.pem", "--key-path", live / "privkey.pem", "--reason", "keycompromise",
                "--no-delete-after-revoke")
    assert is_revoked(realm, certificate) == "revoked"


def test_certbot_updates_and_deactivates_its_account(system, tmp_path):
    certbot = Certbot(system.realm("default"), tmp_path, system.http01_port)
    certbot.run("register", "--agree-tos", "-m", "one@example.com", "--no-eff-email")
    certbot.run("update_account", "-m", "two@example.com", "--no-eff-email")
    certbot.run("unregister")


# ----- lego

class Lego:
    def __init__(self, realm, directory, http01_port, names, key_type):
        self.directory, self.name = directory, names[0]
        domains = [part for name in names for part in ("--domains", name)]
        self.common = ["lego", "--server", realm.directory_url, "--accept-tos", "--email", "admin@example.com", "--path", directory,
                       "--key-type", key_type, "--http", "--http.port", f"127.0.0.1:{http01_port}", *domains]
        self.env = {"LEGO_CA_CERTIFICATES": str(realm.https_ca_file)}

    def run(self, *argv):
        return run([*self.common, *argv], self.env)

    def chain(self):
        return self.directory / "certificates" / f"{self.name}.crt"


@pytest.mark.parametrize("realm_name", REALMS)
@pytest.mark.parametrize("key_type,python_type", [("rsa2048", rsa.RSAPublicKey), ("ec384", ec.EllipticCurvePublicKey)])
def test_lego_issues_renews_and_revokes(system, tmp_path, realm_name, key_type, python_type):
    realm = system.realm(realm_name)
    names = [f"{key_type}.lego.localhost", f"a.{key_type}.lego.localhost", f"b.{key_type}.lego.localhost"]
    lego = Lego(realm, tmp_path, system.http01_port, names, key_type)
    lego.run("run")
    first = check_chain(realm, lego.chain(), names, python_type)
    lego.run("renew", "--days", "9999", "--no-random-sleep")
    second = check_chain(realm, lego.chain(), names, python_type)
    assert second.serial_number != first.serial_number
    lego.run("revoke", "--keep")
    assert is_revoked(realm, second) == "revoked"
    assert is_revoked(realm, first) == "good"


# ----- dehydrated

class Dehydrated:
    def __init__(self, realm, directory, web, names, key_algorithm):
        self.directory, self.name = directory, names[0]
        (directory / "config").write_text(f"CA={realm.directory_url}\nBASEDIR={directory}\nWELLKNOWN={web.directory}\n"
                                          f"CURL_OPTS='--cacert {realm.https_ca_file}'\nKEY_ALGO={key_algorithm}\nKEYSIZE=2048\n"
                                          f"CONTACT_EMAIL=admin@example.com\nLOCKFILE={directory}/lock\nOCSP_MUST_STAPLE=no\n")
        (directory / "domains.txt").write_text(" ".join(names) + "\n")

    def run(self, *argv):
        return run(["dehydrated", "--config", self.directory / "config", *argv])

    def file(self, name):
        return self.directory / "certs" / self.name / name


@pytest.mark.parametrize("realm_name", REALMS)
@pytest.mark.parametrize("key_algorithm,python_type", [("rsa", rsa.RSAPublicKey), ("secp384r1", ec.EllipticCurvePublicKey)])
def test_dehydrated_issues_renews_and_revokes(system, tmp_path, web, realm_name, key_algorithm, python_type):
    realm = system.realm(realm_name)
    names = [f"{key_algorithm}.dehydrated.localhost", f"www.{key_algorithm}.dehydrated.localhost"]
    dehydrated = Dehydrated(realm, tmp_path, web, names, key_algorithm)
    dehydrated.run("--register", "--accept-terms")
    dehydrated.run("--cron")
    first = check_chain(realm, dehydrated.file("fullchain.pem"), names, python_type)
    dehydrated.run("--cron", "--force")
    second = check_chain(realm, dehydrated.file("fullchain.pem"), names, python_type)
    assert second.serial_number != first.serial_number
    dehydrated.run("--revoke", dehydrated.file("cert.pem"))
    assert is_revoked(realm, second) == "revoked"


# ----- our own client: what those do not try

@pytest.fixture
def client(system):
    one = Client(system.realm("default").directory_url, str(system.realm("default").https_ca_file))
    assert one.register().status_code == 201
    return one


def problem(answer, status, kind):
    """An ACME refusal: status, type, media type and a fresh nonce (RFC 8555 6.5, 6.7)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:ietf:params:acme:error:" + kind, answer.text
    assert answer.headers["Replay-Nonce"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "RS256", "EdDSA"])
def test_accounts_of_every_algorithm(system, algorithm):
    realm = system.realm("devices")
    one = Client(realm.directory_url, str(realm.https_ca_file), Key(algorithm))
    created = one.register(contact=["mailto:admin@example.com"])
    assert created.status_code == 201 and created.json()["status"] == "valid"
    again = one.post(one.directory["newAccount"], {"onlyReturnExisting": True}, jwk=one.key.jwk(), kid=None)
    assert again.status_code == 200 and again.headers["Location"] == one.kid


def test_whole_way_and_the_links_between_resources(client, web, system):
    key, chain, order_url = client.obtain(["one.own.localhost", "two.own.localhost"], web.answers)
    certificate = x509.load_pem_x509_certificate(chain.encode())
    assert certificate.public_key().public_numbers() == key.public_key().public_numbers()
    assert chain.count("BEGIN CERTIFICATE") >= 2
    order = client.post(order_url).json()
    assert [one["value"] for one in order["identifiers"]] == ["one.own.localhost", "two.own.localhost"]
    account = client.post(client.kid).json()
    assert order_url in client.post(account["orders"]).json()["orders"]
    answer = client.post(order["certificate"])
    assert answer.headers["Content-Type"] == "application/pem-certificate-chain"
    assert f'<{client.directory_url}>;rel="index"' in answer.headers["Link"]


def test_finalizing_again_gives_the_same_certificate(client, web):
    _, first, order_url = client.obtain(["again.own.localhost"], web.answers)
    order = client.post(order_url).json()
    client.post(order["finalize"], {"csr": b64(make_csr(["again.own.localhost"])[1])})
    assert client.post(client.post(order_url).json()["certificate"]).text == first


CSR_CASES = {
    "subset": ["a.csr.localhost"],
    "superset": ["a.csr.localhost", "b.csr.localhost", "c.csr.localhost"],
    "others": ["x.csr.localhost", "y.csr.localhost"],
    "none": [],
    "wildcard": ["*.csr.localhost", "a.csr.localhost"],
}


@pytest.mark.parametrize("case", CSR_CASES)
def test_F41_the_requests_names_must_equal_the_orders(client, web, case):
    order = client.order(["a.csr.localhost", "b.csr.localhost"]).json()
    client.prove(order, web.answers)
    answer = client.post(order["finalize"], {"csr": b64(make_csr(CSR_CASES[case])[1])})
    problem(answer, 400, "badCSR")


def test_F41_finalize_refuses_what_is_no_request(client, web):
    order = client.order(["bad.csr.localhost"]).json()
    problem(client.post(order["finalize"], {"csr": b64(make_csr(["bad.csr.localhost"])[1])}), 403, "orderNotReady")
    client.prove(order, web.answers)
    problem(client.post(order["finalize"], {}), 400, "malformed")
    problem(client.post(order["finalize"], {"csr": 7}), 400, "malformed")
    problem(client.post(order["finalize"], {"csr": "+/+/"}), 400, "badCSR")
    problem(client.post(order["finalize"], {"csr": b64(b"not DER")}), 400, "badCSR")
    flipped = bytearray(make_csr(["bad.csr.localhost"])[1])
    flipped[-3] ^= 1
    problem(client.post(order["finalize"], {"csr": b64(bytes(flipped))}), 400, "badCSR")


def test_F40_a_certificate_key_must_not_be_the_account_key(client, web):
    order = client.order(["same.csr.localhost"]).json()
    client.prove(order, web.answers)
    problem(client.post(order["finalize"], {"csr": b64(make_csr(["same.csr.localhost"], client.key.key)[1])}), 400, "badCSR")


def test_C15_a_request_for_a_ca_gets_no_ca(client, web):
    key = ec.generate_private_key(ec.SECP256R1())
    from cryptography.hazmat.primitives import hashes
    request = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
               .add_extension(x509.SubjectAlternativeName([x509.DNSName("ca.csr.localhost")]), False)
               .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    order = client.order(["ca.csr.localhost"]).json()
    client.prove(order, web.answers)
    answer = client.post(order["finalize"], {"csr": b64(request.public_bytes(serialization.Encoding.DER))})
    if answer.ok:
        chain = client.post(answer.json()["certificate"]).text
        constraints = x509.load_pem_x509_certificate(chain.encode()).extensions.get_extension_for_class(x509.BasicConstraints)
        assert not constraints.value.ca


@pytest.mark.parametrize("reason,want", [(7, 400), (8, 400), (11, 400), (-1, 400), ("1", 400), (1.5, 400), (None, 400), (2, 400), (10, 400)])
def test_F42_revocation_reasons(client, web, reason, want):
    if not hasattr(test_F42_revocation_reasons, "chain"):
        test_F42_revocation_reasons.chain = client.obtain(["reason.own.localhost"], web.answers)[1]
    der = x509.load_pem_x509_certificate(test_F42_revocation_reasons.chain.encode()).public_bytes(serialization.Encoding.DER)
    problem(client.post(client.directory["revokeCert"], {"certificate": b64(der), "reason": reason}), want, "badRevocationReason")


def test_F42_who_may_revoke(client, web, system):
    key, chain, _ = client.obtain(["mine.own.localhost"], web.answers)
    certificate = x509.load_pem_x509_certificate(chain.encode())
    payload = {"certificate": b64(certificate.public_bytes(serialization.Encoding.DER)), "reason": 4}
    url = client.directory["revokeCert"]
    stranger = Client(client.directory_url, client.web.verify)
    stranger.register()
    problem(stranger.post(url, payload), 403, "unauthorized")
    other_key = Key()
    problem(client.post(url, payload, key=other_key, jwk=other_key.jwk(), kid=None), 403, "unauthorized")
    garbage = {"certificate": b64(b"garbage")}
    assert client.post(url, garbage).status_code in (400, 404)
    problem(client.post(url, {}), 400, "malformed")
    foreign = x509.load_pem_x509_certificate(open(system.realm("devices").ca_file, "rb").read())
    assert client.post(url, {"certificate": b64(foreign.public_bytes(serialization.Encoding.DER))}).status_code in (403, 404)
    own = Key()
    own.key = key
    assert client.post(url, payload, key=own, jwk=own.jwk(), kid=None).status_code == 200
    problem(client.post(url, payload), 400, "alreadyRevoked")


def test_another_accounts_resources_look_as_if_they_were_not_there(client, web):
    _, _, order_url = client.obtain(["private.own.localhost"], web.answers)
    order = client.post(order_url).json()
    stranger = Client(client.directory_url, client.web.verify)
    stranger.register()
    for url in (order_url, order["authorizations"][0], order["certificate"]):
        missing = url.rsplit("/", 1)[0] + "/" + ("ab" * 12)
        there, gone = stranger.post(url), stranger.post(missing)
        assert there.status_code == gone.status_code == 404, there.text
        assert there.json()["detail"] == gone.json()["detail"]
    assert stranger.post(order["finalize"], {"csr": b64(make_csr(["x.localhost"])[1])}).status_code == 404
    problem(stranger.post(client.kid), 403, "unauthorized")


def test_the_other_realm_knows_nothing_of_an_account_or_order(system, client, web):
    _, _, order_url = client.obtain(["here.own.localhost"], web.answers)
    there = system.realm("devices")
    elsewhere = Client(there.directory_url, str(there.https_ca_file), client.key)
    elsewhere.kid = client.kid
    problem(elsewhere.order(["here.own.localhost"]), 400, "accountDoesNotExist")
    elsewhere.kid = there.directory_url.replace("directory", "account/") + client.kid.rsplit("/", 1)[1]
    problem(elsewhere.order(["here.own.localhost"]), 400, "accountDoesNotExist")
    assert elsewhere.register().status_code == 201
    foreign = there.directory_url.replace("directory", "order/") + order_url.rsplit("/", 1)[1]
    missing = there.directory_url.replace("directory", "order/") + "A" * 20
    assert elsewhere.post(foreign).json() == elsewhere.post(missing).json()


def test_account_update_and_deactivation(client):
    changed = client.post(client.kid, {"contact": ["mailto:new@example.com"]})
    assert changed.json()["contact"] == ["mailto:new@example.com"]
    problem(client.post(client.kid, {"status": "revoked"}), 400, "malformed")
    problem(client.post(client.kid, {"contact": "mailto:x@example.com"}), 400, "malformed")
    assert client.post(client.kid, {"contact": ["tel:+123"]}).json()["type"].endswith(("unsupportedContact", "invalidContact"))
    assert client.post(client.kid, {"status": "deactivated"}).json()["status"] == "deactivated"
    problem(client.post(client.kid), 403, "unauthorized")
    problem(client.register(), 403, "unauthorized")


def test_only_existing_accounts_can_be_looked_up(system):
    realm = system.realm("default")
    one = Client(realm.directory_url, str(realm.https_ca_file))
    problem(one.register(onlyReturnExisting=True), 400, "accountDoesNotExist")


def inner_jws(client, new_key, **changes):
    from acme_client import jws
    header = {"alg": new_key.algorithm, "jwk": new_key.jwk(), "url": client.directory["keyChange"]}
    payload = {"account": client.kid, "oldKey": client.key.jwk()}
    header.update(changes.get("header", {}))
    payload.update(changes.get("payload", {}))
    return jws(changes.get("signer", new_key), {k: v for k, v in header.items() if v is not None}, payload)


def test_key_change(client):
    new_key = Key("ES384")
    url = client.directory["keyChange"]
    cases = [{"header": {"url": url + "x"}}, {"header": {"nonce": "n"}}, {"payload": {"account": client.kid + "x"}},
             {"payload": {"oldKey": new_key.jwk()}}, {"signer": Key("ES384")}, {"header": {"jwk": None, "kid": client.kid}}]
    for case in cases:
        problem(client.post(url, inner_jws(client, new_key, **case)), 400, "malformed")
    other = Client(client.directory_url, client.web.verify)
    other.register()
    taken = client.post(url, inner_jws(client, other.key))
    assert taken.status_code == 409 and taken.headers["Location"] == other.kid
    assert client.post(url, inner_jws(client, new_key)).status_code == 200
    problem(client.post(client.kid), 400, "badSignatureAlgorithm")
    client.key = new_key
    assert client.post(client.kid).json()["status"] == "valid"


def seen(client):
    """The front end knows the account's key from a request that needed no more than it."""
    assert client.post(f"{client.kid}/orders").status_code == 200


def test_F19_a_key_that_was_changed_elsewhere_opens_nothing_any_more(client, system):
    """Through another front end, perhaps: this one remembers the old key, and the daemon does not take it."""
    seen(client)
    new_key, old_key = Key(), client.key
    with contextlib.closing(system.realm("default").talk()) as talk:
        talk.result("acme.account.rekey", account=client.kid.rsplit("/", 1)[1], jwk=new_key.jwk())
    for _ in range(2):
        problem(client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "a.localhost"}]}), 400, "malformed")
    client.key = new_key
    seen(client)
    client.key = old_key
    problem(client.post(f"{client.kid}/orders"), 400, "malformed")


def test_F19_an_account_that_was_ended_elsewhere_opens_nothing_any_more(client, system):
    seen(client)
    with contextlib.closing(system.realm("default").talk()) as talk:
        talk.result("acme.account.update", account=client.kid.rsplit("/", 1)[1], status="deactivated")
    for _ in range(2):
        problem(client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "a.localhost"}]}), 403, "unauthorized")


class HostsSystem(System):
    """One listener, two host names, a realm behind each."""

    more_attributes = 'host-realms="pki.devices.test=devices pki.example.test=default"'
    more_names = " pki.devices.test pki.example.test"


@pytest.fixture
def by_host_name(monkeypatch):
    """Names below .test are this machine."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: resolve("127.0.0.1" if host.endswith(".test") else host, *more, **named))
    with HostsSystem.running() as one:
        yield one


def test_F50_host_names_lead_to_realms_that_know_nothing_of_each_other(by_host_name, tmp_path):
    system = by_host_name
    trust = str(system.realm("default").https_ca_file)
    web = Web(system.http01_port, tmp_path)
    clients = {}
    for host, realm in (("pki.devices.test", "devices"), ("pki.example.test", "default"), ("localhost", "default")):
        clients[host] = Client(f"https://{host}:{system.https_port}/acme/directory", trust)
        assert clients[host].directory["newOrder"] == f"https://{host}:{system.https_port}/acme/new-order"
        assert clients[host].register().status_code == 201
        _, chain, _ = clients[host].obtain([f"{realm}.localhost"], web.answers)
        issuer = x509.load_pem_x509_certificate(chain.encode()).issuer.rfc4514_string()
        assert f"{realm} CA" in issuer
    web.stop()
    # An account of one realm is unknown at the other's host, also under that host's own URL for it.
    there, here = clients["pki.devices.test"], clients["pki.example.test"]
    stranger = Client(here.directory_url, trust, key=there.key)
    stranger.kid = there.kid.replace("pki.devices.test", "pki.example.test")
    problem(stranger.order(["x.localhost"]), 400, "accountDoesNotExist")
    problem(stranger.register(onlyReturnExisting=True), 400, "accountDoesNotExist")
    stranger.kid = there.kid
    problem(stranger.order(["x.localhost"]), 400, "accountDoesNotExist")


class LimitedSystem(System):
    """A server whose clients may make three accounts in an hour."""

    accounts_per_hour = 3


@pytest.fixture(scope="module")
def limited():
    with LimitedSystem.running() as one:
        yield one


def test_C30_so_many_new_accounts_and_no_more(limited):
    def fresh(realm_name="default"):
        return Client(limited.realm(realm_name).directory_url, str(limited.realm("default").https_ca_file))
    first = fresh()
    for _ in range(5):  # what makes no account does not count
        problem(first.register(contact=["tel:+123"]), 400, "unsupportedContact")
    made = [first, fresh("devices"), fresh()]
    for one in made:
        assert one.register().status_code == 201
        assert one.register().status_code == 200
    for realm_name in REALMS:
        refused = fresh(realm_name).register()
        problem(refused, 429, "rateLimited")
        assert 1100 < int(refused.headers["Retry-After"]) <= 1200
    problem(fresh().register(onlyReturnExisting=True), 400, "accountDoesNotExist")
    for one in made:  # whoever has one keeps it
        assert one.register().status_code == 200
        assert one.order(["limited.own.localhost"]).status_code == 201


BAD_NAMES = ["", "a..localhost", "-a.localhost", "a_b.localhost/x", "a b.localhost", "x" * 64 + ".localhost", "10.0.0.1", "*.*.localhost",
             "a.*.localhost", "localhost.", "a\u0000b.localhost"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_orders_for_names_that_are_none(client, name):
    answer = client.order([name])
    assert answer.status_code in (400, 403), answer.text
    assert answer.json()["type"].rsplit(":", 1)[1] in ("malformed", "rejectedIdentifier", "unsupportedIdentifier")


def test_orders_of_the_wrong_form(client):
    url = client.directory["newOrder"]
    for payload in ({}, {"identifiers": []}, {"identifiers": "x"}, {"identifiers": [7]}, {"identifiers": [{"type": "dns"}]}):
        problem(client.post(url, payload), 400, "malformed")
    problem(client.post(url, {"identifiers": [{"type": "email", "value": "a@b.localhost"}]}), 400, "unsupportedIdentifier")


@pytest.mark.parametrize("dates", [{"notBefore": "2020-01-01T00:00:00Z"}, {"notBefore": "2020-01-01T00:00:00Z", "notAfter": "2020-02-01T00:00:00Z"},
                                   {"notAfter": "2099-01-01T00:00:00Z"}, {"notBefore": "yesterday"}, {"notAfter": 7}],
                         ids=lambda dates: " ".join(str(one) for one in dates.values()))
def test_C11_orders_with_dates_that_cannot_be_issued(client, dates):
    problem(client.order(["dates.own.localhost"], **dates), 400, "malformed")


# ----- http-01: what is found, and what is refused (PROMISES F45-F47, I17)

def fail_validation(client, web, name, path_answer):
    """Lets the web server answer with `path_answer`. @return the challenge's error."""
    order = client.order([name]).json()
    authorization = client.post(order["authorizations"][0]).json()
    challenge = next(one for one in authorization["challenges"] if one["type"] == "http-01")
    web.answers[challenge["token"]] = path_answer(challenge["token"])
    client.post(challenge["url"], {})
    found = client.poll(order["authorizations"][0], ("valid", "invalid"))
    assert found["status"] == "invalid", found
    assert client.poll(client.order([name]).headers["Location"], ("pending", "invalid"))
    return next(one for one in found["challenges"] if one["type"] == "http-01")["error"]


SECRET = "s3cret-of-an-inner-page"

WRONG_ANSWERS = {
    "other text": (lambda token: SECRET, "incorrectResponse"),
    "markup": (lambda token: f"<html>{SECRET}</html>", "incorrectResponse"),
    "another account": (lambda token: token + "." + "A" * 43, "incorrectResponse"),
    "too long": (lambda token: SECRET * 10_000, "incorrectResponse"),
    "empty": (lambda token: "", "incorrectResponse"),
    "404": (lambda token: (404, {}, SECRET), "incorrectResponse"),
    "500": (lambda token: (500, {}, SECRET), "incorrectResponse"),
    "redirect to a file": (lambda token: (302, {"Location": "file:///etc/passwd"}, ""), "connection"),
    "redirect to ftp": (lambda token: (302, {"Location": "ftp://127.0.0.1/x"}, ""), "connection"),
    "redirect to another port": (lambda token: (302, {"Location": "http://127.0.0.1:22/"}, ""), "connection"),
    "redirect to link-local": (lambda token: (302, {"Location": "http://169.254.169.254/latest/meta-data/"}, ""), "connection"),
    "redirect to mapped link-local": (lambda token: (302, {"Location": "http://[::ffff:169.254.169.254]/"}, ""), "connection"),
    "redirect to unspecified": (lambda token: (302, {"Location": "http://0.0.0.0/"}, ""), "connection"),
    "redirect to a user": (lambda token: (302, {"Location": "http://user:pw@127.0.0.1/"}, ""), "connection"),
    "redirect without Location": (lambda token: (302, {}, ""), "incorrectResponse"),
    "redirect to itself": (lambda token: (302, {"Location": f"/.well-known/acme-challenge/{token}"}, ""), "connection"),
}


@pytest.mark.parametrize("case", WRONG_ANSWERS)
def test_F45_http01_refuses(client, web, case):
    answer, kind = WRONG_ANSWERS[case]
    error = fail_validation(client, web, f"{case.replace(' ', '-')}.http01.localhost", answer)
    assert error["type"].endswith(":" + kind), error
    assert SECRET not in error["detail"]
    assert "http" in error["detail"]


def test_http01_follows_a_redirect_to_where_the_proof_is(client, web):
    order = client.order(["moved.http01.localhost"]).json()
    authorization = client.post(order["authorizations"][0]).json()
    challenge = next(one for one in authorization["challenges"] if one["type"] == "http-01")
    web.answers[challenge["token"]] = (302, {"Location": "/.well-known/acme-challenge/elsewhere"}, "")
    web.answers["elsewhere"] = challenge["token"] + "." + client.key.thumbprint() + " \r\n"
    client.post(challenge["url"], {})
    assert client.poll(order["authorizations"][0], ("valid", "invalid"))["status"] == "valid"


def test_http01_says_that_nobody_answers(client, web):
    web.stop()
    error = fail_validation(client, web, "nobody.http01.localhost", lambda token: "")
    assert error["type"].endswith(":connection"), error
    assert "nobody.http01.localhost" in error["detail"] and "127.0.0.1" in error["detail"]


def test_I20_a_challenge_is_validated_once(client, web):
    import threading
    order = client.order(["once.http01.localhost"]).json()
    authorization = client.post(order["authorizations"][0]).json()
    challenge = next(one for one in authorization["challenges"] if one["type"] == "http-01")
    web.answers[challenge["token"]] = challenge["token"] + "." + client.key.thumbprint()
    bodies = [client.header(challenge["url"]) for _ in range(4)]
    from acme_client import jws
    threads = [threading.Thread(target=client.send, args=(challenge["url"], jws(client.key, header, {}))) for header in bodies]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert client.poll(order["authorizations"][0], ("valid", "invalid"))["status"] == "valid"
    assert web.requests.count(f"/.well-known/acme-challenge/{challenge['token']}") == 1


def test_authorizations_can_be_given_up(client):
    order = client.order(["given-up.own.localhost"]).json()
    url = order["authorizations"][0]
    problem(client.post(url, {"status": "valid"}), 400, "malformed")
    assert client.post(url, {"status": "deactivated"}).json()["status"] == "deactivated"


def test_clients_are_installed():
    """Each of the clients above was really there."""
    for program in ("certbot", "lego", "dehydrated", "openssl"):
        assert shutil.which(program), program
