"""`chancery import openssl-ca`: directories that `openssl ca` made become realms."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
from cryptography import x509

from imports import OpensslCa, Target, openssl, serial_of
from test_master import BUILD


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    one = Target(tmp_path, realms=("one",))
    one.realms_directory.mkdir(exist_ok=True)
    yield one
    if one.process:
        one.end()


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory):
    """Good, revoked for several reasons, expired, both, of a weak key, a sub-CA, and one whose file is gone."""
    ca = OpensslCa(tmp_path_factory.mktemp("filled") / "ca")
    for cn in ("good", "stolen", "held", "plain", "gone", "lost-and-revoked", "late"):
        ca.issue(cn)
    ca.issue("expired", "-startdate", "20240101000000Z", "-enddate", "20240201000000Z")
    ca.issue("weak", key=("rsa", "rsa_keygen_bits:1024"))
    ca.issue("sub", extensions="sub")
    ca.revoke("stolen", "-crl_compromise", "20260101000000Z")
    ca.revoke("held", "-crl_hold", "holdInstructionReject")
    ca.revoke("plain")
    ca.revoke("lost-and-revoked", "-crl_reason", "affiliationChanged")
    ca.revoke("expired", "-crl_reason", "superseded")
    ca.make_crl()
    ca.revoke("late", "-crl_reason", "cessationOfOperation")  # since its last CRL
    openssl("ca", "-config", ca.config, "-updatedb")
    for cn in ("gone", "lost-and-revoked"):
        (ca.directory / "newcerts" / f"{ca.read(cn).serial_number:02X}.pem").unlink()
    return ca


@pytest.fixture
def filled(filled_once, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(filled_once.directory.parent, tmp_path / "filled")
    copy = object.__new__(OpensslCa)
    copy.directory, copy.config = tmp_path / "filled" / "ca", tmp_path / "filled" / "ca.cnf"
    copy.config.write_text(copy.config.read_text().replace(str(filled_once.directory), str(copy.directory)))
    return copy


REVOKED = {"stolen": "keyCompromise", "held": "certificateHold", "plain": "unspecified", "lost-and-revoked": "affiliationChanged",
           "late": "cessationOfOperation", "expired": "superseded"}


def test_a_directory_of_openssl_ca_becomes_a_realm_that_is_served(place, filled):
    report = place.bring("openssl-ca", filled.directory)
    assert report["changed"] and report["kind"] == "openssl-ca" and report["subject"] == "/C=FR/O=Old Co/CN=Old CA"
    counts = {name: report[name] for name in ("certificates", "lost", "revoked", "expired", "weak", "foreign")}
    assert counts == {"certificates": 8, "lost": 2, "revoked": 6, "expired": 1, "weak": 1, "foreign": 0}, report
    assert report["next_crl_number"] == 11 and report["next_serial"] == "b"
    with place.serve(10) as talk:
        crl, reasons = place.reasons_on_crl(talk, 5)
        living = {cn: reason for cn, reason in REVOKED.items() if cn != "expired"}
        assert {serial: reason for serial, reason in reasons.items() if serial != filled.read("expired").serial_number} == \
            {filled.read(cn).serial_number: reason for cn, reason in living.items()}
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number >= 11
        assert place.verify(filled.file("good")).returncode == 0
        for cn in ("stolen", "late", "lost-and-revoked"):
            assert "revoked" in place.verify(filled.file(cn)).stderr, cn
        for cn, state in (("good", "valid"), ("gone", "valid"), ("weak", "valid"), ("sub", "valid"), ("held", "held"), ("stolen", "revoked"), ("expired", None)):
            got = talk.result("certificate.get", serial=serial_of(filled.read(cn)))
            assert state in (None, got["state"]), (cn, got)
            assert got["subject"] == f"/O=Old Co/CN={cn}" and ("certificate" in got) == (cn != "gone"), got
        assert talk.result("certificate.get", serial=serial_of(filled.read("sub")))["profile"] == "ca"
        for cn in ("gone", "weak", "sub"):  # whatever is not known of them, or wrong with them
            talk.result("certificate.revoke", serial=serial_of(filled.read(cn)), reason="superseded")
        place.renew_and_revoke(talk, filled.read("good"))


def test_what_was_odd_is_said(place, filled):
    odd = "\n".join(place.bring("openssl-ca", filled.directory)["odd"])
    for said in ('says "20260101000000Z" beside its reason keyCompromise', 'says "holdInstructionReject" beside its reason certificateHold',
                 f'serial {serial_of(filled.read("gone"))} of "/O=Old Co/CN=gone" is named in "index.txt" and its certificate is lost',
                 f'serial {serial_of(filled.read("late"))} is revoked in a database and was on no CRL', "has a weak key (RSA modulus of 1024 bits",
                 "server is guessed, by its purposes", "no profile is recorded of 1 certificates: ca is guessed"):
        assert said in odd, (said, odd)


def test_openssl_cnf_says_where_everything_is(place, tmp_path):
    """As the sample's ./demoCA, which is below where the program runs, with other names for all."""
    ca = OpensslCa(tmp_path / "demoCA")
    one = ca.issue("one")
    for old, new in (("index.txt", "base.db"), ("cacert.pem", "root.crt"), ("newcerts", "made"), ("private/cakey.pem", "private/root.key"),
                     ("crlnumber", "number-of-crl")):
        (ca.directory / old).rename(ca.directory / new)
    text = ca.config.read_text().replace(str(ca.directory), "./demoCA")
    for old, new in (("index.txt", "base.db"), ("cacert.pem", "root.crt"), ("newcerts", "made"), ("cakey.pem", "root.key"), ("$dir/crlnumber", "$dir/number-of-crl")):
        text = text.replace(old, new)
    ca.config.write_text(text)
    place.refuses("openssl-ca", ca.directory, "found no CA's")
    report = place.bring("openssl-ca", ca.directory, "--config", ca.config)
    assert report["layout"] == "openssl.cnf" and report["certificates"] == 1 and report["next_crl_number"] == 10
    assert "base.db" in [path.name for path in (place.realm("one") / "imported").iterdir()]
    with place.serve(1) as talk:
        place.renew_and_revoke(talk, one)


