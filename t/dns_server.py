"""A DNS server that says what a test wants: other things the second time, nothing at all, endless chains."""

import ipaddress
import select
import socket
import struct
import threading
import time

A, CNAME, TXT, AAAA, CAA = 1, 5, 16, 28, 257
NO_ERROR, SERVFAIL, NO_SUCH_NAME, REFUSED = 0, 2, 3, 5
MOST_UDP = 1200  # a longer answer is cut, and asked for again by TCP
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python has no name for it


def name_octets(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


def read_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


def txt(text):
    """The rdata of a TXT record: strings of at most 255 octets."""
    octets = text.encode() if isinstance(text, str) else text
    parts = [octets[at:at + 255] for at in range(0, len(octets), 255)] or [b""]
    return TXT, b"".join(bytes([len(part)]) + part for part in parts)


def caa(tag, value, flags=0):
    """The rdata of a CAA record (RFC 8659 4.1)."""
    return CAA, bytes([flags, len(tag)]) + tag.encode() + value.encode()


def read_record(record):
    """@return (type, rdata) of an address, a "CNAME target", or such a pair itself."""
    if isinstance(record, tuple):
        return record
    if record.startswith("CNAME "):
        return CNAME, name_octets(record[6:])
    address = ipaddress.ip_address(record)
    return (AAAA if address.version == 6 else A), address.packed


class Dns:
    """`zone` maps a name to what it answers: a list of records (read_record), an error code like SERVFAIL, a function of (type, how
    many questions of that type there were before) that gives either, or None: no answer at all. Other names do not exist.

    A resolver that had no answer in time asks once more: what came before the answer to the same question went out is that question
    again, not another, however busy the machine is.
    """

    def __init__(self):
        self.zone, self.questions, self.answered = {}, [], {}
        self.stopping, self.stopped = socket.socketpair()
        while True:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.socket.bind(("127.0.0.1", 0))
            self.port = self.socket.getsockname()[1]
            try:
                self.listener = socket.create_server(("127.0.0.1", self.port))
                break
            except OSError:  # somebody has this port for TCP
                self.socket.close()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def asked(self, name, kind):
        return self.questions.count((name, kind))

    def work(self):
        while True:
            ready, _, _ = select.select([self.socket, self.listener, self.stopped], [], [])
            if self.stopped in ready:
                return
            if self.socket in ready:
                message, arrived, peer = self.receive()
                answer = self.answer(message, arrived)
                if answer is not None:
                    self.answered[self.question(message)] = time.time_ns()
                    self.socket.sendto(answer if len(answer) <= MOST_UDP else self.cut(message), peer)
            if self.listener in ready:
                self.serve_tcp()

    def receive(self):
        """@return (message, nanoseconds since 1970 when it came, whence)"""
        message, notes, _, peer = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
        seconds, nanoseconds = next(struct.unpack("qq", data) for level, kind, data in notes if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS))
        return message, seconds * 10**9 + nanoseconds, peer

    def serve_tcp(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(60)
            try:
                length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
                answer = self.answer(connection.recv(length, socket.MSG_WAITALL))
                if answer is not None:
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)
            except OSError:
                pass

    @staticmethod
    def cut(message):
        _, end = read_name(message, 12)
        return message[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + message[12:end + 4]

    @staticmethod
    def question(message):
        name, end = read_name(message, 12)
        return name, *struct.unpack(">H", message[end:end + 2])

    def answer(self, message, arrived=None):
        if len(message) < 17:
            return None
        name, kind = self.question(message)
        _, end = read_name(message, 12)
        if arrived is None or arrived > self.answered.get((name, kind), 0):
            self.questions.append((name, kind))
        before = self.asked(name, kind) - 1
        found = self.zone.get(name, [] if name in self.zone else NO_SUCH_NAME)
        if callable(found):
            found = found(kind, before)
        if found is None:
            return None
        code, found = (found, []) if isinstance(found, int) else (NO_ERROR, found)
        records = [self.record(name, *one) for one in map(read_record, found) if one[0] in (kind, CNAME)]
        return message[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0) + message[12:end + 4] + b"".join(records)

    @staticmethod
    def record(name, kind, data):
        return name_octets(name) + struct.pack(">HHIH", kind, 1, 0, len(data)) + data

    def stop(self):
        self.stopping.send(b"x")
        self.thread.join(10)
        for one in (self.socket, self.listener, self.stopping, self.stopped):
            one.close()
