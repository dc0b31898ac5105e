"""Validation by several vantage points: real chancery-validate processes, of which each sees a DNS of its own (PROMISES I10)."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest
import zmq

from acme_client import make_csr, b64
from challenges import ChallengeSystem, account, answer, begin, begin_dns, challenge_of, check_refused, digest, key_authorization, order
from challenges import client  # noqa: F401: a fixture
from conftest import BUILD, free_ports
from dns_server import TXT, Dns, caa, txt

POINTS = 3
QUORUM = 2  # the usual one of three
PATIENCE = 60


def make_key(file):
    """@return the public key; the secret one is in the file."""
    made = subprocess.run([BUILD / "chancery-zmq", "--make-key", "--out", file], check=True, capture_output=True, text=True).stdout
    return json.loads(made)["public_key"]


def wait_until(what, *words):
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, words
        time.sleep(0.02)


class Point:
    """A chancery-validate with a key, a DNS and a log of its own."""

    def __init__(self, directory, clients, *options):
        self.directory, self.options = directory, options
        directory.mkdir()
        self.public_key = make_key(directory / "key")
        (directory / "clients").write_text("# who may ask\n" + "".join(one + "\n" for one in clients))
        self.port, = free_ports(1)
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.dns, self.process = Dns(), None

    def command(self):
        return [BUILD / "chancery-validate", "--listen", self.address, "--key", self.directory / "key", "--clients", self.directory / "clients",
                "--resolver", f"127.0.0.1:{self.dns.port}", *self.options]

    def start(self):
        before = self.words().count("looks from")
        self.process = subprocess.Popen([str(one) for one in self.command()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.directory / "log", "a"))
        wait_until(lambda: self.process.poll() is not None or self.words().count("looks from") > before, self.address)
        assert self.process.poll() is None, self.words()

    def words(self):
        file = self.directory / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE)

    def close(self):
        self.stop(signal.SIGKILL)
        self.dns.stop()


class VantageSystem(ChallengeSystem):
    """Realm default asks three vantage points; devices one, at an address where another key is."""

    def lay_out_realm(self, name):
        if name == "default":
            key = make_key(self.directory / "etc" / "vantage.curve")
            self.stranger = make_key(self.directory / "etc" / "stranger.curve")
            self.points = [Point(self.directory / f"point-{i}", [key], "--allow-loopback") for i in range(POINTS)]
            for point in self.points:
                point.start()
        super().lay_out_realm(name)
        rows = {"default": [f"{one.address} {one.public_key}" for one in self.points],
                "devices": [f"{self.points[0].address} {self.stranger}"]}[name]
        path = self.directory / "var" / "realms" / name / "ca.config.yml"
        path.write_text(path.read_text() + "  vantage_points:\n" + "".join(f"    - '{row}'\n" for row in rows))

    def lay_out(self):
        super().lay_out()
        path = self.directory / "etc" / "chancery.xml"
        path.write_text(path.read_text().replace('program="chancery-http"', 'program="chancery-http" vantage-key-file="vantage.curve"'))
        # What the servers' user got with the rest.
        for point in self.points:
            subprocess.run(["chown", "-R", f"{os.geteuid()}", point.directory], check=True)

    def stop(self):
        super().stop()
        for point in vars(self).get("points", []):
            point.close()

    def key_of(self, name):
        return (self.directory / "etc" / f"{name}.curve").read_text().strip()


@pytest.fixture(scope="module")
def system(dns):
    with VantageSystem.running(resolver_port=dns.port) as one:
        yield one


def prove(client, name, *servers):
    """By dns-01, with the record at these DNS servers and a wrong one at no other."""
    url, challenge, place = begin_dns(client, name)
    for one in servers:
        one.zone[place] = [txt(digest(client, challenge))]
    return answer(client, url, challenge)


def servers_of(system, *numbers):
    return [system.points[i].dns for i in numbers]


def has_logged(system, text):
    wait_until(lambda: text in system.log.read_text(), text)


# ----- who sees what

def test_I10_what_all_see_is_proved(system, client, dns):
    assert prove(client, "all.vantage.example", dns, *servers_of(system, 0, 1, 2)) == ("valid", None)
    for point in system.points:
        has_logged(system, f"vantage point {point.address}: yes")
        wait_until(lambda: point.dns.asked("_acme-challenge.all.vantage.example", TXT), "its question")  # two answers are enough
        assert point.dns.asked("_acme-challenge.all.vantage.example", TXT) == 1, "by its own resolver, once"


def test_I10_a_hijack_of_the_front_ends_view_alone_is_found_out(system, client, dns):
    said = check_refused(prove(client, "hijacked.vantage.example", dns), "dns")
    assert said.startswith(f"3 of 3 vantage points did not find it, and {QUORUM} must: ")
    assert all(f"{point.address}: " in said for point in system.points), said


def test_I10_what_the_front_end_does_not_see_nobody_else_is_asked(system, client):
    check_refused(prove(client, "unseen.vantage.example", *servers_of(system, 0, 1, 2)), "dns")
    assert not any(point.dns.asked("_acme-challenge.unseen.vantage.example", TXT) for point in system.points)


@pytest.mark.parametrize("blind", range(POINTS))
def test_I10_one_of_three_may_see_something_else(system, client, dns, blind):
    name = f"one-{blind}.vantage.example"
    system.points[blind].dns.zone["_acme-challenge." + name] = [txt("another digest")]
    assert prove(client, name, dns, *servers_of(system, *(i for i in range(POINTS) if i != blind))) == ("valid", None)
    has_logged(system, f"vantage point {system.points[blind].address}: no: ")


def test_I10_two_of_three_may_not(system, client, dns):
    name = "two.vantage.example"
    for i in (0, 2):
        system.points[i].dns.zone["_acme-challenge." + name] = [txt("another digest")]
    said = check_refused(prove(client, name, dns, *servers_of(system, 1)), "incorrectResponse")
    assert said.startswith("2 of 3 vantage points did not find it") and system.points[1].address not in said, said


def test_I10_http01_is_looked_at_by_each(system, client, dns, web):
    name = "web.vantage.example"
    for one in (dns, *servers_of(system, 0, 1, 2)):
        one.zone[name] = ["127.0.0.1"]
    url, challenge = begin(client, name, "http-01")
    web.answers[challenge["token"]] = key_authorization(client, challenge)
    assert answer(client, url, challenge) == ("valid", None)
    assert len([path for path in web.requests if path.endswith(challenge["token"])]) == 1 + POINTS


# ----- CAA

def test_I10_caa_is_looked_at_by_each(system, client, dns):
    name = "caa.vantage.example"
    for one in servers_of(system, 0, 1):
        one.zone[name] = [caa("issue", "another-ca.example")]
    said = check_refused(prove(client, name, dns, *servers_of(system, 0, 1, 2)), "caa")
    assert said.startswith("2 of 3 vantage points did not find it"), said


def finalize(client, url, document, name):
    asked = client.post(document["finalize"], {"csr": b64(make_csr([name])[1])})
    assert asked.ok, asked.text
    return client.poll(url, ("valid", "invalid"))


def make_stale(system, name):
    """As if CAA had been looked at nine hours ago."""
    with sqlite3.connect(system.directory / "var" / "realms" / "default" / "db" / "realm.db", timeout=60) as database:
        (challenges, its_id), = database.execute("SELECT challenges, id FROM acme_authorization WHERE value = ?", (name,)).fetchall()
        rows = json.loads(challenges)
        for one in rows:
            if "caa_checked_at" in one:
                one["caa_checked_at"] -= 9 * 3600
        database.execute("UPDATE acme_authorization SET challenges = ? WHERE id = ?", (json.dumps(rows), its_id))


@pytest.mark.parametrize("forbids,ends", [(1, "valid"), (2, "invalid")])
def test_I10_caa_before_issuing_is_looked_at_by_each(system, client, dns, forbids, ends):
    name = f"stale-{forbids}.vantage.example"
    order_url, document = order(client, name)
    url = document["authorizations"][0]
    challenge = challenge_of(client, url, "dns-01")
    for one in (dns, *servers_of(system, 0, 1, 2)):
        one.zone["_acme-challenge." + name] = [txt(digest(client, challenge))]
    assert answer(client, url, challenge) == ("valid", None)
    make_stale(system, name)
    for one in servers_of(system, *range(forbids)):
        one.zone[name] = [caa("issue", "another-ca.example")]
    ended = finalize(client, order_url, document, name)
    assert ended["status"] == ends, ended
    if ends == "invalid":
        assert ended["error"]["type"].endswith(":caa") and "2 of 3 vantage points" in ended["error"]["detail"], ended


# ----- who is not there

def test_I10_dead_points_say_no_and_are_asked_again_when_they_are_back(system, client, dns):
    all_servers = (dns, *servers_of(system, 0, 1, 2))
    first, second = system.points[:2]
    gone, before = f"vantage point {first.address}: no ", len(system.log.read_text())
    first.stop()
    try:
        for i in range(2):
            assert prove(client, f"dead-{i}.vantage.example", *all_servers) == ("valid", None)
        said = lambda: [line for line in system.log.read_text()[before:].splitlines() if gone in line and "not said any more" in line]
        wait_until(lambda: len(said()) == 1, "once")
        second.stop(signal.SIGKILL)
        said = check_refused(prove(client, "dead-2.vantage.example", *all_servers), "serverInternal")
        assert "2 of 3 vantage points did not find it" in said and "no connection within 5 s" in said, said
    finally:
        first.start()
        second.start() if second.process.poll() is not None else None
    assert prove(client, "dead-3.vantage.example", *all_servers) == ("valid", None)
    has_logged(system, f"vantage point {first.address} answers again")
    has_logged(system, f"vantage point {second.address} answers again")
    wait_until(lambda: first.dns.asked("_acme-challenge.dead-3.vantage.example", TXT), "its question")
    assert first.dns.asked("_acme-challenge.dead-3.vantage.example", TXT) == 1


def test_I10_a_point_that_hangs_holds_nobody_up(system, client, dns):
    """It is stopped in the middle of everything: its machine takes connections and questions still, and nobody answers."""
    all_servers, hanging = (dns, *servers_of(system, 0, 1, 2)), system.points[2]
    assert prove(client, "hang-before.vantage.example", *all_servers) == ("valid", None)  # so that there is a connection
    hanging.process.send_signal(signal.SIGSTOP)
    try:
        for i in range(2):  # by that connection, and by a new one
            assert prove(client, f"hang-{i}.vantage.example", *all_servers) == ("valid", None)
        has_logged(system, f"vantage point {hanging.address}: no answer within 5 s of those that decided; until it answers again")
        # Without a quorum it is waited for to the end, and the others' word is the verdict.
        name = "hang-refused.vantage.example"
        system.points[1].dns.zone["_acme-challenge." + name] = [txt("another digest")]
        said = check_refused(prove(client, name, *servers_of(system, 0), dns), "incorrectResponse")
        assert said.startswith("2 of 3 vantage points did not find it") and f"{hanging.address}: no " in said, said
    finally:
        hanging.process.send_signal(signal.SIGCONT)
    assert prove(client, "hang-after.vantage.example", *all_servers) == ("valid", None)
    has_logged(system, f"vantage point {hanging.address} answers again")


class Silent:
    """Takes the connections of a stopped point, and says nothing: what a dead middlebox does."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.taken = []
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self.listener.accept()[0])

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)
        for one in self.taken:
            one.close()


