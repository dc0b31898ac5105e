"""A reload reaches the clients of front ends at their next request, through the sessions that these keep open, and nobody notices
anything else; a session of an ordinary user is one piece of work and keeps the configuration that it began with."""

import contextlib
import datetime
import json
import tempfile
import threading

import pytest
import requests
import zmq
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from acme_client import Client
from test_master import wait_for
from test_rest import Rest, csr_for
from test_zmq_roles import request

PATIENCE = 60


class Office(Rest):
    """Realm default has two profiles of its own: `own`, whose days change, and `passing`, which is taken away."""

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        self.base = (self.realm("default").directory / "ca.config.yml").read_text()
        (self.realm(name).directory / "profiles").mkdir()

    def profile(self, name):
        return self.realm("default").directory / "profiles" / f"{name}.yml"

    def write(self, days, passing):
        usage = "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\naltnames: true\n"
        self.profile("own").write_text(f"duration: {days}\n{usage}")
        self.profile("passing").write_text(usage) if passing else self.profile("passing").unlink(missing_ok=True)
        names = "[server, own, passing]" if passing else "[server, own]"
        terms = "http://www.example.com/old" if passing else "http://www.example.com/new"
        config = self.base.replace("acme:\n", f"acme:\n  profiles: {names}\n  terms_of_service: {terms}\n")
        (self.realm("default").directory / "ca.config.yml").write_text(config)

    def reloads(self):
        return self.log.read_text(errors="replace").count("reloaded, realms")

    def reload(self):
        before = self.reloads()
        self.process.send_signal(1)
        wait_for(lambda: self.reloads() > before, PATIENCE, "the reload")

    def change(self, days, passing):
        self.write(days, passing)
        self.reload()

    def front_ends(self):
        talk = self.talk()
        found = {one["name"]: (one["pid"], one["restarts"]) for one in talk.result("server.status")["processes"] if one["kind"] == "front end"}
        talk.close()
        return found


@pytest.fixture(scope="module")
def office():
    with tempfile.TemporaryDirectory(prefix="chancery-reload-") as directory:
        one = Office(directory)
        one.lay_out()
        one.start()
        one.settle()
        yield one
        one.stop()


@contextlib.contextmanager
def one_policy_and_then_another(office):
    """The same front ends with the same open sessions under both."""
    office.change(30, passing=True)
    before = office.front_ends()
    yield
    assert office.front_ends() == before, "no front end was started anew"


def days_of(pem):
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return round((certificate.not_valid_after - certificate.not_valid_before) / datetime.timedelta(days=1))


@contextlib.contextmanager
def web(office, holder=None):
    with requests.Session() as session:
        session.verify, session.trust_env = str(office.directory / "https-ca.pem"), False
        session.cert = tuple(map(str, holder.files)) if holder else None
        yield session


@contextlib.contextmanager
def peer(office):
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.linger, socket.rcvtimeo, socket.sndtimeo = 0, PATIENCE * 1000, PATIENCE * 1000
    socket.connect(f"tcp://127.0.0.1:{office.zmq_port}")

    def ask(task, **params):
        socket.send_string(json.dumps({"TASK": task, "params": params}))
        return json.loads(socket.recv_string())
    try:
        yield ask
    finally:
        socket.close()


def test_D24_a_warm_zmq_session_has_the_new_policy_at_once(office):
    with one_policy_and_then_another(office), peer(office) as ask:
        for i in range(20):  # each of the door's threads has its session
            assert "passing" in ask("list_profiles")["DATA"]
        assert days_of(ask("sign", csr=request("z1.example.com"), profile="own")["DATA"]["certificate"]) == 30
        office.change(5, passing=False)
        assert "passing" not in ask("list_profiles")["DATA"]
        refused = ask("sign", csr=request("z2.example.com"), profile="passing")
        assert "Profile not found" in refused["MSG"], refused
        assert days_of(ask("sign", csr=request("z3.example.com"), profile="own")["DATA"]["certificate"]) == 5


def certify(office, session, cn, profile):
    body = {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), cn), "profile": profile}
    return session.post(office.https_url + "/api/v1/certify", json=body, timeout=PATIENCE)


def test_D24_a_warm_rest_session_has_the_new_policy_at_once(office):
    with one_policy_and_then_another(office), web(office) as anybody, web(office, office.admin) as admin:
        def names():
            return anybody.get(office.https_url + "/api/v1/profiles", timeout=PATIENCE).json()
        for _ in range(20):
            assert "passing" in str(names())
            assert admin.get(office.https_url + "/api/v1/private/options", timeout=PATIENCE).status_code == 200
        office.change(5, passing=False)
        assert "passing" not in str(names())
        refused = certify(office, admin, "r1.example.com", "passing")
        assert refused.status_code == 404, refused.text
        made = certify(office, admin, "r2.example.com", "own").json()
        assert days_of(next(value for value in made["data"].values() if "BEGIN CERTIFICATE" in str(value))) == 5


