"""chanceryd's socket as anybody meets it: nc, garbage, names that are no names, another realm's things."""

import json
import subprocess

import pytest

from conftest import REALMS, Talk


def request_for(subject):
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", subject]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def talk(system):
    one = system.realm("default").talk()
    yield one
    one.close()


def test_nc_speaks_it(system):
    lines = ('{"jsonrpc":"2.0","id":1,"method":"session.open","params":{"realm":"default"}}\n'
             '{"jsonrpc":"2.0","id":2,"method":"ca.get"}\n')
    answers = subprocess.run(["nc", "-U", "-N", system.socket], input=lines, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert json.loads(answers[0])["result"]["realm"] == "default"
    assert json.loads(answers[1])["result"]["certificate"].startswith("-----BEGIN")


@pytest.mark.parametrize("octets", [b"garbage\n", b"{}\n", b"[" * 100000 + b"\n", b"\xff\xfe\n", b"\x00\n", b'{"jsonrpc":"2.0","id":1,"id":2,"method":"server.ping"}\n'])
def test_F30_garbage_gets_an_error_and_others_are_served(system, octets):
    one = Talk(system.socket)
    one.socket.sendall(octets)
    assert "error" in json.loads(one.lines.readline())
    assert one.result("server.ping") == {"pong": True}
    one.close()


def test_D11_a_line_without_end_ends_the_connection(system):
    one, other = Talk(system.socket), Talk(system.socket)
    try:
        for _ in range(64):
            one.socket.sendall(b"x" * 65536)
    except OSError:
        pass
    assert other.result("server.ping") == {"pong": True}
    other.close()


def test_half_a_line_disturbs_nobody(system):
    one, other = Talk(system.socket), Talk(system.socket)
    one.socket.sendall(b'{"jsonrpc":')
    assert other.result("server.ping") == {"pong": True}
    one.close()
    other.close()


@pytest.mark.parametrize("key,usages", [(["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "digitalSignature"), (["rsa:2048"], "digitalSignature, keyEncipherment")])
def test_a_preview_shows_the_usages_that_the_key_gets(talk, key, usages):
    """An EC key enciphers nothing (RFC 5480 3), whatever the profile says."""
    command = ["openssl", "req", "-new", "-newkey", *key, "-nodes", "-keyout", "/dev/null", "-subj", "/CN=usage.example.com"]
    csr = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    shown = {one["name"]: one["value"] for one in talk.result("certificate.preview", csr=csr, profile="server")["extensions"]}
    serial = talk.result("certificate.issue", csr=csr, profile="server")["serial"]
    issued = talk.result("certificate.get", serial=serial)
    assert shown["keyUsage"] == usages == ", ".join(issued["key_usage"])
    assert shown["extendedKeyUsage"] == "serverAuth" == ", ".join(issued["extended_key_usage"])


@pytest.mark.parametrize("cn", ["a\u0000b", "x" * 10000, "\u202egnp.exe", "a\nb", ""])
def test_F33_names_that_are_none(talk, cn):
    assert talk.code("certificate.generate", cn=cn, profile="user", key="ec:P-256") in ("invalid_params", "too_large", "malformed", "policy_refused")


@pytest.mark.parametrize("cn", ["../../x", "/abs", "..", ".", "a/../b", "a/.."])
def test_F34_a_name_is_no_path(talk, cn):
    for profile in ("user", "server"):
        reply = talk.call("certificate.generate", cn=cn, profile=profile, key="ec:P-256", store_key=True)
        assert reply["error"]["data"]["code"] in ("policy_refused", "malformed"), reply
    reply = talk.call("certificate.issue", csr=request_for("/CN=" + cn.replace("/", "\\/")), profile="user")
    assert reply["error"]["data"]["code"] == "policy_refused" and "path" in reply["error"]["message"], reply


@pytest.mark.parametrize("cn", ["host/www.example.org", "a b", "..x", "x..", "É"])
def test_F34_odd_names_stay_in_their_directory(talk, system, cn):
    before = set(system.directory.rglob("*"))
    talk.result("certificate.generate", cn=cn, profile="user", key="ec:P-256", store_key=True)
    nodes = system.directory / "var" / "realms" / "default" / "nodes"
    made = [path for path in set(system.directory.rglob("*")) - before if path.name in ("key.pem", "cert.pem")]
    assert made and all(path.parent.parent == nodes for path in made), made


def test_C12_possession_is_checked(talk):
    lines = request_for("/CN=proof.example.com").splitlines()
    body = lines[1:-1]
    body[-1] = ("B" if body[-1][0] != "B" else "C") + body[-1][1:]
    forged = "\n".join([lines[0], *body, lines[-1]]) + "\n"
    assert talk.code("certificate.issue", csr=forged, profile="server") in ("bad_proof", "malformed")


def test_C6_the_same_key_gives_the_same_certificate(talk):
    csr = request_for("/CN=once.example.com")
    first = talk.result("certificate.issue", csr=csr, profile="server", idempotency_key="once")
    again = talk.result("certificate.issue", csr=csr, profile="server", idempotency_key="once")
    assert first["certificate"] == again["certificate"]
    assert talk.code("certificate.issue", csr=request_for("/CN=twice.example.com"), profile="server", idempotency_key="once") == "conflict"


def test_renewals_keep_key_and_names(talk):
    first = talk.result("certificate.issue", csr=request_for("/CN=renew.example.com"), profile="server")
    second = talk.result("certificate.renew", serial=first["serial"])
    assert second["serial"] != first["serial"] and second["sans"] == first["sans"]


def test_pages_by_key(talk):
    for i in range(5):
        talk.result("certificate.issue", csr=request_for(f"/CN=page{i}.example.com"), profile="server")
    seen, after = [], {}
    while True:
        page = talk.result("certificate.search", subject="page", limit=2, **after)
        seen += [one["subject"] for one in page["certificates"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert sorted(seen) == [f"/CN=page{i}.example.com" for i in range(5)]


def test_a_key_that_nobody_would_have_is_not_made(talk):
    refused = talk.call("certificate.generate", cn="nobody.example.com", return_key=False)["error"]
    assert refused["data"]["code"] == "invalid_params" and "nobody" in refused["message"]
    assert not talk.result("certificate.search", subject="nobody.example.com")["certificates"]


def test_preview_signs_nothing(talk):
    shown = talk.result("certificate.preview", csr=request_for("/CN=preview.example.com"), profile="server")
    assert shown["allowed"] and all(one["passed"] for one in shown["reasons"])
    assert not talk.result("certificate.search", subject="preview.example.com")["certificates"]
    refused = talk.result("certificate.preview", csr=request_for("/CN=preview.example.com"), profile="server", days=3650)
    assert not refused["allowed"] and [one["rule"] for one in refused["reasons"] if not one["passed"]] == ["validity"]


def test_C11_nothing_outlives_its_profile(talk):
    assert talk.code("certificate.issue", csr=request_for("/CN=long.example.com"), profile="server", days=61) == "policy_refused"


def test_F54_five_wrong_seeds_end_the_session(system):
    one = system.realm("default").talk(front_end="zmq")
    for _ in range(5):
        refused = one.call("node.register", seed="wrong", cn="x.example.com")["error"]
        assert refused["data"]["code"] == "auth_failed" and refused["message"] == "Invalid registration seed"
    assert refused["data"]["hint"] == "connect again"
    assert one.lines.readline() == ""
    one.close()


# ----- realms

FOREIGN = [("certificate.get", {"serial": None}, {"serial": "0123456789abcdef"}), ("profile.get", {"profile": "device"}, {"profile": "nothing"}),
           ("certificate.revoke", {"serial": None}, {"serial": "0123456789abcdef"}), ("node.get", {"cn": "foreign.example.com"}, {"cn": "nobody.example.com"}),
           ("certificate.renew", {"serial": None}, {"serial": "0123456789abcdef"})]


@pytest.mark.parametrize("method,theirs,nothing", FOREIGN, ids=[one[0] for one in FOREIGN])
def test_F50_another_realms_things_do_not_exist(system, talk, method, theirs, nothing):
    there = system.realm("devices").talk()
    made = there.result("certificate.issue", csr=request_for("/CN=foreign.example.com"), profile="server")
    params = {name: value or made["serial"] for name, value in theirs.items()}
    foreign, missing = talk.call(method, **params)["error"], talk.call(method, **nothing)["error"]
    for name, value in params.items():
        assert foreign["message"].replace(value, "X") == missing["message"].replace(nothing[name], "X")
    assert foreign["code"] == missing["code"] == -32010
    there.close()


def test_F50_a_session_stays_in_its_realm(talk):
    assert talk.code("session.open", realm="devices") == "conflict"
    assert [one["name"] for one in talk.result("realm.list")["realms"]] == ["default"]


@pytest.mark.parametrize("realm", ["nothing", "Default", "default.", "../default", "default%2f", ""])
def test_F50_realm_names_have_one_spelling(system, realm):
    one = Talk(system.socket)
    assert one.code("session.open", realm=realm) in ("not_found", "invalid_params")
    one.close()


def test_roles_hold(system):
    front_end = system.realm("default").talk(front_end="http")
    for method, params in (("certificate.issue", {"csr": request_for("/CN=x.example.com")}), ("admin.add", {"dn": "/CN=me"}), ("crl.issue", {})):
        assert front_end.code(method, **params) == "denied"
    assert system.realm("default").talk().call("ca.get", acting_for="acme:me")["error"]["data"]["code"] == "denied"
    front_end.close()


def test_both_realms_have_their_own_ca(system):
    assert len({system.realm(name).talk().result("ca.get")["fingerprint"] for name in REALMS}) == 2
