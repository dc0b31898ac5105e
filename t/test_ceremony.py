"""Offline ceremonies (doc/ceremony.md): a root and issuing CAs from one plan, refused when a plan, a transcript or a file is not what people
saw, cut off anywhere, and taken over by a server that issues below them."""

import datetime
import hashlib
import json
import pathlib
import re
import shutil
import stat
import subprocess

import pytest

from conftest import BUILD, killed_at
from test_daemon import Daemon, issue
from test_master import wait_for
from test_rollover import gnutls_accepts, openssl_accepts
from test_rollover_run import records as records_of_kind

CLI = BUILD / "chancery"
SOURCE = pathlib.Path(__file__).resolve().parent.parent


def plan_text(directory, root="  shares: 3\n  threshold: 2\n", issuing="    unencrypted: true\n"):
    return f"""title: Root and issuing CA of Example Ltd
directory: {directory}
people: ["Alice Archer, administrator", "Bob Baker, witness"]
root:
  realm: top
  subject: /O=Example Ltd/CN=Example Root
  key: ec:P-384
  days: 7300
  path_length: 1
  crl_days: 200
  crl_urls: ["http://pki.example.com/realms/top/crl"]
{root}issuing:
  - realm: default
    subject: /O=Example Ltd/CN=Example Issuing
    key: ec:P-256
    days: 1825
    path_length: 0
{issuing}"""


def say(*words, **how):
    return subprocess.run([str(one) for one in (CLI, "--json", *words)], capture_output=True, text=True, timeout=120, **how)


def answer(done):
    assert done.returncode == 0, done
    return json.loads(done.stdout)


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "plan.yml").write_text(plan_text(tmp_path / "held"))
    return tmp_path


def hold(place, confirm=None):
    plan = place / "plan.yml"
    return say("ceremony", plan, "--confirm", confirm or hashlib.sha256(plan.read_bytes()).hexdigest())


def take(place, transcript, realm="default", *more, realms="var", source="held"):
    return say("import", "ceremony", place / source, "--name", realm, "--realms-directory", place / realms, "--transcript", transcript, *more)


def test_a_dry_run_says_it_all_and_does_nothing(place):
    shown = answer(say("ceremony", place / "plan.yml", "--dry-run"))
    assert shown["plan"] == hashlib.sha256((place / "plan.yml").read_bytes()).hexdigest()
    text = "\n".join(shown["acts"])
    for words in ("/O=Example Ltd/CN=Example Root", "3 shares, 2 of which", "ec:P-384", "7300 days", "certified by top", str(place / "held")):
        assert words in text
    assert [one.name for one in place.iterdir()] == ["plan.yml"]


@pytest.mark.parametrize("typed, status", [("yes\n", 0), ("no\n", 64), ("", 64), ("YES please\n", 64)])
def test_it_takes_a_typed_yes(place, typed, status):
    done = say("ceremony", place / "plan.yml", input=typed)
    assert done.returncode == status and "Type yes" in done.stderr, done
    assert (place / "held").exists() == (status == 0)


