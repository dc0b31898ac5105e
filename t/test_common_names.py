"""Certificates without a common name (common_name: none of a profile), and so without any subject (RFC 5280 4.1.2.6, 4.2.1.6)."""

import contextlib
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from acme_client import b64, make_csr
from test_acme import check_chain
from test_acme_accounts import default, id_of, problem  # noqa: F401: a fixture
from test_acme_policies import PolicySystem, granted
from test_names import request_for

SERVER = "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\n"


class NamelessSystem(PolicySystem):
    more_acme = {"default": """  profiles: [nameless, company, named]
  policies:
    granted: {preauthorized: [".granted.localhost"]}
""", "devices": ""}
    profiles = {"nameless": SERVER + "common_name: none\n",
                "company": SERVER + "common_name: none\nsubject_from: profile\nsubject: {O: Company, CN: \"\"}\n",
                "named": SERVER + "common_name: names\n",
                "person": "keyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth]\ncertType: user\ncommon_name: none\n"}

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        directory = self.directory / "var" / "realms" / name / "profiles"
        directory.mkdir(exist_ok=True)
        for profile, text in self.profiles.items():
            (directory / f"{profile}.yml").write_text(text)


@pytest.fixture(scope="module")
def system():
    with NamelessSystem.running() as one:
        yield one


@pytest.fixture
def client(default):
    one = default.account()
    default.talk.result("acme.account.policy", account=id_of(one), policy="granted")
    return one


def obtain(client, profile, names, **how):
    """@return the key, and the chain as PEM."""
    made = client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name} for name in names], "profile": profile})
    assert made.status_code == 201 and made.json()["status"] == "ready", made.text
    key, der = make_csr(names, **how)
    done = client.post(made.json()["finalize"], {"csr": b64(der)})
    assert done.ok, done.text
    return key, client.post(done.json()["certificate"]).content


def sans_of(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize("profile,subject,critical", [
    ("nameless", "", True), ("company", "O=Company", False), ("named", "CN={0}", False), ("server", None, False)])
@pytest.mark.parametrize("asks", [False, True], ids=["names alone", "a common name"])
def test_F41_the_names_are_critical_where_there_is_no_subject(default, client, tmp_path, profile, subject, critical, asks):
    names = [granted(), granted()]
    _, chain = obtain(client, profile, names, **({"common_name": names[1]} if asks else {}))
    (tmp_path / "chain.pem").write_bytes(chain)
    certificate = check_chain(default.realm, tmp_path / "chain.pem", names, ec.EllipticCurvePublicKey)  # openssl -x509_strict
    if subject is not None:
        assert certificate.subject.rfc4514_string() == subject.format(names[0])
    assert bool(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)) == (profile in ("named", "server"))
    assert sans_of(certificate).critical == critical
    assert default.realm.status_of(certificate.serial_number) == "good"  # found without a name, too


def test_a_server_without_a_subject_is_who_it_says(default, client, tmp_path):
    """By OpenSSL as Python's ssl uses it: the name asked for is found among the alternative names alone."""
    name = granted()
    key, chain = obtain(client, "nameless", [name])
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    seen = ssl.create_default_context(cafile=str(default.realm.ca_file))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            for _ in range(2):
                with contextlib.suppress(OSError), listener.accept()[0] as plain, server.wrap_socket(plain, server_side=True) as one:
                    one.recv(1)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        for asked, right in ((name, True), ("other." + name, False)):
            with socket.create_connection(listener.getsockname(), timeout=60) as plain:
                if right:
                    with seen.wrap_socket(plain, server_hostname=asked) as session:
                        assert session.getpeercert()["subject"] == ()
                else:
                    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
                        seen.wrap_socket(plain, server_hostname=asked)
        thread.join(60)


@pytest.mark.parametrize("subject,sans,made", [
    ("/CN=www.example.com", (), ["DNS:www.example.com"]), ("/CN=Our Server", ("DNS:a.example.com",), ["DNS:a.example.com"]),
    ("/CN=192.0.2.7", ("DNS:a.example.com",), ["IP:192.0.2.7", "DNS:a.example.com"])])
def test_C14_what_a_request_calls_a_host_stands_among_the_names(default, subject, sans, made):
    answer = default.talk.result("certificate.issue", csr=request_for(subject, sans), profile="nameless")
    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    assert (list(certificate.subject), answer["sans"]) == ([], made)
    assert sans_of(certificate).critical


@pytest.mark.parametrize("profile,subject", [("nameless", "/CN=Our Server"), ("person", "/CN=Alice Example")])
def test_who_is_left_without_any_name_gets_no_certificate(default, profile, subject):
    refused = default.talk.call("certificate.issue", csr=request_for(subject), profile=profile)
    assert refused["error"]["data"]["code"] == "policy_refused", refused


def test_a_request_of_another_name_is_refused_still(client):
    """The common name that is left out counts as before (RFC 8555 7.4)."""
    name = granted()
    made = client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}], "profile": "nameless"})
    problem(client.post(made.json()["finalize"], {"csr": b64(make_csr([name], common_name=granted())[1])}), 400, "badCSR")
