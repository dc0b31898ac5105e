"""`chancery import upki`: data directories of uPKI's CA become realms; made by hand after UPKI.md 4.1, with the quirks listed there."""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from test_daemon import Daemon, wait_for
from test_master import BUILD

NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)


def make_name(**parts):
    oids = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "CN": NameOID.COMMON_NAME}
    return x509.Name([x509.NameAttribute(oids[key], value) for key, value in parts.items()])


def usage(**wanted):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
             "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})


def key_pem(key, password=None):
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def cert_pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Ca:
    """A uPKI root: RSA, no SKI, no AKI, and what it issues has neither (UPKI.md 3)."""

    def __init__(self, days=3650, began=NOW - DAY):
        self.key = rsa.generate_private_key(65537, 3072)
        self.name = make_name(C="FR", O="uPKI", OU="CA", CN="uPKI Root CA")
        self.certificate = self.issue(self.name, self.key.public_key(), ca=True, days=days, began=began)

    def issue(self, subject, key, sans=(), ca=False, days=60, serial=None, began=NOW - DAY, digest=hashes.SHA256()):
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key)
                   .serial_number(serial or x509.random_serial_number()).not_valid_before(began).not_valid_after(began + days * DAY)
                   .add_extension(x509.BasicConstraints(ca, None), True))
        if ca:
            builder = builder.add_extension(usage(key_cert_sign=True, crl_sign=True), True)
        else:
            builder = builder.add_extension(usage(digital_signature=True, key_encipherment=True), True)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in sans]), False)
        return builder.sign(self.key, digest)

    def crl(self, revoked, number=None, days=7):
        """(serial, reason or None) each; the same serial may come twice."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW - DAY).next_update(NOW + days * DAY)
        if number is not None:
            builder = builder.add_extension(x509.CRLNumber(number), False)
        for place, (serial, reason) in enumerate(revoked):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY + datetime.timedelta(hours=place))
            if reason:
                entry = entry.add_extension(x509.CRLReason(reason), False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256())


def hex_of(certificate):
    digits = f"{certificate.serial_number:x}"
    return digits.rjust(len(digits) + len(digits) % 2, "0")


def write(path, content, mode=0o600):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def tinydb(*records):
    return json.dumps({"_default": {str(place + 1): record for place, record in enumerate(records)}})


class Upki:
    """A data directory, the live CA beside it."""

    def __init__(self, directory, layout, ca=None):
        self.directory, self.layout = directory / "upki", layout
        self.home = directory / "home"
        self.ca_directory = {"newer": self.home / ".upki" / "ca", "documented": self.directory}.get(layout)
        self.ca = ca or Ca()
        self.directory.mkdir()
        self.home.mkdir(exist_ok=True)
        self.serials, self.nodes, self.keys, self.certificates = [], [], {}, {}
        if layout == "older":
            write(self.directory / "private" / "ca.key", key_pem(self.ca.key))
            write(self.directory / "certs" / "ca.crt", cert_pem(self.ca.certificate), 0o644)
        else:
            write(self.ca_directory / "ca.key", key_pem(self.ca.key))
            write(self.ca_directory / "ca.crt", cert_pem(self.ca.certificate), 0o644)
        self.settings("seed: a-shared-registration-seed\n")

    def settings(self, more=""):
        write(self.directory / "ca.config.yml", "company: Kitchen Inc\ndomain: kitchen.example\nhost: 127.0.0.1\nport: 5000\nclients: register\n"
              "password: null\nkey_type: rsa\nkey_length: 4096\ndigest: sha256\ncrl_validity: 5\n" + more, 0o644)

    def node(self, cn, with_key=False, record=True, key=None, **how):
        """One that it issued."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = self.ca.issue(make_name(C="FR", O="Company", OU="Servers", CN=cn), key.public_key(), sans=how.pop("sans", [cn]), **how)
        self.keys[cn], self.certificates[cn] = key, made
        self.place(cn.replace("/", "_"), made, key if with_key else None)
        if record:
            self.serials.append({"serial": made.serial_number, "dn": f"/C=FR/O=Company/OU=Servers/CN={cn}", "revoked": False, "revoke_reason": ""})
        return made

    def place(self, stem, made, key=None):
        certs, keys = (f"nodes/{stem}/cert.pem", f"nodes/{stem}/key.pem") if self.layout == "documented" else (f"certs/{stem}.crt", f"private/{stem}.key")
        write(self.directory / certs, cert_pem(made), 0o644)
        if key:
            write(self.directory / keys, key_pem(key))

    def finish(self, admins=(), crl=None, pem=False, nodes=True):
        names = {"newer": (".serials.json", ".nodes.json", ".admins.json"), "older": (".serials.json", ".nodes.json", ".admins.json"),
                 "documented": ("db/certs.json", "db/nodes.json", "db/admins.json")}[self.layout]
        write(self.directory / names[0], tinydb(*self.serials), 0o644)
        if nodes:
            write(self.directory / names[1], tinydb(*self.nodes), 0o644)
        write(self.directory / names[2], tinydb(*({"dn": dn} for dn in admins)), 0o644)
        if crl is not None:
            encoding = serialization.Encoding.PEM if pem else serialization.Encoding.DER
            place = "crl.pem" if self.layout == "documented" else "crls/ca.crl"
            write(self.directory / place, crl.public_bytes(encoding), 0o644)


