"""Requests that others have to agree to: their lives, four eyes, evidence, and what happens to who tries to get round them (PROMISES F52)."""

import base64
import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import textwrap

import pytest

from test_audit import events
from test_daemon import Daemon, Talk, request_for
from test_login import Administrator, Someone
from test_master import BUILD, children, title, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")
ALICE, BOB, CAROL, DAVE, EVE, AUDITOR, DOOR = "games", "news", "mail", "lp", "irc", "man", "www-data"
PLAIN = "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\nduration: 30\n"
PROFILES = {
    "four": PLAIN + "approvals: 2\n",
    "chief": PLAIN + "approvals: 1\napproval_roles: [ca-operator]\n",
    "known": PLAIN + "approvals: 1\nauto_approve_hosts: known-hosts\nauto_approve_networks: [10.0.0.0/8]\nauto_approve_renewals: true\n",
    "never": PLAIN + "approvals: 1\nauto_approve_hosts: known-hosts\nauto_approve_times: [mon 00:00-00:01]\n",
    "sealed": PLAIN + "approvals: 2\nsigned_approvals: true\napprover_profiles: [user]\n",
}
PEOPLE = {ALICE: "user", EVE: "user", BOB: "ra-operator", CAROL: "ra-operator", DAVE: "ca-operator", AUDITOR: "auditor"}


class Office(Daemon):
    def write_config(self, root="", **how):
        super().write_config(root, **how)
        people = "".join(f'<identity user="{user}" roles="{roles}"/>' for user, roles in PEOPLE.items())
        text = self.config.read_text().replace("</chancery>", f"<identities>{people}</identities></chancery>")
        door = f'<front-end name="door" program="chancery-http" user="{DOOR}" realms="*" roles="frontend ra-operator" enabled="false"/>'
        self.config.write_text(text.replace("</front-ends>", door + "</front-ends>"))

    def someone(self, user, realm="default", **opening):
        return Someone(user, self.socket, realm=realm, **opening)


