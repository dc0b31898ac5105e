"""The rules of ACME that t/test_acme_conformance.py holds a server against: one row for each, as a raw request and what has to come back.

A row's request is a function of a World: an account with one of everything, and the means to break any rule of RFC 7515 and 8555."""

import base64
import dataclasses
import datetime
import json
import typing

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from acme_client import JOSE, Client, Key, b64, b64_number, jws, make_csr

RULES = []


@dataclasses.dataclass
class Rule:
    section: str  # "RFC 8555 6.2"
    name: str
    request: typing.Callable
    status: int
    kind: str  # of the error; empty: it is done


def rule(section, name, request, status=400, kind="malformed"):
    RULES.append(Rule(section, name, request, status, kind if status >= 400 else ""))


class World:
    def __init__(self, system, web):
        self.system, self.web = system, web
        self.realm = system.realm("default")
        self.owner = self.account()
        self.other = self.account()
        self.private_key, chain, self.valid_order = self.owner.obtain(["conformance.own.localhost"], web.answers)
        self.certificate = x509.load_pem_x509_certificate(chain.encode())
        made = self.owner.order(["conformance.own.localhost"])
        self.ready_order, self.ready = made.headers["Location"], made.json()
        made = self.owner.order(["conformance-pending.own.localhost"])
        self.pending_order, self.pending = made.headers["Location"], made.json()
        self.authorization = self.pending["authorizations"][0]

    def stranger(self, key=None):
        return Client(self.realm.directory_url, str(self.realm.https_ca_file), key)

    def account(self, key=None):
        client = self.stranger(key)
        assert client.register().status_code == 201
        return client

    def url(self, name):
        return self.owner.directory[name]

    def challenge(self):
        return self.owner.post(self.authorization).json()["challenges"][0]["url"]

    # ----- requests of the owner, with something about them changed

    def order_payload(self):
        return {"identifiers": [{"type": "dns", "value": "conformance-new.own.localhost"}]}

    def body(self, payload=None, **changes):
        return jws(self.owner.key, self.owner.header(self.url("newOrder"), **changes), self.order_payload() if payload is None else payload)

    def raw(self, body, content_type=JOSE):
        return self.owner.send(self.url("newOrder"), body, content_type)

    def header(self, **changes):
        """A new order whose protected header is changed."""
        return self.raw(self.body(**changes))

    def header_text(self, text):
        """A new order with that for a protected header, rightly signed."""
        return self.raw(jws(self.owner.key, text, self.order_payload()))

    def member(self, **changes):
        """A new order whose JWS is changed after it was signed; a change of None takes a member away."""
        made = {**self.body(), **changes}
        return self.raw({name: value for name, value in made.items() if value is not None})

    def signature(self, make):
        header = self.owner.header(self.url("newOrder"))
        right = jws(self.owner.key, header, self.order_payload())
        signing_input = (right["protected"] + "." + right["payload"]).encode()
        return self.raw({**right, "signature": b64(make(self.owner.key, signing_input))})

    def order(self, **payload):
        return self.owner.post(self.url("newOrder"), payload)

    def identifiers(self, *identifiers):
        return self.order(identifiers=list(identifiers))

    def names(self, *names):
        return self.identifiers(*({"type": "dns", "value": name} for name in names))

    def post(self, url, payload=None):
        return self.owner.post(url, payload)

    def missing(self, kind):
        return self.url("newOrder").replace("new-order", kind)

    # ----- new accounts

    def register(self, **payload):
        return self.stranger().register(**payload)

    def jwk(self, jwk, key=None):
        """Asks for an account with that jwk in the protected header."""
        client = self.stranger(key)
        return client.post(client.directory["newAccount"], {"termsOfServiceAgreed": True}, jwk=jwk, kid=None)

    def jwk_changed(self, algorithm="ES256", **changes):
        key = Key(algorithm)
        jwk = {**key.jwk(), **changes}
        return self.jwk({name: value for name, value in jwk.items() if value is not None}, key)

    def register_body(self, payload):
        client = self.stranger()
        return client.send(client.directory["newAccount"], jws(client.key, client.header(client.directory["newAccount"]), payload))

    # ----- key changes (RFC 8555 7.3.5)

    def key_change(self, signer=None, new_key=None, payload=None, outer=None, **changes):
        url, new_key = self.url("keyChange"), new_key or Key()
        header = {"alg": new_key.algorithm, "jwk": new_key.jwk(), "url": url, **changes}
        header = {name: value for name, value in header.items() if value is not None}
        inner = {"account": self.owner.kid, "oldKey": self.owner.key.jwk(), **(payload or {})}
        inner = {name: value for name, value in inner.items() if value is not None}
        return self.post(url, jws(signer or new_key, header, inner) if outer is None else outer)

    # ----- finalize and revocation

    def finalize(self, csr, order=None):
        return self.post((order or self.ready)["finalize"], {"csr": csr if isinstance(csr, (str, int, type(None), list)) else b64(csr)})

    def csr(self, *names, **how):
        return make_csr(list(names), **how)[1]

    def revoke(self, **payload):
        return self.post(self.url("revokeCert"), payload)

    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def foreign(self, *extensions):
        """A certificate of another CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "conformance.own.localhost")])
        begin = datetime.datetime(2024, 1, 1)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1000) \
            .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=9999))
        for one in extensions:
            builder = builder.add_extension(one, critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def flipped(der):
    """Its signature's last bit is another: a fixed octet in its place would now and then be the right one."""
    return der[:-1] + bytes([der[-1] ^ 1])


