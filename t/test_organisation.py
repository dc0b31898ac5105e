"""An organisation in a box: three departments, each a realm with ways of its own to log in, profiles, rules and approvals; people act by the
command line, Perl and C++ programs, each as a Unix user of his own."""

import concurrent.futures
import json
import os
import shutil
import subprocess

import pytest
from cryptography import x509

from conftest import BUILD, System
from test_admin_examples import csr_for
from test_client_manuals import TOP

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as several users")

#: person: the Unix user she works as
UNIX = {"alice": "games", "bob": "mail", "carol": "news", "dave": "backup", "erin": "list", "robot": "irc"}
PASSWORDS = {name: f"{name} knows a long password" for name in UNIX}

#: the shops' servers: two of the web team agree on each certificate
SHOPS = """
roles:
  web-team: [ra-operator]
logins:
  staff: {method: password, scrypt_cost: 14}
access:
  - {name: everybody-reads, who: ["*"], commands: ["*.get", "*.list", "session.*", "server.*", "request.*", "identity.password", "access.explain"]}
  - {name: admins, who: [admin], commands: ["*"]}
  - {name: auditors, who: [auditor], commands: ["audit.*", "certificate.search"]}
policy:
  otherwise: deny
  rules:
    - {name: shops, decision: grant, ways: [request], profiles: [shop], names: ["*.shop.example.com"], max_validity: 90,
       subject: "/O=Company/OU={user}/CN={cn}"}
    - {name: own-doors, decision: grant, profiles: [server], ways: [command]}
  tests:
    - {name: a shop, expect: grant, rule: shops, way: request, profile: shop, subject: /CN=a.shop.example.com}
    - {name: a bank, expect: deny, way: request, profile: shop, subject: /CN=bank.example.com}
"""
SHOP = """keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
altnames: true
least_role: ra-operator
approvals: 2
approval_roles: [web-team]
"""
#: things that machines ask for, with tokens that are good for that alone
THINGS = """
logins:
  machines: {method: token}
  staff: {method: password, scrypt_cost: 14}
access:
  - {name: machines, who: ["user:robot"], commands: ["certificate.issue", "certificate.renew"], profiles: [server], names: [".things.example.com"]}
  - {name: reads, who: ["*"], commands: ["*.get", "*.list", "session.*", "token.*", "certificate.preview"]}
  - {name: admins, who: [admin], commands: ["*"]}
"""
#: people with certificates, which say who may what
CARDS = """
logins:
  cards: {method: certificate, gives: {ra-operator: ["profile:ra"]}, roles: [user]}
"""
SETTINGS = {"default": SHOPS, "things": THINGS, "cards": CARDS}


class Organisation(System):
    realms = ("default", "things", "cards")
    more_settings = '<socket mode="0666"/>'

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        directory = self.directory / "var" / "realms" / name
        (directory / "ca.config.yml").write_text((directory / "ca.config.yml").read_text() + SETTINGS[name])
        if name == "default":
            (directory / "profiles").mkdir()
            (directory / "profiles" / "shop.yml").write_text(SHOP)

    def as_person(self, person, *words, status=0, stdin=None, realm="default", env=None):
        prefix = ["setpriv", f"--reuid={UNIX[person]}", f"--regid={UNIX[person]}", "--clear-groups"] if person != "root" else []
        done = subprocess.run([*prefix, *map(str, words)], capture_output=True, text=True, timeout=60, input=stdin, cwd="/",
                              env={**os.environ, "CHANCERY_SOCKET": str(self.socket), "CHANCERY_REALM": realm, **(env or {})})
        assert (done.returncode == 0) == (status == 0), done
        return done.stdout + done.stderr

    def chancery(self, person, *words, realm="default", stack="staff", **how):
        login = ["--login", stack, "--user", person, "--secret-file", self.home(person) / "password"] if person != "root" and stack else []
        return self.as_person(person, self.programs / "chancery", "--realm", realm, "--json", *login, *words, realm=realm, **how)

    def ask(self, *words, **how):
        return json.loads(self.chancery(*words, **how))

    def home(self, person):
        return self.directory / "people" / person


