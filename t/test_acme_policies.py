"""What an ACME policy grants beyond names and limits, what operators see of it, and what goes again: challenges of a policy, names
without proof, terms of service that change (RFC 8555 7.3.3), the subject of certificates, the ages of all that is kept."""

import datetime
import os
import signal
import sqlite3
import time

import pytest
from cryptography import x509

from acme_client import b64, make_csr
from conftest import System
from test_acme_accounts import default, devices, fresh, id_of, order_of, problem  # noqa: F401: two fixtures

TERMS = "https://ca.example.net/terms/"


class PolicySystem(System):
    more_acme = {"default": """  external_account: optional
  policies:
    dns: {challenges: [dns-01], ip_challenges: [tls-alpn-01]}
    granted: {preauthorized: [".granted.localhost", "10.1.0.0/16"], allowed_names: [".localhost", "10.0.0.0/8"], denied_names: [no.granted.localhost]}
    near: {preauthorized: [".granted.localhost"], trusted_networks: ["127.0.0.0/8", "::1"]}
    far: {preauthorized: [".granted.localhost"], trusted_networks: ["10.0.0.0/8"]}
""", "devices": """  wildcard_challenges: []
  policy: near
  policies:
    near: {preauthorized: [".granted.localhost"], trusted_networks: ["127.0.0.0/8"]}
"""}

    def file_of(self, realm):
        return self.directory / "var" / "realms" / realm / "ca.config.yml"

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        self.file_of(name).write_text(self.file_of(name).read_text() + self.more_acme[name])

    def reload(self):
        lines = self.log.read_text().count("reloaded, realms")
        os.kill(self.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + 120
        while self.log.read_text().count("reloaded, realms") == lines:
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.02)

    def set_terms(self, realm, url):
        """Gives the realm other terms of service. @param url  None: none"""
        kept = [line for line in self.file_of(realm).read_text().splitlines() if "terms_of_service" not in line]
        at = kept.index("acme:") + 1
        kept[at:at] = [f"  terms_of_service: {url}"] if url else []
        self.file_of(realm).write_text("\n".join(kept) + "\n")
        self.reload()

    def database(self, realm):
        return sqlite3.connect(self.directory / "var" / "realms" / realm / "db" / "realm.db", timeout=60)


@pytest.fixture(scope="module")
def system():
    with PolicySystem.running() as one:
        yield one


@pytest.fixture
def devices_account(devices):
    client = devices.client()
    assert client.register().status_code == 201
    return client


def granted():
    return f"{os.urandom(6).hex()}.granted.localhost"


def challenges_of(client, *names):
    """The types of the challenges of each authorization."""
    order = order_of(client, *names)
    assert order.status_code == 201, order.text
    return [[one["type"] for one in client.post(url).json()["challenges"]] for url in order.json()["authorizations"]]


def finalize(client, order, names, **how):
    return client.post(order["finalize"], {"csr": b64(make_csr(names, **how)[1])})


# ----- challenges of a policy

def test_a_policy_narrows_how_names_are_proved(default):
    assert challenges_of(default.account(policy="dns"), fresh(), "*." + fresh(), "10.0.0.1") == [["dns-01"], ["dns-01"], ["tls-alpn-01"]]
    assert challenges_of(default.account(), fresh(), "10.0.0.1") == [["http-01", "dns-01", "tls-alpn-01"], ["http-01", "tls-alpn-01"]]


def test_a_challenge_that_the_policy_took_away_is_not_there(default):
    client = default.account(policy="dns")
    authorization = order_of(client, fresh()).json()["authorizations"][0]
    problem(client.post(authorization.replace("/authz/", "/challenge/") + "/http-01", {}), 404, "malformed")
    made = client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": fresh()}})
    assert [one["type"] for one in made.json()["challenges"]] == ["dns-01"]


# ----- names without proof

def test_names_that_the_policy_grants_need_no_proof(default):
    client, names = default.account(policy="granted"), [granted(), "10.1.2.3"]
    made = order_of(client, *names)
    order = made.json()
    assert (made.status_code, order["status"]) == (201, "ready"), made.text
    for url in order["authorizations"]:
        authorization = client.post(url).json()
        assert (authorization["status"], authorization["challenges"]) == ("valid", [])
    done = default.talk.call("acme.order.finalize", account=id_of(client), order=made.headers["Location"].rsplit("/", 1)[1],
                             csr=pem_with_address(names))
    assert done["result"]["status"] == "valid", done


def pem_with_address(names):
    import ipaddress

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    texts = [x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() and name.count(".") == 3 else x509.DNSName(name) for name in names]
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(x509.SubjectAlternativeName(texts), critical=False)
    return request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_grant_is_for_its_names_and_accounts_alone(default):
    client, name = default.account(policy="granted"), granted()
    mixed = order_of(client, granted(), fresh()).json()
    assert mixed["status"] == "pending"
    assert [client.post(url).json()["status"] for url in mixed["authorizations"]] == ["valid", "pending"]
    problem(order_of(client, "no.granted.localhost"), 400, "rejectedIdentifier")
    assert order_of(client, "10.2.0.1").json()["status"] == "pending"
    for stranger in (default.account(), default.account(policy="dns")):
        assert order_of(stranger, name).json()["status"] == "pending"
    assert order_of(client, granted()).json()["status"] == "ready"


