"""Key pairs made in advance: each goes to one request, none of them anywhere else, and without them everything still works."""

import concurrent.futures
import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

import pytest

from test_daemon import Daemon
from test_master import BUILD, children, descriptors, is_gone, octets_below, title, wait_for

BUILT_IN = ("ca", "ra", "server", "webapp", "laptop", "user", "admin")
SEED = "seed of the tests"
PATIENCE = 120  # the keymaker gives way to whatever else this machine does


class Pooled(Daemon):
    """Every profile has keys of 2048 bits, so that there is one kind, made soon."""

    pool = 2

    def add_realm(self, name, behave="ready"):
        super().add_realm(name)
        (self.realm(name) / "seed").write_text(SEED + "\n")
        (self.realm(name) / "seed").chmod(0o600)
        (self.realm(name) / "ca.config.yml").write_text("key_unencrypted: true\nseed_file: seed\n")
        (self.realm(name) / "profiles").mkdir(exist_ok=True)
        for profile in BUILT_IN:
            self.profile(name, profile, 2048)

    def profile(self, realm, name, bits):
        (self.realm(realm) / "profiles" / f"{name}.yml").write_text(f"keyType: rsa\nkeyLen: {bits}\n")

    def write_config(self, root="", **how):
        self.limits["key-pool"] = self.pool
        super().write_config(root, **how)

    def chatty(self):
        self.write_config()
        self.config.write_text(self.config.read_text().replace("<realms ", '<log level="trace"/><realms ', 1))

    def made_by_workers(self):
        return self.log().count(" is made here: ")

    def set_pool(self, size):
        self.pool = size
        self.write_config()

    @property
    def pool_socket(self):
        return self.directory / "run" / "keymaker.sock"

    def status(self):
        with self.talk() as talk:
            return talk.result("server.status")

    def ready(self):
        """Kind -> how many are ready."""
        return {one["kind"]: one["ready"] for one in self.status()["key_pool"]}

    def wait_full(self, *kinds):
        full = {kind: self.pool for kind in kinds or ("rsa:2048",)}
        wait_for(lambda: self.ready() == full, PATIENCE, f"a pool of {full}")

    def keymaker(self):
        def running():
            return [one["pid"] for one in self.status()["processes"] if one["kind"] == "keymaker" and one["state"] == "ready"]
        return wait_for(running, what="the keymaker")[0]


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Pooled(tmp_path)
    yield one
    one.end()


def generate(daemon, cn, realm="default", **more):
    with daemon.talk(realm) as talk:
        talk.socket.settimeout(PATIENCE)
        return talk.result("certificate.generate", cn=cn, profile="user", **more)


def register(daemon, cn, realm="default"):
    with daemon.talk(realm) as talk:
        talk.socket.settimeout(PATIENCE)
        return talk.result("node.register", seed=SEED, cn=cn, profile="user")


def public_half(answer):
    """Of the private key; it must be the certificate's."""
    of_key = subprocess.run(["openssl", "pkey", "-pubout"], input=answer["private_key"], check=True, capture_output=True, text=True).stdout
    of_certificate = subprocess.run(["openssl", "x509", "-noout", "-pubkey"], input=answer["certificate"], check=True, capture_output=True, text=True).stdout
    assert of_key == of_certificate
    return of_key


def test_D21_registrations_at_once_get_a_key_each(daemon):
    """More than the pool has: the others are made by the workers."""
    daemon.pool = 4
    daemon.start()
    daemon.wait_full()
    with concurrent.futures.ThreadPoolExecutor(12) as several:
        answers = list(several.map(lambda i: (register if i % 2 else generate)(daemon, f"n{i}.example.com", ("default", "devices")[i % 3 == 0]), range(12)))
    assert len({public_half(one) for one in answers}) == 12
    daemon.wait_full()


def test_a_request_takes_one_pair_and_another_is_made(daemon):
    daemon.chatty()
    daemon.start()
    seen = set()
    for i in range(5):
        daemon.wait_full()
        seen.add(public_half(generate(daemon, f"n{i}.example.com")))
    assert len(seen) == 5 and daemon.made_by_workers() == 0


