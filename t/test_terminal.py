"""A server that is started in the foreground of a terminal asks there for the passphrases that people type (doc/keys.md)."""

import contextlib
import os
import pty
import select
import signal
import termios
import time

import pytest

from conftest import READY_SECONDS
from test_daemon import request_for
from test_master import BUILD, is_gone, wait_for
from test_secret import Office, chancery

ASKED = "Passphrase of realm {} (an empty line leaves it locked): "


class Terminal:
    """What a shell is to a server that it starts: the terminal's other end, and its process number."""

    def __init__(self, *argv):
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.execv(argv[0], [str(one) for one in argv])
        self.shown = ""

    def wait_for(self, text):
        """Until it is on the screen; what came before is passed over."""
        deadline = time.monotonic() + READY_SECONDS
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.end], [], [], 1)[0]:
                self.shown += os.read(self.end, 4096).decode()
        before, self.shown = self.shown.split(text, 1)
        return before

    def type(self, line):
        """To a prompt that is ready: what came before it hid the echo is thrown away."""
        wait_for(self.hides, what="a terminal that hides what is typed")
        os.write(self.end, line.encode() + b"\n")

    def hides(self):
        return not termios.tcgetattr(self.end)[3] & termios.ECHO

    def wait_for_end(self):
        """@return its exit code, and what it showed since the last text that was waited for."""
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)  # close() takes it away
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            while part := os.read(self.end, 4096).decode():
                self.shown += part
        return ended.si_status, self.shown

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.end)


class Prompted(Office):
    """Two realms with a passphrase each, and a terminal where the server runs."""

    options = ("--prompt",)

    def add_realm(self, name, behave="ready"):
        path = self.directory / f"first-{name}"
        path.write_text(f"horse of {name}\n")
        path.chmod(0o600)
        self.realm(name).parent.mkdir(exist_ok=True)
        chancery("realm", "create", name, "--realms-directory", self.realm(name).parent, "--prompt", "--passphrase-file", path)
        path.unlink()


@pytest.fixture
def office(tmp_path):
    tmp_path.chmod(0o755)
    one = Prompted(tmp_path)
    one.write_config()
    one.terminal = Terminal(BUILD / "chanceryd", "--config", one.config)
    yield one
    one.terminal.close()


def test_it_asks_for_one_realm_after_the_other(office):
    terminal = office.terminal
    terminal.wait_for(ASKED.format("default"))
    terminal.type("horse of nobody")
    assert "horse" not in terminal.wait_for("does not open")
    terminal.wait_for(ASKED.format("default"))
    terminal.type("horse of default")
    assert "horse" not in terminal.wait_for("realm default is open")
    terminal.wait_for(ASKED.format("devices"))
    with office.talk("default") as talk:
        assert "serial" in talk.result("certificate.issue", profile="server", csr=request_for("a.example.com"))
    terminal.type("")
    terminal.wait_for("realm devices stays locked")
    wait_for(lambda: not terminal.hides(), what="a terminal that shows what is typed")
    assert office.state("devices") == "locked"
    chancery("--socket", office.socket, "--realm", "devices", "realm", "unlock", input="horse of devices\n")
    assert office.state("devices") == "ready"


def test_who_opens_it_elsewhere_is_asked_no_more(office):
    terminal = office.terminal
    terminal.wait_for(ASKED.format("default"))
    chancery("--socket", office.socket, "--realm", "devices", "realm", "unlock", input="horse of devices\n")
    terminal.type("horse of default")
    terminal.wait_for("realm default is open")
    terminal.wait_for("realm devices is open")


@pytest.mark.parametrize("how", ["ctrl-c", "sigterm"])
def test_a_server_that_stops_meanwhile_gives_the_terminal_back(office, how):
    terminal = office.terminal
    terminal.wait_for(ASKED.format("default"))
    wait_for(terminal.hides, what="a terminal that hides what is typed")
    if how == "ctrl-c":
        os.write(terminal.end, b"\x03")
    else:
        os.kill(terminal.pid, signal.SIGTERM)
    wait_for(lambda: not terminal.hides(), what="a terminal that shows what is typed")
    wait_for(lambda: is_gone(terminal.pid), what="the server's end")


def test_without_a_terminal_nobody_is_asked(tmp_path):
    tmp_path.chmod(0o755)
    one = Prompted(tmp_path)
    one.start()
    try:
        assert one.state("default") == "locked" and "Passphrase" not in one.log()
        assert not one.find("chanceryd: prompt")
    finally:
        one.end()
