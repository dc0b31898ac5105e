"""Enrolment by what a request shows: challenge passwords, HMACs, signers, points; who may and who may not, and what is told (doc/enrolment.md)."""

import base64
import concurrent.futures
import contextlib
import datetime
import hashlib
import hmac
import os
import sqlite3
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import AttributeOID, NameOID

from test_master import BUILD
from test_people import NEIGHBOUR, STRANGER, House, code_of, running_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")
SECRET = "the secret of the whole fleet"
OWN = "what only printer-1 knows"
MANY = 8
SETTINGS = """
key_unencrypted: true
roles:
  web-team: [ra-operator]
logins:
  staff: {method: password, scrypt_cost: 14}
  cards: {method: certificate, gives: {user: ["profile:laptop"]}}
login_limits: {failures: 5, failures_per_peer: 1000, delay: 0s, lockout: 60s}
enrolment:
  secrets:
    fleet: {file: fleet-secret}
    printers: {kind: list, file: printer-secrets}
  signers:
    agents: {profiles: [laptop], subjects: ["/O=Agents/*", "/CN=agent-*"]}
    team: {roles: [web-team], identities: ["user:carol"]}
"""
POLICY = """
policy:
  otherwise: deny
  rules:
    - {name: fleet, decision: grant, ways: [enrol], profiles: [server], names: [".fleet.example.com"], proofs: ["challenge:fleet"]}
    - {name: printers, decision: grant, ways: [enrol], names: ["printer-*"], subjects: ["/CN=printer-*"], proofs: ["challenge:printers"]}
    - {name: sealed, decision: grant, ways: [enrol, command], names: [".sealed.example.com"], proofs: ["hmac:fleet"]}
    - {name: sealed-once, decision: grant, ways: [enrol], names: [".one.example.com"], proofs: ["hmac:fleet"], max_living_per_subject: 1}
    - {name: sealed-laptops, decision: grant, ways: [enrol], profiles: [laptop], subjects: ["/CN=sealed-*"], proofs: ["hmac:fleet"]}
    - {name: two, decision: grant, ways: [enrol], names: [".two.example.com"], points: 2, proofs: ["challenge:fleet", "hmac:fleet", "on_behalf:agents=2"]}
    - {name: agents, decision: grant, ways: [enrol, command], names: [".agent.example.com"], proofs: ["on_behalf:agents"]}
    - {name: team, decision: grant, ways: [enrol], names: [".behalf.example.com"], proofs: ["on_behalf:team"]}
    - {name: never, decision: deny, names: ["never.open.example.com"]}
    - {name: listed, decision: deny, look_ups: ["file:bad.txt"]}
    - {name: listed-printers, decision: grant, ways: [enrol], names: ["*.printers.example.com"], proofs: ["challenge:printers"]}
    - {name: by-people, decision: grant, ways: [enrol, request], names: [".people.example.com"], proofs: ["hmac:fleet"], if_short: approval}
    - {name: open, decision: grant, ways: [enrol], names: [".open.example.com"], proofs: [anonymous], max_living_per_subject: 3}
    - {name: makes-ras, decision: grant, ways: [enrol], profiles: [ra, admin, ca], proofs: [anonymous]}
    - {name: laptops, decision: grant, ways: [command], profiles: [laptop]}
    - {name: any-way, decision: grant, names: [".any.example.com"]}
    - {name: role, decision: grant, ways: [command], names: [".role.example.com"], roles: [web-team]}
    - {name: once, decision: grant, ways: [command], names: [".once.example.com"], replaces: [nothing, revoked]}
    - {name: newer, decision: grant, ways: [command], names: [".newer.example.com"], revoke_replaced: true}
    - {name: two-each, decision: grant, ways: [command], names: [".limit.example.com"], max_living_per_subject: 2}
    - {name: four-mine, decision: grant, ways: [command], names: [".mine.example.com"], max_living_per_requester: 4}
    - {name: short, decision: grant, ways: [command, request], names: [".short.example.com"], points: 2, proofs: ["hmac:fleet"], if_short: approval}
  tests:
    - {name: the fleet, expect: grant, rule: fleet, way: enrol, subject: /CN=a.fleet.example.com, proofs: ["challenge:fleet"]}
    - {name: without its secret, expect: deny, way: enrol, subject: /CN=a.fleet.example.com}
    - {name: the team, expect: grant, rule: role, subject: /CN=a.role.example.com, roles: [web-team]}
    - {name: another team, expect: deny, subject: /CN=a.role.example.com, roles: [ra-operator]}
    - {name: one that is there, expect: deny, subject: /CN=a.once.example.com, standing: living}
"""