def test_a_wildcard_is_granted_where_none_can_be_proved(devices_account):
    assert order_of(devices_account, "*." + granted()).json()["status"] == "ready"
    problem(order_of(devices_account, "*." + fresh()), 400, "rejectedIdentifier")


def test_a_grant_ends_with_its_order_and_with_the_policy(default):
    client, name = default.account(policy="granted"), granted()
    first, second = order_of(client, name).json(), order_of(client, name).json()
    assert set(first["authorizations"]).isdisjoint(second["authorizations"]) or first["expires"] == second["expires"]
    default.talk.result("acme.account.policy", account=id_of(client))
    assert "no more" in problem(finalize(client, first, [name]), 403, "unauthorized")["detail"]
    assert order_of(client, name).json()["status"] in ("pending", "ready")  # ready: the second's authorization, made in this second
    default.talk.result("acme.account.policy", account=id_of(client), policy="granted")
    assert finalize(client, second, [name]).json()["status"] == "valid"


def test_a_network_is_trusted_for_the_addresses_in_it(default, devices_account):
    for policy, status in (("near", "ready"), ("far", "pending")):
        assert order_of(default.account(policy=policy), granted()).json()["status"] == status
    assert order_of(devices_account, granted()).json()["status"] == "ready"  # the realm's own policy
    assert order_of(devices_account, fresh()).json()["status"] == "pending"


def test_a_granted_name_is_authorized_beforehand(default):
    client = default.account(policy="granted")
    made = client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": granted()}})
    assert (made.status_code, made.json()["status"], made.json()["challenges"]) == (201, "valid", [])
    other = client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": fresh()}})
    assert (other.status_code, other.json()["status"]) == (201, "pending")


def test_the_story_names_who_asked_from_where_and_by_what_right(default, web):
    client, name, proved = default.account(policy="granted"), granted(), fresh()
    order = order_of(client, name, proved)
    client.prove(order.json(), web.answers)
    assert finalize(client, order.json(), [name, proved]).json()["status"] == "valid"
    told = [one["what"] for one in default.talk.result("acme.show", order=order.headers["Location"].rsplit("/", 1)[1])["story"]]
    assert told[0] == f"order made by acme:{id_of(client)} from 127.0.0.1"
    assert any(one.startswith(name) and "preauthorized by the account's policy, asked for from 127.0.0.1" in one for one in told)
    assert any(one.startswith(proved + " by http-01: valid") and one.endswith("asked for from 127.0.0.1") for one in told)
    assert any("issued for acme:" in one and "through http" in one for one in told)


# ----- the certificate's subject

@pytest.mark.parametrize("common_name", [True, False])
def test_F41_the_subject_is_empty_and_its_names_critical(default, common_name):
    """RFC 5280 4.2.1.6; the names are those of the order, in its order, whatever the request's subject says."""
    client, names = default.account(policy="granted"), [granted(), granted()]
    order = order_of(client, *names).json()
    done = finalize(client, order, names[::-1], **({"common_name": names[1]} if common_name else {})).json()
    certificate = x509.load_pem_x509_certificate(client.post(done["certificate"]).content)
    sans = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert set(sans.value.get_values_for_type(x509.DNSName)) == set(names)
    assert sans.critical == (not list(certificate.subject))


# ----- terms of service (RFC 8555 7.3.3)

def wants_agreement(answer, url):
    refusal = problem(answer, 403, "userActionRequired")
    assert refusal["instance"] == url and answer.links["terms-of-service"]["url"] == url


