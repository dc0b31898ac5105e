"""Names that need no proof where the client has shown TLS a certificate of the realm (acme.policies.*.trusted_client_profiles)."""

import pathlib
import subprocess
import tempfile

import pytest
import requests.adapters
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import free_ports
from test_acme_accounts import default, devices, fresh, id_of, order_of, problem  # noqa: F401: two fixtures
from test_acme_policies import PolicySystem, finalize, granted
from test_rest import PROXY, headers, issue, name_of, self_made


class ShownSystem(PolicySystem):
    more_attributes = f'trusted-proxies="{PROXY}"'
    more_acme = {"default": """  external_account: optional
  policies:
    shown: {preauthorized: [".granted.localhost"], trusted_client_profiles: [user, webapp]}
    named: {preauthorized: [".granted.localhost"], trusted_client_profiles: [user], trusted_client_subjects: ["/*CN=agent *"]}
    here: {preauthorized: [".granted.localhost"], trusted_client_profiles: [user], trusted_networks: ["127.0.0.0/8"]}
    far: {preauthorized: [".granted.localhost"], trusted_client_profiles: [user], trusted_networks: ["10.0.0.0/8"]}
    ras: {preauthorized: [".granted.localhost"], trusted_client_profiles: [ra]}
    plain: {}
""", "devices": """  policy: shown
  policies:
    shown: {preauthorized: [".granted.localhost"], trusted_client_profiles: [user]}
"""}

    def __init__(self, directory):
        super().__init__(directory)
        self.silent_port, = free_ports(1)
        self.more_listeners = (f'<listener name="silent" address="127.0.0.1" port="{self.silent_port}" default-realm="default" realms="*" '
                               'names="localhost" client-certificates="none"/>')

    def settle(self):
        self.holders = pathlib.Path(tempfile.mkdtemp(prefix="holders-", dir=self.directory))
        self.agent = self.issue("agent", "agent 1")
        self.other = self.issue("other", "somebody else")
        ca = x509.load_pem_x509_certificate(self.realm("default").ca_file.read_bytes())
        ca_key = serialization.load_pem_private_key((self.realm("default").directory / "ca.key").read_bytes(), b"a passphrase of the tests")
        self.wrong = {
            "another profile": self.issue("laptop", "agent 2", "laptop"),
            "the other realm's": self.issue("devices", "agent 1", realm="devices"),
            "revoked": self.revoked("agent 3"),
            "expired": self_made(self.holders, "expired", "agent 4", ca.subject, ca_key, days=-1),
            "never issued": self_made(self.holders, "never", "agent 1", ca.subject, ca_key),
            "of a foreign CA": self_made(self.holders, "foreign", "agent 1", name_of("Foreign CA"), ec.generate_private_key(ec.SECP256R1())),
            "self-signed": self_made(self.holders, "self", "agent 1"),
        }
        if self.user:
            subprocess.run(["chmod", "-R", "a+rX", self.holders], check=True)

    def issue(self, label, cn, profile="user", realm="default"):
        return issue(self.realm(realm), self.holders, label, cn, profile)

    def revoked(self, cn):
        holder = self.issue("revoked", cn)
        self.revoke(holder)
        return holder

    def revoke(self, holder):
        talk = self.realm("default").talk()
        talk.result("certificate.revoke", serial=holder.hex)
        talk.close()


@pytest.fixture(scope="module")
def system():
    with ShownSystem.running() as one:
        one.settle()
        yield one


def show(client, holder):
    """From now on by connections that begin with this certificate; none without a holder."""
    client.web.close()
    client.web.cert = tuple(map(str, holder.files)) if holder else None
    return client


def status_of_order(client, name=None):
    made = order_of(client, name or granted())
    assert made.status_code == 201, made.text
    return made.json()["status"]