def test_D24_a_warm_acme_session_has_the_new_policy_at_once(office):
    with one_policy_and_then_another(office):
        client = Client(office.realm("default").directory_url, str(office.directory / "https-ca.pem"))
        assert client.directory["meta"]["termsOfService"].endswith("/old") and "passing" in client.directory["meta"]["profiles"]
        assert client.register().status_code == 201
        for _ in range(5):
            assert client.order(["a.localhost"], profile="passing").status_code == 201
        office.change(5, passing=False)
        assert client.order(["a.localhost"], profile="passing").status_code >= 400
        meta = client.web.get(client.directory_url, timeout=PATIENCE).json()["meta"]
        assert meta["termsOfService"].endswith("/new") and "passing" not in meta["profiles"]
        assert client.order(["a.localhost"], profile="own").status_code == 403  # the terms are others, too
        assert client.register().status_code == 200
        assert client.order(["a.localhost"], profile="own").status_code == 201


def test_an_ordinary_session_keeps_what_it_began_with(office):
    office.change(30, passing=True)
    old = office.talk()
    office.change(5, passing=False)
    assert "passing" in str(old.result("profile.list"))
    new = office.talk()
    assert "passing" not in str(new.result("profile.list"))
    old.close()
    new.close()


def test_a_front_ends_session_says_that_it_was_not_read(office):
    """On the socket: the words, the end, and nothing done."""
    session = office.realm("default").talk(front_end="zmq")
    session.result("session.attest", evidence="loopback", endpoint=f"127.0.0.1:{office.zmq_port}")
    assert session.result("server.ping")
    office.reload()
    last = session.call("certificate.issue", csr=request("unread.example.com"), profile="own")
    assert last["id"] is None and last["error"]["data"]["hint"] == "connect again", last
    with contextlib.suppress(ConnectionError):  # the request was left unread
        assert session.lines.readline() == ""
    session.close()
    talk = office.talk()
    assert talk.code("certificate.get", cn="unread.example.com") == "not_found"
    talk.close()


def test_a_reload_that_does_not_hold_ends_no_session(office):
    office.change(30, passing=True)
    session = office.realm("default").talk(front_end="http")
    office.profile("own").write_text("duration: many\n")
    before = office.log.read_text(errors="replace").count("not reloaded")
    office.process.send_signal(1)
    wait_for(lambda: office.log.read_text(errors="replace").count("not reloaded") > before, PATIENCE, "the refusal")
    assert "passing" in str(session.result("profile.list"))
    session.close()


def test_D24_clients_of_front_ends_see_nothing_of_fifty_reloads(office):
    office.change(30, passing=True)
    done, served, failures = threading.Event(), [], []

    def go_on(what, ask):
        try:
            while not done.is_set():
                answer = ask()
                assert answer is True, answer
                served.append(what)
        except Exception as failure:  # of any kind: it is the finding
            failures.append((what, failure))

    def open_rest():
        with web(office) as session:
            go_on("open", lambda: "own" in session.get(office.https_url + "/api/v1/profiles", timeout=PATIENCE).text)

    def holders_rest():
        def ask():
            answer = session.get(office.https_url + "/api/v1/private/options", timeout=PATIENCE)
            return answer.status_code == 200 or answer.text
        with web(office, office.admin) as session:
            go_on("holder", ask)

    def zmq_lists():
        with peer(office) as ask:
            go_on("zmq", lambda: ask("list_profiles")["EVENT"] == "ANSWER")

    def zmq_signs():
        csr = request("fifty.example.com")
        with peer(office) as ask:
            def one():
                answer = ask("sign", csr=csr, profile="own")
                return answer["EVENT"] == "ANSWER" or answer
            go_on("sign", one)

    threads = [threading.Thread(target=one) for one in (open_rest, holders_rest, zmq_lists, zmq_signs)]
    for one in threads:
        one.start()
    try:
        for _ in range(50):
            enough = len(served) + 4
            office.reload()
            wait_for(lambda: failures or len(served) >= enough, PATIENCE, "requests between two reloads")
    finally:
        done.set()
        for one in threads:
            one.join(PATIENCE)
    assert not failures, failures
    assert {"open", "holder", "zmq", "sign"} == set(served)
