"""The audit stream: C17 who, by which right, on which evidence; C18 durable before the act, and no act without it."""

import json
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

from test_daemon import Daemon, issue, request_for
from test_master import BUILD
from test_sweep import Strace, talk_and_worker


@pytest.fixture
def daemon():
    with tempfile.TemporaryDirectory(prefix="chancery-audit-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        one = Daemon(pathlib.Path(directory))
        one.start()
        yield one
        one.end()


def stream(talk, **params):
    records, after = [], {}
    while after is not None:
        page = talk.result("audit.list", limit=7, **after, **params)
        records += page["records"]
        after = {"after": page["next"]} if "next" in page else None
    return records


def events(talk, what):
    return [one for one in stream(talk) if one["kind"] == "event" and one["what"] == what]


ACTS = [
    ("certificate.revoke", lambda serial: {"serial": serial, "reason": "certificateHold"}),
    ("certificate.unrevoke", lambda serial: {"serial": serial}),
    ("admin.add", lambda serial: {"dn": "/CN=somebody"}),
    ("admin.remove", lambda serial: {"dn": "/CN=somebody"}),
    ("node.delete", lambda serial: {"cn": "act.example.com"}),
]


def test_C17_each_act_is_there_before_and_after(daemon):
    with daemon.talk("default") as talk:
        serial = issue(talk, "act.example.com")["serial"]
        for method, params in ACTS:
            talk.result(method, **params(serial))
            begin, end = events(talk, method)
            assert (begin["phase"], end["phase"], end["outcome"]) == ("begin", "end", "ok"), (begin, end)
            for one in (begin, end):
                assert one["requester"].startswith("unix:") and one["roles"] == "admin" and re.match(r"uid \d+ pid \d+$", one["peer"]), one
                assert json.loads(one["about"]) == params(serial), one
                assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", one["at"])


def test_C17_each_use_of_the_key_is_there_before_and_after(daemon):
    with daemon.talk("default") as talk:
        serial = issue(talk, "key.example.com")["serial"]
        crl = talk.result("crl.issue")["number"]
        records = stream(talk)
        own = [one["kind"] for one in records if one.get("serial") == serial]
        assert own == ["intent", "signature"]
        intent, = [one for one in records if one["kind"] == "intent" and one["serial"] == serial]
        assert intent["requester"].startswith("unix:") and intent["rule"] and intent["evidence"] and intent["profile"] == "server"
        assert crl in [one["number"] for one in records if one["kind"] == "crl"]
        assert not [one for one in records if {"tbs", "signature", "digest"} & set(one)]


REFUSALS = [
    ("certificate.issue", {"csr": request_for, "profile": "ca"}, "policy_refused bad_key lint_failed denied"),
    ("certificate.issue", {"csr": lambda name: request_for(name), "days": 3000}, "policy_refused"),
]


@pytest.mark.parametrize("method,params,codes", REFUSALS, ids=["ca profile", "too long"])
def test_C17_refusals_are_there(daemon, method, params, codes):
    with daemon.talk("default") as talk:
        asked = {name: value("refused.example.com") if callable(value) else value for name, value in params.items()}
        code = talk.call(method, **asked)["error"]["data"]["code"]
        assert code in codes.split(), code
        refused, = events(talk, method)
        assert refused["phase"] == "refused" and refused["outcome"], refused
        assert "BEGIN" not in json.dumps(refused)


def test_C17_a_failed_login_is_there(daemon):
    with daemon.talk("default") as talk:
        certificate = issue(talk, "login.example.com")["certificate"]
        assert talk.call("session.login", certificate=certificate, signature="AAAA")["error"]["data"]["code"] == "auth_failed"
        begin, end, *_ = events(talk, "session.login")
        assert end["outcome"].startswith("auth_failed"), end


def test_nobody_fills_the_stream_by_asking(daemon):
    with daemon.talk("default") as talk:
        request = request_for("many.example.com")
        for _ in range(60):
            assert "error" in talk.call("certificate.issue", csr=request, days=3000)
        refused = events(talk, "certificate.issue")
        assert len(refused) == 20 and refused[-1]["outcome"].startswith("further refusals"), len(refused)


def test_a_position_that_is_none_is_the_askers_mistake(daemon):
    with daemon.talk("default") as talk:
        issue(talk, "one.example.com")
        for after in ("1", "5", "99"):
            refused = talk.call("audit.list", after=after)["error"]
            assert refused["data"]["code"] == "invalid_params" and "begins at " + after in refused["message"], refused
        assert talk.result("audit.verify")["whole"]


def test_the_stream_is_an_auditors(daemon):
    daemon.config.write_text(daemon.config.read_text().replace(
        "</chancery>", '<identities><identity user="nobody" roles="ra-operator"/><identity user="daemon" roles="auditor"/></identities></chancery>'))
    daemon.hangup()

    def ask(user, method):
        lines = "".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": name, "params": params}) + "\n"
                        for i, (name, params) in enumerate([("session.open", {"realm": "default"}), (method, {})]))
        done = subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", "--regid=nogroup", "nc", "-U", "-N", daemon.socket], input=lines,
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout.splitlines()[1])
    for method in ("audit.list", "audit.verify"):
        assert ask("nobody", method)["error"]["data"]["code"] == "denied"
        assert "result" in ask("daemon", method)
    assert ask("daemon", "crl.issue")["error"]["data"]["code"] == "denied"


