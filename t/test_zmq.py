"""uPKI's two ports with a real ZMQ client: each task, and what is refused (UPKI.md 1)."""

import base64
import json
import pathlib
import random
import re
import socket
import subprocess
import time

import pytest
import zmq


class Peer:
    def __init__(self, system):
        self.system, self.context = system, zmq.Context.instance()

    def raw(self, *frames, port=0, source="127.0.0.1"):
        one = self.context.socket(zmq.REQ)
        one.setsockopt(zmq.RCVTIMEO, 60000)
        one.setsockopt(zmq.LINGER, 0)
        one.connect(f"tcp://{source}:0;127.0.0.1:{self.system.zmq_port + port}")
        try:
            one.send_multipart([frame if isinstance(frame, bytes) else frame.encode() for frame in frames])
            return json.loads(one.recv_string())
        finally:
            one.close()

    def data(self, task, port=0, **params):
        reply = self.raw(json.dumps({"TASK": task, "params": params}), port=port)
        assert reply["EVENT"] == "ANSWER", reply
        return reply["DATA"]

    def error(self, task, port=0, source="127.0.0.1", **params):
        reply = self.raw(json.dumps({"TASK": task, "params": params}), port=port, source=source)
        assert reply["EVENT"] == "UPKI ERROR", reply
        return reply["MSG"]


@pytest.fixture
def peer(system):
    return Peer(system)


