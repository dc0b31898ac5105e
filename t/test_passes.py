"""C22, D21: who of a running server has which pass in its memory (server/base/realm_passes.h), and what a worker gets that asks for
them as the master does not expect it.

The memory of a process is read from outside, all of it; what a taken-over worker would send is sent on the worker's own socket,
which pidfd_getfd(2) brings here.
"""

import contextlib
import ctypes
import os
import pathlib
import pwd
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile

import pytest

from conftest import IS_SANITIZED
from test_daemon import Daemon, issue, running_daemon
from test_master import freeze, is_gone, title, wait_for

SYS_PIDFD_GETFD = 438  # of every architecture
pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of others"),
              pytest.mark.skipif(IS_SANITIZED, reason="the sanitizers' own memory is too much to search")]
REALMS = ("default", "devices")
PASS_OCTETS = 64


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("passes")) as one:
        yield one


@pytest.fixture(scope="module")
def passes(server):
    return Passes(server)


# ----- memory

def memory(pid):
    """The octets of each mapping that the process could read itself."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as octets:
        for line in maps:
            bounds, rights = line.split()[:2]
            if not rights.startswith("r") or line.rstrip().endswith(("[vvar]", "[vvar_vclock]", "[vsyscall]")):
                continue
            start, end = (int(one, 16) for one in bounds.split("-"))
            octets.seek(start)
            with contextlib.suppress(OSError):  # behind the end of a file
                yield octets.read(end - start)


def found_in(pid, passes):
    """Those of the passes that the process has, as text or as the octets behind the text."""
    parts = list(memory(pid))
    assert sum(map(len, parts)) > 1_000_000
    return {one for one in passes if any(one in part or bytes.fromhex(one.decode()) in part for part in parts)}


def texts_like_passes(pid):
    """Every row of so many hexadecimal digits, also within a longer one: what stands beside a pass may be anything."""
    return {text for part in memory(pid) for text in re.findall(rb"(?=([0-9a-f]{%d}))" % PASS_OCTETS, part)}


def is_signers_pass(daemon, realm, text):
    """The signer's own word."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(60)
        one.connect(str(daemon.directory / "run" / f"signer-{realm}.sock"))
        one.sendall(text + b'\n{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}\n')
        with contextlib.suppress(ConnectionResetError):
            return b"result" in one.recv(1000)
    return False


def process(daemon, kind):
    return wait_for(lambda: daemon.find(f"chanceryd: {kind}"), what=kind)[0]


class Passes:
    """Every pass of a server: by realm those of the signers, and those of the keymaker."""

    def __init__(self, daemon):
        self.signers = {}
        of_master = texts_like_passes(daemon.pid)
        for realm in REALMS:
            candidates = of_master & texts_like_passes(daemon.signer(realm))
            self.signers[realm], = [text for text in candidates if is_signers_pass(daemon, realm, text)]
        # What upkeep has as well are other texts, which every child of the master inherits.
        self.keymakers = of_master & texts_like_passes(process(daemon, "keymaker")) - texts_like_passes(process(daemon, "upkeep"))
        # Memory that was used before may go on with another digit behind a pass.
        self.keymakers = {one for one in self.keymakers if not any(one[:-1] == other[1:] for other in self.keymakers - {one})}
        assert len(self.keymakers) == len(REALMS)
        self.all = set(self.signers.values()) | self.keymakers
        assert len(self.all) == 2 * len(REALMS)

    def of(self, pid):
        return found_in(pid, self.all)


@contextlib.contextmanager
def unopened(daemon):
    """A connection that was answered and has no session, and its worker."""
    daemon.wait_log(": CRL 1 until", len(REALMS), 60)  # upkeep's first round is over
    wait_for(lambda: not daemon.workers(), what="no other worker")
    with daemon.talk() as talk:
        talk.socket.settimeout(60)
        talk.result("server.ping")
        yield talk, wait_for(lambda: [pid for pid in daemon.workers() if title(pid) == "chanceryd: worker"], what="its worker")[0]


def test_C22_D21_F50_a_worker_has_no_pass_before_session_open_and_then_its_own(server, passes):
    shown = []
    for realm, other in (REALMS, REALMS[::-1]):
        with unopened(server) as (talk, worker):
            assert passes.of(worker) == set(), "before session.open"
            talk.result("session.open", realm=realm)
            assert passes.of(worker) == set(), "before the signer is needed"
            issue(talk, "pass.example.com")
            held = passes.of(worker)
            assert passes.signers[realm] in held and passes.signers[other] not in held
            shown.append(held & passes.keymakers)
    assert [len(one) for one in shown] == [1, 1] and shown[0] != shown[1]


