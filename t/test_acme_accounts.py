"""Who may have an ACME account and what becomes of it: external account binding (RFC 8555 7.3.4), policies, limits, operators."""

import concurrent.futures
import datetime
import json
import os
import sqlite3
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from acme_client import Client, Key, b64, binding, make_csr
from conftest import System
from http01_server import Web


def fresh():
    return f"{os.urandom(6).hex()}.own.localhost"


def problem(answer, status, kind):
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == "urn:ietf:params:acme:error:" + kind, answer.text
    assert answer.headers["Replay-Nonce"]
    return answer.json()


class BoundSystem(System):
    """Realm devices wants external accounts, realm default takes them and has a policy for each test."""

    more_acme = {"devices": "  external_account: required\n",
                 "default": """  external_account: optional
  profiles: [webapp]
  renewal_explanation: https://ca.example.net/revoked
  policies:
    narrow: {allowed_names: [".own.localhost", "*.one.localhost", "10.0.0.0/8"], denied_names: [denied.own.localhost], wildcards: false, profiles: [server]}
    webapps: {profiles: [webapp]}
    slow: {orders_per_hour: 3}
    few: {certificates_per_name: 1}
    failing: {failed_validations_per_hour: 2}
    waiting: {pending_authorizations: 2}
"""}

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        file = self.directory / "var" / "realms" / name / "ca.config.yml"
        file.write_text(file.read_text() + self.more_acme[name])


@pytest.fixture(scope="module")
def system():
    with BoundSystem.running() as one:
        yield one


class Realm:
    """A realm as its operators and its clients see it."""

    def __init__(self, system, name):
        self.realm = system.realm(name)
        self.talk = self.realm.talk()

    def client(self, key=None):
        return Client(self.realm.directory_url, str(self.realm.https_ca_file), key)

    def eab(self, **more):
        return self.talk.result("acme.eab.create", **more)

    def bound(self, key, client=None, **changes):
        """Asks for an account that is bound by `key`. @return (client, answer)"""
        client = client or self.client()
        made = binding(client.directory["newAccount"], client.key.jwk(), key, **changes)
        return client, client.register(externalAccountBinding=made)

    def account(self, **eab):
        """A client with an account, bound or not, as the realm wants it."""
        client = self.client()
        more = {"externalAccountBinding": binding(client.directory["newAccount"], client.key.jwk(), self.eab(**eab))} if eab or self.realm.name == "devices" else {}
        assert client.register(**more).status_code == 201
        return client


def id_of(client):
    return client.kid.rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def default(system):
    return Realm(system, "default")


@pytest.fixture(scope="module")
def devices(system):
    return Realm(system, "devices")


# ----- external account binding

def test_the_directory_says_whether_a_binding_is_wanted(default, devices):
    assert default.client().directory["meta"]["externalAccountRequired"] is False
    assert devices.client().directory["meta"]["externalAccountRequired"] is True


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("realm_name", ["default", "devices"])
def test_F40_a_bound_account_is_made(request, realm_name, algorithm):
    realm = request.getfixturevalue(realm_name)
    key = realm.eab(label="team a")
    client, made = realm.bound(key, algorithm=algorithm)
    assert made.status_code == 201, made.text
    assert client.post(client.kid).json()["status"] == "valid"
    listed = {one["kid"]: one for one in realm.talk.result("acme.eab.list")["keys"]}
    assert listed[key["kid"]]["used"] == 1 and listed[key["kid"]]["state"] == "good" and "mac_key" not in listed[key["kid"]]


def test_without_a_binding_there_is_an_account_only_where_none_is_wanted(default, devices):
    assert default.client().register().status_code == 201
    client = devices.client()
    assert "key identifier" in problem(client.register(), 403, "externalAccountRequired")["detail"]
    problem(client.register(onlyReturnExisting=True), 400, "accountDoesNotExist")


def test_an_account_that_is_there_needs_no_binding(devices):
    client, made = devices.bound(devices.eab())
    again = client.register()
    assert (again.status_code, again.headers["Location"]) == (200, made.headers["Location"])