@pytest.fixture(scope="module")
def office():
    with tempfile.TemporaryDirectory(prefix="chancery-requests-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        one = Office(pathlib.Path(directory))
        for realm in ("default", "devices"):
            profiles = one.realm(realm) / "profiles"
            profiles.mkdir(exist_ok=True)
            (one.realm(realm) / "known-hosts").write_text("# ours\nwww.known.example.com\n*.web.example.com\n")
            for name, text in PROFILES.items():
                (profiles / f"{name}.yml").write_text(text)
        (one.realm("devices") / "ca.config.yml").write_text("key_unencrypted: true\nrequests: {lifetime: 6s, attachments: 1, open_per_requester: 2}\n")
        one.start()
        yield one
        one.end()


@pytest.fixture
def people(office):
    """Sessions of everybody, in the realm default."""
    opened = {}

    def of(user):
        if user not in opened:
            opened[user] = office.someone(user)
        return opened[user]
    yield of
    for one in opened.values():
        one.__exit__()


def ask(session, profile="four", name="www.example.com", **params):
    return session.result("request.create", profile=profile, csr=request_for(name), **params)


def approved(people, profile="four", name="www.example.com"):
    made = ask(people(ALICE), profile, name)
    for user in (BOB, CAROL):
        last = people(user).result("request.approve", request=made["request"])
    assert last["state"] == "approved", last
    return made


def state(session, request):
    return session.result("request.get", request=request)["state"]


def test_F52_two_people_agree_and_one_certificate_comes_of_it(office, people):
    made = ask(people(ALICE), comment="for the new web server")
    assert (made["state"], made["approvals_needed"], made["requester"], made["kind"]) == ("pending", 2, f"unix:{ALICE}", "enrolment")
    assert hashlib.sha256(made["content"].encode()).hexdigest() == made["digest"]
    about = {"request": made["request"]}
    assert people(ALICE).code("request.pickup", **about) == "conflict"
    first = people(BOB).result("request.approve", comment="I know that server", **about)
    assert first["state"] == "pending" and [one["who"] for one in first["approvals"]] == [f"unix:{BOB}"]
    second = people(CAROL).result("request.approve", **about)
    assert second["state"] == "approved" and len(second["approvals"]) == 2
    got = people(ALICE).result("request.pickup", **about)
    assert got["state"] == "issued" and got["profile"] == "four" and got["certificate"].startswith("-----BEGIN")
    assert people(ALICE).result("request.pickup", **about) == got  # for ever
    assert people(BOB).result("request.pickup", **about) == got
    seen = people(ALICE).result("request.get", **about)
    assert [one["what"] for one in seen["history"]] == ["create", "approve", "grant", "begin", "issue"]
    assert seen["history"][0]["why"] == "for the new web server" and seen["serial"] == got["serial"]
    with sqlite3.connect(office.realm("default") / "db" / "realm.db", timeout=60) as store:
        requester, rule, evidence = store.execute("SELECT requester, rule, evidence FROM certificate WHERE serial = ?", [got["serial"]]).fetchone()
    assert (requester, rule) == (f"unix:{ALICE}", f"request {made['request']}")
    assert f"unix:{BOB}, unix:{CAROL}" in evidence and made["digest"] in evidence
    for late in ("approve", "reject", "withdraw"):
        who = people(ALICE) if late == "withdraw" else people(DAVE)
        assert who.code(f"request.{late}", comment="too late", **about) == "conflict", late


def test_F52_nobody_approves_his_own(people):
    made = ask(people(BOB))
    about = {"request": made["request"]}
    assert people(BOB).code("request.approve", **about) == "denied"
    assert people(BOB).code("request.reject", comment="mine", **about) == "denied"
    assert people(CAROL).result("request.approve", **about)["state"] == "pending"
    assert people(CAROL).code("request.approve", **about) == "denied"  # never one person twice
    assert people(CAROL).code("request.withdraw", **about) == "denied"
    assert people(ALICE).code("request.approve", **about) == "not_found"
    assert people(AUDITOR).code("request.approve", **about) == "denied"
    assert people(DAVE).result("request.approve", **about)["state"] == "approved"


def test_F52_one_unix_user_with_two_names_is_one_person(office, people, tmp_path):
    """Bob logs in with an administrator's certificate: another identity, the same pair of eyes."""
    with office.talk("default") as root:
        other = Administrator(root, tmp_path, "somebody-else")
    made = ask(people(ALICE))
    about = {"request": made["request"]}
    with office.someone(BOB) as bob:
        assert bob.result("request.approve", **about)["state"] == "pending"
        assert bob.result("session.login", **other.proof(bob))["identity"] == f"cert:{other.dn}"
        assert bob.code("request.approve", **about) == "denied"
    with office.someone(ALICE) as alice:  # nor does the requester become somebody else
        alice.result("session.login", **other.proof(alice))
        assert alice.code("request.approve", **about) == "denied"
    with office.someone(CAROL) as carol:
        carol.result("session.login", **other.proof(carol))
        done = carol.result("request.approve", **about)
    assert done["state"] == "approved" and [one["who"] for one in done["approvals"]] == [f"unix:{BOB}", f"cert:{other.dn}"]


def test_roles_that_the_profile_names(people):
    made = ask(people(ALICE), "chief")
    assert made["approval_roles"] == ["ca-operator"]
    about = {"request": made["request"]}
    assert people(BOB).code("request.approve", **about) == "denied"
    assert people(DAVE).result("request.approve", **about)["state"] == "approved"
    assert people(ALICE).result("request.pickup", **about)["state"] == "issued"


def test_a_rejected_one_and_a_withdrawn_one(people):
    made = ask(people(ALICE))
    about = {"request": made["request"]}
    assert people(BOB).code("request.reject", **about) == "invalid_params"  # why?
    done = people(BOB).result("request.reject", comment="nobody knows that server", **about)
    assert done["state"] == "rejected" and done["history"][-1]["why"] == "nobody knows that server"
    refused = people(ALICE).call("request.pickup", **about)["error"]
    assert refused["data"]["code"] == "conflict" and "nobody knows that server" in refused["message"]
    assert people(CAROL).code("request.approve", **about) == "conflict"
    made = approved(people)
    assert people(BOB).code("request.withdraw", request=made["request"]) == "denied"
    assert people(ALICE).result("request.withdraw", request=made["request"], comment="not needed")["state"] == "withdrawn"
    assert people(ALICE).code("request.pickup", request=made["request"]) == "conflict"


def test_F50_who_may_see_a_request(office, people):
    made = ask(people(ALICE))
    about = {"request": made["request"]}
    for user in (ALICE, BOB, CAROL, DAVE, AUDITOR):
        assert people(user).result("request.get", **about)["request"] == made["request"]
    nowhere = {"request": "0" * 32}
    for command, more in (("get", {}), ("approve", {}), ("reject", {"comment": "x"}), ("withdraw", {}), ("comment", {"comment": "x"}), ("pickup", {})):
        theirs, none = (people(EVE).call(f"request.{command}", **one, **more)["error"] for one in (about, nowhere))
        assert theirs["data"]["code"] == none["data"]["code"] == "not_found", command
        assert theirs["message"].replace(made["request"], "0" * 32) == none["message"], command
    for user in (BOB, ALICE):  # another realm's look the same as none
        with office.someone(user, "devices") as there:
            assert there.code("request.get", **about) == "not_found"
            assert there.code("request.approve", **about) == "not_found"
    assert made["request"] not in [one["request"] for one in people(EVE).result("request.list")["requests"]]
    assert people(EVE).result("request.list", requester=f"unix:{ALICE}") == {"requests": []}
    assert made["request"] in [one["request"] for one in people(AUDITOR).result("request.list", state="pending")["requests"]]


def test_lists_come_in_pages(people):
    made = {ask(people(ALICE), name=f"page-{i}.example.com")["request"] for i in range(5)}
    seen, after = [], {}
    while after is not None:
        page = people(BOB).result("request.list", state="pending", limit=2, **after)
        assert len(page["requests"]) <= 2
        seen += [one["request"] for one in page["requests"]]
        after = {"after": page["next"]} if page.get("next") else None
    assert made <= set(seen) and len(seen) == len(set(seen))
    assert {one["requester"] for one in people(ALICE).result("request.list", mine=True)["requests"]} == {f"unix:{ALICE}"}
    for one in made:
        people(ALICE).result("request.withdraw", request=one)


def test_F52_of_many_who_decide_at_once_one_wins(office, people):
    for round in range(4):
        made = approved(people) if round % 2 else ask(people(ALICE))
        acts = [(BOB, "reject"), (CAROL, "reject"), (ALICE, "withdraw"), (DAVE, "reject")]

        def act(one):
            user, command = one
            with office.someone(user) as session:
                return session.call(f"request.{command}", request=made["request"], comment=f"{command} by {user}")
        with concurrent.futures.ThreadPoolExecutor(len(acts)) as pool:
            answers = list(pool.map(act, acts))
        won = [one["result"] for one in answers if "result" in one]
        lost = [one["error"]["data"]["code"] for one in answers if "error" in one]
        assert len(won) == 1 and lost == ["conflict"] * 3, answers
        history = people(BOB).result("request.get", request=made["request"])["history"]
        ends = [one for one in history if one["what"] in ("reject", "withdraw")]
        assert len(ends) == 1 and ends[0]["why"] == won[0]["history"][-1]["why"] and ends[0] == history[-1]


def test_F52_approvals_at_once_all_count_once(office, people):
    for _ in range(3):
        made = ask(people(ALICE))

        def act(user):
            with office.someone(user) as session:
                return session.call("request.approve", request=made["request"])
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(act, [BOB, CAROL, BOB, CAROL, BOB, CAROL]))
        seen = people(ALICE).result("request.get", request=made["request"])
        assert seen["state"] == "approved", answers
        assert sorted(one["who"] for one in seen["approvals"]) == sorted([f"unix:{BOB}", f"unix:{CAROL}"])
        assert len([one for one in answers if "result" in one]) == 2, answers


