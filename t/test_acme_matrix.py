"""Every signed ACME endpoint, as the server's own routing table lists them, with every wrong credential (PROMISES I19, F39, F50).

Each request would be carried out if only its credential were right: the last test of an endpoint shows that."""

import json
import subprocess

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from acme_client import JOSE, Client, Key, b64, jws, make_csr
from conftest import BUILD


def routes():
    done = subprocess.run([BUILD / "chancery-http", "--show-routes"], capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


SIGNED = [one for one in routes() if one["signed_by"] != "nobody"]
PATHS = [one["path"] for one in SIGNED]
SIGNED_BY = {one["path"]: one["signed_by"] for one in SIGNED}


class World:
    """An owner with one of everything, a stranger with an account, one whose account is given up, and the other realm."""

    def __init__(self, system, web):
        default, devices = system.realm("default"), system.realm("devices")
        self.system = system
        self.owner, self.stranger, self.gone = (Client(default.directory_url, str(default.https_ca_file)) for _ in range(3))
        self.elsewhere = Client(devices.directory_url, str(devices.https_ca_file))
        for one in (self.owner, self.stranger, self.gone, self.elsewhere):
            assert one.register().status_code == 201
        assert self.gone.post(self.gone.kid, {"status": "deactivated"}).ok
        self.private_key, chain, _ = self.owner.obtain(["matrix.localhost"], web.answers)
        self.certificate = x509.load_pem_x509_certificate(chain.encode())
        ready = self.owner.order(["matrix.localhost"])  # proved already, so it can be finalized
        self.order_url, self.order = ready.headers["Location"], ready.json()
        pending = self.owner.order(["matrix-pending.localhost"]).json()
        self.authorization_url = pending["authorizations"][0]
        self.new_key = Key("ES384")
        serial = f"{self.certificate.serial_number:x}"
        self.parameters = {"{account}": self.owner.kid.rsplit("/", 1)[1], "{order}": self.order_url.rsplit("/", 1)[1],
                           "{authorization}": self.authorization_url.rsplit("/", 1)[1], "{type}": "http-01",
                           "{serial}": serial.rjust(len(serial) + len(serial) % 2, "0")}

    def path(self, pattern):
        for name, value in self.parameters.items():
            pattern = pattern.replace(name, value)
        return pattern

    def url(self, pattern):
        return self.system.https_url + self.path(pattern)

    def payload(self, pattern, kid=None):
        """What the owner would send."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        if pattern == "/acme/key-change":
            header = {"alg": self.new_key.algorithm, "jwk": self.new_key.jwk(), "url": self.url(pattern)}
            return jws(self.new_key, header, {"account": kid or self.owner.kid, "oldKey": self.owner.key.jwk()})
        return {"/acme/new-account": {"termsOfServiceAgreed": True},
                "/acme/new-authz": {"identifier": {"type": "dns", "value": "matrix-before.localhost"}},
                "/acme/new-order": {"identifiers": [{"type": "dns", "value": "matrix-new.localhost"}]},
                "/acme/order/{order}/finalize": {"csr": b64(make_csr(["matrix.localhost"])[1])},
                "/acme/revoke-cert": {"certificate": b64(der), "reason": 4}}.get(pattern)

    def send(self, pattern, key=None, to=None, signature=None, **changes):
        """The owner's request with some of its protected header changed; a change of None takes a member away. @param to  where it
        goes, if not where its header says."""
        owner, address = self.owner, self.url(pattern)
        key = key or owner.key
        header = {"alg": key.algorithm, "nonce": owner.nonce(), "url": address}
        header.update({"jwk": key.jwk()} if SIGNED_BY[pattern] == "key" else {"kid": owner.kid})
        header.update(changes)
        header = {name: value for name, value in header.items() if value is not None}
        return owner.send(to or address, jws(key, header, self.payload(pattern), signature))


@pytest.fixture(scope="module")
def world(system, tmp_path_factory):
    from http01_server import Web
    web = Web(system.http01_port, tmp_path_factory.mktemp("matrix"))
    yield World(system, web)
    web.stop()


def used_nonce(world):
    nonce = world.owner.nonce()
    assert world.owner.post(world.owner.kid, nonce=nonce).ok
    return nonce


def in_other_realm(world, url):
    return url.replace("/acme/", "/realms/devices/acme/")


# credential -> (request, statuses, error types); those of a key where a kid belongs and the like are told apart below
CREDENTIALS = {
    "no JWS": (lambda w, p: w.owner.send(w.url(p), b""), {400}, {"malformed"}),
    "no JWS but the payload": (lambda w, p: w.owner.send(w.url(p), json.dumps(w.payload(p) or {})), {400}, {"malformed", "badNonce"}),  # a key change's is a JWS itself
    "alg none": (lambda w, p: w.send(p, alg="none"), {400}, {"badSignatureAlgorithm"}),
    "alg HS256": (lambda w, p: w.send(p, alg="HS256"), {400}, {"badSignatureAlgorithm"}),
    "alg of another curve": (lambda w, p: w.send(p, alg="ES384"), {400}, {"badSignatureAlgorithm"}),
    "empty signature": (lambda w, p: w.send(p, signature=b""), {400}, {"malformed"}),
    "zero signature": (lambda w, p: w.send(p, signature=bytes(64)), {400}, {"malformed"}),
    "signature of another text": (lambda w, p: w.send(p, signature=w.owner.key.sign(b"another text")), {400}, {"malformed"}),
    "no nonce": (lambda w, p: w.send(p, nonce=None), {400}, {"badNonce"}),
    "used nonce": (lambda w, p: w.send(p, nonce=used_nonce(w)), {400}, {"badNonce"}),
    "invented nonce": (lambda w, p: w.send(p, nonce="A" * 32), {400}, {"badNonce"}),
    "nonce of the other realm": (lambda w, p: w.send(p, nonce=w.elsewhere.nonce()), {400}, {"badNonce"}),
    "no url": (lambda w, p: w.send(p, url=None), {400}, {"malformed"}),
    "url of another endpoint": (lambda w, p: w.send(p, url=w.url(p) + "x"), {403}, {"unauthorized"}),
    "url without its host": (lambda w, p: w.send(p, url=w.path(p)), {403}, {"unauthorized"}),
    "url of the other realm": (lambda w, p: w.send(p, to=in_other_realm(w, w.url(p)), nonce=w.elsewhere.nonce()), {403}, {"unauthorized"}),
    "crit": (lambda w, p: w.send(p, crit=["exp"], exp=1), {400}, {"malformed"}),
    "jwk and kid": (lambda w, p: w.send(p, jwk=w.owner.key.jwk(), kid=w.owner.kid), {400}, {"malformed"}),
    "neither jwk nor kid": (lambda w, p: w.send(p, jwk=None, kid=None), {400}, {"malformed"}),
}
BY_ACCOUNT = {
    "jwk of the account": (lambda w, p: w.send(p, kid=None, jwk=w.owner.key.jwk()), {400}, {"malformed"}),
    "jwk of nobody": (lambda w, p: w.send(p, key=Key(), kid=None, jwk=Key().jwk()), {400}, {"malformed"}),
    "another key under the owner's kid": (lambda w, p: w.send(p, key=w.stranger.key), {400}, {"malformed"}),
    "the owner's key under another kid": (lambda w, p: w.send(p, kid=w.stranger.kid), {400}, {"malformed"}),
    "kid of nobody": (lambda w, p: w.send(p, kid=w.owner.kid.rsplit("/", 1)[0] + "/nobody"), {400}, {"accountDoesNotExist"}),
    "kid of another host": (lambda w, p: w.send(p, kid=w.owner.kid.replace("localhost", "ca.example.net")), {400}, {"accountDoesNotExist"}),
    "kid without its address": (lambda w, p: w.send(p, kid=w.owner.kid.rsplit("/", 1)[1]), {400}, {"accountDoesNotExist"}),
    "kid of the other realm": (lambda w, p: w.send(p, key=w.elsewhere.key, kid=w.elsewhere.kid), {400}, {"accountDoesNotExist"}),
    "id of the other realm's account": (lambda w, p: w.send(p, key=w.elsewhere.key, kid=w.owner.kid.rsplit("/", 1)[0] + "/" + w.elsewhere.kid.rsplit("/", 1)[1]),
                                        {400}, {"accountDoesNotExist"}),
    "a deactivated account": (lambda w, p: w.send(p, key=w.gone.key, kid=w.gone.kid), {403}, {"unauthorized"}),
}
BY_KEY = {
    "kid of the account": (lambda w, p: w.send(p, jwk=None, kid=w.owner.kid), {400}, {"malformed"}),
    "another key's jwk": (lambda w, p: w.send(p, jwk=w.stranger.key.jwk()), {400}, {"malformed"}),
    "a private jwk": (lambda w, p: w.send(p, jwk={**w.owner.key.jwk(), "d": b64(bytes(32))}), {400}, {"malformed"}),
    "a symmetric jwk": (lambda w, p: w.send(p, jwk={"kty": "oct", "k": "AAAA"}), {400}, {"malformed", "badPublicKey"}),
    "a point off the curve": (lambda w, p: w.send(p, jwk={**w.owner.key.jwk(), "y": b64(bytes(31) + b"\x01")}), {400}, {"badPublicKey"}),
    "a deactivated account's key": (lambda w, p: w.send(p, key=w.gone.key), {403}, {"unauthorized"}),
}
# The certificate's own key, or none but its account's, revokes: a bare key that signs rightly is the wrong one all the same.
BY_EITHER = {name: case for name, case in BY_ACCOUNT.items() if not name.startswith("jwk")} | {
    "a bare key that is not the certificate's": (lambda w, p: w.send(p, key=w.stranger.key, kid=None, jwk=w.stranger.key.jwk()), {403}, {"unauthorized"}),
    "the certificate's key, signed by another": (lambda w, p: w.send(p, kid=None, jwk=certificate_key(w).jwk()), {400}, {"malformed"}),
    "the stranger's account": (lambda w, p: w.send(p, key=w.stranger.key, kid=w.stranger.kid), {403}, {"unauthorized"}),
}
# Signed rightly by an account in force, but not the one whose thing it is: as if it did not exist.
NOT_YOURS = {"{account}": {403}, "{order}": {404}, "{authorization}": {404}, "{serial}": {404}}


def certificate_key(world):
    key = Key()
    key.key = world.private_key
    return key


def cases():
    for path, by in SIGNED_BY.items():
        more = {"key": BY_KEY, "account": BY_ACCOUNT, "key or account": BY_EITHER}[by]
        for name in CREDENTIALS | more:
            yield pytest.param(path, (CREDENTIALS | more)[name], id=f"{path}: {name}")


def check_refused(answer, statuses, kinds):
    assert answer.status_code in statuses, answer.text
    assert answer.json()["type"].removeprefix("urn:ietf:params:acme:error:") in kinds, answer.text
    assert answer.headers["Replay-Nonce"] and answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Request-Id"]


def test_the_table_has_the_endpoints_of_the_rfc():
    assert len(PATHS) >= 11 and set(SIGNED_BY.values()) == {"key", "account", "key or account"}
    assert all(one["listener"] == "tls" and one["method"] == "POST" for one in SIGNED)


@pytest.mark.parametrize("path,case", cases())
def test_I19_a_wrong_credential_is_refused(world, path, case):
    request, statuses, kinds = case
    check_refused(request(world, path), statuses, kinds)


@pytest.mark.parametrize("path", [path for path in PATHS if "{" in path])
def test_I19_what_is_not_yours_is_not_there(world, path):
    stranger = world.stranger
    answer = stranger.send(world.url(path), jws(stranger.key, stranger.header(world.url(path)), world.payload(path)))
    check_refused(answer, NOT_YOURS[next(name for name in NOT_YOURS if name in path)], {"malformed", "unauthorized"})


@pytest.mark.parametrize("path", [path for path in PATHS if "{" in path and "{account}" not in path])
def test_F50_the_other_realm_does_not_have_it(world, path):
    """The same key and an account of the other realm, at the other realm's address of the owner's thing."""
    elsewhere, url = world.elsewhere, in_other_realm(world, world.url(path))
    missing = url.replace(world.path(path).rsplit("/", 1)[1] if path.count("{") == 1 and path.endswith("}") else world.parameters["{order}" if "{order}" in path else "{authorization}"], "ab" * 12)
    there, gone = (elsewhere.send(one, jws(elsewhere.key, elsewhere.header(one), world.payload(path))) for one in (url, missing))
    check_refused(there, {404}, {"malformed"})
    assert there.json()["detail"] == gone.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_only_as_post_of_a_jws_and_only_through_tls(world, path):
    assert requests.post(world.system.http_url + world.path(path), data=b"{}", headers={"Content-Type": JOSE}, timeout=60).status_code == 404
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = world.owner.web.request(method, world.url(path), timeout=60)
        # Where a realm serves uPKI's command line, a certificate is there to be got (acme.upki_clients).
        allowed = {"POST", "GET, HEAD, POST"} if path.startswith("/acme/cert/") else {"POST"}
        assert answer.status_code == 405 and answer.headers["Allow"] in allowed, answer.text
    check_refused(world.owner.send(world.url(path), b"{}", "application/json"), {415}, {"malformed"})


def test_I19_nothing_happened(world):
    """After all of that the owner has what there was before."""
    owner = world.owner
    assert owner.post(owner.kid).json()["status"] == "valid"
    assert owner.post(world.order_url).json()["status"] == "ready"
    assert owner.post(world.authorization_url).json()["status"] == "pending"
    assert world.system.realm("default").status_of(world.certificate.serial_number) == "good"


@pytest.mark.parametrize("path", sorted(PATHS, key=lambda path: (path in ("/acme/revoke-cert", "/acme/key-change"), path)))
def test_the_right_credential_is_taken(world, path):
    """Last: each of the requests above, rightly signed, does its work."""
    answer = world.send(path)
    assert answer.ok, answer.text
    if path == "/acme/key-change":
        world.owner.key = world.new_key


def test_F38_a_nonce_of_another_process_is_refused(system, world):
    """A front end that ended takes its nonces along; what it gave out is never taken twice, and the refusal brings a good one."""
    import os
    import signal
    import time

    from test_flood import process_of
    nonce = world.owner.nonce()
    before = process_of(system, "chancery-http")[0]
    os.kill(int(before.name), signal.SIGKILL)
    deadline = time.monotonic() + 120
    while True:
        try:
            world.owner.web.close()
            answer = world.owner.post(world.owner.kid, nonce=nonce)
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert process_of(system, "chancery-http")[0] != before
    check_refused(answer, {400}, {"badNonce"})
    assert world.owner.post(world.owner.kid, nonce=answer.headers["Replay-Nonce"]).ok
