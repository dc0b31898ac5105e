"""The HTTPS listener's certificate and its TLS: replaced without a restart, nothing weak spoken (PROMISES D12, F27)."""

import datetime
import ipaddress
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from test_flood import process_of


def context_of(system):
    return ssl.create_default_context(cafile=str(system.directory / "https-ca.pem"))


def connect(system, context=None):
    plain = socket.create_connection(system.https_address, timeout=60)
    return (context or context_of(system)).wrap_socket(plain, server_hostname="localhost")


def certificate_of(connection):
    return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


def served_serial(system):
    with connect(system) as one:
        return certificate_of(one).serial_number


def ask(connection, target=b"/livez"):
    """One request of a connection that goes on."""
    connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65536)
        assert part, "the connection was closed"
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        part = connection.recv(65536)
        assert part, "the connection was closed"
        body += part
    return int(head.split(b" ", 2)[1])


def state_files(system):
    """They are written when the certificate is served already, the one of them after the other."""
    deadline = time.monotonic() + 120
    while True:
        found = {path.suffix: path for path in (system.directory / "run").rglob("https.*")}
        if set(found) == {".key", ".crt"} and x509.load_pem_x509_certificate(found[".crt"].read_bytes()).serial_number == served_serial(system):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def hang_up(system):
    os.kill(int(process_of(system, "chancery-http")[0].name), signal.SIGHUP)


def wait_for_another(system, before):
    deadline = time.monotonic() + 120
    while (now := served_serial(system)) == before:
        assert time.monotonic() < deadline, "the certificate was not replaced"
        time.sleep(0.05)
    return now


def replace(system):
    """The operator's way: the files away, SIGHUP."""
    before = served_serial(system)
    for path in state_files(system).values():
        path.unlink(missing_ok=True)
    hang_up(system)
    return before, wait_for_another(system, before)


def test_a_new_certificate_is_served_and_open_connections_go_on(system):
    process = process_of(system, "chancery-http")[0]
    with connect(system) as old, connect(system) as half_sent:
        assert ask(old) == 200
        half_sent.sendall(b"GET /livez HTTP/1.1\r\nHost: loc")
        before, after = replace(system)
        assert before != after and certificate_of(old).serial_number == before
        assert ask(old) == 200
        half_sent.sendall(b"alhost\r\n\r\n")
        assert b" 200 OK\r\n" in half_sent.recv(4096)
        with connect(system) as new:
            assert certificate_of(new).serial_number == after
            assert ask(new) == 200 and ask(old) == 200
    assert process_of(system, "chancery-http")[0] == process


def test_no_request_fails_while_certificates_are_replaced(system):
    over, failures, rounds = threading.Event(), [], [0]

    def work():
        context = context_of(system)
        while not over.is_set():
            try:
                with connect(system, context) as one:
                    assert ask(one, b"/ca.crt") == 200
                rounds[0] += 1
            except Exception as failure:  # noqa: BLE001: told by the test
                failures.append(failure)
    thread = threading.Thread(target=work)
    thread.start()
    serials = set()
    for _ in range(10):
        serials.update(replace(system))
    over.set()
    thread.join()
    assert not failures and rounds[0] > 0 and len(serials) == 11


def test_the_certificate_that_is_there_is_kept(system):
    """SIGHUP alone, with the files in place, changes nothing: the log says so by saying nothing of a new one."""
    before, files = served_serial(system), {path: path.read_bytes() for path in state_files(system).values()}
    for _ in range(3):
        hang_up(system)
        assert served_serial(system) == before
    assert {path: path.read_bytes() for path in files} == files


@pytest.mark.parametrize("damage", ["another key", "garbage", "other names", "empty", "no key"])
def test_files_that_do_not_fit_are_replaced(system, damage, tmp_path):
    files = state_files(system)
    before = served_serial(system)
    other = tmp_path / "other"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{other}.key", "-out", f"{other}.crt",
                    "-subj", "/CN=other.example.com", "-addext", "subjectAltName=DNS:other.example.com", "-days", "1"], check=True, capture_output=True)
    if damage == "another key":
        files[".key"].write_bytes((tmp_path / "other.key").read_bytes())
    elif damage == "garbage":
        files[".crt"].write_bytes(b"\x00garbage")
    elif damage == "other names":
        files[".key"].write_bytes((tmp_path / "other.key").read_bytes())
        files[".crt"].write_bytes((tmp_path / "other.crt").read_bytes())
    elif damage == "empty":
        files[".crt"].write_bytes(b"")
    else:
        files[".key"].unlink()
    hang_up(system)
    wait_for_another(system, before)
    with connect(system) as one:  # checks name and chain
        assert ask(one) == 200


