"""What an account may try that proved nothing, or proves nothing any more: each of these once came through. The commands stand for
the front end, which decides none of it."""

import os
import time

import pytest

from acme_client import Key
from test_acme_commands import HTTP01, Acme, csr
from test_acme_policies import PolicySystem

NAMES = "attacks.localhost"


class AttackedSystem(PolicySystem):
    more_acme = {"default": """  external_account: optional
  caa_identities: [ca.example]
  policies:
    other: {allowed_names: [".other.localhost"]}
    dns: {challenges: [dns-01]}
    fleet: {preauthorized: [".fleet.localhost"]}
    few: {certificates_per_name: 1}
    failing: {failed_validations_per_hour: 2}
""", "devices": """  caa_identities: []
"""}

    def change(self, before, after):
        """Realm default's configuration, from now on."""
        text = self.file_of("default").read_text()
        assert before in text
        self.file_of("default").write_text(text.replace(before, after))
        self.reload()

    def write(self, statement, *values):
        """Lets time pass for a row."""
        with self.database("default") as database:
            assert database.execute(statement, values).rowcount == 1


class Subscriber(Acme):
    """An account of realm default."""

    def __init__(self, talk, policy=""):
        self.talk, self.key = talk, Key()
        self.account = self.result("acme.account.create", jwk=self.key.jwk())["id"]
        self.follow(policy)

    def call(self, method, **params):
        return self.talk.call(method, **params)

    def follow(self, policy=""):
        self.result("acme.account.policy", account=self.account, **({"policy": policy} if policy else {}))

    def prove(self, authorization, valid=True, caa_checked=True):
        task = self.begin(authorization)
        assert task["claimed"], task
        return self.result("acme.challenge.finish", authorization=authorization, type=HTTP01, claim=task["claim"], valid=valid,
                           caa_checked=caa_checked, evidence="seen")

    def give_up(self, order):
        return self.result("acme.authorization.deactivate", account=self.account, authorization=order["authorizations"][0])


@pytest.fixture(scope="module")
def system():
    with AttackedSystem.running() as one:
        yield one


@pytest.fixture(scope="module")
def talk(system):
    one = system.realm("default").talk()
    yield one
    one.close()


@pytest.fixture
def acme(talk):
    return Subscriber(talk)


@pytest.fixture
def other(talk):
    return Subscriber(talk)


def fresh(below=NAMES):
    return f"{os.urandom(6).hex()}.{below}"


# ----- an order that waits for a look at CAA

def held_back(acme):
    """@return the order and what is to be looked at before it is issued."""
    name = fresh()
    order = acme.order(name)
    acme.prove(order["authorizations"][0], caa_checked=False)
    waiting = acme.finalize(order, csr([name]))
    assert waiting["status"] == "processing"
    check, = waiting["caa_checks"]
    return order, check


def allow(acme, order, check, allowed=True):
    return acme.result("acme.caa.finish", order=order["id"], authorization=check["authorization"], claim=check["claim"], allowed=allowed,
                       evidence="seen")


def expire(table):
    return lambda system, acme, order: system.write(
        f"UPDATE {table} SET expires = ? WHERE id = ?", int(time.time()) - 5, order["id"] if table == "acme_order" else order["authorizations"][0])


def block(system, acme, order):
    acme.result("acme.block", account=acme.account)
    shown, = acme.result("acme.orders", account=acme.account)["orders"]
    assert shown["status"] == "invalid"
    acme.result("acme.unblock", account=acme.account)


# what happens while an order waits -> a word of why it ends
MEANWHILE = {
    "its authorization is given up": (lambda system, acme, order: acme.give_up(order), "deactivated"),
    "its authorization expires": (expire("acme_authorization"), "expired"),
    "it expires": (expire("acme_order"), "expired"),
    "its account gets another policy": (lambda system, acme, order: acme.follow("other"), "policy"),
    "its account is blocked for a while": (block, "blocked"),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_I2_what_waited_for_caa_is_issued_only_while_it_may_be(system, acme, case):
    happens, word = MEANWHILE[case]
    order, check = held_back(acme)
    happens(system, acme, order)
    allow(acme, order, check)
    ended = acme.look(order)
    assert (ended["status"], "serial" in ended) == ("invalid", False) and word in ended["error"]["detail"], ended
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([fresh()]))[1] == "acme:orderNotReady"


def test_what_waited_for_caa_is_shown_as_processing_and_issued(acme):
    order, check = held_back(acme)
    assert acme.look(order)["status"] == "processing"
    assert acme.result("acme.show", order=order["id"])["status"] == "processing"
    assert [one["id"] for one in acme.result("acme.orders", account=acme.account, status="processing")["orders"]] == [order["id"]]
    name = order["identifiers"][0]["value"]
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([name]))[1] == "acme:orderNotReady"  # it has one
    assert allow(acme, order, check)["status"] == "processing"
    assert acme.look(order)["status"] == "valid"


def test_what_waited_for_caa_ends_where_caa_forbids(acme):
    order, check = held_back(acme)
    assert allow(acme, order, check, allowed=False)["status"] == "invalid"
    assert acme.look(order)["status"] == "invalid"


def test_F1_what_is_being_signed_is_not_taken_back(system, acme):
    """Its certificate may be there already, and somebody have it."""
    order, check = held_back(acme)
    allow(acme, order, check)
    system.write("UPDATE acme_order SET status = 'processing' WHERE id = ?", order["id"])
    acme.give_up(order)
    acme.result("acme.block", account=acme.account)
    acme.result("acme.unblock", account=acme.account)
    assert acme.look(order)["status"] == "valid"
