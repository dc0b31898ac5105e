"""Ceremonies whose realms have further CAs and services (doc/ceremony.md): each is made below the one root, taken over, and refused when a plan
or what it made is not what people saw."""

import datetime
import hashlib
import json
import pathlib
import re
import shutil
import subprocess

import pytest
from cryptography import x509

from conftest import BUILD, killed_at
from test_ceremony import answer, hold, say, take
from test_daemon import Daemon, request_for
from test_master import wait_for
from test_rollover import gnutls_accepts, openssl_accepts

PASSPHRASE = "correct horse battery staple"


def plan_text(place):
    return f"""title: Root and two realms of Example Ltd
directory: {place}/held
people: ["Alice Archer, administrator"]
root:
  realm: top
  subject: /O=Example Ltd/CN=Example Root
  key: ec:P-384
  days: 7300
  path_length: 2
  unencrypted: true
  crl_urls: ["http://pki.example.com/realms/top/crl"]
issuing:
  - realm: default
    subject: /O=Example Ltd/CN=Example Issuing
    key: ec:P-256
    days: 1825
    path_length: 0
    passphrase_file: {place}/words
    crl_urls: ["http://pki.example.com/realms/default/cas/{{ca}}/crl"]
    cas:
      devices:
        issuer: policy
        subject: /O=Example Ltd/CN=Example Devices
        days: 365
        path_length: 0
      policy:
        purpose: root
        subject: /O=Example Ltd/CN=Example Policy
        key: ec:P-384
        days: 1000
        path_length: 1
      tls:
        subject: /O=Example Ltd/CN=Example TLS
        key: rsa:2048
        days: 730
        path_length: 0
        profiles: [server]
      va:
        purpose: ocsp
        issuer: tls
        validity: 20d
  - realm: other
    subject: /O=Example Ltd/CN=Example Other
    days: 900
    path_length: 0
    shares: 3
    threshold: 2
    cas:
      mail:
        subject: /O=Example Ltd/CN=Example Mail
        key: ec:P-256
        days: 800
        path_length: 0
      va:
        purpose: ocsp
"""


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "plan.yml").write_text(plan_text(tmp_path))
    (tmp_path / "words").write_text(PASSPHRASE + "\n")
    (tmp_path / "words").chmod(0o600)
    return tmp_path


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """One ceremony for who only reads, and its answer."""
    place = tmp_path_factory.mktemp("ceremony")
    place.chmod(0o755)
    (place / "plan.yml").write_text(plan_text(place))
    (place / "words").write_text(PASSPHRASE + "\n")
    (place / "words").chmod(0o600)
    return place, answer(hold(place))


def certificates(file):
    end = "-----END CERTIFICATE-----\n"
    return [x509.load_pem_x509_certificate((text + end).encode()) for text in pathlib.Path(file).read_text().split(end) if text.strip()]


def directory_of(held, ca):
    return held / ca["realm"] / ("" if ca["ca"] == "ca" else f"cas/{ca['ca']}")


def test_a_dry_run_names_each_of_them(place):
    acts = answer(say("ceremony", place / "plan.yml", "--dry-run"))["acts"]
    for words in (("realm default: further CA tls, purpose issuing, /O=Example Ltd/CN=Example TLS, key rsa:2048, 730 days, path length 0; profiles server", "certified by top"),
                  ("realm default: further CA policy, purpose root, /O=Example Ltd/CN=Example Policy, key ec:P-384, 1000 days", "certified by top"),
                  ("realm default: further CA devices, purpose issuing, /O=Example Ltd/CN=Example Devices, key ec:P-256, 365 days", "certified by CA policy"),
                  ("realm default: service va, purpose ocsp, key ec:P-256, 20d; its key is kept with the realm's passphrase", "certified by CA tls"),
                  ("realm other: further CA mail, ", "key ec:P-256, 800 days"),
                  ("realm other: service va, ", "its key is kept without a passphrase; certified by CA ca")):
        assert sum(all(word in act for word in words) for act in acts) == 1, (words, acts)
    assert sorted(one.name for one in place.iterdir()) == ["plan.yml", "words"]


