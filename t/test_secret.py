"""A CA key that people open: k of n shares from as many operators, or a passphrase that is typed; wrong, repeated, foreign and
missing ones, attempts without end, reload, restart and crash; and where what they entered stays, which is nowhere."""

import contextlib
import json
import os
import pathlib
import pty
import pwd
import re
import shutil
import signal
import subprocess

import pytest

from conftest import IS_SANITIZED
from test_daemon import Daemon, Talk, request_for
from test_master import BUILD, octets_below, wait_for

OPERATORS = ("daemon", "bin", "sys", "games", "mail", "news")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="operators are several users")


def chancery(*words, check=True, **how):
    done = subprocess.run([BUILD / "chancery", *map(str, words)], capture_output=True, text=True,
                          env={**os.environ, "CHANCERY_PROGRAMS": str(BUILD)}, **how)
    assert done.returncode == 0 or not check, done
    return done


@contextlib.contextmanager
def acting_as(name):
    """Whoever connects now is that user, as the kernel tells the server."""
    if os.geteuid() == 0:
        os.seteuid(pwd.getpwnam(name).pw_uid)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)


class Office(Daemon):
    """Realms that people open."""

    options = ("--shares", 5, "--threshold", 3)

    def add_realm(self, name, behave="ready"):
        self.realm(name).parent.mkdir(exist_ok=True)
        options = self.options if "--prompt" in self.options else (*self.options, "--shares-directory", self.directory / "shares")
        chancery("realm", "create", name, "--realms-directory", self.realm(name).parent, *options)

    def write_config(self, root="", **how):
        super().write_config(root, **how)
        identities = "".join(f'<identity user="{name}" roles="ra-operator"/>' for name in OPERATORS)
        self.config.write_text(self.config.read_text().replace("</chancery>", f"<identities>{identities}</identities></chancery>"))

    def share(self, index, realm="default"):
        return (self.directory / "shares" / f"{realm}-share-{index}.txt").read_text().strip()

    def talk_as(self, who, realm="default"):
        before = os.getcwd()
        os.chdir(self.socket.parent)  # the way to it may be closed to that user
        try:
            with acting_as(who):
                return Talk(self.socket.name, realm)
        finally:
            os.chdir(before)

    def enter(self, who, secret, realm="default"):
        with self.talk_as(who, realm) as talk:
            return talk.call("secret.enter", secret=secret)

    def unlock(self, *indexes, realm="default"):
        for who, index in zip(OPERATORS, indexes):
            reply = self.enter(who, self.share(index, realm), realm)
            assert "result" in reply, reply
        return reply["result"]

    def start_anew(self):
        self.log_file.unlink()  # which says that the first one was ready
        self.start()

    def state(self, realm="default"):
        with self.talk(realm) as talk:
            return talk.result("realm.get")["state"]

    def issue(self, name="a.example.com", realm="default"):
        with self.talk(realm) as talk:
            return talk.call("certificate.issue", profile="server", csr=request_for(name))

    def audit(self):
        with self.talk("default") as talk:
            return talk.result("audit.list", limit=500)["records"]


def code(reply):
    assert "error" in reply, reply
    return reply["error"]["data"]["code"]


@contextlib.contextmanager
def running(directory, options=Office.options, realms=("default",), **how):
    directory.chmod(0o755)
    kind = type("AnOffice", (Office,), {"options": options})
    one = kind(directory, realms)
    one.start(**how)
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def office(tmp_path):
    with running(tmp_path) as one:
        yield one


# ----- unlocking


@needs_root
def test_three_of_five_operators_open_the_key(office):
    assert office.state() == "locked"
    refused = office.issue()
    assert code(refused) == "unavailable" and "locked" in refused["error"]["message"], refused
    assert "unlock" in refused["error"]["data"]["hint"]
    with office.talk() as talk:
        shown = [one for one in talk.result("server.status")["processes"] if one["kind"] == "signer"][0]
        assert shown["state"] == "degraded" and shown["detail"].startswith("locked: "), shown
        assert [one["state"] for one in talk.result("realm.list")["realms"]] == ["locked"]

    first = office.enter("daemon", office.share(4))["result"]
    assert (first["state"], first["shares"], first["threshold"]) == ("locked", 5, 3)
    assert [(one["index"], one["by"]) for one in first["given"]] == [(4, "unix:daemon")]
    second = office.enter("bin", office.share(2))["result"]
    assert [(one["index"], one["by"]) for one in second["given"]] == [(4, "unix:daemon"), (2, "unix:bin")]
    third = office.enter("sys", office.share(5))["result"]
    assert (third["state"], third["given"]) == ("open", [])

    assert "result" in office.issue()
    wait_for(lambda: office.state() == "ready", what="the realm is ready")
    wait_for(lambda: office.signer("default"), what="the master knows it")
    office.wait_log(": CRL 1 until", seconds=90)  # upkeep looks twice a minute


