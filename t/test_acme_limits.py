"""Limits of ACME policies hold for those who ask at once: what is counted is counted where it is written (PROMISES C30)."""

import contextlib
import json

import pytest

from test_acme_attacks import Subscriber, fresh
from test_acme_commands import HTTP01
from test_acme_policies import PolicySystem
from test_acme_reservations import all_at_once

MANY = 8
HOUR = 3600
CLAIM = 30  # seconds until a validation lapses of which nobody is heard
LIFETIME = 7 * 86400  # of orders


class LimitedSystem(PolicySystem):
    more_acme = {"default": """  policies:
    slow: {orders_per_hour: 3}
    waiting: {pending_authorizations: 5}
    failing: {failed_validations_per_hour: 3}
    once: {failed_validations_per_hour: 1}
    free: {failed_validations_per_hour: 0}
""", "devices": ""}

    def write(self, statement, *values):
        with contextlib.closing(self.database("default")) as database, database:
            assert database.execute(statement, values).rowcount == 1

    def rows(self, statement, *values):
        with contextlib.closing(self.database("default")) as database:
            return database.execute(statement, values).fetchall()

    def going_on(self, name):
        return len(self.rows("SELECT claim FROM acme_validation WHERE name = ?", f"DNS:{name}"))


@pytest.fixture(scope="module")
def system():
    with LimitedSystem.running() as one:
        yield one


@pytest.fixture
def account(system):
    """Makes an account of a policy, with as many connections as may ask at once for it."""
    with contextlib.ExitStack() as stack:
        def make(policy):
            talks = [stack.enter_context(contextlib.closing(system.realm("default").talk())) for _ in range(MANY)]
            return Subscriber(talks[0], policy), talks
        yield make


def check_limited(reply, most):
    """@return the refusal's subproblems, for a wait of at most so many seconds."""
    refused = reply["error"]["data"]
    kind, more = refused["hint"].split(" ", 1)
    assert (refused["code"], kind) == ("policy_refused", "acme:rateLimited"), reply
    more = json.loads(more)
    assert 0 < more["retry_after"] <= most, reply
    return more.get("subproblems", [])


def passed(replies, most, subproblems=0):
    """@return the results of those that passed; the others are refused, for so long at most."""
    for reply in replies:
        if "error" in reply:
            assert len(check_limited(reply, most)) == subproblems
    return [reply["result"] for reply in replies if "result" in reply]


def dns(*names):
    return [{"type": "dns", "value": name} for name in names]


def order_at_once(one, talks, names=1):
    return all_at_once([lambda talk=talk: talk.call("acme.order.create", account=one.account, identifiers=dns(*(fresh() for _ in range(names))))
                        for talk in talks])


def begin_at_once(one, talks, authorizations):
    assert len(talks) == len(authorizations)
    return all_at_once([lambda talk=talk, each=each: talk.call("acme.challenge.begin", account=one.account, authorization=each, type=HTTP01)
                        for talk, each in zip(talks, authorizations)])


def finish(one, task, **verdict):
    return one.result("acme.challenge.finish", authorization=task["authorization"]["id"], type=HTTP01, claim=task["claim"],
                      evidence="seen", **verdict)


@pytest.mark.parametrize("again", range(3))
def test_C30_of_eight_orders_at_once_as_many_pass_as_an_hour_has(account, again):
    one, talks = account("slow")
    assert len(passed(order_at_once(one, talks), HOUR)) == 3
    assert passed(order_at_once(one, talks), HOUR) == []
    assert len(one.result("acme.order.list", account=one.account)["orders"]) == 3


@pytest.mark.parametrize("again", range(3))
def test_C30_of_eight_orders_at_once_as_many_pass_as_may_be_pending(account, again):
    one, talks = account("waiting")
    made = passed(order_at_once(one, talks, names=2), LIFETIME)
    assert len(made) == 2  # of two authorizations each
    assert len(passed(order_at_once(one, talks), LIFETIME)) == 1
    pending = one.result("acme.authorizations", account=one.account, status="pending")["authorizations"]
    assert len(pending) == 5
    one.prove(made[0]["authorizations"][0])
    assert len(passed(order_at_once(one, talks), LIFETIME)) == 1


