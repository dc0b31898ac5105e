"""The self-audit (PROMISES C20): each fault that is planted is named, a realm without any has none, and the nightly one goes on where
it stopped, once for all servers of a store."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess

import pytest

from test_admin_examples import csr_for
from test_daemon import issue
from test_delta_crls import code, restart
from test_master import BUILD, descriptors, freeze, wait_for
from test_publishing import PROGRAM, Publishing, until

DAY = 86400


@contextlib.contextmanager
def rows(daemon, realm="default"):
    connection = sqlite3.connect(daemon.realm(realm) / "db" / "realm.db", timeout=60, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")  # what is read here and written again is nobody else's meanwhile
        yield connection
        connection.execute("COMMIT")


@contextlib.contextmanager
def without_upkeep(daemon):
    """Upkeep looks twice a minute and mends some of what is planted here: it is stopped between two rounds."""
    upkeep, = daemon.found("chanceryd: upkeep")

    def is_stopped():
        freeze(upkeep)
        if "socket" not in descriptors(upkeep).values():
            return True
        os.kill(upkeep, signal.SIGCONT)
        return False
    wait_for(is_stopped, what="the end of upkeep's round")
    try:
        yield
    finally:
        os.kill(upkeep, signal.SIGCONT)


def audit(talk):
    """All steps. @return (findings, certificates)"""
    findings, certificates, more = [], 0, {}
    while True:
        step = talk.result("audit.self", **more)
        findings += step["findings"]
        certificates += step["certificates"]
        if "next" not in step:
            return findings, certificates
        more = {"after": step["next"]}


@pytest.fixture
def office(daemon):
    """A few certificates, one of them revoked and on the CRL, one on hold; all of them old enough to be nobody's request in hand."""
    with daemon.talk("default") as talk:
        daemon.serials = [issue(talk, f"n{i}.example.com")["serial"] for i in range(5)]
        talk.result("certificate.revoke", serial=daemon.serials[3], reason="keyCompromise")
        talk.result("certificate.revoke", serial=daemon.serials[4], reason="certificateHold")
        talk.result("crl.issue")
    restart(daemon)
    return daemon


def test_a_realm_in_order_has_no_findings(office):
    with office.talk("default") as talk:
        talk.result("realm.reconcile")
        assert audit(talk) == ([], 5)
        records = [one for one in talk.result("audit.list", limit=1000)["records"] if one.get("what") == "audit.self"]
        assert records and all(one["outcome"] == "ok" for one in records)


def flipped(der):
    out = bytearray(der)
    out[-5] ^= 1
    return bytes(out)


def change_der(connection, serial, change):
    der, = connection.execute("SELECT der FROM certificate_der WHERE serial = ?", (serial,)).fetchone()
    connection.execute("UPDATE certificate_der SET der = ? WHERE serial = ?", (change(der), serial))


def drop_certificate(connection, serial):
    for table in ("certificate_san", "certificate_der", "certificate"):
        connection.execute(f"DELETE FROM {table} WHERE serial = ?", (serial,))


def set_column(column, value):
    return lambda connection, serial: connection.execute(f"UPDATE certificate SET {column} = ? WHERE serial = ?", (value, serial))


def age_crl(connection, _):
    connection.execute("UPDATE crl SET this_update = this_update - ?, next_update = next_update - ?", (8 * DAY, 8 * DAY))


def change_crl(connection, _):
    connection.create_function("other_end", 1, lambda der: der[:-1] + bytes([der[-1] ^ 1]))
    connection.execute("UPDATE crl_chunk SET der = other_end(der)")


def unrevoke(connection, serial):
    connection.execute("UPDATE certificate SET state = 'valid', revoked_at = NULL, reason = '' WHERE serial = ?", (serial,))


def revoke_silently(connection, serial):
    connection.execute("UPDATE certificate SET state = 'revoked', revoked_at = not_before - 3 * 86400, reason = 'superseded' WHERE serial = ?", (serial,))


def copy_under(connection, serial, other, ca):
    connection.execute(f"INSERT INTO certificate SELECT realm_id, '{ca}', '{other}', state, profile, subject, cn, sans, not_before, not_after, issued_at, requester, "
                       "front_end, rule, evidence, acme_account, acme_order, revoked_at, reason, revoked_by FROM certificate WHERE serial = ?", (serial,))
    connection.execute(f"INSERT INTO certificate_der SELECT realm_id, '{ca}', '{other}', der FROM certificate_der WHERE serial = ?", (serial,))


def renumber(connection, serial):
    copy_under(connection, serial, "0" + "7" * 37, "ca")


def twice(connection, serial):
    copy_under(connection, serial, serial, "ca-2")


