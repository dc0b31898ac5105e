"""Notices that certificates end: a real chancery-notify, an SMTP server, a webhook and programs; each is told once."""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import System, free_ports
from smtp_sink import Sink, tls_context

LIFE = 86400  # seconds of the shortest certificate, a day
AHEAD = LIFE - 4  # so that notices are due some seconds after the certificate was made
KEY = "0123456789abcdef0123456789abcdef"
PASSWORD = "the mail server's password"


class Hook:
    """A webhook that keeps what it gets and answers what it is told."""

    def __init__(self, port):
        self.got, self.answers, self.changed = [], [], threading.Condition()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook.changed:
                    hook.got.append((dict(self.headers), body))
                    status = hook.answers.pop(0) if hook.answers else 204
                    hook.changed.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if status == 302:
                    self.send_header("Location", f"http://127.0.0.1:{port}/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, serial):
        return [(headers, body) for headers, body in self.got if json.loads(body)["certificate"]["serial"] == serial]

    def wait_for(self, serial, count=1):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of(serial)) >= count, 90), len(self.got)


class NotifyingSystem(System):
    """Realm `default` mails over STARTTLS, `devices` calls a webhook and a program."""

    more_front_ends = '<front-end name="notify" program="chancery-notify" realms="*" roles="user"/>'

    def __init__(self, directory):
        super().__init__(directory)
        self.mail_port, self.hook_port = free_ports(2)
        # Where the server's user can write.
        self.program, self.told = self.directory / "told.sh", self.directory / "told"

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        directory = self.directory / "var" / "realms" / name
        if name == "default":
            context = tls_context(directory)
            self.sink = Sink(self.mail_port, context)
            (directory / "password").write_text(PASSWORD + "\n")
            (directory / "password").chmod(0o600)
            (directory / "texts").mkdir()
            (directory / "texts" / "en.subject").write_text("Ends in {{left}}: {{cn}}\n")
            (directory / "texts" / "en.body").write_text("{{subject}}\n.\n{{serial}}\n")
            (directory / "texts" / "fr.subject").write_text("Échéance dans {{left}} : {{cn}}\n")
            (directory / "texts" / "fr.body").write_text("{{cn}} expire le {{not_after}}\n")
            more = f"""crl_after_revocation: 2s
backdate: 0s
notices:
  before: [{AHEAD}s]
  to: [pki@example.com]
  to_holders: [certificate, account]
  mail_server: 127.0.0.1:{self.mail_port}
  mail_from: chancery@example.com
  mail_user: chancery
  mail_password_file: password
  ca_file: mail-ca.pem
  languages: [example.fr=fr]
  templates: texts
  timeout: 20s
"""
        else:
            self.program.write_text(f"#!/bin/sh\n[ -e {self.directory}/hang ] && exec sleep 600.{self.hook_port}\n[ -e {self.directory}/fail ] && exit 3\ncat >> {self.told}\necho >> {self.told}\n")
            self.program.chmod(0o755)
            (directory / "key").write_text(KEY + "\n")
            (directory / "key").chmod(0o600)
            more = f"""crl_after_revocation: 2s
backdate: 0s
notices:
  before: [{AHEAD}s, {AHEAD - 3600}s]
  webhooks: ["http://127.0.0.1:{self.hook_port}/ends"]
  webhook_key_file: key
  program: {self.program}
  timeout: 8s
"""
        with open(directory / "ca.config.yml", "a") as config:
            config.write(more)


@pytest.fixture(scope="module")
def notifying():
    with NotifyingSystem.running() as one:
        one.hook = Hook(one.hook_port)
        yield one
        one.sink.stop()
        one.hook.server.shutdown()


@pytest.fixture
def mail(notifying):
    """The realm that mails; whatever a test tells the mail server to do wrong ends with it."""
    talk = notifying.realm("default").talk()
    yield talk
    notifying.sink.script = None
    talk.close()


@pytest.fixture
def devices(notifying):
    talk = notifying.realm("devices").talk()
    yield talk
    for name in ("hang", "fail"):
        (notifying.directory / name).unlink(missing_ok=True)
    talk.close()


def request(cn):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={cn}",
                        "-keyout", f"{directory}/key", "-out", f"{directory}/csr"], check=True, capture_output=True)
        return pathlib.Path(directory, "csr").read_text()


def issue(talk, cn, days=1, profile="user", csr=None, **params):
    return talk.result("certificate.issue", csr=csr or request(cn), profile=profile, days=days, **params)["serial"]


def notices_of(talk, serial):
    rows, after = [], {}
    while True:
        page = talk.result("notice.list", **after)
        rows += [one for one in page["notices"] if one["serial"] == serial]
        if "next" not in page:
            return rows
        after = {"after": page["next"]}


def wait_for_notices(talk, serial, condition):
    """Until the notices of a certificate are as expected; the server changes them by itself."""
    deadline = time.monotonic() + 90
    while True:
        rows = notices_of(talk, serial)
        if rows and condition(rows):
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)


