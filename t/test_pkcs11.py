"""A CA key in a PKCS #11 token, by SoftHSM 2: issuing and CRLs, a token that goes away and comes back under load, one that hangs, one
that lies, a wrong PIN; and what the processes around it can reach."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import threading

import pytest

from test_daemon import Daemon, request_for
from test_master import BUILD, children, title, wait_for

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "12345678"
KINDS = ["ec:P-256", "ec:P-384", "rsa:2048", "rsa:3072"]

pytestmark = pytest.mark.skipif(not os.path.exists(MODULE), reason="softhsm2 is not installed")


def code(reply):
    assert "error" in reply, reply
    return reply["error"]["data"]["code"]


class Tokens:
    """SoftHSM's directory of tokens, with one in it."""

    def __init__(self, directory):
        self.place = directory / "hsm"
        self.directory = self.place / "tokens"
        self.directory.mkdir(parents=True)
        self.conf = self.place / "softhsm2.conf"
        self.conf.write_text(f"directories.tokendir = {self.directory}\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.pin = directory / "pin"
        self.set_pin(PIN)
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(self.conf), "CHANCERY_PROGRAMS": str(BUILD)}
        self.util("--init-token", "--free", "--label", "chancery", "--so-pin", "87654321", "--pin", PIN)

    def util(self, *words):
        return subprocess.run(["softhsm2-util", *words], check=True, capture_output=True, text=True, env=self.environment).stdout

    def set_pin(self, pin):
        self.pin.write_text(pin + "\n")
        self.pin.chmod(0o600)

    def take_away(self):
        self.directory.rename(self.directory.with_name("taken"))

    def put_back(self):
        self.directory.with_name("taken").rename(self.directory)


class Office(Daemon):
    """A realm whose key is in the token."""

    key = "ec:P-256"
    module = MODULE
    more = ""  # of `pkcs11:`

    def __init__(self, directory, realms=("default",)):
        self.tokens = Tokens(directory)
        super().__init__(directory, realms)

    def add_realm(self, name, behave="ready"):
        self.realm(name).parent.mkdir(exist_ok=True)
        self.create(name)
        config = self.realm(name) / "ca.config.yml"
        config.write_text(config.read_text().replace(MODULE, str(self.module)).replace("pkcs11:\n", "pkcs11:\n" + self.more))

    def create(self, name, *more, check=True, module=MODULE):
        usual = {"--key": self.key, "--pkcs11-module": module, "--token": "chancery", "--token-path": self.tokens.place, "--pin-file": self.tokens.pin}
        words = [word for option, value in usual.items() if option not in more for word in (option, value)]
        done = subprocess.run([BUILD / "chancery", "realm", "create", name, "--realms-directory", self.realm(name).parent, *words, *map(str, more)],
                              capture_output=True, text=True, env=self.tokens.environment)
        assert done.returncode == 0 or not check, done
        return done

    def start(self, *options, **how):
        return super().start(*options, environment=self.tokens.environment, **how)

    def realm_state(self):
        with self.talk("default") as talk:
            found = talk.result("realm.get")
            return found["state"], found["detail"]

    def issue(self, name="a.example.com", **more):
        with self.talk("default") as talk:
            return talk.call("certificate.issue", profile="server", csr=request_for(name), **more)

    def wait_state(self, state, seconds=30):
        wait_for(lambda: self.realm_state()[0] == state, seconds, f"state {state}, it is {self.realm_state()}")

    def all_processes(self, text):
        """Pids below the master whose title has the text."""
        found, left = [], [self.pid]
        while left:
            below = children(left.pop())
            left += below
            found += [pid for pid in below if text in title(pid)]
        return found


@contextlib.contextmanager
def running(directory, **settings):
    directory.chmod(0o755)
    one = type("AnOffice", (Office,), settings)(directory)
    try:
        one.start()
        yield one
    finally:
        one.end()


@pytest.fixture
def office(tmp_path):
    with running(tmp_path) as one:
        yield one


def verify(office, pem):
    path = office.directory / "leaf.pem"
    path.write_text(pem)
    subprocess.run(["openssl", "verify", "-CAfile", office.realm("default") / "ca.crt", path], check=True, capture_output=True)


