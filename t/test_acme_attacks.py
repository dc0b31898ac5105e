"""What an account may try that proved nothing, or proves nothing any more: each of these once came through. The commands stand for
the front end, which decides none of it."""

import contextlib
import os
import time

import pytest

from acme_client import Key
from test_acme_accounts import certificate_id
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

    @contextlib.contextmanager
    def with_lines(self, lines):
        """Realm default with more lines in its acme section. @return a connection that knows them"""
        before = self.file_of("default").read_text()
        try:
            self.file_of("default").write_text(before + lines)
            self.reload()
            with contextlib.closing(self.realm("default").talk()) as one:
                yield one
        finally:
            self.file_of("default").write_text(before)
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

    def refused(self, *names, **more):
        """The code and the ACME type by which an order is refused."""
        return self.error("acme.order.create", account=self.account, identifiers=[{"type": "dns", "value": name} for name in names], **more)

    def revoke(self, pem):
        return self.call("acme.certificate.revoke", certificate=pem, account=self.account)

    def give_up(self, order):
        return self.result("acme.authorization.deactivate", account=self.account, authorization=order["authorizations"][0])


@pytest.fixture(scope="module")
def system():
    with AttackedSystem.running() as one:
        yield one


@pytest.fixture
def talk(system):
    with contextlib.closing(system.realm("default").talk()) as one:
        yield one


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


# ----- another's certificate

def is_denied(reply):
    return "error" in reply and reply["error"]["data"]["code"] == "denied"


def test_replaces_bars_nobody_from_renewing_his_certificate(acme, other):
    """RFC 9773 5: an order replaces a certificate of its own account, or of names that the account has proved."""
    names = [fresh(), fresh()]
    replaced = certificate_id(acme.certificate(*names))
    assert other.refused(*names, replaces=replaced) == ("denied", "acme:unauthorized")
    other.ready(names[0])
    assert other.refused(*names, replaces=replaced) == ("denied", "acme:unauthorized")
    other.ready(names[1])
    proved = other.order(*names, replaces=replaced)
    assert (proved["status"], proved["replaces"]) == ("ready", replaced)
    other.give_up(proved)
    assert other.look(proved)["status"] == "invalid"
    assert acme.order(*names, replaces=replaced)["replaces"] == replaced
    assert acme.refused(*names, replaces=replaced)[1] == "acme:alreadyReplaced"


def test_F42_a_name_that_was_granted_is_not_proved(acme, other):
    name = fresh("fleet.localhost")
    pem = acme.certificate(name)
    other.follow("fleet")
    assert other.result("acme.authorization.create", account=other.account, identifier={"type": "dns", "value": name})["status"] == "valid"
    granted = other.order(name)
    assert granted["status"] == "ready"
    for policy in ("fleet", ""):
        other.follow(policy)
        assert is_denied(other.revoke(pem))
        assert other.refused(name, replaces=certificate_id(pem)) == ("denied", "acme:unauthorized")
    assert other.order(name)["status"] == "pending"
    other.follow("fleet")
    assert other.order(name)["status"] == "ready" and other.finalize(granted, csr([name]))["status"] == "valid"


def test_F42_a_name_that_was_taken_unproven_is_not_proved(system, acme, other):
    name = fresh()
    pem = acme.certificate(name)
    with system.with_lines("  upki_clients: \"yes\"\n  order_lifetime: 30d\n") as other.talk:
        assert other.order(name)["status"] == "ready"
        assert is_denied(other.revoke(pem))
    with contextlib.closing(system.realm("default").talk()) as other.talk:
        assert is_denied(other.revoke(pem))
        assert other.refused(name, replaces=certificate_id(pem)) == ("denied", "acme:unauthorized")
        assert other.order(name)["status"] == "pending"
        assert other.ready(name)["status"] == "ready" and "result" in other.revoke(pem)


# ----- what no longer counts

