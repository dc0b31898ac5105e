"""F10: a store that is older than its journal is detected, named serial by serial and mended, revocations included."""

import json
import os
import shutil
import sqlite3
import subprocess
import time

import pytest

from test_daemon import issue
from test_master import BUILD, wait_for


def restart(daemon, meanwhile):
    daemon.kill()
    meanwhile()
    # What was journalled in the second of the start may still be in somebody's hand, as far as its time says.
    died = int(time.time())
    wait_for(lambda: int(time.time()) > died, what="the next second")
    daemon.log_file.unlink()
    daemon.start()


def database(daemon):
    return daemon.realm("default") / "db"


@pytest.fixture
def restored(daemon, tmp_path):
    """What was done after the copy was made: a certificate, a revocation, a hold, a hold taken back."""
    with daemon.talk("default") as talk:
        old, held, released = (issue(talk, name)["serial"] for name in ("old.example.com", "held.example.com", "released.example.com"))
        talk.result("certificate.revoke", serial=released, reason="certificateHold")
    restart(daemon, lambda: shutil.copytree(database(daemon), tmp_path / "copy"))
    with daemon.talk("default") as talk:
        new, gone = issue(talk, "new.example.com")["serial"], issue(talk, "gone.example.com")["serial"]
        talk.result("certificate.revoke", serial=old, reason="keyCompromise")
        talk.result("certificate.revoke", serial=gone, reason="superseded")
        talk.result("certificate.revoke", serial=held, reason="certificateHold")
        talk.result("certificate.unrevoke", serial=released)

    def restore():
        shutil.rmtree(database(daemon))
        shutil.copytree(tmp_path / "copy", database(daemon))
    restart(daemon, restore)
    return {"old": ("revoked", "keyCompromise"), "gone": ("revoked", "superseded"), "held": ("held", "certificateHold"),
            "released": ("valid", None), "new": ("valid", None)}, {"old": old, "gone": gone, "held": held, "released": released, "new": new}


def check(daemon, expected, serials):
    with daemon.talk("default") as talk:
        for name, (state, reason) in expected.items():
            record = talk.result("certificate.get", serial=serials[name])
            assert (record["state"], record.get("reason")) == (state, reason), (name, record)


def nothing_to_repair(talk):
    answer = talk.result("realm.repair")
    return answer.pop("compared") > 0 and answer == {"missing": [], "states": [], "damaged": [], "applied": False}


def test_F10_upkeep_mends_a_restored_store(daemon, restored):
    expected, serials = restored
    wait_for(lambda: serials["new"] in daemon.log() and serials["gone"] in daemon.log(), 60, "the log names the missing serials")
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
    check(daemon, expected, serials)
    with daemon.talk("default") as talk:
        assert nothing_to_repair(talk)
        assert talk.result("crl.issue")["number"] >= 1


def rows(daemon, *statements):
    """Changes the store behind the server's back."""
    with sqlite3.connect(database(daemon) / "realm.db", timeout=60) as connection:
        for statement, values in statements:
            assert connection.execute(statement, values).rowcount == 1, statement


def test_F10_C29_repair_names_first_and_mends_when_told(daemon):
    with daemon.talk("default") as talk:
        lost, revoked, kept = (issue(talk, name)["serial"] for name in ("lost.example.com", "revoked.example.com", "kept.example.com"))
        talk.result("certificate.revoke", serial=revoked, reason="superseded")
    # Rows that vanish while the store believes that it has followed the journal: no step of upkeep looks there again.
    restart(daemon, lambda: None)
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
    restart(daemon, lambda: rows(daemon, ("DELETE FROM certificate_der WHERE serial = ?", (lost,)),
                                 ("DELETE FROM certificate_san WHERE serial = ?", (lost,)), ("DELETE FROM certificate WHERE serial = ?", (lost,)),
                                 ("UPDATE certificate SET state = 'valid', revoked_at = NULL, reason = '' WHERE serial = ?", (revoked,))))

    def repair(*options):
        done = subprocess.run([BUILD / "chancery", "--json", "--socket", daemon.socket, "--realm", "default", "repair", *options],
                              check=True, capture_output=True, text=True)
        answer = json.loads(done.stdout)
        assert answer.pop("compared") == 3 and "next" not in answer and done.stderr == ""
        return answer
    found = {"missing": [lost], "states": [{"serial": revoked, "found": "valid", "expected": "revoked"}], "damaged": []}
    for _ in range(2):  # looking changes nothing
        assert repair() == {**found, "applied": False}
    assert repair("--apply") == {**found, "applied": True}
    assert repair() == {"missing": [], "states": [], "damaged": [], "applied": False}
    with daemon.talk("default") as talk:
        assert talk.result("certificate.get", serial=lost)["state"] == "valid"
        assert talk.result("ocsp.status", serial=revoked)["status"] == "revoked"
        assert talk.result("certificate.get", serial=kept)["state"] == "valid"


