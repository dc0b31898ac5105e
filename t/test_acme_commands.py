"""The acme.* commands on the socket, with real workers, signers and databases: RFC 8555's state machines without its HTTP."""

import base64
import concurrent.futures
import contextlib
import datetime
import os
import sqlite3

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from acme_client import Key, make_csr
from test_daemon import Talk, running_daemon

HTTP01 = "http-01"


def pem_of(der):
    return x509.load_der_x509_csr(der).public_bytes(serialization.Encoding.PEM).decode()


def csr(names, key=None, common_name=None):
    return pem_of(make_csr(names, key, common_name)[1])


class Acme(Talk):
    """One account of one realm, as a front end would act for it."""

    def __init__(self, path, realm="default", key=None):
        super().__init__(path, realm)
        self.key = key or Key()
        self.account = self.result("acme.account.create", jwk=self.key.jwk())["id"]

    def error(self, method, **params):
        """(code, first word of the hint) of a refusal."""
        reply = self.call(method, **params)
        assert "error" in reply, reply
        return reply["error"]["data"]["code"], reply["error"]["data"].get("hint", "").split(" ")[0]

    def order(self, *names, **more):
        identifiers = [{"type": "dns", "value": name} for name in names]
        return self.result("acme.order.create", account=self.account, identifiers=identifiers, **more)

    def look(self, order):
        return self.result("acme.order.get", account=self.account, order=order["id"])

    def begin(self, authorization):
        return self.result("acme.challenge.begin", account=self.account, authorization=authorization, type=HTTP01)

    def prove(self, authorization, valid=True):
        task = self.begin(authorization)
        assert task["claimed"], task
        return self.result("acme.challenge.finish", authorization=authorization, type=HTTP01, claim=task["claim"], valid=valid,
                           error=None if valid else {"type": "urn:ietf:params:acme:error:connection", "detail": "refused"}, evidence="seen")

    def ready(self, *names, **more):
        order = self.order(*names, **more)
        for one in order["authorizations"]:
            self.prove(one)
        return self.look(order)

    def finalize(self, order, request):
        return self.result("acme.order.finalize", account=self.account, order=order["id"], csr=request)

    def certificate(self, *names):
        order = self.finalize(self.ready(*names), csr(names))
        return self.result("acme.certificate.get", account=self.account, serial=order["serial"])["certificate"]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("acme")) as one:
        yield one


@pytest.fixture
def acme(daemon):
    with Acme(daemon.socket) as one:
        yield one


@pytest.fixture
def other(daemon):
    with Acme(daemon.socket) as one:
        yield one


def fresh():
    return f"{os.urandom(6).hex()}.example.com"


# ----- accounts

def test_an_account_is_found_by_its_key(acme):
    assert acme.account == acme.key.thumbprint()
    again = acme.result("acme.account.create", jwk=acme.key.jwk(), only_existing=True)
    assert (again["id"], again["created"]) == (acme.account, False)


def test_a_stranger_has_no_account(acme):
    code = acme.error("acme.account.create", jwk=Key().jwk(), only_existing=True)
    assert code == ("not_found", "acme:accountDoesNotExist")


def test_c13_a_weak_account_key_is_refused(acme):
    assert acme.error("acme.account.create", jwk=Key("RS256", 1024).jwk()) == ("bad_key", "acme:badPublicKey")
    point = Key().jwk()
    assert acme.error("acme.account.create", jwk={**point, "y": point["x"]}) == ("bad_key", "acme:badPublicKey")
    assert acme.error("acme.account.create", jwk={"kty": "oct", "k": "AA"}) == ("bad_key", "acme:badPublicKey")


@pytest.mark.parametrize("contact, word", [("tel:+33", "unsupportedContact"), ("mailto:a@b.example?x=y", "invalidContact"),
                                           ("mailto:a@b.example,c@d.example", "invalidContact"), ("mailto:", "invalidContact")])
def test_only_plain_mail_contacts(acme, contact, word):
    assert acme.error("acme.account.update", account=acme.account, contact=[contact])[1] == f"acme:{word}"


