"""Further CAs and generations whose keys are in PKCS #11 tokens, by SoftHSM 2: made there, taken over, rolled over, missing, twice there,
behind a wrong PIN; beside keys in files; and what must not be done (doc/keys.md)."""

import contextlib
import json
import os
import shutil
import subprocess

import pytest

from test_daemon import request_for
from test_master import BUILD, wait_for
from test_pkcs11 import MODULE, PIN, Office, code
from test_rollover import chains, generation, openssl_accepts, run, step, write

URLS = 'crl_urls: ["http://ca.example.com/cas/{ca}/crl"]\n'
LIFE = 30  # seconds that a certificate of a day lives in Brief: it begins almost a day ago

pytestmark = pytest.mark.skipif(not os.path.exists(MODULE), reason="softhsm2 is not installed")


class Bureau(Office):
    """A realm whose CAs have their keys here and there. `lines` says where further ones have theirs; the first one's is in the token or
    in a file."""

    first = "token"
    lines = "cas:\n  tls:\n    key: ec:P-256\n"

    def add_realm(self, name, behave="ready"):
        self.realm(name).mkdir(parents=True)
        self.configure(name)
        done = subprocess.run([BUILD / "chancery", "realm", "create", name, "--realms-directory", self.realm(name).parent],
                              capture_output=True, text=True, env=self.tokens.environment)
        assert done.returncode == 0, done

    def token(self, indent="  ", **more):
        rows = {"module": MODULE, "token": "chancery", "pin_file": self.tokens.pin, **more}
        return "".join(f'{indent}{name}: "{value}"\n' for name, value in rows.items()) + f'{indent}paths: ["{self.tokens.place}"]\n'

    def head(self):
        if self.first == "token":
            return "key_store: pkcs11\npkcs11:\n" + self.token(key_label="default")
        return "key_unencrypted: true\n"

    def configure(self, name="default", lines=None):
        text = self.head() + URLS + (self.lines if lines is None else lines).replace("TOKEN\n", "\n" + self.token("      "))
        (self.realm(name) / "ca.config.yml").write_text(text)

    def make(self, ca="tls"):
        """From nothing to a generation that issues."""
        with self.talk("default") as talk:
            for name in ("start", "publish", "switch"):
                step(talk, name, ca=ca)

    def objects(self, kind="private"):
        """Labels of the keys in the token."""
        listed = self.p11("--list-all", f"pkcs11:token=chancery;type={kind}")
        return sorted(line.split("Label: ")[1] for line in listed.splitlines() if "Label: " in line)

    def p11(self, *words):
        done = subprocess.run(["p11tool", "--provider", MODULE, "--batch", "--login", "--set-pin", PIN, *words], capture_output=True, text=True,
                              env=self.tokens.environment)
        assert done.returncode == 0 or "No matching objects" in done.stderr, done
        return done.stdout

    def destroy(self, label):
        for kind in ("private", "public"):
            self.p11("--delete", f"pkcs11:token=chancery;object={label.replace('/', '%2F')};type={kind}")

    def bring(self, label, key_id):
        """A key that others made."""
        path = self.directory / f"brought-{key_id}-{len(list(self.directory.glob('brought-*')))}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path], check=True, capture_output=True)
        self.tokens.util("--import", str(path), "--token", "chancery", "--label", label, "--id", key_id, "--pin", PIN, "--force")
        return run("openssl", "pkey", "-in", path, "-pubout").stdout

    def where(self, label):
        return json.loads((self.realm("default") / "cas" / label / "ca.token").read_text())

    def has_key_file(self, label):
        return (self.realm("default") / "cas" / label / "ca.key").exists()

    def issue_by(self, ca, name="a.example.com", **more):
        with self.talk("default") as talk:
            return talk.call("certificate.issue", profile="server", csr=request_for(name), ca=ca, **more)

    def holds(self, ca, label, place):
        """It issues, and signs CRLs; OpenSSL takes both."""
        with self.talk("default") as talk:
            made = talk.result("certificate.issue", profile="server", csr=request_for(f"{label}.example.com"), ca=ca)
            found = talk.result("certificate.get", serial=made["serial"])
            assert found["ca"] == label
            anchor = generation(talk, label)["certificate"]
            list_of = talk.result("crl.issue", ca=label)["crl"]
        assert openssl_accepts(place, anchor, [], found["certificate"], [list_of])

    def start(self, *options, **how):
        self.log_file.unlink(missing_ok=True)  # which would say that an earlier one was ready
        return super().start(*options, **how)

    def again(self):
        self.end()
        self.start()


