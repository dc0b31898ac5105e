"""Requests whose answers would come too late, or to nobody: nothing is issued and nothing used up for them (UPKI.md 1.1)."""

import concurrent.futures
import json
import tempfile

import pytest
import zmq

from test_daemon import request_for
from test_master import wait_for
from test_zmq_roles import Office
from test_zmq_roles import Peer as CurvePeer

PATIENCE = 60
SLOW = "rsa:8192"  # nobody finds such a pair while a client waits, or hardly ever


class Unprepared(Office):
    """Without a key pool; profile slow has keys that take a minute, profile quick none that take any time."""

    key_pool = 0

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        profiles = self.directory / "var" / "realms" / name / "profiles"
        profiles.mkdir()
        for profile, key in (("slow", SLOW), ("quick", "ec:P-256")):
            (profiles / f"{profile}.yml").write_text(f"key: {key}\nkeyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth]\n")

    def wait_until_idle(self, talk):
        """No worker has a request in hand, but for the one that is asked."""
        def busy():
            return [one for one in talk.result("server.status")["workers"] if one["state"] == "busy"]
        wait_for(lambda: len(busy()) <= 1, PATIENCE, "all workers are idle")

    def wait_until_busy(self, talk):
        def busy():
            return [one for one in talk.result("server.status")["workers"] if one["state"] == "busy"]
        wait_for(lambda: len(busy()) > 1, PATIENCE, "a worker has a request in hand")


@pytest.fixture(scope="module")
def unprepared():
    with tempfile.TemporaryDirectory(prefix="chancery-late-") as directory:
        one = Unprepared(directory)
        one.lay_out()
        one.start()
        yield one
        one.stop()


@pytest.fixture
def office(unprepared):
    talk = unprepared.realm("default").talk()
    talk.socket.settimeout(PATIENCE)
    yield talk
    talk.close()


def new_seed(office, **how):
    return office.result("seed.create", **{"profile": "slow", **how})


def seed_row(office, made):
    return {one["id"]: one for one in office.result("seed.list", limit=1000)["seeds"]}[made["id"]]


def has_certificate(office, cn):
    reply = office.call("certificate.get", cn=cn)
    assert "result" in reply or reply["error"]["data"]["code"] == "not_found", reply
    return "result" in reply


class Peer:
    def __init__(self, system, port=1):
        self.socket = zmq.Context.instance().socket(zmq.REQ)
        self.socket.linger, self.socket.rcvtimeo, self.socket.sndtimeo = 0, PATIENCE * 1000, PATIENCE * 1000
        self.socket.connect(f"tcp://127.0.0.1:{system.zmq_port + port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, task, **params):
        self.socket.send_string(json.dumps({"TASK": task, "params": params}))

    def ask(self, task, **params):
        self.send(task, **params)
        return json.loads(self.socket.recv_string())


def succeeded(reply):
    assert reply["EVENT"] == "ANSWER" or "try again shortly" in reply["MSG"], reply
    return reply["EVENT"] == "ANSWER"


def test_a_registration_that_waits_in_vain_for_its_key_uses_no_seed_up(unprepared, office):
    seed = new_seed(office, cn="vain.example.com")
    with Peer(unprepared) as peer:
        got = succeeded(peer.ask("register", seed=seed["seed"], cn="vain.example.com", profile="slow"))
    unprepared.wait_until_idle(office)
    assert has_certificate(office, "vain.example.com") == got
    assert seed_row(office, seed)["uses_left"] == (0 if got else 1)


def test_generate_that_waits_in_vain_leaves_nothing(unprepared, office):
    with Peer(unprepared, 0) as peer:
        got = succeeded(peer.ask("generate", cn="vain2.example.com", profile="slow"))
    unprepared.wait_until_idle(office)
    assert has_certificate(office, "vain2.example.com") == got
    assert (unprepared.directory / "var/realms/default/nodes/vain2.example.com").exists() == got


def test_fifty_queued_registrations_issue_what_is_answered_and_no_more(unprepared, office):
    """Four threads, each busy until its client's time is over: most are turned away without having met one."""
    seed = new_seed(office, uses=50)
    names = [f"queued{i}.example.com" for i in range(50)]
    peers = [Peer(unprepared) for _ in names]
    for peer, cn in zip(peers, names):
        peer.send("register", seed=seed["seed"], cn=cn, profile="slow")
    got = [succeeded(json.loads(peer.socket.recv_string())) for peer in peers]
    for peer in peers:
        peer.socket.close()
    unprepared.wait_until_idle(office)
    assert [has_certificate(office, cn) for cn in names] == got
    assert seed_row(office, seed)["used"] == got.count(True)
    with Peer(unprepared) as peer:  # and then it is as before
        assert peer.ask("register", seed=unprepared.seed, cn="after-queue.example.com", profile="quick")["EVENT"] == "ANSWER"


def test_whoever_disconnects_gets_no_certificate(unprepared, office):
    seed = new_seed(office)
    with Peer(unprepared) as peer:
        peer.send("register", seed=seed["seed"], cn="gone.example.com", profile="slow")
        unprepared.wait_until_busy(office)
    unprepared.wait_until_idle(office)
    assert not has_certificate(office, "gone.example.com") and seed_row(office, seed)["uses_left"] == 1


def test_whoever_disconnects_behind_curve_gets_none_either(unprepared, office):
    """What the guard cannot read, and puts no mark in."""
    seed = new_seed(office)
    with CurvePeer(unprepared, unprepared.curve_port + 1, "ra") as peer:
        peer.send("register", seed=seed["seed"], cn="gone-curve.example.com", profile="slow")
        unprepared.wait_until_busy(office)
    unprepared.wait_until_idle(office)
    assert not has_certificate(office, "gone-curve.example.com") and seed_row(office, seed)["uses_left"] == 1


def test_what_the_gone_have_queued_is_not_begun(unprepared, office):
    """All threads are busy with clients that stay; behind them wait requests that a thread could answer at once, but nobody."""
    seed = new_seed(office, profile="quick", uses=20)
    staying = [Peer(unprepared) for _ in range(4)]
    for i, peer in enumerate(staying):
        peer.send("register", seed=unprepared.seed, cn=f"stay{i}.example.com", profile="slow")
    wait_for(lambda: len([one for one in office.result("server.status")["workers"] if one["state"] == "busy"]) > 4, PATIENCE, "four busy threads")
    leaving = [Peer(unprepared) for _ in range(20)]
    for i, peer in enumerate(leaving):
        peer.socket.linger = -1  # the request itself goes out
        peer.send("register", seed=seed["seed"], cn=f"leave{i}.example.com", profile="quick")
    for peer in leaving:
        peer.socket.close()
    for peer in staying:
        succeeded(json.loads(peer.socket.recv_string()))
        peer.socket.close()
    with Peer(unprepared) as peer:  # behind all of them
        assert peer.ask("status", cn="nobody.example.com")["DATA"] == {"status": "not_registered"}
    unprepared.wait_until_idle(office)
    assert seed_row(office, seed)["used"] == 0
    assert not any(has_certificate(office, f"leave{i}.example.com") for i in range(20))


def test_a_policy_refusal_asks_for_no_key(unprepared, office):
    """Nobody searches: the refusal is there before a pair of that kind can be."""
    seed = new_seed(office, cn="policy.example.com")
    with Peer(unprepared) as peer:
        for bad in ({"cn": "another.example.com"}, {"profile": "ca"}, {"profile": "quick"}, {"sans": ["DNS:localhost"]}, {"sans": ["IP:127.0.0.1.1"]}):
            reply = peer.ask("register", seed=seed["seed"], **{"cn": "policy.example.com", "profile": "slow", **bad})
            assert reply["EVENT"] == "UPKI ERROR" and "try again" not in reply["MSG"], reply
    assert seed_row(office, seed)["uses_left"] == 1


# ----- the same on the socket

def say(talk, method, **envelope):
    params = envelope.pop("params")
    talk.lines.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **envelope}) + "\n")
    talk.lines.flush()