def scrypt_line(name, password, cost=14):
    """As doc/enrolment.md says to make it."""
    salt = os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=2**cost, r=8, p=1, maxmem=2**26, dklen=32)
    text = [base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in (salt, made)]
    return f"{name} $scrypt$ln={cost},r=8,p=1${text[0]}${text[1]}\n"


def request(name, challenge=None, key=None, sans=True):
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    if challenge is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge if isinstance(challenge, bytes) else challenge.encode())
    return builder.sign(key, hashes.SHA256())


def pem(csr):
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def seal(csr, secret=SECRET, beside=""):
    return hmac.new(secret.encode(), csr.public_bytes(serialization.Encoding.DER) + beside.encode(), hashlib.sha256).hexdigest()


class Office(House):
    def lay_out(self):
        self.write_config()
        directory = self.realm("default")
        for name, text in [("fleet-secret", SECRET + "\n"), ("printer-secrets", "# names and hashes\n" + scrypt_line("printer-1", OWN) + scrypt_line("printer-2", "another") + scrypt_line("one.printers.example.com", OWN)),]:
            (directory / name).write_text(text)
            (directory / name).chmod(0o600)
        (directory / "lists").mkdir(exist_ok=True)
        (directory / "lists" / "bad.txt").write_text("bank.open.example.com\nb.deep.open.example.com\n")
        self.settings("default", SETTINGS + POLICY)
        self.settings("devices", "key_unencrypted: true\n")

    def rows(self, statement):
        with contextlib.closing(sqlite3.connect(self.realm("default") / "db" / "realm.db", timeout=60)) as database:
            return database.execute(statement).fetchall()


@pytest.fixture(scope="module")
def house():
    with running_house(Office) as one:
        yield one


@pytest.fixture(scope="module")
def office(house):
    with house.talk("default") as talk:
        yield talk


@pytest.fixture
def stranger(house):
    with house.someone() as one:
        yield one


def enrol(one, csr, **params):
    return one.call("certificate.enrol", csr=pem(csr), **params)


def granted(reply):
    assert "result" in reply, reply
    return reply["result"]


def refused(reply):
    """Who has no role is told nothing else."""
    assert (code_of(reply), reply["error"]["message"]) == ("policy_refused", "enrolment refused"), reply


# ----- challenge passwords

def test_a_challenge_password_is_enough_where_a_rule_says_so(stranger, office):
    made = granted(enrol(stranger, request("a.fleet.example.com", SECRET)))
    record = office.result("certificate.get", serial=made["serial"])
    assert (record["policy_rule"], record["requester"]) == ("fleet", f"unix:{STRANGER}")


@pytest.mark.parametrize("challenge", [None, "another", SECRET + "\0", SECRET + "\0x", SECRET[:-1], SECRET.upper(), "x" * 255, "x" * 256, "\U0001f511"], ids=repr)
def test_another_challenge_password_is_not(house, challenge):
    """C12: also one that a C program takes for the same."""
    with house.someone(user=NEIGHBOUR) as one:
        reply = enrol(one, request(f"b{len(challenge or '')}.fleet.example.com", challenge))
        assert code_of(reply) == ("malformed" if len(challenge or "") > 255 else "policy_refused"), reply


def test_a_challenge_password_is_for_its_names_alone(stranger):
    refused(enrol(stranger, request("a.other.example.com", SECRET)))
    refused(enrol(stranger, request("a.fleet.example.com", SECRET), sans=["DNS:a.fleet.example.com", "DNS:www.example.com"]))
    refused(enrol(stranger, request("a.fleet.example.com", SECRET), profile="user"))


