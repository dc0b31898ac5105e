"""Floods of each kind at each door (PROMISES D1-D11, F25-F29): memory and descriptors stay bounded, every other door serves all the
while, and the flooded one serves at once when the flood is over. The bounds on time are the clients' time-outs."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import threading
import time

import pytest
import requests
import zmq

from conftest import IS_SANITIZED

OTHER_DOOR_SECONDS = 30
SAME_DOOR_SECONDS = 30
MOST_DESCRIPTORS = {"chancery-http": 1300, "chancery-zmq": 700}
# A sanitized program keeps freed memory for a while.
MOST_RESIDENT_MB = {"chancery-http": 1200 if IS_SANITIZED else 120, "chancery-zmq": 1600 if IS_SANITIZED else 160}
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
READY = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ"
HANDSHAKE = GREETING + READY  # the peer then waits for the other side's READY, as ZMTP wants
CLIENT_HELLO_PART = bytes.fromhex("1603010200010001fc0303") + bytes(40)


# ----- the doors and their honest clients

def begin(connection, octets):
    """Sends the octets; behind a ZMQ handshake, when the other side has ended its own."""
    try:
        if not octets.startswith(HANDSHAKE):
            return connection.sendall(octets)
        connection.sendall(HANDSHAKE)
        answer = b""
        while b"READY" not in answer:
            part = connection.recv(4096)
            if not part:
                return None
            answer += part
        connection.sendall(octets[len(HANDSHAKE):])
    except OSError:
        pass
    return None


class Door:
    def __init__(self, name, port, program, serve):
        self.name, self.port, self.program, self.serve = name, port, program, serve

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(source, 0))


def ask_zmq(port, task, seconds):
    one = zmq.Context.instance().socket(zmq.REQ)
    one.setsockopt(zmq.RCVTIMEO, int(seconds * 1000))
    one.setsockopt(zmq.LINGER, 0)
    one.connect(f"tcp://127.0.0.1:{port}")
    try:
        one.send_string(json.dumps({"TASK": task, "params": {"cn": "nobody"}}))
        assert json.loads(one.recv_string())["EVENT"] == "ANSWER"
    finally:
        one.close()


@pytest.fixture
def doors(system):
    ca = str(system.directory / "https-ca.pem")
    get = requests.get
    return {one.name: one for one in (
        Door("http", system.http_port, "chancery-http", lambda seconds: get(f"{system.http_url}/ca.crt", timeout=seconds).raise_for_status()),
        Door("https", system.https_port, "chancery-http", lambda seconds: get(f"{system.https_url}/acme/directory", verify=ca, timeout=seconds).raise_for_status()),
        Door("zmq", system.zmq_port, "chancery-zmq", lambda seconds: ask_zmq(system.zmq_port, "get_ca", seconds)),
        Door("zmq-registration", system.zmq_port + 1, "chancery-zmq", lambda seconds: ask_zmq(system.zmq_port + 1, "status", seconds)))}


class Watch:
    """Uses every other door again and again while a flood lasts."""

    def __init__(self, doors, flooded):
        self.rounds, self.failures, self.over = 0, [], threading.Event()
        self.doors = [one for one in doors.values() if one.name != flooded]
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.over.is_set() or self.rounds == 0:
            for door in self.doors:
                try:
                    door.serve(OTHER_DOOR_SECONDS)
                except Exception as failure:  # noqa: BLE001: told by the test
                    self.failures.append((door.name, failure))
            self.rounds += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        assert not self.failures and self.rounds > 0


# ----- what the programs take

def process_of(system, program):
    for process in pathlib.Path("/proc").glob("[0-9]*"):  # names alone: others' processes end while this looks
        try:
            fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
            if int(fields["PPid"]) == system.process.pid and fields["Name"].strip() == program[:15]:
                return process, fields
        except (OSError, KeyError):
            continue
    raise AssertionError(f"{program} does not run")


def descriptors(system, program):
    return len(list((process_of(system, program)[0] / "fd").iterdir()))


def resident_mb(system, program):
    return int(process_of(system, program)[1]["VmRSS"].split()[0]) / 1024


def check_bounds(system):
    for program in MOST_DESCRIPTORS:
        assert descriptors(system, program) <= MOST_DESCRIPTORS[program], program
        assert resident_mb(system, program) <= MOST_RESIDENT_MB[program], program


@pytest.fixture
def nobody_dies_on_purpose():
    """For a test that ends a program itself."""


@pytest.fixture(autouse=True)
def nobody_dies(system, request):
    """The programs that stand in the flood are the same before and after; their descriptors come back."""
    if "nobody_dies_on_purpose" in request.fixturenames:
        yield
        return
    before = {program: process_of(system, program)[0] for program in MOST_DESCRIPTORS}
    yield
    assert {program: process_of(system, program)[0] for program in MOST_DESCRIPTORS} == before
    deadline = time.monotonic() + 120
    while any(descriptors(system, program) > 120 for program in MOST_DESCRIPTORS):
        assert time.monotonic() < deadline, {program: descriptors(system, program) for program in MOST_DESCRIPTORS}
        time.sleep(0.1)


def send_until_dropped(connection, octets, most):
    """@return how much the other side took."""
    sent = 0
    try:
        while sent < most:
            connection.sendall(octets)
            sent += len(octets)
    except OSError:
        pass
    return sent


def wait_for_end(connection):
    """Until the other side hangs up; within the connection's time-out."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass


