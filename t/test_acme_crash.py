"""F1 for ACME: the front end or the workers that serve it die at every step of an order. A client that repeats what failed ends with
one certificate, and no validation hangs for ever."""

import contextlib
import json
import os
import signal
import sqlite3
import time

import pytest
import requests
from cryptography import x509

from acme_client import Client, b64, make_csr
from conftest import System
from http01_server import Web
from test_flood import process_of
from test_master import children, title
from test_sweep import kill_at

SECONDS = 90  # of a machine that has a lot else to do
STEPS = ("account", "order", "authorization", "challenge", "verdict", "finalize", "certificate")
# Where a process dies: at the entry of that occurrence of a system call, counted from the step's beginning.
POINTS = {"http": [("sendto", 1), ("write", 1)],
          "worker": [("pwrite64", 1), ("fdatasync", 1), ("sendto", 1), ("sendto", 2)]}


@pytest.fixture(scope="module")
def system():
    with System.running() as one:
        yield one


@pytest.fixture(scope="module")
def site(system, tmp_path_factory):
    one = Web(system.http01_port, tmp_path_factory.mktemp("site"))
    yield one
    one.stop()


@pytest.fixture
def fresh(tmp_path):
    """A server whose front end has not died yet: one that dies again and again is started later each time."""
    with System.running() as one:
        web = Web(one.http01_port, tmp_path)
        yield one, web
        web.stop()


def front_end(system):
    with contextlib.suppress(AssertionError):
        return [int(process_of(system, "chancery-http")[0].name)]
    return []


def workers(system):
    return [pid for pid in children(system.process.pid) if "worker default" in title(pid)]


VICTIMS = {"http": front_end, "worker": workers}


