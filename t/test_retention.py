"""`retention:` of ca.config.yml: what has ended leaves the store after its time, in batches; nothing else does; and the journal, which
keeps it, brings nothing back."""

import contextlib
import sqlite3
import subprocess
import time

import pytest

from moving_clock import MovingClock
from test_daemon import issue, request_for, running_daemon
from test_delta_crls import code, restart
from test_master import BUILD, wait_for

DAY = 86400


@pytest.fixture
def office(daemon):
    settings(daemon, "retention:\n  certificates: 730d\n")
    believe(daemon)
    return daemon


def believe(daemon, realm="default"):
    """As if the clock had been seen, and found right, for years."""
    with daemon.talk(realm) as talk:
        talk.result("realm.reconcile")
    with contextlib.closing(sqlite3.connect(daemon.realm(realm) / "db" / "realm.db", timeout=60)) as connection, connection:
        connection.execute("DELETE FROM meta WHERE name = 'retention_seen'")
        connection.execute("INSERT INTO meta (realm_id, name, text) VALUES (?, 'retention_seen', ?)",
                           (realm, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) + " 2020-01-01T00:00:00Z"))


def settings(daemon, more):
    (daemon.realm("default") / "ca.config.yml").write_text("key_unencrypted: true\n" + more)
    daemon.hangup()


@contextlib.contextmanager
def rows(daemon):
    connection = sqlite3.connect(daemon.realm("default") / "db" / "realm.db", timeout=60)
    with contextlib.closing(connection), connection:
        yield connection


def age(daemon, days, *serials):
    """As if they had been issued that long before."""
    with rows(daemon) as connection:
        for serial in serials:
            connection.execute("UPDATE certificate SET not_before = not_before - ?, not_after = not_after - ? WHERE serial = ?", (days * DAY, days * DAY, serial))


def purge(talk):
    """All batches. @return how many went."""
    total = 0
    while True:
        count = talk.result("realm.reconcile")["purged_certificates"]
        if not count:
            return total
        total += count


def test_I28_what_ended_long_ago_goes_and_the_rest_stays(office):
    with office.talk("default") as talk:
        old = [issue(talk, f"old{i}.example.com")["serial"] for i in range(3)]
        fresh, ended = issue(talk, "fresh.example.com")["serial"], issue(talk, "ended.example.com")["serial"]
        age(office, 800 + 60, *old)
        age(office, 60 + 100, ended)
        assert wait_for(lambda: purge(talk) or all(talk.call("certificate.get", serial=one).get("error") for one in old), what="they go") is not None
        for serial in old:
            assert code(talk, "certificate.get", serial=serial) == "not_found"
            assert code(talk, "certificate.revoke", serial=serial) == "not_found"
        assert talk.result("certificate.get", serial=ended)["state"] == "expired"
        assert talk.result("certificate.get", serial=fresh)["state"] == "valid"
        assert talk.result("certificate.search", san="DNS:old0.example.com")["certificates"] == []
        with rows(office) as connection:
            for table in ("certificate", "certificate_der", "certificate_san"):
                assert connection.execute(f"SELECT COUNT(*) FROM {table} WHERE serial IN (?, ?, ?)", old).fetchone()[0] == 0
        assert any(one.get("what") == "retention.purge" for one in talk.result("audit.list", limit=1000)["records"]), "the stream says so"


def drop(connection, serial):
    for table in ("certificate_san", "certificate_der", "certificate"):
        connection.execute(f"DELETE FROM {table} WHERE serial = ?", (serial,))


@pytest.fixture
def moved(tmp_path, monkeypatch):
    """One whose clock can be moved."""
    (tmp_path / "clock").mkdir()
    clock = MovingClock(tmp_path / "clock")
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    with running_daemon(tmp_path) as one:
        one.clock = clock
        settings(one, "retention:\n  certificates: 730d\n")
        yield one