def test_each_ca_is_as_planned_and_stands_below_the_root(held):
    place, made = held
    want = {("top", "ca"): ("Example Root", 7300, 2), ("default", "ca"): ("Example Issuing", 1825, 0), ("default", "policy-1"): ("Example Policy", 1000, 1),
            ("default", "tls-1"): ("Example TLS", 730, 0), ("default", "devices-1"): ("Example Devices", 365, 0), ("other", "ca"): ("Example Other", 900, 0),
            ("other", "mail-1"): ("Example Mail", 800, 0)}
    assert {(one["realm"], one["ca"]) for one in made["cas"]} == set(want)
    root = (place / "held" / "top" / "ca.crt").read_text()
    transcript = (place / "held" / "transcript.txt").read_text()
    for one in made["cas"]:
        name, days, path_length = want[one["realm"], one["ca"]]
        file = directory_of(place / "held", one) / "ca.crt"
        first, *above = certificates(file)
        basic = first.extensions.get_extension_for_class(x509.BasicConstraints).value
        assert first.subject.rfc4514_string() == f"CN={name},O=Example Ltd" and one["subject"] == f"/O=Example Ltd/CN={name}"
        assert (basic.ca, basic.path_length) == (True, path_length), name
        assert datetime.timedelta(days=days - 1) < first.not_valid_after - first.not_valid_before < datetime.timedelta(days=days), name
        assert one["fingerprint"] in transcript and one["public_key"] in transcript
        leaf, _, chain = file.read_text().partition("-----END CERTIFICATE-----\n")
        leaf += "-----END CERTIFICATE-----\n"
        assert openssl_accepts(place, root, [chain] if chain else [], leaf) and gnutls_accepts(place, root, [chain] if chain else [], leaf), name
        assert len(above) == {"ca": 0 if one["realm"] == "top" else 1, "devices-1": 2}.get(one["ca"], 1)
    kind = lambda label: certificates(place / "held" / "default" / "cas" / label / "ca.crt")[0].public_key()
    assert kind("tls-1").key_size == 2048 and kind("policy-1").curve.name == "secp384r1" and kind("devices-1").curve.name == "secp256r1"


def test_each_key_is_kept_as_its_realm_s(held):
    place, made = held
    top, default, other = (place / "held" / name for name in ("top", "default", "other"))
    opened = lambda file, *more: subprocess.run(["openssl", "pkey", "-in", file, "-noout", *more], capture_output=True).returncode == 0
    for file in (default / "ca.key", *(default / "cas").glob("*/ca.key"), *(default / "services").glob("*/key.pem")):
        assert "ENCRYPTED" in file.read_text() and opened(file, "-passin", f"pass:{PASSPHRASE}") and not opened(file, "-passin", "pass:wrong"), file
    assert len(list((default / "cas").iterdir())) == 3 and [one.name for one in (default / "services").iterdir()] == ["va-1"]
    for file in (other / "ca.key", other / "cas" / "mail-1" / "ca.key"):
        assert "ENCRYPTED" in file.read_text() and not opened(file, "-passin", f"pass:{PASSPHRASE}")
    assert "ENCRYPTED" not in (other / "services" / "va-1" / "key.pem").read_text()  # people are not asked for it (doc/services.md)
    assert sorted(pathlib.Path(one).name for one in made["shares"]) == [f"other-share-{number}.txt" for number in (1, 2, 3)]
    assert {(one["realm"], one["service"], one["ca"]) for one in made["services"]} == {("default", "va-1", "tls-1"), ("other", "va-1", "ca")}
    for one in made["services"]:
        found = certificates(place / "held" / one["realm"] / "services" / one["service"] / "cert.pem")[0]
        assert one["fingerprint"] in (place / "held" / "transcript.txt").read_text() and found.serial_number
    for file in place.glob("held/**/*.key"):
        assert file.stat().st_mode & 0o777 == 0o600
    again = answer(hold(place))
    assert (again["changed"], again["transcript"]) == (False, made["transcript"])


