"""One enrolment over HTTPS in a process of its own, so that a test can give it another time: an account in a file, made at the
first time, and what was obtained on standard output as JSON.

usage: acme_enrol.py DIRECTORY-URL CA-FILE ACCOUNT-FILE HTTP01-PORT NAME"""

import json
import pathlib
import sys

from cryptography.hazmat.primitives import serialization

from acme_client import Client, Key
from http01_server import Web


def load(file):
    known = json.loads(file.read_text())
    key = Key()
    key.key = serialization.load_pem_private_key(known["key"].encode(), None)
    return key, known["kid"]


def save(file, key, kid):
    pem = key.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    file.write_text(json.dumps({"key": pem, "kid": kid}))


def main(directory_url, ca_file, account, port, name):
    file = pathlib.Path(account)
    key, kid = load(file) if file.exists() else (Key(), None)
    client = Client(directory_url, ca_file, key)
    client.kid = kid
    if kid is None:
        assert client.register().status_code == 201
        save(file, key, client.kid)
    web = Web(int(port), file.parent)
    try:
        _, chain, order = client.obtain([name], web.answers)
    finally:
        web.stop()
    address = client.post(order).json()["certificate"]
    others = [client.post(link["url"]).text for link in client.post(address).links.values() if link["rel"] == "alternate"]
    print(json.dumps({"chain": chain, "alternates": others}))


if __name__ == "__main__":
    main(*sys.argv[1:])