@contextlib.contextmanager
def running(directory, started=True, **settings):
    directory.chmod(0o755)
    one = type("ABureau", (Bureau,), settings)(directory)
    try:
        if started:
            one.start()
        yield one
    finally:
        one.end()


IN_TOKEN = "cas:\n  tls:\n    key_store: pkcs11\n    pkcs11:TOKEN\n"
IN_FILE = "cas:\n  tls:\n    key_store: file\nkey_unencrypted: true\n"


def refusal(reply):
    assert "error" in reply, reply
    return reply["error"]["data"]["code"], reply["error"]["message"] + " " + reply["error"]["data"].get("hint", "")


def start(office, ca="tls"):
    with office.talk("default") as talk:
        return talk.call("ca.rollover.start", ca=ca)


# ----- here and there


@pytest.mark.parametrize("first, lines, in_token", [
    ("token", Bureau.lines, ["default", "default/tls-1"]), ("file", IN_TOKEN, ["default/tls-1"]), ("token", IN_FILE, ["default"])],
    ids=["both in the token", "the second in the token", "the first in the token"])
def test_a_second_ca_has_its_key_where_the_realm_says(tmp_path, first, lines, in_token):
    with running(tmp_path, first=first, lines=lines) as office:
        office.make("tls")
        assert office.objects() == in_token
        assert office.has_key_file("tls-1") == ("default/tls-1" not in in_token)
        for _ in range(2):  # also after a start
            office.holds("ca", "ca", tmp_path)
            office.holds("tls", "tls-1", tmp_path)
            assert office.realm_state() == ("ready", "")
            assert len(office.all_processes("chancery-signer: token chancery")) == 1  # one session, however many keys
            office.again()
        office.make("ca")
        office.make("tls")
        later = ["default/ca-2"] * (first == "token") + ["default/tls-2"] * ("default/tls-1" in in_token)
        assert office.objects() == sorted(in_token + later)
        office.holds("ca", "ca-2", tmp_path)
        office.holds("tls", "tls-2", tmp_path)
        with office.talk("default") as talk:
            for label in ("ca", "tls-1"):  # which drain
                assert talk.result("crl.issue", ca=label)["issued"]


def test_keys_move_from_files_into_a_token_by_a_rollover(tmp_path):
    with running(tmp_path, first="file", lines="cas:\n  tls:\n    key: ec:P-384\n") as office:
        office.make("tls")
        office.holds("ca", "ca", tmp_path)  # of which a certificate lives, so that nobody retires it
        office.holds("tls", "tls-1", tmp_path)
        office.configure(lines="rollover:\n  key_store: pkcs11\npkcs11:\n" + office.token() + "cas:\n  tls:\n    key_store: pkcs11\n    key: rsa:2048\n")
        office.hangup()
        assert refusal(start(office))[0] == "unavailable"
        assert "restart the server" in refusal(start(office))[1]
        office.again()
        office.make("ca")
        office.make("tls")
        assert office.objects() == ["default/ca-2", "default/tls-2"]
        for _ in range(2):
            office.holds("ca", "ca-2", tmp_path)
            office.holds("tls", "tls-2", tmp_path)
            with office.talk("default") as talk:
                for label in ("ca", "tls-1"):
                    assert talk.result("crl.issue", ca=label)["issued"]
            office.again()


# ----- a rollover from its beginning to its end


class Brief(Bureau):
    """Certificates are almost over when they are issued, and the CA is old enough for them."""

    lines = ""
    backdate = "2d"

    def head(self):
        return super().head() + f"backdate: {self.backdate}\ncrl_after_revocation: 2s\n"


def accepted(place, talk, serial, anchor):
    """Whether OpenSSL takes it by one of the chains that are offered, at a time when it was valid."""
    found = talk.result("certificate.get", serial=serial)
    return any(run("openssl", "verify", "-x509_strict", "-no_check_time", "-CAfile", write(place / "anchor.pem", anchor),
                   *(["-untrusted", write(place / "above.pem", *above)] if above else []),
                   write(place / "leaf.pem", found["certificate"])).returncode == 0 for above in chains(found))