def csr(name):
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", f"/CN={name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_ca_and_crl(peer):
    assert peer.data("get_ca").startswith("-----BEGIN CERTIFICATE-----\n") and peer.data("get_ca").endswith("-----END CERTIFICATE-----\n")
    first, second = base64.b64decode(peer.data("get_crl")), base64.b64decode(peer.data("generate_crl"))
    for der in (first, second):
        assert b"CRL Number" in subprocess.run(["openssl", "crl", "-inform", "der", "-noout", "-text"], input=der, check=True, capture_output=True).stdout.replace(b"X509v3 ", b"")


def test_profiles(peer):
    assert peer.data("list_profiles") == ["ca", "ra", "server", "webapp", "laptop", "user", "admin"]
    assert peer.data("get_profile", profile="server") == {
        "keyType": "rsa", "keyLen": 4096, "duration": 60, "digest": "sha256", "altnames": True, "domain": "",
        "subject": {"C": "FR", "O": "Company", "OU": "Servers", "CN": ""}, "keyUsage": ["digitalSignature", "keyEncipherment"],
        "extendedKeyUsage": ["serverAuth"], "certType": "server"}
    for name in ("nope", "../x", "Server"):
        assert peer.error("get_profile", profile=name).startswith("[500] Profile not found: ")


def test_sign_and_view(peer):
    signed = peer.data("sign", csr=csr("sign.example.com"), profile="server")
    assert isinstance(signed["serial"], int) and signed["serial"] > 2 ** 64
    view = peer.data("view", dn="sign.example.com")
    assert view["serial_number"] == signed["serial"] and view["subject"] == {"commonName": "sign.example.com"}
    assert view["sans"] == [{"type": "DNS", "value": "sign.example.com"}] and view["is_valid"] is True and view["status"] == "valid"


@pytest.mark.parametrize("spelling", ["{cn}", "/CN={cn}", "CN={cn}", "{serial}", "{hexserial}"])
def test_revoke_in_every_spelling(peer, spelling):
    name = f"revoke-{abs(hash(spelling)) % 10 ** 8}.example.com"
    serial = peer.data("sign", csr=csr(name))["serial"]
    assert peer.data("revoke", dn=spelling.format(cn=name, serial=serial, hexserial=f"{serial:038x}"), reason="keyCompromise") is True
    assert peer.data("view", dn=name)["revoke_reason"] == "keyCompromise"
    crl = base64.b64decode(peer.data("get_crl"))
    text = subprocess.run(["openssl", "crl", "-inform", "der", "-noout", "-text"], input=crl, check=True, capture_output=True).stdout.decode()
    assert f"{serial:038X}" in text


@pytest.mark.parametrize("reason,name", [(1, "keyCompromise"), ("4", "superseded"), ("CESSATIONOFOPERATION", "cessationOfOperation")])
def test_reasons(peer, reason, name):
    cn = f"reason-{name.lower()}.example.com"
    peer.data("sign", csr=csr(cn))
    assert peer.data("revoke", dn=cn, reason=reason) is True
    assert peer.data("view", dn=cn)["revoke_reason"] == name


def test_hold_and_back(peer):
    peer.data("sign", csr=csr("hold.example.com"))
    assert peer.data("revoke", dn="hold.example.com", reason="certificateHold") is True
    assert peer.data("unrevoke", dn="hold.example.com") is True
    assert peer.data("view", dn="hold.example.com")["is_revoked"] is False
    assert peer.error("unrevoke", dn="hold.example.com").startswith("[900] ")


def test_generate_keeps_the_key(peer, system):
    system.wait_for_key_pair("rsa:2048")
    made = peer.data("generate", cn="made.example.com", profile="user", sans=[{"type": "EMAIL", "value": "a@example.com"}, "DNS:made.example.com"], local=True)
    assert made["dn"] == "/CN=made.example.com" and "private_key" not in made


def test_register(peer, system):
    system.wait_for_key_pair("rsa:2048")
    answer = peer.data("register", port=1, seed=system.seed, cn="ra1.example.com", profile="user", sans=[{"type": "DNS", "value": "upki-ra.example.com"}])
    assert answer["status"] == "registered" and answer["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert answer["ca_certificate"] == peer.data("get_ca")
    assert peer.data("status", port=1, cn="ra1.example.com")["node"]["profile"] == "user"
    assert peer.data("status", port=1, cn="nobody.example.com") == {"status": "not_registered"}


def test_F54_wrong_seeds(peer, system):
    for seed in ("wrong", system.seed + "x", system.seed[:-1], " "):
        assert peer.error("register", port=1, seed=seed, cn="x.example.com") == "[700] Invalid registration seed"
    assert "CA certificate" in peer.error("register", port=1, seed=system.seed, cn="x.example.com", profile="ca")


def test_F54_guessing_has_to_wait(peer, system):
    """Ten wrong seeds of an address; then no seed of it is looked at for a minute, at neither port. Other addresses are served."""
    system.wait_for_key_pair("rsa:2048")
    guesser, before = "127.0.0.77", system.log.read_text(errors="replace").count("\n")
    asked = {"cn": "guess.example.com", "profile": "user", "source": guesser}
    for i in range(10):
        assert peer.error("register", port=i % 2, seed=f"wrong {i}", **asked) == "[700] Invalid registration seed"
    for i in range(50):  # well within the minute
        for port in (0, 1):
            seed = system.seed if i % 2 else f"wrong {i}"
            assert peer.error("register", port=port, seed=seed, **asked) == "[700] Too many wrong registration seeds: try again in a minute"
    assert peer.data("status", port=1, cn="guess.example.com") == {"status": "not_registered"}
    assert peer.error("register", port=1, seed="wrong", cn="guess.example.com", source="127.0.0.78") == "[700] Invalid registration seed"
    assert peer.data("register", port=1, seed=system.seed, cn="other.example.com", profile="user")["status"] == "registered"
    lines = [line for line in system.log.read_text(errors="replace").splitlines()[before:] if "seed" in line or "task register" in line]
    assert 0 < len(lines) < 40 and len([line for line in lines if "Too many wrong" in line]) <= 2, lines


def test_refusals(peer):
    assert peer.error("foo") == "[700] Unknown task: foo"
    assert peer.error("Get_CA") == "[700] Unknown task: Get_CA"
    assert peer.error("get_ca", port=1) == "[700] Unknown task: get_ca"
    for task, name in (("sign", "csr"), ("view", "dn"), ("revoke", "dn"), ("generate", "cn"), ("get_profile", "profile")):
        assert peer.error(task) == f"[700] Missing {name} parameter"
    assert peer.error("view", dn="nobody.example.com") == "[300] Certificate not found: nobody.example.com"
    assert peer.error("revoke", dn="nobody.example.com", reason="bored").startswith("[200] Invalid revocation reason: bored")
    assert peer.error("sign", csr="garbage").startswith("[300] Failed to load CSR: ")
    assert peer.error("sign", csr=csr("localhost"), profile="nope") == "[500] Profile not found: nope"


@pytest.mark.parametrize("task, port, cn", [("register", 1, "localhost"), ("generate", 0, "LocalHost")])
def test_C14_reserved_names_are_no_common_names_either(peer, system, task, port, cn):
    message = peer.error(task, port=port, seed=system.seed, cn=cn, profile="ra", sans=[{"type": "DNS", "value": "upki-ra"}])
    assert "Domain 'localhost' is reserved and cannot be used" in message


@pytest.mark.parametrize("cn", ["../../x", "/abs", "a\u0000b", "x" * 10000])
def test_F34_names_are_no_paths(peer, system, cn):
    before = {path for path in system.directory.rglob("*") if "nodes" in path.parts}
    reply = peer.raw(json.dumps({"TASK": "generate", "params": {"cn": cn, "profile": "user"}}))
    assert reply["EVENT"] == "UPKI ERROR" or all("nodes" in path.parts for path in set(system.directory.rglob("*")) - before if path.name == "key.pem")
    assert not (system.directory / "x").exists()


@pytest.mark.parametrize("frames", [(b"",), (b"\xff\xfe",), (b"garbage",), (b"[]",), (b"{}",), (b'{"TASK":7}',), (b'{"TASK":"get_ca","TASK":"get_crl"}',),
                                    (b'{"TASK":"sign","params":[]}',), (b"[" * 100000,), (b'{"TASK":"get_ca"}', b"more")])
def test_bad_frames_get_an_error(peer, frames):
    assert peer.raw(*frames)["EVENT"] == "UPKI ERROR"
    assert peer.data("get_ca")


def test_F29_strangers_do_not_stop_it(peer, system):
    strangers = []
    for octets in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 64, b"\x00" * 4096, b""):
        one = socket.create_connection(("127.0.0.1", system.zmq_port))
        one.sendall(octets)
        strangers.append(one)
    assert peer.data("get_ca")
    for one in strangers:
        one.close()


class Dealer:
    """A socket without the order of REQ, that says what it likes and sees when its connection ends."""

    def __init__(self, system, kind=zmq.DEALER, port=0):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.setsockopt(zmq.RCVTIMEO, 60000)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.socket.connect(f"tcp://127.0.0.1:{system.zmq_port + port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.disable_monitor()
        self.socket.close()

    def ask(self, *frames):
        self.socket.send_multipart(frames)
        *envelope, text = self.socket.recv_multipart()
        return envelope, json.loads(text)


GET_CA = json.dumps({"TASK": "get_ca"}).encode()
FEW, NO_EMPTY_FRAME = "[700] a message of several frames", "[700] a message without the empty frame"


@pytest.mark.parametrize("port", [0, 1])
@pytest.mark.parametrize("frames,message", [
    pytest.param([b"x" * 1_100_000], "[200] a message above 1048576 octets", id="1.1 MB"),
    pytest.param([b"x" * 8_000_000], "[200] a message above 1048576 octets", id="8 MB"),
    pytest.param([b"x"] * 5000, FEW, id="5000 frames"), pytest.param([b""] * 5000, FEW, id="5000 empty frames"),
    pytest.param([b"x" * 500_000] * 3, FEW, id="3 large frames")])
def test_F29_a_req_client_is_told_and_may_go_on(system, frames, message, port):
    with Dealer(system, zmq.REQ, port) as one:
        for _ in range(3):
            envelope, refusal = one.ask(*frames)
            assert not envelope and refusal["EVENT"] == "UPKI ERROR" and refusal["MSG"].startswith(message), refusal
            _, answer = one.ask(GET_CA)
            assert answer["EVENT"] == ("ANSWER" if port == 0 else "UPKI ERROR") and "frame" not in json.dumps(answer)
        assert not one.monitor.poll(0), "the connection ended"


@pytest.mark.parametrize("frames,envelope,message", [
    pytest.param([GET_CA], [], NO_EMPTY_FRAME, id="request alone"), pytest.param([b""], [], NO_EMPTY_FRAME, id="empty frame alone"),
    pytest.param([b"me", b"you"], [], NO_EMPTY_FRAME, id="two frames"), pytest.param([b"x"] * 5000, [], "[200] an envelope of more than 16 frames", id="5000 frames"),
    pytest.param([b"x" * 1_100_000], [], "[200] a message above", id="1.1 MB"), pytest.param([b"me", b"", b"a", b"b"], [b"me", b""], FEW, id="with an envelope"),
    pytest.param([b"me", b"", b"x" * 1_100_000], [b"me", b""], "[200] a message above", id="1.1 MB with an envelope")])
def test_F29_a_dealer_is_told_in_the_shape_of_its_message(system, frames, envelope, message):
    with Dealer(system) as one:
        for _ in range(3):
            got, refusal = one.ask(*frames)
            assert got == envelope and refusal["EVENT"] == "UPKI ERROR" and refusal["MSG"].startswith(message), refusal
            got, answer = one.ask(b"me", b"", GET_CA)
            assert got == [b"me", b""] and answer["EVENT"] == "ANSWER"
        assert not one.monitor.poll(0), "the connection ended"


def test_F29_refusals_keep_their_place(system):
    """Sent ahead without reading: each message has its answer, in its order."""
    with Dealer(system) as one:
        for i in range(200):
            one.socket.send_multipart([b"%d" % i, b"", GET_CA] if i % 2 else [b"%d" % i, b"", b"a", b"b"])
        for i in range(200):
            name, _, text = one.socket.recv_multipart()
            assert name == b"%d" % i and json.loads(text)["EVENT"] == ("ANSWER" if i % 2 else "UPKI ERROR")


def test_F29_what_never_ends_is_answered_and_closed(system):
    """20 MB in one message: told at once, and no more than 16 MiB of it are read."""
    with Dealer(system, zmq.REQ) as one:
        _, refusal = one.ask(b"x" * 20_000_000)
        assert refusal["MSG"].startswith("[200] a message above")
        assert one.monitor.poll(60000), "the client did not see the end of its connection"


@pytest.mark.parametrize("octets", [b"\x08\x00", b"\x02" + b"\xff" * 8, b"\x01\x00\x04\x00", b"\x06" + (65536).to_bytes(8, "big")],
                         ids=["reserved flags", "a size that ZMTP does not know", "a command in a message", "a command of 64 kB"])
def test_F29_without_an_answer_the_connection_ends_at_once(system, octets):
    with socket.create_connection(("127.0.0.1", system.zmq_port), timeout=60) as one:
        one.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32) + b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ")
        got = b""
        while b"READY" not in got:
            part = one.recv(4096)
            assert part, got
            got += part
        one.sendall(octets)
        try:
            while part := one.recv(4096):
                got += part
        except ConnectionError:
            pass
        assert b"EVENT" not in got


# ----- ten thousand hostile messages

TASKS = sorted({name for name in re.findall(r"^TASK\((\w+),", (pathlib.Path(__file__).parent.parent / "clients" / "zmq" / "tasks.def").read_text(), re.M)})
PARAMETERS = ("dn", "cn", "csr", "seed", "serial", "profile", "sans", "reason", "duration", "cert", "certificate", "account_id", "jwk", "contact", "status",
              "created_at", "order_id", "identifiers", "not_before", "auth_id", "identifier_type", "identifier_value", "cert_id")
HOSTILE = ["", " ", "\x00", "\ud7ff", "\u202e", "../../ca", "/", "=", "CN=", ",", "/CN=" + "x" * 5000, "x" * 5000, "%s%n", "'; DROP TABLE node; --", "-----BEGIN CERTIFICATE-----\n", 0, -1,
           7, 2 ** 63, -2 ** 63, 10 ** 399, 10 ** 500, 1.5, 1e308, True, False, None, [], [[]], [None] * 1000, {}, {"a": {"b": {}}}, {"type": "DNS"}, {"type": 7, "value": []},
           [{"type": "dns", "value": {}}], {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "RSA", "n": "A" * 5000, "e": "AQAB"}]
NESTED = b"[" * 100000 + b"]" * 100000


def hostile_message(dice):
    """One message, as the frames behind the empty one."""
    kind = dice.randrange(100)
    if kind == 0:
        return [dice.choice([b'{"TASK":"sign","params":{"csr":"' + b"x" * 1_000_000 + b'"}}', b"x" * 1_000_000, b'{"TASK":"' + b"x" * 1_000_000 + b'"}', NESTED, b'{"TASK":"view","params":' + NESTED + b"}"])]
    if kind < 5:
        return [b"a"] * dice.randrange(2, 9)
    if kind < 20:
        return [dice.randbytes(dice.randrange(200))]
    if kind < 30:
        text = json.dumps({"TASK": dice.choice(TASKS), "params": {dice.choice(PARAMETERS): "x"}}).encode()
        place = dice.randrange(len(text))
        return [text[:place] + dice.randbytes(1) + text[place + 1:]]
    if kind < 40:
        return [json.dumps(dice.choice(HOSTILE)).encode()]
    params = {name: dice.choice(HOSTILE) for name in dice.sample(PARAMETERS, dice.randrange(1, len(PARAMETERS)))}
    return [json.dumps({"TASK": dice.choice(TASKS), dice.choice(["params", "PARAMS"]): dice.choice([params, params, params, dice.choice(HOSTILE)])}).encode()]


@pytest.mark.parametrize("port", [0, 1])
def test_ten_thousand_hostile_messages_and_then_a_good_one(peer, system, port):
    """Each gets one answer, unless its sender is gone by then; whoever asks next is served."""
    dice, sent, guesser = random.Random(port), 0, "127.0.0.79"  # whose wrong seeds are counted apart from the other tests'
    while sent < 10000:
        one = zmq.Context.instance().socket(zmq.DEALER)
        one.setsockopt(zmq.RCVTIMEO, 60000)
        one.setsockopt(zmq.LINGER, 0)
        one.connect(f"tcp://{guesser}:0;127.0.0.1:{system.zmq_port + port}")
        answers = 50 if dice.randrange(5) else 1  # then it is gone, while the others' are made
        names = [b"%d" % (sent + i) for i in range(50)]
        for name in names:
            one.send_multipart([name, b"", *hostile_message(dice)])
        for name in names[:answers]:
            got, empty, text = one.recv_multipart()
            assert (got, empty) == (name, b"") and json.loads(text)["EVENT"] in ("ANSWER", "UPKI ERROR"), text[:500]
        one.close()
        sent += len(names)
    if port == 0:
        assert peer.data("get_ca")
    assert peer.data("status", port=1, cn="nobody.example.com") == {"status": "not_registered"}
    assert peer.data("view", dn=peer.data("sign", csr=csr(f"after-{port}.example.com"))["dn"])["status"] == "valid"