def test_changed_terms_are_to_be_agreed_to_anew(system, devices, devices_account):
    before = order_of(devices_account, granted()).json()
    names = [before["identifiers"][0]["value"]]
    try:
        system.set_terms("devices", TERMS + "1")
        wants_agreement(devices.client().register(termsOfServiceAgreed=False), TERMS + "1")
        agreed, stubborn = devices.client(), devices_account
        assert agreed.directory["meta"]["termsOfService"] == TERMS + "1"
        assert agreed.register(termsOfServiceAgreed=True).status_code == 201
        assert order_of(agreed, granted()).status_code == 201
        wants_agreement(order_of(stubborn, granted()), TERMS + "1")  # when it agreed, there were none
        system.set_terms("devices", TERMS + "2")
        for client in (agreed, stubborn):
            wants_agreement(order_of(client, granted()), TERMS + "2")
            wants_agreement(client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": fresh()}}), TERMS + "2")
        assert finalize(stubborn, before, names).json()["status"] == "valid"  # what was ordered before is not touched
        assert agreed.post(agreed.kid, {"termsOfServiceAgreed": False}).ok
        wants_agreement(order_of(agreed, granted()), TERMS + "2")
        problem(agreed.post(agreed.kid, {"termsOfServiceAgreed": "yes"}), 400, "malformed")
        assert agreed.post(agreed.kid, {"termsOfServiceAgreed": True}).json()["termsOfServiceAgreed"] is True
        assert order_of(agreed, granted()).status_code == 201
        assert stubborn.register(onlyReturnExisting=True, termsOfServiceAgreed=False).status_code == 200
        wants_agreement(order_of(stubborn, granted()), TERMS + "2")
        assert stubborn.register(termsOfServiceAgreed=True).status_code == 200  # as clients do when they are run again
        assert order_of(stubborn, granted()).status_code == 201
    finally:
        system.set_terms("devices", None)
    assert order_of(devices_account, granted()).status_code == 201


# ----- renewal information

def test_the_window_ends_before_the_authority(system, default):
    """RFC 9773 4.2: of every certificate, whatever its profile says, the window ends before the CA does."""
    client, name = default.account(policy="granted"), granted()
    done = finalize(client, order_of(client, name).json(), [name]).json()
    certificate = x509.load_pem_x509_certificate(client.post(done["certificate"]).content)
    authority = x509.load_pem_x509_certificate(default.realm.ca_file.read_bytes())
    key_id = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    number = certificate.serial_number
    identifier = b64(key_id) + "." + b64(number.to_bytes(number.bit_length() // 8 + 1, "big"))
    window = client.web.get(client.directory["renewalInfo"] + "/" + identifier, timeout=60).json()["suggestedWindow"]
    end = datetime.datetime.fromisoformat(window["end"].replace("Z", "+00:00")).replace(tzinfo=None)
    assert end < min(certificate.not_valid_after, authority.not_valid_after)


# ----- what is kept, and how long

# table -> how its rows are made old; what upkeep then leaves of them is nothing
AGEING = {
    "acme_order": "UPDATE acme_order SET created_at = :old, expires = :old",
    "acme_replacement": "",  # goes with its order
    "acme_origin": "",
    "acme_authorization": "UPDATE acme_authorization SET created_at = :old, expires = :old",
    "acme_failure": "UPDATE acme_failure SET at = :old",
    "acme_reservation": "UPDATE acme_reservation SET at = :old",
    "acme_eab": "UPDATE acme_eab SET created_at = :old, expires_at = :old",
    "acme_account": "UPDATE acme_account SET created_at = :old",
    "acme_binding": "",  # goes with its account
    "acme_agreement": "",
}


def counts(database):
    return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in AGEING}


def test_I28_the_store_does_not_grow_with_what_has_ended(system, default, web):
    """Every table of ACME is filled by clients, aged in place, and emptied by upkeep; certificates stay."""
    client = default.account(policy="granted", expires="1h")
    order = order_of(client, fresh()).json()
    challenge = client.post(order["authorizations"][0]).json()["challenges"][0]
    assert challenge["type"] == "http-01" and client.post(challenge["url"], {}).ok  # nobody put the proof there
    assert client.poll(order["authorizations"][0], ("valid", "invalid"))["status"] == "invalid"
    name = granted()
    done = finalize(client, order_of(client, name).json(), [name]).json()
    certificate = x509.load_pem_x509_certificate(client.post(done["certificate"]).content)
    key_id = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    number = certificate.serial_number
    replaced = b64(key_id) + "." + b64(number.to_bytes(number.bit_length() // 8 + 1, "big"))
    assert order_of(client, name, replaces=replaced).status_code == 201
    with system.database("default") as database:
        # Room that a worker took which died before it signed.
        database.execute("INSERT INTO acme_reservation SELECT realm_id, 'DNS:lost.localhost', :now, id FROM acme_order LIMIT 1", {"now": int(time.time())})
        before, certificates = counts(database), database.execute("SELECT count(*) FROM certificate").fetchone()[0]
        assert all(before.values()), before
        for statement in filter(None, AGEING.values()):
            database.execute(statement, {"old": int(time.time()) - 1000 * 86400})
        # Certificates in force would keep their accounts.
        database.execute("UPDATE certificate SET not_after = :old WHERE requester LIKE 'acme:%'", {"old": int(time.time()) - 1000 * 86400})
        database.execute("DELETE FROM meta WHERE name = 'acme_account_sweep'")
    deadline = time.monotonic() + 120
    while True:  # each round takes a batch
        default.talk.result("realm.reconcile")
        with system.database("default") as database:
            left = counts(database)
            if not any(left.values()):
                break
            database.execute("DELETE FROM meta WHERE name = 'acme_account_sweep'")
        assert time.monotonic() < deadline, left
    with system.database("default") as database:
        assert database.execute("SELECT count(*) FROM certificate").fetchone()[0] == certificates