@pytest.mark.parametrize("silent,outcome", [([1], ("valid", None)), ([1, 2], ("invalid", "serverInternal"))])
def test_I10_who_takes_connections_and_says_nothing_has_said_no(system, client, dns, silent, outcome):
    with contextlib.ExitStack() as stack:
        for i in silent:
            system.points[i].stop(signal.SIGKILL)
            stack.callback(system.points[i].start)
            stack.callback(Silent(system.points[i].port).close)
        status, error = prove(client, f"silent-{len(silent)}.vantage.example", dns, *servers_of(system, 0, 1, 2))
        assert (status, error and error["type"].rsplit(":", 1)[1]) == outcome
        if error:
            assert error["detail"].startswith("2 of 3 vantage points did not find it") and "no connection within 5 s" in error["detail"], error
    assert prove(client, f"spoken-{len(silent)}.vantage.example", dns, *servers_of(system, 0, 1, 2)) == ("valid", None)


def test_I10_a_point_that_is_restarted_in_between_is_found_again(system, client, dns):
    all_servers = (dns, *servers_of(system, 0, 1, 2))
    assert prove(client, "before.vantage.example", *all_servers) == ("valid", None)
    for point in system.points:
        point.stop(signal.SIGKILL)
        point.start()
    assert prove(client, "after.vantage.example", *all_servers) == ("valid", None)