def test_pickups_at_once_get_one_certificate(office, people):
    made = approved(people, name="at-once.example.com")

    def act(user):
        with office.someone(user) as session:
            return session.result("request.pickup", request=made["request"])["serial"]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        serials = set(pool.map(act, [ALICE, ALICE, BOB, BOB, CAROL, ALICE]))
    assert len(serials) == 1
    assert len(people(BOB).result("certificate.search", san="DNS:at-once.example.com")["certificates"]) == 1


@pytest.mark.parametrize("victim", ["worker", "signer", "server"])
def test_F1_killed_between_approval_and_pickup(office, people, victim):
    """However often and wherever it is cut off, one certificate comes of it."""
    name = f"killed-{victim}.example.com"
    made = approved(people, name=name)
    pickers = [Talk(office.socket, "default") for _ in range(3)]
    for one in pickers:
        one.send("request.pickup", request=made["request"])
    if victim == "worker":
        for pid in children(office.process.pid):
            if "worker default unix:root" in title(pid):
                with contextlib.suppress(ProcessLookupError):  # it had answered, and ended
                    os.kill(pid, signal.SIGKILL)
    elif victim == "signer":
        os.kill(office.signer("default"), signal.SIGKILL)
    else:
        office.kill()
        office.log_file.unlink()
        office.start()
    for one in pickers:
        one.__exit__()
    office.signer("default")

    def picked():
        with office.talk("default") as talk:
            return talk.call("request.pickup", request=made["request"]).get("result")
    serial = wait_for(picked, 60, "the certificate")["serial"]
    with office.talk("default") as talk:
        talk.result("realm.reconcile")
        found = talk.result("certificate.search", san=f"DNS:{name}")["certificates"]
        assert [one["serial"] for one in found] == [serial]
        assert state(talk, made["request"]) == "issued"


