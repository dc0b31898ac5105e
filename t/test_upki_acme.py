"""uPKI's acme_* tasks and the ACME front end: both work on the same accounts, orders, authorizations and certificates (UPKI.md 1.5)."""

import concurrent.futures
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from acme_client import Client, Key, b64, make_csr
from test_zmq import Peer


@pytest.fixture
def peer(system):
    return Peer(system)


@pytest.fixture
def client(system):
    one = Client(system.realm("default").directory_url, str(system.directory / "https-ca.pem"))
    return one


def fresh():
    return f"{os.urandom(6).hex()}.localhost"


def id_of(url):
    return url.rsplit("/", 1)[1]


def pem_of(der):
    return x509.load_der_x509_csr(der).public_bytes(serialization.Encoding.PEM).decode()


def sync_account(peer, key, **more):
    assert peer.data("acme_sync_account", account_id=key.thumbprint(), jwk=key.jwk(), **more) is True


def sync_order(peer, key, order, name, **more):
    assert peer.data("acme_sync_order", order_id=order, account_id=key.thumbprint(), identifiers=[{"type": "dns", "value": name}], **more) is True


def sync_authorization(peer, authorization, order, name, **more):
    assert peer.data("acme_sync_authorization", auth_id=authorization, order_id=order, identifier_type="dns", identifier_value=name, **more) is True


def order_url(system, order):
    return f"{system.https_url}/acme/order/{order}"


def test_a_synced_account_is_the_front_ends(peer, client):
    sync_account(peer, client.key, contact=["mailto:a@example.com"])
    answer = client.register(onlyReturnExisting=True)
    assert answer.status_code == 200 and id_of(answer.headers["Location"]) == client.key.thumbprint()
    assert answer.json()["contact"] == ["mailto:a@example.com"]
    assert client.order([fresh()]).status_code == 201


def test_the_front_ends_account_is_read(peer, client):
    assert client.register(contact=["mailto:b@example.com"]).status_code == 201
    account = peer.data("acme_get_account", account_id=client.key.thumbprint())
    assert account["jwk"] == client.key.jwk() and account["contact"] == ["mailto:b@example.com"] and account["status"] == "valid"
    assert account in peer.data("acme_list_accounts")


def test_an_account_that_was_given_another_key_keeps_its_id(peer, client):
    """RFC 8555 7.3.5: the id stays that of the first key, and neither key makes another account of it."""
    client.register()
    talk, second = peer.system.realm("default").talk(), Key()
    talk.result("acme.account.rekey", account=client.key.thumbprint(), jwk=second.jwk())
    talk.close()
    assert peer.data("acme_get_account", account_id=client.key.thumbprint())["jwk"] == second.jwk()
    assert peer.data("acme_sync_account", account_id=client.key.thumbprint(), jwk=second.jwk()) is True
    assert "another key" in peer.error("acme_sync_account", account_id=client.key.thumbprint(), jwk=client.key.jwk())
    assert "has this key" in peer.error("acme_sync_account", account_id=second.thumbprint(), jwk=second.jwk())


def test_a_synced_order_is_finalized_at_the_front_end(system, peer, client):
    name, order, authorization = fresh(), os.urandom(8).hex(), os.urandom(8).hex()
    sync_account(peer, client.key)
    sync_order(peer, client.key, order, name)
    client.register(onlyReturnExisting=True)
    url = order_url(system, order)
    assert client.post(url).json()["status"] == "pending"
    sync_authorization(peer, authorization, order, name, status="valid")
    document = client.post(url).json()
    assert document["status"] == "ready" and [id_of(one) for one in document["authorizations"]] == [authorization]
    assert client.post(document["finalize"], {"csr": b64(make_csr([name])[1])}).json()["status"] == "valid"
    chain = client.post(client.post(url).json()["certificate"]).text
    assert chain.startswith(peer.data("acme_get_order", order_id=order)["certificate"])


def test_a_synced_authorization_is_proved_at_the_front_end(system, peer, client, web):
    name, order, authorization = fresh(), os.urandom(8).hex(), os.urandom(8).hex()
    sync_account(peer, client.key)
    sync_order(peer, client.key, order, name)
    sync_authorization(peer, authorization, order, name)
    client.register(onlyReturnExisting=True)
    assert [one["status"] for one in client.prove(client.post(order_url(system, order)).json(), web.answers)] == ["valid"]
    assert peer.data("acme_get_authorization", auth_id=authorization)["status"] == "valid"
    assert peer.data("acme_get_order", order_id=order)["status"] == "ready"


