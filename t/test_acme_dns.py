"""What the DNS proves and who may issue: dns-01, dns-account-01, dns-persist-01, and CAA when a name is proved and again when a
certificate is issued (RFC 8555 8.4, RFC 8659, RFC 8657)."""

import json
import sqlite3
import time

import pytest

from acme_client import b64, make_csr
from challenges import ISSUER, account, account_label, answer, begin, begin_dns, challenge_of, check_refused, digest, key_authorization, order
from challenges import client, system  # noqa: F401: fixtures
from cryptography import x509
from dns_server import CAA, SERVFAIL, TXT, caa, txt


def prove(client, dns, name):
    """The name by dns-01."""
    url, challenge, place = begin_dns(client, name)
    dns.zone[place] = [txt(digest(client, challenge))]
    return answer(client, url, challenge)


# ----- which are offered

def test_names_are_offered_the_methods_that_can_prove_them(client):
    def offered(name, kind="dns"):
        found = client.post(order(client, name, kind=kind)[1]["authorizations"][0]).json()
        return [one["type"] for one in found["challenges"]], found["identifier"], found.get("wildcard")
    assert offered("every.shop.example") == (["http-01", "dns-01", "tls-alpn-01", "dns-account-01", "dns-persist-01"],
                                             {"type": "dns", "value": "every.shop.example"}, None)
    assert offered("*.every.shop.example") == (["dns-01", "dns-account-01", "dns-persist-01"],
                                               {"type": "dns", "value": "every.shop.example"}, True)
    assert offered("127.0.0.9", "ip") == (["http-01", "tls-alpn-01"], {"type": "ip", "value": "127.0.0.9"}, None)


def test_each_challenge_has_a_token_of_its_own(client):
    found = client.post(order(client, "tokens.shop.example")[1]["authorizations"][0]).json()["challenges"]
    tokens = [one["token"] for one in found if one["type"] != "dns-persist-01"]
    assert len(set(tokens)) == 4 and all(len(one) >= 22 for one in tokens)
    persist = next(one for one in found if one["type"] == "dns-persist-01")
    assert "token" not in persist and persist["issuer-domain-names"] == [ISSUER, "CA2.example"] and persist["accounturi"] == client.kid


@pytest.mark.parametrize("name,kind", [("*.shop.example", "dns"), ("127.0.0.1", "ip"), ("::1", "ip")])
def test_a_realm_takes_no_names_that_it_offers_no_method_for(system, name, kind):
    one = account(system, "devices")
    refused = one.post(one.directory["newOrder"], {"identifiers": [{"type": kind, "value": name}]})
    assert refused.status_code == 400 and refused.json()["type"].endswith(":rejectedIdentifier"), refused.text
    created = order(one, "plain.shop.example")[1]
    assert [each["type"] for each in one.post(created["authorizations"][0]).json()["challenges"]] == ["http-01"]


@pytest.mark.parametrize("name", ["*.*.shop.example", "a.*.shop.example", "*", "*.", "*.example", "*shop.example", "*.-a.example"])
def test_wildcards_that_are_none(client, name):
    refused = client.order([name])
    assert refused.status_code in (400, 403) and refused.json()["type"].rsplit(":", 1)[1] in ("malformed", "rejectedIdentifier")


def test_a_method_that_is_not_offered_has_no_challenge(system, client):
    url = order(client, "*.not-offered.shop.example")[1]["authorizations"][0]
    place = url.replace("/authz/", "/challenge/")
    for method in ("http-01", "tls-alpn-01", "dns-02", "x"):
        assert client.post(f"{place}/{method}", {}).status_code == 404


def test_the_directory_says_by_which_names_caa_may_call_the_ca(system, client):
    assert client.directory["meta"]["caaIdentities"] == [ISSUER, "CA2.example"]
    assert "caaIdentities" not in account(system, "devices").directory["meta"]


# ----- dns-01

def test_F49_dns01_finds_its_digest(client, dns):
    assert prove(client, dns, "plain.dns.example") == ("valid", None)
    assert dns.asked("_acme-challenge.plain.dns.example", TXT) == 1