def kill(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Stubborn:
    """A client that repeats what failed, with a fresh nonce and connection, and asks for a validation once."""

    def __init__(self, system, site):
        self.system, self.site, self.client = system, site, None
        self.order_url = self.document = self.challenge = self.csr = None

    def again(self, request, good=lambda answer: answer.ok):
        """The first good answer to the request; others are refusals that may pass, or a connection that broke."""
        deadline, last = time.monotonic() + SECONDS, None
        while time.monotonic() < deadline:
            try:
                answer = request()
                last = (answer.status_code, answer.text)
                if good(answer):
                    return answer
                passing = answer.status_code in (200, 429, 500, 502, 503, 504) or answer.json()["type"].endswith((":badNonce", ":serverInternal"))
                assert passing, last
            except (requests.RequestException, KeyError) as trouble:  # no answer, or no nonce in it
                last = trouble
                if self.client:
                    self.client.web.close()
                age_claims(self.system)
            time.sleep(0.05)
        raise AssertionError(f"{last}\n{self.system.words()}")

    def account(self):
        realm = self.system.realm("default")
        while self.client is None:
            with contextlib.suppress(requests.RequestException):
                self.client = Client(realm.directory_url, str(realm.https_ca_file))
        self.again(self.client.register)

    def order(self, name):
        created = self.again(lambda: self.client.order([name]))
        self.order_url, self.document, self.csr = created.headers["Location"], created.json(), b64(make_csr([name])[1])

    def authorization(self):
        found = self.again(lambda: self.client.post(self.document["authorizations"][0])).json()
        self.challenge = next(one for one in found["challenges"] if one["type"] == "http-01")
        self.site.answers[self.challenge["token"]] = self.challenge["token"] + "." + self.client.key.thumbprint()

    def ask(self):
        self.again(lambda: self.client.post(self.challenge["url"], {}))

    def verdict(self):
        decided = self.again(lambda: self.client.post(self.document["authorizations"][0]), lambda answer: answer.ok and answer.json()["status"] != "pending")
        assert decided.json()["status"] == "valid", decided.text

    def finalize(self):
        self.again(lambda: self.client.post(self.document["finalize"], {"csr": self.csr}))

    def certificate(self):
        ready = self.again(lambda: self.client.post(self.order_url), lambda answer: answer.ok and answer.json()["status"] in ("valid", "invalid")).json()
        assert ready["status"] == "valid", ready
        return x509.load_pem_x509_certificate(self.again(lambda: self.client.post(ready["certificate"])).content)

    def step(self, name, host):
        return {"order": lambda: self.order(host), "challenge": self.ask}.get(name, getattr(self, name, None))()


def certificates_of(system, name):
    talk = system.realm("default").talk()
    try:
        return {int(one["serial"], 16) for one in talk.result("certificate.search", san=f"DNS:{name}")["certificates"]}
    finally:
        talk.close()


def age_claims(system):
    """Whoever was to validate something was to do it long ago."""
    path = system.directory / "var" / "realms" / "default" / "db" / "realm.db"
    with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        for row, text in database.execute("SELECT id, challenges FROM acme_authorization WHERE status = 'pending'").fetchall():
            challenges = json.loads(text)
            for one in challenges:
                if "claimed_until" in one:
                    one["claimed_until"] -= 3600
            database.execute("UPDATE acme_authorization SET challenges = ? WHERE id = ?", (json.dumps(challenges), row))
        database.execute("COMMIT")


def walk(system, site, name, around):
    """The whole way, each step in `around(step name)`. @return the certificate"""
    client, found = Stubborn(system, site), None
    for step in STEPS:
        with around(step):
            found = client.step(step, name)
    return found


def check_one(system, name, certificate):
    assert certificates_of(system, name) == {certificate.serial_number}
    sans = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sans.get_values_for_type(x509.DNSName) == [name]


def killed_before(system, step, victim):
    @contextlib.contextmanager
    def around(now):
        if now == step:
            kill(VICTIMS[victim](system))
            age_claims(system)
        yield
    return around


def killed_after(system, step, victim):
    @contextlib.contextmanager
    def around(now):
        yield
        if now == step:
            kill(VICTIMS[victim](system))
            age_claims(system)
    return around


def killed_within(system, step, victim, point, struck):
    """The process dies in the middle of the request. @param struck  gets the point when it was met"""
    @contextlib.contextmanager
    def around(now):
        if now != step:
            yield
            return
        pids, tracers = VICTIMS[victim](system), []
        for pid in pids:
            with contextlib.suppress(AssertionError, OSError):  # it ended meanwhile
                tracers.append(kill_at(pid, point))
        yield
        for one in tracers:
            one.end()
        if not set(pids) <= set(VICTIMS[victim](system)):
            struck.append(point)
        age_claims(system)
    return around


def check_killed(system, site, victim, step):
    """Before, after and within one step, each on the way to a certificate of its own."""
    struck = []
    ways = {"before": killed_before(system, step, victim), "after": killed_after(system, step, victim)}
    for call, occurrence in POINTS[victim]:
        ways[f"{call}-{occurrence}"] = killed_within(system, step, victim, (call, occurrence), struck)
    for way, around in ways.items():
        name = f"{way}-{step}.{victim}.crash.localhost"
        check_one(system, name, walk(system, site, name, around))
    assert struck, f"no {victim} died within the step {step}"


@pytest.mark.parametrize("step", STEPS)
def test_F1_the_workers_are_killed_at_a_step(system, site, step):
    check_killed(system, site, "worker", step)


@pytest.mark.parametrize("step", STEPS)
def test_F1_the_front_end_is_killed_at_a_step(fresh, step):
    check_killed(*fresh, "http", step)


def test_F1_a_validation_whose_front_end_died_is_taken_up_by_who_looks(system, site):
    """A client asks for it once, and from then on only looks at the authorization."""
    client = Stubborn(system, site)
    for step in ("account", "order", "authorization"):
        client.step(step, "orphan.crash.localhost")
    talk = system.realm("default").talk()
    its_id, account = client.document["authorizations"][0].rsplit("/", 1)[1], client.client.kid.rsplit("/", 1)[1]
    claimed = talk.result("acme.challenge.begin", account=account, authorization=its_id, type="http-01")
    assert claimed["claimed"]
    assert not talk.result("acme.challenge.begin", account=account, authorization=its_id, type="http-01")["claimed"]
    looked = client.client.post(client.document["authorizations"][0]).json()
    assert {one["type"]: one["status"] for one in looked["challenges"]}["http-01"] == "processing"
    age_claims(system)
    client.verdict()  # by looking alone
    late = dict(authorization=its_id, type="http-01", claim=claimed["claim"], valid=False, evidence="late")
    assert talk.code("acme.challenge.finish", **late) == "conflict"
    talk.close()
    client.finalize()
    check_one(system, "orphan.crash.localhost", client.certificate())


def test_F1_the_server_is_killed_with_an_order_in_each_state(system, site):
    """All processes at once; what was promised before holds after the next start."""
    clients = {}
    for number, step in enumerate(STEPS):
        name = f"all-{step}.crash.localhost"
        clients[step] = (Stubborn(system, site), name)
        for earlier in STEPS[:number]:
            clients[step][0].step(earlier, name)
    pids = [system.process.pid, *children(system.process.pid)]
    kill(pids)
    system.process.wait(SECONDS)
    age_claims(system)
    system.start()
    for number, step in enumerate(STEPS):
        client, name = clients[step]
        for later in STEPS[number:]:
            found = client.step(later, name)
        check_one(system, name, found)