class From(requests.adapters.HTTPAdapter):
    """Connections from another address."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **more):
        super().init_poolmanager(*args, source_address=(self.address, 0), **more)


# ----- who is trusted

def test_a_shown_certificate_needs_no_proof(default, system):
    client, name = default.account(policy="shown"), granted()
    assert status_of_order(client) == "pending"
    show(client, system.agent)
    order = order_of(client, name)
    assert order.json()["status"] == "ready", order.text
    authorization = client.post(order.json()["authorizations"][0]).json()
    assert (authorization["status"], authorization["challenges"]) == ("valid", [])
    assert finalize(client, order.json(), [name]).json()["status"] == "valid"
    story = default.talk.result("acme.show", order=order.headers["Location"].rsplit("/", 1)[1])["story"]
    told = [one["what"] for one in story if "preauthorized by the account's policy" in one["what"]]
    assert len(told) == 1 and f"with certificate {system.agent.hex} of " in told[0] and "CN=agent 1" in told[0], story
    assert status_of_order(client, fresh()) == "pending"  # a name that is not granted
    show(client, None)
    assert status_of_order(client, name) == "pending"  # it proves nothing for later


def test_a_name_is_granted_beforehand(default, system):
    client = default.account(policy="shown")
    ask = lambda name: client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": name}}).json()["status"]
    assert ask(granted()) == "pending"
    show(client, system.agent)
    assert (ask(granted()), ask(fresh())) == ("valid", "pending")


@pytest.mark.parametrize("policy,holder,status", [
    ("named", "agent", "ready"), ("named", "other", "pending"), ("here", "agent", "ready"), ("far", "agent", "pending"),
    ("ras", "agent", "pending"), ("plain", "agent", "pending")])
def test_profile_subject_and_network_must_all_fit(default, system, policy, holder, status):
    assert status_of_order(show(default.account(policy=policy), getattr(system, holder))) == status


@pytest.mark.parametrize("kind", ["another profile", "the other realm's", "revoked", "expired", "never issued", "of a foreign CA", "self-signed"])
def test_a_wrong_certificate_is_as_good_as_none(default, system, kind):
    """And no worse: who has a certificate of somebody else orders as everybody does."""
    assert status_of_order(show(default.account(policy="shown"), system.wrong[kind])) == "pending"


def test_the_realms_own_policy_may_trust_clients(devices, system):
    """Whoever's the account is."""
    client = devices.account()
    assert status_of_order(client) == "pending"
    assert status_of_order(show(client, system.issue("own", "agent 1", realm="devices"))) == "ready"
    assert status_of_order(show(client, system.agent)) == "pending"  # the other realm's


def test_a_certificate_that_was_revoked_since_issues_nothing(default, system):
    holder, name = system.issue("since", "agent 9"), granted()
    client = show(default.account(policy="shown"), holder)
    order = order_of(client, name).json()
    assert order["status"] == "ready"
    system.revoke(holder)
    assert status_of_order(client) == "pending"
    assert "no more" in problem(finalize(client, order, [name]), 403, "unauthorized")["detail"]


def test_a_policy_that_trusts_others_since_issues_nothing(default, system):
    client, name = show(default.account(policy="shown"), system.other), granted()
    orders = [order_of(client, name).json() for _ in range(2)]
    default.talk.result("acme.account.policy", account=id_of(client), policy="named")
    problem(finalize(client, orders[0], [name]), 403, "unauthorized")
    default.talk.result("acme.account.policy", account=id_of(client), policy="shown")
    assert finalize(show(client, None), orders[1], [name]).ok  # who finalizes may sit elsewhere


# ----- through a proxy

def test_a_trusted_proxys_headers_show_it(default, system):
    client = default.account(policy="shown")
    client.web.mount("https://", From(PROXY))
    pairs = headers(system.agent)[1::2]
    client.web.headers.update(dict(one.split(": ", 1) for one in pairs))
    assert status_of_order(client) == "ready"
    client.web.headers["X-SSL-CLIENT-VERIFY"] = "FAILED:certificate has expired"
    assert status_of_order(client) == "pending"


def test_a_proxys_own_certificate_is_not_its_clients(default, system):
    client = default.account(policy="shown")
    client.web.mount("https://", From(PROXY))
    assert status_of_order(show(client, system.agent)) == "pending"


def test_headers_from_elsewhere_show_nothing(default, system):
    client = default.account(policy="shown")
    client.web.headers.update(dict(one.split(": ", 1) for one in headers(system.agent)[1::2]))
    assert status_of_order(client) == "pending"
    assert status_of_order(show(client, system.wrong["revoked"])) == "pending"


def test_a_listener_that_asks_for_no_certificates_sees_none(default, system):
    client = show(default.account(policy="shown"), system.agent)
    for name, url in client.directory.items():
        if isinstance(url, str):
            client.directory[name] = url.replace(f":{system.https_port}/", f":{system.silent_port}/")
    client.kid = client.kid.replace(f":{system.https_port}/", f":{system.silent_port}/")
    assert status_of_order(client) == "pending"


# ----- the command

@pytest.mark.parametrize("pem,ok", [("agent", True), ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", False)])
def test_what_is_no_certificate_shows_nothing(default, system, pem, ok):
    client = default.account(policy="shown")
    made = default.talk.call("acme.order.create", account=id_of(client), identifiers=[{"type": "dns", "value": granted()}],
                             client_certificate=system.agent.certificate if pem == "agent" else pem)
    assert made["result"]["status"] == ("ready" if ok else "pending"), made