def test_an_intermediate_with_its_roots_serial_and_a_chain(place, tmp_path):
    """Root and intermediate both count from 1000, as guides have it: the CA's own serial is another's, and comes twice."""
    root = OpensslCa(tmp_path / "root", subject="/O=Old Co/CN=Old Root", serial="1000")
    ca = OpensslCa(tmp_path / "ca", serial="1000")
    request = tmp_path / "ca.csr"
    openssl("req", "-new", "-key", ca.key, "-subj", "/O=Old Co/CN=Old CA", "-out", request)
    openssl("ca", "-config", root.config, "-batch", "-in", request, "-out", ca.certificate, "-notext", "-extensions", "sub")
    one = ca.issue("one")
    assert one.serial_number == x509.load_pem_x509_certificate(ca.certificate.read_bytes()).serial_number == 0x1000
    place.refuses("openssl-ca", ca.directory, "chain is not signed by", "--chain", ca.file("one"))
    report = place.bring("openssl-ca", ca.directory, "--chain", root.certificate)
    assert report["certificates"] == 1
    assert (place.realm("one") / "ca.crt").read_text().count("BEGIN CERTIFICATE") == 2
    with place.serve(1) as talk:
        assert len(talk.result("certificate.get", serial="1000")["chain"]) == 2
        place.renew_and_revoke(talk, one)


