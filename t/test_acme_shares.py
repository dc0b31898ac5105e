"""One account whose servers are slow keeps nobody else waiting, and what could not be validated in time is no failure."""

import socket
import threading

import pytest

from challenges import account, answer, challenge_of, key_authorization, order
from challenges import system  # noqa: F401: a fixture

SLOW = "127.0.0.78"
RUNNING_EACH = 2
WAITING_EACH = 50


class Silent:
    """Takes connections and never answers."""

    def __init__(self, port):
        self.listener = socket.create_server((SLOW, port), backlog=200)
        self.taken, self.asked = [], threading.Semaphore(0)
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except OSError:
                return
            self.asked.release()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(60)
        for one in self.taken:
            one.close()


@pytest.fixture
def slow(system):
    one = Silent(system.http01_port)
    yield one
    one.stop()


def ask_for_many(client, dns, count):
    """Begins the challenges of so many names on the silent server. @return the authorizations"""
    names = [f"n{i}.slow.example" for i in range(count)]
    dns.zone.update({name: [SLOW] for name in names})
    urls = order(client, *names)[1]["authorizations"]
    for url in urls:
        assert client.post(url.replace("/authz/", "/challenge/") + "/http-01", {}).ok
    return urls


def test_one_account_does_not_keep_the_others_waiting(system, dns, slow, web):
    greedy, other = account(system), account(system)
    urls = ask_for_many(greedy, dns, RUNNING_EACH + WAITING_EACH + 8)
    assert all(slow.asked.acquire(timeout=60) for _ in range(RUNNING_EACH))
    dns.zone["quick.example"] = ["127.0.0.1"]
    url = order(other, "quick.example")[1]["authorizations"][0]
    challenge = challenge_of(other, url, "http-01")
    web.answers[challenge["token"]] = key_authorization(other, challenge)
    assert answer(other, url, challenge) == ("valid", None)
    log = system.log.read_text()
    assert "is not validated now: too many wait already" in log
    assert greedy.post(urls[-1]).json()["status"] == "pending"  # no verdict on what nobody looked at


def test_what_was_given_back_is_begun_by_the_next_look(system, dns, slow, web):
    client = account(system)
    urls = ask_for_many(client, dns, RUNNING_EACH + WAITING_EACH + 8)
    last = urls[-1]
    challenge = challenge_of(client, last, "http-01")
    assert challenge["status"] in ("pending", "processing")
    dns.zone["n%d.slow.example" % (len(urls) - 1)] = ["127.0.0.1"]
    web.answers[challenge["token"]] = key_authorization(client, challenge)
    for one in urls[:-1]:
        assert client.post(one, {"status": "deactivated"}).ok
    assert client.poll(last, ("valid", "invalid"))["status"] == "valid"


def answered_at_once(client, dns, web, name, shown=True):
    """@return what the request for the validation is answered with, for a name whose server answers at once"""
    dns.zone[name] = ["127.0.0.1"]
    challenge = challenge_of(client, order(client, name)[1]["authorizations"][0], "http-01")
    web.answers[challenge["token"]] = key_authorization(client, challenge) if shown else "nothing of the kind"
    return client.post(challenge["url"], {})


def test_a_challenge_is_answered_with_its_outcome(system, dns, web):
    client = account(system)
    answers = [answered_at_once(client, dns, web, f"prompt{i}.example") for i in range(20)]
    assert {one.json()["status"] for one in answers} <= {"valid", "processing"}  # that of a busy machine
    prompt = next(one for one in answers if one.json()["status"] == "valid")
    assert "Retry-After" not in prompt.headers and prompt.json()["validated"]
    assert len({one.headers["Replay-Nonce"] for one in answers}) == len(answers)
    assert all(one.headers["Cache-Control"] == "no-store" and ';rel="up"' in one.headers["Link"] for one in answers)


def test_a_challenge_is_answered_with_its_failure(system, dns, web):
    client = account(system)
    answers = [answered_at_once(client, dns, web, f"wrong{i}.example", shown=False) for i in range(20)]
    assert {one.json()["status"] for one in answers} <= {"invalid", "processing"}
    refused = next(one for one in answers if one.json()["status"] == "invalid")
    assert refused.status_code == 200 and refused.json()["error"]["type"].endswith(":incorrectResponse")


def test_a_challenge_without_an_outcome_yet_is_processing(system, dns, slow, web):
    client = account(system)
    dns.zone["silent.example"] = [SLOW]
    url = order(client, "silent.example")[1]["authorizations"][0]
    answered = client.post(challenge_of(client, url, "http-01")["url"], {})
    assert answered.json()["status"] == "processing" and answered.headers["Retry-After"]
    assert slow.asked.acquire(timeout=60)
    # Nor does that keep the account from asking for another name.
    assert answered_at_once(client, dns, web, "next.example").json()["status"] in ("processing", "valid")
    assert client.post(url).json()["status"] == "pending"
