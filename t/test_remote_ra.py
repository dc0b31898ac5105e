"""An RA on another machine than its CA (UPKI.md 4.2, 5.4): chancery-http that begins by the environment, a seed and two ports."""

import contextlib
import datetime
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import types

import pytest
import requests
import zmq
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conftest import BUILD, free_ports, killed_at
from test_acme import Lego, check_chain, is_revoked
from test_front_ends import ROWS, Host, Peer, command, result
from test_master import wait_for
from test_rest import issue

SOMEBODY = "65532"  # whom the RA's machine runs it as: nobody whom the CA's knows


def said(done):
    """What init and register print, a name and its value a line."""
    return dict(line.split(None, 1) for line in done.stdout.splitlines())


class Remote:
    """A machine with an RA on it: a directory, a user and an environment of its own, and no access to the CA's."""

    def __init__(self, programs=BUILD):
        self.holder = tempfile.TemporaryDirectory(prefix="chancery-remote-")
        self.home = pathlib.Path(self.holder.name)
        self.programs = self.home / "bin"
        self.programs.mkdir()
        for name in ("chancery", "chancery-http", "chancery-zmq"):
            shutil.copy(programs / name, self.programs / name)
        self.data, self.log = self.home / "ra", self.home / "log"
        self.port, = free_ports(1)
        self.environment = {"UPKI_DATA_DIR": self.data, "UPKI_RA_PORT": self.port, "UPKI_RA_CN": "ra7.example.com", "UPKI_RA_SANS": "ra7.example.com, 127.0.0.1",
                            "UPKI_RA_TLS": "true"}
        self.process = None
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{SOMEBODY}:{SOMEBODY}", self.home], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.holder.cleanup()

    def as_somebody(self, argv):
        prefix = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        return prefix + [str(one) for one in argv]

    def env(self, **more):
        given = {**self.environment, **more}
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "CHANCERY_PROGRAMS": str(self.programs),
                **{name: str(text) for name, text in given.items() if text is not None}}

    def upki(self, *words, timeout=60, **more):
        return subprocess.run(self.as_somebody([self.programs / "chancery", "upki", "ra", *words]), capture_output=True, text=True, env=self.env(**more), timeout=timeout,
                              cwd=self.home)

    def init(self):
        done = self.upki("init")
        assert done.returncode == 0, done
        return said(done)

    def start(self, **more):
        self.process = subprocess.Popen(self.as_somebody([self.programs / "chancery", "upki", "ra", "start"]), env=self.env(**more), cwd=self.home,
                                        stdin=subprocess.DEVNULL, stdout=open(self.log, "a"), stderr=subprocess.STDOUT)
        wait_for(self.listens, 60, "the RA")

    def listens(self):
        assert self.process.poll() is None, self.words()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=60):
            return True

    def words(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def get(self, path, **options):
        return requests.get(self.url + path, verify=str(self.data / "ca.crt"), timeout=60, **options)

    def serves(self):
        with contextlib.suppress(requests.RequestException):
            return self.get("/api/v1/ca").status_code == 200

    def realm(self, host):
        """As test_acme's clients see it."""
        return types.SimpleNamespace(directory_url=self.url + "/acme/directory", https_ca_file=self.data / "ca.crt", ca_file=host.realm("default").ca_file,
                                     status_of=host.realm("default").status_of)


class RemoteHost(Host):
    """Its row for the RA has the RA's own key, which was made over there."""

    def __init__(self, directory, remote_key):
        super().__init__(directory)
        self.remote_key = remote_key

    def make_key(self, name):
        return self.remote_key if name == "wide" else super().make_key(name)


@pytest.fixture(scope="module")
def remote():
    with Remote() as one:
        one.made = one.init()
        yield one


@pytest.fixture(scope="module")
def host(remote):
    with tempfile.TemporaryDirectory(prefix="chancery-host-") as directory:
        one = RemoteHost(directory, remote.made["public_key"])
        one.lay_out()
        one.start()
        remote.environment.update({"UPKI_CA_PORT": one.curve_port, "UPKI_CA_CURVE_KEY": one.server_key})
        yield one
        one.stop()


@pytest.fixture(scope="module")
def ra(host, remote):
    remote.start(UPKI_CA_SEED=host.seed)
    wait_for(remote.serves, 60, "the RA's HTTPS")
    yield remote
    remote.stop()


# ----- init and register

def test_init_says_what_the_cas_operator_has_to_know(remote):
    again = remote.init()
    assert again == remote.made and len(again["public_key"]) == 40
    key_file = remote.data / "ra.curve"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600 and stat.S_IMODE(remote.data.stat().st_mode) == 0o700
    assert zmq.curve_public(key_file.read_bytes().strip()).decode() == again["public_key"]
    assert 'roles="frontend"' in again["peer"] and key_file.read_text().strip() not in json.dumps(again)


def test_the_files_are_upkis(ra, host):
    key = serialization.load_pem_private_key((ra.data / "ra.key").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((ra.data / "ra.crt").read_bytes())
    assert key.public_key().public_numbers() == certificate.public_key().public_numbers() and (ra.data / "ca.crt").read_text() == host.realm("default").ca_file.read_text()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ra7.example.com"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]  # uPKI's RA says DNS, and is refused
    assert stat.S_IMODE((ra.data / "ra.key").stat().st_mode) == 0o600
    config = json.loads((ra.data / "config.json").read_text())
    assert (config["ca_port"], config["cn"]) == (host.curve_port, "ra7.example.com")
    assert all(host.seed not in file.read_text() for file in ra.data.iterdir())
    assert {one.name for one in ra.data.iterdir()} == {"ra.crt", "ra.key", "ca.crt", "config.json", "ra.curve"}


def test_the_second_start_uses_what_is_there(ra, host):
    before = {file.name: file.read_bytes() for file in ra.data.iterdir()}
    done = ra.upki("register")  # no seed
    assert done.returncode == 0 and said(done)["subject"].endswith("/CN=ra7.example.com"), done
    ra.stop()
    ra.start()
    wait_for(ra.serves, 60, "the RA's HTTPS")
    assert {file.name: file.read_bytes() for file in ra.data.iterdir()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have two users")
def test_C22_the_ra_reaches_the_daemons_socket_by_no_other_way(ra, host):
    tried = subprocess.run(ra.as_somebody(["/usr/bin/python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).connect({str(host.socket)!r})"]), capture_output=True, text=True)
    assert "PermissionError" in tried.stderr, tried
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(ra.as_somebody(["cat", host.realm("default").directory / "ca.key"]), check=True, capture_output=True)
    files = subprocess.run(["ls", "-l", f"/proc/{ra.process.pid}/fd"], capture_output=True, text=True).stdout
    assert str(host.directory) not in files


# ----- what it serves

def test_lego_gets_a_certificate_over_the_remote_ra(ra, host, tmp_path):
    names = ["remote.lego.localhost", "a.remote.lego.localhost"]
    lego = Lego(ra.realm(host), tmp_path, host.http01_port, names, "ec256")
    lego.run("run")
    first = check_chain(ra.realm(host), lego.chain(), names, ec.EllipticCurvePublicKey)
    talk = host.realm("default").talk()
    seen = talk.result("certificate.get", serial=f"{first.serial_number:038x}")
    talk.close()
    assert seen["front_end"] == "zmq/curve:wide" and seen["requester"].startswith("acme:")
    lego.run("revoke", "--keep")
    assert is_revoked(ra.realm(host), first) == "revoked"


def test_what_everybody_may_know(ra, host):
    assert ra.get("/api/v1/health").json()["data"] == {"status": "healthy"}
    assert ra.get("/api/v1/ca").json()["data"]["certificate"] == host.realm("default").ca_file.read_text()
    assert "server" in ra.get("/api/v1/profiles").json()["data"]
    crl = ra.get("/crl")
    assert crl.status_code == 200 and x509.load_der_x509_crl(crl.content).issuer == x509.load_pem_x509_certificate((ra.data / "ca.crt").read_bytes()).subject


def test_an_administrator_comes_by_mtls(ra, host, tmp_path):
    admin = issue(host.realm("default"), tmp_path, "admin", "remote-admin", "admin")
    user = issue(host.realm("default"), tmp_path, "user", "remote-user", "user")
    talk = host.realm("default").talk()
    talk.result("admin.add", dn=admin.dn)
    wait_for(lambda: ra.get("/api/v1/private/admins", cert=tuple(map(str, admin.files))).status_code == 200, 60, "the RA's knowledge of the CA")
    config = ra.get("/api/v1/private/config", cert=tuple(map(str, admin.files))).json()["data"]
    assert (config["ca_host"], config["ca_port"], config["data_dir"], config["registered"]) == ("127.0.0.1", host.curve_port, str(ra.data), True)
    added = requests.post(ra.url + "/api/v1/private/admins", json={"admins": ["/CN=by-mtls"]}, cert=tuple(map(str, admin.files)), verify=str(ra.data / "ca.crt"), timeout=60)
    assert [(one["dn"], one["success"]) for one in added.json()["data"]["results"]] == [("/CN=by-mtls", True)]
    assert "/CN=by-mtls" in talk.result("admin.list")["admins"]
    own = ra.get("/api/v1/client/certificate", cert=tuple(map(str, user.files)))
    assert own.status_code == 200
    assert ra.get("/api/v1/private/admins", cert=tuple(map(str, user.files))).status_code == 403
    assert ra.get("/api/v1/private/admins").status_code == 401
    talk.result("certificate.revoke", serial=admin.hex)
    talk.close()
    assert ra.get("/api/v1/private/admins", cert=tuple(map(str, admin.files))).status_code == 401


def test_another_realm_is_not_there(ra):
    for path in ("/realms/devices/crl", "/realms/devices/acme/directory", "/realms/devices/api/v1/ca"):
        assert ra.get(path).status_code == 404


def test_the_ra_outlives_its_ca(ra, host):
    """uPKI's RA never answers again after one time-out (UPKI.md 6.10)."""
    assert ra.serves()
    process = ra.process.pid
    host.stop()
    for _ in range(3):
        lost = ra.get("/api/v1/ca")
        assert lost.status_code == 503 and lost.json() == {"status": "error", "message": "the CA cannot be reached (try again later)", "code": "CA_ERROR"}
    assert f"no connection to the CA at tcp://127.0.0.1:{host.curve_port}" in ra.words()
    host.start()
    wait_for(ra.serves, 60, "the RA's answers")
    assert all(ra.get("/api/v1/ca").status_code == 200 for _ in range(20))
    assert ra.process.poll() is None and ra.process.pid == process


# ----- the bootstrap as it is seen on the wire (UPKI.md 5.4)

def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def certify(cn, issuer=None, issuer_key=None, key=None, days=(-1, 30)):
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    now = datetime.datetime.utcnow()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer or name).public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + datetime.timedelta(days=days[0])).not_valid_after(now + datetime.timedelta(days=days[1]))
    builder = builder.add_extension(x509.BasicConstraints(issuer is None, None), True)
    return builder.sign(issuer_key or key, hashes.SHA256()), key


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


class FakeCa:
    """Answers both ports by a script, and keeps what it was asked. An answer of None is none, a list one of several frames; a function makes one of the params."""

    def __init__(self, answers, address="127.0.0.1"):
        self.port, = free_ports(1, run=2)
        register = answers.get("register")
        own_ca = {"EVENT": "ANSWER", "DATA": register["DATA"]["ca_certificate"]} if isinstance(register, dict) and "DATA" in register else None
        self.trace, self.answers = [], {"get_ca": own_ca, **answers}
        self.context = zmq.Context()
        self.sockets = []
        for port in (self.port, self.port + 1):
            one = self.context.socket(zmq.ROUTER)
            one.linger, one.ipv6 = 0, ":" in address
            one.bind(f"tcp://{address}:{port}")
            self.sockets.append(one)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        poller = zmq.Poller()
        for one in self.sockets:
            poller.register(one, zmq.POLLIN)
        while not self.ending.is_set():
            for one, _ in poller.poll(50):
                *envelope, question = one.recv_multipart()
                asked = json.loads(question)
                self.trace.append((self.sockets.index(one), asked["TASK"], asked["params"], set(asked)))
                answer = self.answers.get(asked["TASK"])
                answer = answer(asked["params"]) if callable(answer) else answer
                if answer is not None:
                    frames = answer if isinstance(answer, list) else [answer]
                    one.send_multipart([*envelope, *(frame if isinstance(frame, bytes) else json.dumps(frame).encode() for frame in frames)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(60)
        for one in self.sockets:
            one.close()
        self.context.term()


def registered(**changes):
    ca, ca_key = certify("Fake CA")
    certificate, key = certify("ra7.example.com", ca.subject, ca_key)
    data = {"status": "registered", "cn": "ra7.example.com", "profile": "ra", "certificate": pem(certificate), "private_key": private_pem(key), "ca_certificate": pem(ca)}
    return {"EVENT": "ANSWER", "DATA": {**data, **changes}}


ADMINS = {"EVENT": "ANSWER", "DATA": ["/CN=admin"]}
SEED = "testseed-0123456789"


@pytest.fixture
def place():
    with Remote() as one:
        one.environment.update({"UPKI_RA_TLS": "false"})
        yield one


def test_the_bootstrap_step_by_step(place):
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        sans = [{"type": "DNS", "value": "ra7.example.com"}, {"type": "IP", "value": "127.0.0.1"}]
        assert ca.trace == [(1, "register", {"seed": SEED, "cn": "ra7.example.com", "profile": "ra", "sans": sans}, {"TASK", "params"}),
                            (0, "list_admins", {}, {"TASK", "params"}), (0, "get_ca", {}, {"TASK", "params"})]
        assert (place.data / "ra.crt").read_text() == ca.answers["register"]["DATA"]["certificate"]
        place.stop()
        del ca.trace[:]
        place.start(UPKI_CA_PORT=ca.port)
        assert ca.trace == [(0, "list_admins", {}, {"TASK", "params"}), (0, "get_ca", {}, {"TASK", "params"})]


@pytest.mark.parametrize("name,address", [("localhost", "127.0.0.1"), ("127.0.0.9", "127.0.0.9"), ("::1", "[::1]")])
def test_the_cas_host_by_name_and_address(place, name, address):
    try:
        fake = FakeCa({"register": registered()}, address)
    except zmq.ZMQError:
        pytest.skip("this machine has no such address")
    with fake as ca:
        done = place.upki("register", UPKI_CA_HOST=name, UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        assert done.returncode == 0 and len(ca.trace) == 1, done


def test_without_sans_none_are_sent_and_the_defaults_are_upkis(place):
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        done = place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED, UPKI_RA_SANS=None, UPKI_RA_CN=None)
        assert done.returncode == 0, done
        assert ca.trace == [(1, "register", {"seed": SEED, "cn": "RA", "profile": "ra"}, {"TASK", "params"})]


def test_options_go_before_the_environment(place):
    with FakeCa({"register": registered()}) as ca:
        done = place.upki("register", "--dir", place.home / "elsewhere", "--port", ca.port, "--cn", "ra9", "--sans", "ra9.example.com", UPKI_CA_PORT=1, UPKI_CA_SEED=SEED)
        assert done.returncode == 0 and (place.home / "elsewhere" / "ra.crt").exists() and not place.data.exists(), done
        assert ca.trace[0][2]["cn"] == "ra9" and ca.trace[0][2]["sans"] == [{"type": "DNS", "value": "ra9.example.com"}]


def test_a_refusal_of_list_admins_is_only_logged(place):
    with FakeCa({"register": registered(), "list_admins": {"EVENT": "UPKI ERROR", "MSG": "[700] admin.list needs the role user"}}) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        assert [one[1] for one in ca.trace] == ["register", "list_admins", "get_ca"]
    assert "list_admins: the CA refuses: [700] admin.list needs the role user" in place.words()


def ca_is(text):
    return {"EVENT": "ANSWER", "DATA": {"result": {"certificate": text}}}


def refusal_of(place):
    reply = requests.get(f"http://127.0.0.1:{place.port}/api/v1/ca", timeout=60)
    assert reply.status_code >= 400 and reply.json()["status"] == "error", reply.text
    return reply.json()["message"]


def test_an_answer_that_never_comes_costs_one_request(place):
    """uPKI's RA never answers again after that (UPKI.md 6.10). What comes late is nobody's answer."""
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        assert refusal_of(place) == "the CA cannot be reached (try again later)"
        wait_for(lambda: f"no answer from the CA at tcp://127.0.0.1:{ca.port} within 10000 ms" in place.words(), what="the log's line")
        ca.answers["command"] = ca_is("later")
        for _ in range(3):
            assert requests.get(f"http://127.0.0.1:{place.port}/api/v1/ca", timeout=60).json()["data"]["certificate"] == "later"


@pytest.mark.parametrize("answer", [b"garbage", b"", b"\xff\xfe", {"EVENT": "UPKI ERROR", "MSG": "[700] no"}, {"EVENT": "ANSWER"}, {"EVENT": "ANSWER", "DATA": []},
                                    {"EVENT": "ANSWER", "DATA": None}, {"EVENT": "ANSWER", "DATA": {}}, {"EVENT": "ANSWER", "DATA": {"result": {}, "error": {}}},
                                    {"EVENT": "ANSWER", "DATA": {"error": 7}}, {"EVENT": "ANSWER", "DATA": {"error": {"message": "x", "data": {"code": "nonsense"}}}},
                                    {"EVENT": "ANSWER", "DATA": {"error": {"message": "gone", "data": {"code": "not_found"}}}}], ids=str)
def test_an_answer_that_is_none_costs_one_request(place, answer):
    with FakeCa({"register": registered(), "list_admins": ADMINS, "command": answer}) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        refusal_of(place)
        ca.answers["command"] = ca_is("later")
        assert requests.get(f"http://127.0.0.1:{place.port}/api/v1/ca", timeout=60).json()["data"]["certificate"] == "later"
        assert ca.trace[-1][2] == {"method": "ca.get", "params": {}, "for": "http:127.0.0.1"}


def test_an_answer_in_several_frames_costs_one_request_and_its_connection(place):
    """What is left of it is nobody's answer."""
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        ca.answers["command"] = [ca_is("first"), ca_is("second"), b"third"]
        assert refusal_of(place) == "the CA cannot be reached (try again later)"
        assert f"the CA at tcp://127.0.0.1:{ca.port} answers in several frames, expected one" in place.words()
        ca.answers["command"] = ca_is("later")
        for _ in range(3):
            assert requests.get(f"http://127.0.0.1:{place.port}/api/v1/ca", timeout=60).json()["data"]["certificate"] == "later"


@pytest.mark.parametrize("task", ["register", "list_admins", "get_ca"])
def test_an_answer_in_several_frames_ends_the_start(place, task):
    answers = {"register": registered(), "list_admins": ADMINS}
    answers["get_ca"] = {"EVENT": "ANSWER", "DATA": answers["register"]["DATA"]["ca_certificate"]}
    with FakeCa({**answers, task: [answers[task], b""]}) as ca:
        fails(place, "answers in several frames, expected one", ca, UPKI_CA_SEED=SEED)


def fails(place, said, ca=None, **more):
    done = place.upki("start", timeout=90, **({"UPKI_CA_PORT": ca.port} if ca else {}), **more)
    assert done.returncode != 0 and said in done.stderr, done
    return done


def test_no_answer_to_list_admins_ends_the_start(place):
    with FakeCa({"register": registered()}) as ca:
        fails(place, "list_admins: no answer", ca, UPKI_CA_SEED=SEED)
        assert [one[1] for one in ca.trace] == ["register", "list_admins"]
    assert (place.data / "ra.crt").exists()  # the seed may be of one use


OTHER_KEY = private_pem(ec.generate_private_key(ec.SECP256R1()))
BAD_ANSWERS = {
    "none": (None, "registration: no answer"), "a refusal": ({"EVENT": "UPKI ERROR", "MSG": "[700] Invalid registration seed"}, "Invalid registration seed"),
    "no JSON": (b"garbage", "no JSON"), "another protocol": ({"hello": 1}, "no EVENT"), "no key": (registered(private_key=""), "no private_key"),
    "no certificate": (registered(certificate=None), "no certificate"), "a broken certificate": (registered(certificate="garbage"), "the CA's answer: no PEM block"),
    "another key": (registered(private_key=OTHER_KEY), "another key"), "another CA": (registered(ca_certificate=pem(certify("Other CA")[0])), "not its own"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_that_cannot_be_used_makes_no_ra(place, name):
    answer, said = BAD_ANSWERS[name]
    with FakeCa({"register": answer, "list_admins": ADMINS}) as ca:
        fails(place, said, ca, UPKI_CA_SEED=SEED)
        assert [one[1] for one in ca.trace] == ["register"]
    assert {one.name for one in place.data.iterdir()} == {"config.json"}


def test_nobody_listens(place):
    port, = free_ports(1, run=2)
    fails(place, f"no connection to the CA at tcp://127.0.0.1:{port + 1}", UPKI_CA_PORT=port, UPKI_CA_SEED=SEED)


@pytest.mark.parametrize("more,said", [
    ({}, "no UPKI_CA_SEED"), ({"UPKI_CA_SEED": "  "}, "no UPKI_CA_SEED"),
    ({"UPKI_CA_SEED": SEED, "UPKI_CA_HOST": "ca.example.com"}, "is not this machine, and no server key is given"),
    ({"UPKI_CA_SEED": SEED, "UPKI_CA_HOST": "192.0.2.1"}, "can be read on its way"), ({"UPKI_CA_SEED": SEED, "UPKI_CA_CURVE_KEY": "short"}, "UPKI_CA_CURVE_KEY or --server-key: found \"short\", expected the CA's public CURVE key"),
    ({"UPKI_CA_PORT": "65535"}, "UPKI_CA_PORT or --port: found \"65535\", expected a port, 1 to 65534"), ({"UPKI_CA_PORT": "x"}, "UPKI_CA_PORT"),
    ({"UPKI_RA_PORT": "0"}, "UPKI_RA_PORT or --web-port: found \"0\""), ({"UPKI_RA_HOST": "ra.example.com"}, "UPKI_RA_HOST or --web-ip: found \"ra.example.com\", expected an IPv4 or IPv6 address"),
    ({"UPKI_RA_TLS": "maybe"}, "UPKI_RA_TLS or --tls: found \"maybe\", expected true or false"), ({"UPKI_RA_REALM": "../x"}, "UPKI_RA_REALM")])
def test_an_environment_that_cannot_be(place, more, said):
    fails(place, said, **more)
    assert not (place.data / "ra.crt").exists()


def spoil_key(place):
    (place.data / "ra.key").write_text(OTHER_KEY)


def spoil_expiry(place, days=(-9, -1)):
    certificate, key = certify("ra7.example.com", days=days)
    (place.data / "ra.crt").write_text(pem(certificate))
    (place.data / "ra.key").write_text(private_pem(key))


def spoil_issuer(place):
    """A pair that fits, of a CA that is not this one."""
    ca, ca_key = certify("Other CA")
    certificate, key = certify("ra7.example.com", ca.subject, ca_key)
    (place.data / "ra.crt").write_text(pem(certificate))
    (place.data / "ra.key").write_text(private_pem(key))


def write_secret(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, int(SOMEBODY), int(SOMEBODY))


@pytest.mark.parametrize("spoil,said", [
    (spoil_key, "is not the key of ra.crt"), (spoil_expiry, "has expired, at "), (lambda place: spoil_expiry(place, (1, 9)), "is not valid before "),
    (lambda place: (place.data / "ra.key").unlink(), "has no ra.key beside it"), (lambda place: (place.data / "ra.key").chmod(0o644), "expected 0600"),
    (lambda place: (place.data / "ra.crt").write_text("garbage"), "ra.crt is no certificate: no certificate in PEM"), (lambda place: write_secret(place.data / "ra.curve", "garbage"), "no secret CURVE key"),
    (lambda place: write_secret(place.data / "ra.curve", "garbage", 0o644), "has mode 0644, expected 0600 or less"),
    (spoil_issuer, "is not of the CA in "), (lambda place: (place.data / "ca.crt").write_text(pem(certify("Other CA")[0])), "is not of the CA in "),
    (lambda place: (place.data / "ca.crt").unlink(), "ca.crt cannot be read"), (lambda place: (place.data / "ca.crt").write_text("garbage"), "ca.crt is no certificate"),
    (lambda place: place.data.chmod(0o770), "has mode 0770, expected that nobody else writes there"), (lambda place: place.data.chmod(0o707), "has mode 0707"),
    (lambda place: os.chown(place.data, 65531, 65531) or place.data.chmod(0o755), "belongs to uid 65531, expected ")],
    ids=["another key", "expired", "not yet", "no key", "a key for all to read", "no certificate", "no CURVE key", "a CURVE key for all to read", "another CA's certificate",
         "another CA", "no CA", "a CA that is none", "a directory that its group writes", "a directory that others write", "a stranger's directory"])
def test_files_that_cannot_be_used_are_refused(place, spoil, said):
    if os.geteuid() != 0 and said.startswith("belongs to"):
        pytest.skip("needs root, to give a directory away")
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        assert place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED).returncode == 0
        spoil(place)
        fails(place, said, ca, UPKI_CA_SEED=SEED)
        assert len(ca.trace) == 1


def test_files_of_another_ca_than_the_one_that_answers_are_refused(place):
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        assert place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED).returncode == 0
        before = {file.name: file.read_bytes() for file in place.data.iterdir()}
        ca.answers["get_ca"] = {"EVENT": "ANSWER", "DATA": pem(certify("Other CA")[0])}
        fails(place, "ra.crt is not of the CA that answers, which is /CN=Other CA", ca)
        ca.answers["get_ca"] = {"EVENT": "ANSWER", "DATA": 7}
        fails(place, "get_ca: the CA's answer: ", ca)
        ca.answers["get_ca"] = None
        fails(place, "get_ca: no answer", ca)
        assert {file.name: file.read_bytes() for file in place.data.iterdir()} == before


def test_a_refusal_of_get_ca_is_only_logged(place):
    with FakeCa({"register": registered(), "list_admins": ADMINS, "get_ca": {"EVENT": "UPKI ERROR", "MSG": "[700] not for you"}}) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
    assert "get_ca: the CA refuses: [700] not for you" in place.words()


@pytest.mark.parametrize("verb", ["register", "start"])
def test_a_mistyped_directory_gets_no_key(place, verb):
    """A new CURVE key is one that no CA knows."""
    place.init()
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        done = place.upki(verb, "--dir", place.home / "rra", UPKI_CA_PORT=ca.port, UPKI_CA_CURVE_KEY="rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", UPKI_CA_SEED=SEED)
        assert done.returncode != 0 and "found no ra.curve in" in done.stderr and f"chancery upki ra init --dir {place.home / 'rra'}" in done.stderr, done
        done = place.upki(verb, "--dir", place.home / "rra", UPKI_CA_PORT=ca.port)
        assert done.returncode != 0 and "no UPKI_CA_SEED to register with" in done.stderr, done
        assert ca.trace == [] and not (place.home / "rra").exists()


# ----- renewal

class RenewingCa(FakeCa):
    """Its RA's certificate is due at once; `renew` makes the next of the key and the CA's own pair."""

    def __init__(self, renew, days=(-9, 1)):
        self.ca, self.ca_key = certify("Fake CA")
        first, self.key = certify("ra7.example.com", self.ca.subject, self.ca_key, days=days)
        self.renew, self.asked = renew, []
        super().__init__({"register": registered(certificate=pem(first), private_key=private_pem(self.key), ca_certificate=pem(self.ca)), "list_admins": ADMINS,
                          "command": self.command})

    def command(self, params):
        if params["method"] != "own.certificate.renew":
            return ca_is(pem(self.ca))
        self.asked.append(params)
        return self.renew(self)

    def next(self, issuer_key=None, key=None, days=(-1, 30)):
        made, _ = certify("ra7.example.com", self.ca.subject, issuer_key or self.ca_key, key or self.key, days)
        return {"EVENT": "ANSWER", "DATA": {"result": {"certificate": pem(made)}}}


def test_the_ras_certificate_is_renewed_while_it_serves(place):
    with RenewingCa(RenewingCa.next) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED, UPKI_RA_TLS="true")
        first = ca.answers["register"]["DATA"]["certificate"]
        wait_for(lambda: (place.data / "ra.crt").read_text() != first, 60, "another ra.crt")
        renewed = x509.load_pem_x509_certificate((place.data / "ra.crt").read_bytes())
        wait_for(lambda: ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", place.port))) == renewed.public_bytes(serialization.Encoding.DER), 60, "the listener's")
        old = x509.load_pem_x509_certificate(first.encode())
        digits = f"{old.serial_number:x}"
        serial = digits.rjust(len(digits) + len(digits) % 2, "0")
        assert ca.asked[0] == {"method": "own.certificate.renew", "certificate": first, "params": {"idempotency_key": f"ra-renewal-{serial}"}}, ca.asked
        assert (place.data / "ra.key").read_text() == ca.answers["register"]["DATA"]["private_key"]
        assert {one.name for one in place.data.iterdir()} == {"ra.crt", "ra.key", "ca.crt", "config.json"}
        place.stop()
    assert "ra.crt renewed: serial" in place.words()


def test_nothing_is_renewed_before_its_time(place):
    with RenewingCa(RenewingCa.next, days=(-1, 9)) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        for _ in range(3):
            assert requests.get(f"http://127.0.0.1:{place.port}/api/v1/ca", timeout=60).status_code == 200
        assert ca.asked == []


BAD_RENEWALS = {
    "another key": (lambda ca: ca.next(key=ec.generate_private_key(ec.SECP256R1())), "a certificate for another key than ra.key"),
    "another CA's": (lambda ca: ca.next(issuer_key=ec.generate_private_key(ec.SECP256R1())), "is not of the CA in"),
    "one that ends no later": (lambda ca: ca.next(days=(-1, 0)), "no later than ra.crt"),
    "no certificate": (lambda ca: {"EVENT": "ANSWER", "DATA": {"result": {}}}, "ra.crt is not renewed: "),
    "a refusal": (lambda ca: {"EVENT": "UPKI ERROR", "MSG": "[700] not for you"}, "ra.crt is not renewed: [700] not for you"),
    "a daemon's refusal": (lambda ca: {"EVENT": "ANSWER", "DATA": {"error": {"code": -32014, "message": "too often today", "data": {"code": "policy_refused"}}}}, "too often today"),
    "none at all": (lambda ca: None, "no answer from the CA"),
}


@pytest.mark.parametrize("name", BAD_RENEWALS)
def test_a_renewal_that_cannot_be_used_changes_nothing_and_is_tried_again(place, name):
    bad, said = BAD_RENEWALS[name]
    with RenewingCa(bad) as ca:
        place.start(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        wait_for(lambda: said in place.words(), 60, said)
        assert (place.data / "ra.crt").read_text() == ca.answers["register"]["DATA"]["certificate"]
        ca.renew = RenewingCa.next
        wait_for(lambda: "ra.crt renewed: serial" in place.words(), 60, "another try")
        assert len({one["params"]["idempotency_key"] for one in ca.asked}) == 1


@pytest.mark.parametrize("call,least", [("rename", 1), ("fsync", 2)])
def test_killed_at_each_step_of_a_renewal_it_has_the_old_one_or_the_new_one(place, call, least):
    with RenewingCa(RenewingCa.next) as ca:
        assert place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED).returncode == 0
        first, renewals = (place.data / "ra.crt").read_bytes(), []

        def keep(_):
            renewals.append(ca.next())
            return renewals[-1]
        ca.renew = keep
        for step in range(1, 500):
            (place.data / "ra.crt").write_bytes(first)
            log = place.home / f"{call}-{step}.log"
            process = subprocess.Popen(place.as_somebody([*killed_at(call, step), place.programs / "chancery-http", "--remote-ra", "start"]),
                                       stdout=open(log, "w"), stderr=subprocess.STDOUT, env=place.env(UPKI_CA_PORT=ca.port), start_new_session=True)
            whole = wait_for(lambda: "yes" if "ra.crt renewed" in log.read_text() else "no" if process.poll() is not None else None, 60, "the renewal or the end")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)  # strace's own end would leave the RA
            process.wait(60)
            now = (place.data / "ra.crt").read_text()
            assert now.encode() == first or now in [one["DATA"]["result"]["certificate"] for one in renewals]
            if whole == "yes" and now.encode() != first:
                break
    assert least <= step < 499


def test_what_came_in_between_is_begun_anew(place):
    """Without ra.crt nothing else counts: it is written last."""
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        assert place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED).returncode == 0
        (place.data / "ra.crt").unlink()
        fails(place, "no UPKI_CA_SEED", ca)
        assert place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED).returncode == 0
        assert (place.data / "ra.crt").exists() and len(ca.trace) == 2


