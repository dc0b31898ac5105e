"""B4, C13: a key that was reported compromised is not certified again, at any door, until somebody takes another."""

import json
import shutil
import subprocess

import pytest

from test_daemon import request_for
from test_master import BUILD, wait_for
from test_restore import database, restart


def issue(talk, csr, **more):
    return talk.call("certificate.issue", profile="server", csr=csr, **more)


def refused(reply, serial):
    error = reply["error"]
    return error["data"]["code"] == "bad_key" and "compromised" in error["message"] and serial in error["message"]


@pytest.mark.parametrize("reason,again", [("keyCompromise", False), ("superseded", True), ("cACompromise", True), ("unspecified", True)])
def test_B4_only_a_compromised_key_is_gone(daemon, reason, again):
    csr = request_for("a.example.com")
    with daemon.talk("default") as talk:
        serial = issue(talk, csr)["result"]["serial"]
        talk.result("certificate.revoke", serial=serial, reason=reason)
        reply = issue(talk, csr)
        assert "result" in reply if again else refused(reply, serial), reply


def test_B4_C13_no_command_gets_around_it(daemon):
    csr, other = request_for("a.example.com"), request_for("b.example.com")
    with daemon.talk("default") as talk:
        first, second = issue(talk, csr)["result"]["serial"], issue(talk, csr)["result"]["serial"]
        talk.result("certificate.revoke", serial=first, reason="certificateHold")
        assert "result" in issue(talk, csr)
        talk.result("certificate.revoke", serial=first, reason="keyCompromise")
        assert refused(issue(talk, csr), first)
        assert refused(talk.call("certificate.renew", serial=second), first)
        preview = talk.result("certificate.preview", csr=csr, profile="server")
        rule, = [row for row in preview["reasons"] if row["rule"] == "key-report"]
        assert not preview["allowed"] and not rule["passed"] and first in rule["detail"]
        assert "result" in issue(talk, other)
        # the other certificate of that key ends by itself, or by whoever is faster; the first report stays
        talk.call("certificate.revoke", serial=second, reason="keyCompromise")
        assert refused(issue(talk, csr), first)
    with daemon.talk("devices") as talk:  # realms know nothing of each other
        assert "result" in issue(talk, csr)


def state(talk, serial):
    got = talk.result("certificate.get", serial=serial)
    return got["state"], got.get("reason")


def test_B4_the_keys_other_certificates_end_with_it(daemon):
    csr, other = request_for("a.example.com"), request_for("b.example.com")
    with daemon.talk("default") as talk, daemon.talk("devices") as elsewhere:
        first, second, third = (issue(talk, csr)["result"]["serial"] for _ in range(3))
        unrelated, foreign = issue(talk, other)["result"]["serial"], issue(elsewhere, csr)["result"]["serial"]
        renewed = talk.result("certificate.renew", serial=second)["serial"]
        talk.result("certificate.revoke", serial=third, reason="certificateHold")
        talk.result("certificate.revoke", serial=first, reason="keyCompromise")
        talk.result("realm.reconcile")
        elsewhere.result("realm.reconcile")
        for serial in (first, second, third, renewed):
            assert state(talk, serial) == ("revoked", "keyCompromise"), serial
        assert state(talk, unrelated)[0] == "valid" and state(elsewhere, foreign)[0] == "valid"
        crl = talk.result("crl.issue")
        assert crl["entries"] == 4
        # each by an event of its own, which a store restored from an older copy gets back
        events = [one for one in talk.result("audit.list", limit=1000)["records"] if one.get("what") == "certificate.state"]
        told = [json.loads(one["about"])["serial"] for one in events]
        assert {first, second, third, renewed} <= set(told)


def test_B4_nobody_has_to_ask_for_that(daemon):
    csr = request_for("a.example.com")
    with daemon.talk("default") as talk:
        first, second = issue(talk, csr)["result"]["serial"], issue(talk, csr)["result"]["serial"]
        talk.result("certificate.revoke", serial=first, reason="keyCompromise")
    restart(daemon, lambda: None)  # cut off before its round: the next one takes it up
    with daemon.talk("default") as talk:
        wait_for(lambda: state(talk, second) == ("revoked", "keyCompromise"), 60, what="upkeep's round")


def test_F10_a_lost_store_learns_that_again_too(daemon):
    csr = request_for("a.example.com")
    with daemon.talk("default") as talk:
        first, second = issue(talk, csr)["result"]["serial"], issue(talk, csr)["result"]["serial"]
        talk.result("certificate.revoke", serial=first, reason="keyCompromise")
    restart(daemon, lambda: shutil.rmtree(database(daemon)) or database(daemon).mkdir(mode=0o700))
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
        assert [state(talk, serial) for serial in (first, second)] == [("revoked", "keyCompromise")] * 2


def test_C6_a_request_that_was_answered_before_is_not_answered_again(daemon):
    csr = request_for("a.example.com")
    with daemon.talk("default") as talk:
        serial = issue(talk, csr, idempotency_key="once")["result"]["serial"]
        talk.result("certificate.revoke", serial=serial, reason="keyCompromise")
        reply = issue(talk, csr, idempotency_key="once")
        assert "error" in reply or reply["result"]["serial"] == serial, reply


def test_F10_a_lost_store_learns_it_again_from_the_journal(daemon):
    csr = request_for("a.example.com")
    with daemon.talk("default") as talk:
        serial = issue(talk, csr)["result"]["serial"]
        talk.result("certificate.revoke", serial=serial, reason="keyCompromise")
    restart(daemon, lambda: shutil.rmtree(database(daemon)) or database(daemon).mkdir(mode=0o700))
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
        assert refused(issue(talk, csr), serial)


def test_a_revocation_by_the_command_line_counts(daemon, tmp_path):
    (tmp_path / "csr").write_text(request_for("a.example.com"))
    chancery = [BUILD / "chancery", "--socket", daemon.socket, "--realm", "default", "--json"]
    issued = json.loads(subprocess.run([*chancery, "certificate", "issue", "--csr", tmp_path / "csr"], check=True, capture_output=True).stdout)
    subprocess.run([*chancery, "certificate", "revoke", "--serial", issued["serial"], "--reason", "keyCompromise"], check=True, capture_output=True)
    done = subprocess.run([*chancery, "certificate", "issue", "--csr", tmp_path / "csr"], capture_output=True, text=True)
    assert done.returncode == 65 and issued["serial"] in done.stderr, done