def test_I10_a_point_with_another_key_is_nobody(system, dns, web):
    one = account(system, "devices")
    name = "key.vantage.example"
    for server in (dns, system.points[0].dns):
        server.zone[name] = ["127.0.0.1"]
    url, challenge = begin(one, name, "http-01")
    web.answers[challenge["token"]] = key_authorization(one, challenge)
    said = check_refused(answer(one, url, challenge), "serverInternal")
    assert said.startswith("1 of 1 vantage points did not find it") and "no connection within 5 s" in said, said
    assert len(web.requests) == 1, "the front end's own look"


def front_end_descriptors(system):
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
            if "chancery-http" in words and str(system.programs) in os.readlink(entry / "exe"):
                return len(list((entry / "fd").iterdir()))
        except OSError:
            continue
    raise AssertionError("no chancery-http")


def test_D6_no_descriptors_are_lost_on_dead_points(system, client, dns):
    all_servers = (dns, *servers_of(system, 0, 1, 2))
    prove(client, "fds-first.vantage.example", *all_servers)
    before = front_end_descriptors(system)
    system.points[2].stop()
    try:
        for i in range(3):
            assert prove(client, f"fds-{i}.vantage.example", *all_servers) == ("valid", None)
    finally:
        system.points[2].start()
    assert front_end_descriptors(system) <= before + 8


