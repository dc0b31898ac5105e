"""`chancery import pem-dir`, `step-ca` and `openxpki-export`: documented layouts, made by hand of what OpenSSL issued."""

import json
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from imports import OpensslCa, Target, openssl, serial_of
from test_upki_import import DAY, NOW


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    one = Target(tmp_path, realms=("one",))
    one.realms_directory.mkdir(exist_ok=True)
    yield one
    if one.process:
        one.end()


class TwoTiers:
    """A root, an intermediate CA below it, its certificates and its CRL."""

    def __init__(self, directory):
        self.root = OpensslCa(directory / "root", subject="/O=Old Co/CN=Old Root")
        self.ca = OpensslCa(directory / "ca")
        openssl("req", "-new", "-key", self.ca.key, "-subj", "/O=Old Co/CN=Old CA", "-out", directory / "ca.csr")
        openssl("ca", "-config", self.root.config, "-batch", "-in", directory / "ca.csr", "-out", self.ca.certificate, "-notext", "-extensions", "sub")
        for cn in ("good", "bad", "late"):
            self.ca.issue(cn)
        self.ca.revoke("bad", "-crl_reason", "keyCompromise")
        self.ca.make_crl()

    def file(self, cn):
        return self.ca.file(cn)

    def serial(self, cn):
        return self.ca.read(cn).serial_number


@pytest.fixture(scope="module")
def tiers(tmp_path_factory):
    return TwoTiers(tmp_path_factory.mktemp("tiers"))


def der(path, kind="x509"):
    done = openssl(kind, "-in", path, "-outform", "DER", "-out", str(path) + ".der")
    assert done.returncode == 0
    return (path.parent / (path.name + ".der")).read_bytes()


def put(path, content, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


# ----- pem-dir


@pytest.fixture
def heap(tiers, tmp_path):
    """Files under any names, at any depth, PEM and DER."""
    top = tmp_path / "heap"
    put(top / "a" / "b" / "c" / "secret.bin", tiers.ca.key.read_bytes(), 0o600)
    put(top / "roots.txt", b"The root:\n" + tiers.root.certificate.read_bytes())
    put(top / "z" / "ca", der(tiers.ca.certificate))
    put(top / "issued" / "bundle", tiers.file("good").read_bytes() + tiers.file("bad").read_bytes())
    put(top / "issued" / "late.cer", der(tiers.file("late")))
    put(top / "issued" / "good.key", (tiers.file("good").parent / "good.key").read_bytes(), 0o600)
    put(top / "list", der(tiers.ca.directory / "crl.pem", "crl"))
    put(top / "README", "what is in here")
    return top


def test_a_heap_of_files_becomes_a_realm_that_is_served(place, tiers, heap):
    report = place.bring("pem-dir", heap)
    counts = {name: report[name] for name in ("certificates", "lost", "revoked", "foreign", "keys", "keys_left")}
    assert counts == {"certificates": 3, "lost": 0, "revoked": 1, "foreign": 0, "keys": 0, "keys_left": 1}, report
    assert any('"README" is no certificate, CRL or key: passed over' in line for line in report["odd"])
    assert (place.realm("one") / "ca.crt").read_text().count("BEGIN CERTIFICATE") == 2  # the chain was found, too
    with place.serve(3) as talk:
        crl, reasons = place.reasons_on_crl(talk, 1)
        assert reasons == {tiers.serial("bad"): "keyCompromise"}
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > 10
        assert place.verify(tiers.file("good"), "-partial_chain").returncode == 0
        place.renew_and_revoke(talk, tiers.ca.read("good"))


def test_a_key_in_der_is_taken_and_guarded(place, tiers, heap):
    key = heap / "a" / "b" / "c" / "secret.bin"
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        secret = serialization.load_pem_private_key(tiers.ca.key.read_bytes(), None)
        put(key, secret.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption()), 0o644)
        place.refuses("pem-dir", heap, "0644")
        key.chmod(0o600)
        assert place.bring("pem-dir", heap, "--dry-run")["certificates"] == 3