def test_C22_D21_the_other_processes_have_the_passes_they_are_shown(server, passes):
    assert passes.of(server.pid) == passes.all
    assert passes.of(process(server, "upkeep")) == set()
    assert passes.of(process(server, "keymaker")) == passes.keymakers
    for realm in REALMS:
        assert passes.of(server.signer(realm)) == {passes.signers[realm]}


def test_C22_D21_processes_that_start_later_have_no_more(daemon):
    """After a reload, and after a signer and the keymaker were killed."""
    passes = Passes(daemon)
    daemon.hangup()
    for pid in (daemon.signer("default"), process(daemon, "keymaker")):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: is_gone(pid), what="its end")
    wait_for(lambda: daemon.log().count("keymaker: started") == 2, what="another keymaker")
    assert passes.of(daemon.signer("default")) == {passes.signers["default"]}
    assert passes.of(process(daemon, "keymaker")) == passes.keymakers
    assert passes.of(process(daemon, "upkeep")) == set()
    with unopened(daemon) as (talk, worker):
        assert passes.of(worker) == set()
        talk.result("session.open", realm="default")
        issue(talk, "later.example.com")
        assert passes.signers["default"] in passes.of(worker)


NOBODY = pwd.getpwnam("nobody")


def opened_by_nobody(pid):
    """What nobody's other processes can open of that one."""
    script = f"""
for name in ("mem", "environ", "maps"):
    try:
        open("/proc/{pid}/" + name, "rb").close()
        print(name)
    except PermissionError:
        pass
"""
    done = subprocess.run([sys.executable, "-c", script], user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_C22_D35_where_all_is_one_user_it_cannot_look_into_the_master():
    """A worker that was taken over before session.open is under no Landlock yet."""
    with tempfile.TemporaryDirectory(prefix="chancery-passes-") as directory:  # where nobody can go
        one = Daemon(pathlib.Path(directory))
        one.write_config()
        for path in (one.directory, *one.directory.rglob("*")):
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        one.start(user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[])
        try:
            with one.talk("default") as talk:
                issue(talk, "nobody.example.com")
                for pid in (one.pid, one.signer("default"), process(one, "keymaker"), process(one, "worker default")):
                    assert opened_by_nobody(pid) == [], title(pid)
        finally:
            one.end()


# ----- a worker in somebody else's hands

def sockets_of(pid):
    """Copies of the process's sockets."""
    pidfd = os.pidfd_open(pid)
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket"):
            copy = libc.syscall(SYS_PIDFD_GETFD, pidfd, int(number), 0)
            assert copy >= 0, os.strerror(ctypes.get_errno())
            found.append(socket.socket(fileno=copy))
    os.close(pidfd)
    return found


@contextlib.contextmanager
def taken_over(daemon):
    """A worker without a session, and the socket on which it asks for passes."""
    with unopened(daemon) as (talk, worker):
        found = sockets_of(worker)
        window, = [one for one in found if one.type == socket.SOCK_SEQPACKET]
        window.settimeout(60)
        yield talk, worker, window
        for one in found:
            one.close()


def question(place):
    return struct.pack("=I", place)


def check_serves(daemon):
    """That others get what they came for."""
    for realm in REALMS:
        with daemon.talk(realm) as talk:
            issue(talk, "others.example.com")


def gone(window):
    """Whether the master has shut the window."""
    try:
        return window.recv(4096) == b""
    except ConnectionResetError:
        return True


HOSTILE = {"nothing": b"", "short": question(0)[:3], "long": question(0) + b"x", "very long": bytes(100_000), "a realm behind the last": question(2),
           "the largest number": question(0xffffffff), "a name": b"default"}


@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE.keys())
def test_C22_what_is_no_question_gets_no_pass(server, octets):
    with taken_over(server) as (talk, worker, window):
        window.send(octets)
        assert gone(window)
        assert (f"worker process {worker} gets no passes: found" in server.log()) == bool(octets)
        # There is no second question, not even an honest one.
        with pytest.raises(BrokenPipeError):
            window.send(question(0))
        assert talk.call("session.open", realm="default")["error"]["data"]["code"] == "unavailable"
        check_serves(server)


def test_C22_F50_a_worker_gets_the_passes_of_one_realm(server, passes):
    with taken_over(server) as (_, _, window):
        window.send(question(1))
        first = window.recv(4096)
        assert first[:PASS_OCTETS] == passes.signers["devices"] and first[PASS_OCTETS:] in passes.keymakers
        with contextlib.suppress(BrokenPipeError):
            window.send(question(0))
        assert gone(window)