def test_F49_one_of_many_records_is_enough(client, dns):
    url, challenge, place = begin_dns(client, "many.dns.example")
    dns.zone[place] = [txt(f"record {i} " + "x" * 100) for i in range(300)] + [txt(digest(client, challenge))]
    assert answer(client, url, challenge) == ("valid", None)


def test_F49_the_digest_may_be_in_pieces(client, dns):
    url, challenge, place = begin_dns(client, "pieces.dns.example")
    text = digest(client, challenge).encode()
    dns.zone[place] = [(TXT, bytes([10]) + text[:10] + bytes([len(text) - 10]) + text[10:])]
    assert answer(client, url, challenge) == ("valid", None)


def test_F49_a_zone_may_be_delegated_by_cname(client, dns):
    url, challenge, place = begin_dns(client, "www.delegated.example")
    dns.zone[place] = ["CNAME proofs.elsewhere.example"]
    dns.zone["proofs.elsewhere.example"] = [txt("of somebody else"), txt(digest(client, challenge))]
    assert answer(client, url, challenge) == ("valid", None)


@pytest.mark.parametrize("zone", [".test", ".home.arpa"])
def test_names_of_private_networks_are_asked_for(client, dns, zone):
    assert prove(client, dns, "www.lan" + zone) == ("valid", None)


def test_a_record_that_comes_late_is_found(client, dns):
    url, challenge, place = begin_dns(client, "late.dns.example")
    right = [txt(digest(client, challenge))]
    dns.zone[place] = lambda kind, before: right if before >= 2 else [txt("the one before")]
    assert answer(client, url, challenge) == ("valid", None)
    assert dns.asked(place, TXT) == 3


def test_a_resolver_that_fails_for_a_moment_is_asked_again(client, dns):
    url, challenge, place = begin_dns(client, "failing.dns.example")
    right, failed = [txt(digest(client, challenge))], []

    def found(kind, before):
        if time.monotonic() < failed[0] + 0.2 if failed else not failed.append(time.monotonic()):
            return SERVFAIL
        return right
    dns.zone[place] = found
    assert answer(client, url, challenge) == ("valid", None)


WRONG_TEXTS = {
    "another digest": lambda right, authorization: [txt("A" * 43)],
    "key authorization": lambda right, authorization: [txt(authorization)],
    "padded": lambda right, authorization: [txt(right + "=")],
    "in quotes": lambda right, authorization: [txt(f'"{right}"')],
    "with a blank": lambda right, authorization: [txt(" " + right)],
    "in other letters": lambda right, authorization: [txt(right.swapcase())],
    "in two records": lambda right, authorization: [txt(right[:20]), txt(right[20:])],
    "in hexadecimal": lambda right, authorization: [txt("ab" * 32)],
    "control characters": lambda right, authorization: [txt("\x1b[2J\nforged line")],
    "no text": lambda right, authorization: [txt("")],
    "64 kB": lambda right, authorization: [txt("x" * 60_000)],
}


@pytest.mark.parametrize("case", WRONG_TEXTS)
def test_F49_dns01_refuses(client, dns, case):
    url, challenge, place = begin_dns(client, f"{case.replace(' ', '-').lower()}.wrong.example")
    dns.zone[place] = WRONG_TEXTS[case](digest(client, challenge), key_authorization(client, challenge))
    detail = check_refused(answer(client, url, challenge), "incorrectResponse")
    assert place in detail and digest(client, challenge) in detail and "\x1b" not in detail and "\n" not in detail
    if case == "key authorization":
        assert "not its digest" in detail


@pytest.mark.parametrize("case,zone", [("no such name", {}), ("no records", {"_acme-challenge.{}": []}), ("no TXT", {"_acme-challenge.{}": ["127.0.0.1"]}),
                                       ("SERVFAIL", {"_acme-challenge.{}": SERVFAIL}),
                                       ("CNAME to itself", {"_acme-challenge.{}": ["CNAME _acme-challenge.{}"]}),
                                       ("malformed", {"_acme-challenge.{}": [(TXT, b"\x20short")]}),
                                       ("above the limit", {"_acme-challenge.{}": [txt(str(i)) for i in range(600)]}),
                                       ("at the name itself", {"{}": [txt("x")]})])
