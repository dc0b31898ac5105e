"""The master as its children, its clients, systemd and an operator meet it.

Most of this runs chanceryd-stand-in, the master with a worker that echoes single octets ('c' crashes, 'h' hangs up), and
with signers and front ends that are scripts of a few lines: what is tested is the master, and each fault can be ordered.
"""

import contextlib
import os
import pathlib
import resource
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest

BUILD = pathlib.Path(os.environ.get("CHANCERY_PROGRAMS", os.getcwd()))
STAND_IN = BUILD / "chanceryd-stand-in"

# Behaves as the file `behave` in the realm's directory says; "ready" when there is none.
SIGNER = """#!/usr/bin/python3
import os, signal, sys
if sys.argv[1] == "check":
    print("ca.key: found nothing to complain of")
    sys.exit(0)
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
directory = options["--directory"]
ready, life, its_pass = int(options["--ready-fd"]), int(options["--life-fd"]), int(options["--pass-fd"])
assert len(os.read(its_pass, 100)) == 64
os.close(its_pass)
path = os.path.join(directory, "behave")
behave = open(path).read().strip() if os.path.exists(path) else "ready"
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.signal(signal.SIGHUP, lambda *_: open(os.path.join(directory, "hangups"), "a").write("x"))
if behave == "die":
    sys.exit(1)
os.write(ready, (behave + "\\n").encode())
os.close(ready)
if behave.startswith("failed"):
    sys.exit(78)
if behave == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        os.read(life, 1)
        break
    except InterruptedError:
        pass
"""

FRONT_END = """#!/usr/bin/python3
import json, os, signal, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
json.load(os.fdopen(int(options["--config-fd"])))
os.read(int(options["--life-fd"]), 1)
"""


PATIENCE = 60  # seconds, of a machine that has a lot else to do


def wait_for(condition, seconds=PATIENCE, what="the condition"):
    """Polls until the condition gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.01)


def process_state(pid):
    """The letter of /proc/<pid>/stat, or None when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_gone(pid):
    return process_state(pid) in (None, "Z")


def freeze(pid):
    """Stops a process, and waits until it has."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: process_state(pid) == "T", what="the process is stopped")


def title(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(pid):
    try:
        return [int(one) for one in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descriptors(pid):
    """What a process holds beyond 0, 1 and 2: number -> kind ("socket", "pipe", or a path)."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        if int(number) > 2:
            with contextlib.suppress(FileNotFoundError):  # closed since
                found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}").split(":")[0]
    return found