def test_two_challenge_passwords_are_none(house, stranger, tmp_path):
    key, config, der = tmp_path / "key", tmp_path / "config", tmp_path / "csr"
    config.write_text(f"[req]\nprompt=no\ndistinguished_name=dn\nattributes=more\nreq_extensions=names\n[dn]\nCN=c.fleet.example.com\n"
                      f"[more]\nchallengePassword=\"{SECRET}\"\n[names]\nsubjectAltName=DNS:c.fleet.example.com\n")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-config", config, "-out", der], check=True, capture_output=True)
    granted(stranger.call("certificate.enrol", csr=der.read_text()))
    config.write_text(config.read_text().replace("[names]", "1.challengePassword=\"a second one\"\n[names]"))
    made = subprocess.run(["openssl", "req", "-new", "-key", key, "-config", config, "-out", der], capture_output=True)
    if made.returncode == 0:
        assert "result" not in stranger.call("certificate.enrol", csr=der.read_text())


def test_each_name_of_a_list_has_a_password_of_its_own(stranger):
    granted(enrol(stranger, request("printer-1", OWN)))
    for name, challenge in [("printer-1", "another"), ("printer-2", OWN), ("printer-3", OWN), ("printer-3", "")]:
        refused(enrol(stranger, request(name, challenge or None)))
    granted(enrol(stranger, request("printer-2", "another")))


def test_guesses_are_counted_as_logins_are(house, office):
    """The name is locked for who guesses, and no other one; for nobody else."""
    with house.someone() as one:
        for guess in range(5):
            refused(enrol(one, request("guessed.fleet.example.com", f"guess number {guess} of many")))
        reply = enrol(one, request("guessed.fleet.example.com", SECRET))
        assert code_of(reply) == "busy" and reply["error"]["message"] == "enrolment is not possible now", reply
        granted(enrol(one, request("unguessed.fleet.example.com", SECRET)))
    with house.someone(user=NEIGHBOUR) as other:
        granted(enrol(other, request("guessed.fleet.example.com", SECRET)))
    assert "has failed too often" in house.log()


def test_a_password_of_a_list_is_for_its_name_alone(stranger):
    granted(enrol(stranger, request("one.printers.example.com", OWN)))
    refused(enrol(stranger, request("one.printers.example.com", OWN), sans=["DNS:one.printers.example.com", "DNS:two.printers.example.com"]))
    refused(enrol(stranger, request("one.printers.example.com", OWN), sans=["DNS:two.printers.example.com"]))


# ----- what is denied, and what a subject says

def test_what_is_denied_in_any_way_is_denied_here(stranger):
    refused(enrol(stranger, request("never.open.example.com")))
    refused(enrol(stranger, request("d1.open.example.com"), sans=["DNS:never.open.example.com"]))
    granted(enrol(stranger, request("d2.open.example.com")))


def test_a_wildcard_stands_for_names_on_a_list(stranger):
    """Of one label more, as verifiers match it."""
    for name in ("bank.open.example.com", "*.open.example.com", "*.deep.open.example.com"):
        refused(enrol(stranger, request(name)))
    granted(enrol(stranger, request("*.fine.open.example.com")))
    refused(enrol(stranger, request("bank.open.example.com", sans=False), sans=["DNS:d3.open.example.com"]))


@pytest.mark.parametrize("subject", ["/CN=Administrator", "/CN=bank.example.org", "/O=Bank/CN=s1.open.example.com", "/OU=root/CN=s1.open.example.com", "/CN=Administrator/CN=s1.open.example.com"])
def test_a_subject_says_no_more_than_its_names(stranger, subject):
    types = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
    parts = [one.split("=") for one in subject[1:].split("/")]
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(types[one], value) for one, value in parts])).add_extension(
        x509.SubjectAlternativeName([x509.DNSName("s1.open.example.com")]), critical=False).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    refused(enrol(stranger, csr))


def test_servers_alone_where_a_rule_says_no_profile(stranger):
    refused(enrol(stranger, request("p1.open.example.com"), profile="laptop"))
    granted(enrol(stranger, request("p1.open.example.com"), profile="server"))


# ----- HMAC