def test_f19_a_key_changes_to_one_account_only(acme, other):
    assert acme.error("acme.account.rekey", account=acme.account, jwk=other.key.jwk())[0] in ("exists", "conflict")
    key = Key()
    assert acme.result("acme.account.rekey", account=acme.account, jwk=key.jwk())["id"] == acme.account
    assert acme.result("acme.account.create", jwk=key.jwk(), only_existing=True)["id"] == acme.account
    assert acme.error("acme.account.create", jwk=acme.key.jwk(), only_existing=True)[0] == "not_found"


def test_a_deactivated_account_does_nothing_any_more(acme):
    order = acme.ready(fresh())
    assert acme.result("acme.account.update", account=acme.account, status="deactivated")["status"] == "deactivated"
    name = order["identifiers"][0]["value"]
    for method, more in (("acme.order.get", {"order": order["id"]}), ("acme.order.finalize", {"order": order["id"], "csr": csr([name])}),
                         ("acme.order.create", {"identifiers": [{"type": "dns", "value": name}]}), ("acme.account.update", {"contact": []}),
                         ("acme.authorization.get", {"authorization": order["authorizations"][0]})):
        assert acme.error(method, account=acme.account, **more)[0] == "denied", method


def test_F19_whatever_an_account_asks_is_refused_to_a_key_that_it_does_not_have(acme):
    """A front end may remember the key that signed; the daemon knows the account's."""
    order = acme.ready(fresh())
    name = order["identifiers"][0]
    asks = (("acme.order.list", {}), ("acme.order.get", {"order": order["id"]}), ("acme.order.create", {"identifiers": [name]}),
            ("acme.order.finalize", {"order": order["id"], "csr": csr([name["value"]])}), ("acme.authorization.create", {"identifier": name}),
            ("acme.authorization.get", {"authorization": order["authorizations"][0]}),
            ("acme.authorization.deactivate", {"authorization": order["authorizations"][0]}),
            ("acme.challenge.begin", {"authorization": order["authorizations"][0], "type": HTTP01}),
            ("acme.certificate.get", {"serial": "01"}), ("acme.account.update", {"contact": []}), ("acme.account.rekey", {"jwk": Key().jwk()}))
    for method, more in asks:
        assert acme.error(method, account=acme.account, signed_by=Key().thumbprint(), **more)[0] == "auth_failed", method
    assert acme.result("acme.order.get", account=acme.account, order=order["id"], signed_by=acme.key.thumbprint())["status"] == "ready"


# ----- orders

def test_an_order_goes_its_way(acme):
    name = fresh()
    order = acme.order(name)
    assert order["status"] == "pending"
    task = acme.begin(order["authorizations"][0])
    assert task["claimed"] and task["thumbprint"] == acme.key.thumbprint()
    challenge = task["authorization"]["challenges"][0]
    assert (challenge["type"], challenge["status"]) == (HTTP01, "processing")
    assert "claim" not in challenge
    done = acme.result("acme.challenge.finish", authorization=order["authorizations"][0], type=HTTP01, claim=task["claim"], valid=True)
    assert done["status"] == "valid" and done["challenges"][0]["validated"]
    assert acme.look(order)["status"] == "ready"
    ended = acme.finalize(order, csr([name]))
    assert ended["status"] == "valid"
    chain = acme.result("acme.certificate.get", account=acme.account, serial=ended["serial"])
    certificate = x509.load_pem_x509_certificate(chain["certificate"].encode())
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [name]
    assert len(chain["chain"]) == 1


@pytest.mark.parametrize("identifier, word", [
    ({"type": "dns", "value": "*.com"}, "rejectedIdentifier"), ({"type": "dns", "value": "a..example.com"}, "rejectedIdentifier"),
    ({"type": "dns", "value": "10.0.0.1"}, "rejectedIdentifier"), ({"type": "dns", "value": "localhost"}, "rejectedIdentifier"),
    ({"type": "dns", "value": ""}, "rejectedIdentifier"), ({"type": "ip", "value": "a.example.com"}, "rejectedIdentifier"),
    ({"type": "email", "value": "a@example.com"}, "unsupportedIdentifier")])