def change(office, statement, *values):
    store = sqlite3.connect(office.realm("default") / "db" / "realm.db", timeout=60)
    with store:
        store.execute(statement, values)
    store.close()


FORGED = {
    "the state": "UPDATE request SET state = 'approved' WHERE id = ?",
    "the content": "UPDATE request SET content = replace(content, 'www.example.com', 'abc.example.com') WHERE id = ?",
    "the digest": "UPDATE request SET digest = '" + "0" * 64 + "' WHERE id = ?",
    "an approval's name": "UPDATE request_history SET who = 'unix:lp' WHERE number = 1 AND request = ?",
    "a second approval": "INSERT INTO request_history SELECT realm_id, request, 2, at, 'grant', 'approved', 'unix:lp', 9, roles, '', digest, '', certificate, "
                         "signature, chain FROM request_history WHERE number = 1 AND request = ?",
    "the history's beginning": "DELETE FROM request_history WHERE number = 0 AND request = ?",
    "a reason": "UPDATE request_history SET why = 'other' WHERE number = 0 AND request = ?",
}


@pytest.mark.parametrize("what", FORGED)
def test_F52_a_changed_row_is_refused(office, people, what):
    made = ask(people(ALICE))
    people(BOB).result("request.approve", request=made["request"])
    change(office, FORGED[what], made["request"])
    for user, command in ((ALICE, "pickup"), (CAROL, "approve"), (ALICE, "withdraw"), (BOB, "get")):
        assert people(user).code(f"request.{command}", request=made["request"]) == "corrupt", (user, command)


def test_F52_a_changed_wish_makes_approvals_void(office, people):
    """What was approved is a digest: when something else would come of the request, people look again."""
    made = approved(people)
    change(office, "UPDATE request SET wish = json_set(wish, '$.sans', json('[\"DNS:evil.example.com\"]')) WHERE id = ?", made["request"])
    assert people(ALICE).code("request.pickup", request=made["request"]) in ("conflict", "policy_refused")
    seen = people(ALICE).result("request.get", request=made["request"])
    assert seen["state"] != "issued" and "serial" not in seen


def test_F52_another_profile_takes_other_approvals(office, people):
    made = approved(people)
    file = office.realm("default") / "profiles" / "four.yml"
    file.write_text(PROFILES["four"].replace("[serverAuth]", "[serverAuth, clientAuth]"))
    office.hangup()
    try:
        with office.someone(ALICE) as alice:
            assert alice.code("request.pickup", request=made["request"]) == "conflict"
            seen = alice.result("request.get", request=made["request"])
            assert seen["state"] == "pending" and seen["approvals"] == [] and seen["digest"] != made["digest"]
        with office.someone(BOB) as bob:  # who looked at the old one approves nothing new by mistake
            assert bob.code("request.approve", request=made["request"], digest=made["digest"]) == "conflict"
            assert bob.result("request.approve", request=made["request"], digest=seen["digest"])["state"] == "pending"
        with office.someone(CAROL) as carol:
            assert carol.result("request.approve", request=made["request"])["state"] == "approved"
        with office.someone(ALICE) as alice:
            assert alice.result("request.pickup", request=made["request"])["state"] == "issued"
    finally:
        file.write_text(PROFILES["four"])
        office.hangup()


def test_requests_end_with_their_time(office):
    with office.someone(ALICE, "devices") as alice, office.someone(BOB, "devices") as bob:
        made = ask(alice, "chief")
        wait_for(lambda: state(alice, made["request"]) == "expired", 60, "its end")
        assert bob.code("request.reject", request=made["request"], comment="late") == "conflict"
        assert alice.code("request.pickup", request=made["request"]) == "conflict"
        assert alice.code("request.withdraw", request=made["request"]) == "conflict"
        # Upkeep does the same for those that nobody looks at.
        other = ask(alice, "chief", "other.example.com")
        database = office.realm("devices") / "db" / "realm.db"

        def ended():
            with sqlite3.connect(database, timeout=60) as store:
                return store.execute("SELECT state FROM request WHERE id = ?", [other["request"]]).fetchone()[0] == "expired"
        wait_for(ended, 60, "upkeep")


