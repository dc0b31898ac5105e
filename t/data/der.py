"""As much DER as samples need, written anew so that they share no code with what reads them. Wrong values are let through."""

import datetime

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID, ENUMERATED, UTF8, SEQUENCE, SET = 1, 2, 3, 4, 5, 6, 10, 12, 0x30, 0x31
PRINTABLE, IA5, UTC, GENERALIZED = 0x13, 0x16, 0x17, 0x18


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def long_form(der):
    """The same element with a length in more octets than it needs."""
    assert der[1] < 0x80
    return bytes([der[0], 0x81]) + der[1:]


def integer(value):
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for arc in (first * 40 + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(0x80 | arc & 0x7F)
        out += bytes(reversed(octets))
    return tlv(OID, out)


def bits(octets, unused=0):
    return tlv(BITS, bytes([unused]), octets)


def named_bits(*numbers):
    """Named bits (X.690 11.2.2): trailing zero bits dropped."""
    last = max(numbers, default=-1)
    value = sum(1 << (last - number) for number in numbers)
    size = last // 8 + 1
    unused = 8 * size - last - 1
    return bits((value << unused).to_bytes(size, "big"), unused)


def time(text, form=None):
    """@param text  "2026-01-01 00:00:00"; UTCTime up to 2049 unless a form is given."""
    at = datetime.datetime.fromisoformat(text)
    form = form or (UTC if at.year < 2050 else GENERALIZED)
    return tlv(form, at.strftime("%y%m%d%H%M%SZ" if form == UTC else "%Y%m%d%H%M%SZ").encode())


TYPES = {"C": ("2.5.4.6", PRINTABLE), "O": ("2.5.4.10", UTF8), "CN": ("2.5.4.3", UTF8)}


def name(*pairs):
    """("CN", "x"), …, each a RelativeDistinguishedName; a third member is another string type."""
    rdns = []
    for kind, value, *other in pairs:
        dotted, string = TYPES[kind]
        rdns.append(tlv(SET, tlv(SEQUENCE, oid(dotted), tlv(other[0] if other else string, value.encode()))))
    return tlv(SEQUENCE, *rdns)


def extension(dotted, value, critical=False, flag=b"\xff"):
    return tlv(SEQUENCE, oid(dotted), tlv(BOOLEAN, flag) if critical or flag != b"\xff" else b"", tlv(OCTETS, value))
