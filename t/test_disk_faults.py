"""F8: a sync that fails. Nobody knows what the disk has then, and a later sync would not tell, so nothing more is promised."""

import contextlib
import os
import pathlib
import subprocess

import pytest

from test_daemon import Daemon, request_for
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


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "stub.c").write_text(STUB)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "stub.so", tmp_path / "stub.c"], check=True)
    one = Daemon(tmp_path)
    one.start(environment={"ASAN_OPTIONS": "verify_asan_link_order=0", "LD_PRELOAD": str(tmp_path / "stub.so"), "FAULT": str(fault(one))})
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


def issue(talk, name):
    return talk.call("certificate.issue", profile="server", csr=request_for(name))


def test_F8_a_failed_sync_is_fatal_until_the_server_is_started_again(daemon):
    with daemon.talk("default") as talk:
        before = issue(talk, "before.example.com")["result"]["serial"]
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

    restart(daemon, lambda: None)
    with daemon.talk("default") as talk:
        talk.result("realm.reconcile")
        assert talk.result("certificate.get", serial=before)["state"] == "valid"
        names = [row["subject"] for row in talk.result("certificate.search")["certificates"]]
        assert "/CN=during.example.com" in names and "/CN=other.example.com" not in names, names  # it was signed, so it is there
        assert issue(talk, "after.example.com")["result"]["serial"]