WRONG_BINDINGS = {
    "another mac key": (lambda r, c: {"key": {**r.eab(), "mac_key": b64(os.urandom(64))}}, 403, "unauthorized"),
    "an unknown kid": (lambda r, c: {"key": {"kid": "nobody", "mac_key": b64(os.urandom(64))}}, 403, "unauthorized"),
    "an unknown kid of zeros": (lambda r, c: {"key": {"kid": "nobody", "mac_key": b64(bytes(64))}}, 403, "unauthorized"),
    "the other realm's key": (lambda r, c: {"key": r.other.eab()}, 403, "unauthorized"),
    "an empty signature": (lambda r, c: {"key": r.eab(), "signature": b""}, 403, "unauthorized"),
    "a cut signature": (lambda r, c: {"key": r.eab(), "signature": bytes(16)}, 403, "unauthorized"),
    "HS512's mac under HS256": (lambda r, c: {"key": r.eab(), "algorithm": "HS512", "alg": "HS256"}, 403, "unauthorized"),
    "alg none": (lambda r, c: {"key": r.eab(), "alg": "none"}, 400, "malformed"),
    "alg RS256": (lambda r, c: {"key": r.eab(), "alg": "RS256"}, 400, "malformed"),
    "alg ES256": (lambda r, c: {"key": r.eab(), "alg": "ES256"}, 400, "malformed"),
    "alg HS1": (lambda r, c: {"key": r.eab(), "alg": "HS1"}, 400, "malformed"),
    "no alg": (lambda r, c: {"key": r.eab(), "alg": None}, 400, "malformed"),
    "no kid": (lambda r, c: {"key": r.eab(), "kid": None}, 400, "malformed"),
    "kid a number": (lambda r, c: {"key": r.eab(), "kid": 7}, 400, "malformed"),
    "no url": (lambda r, c: {"key": r.eab(), "url": None}, 400, "malformed"),
    "another url": (lambda r, c: {"key": r.eab(), "url": c.directory["newOrder"]}, 400, "malformed"),
    "url of the other realm": (lambda r, c: {"key": r.eab(), "url": r.other.client().directory["newAccount"]}, 400, "malformed"),
    "a nonce": (lambda r, c: {"key": r.eab(), "nonce": c.nonce()}, 400, "malformed"),
    "a jwk": (lambda r, c: {"key": r.eab(), "jwk": c.key.jwk()}, 400, "malformed"),
    "crit": (lambda r, c: {"key": r.eab(), "crit": ["exp"]}, 400, "malformed"),
    "another account key": (lambda r, c: {"key": r.eab(), "payload": json.dumps(Key().jwk()).encode()}, 400, "malformed"),
    "no payload": (lambda r, c: {"key": r.eab(), "payload": b""}, 400, "malformed"),
    "a payload that is no key": (lambda r, c: {"key": r.eab(), "payload": b"{}"}, 400, "malformed"),
    "a payload that is no JSON": (lambda r, c: {"key": r.eab(), "payload": b"{"}, 400, "malformed"),
}


@pytest.mark.parametrize("case", WRONG_BINDINGS)
def test_F40_a_wrong_binding_makes_no_account(default, devices, case):
    devices.other = default
    make, status, kind = WRONG_BINDINGS[case]
    client = devices.client()
    problem(devices.bound(client=client, **make(devices, client))[1], status, kind)
    problem(client.register(onlyReturnExisting=True), 400, "accountDoesNotExist")


@pytest.mark.parametrize("made", [7, "text", [], True, {}, {"protected": "e30", "payload": "e30"}, {"protected": 1, "payload": "", "signature": ""},
                                  {"protected": "!", "payload": "e30", "signature": "AA"}, {"protected": "e30", "payload": "e30", "signature": "AA"},
                                  {"payload": "e30", "signatures": [{"protected": "e30", "signature": "AA"}]}], ids=str)
def test_F40_what_is_no_binding_makes_no_account(default, made):
    problem(default.client().register(externalAccountBinding=made), 400, "malformed")


def test_F40_a_flattened_jws_has_no_unprotected_header(devices):
    client = devices.client()
    made = binding(client.directory["newAccount"], client.key.jwk(), devices.eab())
    problem(client.register(externalAccountBinding={**made, "header": {"kid": "x"}}), 400, "malformed")


def test_F40_a_key_binds_as_many_accounts_as_it_may(devices):
    key = devices.eab(uses=2)
    assert key["uses_left"] == 2
    made = [devices.bound(key)[1] for _ in range(3)]
    assert [one.status_code for one in made] == [201, 201, 403]
    assert "bound all" in problem(made[2], 403, "unauthorized")["detail"]
    listed = {one["kid"]: one for one in devices.talk.result("acme.eab.list")["keys"]}
    assert (listed[key["kid"]]["state"], listed[key["kid"]]["used"]) == ("used", 2)


def test_F40_a_key_for_one_account_binds_one_of_many_that_ask_at_once(devices):
    key = devices.eab(uses=1)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        codes = sorted(one.status_code for one in pool.map(lambda _: devices.bound(key)[1], range(6)))
    assert codes == [201] + [403] * 5