def test_somebody_has_so_many_open_ones(office):
    with office.someone(EVE, "devices") as eve:
        requests = [request_for(f"many-{i}.example.com") for i in range(4)]  # first: those asked for end soon
        answers = [eve.call("request.create", profile="chief", csr=one) for one in requests]
        codes = [one["error"]["data"]["code"] for one in answers if "error" in one]
        assert "policy_refused" in codes and len(codes) <= 2, answers


def test_evidence_comes_back_as_it_came(people):
    octets = bytes(range(256)) * 3
    made = ask(people(ALICE), attachments=[{"name": "order no. 7.pdf", "type": "application/pdf", "data": base64.b64encode(octets).decode()}])
    people(ALICE).result("request.comment", request=made["request"], comment="and this",
                         attachments=[{"name": "mail.txt", "data": base64.b64encode(b"x").decode()}])
    seen = people(BOB).result("request.get", request=made["request"], attachment=0)
    assert base64.b64decode(seen["attached"]["data"]) == octets and seen["attached"]["sha256"] == hashlib.sha256(octets).hexdigest()
    assert [(one["name"], one["type"], one["size"]) for one in seen["attachments"]] == [
        ("order no. 7.pdf", "application/pdf", len(octets)), ("mail.txt", "application/octet-stream", 1)]
    assert people(BOB).code("request.get", request=made["request"], attachment=2) == "not_found"
    assert people(EVE).code("request.get", request=made["request"], attachment=0) == "not_found"


def test_F52_changed_evidence_is_refused(office, people):
    made = ask(people(ALICE), attachments=[{"name": "a.txt", "type": "text/plain", "data": base64.b64encode(b"evidence").decode()}])
    change(office, "UPDATE request_file SET octets = CAST('evidencf' AS BLOB) WHERE request = ?", made["request"])
    assert people(BOB).code("request.get", request=made["request"], attachment=0) == "corrupt"
    change(office, "UPDATE request_file SET sha256 = ? WHERE request = ?", hashlib.sha256(b"evidencf").hexdigest(), made["request"])
    assert people(BOB).code("request.get", request=made["request"], attachment=0) == "corrupt"


GOOD = {"name": "a.txt", "type": "text/plain", "data": "eA=="}


@pytest.mark.parametrize("attachments,want", [
    ([{**GOOD, "name": "../../etc/passwd"}], "invalid_params"), ([{**GOOD, "name": "a\\b"}], "invalid_params"), ([{**GOOD, "name": ".bashrc"}], "invalid_params"),
    ([{**GOOD, "name": ""}], "invalid_params"), ([{**GOOD, "name": "a\x00b"}], "invalid_params"), ([{**GOOD, "name": "a\nb"}], "invalid_params"),
    ([{**GOOD, "name": "a\u202etxt.exe"}], "invalid_params"), ([{**GOOD, "name": "x" * 129}], "invalid_params"), ([{**GOOD, "type": "text"}], "invalid_params"),
    ([{**GOOD, "type": "text/html; charset=x"}], "invalid_params"), ([{**GOOD, "type": "Text/<script>"}], "invalid_params"),
    ([{**GOOD, "data": "not base64!"}], "invalid_params"), ([{**GOOD, "data": ""}], "invalid_params"), ([{**GOOD, "data": 7}], "invalid_params"),
    ([{**GOOD, "path": "/etc/passwd"}], "invalid_params"), ([{"name": "a.txt"}], "invalid_params"), ([{}], "invalid_params"), (["x"], "invalid_params"),
    ("x", "invalid_params"), ([GOOD] * 6, "too_large"), ([GOOD] * 21, "too_large"),
    ([{**GOOD, "data": base64.b64encode(b"x" * 61441).decode()}], "too_large")])
def test_hostile_evidence(people, attachments, want):
    before = people(ALICE).result("request.list", mine=True, limit=1000)
    assert people(ALICE).code("request.create", profile="four", csr=request_for("www.example.com"), attachments=attachments) == want
    assert people(ALICE).result("request.list", mine=True, limit=1000) == before


@pytest.mark.parametrize("params,want", [
    ({"kind": "rollover"}, "denied"), ({"kind": "rule-change"}, "invalid_params"), ({"kind": "roll-over"}, "invalid_params"), ({}, "invalid_params"), ({"csr": "x"}, "malformed"), ({"kind": "renewal"}, "invalid_params"),
    ({"kind": "revocation", "serial": "01", "days": 1}, "invalid_params"), ({"kind": "renewal", "serial": "01" * 19}, "not_found"),
    ({"kind": "name-change", "serial": "01"}, "invalid_params"), ({"kind": "revocation", "serial": "01" * 19}, "not_found")])
