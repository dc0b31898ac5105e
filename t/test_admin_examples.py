"""What administrators do with a few lines of Perl or C++: the examples of clients/perl and clients/lib as they would be run, against a running server."""

import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conftest import BUILD
from test_client_manuals import PERL, TOP

EXAMPLES = TOP / "clients" / "perl" / "examples"


def csr_for(name, key=None):
    """@param key  default a fresh one on P-256"""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    return builder.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def run(system):
    def call(script, *words, status=0):
        done = subprocess.run([*PERL, EXAMPLES / script, *map(str, words)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "CHANCERY_SOCKET": str(system.socket)})
        assert (done.returncode == 0) == (status == 0), done
        return done.stdout + done.stderr
    return call


@pytest.fixture
def program(system):
    """The same in C++."""
    def call(name, *words, status=0):
        done = subprocess.run([BUILD / f"{name}-example", *map(str, words)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "CHANCERY_SOCKET": str(system.socket)})
        assert (done.returncode == 0) == (status == 0), done
        return done.stdout + done.stderr
    return call


@pytest.fixture
def talk(system):
    one = system.realm("devices").talk()
    yield one
    one.close()


def issue(talk, name, **params):
    return talk.result("certificate.issue", csr=csr_for(name), **{"profile": "server", **params})["serial"]


def state(talk, serial):
    return talk.result("certificate.get", serial=serial)["state"]


def test_renew_what_expires(run, talk, tmp_path):
    short, long = issue(talk, "short.expiring.example.com", days=5), issue(talk, "long.expiring.example.com", days=50)
    said = run("renew-expiring.pl", "--days", 10, "--profile", "server", "devices", tmp_path)
    assert f"would renew {short}" in said and long not in said
    assert list(tmp_path.iterdir()) == []
    said = run("renew-expiring.pl", "--days", 10, "--profile", "server", "--apply", "devices", tmp_path)
    assert f"renewed {short} as " in said
    made = x509.load_pem_x509_certificate((tmp_path / f"{short}.pem").read_bytes())
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == ["short.expiring.example.com"]
    again = run("renew-expiring.pl", "--days", 10, "--profile", "server", "--apply", "devices", tmp_path)
    assert short not in again, "there is a newer one by now"


def test_renewals_that_were_not_written_are_not_issued_again(run, talk, tmp_path):
    serial = issue(talk, "lost.expiring.example.com", days=6)
    lost = talk.result("certificate.renew", serial=serial, idempotency_key=f"renew-expiring {serial}")["serial"]
    (tmp_path / f"{serial}.begun").touch()  # killed before it wrote
    said = run("renew-expiring.pl", "--days", 10, "--apply", "devices", tmp_path)
    assert f"renewed {serial} as {lost}" in said


def test_a_leaver_has_no_certificates(run, talk):
    first, second = issue(talk, "leaver-laptop.example.com"), issue(talk, "leaver-phone.example.com")
    other = issue(talk, "stays.example.com")
    said = run("revoke-leaver.pl", "devices", "leaver-")
    assert f"would revoke {first}" in said and f"would revoke {second}" in said and other not in said
    assert state(talk, first) == "valid"
    said = run("revoke-leaver.pl", "--apply", "devices", "leaver-")
    assert "2 certificates" in said
    assert [state(talk, one) for one in (first, second, other)] == ["revoked", "revoked", "valid"]
    assert talk.result("certificate.get", serial=first)["reason"] == "affiliationChanged"
    crl = x509.load_pem_x509_crl(talk.result("crl.get")["crl"].encode())
    assert crl.get_revoked_certificate_by_serial_number(int(first, 16)) is not None
    assert "0 certificates" in run("revoke-leaver.pl", "--apply", "devices", "leaver-")


@pytest.mark.parametrize("words, said", [(["devices"], "usage:"), (["--reason", "boredom", "--apply", "devices", "leaver2-"], "boredom"),
                                         (["nowhere", "x"], "nowhere")])
def test_a_leaver_is_named_rightly(run, talk, words, said):
    issue(talk, f"leaver2-{len(words)}.example.com")
    assert said in run("revoke-leaver.pl", *words, status=1)


def test_a_folder_of_requests(run, tmp_path):
    (tmp_path / "a.csr").write_text(csr_for("a.folder.example.com"))
    (tmp_path / "bad.csr").write_text("no request")
    (tmp_path / "reserved.csr").write_text(csr_for("localhost"))
    (tmp_path / "notes.txt").write_text("not mine")
    said = run("import-csrs.pl", "devices", tmp_path, status=1)
    assert "1 made, 2 refused" in said
    made = (tmp_path / "a.crt").read_text()
    assert made.count("BEGIN CERTIFICATE") == 2, "with its chain"
    assert "reserved" in (tmp_path / "reserved.err").read_text()
    assert (tmp_path / "bad.err").exists() and not (tmp_path / "bad.crt").exists()
    (tmp_path / "bad.csr").write_text(csr_for("late.folder.example.com"))
    (tmp_path / "reserved.csr").unlink()
    assert "1 made, 0 refused" in run("import-csrs.pl", "devices", tmp_path)
    assert not (tmp_path / "bad.err").exists()
    (tmp_path / "a.crt").unlink()  # lost: the same comes again
    assert "1 made, 0 refused" in run("import-csrs.pl", "devices", tmp_path)
    assert (tmp_path / "a.crt").read_text() == made


def test_a_folder_that_is_not_there(run, tmp_path):
    assert "No such file" in run("import-csrs.pl", "devices", tmp_path / "none", status=2)


# ----- C++

def test_a_program_renews_what_expires(program, talk, tmp_path):
    short, long = issue(talk, "short.program.example.com", days=5), issue(talk, "long.program.example.com", days=50)
    said = program("renew-expiring", "devices", 10, tmp_path)
    assert f"renewed {short} as " in said and long not in said
    assert (tmp_path / f"{short}.pem").read_text().count("BEGIN CERTIFICATE") == 2
    assert short not in program("renew-expiring", "devices", 10, tmp_path)


def test_a_program_revokes_a_leavers(program, talk):
    first, other = issue(talk, "cleaver-1.example.com"), issue(talk, "stays-too.example.com")
    assert f"would revoke {first}" in program("revoke-leaver", "devices", "cleaver-")
    assert state(talk, first) == "valid"
    assert "1 certificates" in program("revoke-leaver", "devices", "cleaver-", "apply")
    assert [state(talk, one) for one in (first, other)] == ["revoked", "valid"]


def test_a_program_has_a_folder_certified(program, tmp_path):
    (tmp_path / "a.csr").write_text(csr_for("a.program.example.com"))
    (tmp_path / "bad.csr").write_text("no request")
    program("import-csrs", "devices", "server", tmp_path, status=1)
    assert (tmp_path / "a.crt").exists() and (tmp_path / "bad.err").exists() and not (tmp_path / "bad.crt").exists()
    made = (tmp_path / "a.crt").read_text()
    (tmp_path / "a.crt").unlink()
    (tmp_path / "bad.csr").unlink()
    program("import-csrs", "devices", "server", tmp_path)
    assert (tmp_path / "a.crt").read_text() == made


@pytest.mark.parametrize("name, words", [("renew-expiring", ["devices", "soon", "/tmp"]), ("revoke-leaver", ["devices", "x", "aply"]),
                                         ("import-csrs", ["devices", "server", "/nowhere"]), ("import-csrs", ["nowhere", "server", "/"])])
def test_a_program_says_what_is_wrong(program, name, words):
    assert program(name, *words, status=1)