def test_C30_a_failure_counts_although_its_authorization_was_given_up(acme):
    acme.follow("failing")
    name = fresh()
    for _ in range(2):
        order = acme.order(name)
        task = acme.begin(order["authorizations"][0])
        acme.give_up(order)
        done = acme.result("acme.challenge.finish", authorization=order["authorizations"][0], type=HTTP01, claim=task["claim"], valid=False)
        assert done["status"] == "deactivated"
    assert acme.refused(name)[1] == "acme:rateLimited"
    assert acme.order(fresh())["status"] == "pending"


def test_a_proof_of_what_was_given_up_comes_too_late(acme):
    order = acme.order(fresh())
    task = acme.begin(order["authorizations"][0])
    acme.give_up(order)
    done = acme.result("acme.challenge.finish", authorization=order["authorizations"][0], type=HTTP01, claim=task["claim"], valid=True)
    assert done["status"] == "deactivated" and acme.look(order)["status"] == "invalid"


def test_a_proof_by_a_method_that_is_not_allowed_any_more_is_not_used_again(acme):
    name = fresh()
    proved = acme.ready(name)
    acme.follow("dns")
    narrowed = acme.order(name)
    assert narrowed["status"] == "pending" and narrowed["authorizations"] != proved["authorizations"]
    acme.follow()
    assert acme.order(name)["authorizations"] == proved["authorizations"]


def test_an_order_whose_authorization_was_purged_ends(system, acme):
    shown, looked_at = acme.ready(fresh()), acme.ready(fresh())
    for order in (shown, looked_at):
        system.write("DELETE FROM acme_authorization WHERE id = ?", order["authorizations"][0])
    assert acme.result("acme.show", order=shown["id"])["status"] == "invalid"
    ended = acme.look(looked_at)
    assert ended["status"] == "invalid" and "purged" in ended["error"]["detail"]
    assert acme.error("acme.order.finalize", account=acme.account, order=looked_at["id"], csr=csr([fresh()]))[1] == "acme:orderNotReady"


def test_C30_only_a_certificate_that_is_due_is_renewed_beyond_the_limit(acme, other):
    """RFC 9773 5 leaves it to the server: else a chain of replacements has no limit."""
    name, second = fresh(), fresh()
    pem = acme.certificate(name)
    other.certificate(second)
    acme.follow("few")
    assert acme.refused(name, replaces=certificate_id(pem))[1] == "acme:rateLimited"  # its window is far away
    assert "result" in acme.revoke(pem)
    assert acme.refused(name, second, replaces=certificate_id(pem))[1] == "acme:rateLimited"  # no name of the certificate
    renewal = acme.order(name, replaces=certificate_id(pem))
    assert acme.finalize(renewal, csr([name]))["status"] == "valid"


def test_ACME_that_is_off_is_off_for_accounts_that_are_there(system, acme):
    pending, ready, (waiting, check), name = acme.order(fresh()), acme.ready(fresh()), held_back(acme), fresh()
    pem = acme.certificate(name)
    with system.with_lines("  enabled: false\n") as acme.talk:
        asks = (("acme.challenge.begin", {"authorization": pending["authorizations"][0], "type": HTTP01}),
                ("acme.order.finalize", {"order": ready["id"], "csr": csr([ready["identifiers"][0]["value"]])}),
                ("acme.order.create", {"identifiers": [{"type": "dns", "value": name}]}),
                ("acme.authorization.create", {"identifier": {"type": "dns", "value": name}}))
        for method, more in asks:
            error = acme.call(method, account=acme.account, **more)["error"]
            assert (error["data"]["code"], error["message"]) == ("not_found", "ACME is off in this realm"), method
        allow(acme, waiting, check)
        assert [acme.look(one)["status"] for one in (pending, ready, waiting)] == ["pending", "ready", "processing"]
        assert "result" in acme.revoke(pem)
    with contextlib.closing(system.realm("default").talk()) as acme.talk:
        assert acme.look(waiting)["status"] == "valid"
