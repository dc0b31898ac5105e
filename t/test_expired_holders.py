"""Certificates that the realm has issued and that have ended since: whoever shows TLS one of them is nobody. The wall clock of the
server moves (moving_clock.py); what these holders may do before their end is held first, by the same calls."""

import pathlib
import tempfile

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from moving_clock import MovingClock
from test_acme_accounts import default, order_of, problem  # noqa: F401: a fixture
from test_acme_mtls import show, status_of_order
from test_acme_policies import finalize, granted
from test_rest import AUTH, Holder, Rest, csr_for, pem_of


class Aging(Rest):
    def __init__(self, directory):
        super().__init__(directory)
        self.clock = MovingClock(self.directory)
        self.environment = self.clock.environment

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        config = self.directory / "var" / "realms" / name / "ca.config.yml"
        config.write_text(config.read_text() + """  external_account: optional
  policies:
    shown: {preauthorized: [".granted.localhost"], trusted_client_profiles: [user]}
""")

    def settle(self):
        self.holders = pathlib.Path(tempfile.mkdtemp(prefix="holders-", dir=self.directory))
        self.agent = self.issue_for("agent", "agent 1", "user", 1)
        self.admin = self.issue_for("admin", "short admin", "admin", 1)
        self.lasting = self.issue_for("lasting", "lasting admin", "admin", 30)
        talk = self.talk()
        for admin in (self.admin, self.lasting):
            talk.result("admin.add", dn=admin.dn)
        talk.close()

    def issue_for(self, label, cn, profile, days):
        key = ec.generate_private_key(ec.SECP256R1())
        talk = self.talk()
        made = talk.result("certificate.issue", csr=csr_for(key, cn), profile=profile, days=days)
        talk.close()
        return Holder(self.holders, label, made["certificate"], pem_of(key))


@pytest.fixture(scope="module")
def system():
    with Aging.running() as one:
        one.settle()
        yield one


def test_a_certificate_that_has_ended_serves_nobody(default, system):
    client, name = show(default.account(policy="shown"), system.agent), granted()
    assert status_of_order(client) == "ready"
    ready = order_of(client, name).json()
    for admin in (system.admin, system.lasting):
        assert system.good("/api/v1/private/admins", admin)
    system.clock.move(hours=25)
    assert status_of_order(show(client, system.agent)) == "pending"  # as good as none, and no worse
    assert "no more" in problem(finalize(client, ready, [name]), 403, "unauthorized")["detail"]  # who made it ready has ended since
    assert "expired" in system.bad(AUTH, "/api/v1/private/admins", system.admin)
    assert system.good("/api/v1/private/admins", system.lasting)
