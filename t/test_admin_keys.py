"""Administrators are names with keys: who slips another key in under an administrator's name is none, at no door. And who gets a
role by a certificate makes no more of his kind, nor more of his own certificate than the realm allows."""

import base64
import concurrent.futures
import contextlib
import re
import sqlite3
import threading

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from test_rest import AUTHZ, Holder, Rest, csr_for, issue, pem_of

ROUNDS, RACERS = 25, 3
DOORS = {"session.login", "REST", "session.attest"}
LIMITED = (429, "VALIDATION_ERROR")


class Office(Rest):
    """The realm devices lets holders renew nothing."""

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        if name == "devices":
            file = self.realm(name).directory / "ca.config.yml"
            file.write_text(file.read_text() + "\nown_renewals_per_day: 0\n")


@pytest.fixture(scope="module")
def office():
    with Office.running() as one:
        one.settle()
        yield one


@pytest.fixture
def root(office):
    with contextlib.closing(office.talk()) as talk:
        yield talk


@contextlib.contextmanager
def acting_for(office, holder, front_end="http", realm="default"):
    """A session of a front end for whoever holds that certificate."""
    with contextlib.closing(office.realm(realm).talk(front_end=front_end)) as talk:
        talk.attested = talk.result("session.attest", evidence="certificate", certificate=holder.certificate)
        yield talk


@pytest.fixture
def ra(office):
    with acting_for(office, office.ra) as talk:
        assert talk.attested["roles"] == ["ra-operator"]
        yield talk


def hash_of(holder):
    spki = holder.x509.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    return digest.finalize().hex()


def logs_in(office, holder):
    with contextlib.closing(office.talk()) as talk:
        challenge = talk.result("session.whoami")["challenge"]
        key = serialization.load_pem_private_key(holder.key.encode(), None)
        signature = base64.b64encode(key.sign(challenge.encode(), ec.ECDSA(hashes.SHA256()))).decode()
        reply = talk.call("session.login", certificate=holder.certificate, signature=signature)
        assert "result" in reply or reply["error"]["data"]["code"] == "auth_failed", reply
        return "result" in reply and reply["result"]["roles"] == ["admin"]


def is_attested(office, holder):
    with acting_for(office, holder, "zmq") as talk:
        assert talk.attested["roles"] in (["admin"], ["anonymous"])
        return talk.attested["roles"] == ["admin"]


def is_served(office, holder):
    status = office.curl("/api/v1/private/admins", holder)[0]
    assert status in (200, 403)
    return status == 200


def doors_of(office, holder):
    """The doors at which the holder is an administrator."""
    tries = {"session.login": logs_in, "REST": is_served, "session.attest": is_attested}
    return {door for door, is_let_in in tries.items() if is_let_in(office, holder)}


def certified(office, talk, cn, label, profile="user"):
    key = ec.generate_private_key(ec.SECP256R1())
    made = talk.result("certificate.issue", csr=csr_for(key, cn), profile=profile)
    return Holder(office.holders, label, made["certificate"], pem_of(key))


def entry(talk, dn):
    return {one["dn"]: one for one in talk.result("admin.list")["administrators"]}[dn]


def code(talk, method, **params):
    return talk.call(method, **params).get("error", {}).get("data", {}).get("code", "ok")


# ----- the race

def test_of_racing_keys_only_the_bound_one_is_an_administrators(office, root):
    """One adds the name while others, who may certify it until then, have it certified."""
    added, slipped = 0, 0
    sessions = contextlib.ExitStack()
    with sessions, concurrent.futures.ThreadPoolExecutor(RACERS + 1) as pool:
        racers = [sessions.enter_context(acting_for(office, office.ra)) for _ in range(RACERS)]
        adder = sessions.enter_context(contextlib.closing(office.talk()))
        for number in range(ROUNDS):
            cn = f"race-{number}"
            own = certified(office, root, cn, f"{cn}-own")
            keys = [ec.generate_private_key(ec.SECP256R1()) for _ in racers]
            start = threading.Barrier(RACERS + 1)

            def race(talk, method, **params):
                start.wait(60)
                return talk.call(method, **params)

            asked = [pool.submit(race, talk, "certificate.issue", csr=csr_for(key, cn), profile="user") for talk, key in zip(racers, keys)]
            answer = pool.submit(race, adder, "admin.add", dn=own.dn).result(60)
            made = [(one.result(60).get("result"), key) for one, key in zip(asked, keys)]
            others = [Holder(office.holders, f"{cn}-{i}", one["certificate"], pem_of(key)) for i, (one, key) in enumerate(made) if one]
            if "error" in answer:  # somebody was faster, and it says which keys there are
                assert answer["error"]["data"]["code"] == "conflict", answer
                assert all(not doors_of(office, one) for one in [own, *others])
                continue
            added += 1
            slipped += len(others)
            seen = entry(root, own.dn)
            assert seen["keys"] == [hash_of(own)] and set(seen["others"]) == {one.hex for one in others}, seen
            assert doors_of(office, own) == DOORS
            assert all(not doors_of(office, one) for one in others)
    assert added or slipped == 0


