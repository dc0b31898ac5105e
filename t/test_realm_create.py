"""`chancery realm create`: every kind of key, CAs of one's own, under an outside root and brought along; what it refuses."""

import os
import pathlib
import re
import subprocess

import pytest

from test_daemon import Daemon, issue
from test_master import BUILD

KEYS = ["ec:P-256", "ec:P-384", "rsa:3072", "rsa:4096", "ed25519"]


def openssl(*words, **how):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True, **how).stdout


class Place(Daemon):
    """A server whose realms the command line makes."""

    def add_realm(self, name, behave="ready"):
        """The tests add their own."""

    def create(self, name, *options, check=True, realms=None):
        done = subprocess.run([BUILD / "chancery", "realm", "create", name, "--realms-directory", realms or self.config.parent / "realms", *map(str, options)],
                              capture_output=True, text=True, env={**os.environ, "CHANCERY_PROGRAMS": str(BUILD)})
        assert done.returncode == 0 or not check, done
        return done

    def check(self):
        done = subprocess.run([BUILD / "chanceryd", "--check", "--config", self.config], capture_output=True, text=True)
        return done.returncode, done.stdout


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    one = Place(tmp_path)
    (one.config.parent / "realms").mkdir(exist_ok=True)
    yield one
    if one.process:
        one.end()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return path