@pytest.mark.parametrize("name", ["ra.crt", "ra.key", "ca.crt", "config.json"])
def test_what_could_not_be_written_is_not_asked_for(place, name):
    """An answer that nobody can keep would use the seed up."""
    place.init()
    os.mkfifo(place.data / name) if name == "ca.crt" else (place.data / name).mkdir()
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        done = place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        assert done.returncode != 0 and name in done.stderr, done
        assert ca.trace == []


def test_nor_where_the_directory_takes_no_files(place):
    place.init()
    place.data.chmod(0o500)
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        done = place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        place.data.chmod(0o700)
        assert done.returncode != 0 and "Permission denied" in done.stderr, done
        assert ca.trace == []


@pytest.mark.parametrize("call,least", [("rename", 4), ("fsync", 8), ("openat", 8)])
def test_killed_at_each_step_it_has_a_whole_pair_or_none(place, call, least):
    place.init()
    with FakeCa({"register": registered(), "list_admins": ADMINS}) as ca:
        environment = place.env(UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
        for step in range(1, 500):
            for file in place.data.glob("ra.???"):
                file.unlink()
            done = subprocess.run(place.as_somebody([*killed_at(call, step), place.programs / "chancery-http", "--remote-ra", "register"]),
                                  capture_output=True, env=environment, timeout=60)
            if (place.data / "ra.crt").exists():
                certificate = x509.load_pem_x509_certificate((place.data / "ra.crt").read_bytes())
                key = serialization.load_pem_private_key((place.data / "ra.key").read_bytes(), None)
                assert certificate.public_key().public_numbers() == key.public_key().public_numbers()
                assert (place.data / "ca.crt").read_text() == ca.answers["register"]["DATA"]["ca_certificate"]
            if done.returncode == 0:
                break
            again = place.upki("register", UPKI_CA_PORT=ca.port, UPKI_CA_SEED=SEED)
            assert again.returncode == 0 and (place.data / "ra.crt").exists(), again
    assert least < step < 499


def test_a_data_directory_of_upkis_ra_is_taken_as_it_is(place):
    """Once nobody else can read its key."""
    data = registered()["DATA"]
    place.data.mkdir()
    for name, text in (("ra.crt", data["certificate"]), ("ra.key", data["private_key"]), ("ca.crt", data["ca_certificate"]), ("config.json", json.dumps({"seed": SEED}))):
        (place.data / name).write_text(text)
    (place.data / "ra.key").chmod(0o600)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{SOMEBODY}:{SOMEBODY}", place.data], check=True)
    with FakeCa({"list_admins": ADMINS, "get_ca": {"EVENT": "ANSWER", "DATA": data["ca_certificate"]}}) as ca:
        place.start(UPKI_CA_PORT=ca.port)
        assert [one[1] for one in ca.trace] == ["list_admins", "get_ca"]
    assert (place.data / "ra.crt").read_text() == data["certificate"]


# ----- a real CA refuses

def test_a_wrong_seed(host, place):
    fails(place, "Invalid registration seed", UPKI_CA_PORT=host.zmq_port, UPKI_CA_SEED="wrong")
    assert not (place.data / "ra.crt").exists()


def test_a_key_that_the_ca_does_not_know(host, place):
    place.init()
    fails(place, "no connection to the CA", UPKI_CA_PORT=host.curve_port, UPKI_CA_CURVE_KEY=host.server_key, UPKI_CA_SEED=host.seed)


def test_a_refused_handshake_costs_its_connection_alone(host, place):
    """libzmq connects no more where its key was refused; the RA does, with the next request."""
    made = place.init()
    place.environment.update({"UPKI_CA_CURVE_KEY": host.server_key})
    place.process = subprocess.Popen(by_config(place, {"host": "127.0.0.1", "port": host.curve_port, "server_key": host.server_key, "key_file": str(place.data / "ra.curve")}),
                                     env=place.env(), stdin=subprocess.DEVNULL, stdout=open(place.log, "a"), stderr=subprocess.STDOUT)
    wait_for(place.listens, 60, "the front end")
    for _ in range(2):
        assert refusal_of(place) == "the CA cannot be reached (try again later)"
    host.keys["late"] = made["public_key"]
    host.write_rows({**ROWS, "late": ("default", "frontend")})
    host.process.send_signal(signal.SIGHUP)
    wait_for(lambda: requests.get(f"http://127.0.0.1:{place.port}/ca.pem", timeout=60).status_code == 200, 60, "the RA to be let in")


def test_an_ra_on_the_cas_machine_without_curve(host, place):
    """Where the endpoint's loopback-peers say frontend; elsewhere it is registered, and then refused."""
    place.start(UPKI_CA_PORT=host.zmq_port, UPKI_CA_SEED=host.seed, UPKI_RA_SANS=None)
    assert requests.get(f"http://127.0.0.1:{place.port}/api/v1/ca", timeout=60).json()["data"]["certificate"].startswith("-----BEGIN")
    assert requests.get(f"http://127.0.0.1:{place.port}/acme/directory", timeout=60).status_code == 404  # TLS alone
    place.stop()
    place.start(UPKI_CA_PORT=host.plain_port)
    refusal = requests.get(f"http://127.0.0.1:{place.port}/api/v1/ca", timeout=60)
    assert refusal.status_code in (403, 503) and refusal.json()["status"] == "error", refusal.text


def by_config(place, ca, listeners=({"name": "plain", "tls": False, "port": 0, "default_realm": "default"},), **more):
    listeners = [{**one, "port": place.port} for one in listeners]
    (place.home / "http.json").write_text(json.dumps({"remote_ca": ca, "state_directory": str(place.data), "listeners": listeners, **more}))
    return place.as_somebody([place.programs / "chancery-http", "--config", place.home / "http.json"])


def test_the_same_by_a_file(host, place):
    place.process = subprocess.Popen(by_config(place, {"host": "127.0.0.1", "port": host.zmq_port}), env=place.env(), stdin=subprocess.DEVNULL,
                                     stdout=open(place.log, "a"), stderr=subprocess.STDOUT)
    wait_for(place.listens, 60, "the front end")
    assert requests.get(f"http://127.0.0.1:{place.port}/ca.pem", timeout=60).text == host.realm("default").ca_file.read_text()


@pytest.mark.parametrize("ca,more,said", [
    ({"host": "ca.example.com"}, {}, "no server key is given"), ({}, {}, "remote_ca: member host is missing"), ({"host": "127.0.0.1", "port": 65535}, {}, "expected 1 to 65534"),
    ({"host": "127.0.0.1", "server_key": "x"}, {}, "server_key without key_file"), ({"host": "127.0.0.1", "realm": "devices"}, {}, "realms other than devices"),
    ({"host": "127.0.0.1", "server_key": "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "key_file": "/nowhere/key"}, {}, "/nowhere/key"),
    ({"host": "127.0.0.1"}, {"socket": "/s"}, "both members socket and remote_ca"),
    ({"host": "127.0.0.1"}, {"listeners": [{"name": "tls", "default_realm": "default"}]}, "TLS without certificate_file")])
def test_a_file_that_cannot_be(place, ca, more, said):
    listeners = {"listeners": more.pop("listeners")} if "listeners" in more else {}
    done = subprocess.run(by_config(place, ca, **listeners, **more), capture_output=True, text=True, env=place.env(), timeout=60)
    assert done.returncode == 78 and said in done.stderr, done


@pytest.mark.parametrize("words", [["--remote-ra", "stop"], ["--remote-ra"], ["--remote-ra", "start", "--config", "x"], ["--remote-ra", "start", "--config-fd", "0"]])
def test_words_that_cannot_be(place, words):
    done = subprocess.run(place.as_somebody([place.programs / "chancery-http", *words]), capture_output=True, text=True, env=place.env(), timeout=60)
    assert done.returncode != 0 and "--remote-ra" in done.stdout + done.stderr, done


@pytest.mark.parametrize("port", ["zmq_port", "plain_port"], ids=["a front end", "a stranger"])
def test_the_wrong_realms_name(host, place, port):
    fails(place, 'found realm devices (UPKI_RA_REALM or --realm), and the CA refuses it: [700] no realm "devices" at this port', UPKI_CA_PORT=getattr(host, port),
          UPKI_CA_SEED=host.seed, UPKI_RA_REALM="devices")


def test_a_real_ca_renews_the_ras_certificate(host, place):
    place.start(UPKI_CA_PORT=host.zmq_port, UPKI_CA_SEED=host.seed, UPKI_RA_SANS=None)
    own = (place.data / "ra.crt").read_text()
    with Peer(host, host.zmq_port) as peer:
        answers = [result(command(peer, "own.certificate.renew", _certificate=own, idempotency_key="ra-renewal-once")) for _ in range(2)]
    renewed = x509.load_pem_x509_certificate(answers[0]["certificate"].encode())
    before = x509.load_pem_x509_certificate(own.encode())
    assert answers[0]["serial"] == answers[1]["serial"] and renewed.serial_number != before.serial_number
    assert renewed.public_key().public_numbers() == before.public_key().public_numbers() and renewed.subject == before.subject


def test_the_right_realms_name(host, place):
    place.start(UPKI_CA_PORT=host.zmq_port, UPKI_CA_SEED=host.seed)
    place.stop()
    place.start(UPKI_CA_PORT=host.zmq_port, UPKI_RA_REALM="default")
    assert requests.get(f"http://127.0.0.1:{place.port}/realms/default/api/v1/ca", timeout=60).status_code == 200
