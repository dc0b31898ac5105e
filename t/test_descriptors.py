"""Front ends with few descriptors (PROMISES D6, D7, F25): they serve whom they can, do not spin, and go on when there are more again."""

import json
import os
import pathlib
import socket
import subprocess
import time

import pytest
import requests

from conftest import free_ports
from test_flood import HANDSHAKE, ask_zmq, begin

FEW = 100


class FrontEnd:
    """One more front end beside the server's own, as its user, with few descriptors."""

    def __init__(self, system, program, settings):
        path = system.directory / f"{program}-few.json"
        path.write_text(json.dumps({"socket": str(system.socket), "log": {"destination": str(system.log)}, **settings}))
        path.chmod(0o644)
        self.process = subprocess.Popen(system.as_user(["prlimit", f"--nofile={FEW}:{FEW}", system.programs / program, "--config", path]),
                                        stdin=subprocess.DEVNULL)

    def wait_for(self, serve):
        deadline = time.monotonic() + 120
        while True:
            try:
                return serve()
            except Exception:  # noqa: BLE001: told at the end
                assert self.process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0


def check_starved(front_end, connect, serve):
    """More clients than descriptors: bounded, not busy, not dead; served again when they are gone."""
    crowd = [connect() for _ in range(3 * FEW)]
    assert front_end.descriptors() <= FEW
    before, began = front_end.cpu_seconds(), time.monotonic()
    crowd[0].settimeout(2)
    try:
        crowd[0].recv(1)  # silent or closed: two seconds go by, or less
    except OSError:
        pass
    time.sleep(max(0.0, 2 - (time.monotonic() - began)))  # what is looked at is how busy it is with nothing to do
    assert front_end.cpu_seconds() - before < 0.5
    assert front_end.process.poll() is None
    for one in crowd:
        one.close()
    front_end.wait_for(serve)


@pytest.mark.parametrize("octets", [b"", b"GET /livez HTTP/1.1\r\n"], ids=["silent", "half a request"])
def test_D6_http_without_descriptors(system, octets):
    port, = free_ports(1)
    listener = {"name": "few", "tls": False, "address": "127.0.0.1", "port": port, "default_realm": "default", "realms": ["default"], "names": ["localhost"]}
    front_end = FrontEnd(system, "chancery-http", {"front_end": "http", "listeners": [listener]})

    def serve():
        requests.get(f"http://localhost:{port}/ca.crt", timeout=20).raise_for_status()

    def connect():
        one = socket.create_connection(("127.0.0.1", port), timeout=60)
        try:
            one.sendall(octets)
        except OSError:
            pass
        return one
    try:
        front_end.wait_for(serve)
        check_starved(front_end, connect, serve)
    finally:
        front_end.stop()


@pytest.mark.parametrize("octets", [b"", HANDSHAKE], ids=["silent", "handshake"])
def test_D6_zmq_without_descriptors(system, octets):
    port, = free_ports(1, run=2)
    front_end = FrontEnd(system, "chancery-zmq", {"front_end": "zmq", "endpoints": [{"address": "127.0.0.1", "port": port, "realm": "default"}]})

    def serve():
        ask_zmq(port, "get_ca", 5)

    def connect():
        one = socket.create_connection(("127.0.0.1", port), timeout=60)
        begin(one, octets)
        return one
    try:
        front_end.wait_for(serve)
        check_starved(front_end, connect, serve)
    finally:
        front_end.stop()