def padded(text):
    return text + "=" * (-len(text) % 4 or 4)



# ----- RFC 8555 6.1, RFC 7515: what a request is

for content_type, name in (("application/json", "application/json"), ("application/jose", "application/jose"), ("text/plain", "text/plain"), ("", "none")):
    rule("RFC 8555 6.2", f"media type {name}", lambda w, one=content_type: w.raw(w.body(), one), 415)
for text, name in (("", "empty"), ("[]", "an array"), ('"x"', "a text"), ("7", "a number"), ("null", "null"), ("{", "cut"), ("{}", "an empty object")):
    rule("RFC 7515 7.2.2", f"body {name}", lambda w, one=text: w.raw(one))
rule("RFC 7515 7.2.2", "something behind the JWS", lambda w: w.raw(json.dumps(w.body()) + "{}"))
rule("RFC 7515 7.2.2", "a member twice", lambda w: w.raw(json.dumps(w.body())[:-1] + ', "payload": ""}'))
rule("RFC 7515 7.1", "compact serialisation", lambda w: w.raw(".".join(w.body()[one] for one in ("protected", "payload", "signature"))))
rule("RFC 8555 6.2", "an unprotected header", lambda w: w.member(header={"alg": "ES256"}))
rule("RFC 8555 6.2", "general serialisation with one signature", lambda w: w.raw((lambda b: {"payload": b["payload"], "signatures": [{"protected": b["protected"], "signature": b["signature"]}]})(w.body())))
rule("RFC 8555 6.2", "general serialisation without signatures", lambda w: w.raw({"payload": w.body()["payload"], "signatures": []}))
rule("RFC 8555 6.2", "flattened and general at once", lambda w: w.member(signatures=[]))
rule("RFC 7515 7.2.2", "a member that is not of a JWS", lambda w: w.member(extra="x"))
for member in ("protected", "payload", "signature"):
    rule("RFC 7515 7.2.2", f"no {member}", lambda w, one=member: w.member(**{one: None}))
    rule("RFC 7515 7.2.2", f"{member} a number", lambda w, one=member: w.member(**{one: 7}))
    rule("RFC 7515 7.2.2", f"{member} an object", lambda w, one=member: w.member(**{one: {}}))
    rule("RFC 7515 2", f"{member} no base64url", lambda w, one=member: w.member(**{one: "+/+/"}))
    rule("RFC 7515 2", f"{member} padded", lambda w, one=member: w.member(**{one: padded(w.body()[one])}))
    rule("RFC 7515 2", f"{member} with a blank", lambda w, one=member: w.member(**{one: " " + w.body()[one]}))
rule("RFC 7515 4", "protected header empty", lambda w: w.header_text(b""))
rule("RFC 7515 4", "protected header an array", lambda w: w.header_text(b"[]"))
rule("RFC 7515 4", "protected header cut", lambda w: w.header_text(b'{"alg":"ES256"'))
rule("RFC 7515 4", "protected header not UTF-8", lambda w: w.header_text(b'{"alg":"\xff"}'))
rule("RFC 7515 4", "alg twice", lambda w: w.header_text(b'{"alg":"ES256","alg":"ES256"}'))
rule("RFC 7515 4.1.11", "crit, empty", lambda w: w.header(crit=[]))
rule("RFC 7797 3", "b64 false", lambda w: w.header(b64=False, crit=["b64"]))
for member, value in (("typ", "JWT"), ("x5c", ["AA"]), ("cty", "json"), ("x5u", "https://ca.example.net"), ("jku", "https://ca.example.net")):
    rule("RFC 8555 6.2", f"{member} in the protected header", lambda w, one={member: value}: w.header(**one))

# ----- RFC 8555 6.2: algorithms

