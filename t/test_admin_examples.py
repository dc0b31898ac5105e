"""What administrators do with ten lines of Perl: clients/perl/examples, as they would run it, against a running server."""

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


def csr_for(name):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def run(system):
    def call(script, *words, status=0):
        done = subprocess.run([*PERL, EXAMPLES / script, *map(str, words)], capture_output=True, text=True, timeout=60,
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
