"""The daemon as a whole, chanceryd with its real workers and signers, under what happens to processes."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from test_master import BUILD, PATIENCE, Server, children, descriptors, freeze, is_gone, title, wait_for


def request_for(name):
    """A CSR for a DNS name with a fresh key, as PEM."""
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
               "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Talk:
    """One connection to the socket: requests out, replies in."""

    def __init__(self, path, realm=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r")
        self.last_id = 0
        if realm:
            self.result("session.open", realm=realm)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def send(self, method, **params):
        self.last_id += 1
        self.socket.sendall((json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}) + "\n").encode())

    def read(self):
        line = self.lines.readline()
        return json.loads(line) if line else None

    def call(self, method, **params):
        self.send(method, **params)
        return self.read()

    def result(self, method, **params):
        reply = self.call(method, **params)
        assert reply and "result" in reply, reply
        return reply["result"]


class Daemon(Server):
    """The real programs of the build, on realms with real keys."""

    binary = BUILD / "chanceryd"

    def add_realm(self, name, behave="ready"):
        directory = self.realm(name)
        directory.mkdir(parents=True)
        (directory / "ca.config.yml").write_text("key_unencrypted: true\n")
        subprocess.run([BUILD / "chancery-signer", "create", "--realm", name, "--directory", directory, "--unencrypted"],
                       check=True, capture_output=True)

    def write_config(self, root="", **how):
        super().write_config(root, **how)
        self.config.write_text(self.config.read_text().replace('program-directory="bin"', f'program-directory="{BUILD}"'))

    def talk(self, realm=None):
        return Talk(self.socket, realm)

    def signer(self, realm):
        def running():
            with self.talk() as talk:
                found = [one for one in talk.result("server.status")["processes"] if (one["kind"], one["name"]) == ("signer", realm)]
                return [one["pid"] for one in found if one["state"] == "ready"]
        return wait_for(running, what=f"signer {realm}")[0]

    def hangup(self, expected="reloaded, realms"):
        """Until its signers, which the master tells last, have looked at their profiles, too."""
        def looks(pid):
            return len(re.findall(rf"\[{pid}\] .*(?:profiles read anew|the profiles stay as they were)", self.log()))
        before = {pid: looks(pid) for pid in self.find("chancery-signer serve ")}
        super().hangup(expected)
        if expected == "reloaded, realms":
            wait_for(lambda: all(is_gone(pid) or looks(pid) > count for pid, count in before.items()), what="the signers have looked")

    def kill(self):
        self.process.kill()
        self.process.wait()


def before_libc(directory, source):
    """The environment of programs that find the functions of this C source before libc's."""
    (directory / "stub.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", directory / "stub.so", directory / "stub.c"], check=True)
    return {"ASAN_OPTIONS": "verify_asan_link_order=0", "LD_PRELOAD": str(directory / "stub.so")}


@contextlib.contextmanager
def running_daemon(directory):
    """A Daemon that serves; workers of another user get through to its directory."""
    directory.chmod(0o755)
    one = Daemon(directory)
    one.start()
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Daemon(tmp_path)
    yield one
    one.end()


def issue(talk, name):
    return talk.result("certificate.issue", profile="server", csr=request_for(name))


def test_d16_a_worker_holds_nothing_of_another_realm(daemon):
    daemon.start()
    with daemon.talk("default") as here, daemon.talk("devices") as there:
        issue(here, "a.example.com")
        issue(there, "b.example.com")
        for realm, other in (("default", "devices"), ("devices", "default")):
            worker = wait_for(lambda: daemon.find(f"chanceryd: worker {realm} unix:"), what=f"a worker of {realm}")[0]
            held = descriptors(worker).values()
            assert any(f"/realms/{realm}/" in path for path in held)
            assert not any(f"/realms/{other}" in path for path in held)
            # The client, its own signer, the life line: no listener, no other signer, nothing of the master's.
            assert sorted(kind for kind in held if not kind.startswith("/")) == ["pipe", "socket", "socket"]


def test_d16_a_signer_holds_its_own_journal_and_no_database(daemon):
    daemon.start()
    for realm in ("default", "devices"):
        paths = [path for path in descriptors(daemon.signer(realm)).values() if path.startswith("/")]
        assert all(path.startswith(f"{daemon.realm(realm)}/journal") for path in paths if str(daemon.directory) in path), paths