def octets_below(directory):
    """Path and octets of each file; one that goes meanwhile, as SQLite's do, is none."""
    for place, _, names in os.walk(directory):
        for path in (pathlib.Path(place) / name for name in names):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    yield path, path.read_bytes()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """A directory with a configuration, and the master that runs on it."""

    binary = STAND_IN

    def __init__(self, directory, realms=("default", "devices")):
        self.directory = directory
        self.process = None
        self.limits = {"grace": 5, "key-pool": 1}
        self.front_ends = []
        self.log_file = directory / "log"
        self.program("chancery-signer", SIGNER)
        self.program("front-end", FRONT_END)
        for realm in realms:
            self.add_realm(realm)

    def program(self, name, text):
        path = self.directory / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def add_realm(self, name, behave="ready"):
        directory = self.directory / "realms" / name
        directory.mkdir(parents=True)
        (directory / "ca.config.yml").write_text("key_unencrypted: true\n")
        (directory / "behave").write_text(behave)

    def realm(self, name):
        return self.directory / "realms" / name

    @property
    def config(self):
        return self.directory / "chancery.xml"

    @property
    def socket(self):
        return self.directory / "run" / "chanceryd.sock"

    @property
    def pid_file(self):
        return self.directory / "run" / "chanceryd.pid"

    @property
    def pid(self):
        return self.process.pid

    def write_config(self, root="", socket_mode="0666", realms=""):
        limits = " ".join(f'{name}="{value}"' for name, value in self.limits.items())
        front_ends = "".join(f'<front-end name="{name}" program="front-end" realms="*" roles="frontend" {more}/>' for name, more in self.front_ends)
        self.config.write_text(
            f'<chancery run-directory="run" program-directory="bin" {root}><socket mode="{socket_mode}"/><limits {limits}/>'
            f'<realms directory="realms">{realms}</realms><front-ends>{front_ends}</front-ends></chancery>')

    def launch(self, *options, environment=None, **popen):
        self.write_config() if not self.config.exists() else None
        command = [str(self.binary), "--config", str(self.config), *options]
        with open(self.log_file, "a") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(environment or {})}, **popen)
        return self

    def start(self, *options, **how):
        self.launch(*options, **how)
        wait_for(lambda: self.process.poll() is not None or "ready; " in self.log(), 2 * PATIENCE, "the master is ready")
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return self.log_file.read_text() if self.log_file.exists() else ""

    def wait_log(self, text, times=1, seconds=PATIENCE):
        wait_for(lambda: self.log().count(text) >= times, seconds, f"{text!r} in the log, {times} times")

    def hangup(self, expected="reloaded, realms"):
        before = self.log().count(expected)
        os.kill(self.pid, signal.SIGHUP)
        self.wait_log(expected, before + 1)

    def connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(PATIENCE)
        client.connect(str(self.socket))
        return client

    def session(self):
        """A connection that a worker has answered."""
        client = self.connect()
        client.sendall(b"x")
        assert client.recv(1) == b"x", client.recv(1000)
        return client

    def find(self, text):
        """Pids of the master's children whose title has the text in it."""
        return [pid for pid in children(self.pid) if text in title(pid) and not is_gone(pid)]

    def found(self, text, count=1):
        """As many as are expected, once they run: a fresh child bears the master's title."""
        return wait_for(lambda: len(pids := self.find(text)) == count and pids, what=f"{count} of {text!r}")

    def workers(self):
        return self.find("chanceryd: worker")

    def signer(self, realm):
        return wait_for(lambda: self.find(f"chancery-signer serve --realm {realm} "), what=f"signer {realm}")[0]

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def server(tmp_path):
    tmp_path.chmod(0o755)
    one = Server(tmp_path)
    yield one
    one.end()


# ----- what a child gets, and how it ends

def test_d16_a_worker_holds_its_client_its_life_line_and_its_way_to_a_pass(server):
    server.start()
    with server.session(), server.session():
        for pid in wait_for(lambda: len(server.workers()) == 2 and server.workers()):
            assert sorted(descriptors(pid).values()) == ["pipe", "socket", "socket"]


def test_d16_signers_upkeep_and_front_ends_hold_what_they_were_given(server):
    server.front_ends = [("http", "")]
    server.start()
    signer = server.signer("default")
    assert wait_for(lambda: descriptors(signer) == {3: "socket", 5: "pipe"})
    upkeep, = server.found("chanceryd: upkeep")
    assert wait_for(lambda: list(descriptors(upkeep).values()) == ["pipe"])
    front_end, = server.found("bin/front-end")
    assert wait_for(lambda: descriptors(front_end) == {4: "pipe"})


def test_d16_nobody_gets_what_the_starter_left_open(server):
    with open("/etc/passwd") as leak:
        server.start(pass_fds=(leak.fileno(),))
    for pid in [server.pid, *children(server.pid)]:
        assert "/etc/passwd" not in descriptors(pid).values(), title(pid)


def test_d22_titles(server):
    server.start()
    assert title(server.pid) == "chanceryd: master"
    upkeep, = server.found("chanceryd: upkeep")
    assert title(upkeep) == "chanceryd: upkeep"


def test_d13_a_crash_ends_one_connection(server):
    server.start()
    with server.session() as other, server.session() as victim:
        victim.sendall(b"c")
        assert victim.recv(1) == b""
        server.wait_log("signal Aborted")
        other.sendall(b"y")
        assert other.recv(1) == b"y"
    assert server.process.poll() is None