def write(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def issued_file(place, tmp_path, realm="one", name="www.example.com"):
    with place.talk(realm) as talk:
        answer = issue(talk, name)
    return write(tmp_path / "leaf.pem", answer["certificate"]), write(tmp_path / "chain.pem", "".join(answer["chain"]))


@pytest.mark.parametrize("key", KEYS)
def test_B8_a_ca_of_every_kind_of_key(place, tmp_path, key):
    place.create("one", "--key", key)
    directory = place.realm("one")
    encrypted = (directory / "ca.key").read_text()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in encrypted
    structure = openssl("asn1parse", "-in", directory / "ca.key")
    assert "PBES2" in structure and "aes-256-cbc" in structure
    place.start()
    leaf, _ = issued_file(place, tmp_path)
    with place.talk("one") as talk:
        crl = write(tmp_path / "crl.pem", talk.result("crl.issue")["crl"])
    openssl("verify", "-x509_strict", "-crl_check", "-CAfile", directory / "ca.crt", "-CRLfile", crl, leaf)
    text = openssl("x509", "-in", leaf, "-noout", "-text")
    ca_text = openssl("x509", "-in", directory / "ca.crt", "-noout", "-text")
    own_id = re.search(r"X509v3 Subject Key Identifier: *\n *([0-9A-F:]+)", ca_text)[1]
    assert re.search(r"X509v3 Authority Key Identifier: *\n *(?:keyid:)?([0-9A-F:]+)", text)[1] == own_id
    assert {"ec:P-256": "NIST CURVE: P-256", "ec:P-384": "NIST CURVE: P-384", "rsa:3072": "(3072 bit)", "rsa:4096": "(4096 bit)",
            "ed25519": "ED25519"}[key] in ca_text


def test_B1_serials_are_long_and_random(place):
    place.create("one")
    place.start()
    with place.talk("one") as talk:
        serials = {issue(talk, "www.example.com")["serial"] for _ in range(20)}
    assert len(serials) == 20
    assert all(len(one) == 38 and 1 <= int(one[:2], 16) <= 0x7f for one in serials), serials


def test_addresses_of_crl_and_issuer_are_as_configured(place, tmp_path):
    place.realm("one").mkdir(parents=True)
    write(place.realm("one") / "ca.config.yml", """key_unencrypted: true
crl_urls: ["http://pki.example.com/one.crl"]
ca_issuer_urls: ["http://pki.example.com/one.crt"]
ocsp_urls: ["http://ocsp.example.com/"]
""")
    place.create("one", "--unencrypted")
    assert "BEGIN PRIVATE KEY" in (place.realm("one") / "ca.key").read_text()
    place.start()
    leaf, _ = issued_file(place, tmp_path)
    text = openssl("x509", "-in", leaf, "-noout", "-ext", "crlDistributionPoints,authorityInfoAccess")
    for url in ("http://pki.example.com/one.crl", "CA Issuers - URI:http://pki.example.com/one.crt", "OCSP - URI:http://ocsp.example.com/"):
        assert url in text, text


def test_C11_no_certificate_outlives_its_ca(place, tmp_path):
    place.create("one", "--days", 10)
    place.start()
    leaf, _ = issued_file(place, tmp_path)
    end = [openssl("x509", "-in", file, "-noout", "-enddate") for file in (leaf, place.realm("one") / "ca.crt")]
    assert end[0] == end[1]


def outside_root(tmp_path):
    """A root that somebody else runs."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "root.key", "-out",
            tmp_path / "root.crt", "-subj", "/O=Outside/CN=Root", "-days", "400", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return tmp_path / "root.crt"


CA_EXTENSIONS = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"


def sign(tmp_path, csr, extensions=CA_EXTENSIONS, days=300):
    """What the outside root makes of a request."""
    conf = write(tmp_path / "extensions", extensions)
    out = tmp_path / "signed.crt"
    openssl("x509", "-req", "-in", csr, "-CA", tmp_path / "root.crt", "-CAkey", tmp_path / "root.key", "-days", days, "-extfile", conf, "-out", out,
            "-CAcreateserial")
    return out


CONSTRAINTS = "nameConstraints=critical,permitted;DNS:corp.example,permitted;IP:192.0.2.0/255.255.255.0,excluded;DNS:secret.corp.example\n"


def test_an_outside_roots_name_constraints_hold(place, tmp_path):
    root = outside_root(tmp_path)
    place.create("one", "--request-only", "--subject", "/O=Company/CN=Issuing CA")
    place.start()
    with place.talk("one") as talk:
        signed = sign(tmp_path, place.realm("one") / "ca.csr", CA_EXTENSIONS + CONSTRAINTS).read_text()
        talk.result("ca.import", certificate=signed + root.read_text())
        for names in (["DNS:evil.com"], ["DNS:a.corp.example", "DNS:evil.com"], ["DNS:secret.corp.example"], ["IP:192.0.3.1"], ["DNS:evilcorp.example"]):
            shown = talk.result("certificate.preview", cn="a.corp.example", sans=names)
            assert not shown["allowed"] and [one["rule"] for one in shown["reasons"] if not one["passed"]] == ["name-constraints"], names
            assert talk.call("certificate.generate", cn="a.corp.example", sans=names, key="ec:P-256")["error"]["data"]["code"] == "policy_refused"
        answer = talk.result("certificate.generate", cn="a.corp.example", sans=["DNS:a.corp.example", "IP:192.0.2.7"], key="ec:P-256")
    leaf, chain = write(tmp_path / "leaf.pem", answer["certificate"]), write(tmp_path / "chain.pem", "".join(answer["chain"]))
    openssl("verify", "-CAfile", root, "-untrusted", chain, leaf)


def test_under_an_outside_root(place, tmp_path):
    root = outside_root(tmp_path)
    place.create("one", "--request-only", "--subject", "/O=Company/CN=Issuing CA")
    directory = place.realm("one")
    request = directory / "ca.csr"
    assert "Issuing CA" in openssl("req", "-in", request, "-noout", "-verify", "-subject")
    assert not (directory / "ca.crt").exists()
    place.start()
    with place.talk("one") as talk:
        assert talk.call("certificate.preview", cn="www.example.com")["error"]["data"]["code"] == "unavailable"
        signed = sign(tmp_path, request).read_text()
        refused = {
            "not a CA": sign(tmp_path, request, "basicConstraints=critical,CA:FALSE\n").read_text(),
            "another key": root.read_text(),
            "no certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        }
        for what, pem in refused.items():
            assert "error" in talk.call("ca.import", certificate=pem), what
        assert not (directory / "ca.crt").exists()
        talk.result("ca.import", certificate=signed + root.read_text())
    leaf, chain = issued_file(place, tmp_path)
    assert chain.read_text().count("BEGIN") == 2
    openssl("verify", "-CAfile", root, "-untrusted", chain, leaf)
    place.kill()
    place.log_file.unlink()
    place.start()
    leaf, chain = issued_file(place, tmp_path, name="again.example.com")
    openssl("verify", "-CAfile", root, "-untrusted", chain, leaf)


@pytest.fixture
def existing(tmp_path, secret):
    """A CA that another program made: its key, encrypted, and its certificate."""
    openssl("req", "-x509", "-newkey", "rsa:3072", "-keyout", tmp_path / "old.key", "-passout", f"file:{secret}", "-out", tmp_path / "old.crt",
            "-subj", "/O=Old/CN=Old CA", "-days", "400", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    (tmp_path / "old.key").chmod(0o600)
    return ["--import-key", tmp_path / "old.key", "--import-certificate", tmp_path / "old.crt", "--import-passphrase-file", secret]


def test_an_existing_ca_is_taken_over(place, tmp_path, existing):
    place.create("one", *existing)
    assert "BEGIN ENCRYPTED PRIVATE KEY" in (place.realm("one") / "ca.key").read_text()
    place.start()
    leaf, _ = issued_file(place, tmp_path)
    openssl("verify", "-CAfile", tmp_path / "old.crt", leaf)


def test_a_plain_key_is_taken_over(place, tmp_path):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", tmp_path / "old.key", "-out", tmp_path / "old.crt",
            "-subj", "/CN=Old CA", "-days", "400", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    (tmp_path / "old.key").chmod(0o600)
    place.create("one", "--import-key", tmp_path / "old.key", "--import-certificate", tmp_path / "old.crt")
    place.start()
    leaf, _ = issued_file(place, tmp_path)
    openssl("verify", "-CAfile", tmp_path / "old.crt", leaf)


def refusals(place, tmp_path, secret, existing):
    """Options, and what is said of them."""
    other = tmp_path / "other.crt"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "other.key", "-out", other, "-subj", "/CN=x",
            "-addext", "keyUsage=critical,digitalSignature")
    openssl("req", "-new", "-key", tmp_path / "old.key", "-passin", f"file:{secret}", "-out", tmp_path / "old.csr", "-subj", "/CN=x")
    (tmp_path / "other.key").chmod(0o600)
    outside_root(tmp_path)
    leaf = sign(tmp_path, tmp_path / "old.csr", "basicConstraints=critical,CA:FALSE\n")
    leaf = write(tmp_path / "leaf.crt", leaf.read_text())
    key, certificate = existing[1], existing[3]
    wrong, open_file = write(tmp_path / "wrong", "wrong\n"), write(tmp_path / "open", "correct horse\n", 0o644)
    empty = write(tmp_path / "empty", "")
    return [
        (["--import-key", key, "--import-certificate", other, "--import-passphrase-file", secret], "key"),
        (["--import-key", key, "--import-certificate", leaf, "--import-passphrase-file", secret], "CA"),
        (["--import-key", key, "--import-certificate", certificate, "--import-passphrase-file", wrong], "passphrase"),
        (["--import-key", key, "--import-certificate", certificate], "passphrase"),
        (["--import-key", key, "--import-certificate", certificate, "--import-passphrase-file", open_file], "0644"),
        (["--import-key", tmp_path / "other.key", "--import-certificate", other], "keyCertSign"),  # RFC 5280 4.2.1.3
        (["--import-key", key], "found one of --import-key and --import-certificate, expected both"),
        (["--import-key", key, "--import-certificate", tmp_path / "absent", "--import-passphrase-file", secret], "--import-certificate: open"),
        (["--import-key", key, "--import-certificate", certificate, "--import-passphrase-file", tmp_path / "absent"],
         "--import-passphrase-file: open"),
        (["--import-key", tmp_path / "absent", "--import-certificate", certificate], "absent"),
        (["--import-key", certificate, "--import-certificate", certificate], "old.crt"),
        (["--key", "rsa:1024"], 'RSA size "1024"'),
        (["--key", "ec:P-192"], "P-192"),
        (["--key", "dsa:2048"], "dsa"),
        (["--days", "0"], '--days: found "0", expected 1 to 36500'),
        (["--days", "x"], '--days: found "x", expected 1 to 36500'),
        (["--path-length", "-1"], '--path-length: found "-1", expected 0 to 100'),
        (["--path-length", "101"], '--path-length: found "101", expected 0 to 100'),
        (["--subject", "/CN"], '--subject: found "/CN", expected a DN like'),
        (["--subject", "Department"], '--subject: found "Department", expected a DN like'),
        (["--subject", ""], "--subject: found an empty text, expected DN"),
        (["--key", ""], "--key: found an empty text, expected KIND"),
        (["--key", "dsa"], "--key: key kind"),
        (["--credential", "a/b"], '--credential: found "a/b"'),
        (["--passphrase-file", ""], "--passphrase-file: found an empty text"),
        (["--passphrase-file", open_file], f"--passphrase-file: {open_file} has mode 0644"),
        (["--passphrase-file", empty], f"--passphrase-file: {empty} is empty"),
        (["--passphrase-file", tmp_path / "absent"], "--passphrase-file: open"),
        (["--passphrase-file", secret, "--unencrypted"], "more than one"),
        (["--request-only", "--self-signed"], "more than one"),
        (["--credential", "ca"], "LoadCredential"),
        (["--company", ""], "--company: found an empty text"),
        (["--company", "x\ty"], "company"),
        (["--domain", "not a domain"], "domain"),
    ]


def test_company_and_domain_are_written(place):
    made = place.create("one", "--company", 'Kitchen "&" Sons', "--domain", "kitchen.example")
    settings = (place.realm("one") / "ca.config.yml").read_text()
    assert 'company: "Kitchen \\"&\\" Sons"' in settings and 'domain: "kitchen.example"' in settings, settings
    assert "/O=Kitchen" in str(made.stdout), made


def test_company_and_domain_do_not_contradict_a_configuration(place):
    for number, (options, fits) in enumerate([(("--company", "Mine"), True), (("--company", "Other"), False), (("--domain", "other.example"), False)]):
        place.realm(f"r{number}").mkdir(parents=True)
        kept = write(place.realm(f"r{number}") / "ca.config.yml", "company: Mine\nkey_unencrypted: true\n", 0o640)
        done = place.create(f"r{number}", *options, check=False)
        assert (done.returncode == 0) == fits and (fits or "another company or domain" in done.stderr), done
        assert kept.read_text() == "company: Mine\nkey_unencrypted: true\n" and (place.realm(f"r{number}") / "ca.key").exists() == fits


def test_F12_what_is_refused_makes_no_ca(place, tmp_path, secret, existing):
    for number, (options, said) in enumerate(refusals(place, tmp_path, secret, existing)):
        done = place.create(f"r{number}", *options, check=False)
        assert done.returncode != 0 and said in done.stderr, (options, done)
        assert "ca.config.yml" not in done.stderr, (options, done)
        assert not place.realm(f"r{number}").exists(), options


@pytest.mark.parametrize("name", ["../x", "A", "-x", "x/y", "", "x" * 64, "\u00e9"])
def test_names_of_realms(place, name):
    done = place.create(name, check=False)
    assert done.returncode != 0 and done.stderr
    assert not list((place.config.parent / "realms").iterdir())


def test_an_existing_realm_is_left_alone(place):
    place.create("one")
    before = {path: path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file()}
    done = place.create("one", "--key", "rsa:4096", check=False)
    assert done.returncode != 0 and "has a CA" in done.stderr
    assert {path: path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file()} == before


def test_the_passphrase_may_be_a_credential_of_systemd(place, tmp_path, secret, monkeypatch):
    credentials = tmp_path / "credentials"
    credentials.mkdir(mode=0o700)
    write(credentials / "one-ca", "from systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    place.create("one", "--credential", "one-ca")
    openssl("pkey", "-in", place.realm("one") / "ca.key", "-passin", "pass:from systemd", "-noout")
    place.start()
    issued_file(place, tmp_path)
    front = [pid for pid in map(int, pathlib.Path(f"/proc/{place.process.pid}/task/{place.process.pid}/children").read_text().split())]
    signer = place.signer("one")
    assert signer in front
    place.kill()
    write(credentials / "one-ca", "another\n")
    status, said = place.check()
    assert status == 78 and "passphrase" in said, said


def test_F12_C26_check_finds_what_became_of_a_key(place, tmp_path, secret):
    place.create("one", "--passphrase-file", secret)
    place.create("two")
    place.create("three", "--unencrypted")
    other_key, other_certificate = (place.realm("three") / "ca.key").read_text(), (place.realm("three") / "ca.crt").read_text()
    subprocess.run(["rm", "-r", place.realm("three")], check=True)
    place.write_config()
    assert place.check()[0] == 0, place.check()
    key, certificate = place.realm("one") / "ca.key", place.realm("one") / "ca.crt"
    good_key, good_certificate = key.read_text(), certificate.read_text()
    faults = [
        (lambda: key.write_text((place.realm("two") / "ca.key").read_text()), "ca.key"),
        (lambda: key.write_text("nonsense"), "ca.key"),
        (lambda: key.unlink(), "ca.key"),
        (lambda: key.chmod(0o644), "0644"),
        (lambda: certificate.write_text((place.realm("two") / "ca.crt").read_text()), "ca.crt"),
        (lambda: write(key, other_key), "not encrypted"),
        (lambda: write(certificate, other_certificate), "ca.crt"),
        (lambda: certificate.write_text("nonsense"), "ca.crt"),
        (lambda: secret.write_text("wrong\n"), "passphrase"),
        (lambda: secret.chmod(0o640), "0640"),
    ]
    for fault, said in faults:
        fault()
        status, words = place.check()
        assert status == 78 and said in words, (said, words)
        write(key, good_key), write(certificate, good_certificate, 0o644), write(secret, "correct horse\n")
        assert place.check()[0] == 0, place.check()


# ----- help, and the directories above

def test_help_has_a_sentence_for_each_option():
    text = subprocess.run([BUILD / "chancery", "realm", "create", "--help"], check=True, capture_output=True, text=True).stdout
    signers = subprocess.run([BUILD / "chancery-signer", "--help"], check=True, capture_output=True, text=True).stdout
    for option in ("--key KIND", "--subject DN", "--days DAYS", "--path-length NUMBER", "--passphrase-file FILE", "--credential NAME", "--unencrypted",
                   "--self-signed", "--request-only", "--import-key FILE", "--import-certificate FILE", "--import-passphrase-file FILE",
                   "--signer-user USER", "--worker-user USER"):
        assert re.search(rf"^  {option}\s+\S+ \S+", text, re.M), (option, text)
        assert re.search(rf"^  {option}\s+\S+ \S+", signers, re.M), (option, signers)


def test_a_mistyped_realms_directory_is_not_made(place, tmp_path):
    done = place.create("one", realms=tmp_path / "nope" / "realms", check=False)
    assert done.returncode != 0 and f"--realms-directory {tmp_path}/nope/realms: found no directory {tmp_path}/nope" in done.stderr, done
    assert f"mkdir -p {tmp_path}/nope" in done.stderr and not (tmp_path / "nope").exists()
    (tmp_path / "file").write_text("")
    done = place.create("one", realms=tmp_path / "file", check=False)
    assert done.returncode != 0 and f"--realms-directory {tmp_path}/file: found no directory, expected one" in done.stderr, done


def test_a_missing_realms_directory_is_open_to_those_whose_realm_is_in_it(place, tmp_path):
    realms = tmp_path / "fresh"
    place.create("one", realms=realms)
    assert realms.stat().st_mode & 0o777 == 0o755 and (realms / "one").stat().st_mode & 0o777 == 0o700
    subprocess.run([BUILD / "chancery-signer", "create", "--realm", "two", "--directory", tmp_path / "deep" / "down" / "two"], check=True,
                   capture_output=True, umask=0o077)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "deep", tmp_path / "deep" / "down")} == {0o755}
