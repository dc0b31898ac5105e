"""Who may do what at uPKI's ports (UPKI.md 6.2): strangers, loopback peers that count, CURVE peers; and who does not come in at all."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest
import zmq
import zmq.utils.monitor

from conftest import System, free_ports

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CURVE = b"\xff" + bytes(7) + b"\x01\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + bytes(32)
NULL = b"\xff" + bytes(7) + b"\x01\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)


class Office(System):
    """A server with an endpoint for each way to come in."""

    def lay_out(self):
        super().lay_out()
        self.open_port, self.curve_port, self.locked_port, self.other_port = free_ports(4, run=2)
        self.server_key = self.make_key("server")
        self.other_server_key = self.make_key("other-server")
        self.keys = {name: self.make_key(name) for name in ("ra", "admin", "late", "unknown", "elsewhere")}
        self.write_peers("ra", "admin", "elsewhere")

    def make_key(self, name):
        file = self.directory / "etc" / f"{name}.curve"
        done = subprocess.run(self.as_user([self.programs / "chancery", "zmq-key", "--out", file, "--json"]), check=True, capture_output=True, text=True,
                              env={**os.environ, "CHANCERY_PROGRAMS": str(self.programs)})
        made = json.loads(done.stdout)
        assert made["key_file"] == str(file) and file.stat().st_mode & 0o777 == 0o600
        return made["public_key"]

    def secret(self, name):
        return (self.directory / "etc" / f"{name}.curve").read_text().strip()

    def write_peers(self, *names):
        rows = {"ra": ("default", "ra-operator"), "admin": ("default", "admin"), "late": ("*", "admin"), "elsewhere": ("devices", "admin")}
        peers = "".join(f'<peer name="{name}" key="{xml(self.keys[name])}" realm="{rows[name][0]}" roles="{rows[name][1]}"/>\n' for name in names)
        file = self.directory / "etc" / "chancery.xml"
        text = re.sub(r"<zmq>.*</chancery>", "</chancery>", file.read_text(), flags=re.DOTALL)
        file.write_text(text.replace("</chancery>", f"""<zmq>
    <endpoint address="127.0.0.1" port="{self.zmq_port}" realm="default" loopback-peers="ra-operator admin"/>
    <endpoint address="127.0.0.1" port="{self.open_port}" realm="default"/>
    <endpoint address="127.0.0.1" port="{self.curve_port}" realm="default" server-key-file="server.curve"/>
    <endpoint address="127.0.0.1" port="{self.locked_port}" realm="default" server-key-file="server.curve" without-curve="nobody"/>
    <endpoint address="127.0.0.1" port="{self.other_port}" realm="devices" server-key-file="other-server.curve"/>
  </zmq>
  <zmq-peers>
  {peers}</zmq-peers>