class Place(Daemon):
    """A server whose realm comes from elsewhere."""

    def add_realm(self, name, behave="ready"):
        """The tests bring their own."""

    @property
    def realms_directory(self):
        return self.config.parent / "realms"

    def take_over(self, upki, *options, name="one", check=True, **how):
        done = subprocess.run([BUILD / "chancery", "--json", "import", "upki", upki.directory, "--name", name, "--realms-directory", self.realms_directory,
                               *map(str, options)], capture_output=True, text=True,
                              env={**os.environ, "CHANCERY_PROGRAMS": str(BUILD), "HOME": str(upki.home)}, **how)
        assert done.returncode == 0 or not check, done
        return json.loads(done.stdout) if check else done

    def leaves_nothing(self, name="one"):
        return not self.realm(name).exists() and not list(self.realms_directory.iterdir())

    def check(self):
        done = subprocess.run([BUILD / "chanceryd", "--check", "--config", self.config], capture_output=True, text=True)
        return done.returncode, done.stdout

    def started(self):
        self.start()
        return self.talk("one")


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    one = Place(tmp_path, realms=("one",))
    one.realms_directory.mkdir(exist_ok=True)
    yield one
    if one.process:
        one.end()


@pytest.fixture(scope="module")
def ca():
    return Ca()


def reconciled(talk, count):
    """The store has what the journal has: so many certificates."""
    def there():
        rows = talk.result("certificate.search", limit=1000)["certificates"]
        return rows if len(rows) >= count else None
    return {row["serial"]: row for row in wait_for(there, what=f"{count} certificates in the store")}


def crl_of(talk):
    return x509.load_pem_x509_crl(talk.result("crl.issue")["crl"].encode())


def filled(tmp_path, layout, ca, **finish):
    """What most tests begin with: a good one, a revoked one, one revoked twice, one whose file another one took, a user's."""
    upki = Upki(tmp_path, layout, ca)
    upki.node("good.kitchen.example", with_key=True)
    upki.node("bad.kitchen.example")
    upki.node("twice.kitchen.example")
    lost = upki.node("again.kitchen.example")
    upki.node("again.kitchen.example")
    ghost = x509.random_serial_number()  # on the CRL, and nobody knows more of it
    serial = {name: made.serial_number for name, made in upki.certificates.items()}
    upki.nodes.append({"dn": "/C=FR/O=Company/OU=Servers/CN=bad.kitchen.example", "cn": "bad.kitchen.example", "serial": serial["bad.kitchen.example"],
                       "state": "revoked", "revoked": True, "revoke_date": (NOW - DAY).isoformat() + ".958962+00:00", "revoke_reason": "keyCompromise"})
    crl = ca.crl([(serial["bad.kitchen.example"], None), (serial["twice.kitchen.example"], x509.ReasonFlags.superseded),
                  (serial["twice.kitchen.example"], x509.ReasonFlags.superseded), (ghost, x509.ReasonFlags.cessation_of_operation)])
    upki.finish(admins=["/C=FR/O=Company/OU=Admins/CN=adm", "CN=adm,OU=Admins,O=Company,C=FR", "/C=FR/O=Company/OU=Admins/CN=other", "nonsense"],
                crl=crl, **finish)
    return upki, lost, ghost