def test_of_two_who_add_at_once_the_key_is_one(office, root):
    for number in range(5):
        own = certified(office, root, f"added-twice-{number}", f"added-twice-{number}")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            def add(_):
                with contextlib.closing(office.talk()) as talk:
                    return talk.result("admin.add", dn=own.dn)
            answers = list(pool.map(add, range(4)))
        assert all(one["keys"] == [hash_of(own)] and one["serials"] == [own.hex] for one in answers), answers


# ----- which key it is

def slipped_in(office, root, ra, cn):
    """An administrator, and somebody else who has a certificate of that name."""
    own, other = certified(office, ra, cn, f"{cn}-own"), certified(office, ra, cn, f"{cn}-other")
    assert code(root, "admin.add", dn=own.dn) == "conflict"
    added = root.result("admin.add", dn=own.dn, serial=own.hex)
    assert added == {"dn": own.dn, "keys": [hash_of(own)], "serials": [own.hex], "others": [other.hex]}
    return own, other


def test_the_certificate_that_is_named_decides(office, root, ra):
    own, other = slipped_in(office, root, ra, "named")
    assert doors_of(office, own) == DOORS and not doors_of(office, other)
    assert entry(root, own.dn) == {"dn": own.dn, "keys": [hash_of(own)], "serials": [own.hex], "others": [other.hex]}


def test_what_is_slipped_in_gets_no_further(office, root, ra):
    own, other = slipped_in(office, root, ra, "slipped")
    assert code(ra, "certificate.renew", serial=other.hex) == "denied"
    with acting_for(office, other) as talk:
        assert code(talk, "own.certificate.renew") == "denied"
        assert code(talk, "own.certificate.renew", csr=csr_for(ec.generate_private_key(ec.SECP256R1()), "slipped")) == "denied"
    root.result("certificate.renew", serial=other.hex)  # an operator who renews whatever ends gives nobody a right
    assert root.result("admin.add", dn=own.dn)["keys"] == [hash_of(own)]  # nor does saying it again
    assert not doors_of(office, other)
    root.result("certificate.revoke", serial=own.hex, reason="superseded")
    assert root.result("admin.add", dn=own.dn)["keys"] == [hash_of(own)]  # nor that it is the only one left
    assert not doors_of(office, other)
    root.result("admin.add", dn=own.dn, serial=other.hex)  # in so many words, it does
    assert doors_of(office, other) == DOORS


@pytest.mark.parametrize("serial", ["of another name", "revoked", "unknown"])
def test_certificates_that_cannot_be_named(office, root, serial):
    one, other = certified(office, root, "namable", "namable"), certified(office, root, "namable-2", "namable-2")
    root.result("certificate.revoke", serial=one.hex, reason="superseded")
    named = {"of another name": other.hex, "revoked": one.hex, "unknown": "abcdef"}[serial]
    assert code(root, "admin.add", dn=one.dn, serial=named) == "not_found"
    assert one.dn not in root.result("admin.list")["admins"]


def test_a_name_without_certificates_gets_its_key_from_an_administrator(office, root, ra):
    dn = "/C=FR/O=Company/CN=later"
    assert root.result("admin.add", dn=dn) == {"dn": dn, "keys": [], "serials": [], "others": []}
    assert code(ra, "certificate.issue", csr=csr_for(ec.generate_private_key(ec.SECP256R1()), "later"), profile="user") == "denied"
    assert root.result("certificate.preview", csr=csr_for(ec.generate_private_key(ec.SECP256R1()), "later"), profile="user")["allowed"]
    assert entry(root, dn)["keys"] == []
    with acting_for(office, office.admin) as talk:
        own = certified(office, talk, "later", "later", "admin")
    assert entry(root, dn) == {"dn": dn, "keys": [hash_of(own)], "serials": [own.hex], "others": []}
    assert doors_of(office, own) == DOORS
    second = certified(office, root, "later", "later-2", "admin")  # another key, from an administrator again
    assert doors_of(office, second) == DOORS and entry(root, dn)["keys"] == sorted([hash_of(own), hash_of(second)])


