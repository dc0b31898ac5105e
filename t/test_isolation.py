"""F50: what another realm has is answered like what does not exist, for every command that names something.

The matrix comes from server.describe, so a new command that takes an identifier is in it, or fails the test that looks for gaps.
"""

import json
import shutil

import pytest

from test_acme_commands import Acme, csr
from test_daemon import Daemon, issue, request_for
from test_house import TOP

# What a command's parameter names, by the parameter's name; a command that takes none of them cannot name a thing of a realm.
IDENTIFIERS = ("serial", "account", "order", "authorization", "cn", "dn", "profile", "ca")
# Parameters that a command needs besides, and commands whose identifier makes something new instead of naming what is there.
NEEDED = {"command": lambda: "certificate.get", "csr": lambda: request_for("other.example.com"), "type": lambda: "http-01", "claim": lambda: "1", "valid": lambda: True, "allowed": lambda: True,
          "jwk": lambda: {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
          "identifiers": lambda: [{"type": "dns", "value": "x.example.com"}], "identifier": lambda: {"type": "dns", "value": "x.example.com"}, "names": lambda: ["DNS:x.example.com"], "seed": lambda: "a seed", "message": lambda: "MAA=",
          "certificate": lambda: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cn": lambda: "new.example.com", "reason": lambda: "superseded"}
MAKES = {("admin.add", "dn"), ("certificate.generate", "cn"), ("certificate.preview", "cn"), ("node.register", "cn"),
         ("admin.remove", "dn")}
ABSENT = {"serial": "0123456789abcdef0123456789abcdef012345", "account": "A" * 43, "order": "A" * 22, "authorization": "A" * 22,
          "cn": "nobody.example.com", "dn": "/CN=nobody", "profile": "noprofile", "ca": "noca"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    directory = tmp_path_factory.mktemp("isolation")
    directory.chmod(0o755)
    one = Daemon(directory)
    profiles = one.realm("devices") / "profiles"
    profiles.mkdir(exist_ok=True)
    shutil.copy(TOP / "realms" / "devices" / "profiles" / "device.yml", profiles / "theirs.yml")
    one.start()
    yield one
    one.end()


@pytest.fixture(scope="module")
def theirs(daemon):
    """A thing of each kind in the other realm."""
    acme = Acme(daemon.socket, "devices")
    order = acme.order("theirs.example.com")
    finished = acme.finalize(acme.ready("done.example.com"), csr(["done.example.com"]))
    issue(acme, "node.example.com")
    acme.result("admin.add", dn="/CN=their-admin")
    return {"account": acme.account, "order": order["id"], "authorization": order["authorizations"][0], "serial": finished["serial"],
            "cn": "node.example.com", "dn": "/CN=their-admin", "profile": "theirs", "ca": "theirca"}


def commands(daemon):
    with daemon.talk() as talk:
        return talk.result("server.describe")["commands"]


def params_of(command, values):
    params = {}
    for param in command["params"]:
        name = param["name"]
        if name in values:
            params[name] = values[name]
        elif param["required"] and name in NEEDED:
            params[name] = NEEDED[name]()
    return params


def answer(talk, command, values):
    """What is said of them, with the identifiers themselves taken out."""
    reply = talk.call(command["name"], **params_of(command, values))
    text = json.dumps(reply.get("error", reply.get("result")))
    for name, value in values.items():
        text = text.replace(value, f"<{name}>")
    return text


def test_F50_every_identifier_of_another_realm_is_as_absent(daemon, theirs):
    tried, oracles = set(), []
    with daemon.talk("default") as talk:
        for command in commands(daemon):
            name = command["name"]
            for param in (one["name"] for one in command["params"] if one["name"] in IDENTIFIERS):
                if command["state"] != "realm" or (name, param) in MAKES:
                    continue
                # One identifier of theirs at a time, then all of them: an account of ours with their order, too.
                for chosen in ({param: theirs[param]}, theirs):
                    said = answer(talk, command, {**ABSENT, **chosen})
                    if said != answer(talk, command, ABSENT):
                        oracles.append((name, param, said, answer(talk, command, ABSENT)))
                tried.add(name)
    assert not oracles, oracles
    assert {"certificate.get", "certificate.revoke", "acme.order.get", "acme.account.get", "acme.authorization.get", "profile.get",
            "node.get", "node.delete", "ca.get", "ocsp.status", "certificate.renew"} <= tried, sorted(tried)


def test_F50_lists_show_nothing_of_another_realm(daemon, theirs):
    with daemon.talk("default") as talk:
        for command in commands(daemon):
            if not command["name"].endswith((".list", ".search")) or command["state"] != "realm":
                continue
            reply = talk.call(command["name"], **params_of(command, {}))
            text = json.dumps(reply)
            for value in theirs.values():
                assert f'"{value}"' not in text, (command["name"], value)


def test_F50_an_account_of_ours_does_not_reach_their_order(daemon, theirs):
    acme = Acme(daemon.socket, "default")
    for method in ("acme.order.get", "acme.order.finalize", "acme.authorization.get", "acme.challenge.begin"):
        params = {"account": acme.account, "order": theirs["order"], "authorization": theirs["authorization"], "type": "http-01",
                  "csr": request_for("x.example.com")}
        command, = [one for one in commands(daemon) if one["name"] == method]
        wanted = {one["name"] for one in command["params"]}
        there = acme.call(method, **{name: value for name, value in params.items() if name in wanted})
        absent = acme.call(method, **{name: ABSENT.get(name, value) if name != "account" else value for name, value in params.items() if name in wanted})
        assert there["error"]["code"] == absent["error"]["code"] and there["error"]["data"] == absent["error"]["data"], (method, there, absent)


def test_every_command_that_names_something_is_in_the_matrix(daemon):
    for command in commands(daemon):
        missing = [one["name"] for one in command["params"] if one["required"] and one["name"] not in IDENTIFIERS and one["name"] not in NEEDED]
        named = [one["name"] for one in command["params"] if one["name"] in IDENTIFIERS]
        assert not (named and missing and command["state"] == "realm"), (command["name"], missing)