def test_what_policy_refuses_takes_no_pair(daemon):
    daemon.start()
    daemon.wait_full()
    with daemon.talk("default") as talk:
        for params in ({"cn": "localhost", "profile": "server"}, {"cn": "x.example.com", "profile": "nope"}, {"cn": "", "profile": "user"}):
            assert "error" in talk.call("certificate.generate", **params), params
        assert "error" in talk.call("node.register", seed="wrong", cn="x.example.com", profile="user")
        assert daemon.ready() == {"rsa:2048": daemon.pool}
        talk.result("certificate.generate", cn="ec.example.com", profile="user", key="ec:P-256")
        assert daemon.ready() == {"rsa:2048": daemon.pool}


def test_D18_a_killed_keymaker_comes_back_and_nobody_waits_for_it(daemon):
    daemon.start()
    seen = set()
    for i in range(3):
        daemon.wait_full()
        seen.add(public_half(generate(daemon, f"before{i}.example.com")))
        killed = daemon.keymaker()
        os.kill(killed, signal.SIGKILL)
        seen.add(public_half(register(daemon, f"after{i}.example.com")))
        wait_for(lambda: daemon.keymaker() != killed, what="another keymaker")
    # Each keymaker is a fork of the same master: its random numbers are its own all the same (D21).
    daemon.wait_full()
    seen |= {public_half(generate(daemon, f"end{i}.example.com")) for i in range(2)}
    assert len(seen) == 8


def test_a_keymaker_that_does_not_answer_is_done_without(daemon):
    daemon.chatty()
    daemon.start()
    daemon.wait_full()
    os.kill(daemon.keymaker(), signal.SIGSTOP)
    assert public_half(generate(daemon, "stopped.example.com"))
    assert daemon.made_by_workers() == 1
    os.kill(daemon.find("chanceryd: keymaker")[0], signal.SIGCONT)


def test_an_empty_pool_is_done_without(daemon):
    daemon.pool = 1
    daemon.start()
    assert len({public_half(generate(daemon, f"n{i}.example.com")) for i in range(4)}) == 4


@pytest.mark.parametrize("how", ["a pool of 0", "keys that are made in no time"])
def test_without_need_there_is_no_keymaker(daemon, how):
    daemon.pool = 0 if how == "a pool of 0" else 4
    if daemon.pool:
        for realm in ("default", "devices"):
            for name in BUILT_IN:
                (daemon.realm(realm) / "profiles" / f"{name}.yml").write_text("key: ec:P-256\n")
    daemon.start()
    assert public_half(generate(daemon, "n.example.com"))
    assert daemon.find("chanceryd: keymaker") == [] and not daemon.pool_socket.exists() and daemon.status()["key_pool"] == []


def test_D24_a_reload_changes_what_is_kept(daemon):
    daemon.start()
    daemon.wait_full()
    before = daemon.keymaker()
    daemon.hangup()
    assert daemon.keymaker() == before, "nothing of its own changed"
    daemon.profile("devices", "user", 2056)
    daemon.hangup()
    daemon.wait_full("rsa:2048", "rsa:2056")
    assert daemon.keymaker() != before
    daemon.set_pool(0)
    daemon.hangup()
    wait_for(lambda: daemon.find("chanceryd: keymaker") == [], what="the keymaker has ended")
    assert daemon.status()["key_pool"] == [] and public_half(generate(daemon, "n.example.com"))
    daemon.set_pool(1)
    daemon.hangup()
    daemon.wait_full("rsa:2048", "rsa:2056")


def say(path, text):
    """What the keymaker answers to that."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(60)
        one.connect(str(path))
        got = b""
        # It may end before it has read all that is said, and what it answered is there to be read even so.
        with contextlib.suppress(ConnectionError):
            one.sendall(text)
        with contextlib.suppress(ConnectionError):
            while part := one.recv(65536):
                got += part
        return got


def test_who_has_no_pass_gets_no_pair(daemon):
    """Not even as the workers' own user, which a front end is in a server of one user."""
    daemon.start()
    daemon.wait_full()
    assert daemon.pool_socket.stat().st_mode & 0o777 == 0o600
    for line in (b"", b"\n", b"rsa:2048\n", b"default rsa:2048\n", b"default  rsa:2048\n", b"default " + b"0" * 64 + b" rsa:2048\n",
                 b"nobody  rsa:2048\n", b"default " + b"0" * 64 + b" rsa:1024\n", b"x" * 100000, b"\xff\x00\n", b"default 0 rsa:2048\n" * 50):
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(daemon.pool_socket))
            assert say(daemon.pool_socket, line if line else b"half a line that is") == b"" if line else True
    assert daemon.ready() == {"rsa:2048": daemon.pool}
    assert public_half(generate(daemon, "n.example.com"))