def test_a_renewal_keeps_key_and_right(office, root, ra):
    own = certified(office, root, "renewing", "renewing")
    root.result("admin.add", dn=own.dn)
    for talk, method, params in ((ra, "certificate.renew", {"serial": own.hex}), (root, "certificate.renew", {"serial": own.hex})):
        renewed = Holder(office.holders, "renewed", talk.result(method, **params)["certificate"], own.key)
        assert doors_of(office, renewed) == DOORS
    with acting_for(office, own) as talk:
        assert doors_of(office, Holder(office.holders, "by-itself", talk.result("own.certificate.renew")["certificate"], own.key)) == DOORS
    refused = ra.call("certificate.renew", serial=own.hex, csr=csr_for(ec.generate_private_key(ec.SECP256R1()), "renewing"))["error"]
    assert refused["data"]["code"] == "denied" and "only an administrator" in refused["message"], refused
    assert entry(root, own.dn)["keys"] == [hash_of(own)]


def test_who_leaves_the_list_takes_the_keys_along(office, root):
    own = certified(office, root, "leaver", "leaver")
    root.result("admin.add", dn=own.dn)
    root.result("admin.remove", dn=own.dn)
    other = certified(office, root, "leaver", "leaver-2")
    assert not doors_of(office, own) | doors_of(office, other)
    assert code(root, "admin.add", dn=own.dn) == "conflict"
    root.result("certificate.revoke", serial=own.hex, reason="superseded")
    assert code(root, "admin.add", dn=own.dn) == "conflict"
    assert root.result("admin.add", dn=own.dn, serial=other.hex)["keys"] == [hash_of(other)]
    assert doors_of(office, other) == DOORS


# ----- administrators of before, and those that were taken over

def forget_keys(office, *more):
    store = sqlite3.connect(office.realm("default").directory / "db" / "realm.db", timeout=60)
    with store:
        for statement in ("DELETE FROM admin_key", *more):
            store.execute(statement)
    store.close()


def test_who_was_on_the_list_before_keeps_his_one_key(office, root):
    """A store of a server that bound no keys."""
    one, two, none = certified(office, root, "before", "before"), certified(office, root, "two", "two"), "/C=FR/O=Company/CN=without"
    other = certified(office, root, "two", "two-2")
    root.result("admin.add", dn=two.dn, serial=two.hex)
    for dn in (one.dn, none):
        root.result("admin.add", dn=dn)
    forget_keys(office, "DELETE FROM meta WHERE name = 'earlier_admins_bound'")
    root.result("realm.reconcile")
    assert entry(root, one.dn)["keys"] == [hash_of(one)] and doors_of(office, one) == DOORS
    assert entry(root, two.dn)["keys"] == [] and not doors_of(office, two) | doors_of(office, other)
    assert f"administrator {two.dn} cannot log in: {two.dn} has valid certificates of 2 keys" in office.log.read_text()
    assert entry(root, none)["keys"] == []
    root.result("admin.add", dn=two.dn, serial=two.hex)
    assert doors_of(office, two) == DOORS


def test_keys_are_looked_for_once_in_a_stores_life(office, root):
    one = certified(office, root, "once", "once")
    root.result("admin.add", dn=one.dn)
    root.result("realm.reconcile")
    forget_keys(office)
    root.result("realm.reconcile")
    assert entry(root, one.dn) == {"dn": one.dn, "keys": [], "serials": [], "others": [one.hex]}
    for holder in (one, office.admin):
        root.result("admin.add", dn=holder.dn, serial=holder.hex)
        assert doors_of(office, holder) == DOORS


# ----- who makes whom

@pytest.mark.parametrize("profile", ["ra", "admin", "ca"])
def test_an_ra_makes_no_ras_administrators_or_cas(office, ra, profile):
    key = ec.generate_private_key(ec.SECP256R1())
    refused = ra.call("certificate.issue", csr=csr_for(key, f"more-{profile}"), profile=profile)["error"]
    assert refused["data"]["code"] == "denied" and "ca-operator" in refused["message"], refused
    assert code(ra, "certificate.generate", cn=f"more-{profile}", profile=profile) == "denied"
    assert code(ra, "seed.create", profile=profile) == ("denied" if profile == "ra" else "policy_refused")
    assert "holders-role" in [one["rule"] for one in ra.result("certificate.preview", csr=csr_for(key, "more"), profile=profile)["reasons"] if not one["passed"]]
    office.bad(AUTHZ, "/api/v1/certify", office.ra, method="POST", body={"csr": csr_for(key, f"more-{profile}"), "profile": profile})
    assert code(ra, "certificate.get", cn=f"more-{profile}") == "not_found"