def test_a_client_says_until_when_it_waits(unprepared, office):
    say(office, "certificate.generate", params={"cn": "soon.example.com", "profile": "slow"}, within_ms=50)
    reply = json.loads(office.lines.readline())
    assert reply["error"]["data"]["code"] == "busy" and "try again shortly" in reply["error"]["message"], reply
    assert not has_certificate(office, "soon.example.com")
    say(office, "certificate.generate", params={"cn": "soon.example.com", "profile": "quick"}, within_ms=60000)
    assert "result" in json.loads(office.lines.readline())


@pytest.mark.parametrize("within", [0, -1, 3600001, "1000", None, 1.5, True])
def test_times_that_are_none(office, within):
    say(office, "server.ping", params={}, within_ms=within)
    assert json.loads(office.lines.readline())["error"]["data"]["code"] == "malformed"


def test_whoever_hangs_up_on_the_socket_gets_no_certificate(unprepared, office):
    leaving = unprepared.realm("default").talk()
    say(leaving, "certificate.generate", params={"cn": "hung-up.example.com", "profile": "slow"})
    unprepared.wait_until_busy(office)
    leaving.close()
    unprepared.wait_until_idle(office)
    assert not has_certificate(office, "hung-up.example.com")


def test_whoever_only_stops_talking_gets_its_answer(unprepared, office):
    """As nc -N does."""
    talk = unprepared.realm("default").talk()
    say(talk, "certificate.generate", params={"cn": "half.example.com", "profile": "quick"})
    talk.socket.shutdown(1)
    assert "result" in json.loads(talk.lines.readline())
    talk.close()
    assert has_certificate(office, "half.example.com")


def test_many_searches_given_up_leave_nobody_searching(unprepared, office):
    def give_up(i):
        talk = unprepared.realm("default").talk()
        talk.socket.settimeout(PATIENCE)
        say(talk, "certificate.generate", params={"cn": f"many{i}.example.com", "profile": "slow"}, within_ms=100)
        code = json.loads(talk.lines.readline())["error"]["data"]["code"]
        talk.close()
        return code
    with concurrent.futures.ThreadPoolExecutor(8) as several:
        assert set(several.map(give_up, range(16))) == {"busy"}
    unprepared.wait_until_idle(office)
    assert office.result("certificate.issue", csr=request_for("alive.example.com"), profile="server")["serial"]
