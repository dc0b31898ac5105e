"""What requests need as time goes by: approvers are reminded, what ended long ago goes, and what was cut off comes to an end (PROMISES F1, F52)."""

import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time

import pytest

from smtp_sink import Sink
from conftest import free_ports
from test_audit import events
from test_daemon import request_for
from test_master import BUILD, wait_for
from test_retention import believe
from test_requests import ALICE, AUDITOR, BOB, CAROL, PROFILES, Office, approved, ask, change, state
from test_sweep import kill_at, lost_or_result, talk_and_worker, was_killed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")

REMIND = "requests: {remind: [3s, 12s], remind_to: [eyes@example.com]}\n"
NOTICES = """notices:
  mail_server: 127.0.0.1:{port}
  mail_tls: none
  mail_from: chancery@example.com
  program: {program}
  timeout: 20s
  languages: [example.fr=fr]
"""
SOON = "key_unencrypted: true\ncrl_after_revocation: 1s\n"


class Keeper(Office):
    def write_config(self, root="", **how):
        super().write_config(root, **how)
        notify = '<front-end name="notify" program="chancery-notify" realms="*" roles="user"/>'
        self.config.write_text(self.config.read_text().replace("</front-ends>", notify + "</front-ends>"))

    def settings(self, realm, text):
        (self.realm(realm) / "ca.config.yml").write_text(SOON + text)

    def told(self):
        file = self.directory / "told"
        return [json.loads(line) for line in file.read_text().splitlines() if line] if file.exists() else []

    def stored(self, statement, *values, realm="default"):
        with sqlite3.connect(self.realm(realm) / "db" / "realm.db", timeout=60) as store:
            return store.execute(statement, values).fetchall()