def test_d1_the_refusal_is_a_line_of_the_protocol(daemon):
    daemon.limits["max-workers"] = 2
    daemon.start()
    daemon.wait_log(": CRL 1 until", 2)  # upkeep's first round is over
    wait_for(lambda: not daemon.workers(), what="its workers are gone")
    with daemon.talk("default"), daemon.talk("default"), daemon.talk() as refused:
        reply = refused.read()
        assert reply["error"]["data"]["code"] == "busy"
        assert reply["error"]["message"] == "2 of 2 workers are in use"
        assert refused.read() is None


@pytest.mark.parametrize("send", [b"", b'{"jsonrpc"', b'{"jsonrpc":"2.0","id":1,"method":"server.ping"}\n'], ids=["silence", "half a line", "pings"])
def test_D9_who_never_opens_a_session_is_sent_away(daemon, send):
    """Whatever it says meanwhile."""
    daemon.limits["unopened-timeout"] = 1
    daemon.start()
    with daemon.talk() as idle:
        idle.socket.sendall(send)
        idle.socket.settimeout(0.2)
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    if not idle.socket.recv(65536):
                        break
                    idle.socket.sendall(send)
        assert time.monotonic() < deadline, "still connected"
    with daemon.talk("default") as other:
        assert other.result("server.ping")["pong"]


def test_d1_a_realm_has_its_own_limit(daemon):
    daemon.limits["max-workers-per-realm"] = 2
    daemon.start()
    daemon.wait_log(": CRL 1 until", 2)  # upkeep's first round is over
    wait_for(lambda: not daemon.workers(), what="its workers are gone")
    with daemon.talk("default"), daemon.talk("default"), daemon.talk() as third:
        assert third.call("session.open", realm="default")["error"]["data"]["code"] == "busy"
        with daemon.talk("devices") as other:
            other.result("session.whoami")


def test_d13_a_killed_worker_ends_one_connection(daemon):
    daemon.start()
    daemon.wait_log(": CRL 1 until", 2)  # upkeep's first round is over
    with daemon.talk("devices") as victim, daemon.talk("default") as other:
        worker, = wait_for(lambda: len(found := daemon.find("chanceryd: worker devices unix:")) == 1 and found)
        os.kill(worker, signal.SIGKILL)
        assert victim.read() is None
        issue(other, "c.example.com")


def test_d17_everything_goes_with_the_master_even_from_half_a_request(daemon):
    daemon.start()
    with daemon.talk("default"), daemon.talk() as half:
        half.socket.sendall(b'{"jsonrpc":"2.0",')
        time.sleep(0.2)
        family = children(daemon.pid)
        assert len(family) >= 5, [title(pid) for pid in family]
        daemon.kill()
        wait_for(lambda: all(is_gone(pid) for pid in family), what="every child is gone")


def test_f1_a_killed_master_starts_again_and_has_lost_nothing(daemon):
    daemon.start()
    with daemon.talk("default") as talk:
        serials = [issue(talk, f"n{i}.example.com")["serial"] for i in range(3)]
    for _ in range(3):
        daemon.kill()
        daemon.log_file.unlink()
        daemon.start()
        with daemon.talk("default") as talk:
            for serial in serials:
                assert talk.result("certificate.get", serial=serial)["serial"] == serial
            serials.append(issue(talk, "again.example.com")["serial"])


def test_f3_a_killed_signer_is_back_for_the_next_request(daemon):
    daemon.start()
    with daemon.talk("default") as talk:
        issue(talk, "d.example.com")
        os.kill(daemon.signer("default"), signal.SIGKILL)
        # The master keeps the signer's socket, so a connect waits for the next one instead of failing.
        deadline = time.monotonic() + PATIENCE
        while "error" in (reply := talk.call("certificate.issue", profile="server", csr=request_for("e.example.com"))):
            assert time.monotonic() < deadline, reply


def test_d23_a_request_in_hand_is_answered(daemon):
    """The signer is stopped meanwhile, so that it stays in hand until the master has been told to end."""
    daemon.limits["grace"] = PATIENCE
    daemon.start()
    signer = daemon.signer("default")

    def is_in_hand():
        with daemon.talk() as other:
            states = [row["state"] for row in other.result("server.status")["workers"] if row.get("realm") == "default"]
        return states and set(states) == {"busy"}
    with daemon.talk("default") as talk:
        csr = request_for("f.example.com")
        talk.result("session.whoami")
        freeze(signer)
        talk.send("certificate.issue", profile="server", csr=csr)
        wait_for(is_in_hand, what="the request is in hand")
        os.kill(daemon.pid, signal.SIGTERM)
        daemon.wait_log("stopping")
        os.kill(signer, signal.SIGCONT)
        reply = talk.read()
        assert reply and "result" in reply, reply
    assert daemon.process.wait(PATIENCE) == 0


