"""A running server for the system tests: two realms, real signers, workers and front ends, free ports, one per test process.

As root the server runs as `nobody`, as most users' servers run without root; the tests themselves stay root.
"""

import contextlib
import functools
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import pytest
import requests

from http01_server import Web

BUILD = pathlib.Path(os.environ.get("CHANCERY_PROGRAMS", os.getcwd()))
IS_SANITIZED = (BUILD / "chanceryd").exists() and b"__asan_init" in (BUILD / "chanceryd").read_bytes()  # --with-sanitizers=address
REALMS = ("default", "devices")
PROGRAMS = ("chancery", "chanceryd", "chancery-signer", "chancery-http", "chancery-notify", "chancery-zmq")
READY_SECONDS = 120  # of a machine that has a lot else to do


PORT_SHARES = 16


@functools.cache
def port_share():
    """Which part of the ports is this process's own. Two that run tests beside each other would else pick the same port before
    either binds it; the kernel gives the name of a share to one of them, until that one ends.

    @return (socket that has the name, number of the share)
    """
    for mine in range(PORT_SHARES):
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(f"\0chancery-tests-ports-{mine}")
            return holder, mine
        except OSError:
            holder.close()
    raise AssertionError(f"{PORT_SHARES} processes run tests here, the most for which there are ports")


def unasked_ports():
    """Below those that the kernel gives to connections: of these, another test's client may take one before our server does."""
    first_given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(10240, first_given) if first_given > 12000 else range(10240, 65000)
    size, (_, mine) = len(ports) // PORT_SHARES, port_share()
    return ports[mine * size:][:size]


def killed_at(call, when):
    """What stands before a command: its program is killed as it begins that system call for the `when`th time."""
    no_leaks = f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"  # whose search fails beside strace's
    return ["strace", "-f", "-o", "/dev/null", "-E", no_leaks, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}"]


def is_free(port):
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@functools.cache
def port_row():
    """This process's ports one after the other, and round again: one that nobody has bound may be some test's that is still to."""
    return itertools.cycle(unasked_ports())


def free_ports(count, run=1):
    """Ports that nobody has now, `run` neighbours each."""
    found = []
    while len(found) < count:
        ports = [next(port_row()) for _ in range(run)]
        if ports[-1] - ports[0] == run - 1 and all(is_free(one) for one in ports):
            found.append(ports[0])
    return found


class Talk:
    """One connection to chanceryd's socket."""

    def __init__(self, path, realm=None, **opening):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(READY_SECONDS)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rw")
        self.last_id = 0
        if realm is not None:
            self.result("session.open", realm=realm, **opening)

    def call(self, method, acting_for=None, **params):
        self.last_id += 1
        message = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}
        if acting_for:
            message["for"] = acting_for
        self.lines.write(json.dumps(message) + "\n")
        self.lines.flush()
        return json.loads(self.lines.readline())

    def result(self, method, **params):
        reply = self.call(method, **params)
        assert "result" in reply, reply
        return reply["result"]

    def code(self, method, **params):
        """The code of the error that the command answers with."""
        reply = self.call(method, **params)
        assert "error" in reply, reply
        return reply["error"]["data"]["code"]

    def close(self):
        self.lines.close()
        self.socket.close()


class Realm:
    def __init__(self, system, name):
        self.system, self.name = system, name
        self.directory = system.directory / "var" / "realms" / name
        self.ca_file = self.directory / "ca.crt"
        self.https_ca_file = system.directory / "https-ca.pem"
        prefix = "" if name == "default" else f"/realms/{name}"
        self.directory_url = f"{system.https_url}{prefix}/acme/directory"

    def talk(self, **opening):
        return Talk(self.system.socket, self.name, **opening)

    def status_of(self, serial):
        """What ocsp.status says of a serial number."""
        digits = f"{serial:x}"
        talk = self.talk()
        try:
            return talk.result("ocsp.status", serial=digits.rjust(len(digits) + len(digits) % 2, "0"))["status"]
        finally:
            talk.close()


