"""`chancery acme watch`: an operator sees orders as they are made, proved, issued and refused, also over a restart of the server."""

import contextlib
import json
import queue
import subprocess
import threading

import pytest

from acme_client import Client
from conftest import System
from test_master import BUILD

PATIENCE = 30


class Watcher:
    """The running program, line by line."""

    def __init__(self, system, *words):
        self.process = subprocess.Popen([BUILD / "chancery", "--socket", system.socket, *words, "acme", "watch", "--every", "0.05"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()

    def line(self, seconds=PATIENCE):
        """The next one; None: none came."""
        with contextlib.suppress(queue.Empty):
            return self.lines.get(timeout=seconds)

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        return self.process.stderr.read()


@pytest.fixture(scope="module")
def system():
    with System.running() as one:
        yield one


@contextlib.contextmanager
def watching(system, *words):
    one = Watcher(system, *words)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.end()


@pytest.fixture
def client(system, web):
    realm = system.realm("default")
    one = Client(realm.directory_url, str(realm.https_ca_file))
    one.register()
    return one


def begin(watcher, client):
    """Orders until the watcher tells of one: it has begun."""
    for i in range(200):
        client.order([f"begin-{i}.localhost"])
        if line := watcher.line(0.2):
            return line
    raise AssertionError("the watcher tells nothing")


def lines_until(watcher, words):
    lines = []
    while not lines or words not in lines[-1]:
        line = watcher.line()
        assert line, lines
        lines.append(line)
    return lines


def test_an_order_is_followed_to_its_certificate(system, client, web):
    with watching(system) as watcher:
        begin(watcher, client)
        client.obtain(["watched.localhost"], web.answers)
        lines = lines_until(watcher, "the order is valid")
        order = lines[-1].split()[1]
        mine = [line for line in lines if line.split()[1] == order]
        for words in ("order made by acme:", "watched.localhost by http-01: valid", "issued for acme:"):
            assert any(words in line for line in mine), (words, mine)


def test_each_line_is_an_object_with_json(system, client):
    with watching(system, "--json") as watcher:
        line = json.loads(begin(watcher, client))
        assert set(line) == {"at", "order", "account", "what"} and line["account"] == client.kid.rsplit("/", 1)[1]


def test_a_server_that_restarts_is_waited_for(system, client):
    with watching(system) as watcher:
        begin(watcher, client)
        system.stop()
        system.start()
        begin(watcher, client)
        assert watcher.end().count("waiting for it") <= 1


@pytest.mark.parametrize("words, said", [(["--realm", "nosuch"], "nosuch"), (["--out", "f"], "takes no"), (["--every", "0"], "expected seconds")])
def test_what_cannot_be_watched_is_said(system, words, said):
    command = ["acme", "watch", *words] if words[0] == "--every" else [*words, "acme", "watch"]
    done = subprocess.run([BUILD / "chancery", "--socket", system.socket, *command], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0 and said in done.stderr