def test_an_hmac_is_for_the_names_in_the_request_alone(house, office):
    with house.someone() as one:
        csr = request("n1.sealed.example.com")
        refused(enrol(one, csr, hmac=seal(csr), sans=["DNS:n2.sealed.example.com"]))
        refused(enrol(one, csr, hmac=seal(csr), sans=["DNS:n1.sealed.example.com", "DNS:n2.sealed.example.com"]))
        granted(enrol(one, csr, hmac=seal(csr), sans=["DNS:n1.sealed.example.com"]))
    assert code_of(office.call("certificate.issue", csr=pem(csr), hmac=seal(csr), sans=["DNS:n2.sealed.example.com"])) == "policy_refused"


def test_an_hmac_over_the_request(stranger):
    csr = request("a.sealed.example.com")
    granted(enrol(stranger, csr, hmac=seal(csr)))


@pytest.mark.parametrize("change", [lambda csr: seal(csr, "another secret of 16"), lambda csr: seal(request("a.sealed.example.com")), lambda csr: "00" * 32, lambda csr: seal(csr)[:62], lambda csr: "",
                                    lambda csr: hmac.new(SECRET.encode(), pem(csr).encode(), hashlib.sha256).hexdigest(), lambda csr: hashlib.sha256(csr.public_bytes(serialization.Encoding.DER)).hexdigest()])
def test_another_hmac(house, change):
    csr = request("b.sealed.example.com")
    with house.someone(user=NEIGHBOUR) as one:
        offered = change(csr)
        reply = enrol(one, csr, **({"hmac": offered} if offered else {}))
        assert code_of(reply) in ("policy_refused", "busy"), reply


@pytest.mark.parametrize("offered", ["zz" * 32, "00" * 33, 7, ["00"]])
def test_what_is_no_hmac(stranger, offered):
    assert code_of(enrol(stranger, request("a.sealed.example.com"), hmac=offered)) in ("invalid_params", "too_large")


@pytest.mark.parametrize("name, beside, params", [("d1.sealed.example.com", "days 5\n", {"days": 5}), ("sealed-1", "profile laptop\n", {"profile": "laptop"}),
                                                  ("sealed-2", "profile laptop\ndays 5\n", {"profile": "laptop", "days": 5})])
def test_an_hmac_covers_what_comes_beside_the_request(house, name, beside, params):
    """One over the request alone says nothing of it; who knows the secret is told so, who does not is not."""
    csr = request(name, sans="." in name)
    with house.someone() as one:
        reply = enrol(one, csr, hmac=seal(csr), **params)
        assert code_of(reply) == "invalid_params" and "over the request alone, and beside it came: " + ", ".join(beside.split("\n")[:-1]) in reply["error"]["message"], reply
        refused(enrol(one, csr, hmac=seal(csr, "another secret of 16", beside), **params))
        refused(enrol(one, csr, hmac=seal(csr, beside=beside.rstrip("\n")), **params))
    with house.someone(user=NEIGHBOUR) as one:
        refused(enrol(one, csr, hmac=seal(csr, beside=beside)))  # what it covers is left out
        refused(enrol(one, csr, hmac=seal(csr, beside=beside), **{**params, "days": 6}))
        made = granted(enrol(one, csr, hmac=seal(csr, beside=beside), **params))
    if "days" in params:
        certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
        assert certificate.not_valid_after - certificate.not_valid_before < datetime.timedelta(days=6)


def test_an_hmac_is_good_for_one_certificate(house, office):
    """Whoever saw request and HMAC can send them again, by another name of a key, and gets nothing new by it."""
    csr, narrow = request("once.sealed.example.com"), ["DNS:once.sealed.example.com"]
    with house.someone() as one:
        first = granted(enrol(one, csr, hmac=seal(csr)))
        for again in ({}, {"idempotency_key": "another"}, {"sans": narrow}):
            assert granted(enrol(one, csr, hmac=seal(csr).upper(), **again))["serial"] == first["serial"], again
    with house.someone(user=NEIGHBOUR) as other:
        assert granted(enrol(other, csr, hmac=seal(csr)))["certificate"] == first["certificate"]
    office.result("certificate.revoke", serial=first["serial"])
    with house.someone() as one:
        reply = enrol(one, csr, hmac=seal(csr), idempotency_key="a third")
        assert code_of(reply) == "invalid_params" and "which has ended" in reply["error"]["message"], reply
        fresh = request("once.sealed.example.com")
        assert granted(enrol(one, fresh, hmac=seal(fresh)))["serial"] != first["serial"]


