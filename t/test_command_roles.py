"""command_roles of ca.config.yml: a realm demands more than the command table, of commands that there are."""

import json
import os
import pathlib
import subprocess
import tempfile

import pytest

from test_daemon import Daemon
from test_master import BUILD


@pytest.fixture
def daemon():
    with tempfile.TemporaryDirectory(prefix="chancery-roles-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        one = Daemon(pathlib.Path(directory))
        yield one
        one.end()


def demand(daemon, line):
    (daemon.realm("default") / "ca.config.yml").write_text(f"key_unencrypted: true\ncommand_roles:\n  {line}\n")


def check(daemon):
    daemon.write_config()
    return subprocess.run([BUILD / "chanceryd", "--config", daemon.config, "--check"], capture_output=True, text=True)


def ask_as(user, daemon, *lines):
    """The answers that a user of the system gets."""
    text = "".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": params}) + "\n" for i, (method, params) in enumerate(lines))
    done = subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", "--regid=nogroup", "nc", "-U", "-N", daemon.socket], input=text,
                          capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name,meant", [("certificate.isue", "certificate.issue"), ("crl.gett", "crl.get"), ("audit.lst", "audit.list")])
def test_C28_an_unknown_command_is_found_with_the_one_that_was_meant(daemon, name, meant):
    demand(daemon, f"{name}: admin")
    done = check(daemon)
    assert done.returncode == 78
    assert f'ca.config.yml:3:3: command_roles.{name}: unknown command "{name}" (did you mean "{meant}"?)' in done.stdout, done.stdout


def test_every_command_of_the_table_may_be_named(daemon):
    daemon.start()
    with daemon.talk() as talk:
        names = [one["name"] for one in talk.result("server.describe")["commands"]]
    demand(daemon, "\n  ".join(f"{name}: admin" for name in names))
    daemon.hangup()


def test_a_reload_keeps_the_roles_in_force_when_the_new_ones_are_wrong(daemon):
    demand(daemon, "realm.get: admin")
    daemon.start()
    demand(daemon, "realm.gett: user")
    daemon.hangup("not reloaded")
    assert 'did you mean "realm.get"?' in daemon.log()


def test_a_realm_demands_more_of_what_anybody_may(daemon):
    """Also of commands whose least role is anonymous."""
    demand(daemon, "crl.get: ca-operator")
    daemon.start()
    daemon.config.write_text(daemon.config.read_text().replace(
        "</chancery>", '<identities><identity user="nobody" roles="user"/><identity user="daemon" roles="ca-operator"/></identities></chancery>'))
    daemon.hangup()
    asked = ("session.open", {"realm": "default"}), ("crl.get", {}), ("ca.get", {})
    _, crl, ca = ask_as("nobody", daemon, *asked)
    assert crl["error"]["data"]["code"] == "denied" and "needs the role ca-operator" in crl["error"]["message"], crl
    assert "result" in ca, ca
    _, crl, _ = ask_as("daemon", daemon, *asked)
    assert crl.get("error", {}).get("data", {}).get("code") in (None, "not_found"), crl  # there may be no CRL yet