def list_verifies(place, talk, label):
    made = talk.result("crl.issue", ca=label)["crl"]
    anchor = write(place / "root.pem", generation(talk, label)["certificate"])
    return "verify OK" in run("openssl", "crl", "-noout", "-CAfile", anchor, "-in", write(place / "crl.pem", made)).stderr


def test_a_ca_in_a_token_is_rolled_over_and_every_chain_holds(tmp_path):
    tmp_path.chmod(0o755)
    office = Brief(tmp_path)
    office.backdate = str(86400 - LIFE)
    office.configure()

    def issue(name):
        return talk.result("certificate.issue", profile="server", days=1, csr=request_for(name))["serial"]

    try:
        office.start()
        with office.talk("default") as talk:
            before = issue("before.example.com")
            old = generation(talk, "ca")["certificate"]
            assert step(talk, "start")["state"] == "prepared"
            new = generation(talk, "ca-2")["certificate"]
            assert office.objects() == ["default", "default/ca-2"]
            assert office.where("ca-2")["key_label"] == "default/ca-2"
            assert not office.has_key_file("ca-2")
            meanwhile = issue("meanwhile.example.com")
            assert accepted(tmp_path, talk, before, old) and not accepted(tmp_path, talk, before, new)

            assert step(talk, "publish")["state"] == "published"
            for serial in (before, meanwhile):
                assert accepted(tmp_path, talk, serial, old) and accepted(tmp_path, talk, serial, new)

            assert step(talk, "switch")["state"] == "draining"
            after = issue("after.example.com")
            assert talk.result("certificate.get", serial=after)["ca"] == "ca-2"
            for serial in (before, meanwhile, after):
                assert accepted(tmp_path, talk, serial, old) and accepted(tmp_path, talk, serial, new)
            for label in ("ca", "ca-2"):
                assert list_verifies(tmp_path, talk, label), label

            wait_for(lambda: generation(talk, "ca")["phase"] == "retired", LIFE + 90, "upkeep retires it")
            assert accepted(tmp_path, talk, issue("later.example.com"), new)
            assert list_verifies(tmp_path, talk, "ca-2")
            assert code(talk.call("crl.issue", ca="ca")) == "conflict"
        assert office.objects() == ["default", "default/ca-2"]  # the token is the operator's to clear
        office.destroy("default")
        assert office.objects() == ["default/ca-2"]
        office.again()
        assert office.realm_state() == ("ready", "")
        with office.talk("default") as talk:
            assert accepted(tmp_path, talk, issue("last.example.com"), new)
            assert list_verifies(tmp_path, talk, "ca-2")
            assert talk.result("audit.verify")["whole"]
    finally:
        office.end()


# ----- away and back


def test_a_token_of_a_further_ca_that_goes_and_comes_back(tmp_path):
    with running(tmp_path, first="file", lines=IN_TOKEN) as office:
        office.make()
        office.tokens.take_away()
        office.wait_state("degraded")
        detail = office.realm_state()[1]
        assert detail.startswith("token: generation tls-1: "), detail
        office.holds("ca", "ca", tmp_path)
        assert code(office.issue_by("tls")) == "unavailable"
        with office.talk("default") as talk:
            assert code(talk.call("crl.issue", ca="tls-1")) == "unavailable"
            assert code(talk.call("ca.rollover.start", ca="tls")) == "unavailable"
        office.tokens.put_back()
        office.wait_state("ready")
        office.holds("tls", "tls-1", tmp_path)
        office.end()
        office.tokens.take_away()
        office.start()
        assert office.realm_state()[0] == "degraded"
        office.holds("ca", "ca", tmp_path)
        office.tokens.put_back()
        office.wait_state("ready")
        office.holds("tls", "tls-1", tmp_path)