def test_the_front_ends_order_is_issued_by_the_task(peer, client):
    name = fresh()
    client.register()
    made = client.order([name])
    url, order = made.headers["Location"], id_of(made.headers["Location"])
    authorization = id_of(made.json()["authorizations"][0])
    seen = peer.data("acme_get_order", order_id=order)
    assert seen["status"] == "pending" and seen["account_id"] == client.key.thumbprint() and seen in peer.data("acme_list_orders", account_id=seen["account_id"])
    assert peer.data("acme_get_authorization", auth_id=authorization) == {"id": authorization, "order_id": order, "identifier_type": "dns", "identifier_value": name, "status": "pending"}
    sync_authorization(peer, authorization, order, name, status="valid")
    issued = peer.data("acme_issue_certificate", order_id=order, csr=pem_of(make_csr([name])[1]))
    document = client.post(url).json()
    assert document["status"] == "valid" and client.post(document["certificate"]).text.startswith(issued["certificate"])


def test_what_is_deactivated_by_the_task_is_so_at_the_front_end(peer, client):
    client.register()
    made = client.order([fresh()])
    authorization = made.json()["authorizations"][0]
    assert peer.data("acme_deactivate_authorization", auth_id=id_of(authorization)) is True
    assert client.post(authorization).json()["status"] == "deactivated"
    assert client.post(made.headers["Location"]).json()["status"] == "invalid"
    assert peer.data("acme_deactivate_account", account_id=client.key.thumbprint()) is True
    assert client.order([fresh()]).status_code in (401, 403)
    assert client.register().status_code in (401, 403) and peer.data("acme_get_account", account_id=client.key.thumbprint())["status"] == "deactivated"


def test_F50_a_synced_order_is_its_accounts_alone(system, peer, client):
    owner, order, name = Key(), os.urandom(8).hex(), fresh()
    sync_account(peer, owner)
    sync_order(peer, owner, order, name)
    client.register()
    answer = client.post(order_url(system, order))
    missing = client.post(order_url(system, "nobody"))
    assert answer.status_code == missing.status_code == 404 and answer.json()["type"] == missing.json()["type"]


def test_C6_one_order_gives_one_certificate_however_often_it_is_asked(peer):
    key, order, name = Key(), os.urandom(8).hex(), fresh()
    sync_account(peer, key)
    sync_order(peer, key, order, name)
    sync_authorization(peer, os.urandom(8).hex(), order, name, status="valid")
    request = pem_of(make_csr([name])[1])

    def issue(_):
        reply = peer.raw('{"TASK": "acme_issue_certificate", "params": {"order_id": "%s", "csr": "%s"}}' % (order, request.replace("\n", "\\n")))
        return reply["DATA"]["serial"] if reply["EVENT"] == "ANSWER" else reply["MSG"]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(issue, range(12)))
    serials = {one for one in answers if isinstance(one, int)}
    assert len(serials) == 1, answers
    assert all("changed meanwhile" in one or "no answer within" in one for one in answers - serials), answers  # the latter on a busy machine
    assert peer.data("acme_issue_certificate", order_id=order, csr=request)["serial"] in serials
    other = pem_of(make_csr([name])[1])
    assert peer.data("acme_issue_certificate", order_id=order, csr=other)["serial"] in serials


@pytest.mark.parametrize("names", [[], ["{name}", "other.{name}"], ["other.{name}"]])
def test_issuing_wants_exactly_the_orders_names(peer, names):
    key, order, name = Key(), os.urandom(8).hex(), fresh()
    sync_account(peer, key)
    sync_order(peer, key, order, name)
    sync_authorization(peer, os.urandom(8).hex(), order, name, status="valid")
    request = pem_of(make_csr([one.format(name=name) for one in names])[1])
    assert "names are not the order's identifiers" in peer.error("acme_issue_certificate", order_id=order, csr=request)
    assert peer.data("acme_get_order", order_id=order)["status"] == "ready"


def test_a_front_end_is_rebuilt_from_the_server(peer, client):
    """What is read goes back as it is, and changes nothing."""
    name = fresh()
    client.register(contact=["mailto:c@example.com"])
    order = id_of(client.order([name]).headers["Location"])
    account = peer.data("acme_get_account", account_id=client.key.thumbprint())
    orders = peer.data("acme_list_orders", account_id=account["id"])
    assert [one["id"] for one in orders] == [order]
    assert peer.data("acme_sync_account", account_id=account["id"], **{name: account[name] for name in ("jwk", "contact", "status", "created_at")}) is True
    for one in orders:
        assert peer.data("acme_sync_order", order_id=one["id"], **{name: one[name] for name in ("account_id", "identifiers", "status", "not_before", "not_after")}) is True
    assert peer.data("acme_get_account", account_id=account["id"]) == account
    assert peer.data("acme_list_orders", account_id=account["id"]) == orders
