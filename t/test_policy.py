"""`policy:` of ca.config.yml: rules that grant and deny, beside profiles; tests beside them; what another policy would do (policy.replay)."""

import contextlib
import re
import signal
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from conftest import System
from test_admin_examples import csr_for
from test_master import wait_for
from test_names import request_for

POLICY = """
policy:
  otherwise: deny
  blocked_names: [bank.example.com, 10.9.0.0/16]
  rules:
    - {name: listed, decision: deny, names: [".example.net"], look_ups: ["file:bad.txt"]}
    - {name: web, decision: grant, profiles: [server], names: ["*.web.example.com", ".example.net"], keys: [ec:P-256, rsa:3072], max_validity: 20}
    - {name: one-each, decision: grant, profiles: [server], names: ["/one-[0-9]+\\\\.example\\\\.com/"], max_living_per_subject: 1}
    - {name: counted, decision: grant, profiles: [laptop], subjects: ["*case*"], ways: [command], max_living_per_subject: 1}
    - {name: people, decision: grant, profiles: [user], requesters: ["unix:*"], ways: [command], subject: "/O=Company/OU={user}/CN={cn}"}
    - {name: acme, decision: grant, ways: [acme], names: [".acme.test", localhost.localdomain]}
  tests:
    - {name: a web server, expect: grant, rule: web, subject: /CN=a.web.example.com}
    - {name: a bank, expect: deny, subject: /CN=bank.example.com}
"""


class Office(System):
    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        if name != "default":
            return
        directory = self.directory / "var" / "realms" / name
        (directory / "lists").mkdir()
        (directory / "lists" / "bad.txt").write_text("# known to be bad\nEvil.example.net\n\nworse.example.net # too\n")
        self.give(POLICY)

    def give(self, policy):
        file = self.directory / "var" / "realms" / "default" / "ca.config.yml"
        file.write_text(file.read_text().split("\npolicy:")[0] + policy)


@pytest.fixture(scope="module")
def office():
    with Office.running() as one:
        yield one


@pytest.fixture
def talk(office):
    one = office.realm("default").talk()
    yield one
    one.close()


def issue(talk, name, key=None, **params):
    return talk.call("certificate.issue", csr=csr_for(name, key), **params)


def denied(reply):
    assert reply["error"]["data"]["code"] == "policy_refused", reply
    return reply["error"]["message"]


def test_rules_grant_what_they_mean(talk):
    reply = issue(talk, "a.web.example.com")["result"]
    assert reply["serial"]
    record = talk.result("certificate.get", serial=reply["serial"])
    assert record["policy_rule"] == "web"


@pytest.mark.parametrize("name, params, said", [
    ("a.b.web.example.com", {}, "no rule"), ("www.example.com", {}, "no rule"), ("bank.example.com", {}, "blocked"),
    ("a.web.example.com", {"days": 21}, "max_validity"), ("a.web.example.com", {"sans": ["DNS:a.web.example.com", "DNS:other.example.org"]}, "no rule"),
    ("a.web.example.com", {"sans": ["DNS:a.web.example.com", "IP:10.9.1.1"]}, "blocked"),
    ("a.web.example.com", {"sans": ["DNS:a.web.example.com", "IP:10.8.1.1"]}, "no rule"),
    ("evil.example.net", {}, "denied by rule listed"),
    ("good.example.net", {"sans": ["DNS:good.example.net", "DNS:evil.example.net"]}, "denied by rule listed"),
    ("evil.example.net", {"sans": ["DNS:good.example.net"]}, "denied by rule listed"), ("WORSE.example.net", {}, "denied by rule listed"),
    ("one-x.example.com", {}, "no rule")])
def test_what_no_rule_grants_is_refused(talk, name, params, said):
    assert said in denied(issue(talk, name, **params))


def test_lists_hold_whole_lines_alone(talk):
    assert "result" in issue(talk, "evil2.example.net")
    assert "result" in issue(talk, "known.example.net")


def test_lists_may_change_while_a_session_lasts(office, talk):
    assert "result" in issue(talk, "late.example.net")
    lists = office.directory / "var" / "realms" / "default" / "lists"
    before = (lists / "bad.txt").read_text()
    (lists / "new.txt").write_text(before + "late.example.net\n")
    (lists / "new.txt").rename(lists / "bad.txt")
    assert "listed" in denied(issue(talk, "late.example.net"))
    (lists / "bad.txt").unlink()
    reply = issue(talk, "late.example.net")
    assert reply["error"]["data"]["code"] == "unavailable", "a list that cannot be read refuses"
    (lists / "bad.txt").write_text(before)


def test_living_certificates_are_counted(talk):
    first = issue(talk, "one-1.example.com")["result"]
    assert "max_living_per_subject" in denied(issue(talk, "one-1.example.com"))
    assert "result" in issue(talk, "one-2.example.com")
    talk.result("certificate.revoke", serial=first["serial"])
    assert "result" in issue(talk, "one-1.example.com")


