"""Requests about the realm itself: steps of a CA's rollover, and another policy. Nobody takes them alone where the realm has them approved: not by
the command, not by a worker that somebody took over, not by writing the file and reloading (PROMISES F52)."""

import json
import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile

import pytest

from test_daemon import request_for
from test_master import BUILD
from test_requests import ALICE, AUDITOR, BOB, CAROL, DAVE, EVE, PEOPLE, Clerk, Office, change
from test_sweep import kill_at, lost_or_result, talk_and_worker, was_killed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")

#: dave, erin and frank look after CAs; bob and carol are ra-operators, alice is a user
ERIN, FRANK = "list", "backup"
BASE = """key_unencrypted: true
crl_urls: ["http://pki.example.com/{{ca}}/crl"]
ca_issuer_urls: ["http://pki.example.com/{{ca}}/crt"]
rollover: {{retire: people}}
requests: {{{requests}}}
"""
RULES = "policy:\n  rules:\n    - {{name: no-banks, decision: deny, names: [{name}]}}\n"
#: of each realm of the tests
REQUESTS = {"default": "rollover_approvals: 2, rule_approvals: 2", "devices": "rollover_approvals: 1, rollover_signers: [user]"}


class Board(Office):
    people = {**PEOPLE, ERIN: "ca-operator", FRANK: "ca-operator"}

    def write_config(self, root="", **how):
        super().write_config(root, **how)
        more = "".join(f'<identity user="{user}" roles="{self.people[user]}"/>' for user in (ERIN, FRANK))
        self.config.write_text(self.config.read_text().replace("</identities>", f"{more}</identities>"))

    def settings(self, realm, policy="", requests=None):
        (self.realm(realm) / "ca.config.yml").write_text(BASE.format(requests=requests or REQUESTS[realm]) + policy)

    def stored(self, statement, *values, realm="default"):
        with sqlite3.connect(self.realm(realm) / "db" / "realm.db", timeout=60) as store:
            return store.execute(statement, values).fetchall()