def test_requests_that_are_none(people, params, want):
    assert people(ALICE).code("request.create", **params) == want


def test_the_profile_says_what_may_be_asked_for(people):
    assert people(ALICE).code("request.create", profile="four", csr=request_for("localhost")) == "policy_refused"
    assert people(ALICE).code("request.create", profile="four", csr=request_for("www.example.com"), days=31) == "policy_refused"
    assert people(ALICE).code("request.create", profile="nope", csr=request_for("www.example.com")) == "not_found"
    first, *body, last = request_for("www.example.com").splitlines()
    body = "".join(body)
    bad = body[:-20] + ("A" if body[-20] != "A" else "B") + body[-19:]  # in the signature
    assert people(ALICE).code("request.create", profile="four", csr="\n".join([first, *textwrap.wrap(bad, 64), last]) + "\n") in ("bad_proof", "malformed", "bad_key")


def test_who_may_issue_directly_needs_nobody(people):
    made = ask(people(BOB), "server")
    assert (made["state"], made["rule"]) == ("approved", "role of the requester")
    assert people(BOB).result("request.pickup", request=made["request"])["state"] == "issued"
    made = ask(people(ALICE), "server")
    assert (made["state"], made["approvals_needed"]) == ("pending", 1)
    assert people(BOB).result("request.approve", request=made["request"])["state"] == "approved"
    assert people(ALICE).result("request.pickup", request=made["request"])["profile"] == "server"


def test_known_hosts_need_nobody_in_time(people):
    made = ask(people(ALICE), "known", "www.known.example.com")
    assert (made["state"], made["rule"], made["approvals"]) == ("approved", "known hosts", [])
    assert people(ALICE).result("request.pickup", request=made["request"])["state"] == "issued"
    assert ask(people(ALICE), "known", "other.example.com")["state"] == "pending"
    csr = request_for("www.known.example.com")
    smuggled = people(ALICE).result("request.create", profile="known", csr=csr, sans=["DNS:www.known.example.com", "DNS:evil.example.com"])
    assert smuggled["state"] == "pending"
    assert people(ALICE).code("request.create", profile="known", csr=csr, peer="10.0.0.1") == "invalid_params"  # front ends alone say that


def test_a_front_end_says_from_where(office):
    with office.someone(DOOR, front_end="door") as door:
        inside = door.call("request.create", acting_for="user:carla", profile="known", csr=request_for("a.example.com"), peer="10.1.2.3")["result"]
        assert (inside["state"], inside["rule"], inside["requester"]) == ("approved", "network", "user:carla")
        outside = door.call("request.create", acting_for="user:carla", profile="known", csr=request_for("a.example.com"), peer="192.0.2.1")["result"]
        assert outside["state"] == "pending"
        # Its word is no pair of eyes, whatever names it says.
        for name in ("user:dora", "unix:root", "cert:/CN=x", ""):
            reply = door.call("request.approve", acting_for=name, request=outside["request"]) if name else door.call("request.approve", request=outside["request"])
            assert reply["error"]["data"]["code"] == "denied", (name, reply)


def test_a_revocation_and_a_renewal_and_other_names(office, people):
    with office.talk("default") as root:
        serial = root.result("certificate.issue", profile="server", csr=request_for("old.example.com"))["serial"]
    renewal = people(ALICE).result("request.create", kind="renewal", serial=serial)
    people(BOB).result("request.approve", request=renewal["request"])
    renewed = people(ALICE).result("request.pickup", request=renewal["request"])
    assert renewed["serial"] != serial and renewed["sans"] == ["DNS:old.example.com"]
    names = people(ALICE).result("request.create", kind="name-change", serial=serial, dn="/CN=new.example.com", sans=["DNS:new.example.com"])
    assert names["subject"] == "/CN=new.example.com" and names["certificate_serial"] == serial
    assert people(CAROL).result("request.approve", request=names["request"])["state"] == "approved"
    assert people(ALICE).result("request.pickup", request=names["request"])["subject"] == "/CN=new.example.com"
    away = people(ALICE).result("request.create", kind="revocation", serial=serial, reason="superseded")
    assert (away["state"], away["approvals_needed"]) == ("pending", 1)
    done = people(BOB).result("request.approve", request=away["request"])
    assert done["state"] == "done"
    seen = people(BOB).result("certificate.get", serial=serial)
    assert seen["state"] == "revoked" and seen["reason"] == "superseded"
    assert people(ALICE).result("request.pickup", request=away["request"]) == {"request": away["request"], "state": "done", "serial": serial}
    assert people(ALICE).code("request.create", kind="revocation", serial=serial) == "conflict"
    assert people(ALICE).code("request.create", kind="renewal", serial=serial) == "conflict"