class System:
    """A server in a directory of its own."""

    realms = REALMS
    accounts_per_hour = 0  # the tests make as many as they like
    http_roles = "frontend"
    more_listeners = ""
    key_pool = 1  # of each kind: a test has no use for more, and they cost what the machine has
    more_settings = ""  # of chancery.xml
    more_front_ends = ""
    more_names = ""  # of the first listener, and what else it is told
    more_attributes = ""
    environment = {}  # of its programs, beside the tests' own

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.programs = self.directory / "bin"
        self.user = "nobody" if os.geteuid() == 0 else None
        self.https_port, self.http_port, self.http01_port = free_ports(3)
        self.zmq_port, = free_ports(1, run=2)
        self.https_url, self.http_url = f"https://localhost:{self.https_port}", f"http://localhost:{self.http_port}"
        self.https_address, self.http_address = ("127.0.0.1", self.https_port), ("127.0.0.1", self.http_port)
        self.socket = self.directory / "run" / "chanceryd.sock"
        self.log = self.directory / "chancery.log"
        self.seed = "seed-of-the-tests"
        self.process = None

    def realm(self, name):
        return Realm(self, name)

    def as_user(self, argv):
        prefix = ["setpriv", f"--reuid={self.user}", "--regid=nogroup", "--clear-groups"] if self.user else []
        return prefix + [str(one) for one in argv]

    def lay_out(self):
        (self.directory / "etc").mkdir()
        self.programs.mkdir()
        # A copy, since the build directory may lie where the server's user cannot go.
        for name in PROGRAMS:
            shutil.copy(BUILD / name, self.programs / name)
        (self.directory / "etc" / "seed").write_text(self.seed + "\n")
        (self.directory / "etc" / "seed").chmod(0o600)
        for name in self.realms:
            self.lay_out_realm(name)
        (self.directory / "etc" / "chancery.xml").write_text(f"""<?xml version="1.0"?>
<chancery run-directory="{self.directory}/run" program-directory="{self.programs}">
  <log destination="{self.log}" level="info"/>
  <realms directory="{self.directory}/var/realms" default="default"/>
  <limits key-pool="{self.key_pool}"/>
  {self.more_settings}
  <front-ends>
    <front-end name="http" program="chancery-http" realms="*" roles="{self.http_roles}"/>
    <front-end name="zmq" program="chancery-zmq" realms="*" roles="frontend ra-operator admin"/>
    {self.more_front_ends}
  </front-ends>
  <listeners>
    <listener name="https" address="127.0.0.1" port="{self.https_port}" default-realm="default" realms="*" names="localhost 127.0.0.1{self.more_names}"
              new-accounts-per-hour="{self.accounts_per_hour}" {self.more_attributes}/>
    <listener name="http" tls="false" address="127.0.0.1" port="{self.http_port}" default-realm="default" realms="*"/>
    {self.more_listeners}
  </listeners>
  <zmq><endpoint address="127.0.0.1" port="{self.zmq_port}" realm="default" loopback-peers="frontend ra-operator admin"/></zmq>
</chancery>
""")
        if self.user:
            subprocess.run(["chown", "-R", f"{self.user}:nogroup", self.directory], check=True)
            self.directory.chmod(0o711)
        for name in self.realms:
            subprocess.run(self.as_user([self.programs / "chancery", "realm", "create", name, "--realms-directory", self.directory / "var" / "realms"]),
                           check=True, env={**os.environ, **self.environment, "CHANCERY_PROGRAMS": str(self.programs)})
        shutil.copy(self.directory / "var" / "realms" / "default" / "ca.crt", self.directory / "https-ca.pem")

    def lay_out_realm(self, name):
        directory = self.directory / "var" / "realms" / name
        directory.mkdir(parents=True)
        (directory / "ca.config.yml").write_text(f"""passphrase_file: passphrase
seed_file: {self.directory}/etc/seed
crl_urls: ["http://localhost:{self.http_port}/realms/{name}/crl"]
acme:
  http01_port: {self.http01_port}
  allow_loopback: true
""")
        (directory / "passphrase").write_text("a passphrase of the tests\n")
        (directory / "passphrase").chmod(0o600)

    def start(self):
        self.process = subprocess.Popen(self.as_user([self.programs / "chanceryd", "--config", self.directory / "etc" / "chancery.xml"]),
                                        stdin=subprocess.DEVNULL, stdout=open(self.directory / "stdout", "a"), stderr=subprocess.STDOUT,
                                        env={**os.environ, **self.environment})
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline, last = time.monotonic() + READY_SECONDS, None
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.words()
            try:
                assert requests.get(self.https_url + "/acme/directory", verify=str(self.directory / "https-ca.pem"), timeout=READY_SECONDS).status_code == 200
                socket.create_connection(("127.0.0.1", self.zmq_port), timeout=READY_SECONDS).close()
                for name in self.realms:  # upkeep's first round makes them
                    assert requests.get(f"{self.http_url}/realms/{name}/crl", timeout=READY_SECONDS).status_code == 200
                return
            except (OSError, AssertionError) as failure:
                last = failure
                time.sleep(0.05)
        raise AssertionError(f"not ready: {last}\n{self.words()}")

    def wait_for_key_pair(self, kind):
        """Until the pool has one: making it takes as long as the machine is busy, and ZMQ answers within 4 s."""
        talk = self.realm("default").talk()
        deadline = time.monotonic() + READY_SECONDS
        while not any(one["kind"] == kind and one["ready"] > 0 for one in talk.result("server.status")["key_pool"]):
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.05)
        talk.close()

    def words(self):
        texts = [path.read_text(errors="replace")[-4000:] for path in (self.log, self.directory / "stdout") if path.exists()]
        return "\n".join(texts)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(READY_SECONDS)

    @classmethod
    @contextlib.contextmanager
    def running(cls, **settings):
        """A started one in a directory of its own. @param settings  its attributes that differ from the class's"""
        with tempfile.TemporaryDirectory(prefix="chancery-test-") as directory:
            one = cls(directory)
            vars(one).update(settings)
            try:
                one.lay_out()
                one.start()
                yield one
            finally:
                one.stop()


@pytest.fixture(scope="session")
def system():
    with System.running() as one:
        yield one


@pytest.fixture
def web(system, tmp_path):
    one = Web(system.http01_port, tmp_path)
    yield one
    one.stop()


@pytest.fixture
def daemon(tmp_path):
    """The daemon alone, running, for who does something to it; a file whose daemon is another has a fixture of its own."""
    from test_daemon import running_daemon
    with running_daemon(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def dns():
    """A name server that says what the tests of a file want."""
    from dns_server import Dns
    one = Dns()
    yield one
    one.stop()