def test_d15_no_zombies_after_a_thousand_connections(server):
    server.start()
    for i in range(1000):
        with server.connect() as client:
            client.sendall(b"h" if i % 3 else b"c")
            client.recv(1)
    wait_for(lambda: not [pid for pid in children(server.pid) if process_state(pid) == "Z"], what="no zombies")
    wait_for(lambda: len(children(server.pid)) == 3, what="two signers and upkeep are left")


def test_d19_a_storm_of_dying_children_is_reaped(server):
    server.limits.update({"max-workers": 400, "max-workers-per-uid": 400})
    server.start()
    clients = [server.session() for _ in range(300)]
    pids = server.workers()
    assert len(pids) == 300
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(children(server.pid)) == 3, what="all are reaped")
    with server.session():
        pass
    for client in clients:
        client.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_d17_i25_children_do_not_outlive_the_master(server, how):
    server.front_ends = [("http", ""), ("zmq", "")]
    server.start()
    clients = [server.session() for _ in range(5)]
    family = children(server.pid)
    assert len(family) == 10
    os.kill(server.pid, how)
    server.process.wait()
    wait_for(lambda: all(is_gone(pid) for pid in family), what="every child is gone")
    for client in clients:
        assert client.recv(1) == b""


def test_d17_a_stopped_worker_goes_too(server):
    server.start()
    with server.session():
        worker = server.workers()[0]
        freeze(worker)
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait()
        wait_for(lambda: is_gone(worker), what="the stopped worker is gone")


# ----- supervision

def test_d18_a_dead_signer_comes_back_on_the_same_socket(server):
    server.start()
    before = os.stat(server.directory / "run" / "signer-default.sock").st_ino
    old = server.signer("default")
    os.kill(old, signal.SIGKILL)
    assert wait_for(lambda: [pid for pid in server.find("signer serve --realm default ") if pid != old])
    server.wait_log("signer default: started as process", 2)
    assert os.stat(server.directory / "run" / "signer-default.sock").st_ino == before
    assert stat.S_IMODE(os.stat(server.directory / "run" / "signer-default.sock").st_mode) == 0o600


def test_d18_a_signer_that_keeps_dying_is_throttled_and_others_work(server):
    server.start()
    devices = server.signer("devices")
    (server.realm("default") / "behave").write_text("die")
    os.kill(server.signer("default"), signal.SIGKILL)
    server.wait_log("signer default: ends again and again; starts are throttled")
    starts = server.log().count("signer default: started as process")
    time.sleep(1.5)
    assert server.log().count("starts are throttled") == 1
    assert 3 <= starts and server.log().count("signer default: started as process") <= starts + 2
    assert server.signer("devices") == devices
    (server.realm("default") / "behave").write_text("ready")
    wait_for(lambda: server.find("signer serve --realm default "), what="it runs again")


def test_d18_upkeep_and_front_ends_come_back(server):
    server.front_ends = [("http", "")]
    server.start()
    for text in ("chanceryd: upkeep", "front-end"):
        old, = server.found(text)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: [pid for pid in server.find(text) if pid != old], what=text)


def test_c27_a_realm_that_fails_does_not_stop_the_other(server):
    (server.realm("devices") / "behave").write_text("failed wrong passphrase")
    server.start()
    assert "signer devices degraded: wrong passphrase" in server.log()
    assert "1 signer" in server.log()
    with server.session():
        pass
    time.sleep(0.3)
    assert server.log().count("signer devices: started as process") == 1
    (server.realm("devices") / "behave").write_text("ready")
    server.hangup()
    wait_for(lambda: server.find("signer serve --realm devices "), what="the signer after the reload")


def test_a_program_that_is_not_there_degrades_its_part(server):
    server.start()
    (server.directory / "bin" / "chancery-signer").unlink()
    os.kill(server.signer("default"), signal.SIGKILL)
    server.wait_log("found no program chancery-signer in")
    with server.session():
        pass


# ----- admission

def test_d1_more_than_the_limit_are_told(server):
    server.limits["max-workers"] = 3
    server.start()
    clients = [server.session() for _ in range(3)]
    with server.connect() as refused:
        assert refused.recv(1000).decode() == "busy 3 of 3 workers are in use\n"
        assert refused.recv(1) == b""
    clients.pop().close()
    wait_for(lambda: len(children(server.pid)) == 3 + 2, what="the worker is reaped")
    with server.session():
        pass
    for client in clients:
        client.close()