@needs_root
def test_what_is_no_share_of_this_realm_is_refused_and_counts_for_nothing(office, tmp_path):
    share = office.share(1).strip()
    typo = share[:-3] + ("a" if share[-3] != "a" else "b") + share[-2:]
    assert code(office.enter("daemon", typo)) == "malformed"
    assert "typing error" in office.enter("daemon", typo)["error"]["message"]
    assert code(office.enter("bin", "hello")) == "malformed"
    chancery("--realm", "default", "secret", "split", "--shares", 5, "--threshold", 3, "--directory", tmp_path / "other", input="x\n")
    other = (tmp_path / "other" / "default-share-2.txt").read_text().strip()
    refused = office.enter("bin", other)
    assert code(refused) == "invalid_params" and "of set" in refused["error"]["message"]
    chancery("--realm", "devices", "secret", "split", "--shares", 5, "--threshold", 3, "--directory", tmp_path / "other", input="x\n")
    refused = office.enter("bin", (tmp_path / "other" / "devices-share-2.txt").read_text().strip())
    assert "realm devices" in refused["error"]["message"]

    assert "result" in office.enter("daemon", share)
    assert code(office.enter("daemon", office.share(2))) == "conflict"  # one share each
    assert code(office.enter("bin", share)) == "conflict"  # the same share again
    with office.talk("default") as talk:
        status = talk.result("secret.status")
        assert [one["index"] for one in status["given"]] == [1] and status["state"] == "locked"
        assert share.strip() not in json.dumps(status)
    assert "result" in office.enter("bin", office.share(2))
    assert office.enter("sys", office.share(3))["result"]["state"] == "open"
    assert code(office.enter("sys", office.share(4))) == "conflict"  # it is open


@needs_root
def test_shares_that_fit_each_other_and_not_the_key_are_forgotten_together(office, tmp_path):
    """One set whose id is the realm's: only the key can tell."""
    config = office.realm("default") / "ca.config.yml"
    config.write_text(re.sub(r"  set: .*\n", "", config.read_text()))
    office.end()
    office.start_anew()
    chancery("--realm", "default", "secret", "split", "--shares", 5, "--threshold", 3, "--directory", tmp_path / "other", input="no\n")
    for who, index in zip(OPERATORS, (1, 2)):
        assert "result" in office.enter(who, (tmp_path / "other" / f"default-share-{index}.txt").read_text().strip())
    assert code(office.enter("sys", office.share(3))) == "invalid_params"  # the first share has chosen the set
    refused = office.enter("sys", (tmp_path / "other" / "default-share-3.txt").read_text().strip())
    assert code(refused) == "auth_failed" and "forgotten" in refused["error"]["message"]
    with office.talk("default") as talk:
        assert talk.result("secret.status")["given"] == []
    assert office.unlock(1, 2, 3)["state"] == "open"
    opened = [one for one in office.audit() if one.get("what") == "secret.open"]
    assert [one["outcome"] == "ok" for one in opened] == [False, True]
    assert [one["by"] for one in json.loads(opened[1]["about"])["shares"]] == ["unix:daemon", "unix:bin", "unix:sys"]


@needs_root
def test_attempts_without_end_wait(office):
    for _ in range(5):
        assert code(office.enter("daemon", "chs1:wrong")) == "malformed"
    refused = office.enter("daemon", office.share(1))
    assert code(refused) == "busy" and "wait" in refused["error"]["message"]
    assert "result" in office.enter("bin", office.share(1))  # nobody else is kept out