def test_an_account_that_was_refused_takes_no_use(devices):
    key = devices.eab(uses=1)
    client = devices.client()
    made = binding(client.directory["newAccount"], client.key.jwk(), key)
    problem(client.register(externalAccountBinding=made, contact=["tel:+123"]), 400, "unsupportedContact")
    assert client.register(externalAccountBinding=made).status_code == 201


def test_F40_a_deleted_key_binds_nobody(devices):
    key = devices.eab()
    kept, made = devices.bound(key)
    assert made.status_code == 201
    assert devices.talk.result("acme.eab.delete", kid=key["kid"]) == {"kid": key["kid"], "blocked": 0}
    problem(devices.bound(key)[1], 403, "unauthorized")
    assert kept.post(kept.kid).ok  # its account stays
    assert devices.talk.code("acme.eab.delete", kid=key["kid"]) == "not_found"


def test_deleting_a_key_can_block_its_accounts(devices):
    key = devices.eab()
    bound = [devices.bound(key)[0] for _ in range(2)]
    bystander = devices.account()
    assert devices.talk.result("acme.eab.delete", kid=key["kid"], block_accounts=True)["blocked"] == 2
    for one in bound:
        problem(one.post(one.kid), 403, "unauthorized")
    assert bystander.post(bystander.kid).ok


@pytest.mark.parametrize("wrong", [{"expires": "1s"}, {"expires": "soon"}, {"uses": 0}, {"uses": -1}, {"label": "x" * 129}], ids=str)
def test_keys_that_cannot_be_made(devices, wrong):
    assert devices.talk.code("acme.eab.create", **wrong) in ("invalid_params", "too_large")


def test_F50_a_key_of_one_realm_is_none_in_the_other(default, devices):
    key = devices.eab()
    problem(default.bound(key)[1], 403, "unauthorized")
    assert default.talk.code("acme.eab.delete", kid=key["kid"]) == "not_found"


def test_an_expired_key_says_so(devices, system):
    key = devices.eab(expires="1h")
    with sqlite3.connect(system.directory / "var/realms/devices/db/realm.db", timeout=60) as database:
        database.execute("UPDATE acme_eab SET expires_at = ? WHERE kid = ?", (int(datetime.datetime.now().timestamp()) - 5, key["kid"]))
    assert "expired" in problem(devices.bound(key)[1], 403, "unauthorized")["detail"]


# ----- policies

def identifier(name):
    return {"type": "ip" if name.replace(".", "").isdigit() else "dns", "value": name}


def order_of(client, *names, **more):
    return client.post(client.directory["newOrder"], {"identifiers": [identifier(name) for name in names], **more})


@pytest.mark.parametrize("name", ["a.own.localhost", "a.b.own.localhost", "web.one.localhost", "10.1.2.3"])
def test_a_policy_takes_what_it_allows(default, name):
    assert order_of(default.account(policy="narrow"), name).status_code == 201


@pytest.mark.parametrize("name", ["own.localhost", "a.other.localhost", "a.b.one.localhost", "denied.own.localhost", "11.1.2.3"])
def test_a_policy_refuses_what_it_does_not_allow(default, name):
    client = default.account(policy="narrow")
    refusal = problem(order_of(client, name), 400, "rejectedIdentifier")
    assert "policy" in refusal["detail"] and refusal["subproblems"][0]["identifier"]["value"] == name
    assert default.client().register().status_code == 201  # and others' accounts have their own


def test_each_bad_identifier_is_named(default):
    client = default.account(policy="narrow")
    good, bad = fresh(), ["denied.own.localhost", "a.other.localhost"]
    refusal = problem(order_of(client, good, *bad), 400, "rejectedIdentifier")
    assert [one["identifier"] for one in refusal["subproblems"]] == [{"type": "dns", "value": one} for one in bad]
    assert all(one["type"].endswith(":rejectedIdentifier") and one["detail"] for one in refusal["subproblems"])


def test_bad_identifiers_of_several_kinds_are_compound(default):
    client = default.account()
    made = client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "a..b"}, {"type": "email", "value": "a@b.example"},
                                                                      {"type": "dns", "value": fresh()}]})
    refusal = problem(made, 400, "compound")
    assert [one["type"].rsplit(":", 1)[1] for one in refusal["subproblems"]] == ["rejectedIdentifier", "unsupportedIdentifier"]


def test_a_policy_chooses_profiles(default):
    client = default.account(policy="webapps")
    assert order_of(client, fresh()).json()["profile"] == "webapp"
    assert order_of(client, fresh(), profile="webapp").status_code == 201
    problem(order_of(client, fresh(), profile="server"), 400, "invalidProfile")
    problem(order_of(client, fresh(), profile="none"), 400, "invalidProfile")
    assert order_of(default.account(), fresh()).json()["profile"] == "server"


