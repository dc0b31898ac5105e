"""A server whose realms prove names by every method, against a DNS server of the test's."""

import base64
import hashlib

import pytest

from acme_client import Client, b64
from conftest import System, free_ports

ISSUER = "ca.example"


class ChallengeSystem(System):
    """Realm default offers everything and looks at CAA; devices offers http-01 alone and trusts signed answers only below
    signed.example."""

    resolver_port = 53

    def __init__(self, directory):
        super().__init__(directory)
        self.tlsalpn01_port, = free_ports(1)

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        path = self.directory / "var" / "realms" / name / "ca.config.yml"
        path.write_text(path.read_text() + f"  resolver: 127.0.0.1:{self.resolver_port}\n  tlsalpn01_port: {self.tlsalpn01_port}\n" + {
            "default": f"""  challenges: [http-01, dns-01, tls-alpn-01, dns-account-01, dns-persist-01]
  wildcard_challenges: [dns-01, dns-account-01, dns-persist-01]
  caa_identities: [{ISSUER}, CA2.example]
""", "devices": """  challenges: [http-01]
  wildcard_challenges: []
  ip_challenges: []
  dnssec_anchors: ["signed.example. IN DS 12345 8 2 49fd46e6c4b45c55d4ac69cbd3cd34ac1afe51de1f1a1a1cb3c58f7e4f0e9bd3"]
"""}[name])


def account(system, realm_name="default"):
    realm = system.realm(realm_name)
    client = Client(realm.directory_url, str(realm.https_ca_file))
    assert client.register().status_code == 201
    return client


# ----- fixtures, for files that import them

@pytest.fixture(scope="module")
def system(dns):
    """A started one, which asks the name server of the file."""
    with ChallengeSystem.running(resolver_port=dns.port) as one:
        yield one


@pytest.fixture(scope="module")
def client(system):
    """An account of realm default."""
    return account(system)


# ----- orders and challenges

def challenge_of(client, url, method):
    return next(one for one in client.post(url).json()["challenges"] if one["type"] == method)


def order(client, *names, kind="dns"):
    created = client.post(client.directory["newOrder"], {"identifiers": [{"type": kind, "value": name} for name in names]})
    assert created.status_code == 201, created.text
    return created.headers["Location"], created.json()


def begin(client, name, method, kind="dns"):
    """A new order of one name. @return its authorization's URL, and the challenge"""
    url = order(client, name, kind=kind)[1]["authorizations"][0]
    return url, challenge_of(client, url, method)


def begin_dns(client, name, method="dns-01"):
    """@return as begin(), and where a proof by TXT belongs."""
    return *begin(client, name, method), "_acme-challenge." + name.removeprefix("*.")


def key_authorization(client, challenge):
    return challenge["token"] + "." + client.key.thumbprint()


def digest(client, challenge):
    """What dns-01 expects (RFC 8555 8.4)."""
    return b64(hashlib.sha256(key_authorization(client, challenge).encode()).digest())


def account_label(client):
    """What dns-account-01 puts before _acme-challenge."""
    return "_" + base64.b32encode(hashlib.sha256(client.kid.encode()).digest()[:10]).decode().lower()


def answer(client, url, challenge):
    """Asks for the validation and waits for the verdict. @return (status of the authorization, the challenge's error)."""
    asked = client.post(challenge["url"], {})
    assert asked.ok, asked.text
    found = client.poll(url, ("valid", "invalid"))
    now = next(one for one in found["challenges"] if one["type"] == challenge["type"])
    assert now["status"] == found["status"], found
    return found["status"], now.get("error")


def check_refused(outcome, kind):
    status, error = outcome
    assert status == "invalid" and error["type"] == "urn:ietf:params:acme:error:" + kind, outcome
    return error["detail"]
