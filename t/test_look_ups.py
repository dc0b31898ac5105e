"""Look-ups of policy rules: a program, a real slapd, an HTTP service and a SQLite file say who is eligible; whoever says neither yes nor no refuses."""

import contextlib
import http.server
import os
import pathlib
import shutil
import sqlite3
import tempfile
import textwrap
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from test_enrolment import SECRET, Office as Enrolment, enrol, granted, pem, request
from test_people import code_of
from test_people_ldap import Directory

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users"),
              pytest.mark.skipif(shutil.which("slapd", path="/usr/sbin:/usr/bin") is None, reason="slapd is not installed")]
TOKEN = "the token of the service"
PROGRAM = r"""
    #!/bin/sh
    # Says yes of names that begin with yes, and of eligible requesters.
    cat > {directory}/seen.$$
    name=$(sed -n 's/^name //p' {directory}/seen.$$)
    mv {directory}/seen.$$ {directory}/seen
    { id -u; tr '\0' '\n' < /proc/$$/environ | sort; ls /proc/$$/fd; } > {directory}/around
    case "$name" in
      yes*) echo "what it prints is not looked at"; exit 0 ;;
      slow*) sleep 60 & sleep 60 ;;
      killed*) kill -9 $$ ;;
      odd*) exit 7 ;;
    esac
    exit 1
"""
SETTINGS = """
key_unencrypted: true
logins:
  staff: {{method: password, scrypt_cost: 14}}
enrolment:
  secrets:
    fleet: {{file: fleet-secret}}
  look_ups:
    program: {{kind: program, program: {directory}/program, arguments: ["--strict"], timeout: 20s}}
    hasty: {{kind: program, program: {directory}/program, timeout: 2s}}
    directory: {{kind: ldap, url: "ldap://127.0.0.1:{ldap}", base: "ou=people,dc=example,dc=com", bind_dn: "cn=searcher,dc=example,dc=com", bind_password_file: searcher,
                filter: "(&(objectClass=inetOrgPerson)(cn={{name}}))", timeout: 20s}}
    service: {{kind: http, url: "http://127.0.0.1:{http}/hosts/{{name}}?profile={{profile}}", token_file: token, timeout: 20s}}
    remembered: {{kind: http, url: "http://127.0.0.1:{http}/remembered/{{name}}", timeout: 20s, cache: 1h}}
    silent: {{kind: http, url: "http://127.0.0.1:{silent}/{{name}}", timeout: 1s}}
    register: {{kind: sqlite, file: hosts.db, query: "SELECT 1 FROM host WHERE name = :name AND profile = :profile"}}
    broken: {{kind: sqlite, file: hosts.db, query: "SELECT 1 FROM nothing WHERE name = :name"}}
    writes: {{kind: sqlite, file: hosts.db, query: "DELETE FROM host WHERE name = :name"}}
policy:
  otherwise: deny
  rules:
    - {{name: bad, decision: deny, names: [".deny.example.com"], look_ups: [service]}}
    - {{name: not-bad, decision: grant, ways: [command], names: [".deny.example.com"]}}
    - {{name: program, decision: grant, ways: [command], names: [".program.example.com"], look_ups: [program]}}
    - {{name: hasty, decision: grant, ways: [command], names: [".hasty.example.com"], look_ups: [hasty]}}
    - {{name: people, decision: grant, ways: [command], profiles: [user], eligible: [directory]}}
    - {{name: service, decision: grant, ways: [command], names: [".service.example.com"], look_ups: [service]}}
    - {{name: remembered, decision: grant, ways: [command], names: [".remembered.example.com"], look_ups: [remembered]}}
    - {{name: silent, decision: grant, ways: [command], names: [".silent.example.com"], eligible: [silent]}}
    - {{name: register, decision: grant, ways: [command], names: [".register.example.com"], look_ups: [register]}}
    - {{name: broken, decision: grant, ways: [command], names: [".broken.example.com"], look_ups: [broken]}}
    - {{name: writes, decision: grant, ways: [command], names: [".writes.example.com"], look_ups: [writes]}}
    - {{name: counted, decision: grant, ways: [enrol], names: [".counted.example.com"], points: 2, proofs: ["look_up:service", "look_up:register"]}}
    - {{name: secret, decision: grant, ways: [enrol], names: [".secret.example.com"], look_ups: [service], proofs: ["challenge:fleet"]}}
    - {{name: twice, decision: grant, ways: [command], names: [".twice.example.com"], look_ups: [service, remembered]}}
    - {{name: mail, decision: grant, ways: [command], profiles: [laptop], look_ups: [service]}}
  tests:
    - {{name: in the register, expect: grant, rule: register, subject: /CN=a.register.example.com, look_ups: [register]}}
    - {{name: not in it, expect: deny, subject: /CN=a.register.example.com, look_ups: [service]}}
"""


