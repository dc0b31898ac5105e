"""`chancery import easy-rsa`: what Debian's easy-rsa made becomes a realm."""

import os
import pathlib
import shutil
import subprocess

import pytest
from cryptography import x509

from imports import Target, openssl, serial_of

EASY_RSA = pathlib.Path("/usr/share/easy-rsa")
REVOKED = {"phone": "keyCompromise", "laptop": "cessationOfOperation"}
ALGORITHMS = {"rsa": {"EASYRSA_ALGO": "rsa"}, "ec": {"EASYRSA_ALGO": "ec", "EASYRSA_CURVE": "prime256v1"}}


class EasyRsa:
    """A directory with pki in it."""

    def __init__(self, directory, algorithm):
        self.directory, self.pki = directory, directory / "pki"
        self.environment = {**os.environ, "EASYRSA_BATCH": "1", "EASYRSA_PKI": str(self.pki), **ALGORITHMS[algorithm]}
        shutil.copytree(EASY_RSA, directory)
        self.run("init-pki")
        self.run("build-ca", "nopass", EASYRSA_REQ_CN="Easy CA")
        self.run("build-server-full", "www.example.com", "nopass")
        for cn in ("phone", "laptop", "tablet"):
            self.run("build-client-full", cn, "nopass")
        self.certificates = {cn: self.read(cn) for cn in ("www.example.com", "phone", "laptop", "tablet")}
        for cn, reason in REVOKED.items():
            self.run("revoke", cn, reason)
        self.run("gen-crl")

    def run(self, *words, **environment):
        done = subprocess.run(["./easyrsa", *words], cwd=self.directory, env={**self.environment, **environment}, capture_output=True, text=True)
        assert done.returncode == 0, done

    def read(self, cn):
        return x509.load_pem_x509_certificate((self.pki / "issued" / f"{cn}.crt").read_bytes())


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    one = Target(tmp_path, realms=("one",))
    one.realms_directory.mkdir(exist_ok=True)
    yield one
    if one.process:
        one.end()


@pytest.fixture(scope="module", params=ALGORITHMS)
def made(request, tmp_path_factory):
    return EasyRsa(tmp_path_factory.mktemp("easy") / "rsa", request.param)


@pytest.fixture
def pki(made, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(made.directory, tmp_path / "easy", symlinks=True)
    return tmp_path / "easy" / "pki"


def test_what_easy_rsa_made_becomes_a_realm_that_is_served(place, made, pki):
    report = place.bring("easy-rsa", pki)
    counts = {name: report[name] for name in ("certificates", "lost", "revoked", "keys", "keys_left")}
    assert counts == {"certificates": 4, "lost": 0, "revoked": 2, "keys": 0, "keys_left": 2}, report
    assert any("2 keys of certificates" in line and "stay where they are" in line for line in report["odd"]), report
    secrets = {path.read_bytes() for path in (pki / "private").glob("*.key")}
    assert len(secrets) == 3 and not secrets & {path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file()}
    with place.serve(4) as talk:
        _, reasons = place.reasons_on_crl(talk, 2)
        assert reasons == {made.certificates[cn].serial_number: reason for cn, reason in REVOKED.items()}
        assert place.verify(pki / "issued" / "www.example.com.crt").returncode == 0
        assert "revoked" in place.verify(next((pki / "revoked").rglob("*.crt"))).stderr
        for cn, profile in (("www.example.com", "server"), ("tablet", "user")):
            assert talk.result("certificate.get", serial=serial_of(made.certificates[cn]))["profile"] == profile
        place.renew_and_revoke(talk, made.certificates["www.example.com"])


def test_the_directory_above_is_the_same_source(place, pki):
    first = place.bring("easy-rsa", pki.parent)
    assert place.bring("easy-rsa", pki) == {**first, "changed": False}


def test_a_certificate_of_another_generation_is_kept_and_not_taken(place, made, pki, tmp_path):
    """After `build-ca` anew, issued/ still has what the older key signed."""
    other = tmp_path / "other.crt"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-out", other, "-subj", "/CN=Easy CA")
    shutil.copy(other, pki / "issued" / "older.crt")
    report = place.bring("easy-rsa", pki)
    assert report["foreign"] == 1 and report["certificates"] == 4
    assert any('"issued/older.crt" is not of this CA' in line for line in report["odd"])
    assert (place.realm("one") / "imported" / "issued%2folder.crt").read_bytes() == other.read_bytes()


def spoil(pki, name):
    if name == "no CA":
        (pki / "ca.crt").unlink()
    if name == "no key":  # of a sub-CA that waits for its certificate, or a CA whose key is kept elsewhere
        (pki / "private" / "ca.key").unlink()
    if name == "no index":
        (pki / "index.txt").unlink()
    if name == "another CA":
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pki / "private" / "ca.key", "-out", pki / "ca.crt",
                "-subj", "/CN=Easy CA")
        (pki / "private" / "ca.key").chmod(0o600)
    if name == "a key of somebody else's":
        shutil.copy(pki / "private" / "tablet.key", pki / "private" / "ca.key")
        (pki / "private" / "ca.key").chmod(0o600)
    if name == "easy-rsa 2":
        (pki / "keys").mkdir()
        (pki / "index.txt").rename(pki / "keys" / "index.txt")
    if name == "an encrypted key":
        openssl("pkey", "-in", pki / "private" / "ca.key", "-aes256", "-passout", "pass:sesame", "-out", pki / "sealed")
        shutil.copy(pki / "sealed", pki / "private" / "ca.key")


@pytest.mark.parametrize("name, said", [("no CA", "found no CA's certificate"), ("no key", "found no CA's key"), ("no index", "expected the CA's database"),
                                        ("another CA", "signed none of the"), ("a key of somebody else's", "another key than ca.key"),
                                        ("easy-rsa 2", "layout of easy-rsa 2"), ("an encrypted key", "no passphrase is given")])
def test_what_is_refused_leaves_nothing(place, pki, name, said):
    spoil(pki, name)
    place.refuses("easy-rsa", pki, said)


def test_what_is_no_directory_is_refused(place, tmp_path):
    (tmp_path / "file").touch()
    for source in (tmp_path / "absent", tmp_path / "file"):
        place.refuses("easy-rsa", source, "found no directory")