DOORS = ("http", "https", "zmq", "zmq-registration")


@pytest.mark.parametrize("name", DOORS)
def test_D3_three_thousand_garbage_connections(system, doors, name):
    octets = [b"\x00" * 64, b"\xff" * 64, b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 64, b"x" * 2000]
    with Watch(doors, name):
        for i in range(3000):
            with doors[name].connect() as one:
                try:
                    one.sendall(octets[i % len(octets)])
                except OSError:
                    pass
            if i % 500 == 0:
                check_bounds(system)
    doors[name].serve(SAME_DOOR_SECONDS)


@pytest.mark.parametrize("name", DOORS)
def test_D9_four_hundred_silent_connections(system, doors, name):
    with Watch(doors, name):
        silent = [doors[name].connect() for _ in range(400)]
        check_bounds(system)
        doors[name].serve(SAME_DOOR_SECONDS)  # even while they are there
        for one in silent:
            one.close()
    doors[name].serve(SAME_DOOR_SECONDS)


@pytest.mark.parametrize("name", DOORS)
def test_D2_D3_a_thousand_silent_connections_of_many_addresses(system, doors, name):
    silent = [doors[name].connect(f"127.0.1.{1 + i % 20}") for i in range(1000)]
    check_bounds(system)
    with Watch(doors, name):
        doors[name].serve(SAME_DOOR_SECONDS)
    for one in silent:
        one.close()


@pytest.mark.parametrize("name,octets", [
    pytest.param("https", CLIENT_HELLO_PART, id="https, part of a hello"), pytest.param("http", b"GET /", id="http, part of a line"),
    pytest.param("zmq", GREETING[:11], id="zmq, part of a greeting"), pytest.param("zmq", GREETING, id="zmq, greeting"),
    pytest.param("zmq", HANDSHAKE, id="zmq, handshake"), pytest.param("zmq", HANDSHAKE + b"\x01\x00\x02" + bytes(7), id="zmq, part of a size")])
def test_F27_half_open_handshakes(system, doors, name, octets):
    with Watch(doors, name):
        half = [doors[name].connect() for _ in range(400)]
        for one in half:
            begin(one, octets)
        check_bounds(system)
        doors[name].serve(SAME_DOOR_SECONDS)
        for one in half:
            one.close()
    doors[name].serve(SAME_DOOR_SECONDS)


