"""doc/ca-from-secret.md once more, with nothing but hashlib, hmac and whole numbers: what the program derives, this derives.

Run by itself it prints t/data/ca-from-secret.txt.
"""

import hashlib
import hmac

SALT = b"Chancery CA key, version 1"
ORDERS = {
    "ec:P-256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
    "ec:P-384": 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
}
SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n ** 0.5) + 1, 2))]


def mac(key, text):
    return hmac.new(key, text, hashlib.sha512).digest()


def hkdf(secret, info, count):
    prk, out, block = mac(SALT, secret), b"", b""
    for number in range(1, 2 + count // 64):
        block = mac(prk, block + info + bytes([number]))
        out += block
    return out[:count]


class HmacDrbg:
    def __init__(self, seed):
        self.key, self.value = bytes(64), b"\x01" * 64
        self.update(seed)

    def update(self, data):
        for separator in (b"\x00", b"\x01")[:2 if data else 1]:
            self.key = mac(self.key, self.value + separator + data)
            self.value = mac(self.key, self.value)

    def generate(self, count):
        out = b""
        while len(out) < count:
            self.value = mac(self.key, self.value)
            out += self.value
        self.update(b"")
        return out[:count]


def is_prime(n):
    if any(n % small == 0 for small in SMALL):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in SMALL[:20] + [2]:
        x = pow(base, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def rsa(seed, bits):
    stream, half = HmacDrbg(seed), bits // 2

    def prime(other=None):
        while True:
            candidate = int.from_bytes(stream.generate(half // 8), "big") | 3 << half - 2 | 1
            if other is not None and abs(other - candidate) < 1 << half - 100:
                continue
            if gcd(candidate - 1, 65537) == 1 and is_prime(candidate):
                return candidate

    while True:
        p = prime()
        q = prime(p)
        d = pow(65537, -1, (p - 1) * (q - 1) // gcd(p - 1, q - 1))
        if d >= 1 << half:
            return {"p": f"{max(p, q):x}", "q": f"{min(p, q):x}", "n": f"{p * q:x}", "d": f"{d:x}"}


def derive(secret, realm, kind, generation=1):
    """The private key's numbers, in hex."""
    info = b"\x00".join((b"ca key", realm.encode(), kind.encode(), str(generation).encode()))
    if kind == "ed25519":
        return {"seed": hkdf(secret, info, 32).hex()}
    if kind.startswith("rsa:"):
        return rsa(hkdf(secret, info, 96), int(kind[4:]))
    order = ORDERS[kind]
    size = order.bit_length() // 8
    return {"d": f"{int.from_bytes(hkdf(secret, info, size + 8), 'big') % (order - 1) + 1:0{2 * size}x}"}


def vectors():
    first, second = bytes(range(0x40, 0x40 + 32))[::-1], hashlib.sha512(b"a test vector, and no secret").digest()
    cases = [(secret, realm, kind, generation) for kind in ("ec:P-256", "ec:P-384", "ed25519", "rsa:3072", "rsa:4096")
             for secret, realm, generation in ((first, "default", 1), (second, "default", 1), (second, "devices", 2))]
    return [(secret, realm, kind, generation, derive(secret, realm, kind, generation)) for secret, realm, kind, generation in cases]


if __name__ == "__main__":
    print("# What doc/ca-from-secret.md gives: secret (hex), realm, kind, generation, then the numbers of the key (hex, big-endian).")
    for secret, realm, kind, generation, key in vectors():
        print(secret.hex(), realm, kind, generation, *(f"{name}={value}" for name, value in key.items()))