def test_an_operator_gives_an_account_another_policy(default):
    client = default.account()
    assert order_of(client, "denied.own.localhost").status_code == 201
    assert default.talk.result("acme.account.policy", account=id_of(client), policy="narrow")["policy"] == "narrow"
    problem(order_of(client, "denied.own.localhost"), 400, "rejectedIdentifier")
    default.talk.result("acme.account.policy", account=id_of(client))
    assert order_of(client, "denied.own.localhost").status_code == 201
    assert default.talk.code("acme.account.policy", account=id_of(client), policy="narow") == "not_found"
    assert default.talk.code("acme.account.policy", account="nobody", policy="narrow") == "not_found"
    assert default.talk.code("acme.eab.create", policy="narow") == "not_found"


def test_a_policy_that_was_taken_away_since_refuses_the_finalize(default, web):
    client, name = default.account(), "denied.own.localhost"
    order = order_of(client, name).json()
    client.prove(order, web.answers)
    default.talk.result("acme.account.policy", account=id_of(client), policy="narrow")
    problem(client.post(order["finalize"], {"csr": b64(make_csr([name])[1])}), 400, "rejectedIdentifier")
    default.talk.result("acme.account.policy", account=id_of(client))
    assert client.post(order["finalize"], {"csr": b64(make_csr([name])[1])}).ok


# ----- limits

def limited(answer, at_most):
    refusal = problem(answer, 429, "rateLimited")
    assert 0 < int(answer.headers["Retry-After"]) <= at_most
    return refusal


def test_C30_orders_in_an_hour(default):
    client = default.account(policy="slow")
    assert [order_of(client, fresh()).status_code for _ in range(3)] == [201] * 3
    limited(order_of(client, fresh()), 3600)
    assert order_of(default.account(policy="slow"), fresh()).status_code == 201  # it is the account's limit


def test_C30_certificates_of_a_name_in_a_week(default, web):
    first, second, name = default.account(policy="few"), default.account(policy="few"), fresh()
    first.obtain([name], web.answers)
    for client in (first, second):  # whoever had the certificate
        refusal = limited(order_of(client, fresh(), name), 7 * 86400)
        assert [one["identifier"]["value"] for one in refusal["subproblems"]] == [name]
        assert refusal["subproblems"][0]["type"].endswith(":rateLimited")
    assert order_of(first, fresh()).status_code == 201
    assert order_of(default.account(), name).status_code == 201  # another policy


def test_C30_orders_made_in_advance_get_no_more_certificates(default, web):
    client, name = default.account(policy="few"), fresh()
    early, late = order_of(client, name).json(), order_of(client, name).json()
    for order in (early, late):
        client.prove(order, web.answers)
    assert client.post(early["finalize"], {"csr": b64(make_csr([name])[1])}).ok
    limited(client.post(late["finalize"], {"csr": b64(make_csr([name])[1])}), 7 * 86400)


def test_C30_failed_validations_of_a_name(default, web):
    client, name = default.account(policy="failing"), fresh()
    for _ in range(2):
        order = order_of(client, name).json()
        challenge = client.post(order["authorizations"][0]).json()["challenges"][0]
        assert client.post(challenge["url"], {}).ok  # nobody put the proof there
        assert client.poll(order["authorizations"][0], ("valid", "invalid"))["status"] == "invalid"
    refusal = limited(order_of(client, fresh(), name), 3600)
    assert [one["identifier"]["value"] for one in refusal["subproblems"]] == [name]
    assert order_of(client, fresh()).status_code == 201
    assert order_of(default.account(policy="failing"), name).status_code == 201  # it is the account's limit


