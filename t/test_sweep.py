"""The kill sweep (PROMISES 3.2, F1-F3): a process dies at the Nth system call that changes something, for N = 1, 2, ... until one
issuance runs through. strace kills at the entry of a call, so each N is "after the step before, before this step"; it counts by
thread, so each kind of call is swept by itself.

Afterwards nothing that was answered is lost, the retried request ends with exactly one certificate, and the journal, the store
and the search agree. The table of what was swept goes to kill-sweep.txt beside the programs under test.
"""

import collections
import os
import re
import subprocess

import pytest

from test_daemon import request_for
from test_master import BUILD, children, is_gone, wait_for

CHANGES = ("write", "writev", "pwrite64", "fsync", "fdatasync", "sendto", "sendmsg", "rename", "ftruncate", "unlink")
MASTER_CHANGES = (*CHANGES, "accept4", "clone", "clone3", "close")
MOST_POINTS = 100
TABLE = BUILD / "kill-sweep.txt"


class Strace:
    """strace on a running process; kills it at the given occurrence of the given calls, or only writes a trace."""

    def __init__(self, pid, calls, *options):
        # Threads are followed, new processes are not.
        threads = ["-f"] if len(os.listdir(f"/proc/{pid}/task")) > 1 else []
        self.process = subprocess.Popen(["strace", *threads, "-p", str(pid), "-e", f"trace={calls}", *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.lines = [self.process.stderr.readline()]
        assert "attached" in self.lines[0], self.lines

    def end(self):
        self.process.terminate()
        self.lines += self.process.stderr.readlines()
        self.process.wait()
        return self.lines


def kill_at(pid, point):
    call, occurrence = point
    return Strace(pid, call, "-e", f"inject={call}:signal=KILL:when={occurrence}")


def was_killed(pid, tracer, point):
    """Ends the tracer and says whether the process met the point; its end may take a moment longer than the client's notice."""
    call, occurrence = point
    starts = collections.Counter(re.match(r"(?:\[pid +(\d+)\] )?", line)[1] for line in tracer.end() if f"{call}(" in line)
    if max(starts.values(), default=0) < occurrence and not is_gone(pid):
        return False
    wait_for(lambda: is_gone(pid), what=f"process {pid} is gone")
    return True


class Sweep:
    """One server, what it has answered so far, and what a client does that lost its answer."""

    def __init__(self, daemon, victim):
        self.daemon, self.victim = daemon, victim
        self.answered = {}  # idempotency key -> serial
        self.requests = {}  # point -> CSR
        self.points = []

    def name(self, point):
        return f"{self.victim}-{point[0]}-{point[1]}.example.com"

    def ask(self, talk, point):
        """The reply to one issuance, or None when the connection ended instead."""
        try:
            reply = talk.call("certificate.issue", profile="server", csr=self.requests[point], idempotency_key=self.name(point))
        except (OSError, ValueError):
            return None
        if reply and "result" in reply:
            self.answered[self.name(point)] = reply["result"]["serial"]
        return reply

    def run(self, kill, call):
        for occurrence in range(1, MOST_POINTS):
            point = (call, occurrence)
            self.requests[point] = request_for(self.name(point))
            killed = kill(self, point)
            self.retry(point)
            if not killed:
                return
            self.points.append(point)
        raise AssertionError(f"still dying at {call} {MOST_POINTS}")

    def retry(self, point):
        """As a client does: again with the same key, until there is an answer."""
        def once():
            with self.daemon.talk("default") as talk:
                reply = self.ask(talk, point)
                return reply if reply and "result" in reply else None
        before = self.answered.get(self.name(point))
        serial = wait_for(once, 60, f"the retry at point {point}")["result"]["serial"]
        assert before in (None, serial), f"point {point}: answered {before}, then {serial}"

    def check(self):
        """Everything answered is there once; the journal and the store agree; no serial number is there twice."""
        with self.daemon.talk("default") as talk:
            talk.result("realm.reconcile")
            assert talk.result("realm.reconcile")["stored"] == []
            serials = []
            for key, serial in self.answered.items():
                assert talk.result("certificate.get", serial=serial)["serial"] == serial
                found = talk.result("certificate.search", san=f"DNS:{key}")["certificates"]
                assert [one["serial"] for one in found] == [serial], (key, found)
                serials.append(serial)
            assert len(set(serials)) == len(serials)

    def write_row(self):
        TABLE.parent.mkdir(exist_ok=True)
        rows = {}
        if TABLE.exists():
            rows = dict(re.findall(r"^(\w+) +(.*)$", TABLE.read_text(), re.M))
        rows[self.victim] = f"killed at {len(self.points)} points, {len(self.answered)} answered, 0 lost, 0 unknown"
        TABLE.write_text("".join(f"{name:8} {row}\n" for name, row in rows.items()))


def talk_and_worker(daemon):
    """A connection and the pid of its worker; again when upkeep connected in the same moment."""
    while True:
        before = set(children(daemon.process.pid))
        talk = daemon.talk("default")
        workers = set(children(daemon.process.pid)) - before
        if len(workers) == 1:
            return talk, workers.pop()
        talk.socket.close()


def sweep_worker(sweep, point):
    talk, worker = talk_and_worker(sweep.daemon)
    with talk:
        tracer = kill_at(worker, point)
        sweep.ask(talk, point)
        return was_killed(worker, tracer, point)


def sweep_signer(sweep, point):
    daemon = sweep.daemon
    with daemon.talk("default") as talk:
        signer = daemon.signer("default")
        tracer = kill_at(signer, point)
        sweep.ask(talk, point)
        return was_killed(signer, tracer, point)


def sweep_master(sweep, point):
    daemon = sweep.daemon
    tracer = kill_at(daemon.process.pid, point)
    try:
        with daemon.talk("default") as talk:
            sweep.ask(talk, point)
    except (OSError, AssertionError, TypeError):
        pass  # the connection never came, or ended at once
    killed = was_killed(daemon.process.pid, tracer, point)
    if killed:
        daemon.process.wait()
        daemon.log_file.unlink()
        daemon.start()
    return killed


SWEEPS = [("worker", sweep_worker, CHANGES, {"fdatasync", "sendto"}),
          ("signer", sweep_signer, CHANGES, {"pwrite64", "fdatasync", "sendto"}),
          ("master", sweep_master, MASTER_CHANGES, {"accept4", "clone", "close"})]


@pytest.mark.parametrize("victim,kill,calls,least", SWEEPS, ids=[one[0] for one in SWEEPS])
def test_F1_F2_F3_C4_C6_kill_sweep(daemon, victim, kill, calls, least):
    sweep = Sweep(daemon, victim)
    for call in calls:
        sweep.run(kill, call)
    assert least <= {call for call, _ in sweep.points}, sweep.points
    sweep.check()
    daemon.kill()
    daemon.log_file.unlink()
    daemon.start()
    sweep.check()
    sweep.write_row()


@pytest.mark.parametrize("victim", ["worker", "signer"])
def test_C7_C8_kill_sweep_of_revocation(daemon, victim):
    """What was acknowledged stays revoked and is on the next CRL; CRL numbers rise whatever dies in between."""
    numbers, revoked = [], []
    with daemon.talk("default") as talk:
        numbers.append(talk.result("crl.issue")["number"])
    for call in ("pwrite64", "fdatasync", "sendto", "rename"):
        for occurrence in range(1, MOST_POINTS):
            with daemon.talk("default") as talk:
                serial = talk.result("certificate.issue", profile="server", csr=request_for("gone.example.com"))["serial"]
            talk, worker = talk_and_worker(daemon)
            with talk:
                pid = worker if victim == "worker" else daemon.signer("default")
                tracer = kill_at(pid, (call, occurrence))
                acknowledged = lost_or_result(talk, "certificate.revoke", serial=serial, reason="superseded")
                crl = lost_or_result(talk, "crl.issue")
                killed = was_killed(pid, tracer, (call, occurrence))
            if acknowledged:
                revoked.append(serial)
            if crl:
                numbers.append(crl["number"])
            daemon.signer("default")  # waits until it is back
            with daemon.talk("default") as talk:
                status = talk.result("ocsp.status", serial=serial)["status"]
                assert status == "revoked" or not acknowledged, (call, occurrence, status)
                numbers.append(talk.result("crl.issue")["number"])
            if not killed:
                break
    assert numbers == sorted(set(numbers)), numbers
    assert len(revoked) >= 2
    with daemon.talk("default") as talk:
        listed = serials_on(talk.result("crl.get")["crl"])
    assert set(revoked) <= listed, set(revoked) - listed


def lost_or_result(talk, method, **params):
    try:
        reply = talk.call(method, **params)
    except (OSError, ValueError):
        return None
    return (reply or {}).get("result")


def serials_on(pem):
    """The serial numbers on a CRL as openssl reads it, in the socket's form."""
    text = subprocess.run(["openssl", "crl", "-noout", "-text"], input=pem, check=True, capture_output=True, text=True).stdout
    return {found.lower() for found in re.findall(r"Serial Number: ([0-9A-F]+)", text)}


def steps(lines, names):
    """The traced calls in the order of their ends, by short names: `pwrite64(7</x/journal/000001>, ...` is "write journal"."""
    found = []
    for line in lines:
        call = re.search(r"(pwrite64|fdatasync|fsync|sendto|sendmsg)(\(| resumed)", line)
        if not call or "unfinished" in line and call[1] in ("sendto", "pwrite64"):
            continue
        thing = next((name for name, pattern in names.items() if re.search(pattern, line)), None)
        if "resumed" in line:  # its first half named the descriptor
            thing = next((name for half in reversed(lines[:lines.index(line)]) if f"{call[1]}(" in half and "unfinished" in half
                          for name, pattern in names.items() if re.search(pattern, half)), None)
        if thing and "unfinished" not in line:
            found.append(f"{call[1]} {thing}")
    return found


SIGNER_STEPS = ["pwrite64 journal", "fdatasync journal", "pwrite64 journal", "fdatasync journal", "sendto answer"]


def trace_of_one_issuance(daemon, name):
    request = request_for(name)
    talk, worker = talk_and_worker(daemon)
    with talk:
        calls = "pwrite64,fdatasync,fsync,sendto,sendmsg"
        signer_trace, worker_trace = Strace(daemon.signer("default"), calls, "-y"), Strace(worker, calls, "-y")
        talk.result("certificate.issue", profile="server", csr=request)
        return (steps(signer_trace.end(), {"journal": "/journal/", "answer": "socket:"}),
                steps(worker_trace.end(), {"store": "realm.db-wal", "socket": "socket:"}))


def test_C1_C2_B7_order_of_writes_syncs_and_answers(daemon):
    """The intention is durable before the signature is made, the signature before the worker has it, the row before the client has
    its answer; nobody could see this in a run in which nothing fails, so it is read from the system calls."""
    with daemon.talk("default") as talk:
        talk.result("certificate.issue", profile="server", csr=request_for("warm.example.com"))
    for attempt in range(5):  # upkeep may have asked the signer for something in the same moment
        signer_steps, worker_steps = trace_of_one_issuance(daemon, f"order-{attempt}.example.com")
        if len(signer_steps) == len(SIGNER_STEPS):
            break
    assert signer_steps == SIGNER_STEPS
    assert worker_steps[0] == "sendto socket" and worker_steps[-1] == "sendto socket", worker_steps
    assert worker_steps[-2] == "fdatasync store" and "pwrite64 store" in worker_steps, worker_steps