def test_a_repetition_is_beyond_no_limit(stranger):
    csr, other = request("a.one.example.com"), request("a.one.example.com")
    first = granted(enrol(stranger, csr, hmac=seal(csr)))
    assert granted(enrol(stranger, csr, hmac=seal(csr)))["serial"] == first["serial"]
    refused(enrol(stranger, csr, hmac=seal(csr, "another secret of 16")))
    refused(enrol(stranger, csr))
    refused(enrol(stranger, other, hmac=seal(other)))  # which is another certificate


def test_an_hmac_many_times_at_once_is_good_for_one_certificate(house):
    csr = request("race.sealed.example.com")

    def one_more(_):
        with house.someone() as one:
            return enrol(one, csr, hmac=seal(csr))
    with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
        replies = list(pool.map(one_more, range(MANY)))
    assert len({granted(reply)["serial"] for reply in replies}) == 1


def test_an_hmac_counts_for_operators_too(office):
    csr = request("op.sealed.example.com")
    assert code_of(office.call("certificate.issue", csr=pem(csr))) == "policy_refused"
    assert "result" in office.call("certificate.issue", csr=pem(csr), hmac=seal(csr))


# ----- on behalf

class Agent:
    def __init__(self, office, name="agent-1", profile="laptop"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.made = office.result("certificate.issue", csr=pem(request(name, key=self.key, sans=False)), profile=profile)
        self.certificate = x509.load_pem_x509_certificate(self.made["certificate"].encode())

    def sign(self, csr, digest=hashes.SHA256(), beside=""):
        builder = pkcs7.PKCS7SignatureBuilder().set_data(csr.public_bytes(serialization.Encoding.DER) + beside.encode()).add_signer(self.certificate, self.key, digest)
        return builder.sign(serialization.Encoding.PEM, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]).decode()


@pytest.fixture(scope="module")
def agent(office):
    return Agent(office)


def test_a_signer_enrols_others(stranger, office, agent, tmp_path):
    csr = request("a.agent.example.com")
    made = granted(enrol(stranger, csr, signature=agent.sign(csr)))
    assert office.result("certificate.get", serial=made["serial"])["policy_rule"] == "agents"
    (tmp_path / "key").write_bytes(agent.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (tmp_path / "crt").write_text(agent.made["certificate"])
    (tmp_path / "csr").write_bytes(csr.public_bytes(serialization.Encoding.DER))
    said = subprocess.run(["openssl", "cms", "-sign", "-binary", "-in", tmp_path / "csr", "-signer", tmp_path / "crt", "-inkey", tmp_path / "key", "-outform", "PEM", "-md", "sha256"],
                          check=True, capture_output=True, text=True)
    granted(enrol(stranger, csr, signature=said.stdout))


def test_a_signature_is_for_the_names_in_the_request_alone(stranger, agent):
    csr = request("n1.agent.example.com")
    signature = agent.sign(csr)
    refused(enrol(stranger, csr, signature=signature, sans=["DNS:n1.agent.example.com", "DNS:n2.agent.example.com"]))
    refused(enrol(stranger, csr, signature=signature, sans=["DNS:n2.agent.example.com"]))
    granted(enrol(stranger, csr, signature=signature))


def test_a_signature_covers_what_comes_beside_the_request(stranger, agent, office):
    csr = request("n3.agent.example.com")
    reply = enrol(stranger, csr, signature=agent.sign(csr), days=5)
    assert code_of(reply) == "invalid_params" and "the signature is over the request alone, and beside it came: days 5" in reply["error"]["message"], reply
    refused(enrol(stranger, csr, signature=Agent(office, "stranger-2").sign(csr), days=5))
    refused(enrol(stranger, csr, signature=agent.sign(csr, beside="days 5\n"), days=6))
    granted(enrol(stranger, csr, signature=agent.sign(csr, beside="days 5\n"), days=5))


def test_a_signature_is_good_for_one_certificate(house, agent):
    csr = request("n4.agent.example.com")
    signature = agent.sign(csr)
    with house.someone() as one:
        first = granted(enrol(one, csr, signature=signature))
        assert granted(enrol(one, csr, signature=signature, idempotency_key="another"))["serial"] == first["serial"]
    with house.someone(user=NEIGHBOUR) as other:
        assert granted(enrol(other, csr, signature="\n" + signature))["serial"] == first["serial"]


def test_who_is_no_signer(stranger, office, agent):
    csr = request("b.agent.example.com")
    refused(enrol(stranger, csr))
    refused(enrol(stranger, csr, signature=agent.sign(request("b.agent.example.com"))))  # another request's
    refused(enrol(stranger, csr, signature=Agent(office, "stranger-1").sign(csr)))  # another subject
    refused(enrol(stranger, csr, signature=agent.made["certificate"]))  # no signature at all
    other = Agent(office, "agent-2")
    office.result("certificate.revoke", serial=other.made["serial"])
    refused(enrol(stranger, csr, signature=other.sign(csr)))  # revoked
    itself = Agent(office, "agent-3")
    itself.certificate = x509.CertificateBuilder().subject_name(itself.certificate.subject).issuer_name(itself.certificate.issuer).public_key(itself.key.public_key()).serial_number(
        itself.certificate.serial_number).not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2040, 1, 1)).sign(itself.key, hashes.SHA256())
    refused(enrol(stranger, csr, signature=itself.sign(csr)))  # which the realm did not sign
    refused(enrol(stranger, csr, signature="no PEM"))
    assert "result" not in enrol(stranger, csr, signature=agent.sign(csr, hashes.SHA1()))


