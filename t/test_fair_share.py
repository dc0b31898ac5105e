"""D1, D3: the handlers of chancery-http are shared among peers and doors: slow requests of some leave the others their share."""

import concurrent.futures
import contextlib
import http.server
import tempfile
import threading

import pytest
import requests
from requests.adapters import HTTPAdapter

from acme_client import Client
from conftest import System
from http01_server import Web
from test_enrolment import pem, request

OF_ONE_PEER, OF_ONE_DOOR, WAITING_OF_ONE_PEER = 8, 12, 200  # as clients/http/chancery-http.cc has them
POLICY = """
enrolment:
  look_ups:
    slow: {{kind: http, url: "http://127.0.0.1:{port}/{{name}}", timeout: 60s}}
policy:
  otherwise: grant
  rules:
    - {{name: slow, decision: grant, ways: [enrol], profiles: [server], names: [".slow.test"], proofs: [anonymous], look_ups: [slow]}}
"""


class Slow(http.server.ThreadingHTTPServer):
    """Says yes to each question once it is let go."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        self.changed, self.asked, self.may_go = threading.Condition(), [], False
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= count, timeout=120), f"{len(self.asked)} of {count} questions came"

    def let_go(self):
        with self.changed:
            self.may_go = True
            self.changed.notify_all()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with self.server.changed:
            self.server.asked.append(self.path)
            self.server.changed.notify_all()
            self.server.changed.wait_for(lambda: self.server.may_go, timeout=120)
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_):
        pass


class From(HTTPAdapter):
    """Connections that come from one address."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **settings):
        super().init_poolmanager(*args, source_address=(self.address, 0), **settings)


class Office(System):
    slow_port = 0

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        if name == "default":
            file = self.directory / "var" / "realms" / name / "ca.config.yml"
            file.write_text(file.read_text() + POLICY.format(port=self.slow_port))

    def session(self, address):
        one = requests.Session()
        one.trust_env = False
        one.verify = str(self.directory / "https-ca.pem")
        one.mount("https://", From(address))
        return one


@contextlib.contextmanager
def at_once(slow, calls):
    """As many threads; at the end, and when the test fails, the slow ones are let go."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        try:
            yield [pool.submit(*call) for call in calls]
        finally:
            slow.let_go()


@pytest.fixture
def slow():
    one = Slow()
    yield one
    one.let_go()
    one.shutdown()
    one.server_close()


@pytest.fixture
def office(slow):
    with Office.running(slow_port=slow.server_port) as one:
        yield one


def enrol(office, address, number):
    """From a connection of its own."""
    with office.session(address) as web:
        return web.post(office.https_url + "/api/v1/enrol", json={"csr": pem(request(f"h{number}.slow.test"))}, timeout=120)


def get_certificate_by_acme(office, address, name):
    client = Client(office.https_url + "/acme/directory", str(office.directory / "https-ca.pem"), web=office.session(address))
    assert client.register().status_code == 201
    with tempfile.TemporaryDirectory() as directory:
        web = Web(office.http01_port, directory)
        try:
            _, chain, _ = client.obtain([name], web.answers)
        finally:
            web.stop()
    return chain


def test_slow_requests_of_one_peer_leave_the_others_their_share(office, slow):
    """60 enrolments at once whose look-up hangs: another address gets a certificate by ACME meanwhile, and none of the 60 is lost."""
    with at_once(slow, [(enrol, office, "127.0.0.1", number) for number in range(60)]) as asked:
        slow.wait_for(OF_ONE_PEER)
        assert "BEGIN CERTIFICATE" in get_certificate_by_acme(office, "127.0.0.2", "a.localhost")
        with slow.changed:
            assert len(slow.asked) == OF_ONE_PEER, "one peer has no more handlers than its share"
        slow.let_go()
        replies = [one.result() for one in asked]
    assert [one.status_code for one in replies] == [200] * 60, {one.text for one in replies if one.status_code != 200}


def test_slow_requests_of_many_peers_leave_the_other_doors_their_share(office, slow):
    with at_once(slow, [(enrol, office, f"127.0.0.{10 + number % 4}", number) for number in range(24)]) as asked:
        slow.wait_for(OF_ONE_DOOR)
        assert "BEGIN CERTIFICATE" in get_certificate_by_acme(office, "127.0.0.2", "b.localhost")
        assert requests.get(office.http_url + "/crl", timeout=60).status_code == 200
        with slow.changed:
            assert len(slow.asked) == OF_ONE_DOOR, "one door has no more handlers than its share"
        slow.let_go()
        assert {one.result().status_code for one in asked} == {200}


def test_what_is_too_much_of_one_peer_is_told_at_once(office, slow):
    """D1: 503 with Retry-After, while others are served."""
    held = OF_ONE_PEER + WAITING_OF_ONE_PEER
    over = threading.Semaphore(0)

    def one(number):
        reply = enrol(office, "127.0.0.1", number)
        if reply.status_code == 503:
            over.release()
        return reply

    with at_once(slow, [(one, number) for number in range(held + 5)]) as asked:
        for _ in range(5):
            assert over.acquire(timeout=120), "what is too much is refused while the rest hangs"
        with office.session("127.0.0.2") as web:
            assert web.get(office.https_url + "/api/v1/ca", timeout=60).status_code == 200
        slow.let_go()
        replies = [each.result() for each in asked]
    refused = [reply for reply in replies if reply.status_code == 503]
    assert len(refused) == 5 and all(reply.headers["Retry-After"] and reply.json()["code"] == "CA_ERROR" for reply in refused)
    assert sum(reply.status_code == 200 for reply in replies) == held
