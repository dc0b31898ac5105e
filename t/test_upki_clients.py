"""acme.upki_clients: uPKI's command line, which proves no names and reads certificates as JSON, where a realm serves it (UPKI.md 7)."""

import subprocess

import pytest
import requests
from cryptography import x509

from acme_client import Client, b64, make_csr
from conftest import System


class Upki(System):
    """Realm devices serves uPKI's clients, realm default does not."""

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        if name == "devices":
            with open(self.directory / "var" / "realms" / name / "ca.config.yml", "a") as file:
                file.write('  upki_clients: "yes"\n')


@pytest.fixture(scope="module")
def upki():
    with Upki.running() as one:
        yield one


def client_of(upki, name):
    realm = upki.realm(name)
    client = Client(realm.directory_url, str(realm.https_ca_file))
    assert client.register().status_code == 201
    return client


def test_an_order_is_ready_and_finalized_at_once(upki):
    """UPKI.md 7 (5) and (6)."""
    client = client_of(upki, "devices")
    names = ["cli.example.com", "unproven.example.com"]
    order = client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": one} for one in names], "profile": "server"})
    assert order.status_code == 201 and order.json()["status"] == "ready"
    _, csr = make_csr(names)
    final = client.post(order.json()["finalize"], {"csr": b64(csr)}).json()
    assert final["status"] == "valid"
    plain = requests.get(final["certificate"], verify=str(upki.realm("devices").https_ca_file), timeout=60)
    assert plain.status_code == 200 and plain.headers["Content-Type"] == "application/json"
    certificate = x509.load_pem_x509_certificate(plain.json()["certificate"].encode())
    assert set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)) == set(names)
    signed = client.post(final["certificate"])
    assert signed.headers["Content-Type"] == "application/pem-certificate-chain" and signed.text.startswith(plain.json()["certificate"])


def test_what_was_taken_unproven_counts_for_its_own_order_only(upki):
    client = client_of(upki, "devices")
    orders = [client.order(["once.example.com"]).json() for _ in range(2)]
    assert orders[0]["authorizations"] != orders[1]["authorizations"]
    authorization = client.post(orders[0]["authorizations"][0]).json()
    assert authorization["status"] == "valid" and authorization["challenges"] == []


def test_names_that_the_realm_refuses_stay_refused(upki):
    client = client_of(upki, "devices")
    for name in ("localhost", "*.example.com", "a b"):
        assert client.order([name]).status_code >= 400
    _, csr = make_csr(["other.example.com"])
    order = client.order(["cli.example.com"]).json()
    assert client.post(order["finalize"], {"csr": b64(csr)}).status_code == 400


def test_only_what_an_order_obtained_is_shown(upki):
    talk = upki.realm("devices").talk()
    made = talk.result("certificate.generate", cn="node.example.com", key="ec:P-256")
    talk.close()
    base = upki.https_url + "/realms/devices/acme/cert/"
    for serial in (made["serial"], "00", "1" * 38, "nosuch"):
        assert requests.get(base + serial, verify=str(upki.realm("devices").https_ca_file), timeout=60).status_code == 404


def test_a_realm_that_says_nothing_proves_names_and_shows_no_certificates(upki):
    client = client_of(upki, "default")
    assert client.order(["cli.example.com"]).json()["status"] == "pending"
    answer = requests.get(upki.https_url + "/acme/cert/" + "1" * 38, verify=str(upki.realm("default").https_ca_file), timeout=60)
    assert answer.status_code == 405 and answer.headers["Allow"] == "POST"


def test_check_warns_of_it(upki):
    done = subprocess.run(upki.as_user([upki.programs / "chanceryd", "--config", upki.directory / "etc" / "chancery.xml", "--check"]), capture_output=True, text=True, timeout=60)
    words = done.stdout + done.stderr
    assert words.count("upki_clients: ") == 1 and "without a proof" in words, words