def generations(talk):
    return {one["name"]: one for one in talk.result("ca.list")["cas"]}


def test_a_server_takes_them_over_and_each_issues_what_is_its_own(place):
    made = answer(hold(place))
    shares = [one.read_text().strip() for one in sorted((place / "held" / "shares").iterdir())]
    shutil.rmtree(place / "held" / "shares")
    root = (place / "held" / "top" / "ca.crt").read_text()

    class Taken(Daemon):
        def add_realm(self, name, behave="ready"):
            realms = self.realm(name).parent
            shown = answer(take(place, made["transcript"], name, "--dry-run", realms=realms))
            report = answer(take(place, made["transcript"], name, realms=realms))
            assert report["changed"] and shown["cas"] == report["cas"]
            assert {(one["ca"], one["fingerprint"]) for one in report["cas"]} == {(one["ca"], one["fingerprint"]) for one in made["cas"] if one["realm"] == name and one["ca"] != "ca"}
            assert {one["state"] for one in report["cas"]} == {"active"}

    (place / "server").mkdir(mode=0o755)
    one = Taken(place / "server", realms=("default", "other"))
    one.start()
    try:
        with one.talk("default") as talk:
            found = generations(talk)
            assert {name for name, row in found.items() if row["phase"] == "active"} == {"ca", "policy-1", "tls-1", "devices-1", "va-1"}
            issue = lambda profile, **more: talk.result("certificate.issue", profile=profile, csr=request_for("www.example.com"), **more)
            for profile, more, by in (("server", {}, "Example TLS"), ("webapp", {}, "Example Issuing"), ("webapp", {"ca": "devices"}, "Example Devices")):
                leaf = issue(profile, **more)
                assert x509.load_pem_x509_certificate(leaf["certificate"].encode()).issuer.rfc4514_string() == f"CN={by},O=Example Ltd"
                assert openssl_accepts(place, root, leaf["chain"], leaf["certificate"]) and gnutls_accepts(place, root, leaf["chain"], leaf["certificate"])
            for ca, profile in (("tls", "webapp"), ("policy", "webapp")):
                refused = talk.call("certificate.issue", profile=profile, csr=request_for("www.example.com"), ca=ca)
                assert refused["error"]["data"]["code"] == "policy_refused", refused
            below, = talk.result("certificate.search", profile="sub-ca")["certificates"]
            assert below["subject"] == "/O=Example Ltd/CN=Example Devices"  # what the policy CA certified can be revoked
            for ca in ("ca", "policy-1", "tls-1", "devices-1"):
                wait_for(lambda ca=ca: "result" in talk.call("crl.get", ca=ca), what=f"the CRL of {ca}")
            assert talk.result("audit.verify")["whole"]
            # The next generation follows those, under the same outside root.
            assert talk.result("ca.rollover.start", ca="tls")["new"] == "tls-2"
            assert "BEGIN CERTIFICATE REQUEST" in talk.result("ca.request", ca="tls-2")["request"]
            assert talk.result("ca.rollover.start", ca="devices")["new"] == "devices-2"
        with one.talk("other") as talk:
            assert talk.call("certificate.issue", profile="server", csr=request_for("a.example.com"), ca="mail")["error"]["data"]["code"] == "unavailable"
    finally:
        one.end()
    assert len(shares) == 3