def as_nobody(server, code):
    """Runs a line of Python as another user; `connect()` there gives a fresh connection's first answer."""
    script = f"""
import os, socket
os.setgroups([]); os.setgid(65534); os.setuid(65534)
clients = []
def connect():
    client = socket.socket(socket.AF_UNIX); client.settimeout({PATIENCE}); client.connect({str(server.socket)!r})
    clients.append(client)
    try:
        client.sendall(b"x")
    except BrokenPipeError:
        pass
    return client.recv(1000).decode()
{code}
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=2 * PATIENCE)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")


def reachable(path):
    """Lets everybody walk down to a directory that pytest made for its own user."""
    for one in [path, *path.parents]:
        if one.stat().st_uid == os.geteuid() and not one.stat().st_mode & 0o001 and one != pathlib.Path("/"):
            one.chmod(one.stat().st_mode | 0o011)


@needs_root
def test_d5_a_user_has_its_own_limit(server):
    server.limits["max-workers-per-uid"] = 2
    reachable(server.directory)
    server.start()
    out = as_nobody(server, "print(connect(), connect(), connect().strip(), sep='|')")
    assert out.stdout.strip() == "x|x|busy uid 65534 has 2 workers, the most it may have", out.stderr
    with server.session():
        pass


@needs_root
def test_d4_the_last_workers_are_for_administrators(server):
    server.limits["max-workers"] = 20
    reachable(server.directory)
    server.start()
    out = as_nobody(server, "for i in range(15): assert connect() == 'x'\nprint(connect().strip())\nimport subprocess\n"
                            "clients[0].settimeout(None)\nprint('full', flush=True)\nimport time\ntime.sleep(0.2)")
    assert out.stdout.splitlines() == ["busy 15 of 20 workers are in use", "full"], out.stderr
    wait_for(lambda: len(children(server.pid)) == 3, what="the workers are reaped")
    clients = [server.session() for _ in range(20)]
    for client in clients:
        client.close()


@needs_root
def test_the_socket_has_the_mode_it_was_given(server):
    server.write_config(socket_mode="0600")
    server.start()
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o750
    out = as_nobody(server, "print(connect())")
    assert "PermissionError" in out.stderr


def limit_descriptors(pid, most):
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, hard))


def test_d6_d7_without_descriptors_it_refuses_and_does_not_spin(server):
    server.start()
    before, _ = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    limit, answers = 1000, []
    cpu, begin = cpu_seconds(server.pid), time.monotonic()
    while time.monotonic() - begin < 2:
        held = {int(number) for number in os.listdir(f"/proc/{server.pid}/fd")}
        free = min(number for number in range(1000) if number not in held)
        if free < limit:  # the start's own descriptors are closed when they have served
            limit, answers = free, []
            limit_descriptors(server.pid, limit)
        with server.connect() as client:
            answers.append(client.recv(200).decode())
        time.sleep(0.05)
    assert (cpu_seconds(server.pid) - cpu) / (time.monotonic() - begin) < 0.05
    assert answers and set(answers) == {"busy the server is out of descriptors\n"}
    assert server.log().count("accepting pauses for 100 ms: accept: Too many open files") == 1
    limit_descriptors(server.pid, before)
    with server.session():
        pass


@needs_root
def test_d6_without_processes_it_refuses_and_recovers(server):
    """RLIMIT_NPROC does not bind root, so the master runs as a user whom nobody else is: four processes and one worker."""
    stranger = 61000 + os.getpid() % 4000  # runs beside each other do not count each other's processes
    server.write_config()
    for path in (server.directory, *server.directory.rglob("*")):
        os.chown(path, stranger, stranger)
    reachable(server.directory)
    server.start(user=stranger, group=stranger, extra_groups=[],
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (5, 5)))
    with server.session():
        with server.connect() as refused:
            assert refused.recv(200).decode() == "busy the server has no room for another worker\n"
        server.wait_log("accepting pauses for 100 ms: fork: Resource temporarily unavailable")
    wait_for(lambda: len(children(server.pid)) == 3, what="the worker is gone")
    with server.session():
        pass


# ----- control

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_d23_i26_sigterm_ends_in_order_and_cleans_up(server, how):
    server.front_ends = [("http", "")]
    server.start()
    client = server.session()
    family = children(server.pid)
    os.kill(server.pid, how)
    assert server.process.wait(PATIENCE) == 0
    assert client.recv(1) == b""
    assert all(is_gone(pid) for pid in family)
    assert not server.socket.exists() and not server.pid_file.exists()
    assert not list((server.directory / "run").glob("*.sock"))
    lines = server.log().splitlines()
    place = {name: next(i for i, line in enumerate(lines) if line.endswith(f"{name}: stopped")) for name in ("front end http", "signer default")}
    assert place["front end http"] < place["signer default"]


def test_d23_what_does_not_end_in_time_is_killed(server):
    server.limits["grace"] = 1
    server.start()
    with server.session():
        freeze(server.workers()[0])
        begin = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert time.monotonic() - begin > 0.9


def test_d23_a_second_signal_ends_at_once(server):
    server.limits["grace"] = 60
    server.start()
    with server.session():
        freeze(server.workers()[0])
        os.kill(server.pid, signal.SIGTERM)
        server.wait_log("stopping")
        os.kill(server.pid, signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0  # long before the grace is over


def test_d23_a_deaf_signer_does_not_hold_up_the_end(server):
    (server.realm("default") / "behave").write_text("deaf")
    server.launch()
    server.wait_log("signer default: failed: deaf")
    time.sleep(0.2)
    os.kill(server.pid, signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0


def test_f24_sigterm_during_the_start(server):
    for delay in (0, 0.005, 0.01, 0.02, 0.05):
        server.launch()
        time.sleep(delay)
        server.process.terminate()
        assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM)
    server.log_file.unlink()
    server.start()


def test_d24_a_broken_configuration_changes_nothing(server):
    server.start()
    signer = server.signer("default")
    good = server.config.read_text()
    server.config.write_text(good.replace("grace", "grase"))
    server.hangup("not reloaded: the configuration does not hold")
    assert "chancery.xml:1:" in server.log() and '"grase"' in server.log()
    with server.session():
        pass
    assert server.signer("default") == signer
    server.config.write_text(good)
    server.hangup()


def test_d24_realms_come_and_go(server):
    server.start()
    kept = server.signer("default")
    server.add_realm("third")
    removed = server.signer("devices")
    (server.realm("devices") / "ca.config.yml").unlink()
    server.hangup()
    wait_for(lambda: is_gone(removed), what="the removed realm's signer is gone")
    wait_for(lambda: not (server.directory / "run" / "signer-devices.sock").exists(), what="its socket is gone")
    server.signer("third")
    assert (server.directory / "run" / "signer-third.sock").exists()
    assert server.signer("default") == kept
    wait_for(lambda: (server.realm("default") / "hangups").exists(), what="SIGHUP at the kept signer")
    assert os.stat(server.socket)


def test_d24_front_ends_restart_only_when_theirs_changed(server):
    server.front_ends = [("http", ""), ("zmq", "")]
    server.start()
    http, zmq = server.found("bin/front-end", 2)
    server.hangup()
    assert not is_gone(http) and not is_gone(zmq)
    server.front_ends = [("http", "")]
    server.write_config()
    server.hangup()
    wait_for(lambda: len(server.find("bin/front-end")) == 1, what="one front end is left")


def test_d24_settings_of_the_next_start_are_named(server):
    server.start()
    server.limits["max-workers"] = 77
    server.write_config(socket_mode="0600")
    server.hangup()
    assert "the new value of limits/max-workers counts at the next start" in server.log()
    assert "the new value of socket/mode counts at the next start" in server.log()
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o666


def test_d24_d25_no_connection_is_refused_during_fifty_reloads(server):
    server.start()
    failures, served, reloads = [], 0, 0
    next_reload = time.monotonic()
    with server.session() as old:
        while not failures and (reloads < 50 or served <= 100):
            if reloads < 50 and time.monotonic() >= next_reload:
                os.kill(server.pid, signal.SIGHUP)
                reloads += 1
                next_reload += 0.02
            try:
                with server.session():
                    served += 1
            except (OSError, AssertionError) as failure:
                failures.append(failure)
        old.sendall(b"z")
        assert old.recv(1) == b"z"
    assert not failures
    server.wait_log("reloaded")


def test_f24_a_storm_of_hangups(server):
    server.start()
    for _ in range(300):
        os.kill(server.pid, signal.SIGHUP)
    with server.session():
        pass
    assert server.process.poll() is None


# ----- one master, one directory

def test_d29_a_second_master_is_refused_and_names_the_first(server):
    server.start()
    second = subprocess.run([str(STAND_IN), "--config", str(server.config)], capture_output=True, text=True, timeout=PATIENCE)
    assert second.returncode == 75
    assert "another chanceryd serves this run directory" in second.stderr
    assert second.stderr.strip().endswith(f": {server.pid}")
    with server.session():
        pass
    assert server.pid_file.read_text() == f"{server.pid}\n"


def test_d29_what_a_dead_master_left_is_replaced(server):
    server.start()
    server.process.kill()
    server.process.wait()
    assert server.socket.exists() and server.pid_file.exists()
    server.log_file.unlink()
    server.start()
    with server.session():
        pass
    assert server.pid_file.read_text() == f"{server.pid}\n"


def test_d29_a_file_in_the_place_of_the_socket_is_not_removed(server):
    server.write_config()
    (server.directory / "run").mkdir(mode=0o750)
    server.socket.write_text("precious")
    assert server.launch().process.wait(PATIENCE) != 0
    assert "is not a socket" in server.log()
    assert server.socket.read_text() == "precious"


def test_d33_a_run_directory_that_others_may_write_to_is_refused(server):
    server.write_config()
    (server.directory / "run").mkdir()
    (server.directory / "run").chmod(0o777)
    assert server.launch().process.wait(PATIENCE) != 0
    assert "neither group nor others may write to" in server.log()


def test_files_are_private(server):
    server.start()
    assert stat.S_IMODE(server.pid_file.stat().st_mode) == 0o600
    assert "Umask:\t0077" in pathlib.Path(f"/proc/{server.pid}/status").read_text()
    for pid in [server.pid, *children(server.pid)]:
        assert "NoNewPrivs:\t1" in pathlib.Path(f"/proc/{pid}/status").read_text()
        assert "Max core file size        0                    0" in pathlib.Path(f"/proc/{pid}/limits").read_text()


@needs_root
def test_d31_d32_a_front_end_runs_as_its_user(server):
    server.front_ends = [("http", 'user="nobody"')]
    reachable(server.directory)
    server.start()
    front_end, = server.found("bin/front-end")
    status = pathlib.Path(f"/proc/{front_end}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "Gid:\t65534\t65534\t65534\t65534" in status
    assert "CapEff:\t0000000000000000" in status and "CapPrm:\t0000000000000000" in status
    assert (server.directory / "run" / "http").stat().st_uid == 65534


# ----- systemd

@contextlib.contextmanager
def service_manager(directory):
    """The socket that sd_notify(3) writes to."""
    path = str(directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(PATIENCE)
        yield path, listener


def messages_until(listener, text):
    seen = []
    while not seen or text not in seen[-1]:
        seen.append(listener.recv(4096).decode())
    return seen


def test_d27_the_service_manager_is_told(server):
    (server.realm("devices") / "behave").write_text("failed no key")
    with service_manager(server.directory) as (path, manager):
        server.launch(environment={"NOTIFY_SOCKET": path})
        told = messages_until(manager, "READY=1")
        assert "signer devices degraded: no key" in told[-1]
        assert not any("READY=1" in one for one in told[:-1])
        os.kill(server.pid, signal.SIGHUP)
        assert "MONOTONIC_USEC=" in messages_until(manager, "RELOADING=1")[-1]
        messages_until(manager, "READY=1")
        server.process.terminate()
        messages_until(manager, "STOPPING=1")
        assert server.process.wait(PATIENCE) == 0


def test_d27_not_ready_before_every_realm_has_spoken(server):
    (server.realm("devices") / "behave").unlink()
    os.mkfifo(server.realm("devices") / "behave")
    with service_manager(server.directory) as (path, manager):
        server.launch(environment={"NOTIFY_SOCKET": path})
        messages_until(manager, "ready: 1 signer, 1 upkeep")
        time.sleep(0.3)
        manager.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                assert "READY=1" not in manager.recv(4096).decode()
        manager.settimeout(PATIENCE)
        (server.realm("devices") / "behave").write_text("ready\n")
        messages_until(manager, "READY=1")


def test_d20_the_watchdog_is_fed(server):
    with service_manager(server.directory) as (path, manager):
        server.launch(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"})
        begin = time.monotonic()
        for _ in range(5):
            messages_until(manager, "WATCHDOG=1")
        assert time.monotonic() - begin > 0.3  # not oftener than twice in the time that the manager gives


def test_the_managers_variables_go_no_further(server):
    with service_manager(server.directory) as (path, manager):
        server.launch(environment={"NOTIFY_SOCKET": path, "CREDENTIALS_DIRECTORY": "/nowhere"})
        messages_until(manager, "READY=1")
        environment = pathlib.Path(f"/proc/{server.signer('default')}/environ").read_bytes()
        assert b"NOTIFY_SOCKET" not in environment and b"CREDENTIALS_DIRECTORY=/nowhere" in environment


def activated(server, passed, **how):
    """Starts the master with a descriptor passed as systemd does: number 3, LISTEN_PID its own."""
    server.write_config() if not server.config.exists() else None
    launcher = ("import os, sys\nos.dup2(int(sys.argv[1]), 3, inheritable=True)\n"
                "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\nos.execv(sys.argv[2], sys.argv[2:])")
    with open(server.log_file, "a") as log:
        server.process = subprocess.Popen(
            [sys.executable, "-c", launcher, str(passed.fileno()), str(STAND_IN), "--config", str(server.config)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(passed.fileno(),), **how)


def test_d26_a_passed_socket_is_used_and_left_in_place(server):
    (server.directory / "run").mkdir(mode=0o750)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(server.socket))
        listener.listen()
        early = server.connect()  # waits in the socket until the master comes
        activated(server, listener)
        early.sendall(b"e")
        assert early.recv(1) == b"e"
        server.wait_log("ready; ")
        assert sorted(descriptors(server.workers()[0]).values()) == ["pipe", "socket", "socket"]
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        assert server.socket.exists()


@pytest.mark.parametrize("kind,found", [
    ("pipe", "found a file that is no socket, expected a socket"),
    ("inet", "found address family 2, expected a Unix socket"),
    ("path", "/other.sock\", expected "),
])
def test_d26_anything_else_is_refused(server, kind, found):
    with contextlib.ExitStack() as stack:
        if kind == "pipe":
            passed, _ = (stack.enter_context(os.fdopen(end, mode)) for end, mode in zip(os.pipe(), "rw"))
        else:
            passed = stack.enter_context(socket.socket(socket.AF_INET if kind == "inet" else socket.AF_UNIX))
            passed.bind(("127.0.0.1", 0) if kind == "inet" else str(server.directory / "other.sock"))
            passed.listen()
        activated(server, passed)
        assert server.process.wait(PATIENCE) == 78
    assert found in server.log()


# ----- the command

def run(*arguments):
    return subprocess.run([str(STAND_IN), *map(str, arguments)], capture_output=True, text=True, timeout=2 * PATIENCE)


FIVE_MISTAKES = """<chancery run-directory="run">
  <socket mode="0999"/>
  <limits grase="5" max-workers="none"/>
  <realms directory="realms" default="defualt"/>
  <listeners><listener name="http" tls="false" address="127.0.0.1" port="99999" realms="*"/></listeners>