def test_two_cas_in_one_heap_want_a_name(place, tiers, heap):
    put(heap / "root.key", tiers.root.key.read_bytes(), 0o600)
    done = place.refuses("pem-dir", heap, "found the keys of several CAs")
    assert "--ca-certificate" in done.stderr
    report = place.bring("pem-dir", heap, "--ca-certificate", heap / "roots.txt")
    assert report["subject"] == "/O=Old Co/CN=Old Root" and report["certificates"] == 1  # the intermediate CA
    assert report["foreign"] == 3
    assert place.bring("pem-dir", heap, "--ca-certificate", heap / "z" / "ca", "--dry-run", name="two")["certificates"] == 3


def test_what_is_no_ca_with_its_key_is_refused(place, tiers, heap, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    place.refuses("pem-dir", empty, "0 certificates of CAs and 0 keys")
    key = heap / "a" / "b" / "c" / "secret.bin"
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:sesame", "-out", tmp_path / "sealed")
    shutil.copy(tmp_path / "sealed", key)
    place.refuses("pem-dir", heap, "1 keys that no passphrase opens")
    put(tmp_path / "words", "sesame\n", 0o600)
    assert place.bring("pem-dir", heap, "--ca-passphrase-file", tmp_path / "words", "--dry-run")["certificates"] == 3
    key.unlink()
    place.refuses("pem-dir", heap, "expected one pair")
    key.symlink_to(tiers.ca.key)  # which is not followed
    place.refuses("pem-dir", heap, "expected one pair")


def test_links_out_of_the_heap_are_not_followed(place, tiers, heap, tmp_path):
    outside = put(tmp_path / "outside" / "other.pem", tiers.file("good").read_bytes())
    (heap / "issued" / "bundle").unlink()
    (heap / "out").symlink_to(outside.parent)
    (heap / "out.pem").symlink_to(outside)
    report = place.bring("pem-dir", heap)
    assert report["certificates"] == 1 and report["lost"] == 1  # of the one on the CRL the serial is known
    assert any('"out.pem" is a symbolic link' in line for line in report["odd"])


def test_a_crl_of_another_key_revokes_nothing(place, tiers, heap):
    other = OpensslCa(heap.parent / "other")  # the same name, another key
    for cn in ("x", "y", "z"):
        other.issue(cn)
    other.revoke("y")
    other.make_crl()
    put(heap / "list", (other.directory / "crl.pem").read_bytes())
    report = place.bring("pem-dir", heap)
    assert report["revoked"] == 0 and report["next_crl_number"] == 1
    assert any('"list" is no CRL of this CA' in line for line in report["odd"])


def crl_of(tiers, rows, delta=False):
    """(serial, reason, issuer or None) each."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(x509.load_pem_x509_certificate(tiers.ca.certificate.read_bytes()).subject)
    builder = builder.last_update(NOW - DAY).next_update(NOW + DAY).add_extension(x509.CRLNumber(77), False)
    if delta:
        builder = builder.add_extension(x509.DeltaCRLIndicator(70), True)
    for serial, reason, issuer in rows:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY).add_extension(x509.CRLReason(reason), False)
        if issuer:
            entry = entry.add_extension(x509.CertificateIssuer([x509.DirectoryName(issuer)]), True)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(serialization.load_pem_private_key(tiers.ca.key.read_bytes(), None), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_delta_crls_add_and_take_nothing_off(place, tiers, heap):
    put(heap / "delta.pem", crl_of(tiers, [(tiers.serial("good"), x509.ReasonFlags.superseded, None), (tiers.serial("bad"), x509.ReasonFlags.remove_from_crl, None)], True))
    report = place.bring("pem-dir", heap)
    assert (report["revoked"], report["next_crl_number"]) == (2, 78)
    assert any('"delta.pem" is a delta CRL' in line for line in report["odd"])
    with place.serve(3) as talk:
        assert place.reasons_on_crl(talk, 2)[1] == {tiers.serial("good"): "superseded", tiers.serial("bad"): "keyCompromise"}


def test_indirect_crls_revoke_nothing_of_other_issuers(place, tiers, heap):
    """An entry's issuer is that of those behind it, too (RFC 5280 5.3.3)."""
    other = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Other")])
    rows = [(tiers.serial("good"), x509.ReasonFlags.superseded, None), (4711, x509.ReasonFlags.superseded, other), (4712, x509.ReasonFlags.superseded, None)]
    put(heap / "indirect.pem", crl_of(tiers, rows))
    report = place.bring("pem-dir", heap)
    assert (report["revoked"], report["lost"]) == (2, 0), report
    assert any('"indirect.pem" names 2 certificates of other issuers' in line for line in report["odd"])


def test_a_file_too_large_to_be_one_is_refused(place, heap):
    with open(heap / "film", "wb") as film:
        film.truncate((64 << 20) + 1)
    place.refuses("pem-dir", heap, "film")


# ----- step-ca


@pytest.fixture
def step(tiers, tmp_path):
    top = tmp_path / "step"
    put(top / "certs" / "root_ca.crt", tiers.root.certificate.read_bytes())
    put(top / "certs" / "intermediate_ca.crt", tiers.ca.certificate.read_bytes())
    openssl("ec", "-in", tiers.ca.key, "-aes256", "-passout", "pass:sesame", "-out", tmp_path / "sealed")  # as step-ca does: the older form
    put(top / "secrets" / "intermediate_ca_key", (tmp_path / "sealed").read_bytes(), 0o600)
    (top / "db").mkdir()
    put(top / "db" / "000000.vlog", b"\0\1\2")
    put(top / "config" / "ca.json", json.dumps({
        "root": "/home/step/.step/certs/root_ca.crt", "crt": "/home/step/.step/certs/intermediate_ca.crt", "key": "/home/step/.step/secrets/intermediate_ca_key",
        "db": {"type": "badgerv2", "dataSource": "/home/step/.step/db"},
        "authority": {"provisioners": [{"type": "JWK", "name": "admin", "encryptedKey": "a.secret.of.theirs"}, {"type": "ACME", "name": "acme"},
                                       {"type": "Something", "name": "\u001bnew"}]}}))
    return top


@pytest.fixture
def words(tmp_path):
    return put(tmp_path / "words", "sesame\n", 0o600)


def test_a_step_ca_directory_becomes_a_realm(place, tiers, step, words):
    report = place.bring("step-ca", step, "--ca-passphrase-file", words)
    assert report["certificates"] == 0 and report["subject"] == "/O=Old Co/CN=Old CA"
    odd = "\n".join(report["odd"])
    for said in ('provisioner "admin" of type "JWK" would be here an identity', 'provisioner "acme" of type "ACME" would be here acme:',
                 'of type "Something" would be here nothing that is known', 'the database db of type "badgerv2" is not read', "--certificates"):
        assert said in odd, (said, odd)
    assert "\x1b" not in odd and "a.secret.of.theirs" not in odd
    assert b"a.secret.of.theirs" not in b"".join(path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file())
    assert (place.realm("one") / "ca.crt").read_text().count("BEGIN CERTIFICATE") == 2
    with place.serve(0) as talk:
        assert list(place.reasons_on_crl(talk, 0)[0]) == []


def test_certificates_of_a_step_ca_come_as_files(place, tiers, step, words, tmp_path):
    issued = tmp_path / "issued"
    for cn in ("good", "bad", "late"):
        put(issued / f"{cn}.crt", tiers.file(cn).read_bytes() + tiers.ca.certificate.read_bytes())  # as step writes them: with the chain
    put(issued / "crl", der(tiers.ca.directory / "crl.pem", "crl"))
    report = place.bring("step-ca", step, "--ca-passphrase-file", words, "--certificates", issued)
    assert (report["certificates"], report["revoked"], report["foreign"]) == (3, 1, 0), report
    with place.serve(3) as talk:
        assert place.reasons_on_crl(talk, 1)[1] == {tiers.serial("bad"): "keyCompromise"}
        place.renew_and_revoke(talk, tiers.ca.read("good"))


def test_what_is_wrong_with_a_step_ca_is_said(place, tiers, step, words, tmp_path):
    opens = ("--ca-passphrase-file", words)
    place.refuses("step-ca", step, "no passphrase is given")
    place.refuses("step-ca", step, "found no directory", *opens, "--certificates", tmp_path / "absent")
    config = step / "config" / "ca.json"
    good = json.loads(config.read_text())
    for changed, said in (({"key": "awskms:key-id=1234"}, "expected a file"), ({"crt": "certs/absent.crt"}, "found no "), ({"key": "secrets/absent"}, "found no ")):
        put(config, json.dumps({**good, **changed}))
        place.refuses("step-ca", step, said, *opens)
    for text, said in (("{", "ca.json"), ("[]", "expected an object")):
        put(config, text)
        place.refuses("step-ca", step, said, *opens)
    config.unlink()
    other = OpensslCa(tmp_path / "other")
    put(step / "certs" / "root_ca.crt", other.certificate.read_bytes())
    place.refuses("step-ca", step, "did not sign", *opens)
    (step / "certs" / "root_ca.crt").unlink()
    other.issue("stranger")
    put(tmp_path / "strange" / "one.crt", other.file("stranger").read_bytes())
    place.refuses("step-ca", step, "signed none of the", *opens, "--certificates", tmp_path / "strange")
    odd = place.bring("step-ca", step, *opens)["odd"]
    assert any("no config/ca.json" in line for line in odd)


# ----- openxpki-export


def row(certificate, **more):
    """One row of search_cert, as DBI gives it: numbers are texts."""
    return {"cert_key": str(certificate.serial_number), "subject": certificate.subject.rfc4514_string(), "issuer_dn": certificate.issuer.rfc4514_string(),
            "status": "ISSUED", "notbefore": str(int(certificate.not_valid_before.timestamp())), "notafter": str(int(certificate.not_valid_after.timestamp())),
            "identifier": "w7Mvm", "pki_realm": "democa", "data": certificate.public_bytes(serialization.Encoding.PEM).decode(), **more}


@pytest.fixture
def export(tiers, tmp_path):
    top = tmp_path / "export"
    put(top / "ca.key", tiers.ca.key.read_bytes(), 0o600)
    put(top / "ca.crt", tiers.ca.certificate.read_bytes() + tiers.root.certificate.read_bytes())
    rows = [row(tiers.ca.read("good")), row(tiers.ca.read("bad"), status="REVOKED", revocation_time="1767225600", reason_code="superseded"),
            row(tiers.ca.read("late"), status="CRL_ISSUANCE_PENDING", revocation_time="1767225600", reason_code="affiliationChanged"),
            row(x509.load_pem_x509_certificate(tiers.root.certificate.read_bytes())), row(x509.load_pem_x509_certificate(tiers.ca.certificate.read_bytes())),
            {"cert_key": "4711", "subject": "CN=gone,O=Old Co", "status": "REVOKED", "revocation_time": "1767225600", "reason_code": "unspecified",
             "notafter": "4070908800"}]
    put(top / "certificates.json", json.dumps(rows))
    return top


def test_an_export_of_openxpki_becomes_a_realm_that_is_served(place, tiers, export):
    report = place.bring("openxpki-export", export)
    counts = {name: report[name] for name in ("certificates", "lost", "revoked", "foreign")}
    assert counts == {"certificates": 3, "lost": 1, "revoked": 3, "foreign": 0}, report
    with place.serve(4) as talk:
        _, reasons = place.reasons_on_crl(talk, 3)
        assert reasons == {tiers.serial("bad"): "superseded", tiers.serial("late"): "affiliationChanged", 4711: "unspecified"}
        assert talk.result("certificate.get", serial="1267")["not_after"] == "2099-01-01T00:00:00Z"
        place.renew_and_revoke(talk, tiers.ca.read("good"))


def test_a_serial_of_a_row_that_is_the_cas_own_is_its_certificates(place, tiers, export):
    """The intermediate CA has serial 1 of its root, and gave serial 1 itself."""
    assert tiers.serial("good") == x509.load_pem_x509_certificate(tiers.ca.certificate.read_bytes()).serial_number
    rows = json.loads((export / "certificates.json").read_text())
    rows[0].update(status="REVOKED", revocation_time="1767225600", reason_code="keyCompromise")
    put(export / "certificates.json", json.dumps(rows))
    assert place.bring("openxpki-export", export)["revoked"] == 4


def test_rows_on_lines_and_a_crl_say_the_same(place, tiers, export):
    rows = json.loads((export / "certificates.json").read_text())
    put(export / "certificates.json", "".join(json.dumps(one) + "\n" for one in rows))
    put(export / "crl.pem", (tiers.ca.directory / "crl.pem").read_bytes())
    report = place.bring("openxpki-export", export)
    assert (report["certificates"], report["revoked"], report["next_crl_number"]) == (3, 3, 11)
    with place.serve(4) as talk:  # the worst that any of them says
        assert place.reasons_on_crl(talk, 3)[1][tiers.serial("bad")] == "keyCompromise"


def test_rows_of_others_revoke_nothing_here(place, tiers, export):
    other = OpensslCa(export.parent / "other", subject="/CN=Other")
    one = other.issue("one")
    rows = json.loads((export / "certificates.json").read_text())
    rows += [row(one, status="REVOKED", revocation_time="1767225600"),
             {"cert_key": "99", "issuer_dn": "CN=Other", "subject": "CN=two", "status": "REVOKED", "revocation_time": "1767225600"}]
    put(export / "certificates.json", json.dumps(rows))
    report = place.bring("openxpki-export", export)
    assert (report["foreign"], report["revoked"]) == (2, 3), report


@pytest.mark.parametrize("wrong, said", [
    ({"status": "LOST"}, 'row 1: found the status "lost"'),
    ({"revocation_time": "yesterday"}, 'found revocation_time "yesterday"'),
    ({"cert_key": "12345"}, "expected one serial"),
    ({"cert_key": None, "data": None}, "found neither data nor cert_key"),
    ({"data": None, "cert_key": "-7", "status": "REVOKED"}, "which no CRL of the realm can say"),
])
def test_rows_that_cannot_be_taken_are_refused(place, export, wrong, said):
    rows = json.loads((export / "certificates.json").read_text())
    put(export / "certificates.json", json.dumps([{**rows[0], **wrong}, *rows[1:]]))
    place.refuses("openxpki-export", export, said)


def test_an_export_that_lacks_something_is_refused(place, tiers, export):
    for name in ("ca.key", "ca.crt", "certificates.json"):
        kept = (export / name).read_bytes()
        (export / name).unlink()
        done = place.refuses("openxpki-export", export, f"{name}, expected")
        assert "doc/moving.md" in done.stderr
        put(export / name, kept, 0o600)
    for text, said in (("", "certificates.json"), ("nonsense", "certificates.json"), ("7", "expected an object"), ("[" * 100, "certificates.json")):
        put(export / "certificates.json", text)
        place.refuses("openxpki-export", export, said)
    put(export / "certificates.json", json.dumps([row(OpensslCa(export.parent / "other").issue("one"))]))
    place.refuses("openxpki-export", export, "signed none of the")


def test_kinds_are_told_and_others_refused(place, tmp_path):
    done = place.bring("ejbca", tmp_path, check=False)
    assert done.returncode != 0
    for kind in ("easy-rsa", "openssl-ca", "openxpki-export", "pem-dir", "step-ca", "upki"):
        assert place.bring(kind, tmp_path / "absent", check=False).returncode != 0
        assert place.bring(kind, tmp_path, name="../x", check=False).returncode != 0
        done = place.bring(kind, tmp_path, "--out", tmp_path / "out", check=False)
        assert done.returncode != 0
    assert place.leaves_nothing()