def test_an_ra_makes_no_seed_for_ras_by_leaving_the_profile_out(ra):
    refused = ra.call("seed.create")["error"]
    assert refused["data"]["code"] == "denied" and "profile ra" in refused["message"], refused
    assert code(ra, "seed.create", profile="server") == "ok"


def test_an_ra_renews_itself_but_gives_nobody_its_place(office, root):
    made = root.result("certificate.generate", cn="renewing-ra", profile="ra", key="ec:P-256")
    one = Holder(office.holders, "renewing-ra", made["certificate"], made["private_key"])
    csr = csr_for(ec.generate_private_key(ec.SECP256R1()), "renewing-ra")
    with acting_for(office, one) as talk:
        assert code(talk, "own.certificate.renew", csr=csr) == "denied"
        assert code(talk, "certificate.renew", serial=one.hex, csr=csr) == "denied"
        renewed = Holder(office.holders, "renewed-ra", talk.result("own.certificate.renew")["certificate"], one.key)
    with acting_for(office, renewed) as talk:
        assert talk.attested["roles"] == ["ra-operator"]
    assert code(root, "certificate.renew", serial=one.hex, csr=csr) == "ok"


@pytest.mark.parametrize("profile", ["ra", "admin"])
def test_an_administrator_makes_them(office, profile):
    body = {"csr": csr_for(ec.generate_private_key(ec.SECP256R1()), f"made-{profile}"), "profile": profile}
    assert office.good("/api/v1/certify", office.admin, method="POST", body=body)["profile"] == profile


def test_a_seed_makes_an_ra_and_no_administrator(office, root):
    """UPKI.md 5.4: the realm's own seed, and one that an operator made for it."""
    for number, seed in enumerate((office.seed, root.result("seed.create")["seed"])):
        assert root.result("node.register", seed=seed, cn=f"seeded-ra-{number}")["profile"] == "ra"
    for profile in ("admin", "ca"):
        refused = root.call("node.register", seed=office.seed, cn=f"seeded-{profile}", profile=profile)["error"]
        assert refused["data"]["code"] == "policy_refused" and "registration never makes" in refused["message"], refused
        assert code(root, "seed.create", profile=profile) == "policy_refused"


# ----- renewals by the holder

def test_a_holder_renews_as_often_as_the_realm_allows(office, root, ra):
    one = certified(office, root, "often", "often")
    with acting_for(office, one) as talk:
        for wrong in ({"days": 36500}, {"csr": "no request"}):
            assert code(talk, "own.certificate.renew", **wrong) != "ok"  # what is refused was no renewal
        first = talk.result("own.certificate.renew", idempotency_key="often-1")
        assert talk.result("own.certificate.renew", idempotency_key="often-1")["serial"] == first["serial"]
        key = ec.generate_private_key(ec.SECP256R1())
        rekeyed = Holder(office.holders, "rekeyed", talk.result("own.certificate.renew", csr=csr_for(key, "often"))["certificate"], pem_of(key))
    for holder in (Holder(office.holders, "often-1", first["certificate"], one.key), rekeyed):  # renewals of renewals count, whatever the key
        with acting_for(office, holder) as talk:
            seen = talk.call("own.certificate.renew")
    assert seen["error"]["data"]["code"] == "policy_refused", seen
    assert re.search(r"rate limited: .* 3 times within a day, .* possible from 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen["error"]["message"]), seen
    assert office.bad(LIMITED, "/api/v1/client/renew", one, method="POST").startswith("rate limited: ")
    _, _, headers = office.curl("/api/v1/client/renew", one, method="POST")
    assert 0 < int(headers["retry-after"]) <= 24 * 60 * 60
    with acting_for(office, one) as talk:
        assert talk.result("own.certificate.renew", idempotency_key="often-1")["serial"] == first["serial"]
    assert code(ra, "certificate.renew", serial=one.hex) == "ok"
    with acting_for(office, certified(office, root, "seldom", "seldom")) as talk:
        assert code(talk, "own.certificate.renew") == "ok"


def test_of_renewals_at_once_no_more_succeed(office, root):
    one = certified(office, root, "crowding", "crowding")
    start = threading.Barrier(8)

    def renew(_):
        with acting_for(office, one) as talk:
            start.wait(60)
            return code(talk, "own.certificate.renew")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(renew, range(8))) == ["ok"] * 3 + ["policy_refused"] * 5


def test_a_realm_may_let_holders_renew_nothing(office):
    one = issue(office.realm("devices"), office.holders, "nothing", "nothing", "user")
    with acting_for(office, one, realm="devices") as talk:
        refused = talk.call("own.certificate.renew")["error"]
    assert refused["data"]["code"] == "policy_refused" and "own_renewals_per_day" in refused["message"], refused
