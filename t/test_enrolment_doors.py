"""One enrolment policy for every door: REST, ZMQ and ACME decide by the same rules and proofs as the socket (doc/enrolment.md)."""

import contextlib
import datetime
import subprocess

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import System
from test_acme_commands import Acme
from test_enrolment import SECRET, pem, request, seal
from test_fair_share import From
from test_zmq import Peer

POLICY = """
login_limits: {failures: 3, failures_per_peer: 6, delay: 0s, lockout: 60s}
enrolment:
  secrets:
    fleet: {file: fleet-secret}
  signers:
    agents: {profiles: [laptop]}
policy:
  otherwise: deny
  rules:
    - {name: rest, decision: grant, ways: [enrol], profiles: [server], names: [".rest.test"], proofs: ["challenge:fleet", "hmac:fleet"]}
    - {name: agents, decision: grant, ways: [enrol], profiles: [server], names: [".agent.test"], proofs: ["on_behalf:agents"]}
    - {name: operators, decision: grant, ways: [enrol], names: [".roles.test"], roles: [ra-operator, frontend], proofs: [anonymous]}
    - {name: zmq, decision: grant, ways: [command], names: [".zmq.test"], proofs: ["hmac:fleet"]}
    - {name: acme, decision: grant, ways: [acme], names: [".acme.test"], proofs: ["challenge:fleet"]}
    - {name: laptops, decision: grant, ways: [command], profiles: [laptop]}
"""


class Fleet(System):
    """Realms with the fleet's secret, of which the first decides by the policy."""

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        directory = self.directory / "var" / "realms" / name
        (directory / "fleet-secret").write_text(SECRET + "\n")
        (directory / "fleet-secret").chmod(0o600)
        if name == "default":
            file = directory / "ca.config.yml"
            file.write_text(file.read_text() + self.policy)


class Office(Fleet):
    http_roles = "frontend ra-operator"
    policy = POLICY


@pytest.fixture(scope="module")
def office():
    with Office.running() as one:
        yield one


@pytest.fixture
def talk(office):
    with contextlib.closing(office.realm("default").talk()) as one:
        yield one


def post(office, path, holder=None, **body):
    return requests.post(office.https_url + path, json=body, verify=str(office.directory / "https-ca.pem"), cert=holder, timeout=60)


@pytest.mark.parametrize("shows", ["challenge", "hmac"])
def test_rest_enrols_by_what_is_shown(office, shows):
    csr = request("a.rest.test", SECRET if shows == "challenge" else None)
    reply = post(office, "/api/v1/enrol", csr=pem(csr), **({"hmac": seal(csr)} if shows == "hmac" else {}))
    assert reply.status_code == 200, reply.text
    assert subprocess.run(["openssl", "x509", "-noout", "-subject"], input=reply.json()["data"]["certificate"], text=True, capture_output=True).stdout.strip().endswith("CN = a.rest.test")


def test_rest_enrols_for_as_many_days_as_are_asked_for(office):
    def lasts(covered=None, **more):
        csr = request("d.rest.test", SECRET if covered is None else None)
        reply = post(office, "/api/v1/enrol", csr=pem(csr), **more, **({} if covered is None else {"hmac": seal(csr, beside=covered)}))
        assert reply.status_code == 200, reply.text
        found = x509.load_pem_x509_certificate(reply.json()["data"]["certificate"].encode())
        return found.not_valid_after - found.not_valid_before + datetime.timedelta(seconds=1)
    assert lasts(days=3) == datetime.timedelta(days=3)
    assert lasts("days 7\n", days=7) == datetime.timedelta(days=7)  # which the HMAC covers
    assert lasts(days=None) == lasts() > datetime.timedelta(days=7)


@pytest.mark.parametrize("days, says", [(0, "expected 1 to 36500"), (-1, "expected 1 to 36500"), (36501, "expected 1 to 36500"), (10**30, "expected a whole number"),
                                        ("30", "expected a whole number"), (1.5, "expected a whole number"), ([3], "expected a whole number"), (36500, "enrolment refused")])
