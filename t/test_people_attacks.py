"""Ways round logins, access rules, policy and approvals that an attacker tried, at a running server."""

import pytest

from conftest import System
from test_admin_examples import csr_for

SETTINGS = """
logins:
  staff: {method: password, scrypt_cost: 14}
  machines: {method: token}
  cards: {method: certificate, gives: {ra-operator: ["profile:ra"]}}
access:
  - {name: crown, decision: deny, who: [ra-operator], commands: ["*"], names: [vault.example.com]}
  - {name: all, who: ["*"], commands: ["*"]}
policy:
  otherwise: grant
  rules:
    - {name: asked, decision: grant, profiles: [webapp], ways: [request]}
    - {name: not-directly, decision: deny, profiles: [webapp]}
"""
PASSWORD = "a password for attacks"


class Office(System):
    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        directory = self.directory / "var" / "realms" / name
        if name == "default":
            (directory / "ca.config.yml").write_text((directory / "ca.config.yml").read_text() + SETTINGS)
            (directory / "profiles").mkdir()
            (directory / "profiles" / "webapp.yml").write_text("keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\naltnames: true\n")


@pytest.fixture(scope="module")
def office():
    with Office.running() as one:
        admin = one.realm("default").talk()
        for user, roles in {"rae": ["ra-operator"], "boss": ["admin"]}.items():
            admin.result("identity.create", user=user, roles=roles, password=PASSWORD)
        admin.close()
        yield one


@pytest.fixture
def admin(office):
    one = office.realm("default").talk()
    yield one
    one.close()


@pytest.fixture
def rae(office):
    one = office.realm("default").talk()
    one.result("session.login", stack="staff", user="rae", password=PASSWORD)
    yield one
    one.close()


def by_token(office, admin, user, *commands):
    token = admin.result("token.create", user=user, commands=list(commands), expires="1h")["token"]
    one = office.realm("default").talk()
    one.result("session.login", stack="machines", token=token)
    return one


def test_what_only_requests_get_no_operator_approves_by_asking(rae):
    assert rae.code("certificate.issue", csr=csr_for("a.example.com"), profile="webapp") == "policy_refused"
    made = rae.result("request.create", kind="enrolment", csr=csr_for("a.example.com"), profile="webapp")
    assert made["state"] == "pending"
    assert rae.code("request.pickup", request=made["request"]) == "conflict"


def test_a_token_for_requests_issues_and_revokes_nothing(office, admin):
    serial = admin.result("certificate.issue", csr=csr_for("victim.example.com"))["serial"]
    token = by_token(office, admin, "rae", "request.*")
    made = token.result("request.create", kind="enrolment", csr=csr_for("t.example.com"), profile="server")
    assert made["state"] == "pending"
    assert token.result("request.create", kind="revocation", serial=serial, reason="superseded")["state"] == "pending"
    assert admin.result("certificate.get", serial=serial)["state"] == "valid"
    token.close()


def test_a_token_makes_nobody_who_could_log_in_without_it(office, admin):
    token = by_token(office, admin, "boss", "identity.*")
    assert token.code("identity.create", user="ghost", roles=["admin"], password=PASSWORD) == "denied"
    assert token.code("identity.password", user="rae", password=PASSWORD) == "denied"
    assert "user" in token.result("identity.create", user="shell", roles=["user"])
    token.close()


def test_denied_names_are_denied_among_many(admin, rae):
    serial = admin.result("certificate.issue", csr=csr_for("vault.example.com"))["serial"]
    assert rae.code("certificate.revoke", serial=serial) == "denied"
    assert rae.code("certificate.revoke_many", san="DNS:vault.example.com", apply=True, expected=1) == "denied"
    assert admin.result("certificate.get", serial=serial)["state"] == "valid"


def test_denied_names_are_denied_to_whoever_holds_a_seed(rae):
    assert rae.code("seed.create", profile="server", cn="vault.example.com") == "denied"
    assert rae.code("seed.create", profile="server") == "denied"
    assert rae.result("seed.create", profile="server", cn="web.example.com")["seed"]


def test_who_lost_the_role_has_lost_what_it_would_have_done(office, admin):
    admin.result("identity.create", user="tom", roles=["ra-operator"], password=PASSWORD)
    tom = office.realm("default").talk()
    tom.result("session.login", stack="staff", user="tom", password=PASSWORD)
    serial = admin.result("certificate.issue", csr=csr_for("toms.example.com"))["serial"]
    made = tom.result("request.create", kind="revocation", serial=serial, reason="superseded")
    admin.result("identity.roles", user="tom", roles=["user"])
    if made["state"] == "approved":
        assert tom.code("request.pickup", request=made["request"]) == "denied"
        assert admin.result("certificate.get", serial=serial)["state"] == "valid"
    tom.close()


def test_the_audit_stream_says_what_was_given(admin):
    admin.result("identity.create", user="tim", roles=["auditor"])
    records, after = [], None
    while True:
        page = admin.result("audit.list", limit=1000, **({"after": after} if after else {}))
        records += page["records"]
        after = page.get("next")
        if not after:
            break
    assert any(one.get("what") == "identity.create" and "tim" in one.get("about", "") and "auditor" in one["about"] for one in records)