class Service(http.server.ThreadingHTTPServer):
    """Knows hosts. What was asked is in `asked`."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked, self.known, self.status = [], set(), None
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        name = self.path.split("?")[0].rsplit("/", 1)[1]
        status = self.server.status or (200 if name in self.server.known else 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/hosts/known.service.example.com")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Office(Enrolment):
    def lay_out(self):
        self.write_config()
        directory = self.realm("default")
        program = self.directory / "program"
        program.write_text(textwrap.dedent(PROGRAM).lstrip().replace("{directory}", str(self.directory)))
        program.chmod(0o755)
        for name, text in [("searcher", "the searchers secret\n"), ("token", TOKEN + "\n"), ("fleet-secret", SECRET + "\n")]:
            (directory / name).write_text(text)
            (directory / name).chmod(0o600)
        with contextlib.closing(sqlite3.connect(directory / "hosts.db", timeout=60)) as database, database:
            database.execute("CREATE TABLE host (name TEXT, profile TEXT)")
            database.executemany("INSERT INTO host VALUES (?, ?)", [("a.register.example.com", "server"), ("c.counted.example.com", "server"), ("x.writes.example.com", "server")])
        self.settings("default", SETTINGS.format(directory=self.directory, ldap=self.slapd.port, http=self.service.server_port, silent=self.silent.getsockname()[1]))
        self.settings("devices", "key_unencrypted: true\n")


@pytest.fixture(scope="module")
def house():
    import socket
    with tempfile.TemporaryDirectory(prefix="chancery-look-ups-") as directory, contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        os.chmod(directory, 0o755)
        place = pathlib.Path(directory)
        (place / "ldap").mkdir()
        slapd = Directory(place / "ldap")
        slapd.start()
        one = Office(place)
        one.directory, one.slapd, one.service, one.silent = place, slapd, Service(), silent
        try:
            one.lay_out()
            one.start()
            yield one
        finally:
            one.end()
            slapd.end()
            one.service.shutdown()


@pytest.fixture
def office(house):
    with house.talk("default") as talk:
        yield talk


@pytest.fixture
def service(house):
    house.service.asked.clear()
    house.service.known, house.service.status = {"known.service.example.com"}, None
    return house.service


def issue(office, name, **params):
    return office.call("certificate.issue", csr=pem(request(name, **({"sans": False} if params.get("profile") == "user" else {}))), **params)


def no(reply):
    assert code_of(reply) == "policy_refused", reply
    return reply["error"]["message"]


def neither(house, reply, name):
    """Who does not answer refuses; the client learns who, the log why."""
    assert code_of(reply) == "unavailable" and f"look-up {name} says neither yes nor no" in reply["error"]["message"], reply
    assert f"look-up {name}: " in house.log()


def test_a_program_says_who(house, office):
    granted(issue(office, "yes.program.example.com"))
    assert "by its look_ups" in no(issue(office, "no.program.example.com"))
    assert (house.directory / "seen").read_text().splitlines() == ["name no.program.example.com", "cn no.program.example.com", "subject /CN=no.program.example.com", "requester unix:root",
                                                                   "user root", "profile server", "way command", "realm default"]
    around = (house.directory / "around").read_text().split()
    assert "CHANCERY_LOOK_UP=program" in around and "CHANCERY_REALM=default" in around
    assert not any(word.startswith(("HOME=", "LD_", "CHANCERY_PROGRAMS=")) for word in around)


@pytest.mark.parametrize("name", ["slow.hasty", "killed.program", "odd.program"])
def test_a_program_that_says_neither(house, office, name):
    neither(house, issue(office, f"{name}.example.com"), name.split(".")[1])
    granted(issue(office, "yes.program.example.com"))


def test_every_name_is_asked(house, office):
    no(issue(office, "yes.program.example.com", sans=["DNS:yes.program.example.com", "DNS:no.program.example.com"]))
    assert no(issue(office, "yes.program.example.com", sans=["DNS:yes1.program.example.com", "DNS:no2.program.example.com"]))
    granted(issue(office, "yes.program.example.com", sans=["DNS:yes1.program.example.com", "DNS:yes2.program.example.com"]))


def test_a_directory_says_who(office):
    granted(issue(office, "Bob", profile="user"))
    granted(issue(office, "Alice (Web) *", profile="user"))
    no(issue(office, "Mallory", profile="user"))


@pytest.mark.parametrize("name", ["*", "B*", "Bo?", "Bob)(cn=*", "x)(|(cn=*", "Bob)(objectClass=*", "\\2a", "x\\"])
def test_F33_no_name_becomes_a_filter(office, name):
    no(issue(office, name, profile="user"))


def test_a_directory_that_is_away(house, office):
    house.slapd.end()
    try:
        neither(house, issue(office, "Bob", profile="user"), "directory")
    finally:
        house.slapd.start()
    granted(issue(office, "Bob", profile="user"))


def test_a_service_says_who(office, service):
    granted(issue(office, "known.service.example.com"))
    assert service.asked == [("/hosts/known.service.example.com?profile=server", f"Bearer {TOKEN}")]
    no(issue(office, "unknown.service.example.com"))


@pytest.mark.parametrize("status", [302, 401, 403, 500, 503])
def test_a_service_that_says_neither(house, office, service, status):
    """Neither is anybody followed elsewhere."""
    service.status = status
    neither(house, issue(office, "known.service.example.com"), "service")
    assert len(service.asked) == 1


def test_a_service_that_does_not_answer(house, office):
    neither(house, issue(office, "a.silent.example.com"), "silent")


def test_what_denies_does_so_too_when_nobody_answers(house, office, service):
    """C12: a rule that denies is not passed by breaking whom it asks."""
    granted(issue(office, "fine.deny.example.com"))
    service.known.add("evil.deny.example.com")
    assert "denied by rule bad" in no(issue(office, "evil.deny.example.com"))
    assert "denied by rule bad" in no(issue(office, "fine.deny.example.com", sans=["DNS:fine.deny.example.com", "DNS:evil.deny.example.com"]))
    service.status = 500
    neither(house, issue(office, "fine.deny.example.com"), "service")


def test_answers_are_remembered_where_it_is_said(office, service):
    service.known.add("a.remembered.example.com")
    for _ in range(3):
        granted(issue(office, "a.remembered.example.com"))
    assert len(service.asked) == 1
    service.known.add("known2.service.example.com")
    for _ in range(3):
        granted(issue(office, "known2.service.example.com"))
    assert len(service.asked) == 4


def test_a_database_says_who(house, office):
    granted(issue(office, "a.register.example.com"))
    no(issue(office, "b.register.example.com"))
    with contextlib.closing(sqlite3.connect(house.realm("default") / "hosts.db", timeout=60)) as database, database:
        database.execute("INSERT INTO host VALUES ('b.register.example.com', 'server')")
    granted(issue(office, "b.register.example.com"))


@pytest.mark.parametrize("name", ["broken", "writes"])
def test_a_database_that_cannot_be_asked(house, office, name):
    neither(house, issue(office, f"x.{name}.example.com"), name)
    with contextlib.closing(sqlite3.connect(house.realm("default") / "hosts.db", timeout=60)) as database:
        assert database.execute("SELECT count(*) FROM host WHERE name = 'x.writes.example.com'").fetchone() == (1,)


def test_look_ups_are_proofs(house, service):
    service.known.add("c.counted.example.com")
    with house.someone() as one:
        granted(enrol(one, request("c.counted.example.com")))
        assert code_of(enrol(one, request("d.counted.example.com"))) == "policy_refused"


def test_a_look_up_is_a_proof_for_each_name(house, service):
    service.known.add("c.counted.example.com")
    with house.someone() as one:
        reply = enrol(one, request("c.counted.example.com"), sans=["DNS:c.counted.example.com", "DNS:victim.counted.example.com"])
        assert code_of(reply) == "policy_refused", reply


def test_a_stranger_without_proof_causes_no_questions(house, service):
    service.known.add("a.secret.example.com")
    with house.someone() as one:
        for challenge in (None, "no secret of the fleet"):
            assert code_of(enrol(one, request("a.secret.example.com", challenge))) == "policy_refused"
        assert service.asked == []
        granted(enrol(one, request("a.secret.example.com", SECRET)))
        assert len(service.asked) == 1


def test_who_says_neither_is_not_named_to_strangers(house, service):
    service.status = 500
    with house.someone() as one:
        reply = enrol(one, request("b.secret.example.com", SECRET))
        assert code_of(reply) == "unavailable" and reply["error"]["message"] == "enrolment is not possible now", reply


def bare(*names):
    return pem(x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(x509.SubjectAlternativeName(names), critical=False).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()))


def with_names(names):
    return bare(*(x509.DNSName(one) for one in names))


def test_one_request_asks_so_much_and_no_more(office, service):
    names = [f"many{number}.twice.example.com" for number in range(51)]
    service.known.update(names)
    granted(office.call("certificate.issue", csr=with_names(names[:50])))
    assert len(service.asked) == 100
    reply = office.call("certificate.issue", csr=with_names(names))
    assert code_of(reply) == "policy_refused" and "more than 100 times" in reply["error"]["message"], reply


def test_what_has_no_name_and_what_is_no_host(office, service):
    """Nobody is asked about nothing; addresses of people and URIs are asked about like hosts."""
    service.known.update({"", "known.service.example.com", "boss%40corp.example.com"})
    no(office.call("certificate.issue", csr=bare(x509.RFC822Name("ceo@corp.example.com")), profile="laptop"))
    no(office.call("certificate.issue", csr=bare(x509.UniformResourceIdentifier("spiffe://prod/admin")), profile="laptop"))
    no(office.call("certificate.issue", csr=bare(x509.DNSName("known.service.example.com"), x509.RFC822Name("ceo@corp.example.com")), profile="laptop"))
    assert not any(path.startswith("/hosts/?") for path, _ in service.asked)


def test_answers_stand_in_the_record_and_are_replayed(house, office, service):
    made = granted(issue(office, "known.service.example.com"))
    evidence = house.rows("SELECT evidence FROM certificate WHERE subject = '/CN=known.service.example.com' ORDER BY issued_at DESC LIMIT 1")[0][0]
    assert "answers service=yes" in evidence, evidence
    service.known.clear()
    asked = len(service.asked)
    config = (house.realm("default") / "ca.config.yml").read_text()
    said = office.result("policy.replay", config=config, since="1d")
    assert said["findings"] == [] and made["serial"] not in [row["serial"] for row in said["differences"]]
    assert len(service.asked) == asked, "nobody is asked anew"