def test_D9_hundreds_of_silent_connections_keep_nobody_from_a_pair(daemon):
    daemon.start()
    daemon.wait_full()
    maker = daemon.keymaker()
    silent = [socket.socket(socket.AF_UNIX) for _ in range(300)]
    for one in silent:
        one.connect(str(daemon.pool_socket))
    assert public_half(generate(daemon, "n.example.com"))
    assert len(descriptors(maker)) < 100
    for one in silent:
        one.close()
    daemon.wait_full()
    assert daemon.keymaker() == maker


def test_D17_the_keymaker_goes_with_the_master(daemon):
    """From the middle of a pair that takes a minute."""
    daemon.profile("default", "user", 8192)
    daemon.start()
    family = children(daemon.pid)
    assert daemon.keymaker() in family
    daemon.kill()
    wait_for(lambda: all(is_gone(pid) for pid in family), 60, "every child is gone")


def test_D23_the_keymaker_ends_at_once_when_it_is_told_to(daemon):
    daemon.profile("default", "user", 8192)
    daemon.start()
    daemon.keymaker()
    daemon.process.terminate()
    assert daemon.process.wait(60) == 0
    assert "keymaker: ended" not in daemon.log() and not daemon.pool_socket.exists()


def status_of(pid, task=None):
    path = pathlib.Path(f"/proc/{pid}/task/{task}" if task else f"/proc/{pid}")
    return dict(line.split(":", 1) for line in (path / "status").read_text().splitlines() if ":" in line)


def test_D16_D34_D35_the_keymaker_is_confined(daemon):
    daemon.start()
    daemon.wait_full()
    pid = daemon.keymaker()
    assert title(pid) == "chanceryd: keymaker"
    for task in os.listdir(f"/proc/{pid}/task"):
        status = status_of(pid, task)
        assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"
    assert "Max core file size        0                    0" in pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert sorted(descriptors(pid).values()) == ["pipe", "socket"]
    nices = sorted(os.getpriority(os.PRIO_PROCESS, int(task)) for task in os.listdir(f"/proc/{pid}/task"))
    assert nices == [0, 10], "one answers, one gives way"
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] > 1 << 22 or os.geteuid() == 0:
        assert int(status_of(pid)["VmLck"].split()[0]) > 0


def test_nothing_of_a_key_is_on_the_disk_or_in_the_log(daemon):
    daemon.chatty()
    daemon.start()
    daemon.wait_full()
    answers = [register(daemon, "a.example.com"), generate(daemon, "b.example.com"), generate(daemon, "c.example.com")]
    for answer in answers:
        lines = answer["private_key"].splitlines()[1:-1]
        secret = [line.encode() for line in lines[len(lines) // 2:len(lines) // 2 + 3]]  # of the private half
        for path, octets in octets_below(daemon.directory):
            assert not any(line in octets for line in secret), path


def test_the_status_shows_the_kinds(daemon):
    daemon.profile("devices", "user", 2056)
    daemon.start()
    wait_for(lambda: daemon.status()["key_pool"], what="the pool's kinds")
    assert [(one["kind"], one["size"]) for one in daemon.status()["key_pool"]] == [("rsa:2048", 2), ("rsa:2056", 2)]


@pytest.mark.parametrize("value", ["65", "-1", "many", ""])
def test_the_setting_has_bounds(daemon, value):
    daemon.pool = value
    daemon.write_config()
    done = subprocess.run([BUILD / "chanceryd", "--config", daemon.config, "--check"], capture_output=True, text=True)
    assert done.returncode == 78 and "key-pool" in done.stdout + done.stderr