def test_a_root_that_its_own_database_names(place, tmp_path):
    """`openssl ca -selfsign` gives the root a serial and a line of its own."""
    ca = OpensslCa(tmp_path / "ca")
    request = tmp_path / "ca.csr"
    openssl("req", "-new", "-key", ca.key, "-subj", "/O=Old Co/CN=Old CA", "-out", request)
    openssl("ca", "-config", ca.config, "-batch", "-selfsign", "-keyfile", ca.key, "-in", request, "-out", ca.certificate, "-notext", "-extensions", "sub")
    one = ca.issue("one")
    report = place.bring("openssl-ca", ca.directory)
    assert (report["certificates"], report["lost"]) == (1, 0), report
    with place.serve(1) as talk:
        place.renew_and_revoke(talk, one)


def test_an_encrypted_key_opens_with_its_passphrase(place, filled, tmp_path):
    for kind in (("pkcs8", "-topk8", "-v2", "aes-256-cbc"), ("ec", "-aes256")):
        plain = filled.key.read_bytes()
        openssl(*kind, "-in", filled.key, "-out", tmp_path / "sealed", "-passout", "pass:sesame")
        shutil.copy(tmp_path / "sealed", filled.key)
        filled.key.chmod(0o600)
        wrong, right = tmp_path / "wrong", tmp_path / "right"
        for path, text in ((wrong, "wrong\n"), (right, "sesame\n")):
            path.write_text(text)
            path.chmod(0o600)
        for said, *options in (("no passphrase is given",), ("does not open", "--ca-passphrase-file", wrong),
                               ("--ca-passphrase-file: open", "--ca-passphrase-file", tmp_path / "absent")):
            done = place.refuses("openssl-ca", filled.directory, said, *options)
            assert "--import" not in done.stderr and "whose first line opens the CA's key" in done.stderr, done
        assert place.bring("openssl-ca", filled.directory, "--ca-passphrase-file", right, "--dry-run")["dry_run"]
        filled.key.write_bytes(plain)


def test_a_rehearsal_says_the_same_and_leaves_nothing(place, filled):
    before = sorted(filled.directory.rglob("*"))
    rehearsed = place.bring("openssl-ca", filled.directory, "--dry-run")
    assert rehearsed.pop("dry_run") is True and rehearsed.pop("changed") is False
    assert place.leaves_nothing() and sorted(filled.directory.rglob("*")) == before
    place.realms_directory.rmdir()
    place.bring("openssl-ca", filled.directory, "--dry-run")
    assert not place.realms_directory.exists()
    report = place.bring("openssl-ca", filled.directory)
    assert report.pop("changed") is True and report == rehearsed


def test_a_second_run_changes_nothing_and_says_so(place, filled):
    first = place.bring("openssl-ca", filled.directory)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.realm("one").rglob("*") if path.is_file()}
    assert place.bring("openssl-ca", str(filled.directory) + "/") == {**first, "changed": False}
    filled.issue("later")
    done = place.bring("openssl-ca", filled.directory, check=False)
    assert done.returncode != 0 and "changed since" in done.stderr, done
    done = place.bring("pem-dir", filled.directory, check=False)
    assert done.returncode != 0 and "no import made it from pem-dir" in done.stderr, done
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.realm("one").rglob("*") if path.is_file()} == before


END = "20990101000000Z"