# ----- who may ask a point

class Asker:
    """A front end of the test's own."""

    def __init__(self, point, secret=None, public=None):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger, self.socket.rcvtimeo, self.socket.sndtimeo = 0, PATIENCE * 1000, PATIENCE * 1000
        if secret:
            self.socket.curve_serverkey = point.public_key.encode()
            self.socket.curve_secretkey = secret.encode()
            self.socket.curve_publickey = public.encode() if public else zmq.curve_public(secret.encode())
        self.socket.connect(point.address)

    def ask(self, *frames):
        self.socket.send_multipart([b"", *(one if isinstance(one, bytes) else json.dumps(one).encode() for one in frames)])
        empty, text = self.socket.recv_multipart()
        assert empty == b""
        return json.loads(text)

    def close(self):
        self.socket.close()


QUESTION = {"version": 1, "id": "0" * 32, "ask": "proof", "question": {
    "method": "dns-01", "name": "asked.vantage.example", "is_address": False, "wildcard": False, "token": "t", "thumbprint": "p",
    "account_url": "https://ca.example/1", "rules": {"http01_port": 80, "tlsalpn01_port": 443, "resolver": {"server": "127.0.0.1:1", "anchors": []},
                                                     "grounds": {"allow_loopback": False, "allowed": [], "forbidden": []}, "caa_issuers": []}}}


@pytest.fixture
def asker(system):
    one = Asker(system.points[0], system.key_of("vantage"))
    yield one
    one.close()


def test_a_question_is_answered_by_the_places_own_resolver(system, asker):
    system.points[0].dns.zone["_acme-challenge.asked.vantage.example"] = [txt("nothing of the kind")]
    said = asker.ask(QUESTION)
    assert said["id"] == QUESTION["id"] and not said["valid"] and said["error"]["type"] == "incorrectResponse", said


def test_a_place_that_does_not_allow_loopback_says_so(system, tmp_path):
    strict = Point(tmp_path / "strict", [zmq.curve_public(system.key_of("vantage").encode()).decode()])
    one = None
    try:
        strict.start()
        one = Asker(strict, system.key_of("vantage"))
        question = json.loads(json.dumps(QUESTION))
        question["question"]["rules"]["grounds"]["allow_loopback"] = True
        said = one.ask(question)
        assert not said["valid"] and "--allow-loopback" in said["error"]["detail"], said
        assert not strict.dns.questions
        question["question"] |= {"method": "http-01", "name": "127.0.0.1", "is_address": True}
        question["question"]["rules"]["grounds"]["allow_loopback"] = False
        said = one.ask(question)
        assert said["error"]["type"] == "connection" and "loopback" in said["error"]["detail"], said
    finally:
        if one:
            one.close()
        strict.close()