def test_C30_names_proved_beforehand_count_with_those_of_orders(account):
    one, talks = account("waiting")
    replies = all_at_once([lambda talk=talk, i=i: talk.call("acme.authorization.create", account=one.account, identifier=dns(fresh())[0]) if i % 2
                           else talk.call("acme.order.create", account=one.account, identifiers=dns(fresh())) for i, talk in enumerate(talks)])
    assert len(passed(replies, LIFETIME)) == 5


@pytest.mark.parametrize("again", range(3))
def test_C30_of_eight_validations_at_once_as_many_fail_as_may(system, account, again):
    one, talks = account("failing")
    name = fresh()
    waiting = [one.order(name)["authorizations"][0] for _ in range(MANY)]
    tasks = passed(begin_at_once(one, talks, waiting), CLAIM, subproblems=1)
    assert len(tasks) == 3 and all(task["claimed"] for task in tasks), tasks
    assert system.going_on(name) == 3
    again_asked = passed(begin_at_once(one, talks, waiting), CLAIM, subproblems=1)
    assert [task["claimed"] for task in again_asked] == [False] * 3  # those that go on
    for task in tasks:
        assert finish(one, task, valid=False)["status"] == "invalid"
    assert system.going_on(name) == 0
    left = [each for each in waiting if each not in [task["authorization"]["id"] for task in tasks]]
    assert passed(begin_at_once(one, talks[:5], left), HOUR, subproblems=1) == []
    assert all(one.result("acme.authorization.get", account=one.account, authorization=each)["status"] == "pending" for each in left)
    refused = talks[0].call("acme.order.create", account=one.account, identifiers=dns(name))
    assert [each["identifier"]["value"] for each in check_limited(refused, HOUR)] == [name]
    oldest = system.rows("SELECT id FROM acme_failure WHERE name = ?", f"DNS:{name}")[0]
    system.write("UPDATE acme_failure SET at = at - ? WHERE id = ?", HOUR, *oldest)
    assert len(passed(begin_at_once(one, talks[:5], left), HOUR, subproblems=1)) == 1


@pytest.mark.parametrize("verdict", [{"valid": True}, {"valid": False, "untried": True}], ids=["valid", "untried"])
def test_what_did_not_fail_leaves_its_room_to_another(system, account, verdict):
    one, talks = account("once")
    name = fresh()
    first, second = (one.order(name)["authorizations"][0] for _ in range(2))
    task = one.begin(first)
    assert len(check_limited(talks[1].call("acme.challenge.begin", account=one.account, authorization=second, type=HTTP01), CLAIM)) == 1
    finish(one, task, **verdict)
    assert one.begin(second)["claimed"]
    assert system.going_on(name) == 1


def test_room_of_a_validation_lapses_with_its_claim(system, account):
    """Whoever validated died with it: what nobody heard of did not fail."""
    one, talks = account("once")
    name = fresh()
    first, second = (one.order(name)["authorizations"][0] for _ in range(2))
    one.begin(first)
    check_limited(talks[1].call("acme.challenge.begin", account=one.account, authorization=second, type=HTTP01), CLAIM)
    system.write("UPDATE acme_validation SET ends = ends - ? WHERE name = ?", CLAIM, f"DNS:{name}")
    assert one.begin(second)["claimed"]


def test_giving_up_an_authorization_makes_no_room_and_undoes_no_failure(account):
    one, talks = account("once")
    name = fresh()
    first, second = (one.order(name)["authorizations"][0] for _ in range(2))
    task = one.begin(first)
    one.result("acme.authorization.deactivate", account=one.account, authorization=first)
    check_limited(talks[1].call("acme.challenge.begin", account=one.account, authorization=second, type=HTTP01), CLAIM)
    assert finish(one, task, valid=False)["status"] == "deactivated"
    check_limited(talks[1].call("acme.challenge.begin", account=one.account, authorization=second, type=HTTP01), HOUR)


def test_another_name_account_or_policy_has_room_of_its_own(account):
    one, _ = account("once")
    name = fresh()
    assert one.begin(one.order(name)["authorizations"][0])["claimed"]
    assert one.begin(one.order(fresh())["authorizations"][0])["claimed"]
    assert one.begin(one.order("www." + name)["authorizations"][0])["claimed"]
    for policy in ("once", "free"):
        other, talks = account(policy)
        waiting = [other.order(name)["authorizations"][0] for _ in range(MANY)]
        tasks = passed(begin_at_once(other, talks, waiting), CLAIM, subproblems=1)
        assert len(tasks) == (1 if policy == "once" else MANY)