@pytest.fixture
def board():
    with tempfile.TemporaryDirectory(prefix="chancery-board-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        one = Board(pathlib.Path(directory))
        for realm in REQUESTS:
            one.settings(realm)
        one.start()
        opened = {}

        def of(user, realm="default"):
            if (user, realm) not in opened:
                opened[user, realm] = one.someone(user, realm=realm)
            return opened[user, realm]

        def closed():
            for session in opened.values():
                session.__exit__()
            opened.clear()
        one.of, one.closed = of, closed
        yield one
        closed()
        one.end()


def rollover(board, user=DAVE, realm="default", **params):
    return board.of(user, realm).result("request.create", kind="rollover", **params)


def approved(board, made, *users):
    for user in users or (ERIN, FRANK):
        last = board.of(user).result("request.approve", request=made["request"], digest=made["digest"])
    return last


def rollover_state(board, realm="default"):
    with board.talk(realm) as talk:
        return talk.result("ca.rollover.status")["state"]


# ----- rollovers

def test_F52_nobody_rolls_a_ca_over_alone(board):
    for step in ("start", "publish", "switch", "abort"):
        for user in (DAVE, None):  # root is an administrator
            with board.talk("default") if user is None else board.someone(user) as session:
                reply = session.call(f"ca.rollover.{step}")["error"]
                assert reply["data"]["code"] == "policy_refused" and "2 approvals" in reply["message"], (step, reply)
                assert "request create --kind rollover" in reply["data"]["hint"]
    assert rollover_state(board) == "none"
    assert list((board.realm("default") / "cas").iterdir()) == []


def test_F52_two_people_agree_and_the_whole_rollover_is_done(board):
    made = rollover(board, comment="the root ends next year")
    assert (made["kind"], made["state"], made["step"], made["ca"], made["approvals_needed"]) == ("rollover", "pending", "whole", "ca-2", 2)
    assert made["approval_roles"] == ["ca-operator"] and "profile" not in [key for key, value in made.items() if value and key == "profile"]
    about = {"request": made["request"]}
    for user, code in ((DAVE, "denied"), (BOB, "denied"), (AUDITOR, "denied"), (ALICE, "not_found")):
        assert board.of(user).code("request.approve", **about) == code, user
    assert board.of(DAVE).code("request.pickup", **about) == "conflict"
    assert board.of(ERIN).result("request.approve", **about)["state"] == "pending"
    assert board.of(ERIN).code("request.approve", **about) == "denied"
    assert board.of(DAVE).code("request.pickup", **about) == "conflict"
    assert board.of(FRANK).result("request.approve", **about)["state"] == "approved"
    assert rollover_state(board) == "none", "approved is not done"
    got = board.of(DAVE).result("request.pickup", **about)
    assert (got["state"], got["ca"], got["rollover"]) == ("done", "ca-2", "draining")
    assert board.of(DAVE).result("request.pickup", **about) == got
    with board.talk("default") as talk:
        issued = talk.result("certificate.issue", profile="server", csr=request_for("www.example.com"))
    assert b"ca-2" in subprocess.run(["openssl", "x509", "-noout", "-ext", "crlDistributionPoints"], input=issued["certificate"].encode(),
                                     capture_output=True, check=True).stdout
    history = board.of(AUDITOR).result("request.get", **about)["history"]
    assert [(one["what"], one["who"]) for one in history[1:4]] == [("approve", f"unix:{ERIN}"), ("grant", f"unix:{FRANK}"), ("begin", f"unix:{DAVE}")]


def test_F52_a_request_is_for_its_step_alone(board):
    made = rollover(board, step="start")
    approved(board, made)
    assert board.of(DAVE).result("request.pickup", request=made["request"])["rollover"] == "prepared"
    assert board.of(DAVE).code("ca.rollover.publish") == "policy_refused"
    assert board.of(DAVE).code("request.create", kind="rollover", step="start", ca="ca-2") == "not_found"
    publish = rollover(board, step="publish")
    assert publish["ca"] == "ca-2"
    abort = rollover(board, step="abort", ca="ca-2")
    assert len({one["digest"] for one in (made, publish, abort)}) == 3
    assert board.of(DAVE).code("request.pickup", request=publish["request"]) == "conflict"
    approved(board, abort)
    assert board.of(DAVE).result("request.pickup", request=abort["request"])["rollover"] == "aborted"
    approved(board, publish)
    assert board.of(DAVE).code("request.pickup", request=publish["request"]) == "conflict"  # there is nothing to publish any more
    assert rollover_state(board) == "aborted"


def test_F52_another_generation_than_was_approved_is_not_made(board):
    """Somebody's rollover came between: what was approved is ca-2, which is taken."""
    first, second = rollover(board, step="start"), rollover(board, step="start")
    approved(board, first)
    approved(board, second)
    assert board.of(DAVE).result("request.pickup", request=first["request"])["ca"] == "ca-2"
    assert board.of(DAVE).code("request.pickup", request=second["request"]) == "conflict"
    with board.talk("default") as talk:
        assert [one["name"] for one in talk.result("ca.list")["cas"]] == ["ca", "ca-2"]


def test_a_rollover_that_waits_for_an_outside_ca_goes_on_when_it_is_picked_up_again(board):
    made = rollover(board, **{"from": "request"})
    approved(board, made)
    waits = board.of(DAVE).call("request.pickup", request=made["request"])["error"]
    assert waits["data"]["code"] == "unavailable" and "ca.request --ca ca-2" in waits["data"]["hint"], waits
    assert board.of(DAVE).result("request.get", request=made["request"])["state"] == "processing"
    for late in ("reject", "withdraw"):  # the key is made
        assert board.of(DAVE if late == "withdraw" else ERIN).code(f"request.{late}", request=made["request"], comment="no") == "conflict"
    with board.talk("default") as talk, board.talk("devices") as above:
        certified = above.result("certificate.issue", profile="ca", csr=talk.result("ca.request", ca="ca-2")["request"])
        talk.result("ca.import", ca="ca-2", certificate=certified["certificate"] + "".join(certified["chain"]))
    assert board.of(DAVE).result("request.pickup", request=made["request"])["rollover"] == "draining"


REFUSED = [({}, ALICE, "denied"), ({}, BOB, "denied"), ({}, AUDITOR, "denied"), ({"ca": "web"}, DAVE, "not_found"), ({"ca": "../ca"}, DAVE, "not_found"),
           ({"step": "publish"}, DAVE, "not_found"), ({"step": "abort", "ca": "ca-9"}, DAVE, "not_found"), ({"step": "retire"}, DAVE, "invalid_params"),
           ({"step": "Whole"}, DAVE, "invalid_params"), ({"from": "nobody"}, DAVE, "invalid_params"), ({"step": "publish", "from": "self"}, DAVE, "invalid_params"),
           ({"csr": request_for("www.example.com")}, DAVE, "invalid_params"), ({"serial": "01"}, DAVE, "invalid_params"), ({"config": "policy: {}"}, DAVE, "invalid_params"),
           ({"profile": "server"}, DAVE, "invalid_params")]


@pytest.mark.parametrize("params, user, code", REFUSED)
def test_rollovers_that_cannot_be_asked_for(board, params, user, code):
    assert board.of(user).code("request.create", kind="rollover", **params) == code
    assert board.of(AUDITOR).result("request.list")["requests"] == []


def test_F52_who_came_from_one_unix_user_is_told_so(board):
    board.settings("devices", "logins: {staff: {method: password, scrypt_cost: 14}}\n", requests="rollover_approvals: 1")
    board.hangup()
    password = "correct horse battery staple"
    with board.talk("devices") as root:
        for user in ("ann", "ben"):
            root.result("identity.create", user=user, roles=["ca-operator"], password=password)
    with board.someone(DAVE, realm="devices") as ann, board.someone(DAVE, realm="devices") as ben, board.someone(ERIN, realm="devices") as away:
        for session, user in ((ann, "ann"), (ben, "ben"), (away, "ben")):
            session.result("session.login", stack="staff", user=user, password=password)
        made = ann.result("request.create", kind="rollover", step="start")
        refused = ben.call("request.approve", request=made["request"])["error"]
        assert refused["data"]["code"] == "denied" and f"both came from the Unix user {DAVE}" in refused["message"], refused
        assert "another account" in refused["data"]["hint"]
        assert away.result("request.approve", request=made["request"])["state"] == "approved"


def test_where_nothing_is_approved_a_ca_operator_needs_nobody(board):
    board.settings("default", requests="rule_approvals: 0")
    board.hangup("not reloaded")  # the rules in force want approvals for that
    board.settings("devices", requests="lifetime: 30d")
    board.settings("default")
    board.hangup()
    made = rollover(board, realm="devices", step="start")
    assert (made["state"], made["rule"]) == ("approved", "role of the requester")
    assert board.of(DAVE, "devices").result("request.pickup", request=made["request"])["rollover"] == "prepared"
    assert board.of(DAVE, "devices").result("ca.rollover.publish")["state"] == "published"


@pytest.mark.parametrize("victim", ["worker", "signer"])
@pytest.mark.parametrize("call, occurrence", [("fdatasync", 1), ("fdatasync", 3), ("fsync", 1), ("fsync", 2), ("rename", 1)])
def test_F52_a_rollover_that_was_cut_off_is_finished_by_its_request(board, victim, call, occurrence):
    made = rollover(board)
    approved(board, made)
    talk, worker = talk_and_worker(board)
    pid = worker if victim == "worker" else board.signer("default")
    tracer = kill_at(pid, (call, occurrence))
    lost_or_result(talk, "request.pickup", request=made["request"])
    was_killed(pid, tracer, (call, occurrence))
    board.signer("default")
    with board.talk("default") as again:
        done = again.result("request.pickup", request=made["request"])
        assert (done["state"], done["rollover"], done["ca"]) == ("done", "draining", "ca-2")
        assert sorted(one["name"] for one in again.result("ca.list")["cas"]) == ["ca", "ca-2"]
        assert again.result("certificate.issue", profile="server", csr=request_for("after.example.com"))["serial"]


# ----- rollovers whose approvals the signer verifies

@pytest.fixture
def clerks(board, tmp_path):
    with board.talk("devices") as root:
        return Clerk(root, tmp_path, "clerk one"), Clerk(root, tmp_path, "clerk two")


def test_F52_the_signer_sees_who_approved_a_rollover(board, clerks):
    made = rollover(board, realm="devices")
    about, erin = {"request": made["request"]}, board.of(ERIN, "devices")
    assert erin.code("request.approve", **about) == "policy_refused"
    assert erin.code("request.approve", **about, **clerks[0].sign("0" * 64)) == "auth_failed"
    assert erin.result("request.approve", **about, **clerks[0].sign(made["digest"]))["state"] == "approved"
    assert board.of(DAVE, "devices").result("request.pickup", **about)["rollover"] == "draining"


def test_F52_the_signer_refuses_a_rollover_whose_approver_was_revoked_since(board, clerks):
    made = rollover(board, realm="devices")
    board.of(ERIN, "devices").result("request.approve", request=made["request"], **clerks[0].sign(made["digest"]))
    with board.talk("devices") as root:
        root.result("certificate.revoke", serial=clerks[0].serial, reason="privilegeWithdrawn")
    refused = board.of(DAVE, "devices").call("request.pickup", request=made["request"])["error"]
    assert refused["data"]["code"] == "policy_refused" and "revoked" in refused["message"], refused
    assert not (board.realm("devices") / "cas" / "ca-2" / "ca.key").exists()


def test_F52_a_store_that_says_a_rollover_is_begun_moves_no_signer(board):
    """Whoever writes the store has the worker resume a step that nobody approved; the signer wants signatures."""
    assert rollover_state(board, "devices") == "none"
    change_devices(board, "INSERT INTO ca_rollover (realm_id, ca, generation, state, old_label, new_label, source, changed_by, changed_at, version) "
                          "VALUES ('devices', 'ca', 2, 'preparing', 'ca', 'ca-2', 'self', 'unix:mallory', 0, 1)")
    refused = board.of(DAVE, "devices").call("ca.rollover.resume")["error"]
    assert refused["data"]["code"] == "policy_refused" and "signed approvals" in refused["message"], refused
    assert list((board.realm("devices") / "cas").iterdir()) == []


def change_devices(board, statement, *values):
    store = sqlite3.connect(board.realm("devices") / "db" / "realm.db", timeout=60)
    with store:
        store.execute(statement, values)
    store.close()


# ----- rules

def new_rules(board, name="bank.example.com"):
    return BASE.format(requests=REQUESTS["default"]) + RULES.format(name=name)


def rule_change(board, text, user=DAVE):
    return board.of(user).result("request.create", kind="rule-change", config=text)


def digest_of_rules(board):
    return re.findall(r"the rules in force have the digest ([0-9a-f]{64})", board.log())[-1]


def test_rules_of_a_server_that_never_ran_are_not_in_force(tmp_path):
    """A start that fails, here for want of its socket, notes nothing: the next one may have other rules."""
    tmp_path.chmod(0o755)
    board = Board(tmp_path)
    try:
        for realm in REQUESTS:
            board.settings(realm)
        board.write_config()
        in_its_place = board.socket / "something"
        in_its_place.mkdir(parents=True)
        failed = subprocess.run([BUILD / "chanceryd", "--config", board.config], capture_output=True, text=True, timeout=60)
        assert failed.returncode not in (0, 78) and board.socket.name in failed.stderr, failed
        in_its_place.rmdir()
        board.socket.rmdir()
        board.settings("default", RULES.format(name="bank.example.com"))
        board.start()
        assert is_denied(board)
    finally:
        board.end()


def is_denied(board, name="bank.example.com"):
    with board.talk("default") as talk:
        return "no-banks" in json.dumps(talk.call("certificate.issue", profile="server", csr=request_for(name)).get("error", {}))


def test_F52_other_rules_come_into_force_when_people_approved_them(board):
    text = new_rules(board)
    made = rule_change(board, text)
    assert (made["kind"], made["state"], made["approvals_needed"], made["config"]) == ("rule-change", "pending", 2, text)
    assert any("no-banks" in line and "is new" in line for line in made["differences"]), made["differences"]
    (board.realm("default") / "ca.config.yml").write_text(text)
    board.hangup("not reloaded")
    assert f"its rules have the digest {made['rules']}, which nobody has approved" in board.log()
    assert "request create --kind rule-change" in board.log()
    assert not is_denied(board)
    assert board.of(BOB).code("request.approve", request=made["request"]) == "denied"
    assert board.of(DAVE).code("request.approve", request=made["request"]) == "denied"
    board.of(ERIN).result("request.approve", request=made["request"])
    board.hangup("not reloaded")
    assert approved(board, made, FRANK)["state"] == "done"
    assert not is_denied(board), "approved is not in force"
    board.hangup()
    assert digest_of_rules(board) == made["rules"]
    assert is_denied(board)
    # How it is written is nobody's business, what it says is.
    (board.realm("default") / "ca.config.yml").write_text("# rules\n" + text)
    board.hangup()
    # It was approved once: going back is another change.
    board.settings("default")
    board.hangup("not reloaded")
    assert is_denied(board)


def test_F52_an_approval_of_rules_ends_with_its_request(board):
    made = rule_change(board, new_rules(board))
    approved(board, made)
    change(board, "UPDATE request SET expires_at = 1000000000 WHERE id = ?", made["request"])
    (board.realm("default") / "ca.config.yml").write_text(new_rules(board))
    board.hangup("not reloaded: the rules of realm default may not be taken")
    assert not is_denied(board)


def test_F52_a_start_takes_no_rules_that_nobody_approved(board):
    board.closed()
    board.end()
    (board.realm("default") / "ca.config.yml").write_text(new_rules(board))
    for words in (["--check"], []):
        done = subprocess.run([BUILD / "chanceryd", "--config", board.config, *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 78, done
        assert "which nobody has approved" in done.stdout + done.stderr and "realm default" in done.stdout + done.stderr
    board.settings("default")
    board.start()


@pytest.mark.parametrize("more", ["logins: {staff: {method: ldap, url: 'ldaps://127.0.0.1', base: 'o=x', tls_ca_file: ca.pem, roles: [ca-operator]}}\n",
                                  "roles: {all: [admin]}\n", "command_roles: {certificate.search: auditor}\n"])
def test_F52_who_people_are_is_a_rule_while_rules_are_approved(board, more):
    (board.realm("default") / "ca.pem").write_text(board.of(DAVE).result("ca.get")["certificate"])
    board.settings("default", more)
    board.hangup("not reloaded")
    text = (board.realm("default") / "ca.config.yml").read_text()
    made = rule_change(board, text)
    assert made["differences"], made
    approved(board, made)
    board.hangup()
    assert digest_of_rules(board) == made["rules"]


@pytest.mark.parametrize("requests", ["rollover_approvals: 2", "rollover_approvals: 1, rule_approvals: 2", "rollover_approvals: 2, rule_approvals: 1",
                                      "rollover_approvals: 2, rule_approvals: 2, rule_roles: [admin]"])
def test_F52_who_approves_rules_is_a_rule(board, requests):
    board.settings("default", requests=requests)
    board.hangup("not reloaded")
    text = (board.realm("default") / "ca.config.yml").read_text()
    made = rule_change(board, text)
    assert made["differences"], made
    approved(board, made)
    board.hangup()
    assert digest_of_rules(board) == made["rules"]


def test_F52_rules_once_freed_need_nobody(board):
    board.settings("default", requests="rollover_approvals: 0")
    approved(board, rule_change(board, (board.realm("default") / "ca.config.yml").read_text()))
    board.hangup()
    board.settings("default", RULES.format(name="bank.example.com"), requests="rollover_approvals: 0")
    board.hangup()
    assert is_denied(board)
    board.closed()
    assert board.of(DAVE).code("request.create", kind="rule-change", config=new_rules(board)) == "policy_refused"


FORGED_RULES = {
    "the request's state": "UPDATE request SET state = 'done' WHERE id = ?",
    "the digest approved": "UPDATE request SET content = replace(content, '{}', '" + "0" * 64 + "') WHERE id = ?",
    "an approval": "UPDATE request_history SET who = 'unix:lp' WHERE number = 1 AND request = ?",
}


@pytest.mark.parametrize("what", FORGED_RULES)
def test_F52_forged_approvals_of_rules_are_none(board, what):
    made = rule_change(board, new_rules(board))
    board.of(ERIN).result("request.approve", request=made["request"])
    change(board, FORGED_RULES[what].format(made["rules"]), made["request"])
    change(board, "INSERT OR REPLACE INTO meta (realm_id, name, text) VALUES ('default', 'rules_approved', ?)", made["request"])
    (board.realm("default") / "ca.config.yml").write_text(new_rules(board))
    board.hangup("not reloaded")
    assert not is_denied(board)


BAD_RULES = [("policy: [", "config:1"), ("policy: {rules: [{name: x, decision: maybe}]}", "maybe"), ("polcy: {}", "polcy"), ("", "config"),
             ("policy:\n  otherwise: deny\n  tests: [{name: t, expect: grant, subject: /CN=a}]\n", "test"), ("x" * 50000, "config")]


@pytest.mark.parametrize("text, said", BAD_RULES, ids=[said for _, said in BAD_RULES])
def test_rules_that_do_not_hold_are_not_asked_for(board, text, said):
    reply = board.of(DAVE).call("request.create", kind="rule-change", config=text)["error"]
    assert reply["data"]["code"] in ("invalid_params", "too_large") and said in reply["message"], reply


def test_rules_in_force_need_no_request(board):
    text = BASE.format(requests=REQUESTS["default"])
    reply = board.of(DAVE).call("request.create", kind="rule-change", config="# the same\n" + text)["error"]
    assert reply["data"]["code"] == "invalid_params" and "in force" in reply["message"], reply
    for user in (ALICE, BOB, AUDITOR, EVE):
        assert board.of(user).code("request.create", kind="rule-change", config=new_rules(board)) == "denied", user


def test_F50_rules_are_shown_to_who_decides_about_them(board):
    made = rule_change(board, new_rules(board))
    assert board.of(ALICE).code("request.get", request=made["request"]) == "not_found"
    assert board.of(ERIN).result("request.get", request=made["request"])["config"]
    assert made["request"] not in [one["request"] for one in board.of(ALICE).result("request.list")["requests"]]


@pytest.mark.parametrize("call, occurrence", [("fdatasync", 1), ("fdatasync", 2), ("fdatasync", 3), ("fsync", 1)])
def test_F52_killed_while_rules_are_approved(board, call, occurrence):
    made = rule_change(board, new_rules(board))
    board.of(ERIN).result("request.approve", request=made["request"])
    (board.realm("default") / "ca.config.yml").write_text(new_rules(board))
    talk, worker = talk_and_worker(board)
    tracer = kill_at(worker, (call, occurrence))
    lost_or_result(talk, "request.approve", request=made["request"])  # root, the second pair of eyes
    was_killed(worker, tracer, (call, occurrence))
    with board.talk("default") as again:
        state = again.result("request.get", request=made["request"])["state"]
        if state == "pending":
            state = again.result("request.approve", request=made["request"])["state"]
        if state in ("approved", "processing"):
            state = again.result("request.pickup", request=made["request"])["state"]
    assert state == "done"
    board.hangup()
    assert is_denied(board)


def test_by_the_command_line(board, tmp_path):
    (tmp_path / "new.yml").write_text(new_rules(board))

    def run(*words, status=0):
        done = subprocess.run([BUILD / "chancery", "--socket", board.socket, "--realm", "default", *map(str, words)], capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == (status == 0), done
        return done.stdout + done.stderr
    said = run("request", "create", "--kind", "rule-change", "--config", tmp_path / "new.yml", "--comment", "no banks")
    assert "policy rule no-banks is new" in said and "rules:" in said, said
    request = re.search(r"^request: +([0-9a-f]{32})", said, re.M)[1]
    assert "own" in run("request", "approve", "--request", request, status=1)
    approved(board, {"request": request, "digest": re.search(r"^digest: +([0-9a-f]{64})", said, re.M)[1]})
    assert "done" in run("request", "get", "--request", request)
    assert "needs 2 approvals" in run("ca", "rollover", "start", status=1)
    assert "ca-2" in run("request", "create", "--kind", "rollover", "--step", "start")
    assert "allows no retry" in run("request", "retry", "--request", request, status=1)


ACCESS = """access:
  - {name: shops, who: ["unix:%s"], commands: ["request.*", "ca.*"], names: [".shop.example.com"]}
  - {name: askers, who: ["unix:%s"], commands: ["request.*"]}
  - {name: others, who: ["unix:root", "unix:%s", "unix:%s"], commands: ["*"]}
""" % (DAVE, BOB, ERIN, FRANK)


def test_F50_who_may_decide_about_some_names_alone_decides_nothing_about_the_realm(board):
    """Rules of access with conditions are about certificates; a rollover and rules are none."""
    waits = rollover(board, ERIN)
    approved(board, rule_change(board, BASE.format(requests=REQUESTS["default"]) + ACCESS))
    board.closed()
    for realm in REQUESTS:
        board.settings(realm, ACCESS, requests="rollover_approvals: 2, rule_approvals: 2" if realm == "default" else "lifetime: 30d")
    board.hangup()
    with board.someone(DAVE) as dave, board.someone(DAVE, realm="devices") as elsewhere, board.someone(FRANK) as frank:
        for command in ("approve", "reject"):
            assert dave.code(f"request.{command}", request=waits["request"], comment="no") == "denied", command
        assert dave.code("request.create", kind="rollover") == "denied"
        assert dave.code("request.create", kind="rule-change", config="policy: {}") == "denied"
        assert elsewhere.code("request.create", kind="rollover", step="start") == "denied"
        assert elsewhere.code("ca.rollover.start") == "denied"
        assert frank.result("request.approve", request=waits["request"])["state"] == "pending"
    with board.someone(ERIN, realm="devices") as erin:
        assert erin.result("request.create", kind="rollover", step="start")["state"] == "approved"