@pytest.fixture(scope="module")
def office():
    with Organisation.running() as one:
        (one.directory / "people").mkdir(mode=0o755)
        for person, password in PASSWORDS.items():
            one.home(person).mkdir(mode=0o700)
            (one.home(person) / "password").write_text(password + "\n")
            (one.home(person) / "password").chmod(0o600)
            subprocess.run(["chown", "-R", UNIX[person], one.home(person)], check=True)
        roles = {"alice": ["user"], "bob": ["web-team"], "carol": ["web-team"], "dave": ["auditor"], "erin": ["ra-operator"]}
        for person, names in roles.items():
            words = [word for name in names for word in ("--role", name)]
            one.ask("root", "identity", "create", "--user", person, *words, "--password", one.home(person) / "password")
        yield one


def request_of(office, person, name):
    csr = office.home(person) / f"{name}.csr"
    csr.write_text(csr_for(name))
    csr.chmod(0o644)
    return office.ask(person, "request", "create", "--csr", csr, "--profile", "shop", "--comment", "a new shop")["request"]


PERL = r"""
use strict; use warnings; use Chancery::Client;
my ($person, $file, $method, $request) = @ARGV;
open my $in, '<', $file or die "$file: $!\n"; chomp(my $password = <$in>);
my $client = Chancery::Client->new(realm => 'default');
$client->login('staff', user => $person, password => $password);
my $said = eval { $client->call($method, {request => $request}) } or do { print ref $@ ? $@->code : "$@", "\n"; exit 1 };
print "$said->{state}\n";
"""


def by_perl(office, person, method, request, **how):
    script = office.directory / "people" / "act.pl"
    if not script.exists():
        script.write_text(PERL)
        script.chmod(0o644)
    libraries = [f"-I{BUILD}/clients/perl/lib", f"-I{TOP}/clients/perl/lib"]
    return office.as_person(person, "perl", *libraries, script, person, office.home(person) / "password", method, request, **how).strip()


# ----- shops: four eyes

def test_two_of_the_team_agree_and_the_shop_has_its_certificate(office, tmp_path):
    request = request_of(office, "alice", "a.shop.example.com")
    assert office.ask("bob", "request", "approve", "--request", request, "--comment", "known")["state"] == "pending"
    assert by_perl(office, "carol", "request.approve", request) == "approved"
    made = office.ask("alice", "request", "pickup", "--request", request)
    assert office.ask("alice", "request", "pickup", "--request", request)["serial"] == made["serial"]
    (tmp_path / "leaf.pem").write_text(made["certificate"])
    said = subprocess.run(["openssl", "verify", "-CAfile", office.realm("default").ca_file, tmp_path / "leaf.pem"], capture_output=True, text=True)
    assert said.returncode == 0, said
    # The rule's template is about who asked, whoever looked at the request since.
    assert office.ask("alice", "certificate", "get", "--serial", made["serial"])["subject"] == "/O=Company/OU=alice/CN=a.shop.example.com"
    history = office.ask("alice", "request", "get", "--request", request)["history"]
    assert [step["who"] for step in history][:3] == ["user:alice", "user:bob", "user:carol"]


def by_cpp(office, person, csr, crt, seconds, **how):
    """The compiled example of clients/lib, as the person who logs in by it."""
    program = office.directory / "people" / "ask-and-wait-example"
    if not program.exists():
        shutil.copy(BUILD / "ask-and-wait-example", program)
    return office.as_person(person, program, "default", "shop", csr, crt, seconds, "staff", person, office.home(person) / "password", **how)


