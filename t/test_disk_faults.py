"""F8: a sync that fails. Nobody knows what the disk has then, and a later sync would not tell, so nothing more is promised."""

import base64
import contextlib
import os
import pathlib

import pytest
import requests

from conftest import System
from test_daemon import Daemon, before_libc, request_for
from test_master import wait_for
from test_restore import restart

# Says once in each process what the kernel says once: afterwards the pages count as written, and the next sync succeeds.
STUB = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd) {
  static int told = 0;
  char name[64], path[4096] = {0};
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  if (!told && access(getenv("FAULT"), F_OK) == 0 && readlink(name, path, sizeof path - 1) > 0 && strstr(path, "default/db/realm.db-wal")) {
    told = 1;
    errno = EIO;
    return -1;
  }
  return syscall(SYS_fdatasync, fd);
}
"""


def fault(daemon):
    """While it is there, where a confined worker may look, syncs fail."""
    return daemon.realm("default") / "db" / "fault"


def with_stub(directory, file):
    """The environment of a server whose syncs fail while the file is there."""
    return before_libc(directory, STUB) | {"FAULT": str(file)}


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Daemon(tmp_path)
    one.start(environment=with_stub(tmp_path, fault(one)))
    yield one
    one.end()


def is_held(daemon):
    """With no session left it would go, and what failed with it."""
    words = str(daemon.realm("default") / "db" / "realm.db-turn")
    found = []
    for pid in daemon.find("chanceryd: upkeep"):
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(entry))
    return words in found


def code(reply):
    return reply.get("error", {}).get("data", {}).get("code")


def issue(talk, name):
    return talk.call("certificate.issue", profile="server", csr=request_for(name))


def test_F8_a_failed_sync_is_fatal_until_the_server_is_started_again(daemon):
    with daemon.talk("default") as talk:
        before = issue(talk, "before.example.com")["result"]["serial"]
        published = talk.result("crl.issue")
    wait_for(lambda: is_held(daemon), 60, "upkeep holds what workers tell each other")
    fault(daemon).touch()
    with daemon.talk("default") as talk:
        assert issue(talk, "during.example.com")["error"]["data"]["code"] == "store_failed"
        fault(daemon).unlink()
        # Its next sync would succeed, and mean nothing.
        assert issue(talk, "again.example.com")["error"]["data"]["code"] == "store_failed"
    for _ in range(2):  # nobody else is told otherwise, not even when all have gone
        with daemon.talk("default") as talk:
            refused = issue(talk, "other.example.com")["error"]
            assert refused["data"]["code"] == "store_failed" and "restart" in refused["data"]["hint"], refused
    assert daemon.log().count("a sync failed, so nothing more is stored") == 1
    with daemon.talk("devices") as talk:  # its disk may be the same, its file is another
        assert issue(talk, "device.example.com")["result"]["serial"]

    # What was published before is on the disk, and verifiers need it: it alone is served.
    for _ in range(2):
        with daemon.talk("default") as talk:
            served = talk.result("crl.get")
            assert (served["crl"], served["number"]) == (published["crl"], published["number"])
            assert code(talk.call("crl.issue")) == code(talk.call("certificate.get", serial=before)) == "store_failed"
            assert code(talk.call("certificate.revoke", serial=before)) == "store_failed"
            assert talk.result("crl.get")["number"] == published["number"]

    restart(daemon, lambda: None)
    with daemon.talk("default") as talk:
        assert talk.result("crl.get")["number"] >= published["number"]
        talk.result("realm.reconcile")
        assert talk.result("certificate.get", serial=before)["state"] == "valid"
        names = [row["subject"] for row in talk.result("certificate.search")["certificates"]]
        assert "/CN=during.example.com" in names and "/CN=other.example.com" not in names, names  # it was signed, so it is there
        assert issue(talk, "after.example.com")["result"]["serial"]


class Web(System):
    def __init__(self, directory):
        super().__init__(directory)
        self.fault = self.directory / "var" / "realms" / "default" / "db" / "fault"
        self.environment = with_stub(self.directory, self.fault)


def test_F8_published_crls_are_served_over_http_meanwhile():
    with Web.running() as web:
        ask = {path: f"{web.http_url}/realms/default/{path}" for path in ("crl", "crl.pem")}
        before = {path: requests.get(url, timeout=60).content for path, url in ask.items()}
        web.fault.touch()
        with contextlib.closing(web.realm("default").talk()) as talk:
            assert code(issue(talk, "during.example.com")) == "store_failed"
        for path, url in ask.items():
            served = requests.get(url, timeout=60)
            assert (served.status_code, served.content) == (200, before[path])
        rest = requests.get(f"{web.https_url}/api/v1/crl", verify=str(web.directory / "https-ca.pem"), timeout=60)
        assert rest.status_code == 200 and base64.b64decode(rest.json()["data"]["crl"]) == before["crl"]
        for none in ("delta-crl", "cas/ca-2/crl"):  # and nobody can say so for sure
            assert requests.get(f"{web.http_url}/realms/default/{none}", timeout=60).status_code == 503
        assert requests.get(f"{web.http_url}/realms/devices/crl", timeout=60).status_code == 200