def test_f33_names_that_cannot_be_proved_are_refused_at_once(acme, identifier, word):
    assert acme.error("acme.order.create", account=acme.account, identifiers=[identifier])[1] == f"acme:{word}"


def test_an_order_names_a_profile_that_is_there(acme):
    error = acme.call("acme.order.create", account=acme.account, identifiers=[{"type": "dns", "value": fresh()}], profile="nosuch")["error"]
    assert error["message"] == "profile not found: nosuch" and error["data"]["hint"].startswith("acme:invalidProfile"), error


def test_an_order_names_a_profile_that_is_offered(acme):
    assert acme.error("acme.order.create", account=acme.account, identifiers=[{"type": "dns", "value": fresh()}],
                      profile="admin")[1] == "acme:invalidProfile"


def instant(seconds):
    """RFC 3339, so many seconds from now."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


DAY = 86400
BAD_DATES = {
    "over already": {"not_before": -10 * DAY, "not_after": -5 * DAY},
    "begins years ago": {"not_before": -2000 * DAY},
    "begins before the backdate": {"not_before": -330},
    "ends now": {"not_after": 0},
    "ends before it begins": {"not_before": 10 * DAY, "not_after": 5 * DAY},
    "ends when it begins": {"not_before": 10 * DAY, "not_after": 10 * DAY},
    "longer than the profile": {"not_after": 400 * DAY},
    "longer than the profile, later": {"not_before": 10 * DAY, "not_after": 410 * DAY},
    "beyond the CA": {"not_before": 20000 * DAY, "not_after": 20010 * DAY},
    "begins beyond the CA": {"not_before": 20000 * DAY},
}


@pytest.mark.parametrize("case", BAD_DATES)
def test_c11_an_order_with_dates_that_cannot_be_issued_is_refused(acme, case):
    dates = {name: instant(seconds) for name, seconds in BAD_DATES[case].items()}
    refusal = acme.error("acme.order.create", account=acme.account, identifiers=[{"type": "dns", "value": fresh()}], **dates)
    assert refusal == ("invalid_params", "acme:malformed")


@pytest.mark.parametrize("dates", [{"not_before": -240}, {"not_before": 0, "not_after": DAY}, {"not_after": DAY}, {"not_before": 5 * DAY}],
                         ids=lambda dates: " ".join(dates))
def test_c11_a_certificate_has_the_dates_of_its_order(acme, dates):
    asked = {name: instant(seconds) for name, seconds in dates.items()}
    name = fresh()
    order = acme.finalize(acme.ready(name, **asked), csr([name]))
    shown = acme.result("certificate.get", serial=order["serial"])
    for bound, time in asked.items():
        assert order[bound] == time
        assert shown[bound] == time


def test_c11_an_order_whose_beginning_has_passed_ends(daemon, acme):
    name = fresh()
    order = acme.ready(name, not_before=instant(0))
    change(daemon, "UPDATE acme_order SET not_before = not_before - 1200 WHERE id = ?", order["id"])
    refusal = acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([name]))
    assert refusal == ("invalid_params", "acme:malformed")
    ended = acme.look(order)
    assert ended["status"] == "invalid" and "backdate" in ended["error"]["detail"]
    assert acme.result("certificate.search", san=f"DNS:{name}")["certificates"] == []


def test_names_are_normalised_and_counted_once(acme):
    name = fresh()
    order = acme.order(name.upper(), name)
    assert [one["value"] for one in order["identifiers"]] == [name]


def test_an_address_is_proved_and_certified(acme):
    order = acme.result("acme.order.create", account=acme.account, identifiers=[{"type": "ip", "value": "192.0.2.7"}])
    acme.prove(order["authorizations"][0])
    assert acme.look(order)["status"] == "ready"


def test_one_invalid_authorization_ends_the_order(acme):
    order = acme.order(fresh(), fresh())
    acme.prove(order["authorizations"][0])
    failed = acme.prove(order["authorizations"][1], valid=False)
    assert failed["status"] == "invalid" and failed["challenges"][0]["error"]["type"].endswith(":connection")
    ended = acme.look(order)
    assert ended["status"] == "invalid" and ended["error"]["detail"]
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([fresh()]))[1] == "acme:orderNotReady"


def stored(daemon, order):
    with contextlib.closing(sqlite3.connect(daemon.realm("default") / "db" / "realm.db", timeout=10)) as database:
        return database.execute("SELECT status FROM acme_order WHERE id = ?", (order["id"],)).fetchone()[0]


def test_operators_see_what_an_order_is_before_anybody_looks_at_it(daemon, acme):
    """By its authorizations, in the list and by its status there; the list writes nothing."""
    lost, given_up, ready, open_one = (acme.order(fresh(), fresh()) for _ in range(4))
    acme.prove(lost["authorizations"][0])
    acme.prove(lost["authorizations"][1], valid=False)
    acme.result("acme.authorization.deactivate", account=acme.account, authorization=given_up["authorizations"][0])
    for one in ready["authorizations"]:
        acme.prove(one)
    want = {lost["id"]: "invalid", given_up["id"]: "invalid", ready["id"]: "ready", open_one["id"]: "pending"}
    shown = {one["id"]: one["status"] for one in acme.result("acme.orders", account=acme.account, limit=1000)["orders"]}
    assert {id_: shown[id_] for id_ in want} == want
    for status in ("invalid", "ready", "pending"):
        found = {one["id"] for one in acme.result("acme.orders", account=acme.account, status=status, limit=1000)["orders"]}
        assert found & set(want) == {id_ for id_, its in want.items() if its == status}
    assert {stored(daemon, one) for one in (lost, given_up, ready, open_one)} == {"pending"}
    assert acme.look(lost)["status"] == "invalid" and stored(daemon, lost) == "invalid"


@pytest.mark.parametrize("k", range(3))
def test_i2_each_name_must_be_proved(acme, k):
    order = acme.order(fresh(), fresh(), fresh())
    for i, one in enumerate(order["authorizations"]):
        if i != k:
            acme.prove(one)
    assert acme.look(order)["status"] == "pending"


def test_a_proof_is_reused(acme, other):
    name = fresh()
    acme.ready(name)
    again = acme.order(name)
    assert again["status"] == "ready"
    assert other.order(name)["status"] == "pending"  # by its own account only


def test_a_proof_that_was_given_up_ends_the_order_that_stands_on_it(acme):
    name = fresh()
    order = acme.ready(name)
    given_up = acme.result("acme.authorization.deactivate", account=acme.account, authorization=order["authorizations"][0])
    assert given_up["status"] == "deactivated"
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([name]))[1] == "acme:orderNotReady"
    assert acme.order(name)["status"] == "pending"


def test_orders_are_listed_newest_first(acme):
    ids = [acme.order(fresh())["id"] for _ in range(3)]
    seen, page = [], {"next": None}
    while "next" in page:
        page = acme.result("acme.order.list", account=acme.account, limit=2, **({"after": page["next"]} if page["next"] else {}))
        seen += page["orders"]
    assert sorted(seen) == sorted(ids)


# ----- challenges

def test_i20_one_of_many_gets_the_claim(daemon, acme):
    authorization = acme.order(fresh())["authorizations"][0]

    def claim(_):
        with Talk(daemon.socket, "default") as talk:
            return talk.result("acme.challenge.begin", account=acme.account, authorization=authorization, type=HTTP01)["claimed"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(claim, range(8))) == [False] * 7 + [True]


def test_only_the_claim_in_force_decides(acme):
    authorization = acme.order(fresh())["authorizations"][0]
    assert acme.begin(authorization)["claimed"]
    for wrong in ("x", "00" * 16):
        code = acme.error("acme.challenge.finish", authorization=authorization, type=HTTP01, claim=wrong, valid=True)[0]
        assert code == "conflict"
    assert acme.result("acme.authorization.get", account=acme.account, authorization=authorization)["status"] == "pending"


def test_a_challenge_that_is_not_offered_is_not_there(acme):
    authorization = acme.order(fresh())["authorizations"][0]
    for kind, code in (("dns-account-01", "not_found"), ("dns-persist-01", "not_found"), ("http-02", "invalid_params"), ("", "invalid_params")):
        assert acme.error("acme.challenge.begin", account=acme.account, authorization=authorization, type=kind)[0] == code


# ----- finalize

def test_f41_the_request_names_exactly_the_orders_names(acme):
    one, two, three = fresh(), fresh(), fresh()
    order = acme.ready(one, two)
    for names, common_name in (([one], None), ([one, two, three], None), ([one, three], None), ([one, two], three), ([], None),
                               ([one, two], [three, one]), ([one, two], [one, three]), ([one, two], [one, two]), ([one, two], [one, one]),
                               ([one, two], "no host"), ([], [one, two]), ([], one)):
        refusal = acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr(names, common_name=common_name))
        assert refusal[1] == "acme:badCSR", (names, common_name)
    assert acme.look(order)["status"] == "ready"  # another request may follow
    assert acme.finalize(order, csr([two.upper(), one], common_name=one))["status"] == "valid"


def test_f41_a_request_without_proof_of_its_key_leaves_the_order_ready(acme):
    name = fresh()
    order, (_, der) = acme.ready(name), make_csr([name])
    for forged in (der[:-1] + bytes([der[-1] ^ 1]), der[:-8] + bytes(8)):
        pem = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(forged).decode() + "-----END CERTIFICATE REQUEST-----\n"
        refusal = acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=pem)
        assert refusal[1] == "acme:badCSR"
    assert acme.finalize(order, csr([name]))["status"] == "valid"  # a better one may follow


def test_f40_the_account_key_is_not_certified(acme):
    name = fresh()
    order = acme.ready(name)
    refusal = acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([name], key=acme.key.key))
    assert refusal[1] == "acme:badCSR"
    assert acme.look(order)["status"] == "ready"


def test_f41_rubbish_is_no_request(acme):
    order = acme.ready(fresh())
    text = "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=text)[1] == "acme:badCSR"


def test_f41_an_order_that_is_not_ready(acme):
    name = fresh()
    order = acme.order(name)
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([name]))[1] == "acme:orderNotReady"


def test_c6_the_same_order_never_gets_two(daemon, acme):
    name = fresh()
    order = acme.ready(name)
    request = csr([name])

    def finalize(_):
        with Talk(daemon.socket, "default") as talk:
            return talk.call("acme.order.finalize", account=acme.account, order=order["id"], csr=request)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(finalize, range(6)))
    serials = {reply["result"].get("serial") for reply in replies if "result" in reply} - {None}
    assert len(serials) == 1, replies
    found = acme.result("certificate.search", san=f"DNS:{name}")["certificates"]
    assert [one["serial"] for one in found] == list(serials)
    assert acme.finalize(order, request)["serial"] in serials  # the answer was lost: the same again


def test_a_request_that_policy_refuses_leaves_the_order_ready(daemon, acme):
    name = fresh()
    order = acme.ready(name)
    weak = csr([name], key=rsa.generate_private_key(65537, 1024))
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=weak)[1] == "acme:badCSR"
    assert acme.finalize(order, csr([name]))["status"] == "valid"


def change(daemon, text, *values):
    """Leaves the rows as a crash at some moment would have left them."""
    with contextlib.closing(sqlite3.connect(daemon.realm("default") / "db" / "realm.db", timeout=60)) as database, database:
        assert database.execute(text, values).rowcount == 1


def test_f1_a_finalize_cut_off_before_signing_is_finished(daemon, acme):
    name = fresh()
    order = acme.ready(name)
    der = make_csr([name])[1]
    change(daemon, "UPDATE acme_order SET status = 'processing', csr = ? WHERE id = ?", der, order["id"])
    assert acme.error("acme.order.finalize", account=acme.account, order=order["id"], csr=csr([name]))[1] == "acme:orderNotReady"
    ended = acme.look(order)
    assert ended["status"] == "valid" and ended["serial"]
    assert len(acme.result("certificate.search", san=f"DNS:{name}")["certificates"]) == 1


def test_f1_a_finalize_cut_off_after_storing_is_finished(daemon, acme):
    name = fresh()
    order = acme.finalize(acme.ready(name), csr([name]))
    change(daemon, "UPDATE acme_order SET status = 'processing', serial = '' WHERE id = ?", order["id"])
    assert acme.look(order)["serial"] == order["serial"]
    assert len(acme.result("certificate.search", san=f"DNS:{name}")["certificates"]) == 1


def test_an_account_that_ends_itself_ends_its_open_orders(acme):
    """RFC 8555 7.3.6."""
    order = acme.ready(fresh())
    acme.result("acme.account.update", account=acme.account, status="deactivated")
    rows = acme.result("acme.orders", account=acme.account)["orders"]
    assert {row["id"]: row["status"] for row in rows}[order["id"]] == "invalid", rows


def test_f22_a_claim_whose_validator_died_is_given_again(daemon, acme):
    authorization = acme.order(fresh())["authorizations"][0]
    first = acme.begin(authorization)
    assert not acme.begin(authorization)["claimed"]
    change(daemon, "UPDATE acme_authorization SET challenges = replace(challenges, '\"claimed_until\":', '\"claimed_until\":1,\"was\":') WHERE id = ?",
           authorization)
    seen = acme.result("acme.authorization.get", account=acme.account, authorization=authorization)
    assert seen["challenges"][0]["status"] == "pending"
    second = acme.begin(authorization)
    assert second["claimed"] and second["claim"] != first["claim"]
    late = acme.error("acme.challenge.finish", authorization=authorization, type=HTTP01, claim=first["claim"], valid=True)
    assert late[0] == "conflict"


def test_a_claim_that_is_given_back_is_no_verdict(acme):
    authorization = acme.order(fresh())["authorizations"][0]
    first = acme.begin(authorization)
    back = {"authorization": authorization, "type": HTTP01, "valid": False, "untried": True}
    assert acme.error("acme.challenge.finish", claim="another", **back)[0] == "conflict"
    now = acme.result("acme.challenge.finish", claim=first["claim"], **back)
    assert (now["status"], now["challenges"][0]["status"], now["challenges"][0]["interrupted"]) == ("pending", "pending", True)
    late = acme.error("acme.challenge.finish", authorization=authorization, type=HTTP01, claim=first["claim"], valid=True)
    assert late[0] == "conflict"
    assert acme.prove(authorization)["status"] == "valid"


def test_valid_and_untried_is_untried(acme):
    authorization = acme.order(fresh())["authorizations"][0]
    claim = acme.begin(authorization)["claim"]
    now = acme.result("acme.challenge.finish", authorization=authorization, type=HTTP01, claim=claim, valid=True, untried=True)
    assert now["status"] == "pending"


# ----- certificates

def test_f42_who_may_revoke(acme, other):
    key, der = make_csr([fresh()])
    names = [name.value for name in x509.load_der_x509_csr(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value]
    order = acme.finalize(acme.ready(*names), pem_of(der))
    pem = acme.result("acme.certificate.get", account=acme.account, serial=order["serial"])["certificate"]
    assert other.error("acme.certificate.get", account=other.account, serial=order["serial"])[0] == "not_found"
    assert other.error("acme.certificate.revoke", certificate=pem, account=other.account)[0] == "denied"
    assert other.error("acme.certificate.revoke", certificate=pem, jwk=other.key.jwk())[0] == "denied"
    assert other.error("acme.certificate.revoke", certificate=pem)[0] == "invalid_params"
    own = Key()
    own.key = key
    assert acme.result("acme.certificate.revoke", certificate=pem, jwk=own.jwk(), reason="keyCompromise")["reason"] == "keyCompromise"
    assert acme.error("acme.certificate.revoke", certificate=pem, account=acme.account)[1] == "acme:alreadyRevoked"


def test_f42_who_holds_all_names_may_revoke(acme, other):
    name = fresh()
    pem = acme.certificate(name)
    other.ready(name)
    assert other.result("acme.certificate.revoke", certificate=pem, account=other.account)["reason"] == "unspecified"


def test_f42_who_holds_the_names_has_no_say_over_the_key(acme, other):
    """The key may be that of other certificates, which are nobody's business but its holder's."""
    name = fresh()
    pem = acme.certificate(name)
    other.ready(name)
    refused = other.error("acme.certificate.revoke", certificate=pem, account=other.account, reason="keyCompromise")
    assert refused[1] == "acme:badRevocationReason", refused
    assert other.result("acme.certificate.revoke", certificate=pem, account=other.account, reason="cessationOfOperation")


def test_f42_who_obtained_it_may_say_that_the_key_is_compromised(acme):
    pem = acme.certificate(fresh())
    assert acme.result("acme.certificate.revoke", certificate=pem, account=acme.account, reason="keyCompromise")["reason"] == "keyCompromise"


def test_f42_what_did_not_come_by_acme_is_not_revoked_by_it(acme):
    """A front end's word that somebody signed with its key, or holds its names, is worth nothing against others' certificates."""
    name = fresh()
    key, der = make_csr([name])
    own = Key()
    own.key = key
    acme.ready(name)
    pem = acme.result("certificate.issue", profile="server", csr=pem_of(der))["certificate"]
    for proof in ({"jwk": own.jwk()}, {"account": acme.account}):
        code, message = acme.error("acme.certificate.revoke", certificate=pem, **proof)[:2]
        assert code == "denied", message


def test_f42_a_subscriber_gives_a_subscribers_reason(acme):
    pem = acme.certificate(fresh())
    for reason in ("certificateHold", "cACompromise", "aACompromise"):
        assert acme.error("acme.certificate.revoke", certificate=pem, account=acme.account, reason=reason)[1] == "acme:badRevocationReason"
    assert acme.result("acme.certificate.revoke", certificate=pem, account=acme.account, reason="superseded")["reason"] == "superseded"


# ----- what is another's is not there

def test_f50_what_is_anothers_does_not_exist(acme, other):
    order = acme.order(fresh())
    for method, thing in (("acme.order.get", {"order": order["id"]}), ("acme.authorization.get", {"authorization": order["authorizations"][0]}),
                          ("acme.challenge.begin", {"authorization": order["authorizations"][0], "type": HTTP01}),
                          ("acme.authorization.deactivate", {"authorization": order["authorizations"][0]})):
        wrong = {name: value if name == "type" else "nothing" for name, value in thing.items()}
        theirs = other.call(method, account=other.account, **thing)["error"]
        nobodys = other.call(method, account=other.account, **wrong)["error"]
        assert theirs == nobodys and theirs["data"]["code"] == "not_found", method


def test_f50_another_realm_knows_nothing(daemon, acme):
    order = acme.order(fresh())
    with Talk(daemon.socket, "devices") as there:
        for method, params in (("acme.account.get", {}), ("acme.order.get", {"order": order["id"]}),
                               ("acme.authorization.get", {"authorization": order["authorizations"][0]})):
            assert there.call(method, account=acme.account, **params)["error"]["data"]["code"] == "not_found", method


# ----- what an RA brings (acme.*.sync)

def bring(acme, order, name, status="pending", account=None):
    return acme.call("acme.order.sync", account=account or acme.account, order=order, identifiers=[{"type": "dns", "value": name}], status=status)


def vouch(acme, authorization, order, name, status="valid"):
    return acme.call("acme.authorization.sync", authorization=authorization, order=order, identifier={"type": "dns", "value": name}, status=status)


def test_an_order_of_two_names_wants_two_authorizations(acme):
    names, order = [fresh(), fresh()], os.urandom(8).hex()
    acme.result("acme.order.sync", account=acme.account, order=order, identifiers=[{"type": "dns", "value": name} for name in names])
    assert acme.look({"id": order})["status"] == "pending"
    vouch(acme, os.urandom(8).hex(), order, names[0])
    assert acme.look({"id": order})["status"] == "pending"
    assert acme.error("acme.order.finalize", account=acme.account, order=order, csr=csr(names)) == ("conflict", "acme:orderNotReady")
    vouch(acme, os.urandom(8).hex(), order, names[1])
    assert acme.look({"id": order})["status"] == "ready"
    assert acme.finalize({"id": order}, csr(names))["status"] == "valid"


def test_a_synced_name_is_the_same_in_any_case(acme):
    name, order = fresh(), os.urandom(8).hex()
    bring(acme, order, name.upper())
    assert "result" in bring(acme, order, name) and "result" in vouch(acme, os.urandom(8).hex(), order, name.upper())
    assert acme.look({"id": order})["status"] == "ready"


def test_a_synced_authorization_serves_the_orders_of_its_account_alone(acme, other):
    name, first, second, third = fresh(), *(os.urandom(8).hex() for _ in range(3))
    authorization = os.urandom(8).hex()
    bring(acme, first, name)
    vouch(acme, authorization, first, name)
    bring(acme, second, name)
    assert "result" in vouch(acme, authorization, second, name) and acme.look({"id": second})["status"] == "ready"
    bring(other, third, name)
    reply = vouch(other, authorization, third, name)
    assert reply["error"]["data"]["code"] == "conflict" and "another account" in reply["error"]["message"], reply
    assert other.look({"id": third})["status"] == "pending"
    assert other.order(name)["status"] == "pending", "an account has what was proved for another"


def test_a_lost_authorization_takes_its_order_along(acme):
    name, order, authorization = fresh(), os.urandom(8).hex(), os.urandom(8).hex()
    bring(acme, order, name)
    vouch(acme, authorization, order, name)
    assert acme.look({"id": order})["status"] == "ready"
    assert "result" in vouch(acme, authorization, order, name, "revoked")
    assert acme.look({"id": order})["status"] == "invalid"
    for status in ("pending", "valid", "deactivated"):
        assert vouch(acme, authorization, order, name, status)["error"]["data"]["code"] == "conflict"


def test_a_challenge_under_way_comes_too_late_for_what_was_vouched_for(acme):
    name = fresh()
    order = acme.order(name)
    authorization, = order["authorizations"]
    claim = acme.begin(authorization)["claim"]
    assert "result" in vouch(acme, authorization, order["id"], name)
    acme.call("acme.challenge.finish", authorization=authorization, type=HTTP01, claim=claim, valid=False, evidence="refused")
    assert acme.look(order)["status"] == "ready"


@pytest.mark.parametrize("final", ["deactivated", "revoked"])
def test_an_account_that_has_ended_is_not_synced_back(acme, final):
    assert acme.result("acme.account.sync", account=acme.account, jwk=acme.key.jwk(), status=final)["status"] == final
    assert acme.result("acme.account.sync", account=acme.account, jwk=acme.key.jwk())["status"] == final
    for change in ({"status": "valid"}, {"contact": ["mailto:a@example.com"]}, {"status": "revoked" if final == "deactivated" else "deactivated"}):
        assert acme.error("acme.account.sync", account=acme.account, jwk=acme.key.jwk(), **change)[0] == "conflict"
    assert bring(acme, os.urandom(8).hex(), fresh())["error"]["data"]["code"] == "denied"


def test_an_order_is_brought_once_when_many_bring_it(daemon, acme):
    name, order = fresh(), os.urandom(8).hex()

    def one(_):
        with Talk(daemon.socket, "default") as talk:
            return bring(talk, order, name, account=acme.account)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(one, range(12)))
    assert any("result" in reply for reply in replies)
    assert {reply["error"]["data"]["code"] for reply in replies if "error" in reply} <= {"exists"}, replies
    assert acme.look({"id": order})["status"] == "pending"


def test_syncing_wants_an_operator(daemon, acme):
    """A front end that serves clients may not vouch for names; that is its realm's RA."""
    with daemon.talk("default") as talk:
        roles = {one["name"]: one["role"] for one in talk.result("server.describe")["commands"]}
    for name in ("acme.account.sync", "acme.order.sync", "acme.authorization.sync", "acme.order.find", "acme.authorization.find", "certificate.request", "node.announce"):
        assert roles[name] == "ra-operator", name