def test_a_wrong_pin_of_a_further_token(tmp_path):
    with running(tmp_path, started=False, first="file", lines=IN_TOKEN) as office:
        office.tokens.set_pin("11111111")
        office.start()
        assert office.realm_state() == ("ready", "")  # nothing of it is in use
        found, said = refusal(start(office))
        assert found == "auth_failed" and "PIN" in said
        assert "not tried again" in refusal(start(office))[1]
        office.tokens.set_pin(PIN)
        office.hangup()
        wait_for(lambda: "result" in start(office), 30, "the right PIN is read")
        with office.talk("default") as talk:
            for name in ("publish", "switch"):
                step(talk, name, ca="tls")
        office.holds("tls", "tls-1", tmp_path)
        office.end()
        office.tokens.set_pin("11111111")
        office.start()
        state, detail = office.realm_state()
        assert state == "degraded" and "generation tls-1" in detail and "PIN" in detail
        office.holds("ca", "ca", tmp_path)
        office.tokens.set_pin(PIN)
        office.hangup()
        office.wait_state("ready")
        office.holds("tls", "tls-1", tmp_path)


def test_people_give_the_pin_of_all_keys_in_the_token(tmp_path):
    with running(tmp_path, started=False) as office:
        config = office.realm("default") / "ca.config.yml"
        config.write_text("".join(line + "\n" for line in config.read_text().splitlines() if "pin_file" not in line) + "secret:\n  method: prompt\n")
        words = [BUILD / "chancery", "--socket", office.socket, "--realm", "default", "realm", "unlock"]
        office.start()
        assert code(start(office)) == "unavailable"
        assert subprocess.run(words, input=PIN + "\n", capture_output=True, text=True).returncode == 0
        office.make()
        for _ in range(2):
            office.holds("ca", "ca", tmp_path)
            office.holds("tls", "tls-1", tmp_path)
            office.again()
            assert office.realm_state()[0] == "locked"
            for ca in ("ca", "tls"):
                assert code(office.issue_by(ca)) == "unavailable"
            assert subprocess.run(words, input=PIN + "\n", capture_output=True, text=True).returncode == 0


# ----- what is in the token, and what is not


def test_a_key_that_is_missing_is_in_the_way_of_its_own_ca_alone(tmp_path):
    with running(tmp_path) as office:
        office.make()
        office.end()
        shutil.copytree(office.tokens.directory, tmp_path / "backup")
        office.destroy("default/tls-1")
        office.start()
        office.wait_state("degraded")
        detail = office.realm_state()[1]
        assert "generation tls-1: 0 private keys of label default/tls-1" in detail and "expected one" in detail, detail
        office.holds("ca", "ca", tmp_path)
        assert code(office.issue_by("tls")) == "unavailable"
        office.tokens.take_away()
        shutil.copytree(tmp_path / "backup", office.tokens.directory)
        office.wait_state("ready")
        office.holds("tls", "tls-1", tmp_path)