def test_C30_pending_authorizations(default, web):
    client = default.account(policy="waiting")
    first = order_of(client, fresh()).json()
    limited(order_of(client, fresh(), fresh()), 8 * 86400)
    assert order_of(client, fresh()).status_code == 201
    limited(order_of(client, fresh()), 8 * 86400)
    limited(client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": fresh()}}), 8 * 86400)
    client.prove(first, web.answers)
    assert order_of(client, fresh()).status_code == 201


# ----- operators

def test_operators_find_accounts(default):
    key = default.eab(label="team b", policy="narrow")
    client, _ = default.bound(key)
    rows = default.talk.result("acme.accounts", eab=key["kid"])["accounts"]
    assert [(one["id"], one["status"], one["eab"], one["policy"]) for one in rows] == [(id_of(client), "valid", key["kid"], "narrow")]
    assert default.talk.result("acme.accounts", eab=key["kid"], status="blocked")["accounts"] == []
    assert default.talk.result("acme.accounts", eab="nobody")["accounts"] == []
    assert default.talk.code("acme.accounts", status="vaild") == "invalid_params"


def pages(talk, method, member, **params):
    rows, after = [], None
    while True:
        page = talk.result(method, **params, **({"after": after} if after else {}))
        rows += page[member]
        after = page.get("next")
        if not after:
            return rows


def test_operators_find_orders_and_authorizations(default, web):
    client = default.account()
    names = [fresh() for _ in range(3)]
    orders = [order_of(client, name) for name in names]
    client.prove(orders[0].json(), web.answers)
    found = pages(default.talk, "acme.orders", "orders", account=id_of(client), limit=1)
    assert [one["identifiers"][0]["value"] for one in found] == names[::-1] or {one["identifiers"][0]["value"] for one in found} == set(names)
    assert {one["id"] for one in found} == {one.headers["Location"].rsplit("/", 1)[1] for one in orders}
    assert {one["id"] for one in found} <= {one["id"] for one in pages(default.talk, "acme.orders", "orders", limit=1000)}
    valid = pages(default.talk, "acme.authorizations", "authorizations", account=id_of(client), status="valid", limit=1)
    assert [one["name"] for one in valid] == [names[0]]
    assert len(pages(default.talk, "acme.authorizations", "authorizations", account=id_of(client), limit=2)) == 3
    everybodys = pages(default.talk, "acme.authorizations", "authorizations", limit=1000)
    assert set(names) <= {one["name"] for one in everybodys}
    assert default.talk.result("acme.orders", account="nobody")["orders"] == []
    assert default.talk.code("acme.orders", status="done") == "invalid_params"
    assert default.talk.code("acme.orders", after="x") == "invalid_params"


def test_an_orders_whole_story(default, web):
    client, name = default.account(label="story", policy="narrow"), fresh()
    _, _, order_url = client.obtain([name], web.answers)
    order = order_url.rsplit("/", 1)[1]
    story = default.talk.result("acme.show", order=order)
    assert (story["status"], story["account"], story["holder"]["policy"]) == ("valid", id_of(client), "narrow")
    assert story["certificate"]["serial"] == story["serial"] and story["certificate"]["requester"] == "acme:" + id_of(client)
    told = [one["what"] for one in story["story"]]
    assert told[0] == "order made by acme:" + id_of(client) + " from 127.0.0.1"
    assert name in told[1] and "127.0.0.1" in told[1] and "valid" in told[1]  # what was checked, and from where
    assert story["serial"] in told[2]
    assert [one["at"] for one in story["story"]] == sorted(one["at"] for one in story["story"])
    default.talk.result("certificate.revoke", serial=story["serial"], reason="superseded")
    assert "superseded" in default.talk.result("acme.show", order=order)["story"][-1]["what"]
    assert default.talk.code("acme.show", order="nobody") == "not_found"


def test_a_failed_orders_story_says_why(default, web):
    client, name = default.account(), fresh()
    made = order_of(client, name)
    challenge = client.post(made.json()["authorizations"][0]).json()["challenges"][0]
    client.post(challenge["url"], {})
    client.poll(made.json()["authorizations"][0], ("valid", "invalid"))
    story = default.talk.result("acme.show", order=made.headers["Location"].rsplit("/", 1)[1])
    assert story["status"] == "invalid" and "invalid" in story["error"]["detail"] and "certificate" not in story
    assert any(name in one["what"] and "invalid" in one["what"] for one in story["story"])


def test_a_blocked_account_does_nothing_and_its_orders_end(default):
    client = default.account()
    pending = order_of(client, fresh())
    assert default.talk.result("acme.block", account=id_of(client)) == {"account": id_of(client), "status": "blocked"}
    for answer in (client.post(client.kid), order_of(client, fresh()), client.post(pending.headers["Location"]), client.register()):
        assert "blocked" in problem(answer, 403, "unauthorized")["detail"]
    assert default.talk.result("acme.block", account=id_of(client))["status"] == "blocked"
    assert default.talk.result("acme.show", order=pending.headers["Location"].rsplit("/", 1)[1])["status"] == "invalid"
    assert default.talk.result("acme.unblock", account=id_of(client))["status"] == "valid"
    assert client.post(client.kid).ok
    assert client.post(pending.headers["Location"]).json()["status"] == "invalid"


def test_a_deactivated_account_never_comes_back(default):
    client = default.account()
    assert default.talk.result("acme.deactivate", account=id_of(client))["status"] == "deactivated"
    problem(client.post(client.kid), 403, "unauthorized")
    assert default.talk.code("acme.unblock", account=id_of(client)) == "conflict"
    assert default.talk.code("acme.block", account=id_of(client)) == "conflict"
    for command in ("acme.block", "acme.unblock", "acme.deactivate"):
        assert default.talk.code(command, account="nobody") == "not_found"


def test_a_blocked_account_can_be_deactivated(default):
    client = default.account()
    default.talk.result("acme.block", account=id_of(client))
    assert default.talk.result("acme.deactivate", account=id_of(client))["status"] == "deactivated"


def test_F50_operators_of_one_realm_see_nothing_of_the_other(default, devices):
    client = default.account()
    order = order_of(client, fresh()).headers["Location"].rsplit("/", 1)[1]
    assert devices.talk.code("acme.show", order=order) == "not_found"
    assert devices.talk.code("acme.block", account=id_of(client)) == "not_found"
    assert devices.talk.result("acme.orders", account=id_of(client))["orders"] == []
    assert devices.talk.result("acme.authorizations", account=id_of(client))["authorizations"] == []


# ----- pre-authorization (RFC 8555 7.4.1)

def authorize(client, name, **more):
    return client.post(client.directory["newAuthz"], {"identifier": {"type": "dns", "value": name}, **more})


def test_a_name_is_proved_before_it_is_ordered(default, web):
    client, name = default.account(), fresh()
    made = authorize(client, name)
    assert made.status_code == 201 and made.json()["status"] == "pending" and made.json()["identifier"] == {"type": "dns", "value": name}
    url = made.headers["Location"]
    client.prove({"authorizations": [url]}, web.answers)
    order = order_of(client, name).json()
    assert order["status"] == "ready" and order["authorizations"] == [url]
    again = authorize(client, name)
    assert again.status_code == 200 and again.headers["Location"] == url and again.json()["status"] == "valid"
    problem(authorize(default.account(policy="narrow"), "a.other.localhost"), 400, "rejectedIdentifier")


@pytest.mark.parametrize("payload,kind", [({}, "malformed"), ({"identifier": "x"}, "malformed"), ({"identifier": {}}, "malformed"),
                                          ({"identifier": {"type": "dns"}}, "malformed"), ({"identifier": {"type": "dns", "value": 7}}, "malformed"),
                                          ({"identifier": {"type": "email", "value": "a@b.example"}}, "unsupportedIdentifier"),
                                          ({"identifier": {"type": "dns", "value": "localhost"}}, "rejectedIdentifier"),
                                          ({"identifier": {"type": "dns", "value": "a..b"}}, "rejectedIdentifier")], ids=str)
def test_what_cannot_be_proved_beforehand(default, payload, kind):
    client = default.account()
    problem(client.post(client.directory["newAuthz"], payload), 400, kind)


def test_no_wildcard_is_proved_beforehand(default):
    answer = authorize(default.account(), "*." + fresh())
    assert answer.status_code == 400 and answer.json()["type"].rsplit(":", 1)[1] in ("malformed", "rejectedIdentifier")


# ----- renewal information (RFC 9773)

def certificate_id(pem):
    certificate = x509.load_pem_x509_certificate(pem.encode())
    key_id = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    number = certificate.serial_number
    return b64(key_id) + "." + b64(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def info(client, certificate):
    return client.web.get(client.directory["renewalInfo"] + "/" + certificate, timeout=60)


def window_of(answer):
    assert answer.status_code == 200, answer.text
    window = answer.json()["suggestedWindow"]
    return tuple(datetime.datetime.fromisoformat(window[one].replace("Z", "+00:00")) for one in ("start", "end"))


@pytest.fixture(scope="module")
def owned(default, system, tmp_path_factory):
    """An account with a certificate that nobody revokes. @return (client, names, PEM chain)"""
    web = Web(system.http01_port, tmp_path_factory.mktemp("owned"))
    client, names = default.account(), [fresh(), fresh()]
    _, chain, _ = client.obtain(names, web.answers)
    web.stop()
    return client, names, chain


def test_anybody_asks_when_a_certificate_should_be_renewed(default, owned):
    _, _, chain = owned
    certificate = x509.load_pem_x509_certificate(chain.encode())
    answer = info(default.client(), certificate_id(chain))
    start, end = window_of(answer)
    begin, stop = (one.replace(tzinfo=datetime.timezone.utc) for one in (certificate.not_valid_before, certificate.not_valid_after))
    assert begin + (stop - begin) * 2 / 3 - datetime.timedelta(seconds=2) <= start < end < stop
    assert answer.headers["Retry-After"] == "21600" and answer.headers["Content-Type"] == "application/json"
    assert "explanationURL" not in answer.json()
    assert window_of(info(default.client(), certificate_id(chain))) == (start, end)


def test_a_revoked_certificate_is_renewed_at_once(default, web):
    client = default.account()
    _, chain, _ = client.obtain([fresh()], web.answers)
    certificate = x509.load_pem_x509_certificate(chain.encode())
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert client.post(client.directory["revokeCert"], {"certificate": b64(der), "reason": 4}).ok
    answer = info(client, certificate_id(chain))
    start, end = window_of(answer)
    assert start < end <= datetime.datetime.now(datetime.timezone.utc)
    assert answer.json()["explanationURL"] == "https://ca.example.net/revoked"


BAD_IDS = {"no dot": "AAAA", "two dots": "AA.AA.AA", "no key": ".AQ", "no serial": "AQ.", "no base64url": "A+.AQ", "padded": "AQ==.AQ",
           "a negative serial": "AQ." + b64(b"\x80"), "a long serial": "AQ." + b64(b"\x00\x01"), "serial zero": "AQ." + b64(b"\x00"),
           "21 octets": "AQ." + b64(b"\x01" * 21), "very long": "A" * 100 + "." + "A" * 100}


@pytest.mark.parametrize("case", BAD_IDS)
def test_renewal_information_of_what_is_no_identifier(default, case):
    answer = info(default.client(), BAD_IDS[case])
    problem(answer, 400, "malformed")


def test_two_empty_halves_are_no_identifier(default):
    """By HTTP it cannot be asked for: a path ends before a dot (RFC 3986 5.2.4)."""
    assert default.talk.code("acme.renewal.get", certificate_id=".") == "invalid_params"


def test_renewal_information_of_what_is_not_there(default, devices, owned):
    key_id, serial = certificate_id(owned[2]).split(".")
    problem(info(default.client(), key_id + "." + b64(b"\x01" * 19)), 404, "malformed")
    problem(info(default.client(), b64(bytes(20)) + "." + serial), 404, "malformed")
    problem(info(devices.client(), certificate_id(owned[2])), 404, "malformed")
    answer = default.client().web.post(default.client().directory["renewalInfo"] + "/" + certificate_id(owned[2]), timeout=60)
    assert answer.status_code == 405


def test_an_order_replaces_a_certificate_once(default, web):
    client, names = default.account(), [fresh(), fresh()]
    _, chain, _ = client.obtain(names, web.answers)
    replaced = certificate_id(chain)
    made = order_of(client, names[0], replaces=replaced)
    assert made.status_code == 201 and made.json()["replaces"] == replaced
    assert client.post(made.headers["Location"]).json()["replaces"] == replaced
    problem(order_of(client, names[0], replaces=replaced), 409, "alreadyReplaced")
    assert "replaces" not in order_of(client, names[0]).json()


def test_an_order_that_came_to_nothing_replaces_nothing(default, web):
    client, names = default.account(), [fresh()]
    _, chain, _ = client.obtain(names, web.answers)
    client.post(client.post(order_of(client, names[0]).headers["Location"]).json()["authorizations"][0], {"status": "deactivated"})
    made = order_of(client, names[0], replaces=certificate_id(chain))
    assert made.status_code == 201
    client.post(made.json()["authorizations"][0], {"status": "deactivated"})
    assert client.post(made.headers["Location"]).json()["status"] == "invalid"
    assert order_of(client, names[0], replaces=certificate_id(chain)).status_code == 201


def test_whose_certificate_may_be_replaced(default, owned, web):
    client, names, chain = owned
    replaced, stranger = certificate_id(chain), default.account()
    problem(order_of(client, fresh(), replaces=replaced), 400, "malformed")  # no name in common
    problem(order_of(stranger, names[0], replaces=replaced), 403, "unauthorized")  # another account, other names
    problem(order_of(client, names[0], replaces="AA.AA"), 400, "malformed")
    problem(order_of(client, names[0], replaces="AA.AQ"), 400, "malformed")
    problem(order_of(client, names[0], replaces=7), 400, "malformed")
    problem(order_of(stranger, *names, replaces=replaced), 403, "unauthorized")  # exactly its names, and not proved
    stranger.prove(order_of(stranger, *names).json(), web.answers)
    assert order_of(stranger, *names, replaces=replaced).status_code == 201  # a host that was set up anew


def test_a_renewal_that_is_due_is_exempt_from_the_limit_of_a_name(default, system, web):
    client, name = default.account(policy="few"), fresh()
    _, chain, _ = client.obtain([name], web.answers)
    for more in ({}, {"replaces": certificate_id(chain)}):  # it is not due yet
        limited(order_of(client, name, **more), 7 * 86400)
    now = int(datetime.datetime.now().timestamp())
    with sqlite3.connect(system.directory / "var/realms/default/db/realm.db", timeout=60) as database:
        database.execute("UPDATE certificate SET not_before = ?, not_after = ? WHERE requester = ?",
                         (now - 90 * 86400, now + 3600, "acme:" + id_of(client)))
    renewal = order_of(client, name, replaces=certificate_id(chain))
    assert renewal.status_code == 201, renewal.text
    done = client.post(renewal.json()["finalize"], {"csr": b64(make_csr([name])[1])})
    assert done.ok and done.json()["status"] == "valid", done.text


# ----- what is kept, and how long

def test_I28_what_nobody_uses_goes(default, system):
    """Upkeep removes orders, authorizations and unused accounts by their ages; blocked accounts and those with certificates stay."""
    clients = {name: default.account() for name in ("unused", "young", "ordering", "blocked")}
    orders = {name: order_of(clients[name], fresh()).headers["Location"].rsplit("/", 1)[1] for name in ("unused", "ordering")}
    default.talk.result("acme.block", account=id_of(clients["blocked"]))
    old = int(datetime.datetime.now().timestamp()) - 800 * 86400
    with sqlite3.connect(system.directory / "var/realms/default/db/realm.db", timeout=60) as database:
        for name in ("unused", "ordering", "blocked"):
            database.execute("UPDATE acme_account SET created_at = ? WHERE id = ?", (old, id_of(clients[name])))
        database.execute("UPDATE acme_order SET created_at = ?, expires = ? WHERE id = ?", (old, old + 1, orders["unused"]))
        database.execute("DELETE FROM meta WHERE name = 'acme_account_sweep'")
    left, deadline = {id_of(clients["unused"])}, time.monotonic() + 60
    while id_of(clients["unused"]) in left:  # upkeep's own round may be under way
        assert time.monotonic() < deadline
        default.talk.result("realm.reconcile")
        left = {one["id"] for one in pages(default.talk, "acme.accounts", "accounts")}
    assert default.talk.code("acme.show", order=orders["unused"]) == "not_found"
    assert {name for name, one in clients.items() if id_of(one) in left} == {"young", "ordering", "blocked"}
    problem(clients["unused"].post(clients["unused"].kid), 400, "accountDoesNotExist")
    assert clients["ordering"].post(clients["ordering"].kid).ok
    problem(clients["blocked"].post(clients["blocked"].kid), 403, "unauthorized")


def test_the_orders_list_has_pages(default):
    client = default.account()
    made = {order_of(client, fresh()).headers["Location"] for _ in range(103)}
    url, found, count = client.post(client.kid).json()["orders"], [], 0
    while url:
        answer = client.post(url)
        found += answer.json()["orders"]
        url = answer.links.get("next", {}).get("url")
        count += 1
    assert count == 2 and len(found) == 103 and set(found) == made


def test_the_command_line_has_it_all(default, system):
    """chancery acme {accounts,orders,authorizations,eab,show,block,deactivate}, as doc/acme-accounts.md has them."""
    def chancery(*words, code=0):
        done = subprocess.run([system.programs / "chancery", "--socket", system.socket, "--realm", "default", "--json", "acme", *words],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    key = chancery("eab", "create", "--label", "web team", "--uses", "3", "--expires", "30d", "--policy", "narrow")
    client, made = default.bound(key)
    assert made.status_code == 201
    order = order_of(client, fresh()).headers["Location"].rsplit("/", 1)[1]
    assert [one["id"] for one in chancery("accounts", "--eab", key["kid"])["accounts"]] == [id_of(client)]
    assert [one["id"] for one in chancery("orders", "--account", id_of(client), "--status", "pending")["orders"]] == [order]
    assert len(chancery("authorizations", "--account", id_of(client))["authorizations"]) == 1
    assert chancery("show", "--order", order)["story"][0]["what"] == "order made by acme:" + id_of(client) + " from 127.0.0.1"
    assert chancery("account", "policy", "--account", id_of(client), "--policy", "slow")["policy"] == "slow"
    assert chancery("block", "--account", id_of(client))["status"] == "blocked"
    assert chancery("unblock", "--account", id_of(client))["status"] == "valid"
    assert chancery("deactivate", "--account", id_of(client))["status"] == "deactivated"
    assert "did you mean" in chancery("eab", "create", "--policy", "narow", code=69)
    assert chancery("eab", "delete", "--kid", key["kid"], "--block-accounts") == {"kid": key["kid"], "blocked": 0}