def test_a_cpp_program_asks_waits_and_gets_what_was_approved(office):
    csr, crt = office.home("alice") / "cpp.csr", office.home("alice") / "cpp.crt"
    csr.write_text(csr_for("cpp.shop.example.com"))
    csr.chmod(0o644)
    said = by_cpp(office, "alice", csr, crt, 0, status=1)
    assert "the request is pending" in said and not crt.exists()
    request = (office.home("alice") / "cpp.crt.request").read_text()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waits = pool.submit(by_cpp, office, "alice", csr, crt, 60)
        assert office.ask("bob", "request", "approve", "--request", request)["state"] == "pending"
        assert by_perl(office, "carol", "request.approve", request) == "approved"
        said = waits.result(90)
    assert request in said and "certificate " in said
    assert x509.load_pem_x509_certificate(crt.read_bytes()).subject.rfc4514_string() == "CN=cpp.shop.example.com,OU=alice,O=Company"
    assert crt.read_text().count("BEGIN CERTIFICATE") == 2, "with its chain"
    assert by_cpp(office, "alice", csr, crt, 5).splitlines()[-1] == said.splitlines()[-1], "run again: the same certificate"
    assert len([one for one in office.ask("alice", "request", "list")["requests"] if one["subject"].endswith("CN=cpp.shop.example.com")]) == 1


@pytest.mark.parametrize("person, end", [("bob", "rejected"), ("alice", "withdrawn")])
def test_a_cpp_program_says_what_became_of_it_instead(office, person, end):
    csr, crt = office.home("alice") / f"{end}.csr", office.home("alice") / f"{end}.crt"
    csr.write_text(csr_for(f"{end}.shop.example.com"))
    csr.chmod(0o644)
    by_cpp(office, "alice", csr, crt, 0, status=1)
    request = (office.home("alice") / f"{end}.crt.request").read_text()
    words = ["reject", "--comment", "no"] if end == "rejected" else ["withdraw"]
    office.ask(person, "request", *words, "--request", request)
    assert f"the request is {end}" in by_cpp(office, "alice", csr, crt, 60, status=1)
    assert not crt.exists()


def test_a_cpp_program_asks_for_nothing_that_the_policy_denies(office):
    csr, crt = office.home("alice") / "cppbank.csr", office.home("alice") / "cppbank.crt"
    csr.write_text(csr_for("bank.example.com"))
    csr.chmod(0o644)
    assert "no rule" in by_cpp(office, "alice", csr, crt, 5, status=1)
    assert not (office.home("alice") / "cppbank.crt.request").exists()


def refusal(text):
    return json.loads(text[text.index("{"):])["error"]["data"]["code"] if "{" in text else text


@pytest.mark.parametrize("person", ["alice", "dave", "erin"])
def test_others_decide_nothing(office, person):
    request = request_of(office, "alice", f"{person}-decides.shop.example.com")
    said = office.chancery(person, "request", "approve", "--request", request, status=1)
    assert "denied" in said or "not yours" in said or "not found" in said or "of his own" in said, said
    assert office.ask("bob", "request", "get", "--request", request)["state"] == "pending"


def test_one_of_the_team_counts_once(office):
    request = request_of(office, "alice", "once.shop.example.com")
    office.ask("bob", "request", "approve", "--request", request)
    assert by_perl(office, "bob", "request.approve", request, status=1) == "denied"
    office.chancery("alice", "request", "pickup", "--request", request, status=1)


def test_the_team_asks_and_cannot_grant_itself(office):
    request = request_of(office, "bob", "bobs.shop.example.com")
    office.chancery("bob", "request", "approve", "--request", request, status=1)
    office.ask("carol", "request", "approve", "--request", request)
    office.chancery("bob", "request", "pickup", "--request", request, status=1)


def test_nobody_goes_round_the_approvals(office):
    csr = office.home("erin") / "direct.csr"
    csr.write_text(csr_for("direct.shop.example.com"))
    csr.chmod(0o644)
    for person in ("erin", "root"):
        office.chancery(person, "certificate", "issue", "--csr", csr, "--profile", "shop", status=1)


