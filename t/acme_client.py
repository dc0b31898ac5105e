"""An ACME client that can break every rule (RFC 8555): its own JWS signer, one call per request, nothing retried."""

import base64
import hashlib
import hmac
import json
import time

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

CURVES = {"ES256": (ec.SECP256R1, hashes.SHA256, "P-256", 32),
          "ES384": (ec.SECP384R1, hashes.SHA384, "P-384", 48),
          "ES512": (ec.SECP521R1, hashes.SHA512, "P-521", 66)}
JOSE = "application/jose+json"
PATIENCE = 60  # seconds, of a machine that has a lot else to do


def b64(octets):
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def b64_number(number, size=None):
    return b64(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


class Key:
    """A key pair with the JWS algorithm it signs by."""

    def __init__(self, algorithm="ES256", bits=2048):
        self.algorithm = algorithm
        if algorithm == "RS256":
            self.key = rsa.generate_private_key(65537, bits)
        elif algorithm == "EdDSA":
            self.key = ed25519.Ed25519PrivateKey.generate()
        else:
            self.key = ec.generate_private_key(CURVES[algorithm][0]())

    def jwk(self):
        public = self.key.public_key()
        if self.algorithm == "RS256":
            numbers = public.public_numbers()
            return {"e": b64_number(numbers.e), "kty": "RSA", "n": b64_number(numbers.n)}
        if self.algorithm == "EdDSA":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {"crv": "Ed25519", "kty": "OKP", "x": b64(raw)}
        numbers, (_, _, name, size) = public.public_numbers(), CURVES[self.algorithm]
        return {"crv": name, "kty": "EC", "x": b64_number(numbers.x, size), "y": b64_number(numbers.y, size)}

    def thumbprint(self):
        """RFC 7638."""
        return b64(hashlib.sha256(json.dumps(self.jwk(), sort_keys=True, separators=(",", ":")).encode()).digest())

    def sign_der(self, data):
        return self.key.sign(data, ec.ECDSA(CURVES[self.algorithm][1]()))

    def sign(self, data):
        if self.algorithm == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "EdDSA":
            return self.key.sign(data)
        r, s = decode_dss_signature(self.sign_der(data))
        size = CURVES[self.algorithm][3]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def jws(key, header, payload, signature=None):
    """A flattened JWS; `payload` is bytes, text, None (POST-as-GET) or what json can write."""
    if payload is None:
        payload = b""
    elif isinstance(payload, str):
        payload = payload.encode()
    elif not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    protected = b64(header if isinstance(header, bytes) else json.dumps(header).encode())
    signing_input = f"{protected}.{b64(payload)}".encode()
    return {"protected": protected, "payload": b64(payload), "signature": b64(signature if signature is not None else key.sign(signing_input))}


def make_csr(names, key=None, common_name=None):
    """A PKCS#10 request as (private key, DER); `common_name` may be a list of several."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    common_names = [common_name] if isinstance(common_name, str) else common_name or []
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, one) for one in common_names]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    request = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    return key, request.public_bytes(serialization.Encoding.DER)


MACS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def binding(address, account_jwk, key, algorithm="HS256", payload=None, signature=None, **changes):
    """An external account binding (RFC 8555 7.3.4) by `key`, as acme.eab.create gave it; a change of None takes a member away."""
    header = {"alg": algorithm, "kid": key["kid"], "url": address, **changes}
    protected = b64(json.dumps({name: value for name, value in header.items() if value is not None}).encode())
    payload = b64(json.dumps(account_jwk).encode() if payload is None else payload)
    mac_key = base64.urlsafe_b64decode(key["mac_key"] + "=" * (-len(key["mac_key"]) % 4))
    mac = hmac.new(mac_key, f"{protected}.{payload}".encode(), MACS.get(algorithm, hashlib.sha256)).digest()
    return {"protected": protected, "payload": payload, "signature": b64(mac if signature is None else signature)}


class Client:
    """One account at one server."""

    def __init__(self, directory_url, ca_file, key=None, web=None):
        self.web = web or requests.Session()
        self.web.verify = ca_file
        self.web.trust_env = False
        self.key = key or Key()
        self.kid = None
        self.directory_url = directory_url
        self.directory = self.web.get(directory_url, timeout=PATIENCE).json()

    def nonce(self):
        return self.web.head(self.directory["newNonce"], timeout=PATIENCE).headers["Replay-Nonce"]

    def header(self, address, **changes):
        """The right protected header; a change of None takes a member away."""
        header = {"alg": self.key.algorithm, "nonce": self.nonce(), "url": address}
        header.update({"kid": self.kid} if self.kid else {"jwk": self.key.jwk()})
        header.update(changes)
        return {name: value for name, value in header.items() if value is not None}

    def send(self, url, body, content_type=JOSE):
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.web.post(url, data=data, headers={"Content-Type": content_type}, timeout=PATIENCE)

    def post(self, address, payload=None, key=None, **changes):
        return self.send(address, jws(key or self.key, self.header(address, **changes), payload))

    def register(self, **more):
        answer = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True, **more}, jwk=self.key.jwk(), kid=None)
        if answer.ok:
            self.kid = answer.headers["Location"]
        return answer

    def order(self, names, **more):
        return self.post(self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name} for name in names], **more})

    def poll(self, url, until, seconds=PATIENCE):
        """POST-as-GET until the status is one of `until`."""
        deadline = time.monotonic() + seconds
        while (document := self.post(url).json()).get("status") not in until:
            assert time.monotonic() < deadline, f"{url} is still {document}"
            time.sleep(0.1)
        return document

    def prove(self, order, answers):
        """Answers every authorization's http-01 challenge; `answers` maps token to key authorization."""
        for url in order["authorizations"]:
            authorization = self.post(url).json()
            if authorization["status"] == "valid":
                continue
            challenge = next(one for one in authorization["challenges"] if one["type"] == "http-01")
            answers[challenge["token"]] = challenge["token"] + "." + self.key.thumbprint()
            assert self.post(challenge["url"], {}).ok
        return [self.poll(url, ("valid", "invalid")) for url in order["authorizations"]]

    def obtain(self, names, answers, key=None):
        """The whole way: order, proofs, finalize, download. @return (private key, PEM chain, order URL)."""
        created = self.order(names)
        assert created.status_code == 201, created.text
        order_url, order = created.headers["Location"], created.json()
        proved = self.prove(order, answers)
        assert all(one["status"] == "valid" for one in proved), proved
        private_key, csr = make_csr(names, key)
        finalized = self.post(order["finalize"], {"csr": b64(csr)})
        assert finalized.ok, finalized.text
        order = self.poll(order_url, ("valid", "invalid"))
        assert order["status"] == "valid", order
        return private_key, self.post(order["certificate"]).text, order_url
