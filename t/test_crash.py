"""F1: processes die while clients are served. What was answered stays; a client that lost its answer asks again and gets one."""

import contextlib
import os
import queue
import random
import select
import signal
import socket
import threading

import pytest

from test_daemon import issue, request_for
from test_master import children, title, wait_for

CLIENTS = 4


class Load:
    """Clients that issue without a pause, each request with a key of its own, until they are told to stop."""

    def __init__(self, daemon):
        self.daemon, self.answered, self.asked, self.trouble = daemon, {}, queue.Queue(), "none"
        self.stopped, self.requests = threading.Event(), [request_for(f"load-{i}.example.com") for i in range(CLIENTS)]
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, client):
        number = 0
        while not self.stopped.is_set():
            try:
                with self.daemon.talk("default") as talk:
                    while not self.stopped.is_set():
                        number += 1
                        self.issue(talk, client, f"{client}-{number}")
            except (OSError, ValueError, AssertionError, TypeError) as trouble:
                self.trouble = repr(trouble)  # the connection ended, or nobody listens yet

    def issue(self, talk, client, key):
        self.asked.put((client, key))
        reply = talk.call("certificate.issue", profile="server", csr=self.requests[client], idempotency_key=key)
        if "result" in reply:
            self.answered[key] = reply["result"]["serial"]
        else:
            self.trouble = reply["error"]["message"]

    def wait_for_more(self, count):
        wanted = len(self.answered) + count
        try:
            wait_for(lambda: len(self.answered) >= wanted, 120, f"{wanted} answers")
        except AssertionError as late:
            raise AssertionError(f"{late}; the last trouble was {self.trouble}; {self.daemon.log_file.read_text()[-3000:]}") from None

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def check(self):
        """Every answer holds, and every question asked again ends with one certificate."""
        with self.daemon.talk("default") as talk:
            for key, serial in self.answered.items():
                assert talk.result("certificate.get", serial=serial)["state"] == "valid", key
            everything = dict(self.answered)
            for client, key in list(self.asked.queue):
                again = talk.result("certificate.issue", profile="server", csr=self.requests[client], idempotency_key=key)["serial"]
                assert everything.setdefault(key, again) == again, key
            assert len(set(everything.values())) == len(everything)
            talk.result("realm.reconcile")
            stored, after = set(), {}
            while after is not None:
                page = talk.result("certificate.search", limit=1000, **after)
                stored |= {one["serial"] for one in page["certificates"]}
                after = {"after": page["next"]} if page.get("next") else None
            assert set(everything.values()) <= stored
            # Nothing else was made: one certificate for each key that ever reached a signer.
            named = {one["serial"] for client in range(CLIENTS) for one in
                     talk.result("certificate.search", san=f"DNS:load-{client}.example.com", limit=1000)["certificates"]}
            assert named <= set(everything.values())


def kill_worker(daemon):
    workers = [pid for pid in children(daemon.process.pid) if "worker default" in title(pid)]
    if workers:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.kill(random.choice(workers), signal.SIGKILL)


def kill_signer(daemon):
    os.kill(daemon.signer("default"), signal.SIGKILL)


def kill_master(daemon):
    daemon.kill()
    daemon.log_file.unlink()
    daemon.start()


def test_F1_a_dead_masters_signer_still_listens(daemon):
    """The socket of a signer that outlives its master for a moment is replaced, and not respected."""
    daemon.kill()
    daemon.log_file.unlink()
    path = daemon.directory / "run" / "signer-default.sock"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
        old.listen()
        daemon.start()
        with daemon.talk("default") as talk:
            assert issue(talk, "after.example.com")["serial"]
        assert not select.select([old], [], [], 0)[0], "somebody asked the old signer"


@pytest.mark.parametrize("kill,times", [(kill_worker, 20), (kill_signer, 5), (kill_master, 5)], ids=["worker", "signer", "master"])
def test_F1_killed_during_load(daemon, kill, times):
    load = Load(daemon)
    try:
        for _ in range(times):
            load.wait_for_more(10)
            kill(daemon)
        load.wait_for_more(10)
    finally:
        load.stop()
    load.check()