FAULTS = {
    "signature": (lambda c, s: change_der(c, s, flipped), 0, ["not signed by CA ca", "not the one that was signed"]),
    "no certificate": (lambda c, s: change_der(c, s, lambda der: b"0\x03\x02\x01\x07"), 0, ["cannot be read"]),
    "another's": (lambda c, s: c.execute("UPDATE certificate_der SET der = (SELECT der FROM certificate_der WHERE serial != ? LIMIT 1) WHERE serial = ?", (s, s)), 0,
                  ["the certificate has serial", "not the one that was signed"]),
    "no DER": (lambda c, s: c.execute("DELETE FROM certificate_der WHERE serial = ?", (s,)), 0, ["DER is missing"]),
    "no row": (drop_certificate, 0, ["the store lacks it"]),
    "subject": (set_column("subject", "/CN=evil.example.com"), 0, ["the row's /CN=evil.example.com"]),
    "names": (set_column("sans", "DNS:evil.example.com"), 0, ["names are not the row's"]),
    "end": (set_column("not_after", 4102444800), 0, ["at other times than the row says"]),
    "requester": (set_column("requester", "unix:mallory"), 0, ["the row says unix:mallory asked for it"]),
    "profile": (set_column("profile", "ra"), 0, ["the row says profile ra"]),
    "serial": (renumber, 0, ["the certificate has serial", "the journal has signed no such certificate"]),
    "serial twice": (twice, 0, ["two certificates have that serial"]),
    "revocation lost": (unrevoke, 3, ["it is valid in the store, and revoked in the journal"]),
    "revocation not journalled, on no CRL": (revoke_silently, 1, ["it is revoked for superseded", "not on CRL", "in the store, and the journal knows nothing of it"]),
    "state without a time": (lambda c, s: c.execute("UPDATE certificate SET state = 'revoked', reason = 'superseded' WHERE serial = ?", (s,)), 0, ["since no time"]),
    "reason": (lambda c, s: c.execute("UPDATE certificate SET reason = 'superseded', revoked_at = revoked_at - 3 * 86400 WHERE serial = ?", (s,)), 3, ["for another reason on CRL", "it is revoked for superseded in the store, and for keyCompromise in the journal"]),
    "date": (lambda c, s: c.execute("UPDATE certificate SET revoked_at = revoked_at - 3 * 86400 WHERE serial = ?", (s,)), 3, ["it is revoked since"]),
    "stale CRL": (age_crl, None, ["has run out at", "numbers and times are not those of its row"]),
    "CRL's octets": (change_crl, None, ["it is not signed by its CA"]),
    "CRL's part": (lambda c, s: c.execute("DELETE FROM crl_chunk"), None, ["lacks a part"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_C20_each_fault_is_named(office, name):
    plant, which, said = FAULTS[name]
    serial = office.serials[which] if which is not None else None
    before = office.serials[:]
    (office.realm("default") / "ca.config.yml").write_text("key_unencrypted: true\ncrl_after_revocation: 1d\n")
    restart(office)
    with without_upkeep(office), office.talk("default") as talk:
        with rows(office) as connection:
            plant(connection, serial)
        findings, _ = audit(talk)
        text = "\n".join(f"{one['about']}: {one['fault']}" for one in findings)
        for words in said:
            assert words in text, text
        if serial is not None:
            assert any(serial in one["about"] + one["fault"] for one in findings), text
        for other in before:
            if other != serial and name not in ("another's",):
                assert all(other != one["about"] for one in findings), text


def test_C20_files_that_others_may_change_are_named(office):
    realm = office.realm("default")
    for file, mode, said in ((realm / "ca.key", 0o644, "its mode is 0644: others may read or write it"), (realm / "ca.config.yml", 0o666, "others may write it"),
                             (realm / "journal", 0o770, "its mode is 0770")):
        old = file.stat().st_mode & 0o777
        file.chmod(mode)
        with office.talk("default") as talk:
            findings, _ = audit(talk)
        assert [one for one in findings if one["about"] == str(file) and said in one["fault"]], findings
        file.chmod(old)
    (realm / "crl.pem").rename(realm / "moved")
    (realm / "crl.pem").symlink_to(realm / "moved")
    with office.talk("default") as talk:
        assert [one for one in audit(talk)[0] if "symbolic link" in one["fault"]]


def test_it_changes_nothing_and_only_auditors_may(office):
    with without_upkeep(office), office.talk("default") as talk:
        drop = office.serials[0]
        with rows(office) as connection:
            drop_certificate(connection, drop)
        assert audit(talk)[0] and code(talk, "certificate.get", serial=drop) == "not_found"
        assert code(talk, "audit.self", after="nonsense:1") == "invalid_params"
        assert code(talk, "audit.self", after="journal:x") == "invalid_params"
        described = {one["name"]: one["role"] for one in talk.result("server.describe")["commands"]}
        assert described["audit.self"] == described["audit.status"] == "auditor" and described["audit.nightly"] == "ca-operator"


def set_fact(daemon, **changes):
    with rows(daemon) as connection:
        text, = connection.execute("SELECT text FROM meta WHERE name = 'self_audit'").fetchone()
        connection.execute("UPDATE meta SET text = ? WHERE name = 'self_audit'", (json.dumps({**json.loads(text), **changes}),))


def test_C20_the_nightly_one_is_run_by_upkeep_and_its_result_is_kept(office):
    with office.talk("default") as talk:
        talk.result("audit.nightly")  # the first look notes the time of day, and waits for the next
        assert "last" not in talk.result("audit.status")
        with rows(office) as connection:
            connection.execute("UPDATE certificate SET subject = '/CN=evil' WHERE serial = ?", (office.serials[0],))
        set_fact(office, seen=1)  # as if a night had passed
        last = wait_for(lambda: talk.result("audit.nightly") and talk.result("audit.status").get("last"), what="the night's result")
        assert last["certificates"] == 5 and last["findings"] == 1 and last["all"], last
        assert last["first"][0]["about"] == office.serials[0] and "/CN=evil" in last["first"][0]["fault"]
        records = [one for one in talk.result("audit.list", limit=1000)["records"] if one.get("what") == "audit.self"]
        assert len(records) == 1 and "/CN=evil" in records[0]["outcome"]
        wait_for(lambda: not talk.result("audit.nightly")["more"], what="nothing more this night")
        assert talk.result("audit.status")["last"]["started"] == last["started"]


def test_C20_a_night_looks_at_so_many_and_the_next_goes_on(office):
    (office.realm("default") / "ca.config.yml").write_text("key_unencrypted: true\nself_audit: {certificates: 1}\n")
    office.hangup()
    with office.talk("default") as talk:
        talk.result("audit.nightly")
        looked = 0
        for night in range(1, 20):
            set_fact(office, seen=night)
            last = wait_for(lambda: talk.result("audit.nightly") and talk.result("audit.status").get("last"), what="a night")
            looked += last["certificates"]
            if last["all"]:
                break
        assert last["all"] and looked >= 5


def test_a_step_that_another_server_does_is_left_to_it_until_its_lease_ends(office):
    with office.talk("default") as talk:
        talk.result("audit.nightly")
        set_fact(office, place="files:", lease=4102444800, seen=2)
        assert not talk.result("audit.nightly")["more"]
        assert talk.result("audit.status")["running"]
        set_fact(office, lease=1)  # who had it was killed
        assert wait_for(lambda: talk.result("audit.nightly") and talk.result("audit.status").get("last"), what="it is taken up")["findings"] == 0


def test_the_command_line_runs_it_whole(office):
    with rows(office) as connection:
        connection.execute("UPDATE certificate SET requester = 'x' WHERE serial = ?", (office.serials[1],))
    done = subprocess.run([BUILD / "chancery", "--socket", office.socket, "--realm", "default", "audit", "self", "--json"], capture_output=True, text=True,
                          env={**os.environ})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["certificates"] == 5 and [one["about"] for one in answer["findings"]] == [office.serials[1]]


def test_operators_are_told_of_findings_once():
    class Told(Publishing):
        def lay_out_realm(self, name):
            super().lay_out_realm(name)
            if name == "default":
                hook = self.directory / "hook.sh"
                hook.write_text(PROGRAM)
                hook.chmod(0o755)
                config = self.directory / "var" / "realms" / name / "ca.config.yml"
                config.write_text(config.read_text() + f"notices:\n  before: [30]\n  program: {hook}\n")

    with Told.running() as office:
        talk = office.realm("default").talk()
        serial = talk.result("certificate.issue", csr=csr_for("told.example.com"), profile="server")["serial"]
        talk.result("audit.nightly")
        database = sqlite3.connect(office.realm("default").directory / "db" / "realm.db", timeout=60)
        with contextlib.closing(database), database:
            database.execute("UPDATE certificate SET subject = '/CN=evil' WHERE serial = ?", (serial,))
            text, = database.execute("SELECT text FROM meta WHERE name = 'self_audit'").fetchone()
            database.execute("UPDATE meta SET text = ? WHERE name = 'self_audit'", (json.dumps({**json.loads(text), "seen": 1}),))
        heard = office.directory / "hook.sh.heard"
        until(lambda: heard.exists() and "self_audit.findings" in heard.read_text())
        told = [json.loads(line) for line in heard.read_text().replace("}{", "}\n{").splitlines()]
        assert [(one["event"], one["findings"], one["first"][0]["about"], one["realm"]) for one in told] == [("self_audit.findings", 1, serial, "default")]
        until(lambda: [one for one in talk.result("notice.list")["notices"] if one["state"] == "sent"])
        assert len(talk.result("notice.list")["notices"]) == 1
        talk.close()
