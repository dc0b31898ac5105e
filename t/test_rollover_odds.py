"""Rollovers in bad circumstances: a store older than its journal, a root with name constraints, and CAs that certify CAs."""

import shutil
import sqlite3
import subprocess

from test_daemon import issue, request_for
from test_master import wait_for
from test_restore import database, restart, rows
from test_rollover import CAS, RETIRE, code, daemon, reload, run, step, write  # noqa: F401


def keep_copy(daemon, place):
    restart(daemon, lambda: shutil.copytree(database(daemon), place))


def bring_back(daemon, place):
    def replace():
        shutil.rmtree(database(daemon))
        shutil.copytree(place, database(daemon))
    restart(daemon, replace)


def of_profile(talk, profile):
    return talk.result("certificate.search", profile=profile)["certificates"]


def serials_on(crl):
    return subprocess.run(["openssl", "crl", "-noout", "-text"], input=crl, check=True, capture_output=True, text=True).stdout.lower()


def test_F10_a_store_from_before_a_rollover_follows_its_end(daemon, tmp_path):
    """The journal has changes of certificates that CAs made for each other, which are in none of its records of issuing."""
    keep_copy(daemon, tmp_path / "copy")
    with daemon.talk("default") as talk:
        for name in ("start", "publish", "abort"):
            step(talk, name)
        gone = {one["serial"] for one in of_profile(talk, "cross")}
        assert len(gone) == 2
        later = issue(talk, "later.example.com")["serial"]
        talk.result("certificate.revoke", serial=later)
    bring_back(daemon, tmp_path / "copy")
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
        assert {one["serial"]: one["state"] for one in of_profile(talk, "cross")} == dict.fromkeys(gone, "revoked")
        assert later in serials_on(talk.result("crl.issue")["crl"])


def test_abort_of_a_rollover_whose_switch_only_the_journal_knows(daemon, tmp_path):
    with daemon.talk("default") as talk:
        for name in ("start", "publish"):
            step(talk, name)
    keep_copy(daemon, tmp_path / "copy")
    with daemon.talk("default") as talk:
        step(talk, "switch")
    for state in ("published", "aborting"):
        bring_back(daemon, tmp_path / "copy")
        if state == "aborting":
            restart(daemon, lambda: rows(daemon, ("UPDATE ca_rollover SET state = ? WHERE new_label = ?", (state, "ca-2"))))
        with daemon.talk("default") as talk:
            assert step(talk, "status")["state"] == state
            assert code(talk, "ca.rollover.abort") == "conflict"
            assert {one["state"] for one in of_profile(talk, "cross")} == {"valid"}
            assert step(talk, "resume")["state"] == "draining"
            assert talk.result("certificate.get", serial=issue(talk, f"{state}.example.com")["serial"])["ca"] == "ca-2"


def test_what_a_root_certified_can_be_revoked(daemon, tmp_path):
    (daemon.realm("default") / "ca.config.yml").write_text(CAS)
    reload(daemon)
    keep_copy(daemon, tmp_path / "copy")
    with daemon.talk("default") as talk:
        for ca in ("top", "tls"):
            for name in ("start", "publish", "switch"):
                step(talk, name, ca=ca)
        (below,) = of_profile(talk, "sub-ca")
        assert (below["ca"], below["state"]) == ("top-1", "valid")
        step(talk, "start", ca="tls")
        (given_up,) = [one["serial"] for one in of_profile(talk, "sub-ca") if one["serial"] != below["serial"]]
        step(talk, "abort", ca="tls")
        assert talk.result("certificate.get", serial=given_up)["state"] == "revoked"
        talk.result("certificate.revoke", serial=below["serial"], reason="cACompromise")
        listed = serials_on(talk.result("crl.issue", ca="top-1")["crl"])
        assert below["serial"] in listed and given_up in listed
        for name in ("start", "publish", "switch"):
            step(talk, name, ca="top")
        assert code(talk, "ca.rollover.retire", ca="top") == "conflict"
    bring_back(daemon, tmp_path / "copy")
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
        assert {one["serial"]: one["state"] for one in of_profile(talk, "sub-ca")} == dict.fromkeys((below["serial"], given_up), "revoked")


