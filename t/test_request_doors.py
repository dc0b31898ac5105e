"""A profile that wants approvals is issued directly at no door, and each door says so in its own words (PROMISES F52)."""

import base64
import json

import pytest
import zmq
from cryptography.hazmat.primitives.asymmetric import ec

from acme_client import Client, b64, make_csr
from test_rest import OPEN, Rest, csr_for, spelled

FOUR = "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\napprovals: 2\n"


class FourEyes(Rest):
    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        directory = self.directory / "var" / "realms" / name
        (directory / "profiles").mkdir(exist_ok=True)
        (directory / "profiles" / "four.yml").write_text(FOUR)
        file = directory / "ca.config.yml"
        file.write_text(file.read_text() + "  profiles: [four]\n  policy: near\n  policies:\n"
                        '    near: {preauthorized: [".granted.localhost"], trusted_networks: ["127.0.0.0/8", "::1"]}\n')


@pytest.fixture(scope="module")
def system():
    with FourEyes.running() as one:
        one.settle()
        yield one


def nothing_was_issued(system, name):
    talk = system.talk()
    found = talk.result("certificate.search", san=f"DNS:{name}")["certificates"] + talk.result("certificate.search", subject=name)["certificates"]
    talk.close()
    return found == []


def test_F52_acme(system):
    name = "four.granted.localhost"
    realm = system.realm("default")
    client = Client(realm.directory_url, str(system.directory / "https-ca.pem"))
    assert client.register().status_code == 201
    order = client.order([name], profile="four")
    assert order.status_code == 201, order.text
    refused = client.post(order.json()["finalize"], {"csr": b64(make_csr([name])[1])})
    assert refused.status_code in (400, 403) and refused.headers["Content-Type"].startswith("application/problem+json"), refused.text
    problem = refused.json()
    assert problem["type"].startswith("urn:ietf:params:acme:error:") and "2 approvals" in problem["detail"], problem
    assert "certificate" not in client.post(order.headers["Location"]).json()
    assert nothing_was_issued(system, name)


def test_F52_rest(system):
    name = "four.rest.example.com"
    body = {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), name), "profile": "four"}
    for path in spelled(OPEN, "/certify"):
        status, text, _ = system.curl(path, system.admin, method="POST", body=body)
        answer = json.loads(text)
        assert status in (400, 403) and answer["status"] == "error" and "2 approvals" in answer["message"], (status, text)
    assert nothing_was_issued(system, name)


@pytest.mark.parametrize("task", ["sign", "generate"])
def test_F52_zmq(system, task):
    name = f"four-{task}.zmq.example.com"
    params = {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), name)} if task == "sign" else {"cn": name}
    with zmq.Context.instance().socket(zmq.REQ) as socket:
        socket.linger, socket.rcvtimeo = 0, 15000
        socket.connect(f"tcp://127.0.0.1:{system.zmq_port}")
        socket.send_json({"TASK": task, "params": {**params, "profile": "four"}})
        answer = socket.recv_json()
    assert answer["EVENT"] == "UPKI ERROR" and "2 approvals" in answer["MSG"], answer
    assert nothing_was_issued(system, name)


def test_F52_a_listeners_own_certificate_is_the_configurations(system):
    """Whoever may write chancery.xml has approved it: the doors open although profiles want approvals."""
    assert system.good("/api/v1/health") == {"status": "healthy"}
    assert base64.b64decode(system.good("/api/v1/crl")["crl"])
