"""F15: a machine whose random numbers repeat gets an alarm, never two certificates of one serial number."""


import pytest

from test_daemon import Daemon, before_libc, request_for

# Serial numbers are the one thing for which 19 random octets are asked at once.
STUB = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t getrandom(void *buffer, size_t size, unsigned flags) {
  static int repeated = 0;
  char most[8] = {0};
  int fd = size == 19 ? open(getenv("REPEATS"), O_RDONLY) : -1;
  if (fd >= 0) {
    if (read(fd, most, sizeof most - 1) > 0 && repeated < atoi(most)) {
      ++repeated;
      close(fd);
      return memset(buffer, 0x42, size), (ssize_t)size;
    }
    close(fd);
  }
  return syscall(SYS_getrandom, buffer, size, flags);
}
"""
REPEATED = "42" * 19


def repeats(daemon):
    """How often the stub repeats itself; where a confined worker may read."""
    return daemon.realm("default") / "db" / "repeats"


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Daemon(tmp_path)
    one.start(environment=before_libc(tmp_path, STUB) | {"REPEATS": str(repeats(one))})
    yield one
    one.end()


def issue(daemon, name, times):
    """Each session is a worker of its own, whose stub counts anew."""
    repeats(daemon).write_text(str(times))
    with daemon.talk("default") as talk:
        return talk.call("certificate.issue", profile="server", csr=request_for(name))


def serials(daemon):
    with daemon.talk("default") as talk:
        return [row["serial"] for row in talk.result("certificate.search")["certificates"]]


def test_F15_C5_a_serial_that_repeats_once_is_replaced(daemon):
    assert issue(daemon, "a.example.com", 1)["result"]["serial"] == REPEATED
    again = issue(daemon, "b.example.com", 1)["result"]["serial"]
    assert again != REPEATED and sorted(serials(daemon)) == sorted([REPEATED, again])
    assert daemon.log().count("random numbers of this machine repeat") == 1


def test_F15_C5_serials_that_go_on_repeating_are_refused(daemon):
    assert issue(daemon, "a.example.com", 9)["result"]["serial"] == REPEATED
    for name in ("b.example.com", "c.example.com"):
        reply = issue(daemon, name, 9)
        assert reply["error"]["data"]["code"] == "exists", reply
    assert serials(daemon) == [REPEATED]
    with daemon.talk("default") as talk:
        assert talk.result("certificate.get", serial=REPEATED)["subject"] == "/CN=a.example.com"
        assert talk.result("audit.verify")["whole"] and talk.result("realm.repair")["missing"] == []
    assert issue(daemon, "d.example.com", 0)["result"]["serial"] != REPEATED
