"""tls-alpn-01 (RFC 8737) against TLS servers that do it right and against those that do not (PROMISES F48), for names and for
addresses (RFC 8738)."""

import socket
import ssl

import pytest

from acme_tls_server import TlsServer, context_for, make_certificate
from challenges import answer, begin, check_refused, key_authorization
from challenges import client, system  # noqa: F401: fixtures
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dns_server import A

METHOD = "tls-alpn-01"


def right(client, challenge, name, **changes):
    """The context of a server that answers the challenge."""
    key, certificate = make_certificate([name], key_authorization(client, challenge), **changes)
    return context_for([certificate], key)


def test_F48_the_right_certificate_proves_a_name(client, dns, system):
    dns.zone["good.tls.example"] = ["127.0.0.1"]
    url, challenge = begin(client, "good.tls.example", METHOD)
    with TlsServer(system.tlsalpn01_port, right(client, challenge, "good.tls.example")) as server:
        assert answer(client, url, challenge) == ("valid", None)
    assert server.server_names == ["good.tls.example"] and server.connections == 1
    assert dns.asked("good.tls.example", A) == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_will_do(client, dns, system, version):
    name = f"{version.name.lower().replace('_', '-')}.tls.example"
    dns.zone[name] = ["127.0.0.1"]
    url, challenge = begin(client, name, METHOD)
    key, certificate = make_certificate([name], key_authorization(client, challenge))
    with TlsServer(system.tlsalpn01_port, context_for([certificate], key, versions=(version, version))):
        assert answer(client, url, challenge) == ("valid", None)


@pytest.mark.parametrize("address,server_name", [
    ("127.0.0.1", "1.0.0.127.in-addr.arpa"), ("::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa")])
def test_an_address_is_asked_for_by_its_reverse_name(client, system, address, server_name):
    url, challenge = begin(client, address, METHOD, "ip")
    with TlsServer(system.tlsalpn01_port, right(client, challenge, address), address=address) as server:
        assert answer(client, url, challenge) == ("valid", None)
    assert server.server_names == [server_name]


def test_F48_an_expired_certificate_will_do(client, dns, system):
    dns.zone["expired.tls.example"] = ["127.0.0.1"]
    url, challenge = begin(client, "expired.tls.example", METHOD)
    with TlsServer(system.tlsalpn01_port, right(client, challenge, "expired.tls.example", expired=True)):
        assert answer(client, url, challenge) == ("valid", None)


def test_an_address_where_nobody_answers_is_passed_over(client, dns, system):
    dns.zone["two.tls.example"] = ["::1", "127.0.0.1"]
    url, challenge = begin(client, "two.tls.example", METHOD)
    with TlsServer(system.tlsalpn01_port, right(client, challenge, "two.tls.example")):
        assert answer(client, url, challenge) == ("valid", None)


def test_a_server_that_starts_late_is_found(client, dns, system):
    url, challenge = begin(client, "late.tls.example", METHOD)
    context, servers = right(client, challenge, "late.tls.example"), []

    def found(kind, before):
        if kind == A and before == 1:  # it was refused once
            servers.append(TlsServer(system.tlsalpn01_port, context))
        return ["127.0.0.1"]
    dns.zone["late.tls.example"] = found
    try:
        assert answer(client, url, challenge) == ("valid", None)
    finally:
        for one in servers:
            one.stop()


OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another issuer")])

# certificate's names (NAME stands for the right one), what else is changed, error type
CERTIFICATES = {
    "no name": ([], {}, "incorrectResponse"),
    "another name": (["other.tls.example"], {}, "incorrectResponse"),
    "one name too many": (["NAME", "other.tls.example"], {}, "incorrectResponse"),
    "a wildcard": (["*.tls.example"], {}, "incorrectResponse"),
    "an address": (["127.0.0.1"], {}, "incorrectResponse"),
    "no acmeIdentifier": (["NAME"], {"identifier": b""}, "incorrectResponse"),
    "acmeIdentifier not critical": (["NAME"], {"critical": False}, "incorrectResponse"),
    "acmeIdentifier of another challenge": (["NAME"], {"identifier": b"\x04\x20" + bytes(32)}, "incorrectResponse"),
    "acmeIdentifier not wrapped": (["NAME"], {"identifier": bytes(32)}, "incorrectResponse"),
    "acmeIdentifier too long": (["NAME"], {"identifier": b"\x04\x21" + bytes(33)}, "incorrectResponse"),
    "acmeIdentifier empty": (["NAME"], {"identifier": b"\x04\x00"}, "incorrectResponse"),
    "signed by another key": (["NAME"], {"signer": OTHER_KEY}, "incorrectResponse"),
    "of another issuer": (["NAME"], {"issuer": OTHER_NAME}, "incorrectResponse"),
    "huge": (["NAME"], {"padding": 60_000}, "tls"),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_F48_certificates_that_prove_nothing(client, dns, system, case):
    names, changes, kind = CERTIFICATES[case]
    name = f"{case.lower().replace(' ', '-')}.tls.example"
    dns.zone[name] = ["127.0.0.1"]
    url, challenge = begin(client, name, METHOD)
    key, certificate = make_certificate([one.replace("NAME", name) for one in names], key_authorization(client, challenge), **changes)
    with TlsServer(system.tlsalpn01_port, context_for([certificate], key)):
        detail = check_refused(answer(client, url, challenge), kind)
    assert name in detail and "127.0.0.1" in detail


def two_certificates(client, challenge, name):
    key, certificate = make_certificate([name], key_authorization(client, challenge))
    return context_for([certificate, make_certificate(["x.tls.example"], "x")[1]], key)


def no_alpn(client, challenge, name):
    key, certificate = make_certificate([name], key_authorization(client, challenge))
    return context_for([certificate], key, protocols=())


def other_alpn(client, challenge, name):
    key, certificate = make_certificate([name], key_authorization(client, challenge))
    return context_for([certificate], key, protocols=("h2", "http/1.1"))


def tls_1_0(client, challenge, name):
    key, certificate = make_certificate([name], key_authorization(client, challenge))
    return context_for([certificate], key, versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))