@pytest.mark.parametrize("text", [b"", b"hello", b"{}", b"\xff\x00", b"[" * 1000, json.dumps({**QUESTION, "version": 2}).encode(),
                                  json.dumps({**QUESTION, "more": 1}).encode(), b" " * 70000],
                         ids=["empty", "text", "object", "octets", "nested", "newer", "unknown member", "long"])
def test_what_is_no_question_is_answered_in_words(asker, text):
    if not text:
        asker.socket.send_multipart([b"", b""])
        said = json.loads(asker.socket.recv_multipart()[1])
    else:
        said = asker.ask(text)
    assert said["id"] == "" and not said["valid"] and said["error"]["type"] == "serverInternal", said


def test_D11_more_than_a_question_may_be_ends_the_connection_alone(system, asker):
    large = Asker(system.points[0], system.key_of("vantage"))
    try:
        large.socket.send_multipart([b"", b"x" * (4 << 20)])
        wait_until(lambda: "octets without waiting for an answer" in system.points[0].words(), system.points[0].words())
    finally:
        large.close()
    assert asker.ask(QUESTION)["id"] == QUESTION["id"]


@pytest.mark.parametrize("key,said", [("stranger", "unknown CURVE key"), (None, "without CURVE")])
def test_who_is_not_known_is_not_answered(system, key, said):
    one = Asker(system.points[1], system.key_of(key) if key else None)
    try:
        with contextlib.suppress(zmq.Again):  # nobody takes it
            one.socket.send_multipart([b"", json.dumps(QUESTION).encode()], zmq.NOBLOCK)
        wait_until(lambda: said in system.points[1].words(), system.points[1].words())
        assert not one.socket.poll(0)
    finally:
        one.close()


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" + bytes(8) + b"\x7f" + b"\xff" * 200, bytes(1000)])
def test_other_protocols_do_no_harm(system, asker, octets):
    with socket.create_connection(("127.0.0.1", system.points[0].port), timeout=PATIENCE) as one:
        one.sendall(octets)
        one.settimeout(PATIENCE)
        while True:
            try:
                if not one.recv(4096):
                    break
            except ConnectionError:
                break
    assert asker.ask(QUESTION)["id"] == QUESTION["id"]


# ----- how it runs

def test_D35_it_can_become_no_more_than_it_is(system):
    status = pathlib.Path(f"/proc/{system.points[0].process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, status
    limits = pathlib.Path(f"/proc/{system.points[0].process.pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if line.startswith("Max core file size")).split()[4] == "0", limits


@pytest.mark.parametrize("change,status,said", [
    ({"--listen": "127.0.0.1:5010"}, 64, "expected an address and a port like tcp://"),
    ({"--listen": "tcp://192.0.2.1:5010"}, 74, "192.0.2.1"),
    ({"--resolver": "dns.example"}, 64, "127.0.0.1:53"),
    ({"--clients": "/nonexistent"}, None, "/nonexistent"),
    ({"--clients": "/dev/null"}, None, "/dev/null"),
    ({"--key": "/nonexistent"}, None, "/nonexistent"),
    ({"--log-level": "loud"}, 64, "loud"),
    ({"--threads": "0"}, None, "--threads")])
def test_mistakes_on_the_command_line_are_said(system, change, status, said):
    words = {"--listen": "tcp://127.0.0.1:5010", "--key": str(system.points[0].directory / "key"),
             "--clients": str(system.points[0].directory / "clients"), **change}
    done = subprocess.run([BUILD / "chancery-validate", *(part for pair in words.items() for part in pair)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0 and said in done.stdout + done.stderr, done
    assert status is None or done.returncode == status, done


def test_a_key_that_others_can_read_is_refused(system, tmp_path):
    key = tmp_path / "key"
    make_key(key)
    key.chmod(0o644)
    done = subprocess.run([BUILD / "chancery-validate", "--listen", "tcp://127.0.0.1:5010", "--key", key, "--clients", system.points[0].directory / "clients"],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0 and "0600" in done.stderr, done


def test_check_wants_a_key_for_the_realms_vantage_points(system):
    place = system.directory / "etc" / "chancery.xml"
    kept = place.read_text()
    try:
        place.write_text(kept.replace(' vantage-key-file="vantage.curve"', ""))
        done = subprocess.run([system.programs / "chanceryd", "--config", place, "--check"], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 78 and "has no vantage-key-file to ask them with" in done.stdout + done.stderr, done
    finally:
        place.write_text(kept)