def test_repair_goes_on_where_a_step_ended(daemon):
    with daemon.talk("default") as talk:
        for i in range(3):
            issue(talk, f"step-{i}.example.com")
        whole = talk.result("realm.repair")
        states = talk.result("realm.repair", after="states")  # the last part alone
        assert (whole["compared"], states["compared"]) == (3, 0) and "next" not in whole and "next" not in states
        assert talk.result("realm.repair", after="0")["compared"] == 3
        for wrong in ("x", "-1", "1x", "18446744073709551616"):
            refused = talk.call("realm.repair", after=wrong)["error"]
            assert refused["data"]["code"] == "invalid_params" and wrong in refused["message"], refused


def test_C20_I16_a_certificate_that_is_not_what_was_signed_is_named(daemon):
    with daemon.talk("default") as talk:
        one, other = issue(talk, "one.example.com")["serial"], issue(talk, "other.example.com")["serial"]
    restart(daemon, lambda: rows(daemon, ("UPDATE certificate_der SET der = (SELECT der FROM certificate_der WHERE serial = ?) WHERE serial = ?",
                                          (other, one))))
    with daemon.talk("default") as talk:
        damaged, = talk.result("realm.repair")["damaged"]
        assert damaged["serial"] == one and damaged["fault"], damaged


def damage_by_garbage(file):
    file.write_bytes(b"no database of anybody's\n" * 1000)


def damage_by_truncation(file):
    file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])


def damage_by_a_pipe(file):
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("damage", [damage_by_garbage, damage_by_truncation, damage_by_a_pipe])
def test_F10_a_store_that_does_not_open_is_said_and_comes_back_from_the_journal(daemon, damage):
    with daemon.talk("default") as talk:
        serial = issue(talk, "one.example.com")["serial"]
        talk.result("certificate.revoke", serial=serial, reason="superseded")
    file = database(daemon) / "realm.db"

    def break_it():
        with sqlite3.connect(file, timeout=60) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        for side in database(daemon).glob("realm.db-*"):
            side.unlink()
        damage(file)
    restart(daemon, break_it)
    done = subprocess.run([BUILD / "chanceryd", "--config", daemon.config, "--check"], capture_output=True, text=True)
    assert done.returncode == 78 and "realm default: " in done.stdout and "realm devices" not in done.stdout, done
    with daemon.talk("default") as talk:
        realm = talk.result("realm.get")
        assert realm["state"] == "degraded" and "database" in realm["detail"], realm
        for method, params in (("certificate.search", {}), ("realm.repair", {"apply": True}), ("certificate.get", {"serial": serial})):
            assert talk.call(method, **params)["error"]["data"]["code"] == "corrupt", method
    with daemon.talk("devices") as talk:  # nobody else is disturbed
        assert talk.result("realm.get")["state"] == "ready" and issue(talk, "two.example.com")["serial"]
    restart(daemon, lambda: shutil.rmtree(database(daemon)) or database(daemon).mkdir(mode=0o700))
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
        assert talk.result("realm.get")["state"] == "ready"
        assert talk.result("certificate.get", serial=serial)["state"] == "revoked"