def test_C22_F50_of_questions_that_come_together_the_first_is_answered(server, passes):
    with taken_over(server) as (_, _, window):
        freeze(server.pid)
        for place in (0, 1, 0):
            window.send(question(place))
        os.kill(server.pid, signal.SIGCONT)
        heard = []
        while b"" not in heard:
            with contextlib.suppress(ConnectionResetError):  # the kernel's word for questions that nobody read
                heard.append(window.recv(4096))
        assert [one[:PASS_OCTETS] for one in heard] == [passes.signers["default"], b""]


def test_C22_D16_descriptors_that_come_with_a_question_are_not_kept(server):
    with taken_over(server) as (_, _, window), open("/etc/passwd") as file:
        before = set(os.listdir(f"/proc/{server.pid}/fd"))
        socket.send_fds(window, [question(0)], [file.fileno()] * 200)
        assert len(window.recv(4096)) == 2 * PASS_OCTETS
        assert gone(window)
        assert set(os.listdir(f"/proc/{server.pid}/fd")) < before


def test_a_worker_that_says_all_it_can_keeps_nobody_waiting(server):
    with taken_over(server) as (_, _, window):
        freeze(server.pid)
        window.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                window.send(question(7))
        os.kill(server.pid, signal.SIGCONT)
        check_serves(server)
        window.setblocking(True)
        assert gone(window)


def test_D16_the_master_keeps_nothing_of_workers_that_are_gone(server):
    with unopened(server):
        pass
    wait_for(lambda: not server.workers(), what="its end")
    before = set(os.listdir(f"/proc/{server.pid}/fd"))
    for realm in (None, *REALMS, None) * 5:
        with server.talk(realm) as talk:
            talk.result("server.ping")
    wait_for(lambda: not server.workers(), what="their end")
    wait_for(lambda: set(os.listdir(f"/proc/{server.pid}/fd")) <= before, what="the master holds what it held")


# ----- a master that is slow, gone, or has another configuration by now

def test_session_open_does_not_wait_for_the_master(server):
    with unopened(server) as (talk, worker):
        freeze(server.pid)
        assert talk.result("session.open", realm="default")["realm"] == "default"
        assert talk.result("certificate.search", san="DNS:x.example.com")["certificates"] == []
        os.kill(server.pid, signal.SIGCONT)
        issue(talk, "frozen.example.com")


def test_a_master_that_does_not_answer_is_named_and_asked_again(server):
    with unopened(server) as (talk, worker):
        freeze(server.pid)
        talk.result("session.open", realm="default")
        said = talk.call("crl.issue")["error"]
        assert said["data"]["code"] == "unavailable" and "the master's answer about this realm's passes: no answer within" in said["message"], said
        os.kill(server.pid, signal.SIGCONT)
        issue(talk, "thawed.example.com")


def test_D17_a_worker_that_waits_for_the_master_ends_with_it(daemon):
    with unopened(daemon) as (talk, worker):
        freeze(daemon.pid)
        talk.result("session.open", realm="default")
        talk.send("crl.issue")
        daemon.kill()
        with contextlib.suppress(ConnectionResetError):
            answer = talk.read()  # the end, or what it found before its own
            assert answer is None or answer["error"]["data"]["code"] == "unavailable", answer
        wait_for(lambda: is_gone(worker), what="the worker's end")


def ca_of(talk):
    return talk.result("ca.get")["certificate"]


def test_D24_a_worker_from_before_a_reload_gets_the_passes_of_its_realm(daemon):
    """Although another realm has its place by now."""
    with daemon.talk("default") as talk:
        expected = ca_of(talk)
    with unopened(daemon) as (talk, worker):
        daemon.add_realm("another")
        daemon.hangup()
        daemon.signer("another")
        talk.result("session.open", realm="default")
        issued = issue(talk, "reload.example.com")
        assert ca_of(talk) == expected and issued["chain"][0] == expected
        assert talk.call("session.open", realm="another")["error"]["data"]["code"] == "conflict"
    with daemon.talk("another") as talk:
        issue(talk, "new.example.com")


def test_D24_a_realm_that_is_gone_since_is_said_to_be(daemon):
    with unopened(daemon) as (talk, worker):
        daemon.write_config(realms='<realm name="default"/>')
        daemon.hangup()
        daemon.wait_log("signer devices: stopped")
        talk.result("session.open", realm="devices")
        assert talk.call("crl.issue")["error"]["data"]["code"] == "unavailable"
    with daemon.talk("default") as talk:
        issue(talk, "left.example.com")