@needs_root
def test_roles_decide_who_enters_looks_and_locks(office):
    with office.talk_as("nobody", None) as talk:
        assert code(talk.call("session.open", realm="default")) == "not_found"
    office.unlock(1, 2, 3)
    with office.talk_as("daemon") as talk:
        assert code(talk.call("secret.clear")) == "denied"
        assert talk.result("secret.status")["state"] == "open"
    assert "result" in office.issue()
    with office.talk("default") as talk:
        assert talk.result("secret.clear")["state"] == "locked"
    assert code(office.issue()) == "unavailable"
    office.unlock(3, 4, 5)
    assert "result" in office.issue()


@needs_root
def test_clear_forgets_shares(office):
    assert "result" in office.enter("daemon", office.share(1))
    with office.talk("default") as talk:
        assert talk.result("secret.clear")["given"] == []
    assert len(office.enter("daemon", office.share(2))["result"]["given"]) == 1


# ----- reload, restart, crash


@needs_root
def test_it_stays_open_over_a_reload_and_not_over_a_restart(office):
    office.unlock(1, 2, 3)
    office.hangup()
    assert "result" in office.issue()
    assert office.state() == "ready"
    office.process.terminate()
    office.process.wait(60)
    office.start_anew()
    assert office.state() == "locked"
    office.unlock(2, 3, 4)
    assert "result" in office.issue()


@needs_root
def test_a_signer_that_crashes_needs_the_shares_again_and_loses_nothing(office):
    office.unlock(1, 2, 3)
    before = office.issue()["result"]["serial"]
    pid = office.signer("default")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: office.state() == "locked", what="a new signer is locked")
    assert code(office.issue()) == "unavailable"
    with office.talk("default") as talk:
        assert talk.result("certificate.get", serial=before)["serial"] == before
        assert talk.result("audit.verify")["whole"]
    office.unlock(1, 2, 3)
    assert "result" in office.issue()


@needs_root
def test_shares_that_are_in_are_lost_with_the_signer(office):
    assert "result" in office.enter("daemon", office.share(1))
    pid = [one for one in office.find("chancery-signer")][0]
    os.kill(pid, signal.SIGKILL)

    def is_back():
        with office.talk("default") as talk:
            reply = talk.call("secret.status")
            return "result" in reply and reply["result"]["given"] == []
    wait_for(is_back, what="a new signer")
    assert "result" in office.enter("daemon", office.share(1))


@needs_root
def test_c27_another_realm_is_not_disturbed(tmp_path):
    with running(tmp_path, realms=("default", "devices")) as office:
        office.unlock(1, 2, 3, realm="devices")
        assert "result" in office.issue(realm="devices")
        assert code(office.issue()) == "unavailable"
        assert code(office.enter("daemon", office.share(1, "devices"))) == "invalid_params"


# ----- where the secret goes


def memory_of(pid):
    """All that the process can read of its own."""
    out = b""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            first, last = (int(end, 16) for end in line.split()[0].split("-"))
            if "r" not in line.split()[1] or "[v" in line:
                continue
            with contextlib.suppress(OSError, ValueError, OverflowError):
                memory.seek(first)
                out += memory.read(last - first)
    return out


@needs_root
@pytest.mark.skipif(IS_SANITIZED, reason="the sanitizers' own memory is too much to search")
def test_d37_the_share_is_nowhere_afterwards(office):
    share = office.share(1).strip()
    with office.talk_as("daemon") as talk:
        assert "result" in talk.call("secret.enter", secret=share)
        worker = wait_for(lambda: office.find("chanceryd: worker default"), what="the worker")[0]
        groups = share.split(":")[-1]
        for name, pid in (("worker", worker), ("signer", office.find("chancery-signer")[0]), ("master", office.pid)):
            memory = memory_of(pid)
            assert len(memory) > 100000
            assert groups.encode() not in memory, name
            assert groups[5:30].encode() not in memory, name
        assert b"chs1" in memory_of(office.find("chancery-signer")[0])  # the test sees what is there
    for text in (office.log(), json.dumps(office.audit())):
        assert groups not in text and groups[:20] not in text
    journal = b"".join(path.read_bytes() for path in (office.realm("default") / "journal").iterdir())
    assert groups.encode() not in journal


