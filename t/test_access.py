"""Access rules: the command table's roles at a running server, the realm's own rules beside them, and why."""

import os
import subprocess

import pytest

from test_daemon import request_for
from test_login import Administrator, Someone
from test_master import BUILD
from test_people import PASSWORD, STRANGER, House, code_of, running_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")
ROLES = ("user", "ra-operator", "ca-operator", "auditor", "admin")
CONTAINS = {"user": {"user"}, "ra-operator": {"user", "ra-operator"}, "ca-operator": {"user", "ra-operator", "ca-operator"}, "auditor": {"user", "auditor"},
            "admin": {"user", "ra-operator", "ca-operator", "auditor", "frontend", "admin"}}
SETTINGS = """
key_unencrypted: true
roles:
  web-team: [ra-operator]
  trainee: [ra-operator]
  helpdesk: [user]
logins:
  staff: {method: password, scrypt_cost: 14}
"""
RULES = """
access:
  - {name: admins, who: [admin], commands: ["*"]}
  - {name: crown-jewels, decision: deny, who: ["*"], commands: ["certificate.*"], names: [vault.web.example.com], reason: ask the board}
  - {name: web, who: [web-team], commands: ["certificate.*"], profiles: [server], names: [.web.example.com]}
  - {name: web-reads, who: [web-team], commands: [certificate.search, profile.options]}
  - {name: carol, who: ["user:carol"], commands: ["identity.get", "seed.*"]}
  - {name: trainees, decision: deny, who: [trainee], commands: ["*"], reason: not yet}
  - {name: helpdesk, who: [helpdesk], commands: [certificate.search, certificate.get, node.list, node.get], profiles: [user], names: [.desk.example.com]}
  - {name: own-token, who: [ra-operator, auditor], commands: ["token.*", "certificate.get"]}
"""


class Offices(House):
    def lay_out(self):
        self.write_config()
        self.settings("default", SETTINGS + RULES)
        self.settings("devices", SETTINGS)


@pytest.fixture(scope="module")
def house():
    with running_house(Offices) as one:
        for realm in ("default", "devices"):
            with one.talk(realm) as office:
                for user, role in [*((role, role) for role in ROLES), ("alice", "web-team"), ("terry", "trainee"), ("carol", "ra-operator"), ("harry", "helpdesk")]:
                    office.result("identity.create", user=user, roles=[role], password=PASSWORD)
        yield one


@pytest.fixture(scope="module")
def office(house):
    with house.talk("default") as talk:
        yield talk


def session(house, user, realm="default"):
    one = Someone(STRANGER, house.socket, realm=realm)
    one.result("session.login", stack="staff", user=user, password=PASSWORD)
    return one


def issue(one, *names, **params):
    return one.call("certificate.issue", csr=request_for(names[0]), sans=[f"DNS:{name}" for name in names], **params)


# ----- the command table

SKIPPED = {"session.close", "session.open", "session.login"}  # they end or change the session


@pytest.mark.parametrize("role", ROLES)
def test_every_command_needs_the_role_that_the_table_says(house, role):
    """Role x command: the refusals match server.describe. Parameters are wrong on purpose, so that nothing is done."""
    with session(house, role, "devices") as one:
        commands = one.result("server.describe")["commands"]
        assert len(commands) > 90
        wrong = []
        for command in commands:
            if command["name"] in SKIPPED:
                continue
            reply = one.call(command["name"], no_such_parameter=1)
            least = command["role"]
            may = least == "anonymous" or least in CONTAINS[role]
            needs_holder = command["name"].startswith("own.")
            expected = "denied" if not may or needs_holder else "invalid_params"
            if code_of(reply) != expected:
                wrong.append((command["name"], least, reply))
        assert not wrong


# ----- the realm's rules

def test_a_rule_allows_its_names_and_no_others(house):
    with session(house, "alice") as one:
        assert "result" in issue(one, "www.web.example.com")
        assert "result" in issue(one, "a.web.example.com", "b.web.example.com")
        for names in (["www.example.com"], ["a.web.example.com", "www.example.com"], ["web.example.com"]):
            reply = issue(one, *names)
            assert code_of(reply) == "denied" and "no access rule" in reply["error"]["message"], reply
        reply = issue(one, "vault.web.example.com")
        assert code_of(reply) == "denied" and "ask the board" in reply["error"]["message"], reply
        assert code_of(issue(one, "www.web.example.com", profile="user")) == "denied"