@pytest.mark.parametrize("layout", ["newer", "documented", "older"])
def test_a_data_directory_of_each_layout_becomes_a_realm_that_is_served(place, tmp_path, ca, layout):
    upki, lost, ghost = filled(tmp_path, layout, ca)
    report = place.take_over(upki)
    assert report["changed"] and report["layout"] == layout
    assert (report["certificates"], report["lost"], report["revoked"], report["admins"], report["keys"]) == (4, 2, 3, 2, 1), report
    place.write_config()
    status, said = place.check()
    assert status == 0, said
    with place.started() as talk:
        rows = reconciled(talk, 6)
        for made in [*upki.certificates.values(), lost]:
            assert hex_of(made) in rows
        got = talk.result("certificate.get", serial=hex_of(upki.certificates["good.kitchen.example"]))
        assert x509.load_pem_x509_certificate(got["certificate"].encode()) == upki.certificates["good.kitchen.example"]
        assert got["state"] == "valid" and got["profile"] == "server" and got["sans"] == ["DNS:good.kitchen.example"]
        assert got["chain"] == [cert_pem(ca.certificate).decode()]
        shown = talk.result("certificate.get", serial=hex_of(lost))
        assert "certificate" not in shown and shown["state"] == "valid" and shown["subject"].endswith("/CN=again.kitchen.example")
        wait_for(lambda: len(talk.result("admin.list")["admins"]) == 2, what="the administrators")
        assert talk.result("admin.list")["admins"] == ["/C=FR/O=Company/OU=Admins/CN=adm", "/C=FR/O=Company/OU=Admins/CN=other"]
        assert talk.result("node.get", cn="good.kitchen.example")["serial"] == hex_of(upki.certificates["good.kitchen.example"])
        wait_for(lambda: len(talk.result("certificate.search", state="revoked")["certificates"]) == 3, what="the revocations")
        entries = {entry.serial_number: entry for entry in crl_of(talk)}
        wanted = {upki.certificates["bad.kitchen.example"].serial_number, upki.certificates["twice.kitchen.example"].serial_number, ghost}
        assert set(entries) == wanted
        first = entries[upki.certificates["twice.kitchen.example"].serial_number]
        assert first.revocation_date == NOW - DAY + datetime.timedelta(hours=1)
        assert first.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.superseded
        reason = entries[upki.certificates["bad.kitchen.example"].serial_number].extensions.get_extension_for_class(x509.CRLReason).value.reason
        assert reason == x509.ReasonFlags.key_compromise  # the database knew it, the CRL did not
    assert (place.realm("one") / "nodes" / "good.kitchen.example" / "key.pem").read_bytes() == key_pem(upki.keys["good.kitchen.example"])
    assert "ENCRYPTED" in (place.realm("one") / "ca.key").read_text()


def test_what_was_odd_is_said(place, tmp_path, ca):
    upki, lost, ghost = filled(tmp_path, "newer", ca)
    stray = upki.node("stray.kitchen.example", record=False)
    upki.node("small.kitchen.example", key=rsa.generate_private_key(65537, 1024))
    upki.node("old.kitchen.example", digest=hashes.SHA1())
    (upki.directory / ".nodes.json").unlink()
    write(upki.directory / "crl.pem", ca.crl([(stray.serial_number, None)]).public_bytes(serialization.Encoding.DER))
    write(upki.directory / "certs" / "torn.crt", "-----BEGIN CERTIFICATE-----\nAAAA")
    write(upki.directory / "certs" / "foreign.crt", cert_pem(Ca().certificate))
    write(upki.directory / "private" / "orphan.key", key_pem(ec.generate_private_key(ec.SECP256R1())))
    write(upki.directory / "profiles" / "weak.yml", "keyType: rsa\nkeyLen: 1024\nduration: 30\n")
    write(upki.directory / "profiles" / "printer.yml", "keyType: rsa\nkeyLen: 2048\nduration: 30\nkeyUsage: [digitalSignature]\n"
          "extendedKeyUsage: [serverAuth]\ncertType: server\n")
    write(upki.directory / "reqs" / "good.csr", "a request")
    report = place.take_over(upki)
    odd = "\n".join(report["odd"])
    for said in ("no database of nodes", '"crls/ca.crl" names 1 revocations more than once', '"crl.pem" is DER under a name of PEM',
                 'administrator "/C=FR/O=Company/OU=Admins/CN=adm" twice', 'administrator "nonsense", which is no DN',
                 f'"certs/stray.kitchen.example.crt" has no record of its serial {hex_of(stray)}',
                 '"certs/torn.crt" holds no certificate that can be read', '"certs/foreign.crt" is not of this CA',
                 '"certs/small.kitchen.example.crt" has a weak key (RSA modulus of 1024 bits', "taken as history",
                 '"certs/old.kitchen.example.crt" has a form that is not issued any more',
                 '"private/orphan.key": no certificate is for that key', "profiles/weak.yml is not taken: weak.yml:1:1: ", "weak.yml:2:9: ",
                 f"serial {hex_of(lost)} of", "its certificate is lost", "ca.config.yml has host with", "ca.config.yml has key_length with"):
        assert said in odd, (said, odd)
    kept = sorted(path.name for path in (place.realm("one") / "imported").iterdir())
    for name in ("certs%2ftorn.crt", "certs%2fforeign.crt", "private%2forphan.key", "profiles%2fweak.yml", "reqs%2fgood.csr", "crl.pem", "upki.json",
                 "crls%2fca.crl", "%2eserials.json", "%2eadmins.json"):
        assert name in kept, (name, kept)
    assert report["profiles"] == 1
    place.write_config()
    with place.started() as talk:
        rows = reconciled(talk, 9)
        for name in ("small.kitchen.example", "old.kitchen.example"):  # shown, found and revocable, whatever they are
            serial = hex_of(upki.certificates[name])
            assert serial in rows
            shown = talk.result("certificate.get", serial=serial)["certificate"]
            assert x509.load_pem_x509_certificate(shown.encode()) == upki.certificates[name]
            talk.result("certificate.revoke", serial=serial, reason="superseded")
        assert "printer" in talk.result("profile.list")["profiles"]
        assert {upki.certificates[name].serial_number for name in ("small.kitchen.example", "old.kitchen.example")} <= \
            {entry.serial_number for entry in crl_of(talk)}