def test_F49_names_without_a_text(client, dns, case, zone):
    name = f"{case.replace(' ', '-').lower()}.none.example"
    for place, records in zone.items():
        dns.zone[place.format(name)] = [one.format(name) if isinstance(one, str) else one for one in records] if isinstance(records, list) else records
    url, challenge, place = begin_dns(client, name)
    assert place in check_refused(answer(client, url, challenge), "dns")


def test_F22_a_name_server_that_says_nothing(client, dns):
    url, challenge, place = begin_dns(client, "silent.none.example")
    dns.zone[place] = lambda kind, before: None
    assert place in check_refused(answer(client, url, challenge), "dns")


def test_a_challenge_that_fails_ends_authorization_and_order(client, dns):
    order_url, document = order(client, "one.failed.example", "two.failed.example")
    url = document["authorizations"][0]
    check_refused(answer(client, url, challenge_of(client, url, "dns-01")), "dns")
    assert {one["type"]: one["status"] for one in client.post(url).json()["challenges"]}["http-01"] == "pending"
    assert client.post(challenge_of(client, url, "http-01")["url"], {}).json()["status"] == "pending"  # nothing is tried any more
    assert client.post(order_url).json()["status"] == "invalid"


# ----- wildcards

def test_F49_a_wildcard_and_its_base_name(client, dns, system):
    names = ["*.both.example", "both.example"]
    order_url, document = order(client, *names)
    assert document["identifiers"] == [{"type": "dns", "value": name} for name in names]
    challenges = [(url, challenge_of(client, url, "dns-01")) for url in document["authorizations"]]
    dns.zone["_acme-challenge.both.example"] = [txt(digest(client, one)) for _, one in challenges]
    assert [answer(client, *one) for one in challenges] == [("valid", None)] * 2
    assert client.post(order_url).json()["status"] == "ready"
    finalized = client.post(document["finalize"], {"csr": b64(make_csr(names)[1])})
    assert finalized.ok, finalized.text
    chain = client.post(client.poll(order_url, ("valid", "invalid"))["certificate"]).text
    sans = x509.load_pem_x509_certificate(chain.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sorted(sans.get_values_for_type(x509.DNSName)) == names


def test_a_base_name_proves_no_wildcard_nor_the_other_way_round(client, dns):
    assert prove(client, dns, "base.apart.example") == ("valid", None)
    assert order(client, "*.base.apart.example")[1]["status"] == "pending"
    assert prove(client, dns, "*.wild.apart.example") == ("valid", None)
    assert order(client, "wild.apart.example")[1]["status"] == "pending"
    assert order(client, "*.wild.apart.example")[1]["status"] == "ready"
    order_url, document = order(client, "base.apart.example")
    refused = client.post(document["finalize"], {"csr": b64(make_csr(["*.base.apart.example"])[1])})
    assert refused.json()["type"].endswith(":badCSR")


# ----- the drafts

def test_dns_account01_looks_below_the_accounts_label(client, dns):
    url, challenge, place = begin_dns(client, "www.account.example", "dns-account-01")
    dns.zone[f"{account_label(client)}.{place}"] = [txt(digest(client, challenge))]
    assert answer(client, url, challenge) == ("valid", None)
    assert dns.asked(place, TXT) == 0


def test_dns_account01_takes_no_other_label(client, dns, system):
    url, challenge, place = begin_dns(client, "other.account.example", "dns-account-01")
    for label in (account_label(account(system)) + ".", ""):
        dns.zone[label + place] = [txt(digest(client, challenge))]
    assert account_label(client) in check_refused(answer(client, url, challenge), "dns")


@pytest.mark.parametrize("name,more,status", [
    ("www.persist.example", "", "valid"), ("until.persist.example", "; persistUntil=4102444800", "valid"),
    ("*.wild.persist.example", "; policy=wildcard", "valid"), ("past.persist.example", "; persistUntil=1", "invalid"),
    ("*.plain.persist.example", "", "invalid"), ("twice.persist.example", "; policy=wildcard; policy=wildcard", "invalid")])
def test_dns_persist01_binds_a_name_to_an_account(client, dns, name, more, status):
    url, challenge, _ = begin_dns(client, name, "dns-persist-01")
    dns.zone["_validation-persist." + name.removeprefix("*.")] = [txt("v=spf1 -all"), txt(f"{ISSUER}; accounturi={client.kid}{more}")]
    found, error = answer(client, url, challenge)
    assert found == status, error
    assert status == "valid" or error["type"].endswith(":incorrectResponse")


def test_dns_persist01_of_another_account_or_ca_proves_nothing(client, dns, system):
    for i, text in enumerate((f"{ISSUER}; accounturi={account(system).kid}", f"other.example; accounturi={client.kid}", ISSUER)):
        url, challenge, _ = begin_dns(client, f"stranger-{i}.persist.example", "dns-persist-01")
        dns.zone[f"_validation-persist.stranger-{i}.persist.example"] = [txt(text)]
        check_refused(answer(client, url, challenge), "incorrectResponse")


# ----- DNSSEC

def test_F49_answers_that_should_be_signed_and_are_not(system, dns, web):
    one = account(system, "devices")
    for name, kind in (("www.signed.example", "dns"), ("www.unsigned.example", None)):
        dns.zone[name] = ["127.0.0.1"]
        url, challenge = begin(one, name, "http-01")
        web.answers[challenge["token"]] = key_authorization(one, challenge)
        outcome = answer(one, url, challenge)
        if kind:
            assert "DNSSEC" in check_refused(outcome, kind)
        else:
            assert outcome == ("valid", None)


# ----- CAA

OTHER = caa("issue", "other.example")
CAA_CASES = {  # records by name below caa.example, without its asterisk -> whether the name may be issued
    "mine": ({"mine.caa.example": [caa("issue", ISSUER)]}, True),
    "second": ({"second.caa.example": [caa("issue", "ca2.EXAMPLE")]}, True),
    "other": ({"other.caa.example": [OTHER]}, False),
    "nobody": ({"nobody.caa.example": [caa("issue", ";")]}, False),
    "above": ({"above.up.caa.example": [], "up.caa.example": [OTHER]}, False, "above.up.caa.example"),
    "below": ({"below.up2.caa.example": [caa("issue", ISSUER)], "up2.caa.example": [OTHER]}, True, "below.up2.caa.example"),
    "cname": ({"cname.caa.example": ["CNAME target.elsewhere2.example"], "target.elsewhere2.example": [OTHER]}, False),
    "critical": ({"critical.caa.example": [caa("issue", ISSUER), caa("nosuch", "x", 0x80)]}, False),
    "unknown": ({"unknown.caa.example": [caa("nosuch", "x")]}, True),
    "iodef": ({"iodef.caa.example": [caa("iodef", "mailto:a@caa.example")]}, True),
    "malformed": ({"malformed.caa.example": [(CAA, b"\x00\x30issue")]}, False),
    "method": ({"method.caa.example": [caa("issue", ISSUER + "; validationmethods=dns-01")]}, True),
    "other method": ({"other-method.caa.example": [caa("issue", ISSUER + "; validationmethods=http-01")]}, False, "other-method.caa.example"),
    "other account": ({"other-account.caa.example": [caa("issue", ISSUER + "; accounturi=https://localhost/acme/account/x")]}, False,
                      "other-account.caa.example"),
    "wild": ({"wild.caa.example": [caa("issue", ";"), caa("issuewild", ISSUER)]}, True, "*.wild.caa.example"),
    "not wild": ({"not-wild.caa.example": [caa("issue", ISSUER), caa("issuewild", ";")]}, False, "*.not-wild.caa.example"),
    "plain": ({"plain.caa.example": [caa("issue", ISSUER), caa("issuewild", ";")]}, True),
}


@pytest.mark.parametrize("case", CAA_CASES)
def test_caa_says_who_may_issue(client, dns, case):
    zone, allowed, name = (*CAA_CASES[case], f"{case}.caa.example")[:3]
    dns.zone.update(zone)
    outcome = prove(client, dns, name)
    if allowed:
        assert outcome == ("valid", None)
    else:
        assert "CAA" in check_refused(outcome, "caa")


def test_caa_of_this_account(client, dns):
    dns.zone["account.caa.example"] = [caa("issue", f"{ISSUER}; accounturi={client.kid}; validationmethods=dns-01")]
    assert prove(client, dns, "account.caa.example") == ("valid", None)


def test_caa_that_cannot_be_had_allows_nothing(client, dns):
    dns.zone["servfail.caa.example"] = lambda kind, before: SERVFAIL if kind == CAA else []
    assert "CAA" in check_refused(prove(client, dns, "servfail.caa.example"), "dns")


def test_a_realm_without_names_for_it_asks_for_no_caa(system, dns, web):
    one = account(system, "devices")
    dns.zone["unasked.caa.example"] = ["127.0.0.1", OTHER]
    url, challenge = begin(one, "unasked.caa.example", "http-01")
    web.answers[challenge["token"]] = key_authorization(one, challenge)
    assert answer(one, url, challenge) == ("valid", None)
    assert dns.asked("unasked.caa.example", CAA) == 0


def age_caa_checks(system, url, seconds):
    """The authorization's look at CAA becomes so much older."""
    with sqlite3.connect(system.directory / "var" / "realms" / "default" / "db" / "realm.db", timeout=60) as database:
        row, = database.execute("SELECT challenges FROM acme_authorization WHERE id = ?", (url.rsplit("/", 1)[1],)).fetchall()
        challenges = json.loads(row[0])
        for one in challenges:
            if "caa_checked_at" in one:
                one["caa_checked_at"] -= seconds
        database.execute("UPDATE acme_authorization SET challenges = ? WHERE id = ?", (json.dumps(challenges), url.rsplit("/", 1)[1]))


def finalize(client, order_url, document, name):
    answered = client.post(document["finalize"], {"csr": b64(make_csr([name])[1])})
    assert answered.ok, answered.text
    return answered.json()["status"], client.poll(order_url, ("valid", "invalid"))


def stale_order(client, dns, system, name, hours):
    assert prove(client, dns, name) == ("valid", None)
    order_url, document = order(client, name)
    assert document["status"] == "ready"
    age_caa_checks(system, document["authorizations"][0], hours * 3600)
    return order_url, document, dns.asked(name, CAA)


def test_caa_is_looked_at_again_before_issuing(client, dns, system):
    order_url, document, asked = stale_order(client, dns, system, "stale.caa.example", 9)
    status, ended = finalize(client, order_url, document, "stale.caa.example")
    assert status == "processing" and ended["status"] == "valid", ended
    assert dns.asked("stale.caa.example", CAA) == asked + 1
    second_url, second = order(client, "stale.caa.example")  # looked at just now
    assert finalize(client, second_url, second, "stale.caa.example")[1]["status"] == "valid"
    assert dns.asked("stale.caa.example", CAA) == asked + 1


def test_caa_that_was_looked_at_within_eight_hours_is_not_again(client, dns, system):
    order_url, document, asked = stale_order(client, dns, system, "fresh.caa.example", 7)
    status, ended = finalize(client, order_url, document, "fresh.caa.example")
    assert status == "valid" and dns.asked("fresh.caa.example", CAA) == asked


@pytest.mark.parametrize("records,kind", [([OTHER], "caa"), (SERVFAIL, "dns")])
def test_caa_that_changed_meanwhile_ends_the_order(client, dns, system, records, kind):
    name = f"changed-{kind}.caa.example"
    order_url, document, _ = stale_order(client, dns, system, name, 9)
    dns.zone[name] = records
    status, ended = finalize(client, order_url, document, name)
    assert status == "processing" and ended["status"] == "invalid" and "certificate" not in ended
    assert ended["error"]["type"].endswith(":" + kind) and name in ended["error"]["detail"], ended
    dns.zone[name] = [caa("issue", ISSUER)]
    again_url, again = order(client, name)  # the proof still holds
    assert finalize(client, again_url, again, name)[1]["status"] == "valid"


def test_F22_a_look_at_caa_that_hangs_holds_up_nobody_else(client, dns, system):
    order_url, document, _ = stale_order(client, dns, system, "hanging.caa.example", 9)
    dns.zone["hanging.caa.example"] = lambda kind, before: None
    assert client.post(document["finalize"], {"csr": b64(make_csr(["hanging.caa.example"])[1])}).json()["status"] == "processing"
    assert client.order(["other.caa.example"]).status_code == 201
    assert client.poll(order_url, ("valid", "invalid"))["error"]["type"].endswith(":dns")


def test_only_who_claimed_a_look_at_caa_reports_on_it(client, dns, system):
    """The daemon's side: acme.caa.finish with no claim, another's, and for an order that is not its authorization's."""
    order_url, document, _ = stale_order(client, dns, system, "claim.caa.example", 9)
    talk = system.realm("default").talk()
    its_id, authorization = order_url.rsplit("/", 1)[1], document["authorizations"][0].rsplit("/", 1)[1]
    asked = dict(order=its_id, authorization=authorization, claim="x", allowed=True, evidence="")
    assert talk.code("acme.caa.finish", **asked) == "conflict"
    ordered = talk.result("acme.order.finalize", account=client.kid.rsplit("/", 1)[1], order=its_id,
                          csr=pem(make_csr(["claim.caa.example"])[1]))
    check, = ordered["caa_checks"]
    assert ordered["status"] == "processing" and check["authorization"] == authorization and check["type"] == "dns-01"
    assert talk.result("acme.order.get", account=client.kid.rsplit("/", 1)[1], order=its_id)["caa_checks"] == []  # claimed already
    assert talk.code("acme.caa.finish", **asked) == "conflict"
    other = order(client, "unrelated.caa.example")[0].rsplit("/", 1)[1]
    assert talk.code("acme.caa.finish", **{**asked, "order": other, "claim": check["claim"]}) == "not_found"
    assert talk.result("acme.caa.finish", **{**asked, "claim": check["claim"]})["status"] == "processing"
    assert talk.code("acme.caa.finish", **{**asked, "claim": check["claim"]}) == "conflict"
    assert client.poll(order_url, ("valid", "invalid"))["status"] == "valid"
    talk.close()


def test_a_look_at_caa_that_is_given_back_is_no_verdict(client, dns, system):
    order_url, document, _ = stale_order(client, dns, system, "back.caa.example", 9)
    talk = system.realm("default").talk()
    its_id, holder = order_url.rsplit("/", 1)[1], client.kid.rsplit("/", 1)[1]
    first, = talk.result("acme.order.finalize", account=holder, order=its_id, csr=pem(make_csr(["back.caa.example"])[1]))["caa_checks"]
    back = dict(order=its_id, authorization=document["authorizations"][0].rsplit("/", 1)[1], untried=True)
    assert talk.code("acme.caa.finish", **back, claim="x", allowed=False) == "conflict"
    assert talk.result("acme.caa.finish", **back, claim=first["claim"], allowed=False)["status"] == "processing"
    second, = talk.result("acme.order.get", account=holder, order=its_id)["caa_checks"]
    assert second["claim"] != first["claim"]
    assert talk.result("acme.caa.finish", **back, claim=second["claim"], allowed=True)["status"] == "processing"  # untried wins
    assert client.poll(order_url, ("valid", "invalid"))["status"] == "valid"
    talk.close()


def pem(der):
    from cryptography.hazmat.primitives import serialization
    return x509.load_der_x509_csr(der).public_bytes(serialization.Encoding.PEM).decode()


def test_evidence_of_a_proof_is_in_the_log(client, dns, system):
    assert prove(client, dns, "evidence.dns.example") == ("valid", None)
    assert "_acme-challenge.evidence.dns.example TXT: 1 records" in system.log.read_text()