def test_F52_no_door_issues_directly(office, people):
    """Not for an administrator either, and not by a seed, a generated key or a renewal."""
    with office.talk("default") as root:
        refused = root.call("certificate.issue", profile="four", csr=request_for("direct.example.com"))["error"]
        assert refused["data"]["code"] == "policy_refused" and "request.create" in refused["message"] and "2 approvals" in refused["message"]
        assert "error" in root.call("certificate.generate", profile="four", cn="direct.example.com")
        made = approved(people, name="direct.example.com")
        serial = root.result("request.pickup", request=made["request"])["serial"]
        assert root.call("certificate.renew", serial=serial)["error"]["data"]["code"] == "policy_refused"
        seed = root.result("seed.create", profile="four")["seed"]
        preview = root.result("certificate.preview", profile="four", csr=request_for("direct.example.com"))
        assert not preview["allowed"] and [one["rule"] for one in preview["reasons"] if not one["passed"]] == ["approvals"]
        found = root.result("certificate.search", san="DNS:direct.example.com")["certificates"]
        assert [one["serial"] for one in found] == [serial]
    with office.someone(DOOR, front_end="door") as door:
        assert door.code("node.register", seed=seed, cn="direct.example.com", profile="four") == "policy_refused"
        assert door.code("certificate.issue", profile="four", csr=request_for("direct.example.com")) == "policy_refused"


def test_C17_who_decided_is_in_the_audit_stream(office, people):
    made = ask(people(ALICE))
    people(BOB).result("request.approve", request=made["request"])
    people(ALICE).code("request.approve", request=made["request"])
    with office.talk("default") as root:
        begin, end = [one for one in events(root, "request.approve") if one["requester"] == f"unix:{BOB}"][-2:]
        assert begin["phase"] == "begin" and end["outcome"] == "ok" and made["request"] in begin["about"]


# ----- signed approvals

class Clerk:
    """Somebody with a certificate that may sign approvals, as openssl signs."""

    def __init__(self, talk, directory, cn, profile="user"):
        self.key, csr = directory / f"{cn}.key", directory / f"{cn}.csr"
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-subj", f"/CN={cn}",
                        "-out", csr], check=True, capture_output=True)
        made = talk.result("certificate.issue", profile=profile, csr=csr.read_text())
        self.serial, self.certificate = made["serial"], made["certificate"]
        self.file = directory / f"{cn}.crt"
        self.file.write_text(self.certificate)

    def sign(self, digest, words="chancery request approval 1\n{}\n"):
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=words.format(digest).encode(), check=True, capture_output=True)
        return {"certificate": self.certificate, "signature": base64.b64encode(done.stdout).decode()}


@pytest.fixture
def clerks(office, tmp_path):
    with office.talk("default") as root:
        return Clerk(root, tmp_path, "clerk one"), Clerk(root, tmp_path, "clerk two")


def test_F52_approvals_that_are_signed(people, clerks):
    one, two = clerks
    made = ask(people(ALICE), "sealed", "sealed.example.com")
    about, digest = {"request": made["request"]}, made["digest"]
    assert people(BOB).code("request.approve", **about) == "policy_refused"
    assert people(BOB).code("request.approve", **about, **one.sign("0" * 64)) == "auth_failed"
    assert people(BOB).code("request.approve", **about, **one.sign(digest, "{}")) == "auth_failed"
    assert people(BOB).code("request.approve", **about, **{**one.sign(digest), "certificate": two.certificate}) == "auth_failed"
    assert people(BOB).code("request.approve", **about, certificate=one.certificate) == "invalid_params"
    first = people(BOB).result("request.approve", **about, **one.sign(digest))
    assert first["state"] == "pending" and first["approvals"][0]["signed"]
    assert people(CAROL).code("request.approve", **about, **one.sign(digest)) == "denied"  # bob's certificate again
    assert people(CAROL).result("request.approve", **about, **two.sign(digest))["state"] == "approved"
    assert people(ALICE).result("request.pickup", **about)["state"] == "issued"