@needs_root
def test_d37_the_passphrase_is_in_no_file(office):
    office.unlock(1, 2, 3)
    shares = {index: bytes_of(office.share(index)) for index in (1, 2, 3)}
    passphrase = combine(shares)
    assert len(passphrase) == 32
    opened = subprocess.run(["openssl", "pkey", "-in", office.realm("default") / "ca.key", "-noout", "-passin", "stdin"], input=passphrase)
    assert opened.returncode == 0
    for path, octets in octets_below(office.directory):
        if "shares" not in path.parts:
            assert passphrase not in octets, path


# ----- the format, by another implementation


def bytes_of(line):
    """A share's values, read by the description in doc/keys.md alone."""
    import base64
    import hashlib
    version, realm, made, index, threshold, groups = line.strip().split(":")
    letters = groups.replace("-", "").upper()
    octets = base64.b32decode(letters + "=" * (-len(letters) % 8))
    values, check = octets[:-5], octets[-5:]
    assert version == "chs1" and check == hashlib.sha256(f"{version}:{realm}:{made}:{index}:{threshold}:".encode() + values).digest()[:5]
    return values


def combine(shares):
    def multiply(a, b):
        product = 0
        while b:
            product ^= a * (b & 1)
            a, b = (a << 1) ^ (0x11D if a & 0x80 else 0), b >> 1
        return product

    def inverse(a):
        return next(b for b in range(256) if multiply(a, b) == 1)

    secret = bytearray(len(next(iter(shares.values()))))
    for index, values in shares.items():
        weight = 1
        for other in shares:
            if other != index:
                weight = multiply(weight, multiply(other, inverse(other ^ index)))
        secret = bytearray(old ^ multiply(value, weight) for old, value in zip(secret, values))
    return bytes(secret)


@pytest.mark.skipif(shutil.which("gfcombine") is None, reason="libgfshare-bin is not installed")
def test_debians_gfcombine_puts_shares_together(tmp_path):
    """So that a share is of use where Chancery is not."""
    chancery("--realm", "default", "secret", "split", "--shares", 6, "--threshold", 4, "--directory", tmp_path / "s", input="correct horse\n")
    files = []
    for index in (6, 1, 5, 2):
        path = tmp_path / f"secret.{index:03d}"
        path.write_bytes(bytes_of((tmp_path / "s" / f"default-share-{index}.txt").read_text().strip()))
        files.append(path)
    subprocess.run(["gfcombine", "-o", tmp_path / "out", *files], check=True)
    assert (tmp_path / "out").read_bytes() == b"correct horse"
    subprocess.run(["gfcombine", "-o", tmp_path / "few", *files[:3]], check=True)
    assert (tmp_path / "few").read_bytes() != b"correct horse"


# ----- making shares


def test_split_says_what_the_realm_needs_and_overwrites_nothing(tmp_path):
    words = ("--realm", "default", "--json", "secret", "split", "--shares", 3, "--threshold", 2, "--directory", tmp_path / "s")
    made = json.loads(chancery(*words, input="a passphrase\n").stdout)
    assert re.fullmatch("[0-9a-f]{8}", made["set"]) and made["set"] in made["configuration"]
    for path in made["files"]:
        assert pathlib.Path(path).stat().st_mode & 0o777 == 0o600
    assert combine({index: bytes_of((tmp_path / "s" / f"default-share-{index}.txt").read_text()) for index in (1, 3)}) == b"a passphrase"
    before = (tmp_path / "s" / "default-share-1.txt").read_text()
    assert "is there" in chancery(*words, check=False, input="a passphrase\n").stderr
    assert (tmp_path / "s" / "default-share-1.txt").read_text() == before


@pytest.mark.parametrize("words, said", [
    (("--shares", 3, "--threshold", 4), "threshold"), (("--shares", 1, "--threshold", 1), "2"), (("--shares", 256, "--threshold", 2), "255")])
def test_split_refuses_numbers(tmp_path, words, said):
    done = chancery("--realm", "default", "secret", "split", *words, "--directory", tmp_path / "s", check=False, input="x\n")
    assert done.returncode == 64 and said in done.stderr
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("text", ["", "\n", "x" * 129 + "\n"])
def test_split_refuses_what_is_no_passphrase(tmp_path, text):
    assert chancery("--realm", "default", "secret", "split", "--shares", 3, "--threshold", 2, "--directory", tmp_path / "s", check=False,
                    input=text).returncode != 0
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("options, said", [
    (("--shares", 3), "all three"), (("--shares", 3, "--threshold", 2), "all three"),
    (("--shares", 2, "--threshold", 3, "--shares-directory", "s"), "at most the 2"),
    (("--shares", 3, "--threshold", 2, "--shares-directory", "s", "--unencrypted"), "one way"),
    (("--prompt", "--unencrypted"), "one way"), (("--prompt", "--credential", "x"), "one way")])