def test_a_certificate_of_another_ca_is_replaced(system, tmp_path):
    """Right names, right key, but signed by somebody else: a realm that was made anew."""
    files, before = state_files(system), served_serial(system)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "k", "-out", tmp_path / "c",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "1"], check=True, capture_output=True)
    files[".key"].write_bytes((tmp_path / "k").read_bytes())
    files[".crt"].write_bytes((tmp_path / "c").read_bytes())
    hang_up(system)
    deadline = time.monotonic() + 120
    while True:
        try:
            if served_serial(system) != before:
                break
        except ssl.SSLError:
            pass  # the foreign one, for a moment
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with connect(system) as one:
        assert ask(one) == 200


def certify_as_of(system, days_over, days_left):
    """A listener's certificate by the realm's own CA key that began some days ago, into the files. @return its serial number."""
    realm = system.realm("default").directory
    ca_key = serialization.load_pem_private_key((realm / "ca.key").read_bytes(), (realm / "passphrase").read_bytes().strip())
    ca = x509.load_pem_x509_certificate((realm / "ca.crt").read_bytes())
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.utcnow()
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])).issuer_name(ca.subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=days_over)).not_valid_after(now + datetime.timedelta(days=days_left))
                   .add_extension(x509.SubjectAlternativeName(names), False).sign(ca_key, hashes.SHA256()))
    files = state_files(system)
    files[".key"].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    files[".crt"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + ca.public_bytes(serialization.Encoding.PEM))
    return certificate.serial_number


def test_a_certificate_with_a_third_of_its_life_left_is_kept(system):
    made = certify_as_of(system, 39, 21)
    hang_up(system)
    deadline = time.monotonic() + 120
    while served_serial(system) != made:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for _ in range(20):
        assert served_serial(system) == made


@pytest.mark.parametrize("days_over,days_left", [(41, 19), (59, 1), (60, -1)], ids=["two thirds over", "last day", "expired"])
def test_a_certificate_that_is_due_is_renewed(system, days_over, days_left):
    before = served_serial(system)
    made = certify_as_of(system, days_over, days_left)
    hang_up(system)
    deadline = time.monotonic() + 120
    while True:
        with connect(system) as one:  # an expired one would not be taken here
            now = certificate_of(one)
            if now.serial_number not in (before, made):
                assert ask(one) == 200
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert now.not_valid_after > datetime.datetime.utcnow() + datetime.timedelta(days=30)
    while x509.load_pem_x509_certificate(state_files(system)[".crt"].read_bytes()).serial_number != now.serial_number:
        assert time.monotonic() < deadline  # it is written when it is served
        time.sleep(0.05)


# ----- what is spoken

def s_client(system, *options):
    host, port = system.https_address
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", str(system.directory / "https-ca.pem"), *options],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_D12_versions_before_1_2_are_refused(system, version):
    output = s_client(system, version, "-cipher", "ALL:@SECLEVEL=0")
    assert "Cipher is (NONE)" in output and "alert protocol version" in output, output


WEAK = ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "DHE-RSA-AES256-GCM-SHA384", "AECDH-AES128-SHA", "NULL-SHA256",
        "ECDHE-ECDSA-NULL-SHA", "PSK-AES128-GCM-SHA256", "ECDHE-ECDSA-CAMELLIA128-SHA256", "ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-ARIA128-GCM-SHA256"]


@pytest.mark.parametrize("cipher", WEAK)
def test_D12_weak_ciphers_are_refused(system, cipher):
    output = s_client(system, "-tls1_2", "-psk", "0102030405060708", "-cipher", cipher + ":@SECLEVEL=0")
    assert "Cipher is (NONE)" in output and "alert handshake failure" in output, output


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_D12_good_ciphers_are_taken(system, cipher):
    assert f"Cipher is {cipher}" in s_client(system, "-tls1_2", "-cipher", cipher)


def test_D12_a_session_is_resumed_by_the_same_certificate_only(system):
    """A ticket of before the replacement is no way around the new certificate."""
    context = context_of(system)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect(system, context) as first:
        assert ask(first) == 200
        session, before = first.session, certificate_of(first).serial_number
    replace(system)
    with context.wrap_socket(socket.create_connection(system.https_address, timeout=60), server_hostname="localhost", session=session) as again:
        assert not again.session_reused and certificate_of(again).serial_number != before
        assert ask(again) == 200


def test_D12_a_client_certificate_is_asked_for_and_a_strangers_harms_nobody(system, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "k", "-out", tmp_path / "c", "-subj", "/CN=x", "-days", "1"],
                   check=True, capture_output=True)
    words = s_client(system, "-cert", str(tmp_path / "c"), "-key", str(tmp_path / "k"))
    assert "Acceptable client certificate CA names" in words and "Verify return code: 0 (ok)" in words
    with connect(system) as one:
        assert ask(one) == 200
