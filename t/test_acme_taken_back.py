"""Methods that a realm offered when an authorization was made, and takes back before it is proved."""

import json
import time

import pytest

from challenges import ISSUER, account, challenge_of, order
from dns_server import txt
from test_acme_accounts import problem
from test_acme_policies import PolicySystem

OFFERED = f"""  challenges: [http-01, dns-persist-01]
  wildcard_challenges: [dns-01, dns-persist-01]
  caa_identities: [{ISSUER}]
"""
TAKEN_BACK = "  challenges: [http-01]\n  wildcard_challenges: [dns-01]\n"


class ChangingSystem(PolicySystem):
    resolver_port = 53

    def lay_out_realm(self, name):
        self.more_acme = {"default": "", "devices": ""}
        super().lay_out_realm(name)
        if name == "default":
            self.plain = self.file_of(name).read_text() + f"  resolver: 127.0.0.1:{self.resolver_port}\n"
            self.file_of(name).write_text(self.plain + OFFERED)

    def offer(self, text):
        self.file_of("default").write_text(self.plain + text)
        self.reload()


@pytest.fixture(scope="module")
def system(dns):
    with ChangingSystem.running(resolver_port=dns.port) as one:
        yield one


@pytest.fixture
def client(system):
    system.offer(OFFERED)
    return account(system)


def crashes(system):
    return system.log.read_text().count("ended: signal")


def stored(system, url, change=None):
    """The dns-persist-01 challenge as the database has it, changed."""
    with system.database("default") as database:
        row = url.rsplit("/", 1)[1]
        text, = database.execute("SELECT challenges FROM acme_authorization WHERE id = ?", (row,)).fetchone()
        challenges = json.loads(text)
        one = next(one for one in challenges if one["type"] == "dns-persist-01")
        if change:
            one.update(change)
            database.execute("UPDATE acme_authorization SET challenges = ? WHERE id = ?", (json.dumps(challenges), row))
    return one


@pytest.mark.parametrize("name", ["www.taken.example", "*.wild.taken.example"])
def test_a_method_that_was_taken_back_is_refused(system, dns, client, name):
    url = order(client, name)[1]["authorizations"][0]
    challenge = challenge_of(client, url, "dns-persist-01")
    dns.zone["_validation-persist." + name.removeprefix("*.")] = [txt("nothing")]
    system.offer(TAKEN_BACK)
    said = problem(client.post(challenge["url"], {}), 400, "malformed")["detail"]
    assert "no longer offers dns-persist-01 for " + name.removeprefix("*.") in said
    assert client.post(challenge["url"]).json()["status"] == "pending"
    assert client.post(url).json()["status"] == "pending"
    assert crashes(system) == 0


def test_an_interrupted_one_of_such_a_method_is_left(system, client):
    url = order(client, "left.taken.example")[1]["authorizations"][0]
    challenge = challenge_of(client, url, "dns-persist-01")
    system.offer(TAKEN_BACK)
    interrupted = {"status": "processing", "claim": "somebody", "claimed_until": int(time.time()) - 1}
    for look in (url, challenge["url"]):
        stored(system, url, interrupted)
        found = client.post(look)
        assert (found.status_code, found.json()["status"]) == (200, "pending"), found.text
        assert stored(system, url)["status"] == "pending"  # nobody begins it again
    assert client.post(url).json()["status"] == "pending"
    assert crashes(system) == 0


def test_what_is_still_offered_proves_the_name(system, client):
    url = order(client, "still.taken.example")[1]["authorizations"][0]
    system.offer(TAKEN_BACK)
    assert client.post(challenge_of(client, url, "http-01")["url"], {}).ok
    assert client.poll(url, ("invalid",))["status"] == "invalid"  # it was tried