def test_a_session_of_a_signer(house, office):
    office.result("identity.create", user="carol", roles=["user"], password="correct horse battery")
    office.result("identity.create", user="dave", roles=["user"], password="correct horse battery")
    office.result("identity.create", user="erin", roles=["web-team"], password="correct horse battery")
    for user, good in [("carol", True), ("dave", False), ("erin", True)]:
        with house.someone() as one:
            one.result("session.login", stack="staff", user=user, password="correct horse battery")
            reply = enrol(one, request(f"{user}.behalf.example.com"))
            assert ("result" in reply) == good, reply


# ----- points

def test_points_add_up(stranger, agent, office):
    csr = request("a.two.example.com", SECRET)
    refused(enrol(stranger, csr))
    granted(enrol(stranger, csr, hmac=seal(csr)))
    bare = request("b.two.example.com")
    refused(enrol(stranger, bare, hmac=seal(bare)))
    granted(enrol(stranger, bare, signature=agent.sign(bare)))


def test_missing_points_are_told_to_operators(stranger, office):
    refused(enrol(stranger, request("a.people.example.com")))
    rows = [one for one in office.result("policy.refused")["refused"] if "a.people.example.com" in one["subject"]]
    assert len(rows) == 1 and "rule by-people needs 1 approval" in rows[0]["why"], rows


def test_one_explanation(office):
    csr = request("c.two.example.com", SECRET)
    preview = office.result("certificate.preview", csr=pem(csr), hmac=seal(csr), way="enrol")
    assert preview["policy"] == {"rule": "two", "granted": True, "points": 2, "needed": 2,
                                 "proofs": [{"proof": "challenge:fleet", "points": 1, "holds": True}, {"proof": "hmac:fleet", "points": 1, "holds": True}]}
    lacking = office.result("certificate.preview", csr=pem(csr), way="enrol")
    assert lacking["allowed"] is False and "two by its proofs" in next(one["detail"] for one in lacking["reasons"] if one["rule"] == "policy")