def spoilt(ca):
    """What is done to a good directory, and what is said then."""
    def is_of_another_key():
        openssl("genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", ca.key)
        ca.key.chmod(0o600)

    def is_of_another_ca():
        other = OpensslCa(ca.directory.parent / "other")
        shutil.copy(other.certificate, ca.certificate)
        shutil.copy(other.key, ca.key)

    def has_a_serial_twice():
        text = (ca.directory / "index.txt").read_text().splitlines()
        ca.line(*[*text[0].split("\t")[:5], "/CN=somebody else"])

    def has_a_certificate_twice():
        other = ca.directory.parent / "twin.cnf"
        other.write_text(ca.config.read_text().replace("$dir/index.txt", "$dir/twin.txt").replace("$dir/serial", "$dir/twin"))
        (ca.directory / "twin.txt").touch()
        (ca.directory / "twin").write_text(f"{ca.read('good').serial_number:02X}\n")
        openssl("ca", "-config", other, "-batch", "-in", ca.directory.parent / "good.csr", "-out", ca.directory.parent / "twin.pem", "-notext", "-subj", "/CN=twin",
                "-outdir", ca.directory.parent)
        (ca.directory / "certs").mkdir()
        shutil.copy(ca.directory.parent / "twin.pem", ca.directory / "certs" / "twin.pem")

    def with_index(*columns):
        return lambda: ca.line(*columns)

    def huge():
        with open(ca.directory / "index.txt", "ab") as index:
            index.truncate(300 << 20)

    def linked_index():
        (ca.directory / "index.txt").rename(ca.directory / "elsewhere")
        (ca.directory / "index.txt").symlink_to("elsewhere")

    def linked_key():
        ca.key.rename(ca.directory / "elsewhere")
        ca.key.symlink_to(ca.directory / "elsewhere")

    def big_number():
        (ca.directory / "crlnumber").write_text("F" * 40 + "\n")

    return {
        "another key": (is_of_another_key, "another key than ca.key"),
        "another CA": (is_of_another_ca, "signed none of the"),
        "an open key": (lambda: ca.key.chmod(0o644), "0644"),
        "a linked key": (linked_key, "cakey.pem"),
        "a linked index": (linked_index, "is no regular file"),
        "no key": (ca.key.unlink, "found no CA's key"),
        "no certificate": (ca.certificate.unlink, "found no CA's certificate"),
        "no index": ((ca.directory / "index.txt").unlink, "expected the CA's database"),
        "a leaf as CA": (lambda: shutil.copy(ca.file("good"), ca.certificate), "signed none of the"),
        "nonsense as CA": (lambda: ca.certificate.write_text("nonsense"), "cacert.pem"),
        "a serial twice": (has_a_serial_twice, "in another line, expected each once"),
        "two certificates of one serial": (has_a_certificate_twice, "and is another certificate"),
        "a torn line": (with_index("V", END, ""), "line 11: found 3 columns"),
        "a NUL": (with_index("V", END, "", "FF", "unknown", b"/CN=a\0b"), "line 11: found a NUL"),
        "an unknown state": (with_index("Q", END, "", "FF", "unknown", "/CN=a"), 'found the state "Q"'),
        "a revocation without a date": (with_index("R", END, "", "FF", "unknown", "/CN=a"), 'found the date ""'),
        "words of a terminal": (with_index("V", END, "", "\x1b[2J", "unknown", "/CN=a"), '\\x1b[2J'),
        "a revoked serial of 21 octets": (with_index("R", END, "260101000000Z", "7" * 42, "unknown", "/CN=long"), "which no CRL of the realm can say"),
        "a revoked negative serial": (with_index("R", END, "260101000000Z", "-01", "unknown", "/CN=negative"), "which no CRL of the realm can say"),
        "a huge index": (huge, "index.txt"),
        "a number of CRLs without room": (big_number, "leaves room for higher ones"),
        "nonsense as a number": (lambda: (ca.directory / "crlnumber").write_text("one\n"), "expected a hexadecimal number"),
    }


@pytest.mark.parametrize("name", ["another key", "another CA", "an open key", "a linked key", "a linked index", "no key", "no certificate", "no index", "a leaf as CA",
                                  "nonsense as CA", "a serial twice", "two certificates of one serial", "a torn line", "a NUL", "an unknown state",
                                  "a revocation without a date", "words of a terminal", "a revoked serial of 21 octets", "a revoked negative serial",
                                  "a huge index", "a number of CRLs without room", "nonsense as a number"])
def test_what_is_refused_leaves_nothing(place, filled, name):
    spoil, said = spoilt(filled)[name]
    spoil()
    done = place.refuses("openssl-ca", filled.directory, said)
    assert "\x1b" not in done.stderr and "\0" not in done.stderr