</chancery>"""))


def xml(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


@pytest.fixture(scope="module")
def office():
    with Office.running() as one:
        yield one


class Peer:
    """A client of one endpoint."""

    def __init__(self, office, port, key=None, server_key=None):
        self.socket = zmq.Context.instance().socket(zmq.REQ)
        self.socket.linger, self.socket.rcvtimeo, self.socket.sndtimeo = 0, 15000, 15000
        if key:
            self.socket.curve_serverkey = (server_key or office.server_key).encode()
            self.socket.curve_publickey, self.socket.curve_secretkey = office.keys[key].encode(), office.secret(key).encode()
        self.monitor = self.socket.get_monitor_socket()
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close()

    def send(self, task, **params):
        self.socket.send_string(json.dumps({"TASK": task, "params": params}))

    def try_to_send(self, task, **params):
        """Who was turned away by then has nobody to send to, and would wait."""
        with contextlib.suppress(zmq.Again):
            self.socket.send_string(json.dumps({"TASK": task, "params": params}), zmq.NOBLOCK)

    def ask(self, task, **params):
        self.send(task, **params)
        return json.loads(self.socket.recv_string())

    def fate(self):
        """The first decisive event of the connection."""
        decisive = {zmq.EVENT_HANDSHAKE_SUCCEEDED: "in", zmq.EVENT_HANDSHAKE_FAILED_AUTH: "unknown key", zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "protocol",
                    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "dropped", zmq.EVENT_DISCONNECTED: "dropped"}
        while True:
            assert self.monitor.poll(15000), "no event"
            event = zmq.utils.monitor.recv_monitor_message(self.monitor)["event"]
            if event in decisive:
                return decisive[event]


def request(name):
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", f"/CN={name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


#: task: least of stranger, ra, admin, or front end, which is none of these; parameters
TASKS = {
    "get_ca": ("stranger", {}), "get_crl": ("stranger", {}), "list_profiles": ("stranger", {}), "get_profile": ("stranger", {"profile": "server"}),
    "ocsp_check": ("stranger", {"serial": "123"}), "register": ("stranger", {"seed": "wrong", "cn": "x.example.com"}),
    "generate_crl": ("ra", {}), "generate": ("ra", {"cn": "made-{who}.example.com", "profile": "user"}), "sign": ("ra", {"csr": "{csr}"}),
    "view": ("ra", {"dn": "nobody.example.com"}), "renew": ("ra", {"dn": "nobody.example.com"}), "revoke": ("ra", {"dn": "nobody.example.com"}),
    "unrevoke": ("ra", {"dn": "nobody.example.com"}), "delete": ("ra", {"dn": "nobody.example.com"}), "list_admins": ("ra", {}), "list_nodes": ("ra", {}), "command": ("front end", {"method": "ca.get"}),
    "get_node": ("ra", {"cn": "nobody.example.com"}), "add_admin": ("admin", {"dn": "/CN=added"}), "remove_admin": ("admin", {"dn": "/CN=added"}),
}
RANKS = ("stranger", "ra", "admin", "front end")
REFUSED = "needs the role "


def ways(office):
    """Who comes which way: rank, and the peer."""
    return {"stranger without CURVE": ("stranger", lambda: Peer(office, office.open_port)),
            "stranger at a CURVE endpoint": ("stranger", lambda: Peer(office, office.curve_port)),
            "ra by CURVE": ("ra", lambda: Peer(office, office.curve_port, "ra")), "admin by CURVE": ("admin", lambda: Peer(office, office.curve_port, "admin")),
            "admin at a locked endpoint": ("admin", lambda: Peer(office, office.locked_port, "admin")),
            "loopback that counts": ("admin", lambda: Peer(office, office.zmq_port))}


@pytest.mark.parametrize("way", ["stranger without CURVE", "stranger at a CURVE endpoint", "ra by CURVE", "admin by CURVE", "admin at a locked endpoint",
                                 "loopback that counts"])
@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_task_by_everybody(office, task, way):
    rank, connect = ways(office)[way]
    least, params = TASKS[task]
    who = re.sub(r"\W", "-", way).lower()
    params = {name: request(f"signed-{who}.example.com") if text == "{csr}" else text.format(who=who) for name, text in params.items()}
    with connect() as peer:
        reply = peer.ask(task, **params)
    allowed = RANKS.index(rank) >= RANKS.index(least)
    assert (REFUSED not in reply.get("MSG", "")) == allowed, reply
    if not allowed:
        assert reply["EVENT"] == "UPKI ERROR" and re.match(r"\[\d00\] ", reply["MSG"]), reply


def test_every_task_is_in_the_matrix():
    """Of the newer dialect; those of ACME have tests of their own."""
    text = pathlib.Path(ROOT, "clients", "zmq", "tasks.def").read_text()
    names = {name for name in re.findall(r"^TASK\((\w+), Operations, (?:Newer|Both)", text, re.MULTILINE) if not name.startswith("acme_")}
    assert {"sign", "add_admin"} <= names <= set(TASKS), names - set(TASKS)


@pytest.mark.parametrize("task", sorted(TASKS))
@pytest.mark.parametrize("key,port,server_key,fate", [("unknown", "curve_port", "server_key", "unknown key"), ("late", "curve_port", "server_key", "unknown key"),
                                                      ("elsewhere", "curve_port", "server_key", "unknown key"), ("ra", "other_port", "other_server_key", "unknown key"),
                                                      ("admin", "curve_port", "other_server_key", "dropped"), ("admin", "open_port", "server_key", "protocol"),
                                                      (None, "locked_port", None, "protocol")],
                         ids=["unknown key", "not yet a peer", "another realm's peer", "a peer at another realm", "wrong server key", "no CURVE there", "CURVE alone there"])
def test_who_does_not_come_in(office, task, key, port, server_key, fate):
    with Peer(office, getattr(office, port), key, server_key and getattr(office, server_key)) as peer:
        peer.try_to_send(task, **TASKS[task][1])
        assert peer.fate() in ({fate, "dropped"} if fate == "protocol" else {fate})
        assert not peer.socket.poll(0)


def test_the_audit_stream_names_the_peer(office):
    name = "audited.example.com"
    with Peer(office, office.curve_port, "ra") as peer:
        serial = peer.ask("sign", csr=request(name))["DATA"]["serial"]
    with Peer(office, office.open_port) as peer:
        assert REFUSED in peer.ask("revoke", dn=name)["MSG"]
    talk = office.realm("default").talk()
    seen = talk.result("certificate.get", cn=name)
    assert int(seen["serial"], 16) == serial and (seen["requester"], seen["front_end"]) == ("curve:ra", "zmq")
    with Peer(office, office.zmq_port) as peer:
        peer.ask("sign", csr=request("local.example.com"))
    assert talk.result("certificate.get", cn="local.example.com")["requester"] == "loopback"
    talk.close()


def test_a_stranger_registers_with_the_seed(office):
    with Peer(office, office.open_port + 1) as peer:
        answer = peer.ask("register", seed=office.seed, cn="ra9.example.com", profile="user")
    assert answer["DATA"]["status"] == "registered" and "BEGIN PRIVATE KEY" in answer["DATA"]["private_key"]


def test_one_thread_serves_all_kinds(office):
    """Each request is for whom it came from, whoever was before."""
    with Peer(office, office.curve_port, "admin") as admin, Peer(office, office.curve_port, "ra") as ra, Peer(office, office.curve_port) as stranger:
        for _ in range(10):
            assert admin.ask("list_admins")["EVENT"] == "ANSWER"
            assert REFUSED in ra.ask("add_admin", dn="/CN=never")["MSG"]
            assert REFUSED in stranger.ask("list_admins")["MSG"]
        assert "/CN=never" not in admin.ask("list_admins")["DATA"]


def test_a_reload_lets_peers_in_and_out(office):
    def reload():
        before = office.log.read_text(errors="replace").count("reloaded, realms")
        serving = office.log.read_text(errors="replace").count(f"port {office.other_port + 1} for realm")
        office.process.send_signal(1)
        from test_master import wait_for
        wait_for(lambda: office.log.read_text(errors="replace").count("reloaded, realms") > before, 60, "the reload")
        wait_for(lambda: office.log.read_text(errors="replace").count(f"port {office.other_port + 1} for realm") > serving, 60, "the front end")

    office.write_peers("admin", "late", "elsewhere")
    reload()
    try:
        with Peer(office, office.curve_port, "ra") as peer:
            assert peer.fate() == "unknown key"
        with Peer(office, office.curve_port, "late") as peer:
            assert peer.ask("list_admins")["EVENT"] == "ANSWER"
    finally:
        office.write_peers("ra", "admin", "elsewhere")
        reload()


# ----- chancery-zmq --probe

def probe(office, port, key=None, server_key=None, task=None):
    command = [office.programs / "chancery-zmq", "--probe", f"tcp://127.0.0.1:{port}"]
    if key:
        command += ["--server-key", server_key or office.server_key, "--key", office.directory / "etc" / f"{key}.curve"]
    command += ["--task", task] if task else []
    return subprocess.run(office.as_user(command), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("key,port,server_key,task,status,said", [
    ("ra", "curve_port", None, None, 0, "answered"), ("ra", "curve_port", None, "remove_admin", 77, "refused: "), (None, "open_port", None, "get_ca", 0, "answered"),
    (None, "open_port", None, None, 77, "needs the role"), ("unknown", "curve_port", None, None, 69, "does not know the client's key"),
    ("ra", "curve_port", "other_server_key", None, 69, "--server-key"), ("ra", "open_port", None, None, 69, "no CURVE here"),
    (None, "locked_port", None, None, 69, "server-key-file")])
def test_probe_says_what_happened(office, key, port, server_key, task, status, said):
    done = probe(office, getattr(office, port), key, server_key and getattr(office, server_key), task)
    assert said in done.stdout + done.stderr, (done.stdout, done.stderr)
    assert (done.returncode == 0) == (status == 0), done
    assert all(office.secret(name) not in done.stdout + done.stderr for name in ("ra", "unknown"))


def test_probe_of_the_registration_port_says_which_one_is_meant(office):
    done = probe(office, office.open_port + 1)
    assert done.returncode != 0 and "this is the registration port" in done.stderr and f"at tcp://127.0.0.1:{office.open_port}; that one is meant" in done.stderr, done
    done = probe(office, office.open_port + 1, task="status")  # which it knows
    assert done.returncode == 0 and "answered" in done.stdout, done
    done = probe(office, office.open_port, task="nosuch")
    assert "registration port" not in done.stderr and "Unknown task: nosuch" in done.stderr, done


def test_probe_of_nobody(office):
    port, = free_ports(1)
    done = probe(office, port)
    assert done.returncode != 0 and "nobody listens there" in done.stderr, done


@pytest.mark.parametrize("options,said", [(["--server-key", "short", "--key", "x"], "no CURVE key"), (["--server-key", "a" * 40], "without --key"),
                                          (["--server-key", "a" * 40, "--key", "/nowhere/key"], "/nowhere/key")])
def test_probe_without_good_keys(office, options, said):
    done = subprocess.run([office.programs / "chancery-zmq", "--probe", f"tcp://127.0.0.1:{office.curve_port}", *options], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and said in done.stderr, done


# ----- chancery zmq-key

def run_key(office, *options):
    return subprocess.run([office.programs / "chancery", "zmq-key", *options], capture_output=True, text=True, env={**os.environ, "CHANCERY_PROGRAMS": str(office.programs)})


def test_D37_a_key_file_is_its_owners_alone_and_never_replaced(office, tmp_path):
    file = tmp_path / "one.curve"
    first = run_key(office, "--out", file)
    assert first.returncode == 0 and file.stat().st_mode & 0o777 == 0o600
    secret = file.read_text()
    assert len(secret.strip()) == 40 and secret.strip() not in first.stdout
    again = run_key(office, "--out", file)
    assert again.returncode != 0 and file.read_text() == secret
    printed = json.loads(run_key(office, "--json").stdout)
    assert zmq.curve_public(printed["secret_key"].encode()) == printed["public_key"].encode()


@pytest.mark.parametrize("spoil,said", [(lambda file: file.chmod(0o644), "expected 0600"), (lambda file: file.write_text(""), "empty file"), (lambda file: file.unlink(), "no such file"),
                                        (lambda file: (file.rename(str(file) + ".away"), file.symlink_to(str(file) + ".away")), "symbolic link")],
                         ids=["mode", "empty", "missing", "link"])
def test_D33_a_server_key_that_others_could_have_is_none(office, tmp_path, spoil, said):
    shutil.copytree(office.directory / "etc", tmp_path / "etc")
    file = tmp_path / "etc" / "server.curve"
    spoil(file)
    done = subprocess.run([office.programs / "chanceryd", "--config", tmp_path / "etc" / "chancery.xml", "--check"], capture_output=True, text=True)
    assert done.returncode == 78 and said in done.stdout and "server-key-file" in done.stdout, done.stdout


# ----- what --check says

def check(office, tmp_path, zmq_text):
    text = re.sub(r"<zmq>.*</chancery>", "</chancery>", (office.directory / "etc" / "chancery.xml").read_text(), flags=re.DOTALL)
    (tmp_path / "chancery.xml").write_text(text.replace("</chancery>", zmq_text + "</chancery>"))
    shutil.copy(office.directory / "etc" / "server.curve", tmp_path / "server.curve")
    done = subprocess.run([office.programs / "chanceryd", "--config", tmp_path / "chancery.xml", "--check"], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if "chancery/zmq" in line]  # the server runs: of its own files it complains, too
    return 78 if any("warning: " not in line for line in lines) else 0, lines


ENDPOINT = '<zmq><endpoint address="{}" port="5000" realm="default" {}/></zmq>'
KEY_FILE = 'server-key-file="server.curve"'


@pytest.mark.parametrize("address,more,errors,said", [
    ("127.0.0.1", "", 0, None), ("127.0.0.1", 'loopback-peers="ra-operator admin"', 0, "every program of this machine"), ("0.0.0.0", "", 1, "without server-key-file"),
    ("0.0.0.0", KEY_FILE, 0, None), ("0.0.0.0", 'without-curve="anyone"', 0, "without CURVE"), ("127.0.0.1", 'without-curve="nobody"', 1, "nobody could come at all"),
    ("127.0.0.1", 'without-curve="nobody" ' + KEY_FILE, 0, None), ("127.0.0.1", 'without-curve="maybe"', 1, "expected"),
    ("127.0.0.1", 'loopback-peers="boss"', 1, "expected")])
def test_check_of_endpoints(office, tmp_path, address, more, errors, said):
    status, lines = check(office, tmp_path, ENDPOINT.format(address, more))
    assert (status == 78) == bool(errors), lines
    assert any(said in line for line in lines) if said else not lines, lines


PEER = '<peer name="{}" key="{}" realm="{}" roles="{}"/>'


@pytest.mark.parametrize("peers,said", [
    ([("a", "k" * 40, "default", "user"), ("a", "l" * 40, "default", "user")], "a second time"), ([("a", "k" * 40, "default", "user"), ("b", "k" * 40, "*", "admin")], "one peer for each key"),
    ([("a", "k" * 39, "default", "user")], "40 of a public CURVE key"), ([("a", "k" * 39 + "~", "default", "user")], "40 of a public CURVE key"),
    ([("a", "k" * 40, "nowhere", "user")], "unknown realm"), ([("a", "k" * 40, "default", "boss")], "expected"), ([("a", "k" * 40, "default", "")], "roles")])
def test_check_of_peers(office, tmp_path, peers, said):
    rows = "".join(PEER.format(*one) for one in peers)
    status, lines = check(office, tmp_path, ENDPOINT.format("127.0.0.1", KEY_FILE) + f"<zmq-peers>{rows}</zmq-peers>")
    assert status == 78 and any(said in line for line in lines), lines


def test_peers_that_nobody_lets_in_are_a_warning(office, tmp_path):
    status, lines = check(office, tmp_path, ENDPOINT.format("127.0.0.1", "") + "<zmq-peers>" + PEER.format("a", "k" * 40, "default", "user") + "</zmq-peers>")
    assert status == 0 and any("nobody can come over CURVE" in line for line in lines), lines


# ----- what strangers may send at a CURVE endpoint

def ended(one):
    """Whether the server hangs up; what it said before."""
    said = b""
    try:
        while part := one.recv(4096):
            said += part
    except ConnectionResetError:
        pass
    return said


STRANGE = {
    "a message instead of HELLO": CURVE + b"\x00\x05hello", "HELLO of another size": CURVE + b"\x04\x05HELLO", "a HELLO that is none": CURVE + b"\x04\xc8" + bytes(200),
    "a command of 1 TB": CURVE + b"\x06" + (1 << 40).to_bytes(8, "big"), "a size that ZMTP does not know": CURVE + b"\x06" + b"\xff" * 8,
    "reserved flags": CURVE + b"\xf0\x05HELLO", "PLAIN": CURVE.replace(b"CURVE", b"PLAIN"), "another mechanism": CURVE.replace(b"CURVE", b"XURVE"),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("octets", STRANGE.values(), ids=STRANGE.keys())
def test_D11_strange_octets_end_the_connection(office, octets):
    with socket.create_connection(("127.0.0.1", office.curve_port), timeout=60) as one:
        one.sendall(octets)
        ended(one)
    with Peer(office, office.curve_port, "ra") as peer:
        assert peer.ask("get_ca")["EVENT"] == "ANSWER"


def test_a_client_of_the_wrong_mechanism_is_told_which_is_spoken(office):
    for port, sent, spoken in ((office.locked_port, NULL, b"CURVE"), (office.open_port, CURVE, b"NULL")):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
            one.sendall(sent)
            said = ended(one)
            assert len(said) == 64 and said[12:32].rstrip(b"\0") == spoken, said


def test_D9_a_handshake_that_does_not_end_is_ended(office):
    with socket.create_connection(("127.0.0.1", office.curve_port), timeout=60) as one:
        one.sendall(CURVE)
        assert ended(one)[12:17] == b"CURVE"


def memory_kb(office):
    pids = [pid for pid in os.listdir("/proc") if pid.isdigit() and readable(f"/proc/{pid}/cmdline").startswith("chancery-zmq")]
    ours = [text for text in (readable(f"/proc/{pid}/status") for pid in pids) if re.search(rf"PPid:\s+{office.process.pid}$", text, re.M)]
    return sum(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) for text in ours)


def readable(file):
    try:
        return open(file, errors="replace").read()
    except OSError:  # it has ended
        return ""


def test_D1_D11_unauthenticated_peers_take_a_bounded_amount(office):
    before = memory_kb(office)
    assert before > 0
    silent = []
    try:
        for i in range(300):
            one = socket.create_connection(("127.0.0.1", office.curve_port), timeout=60)
            one.sendall(CURVE[: 64 if i % 2 else 11])
            silent.append(one)
        with Peer(office, office.curve_port, "ra") as peer:
            assert peer.ask("get_ca")["EVENT"] == "ANSWER"
        assert memory_kb(office) - before < 60000
    finally:
        for one in silent:
            one.close()


def test_D11_a_known_peer_cannot_send_parts_for_ever(office):
    """How many parts a message has is inside the encryption: frames without an answer are counted."""
    one = zmq.Context.instance().socket(zmq.DEALER)
    one.linger = 0
    one.curve_serverkey = office.server_key.encode()
    one.curve_publickey, one.curve_secretkey = office.keys["ra"].encode(), office.secret("ra").encode()
    monitor = one.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    one.connect(f"tcp://127.0.0.1:{office.curve_port}")
    before = memory_kb(office)
    for _ in range(5000):
        one.send(b"x" * 10000, zmq.SNDMORE)
    one.send(b"end")
    assert monitor.poll(60000)
    assert memory_kb(office) - before < 60000
    one.disable_monitor()
    monitor.close(0)
    one.close()
    with Peer(office, office.curve_port, "ra") as peer:
        assert peer.ask("get_ca")["EVENT"] == "ANSWER"


@pytest.mark.parametrize("frames", [[b"{}"], [b"", b"{}", b"{}"], [b"", b"", b"{}"], [b"a", b"b", b"", b"{}", b""], [b"x"] * 17, [b""]],
                         ids=["no empty frame", "two requests", "two empty frames", "nothing behind", "17 parts", "an empty one"])
def test_a_known_peers_strange_message_is_answered(office, frames):
    one = zmq.Context.instance().socket(zmq.DEALER)
    one.linger, one.rcvtimeo, one.sndtimeo = 0, 15000, 15000
    one.curve_serverkey = office.server_key.encode()
    one.curve_publickey, one.curve_secretkey = office.keys["ra"].encode(), office.secret("ra").encode()
    one.connect(f"tcp://127.0.0.1:{office.curve_port}")
    try:
        one.send_multipart(frames)
        reply = json.loads(one.recv_multipart()[-1])
        assert reply["EVENT"] == "UPKI ERROR" and reply["MSG"].startswith("[700] "), reply
        one.send_multipart([b"", b'{"TASK":"get_ca"}'])
        assert json.loads(one.recv_multipart()[-1])["EVENT"] == "ANSWER"
    finally:
        one.close()