def test_what_it_leaves_is_whole_and_says_so(place):
    made = answer(hold(place))
    held = place / "held"
    transcript = (held / "transcript.txt").read_bytes()
    assert made["transcript"] == hashlib.sha256(transcript).hexdigest()
    text = transcript.decode()
    for words in ("Alice Archer, administrator", "Bob Baker, witness", made["plan"], "OpenSSL 3", "chancery-signer", "kept in 3 shares"):
        assert words in text, words
    for ca in made["cas"]:
        assert ca["fingerprint"] in text and ca["public_key"] in text
        found = subprocess.run(["openssl", "x509", "-in", held / ca["realm"] / "ca.crt", "-noout", "-fingerprint", "-sha256"],
                               capture_output=True, text=True, check=True).stdout
        assert found.strip().rpartition("=")[2].replace(":", "").lower() == ca["fingerprint"]
    listed = dict(re.findall(r"^([0-9a-f]{64})  [0-7]{4}  (.+)$", text, re.M))
    there = {str(one.relative_to(held)) for one in held.rglob("*") if one.is_file()} - {"transcript.txt"}
    assert set(listed.values()) == there
    for digest, name in listed.items():
        assert hashlib.sha256((held / name).read_bytes()).hexdigest() == digest
    for secret in ("top/ca.key", "default/ca.key", "shares/top-share-1.txt"):
        assert stat.S_IMODE((held / secret).stat().st_mode) == 0o600
    assert stat.S_IMODE(held.stat().st_mode) == 0o700
    assert "ENCRYPTED" in (held / "top" / "ca.key").read_text()
    assert len(made["shares"]) == 3 and all(pathlib.Path(one).is_file() for one in made["shares"])
    root, below = ((held / name / "ca.crt").read_text() for name in ("top", "default"))
    assert openssl_accepts(place, root, [], below.partition("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n")
    shown = subprocess.run(["openssl", "x509", "-noout", "-text"], input=below, capture_output=True, text=True, check=True).stdout
    assert "CA:TRUE, pathlen:0" in shown and "realms/top/crl" in shown
    again = answer(hold(place))
    assert (again["changed"], again["transcript"]) == (False, made["transcript"])


def test_the_realms_are_taken_over_and_issue(place):
    made = answer(hold(place))
    shutil.rmtree(place / "held" / "shares")  # they are with their holders
    assert answer(take(place, made["transcript"], "default", "--dry-run"))["dry_run"]
    assert not (place / "var" / "default").exists()

    class Taken(Daemon):
        def add_realm(self, name, behave="ready"):
            if name != "default":
                return super().add_realm(name)
            report = answer(take(place, made["transcript"], realms=self.realm("default").parent))
            assert report["changed"] and report["transcript"] == made["transcript"]
            again = answer(take(place, made["transcript"], realms=self.realm("default").parent))
            assert not again["changed"]

    (place / "server").mkdir(mode=0o755)
    one = Taken(place / "server")
    one.start()
    try:
        with one.talk("default") as talk:
            leaf = issue(talk, "www.example.com")
            root = (place / "held" / "top" / "ca.crt").read_text()
            assert openssl_accepts(place, root, leaf["chain"], leaf["certificate"])
            assert gnutls_accepts(place, root, leaf["chain"], leaf["certificate"])
            origin = [event for event in records_of_kind(talk, "event") if event["what"] == "ceremony.import"]
            assert [json.loads(event["about"])["transcript"] for event in origin] == [made["transcript"]]
            assert talk.result("audit.verify")["whole"]
    finally:
        one.end()
    root = answer(take(place, made["transcript"], "top"))
    assert root["subject"] == "/O=Example Ltd/CN=Example Root"


def crl_says(file, *what):
    return subprocess.run(["openssl", "crl", "-in", file, "-noout", *what], capture_output=True, text=True, check=True)


def test_the_root_s_first_crl_is_made_in_the_ceremony(place):
    """It is in the transcript, good for crl_days, and signed by the root."""
    answer(hold(place))
    top = place / "held" / "top"
    said = crl_says(top / "crl.pem", "-text", "-CAfile", top / "ca.crt")
    assert "verify OK" in said.stderr and "No Revoked Certificates." in said.stdout, said
    begin, end = (datetime.datetime.strptime(line.partition("=")[2], "%b %d %H:%M:%S %Y GMT") for line in crl_says(top / "crl.pem", "-lastupdate", "-nextupdate").stdout.splitlines())
    assert end - begin == datetime.timedelta(days=200)
    transcript = (place / "held" / "transcript.txt").read_text()
    der = subprocess.run(["openssl", "crl", "-in", top / "crl.pem", "-outform", "DER"], capture_output=True, check=True).stdout
    assert hashlib.sha256(der).hexdigest() in transcript and "  top/crl.pem" in transcript
    assert not (place / "held" / "default" / "crl.pem").exists()


def test_a_server_serves_the_root_s_first_crl_before_anybody_opens_its_key(place):
    made = answer(hold(place))
    shutil.rmtree(place / "held" / "shares")

    class Offline(Daemon):
        def add_realm(self, name, behave="ready"):
            answer(take(place, made["transcript"], name, realms=self.realm(name).parent))

    (place / "server").mkdir(mode=0o755)
    one = Offline(place / "server", realms=("default", "top"))
    one.start()
    try:
        with one.talk("top") as talk:
            wait_for(lambda: "result" in talk.call("crl.get"), what="upkeep looks at the realm")
            served = talk.result("crl.get")
            assert served["number"] == 1 and served["crl"] == (place / "held" / "top" / "crl.pem").read_text()
            assert talk.result("crl.issue", if_due=True)["number"] == 1, "it is not due"
            assert talk.call("crl.issue")["error"]["data"]["code"] == "unavailable", "the key is closed"
    finally:
        one.end()


@pytest.mark.parametrize("spoil", [lambda file: file.write_text(file.read_text().replace("A", "B", 40)), lambda file: file.unlink()])
def test_another_crl_than_the_ceremony_s_is_refused(place, spoil):
    made = answer(hold(place))
    spoil(place / "held" / "top" / "crl.pem")
    done = take(place, made["transcript"], "top")
    assert done.returncode != 0 and "top/crl.pem" in done.stdout + done.stderr, done
    assert not (place / "var" / "top").exists()


CHANGES = {
    "a key": lambda held: (held / "default" / "ca.key").write_text((held / "top" / "ca.key").read_text()),
    "a configuration": lambda held: (held / "default" / "ca.config.yml").open("a").write("backdate: 1d\n"),
    "a journal": lambda held: (held / "default" / "journal" / "journal.log").open("a").write("x"),
    "the plan": lambda held: (held / "plan.yml").open("a").write("#\n"),
    "the transcript": lambda held: (held / "transcript.txt").open("a").write("\n"),
    "one file more": lambda held: (held / "default" / "profiles" / "extra.yml").write_text("duration: 1\n"),
    "one file less": lambda held: (held / "default" / "ca.csr").unlink(),
    "a file of the other realm": lambda held: (held / "top" / "ca.crt").open("a").write("\n"),
    "a link": lambda held: (held / "default" / "link").symlink_to("/etc/passwd"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_after_is_refused(place, what):
    made = answer(hold(place))
    CHANGES[what](place / "held")
    done = take(place, made["transcript"])
    assert done.returncode in (65, 77, 78), done
    assert not (place / "var" / "default").exists()
    # Nor does a transcript help that was made to fit.
    if what == "the transcript":
        forged = hashlib.sha256((place / "held" / "transcript.txt").read_bytes()).hexdigest()
        assert forged != made["transcript"]


def test_what_is_wrong_with_an_import_is_said(place):
    made = answer(hold(place))
    done = say("import", "ceremony", place / "held", "--name", "default", "--realms-directory", place / "var")
    assert done.returncode == 64 and "--transcript" in done.stderr, done
    done = take(place, "0" * 64)
    assert done.returncode == 65 and made["transcript"] in done.stderr, done
    done = take(place, made["transcript"], "nobody")
    assert done.returncode == 69 and "default, top" in done.stderr, done
    done = take(place, made["transcript"], source="nowhere")
    assert done.returncode == 69, done
    (place / "var" / "default").mkdir(parents=True)
    (place / "var" / "default" / "mine").write_text("mine")
    done = take(place, made["transcript"])
    assert done.returncode == 73 and [one.name for one in (place / "var" / "default").iterdir()] == ["mine"], done


def test_what_is_wrong_with_a_plan_or_its_hash_makes_nothing(place):
    done = hold(place, "0" * 64)
    assert done.returncode == 73 and "was confirmed" in done.stderr, done
    (place / "plan.yml").write_text(plan_text(place / "held").replace("days: 1825", "days: 9000").replace("realm: top", "relm: top"))
    done = say("ceremony", place / "plan.yml", "--dry-run")
    assert done.returncode == 78 and "plan.yml:5:3" in done.stderr and "did you mean \"realm\"?" in done.stderr, done
    assert say("ceremony", place / "none.yml", "--dry-run").returncode == 69
    (place / "plan.yml").write_text(plan_text(place / "held", root=f"  passphrase_file: {place}/none\n"))
    assert hold(place).returncode == 69
    (place / "plan.yml").write_text(plan_text(place / "held", issuing="    subject_alt: x\n"))
    assert hold(place).returncode == 78
    assert sorted(one.name for one in place.iterdir()) == ["plan.yml"]
    (place / "plan.yml").write_text(plan_text(place / "held"))
    (place / "held").mkdir()
    (place / "held" / "mine").write_text("mine")
    done = hold(place)
    assert done.returncode == 73 and [one.name for one in (place / "held").iterdir()] == ["mine"], done


@pytest.mark.parametrize("keep, opened", [("  unencrypted: true\n", "BEGIN PRIVATE KEY"), ("", "ENCRYPTED"), ("  passphrase_file: {place}/words\n", "ENCRYPTED")])
def test_each_way_to_keep_the_root_s_key(place, keep, opened):
    (place / "words").write_text("correct horse battery staple\n")
    (place / "words").chmod(0o600)
    (place / "plan.yml").write_text(plan_text(place / "held", root=keep.format(place=place)))
    made = answer(hold(place))
    assert opened in (place / "held" / "top" / "ca.key").read_text() and "shares" not in made
    assert answer(take(place, made["transcript"], "top"))["changed"]


CALLS = {"fsync": 6, "rename": 3, "mkdir": 4}


@pytest.mark.parametrize("call", CALLS)
def test_F1_killed_anywhere_it_is_held_once(place, call):
    """Whatever was cut off, the next run makes one root and one transcript, and leaves nothing else."""
    digest = hashlib.sha256((place / "plan.yml").read_bytes()).hexdigest()
    occurrence, points = 1, 0
    while True:
        done = subprocess.run([*killed_at(call, occurrence), BUILD / "chancery-signer", "ceremony", "--plan", place / "plan.yml", "--confirm", digest],
                              capture_output=True, timeout=60)
        whole = (place / "held" / "transcript.txt").exists()
        assert whole or not (place / "held").exists()
        if done.returncode == 0:
            break
        points += 1
        occurrence += CALLS[call]
        if whole:
            assert not answer(hold(place))["changed"]
            shutil.rmtree(place / "held")
    assert points >= 2
    assert not [one.name for one in place.iterdir() if one.name not in ("plan.yml", "held")]
    again = answer(hold(place))
    assert not again["changed"] and answer(take(place, again["transcript"], "top"))["changed"]


def test_the_example_plan_holds(tmp_path):
    tmp_path.chmod(0o755)
    example = (SOURCE / "etc" / "ceremony.yml.sample").read_text()
    (tmp_path / "plan.yml").write_text(re.sub(r"^directory: .*$", f"directory: {tmp_path / 'held'}", example, flags=re.M))
    made = answer(hold(tmp_path))
    assert [(ca["realm"], ca["ca"]) for ca in made["cas"]] == [("top", "ca"), ("default", "ca"), ("default", "tls-1")]
    for realm in ("top", "default"):
        assert answer(take(tmp_path, made["transcript"], realm))["changed"]