def of_another_account(client, challenge, name):
    key, certificate = make_certificate([name], challenge["token"] + "." + "A" * 43)
    return context_for([certificate], key)


@pytest.mark.parametrize("make,kinds", [(two_certificates, {"incorrectResponse"}), (no_alpn, {"incorrectResponse"}), (other_alpn, {"incorrectResponse", "tls"}),
                                        (tls_1_0, {"tls"}), (of_another_account, {"incorrectResponse"})], ids=lambda one: getattr(one, "__name__", ""))
def test_F48_servers_that_do_it_wrong(client, dns, system, make, kinds):
    name = f"{make.__name__.replace('_', '-')}.tls.example"
    dns.zone[name] = ["127.0.0.1"]
    url, challenge = begin(client, name, METHOD)
    with TlsServer(system.tlsalpn01_port, make(client, challenge, name)):
        status, error = answer(client, url, challenge)
    assert status == "invalid" and error["type"].rsplit(":", 1)[1] in kinds, error


def send_for_ever(octets, pause=0.0):
    def talk(server, connection):
        connection.recv(4096)
        while not server.over.wait(pause):
            connection.sendall(octets)
    return talk


TALKS = {
    "silence": lambda server, connection: server.over.wait(60),
    "hang-up": lambda server, connection: None,
    "no TLS": lambda server, connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "plain HTTP": lambda server, connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nsecret"),
    "one octet a second": send_for_ever(b"\x16", 1),
    "endless records": send_for_ever(b"\x16\x03\x03\x40\x00" + b"\x0b\xff\xff\xff" + bytes(16380)),
    "an alert": lambda server, connection: connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28"),
}


@pytest.mark.parametrize("kind", TALKS)
def test_F48_servers_that_mean_harm(client, dns, system, kind):
    dns.zone["harm.tls.example"] = ["127.0.0.1"]
    url, challenge = begin(client, "harm.tls.example", METHOD)
    with TlsServer(system.tlsalpn01_port, talk=TALKS[kind]):
        status, error = answer(client, url, challenge)
    assert status == "invalid" and error["type"].rsplit(":", 1)[1] in ("connection", "tls"), error
    assert "secret" not in error["detail"]


def test_nobody_answers(client, dns, system):
    dns.zone["nobody.tls.example"] = ["127.0.0.1"]
    url, challenge = begin(client, "nobody.tls.example", METHOD)
    detail = check_refused(answer(client, url, challenge), "connection")
    assert "nobody.tls.example" in detail and "refused" in detail and str(system.tlsalpn01_port) in detail


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::ffff:169.254.169.254"])
def test_F46_forbidden_addresses(client, dns, system, address):
    dns.zone["forbidden.tls.example"] = [address]
    url, challenge = begin(client, "forbidden.tls.example", METHOD)
    assert "validation does not connect there" in check_refused(answer(client, url, challenge), "connection")


def test_I18_the_address_that_was_checked_is_the_one_connected_to(client, dns, system):
    dns.zone["rebind.tls.example"] = lambda kind, before: ["127.0.0.1"] if before == 0 else ["169.254.169.254"]
    url, challenge = begin(client, "rebind.tls.example", METHOD)
    with TlsServer(system.tlsalpn01_port, right(client, challenge, "rebind.tls.example")):
        assert answer(client, url, challenge) == ("valid", None)
    assert dns.asked("rebind.tls.example", A) == 1


def test_the_servers_own_port_is_not_mistaken_for_an_answer(client, dns, system):
    """An HTTPS server that knows nothing of ACME: here chancery-http itself."""
    dns.zone["https.tls.example"] = ["127.0.0.1"]
    url, challenge = begin(client, "https.tls.example", METHOD)

    def relay(server, connection):
        with socket.create_connection(system.https_address, timeout=60) as other:
            other.sendall(connection.recv(65536))
            connection.sendall(other.recv(65536))
    with TlsServer(system.tlsalpn01_port, talk=relay):
        status, error = answer(client, url, challenge)
    assert status == "invalid" and error["type"].rsplit(":", 1)[1] in ("tls", "incorrectResponse", "connection"), error