def test_the_policy_decides_what_may_be_asked_for(office):
    csr = office.home("alice") / "bank.csr"
    csr.write_text(csr_for("bank.example.com"))
    csr.chmod(0o644)
    said = office.chancery("alice", "request", "create", "--csr", csr, "--profile", "shop", status=1)
    assert "no rule" in said


def test_an_auditor_sees_everything_and_changes_nothing(office):
    assert office.ask("dave", "audit", "list")["records"]
    office.chancery("dave", "certificate", "revoke", "--serial", "01", status=1)
    why = office.ask("dave", "access", "explain", "--command", "certificate.revoke")
    assert why["allowed"] is False


def test_wrong_passwords_let_nobody_in(office):
    (office.home("erin") / "password").write_text("a guess\n")
    try:
        assert "login refused" in office.chancery("erin", "certificate", "search", status=1)
    finally:
        (office.home("erin") / "password").write_text(PASSWORDS["erin"] + "\n")


# ----- things: tokens

@pytest.fixture(scope="module")
def robot(office):
    office.ask("root", "identity", "create", "--user", "robot", "--role", "ra-operator", realm="things")
    return office.ask("root", "token", "create", "--user", "robot", "--command", "certificate.issue", "--expires", "1d", realm="things")["token"]


def issue_as_robot(office, token, name, **how):
    csr = office.home("robot") / f"{name}.csr"
    csr.write_text(csr_for(name))
    csr.chmod(0o644)
    return office.chancery("robot", "--login", "machines", "certificate", "issue", "--csr", csr, "--profile", "server", realm="things", stack=None,
                           env={"CHANCERY_TOKEN": token}, **how)


def test_a_machine_has_its_names_by_its_token(office, robot):
    assert json.loads(issue_as_robot(office, robot, "one.things.example.com"))["serial"]


@pytest.mark.parametrize("name", ["one.shop.example.com", "things.example.com", "one.things.example.org"])
def test_a_machine_has_no_other_names(office, robot, name):
    assert "may not run" in issue_as_robot(office, robot, name, status=1)


def test_a_token_is_good_for_its_commands_alone(office, robot):
    for words in (["certificate", "search"], ["identity", "list"], ["token", "list"]):
        office.chancery("robot", "--login", "machines", *words, realm="things", stack=None, env={"CHANCERY_TOKEN": robot}, status=1)


def test_a_changed_or_revoked_token_is_none(office, robot):
    issue_as_robot(office, robot[:-1] + ("a" if robot[-1] != "a" else "b"), "two.things.example.com", status=1)
    other = office.ask("root", "token", "create", "--user", "robot", "--command", "certificate.issue", "--expires", "1d", realm="things")
    office.ask("root", "token", "revoke", "--id", other["id"], realm="things")
    issue_as_robot(office, other["token"], "two.things.example.com", status=1)


# ----- one department is nobody in another

@pytest.mark.parametrize("person, stack, realm", [("alice", "staff", "things"), ("bob", "staff", "things"), ("alice", "staff", "cards")])
def test_F50_people_of_one_department_are_nobody_in_another(office, person, stack, realm):
    office.chancery(person, "certificate", "search", realm=realm, stack=stack, status=1)


def test_F50_requests_and_certificates_are_not_seen_elsewhere(office):
    request = request_of(office, "alice", "hidden.shop.example.com")
    said = office.chancery("root", "request", "get", "--request", request, realm="things", status=1)
    assert "not found" in said
    serial = json.loads(office.chancery("root", "certificate", "search", "--subject", "a.shop"))["certificates"][0]["serial"]
    assert "not found" in office.chancery("root", "certificate", "get", "--serial", serial, realm="cards", status=1).lower()


def test_F50_a_token_of_one_department_opens_no_other(office, robot):
    csr = office.home("robot") / "cross.csr"
    csr.write_text(csr_for("x.things.example.com"))
    csr.chmod(0o644)
    for realm in ("default", "cards"):
        office.chancery("robot", "--login", "machines", "certificate", "issue", "--csr", csr, realm=realm, stack=None, env={"CHANCERY_TOKEN": robot}, status=1)