def crl(office):
    with office.talk("default") as talk:
        return talk.call("crl.issue")


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_issues_and_signs_crls(tmp_path, kind):
    with running(tmp_path, key=kind) as office:
        assert office.realm_state() == ("ready", "")
        assert not (office.realm("default") / "ca.key").exists()
        verify(office, office.issue()["result"]["certificate"])
        made = crl(office)["result"]
        path = office.directory / "crl.pem"
        path.write_text(made["crl"])
        done = subprocess.run(["openssl", "crl", "-in", path, "-CAfile", office.realm("default") / "ca.crt", "-noout"], capture_output=True, text=True)
        assert "verify OK" in done.stderr, done
        with office.talk("default") as talk:
            assert talk.result("secret.status")["store"] == "pkcs11"


def test_c4_a_token_that_goes_and_comes_back_under_load(office):
    """Nothing is lost, and no serial comes twice."""
    issued, refused, failures, stop = [], [], [], threading.Event()
    requests = [request_for(f"h{i}.example.com") for i in range(4)]

    def enrol(number):
        try:
            with office.talk("default") as talk:
                count = 0
                while not stop.is_set():
                    count += 1
                    reply = talk.call("certificate.issue", profile="server", csr=requests[number], idempotency_key=f"{number}-{count}")
                    if "result" in reply:
                        issued.append(reply["result"]["serial"])
                        continue
                    assert code(reply) == "unavailable", reply
                    refused.append(reply)
                    count -= 1  # the same again: it must become the same certificate
                    stop.wait(0.05)
        except Exception as failure:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(failure)

    threads = [threading.Thread(target=enrol, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            before = len(issued)
            wait_for(lambda: len(issued) > before + 20 or failures, 60, "certificates")
            office.tokens.take_away()
            wait_for(lambda: office.realm_state()[0] == "degraded", 60, "the realm is unready")
            assert "token" in office.realm_state()[1]
            assert code(crl(office)) == "unavailable"
            office.tokens.put_back()
            office.wait_state("ready")
            assert "result" in crl(office)
        before = len(issued)
        wait_for(lambda: len(issued) > before + 20 or failures, 60, "certificates")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures and refused
    assert len(set(issued)) == len(issued)
    with office.talk("default") as talk:
        talk.result("realm.reconcile")
        assert talk.result("audit.verify")["whole"]
        found, after = set(), {}
        while True:
            page = talk.result("certificate.search", limit=100, **after)
            found |= {one["serial"] for one in page["certificates"]}
            if "next" not in page:
                break
            after = {"after": page["next"]}
    assert set(issued) <= found


def test_server_status_says_what_is_wrong_and_that_it_is_mended(office):
    office.tokens.take_away()

    def shown():
        with office.talk() as talk:
            return [one for one in talk.result("server.status")["processes"] if one["kind"] == "signer"][0]
    wait_for(lambda: shown()["state"] == "degraded", 60, "the signer is shown as degraded")
    assert shown()["detail"].startswith("token: ")
    office.tokens.put_back()
    wait_for(lambda: shown()["state"] == "ready", 60, "it is shown as ready")


# ----- the PIN


def pin_tries(office):
    """What the token counted cannot be asked of SoftHSM: the signer's log says each refusal once."""
    return office.log().count("the PIN is wrong")


def test_a_wrong_pin_is_tried_once(tmp_path):
    tmp_path.chmod(0o755)
    office = Office(tmp_path)
    office.tokens.set_pin("11111111")
    try:
        office.start()
        state, detail = office.realm_state()
        assert state == "degraded" and "PIN" in detail
        assert code(office.issue()) == "unavailable"
        wait_for(lambda: "not tried again" in office.realm_state()[1], 60, "the watch leaves it alone")
        office.hangup()  # the same PIN is in the file
        assert code(office.issue()) == "unavailable"
        office.tokens.set_pin(PIN)
        office.hangup()
        office.wait_state("ready")
        assert "result" in office.issue()
    finally:
        office.end()


def test_people_give_the_pin(tmp_path):
    tmp_path.chmod(0o755)
    office = Office(tmp_path)
    config = office.realm("default") / "ca.config.yml"
    config.write_text("".join(line + "\n" for line in config.read_text().splitlines() if "pin_file" not in line) + "secret:\n  method: prompt\n")
    try:
        office.start()
        assert office.realm_state()[0] == "locked"
        words = [BUILD / "chancery", "--socket", office.socket, "--realm", "default", "realm", "unlock"]
        assert subprocess.run(words, input="11111111\n", capture_output=True, text=True).returncode == 77
        assert subprocess.run(words, input=PIN + "\n", capture_output=True, text=True).returncode == 0
        assert "result" in office.issue()
        office.tokens.take_away()
        office.wait_state("degraded")
        office.tokens.put_back()
        office.wait_state("ready")  # the signer still has the PIN
        with office.talk("default") as talk:
            assert talk.result("secret.clear")["state"] == "locked"
        assert code(office.issue()) == "unavailable"
        assert subprocess.run(words, input=PIN + "\n", capture_output=True, text=True).returncode == 0
        assert "result" in office.issue()
    finally:
        office.end()


# ----- a module that lies, hangs or dies

LIAR = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST calls;
static CK_FUNCTION_LIST *real;

static int told(const char *word) {
  char path[4096], found[64] = "";
  snprintf(path, sizeof path, "%s", WORDS);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  if (!fgets(found, sizeof found, file)) found[0] = 0;
  fclose(file);
  return strncmp(found, word, strlen(word)) == 0;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR out, CK_ULONG_PTR out_size) {
  if (told("hang")) for (;;) pause();
  if (told("die")) abort();
  if (told("leak")) { FILE *stolen = fopen(STOLEN, "r"); if (stolen) { fclose(stolen); return CKR_OK; } }
  CK_RV value = real->C_Sign(session, data, size, out, out_size);
  if (value == CKR_OK && told("lie")) out[*out_size - 1] ^= 1;
  if (value == CKR_OK && told("long")) *out_size = 1 << 20;
  return value;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  void *library = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
  CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
  if (!get || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  calls = *real;
  calls.C_Sign = sign;
  *list = &calls;
  return CKR_OK;
}
"""


@pytest.fixture
def liar(tmp_path):
    """SoftHSM behind a module that does to signatures what a file says."""
    source, module = tmp_path / "liar.c", tmp_path / "module" / "liar.so"
    module.parent.mkdir()  # all that is beside it the module may read
    words = tmp_path / "hsm" / "words"
    source.write_text(LIAR)
    flags = subprocess.run(["pkg-config", "--cflags", "p11-kit-1"], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-shared", "-fPIC", *flags, f'-DMODULE="{MODULE}"', f'-DWORDS="{words}"', f'-DSTOLEN="{tmp_path}/realms/default/ca.config.yml"',
                    "-o", module, source], check=True)
    module.chmod(0o755)
    with running(tmp_path, module=module, more="  timeout: 8s\n") as office:
        office.say = lambda word: words.write_text(word)
        yield office


@pytest.mark.parametrize("word", ["lie", "long"])
def test_f23_a_signature_that_does_not_verify_never_leaves(liar, word):
    assert "result" in liar.issue()
    liar.say(word)
    assert "error" in liar.issue()
    assert "error" in crl(liar)
    liar.wait_state("degraded")
    with liar.talk("default") as talk:
        rows = talk.result("certificate.search", limit=100)["certificates"]
        assert len(rows) == 1
    liar.say("good")
    liar.wait_state("ready")
    reply = liar.issue()
    verify(liar, reply["result"]["certificate"])
    assert "result" in crl(liar)


def test_a_token_that_hangs_hinders_nobody_else(liar):
    liar.say("hang")
    outcomes = []
    threads = [threading.Thread(target=lambda i=i: outcomes.append(liar.issue(f"h{i}.example.com"))) for i in range(20)]
    for thread in threads:
        thread.start()
    for _ in range(20):  # sixteen threads of the signer, twenty that want a signature
        with liar.talk("default") as talk:
            assert "records" in talk.result("audit.list", limit=1)
    for thread in threads:
        thread.join()
    assert {code(one) for one in outcomes} == {"unavailable"}
    liar.wait_state("degraded")
    liar.say("good")
    liar.wait_state("ready")
    assert "result" in liar.issue()


def test_a_module_that_dies_takes_nothing_with_it(liar):
    signer = liar.all_processes("chancery-signer: default")
    liar.say("die")
    assert code(liar.issue()) == "unavailable"
    liar.wait_state("degraded")
    liar.say("good")
    liar.wait_state("ready")
    assert "result" in liar.issue()
    assert liar.all_processes("chancery-signer: default") == signer


def has_landlock():
    landlock_create_ruleset, ask_version = 444, 1
    return ctypes.CDLL(None, use_errno=True).syscall(landlock_create_ruleset, None, 0, ask_version) > 0


@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
def test_d34_the_module_cannot_read_the_realm(liar):
    liar.say("leak")  # a module that got at the file signs nothing
    assert "result" in liar.issue()


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone sees what processes without dumps have loaded")
def test_d34_the_module_is_loaded_in_its_own_process_alone(office):
    assert "result" in office.issue()
    loaded = {}
    for pid in office.all_processes(""):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/maps") as maps:  # upkeep's workers come and go
            loaded[title(pid)] = "softhsm" in maps.read()
    assert [one for one, has in loaded.items() if has] == ["chancery-signer: token chancery"], loaded


def test_d17_nothing_of_it_outlives_the_signer(office):
    processes = office.all_processes("chancery-signer: token")
    assert len(processes) == 2
    os.kill(office.all_processes("chancery-signer: default")[0], 9)
    wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in processes), what="they end")
    office.wait_state("ready")
    assert "result" in office.issue()


def test_a_keeper_that_is_killed_takes_its_signer_along_and_both_come_back(office):
    os.kill(office.all_processes("chancery-signer: token keeper")[0], 9)
    wait_for(lambda: "the keeper of the token's process has ended" in office.log(), 60, "the signer sees it")
    office.wait_state("ready")
    assert "result" in office.issue()


# ----- making the key


def test_create_makes_a_key_once_and_takes_the_one_that_is_there(tmp_path):
    office = Office(tmp_path)
    (office.realm("default")).rename(tmp_path / "away")
    done = office.create("default", check=False)
    assert done.returncode == 73 and "--existing-key" in done.stderr
    assert not office.realm("default").exists()
    office.create("default", "--existing-key")
    key = lambda path: subprocess.run(["openssl", "x509", "-in", path, "-noout", "-pubkey"], check=True, capture_output=True).stdout  # noqa: E731
    assert key(office.realm("default") / "ca.crt") == key(tmp_path / "away" / "ca.crt")


@pytest.mark.parametrize("more, said", [
    (("--key", "ed25519"), "expected ec:P-256"), (("--token", "other"), "no token of label other"), (("--unencrypted",), "beside options"),
    (("--existing-key", "--key-label", "none"), "0 private keys")])
def test_create_refuses(tmp_path, more, said):
    office = Office(tmp_path)
    done = office.create("another", *more, check=False)
    assert done.returncode != 0 and said in done.stderr, done
    assert not office.realm("another").exists()


def test_create_refuses_what_is_no_module(tmp_path):
    office = Office(tmp_path)
    plain = tmp_path / "plain.so"
    plain.write_text("no library")
    for module, said in ((plain, "does not load"), ("/usr/lib/none.so", "no such file")):
        done = office.create("another", check=False, module=module)
        assert done.returncode != 0 and said in done.stderr, done


def test_another_key_of_that_label_is_not_used(tmp_path):
    """The certificate says which key it is."""
    tmp_path.chmod(0o755)
    office = Office(tmp_path)
    office.create("second")
    config = office.realm("default") / "ca.config.yml"
    config.write_text(config.read_text().replace('key_label: "default"', 'key_label: "second"'))
    shutil.rmtree(office.realm("second"))
    try:
        office.start()
        state, detail = office.realm_state()
        assert state == "degraded" and "another one" in detail
        assert code(office.issue()) == "unavailable"
    finally:
        office.end()


def test_check_holds_and_asks_nothing_of_the_token(tmp_path):
    office = Office(tmp_path)
    office.write_config()
    office.tokens.set_pin("11111111")
    office.tokens.take_away()
    done = subprocess.run([BUILD / "chanceryd", "--check", "--config", office.config], capture_output=True, text=True)
    assert done.returncode == 0, done