</chancery>
"""


def is_about_a_ca(line):
    """What --check alone finds, by the signers; the realms here have no CA."""
    return "/ca.key" in line or "/ca.crt" in line


@pytest.mark.parametrize("options", [(), ("--check",), ("--print-config",)])
def test_c28_five_mistakes_are_five_findings(server, options):
    server.config.write_text(FIVE_MISTAKES)
    out = run("--config", server.config, *options)
    assert out.returncode == 78
    findings = [line for line in (out.stdout + out.stderr).splitlines() if ": warning: " not in line and not is_about_a_ca(line)]
    places = [line.split(":")[1] for line in findings]
    assert places == ["2", "3", "3", "4", "5"], findings
    for line in findings:
        assert line.startswith(f"{server.config}:"), line
        assert line.split(":")[2].isdigit(), line
    assert 'did you mean "grace"?' in findings[1]
    assert 'did you mean "default"?' in findings[3]
    assert not (server.directory / "run").exists()


def test_c28_the_same_findings_whoever_asks(server):
    server.config.write_text(FIVE_MISTAKES)
    check, start = run("--config", server.config, "--check"), run("--config", server.config)
    assert [line for line in check.stdout.splitlines() if not is_about_a_ca(line)] == start.stderr.splitlines()


def test_c28_what_is_wrong_with_the_cas_is_said_in_the_same_run(server):
    server.config.write_text(FIVE_MISTAKES)
    said = run("--config", server.config, "--check").stdout
    for realm in ("default", "devices"):
        for file in ("ca.key", "ca.crt"):
            assert f"realms/{realm}/{file}" in said, said


def test_d28_check_asks_the_signers(server):
    server.write_config()
    out = run("--config", server.config, "--check")
    assert out.returncode == 0, out.stdout + out.stderr
    assert out.stdout.count("ca.key: found nothing to complain of") == 2
    server.program("chancery-signer", "#!/bin/sh\necho \"$5/ca.key: found mode 0644, expected 0600\"\nexit 78\n")
    out = run("--config", server.config, "--check")
    assert out.returncode == 78
    assert out.stdout.count("found mode 0644") == 2


def test_d28_check_works_beside_a_running_server(server):
    server.start()
    assert run("--config", server.config, "--check").returncode == 0
    with server.session():
        pass


def test_print_config_parses_back_to_itself(server):
    server.front_ends = [("http", "")]
    server.write_config()
    first = run("--config", server.config, "--print-config")
    assert first.returncode == 0, first.stderr
    again = server.directory / "again.xml"
    again.write_text(first.stdout)
    second = run("--config", again, "--print-config")
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout


def test_daemon_returns_when_everything_is_ready(server):
    server.write_config()
    server.config.write_text(server.config.read_text().replace("<limits", f'<log destination="{server.directory}/server.log"/><limits'))
    out = run("--config", server.config, "--daemon")
    assert out.returncode == 0, out.stderr
    pid = int(server.pid_file.read_text())
    try:
        with server.session():
            pass
        assert "ready; " in (server.directory / "server.log").read_text()
        assert os.getsid(pid) == pid
        assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
        # A file that was moved away is opened anew at SIGHUP.
        (server.directory / "server.log").rename(server.directory / "server.log.1")
        os.kill(pid, signal.SIGHUP)
        wait_for(lambda: (server.directory / "server.log").exists(), what="a new log file")
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: is_gone(pid), what="the daemon is gone")


def test_daemon_that_cannot_start_says_so(server):
    server.start()
    out = run("--config", server.config, "--daemon")
    assert out.returncode == 75
    assert str(server.pid) in out.stderr


@pytest.mark.parametrize("arguments,status,text", [
    (["--help"], 0, "--print-config"),
    (["--version"], 0, "chanceryd "),
    (["--chek"], 64, "did you mean --check?"),
    (["--config"], 64, "--config needs a value"),
    (["--config", "/nonexistent.xml"], 78, "/nonexistent.xml:1:1"),
])
def test_command_line(arguments, status, text):
    out = run(*arguments)
    assert out.returncode == status
    assert text in out.stdout + out.stderr