def test_a_label_that_is_there_is_taken_over_only_where_the_settings_say_so(tmp_path):
    with running(tmp_path) as office:
        brought = office.bring("default/tls-1", "0a01")
        found, said = refusal(start(office))
        assert found == "exists" and "1 private keys of label default/tls-1, expected none" in said and "existing_key: true" in said
        assert not (office.realm("default") / "cas" / "tls-1" / "ca.token").exists()
        office.configure(lines='cas:\n  tls:\n    pkcs11:\n      existing_key: true\n      key_label: "none such"\n')
        office.hangup()
        wait_for(lambda: refusal(start(office))[0] == "not_found", 30, "the settings are read")
        assert "0 private keys of label none such, expected one" in refusal(start(office))[1]
        office.configure(lines='cas:\n  tls:\n    pkcs11:\n      existing_key: true\n      key_label: "default"\n')
        office.hangup()
        wait_for(lambda: "the key of generation ca, expected one of its own" in refusal(start(office))[1], 30, "the first CA's key is refused")
        office.configure(lines='cas:\n  tls:\n    key: rsa:2048\n    pkcs11:\n      existing_key: true\n      key_label: "default/{ca}"\n')
        office.hangup()
        wait_for(lambda: "a key of kind ec:P-256, expected rsa:2048" in refusal(start(office))[1], 30, "another kind is refused")
        office.configure(lines='cas:\n  tls:\n    pkcs11:\n      existing_key: true\n      key_label: "default/{ca}"\n')
        office.hangup()
        wait_for(lambda: "result" in start(office), 30, "it is taken over")
        where = office.where("tls-1")
        assert where.pop("serial") and where.pop("module").endswith(".so")  # a token of the same label is another one
        assert where == {"token": "chancery", "key_label": "default/tls-1", "key_id": "0a01"}
        with office.talk("default") as talk:
            for name in ("publish", "switch"):
                step(talk, name, ca="tls")
            certificate = write(tmp_path / "tls.pem", generation(talk, "tls-1")["certificate"])
        assert run("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout == brought
        office.holds("tls", "tls-1", tmp_path)


def test_a_label_that_is_there_twice(tmp_path):
    with running(tmp_path, lines='cas:\n  tls:\n    pkcs11:\n      existing_key: true\n      key_label: "old"\n') as office:
        office.bring("old", "0a01")
        office.bring("old", "0a02")
        found, said = refusal(start(office))
        assert found == "conflict" and "2 private keys of label old, expected one" in said and "key_id" in said
        office.configure(lines='cas:\n  tls:\n    pkcs11:\n      existing_key: true\n      key_label: "old"\n      key_id: "0a02"\n')
        office.hangup()
        wait_for(lambda: "result" in start(office), 30, "the one of that id is taken over")
        with office.talk("default") as talk:
            for name in ("publish", "switch"):
                step(talk, name, ca="tls")
        office.holds("tls", "tls-1", tmp_path)
        office.end()
        office.bring("old", "0a02")  # now the id, too
        office.start()
        office.wait_state("degraded")
        detail = office.realm_state()[1]
        assert "generation tls-1: 2 private keys of label old and id 0a02" in detail, detail
        office.holds("ca", "ca", tmp_path)
        assert code(office.issue_by("tls")) == "unavailable"


def test_what_was_cut_off_is_taken_up(tmp_path):
    """Between the key and the certificate: the signer finds the key that it has made."""
    with running(tmp_path) as office:
        place = office.realm("default") / "cas" / "tls-1"
        place.mkdir(parents=True, mode=0o700)
        (place / "ca.token").write_text(json.dumps({"token": "chancery", "serial": "", "key_label": "default/tls-1", "key_id": "0b0b"}) + "\n")
        (place / "ca.token").chmod(0o600)
        brought = office.bring("default/tls-1", "0b0b")
        office.make()
        with office.talk("default") as talk:
            certificate = write(tmp_path / "tls.pem", generation(talk, "tls-1")["certificate"])
        assert run("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout == brought
        assert office.objects() == ["default", "default/tls-1"]


# ----- references


def test_a_token_that_no_setting_describes_any_more_is_said_with_its_place(tmp_path):
    with running(tmp_path, first="file", lines=IN_TOKEN) as office:
        office.make()
        office.configure(lines="cas:\n  tls:\n    key_store: file\n")
        office.hangup()  # while it can be put right
        wait_for(lambda: "this signer will not start again: " in office.log(), what="the token that is missed is said")
        assert "found no pkcs11 of token chancery alone" in office.log()
        office.holds("tls", "tls-1", tmp_path)
        office.end()
        done = subprocess.run([BUILD / "chanceryd", "--check", "--config", office.config], capture_output=True, text=True, env=office.tokens.environment)
        said = done.stdout + done.stderr
        assert done.returncode == 78 and "ca.config.yml:" in said and "cas: found no pkcs11 of token chancery alone" in said, done
        # A whole description serves the keys that are there, though the next one is in a file.
        office.configure(lines="cas:\n  tls:\n    key_store: file\n    pkcs11:TOKEN\n")
        office.start()
        office.holds("tls", "tls-1", tmp_path)


def test_check_and_reload_refuse_wrong_references(tmp_path):
    with running(tmp_path, first="file", lines=IN_TOKEN) as office:
        office.configure(lines="cas:\n  tls:\n    key_store: pkcs11\n")
        done = subprocess.run([BUILD / "chanceryd", "--check", "--config", office.config], capture_output=True, text=True, env=office.tokens.environment)
        assert done.returncode == 78 and "ca.config.yml:5:16: cas.tls.key_store: found pkcs11 and no token" in done.stdout + done.stderr, done
        office.hangup("found pkcs11 and no token")  # and is refused
        office.make()  # as it was
        office.holds("tls", "tls-1", tmp_path)