def test_create_refuses_options_that_do_not_go_together(tmp_path, options, said):
    done = chancery("realm", "create", "default", "--realms-directory", tmp_path / "realms", *options, check=False, cwd=tmp_path)
    assert done.returncode == 64 and said in done.stderr, done
    assert not (tmp_path / "realms" / "default").exists()


def test_create_goes_on_with_the_shares_of_a_run_that_was_ended(tmp_path):
    """Killed after the shares were written: they are the ones that open the key in the end."""
    words = ("realm", "create", "default", "--realms-directory", tmp_path / "realms", "--shares", 4, "--threshold", 2, "--shares-directory", tmp_path / "s")
    chancery(*words)
    shares = {path.name: path.read_text() for path in (tmp_path / "s").iterdir()}
    shutil.rmtree(tmp_path / "realms" / "default")
    chancery(*words)
    assert {path.name: path.read_text() for path in (tmp_path / "s").iterdir()} == shares
    (tmp_path / "s" / "default-share-4.txt").unlink()
    shutil.rmtree(tmp_path / "realms" / "default")
    assert "3 shares" in chancery(*words, check=False).stderr


# ----- a typed passphrase, by any user


@pytest.fixture
def prompted(tmp_path):
    path = tmp_path / "first"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    with running(tmp_path, ("--prompt", "--passphrase-file", path)) as one:
        path.unlink()
        yield one


def unlock(office, text, check=True):
    return chancery("--socket", office.socket, "--realm", "default", "realm", "unlock", input=text, check=check)


def test_a_passphrase_is_typed(prompted):
    assert prompted.state() == "locked"
    assert code(prompted.issue()) == "unavailable"
    done = unlock(prompted, "wrong horse\n", check=False)
    assert done.returncode == 77 and "does not open" in done.stderr
    unlock(prompted, "correct horse\n")
    assert "result" in prompted.issue()
    assert "open already" in unlock(prompted, "correct horse\n", check=False).stderr


def test_a_passphrase_is_guessed_five_times(prompted):
    for _ in range(5):
        assert unlock(prompted, "wrong horse\n", check=False).returncode == 77
    assert unlock(prompted, "correct horse\n", check=False).returncode == 75  # the right one waits, too
    assert prompted.state() == "locked"


def test_d37_a_terminal_shows_nothing_of_it(prompted):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(BUILD / "chancery", ["chancery", "--socket", str(prompted.socket), "--realm", "default", "realm", "unlock"])
    shown = b""
    while b"Passphrase: " not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, b"correct horse\n")
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 1000):
            shown += part
    assert os.waitpid(pid, 0)[1] == 0, shown
    assert b"correct" not in shown and b"open" in shown
    assert "result" in prompted.issue()


def test_no_option_takes_the_secret(prompted):
    assert chancery("--socket", prompted.socket, "secret", "enter", "--secret", "x", check=False).returncode == 64


def test_a_key_of_another_certificate_does_not_open(prompted, tmp_path):
    other = tmp_path / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:correct horse", "-out", other],
                   check=True, capture_output=True)
    (prompted.realm("default") / "ca.key").write_bytes(other.read_bytes())
    done = unlock(prompted, "correct horse\n", check=False)
    assert done.returncode == 78 and "another key" in done.stderr
    assert prompted.state() == "locked"


def test_check_holds_without_the_secret(prompted):
    done = subprocess.run([BUILD / "chanceryd", "--check", "--config", prompted.config], capture_output=True, text=True)
    assert done.returncode == 0, done


def test_a_file_realm_takes_no_secret(tmp_path):
    tmp_path.chmod(0o755)
    one = Daemon(tmp_path, ("default",))
    one.start()
    try:
        with one.talk("default") as talk:
            assert talk.result("secret.status")["state"] == "open"
            assert code(talk.call("secret.enter", secret="x")) == "conflict"
            assert code(talk.call("secret.clear")) == "conflict"
    finally:
        one.end()
