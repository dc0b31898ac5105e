"""CRLs that come by themselves (C8, I13, B10), and promises about processes that no other file is about."""

import concurrent.futures
import sqlite3
import subprocess

from test_acme_commands import Acme, csr
from test_daemon import Talk, issue
from test_house import TOP
from test_master import BUILD, wait_for

DAY = 86400


def crl_number(talk, **params):
    return talk.result("crl.issue", **params)["number"]


def age(daemon, seconds):
    """As if the store's newest CRL had been made that long ago."""
    with sqlite3.connect(daemon.realm("default") / "db" / "realm.db", timeout=60) as connection:
        assert connection.execute("UPDATE crl SET this_update = this_update - ?, next_update = next_update - ?", (seconds, seconds)).rowcount >= 1


def test_C8_I13_a_crl_is_renewed_at_half_life_without_any_revocation(daemon):
    with daemon.talk("default") as talk:
        first = crl_number(talk)
        assert crl_number(talk, if_due=True) == first
        age(daemon, 3 * DAY)  # of seven
        assert crl_number(talk, if_due=True) == first
        age(daemon, DAY)
        second = crl_number(talk, if_due=True)
        assert second > first
        assert crl_number(talk, if_due=True) == second
        age(daemon, 30 * DAY)  # long after its end, as after a long stop
        third = crl_number(talk, if_due=True)  # or upkeep's, which looks by itself
        assert third > second
        assert crl_number(talk, if_due=True) == third


def test_B10_a_revocation_is_on_a_crl_in_the_realms_time(daemon):
    (daemon.realm("default") / "ca.config.yml").write_text("key_unencrypted: true\ncrl_after_revocation: 0s\n")
    daemon.hangup()
    with daemon.talk("default") as talk:
        serial = issue(talk, "soon.example.com")["serial"]
        before = crl_number(talk)
        talk.result("certificate.revoke", serial=serial)
        crl = talk.result("crl.issue", if_due=True)
        assert crl["number"] > before
        text = subprocess.run(["openssl", "crl", "-noout", "-text"], input=crl["crl"], check=True, capture_output=True, text=True).stdout
        assert serial.upper() in text


def test_B10_upkeep_looks_as_often_as_the_realm_asks(daemon):
    (daemon.realm("default") / "ca.config.yml").write_text("key_unencrypted: true\ncrl_after_revocation: 2s\n")
    daemon.hangup()
    with daemon.talk("default") as talk:
        serial = issue(talk, "seconds.example.com")["serial"]
        before = crl_number(talk)
        talk.result("certificate.revoke", serial=serial)
        wait_for(lambda: talk.result("crl.get")["number"] > before, what="a CRL that nobody asked for")


def test_C8_crls_that_are_asked_for_at_once_all_come(daemon):
    """Their numbers rise; one that is overtaken is made again."""
    def ask(_):
        with daemon.talk("default") as talk:
            return [talk.result("crl.issue")["number"] for _ in range(5)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        numbers = [one for some in pool.map(ask, range(4)) for one in some]
    assert len(set(numbers)) == len(numbers) == 20
    with daemon.talk("default") as talk:
        assert talk.result("crl.get")["number"] == max(numbers)


def test_C9_what_was_never_issued_is_unknown(daemon):
    with daemon.talk("default") as talk, daemon.talk("devices") as other:
        for serial in ("01", "7f" * 19, issue(other, "elsewhere.example.com")["serial"]):
            assert talk.result("ocsp.status", serial=serial)["status"] == "unknown"
        assert talk.result("ocsp.status", serial=issue(talk, "here.example.com")["serial"])["status"] == "good"


def test_I28_old_orders_are_forgotten_and_certificates_stay(daemon):
    acme = Acme(daemon.socket)
    old, new = acme.finalize(acme.ready("old.example.com"), csr(["old.example.com"])), acme.order("new.example.com")
    with sqlite3.connect(daemon.realm("default") / "db" / "realm.db", timeout=60) as connection:
        for table in ("acme_order", "acme_authorization"):
            connection.execute(f"UPDATE {table} SET expires = expires - ? WHERE id != ? AND id != ?", (60 * DAY, new["id"], new["authorizations"][0]))

    def is_forgotten():
        """By this look, or by upkeep's, which does so meanwhile."""
        acme.result("realm.reconcile")
        return acme.call("acme.order.get", account=acme.account, order=old["id"]).get("error", {}).get("data", {}).get("code") == "not_found"
    wait_for(is_forgotten, what="the old order is forgotten")
    assert acme.look(new)["status"] == "pending"
    assert acme.result("certificate.get", serial=old["serial"])["state"] == "valid"


def test_D21_workers_share_no_random_numbers(daemon):
    challenges, talks = set(), []
    for _ in range(30):
        talks.append(daemon.talk("default"))
        challenges.add(talks[-1].result("session.whoami")["challenge"])
    for talk in talks:
        talk.socket.close()
    assert len(challenges) == 30


def test_D40_a_full_log_does_not_stop_service(daemon):
    daemon.kill()
    with open("/dev/full", "w") as full:
        daemon.process = subprocess.Popen([BUILD / "chanceryd", "--config", daemon.config], stdin=subprocess.DEVNULL, stdout=full, stderr=full)

        def served():
            try:
                with Talk(daemon.socket, "default") as talk:
                    return issue(talk, "full.example.com")
            except (OSError, AssertionError):
                return None
        assert wait_for(served, 60, "a certificate")["serial"]
        daemon.process.terminate()
        assert daemon.process.wait(60) == 0


def test_D42_the_wall_clock_has_one_door():
    """Deadlines cannot use what they cannot reach; an answer's Date header is no deadline."""
    users = {str(path.relative_to(TOP)) for room in ("server", "clients") for path in (TOP / room).rglob("*")
             if path.suffix in (".cc", ".h") and any(word in path.read_text() for word in ("system_clock::now", "CLOCK_REALTIME", "std::time("))}
    assert users == {"server/base/clock.cc", "clients/http/connection.cc"}


def test_the_unit_lets_key_pairs_give_way():
    """Both calls are in @resources, which the unit takes away."""
    lines = (TOP / "etc" / "chancery.service.in").read_text().splitlines()
    taken, given = lines.index("SystemCallFilter=~@privileged @resources"), lines.index("SystemCallFilter=setpriority sched_setscheduler")
    assert taken < given


def test_D39_the_unit_is_hardened():
    unit = (TOP / "etc" / "chancery.service.in").read_text()
    settings = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    wanted = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
              "RestrictNamespaces": "yes", "CapabilityBoundingSet": "CAP_SETUID CAP_SETGID CAP_CHOWN CAP_KILL CAP_DAC_READ_SEARCH", "UMask": "0077", "LimitCORE": "0",
              "RestrictSUIDSGID": "yes", "LockPersonality": "yes", "ProtectKernelModules": "yes"}
    assert {name: settings.get(name) for name in wanted} == wanted