ENDLESS = {
    "header": ("http", b"GET /crl HTTP/1.1\r\nX: ", b"a" * 65536),
    "headers": ("http", b"GET /crl HTTP/1.1\r\n", b"X: a\r\n" * 10000),
    "request line": ("http", b"GET /", b"a" * 65536),
    "body by length": ("http", b"POST /crl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", b"a" * 65536),
    "chunked body": ("http", b"POST /crl HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"a" * 0x8000 + b"\r\n"),
    "chunk extension": ("http", b"POST /crl HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 65536),
    "unterminated multipart": ("zmq", HANDSHAKE + b"\x01\x00", b"\x03" + (65536).to_bytes(8, "big") + b"a" * 65536),
    "small parts": ("zmq", HANDSHAKE + b"\x01\x00", b"\x01\x01a" * 20000),
    "empty parts": ("zmq", HANDSHAKE, b"\x01\x00" * 30000),
    "one frame of 1 TB": ("zmq", HANDSHAKE + b"\x01\x00\x02" + (1 << 40).to_bytes(8, "big"), b"a" * 65536),
    "commands": ("zmq", HANDSHAKE, (b"\x04\x07\x04PING\x00\x00") * 8000),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_D11_what_never_ends(system, doors, kind):
    name, head, more = ENDLESS[kind]
    with Watch(doors, name):
        for _ in range(8):
            with doors[name].connect() as one:
                begin(one, head)
                assert send_until_dropped(one, more, 100 << 20) < (100 << 20)
            check_bounds(system)
    doors[name].serve(SAME_DOOR_SECONDS)


def test_D11_endless_bodies_through_tls(system, doors):
    context = ssl.create_default_context(cafile=str(system.directory / "https-ca.pem"))
    with Watch(doors, "https"):
        for _ in range(8):
            with context.wrap_socket(doors["https"].connect(), server_hostname="localhost") as one:
                one.sendall(b"POST /acme/new-order HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose+json\r\nTransfer-Encoding: chunked\r\n\r\n")
                assert send_until_dropped(one, b"8000\r\n" + b"a" * 0x8000 + b"\r\n", 100 << 20) < (100 << 20)
            check_bounds(system)
    doors["https"].serve(SAME_DOOR_SECONDS)


@pytest.mark.parametrize("name,head", [
    pytest.param("http", b"GET /livez HTTP/1.1\r\nX: ", id="http, header"), pytest.param("https", CLIENT_HELLO_PART, id="https, hello"),
    pytest.param("zmq", GREETING[:20], id="zmq, greeting"), pytest.param("zmq", HANDSHAKE + b"\x01\x00\x00\x40", id="zmq, message")])
def test_D9_one_byte_per_second(system, doors, name, head):
    """A hundred of them: each is dropped by its deadline although it never falls silent."""
    with Watch(doors, name):
        slow = [doors[name].connect() for _ in range(100)]
        for one in slow:
            begin(one, head)
        doors[name].serve(SAME_DOOR_SECONDS)
        deadline = time.monotonic() + 120
        while slow:
            assert time.monotonic() < deadline
            time.sleep(1)
            for one in list(slow):
                try:
                    one.sendall(b"a")
                    one.setblocking(False)
                    is_over = one.recv(65536) == b""
                except BlockingIOError:
                    is_over = False
                except OSError:
                    is_over = True
                one.settimeout(20)
                if is_over:
                    slow.remove(one)
                    one.close()
    doors[name].serve(SAME_DOOR_SECONDS)


def test_D9_D10_answers_that_nobody_reads(system, doors):
    """Ten thousand requests of a client that reads no answer: the server stops reading too."""
    request = b"GET /ca.pem HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Watch(doors, "http"):
        greedy = [doors["http"].connect() for _ in range(20)]
        for one in greedy:
            one.setblocking(False)
            try:
                for _ in range(100):
                    one.send(request * 100)
            except (BlockingIOError, ConnectionError):  # it takes no more, or sends who reads nothing away
                pass
        doors["http"].serve(SAME_DOOR_SECONDS)
        check_bounds(system)
        for one in greedy:
            one.close()


def test_D11_requests_sent_ahead_wait_for_their_turn(system, doors):
    """A ZMQ peer that sends five hundred requests without reading: one at a time is in hand, the others stay in its kernel."""
    body = b'{"TASK":"get_ca"}'
    request = b"\x01\x00\x00" + bytes([len(body)]) + body
    with doors["zmq"].connect() as one:
        begin(one, HANDSHAKE + request * 500)
        doors["zmq"].serve(SAME_DOOR_SECONDS)
        answers = b""
        while answers.count(b'{"EVENT": "ANSWER"') < 500:
            part = one.recv(65536)
            assert part, "the peer was dropped"
            answers += part
    check_bounds(system)


def test_an_idle_keep_alive_connection_is_closed(system, doors):
    with doors["http"].connect() as one:
        one.settimeout(40)
        one.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 OK\r\n" in one.recv(4096)
        wait_for_end(one)


def test_D14_a_connection_ends_after_its_share_of_requests(system, doors):
    request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with doors["http"].connect() as one:
        answers = b""
        one.sendall(request * 1001)
        with contextlib.suppress(ConnectionResetError):  # the last request was not read
            while part := one.recv(65536):
                answers += part
    assert answers.count(b"HTTP/1.1 200 OK") == 1000 and answers.count(b"Connection: close") == 1


def test_D41_a_thousand_refusals_are_two_log_lines(system, doors):
    """One line with realm, peer and request id for the first; nobody writes lines of his own into the log."""
    mark = f"/flood-{time.monotonic_ns()}"
    before = system.log.read_text(errors="replace").count("\n")
    ids = set()
    with requests.Session() as session:
        for i in range(1000):
            answer = session.get(f"{system.http_url}/realms/devices{mark}{i}", timeout=60)
            assert answer.status_code == 404
            ids.add(answer.headers["X-Request-Id"])
    assert len(ids) == 1000
    lines = [line for line in system.log.read_text(errors="replace").splitlines()[before:] if "http[" in line]
    of_this_kind = [line for line in lines if "realm=devices" in line and " 404: " in line]
    assert len(of_this_kind) <= 2 and len(lines) < 20, lines
    for line in of_this_kind:
        assert "peer=127.0.0.1:" in line and "request=" in line


def test_D41_a_thousand_refused_tasks_are_two_log_lines(system):
    """The same at the ZMQ door, each with another text of the stranger's choice."""
    before = system.log.read_text(errors="replace").count("\n")
    ask = zmq.Context.instance().socket(zmq.REQ)
    ask.setsockopt(zmq.RCVTIMEO, 60000)
    ask.setsockopt(zmq.LINGER, 0)
    ask.connect(f"tcp://127.0.0.1:{system.zmq_port}")
    for i in range(1000):
        ask.send_string(json.dumps({"TASK": f"task-{i}", "params": {}}))
        assert json.loads(ask.recv_string())["MSG"] == f"[700] Unknown task: task-{i}"
    ask.close()
    lines = [line for line in system.log.read_text(errors="replace").splitlines()[before:] if "zmq[" in line]
    assert len(lines) <= 4 and all("realm=default" in line and "request=" in line for line in lines if "Unknown task" in line), lines


def test_D41_a_thousand_refused_acme_requests_are_few_log_lines(system):
    url, ca = system.https_url + "/acme/new-order", str(system.directory / "https-ca.pem")
    before = system.log.read_text(errors="replace").count("\n")
    with requests.Session() as session:
        for i in range(1000):
            answer = session.post(url, data=json.dumps({"x" * (i % 40): i}), headers={"Content-Type": "application/jose+json"}, verify=ca, timeout=60)
            assert answer.status_code == 400 and answer.json()["type"].endswith(":malformed")
    of_others = re.compile(r" and \d+ more of kind: (?!http default 400$)")  # what is left to say of the tests before
    lines = [line for line in system.log.read_text(errors="replace").splitlines()[before:] if "http[" in line and not of_others.search(line)]
    assert len(lines) < 10, lines


def test_D18_a_zmq_program_that_died_is_back_for_the_same_client(system, nobody_dies_on_purpose):
    """Its client asked before, and asks again over the same socket: libzmq finds the new process by itself."""
    ask = zmq.Context.instance().socket(zmq.REQ)
    ask.setsockopt(zmq.RCVTIMEO, 60000)
    ask.setsockopt(zmq.LINGER, 0)
    ask.connect(f"tcp://127.0.0.1:{system.zmq_port}")
    monitor = ask.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    for kill in (True, False):
        ask.send_string(json.dumps({"TASK": "get_ca"}))
        assert json.loads(ask.recv_string())["EVENT"] == "ANSWER"
        if kill:
            os.kill(int(process_of(system, "chancery-zmq")[0].name), signal.SIGKILL)
            assert monitor.poll(60000), "the client did not see the end of its connection"
    ask.disable_monitor()
    ask.close()


def test_D41_F36_foreign_text_makes_no_log_lines(system, doors):
    with doors["http"].connect() as one:
        one.sendall(b"G\x1b[31mET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for_end(one)
    ask = zmq.Context.instance().socket(zmq.REQ)
    ask.setsockopt(zmq.RCVTIMEO, 60000)
    ask.setsockopt(zmq.LINGER, 0)
    ask.connect(f"tcp://127.0.0.1:{system.zmq_port}")
    ask.send_string(json.dumps({"TASK": "x\n2026-01-01T00:00:00.000Z error forged\u202e\x1b[2J", "params": {}}))
    assert json.loads(ask.recv_string())["EVENT"] == "UPKI ERROR"
    ask.close()
    text = system.log.read_bytes()
    assert b"\x1b" not in text and "\u202e".encode() not in text
    assert not any(line.startswith(b"2026-01-01T00:00:00.000Z error forged") for line in text.splitlines())
