"""A DNS server that says what a test wants: other things the second time, nothing at all, endless chains."""

import ipaddress
import socket
import struct
import threading

A, CNAME, AAAA = 1, 5, 28
NO_ERROR, NO_SUCH_NAME = 0, 3


def name_octets(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


def read_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


class Dns:
    """`zone` maps a name to what it answers: a list of addresses or "CNAME target" texts, a function of (type, how many questions
    of that type there were before) that gives such a list, or None: no answer at all. Other names do not exist."""

    def __init__(self):
        self.zone, self.questions = {}, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def asked(self, name, kind):
        return self.questions.count((name, kind))

    def work(self):
        while True:
            message, peer = self.socket.recvfrom(4096)
            if len(message) < 17:
                return  # stop() says so
            answer = self.answer(message)
            if answer is not None:
                self.socket.sendto(answer, peer)

    def answer(self, message):
        name, end = read_name(message, 12)
        kind, = struct.unpack(">H", message[end:end + 2])
        before = self.asked(name, kind)
        self.questions.append((name, kind))
        found = self.zone.get(name, [])
        if callable(found):
            found = found(kind, before)
        if found is None:
            return None
        records = b"".join(filter(None, (self.record(name, kind, one) for one in found)))
        count = sum(1 for one in found if self.record(name, kind, one))
        code = NO_ERROR if name in self.zone else NO_SUCH_NAME
        return message[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0) + message[12:end + 4] + records

    @staticmethod
    def record(name, kind, text):
        if text.startswith("CNAME "):
            data, its_kind = name_octets(text[6:]), CNAME
        else:
            address = ipaddress.ip_address(text)
            data, its_kind = address.packed, AAAA if address.version == 6 else A
        if its_kind not in (kind, CNAME):
            return b""
        return name_octets(name) + struct.pack(">HHIH", its_kind, 1, 0, len(data)) + data

    def stop(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join(10)
        self.socket.close()