def test_serials_that_no_certificate_of_today_has_are_left_out_and_said(place, filled):
    filled.line("V", END, "", "7" * 42, "unknown", "/CN=long")
    filled.line("R", "240101000000Z", "230101000000Z", "-05", "unknown", "/CN=negative")
    report = place.bring("openssl-ca", filled.directory)
    odd = "\n".join(report["odd"])
    assert '"/CN=long") has a serial that is negative, zero or above 20 octets' in odd and '"/CN=negative") has a serial' in odd, odd
    assert report["lost"] == 2


def test_a_crl_whose_serials_no_crl_of_today_names_is_refused(place, filled):
    """The line is gone, and the CRL that was made of it is not."""
    good = (filled.directory / "index.txt").read_bytes()
    filled.line("R", END, "260101000000Z", "7" * 42, "unknown", "/CN=long")
    filled.make_crl()
    (filled.directory / "index.txt").write_bytes(good)
    place.refuses("openssl-ca", filled.directory, f"crl.pem revokes serial {'7' * 42} and 0 more")


def test_a_ca_without_a_key_usage_is_taken_and_said(place, tmp_path):
    """As `openssl req -x509` makes one with the configuration that comes with OpenSSL."""
    ca = OpensslCa(tmp_path / "ca")
    plain = tmp_path / "plain.cnf"
    plain.write_text("[req]\ndistinguished_name = dn\nx509_extensions = v3_ca\n[dn]\n[v3_ca]\nbasicConstraints = critical,CA:true\n")
    openssl("req", "-x509", "-config", plain, "-key", ca.key, "-out", ca.certificate, "-subj", "/O=Old Co/CN=Old CA", "-days", "400")
    one = ca.issue("one")
    assert any("has no key usage" in line for line in place.bring("openssl-ca", ca.directory)["odd"])
    with place.serve(1) as talk:
        place.renew_and_revoke(talk, one)
        assert place.reasons_on_crl(talk, 1)[1][one.serial_number] == "superseded"
        assert "revoked" in place.verify(ca.file("one")).stderr


def test_a_ca_that_issued_nothing_yet(place, tmp_path):
    """A file of the CAs above it in certs/ is no certificate of another CA's making."""
    ca = OpensslCa(tmp_path / "ca")
    root = OpensslCa(tmp_path / "root", subject="/CN=Root")
    (ca.directory / "certs").mkdir()
    shutil.copy(root.certificate, ca.directory / "certs" / "ca-chain.cert.pem")
    (ca.directory / "crlnumber").unlink()
    report = place.bring("openssl-ca", ca.directory)
    assert (report["certificates"], report["foreign"], report["next_crl_number"]) == (0, 1, 1)
    place.serve(0).__exit__()