def all_sent(rows):
    return all(one["state"] == "sent" for one in rows)


def notify_pid(talk):
    return next(one["pid"] for one in talk.result("server.status")["processes"] if one["name"] == "notify")


def test_a_certificate_is_told_of_once_by_mail(notifying, mail):
    serial = issue(mail, "alice", sans=["EMAIL:alice@example.fr"])
    rows = wait_for_notices(mail, serial, all_sent)
    assert sorted(one["recipient"] for one in rows) == ["alice@example.fr", "pki@example.com"]
    assert all(one["attempts"] == 1 and one["ahead"] == AHEAD for one in rows)
    # What another certificate's mail comes after: the first one's are not sent again meanwhile.
    other = issue(mail, "bob")
    wait_for_notices(mail, other, all_sent)
    to_pki = [one for one in notifying.sink.mails_to("pki@example.com") if serial in one.get_content()]
    to_alice = notifying.sink.mails_to("alice@example.fr")
    assert len(to_pki) == 1 and len(to_alice) == 1
    first = to_pki[0]
    assert first["Subject"] == "Ends in 24 hours: alice" and first["From"].addresses[0].addr_spec == "chancery@example.com"
    assert first.get_content().splitlines()[1:] == [".", serial]
    assert first["Auto-Submitted"] == "auto-generated" and first.over_tls
    assert to_alice[0]["Subject"] == "Échéance dans 24 heures : alice" and to_alice[0]["Content-Language"] == "fr"
    assert to_alice[0].envelope == ["RCPT TO:<alice@example.fr>"]
    assert set(notifying.sink.logins) == {("chancery", PASSWORD, True)}


def test_a_webhook_gets_signed_json_and_a_program_the_same(notifying, devices):
    serial = issue(devices, "device-1")
    rows = wait_for_notices(devices, serial, all_sent)
    assert sorted(one["channel"] for one in rows) == ["program", "webhook"]
    (headers, body), = notifying.hook.of(serial)
    signed = headers["Chancery-Timestamp"].encode() + b"." + body
    assert headers["Chancery-Signature"] == "v1=" + hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(int(headers["Chancery-Timestamp"]) - time.time()) < 120
    told = json.loads(body)
    assert told["event"] == "certificate.ends" and told["realm"] == "devices" and told["ahead"] == AHEAD
    assert told["certificate"]["cn"] == "device-1" and headers["Chancery-Notice"] == told["id"]
    from_program = [json.loads(line) for line in notifying.told.read_text().splitlines()]
    assert [one["certificate"] for one in from_program if one["certificate"]["serial"] == serial] == [told["certificate"]]


def test_who_has_a_renewed_certificate_is_not_told(notifying, mail):
    first, second = request("carol"), request("carol")  # before: the notice is a few seconds off
    old, new = issue(mail, "carol", csr=first), issue(mail, "carol", days=2, csr=second)
    rows = wait_for_notices(mail, old, lambda rows: all(one["state"] == "dropped" for one in rows))
    assert {one["problem"] for one in rows} == {f"renewed by {new}"}
    assert not [one for one in notifying.sink.mails if old in one.get_content()]


def test_who_has_a_revoked_certificate_is_not_told(notifying, mail):
    serial = issue(mail, "dave")
    mail.result("certificate.revoke", serial=serial)
    later = issue(mail, "erin")
    wait_for_notices(mail, later, all_sent)
    assert all(one["state"] == "dropped" for one in notices_of(mail, serial))
    assert not [one for one in notifying.sink.mails if serial in one.get_content()]


def test_what_fails_is_tried_again_and_sent_once(notifying, mail):
    failures = ["451 not now", "421 never mind"]
    notifying.sink.script = lambda step: failures.pop(0) if step == "rcpt" and failures else None
    serial = issue(mail, "frank")
    rows = wait_for_notices(mail, serial, lambda rows: rows[0]["attempts"] >= 1 and "problem" in rows[0])
    assert "451" in rows[0]["problem"] and rows[0]["state"] == "waiting"
    assert "not now" not in rows[0]["problem"]  # a stranger's words
    rows = wait_for_notices(mail, serial, all_sent)
    assert rows[0]["attempts"] == 3 and "problem" not in rows[0]
    assert len([one for one in notifying.sink.mails if serial in one.get_content()]) == 1


def test_a_webhook_that_redirects_or_fails_gets_it_again(notifying, devices):
    notifying.hook.answers[:] = [500, 302]
    serial = issue(devices, "device-2")
    rows = wait_for_notices(devices, serial, all_sent)
    assert next(one for one in rows if one["channel"] == "webhook")["attempts"] == 3
    got = notifying.hook.of(serial)
    assert len(got) == 3 and len({headers["Chancery-Notice"] for headers, _ in got}) == 1
    assert [json.loads(body)["attempt"] for _, body in got] == [1, 2, 3]


