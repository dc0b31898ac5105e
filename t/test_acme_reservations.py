"""Limits of certificates hold for those who ask at once, and over crashes: room is taken before a certificate is signed (PROMISES C30)."""

import concurrent.futures
import contextlib
import json
import os
import signal
import threading
import time

import pytest

from test_acme_attacks import Subscriber, fresh
from test_acme_commands import csr
from test_acme_policies import PolicySystem
from test_master import children, title

MANY = 8
PATIENCE = 60
LIFE = 600  # seconds that room is kept for a certificate which never comes
WEEK = 7 * 86400


class LimitedSystem(PolicySystem):
    more_acme = {"default": """  policies:
    few: {certificates_per_name: 1}
    two: {certificates_per_name: 2}
""", "devices": ""}

    def rows(self, statement, *values):
        with contextlib.closing(self.database("default")) as database, database:
            return database.execute(statement, values).fetchall()

    def write(self, statement, *values):
        """Lets time pass for a row."""
        with contextlib.closing(self.database("default")) as database, database:
            assert database.execute(statement, values).rowcount == 1

    def reserved(self, name):
        return len(self.rows("SELECT at FROM acme_reservation WHERE name = ?", f"DNS:{name}"))

    def processes(self, kind):
        """Of realm default. @param kind  as their titles begin"""
        return [pid for pid in children(self.process.pid) if title(pid).startswith(f"{kind} default")]


@pytest.fixture(scope="module")
def system():
    with LimitedSystem.running() as one:
        yield one


@pytest.fixture
def subscribers(system):
    """Makes accounts, each with a connection of its own."""
    with contextlib.ExitStack() as stack:
        yield lambda count, policy: [Subscriber(stack.enter_context(contextlib.closing(system.realm("default").talk())), policy) for _ in range(count)]