def test_rest_enrols_for_no_other_days(office, days, says):
    """36,500 are more than the profile allows."""
    reply = post(office, "/api/v1/enrol", csr=pem(request("d.rest.test", SECRET)), days=days)
    assert reply.status_code == 400 and says in reply.json()["message"], reply.text


def test_openapi_says_how_many_days_may_be_asked_for(office):
    document = requests.get(office.https_url + "/api/v1/openapi.json", verify=str(office.directory / "https-ca.pem"), timeout=20).json()
    for path in ("/api/v1/enrol", "/api/v1/client/enrol"):
        days = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["days"]
        assert (days["type"], days["minimum"], days["maximum"]) == ("integer", 1, 36500) and "validity" in days["description"]


@pytest.mark.parametrize("name, challenge, more", [("a.rest.test", None, {}), ("a.rest.test", "another secret of a fleet", {}), ("a.other.test", SECRET, {}), ("a.rest.test", SECRET, {"profile": "ra"}),
                                                   ("a.rest.test", None, {"hmac": "00" * 32}), ("a.zmq.test", SECRET, {}), ("a.roles.test", None, {})])
def test_rest_enrols_nobody_else(office, name, challenge, more):
    """Neither does a front end's own role count for who comes through it."""
    reply = post(office, "/api/v1/enrol", csr=pem(request(name, challenge)), **more)
    assert reply.status_code == 400 and reply.json()["message"].startswith("enrolment refused"), reply.text


def guess(office, address, name, challenge):
    with requests.Session() as web:
        web.trust_env = False
        web.mount("https://", From(address))
        return web.post(office.https_url + "/api/v1/enrol", json={"csr": pem(request(name, challenge))}, verify=str(office.directory / "https-ca.pem"), timeout=60)


def test_wrong_secrets_are_counted_by_the_address_that_sends_them(office):
    """Nobody locks a name for those who know its secret, and nobody guesses a shared one under many names."""
    for number in range(3):
        assert guess(office, "127.0.0.11", "locked.rest.test", f"guess number {number} of many").status_code == 400
    busy = guess(office, "127.0.0.11", "locked.rest.test", SECRET)
    assert busy.status_code == 503 and busy.headers["Retry-After"], busy.text
    assert guess(office, "127.0.0.12", "locked.rest.test", SECRET).status_code == 200
    assert guess(office, "127.0.0.11", "other.rest.test", SECRET).status_code == 200
    for number in range(3):
        assert guess(office, "127.0.0.11", f"n{number}.rest.test", "one guess for each name").status_code == 400
    assert guess(office, "127.0.0.11", "another.rest.test", SECRET).status_code == 503
    assert guess(office, "127.0.0.12", "another.rest.test", SECRET).status_code == 200


def test_a_client_certificate_enrols_on_behalf(office, talk, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    made = talk.result("certificate.issue", csr=pem(request("agent", key=key, sans=False)), profile="laptop")
    (tmp_path / "crt").write_text(made["certificate"])
    (tmp_path / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    holder = (str(tmp_path / "crt"), str(tmp_path / "key"))
    csr = pem(request("a.agent.test"))
    assert post(office, "/api/v1/client/enrol", holder, csr=csr).status_code == 200
    assert post(office, "/api/v1/client/enrol", csr=csr).status_code in (401, 403)
    assert post(office, "/api/v1/enrol", csr=csr).status_code == 400
    talk.result("certificate.revoke", serial=made["serial"])
    assert post(office, "/api/v1/client/enrol", holder, csr=csr).status_code in (401, 403)


def test_zmq_decides_by_the_same_rules(office):
    peer, csr = Peer(office), request("a.zmq.test")
    assert peer.data("sign", csr=pem(csr), hmac=seal(csr))["certificate"]
    assert "zmq by its proofs" in str(peer.error("sign", csr=pem(csr)))
    assert "zmq by its proofs" in str(peer.error("sign", csr=pem(csr), hmac=seal(request("a.zmq.test"))))


def test_acme_decides_by_the_same_rules(office):
    with Acme(office.socket) as acme:
        order = acme.ready("a.acme.test")
        assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=pem(request("a.acme.test")))
        order = acme.ready("b.acme.test")
        assert acme.finalize(order, pem(request("b.acme.test", SECRET)))["status"] == "valid"