def test_F52_the_signer_refuses_who_was_revoked_since(office, people, clerks):
    one, two = clerks
    made = ask(people(ALICE), "sealed", "revoked-since.example.com")
    people(BOB).result("request.approve", request=made["request"], **one.sign(made["digest"]))
    people(CAROL).result("request.approve", request=made["request"], **two.sign(made["digest"]))
    with office.talk("default") as root:
        root.result("certificate.revoke", serial=two.serial, reason="privilegeWithdrawn")
    assert people(ALICE).code("request.pickup", request=made["request"]) == "policy_refused"
    seen = people(ALICE).result("request.get", request=made["request"])
    assert seen["state"] == "failed" and "revoked" in seen["history"][-1]["why"]
    assert people(BOB).result("certificate.search", san="DNS:revoked-since.example.com")["certificates"] == []


def test_F52_a_forged_history_moves_no_signer(office, people, clerks):
    """Whoever writes the whole store, chains and digests, as it would be after two approvals: the signer wants signatures."""
    made = ask(people(ALICE), "sealed", "forged.example.com")
    digest, before = made["digest"], made["history"][-1]["chain"]

    def chain(before, number, what, state, who):
        text = ""
        for value in (before, str(number), made["created_at"], what, state, who, "9", "ra-operator", "", digest, "", "", ""):
            text += f"{len(value.encode())}:{value}\n"
        return hashlib.sha256(text.encode()).hexdigest()
    at = sqlite3.connect(office.realm("default") / "db" / "realm.db", timeout=60).execute("SELECT at FROM request_history WHERE request = ?", [made["request"]]).fetchone()[0]
    for number, what, what_state, who in ((1, "approve", "pending", "unix:forger"), (2, "grant", "approved", "unix:writer")):
        before = chain(before, number, what, what_state, who)
        change(office, "INSERT INTO request_history SELECT realm_id, request, ?, ?, ?, ?, ?, 9, 'ra-operator', '', digest, '', certificate, signature, ? "
               "FROM request_history WHERE number = 0 AND request = ?", number, at, what, what_state, who, before, made["request"])
    change(office, "UPDATE request SET state = 'approved', version = 2 WHERE id = ?", made["request"])
    assert state(people(ALICE), made["request"]) == "approved"  # the store cannot tell
    refused = people(ALICE).call("request.pickup", request=made["request"])["error"]
    assert refused["data"]["code"] == "policy_refused" and "signed approvals" in refused["message"], refused
    assert people(BOB).result("certificate.search", san="DNS:forged.example.com")["certificates"] == []


def test_by_the_command_line(office, people, clerks, tmp_path):
    (tmp_path / "www.csr").write_text(request_for("cli.example.com"))
    (tmp_path / "order.txt").write_text("we ordered it")

    programs = office.directory / "cli"  # the build directory may lie where other users cannot go
    programs.mkdir()
    shutil.copy(BUILD / "chancery", programs)

    def run(user, *words, check=True):
        prefix = ["setpriv", f"--reuid={user}", "--clear-groups", "--regid=nogroup"] if user else []
        return subprocess.run([*prefix, programs / "chancery", "--socket", office.socket, "--realm", "default", "request", *words], check=check,
                              capture_output=True, text=True)
    made = run(None, "create", "--csr", tmp_path / "www.csr", "--profile", "sealed", "--attach", tmp_path / "order.txt").stdout
    request = next(line.split()[-1] for line in made.splitlines() if line.startswith("request:"))
    assert "order.txt" in made and "text/plain" in made
    seen = people(BOB).result("request.get", request=request)
    for user, clerk in zip((BOB, CAROL), clerks):
        for file in (clerk.key, clerk.file):
            file.chmod(0o644)
        keys = tempfile.mkdtemp(prefix="chancery-clerk-")
        os.chmod(keys, 0o755)
        for name, file in (("key", clerk.key), ("crt", clerk.file)):
            target = pathlib.Path(keys) / name
            target.write_text(file.read_text())
            target.chmod(0o644)
        wrong = run(user, "approve", "--request", request, "--digest", "0" * 64, "--key", f"{keys}/key", "--certificate", f"{keys}/crt", check=False)
        assert wrong.returncode != 0 and "digest" in wrong.stderr
        run(user, "approve", "--request", request, "--digest", seen["digest"], "--key", f"{keys}/key", "--certificate", f"{keys}/crt")
        subprocess.run(["rm", "-r", keys], check=True)
    assert "approved" in run(None, "get", "--request", request).stdout
    run(None, "pickup", "--request", request, "--out", tmp_path / "www.crt")
    done = subprocess.run(["openssl", "verify", "-CAfile", office.realm("default") / "ca.crt", tmp_path / "www.crt"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