def test_what_is_generated_previewed_and_renewed_is_judged_likewise(house, office):
    foreign = issue(office, "www.example.com")["result"]["serial"]
    with session(house, "alice") as one:
        own = issue(one, "r.web.example.com")["result"]["serial"]
        assert "result" in one.call("certificate.generate", cn="g.web.example.com", sans=["DNS:g.web.example.com"])
        assert one.code("certificate.generate", cn="g.example.com", sans=["DNS:g.example.com"]) == "denied"
        assert one.code("certificate.preview", cn="g.example.com", sans=["DNS:g.example.com"]) == "denied"
        assert "result" in one.call("certificate.renew", serial=own)
        assert one.code("certificate.renew", serial=foreign) == "denied"
        assert one.code("certificate.revoke", serial=foreign) == "denied"
        assert one.code("certificate.revoke", serial="77" * 10) == "denied"  # whether it is there is nobody's business
        assert one.code("certificate.get", serial="77" * 10) == "denied"
        assert one.code("certificate.get", cn="www.example.com") == "denied"
        assert one.result("certificate.get", serial=own)["serial"] == own
        assert one.result("certificate.revoke", serial=own)["serial"] == own
    assert office.result("certificate.get", serial=foreign)["state"] == "valid"


def test_what_no_rule_allows_is_refused(house):
    with session(house, "ra-operator") as one:
        assert code_of(issue(one, "www.web.example.com")) == "denied"
        assert one.code("seed.list") == "denied"
        assert "tokens" in one.result("token.list")
        assert "certificate" in one.call("ca.get")["result"]  # anybody's
    with session(house, "carol") as one:
        assert "seeds" in one.result("seed.list")
        assert code_of(issue(one, "www.web.example.com")) == "denied"


def test_a_rule_gives_no_more_than_the_command_table(house):
    with session(house, "carol") as one:
        assert one.code("identity.list") == "denied"
    with session(house, "alice") as one:
        assert one.code("realm.reconcile") == "denied"


def test_a_role_is_denied_before_what_comes_later(house):
    with session(house, "terry") as one:
        reply = one.call("token.list")
        assert code_of(reply) == "denied" and "not yet" in reply["error"]["message"], reply


def test_upkeep_and_what_anybody_may_go_on(house, office):
    with Someone(STRANGER, house.socket, realm="default") as one:
        assert "certificate" in one.call("ca.get")["result"]
    assert "crl" in office.result("crl.get") or "number" in office.result("crl.get")


# ----- access.explain

EXPLAINED = [
    ("alice", {"command": "certificate.issue", "profile": "server", "subject": "/CN=a.web.example.com", "sans": ["DNS:a.web.example.com"]}, True, "web"),
    ("alice", {"command": "certificate.issue", "profile": "server", "subject": "/CN=a.example.com"}, False, None),
    ("alice", {"command": "certificate.issue", "sans": ["DNS:vault.web.example.com"]}, False, "crown-jewels"),
    ("alice", {"command": "certificate.search"}, True, "web-reads"),
    ("alice", {"command": "identity.create"}, False, None),
    ("terry", {"command": "token.list"}, False, "trainees"),
    ("carol", {"command": "seed.list"}, True, "carol"),
    ("admin", {"command": "identity.create"}, True, "admins"),
    ("user", {"command": "crl.get"}, True, None),
]


@pytest.mark.parametrize("user,asked,allowed,rule", EXPLAINED, ids=str)
def test_explain_says_which_rule_decides(house, office, user, asked, allowed, rule):
    with session(house, user) as one:
        told = one.result("access.explain", **asked)
        assert (told["allowed"], told.get("rule"), told["identity"]) == (allowed, rule, f"user:{user}"), told
    for of_other in (office.result("access.explain", identity=f"user:{user}", **asked),):
        assert {**of_other} == told
    with session(house, "auditor") as one:
        assert one.result("access.explain", identity=f"user:{user}", **asked) == told


def test_explain_tells_of_others_to_auditors_and_administrators_only(house):
    with session(house, "alice") as one:
        assert one.code("access.explain", command="seed.list", identity="user:carol") == "denied"
        assert one.code("access.explain", command="seed.list", identity="user:nobody-there") == "denied"
        assert one.code("access.explain", command="seed.list", roles=["admin"]) == "denied"
        assert one.code("access.explain", command="no.such") == "invalid_params"
    with session(house, "auditor") as one:
        assert one.code("access.explain", command="seed.list", identity="user:nobody-there") == "not_found"
        assert one.code("access.explain", command="seed.list", roles=["root"]) == "invalid_params"
        assert one.result("access.explain", command="seed.list", identity="cert:/CN=x", roles=["admin"])["rule"] == "admins"


def test_the_table_comes_first_in_what_is_explained(house):
    with session(house, "user") as one:
        assert one.result("access.explain", command="seed.list")["why"] == "the command table demands the role ra-operator"


# ----- what issues for anybody

ENROLS = """
access:
  - {name: crown-jewels, decision: deny, who: ["*"], commands: ["certificate.*"], names: [vault.open.example.com], reason: ask the board}
  - {name: admins, who: [admin], commands: ["*"]}
policy:
  otherwise: deny
  rules:
    - {name: open, decision: grant, ways: [enrol], names: [".open.example.com"], proofs: [anonymous]}
"""


