"""Every role, every command and every state of requests in the organisation: who may do what when, and what the others are told."""

import os
import sqlite3

import pytest

from test_admin_examples import csr_for
from test_login import Someone
from test_organisation import PASSWORDS, UNIX, office  # noqa: F401 pylint: disable=unused-import
from test_request_upkeep import link

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as several users")

#: who somebody is to a request of alice's: its requester, one who approves, an operator, an auditor
PARTS = {"alice": "r", "bob": "ao", "carol": "ao", "erin": "o", "dave": "u", "frank": "", "root": "o"}
STATES = ["pending", "approved", "processing", "issued", "done", "rejected", "withdrawn", "expired", "failed"]
#: what a command does, in which states, by whom
MAY = {
    "approve": ({"pending"}, "a"),
    "reject": ({"pending", "approved"}, "a"),
    "withdraw": ({"pending", "approved"}, "r"),
    "retry": ({"failed"}, "o"),
    "comment": (set(STATES), "rao"),
    "get": (set(STATES), "raou"),
    "pickup": ({"approved", "processing", "issued", "done"}, "ro"),
}
#: what the command table keeps for operators, before anything is looked at
FOR_OPERATORS = {"retry"}
#: commands that look at who asks before they look at the state
WHO_FIRST = {"pickup"}
AFTER = {("pending", "approve"): "pending", ("pending", "reject"): "rejected", ("approved", "reject"): "rejected", ("pending", "withdraw"): "withdrawn",
         ("approved", "withdraw"): "withdrawn", ("failed", "retry"): "approved", ("approved", "pickup"): "issued", ("processing", "pickup"): "issued"}


def expected(state, command, who):
    """@return the error's code; none: it is done"""
    states, parts = MAY[command]
    is_one = any(part in PARTS[who] for part in parts)
    if command in FOR_OPERATORS and "o" not in PARTS[who]:
        return "denied"
    if not PARTS[who]:
        return "not_found"
    if command in WHO_FIRST and not is_one:
        return "denied"
    if state not in states:
        return "conflict"
    return None if is_one else "denied"


class Desk:
    """Everybody's session, and requests of alice's in whatever state."""

    def __init__(self, organisation):
        self.office, self.sessions, self.count = organisation, {}, 0

    def of(self, who):
        if who not in self.sessions:
            session = Someone(UNIX.get(who, "lp" if who == "frank" else "root"), self.office.socket, realm="default")
            if who != "root":
                session.result("session.login", stack="staff", user=who, password=PASSWORDS.get(who, "frank knows a long password"))
            self.sessions[who] = session
        return self.sessions[who]

    def write(self, statement, *values):
        store = sqlite3.connect(self.office.realm("default").directory / "db" / "realm.db", timeout=60)
        with store:
            store.execute(statement, values)
        store.close()

    def name(self):
        self.count += 1
        return f"m{self.count}.shop.example.com"

    def pending(self):
        return self.of("alice").result("request.create", csr=csr_for(self.name()), profile="shop")["request"]

    def approved(self):
        request = self.pending()
        for who in ("bob", "carol"):
            self.of(who).result("request.approve", request=request)
        return request

    def issued(self):
        request = self.approved()
        self.of("alice").result("request.pickup", request=request)
        return request

    def done(self):
        serial = self.of("alice").result("request.get", request=self.issued())["serial"]
        request = self.of("alice").result("request.create", kind="revocation", serial=serial)["request"]
        assert self.of("bob").result("request.approve", request=request)["state"] == "done"
        return request

    def rejected(self):
        request = self.pending()
        self.of("bob").result("request.reject", request=request, comment="no")
        return request

    def withdrawn(self):
        request = self.pending()
        self.of("alice").result("request.withdraw", request=request)
        return request

    def expired(self):
        request = self.pending()
        self.write("UPDATE request SET expires_at = 1 WHERE id = ?", request)
        return request

    def cut_off(self, *events):
        request = self.approved()
        seen = self.of("alice").result("request.get", request=request)
        before, number = seen["history"][-1]["chain"], len(seen["history"])
        for what, state in events:
            before = link(before, number, 1000, what, state, seen["digest"])
            self.write("INSERT INTO request_history SELECT realm_id, request, ?, 1000, ?, ?, 'chancery', -1, '', '', digest, '', certificate, signature, ? "
                       "FROM request_history WHERE number = 0 AND request = ?", number, what, state, before, request)
            number += 1
        self.write("UPDATE request SET state = ?, version = ? WHERE id = ?", events[-1][1], number - 1, request)
        return request

    def processing(self):
        return self.cut_off(("begin", "processing"))

    def failed(self):
        return self.cut_off(("begin", "processing"), ("fail", "failed"))

    def in_state(self, state):
        request = getattr(self, state)()
        assert self.of("alice").result("request.get", request=request)["state"] == state
        return request

    def act(self, who, command, request):
        words = {"comment": "because"} if command in ("reject", "comment") else {}
        return self.of(who).call(f"request.{command}", request=request, **words)


@pytest.fixture(scope="module")
def desk(office):  # noqa: F811 pylint: disable=redefined-outer-name
    office.ask("root", "identity", "create", "--user", "frank", "--role", "user", "--password", frank_password(office))
    one = Desk(office)
    yield one
    for session in one.sessions.values():
        session.__exit__()


def frank_password(organisation):
    file = organisation.directory / "people" / "frank.password"
    file.write_text("frank knows a long password\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("state", STATES)
def test_F52_every_role_command_and_state(desk, state):
    """What is refused changes nothing, so all refusals are tried on one request; what is done gets one of its own."""
    refused = desk.in_state(state)
    before = desk.of("alice").result("request.get", request=refused)["history"]
    tried = 0
    for command in MAY:
        for who in PARTS:
            code = expected(state, command, who)
            request = refused if code else desk.in_state(state)
            reply = desk.act(who, command, request)
            where = f"{who} {command} {state}: {reply}"
            assert reply.get("error", {}).get("data", {}).get("code") == code, where
            if code == "not_found":  # as of what there is not
                assert reply["error"]["message"].replace(request, "0" * 32) == desk.act(who, command, "0" * 32)["error"]["message"], where
            if code is None and command != "get":
                assert desk.of("alice").result("request.get", request=request)["state"] == AFTER.get((state, command), state), where
            tried += 1
    assert tried == len(MAY) * len(PARTS)
    assert desk.of("alice").result("request.get", request=refused)["history"] == before


def test_F50_lists_show_what_the_table_lets_one_see(desk):
    request = desk.in_state("pending")
    for who, parts in PARTS.items():
        shown = [one["request"] for one in desk.of(who).result("request.list", state="pending", limit=1000)["requests"]]
        assert (request in shown) == bool(parts), who


def test_the_table_here_has_every_command(desk):
    described = {one["name"] for one in desk.of("root").result("server.describe")["commands"] if one["name"].startswith("request.")}
    assert described == {f"request.{command}" for command in MAY} | {"request.create", "request.list"}