def test_people_make_up_for_missing_points(house, office):
    csr = request("a.short.example.com")
    reply = office.call("certificate.issue", csr=pem(csr))
    assert code_of(reply) == "policy_refused" and "needs 2 approvals" in reply["error"]["message"], reply
    reply = office.call("certificate.issue", csr=pem(csr), hmac=seal(csr))
    assert code_of(reply) == "policy_refused" and "needs 1 approval" in reply["error"]["message"], reply
    users = {"mallory": ("user", STRANGER), "olga": ("ra-operator", NEIGHBOUR), "otto": ("ra-operator", "daemon")}  # one Unix user is one person
    for user, (role, _) in users.items():
        office.result("identity.create", user=user, roles=[role], password="correct horse battery")
    with contextlib.ExitStack() as stack:
        people = {user: stack.enter_context(house.someone(user=uid)) for user, (_, uid) in users.items()}
        for user, one in people.items():
            one.result("session.login", stack="staff", user=user, password="correct horse battery")
        asks = people["mallory"]
        poor = asks.result("request.create", csr=pem(csr))
        assert (poor["state"], poor["approvals_needed"]) == ("pending", 2)
        rich = asks.result("request.create", csr=pem(csr), hmac=seal(csr))
        assert (rich["state"], rich["approvals_needed"]) == ("pending", 1)
        assert asks.code("request.approve", request=rich["request"], digest=rich["digest"]) in ("denied", "conflict")  # nobody for himself
        for one in (poor, rich):
            people["olga"].result("request.approve", request=one["request"], digest=one["digest"])
        assert asks.code("request.pickup", request=poor["request"]) == "conflict"
        assert asks.result("request.pickup", request=rich["request"])["certificate"]
        people["otto"].result("request.approve", request=poor["request"], digest=poor["digest"])
        assert asks.result("request.pickup", request=poor["request"])["certificate"]


# ----- nothing but what is said

def test_what_no_rule_means_for_enrol(stranger):
    refused(enrol(stranger, request("a.any.example.com")))  # a rule for any way is not for this one
    refused(enrol(stranger, request("www.example.com", SECRET)))


@pytest.mark.parametrize("profile", ["ra", "admin", "ca"])
def test_nobody_enrols_into_a_role(stranger, profile):
    """C12: whatever a rule says."""
    assert code_of(enrol(stranger, request("a.roles.example.com"), profile=profile)) in ("policy_refused", "denied")


def test_a_realm_without_rules_enrols_nobody(house):
    with house.talk("devices") as talk:
        reply = enrol(talk, request("a.fleet.example.com", SECRET))
        assert code_of(reply) == "policy_refused" and "no rules" in reply["error"]["message"]


def test_the_same_request_again_makes_no_second_certificate(stranger, house):
    csr = request("again.fleet.example.com", SECRET)
    first = granted(enrol(stranger, csr, idempotency_key="k"))
    assert granted(enrol(stranger, csr, idempotency_key="k"))["serial"] == first["serial"]
    other = request("other.fleet.example.com", SECRET)
    assert granted(enrol(stranger, other, idempotency_key="k"))["serial"] != first["serial"]


def test_a_request_without_its_key(stranger):
    """C12: a request that somebody else's key signed proves nothing, whatever password is in it."""
    csr = request("stolen.fleet.example.com", SECRET)
    der = bytearray(csr.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    text = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(bytes(der)).decode() + "-----END CERTIFICATE REQUEST-----\n"
    assert code_of(stranger.call("certificate.enrol", csr=text)) in ("bad_proof", "malformed")


# ----- the realm's own roles, replacement, counts

def test_a_rule_for_a_role_of_the_realms_own(house, office):
    office.result("identity.create", user="frank", roles=["web-team"], password="correct horse battery")
    office.result("identity.create", user="grace", roles=["ra-operator"], password="correct horse battery")
    for user, good in [("frank", True), ("grace", False)]:
        with house.someone() as one:
            one.result("session.login", stack="staff", user=user, password="correct horse battery")
            assert ("result" in one.call("certificate.issue", csr=pem(request(f"{user}.role.example.com")))) == good


def test_what_a_subject_has_decides(office):
    first = office.result("certificate.issue", csr=pem(request("a.once.example.com")))
    assert "once by its replaces" in office.call("certificate.issue", csr=pem(request("a.once.example.com")))["error"]["message"]
    office.result("certificate.revoke", serial=first["serial"])
    office.result("certificate.issue", csr=pem(request("a.once.example.com")))


def test_what_is_replaced_is_revoked(office):
    serials = [office.result("certificate.issue", csr=pem(request("a.newer.example.com")))["serial"] for _ in range(3)]
    states = [office.result("certificate.get", serial=serial)["state"] for serial in serials]
    assert states == ["revoked", "revoked", "valid"]
    assert office.result("certificate.get", serial=serials[0])["reason"] == "superseded"


def at_once(house, names):
    """@return what became of requests of as many connections."""
    def one(name):
        with house.talk("default") as talk:
            return talk.call("certificate.issue", csr=pem(request(name)))
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(one, names))