def test_urls_of_a_further_ca_name_it_from_its_first_generation_on(daemon):
    file = daemon.realm("default") / "ca.config.yml"
    for setting in ("crl_urls", "ca_issuer_urls"):
        file.write_text(f"{CAS}{setting}: [\"http://pki.example.com/it\"]\n")
        reload(daemon)
        with daemon.talk("default") as talk:
            assert code(talk, "ca.rollover.start", ca="top") == "bad_config"
            assert step(talk, "status", ca="top")["state"] == "none"
    file.write_text(CAS)
    reload(daemon)
    with daemon.talk("default") as talk:
        for name in ("start", "publish"):
            step(talk, name, ca="top")
    file.write_text(f"{CAS}crl_urls: [\"http://pki.example.com/it\"]\n")
    reload(daemon)
    with daemon.talk("default") as talk:
        assert code(talk, "ca.rollover.switch", ca="top") == "bad_config"


def test_no_root_follows_one_with_name_constraints(daemon, tmp_path):
    place = daemon.realm("default")

    def constrain():
        subject = run("openssl", "x509", "-noout", "-subject", "-nameopt", "compat", "-in", place / "ca.crt").stdout.strip().removeprefix("subject=")
        made = run("openssl", "req", "-x509", "-key", place / "ca.key", "-out", tmp_path / "ca.crt", "-days", 3000, "-subj", subject.strip(),
                   "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "nameConstraints=critical,permitted;DNS:example.com")
        assert made.returncode == 0, made
        (place / "ca.crt").write_text((tmp_path / "ca.crt").read_text())
    restart(daemon, constrain)
    with daemon.talk("default") as talk:
        reply = talk.call("ca.rollover.start")["error"]
        assert reply["data"]["code"] == "policy_refused" and "name constraints" in reply["message"], reply
        assert step(talk, "status")["state"] == "none"
        assert step(talk, "start", **{"from": "request"})["waits"]


def test_C8_crls_come_while_the_store_cannot_follow_the_journal(daemon):
    (daemon.realm("default") / "ca.config.yml").write_text("key_unencrypted: true\ncrl_after_revocation: 2s\n" + RETIRE)
    reload(daemon)
    with daemon.talk("default") as talk:
        for name in ("start", "publish", "switch"):
            step(talk, name)
        talk.result("realm.reconcile")
        with sqlite3.connect(database(daemon) / "realm.db", timeout=60) as store:
            store.execute("INSERT OR REPLACE INTO meta (realm_id, name, text) VALUES ('default', 'journal_states_position', 'nowhere')")
        assert code(talk, "realm.reconcile") == "corrupt"
        serial = issue(talk, "meanwhile.example.com")["serial"]
        numbers = {label: talk.result("crl.issue", ca=label)["number"] for label in ("ca", "ca-2")}
        talk.result("certificate.revoke", serial=serial)
        wait_for(lambda: talk.result("crl.get", ca="ca-2")["number"] > numbers["ca-2"], what="a CRL that nobody asked for")
        assert "nowhere" in daemon.log()


def test_C8_crls_of_a_further_ca_come_while_the_first_one_waits(daemon):
    place = daemon.realm("default")
    (place / "ca.config.yml").write_text("key_unencrypted: true\ncrl_after_revocation: 2s\ncas:\n  own:\n    profiles: [server]\n")
    reload(daemon)
    with daemon.talk("default") as talk:
        for name in ("start", "publish", "switch"):
            step(talk, name, ca="own")
        serial = talk.result("certificate.issue", profile="server", csr=request_for("own.example.com"))["serial"]

    def wait_for_another():
        (place / "ca.crt").unlink()
        write(place / "ca.csr", "as it was before its certificate came")
    restart(daemon, wait_for_another)
    with daemon.talk("default") as talk:
        assert code(talk, "crl.issue", ca="ca") == "unavailable"
        before = talk.result("crl.issue", ca="own-1")["number"]
        talk.result("certificate.revoke", serial=serial)
        wait_for(lambda: talk.result("crl.get", ca="own-1")["number"] > before, what="a CRL that nobody asked for")
        assert serial in serials_on(talk.result("crl.get", ca="own-1")["crl"])