def test_a_rule_that_denies_holds_for_who_enrols_too(house):
    house.settings("devices", SETTINGS + ENROLS)
    house.hangup()
    try:
        for user in (None, STRANGER):
            with house.talk("devices") if user is None else house.someone("devices") as one:
                assert one.call("certificate.enrol", csr=request_for("www.open.example.com"))["result"]["serial"]
                assert "result" not in one.call("certificate.enrol", csr=request_for("vault.open.example.com")), user
        with house.talk("devices") as root:
            told = root.result("access.explain", command="certificate.enrol", profile="server", sans=["DNS:vault.open.example.com"])
            assert not told["allowed"] and told["rule"] == "crown-jewels"
    finally:
        house.settings("devices", SETTINGS)
        house.hangup()


# ----- rules that do not hold

BAD = [
    ("access:\n  - {name: a, who: [webteam], commands: [certificate.issue]}\n", 'unknown role "webteam", expected one of user, ra-operator, ca-operator, auditor, admin, helpdesk, trainee, web-team (did you mean "web-team"?)'),
    ("access:\n  - {name: a, who: [user], commands: [certificate.isue]}\n", 'unknown command "certificate.isue" (did you mean "certificate.issue"?)'),
    ("access:\n  - {name: a, who: [user], commands: [\"certficate.*\"]}\n", 'unknown command "certficate.*"'),
    ("access:\n  - {name: a, who: [user], commands: [certificate.issue], profiles: [sever]}\n", 'unknown profile "sever"'),
]


@pytest.mark.parametrize("text,finding", BAD, ids=[finding[:40] for _, finding in BAD])
def test_check_finds_rules_that_do_not_hold(house, tmp_path, text, finding):
    house_file = house.realm("devices") / "ca.config.yml"
    before = house_file.read_text()
    house_file.write_text(SETTINGS + text)
    try:
        done = subprocess.run([BUILD / "chanceryd", "--check", "--config", house.config], capture_output=True, text=True)
    finally:
        house_file.write_text(before)
    assert done.returncode == 78 and finding in done.stdout, done.stdout


# ----- lists show what the rules let one see

def found_by(one, **filters):
    """Common names of all that a search brings, page by page, and the number of pages."""
    names, pages, after = set(), 0, {}
    while True:
        page = one.result("certificate.search", **filters, **after)
        names |= {row["subject"].rpartition("CN=")[2] for row in page["certificates"]}
        pages += 1
        if "next" not in page:
            return names, pages
        after = {"after": page["next"]}


def test_searches_and_lists_are_narrowed_by_conditions(house, office):
    seen = [issue(office, f"person-{i}.desk.example.com", profile="user")["result"]["serial"] for i in range(3)]
    hidden = [issue(office, "mail.desk.example.com")["result"]["serial"],  # of another profile
              issue(office, "person.elsewhere.example.com", profile="user")["result"]["serial"],  # of another name
              issue(office, "both.desk.example.com", "both.elsewhere.example.com", profile="user")["result"]["serial"]]
    harry = session(house, "harry")
    wanted = {f"person-{i}.desk.example.com" for i in range(3)}
    everybodys, _ = found_by(office)
    assert wanted < everybodys and len(everybodys) >= 6
    for limit in (1, 2, 1000):
        names, pages = found_by(harry, limit=limit)
        assert names == wanted and pages <= 4, (limit, names)
    assert {row["cn"] for row in harry.result("node.list")["nodes"]} == wanted
    for command, list_ in (("certificate.search", "certificates"), ("node.list", "nodes")):  # `next` tells of no row that is not shown
        page, found = {"next": ""}, []
        while "next" in page:
            page = harry.result(command, limit=1, **({"after": page["next"]} if page["next"] else {}))
            found += page[list_]
            assert len(page[list_]) == 1, command
        assert len(found) == len(wanted), command
    for serial in hidden:
        assert harry.result("certificate.search", serial=serial) == {"certificates": []}
        assert code_of(harry.call("certificate.get", serial=serial)) == "denied"
    assert code_of(harry.call("certificate.get", serial="01" * 16)) == "denied"  # as if it were there
    assert found_by(harry, profile="server")[0] == set() and found_by(harry, san="DNS:mail.desk.example.com")[0] == set()
    for serial in seen:
        assert harry.result("certificate.get", serial=serial)["serial"] == serial
    for command in ("certificate.revoke", "certificate.issue"):
        assert code_of(harry.call(command, serial=seen[0]) if command.endswith("revoke") else issue(harry, "x.desk.example.com")) == "denied"


def test_a_rule_that_denies_hides_from_searches_too(house, office):
    issue(office, "vault.web.example.com"), issue(office, "shown.web.example.com")
    alice = session(house, "alice")
    names, _ = found_by(alice, subject="")
    assert "shown.web.example.com" in names and "vault.web.example.com" not in names
    assert "vault.web.example.com" in found_by(office)[0]