CHANGES = {
    "a further CA's key": lambda held: (held / "default/cas/tls-1/ca.key").write_text((held / "default/cas/policy-1/ca.key").read_text()),
    "its certificate": lambda held: (held / "default/cas/tls-1/ca.crt").write_text((held / "default/cas/policy-1/ca.crt").read_text()),
    "its certificate is gone": lambda held: (held / "default/cas/devices-1/ca.crt").unlink(),
    "all of one is gone": lambda held: shutil.rmtree(held / "default/cas/tls-1"),
    "one more": lambda held: shutil.copytree(held / "default/cas/tls-1", held / "default/cas/tls-2"),
    "two are exchanged": lambda held: [(held / "default/cas/tls-1").rename(held / "x"), (held / "default/cas/policy-1").rename(held / "default/cas/tls-1"),
                                       (held / "x").rename(held / "default/cas/policy-1")],
    "a service's key": lambda held: (held / "default/services/va-1/key.pem").open("a").write("\n"),
    "a service is gone": lambda held: shutil.rmtree(held / "default/services"),
    "what the configuration says of one": lambda held: (held / "default/ca.config.yml").write_text((held / "default/ca.config.yml").read_text().replace("server", "webapp")),
    "what the root was told of one": lambda held: (held / "top/profiles/ca-default-tls.yml").open("a").write("#\n"),
    "a further CA of the other realm": lambda held: (held / "other/cas/mail-1/ca.crt").open("a").write("\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_of_them_is_refused(held, tmp_path, what):
    place, made = held
    tmp_path.chmod(0o755)
    shutil.copytree(place / "held", tmp_path / "held", symlinks=True)
    CHANGES[what](tmp_path / "held")
    done = take(tmp_path, made["transcript"])
    assert done.returncode in (65, 77, 78) and re.search(r"(cas|services|profiles)/|ca\.config\.yml", done.stderr), done
    assert not (tmp_path / "var" / "default").exists()


@pytest.mark.parametrize("old, new, says", [
    ("        profiles: [server]", "        profiles: [sever]", 'plan.yml:37:20: issuing[0].cas.tls.profiles[0]: unknown profile "sever"'),
    ("        days: 730", "        days: 8000", "expected at most the root's 7300"),
    ("        days: 365", "        days: 1001", "expected at most that of CA policy 1000"),
    ("        subject: /O=Example Ltd/CN=Example Mail", "        subject: /O=Example Ltd/CN=Example TLS", "a second time"),
    ("        key: rsa:2048", "        key: rsa:2048\n        shares: 3", "one secret opens all keys of a realm"),
    ("        issuer: policy", "        issuer: polcy", "whose purpose is root"),
    ("  path_length: 2", "  path_length: 1", "expected less than the root's, which is 1"),
    ("/cas/{ca}/crl", "/crl", "expected {ca} where the name of CA"),
    ("        validity: 20d", "        validity: 20d\n        days: 20", "expected validity"),
    ("      mail:", "      mail-2:", "which is a generation"),
    ("  unencrypted: true", "  unencrypted: true\n  cas: {tls: {subject: /CN=x, days: 5, path_length: 0}}", "the root's stays offline"),
])
def test_a_plan_that_does_not_hold_makes_nothing(place, old, new, says):
    text = plan_text(place)
    assert old in text
    (place / "plan.yml").write_text(text.replace(old, new, 1))
    done = hold(place)
    assert done.returncode == 78 and says in done.stderr, done
    assert sorted(one.name for one in place.iterdir()) == ["plan.yml", "words"]


def test_another_plan_than_the_reviewed_one_makes_nothing(place):
    reviewed = hashlib.sha256((place / "plan.yml").read_bytes()).hexdigest()
    (place / "plan.yml").write_text(plan_text(place).replace("days: 1825", "days: 1826"))
    done = hold(place, reviewed)
    assert done.returncode == 73 and not (place / "held").exists(), done


def test_F1_killed_on_the_way_each_is_made_once(place):
    digest = hashlib.sha256((place / "plan.yml").read_bytes()).hexdigest()
    occurrence = 7
    while True:
        done = subprocess.run([*killed_at("fsync", occurrence), BUILD / "chancery-signer", "ceremony", "--plan", place / "plan.yml", "--confirm", digest],
                              capture_output=True, timeout=120)
        if done.returncode == 0:
            break
        whole = (place / "held" / "transcript.txt").exists()
        assert whole or not (place / "held").exists()
        if whole:
            break
        occurrence += 29
    assert occurrence > 100
    again = answer(hold(place))
    assert not again["changed"] and not [one.name for one in place.iterdir() if one.name not in ("plan.yml", "words", "held")]
    report = answer(take(place, again["transcript"]))
    assert json.loads((place / "var" / "default" / "imported" / "ceremony.json").read_text())["cas"] == report["cas"]