def test_parallel_requests_do_not_pass_a_limit(house, office):
    for turn in range(3):
        replies = at_once(house, [f"p{turn}.limit.example.com"] * MANY)
        good = [reply for reply in replies if "result" in reply]
        assert len(good) == 2, [reply.get("error") for reply in replies]
        assert {code_of(reply) for reply in replies if "error" in reply} == {"policy_refused"}
    rows = house.rows("SELECT id FROM policy_reservation")
    assert rows == [], "room that was used or refused is given back"


def test_parallel_requests_of_one_requester(house):
    replies = at_once(house, [f"m{i}.mine.example.com" for i in range(MANY)])
    assert sum("result" in reply for reply in replies) <= 4


def test_parallel_replacements_leave_one(house, office):
    replies = at_once(house, ["race.newer.example.com"] * MANY)
    assert {code_of(reply) for reply in replies} <= {None, "busy"}
    states = [office.result("certificate.get", serial=reply["result"]["serial"])["state"] for reply in replies if "result" in reply]
    assert states.count("valid") == 1, states


# ----- what was refused

def test_refused_requests_are_remembered(stranger, office, house):
    for _ in range(3):
        refused(enrol(stranger, request("a.refused.example.com", "whatever it is")))
    row = next(one for one in office.result("policy.refused")["refused"] if one["subject"] == "/CN=a.refused.example.com")
    assert (row["times"], row["way"], row["requester"]) == (3, "enrol", f"unix:{STRANGER}")
    assert "no rule" in row["why"]
    assert stranger.code("policy.refused") == "denied"
    assert SECRET not in (house.realm("default") / "db" / "realm.db").read_bytes().decode("latin-1"), "no secret is kept"


def test_replay_says_what_would_be_granted(stranger, office):
    refused(enrol(stranger, request("a.later.example.com")))
    csr = request("b.later.example.com", SECRET)
    refused(enrol(stranger, csr))
    wider = SETTINGS + POLICY.replace("  rules:\n", "  rules:\n    - {name: later, decision: grant, ways: [enrol], names: [\"a.later.example.com\"], proofs: [anonymous]}\n")
    said = office.result("policy.replay", config=wider, since="1d")
    assert said["findings"] == [] and said["refused_asked"] >= 2
    assert [(row["subject"], row["rule_now"]) for row in said["grantable"] if "later" in row["subject"]] == [("/CN=a.later.example.com", "later")]
    same = office.result("policy.replay", config=SETTINGS + POLICY, since="1d")
    assert [row for row in same["grantable"] if "later" in row["subject"]] == []
    assert [row for row in same["differences"] if row["rule"] in ("fleet", "sealed", "two", "agents")] == [], "proofs count as they were shown"


# ----- what a check finds

def check(house):
    return subprocess.run([BUILD / "chanceryd", "--check", "--config", house.config], capture_output=True, text=True)


@pytest.mark.parametrize("spoil, said", [(lambda file: file.chmod(0o644), "fleet-secret"), (lambda file: file.write_text("too short\n"), "found a secret of 10 octets, expected 16 to 1024"),
                                         (lambda file: file.unlink(), "fleet-secret")])
def test_a_secret_that_is_none_is_found(house, spoil, said):
    file = house.realm("default") / "fleet-secret"
    assert check(house).returncode == 0
    try:
        spoil(file)
        done = check(house)
        assert done.returncode == 78 and "enrolment.secrets.fleet.file" in done.stdout and said in done.stdout, done
    finally:
        file.unlink(missing_ok=True)
        file.write_text(SECRET + "\n")
        file.chmod(0o600)


def test_a_policy_whose_proofs_are_gone_is_found(house):
    file = house.realm("default") / "ca.config.yml"
    before = file.read_text()
    try:
        file.write_text(before.replace("    fleet: {file: fleet-secret}\n", ""))
        done = check(house)
        assert done.returncode == 78 and 'unknown secret "fleet", expected one of printers' in done.stdout, done
        file.write_text(before.replace('proofs: ["challenge:fleet"]}', "proofs: [anonymous]}"))
        done = check(house)
        assert done.returncode == 78 and 'policy test "without its secret"' in done.stdout, done
    finally:
        file.write_text(before)