def web_certificate(ca, **subject):
    """With the usages of a web application, which are those of an RA, too."""
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(ca.certificate.subject, make_name(**subject), key.public_key(), x509.random_serial_number(), NOW - DAY, NOW + 60 * DAY)
    for extension, critical in ((x509.BasicConstraints(False, None), True), (usage(digital_signature=True, key_encipherment=True), True),
                                (x509.ExtendedKeyUsage(both), False)):
        builder = builder.add_extension(extension, critical)
    return builder.sign(ca.key, hashes.SHA256())


def test_a_guess_needs_usages_and_unit_and_is_said_and_makes_no_ra(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    wanted = {"shop": ("webapp", {"C": "FR", "O": "Company", "OU": "WebApps", "CN": "shop"}), "bare": ("server", {"CN": "bare"}),
              "last": ("webapp", {"CN": "last", "OU": "WebApps"}), "near": ("server", {"OU": "WebApps2", "CN": "near"}),
              "ra": ("server", {"C": "FR", "O": "uPKI", "OU": "RA", "CN": "ra"})}
    made = {name: web_certificate(ca, **subject) for name, (_, subject) in wanted.items()}
    for name, certificate in made.items():
        upki.place(name, certificate)
    recorded = upki.node("recorded.kitchen.example")
    upki.nodes.append({"dn": "/CN=recorded.kitchen.example", "cn": "recorded.kitchen.example", "serial": recorded.serial_number, "profile": "user",
                       "state": "issued"})
    upki.finish(crl=ca.crl([]))
    report = place.take_over(upki)
    for name, (profile, _) in wanted.items():
        line = next(line for line in report["odd"] if line.startswith(f"serial {hex_of(made[name])} ") and "no recorded profile" in line)
        assert f": {profile} is guessed, " in line and f'"certs/{name}.crt"' in line, line
    assert not any(f"serial {hex_of(recorded)} " in line and "is guessed" in line for line in report["odd"]), report
    place.write_config()
    with place.started() as talk:
        reconciled(talk, 6)
        for name, (profile, _) in wanted.items():
            assert talk.result("certificate.get", serial=hex_of(made[name]))["profile"] == profile
        assert talk.result("certificate.get", serial=hex_of(recorded))["profile"] == "user"


@pytest.mark.parametrize("layout,mode,said", [("newer", "register", True), ("documented", "manual", True), ("newer", "all", False), ("older", "register", False)])
def test_a_clients_mode_that_uPKI_never_enforced_is_said_first(place, tmp_path, ca, layout, mode, said):
    """The older generation did enforce it."""
    upki = Upki(tmp_path, layout, ca)
    write(upki.directory / "ca.config.yml", (upki.directory / "ca.config.yml").read_text().replace("clients: register", f"clients: {mode}"))
    upki.finish(crl=ca.crl([]))
    first = place.take_over(upki)["odd"][0]
    assert first.startswith(f"ca.config.yml has clients: {mode}, which uPKI wrote and never enforced") == said, first
    assert f'clients: "{mode}"' in (place.realm("one") / "ca.config.yml").read_text()
    if said:
        assert first.endswith(f"write clients: all into {place.realm('one') / 'ca.config.yml'}"), first


def test_a_name_too_long_for_a_file_is_taken(place, tmp_path, ca):
    """86 octets become more than 255 of percent signs and hex: the end of a file's name."""
    upki = Upki(tmp_path, "newer", ca)
    names = ["€" * 63 + end for end in "ab"]
    for cn in names:
        upki.node(cn, with_key=True, sans=["long.kitchen.example"])
    write(upki.directory / "reqs" / ("Ü" * 120 + ".csr"), "a request")
    upki.finish(crl=ca.crl([]))
    report = place.take_over(upki)
    assert report["keys"] == 2
    directories = sorted((place.realm("one") / "nodes").iterdir())
    assert len(directories) == 2 and all(len(path.name) <= 255 and "~" in path.name for path in directories)
    assert {(path / "key.pem").read_bytes() for path in directories} == {key_pem(upki.keys[cn]) for cn in names}
    assert [path.read_text() for path in (place.realm("one") / "imported").glob("reqs%2f*")] == ["a request"]
    place.write_config()
    with place.started() as talk:
        reconciled(talk, 2)
        assert talk.result("node.get", cn=names[0])["serial"] == hex_of(upki.certificates[names[0]])


def test_the_report_has_a_line_for_each_finding_and_ends_in_counts(place, tmp_path, ca):
    upki, *_ = filled(tmp_path, "newer", ca)
    done = subprocess.run([BUILD / "chancery", "import", "upki", upki.directory, "--name", "one", "--realms-directory", place.realms_directory],
                          capture_output=True, text=True, check=True, env={**os.environ, "CHANCERY_PROGRAMS": str(BUILD), "HOME": str(upki.home)})
    report = place.take_over(upki)
    lines = done.stdout.splitlines()
    at = lines.index("odd:")
    assert lines[at + 1:at + 1 + len(report["odd"])] == ["  " + line for line in report["odd"]]
    assert [line.split() for line in lines[at + 1 + len(report["odd"]):]] == \
        [[f"{name}:", str(report[name])] for name in ("certificates", "valid", "expired", "lost", "revoked", "foreign", "weak", "admins", "profiles", "keys", "keys_left", "findings")]
    assert report["findings"] == len(report["odd"])


def test_an_administrators_name_of_two_keys_is_left_out(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    upki.node("adm")
    upki.place("adm-2", ca.issue(make_name(C="FR", O="Company", OU="Servers", CN="adm"), ec.generate_private_key(ec.SECP256R1()).public_key()))
    upki.finish(admins=["/C=FR/O=Company/OU=Servers/CN=adm", "/CN=other"], crl=ca.crl([]))
    report = place.take_over(upki)
    assert report["admins"] == 1 and any("2 keys" in line for line in report["odd"])


def test_an_administrator_is_one_with_the_key_that_has_the_name(place, tmp_path, ca):
    """Whose file is missing has none until somebody says which."""
    upki = Upki(tmp_path, "newer", ca)
    one = upki.node("adm")
    upki.serials.append({"serial": 4711, "dn": "/CN=lost", "revoked": False, "revoke_reason": ""})
    upki.finish(admins=["/C=FR/O=Company/OU=Servers/CN=adm", "/CN=lost", "/CN=none"], crl=ca.crl([]))
    place.take_over(upki)
    place.write_config()
    with place.started() as talk:
        def administrators():
            return {row["dn"]: row for row in talk.result("admin.list")["administrators"]}
        wait_for(lambda: len(administrators()) == 3, what="the administrators")
        talk.result("realm.reconcile")
        spki = one.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        row = administrators()["/C=FR/O=Company/OU=Servers/CN=adm"]
        assert (row["keys"], row["serials"], row["others"]) == ([hashlib.sha256(spki).hexdigest()], [hex_of(one)], [])
        for dn in ("/CN=lost", "/CN=none"):
            assert administrators()[dn]["keys"] == [], dn
    assert "the key of certificate" in place.log_file.read_text()


def test_a_compromised_key_outweighs_a_hold(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    one = upki.node("held.kitchen.example")
    upki.finish(crl=ca.crl([(one.serial_number, x509.ReasonFlags.certificate_hold)], number=1))
    write(upki.directory / "crl.pem", ca.crl([(one.serial_number, x509.ReasonFlags.key_compromise)], number=2).public_bytes(serialization.Encoding.DER))
    place.take_over(upki)
    place.write_config()
    with place.started() as talk:
        reconciled(talk, 1)
        wait_for(lambda: talk.result("certificate.get", serial=hex_of(one))["state"] == "revoked", what="the revocation")


def test_two_files_of_one_profile_and_a_row_that_is_none(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    one = upki.node("row.kitchen.example")
    for name in ("server.yaml", "server.yml"):
        write(upki.directory / "profiles" / name, "duration: 30\n")
    upki.finish(crl=ca.crl([]))
    write(upki.directory / ".serials.json", json.dumps({"_default": {"1": {"serial": one.serial_number, "dn": "/CN=row.kitchen.example", "revoked": True,
                                                                           "revoke_reason": "superseded"}, "2": None}}))
    report = place.take_over(upki)
    assert report["profiles"] == 1 and report["revoked"] == 1
    assert [path.name for path in place.realms_directory.rglob("profiles/*")] == ["server.yml"]


def test_a_second_run_changes_nothing_and_says_so(place, tmp_path, ca):
    upki, *_ = filled(tmp_path, "newer", ca)
    first = place.take_over(upki)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.realm("one").rglob("*") if path.is_file()}
    second = place.take_over(upki)
    assert second == {**first, "changed": False}
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.realm("one").rglob("*") if path.is_file()} == before
    upki.node("later.kitchen.example")
    done = place.take_over(upki, check=False)
    assert done.returncode != 0 and "changed since" in done.stderr, done
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.realm("one").rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in place.realms_directory.iterdir()) == ["one"]


def test_imported_certificates_are_renewed_revoked_and_their_serials_stay_theirs(place, tmp_path, ca):
    upki, lost, _ = filled(tmp_path, "newer", ca)
    place.take_over(upki)
    place.write_config()
    with place.started() as talk:
        reconciled(talk, 6)
        good = upki.certificates["good.kitchen.example"]
        renewed = x509.load_pem_x509_certificate(talk.result("certificate.renew", serial=hex_of(good))["certificate"].encode())
        assert renewed.public_key().public_numbers() == good.public_key().public_numbers() and renewed.serial_number != good.serial_number
        assert renewed.issuer == good.issuer
        refused = talk.call("certificate.renew", serial=hex_of(lost))["error"]
        assert "only the serial is known" in refused["message"]
        talk.result("certificate.revoke", serial=hex_of(lost), reason="superseded")
        talk.result("certificate.revoke", serial=hex_of(good), reason="superseded")
        serials = {entry.serial_number for entry in crl_of(talk)}
        assert {lost.serial_number, good.serial_number} <= serials and renewed.serial_number not in serials
        repaired = talk.result("realm.repair")
        assert (repaired["missing"], repaired["states"], repaired["damaged"]) == ([], [], []), repaired
        assert talk.result("audit.verify")["whole"]
    assert ca.certificate.subject == renewed.issuer
    issued = write(tmp_path / "renewed.pem", cert_pem(renewed))
    subprocess.run(["openssl", "verify", "-CAfile", place.realm("one") / "ca.crt", issued], check=True, capture_output=True)


def test_a_store_that_is_lost_comes_back_from_the_journal(place, tmp_path, ca):
    upki, *_ = filled(tmp_path, "newer", ca)
    place.take_over(upki)
    place.write_config()
    with place.started() as talk:
        reconciled(talk, 6)
        wait_for(lambda: len(talk.result("admin.list")["admins"]) == 2, what="the administrators")
        talk.result("admin.remove", dn="/C=FR/O=Company/OU=Admins/CN=other")
    place.kill()
    place.log_file.unlink()
    for path in (place.realm("one") / "db").glob("realm.db*"):
        path.unlink()
    with place.started() as talk:
        reconciled(talk, 6)
        wait_for(lambda: len(talk.result("certificate.search", state="revoked")["certificates"]) == 3, what="the revocations")
        wait_for(lambda: talk.result("admin.list")["admins"] == ["/C=FR/O=Company/OU=Admins/CN=adm"], what="the one who was not removed")


def test_the_next_crl_has_a_higher_number(place, tmp_path, ca):
    upki = Upki(tmp_path, "documented", ca)
    bad = upki.node("bad.kitchen.example")
    upki.finish(crl=ca.crl([(bad.serial_number, None)], number=41), pem=True)
    place.take_over(upki)
    place.write_config()
    with place.started() as talk:
        reconciled(talk, 1)
        crl = crl_of(talk)
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > 41


def test_settings_are_taken_or_said_why_not(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    upki.settings("seed: the-seed-of-uPKI\nunknown_key: 1\n")
    text = (upki.directory / "ca.config.yml").read_text().replace("digest: sha256", "digest: md5").replace("password: null", "password: open-sesame")
    write(upki.directory / "ca.config.yml", text)
    upki.finish()
    report = place.take_over(upki)
    made = (place.realm("one") / "ca.config.yml").read_text()
    for line in ('company: "Kitchen Inc"', 'domain: "kitchen.example"', 'clients: "register"', "crl_validity: 5", 'seed_file: "db/seed"', 'key: "rsa:3072"'):
        assert line in made, made
    assert (place.realm("one") / "db" / "seed").read_text() == "the-seed-of-uPKI\n"
    assert (place.realm("one") / "db" / "seed").stat().st_mode & 0o777 == 0o600
    odd = "\n".join(report["odd"])
    for said in ('"unknown_key"', "digest", "ca.config.yml has password:", "ca.config.yml has port with"):
        assert said in odd, (said, odd)
    assert "open-sesame" not in odd and "the-seed-of-uPKI" not in odd
    everywhere = b"".join(path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file() and path.name != "seed")
    assert b"open-sesame" not in everywhere and b"the-seed-of-uPKI" not in everywhere


def test_a_short_seed_is_taken_and_said(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    upki.settings("seed: abc\n")
    upki.finish()
    report = place.take_over(upki)
    assert [one for one in report["odd"] if "has a seed of 3 characters, expected at least 16: it is taken" in one], report["odd"]
    assert (place.realm("one") / "db" / "seed").read_text() == "abc\n"
    place.write_config()
    status, said = place.check()
    assert status == 0 and "seed_file: warning: found a registration seed of 3 characters" in said, said


@pytest.mark.parametrize("word, allowed", [("True", True), ("yes", True), ("on", True), ("No", False), ("off", False)])
def test_profiles_are_read_as_pyyaml_reads_them(place, tmp_path, ca, word, allowed):
    upki = Upki(tmp_path, "newer", ca)
    write(upki.directory / "profiles" / "server.yml", f"keyType: rsa\nkeyLen: 2048\nduration: 11\naltnames: {word}\nsubject: {{C: FR, O: Kitchen, CN: ''}}\n"
          "keyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth]\ncertType: user\n", 0o644)
    upki.finish()
    report = place.take_over(upki)
    assert report["profiles"] == 1 and not [one for one in report["odd"] if "profiles/" in one], report
    place.write_config()
    with place.started() as talk:
        profile = talk.result("profile.get", profile="server")
    assert profile["profile"]["altnames"] is allowed, profile


def test_F34_names_are_never_paths(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    evil = ["../../../outside", "/abs/outside", ".hidden"]
    for cn in evil:
        upki.node(cn, with_key=True, sans=["x.kitchen.example"])
    upki.nodes.append({"dn": "/CN=../../dn", "cn": "../../x", "serial": x509.random_serial_number(), "state": "revoked", "revoked": True})
    upki.finish()
    report = place.take_over(upki)
    assert report["keys"] == 3
    names = {path.name for path in (place.realm("one") / "nodes").iterdir()}
    assert names == {"%2ehidden", "%2fabs%2foutside", "%2e.%2f..%2f..%2foutside"}
    assert sorted(path.name for path in place.realms_directory.iterdir()) == ["one"]
    assert not (tmp_path / "outside").exists()


def test_links_are_not_followed(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    upki.node("good.kitchen.example")
    secret = write(tmp_path / "secret", "what others may not have")
    (upki.directory / "reqs").mkdir()
    (upki.directory / "reqs" / "link.csr").symlink_to(secret)
    (upki.directory / "profiles").symlink_to(tmp_path)
    os.mkfifo(upki.directory / "certs" / "pipe.crt")
    upki.finish()
    report = place.take_over(upki, timeout=60)
    odd = "\n".join(report["odd"])
    assert '"reqs/link.csr" is a symbolic link' in odd and '"profiles" is no directory of its own' in odd and '"certs/pipe.crt" is no regular file' in odd
    everywhere = b"".join(path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file())
    assert b"what others may not have" not in everywhere


def test_an_encrypted_key_opens_with_its_passphrase(place, tmp_path, ca):
    upki = Upki(tmp_path, "newer", ca)
    upki.finish()
    write(upki.ca_directory / "ca.key", key_pem(ca.key, b"sesame"))
    wrong, right = write(tmp_path / "wrong", "wrong\n"), write(tmp_path / "right", "sesame\n")
    for options, said in (((), "passphrase"), (("--ca-passphrase-file", wrong), "does not open")):
        done = place.take_over(upki, *options, check=False)
        assert done.returncode != 0 and said in done.stderr, done
        assert place.leaves_nothing()
    place.take_over(upki, "--ca-passphrase-file", right, "--unencrypted")
    assert "BEGIN PRIVATE KEY" in (place.realm("one") / "ca.key").read_text()


def refusals(tmp_path, ca):
    """What is done to a good directory, and what is said then."""
    def another_key(upki):
        write(upki.ca_directory / "ca.key", key_pem(ec.generate_private_key(ec.SECP256R1())))

    def another_ca(upki):
        other = Ca()
        write(upki.ca_directory / "ca.key", key_pem(other.key))
        write(upki.ca_directory / "ca.crt", cert_pem(other.certificate))

    def open_key(upki):
        (upki.ca_directory / "ca.key").chmod(0o644)

    def no_ca(upki):
        (upki.ca_directory / "ca.crt").unlink()

    def torn_ca(upki):
        write(upki.ca_directory / "ca.crt", "nonsense")

    def leaf_as_ca(upki):
        write(upki.ca_directory / "ca.crt", cert_pem(upki.ca.issue(make_name(CN="x"), upki.ca.key.public_key())))

    def linked_key(upki):
        (upki.ca_directory / "ca.key").rename(tmp_path / "elsewhere.key")
        (upki.ca_directory / "ca.key").symlink_to(tmp_path / "elsewhere.key")

    return [(another_key, "another key than ca.key"), (another_ca, "signed none of the"), (open_key, "0644"), (no_ca, "found no CA's key"),
            (torn_ca, "ca.crt"), (leaf_as_ca, "no CA certificate"), (linked_key, "ca.key")]


@pytest.mark.parametrize("number", range(7))
def test_what_is_refused_leaves_nothing(place, tmp_path, ca, number):
    upki, *_ = filled(tmp_path, "newer", ca)
    spoil, said = refusals(tmp_path, ca)[number]
    spoil(upki)
    done = place.take_over(upki, check=False)
    assert done.returncode != 0 and said in done.stderr, (spoil, done)
    assert place.leaves_nothing(), list(place.realms_directory.iterdir())


def test_an_expired_ca_is_refused(place, tmp_path):
    upki = Upki(tmp_path, "newer", Ca(days=10, began=NOW - 20 * DAY))
    upki.finish()
    done = place.take_over(upki, check=False)
    assert done.returncode != 0 and "expired" in done.stderr and place.leaves_nothing(), done


def test_what_is_no_data_directory_is_refused(place, tmp_path, ca):
    upki, *_ = filled(tmp_path, "newer", ca)
    upki.directory = tmp_path / "absent"
    done = place.take_over(upki, check=False)
    assert done.returncode != 0 and "found no directory" in done.stderr
    upki.directory = write(tmp_path / "file", "")
    assert "found no directory" in place.take_over(upki, check=False).stderr
    for name in ("../x", "A", "", "x/y"):
        assert place.take_over(upki, name=name, check=False).returncode != 0
    assert place.leaves_nothing()


def test_a_realm_that_is_there_is_not_touched(place, tmp_path, ca):
    upki, *_ = filled(tmp_path, "newer", ca)
    kept = write(place.realm("one") / "ca.config.yml", "company: Mine\n")
    done = place.take_over(upki, check=False)
    assert done.returncode != 0 and "no import made it" in done.stderr, done
    assert kept.read_text() == "company: Mine\n" and sorted(path.name for path in place.realm("one").iterdir()) == ["ca.config.yml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root reads everything, so it takes another user to be refused")
def test_a_file_that_cannot_be_read_ends_it(tmp_path, ca):
    upki, *_ = filled(tmp_path, "documented", ca)
    with tempfile.TemporaryDirectory() as name:
        there = pathlib.Path(name)
        shutil.copytree(upki.directory, there / "upki")
        for program in ("chancery", "chancery-signer"):
            shutil.copy(BUILD / program, there / program)
        (there / "realms").mkdir()
        subprocess.run(["chown", "-R", "nobody:nogroup", there], check=True)
        os.chown(there / "upki" / "db" / "nodes.json", 0, 0)
        (there / "upki" / "db" / "nodes.json").chmod(0o600)
        done = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", there / "chancery", "import", "upki", there / "upki",
                               "--name", "one", "--realms-directory", there / "realms"], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "CHANCERY_PROGRAMS": name})
        assert done.returncode != 0 and "nodes.json" in done.stderr, done
        assert not list((there / "realms").iterdir())


def test_F1_a_crash_at_any_moment_leaves_no_half_realm(place, tmp_path, ca):
    upki, *_ = filled(tmp_path, "newer", ca)
    words = [BUILD / "chancery-signer", "import-upki", "--realm", "one", "--directory", place.realm("one"), "--source", upki.directory,
             "--ca-directory", upki.ca_directory]
    whole = None
    for step in range(1, 40):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            process.wait(step * 0.02)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if place.realm("one").exists():  # then it is whole
            whole = step
            break
    second = place.take_over(upki, "--ca-directory", upki.ca_directory)
    assert second["certificates"] == 4 and second["changed"] == (whole is None)
    assert sorted(path.name for path in place.realms_directory.iterdir() if not path.name.startswith(".")) == ["one"]
    place.write_config()
    assert place.check()[0] == 0, place.check()
    with place.started() as talk:
        reconciled(talk, 6)


def test_two_at_once_make_one_realm(place, tmp_path, ca):
    upki, *_ = filled(tmp_path, "newer", ca)
    words = [BUILD / "chancery-signer", "import-upki", "--realm", "one", "--directory", place.realm("one"), "--source", upki.directory,
             "--ca-directory", upki.ca_directory]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert 0 in [process.returncode for process in both], said
    for process, (_, complaint) in zip(both, said):
        assert process.returncode == 0 or "being made by another process" in complaint or "is there already" in complaint, complaint
    assert place.take_over(upki, "--ca-directory", upki.ca_directory)["changed"] is False