@pytest.mark.parametrize("again", ["CASE-1.one.example.com", "/O=company/CN=Case-1.One.example.com"])
def test_another_case_is_the_same_subject(talk, again):
    """RFC 5280 7.1: as names compare, not octet for octet."""
    subject = "/O=Company/CN=case-1.one.example.com" if again.startswith("/") else "/CN=case-1.one.example.com"
    again = again if again.startswith("/") else f"/CN={again}"
    first = talk.result("certificate.issue", csr=request_for(subject), profile="laptop")
    refused = talk.call("certificate.issue", csr=request_for(again), profile="laptop")
    assert "max_living_per_subject" in denied(refused)
    assert "result" in talk.call("certificate.issue", csr=request_for(again.replace("1", "2")), profile="laptop")
    talk.result("certificate.revoke", serial=first["serial"])
    assert "result" in talk.call("certificate.issue", csr=request_for(again), profile="laptop")


@pytest.mark.parametrize("subject", ["/CN=Case 3", "/CN= Case 3", "/CN=Case 3 ", "/CN=Case  3", "/O=A  B/CN=Case 3"])
def test_spare_spaces_make_no_other_subject(talk, subject):
    reply = talk.call("certificate.issue", csr=request_for(subject), profile="laptop")
    if subject == "/CN=Case 3":
        assert "result" in reply, reply
    else:
        assert reply["error"]["data"]["code"] == "policy_refused", reply


def test_the_validity_that_nobody_asked_for_is_the_rules(talk):
    made = issue(talk, "short.web.example.com")["result"]
    text = subprocess.run(["openssl", "x509", "-noout", "-checkend", str(20 * 86400)], input=made["certificate"], text=True, capture_output=True)
    assert text.returncode == 1, "ends within 20 days"


def test_templates_say_who_asked(talk):
    user = talk.result("session.whoami")["identity"].removeprefix("unix:")
    made = talk.result("certificate.issue", csr=csr_for("Jane Doe"), profile="user")
    assert talk.result("certificate.get", serial=made["serial"])["subject"] == f"/O=Company/OU={user}/CN=Jane Doe"


def test_weak_keys_miss_the_rule(talk):
    assert "keys" in denied(issue(talk, "a.web.example.com", rsa.generate_private_key(65537, 2048)))


def test_preview_names_the_rule(talk):
    preview = talk.result("certificate.preview", csr=csr_for("a.web.example.com"))
    assert {"rule": "policy", "passed": True, "detail": "granted by rule web"} in preview["reasons"]


def check(office):
    return subprocess.run(office.as_user([office.programs / "chanceryd", "--check", "--config", office.directory / "etc" / "chancery.xml"]),
                          capture_output=True, text=True)


def test_a_policy_whose_tests_fail_is_refused(office):
    office.give(POLICY.replace("*.web.example.com", "*.other.example.com"))
    try:
        said = check(office)
        assert said.returncode == 78
        assert re.search(r'ca\.config\.yml:\d+:\d+: policy\.tests\[0\]: policy test "a web server": found no rule', said.stdout), said.stdout
        refused = office.log.read_text().count("not reloaded")
        office.process.send_signal(signal.SIGHUP)  # and the old one stays
        wait_for(lambda: office.log.read_text().count("not reloaded") > refused, what="the reload is refused")
        with contextlib.closing(office.realm("default").talk()) as talk:
            assert "result" in issue(talk, "after.web.example.com")
    finally:
        office.give(POLICY)
    assert check(office).returncode == 0



def test_replay_lists_what_would_differ(office, talk):
    kept = issue(talk, "kept.web.example.com")["result"]["serial"]
    lost = issue(talk, "lost.web.example.com")["result"]["serial"]
    stricter = POLICY.replace('"*.web.example.com", ', '"/kept\\\\..*/", ').split("  tests:")[0]
    file = office.directory / "new.yml"
    file.write_text(stricter)
    said = talk.result("policy.replay", config=stricter, since="1d")
    assert said["asked"] >= 2 and said["findings"] == []
    rows = {row["serial"]: row for row in said["differences"]}
    assert kept not in rows
    assert rows[lost]["allowed"] is False and "no rule" in rows[lost]["why"] and rows[lost]["rule"] == "web"
    same = talk.result("policy.replay", config=POLICY, since="1d")
    assert [row for row in same["differences"] if row["serial"] in (kept, lost)] == []


@pytest.mark.parametrize("config, said", [("policy: {rules: 3}", "found no list"), ("a: [", "config:"), ("policy: {otherwise: x}", "expected one of"),
                                          (POLICY.replace("{name: web,", "{name: wob,"), 'found the rule "web"')])
def test_replay_says_what_is_wrong_with_a_configuration(talk, config, said):
    answer = talk.result("policy.replay", config=config)
    assert answer["asked"] == 0 and any(said in line for line in answer["findings"]), answer


def test_replay_takes_what_its_table_says(office):
    talk = office.realm("default").talk()
    assert talk.code("policy.replay", config=POLICY, since="never") == "invalid_params"
    assert talk.code("policy.replay", config="") == "invalid_params"
    talk.close()