@pytest.fixture(scope="module")
def keeper():
    with tempfile.TemporaryDirectory(prefix="chancery-keeper-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        one = Keeper(pathlib.Path(directory))
        port, = free_ports(1)
        one.sink = Sink(port, None)
        program = pathlib.Path(directory) / "tell.sh"
        program.write_text(f"#!/bin/sh\ncat >> {directory}/told\necho >> {directory}/told\n")
        program.chmod(0o755)
        for realm in ("default", "devices"):
            profiles = one.realm(realm) / "profiles"
            profiles.mkdir(exist_ok=True)
            for name in ("four", "sealed"):
                (profiles / f"{name}.yml").write_text(PROFILES[name])
        one.settings("default", REMIND + NOTICES.format(port=port, program=program))
        one.settings("devices", "requests: {lifetime: 15s, keep: 1s}\n")
        one.start()
        believe(one, "devices")
        yield one
        one.end()


@pytest.fixture
def people(keeper):
    opened = {}

    def of(user, realm="default"):
        if (user, realm) not in opened:
            opened[user, realm] = keeper.someone(user, realm=realm)
        return opened[user, realm]
    yield of
    for one in opened.values():
        one.__exit__()


# ----- reminders

def reminders_of(keeper, request):
    return [one for one in keeper.told() if one["event"] == "request.waits" and one["request"]["request"] == request]


def test_approvers_are_told_once_for_each_age(keeper, people):
    made = ask(people(ALICE), name="waits.example.com")
    about = {"request": made["request"]}
    wait_for(lambda: len(reminders_of(keeper, made["request"])) == 2, 60, "two reminders")
    people(BOB).result("request.approve", **about)
    first, second = reminders_of(keeper, made["request"])
    assert (first["ahead"], second["ahead"]) == (3, 12) and first["id"] != second["id"] and first["seconds_waited"] >= 3
    said = second["request"]
    assert (said["kind"], said["profile"], said["requester"], said["approvals_needed"]) == ("enrolment", "four", f"unix:{ALICE}", 2)
    assert said["digest"] == made["digest"] and said["names"] == ["DNS:waits.example.com"] and "token" not in second
    rows = keeper.stored("SELECT channel, state, ahead FROM notice WHERE serial = ? ORDER BY channel, ahead", made["request"])
    assert [(channel, ahead) for channel, _, ahead in rows] == [("mail", 3), ("mail", 12), ("program", 3), ("program", 12)]
    wait_for(lambda: {one for one, in keeper.stored("SELECT state FROM notice WHERE serial = ?", made["request"])} == {"sent"}, 60, "all sent")
    mails = [one for one in keeper.sink.mails_to("eyes@example.com") if made["request"] in one.get_content()]
    assert len(mails) == 2 and f"unix:{ALICE}" in mails[0]["Subject"] and "0 of 2" in mails[0].get_content()
    with keeper.talk("default") as root:
        listed = [one for one in root.result("notice.list")["notices"] if one.get("request") == made["request"]]
    assert len(listed) == 4 and all("serial" not in one for one in listed)
    # Upkeep goes round and round: nobody is told again.
    rounds = len(keeper.stored("SELECT 1 FROM notice"))
    other = ask(people(ALICE), name="waits-too.example.com")
    wait_for(lambda: len(reminders_of(keeper, other["request"])) == 2, 60, "the next one's reminders")
    assert len(reminders_of(keeper, made["request"])) == 2 and len(keeper.stored("SELECT 1 FROM notice")) == rounds + 4


def test_who_decided_needs_no_reminder(keeper, people):
    alice, bob = people(ALICE), people(BOB)
    made = ask(alice, name="decided.example.com")
    bob.result("request.reject", request=made["request"], comment="no")
    later = ask(people(ALICE), name="decided-later.example.com")
    wait_for(lambda: len(reminders_of(keeper, later["request"])) == 2, 60, "the later one's reminders")
    assert reminders_of(keeper, made["request"]) == []


BAD = [("requests: {remind: [1d]}\n", "no way to send them"), ("requests: {remind_to: [a@example.com]}\n", "remind_to without remind"),
       ("requests: {lifetime: 1d, remind: [1d]}\n", "has expired by then"), ("requests: {remind: [1h, 60m]}\n", "a time twice"),
       ("requests: {remind_to: [nobody], remind: [1h]}\n", "mail address"), ("requests: {keep: -1d}\n", "keep"), ("requests: {rule_roles: [user]}\n", "expected ca-operator"),
       ("requests: {rollover_roles: [clerks]}\n", "unknown"), ("requests: {rollover_signers: [user]}\n", "without rollover_approvals"),
       ("requests: {rollover_approvals: 1, rollover_signers: [nobody]}\n", "unknown profile"), ("requests: {rule_approvals: 99}\n", "from 0 to 10")]


@pytest.mark.parametrize("text, said", BAD, ids=[said for _, said in BAD])
def test_C28_what_requests_cannot_say_is_found(keeper, tmp_path, text, said):
    realm = tmp_path / "realms" / "default"
    realm.mkdir(parents=True)
    (realm / "ca.config.yml").write_text("key_unencrypted: true\n" + text)
    (tmp_path / "chancery.xml").write_text(f'<chancery run-directory="run" program-directory="{BUILD}"><realms directory="realms"/></chancery>')
    done = subprocess.run([BUILD / "chanceryd", "--config", tmp_path / "chancery.xml", "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and any("ca.config.yml:2:" in line and said in line for line in done.stdout.splitlines()), done.stdout


# ----- what ended long ago

def test_C17_what_ended_long_ago_goes_and_the_audit_keeps_its_digest(keeper, people):
    made = ask(people(ALICE, "devices"), name="purged.example.com")
    about = {"request": made["request"]}
    file = {"name": "order.txt", "type": "text/plain", "data": "b3JkZXI="}
    people(ALICE, "devices").result("request.comment", comment="evidence", attachments=[file], **about)
    chain = people(ALICE, "devices").result("request.withdraw", comment="never mind", **about)["history"][-1]["chain"]
    tables = [("request", "id"), ("request_history", "request"), ("request_file", "request")]
    wait_for(lambda: not any(keeper.stored(f"SELECT 1 FROM {table} WHERE {column} = ?", made["request"], realm="devices") for table, column in tables),
             60, "it is purged")
    assert people(ALICE, "devices").code("request.get", **about) == "not_found"
    with keeper.talk("devices") as root:
        purged = [one for one in events(root, "request.purge") if made["request"] in one["about"]]
        assert len(purged) == 1
        said = json.loads(purged[0]["about"])
        assert (said["digest"], said["chain"], said["state"]) == (made["digest"], chain, "withdrawn")
        # Those that stay hold by themselves: each history begins with its own digest.
        fresh = root.result("request.create", profile="four", csr=request_for("stays.example.com"))
        assert root.result("request.get", request=fresh["request"])["history"]


def test_nothing_goes_where_nothing_is_to(keeper, people):
    made = ask(people(ALICE), name="kept.example.com")
    people(ALICE).result("request.withdraw", request=made["request"])
    change(keeper, "UPDATE request SET expires_at = 1 WHERE id = ?", made["request"])
    with keeper.talk("default") as root:
        for _ in range(3):
            root.result("realm.reconcile")
    assert keeper.stored("SELECT state FROM request WHERE id = ?", made["request"]) == [("withdrawn",)]


def test_an_open_one_does_not_go_before_it_has_expired(keeper, people):
    made = ask(people(ALICE, "devices"), name="open.example.com")
    wait_for(lambda: keeper.stored("SELECT state FROM request WHERE id = ?", made["request"], realm="devices") in ([("expired",)], []), 60, "it expires")
    wait_for(lambda: keeper.stored("SELECT state FROM request WHERE id = ?", made["request"], realm="devices") == [], 60, "it goes")
    with keeper.talk("devices") as root:
        said, = [json.loads(one["about"]) for one in events(root, "request.purge") if made["request"] in one["about"]]
    assert said["state"] == "expired"


# ----- what was cut off

def link(before, number, at, what, state_after, digest, who="chancery", why=""):
    """The chain of an entry as request.get's manual has it, over what the server would have written."""
    text = ""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    for value in (before, str(number), stamp, what, state_after, who, "-1", "", why, digest, "", "", ""):
        text += f"{len(value.encode())}:{value}\n"
    return hashlib.sha256(text.encode()).hexdigest()


def cut_off(keeper, people, name, at=1000):
    """A request as a worker leaves it that dies after it wrote that it begins, long before."""
    made = approved(people, name=name)
    seen = people(ALICE).result("request.get", request=made["request"])
    number, before = len(seen["history"]), seen["history"][-1]["chain"]
    change(keeper, "INSERT INTO request_history SELECT realm_id, request, ?, ?, 'begin', 'processing', 'chancery', -1, '', '', digest, '', certificate, signature, ? "
           "FROM request_history WHERE number = 0 AND request = ?", number, at, link(before, number, at, "begin", "processing", made["digest"]), made["request"])
    change(keeper, "UPDATE request SET state = 'processing', version = ? WHERE id = ?", number, made["request"])
    assert state(people(ALICE), made["request"]) == "processing"
    return made


def test_F1_what_was_cut_off_is_made_as_it_was_approved(keeper, people):
    made = cut_off(keeper, people, "cut-off.example.com")
    assert people(ALICE).result("request.pickup", request=made["request"])["state"] == "issued"


@pytest.fixture
def other_profile(keeper):
    """The profile has changed since: another certificate would come of it by now."""
    file = keeper.realm("default") / "profiles" / "four.yml"
    file.write_text(PROFILES["four"].replace("[serverAuth]", "[serverAuth, clientAuth]"))
    yield keeper.hangup
    file.write_text(PROFILES["four"])
    keeper.hangup()


def test_F52_what_was_cut_off_and_changed_since_has_failed_and_is_tried_again(keeper, people, other_profile):
    made = cut_off(keeper, people, "changed-since.example.com")
    about = {"request": made["request"]}
    assert people(ALICE).code("request.retry", **about) == "denied"
    other_profile()
    with keeper.someone(ALICE) as alice, keeper.someone(BOB) as bob, keeper.someone(CAROL) as carol:
        assert bob.code("request.retry", **about) == "conflict", "it has not failed yet"
        assert alice.code("request.pickup", **about) == "conflict"
        seen = alice.result("request.get", **about)
        assert seen["state"] == "failed" and "another certificate" in seen["history"][-1]["why"]
        assert alice.code("request.pickup", **about) == "conflict"
        assert alice.code("request.retry", **about) == "denied"
        again = bob.result("request.retry", comment="the profile was meant to change", **about)
        assert again["state"] == "pending" and again["approvals"] == [] and again["digest"] != made["digest"]
        for one in (bob, carol):
            one.result("request.approve", digest=again["digest"], **about)
        assert alice.result("request.pickup", **about)["state"] == "issued"
    assert [one["what"] for one in people(BOB).result("request.get", **about)["history"]][-7:] == ["fail", "retry", "change", "approve", "grant", "begin", "issue"]


def test_what_failed_and_holds_again_needs_no_other_approvals(keeper, people, other_profile):
    made = cut_off(keeper, people, "holds-again.example.com")
    other_profile()
    with keeper.someone(ALICE) as alice:
        assert alice.code("request.pickup", request=made["request"]) == "conflict"
    (keeper.realm("default") / "profiles" / "four.yml").write_text(PROFILES["four"])
    keeper.hangup()
    with keeper.someone(ALICE) as alice, keeper.someone(BOB) as bob:
        assert bob.result("request.retry", request=made["request"])["state"] == "approved"
        assert alice.result("request.pickup", request=made["request"])["state"] == "issued"


def test_F1_what_was_cut_off_and_never_picked_up_ends_with_its_time(keeper, people):
    made = cut_off(keeper, people, "never-picked-up.example.com")
    # Its end is in the digest: the row alone says that it is over.
    change(keeper, "UPDATE request SET expires_at = 2000 WHERE id = ?", made["request"])
    wait_for(lambda: state(people(BOB), made["request"]) == "failed", 60, "it has failed")
    assert "its time is over" in people(BOB).result("request.get", request=made["request"])["history"][-1]["why"]
    assert people(BOB).code("request.retry", request=made["request"]) == "conflict"


def test_F1_what_was_signed_before_it_was_cut_off_is_issued(keeper, people, other_profile):
    """The certificate is in the journal; whatever the profile says by now, the request ends with it."""
    made = approved(people, name="signed-before.example.com")
    got = people(ALICE).result("request.pickup", request=made["request"])
    last = keeper.stored("SELECT number FROM request_history WHERE request = ? ORDER BY number DESC", made["request"])[0][0]
    change(keeper, "DELETE FROM request_history WHERE request = ? AND number = ?", made["request"], last)
    change(keeper, "UPDATE request SET state = 'processing', serial = '', version = ? WHERE id = ?", last - 1, made["request"])
    other_profile()
    with keeper.someone(ALICE) as alice:
        assert alice.result("request.pickup", request=made["request"])["serial"] == got["serial"]
        assert state(alice, made["request"]) == "issued"


KILLS = [("fdatasync", 1), ("fdatasync", 2), ("fdatasync", 3), ("fdatasync", 4), ("sendto", 2), ("sendto", 4)]


@pytest.mark.parametrize("victim", ["worker", "signer"])
@pytest.mark.parametrize("call, occurrence", KILLS)
def test_F1_killed_at_each_step_while_the_profile_changes(keeper, people, other_profile, victim, call, occurrence):
    """Issued with the certificate that was approved, or failed, or to be approved anew: never in between for ever, and never two."""
    name = f"killed-{victim}-{call}-{occurrence}.example.com"
    made = approved(people, name=name)
    talk, worker = talk_and_worker(keeper)
    pid = worker if victim == "worker" else keeper.signer("default")
    tracer = kill_at(pid, (call, occurrence))
    lost_or_result(talk, "request.pickup", request=made["request"])
    was_killed(pid, tracer, (call, occurrence))
    keeper.signer("default")
    other_profile()

    def ended():
        """Whoever began it is given the time of a request to finish it; that is over at once for what is older than the server."""
        with keeper.talk("default") as root:
            root.call("request.pickup", request=made["request"])
            return root.result("request.get", request=made["request"])["state"] in ("issued", "failed", "pending")
    if not ended():
        keeper.end()
        keeper.log_file.unlink()
        keeper.start()
    wait_for(ended, 60, "an end")
    with keeper.talk("default") as root:
        root.result("realm.reconcile")
        seen = root.result("request.get", request=made["request"])
        found = root.result("certificate.search", san=f"DNS:{name}")["certificates"]
    assert (seen["state"] == "issued") == (len(found) == 1), (seen, found)
    if found:
        assert found[0]["serial"] == seen["serial"] and seen["digest"] == made["digest"]