def test_a_ca_that_changed_its_name_and_not_its_key(place, filled):
    openssl("req", "-x509", "-key", filled.key, "-out", filled.certificate, "-subj", "/CN=New name", "-days", "400", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    odd = place.bring("openssl-ca", filled.directory)["odd"]
    assert sum('names the issuer "/C=FR/O=Old Co/CN=Old CA"' in line for line in odd) == 8


def test_a_report_of_very_many_lines_is_a_report(place, filled):
    with open(filled.directory / "index.txt", "a", encoding="ascii") as index:
        for number in range(100_000):
            index.write(f"{'R' if number % 10 == 0 else 'V'}\t{END}\t{'260101000000Z,superseded' if number % 10 == 0 else ''}\t{0x100000 + number:X}\tunknown\t/CN={number}\n")
    report = place.bring("openssl-ca", filled.directory)
    assert report["lost"] == 100_002 and report["revoked"] == 10_006 and len(report["odd"]) == 10_001 < report["findings"]
    every = place.realm("one") / "imported" / "openssl-ca.txt"
    assert report["odd"][-1] == f"and {report['findings'] - 10_000} more: all are lines of {every}"
    assert len(every.read_text().splitlines()) == report["findings"]
    assert place.bring("openssl-ca", filled.directory) == {**report, "changed": False}


def test_words_in_the_index_are_only_shown(place, filled):
    """Neither a path nor a terminal's words do anything."""
    filled.line("V", END, "", "FE", "../../../../etc/passwd", "/CN=../../../outside")
    filled.line("R", END, "260101000000Z,no\x1bsuch", "FF", "unknown", "/CN=\x1b[2J")
    report = place.bring("openssl-ca", filled.directory)
    assert report["lost"] == 4 and "\x1b" not in json.dumps(report, ensure_ascii=False)
    assert any("unspecified is taken" in line for line in report["odd"])
    assert b"root:x:0" not in b"".join(path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file())
    with place.serve(12) as talk:
        assert talk.result("certificate.get", serial="ff")["state"] == "revoked"
        talk.result("certificate.revoke", serial="fe", reason="superseded")


def test_config_is_refused_where_it_says_too_little(place, filled, tmp_path):
    config = tmp_path / "other.cnf"
    for text, said in (("[ca]\n", "found no default_ca"), ("[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\n", "without database, certificate or private_key"),
                       ("[ca]\ndefault_ca = x\n[x]\ndir = $ENV::HOME\n", "of the environment"), ("nonsense", 'found "nonsense"')):
        config.write_text(text)
        done = place.refuses("openssl-ca", filled.directory, said, "--config", config)
        assert "--config" in done.stderr
    place.refuses("openssl-ca", filled.directory, "--config", "--config", tmp_path / "absent")
    for kind in ("easy-rsa", "pem-dir", "step-ca", "upki"):  # of others it is no option
        done = place.bring(kind, filled.directory, "--config", config, check=False)
        assert done.returncode != 0 and "--config" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to become somebody else")
def test_somebody_without_rights_takes_over_what_is_theirs(filled):
    with tempfile.TemporaryDirectory() as name:
        there = pathlib.Path(name)
        shutil.copytree(filled.directory, there / "ca")
        for program in ("chancery", "chancery-signer"):
            shutil.copy(BUILD / program, there / program)
        (there / "realms").mkdir()
        subprocess.run(["chown", "-R", "nobody:nogroup", there], check=True)
        words = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", there / "chancery", "--json", "import", "openssl-ca", there / "ca", "--name", "one",
                 "--realms-directory", there / "realms"]
        env = {"PATH": os.environ["PATH"], "CHANCERY_PROGRAMS": name}
        os.chown(there / "ca" / "crl.pem", 0, 0)
        (there / "ca" / "crl.pem").chmod(0o600)
        done = subprocess.run(words, capture_output=True, text=True, env=env)
        assert done.returncode != 0 and "crl.pem" in done.stderr and not list((there / "realms").iterdir()), done
        (there / "ca" / "crl.pem").chmod(0o644)
        done = subprocess.run(words, capture_output=True, text=True, env=env)
        assert done.returncode == 0 and json.loads(done.stdout)["revoked"] == 6, done
        assert {path.owner() for path in (there / "realms").rglob("*")} == {"nobody"}


def test_F1_a_crash_at_any_moment_leaves_no_half_realm(place, filled):
    words = [BUILD / "chancery-signer", "import-openssl-ca", "--realm", "one", "--directory", place.realm("one"), "--source", filled.directory]
    was_killed = 0
    for step in range(1, 60):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            process.wait(step * 0.005)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            was_killed += 1
        if place.realm("one").exists():  # then it is whole
            break
    assert was_killed > 0
    assert place.bring("openssl-ca", filled.directory)["certificates"] == 8
    assert sorted(path.name for path in place.realms_directory.iterdir() if not path.name.startswith(".")) == ["one"]
    place.serve(10).__exit__()