def test_the_journal_brings_nothing_back(moved):
    """Two certificates are gone: one whose end the retention has passed, one that was lost and lives, although a clock that was ahead
    said that it had passed that one's, too."""
    office = moved
    with office.talk("default") as talk:
        gone = issue(talk, "gone.example.com")["serial"]
        lost = talk.result("certificate.issue", profile="server", csr=request_for("lost.example.com"), days=20)["serial"]
    office.kill()  # what the journal has is nobody's request in hand any more
    with rows(office) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        early, late = sorted(connection.execute("SELECT not_after FROM certificate WHERE serial IN (?, ?)", (gone, lost)).fetchall())
        assert early[0] + DAY < late[0]
        drop(connection, gone)
        drop(connection, lost)
        connection.execute("DELETE FROM meta WHERE name = 'journal_position'")
        # "lost" ends first, and has left the store; "gone" was lost.
        connection.execute("INSERT INTO meta (realm_id, name, text) VALUES ('default', 'retention_until', ?)", (str(late[0] + DAY),))
    office.clock.move(days=22)
    restart(office)
    with office.talk("default") as talk:
        talk.result("realm.reconcile")
        assert talk.result("certificate.get", serial=gone)["state"] == "valid", "what was lost comes back"
        assert code(talk, "certificate.get", serial=lost) == "not_found"
        found = talk.result("realm.repair", apply=True)
        assert found["missing"] == [] and found["damaged"] == []
        assert code(talk, "certificate.get", serial=lost) == "not_found"
        assert all(lost != one["about"] for one in talk.result("audit.self")["findings"])


def test_B9_what_is_revoked_stays_until_it_was_on_a_crl_after_its_end(office):
    with office.talk("default") as talk:
        talk.result("crl.issue")
        serial = issue(talk, "revoked.example.com")["serial"]
        talk.result("certificate.revoke", serial=serial, reason="keyCompromise")
        age(office, 900, serial)
        talk.result("realm.reconcile")
        assert talk.result("certificate.get", serial=serial)["state"] == "revoked", "no CRL shows it yet"
        crl = talk.result("crl.issue")
        assert crl["entries"] >= 1
        with rows(office) as connection:
            connection.execute("DELETE FROM meta WHERE name = 'retention_place'")  # the day is over
        wait_for(lambda: purge(talk) or talk.call("certificate.get", serial=serial).get("error"), what="it goes")
        assert code(talk, "certificate.get", serial=serial) == "not_found"
        assert talk.result("crl.issue")["entries"] == 0


def test_without_it_everything_stays(daemon):
    with daemon.talk("default") as talk:
        serial = issue(talk, "kept.example.com")["serial"]
        age(daemon, 9000, serial)
        assert talk.result("realm.reconcile")["purged_certificates"] == 0
        assert talk.result("certificate.get", serial=serial)["state"] == "expired"


def test_B14_less_than_two_years_is_refused_unless_asked_for(daemon):
    for text, good in (("certificates: 729d", False), ("requests: 800d", False), ("certificates: 730d", True), ("certificates: 0", True),
                       ("certificates: 30d\n  below_two_years: true", True), ("certificates: -1d", False), ("certificate: 800d", False)):
        (daemon.realm("default") / "ca.config.yml").write_text(f"key_unencrypted: true\nretention:\n  {text}\n")
        done = subprocess.run([BUILD / "chanceryd", "--check", "--config", daemon.config], capture_output=True, text=True)
        assert (done.returncode == 0) == good, (text, done.stderr + done.stdout)


@pytest.mark.parametrize("seen", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_F17_a_clock_that_jumped_makes_nothing_go(office, seen):
    with office.talk("default") as talk:
        serial = issue(talk, "jumped.example.com")["serial"]
        talk.result("realm.reconcile")
        with rows(office) as connection:
            assert connection.execute("UPDATE meta SET text = ? WHERE name = 'retention_seen'", (f"{seen} {seen}",)).rowcount
        age(office, 900, serial)
        for _ in range(3):
            assert talk.result("realm.reconcile")["purged_certificates"] == 0
        assert talk.result("certificate.get", serial=serial)["state"] == "expired"
        assert "nothing leaves the store for a day" in office.log()


def test_F17_a_clock_that_is_seen_first_makes_nothing_go_for_a_day(office):
    with office.talk("default") as talk:
        serial = issue(talk, "first.example.com")["serial"]
        with rows(office) as connection:
            connection.execute("DELETE FROM meta WHERE name = 'retention_seen'")
        age(office, 900, serial)
        for _ in range(3):
            assert talk.result("realm.reconcile")["purged_certificates"] == 0
        assert talk.result("certificate.get", serial=serial)["state"] == "expired"
        believe(office)
        wait_for(lambda: purge(talk) or talk.call("certificate.get", serial=serial).get("error"), what="it goes")