def test_d24_two_hundred_requests_a_second_through_fifty_reloads(daemon):
    daemon.start()
    next_reload, reloads = time.monotonic(), 0
    with daemon.talk("default") as old:
        while reloads < 50:
            if time.monotonic() >= next_reload:
                os.kill(daemon.pid, signal.SIGHUP)
                reloads, next_reload = reloads + 1, next_reload + 0.05
            with daemon.talk("default") as talk:
                talk.result("server.ping")
        issue(old, "g.example.com")


def test_d24_a_reload_reaches_signers_and_new_sessions(daemon):
    daemon.start()
    with daemon.talk("default") as old:
        assert "special" not in str(old.result("profile.list"))
        (daemon.realm("default") / "profiles").mkdir(exist_ok=True)
        (daemon.realm("default") / "profiles" / "special.yml").write_text("keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\n")
        daemon.hangup()
        assert "special" not in str(old.result("profile.list"))
        with daemon.talk("default") as new:
            assert "special" in str(new.result("profile.list"))


def test_c26_c27_a_realm_without_its_key_does_not_stop_the_other(daemon):
    (daemon.realm("devices") / "ca.key").rename(daemon.directory / "saved.key")
    daemon.start()
    with daemon.talk("default") as talk:
        issue(talk, "h.example.com")
        signers = {one["name"]: one for one in talk.result("server.status")["processes"] if one["kind"] == "signer"}
    assert signers["default"]["state"] == "ready"
    assert signers["devices"]["state"] == "degraded"
    assert "ca.key" in signers["devices"]["detail"]
    with daemon.talk("devices") as talk:  # at once, not after waiting for nobody
        refusal = talk.call("certificate.issue", profile="server", csr=request_for("h.example.com"))["error"]
        assert refusal["data"]["code"] == "unavailable" and "ca.key" in refusal["message"], refusal
    check = subprocess.run([daemon.binary, "--config", daemon.config, "--check"], capture_output=True, text=True)
    assert check.returncode == 78 and "ca.key" in check.stdout
    (daemon.directory / "saved.key").rename(daemon.realm("devices") / "ca.key")
    daemon.hangup()
    daemon.signer("devices")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as waiting:
        waiting.connect(str(daemon.directory / "run" / "signer-devices.sock"))
    with daemon.talk("devices") as talk:
        issue(talk, "i.example.com")


def test_check_says_what_a_new_configuration_changes(daemon, tmp_path):
    daemon.start()
    new = tmp_path / "etc-new" / "chancery.xml"
    new.parent.mkdir()

    def diff(text):
        new.write_text(text)
        return subprocess.run([BUILD / "chanceryd", "--check", "--diff", daemon.config, new], capture_output=True, text=True)

    old = daemon.config.read_text().replace('="run"', f'="{tmp_path}/run"').replace('="realms"', f'="{tmp_path}/realms"')
    same = diff(old)
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "nothing changes"), same
    changed = diff(old.replace("</chancery>", '<identities><identity user="nobody" roles="auditor"/></identities></chancery>'))
    assert changed.returncode == 0 and "identity user=nobody" in changed.stdout.splitlines()[-1], changed
    broken = diff(old.replace("</chancery>", "<limit/></chancery>"))
    assert broken.returncode == 78 and 'unknown name "limit"' in broken.stdout, broken


# ----- what a fork copies

# The sanitizers' and, where Debian has them as no archives, those of C++ (configure.ac) come beside them.
FORKED = {"libc", "libcrypto", "libevent_core", "libm", "libsqlite3"}
OF_THE_BUILD = {"ld-linux", "linux-vdso", "libasan", "libdl", "libfmt", "libgcc_s", "libidn2", "libpthread", "libpugixml", "libre2", "librt", "libspdlog", "libstdc++", "libubsan", "libunistring",
                "libyaml-cpp"}


def test_a_fork_copies_no_library_that_few_need():
    """Each library takes its part of every fork, so of every connection; what a realm may ask for is loaded when it does."""
    done = subprocess.run(["ldd", BUILD / "chanceryd"], check=True, capture_output=True, text=True)
    names = {re.match(r"(?:.*/)?([a-z_+0-9-]+?)(?:-[0-9.]+|-x86-64|-aarch64)?\.so", line.split()[0])[1] for line in done.stdout.splitlines()}
    assert "libcrypto" in names
    assert names <= FORKED | OF_THE_BUILD