for algorithm in ("none", "NONE", "HS256", "HS384", "HS512", "RS1", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256K", "Ed25519", "Ed448", "es256", "ES256 ", "dir", ""):
    rule("RFC 8555 6.2", f"alg \"{algorithm}\"", lambda w, one=algorithm: w.header(alg=one), 400, "badSignatureAlgorithm")
for algorithm in ("ES384", "ES512", "RS256", "EdDSA"):
    rule("RFC 7518 3.1", f"alg {algorithm} with a key on P-256", lambda w, one=algorithm: w.header(alg=one), 400, "badSignatureAlgorithm")
for own, other in (("RS256", "ES256"), ("EdDSA", "ES256"), ("ES384", "ES256"), ("ES512", "ES384")):
    rule("RFC 7518 3.1", f"alg {other} with a key of {own}", lambda w, key=own, alg=other: (lambda c: c.send(c.directory["newAccount"], jws(c.key, c.header(c.directory["newAccount"], alg=alg), {})))(w.stranger(Key(key))),
         400, "badSignatureAlgorithm")
rule("RFC 7515 4.1.1", "no alg", lambda w: w.header(alg=None))
rule("RFC 7515 4.1.1", "alg a number", lambda w: w.header(alg=256))
for algorithm in ("RS256", "ES256", "ES384", "ES512", "EdDSA"):
    rule("RFC 8555 6.2", f"an account of {algorithm}", lambda w, one=algorithm: w.stranger(Key(one)).register(), 201)

# ----- RFC 7518 3.4: signatures


def halves(key, data):
    raw = key.sign(data)
    return raw[:32], raw[32:]


SIGNATURES = {
    "DER instead of r and s": lambda key, data: key.sign_der(data),
    "one octet short": lambda key, data: key.sign(data)[:-1],
    "one octet long": lambda key, data: key.sign(data) + b"\0",
    "r and s swapped": lambda key, data: b"".join(reversed(halves(key, data))),
    "r zero": lambda key, data: bytes(32) + halves(key, data)[1],
    "s zero": lambda key, data: halves(key, data)[0] + bytes(32),
    "r beyond the order": lambda key, data: b"\xff" * 32 + halves(key, data)[1],
    "of another key": lambda key, data: Key().sign(data),
    "of another text": lambda key, data: key.sign(data + b"x"),
    "of the payload alone": lambda key, data: key.sign(data.split(b".")[1]),
    "ES384's": lambda key, data: Key("ES384").sign(data),
    "nothing": lambda key, data: b"",
}
for name, make in SIGNATURES.items():
    rule("RFC 7518 3.4", f"signature: {name}", lambda w, one=make: w.signature(one))

# ----- RFC 7517, 7518 6, 8037: keys

for member in ("crv", "x", "y"):
    rule("RFC 7518 6.2.1", f"EC key without {member}", lambda w, one=member: w.jwk_changed(**{one: None}), 400, "badPublicKey" if member == "crv" else "malformed")
for curve in ("P-224", "P-192", "secp256k1", "p-256", "Ed25519", ""):
    rule("RFC 7518 6.2.1.1", f"EC key on \"{curve}\"", lambda w, one=curve: w.jwk_changed(crv=one), 400, "badPublicKey")
rule("RFC 7518 6.2.1.1", "P-256 coordinates under P-384", lambda w: w.jwk_changed(crv="P-384"))
rule("RFC 7518 6.2.1.2", "x one octet short", lambda w: w.jwk_changed(x=b64(bytes([1] * 31))))
rule("RFC 7518 6.2.1.2", "x one octet long", lambda w: w.jwk_changed(x=b64(bytes([1] * 33))))
rule("RFC 7518 6.2.1.2", "x padded", lambda w: w.jwk_changed(x=padded(Key().jwk()["x"])))
rule("RFC 7518 6.2.1.2", "x a number", lambda w: w.jwk_changed(x=7))
rule("RFC 7518 6.2.1", "a point off the curve", lambda w: w.jwk_changed(y=b64(bytes(31) + b"\1")), 400, "badPublicKey")
rule("RFC 7518 6.2.1", "the point 0, 0", lambda w: w.jwk_changed(x=b64(bytes(32)), y=b64(bytes(32))), 400, "badPublicKey")
for member in ("d", "p", "k"):
    rule("RFC 7517 9.3", f"a key with member {member}", lambda w, one=member: w.jwk_changed(**{one: b64(bytes(32))}))
rule("RFC 7517 4.1", "no kty", lambda w: w.jwk_changed(kty=None), 400, "badPublicKey")
rule("RFC 7517 4.1", "kty oct", lambda w: w.jwk_changed(kty="oct"), 400, "badPublicKey")
rule("RFC 7517 4.1", "kty of another kind", lambda w: w.jwk_changed(kty="RSA"))
for value, name in (([], "an array"), ("x", "a text"), ({}, "an empty object")):
    rule("RFC 7515 4.1.3", f"jwk {name}", lambda w, one=value: w.jwk(one), 400, "badPublicKey" if value == {} else "malformed")
rule("RFC 7518 6.3.1", "RSA key without n", lambda w: w.jwk_changed("RS256", n=None))
rule("RFC 7518 6.3.1", "RSA key without e", lambda w: w.jwk_changed("RS256", e=None))
rule("RFC 7518 2", "RSA modulus with a leading zero", lambda w: (lambda k: w.jwk({**k.jwk(), "n": b64(b"\0" + k.key.public_key().public_numbers().n.to_bytes(256, "big"))}, k))(Key("RS256")))
rule("NIST SP 800-131A", "RSA key of 1024 bits", lambda w: (lambda k: w.jwk(k.jwk(), k))(Key("RS256", 1024)), 400, "badPublicKey")
rule("NIST SP 800-56B 6.4", "RSA exponent 1", lambda w: w.jwk_changed("RS256", e="AQ"), 400, "badPublicKey")
rule("NIST SP 800-56B 6.4", "RSA exponent even", lambda w: w.jwk_changed("RS256", e=b64_number(65536)), 400, "badPublicKey")
rule("RFC 8017 3.1", "RSA modulus even", lambda w: w.jwk_changed("RS256", n=b64(b"\xc1" + bytes(255))), 400, "badPublicKey")
rule("RFC 8017 3.1", "RSA modulus of 16384 bits", lambda w: w.jwk_changed("RS256", n=b64(b"\xff" * 2048)))
for curve in ("X25519", "Ed448"):
    rule("RFC 8037 2", f"OKP key on {curve}", lambda w, one=curve: w.jwk_changed("EdDSA", crv=one), 400, "badPublicKey")
rule("RFC 8037 2", "Ed25519 key one octet short", lambda w: w.jwk_changed("EdDSA", x=b64(bytes([1] * 31))))

# ----- RFC 8555 6.4, 6.5: url and nonce

for change, name in ((lambda url: url + "/", "with a slash more"), (lambda url: url.replace("https", "http"), "http"), (lambda url: url + "?x=y", "with a query"),
                     (lambda url: url + "#x", "with a fragment"), (lambda url: url.replace("localhost", "LOCALHOST"), "of another case"),
                     (lambda url: url.replace("localhost", "127.0.0.1"), "of another name"), (lambda url: url.rsplit(":", 1)[0] + "/acme/new-order", "without its port"), (lambda url: "", "empty")):
    rule("RFC 8555 6.4.1", f"url {name}", lambda w, one=change: w.header(url=one(w.url("newOrder"))), 403, "unauthorized")
rule("RFC 8555 6.4", "url a number", lambda w: w.header(url=7))
for value, name in (("", "empty"), ("A" * 4096, "long"), ("\u00e9", "of other letters"), ("AA==", "padded")):
    rule("RFC 8555 6.5.2", f"nonce {name}", lambda w, one=value: w.header(nonce=one), 400, "badNonce")
rule("RFC 8555 6.5.2", "nonce a number", lambda w: w.header(nonce=7))
rule("RFC 8555 7.2", "newNonce by HEAD", lambda w: w.owner.web.head(w.url("newNonce"), timeout=10), 200)
rule("RFC 8555 7.2", "newNonce by GET", lambda w: w.owner.web.get(w.url("newNonce"), timeout=10), 204)
rule("RFC 8555 7.2", "newNonce by POST", lambda w: w.owner.web.post(w.url("newNonce"), timeout=10), 405)
rule("RFC 8555 7.1.1", "the directory by GET", lambda w: w.owner.web.get(w.owner.directory_url, timeout=10), 200)
rule("RFC 8555 7.1.1", "the directory by POST", lambda w: w.owner.web.post(w.owner.directory_url, timeout=10), 405)
rule("RFC 8555 6.3", "a resource by GET", lambda w: w.owner.web.get(w.pending_order, timeout=10), 405)
rule("RFC 8555 6.3", "an account by GET", lambda w: w.owner.web.get(w.owner.kid, timeout=10), 405)

# ----- RFC 8555 7.3: accounts

for value, name in (("mailto:a@example.com", "a text"), (7, "a number"), ({}, "an object"), (True, "a truth value")):
    rule("RFC 8555 7.1.2", f"contact {name}", lambda w, one=value: w.register(contact=one))
for value, name, kind in (([7], "a number in it", "invalidContact"), (["tel:+123"], "tel:", "unsupportedContact"), (["https://example.com"], "https:", "unsupportedContact"), ([""], "empty", "unsupportedContact"),
                          (["MAILTO"], "no URL", "unsupportedContact"), (["mailto:"], "mailto: nobody", "invalidContact"), (["mailto:a@b.example,c@d.example"], "two addresses", "invalidContact"),
                          (["mailto:a@b.example?subject=x"], "header fields", "invalidContact"), (["mailto:a b@c.example"], "a blank", "invalidContact"), (["mailto:a@example.com", "tel:+1"], "one good, one not", "unsupportedContact")):
    rule("RFC 8555 7.3", f"contact with {name}", lambda w, one=value: w.register(contact=one), 400, kind)
rule("RFC 8555 7.3", "contact empty", lambda w: w.register(contact=[]), 201)
rule("RFC 8555 7.3", "contact of two addresses", lambda w: w.register(contact=["mailto:a@example.com", "mailto:b@example.com"]), 201)
rule("RFC 8555 7.3", "what a server does not know", lambda w: w.register(unknown={"a": 1}), 201)
rule("RFC 8555 7.1.2", "status and orders are not the client's to say", lambda w: w.register(status="revoked", orders="https://example.com"), 201)
for member in ("termsOfServiceAgreed", "onlyReturnExisting"):
    rule("RFC 8555 7.3", f"{member} a text", lambda w, one=member: w.register(**{one: "true"}))
rule("RFC 8555 7.3.1", "onlyReturnExisting of nobody", lambda w: w.register(onlyReturnExisting=True), 400, "accountDoesNotExist")
rule("RFC 8555 7.3.1", "onlyReturnExisting of an account", lambda w: w.stranger(w.owner.key).register(onlyReturnExisting=True), 200)
rule("RFC 8555 7.3.1", "a key that has an account", lambda w: w.stranger(w.owner.key).register(), 200)
for payload, name in ((b"", "empty"), (b"[]", "an array"), (b"null", "null"), (b"{", "cut"), (b"\xff", "not UTF-8"), (b'{"contact":[],"contact":[]}', "with a member twice")):
    rule("RFC 8555 7.3", f"newAccount's payload {name}", lambda w, one=payload: w.register_body(one))
rule("RFC 8555 7.3.4", "a binding that is none where none is wanted", lambda w: w.register(externalAccountBinding={"protected": "!"}), 201)
rule("RFC 8555 7.3.4", "a binding that is a text", lambda w: w.register(externalAccountBinding="x"))
rule("RFC 8555 7.3.2", "an account is read", lambda w: w.post(w.owner.kid), 200)
rule("RFC 8555 7.3.2", "contacts are changed", lambda w: w.post(w.owner.kid, {"contact": ["mailto:new@example.com"]}), 200)
rule("RFC 8555 7.3.2", "contacts are taken away", lambda w: w.post(w.owner.kid, {"contact": []}), 200)
rule("RFC 8555 7.3.2", "contacts become wrong", lambda w: w.post(w.owner.kid, {"contact": ["tel:+1"]}), 400, "unsupportedContact")
rule("RFC 8555 7.3.2", "what is not the client's to change", lambda w: w.post(w.owner.kid, {"orders": "x", "createdAt": 7}), 200)
for status in ("revoked", "pending", "DEACTIVATED", ""):
    rule("RFC 8555 7.3.6", f"an account's status \"{status}\"", lambda w, one=status: w.post(w.owner.kid, {"status": one}))
rule("RFC 8555 7.3.6", "an account's status a number", lambda w: w.post(w.owner.kid, {"status": 7}))
rule("RFC 8555 7.3.6", "an account is deactivated", lambda w: (lambda c: c.post(c.kid, {"status": "deactivated"}))(w.account()), 200)
rule("RFC 8555 7.3.6", "a deactivated account orders", lambda w: (lambda c: (c.post(c.kid, {"status": "deactivated"}), c.order(["a.own.localhost"]))[1])(w.account()), 403, "unauthorized")
rule("RFC 8555 7.3.2", "another's account", lambda w: w.post(w.other.kid), 403, "unauthorized")
rule("RFC 8555 7.1.2.1", "another's list of orders", lambda w: w.post(w.other.kid + "/orders"), 403, "unauthorized")
rule("RFC 8555 7.1.2.1", "the list of orders", lambda w: w.post(w.owner.kid + "/orders"), 200)
rule("RFC 8555 7.1.2.1", "the list of orders from nowhere", lambda w: w.post(w.owner.kid + "/orders?cursor=x"))

# ----- RFC 8555 7.3.5: key change

rule("RFC 8555 7.3.5", "no inner JWS", lambda w: w.key_change(outer={}))
rule("RFC 8555 7.3.5", "an empty payload", lambda w: w.post(w.url("keyChange")))
rule("RFC 8555 7.3.5", "inner kid instead of jwk", lambda w: w.key_change(jwk=None, kid=w.owner.kid))
rule("RFC 8555 7.3.5", "inner kid beside jwk", lambda w: w.key_change(kid=w.owner.kid))
rule("RFC 8555 7.3.5", "an inner nonce", lambda w: w.key_change(nonce=w.owner.nonce()))
rule("RFC 8555 7.3.5", "another inner url", lambda w: w.key_change(url=w.url("newOrder")))
rule("RFC 8555 7.3.5", "no inner url", lambda w: w.key_change(url=None))
rule("RFC 8555 7.3.5", "inner alg none", lambda w: w.key_change(alg="none"), 400, "badSignatureAlgorithm")
rule("RFC 8555 7.3.5", "inner alg HS256", lambda w: w.key_change(alg="HS256"), 400, "badSignatureAlgorithm")
rule("RFC 8555 7.3.5", "signed by the old key inside, too", lambda w: w.key_change(signer=w.owner.key))
rule("RFC 8555 7.3.5", "another account inside", lambda w: w.key_change(payload={"account": w.other.kid}))
rule("RFC 8555 7.3.5", "no account inside", lambda w: w.key_change(payload={"account": None}))
rule("RFC 8555 7.3.5", "another's key as the old one", lambda w: w.key_change(payload={"oldKey": w.other.key.jwk()}))
rule("RFC 8555 7.3.5", "no old key", lambda w: w.key_change(payload={"oldKey": None}))
rule("RFC 8555 7.3.5", "the same key again", lambda w: w.key_change(new_key=w.owner.key))
rule("RFC 8555 7.3.5", "a key that another account has", lambda w: w.key_change(new_key=w.other.key), 409)
rule("RFC 8555 7.3.5", "a weak new key", lambda w: w.key_change(new_key=Key("RS256", 1024)), 400, "badPublicKey")
rule("RFC 8555 7.3.5", "a private new key", lambda w: w.key_change(jwk={**Key().jwk(), "d": b64(bytes(32))}))

# ----- RFC 8555 7.4: orders

for value, name in ((None, "null"), ([], "an empty list"), ({}, "an object"), ("x", "a text"), (["a.own.localhost"], "texts"), ([None], "null in it"), ([{}], "an empty object in it"), ([[]], "a list in it")):
    rule("RFC 8555 7.4", f"identifiers {name}", lambda w, one=value: w.order(identifiers=one))
rule("RFC 8555 7.4", "no identifiers", lambda w: w.order(notAfter="2030-01-01T00:00:00Z"))
for one, name in (({"type": "dns"}, "without a value"), ({"value": "a.own.localhost"}, "without a type"), ({"type": 7, "value": "a.own.localhost"}, "whose type is a number"), ({"type": "dns", "value": 7}, "whose value is a number")):
    rule("RFC 8555 7.1.3", f"an identifier {name}", lambda w, one=one: w.identifiers(one))
for kind in ("email", "DNS", "uri", "", "permanent-identifier"):
    rule("RFC 8555 6.7", f"an identifier of type \"{kind}\"", lambda w, one=kind: w.identifiers({"type": one, "value": "a.own.localhost"}), 400, "unsupportedIdentifier")
for name in ("", ".", "a..localhost", ".a.localhost", "a.localhost.", "-a.localhost", "a-.localhost", "a b.localhost", "a/b.localhost", "a.localhost:80", "x" * 64 + ".localhost", "a." * 126 + "ab", "10.0.0.1", "*", "*.*.localhost",
             "a.*.localhost", "*a.localhost", "https://a.localhost", "a@b.localhost", "\u00e4.localhost", "localhost"):
    rule("RFC 8555 7.4", f"the name \"{name if len(name) < 40 else name[:8] + '...'}\"", lambda w, one=name: w.names(one), 400, "rejectedIdentifier")
for address in ("10.0.0.256", "10.0.0", "010.0.0.1", "10.0.0.1/8", "::1::", "[fd00::1]", "fd00::1%eth0", "a.own.localhost", ""):
    rule("RFC 8738 3", f"the address \"{address}\"", lambda w, one=address: w.identifiers({"type": "ip", "value": one}), 400, "rejectedIdentifier")
rule("RFC 8738 3", "an IPv4 address", lambda w: w.identifiers({"type": "ip", "value": "10.0.0.1"}), 201)
rule("RFC 8738 3", "an IPv6 address", lambda w: w.identifiers({"type": "ip", "value": "fd00::1"}), 201)
rule("RFC 8555 7.4", "a name in capitals", lambda w: w.names("CAPITALS.own.localhost"), 201)
rule("RFC 8555 7.4", "a name twice", lambda w: w.names("twice.own.localhost", "twice.own.localhost"), 201)
rule("RFC 5890 2.3.2.1", "an A-label", lambda w: w.names("xn--bcher-kva.own.localhost"), 201)
for name in ("xn--0.own.localhost", "xn--n3h.own.localhost"):
    rule("RFC 5890 2.3.2.1", f"no A-label: \"{name}\"", lambda w, one=name: w.names(one), 400, "rejectedIdentifier")
for member in ("notBefore", "notAfter"):
    for value, name in (("tomorrow", "no date"), ("2030-13-01T00:00:00Z", "in month 13"), ("2030-01-01", "without a time"), (7, "a number"), ("", "empty")):
        rule("RFC 8555 7.1.3", f"{member} {name}", lambda w, one={member: value}: w.order(**w.order_payload(), **one))
rule("RFC 8555 7.4", "notAfter before notBefore", lambda w: w.order(**w.order_payload(), notBefore="2031-01-01T00:00:00Z", notAfter="2030-01-01T00:00:00Z"))
rule("RFC 8555 7.4", "notAfter beyond the profile", lambda w: w.order(**w.order_payload(), notAfter="2099-01-01T00:00:00Z"))
rule("RFC 8555 7.4", "notAfter that has passed", lambda w: w.order(**w.order_payload(), notAfter="2020-01-01T00:00:00Z"))
rule("draft-aaron-acme-profiles 4", "a profile that is not there", lambda w: w.order(**w.order_payload(), profile="nothing"), 400, "invalidProfile")
rule("draft-aaron-acme-profiles 4", "a profile that is not offered", lambda w: w.order(**w.order_payload(), profile="ca"), 400, "invalidProfile")
rule("draft-aaron-acme-profiles 4", "a profile that is a number", lambda w: w.order(**w.order_payload(), profile=7))
rule("RFC 8555 7.4", "what a server does not know in an order", lambda w: w.order(**w.order_payload(), unknown=7), 201)
rule("RFC 8555 7.4", "an order is read", lambda w: w.post(w.pending_order), 200)
rule("RFC 8555 7.4", "a payload for an order", lambda w: w.post(w.pending_order, {}))
rule("RFC 8555 7.4", "an order that is not there", lambda w: w.post(w.missing("order/AAAA")), 404)
rule("RFC 8555 7.4", "another's order", lambda w: w.other.post(w.pending_order), 404)

# ----- RFC 8555 7.4.1: pre-authorization

rule("RFC 8555 7.4.1", "a name is authorised before an order", lambda w: w.post(w.url("newAuthz"), {"identifier": {"type": "dns", "value": "before.own.localhost"}}), 201)
rule("RFC 8555 7.4.1", "a name that is authorised already", lambda w: w.post(w.url("newAuthz"), {"identifier": {"type": "dns", "value": "conformance.own.localhost"}}), 200)
rule("RFC 8555 7.4.1", "no identifier", lambda w: w.post(w.url("newAuthz"), {}))
rule("RFC 8555 7.4.1", "identifiers instead of an identifier", lambda w: w.post(w.url("newAuthz"), w.order_payload()))
rule("RFC 8555 7.4.1", "newAuthz without a payload", lambda w: w.post(w.url("newAuthz")))
rule("RFC 8555 7.4.1", "a reserved name", lambda w: w.post(w.url("newAuthz"), {"identifier": {"type": "dns", "value": "localhost"}}), 400, "rejectedIdentifier")

# ----- RFC 8555 7.5: authorizations and challenges

rule("RFC 8555 7.5", "an authorization is read", lambda w: w.post(w.authorization), 200)
rule("RFC 8555 7.5", "an authorization that is not there", lambda w: w.post(w.missing("authz/AAAA")), 404)
rule("RFC 8555 7.5", "another's authorization", lambda w: w.other.post(w.authorization), 404)
for status in ("valid", "pending", "invalid", "revoked", ""):
    rule("RFC 8555 7.5.2", f"an authorization's status \"{status}\"", lambda w, one=status: w.post(w.authorization, {"status": one}))
rule("RFC 8555 7.5.2", "an authorization's status a number", lambda w: w.post(w.authorization, {"status": 7}))
rule("RFC 8555 7.5.2", "an authorization without a status", lambda w: w.post(w.authorization, {}))
rule("RFC 8555 7.5.2", "another's authorization is given up", lambda w: w.other.post(w.authorization, {"status": "deactivated"}), 404)
rule("RFC 8555 7.5.2", "an authorization is given up", lambda w: w.post(w.names("given-up.own.localhost").json()["authorizations"][0], {"status": "deactivated"}), 200)
rule("RFC 8555 7.5.2", "an authorization is given up twice", lambda w: (lambda url: (w.post(url, {"status": "deactivated"}), w.post(url, {"status": "deactivated"}))[1])(w.names("given-up-twice.own.localhost").json()["authorizations"][0]), 409)
rule("RFC 8555 7.5.1", "a challenge is read", lambda w: w.post(w.challenge()), 200)
rule("RFC 8555 7.5.1", "a challenge of another type", lambda w: w.post(w.challenge().rsplit("/", 1)[0] + "/tls-sni-01", {}), 404)
rule("RFC 8555 7.5.1", "a challenge of no authorization", lambda w: w.post(w.missing("challenge/AAAA/http-01"), {}), 404)
rule("RFC 8555 7.5.1", "another's challenge", lambda w: w.other.post(w.challenge(), {}), 404)
rule("RFC 8555 7.5.1", "a challenge's answer an array", lambda w: w.post(w.challenge(), b"[]"))

# ----- RFC 8555 7.4: finalize

rule("RFC 8555 7.4", "finalize without a csr", lambda w: w.post(w.ready["finalize"], {}))
rule("RFC 8555 7.4", "finalize without a payload", lambda w: w.post(w.ready["finalize"]))
rule("RFC 8555 7.4", "csr a number", lambda w: w.finalize(7))
rule("RFC 8555 7.4", "csr a list", lambda w: w.finalize([]))
for text, name in (("", "empty"), ("!", "no base64url"), ("AAAA", "no DER"), ("MAA=", "padded")):
    rule("RFC 8555 7.4", f"csr {name}", lambda w, one=text: w.finalize(one), 400, "badCSR")
rule("RFC 8555 7.4", "csr in PEM", lambda w: w.finalize(b64(x509.load_der_x509_csr(w.csr("conformance.own.localhost")).public_bytes(serialization.Encoding.PEM))), 400, "badCSR")
rule("RFC 8555 7.4", "csr in base64", lambda w: w.finalize(base64.b64encode(w.csr("conformance.own.localhost")).decode() + "="), 400, "badCSR")
rule("RFC 2986 3", "csr with a broken signature", lambda w: w.finalize(flipped(w.csr("conformance.own.localhost"))), 400, "badCSR")
rule("RFC 2986 3", "csr with something behind it", lambda w: w.finalize(w.csr("conformance.own.localhost") + b"\0"), 400, "badCSR")
rule("RFC 8555 7.4", "csr for another name", lambda w: w.finalize(w.csr("another.own.localhost")), 400, "badCSR")
rule("RFC 8555 7.4", "csr with a name more", lambda w: w.finalize(w.csr("conformance.own.localhost", "more.own.localhost")), 400, "badCSR")
rule("RFC 8555 7.4", "csr without names", lambda w: w.finalize(w.csr()), 400, "badCSR")
rule("RFC 8555 7.4", "csr whose common name is another", lambda w: w.finalize(w.csr("conformance.own.localhost", common_name="more.own.localhost")), 400, "badCSR")
rule("RFC 8555 7.4", "csr with a weak key", lambda w: w.finalize(w.csr("conformance.own.localhost", key=rsa.generate_private_key(65537, 1024))), 400, "badCSR")
rule("RFC 8555 11.1", "csr with the account's key", lambda w: w.finalize(w.csr("conformance.own.localhost", key=w.owner.key.key)), 400, "badCSR")
rule("RFC 8555 7.4", "a pending order is finalized", lambda w: w.finalize(w.csr("conformance-pending.own.localhost"), w.pending), 403, "orderNotReady")
rule("RFC 8555 7.4", "another's order is finalized", lambda w: w.other.post(w.ready["finalize"], {"csr": b64(w.csr("conformance.own.localhost"))}), 404)
rule("RFC 8555 7.4", "no order is finalized", lambda w: w.post(w.missing("order/AAAA/finalize"), {"csr": b64(w.csr("conformance.own.localhost"))}), 404)
rule("RFC 8555 7.4", "a valid order is finalized again", lambda w: w.post(w.valid_order + "/finalize", {"csr": b64(w.csr("conformance.own.localhost"))}), 200)

# ----- RFC 8555 7.4.2, 7.6: certificates and revocation

rule("RFC 8555 7.4.2", "a certificate is read", lambda w: w.post(w.post(w.valid_order).json()["certificate"]), 200)
rule("RFC 8555 7.4.2", "another's certificate", lambda w: w.other.post(w.post(w.valid_order).json()["certificate"]), 404)
rule("RFC 8555 7.4.2", "a certificate that is not there", lambda w: w.post(w.missing("cert/0123456789")), 404)
rule("RFC 8555 7.4.2", "a certificate whose serial is none", lambda w: w.post(w.missing("cert/xyz")), 404)
rule("RFC 8555 7.6", "revocation of nothing", lambda w: w.revoke())
rule("RFC 8555 7.6", "revocation of a number", lambda w: w.revoke(certificate=7))
rule("RFC 8555 7.6", "revocation of no base64url", lambda w: w.revoke(certificate="!"))
rule("RFC 8555 7.6", "revocation of an empty text", lambda w: w.revoke(certificate=""))
rule("RFC 8555 7.6", "revocation of no certificate", lambda w: w.revoke(certificate="AAAA"))
rule("RFC 8555 7.6", "revocation of another CA's certificate", lambda w: w.revoke(certificate=b64(w.foreign(x509.SubjectAlternativeName([x509.DNSName("conformance.own.localhost")])))), 404)
rule("RFC 8555 7.6", "revocation of a certificate without extensions", lambda w: w.revoke(certificate=b64(w.foreign())))
rule("RFC 8555 7.6", "revocation of the CA's own certificate", lambda w: w.revoke(certificate=b64(x509.load_pem_x509_certificate(w.realm.ca_file.read_bytes()).public_bytes(serialization.Encoding.DER))), 404)
rule("RFC 8555 7.6", "revocation with a changed octet", lambda w: w.revoke(certificate=b64(w.der()[:-1] + bytes([w.der()[-1] ^ 1]))), 404)
rule("RFC 8555 7.6", "revocation by a stranger", lambda w: w.other.post(w.url("revokeCert"), {"certificate": b64(w.der())}), 403, "unauthorized")
for reason in (2, 6, 7, 8, 10, 11, -1, 99):
    rule("RFC 8555 7.6", f"revocation for reason {reason}", lambda w, one=reason: w.revoke(certificate=b64(w.der()), reason=one), 400, "badRevocationReason")
for reason, name in (("1", "a text"), (1.5, "a fraction"), ([], "a list")):
    rule("RFC 8555 7.6", f"revocation whose reason is {name}", lambda w, one=reason: w.revoke(certificate=b64(w.der()), reason=one), 400, "badRevocationReason")

# ----- RFC 9773: renewal information

rule("RFC 9773 3", "renewal information of a certificate", lambda w: w.owner.web.get(w.url("renewalInfo") + "/" + certificate_id(w.certificate), timeout=10), 200)
rule("RFC 9773 4.1", "renewal information of no identifier", lambda w: w.owner.web.get(w.url("renewalInfo") + "/AAAA", timeout=10))
rule("RFC 9773 4.1", "renewal information of no certificate", lambda w: w.owner.web.get(w.url("renewalInfo") + "/AAAA.AAEC", timeout=10))
rule("RFC 9773 4.1", "renewal information of another's certificate", lambda w: w.owner.web.get(w.url("renewalInfo") + "/AAAA.AQEC", timeout=10), 404)
rule("RFC 9773 4", "renewal information by POST", lambda w: w.post(w.url("renewalInfo") + "/" + certificate_id(w.certificate)), 405)
rule("RFC 9773 5", "replaces a number", lambda w: w.order(**w.order_payload(), replaces=7))
rule("RFC 9773 5", "replaces no identifier", lambda w: w.order(**w.order_payload(), replaces="x"))
rule("RFC 9773 5", "replaces a certificate of other names", lambda w: w.order(**w.order_payload(), replaces=certificate_id(w.certificate)))
rule("RFC 9773 5", "replaces another's certificate", lambda w: w.other.post(w.url("newOrder"), {"identifiers": [{"type": "dns", "value": one} for one in ("conformance.own.localhost", "more.own.localhost")], "replaces": certificate_id(w.certificate)}),
     403, "unauthorized")


def certificate_id(certificate):
    key_id = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    number = certificate.serial_number
    return b64(key_id) + "." + b64(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def table():
    """The rules as a page of the manual."""
    lines = ["# What holds Chancery to ACME", "",
             "Made by `t/make-acme-conformance` of the rows in `t/acme_rules.py`; `t/test_acme_conformance.py` sends each of them to a server, as a raw",
             "request, and this page is compared with them. Every answer is also held against RFC 8555 6.5 (a nonce), 6.7 (a problem document of the",
             "right media type, with type, detail and status) and 7.1 (the index link).", "",
             "| rule of | what is sent | what comes back |", "| --- | --- | --- |"]
    for one in RULES:
        name = one.name.replace("|", "\\|")
        lines.append(f"| {one.section} | {name} | {one.status}{' ' + one.kind if one.kind else ''} |")
    return "\n".join(lines + ["", f"{len(RULES)} rules.", ""])