def finalize(acme, order, name):
    return acme.call("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([name]))


def check_limited(reply, name, least, most):
    """That it is refused for that name, and says when to come again."""
    refused = reply["error"]["data"]
    kind, more = refused["hint"].split(" ", 1)
    assert (refused["code"], kind) == ("policy_refused", "acme:rateLimited"), reply
    assert least < json.loads(more)["retry_after"] <= most, reply
    assert [one["identifier"]["value"] for one in json.loads(more)["subproblems"]] == [name]


def all_at_once(calls):
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(PATIENCE)
        return call()
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("policy,limit", [("few", 1), ("two", 2)])
@pytest.mark.parametrize("again", range(3))
def test_C30_of_eight_orders_that_are_finalized_at_once_as_many_pass_as_may(system, subscribers, policy, limit, again):
    name = fresh()
    ready = [(one, one.ready(name)) for one in subscribers(MANY, policy)]
    replies = all_at_once([lambda one=one, order=order: finalize(one, order, name) for one, order in ready])
    passed = [reply["result"]["serial"] for reply in replies if "result" in reply]
    assert len(passed) == limit, replies
    found = ready[0][0].result("certificate.search", san=f"DNS:{name}")["certificates"]
    assert sorted(one["serial"] for one in found) == sorted(passed)
    for (one, order), reply in zip(ready, replies):
        if "error" in reply:
            check_limited(reply, name, 0, WEEK)
            assert one.look(order)["status"] == "ready"  # there may be room another day
            check_limited(finalize(one, order, name), name, WEEK - PATIENCE, WEEK)
    assert system.reserved(name) == 0


def test_one_order_that_is_finalized_at_once_gets_its_one_certificate(system, subscribers):
    name = fresh()
    first, *others = subscribers(MANY, "few")
    order, request = first.ready(name), csr([name])
    replies = all_at_once([lambda one=one: one.call("acme.order.finalize", account=first.account, order=order["id"], csr=request)
                           for one in (first, *others)])
    # Those who met another one's change of the order were told so.
    assert {reply["error"]["data"]["code"] for reply in replies if "error" in reply} <= {"conflict"}, replies
    found = first.result("certificate.search", san=f"DNS:{name}")["certificates"]
    assert {one["serial"] for one in found} == {first.look(order)["serial"]} and len(found) == 1
    assert system.reserved(name) == 0


@contextlib.contextmanager
def signer_that_waits(system):
    signer, = system.processes("chancery-signer:")
    os.kill(signer, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(signer, signal.SIGCONT)


def test_C6_a_look_at_an_order_that_is_being_signed_changes_nothing(system, subscribers):
    """Nor does the same request again: it gets the same answer, and the room stays taken."""
    name = fresh()
    first, looker, again, late = subscribers(4, "few")
    order, other = first.ready(name), late.ready(name)
    request = csr([name])
    ask = lambda one: one.call("acme.order.finalize", account=first.account, order=order["id"], csr=request)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with signer_that_waits(system):
            signing = pool.submit(ask, first)
            until(lambda: system.rows("SELECT id FROM acme_order WHERE id = ? AND status = 'processing'", order["id"]))
            assert looker.result("acme.order.get", account=first.account, order=order["id"])["status"] == "processing"
            assert system.reserved(name) == 1
            repeated = pool.submit(ask, again)
        answers = [one.result(PATIENCE) for one in (signing, repeated)]
    assert answers[0].get("result") and answers[0]["result"] == answers[1].get("result"), answers
    assert first.look(order)["status"] == "valid"
    check_limited(finalize(late, other, name), name, WEEK - PATIENCE, WEEK)
    assert len(first.result("certificate.search", san=f"DNS:{name}")["certificates"]) == 1


def test_C6_another_request_for_an_order_that_is_being_signed_gets_no_certificate_of_its_own(system, subscribers):
    name = fresh()
    first, late = subscribers(2, "few")
    order = first.ready(name)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with signer_that_waits(system):
            signing = pool.submit(finalize, first, order, name)
            until(lambda: system.rows("SELECT id FROM acme_order WHERE id = ? AND status = 'processing'", order["id"]))
            another = pool.submit(lambda: late.call("acme.order.finalize", account=first.account, order=order["id"], csr=csr([name])))
        signed, answer = signing.result(PATIENCE), another.result(PATIENCE)
    assert signed["result"]["status"] == "valid"
    # On a busy machine it may have waited long enough.
    assert answer.get("result") == signed["result"] or answer["error"]["data"]["code"] == "busy", answer
    assert len(first.result("certificate.search", san=f"DNS:{name}")["certificates"]) == 1


def test_room_of_some_names_is_taken_of_none(system, subscribers):
    first, second, third = subscribers(3, "few")
    taken, free = fresh(), fresh()
    early, late, other = first.ready(taken), second.ready(free, taken), third.ready(free)
    assert finalize(first, early, taken)["result"]["status"] == "valid"
    refused = second.call("acme.order.finalize", account=second.account, order=late["id"], csr=csr([free, taken]))
    check_limited(refused, taken, WEEK - PATIENCE, WEEK)
    assert finalize(third, other, free)["result"]["status"] == "valid"


def until(what):
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_F1_room_outlives_whoever_died_with_it_and_lapses(system, subscribers):
    """The worker and the signer die between the room and the signature. Nobody gets more than there may be, then or later."""
    name = fresh()
    other, = subscribers(1, "few")
    with contextlib.closing(system.realm("default").talk()) as talk:
        victim = Subscriber(talk, "few")
        order, late = victim.ready(name), other.ready(name)
        before = set(system.processes("chanceryd: worker"))
        signer, = system.processes("chancery-signer:")
        os.kill(signer, signal.SIGSTOP)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            lost = pool.submit(lambda: finalize(victim, order, name))
            until(lambda: system.rows("SELECT id FROM acme_order WHERE id = ? AND status = 'processing'", order["id"]))
            assert system.reserved(name) == 1
            for pid in [*before, signer]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert lost.exception(timeout=PATIENCE) is not None
    with contextlib.ExitStack() as stack:
        def connect(one):
            one.talk = stack.enter_context(contextlib.closing(system.realm("default").talk()))
        until(lambda: [pid for pid in system.processes("chancery-signer:") if pid != signer])
        connect(victim), connect(other)
        check_limited(finalize(other, late, name), name, LIFE - 2 * PATIENCE, LIFE)
        system.write("UPDATE acme_reservation SET at = at - ? WHERE name = ?", LIFE, f"DNS:{name}")
        assert until(lambda: finalize(other, late, name).get("result"))["status"] == "valid"
        assert victim.look(order)["status"] == "processing"  # it waits for room, and is not lost
        assert len(victim.result("certificate.search", san=f"DNS:{name}")["certificates"]) == 1
        system.write("UPDATE certificate_san SET issued_at = issued_at - ? WHERE san = ?", WEEK, f"DNS:{name}")
        assert victim.look(order)["status"] == "valid"