def test_C5_killed_between_claim_and_send_nothing_is_lost_or_sent_twice(notifying, mail):
    connected, go_on = threading.Event(), threading.Event()

    def hold(step):
        if step == "connect":
            connected.set()
            go_on.wait(60)

    notifying.sink.script = hold
    serial = issue(mail, "grace")
    assert connected.wait(90)
    os.kill(notify_pid(mail), signal.SIGKILL)
    notifying.sink.script = None
    go_on.set()
    rows = wait_for_notices(mail, serial, all_sent)
    assert rows[0]["attempts"] == 2
    assert len([one for one in notifying.sink.mails if serial in one.get_content()]) == 1


def test_C5_killed_before_it_heard_the_answer_it_sends_the_same_mail_again(notifying, mail):
    """The one point of which it cannot know: rather twice than never, and the second is known by its Message-ID."""
    killed = threading.Event()

    def kill(step):
        if step == "end" and not killed.is_set():
            os.kill(notify_pid(killer), signal.SIGKILL)
            killed.set()

    killer = notifying.realm("default").talk()
    notifying.sink.script = kill
    serial = issue(mail, "heidi")
    rows = wait_for_notices(mail, serial, all_sent)
    killer.close()
    mails = [one for one in notifying.sink.mails if serial in one.get_content()]
    assert rows[0]["attempts"] == 2 and len(mails) == 2 and mails[0]["Message-ID"] == mails[1]["Message-ID"]


def test_a_program_that_hangs_is_ended_and_tried_again(notifying, devices):
    (notifying.directory / "hang").touch()
    serial = issue(devices, "device-3")
    rows = wait_for_notices(devices, serial, lambda rows: any("took longer" in one.get("problem", "") for one in rows))
    notifying.hook.wait_for(serial)  # it holds up nobody else
    (notifying.directory / "hang").unlink()
    rows = wait_for_notices(devices, serial, all_sent)
    assert next(one for one in rows if one["channel"] == "program")["attempts"] > 1
    assert subprocess.run(["pgrep", "-f", f"^sleep 600.{notifying.hook_port}$"], capture_output=True).stdout == b""


def test_a_program_that_fails_is_tried_again(notifying, devices):
    (notifying.directory / "fail").touch()
    serial = issue(devices, "device-4")
    wait_for_notices(devices, serial, lambda rows: any(one.get("problem") == "the program ended with 3" for one in rows))
    (notifying.directory / "fail").unlink()
    wait_for_notices(devices, serial, all_sent)


def test_no_mail_goes_without_tls(notifying, mail):
    """Whoever takes STARTTLS out of the greeting learns neither password nor mail."""
    notifying.sink.offers_tls = False
    logins = len(notifying.sink.logins)
    try:
        serial = issue(mail, "ivan")
        rows = wait_for_notices(mail, serial, lambda rows: rows[0]["attempts"] >= 1 and "problem" in rows[0])
        assert "SSL" in rows[0]["problem"] or "TLS" in rows[0]["problem"], rows
        assert len(notifying.sink.logins) == logins
    finally:
        notifying.sink.offers_tls = True
    wait_for_notices(mail, serial, all_sent)


def test_C22_only_the_sender_claims(notifying, mail):
    for opening in ({}, {"front_end": "http"}, {"front_end": "zmq"}):
        talk = notifying.realm("default").talk(**opening)
        assert talk.code("notice.claim") == "denied"
        assert talk.code("notice.finish", id="00" * 16, token="00" * 16, sent=True) == "denied"
        talk.close()
    sender = notifying.realm("default").talk(front_end="notify")
    for command in ("certificate.revoke", "certificate.issue", "notice.list", "crl.issue", "session.attest"):
        params = {"certificate.revoke": {"serial": "00"}, "certificate.issue": {"csr": request("x")}, "session.attest": {}}.get(command, {})
        assert sender.call(command, **params)["error"]["data"]["code"] in ("denied", "invalid_params"), command
    assert sender.code("notice.finish", id="00" * 16, token="00" * 16, sent=True) == "not_found"
    sender.close()


def test_D41_the_log_has_no_secret_and_tells_failures(notifying, mail):
    log = notifying.log.read_text()
    assert PASSWORD not in log and KEY not in log


def test_D33_secrets_that_others_can_read_are_refused(notifying):
    for realm, name in (("default", "password"), ("devices", "key")):
        file = notifying.directory / "var" / "realms" / realm / name
        file.chmod(0o644)
        try:
            checked = subprocess.run(notifying.as_user([notifying.programs / "chanceryd", "--config", notifying.directory / "etc" / "chancery.xml", "--check"]),
                                     capture_output=True, text=True)
            assert checked.returncode == 78 and f"chmod 600 {file}" in checked.stdout + checked.stderr
        finally:
            file.chmod(0o600)