def test_C18_the_event_is_durable_before_the_act(daemon):
    with daemon.talk("default") as talk:
        serial = issue(talk, "order.example.com")["serial"]
    talk, worker = talk_and_worker(daemon)
    with talk:
        signer = daemon.signer("default")
        # One strace for both, so that its lines are in the order of time.
        tracer = Strace(worker, "pwrite64,fdatasync,sendto", "-y", "-f", "-p", str(signer))
        talk.result("certificate.revoke", serial=serial)
        lines = [line for line in tracer.end() if "fdatasync" in line or "realm.db-wal" in line]
    places = ["journal" if "/journal/" in line else "store" for line in lines if "/journal/" in line or "realm.db-wal" in line]
    assert places and places[0] == "journal" and "store" in places, lines


def test_C18_what_cannot_be_recorded_is_not_done(daemon):
    with daemon.talk("default") as talk:
        serial = issue(talk, "full.example.com")["serial"]
        assert talk.result("realm.get")["state"] == "ready"
        journal = daemon.realm("default") / "journal" / "journal.log"
        limit = journal.stat().st_size + 20
        # As on a full disk: the signer may write no further. (Its own limit, so that nobody else's files suffer.)
        subprocess.run(["prlimit", "--pid", str(daemon.signer("default")), f"--fsize={limit}:"], check=True)
        refused = talk.call("certificate.revoke", serial=serial)["error"]
        assert "cannot be recorded" in refused["message"], refused
        assert talk.result("ocsp.status", serial=serial)["status"] == "good"
        assert "error" in talk.call("certificate.issue", profile="server", csr=request_for("more.example.com"))
        assert talk.result("realm.get")["state"] == "degraded" and talk.result("realm.get")["detail"]
        assert talk.result("certificate.get", serial=serial)["serial"] == serial  # reading goes on
        subprocess.run(["prlimit", "--pid", str(daemon.signer("default")), "--fsize=unlimited:"], check=True)
        talk.result("certificate.revoke", serial=serial)
        assert talk.result("realm.get")["state"] == "ready"
        assert talk.result("audit.verify") == {"whole": True}


def test_C19_a_changed_record_is_named(daemon):
    with daemon.talk("default") as talk:
        issue(talk, "changed.example.com")
        assert talk.result("audit.verify") == {"whole": True}
        journal = daemon.realm("default") / "journal" / "journal.log"
        content = bytearray(journal.read_bytes())
        at = content.index(b"changed.example.com") if b"changed.example.com" in content else len(content) // 2
        with open(journal, "r+b") as file:
            file.seek(at)
            file.write(bytes([content[at] ^ 1]))
        error = talk.call("audit.verify")["error"]
        assert error["data"]["code"] == "corrupt" and "octet" in error["message"], error


def test_cli_shows_it(daemon):
    with daemon.talk("default") as talk:
        talk.result("admin.add", dn="/CN=shown")
    done = subprocess.run([BUILD / "chancery", "--socket", daemon.socket, "audit", "list", "--all"], check=True, capture_output=True, text=True)
    assert "admin.add" in done.stdout and "shown" in done.stdout
    assert pathlib.Path(daemon.socket).exists()
