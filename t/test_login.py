"""session.login: another identity by a certificate of the realm, its key over the session's challenge, and the list of administrators."""

import base64
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

from test_audit import events
from test_daemon import Daemon
from test_master import BUILD

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")
USER, OPERATOR, LOCAL = "nobody", "games", "news"


class Someone:
    """A connection of a user of the system that lasts from one request to the next."""

    def __init__(self, user, path, **opening):
        self.process = subprocess.Popen(["setpriv", f"--reuid={user}", "--clear-groups", "--regid=nogroup", "nc", "-U", "-N", path],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        if opening:
            self.result("session.open", **opening)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def call(self, method, acting_for=None, **params):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **({"for": acting_for} if acting_for else {})}
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def result(self, method, **params):
        reply = self.call(method, **params)
        assert "result" in reply, reply
        return reply["result"]

    def code(self, method, **params):
        return self.call(method, **params).get("error", {}).get("data", {}).get("code")


class Administrator:
    """A certificate and its key."""

    def __init__(self, talk, directory, cn, kind="EC", options=("-pkeyopt", "ec_paramgen_curve:P-256"), profile="admin", listed=True):
        self.key, csr = directory / f"{cn}.key", directory / f"{cn}.csr"
        subprocess.run(["openssl", "genpkey", "-algorithm", kind, *options, "-out", self.key], check=True, capture_output=True)
        subprocess.run(["openssl", "req", "-new", "-key", self.key, "-subj", f"/CN={cn}", "-out", csr], check=True, capture_output=True)
        made = talk.result("certificate.issue", profile=profile, csr=csr.read_text())
        self.certificate, self.serial, self.dn = made["certificate"], made["serial"], made["subject"]
        if listed:
            talk.result("admin.add", dn=self.dn)

    def sign(self, challenge):
        digest = () if "ED25519" in self.kind() else ("-digest", "sha256")
        with tempfile.NamedTemporaryFile() as text:  # openssl wants the length of what Ed25519 signs
            text.write(challenge.encode())
            text.flush()
            done = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", *digest, "-inkey", self.key, "-in", text.name], check=True, capture_output=True)
        return base64.b64encode(done.stdout).decode()

    def kind(self):
        return subprocess.run(["openssl", "pkey", "-in", self.key, "-noout", "-text"], check=True, capture_output=True, text=True).stdout.split()[0]

    def proof(self, someone):
        return {"certificate": self.certificate, "signature": self.sign(someone.result("session.whoami")["challenge"])}


@pytest.fixture(scope="module")
def daemon():
    with tempfile.TemporaryDirectory(prefix="chancery-login-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        one = Daemon(pathlib.Path(directory))
        one.write_config()
        one.config.write_text(one.config.read_text().replace(
            "</chancery>", f'<identities><identity user="{USER}" roles="user"/><identity user="{OPERATOR}" roles="ra-operator"/>'
            f'<identity user="{LOCAL}" realm="default" roles="admin"/></identities></chancery>'))
        one.start()
        yield one
        one.end()


@pytest.fixture(scope="module")
def office(daemon):
    """Root's session, which issues and lists."""
    with daemon.talk("default") as talk:
        yield talk


@pytest.fixture(scope="module")
def administrator(office, tmp_path_factory):
    return Administrator(office, tmp_path_factory.mktemp("administrator"), "alice")


@pytest.fixture
def someone(daemon):
    with Someone(USER, daemon.socket, realm="default") as one:
        yield one


def test_who_proves_it_is_an_administrator_of_this_session(daemon, office, someone, administrator):
    assert someone.result("session.whoami")["roles"] == ["user"]
    assert someone.code("admin.add", dn="/CN=new") == "denied"
    became = someone.result("session.login", **administrator.proof(someone))
    assert (became["identity"], became["roles"], became["realm"]) == (f"cert:{administrator.dn}", ["admin"], "default")
    assert someone.result("session.whoami") == became
    assert someone.result("admin.add", dn="/CN=new") == {"dn": "/CN=new", "keys": [], "serials": [], "others": []}
    assert someone.code("session.open", realm="devices") == "conflict"
    with Someone(USER, daemon.socket, realm="default") as other:
        assert other.result("session.whoami")["roles"] == ["user"]
    begin, end = events(office, "admin.add")[-2:]
    assert begin["requester"] == end["requester"] == f"cert:{administrator.dn}"


@pytest.mark.parametrize("kind,options", [("RSA", ("-pkeyopt", "rsa_keygen_bits:2048")), ("EC", ("-pkeyopt", "ec_paramgen_curve:P-384")), ("ED25519", ())],
                         ids=["RSA", "P-384", "Ed25519"])
def test_keys_of_every_kind(office, someone, tmp_path, kind, options):
    one = Administrator(office, tmp_path, f"kind-{kind}{len(options) and options[-1][-3:]}", kind, options)
    assert someone.result("session.login", **one.proof(someone))["roles"] == ["admin"]


def test_it_needs_a_session(daemon, administrator):
    with Someone(USER, daemon.socket) as one:
        assert one.code("session.login", certificate=administrator.certificate, signature="AAAA") == "no_session"


# ----- what is no proof

def flipped(signature):
    octets = bytearray(base64.b64decode(signature))
    octets[-1] ^= 1
    return base64.b64encode(octets).decode()


SIGNATURES = [("another text's", lambda one, challenge: one.sign("x" + challenge)), ("an empty text's", lambda one, _: one.sign(" ")),
              ("the challenge with a line's end", lambda one, challenge: one.sign(challenge + "\n")),
              ("the beginning's", lambda one, challenge: one.sign(challenge[:-1])), ("one bit off", lambda one, challenge: flipped(one.sign(challenge))),
              ("a longer one", lambda one, challenge: base64.b64encode(base64.b64decode(one.sign(challenge)) + b"\0").decode()),
              ("zeroes", lambda one, _: base64.b64encode(bytes(64)).decode()), ("nothing", lambda one, _: ""), ("no base64", lambda one, _: "***"),
              ("the challenge itself", lambda one, challenge: challenge)]


@pytest.mark.parametrize("make", [one[1] for one in SIGNATURES], ids=[one[0] for one in SIGNATURES])
def test_signatures_that_prove_nothing(someone, administrator, make):
    signature = make(administrator, someone.result("session.whoami")["challenge"])
    assert someone.code("session.login", certificate=administrator.certificate, signature=signature) == "auth_failed"
    assert someone.result("session.whoami")["roles"] == ["user"]
    assert someone.code("admin.remove", dn=administrator.dn) == "denied"


def test_a_proof_counts_in_its_own_session(daemon, someone, administrator):
    proof = administrator.proof(someone)
    with Someone(USER, daemon.socket, realm="default") as other:
        assert other.code("session.login", **proof) == "auth_failed"
        assert other.result("session.whoami")["roles"] == ["user"]
    assert someone.result("session.login", **proof)["roles"] == ["admin"]


def test_a_proof_counts_once(someone, administrator):
    proof = administrator.proof(someone)
    assert someone.result("session.login", **proof)["challenge"] != proof
    assert someone.code("session.login", **proof) == "auth_failed"


def test_who_fails_too_often_is_cut_off(daemon, administrator):
    with Someone(USER, daemon.socket, realm="default") as one:
        for _ in range(5):
            assert one.code("session.login", certificate=administrator.certificate, signature="AAAA") == "auth_failed"
        assert one.process.stdout.readline() == ""


def remove(office, one):
    office.result("admin.remove", dn=one.dn)


def revoke(office, one):
    office.result("certificate.revoke", serial=one.serial, reason="superseded")


@pytest.mark.parametrize("end", [remove, revoke])
def test_a_login_ends_with_what_it_stood_on(office, someone, tmp_path, end):
    one = Administrator(office, tmp_path, f"ends-by-{end.__name__}")
    someone.result("session.login", **one.proof(someone))
    someone.result("admin.add", dn="/CN=before")
    end(office, one)
    refused = someone.call("admin.add", dn="/CN=after")["error"]
    assert refused["data"]["code"] == "auth_failed" and "ended" in refused["message"], refused
    assert someone.result("session.whoami")["roles"] == ["user"]
    assert someone.code("admin.add", dn="/CN=after") == "denied"
    assert "/CN=after" not in office.result("admin.list")["admins"]


# ----- who may have an administrator's name certified

def request(directory, cn, key=None):
    key, csr = key or directory / f"{cn}.mine", directory / f"{cn}.mine.csr"
    if not key.exists():
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={cn}", "-out", csr], check=True, capture_output=True)
    return csr.read_text()


def test_an_operator_cannot_certify_an_administrators_name(daemon, office, administrator, tmp_path):
    csr = request(tmp_path, "alice")
    with Someone(OPERATOR, daemon.socket, realm="default") as one:
        assert one.result("session.whoami")["roles"] == ["ra-operator"]
        assert one.result("certificate.issue", profile="user", csr=request(tmp_path, "operated"))["subject"] == "/CN=operated"
        for profile in ("laptop", "user"):
            refused = one.call("certificate.issue", profile=profile, csr=csr)["error"]
            assert refused["data"]["code"] == "denied" and "administrator" in refused["message"], refused
        preview = one.result("certificate.preview", profile="user", csr=csr)
        assert [check["rule"] for check in preview["reasons"] if not check["passed"]] == ["administrator"]
        assert one.code("certificate.renew", serial=administrator.serial, csr=csr) == "denied"
        renewed = one.result("certificate.renew", serial=administrator.serial)  # the same key again
        assert renewed["subject"] == administrator.dn
    office.result("certificate.issue", profile="admin", csr=csr)


def test_a_name_with_two_keys_is_nobodys(office, tmp_path):
    first = Administrator(office, tmp_path, "twice", listed=False)
    second = Administrator(office, tmp_path, "twice", listed=False)
    refused = office.call("admin.add", dn=first.dn)["error"]
    assert refused["data"]["code"] == "conflict" and first.serial in refused["message"] and second.serial in refused["message"]
    office.result("certificate.revoke", serial=first.serial, reason="superseded")
    assert office.call("admin.add", dn=first.dn)["error"]["data"]["code"] == "conflict"
    added = office.result("admin.add", dn=first.dn, serial=second.serial)
    assert (added["serials"], added["others"], len(added["keys"])) == ([second.serial], [], 1)


def test_a_held_certificate_of_a_name_counts(office, tmp_path):
    """It may come back, and would then be an administrator's."""
    first = Administrator(office, tmp_path, "on-hold", listed=False)
    Administrator(office, tmp_path, "on-hold", listed=False)
    office.result("certificate.revoke", serial=first.serial, reason="certificateHold")
    assert office.call("admin.add", dn=first.dn)["error"]["data"]["code"] == "conflict"


def test_a_name_that_too_many_bear_is_no_administrators(office, tmp_path):
    one = Administrator(office, tmp_path, "crowd", listed=False)
    csr = (tmp_path / "crowd.csr").read_text()
    for _ in range(100):
        office.result("certificate.issue", profile="admin", csr=csr)
    assert office.call("admin.add", dn=one.dn)["error"]["data"]["code"] == "conflict"


def test_F50_an_admin_of_one_realm_sees_nothing_of_others(daemon):
    with daemon.talk("devices") as there, Someone(LOCAL, daemon.socket, realm="default") as here:
        assert here.result("session.whoami")["roles"] == ["admin"]
        seen = here.result("server.status")
        assert {one["realm"] for one in seen["workers"]} == {"default"}
        assert {one["name"] for one in seen["processes"] if one["kind"] == "signer"} == {"default"}
        assert {one["name"] for one in there.result("server.status")["processes"] if one["kind"] == "signer"} == {"default", "devices"}


@pytest.mark.parametrize("realm", ["devices", "nowhere"])
def test_F50_a_wrong_front_end_tells_nobody_of_realms(daemon, realm):
    with Someone(LOCAL, daemon.socket) as one:
        assert one.code("session.open", realm=realm, front_end="http") == "not_found"


def test_F50_an_administrator_of_another_realm_is_nobody(daemon, tmp_path, administrator):
    with daemon.talk("devices") as there, daemon.talk("default") as here:
        foreign = Administrator(there, tmp_path, "foreign")
        here.result("admin.add", dn=foreign.dn)
    with Someone(USER, daemon.socket, realm="default") as one:
        assert one.code("session.login", **foreign.proof(one)) == "auth_failed"
    with Someone(USER, daemon.socket, realm="devices") as one:
        assert one.code("session.login", **administrator.proof(one)) == "auth_failed"
        assert one.result("session.login", **foreign.proof(one))["realm"] == "devices"


def unlisted(office, directory):
    return Administrator(office, directory, "unlisted", listed=False)


def removed(office, directory):
    one = Administrator(office, directory, "removed")
    assert office.result("admin.remove", dn=one.dn) == {"removed": True}
    return one


def revoked(office, directory):
    one = Administrator(office, directory, "revoked")
    office.result("certificate.revoke", serial=one.serial, reason="superseded")
    return one


def held(office, directory, name="held"):
    one = Administrator(office, directory, name)
    office.result("certificate.revoke", serial=one.serial, reason="certificateHold")
    return one


def self_made(office, directory):
    """An administrator's name, certified by itself."""
    one = Administrator(office, directory, "self-made")
    one.certificate = subprocess.run(["openssl", "req", "-new", "-x509", "-key", one.key, "-subj", f"/CN={one.dn[4:]}", "-days", "30"], check=True,
                                     capture_output=True, text=True).stdout
    return one


def anothers(office, directory):
    """The certificate of an administrator, the key of somebody else."""
    one, other = Administrator(office, directory, "owner"), Administrator(office, directory, "thief", listed=False)
    one.key = other.key
    return one


WRONG = [unlisted, removed, revoked, held, self_made, anothers]


@pytest.mark.parametrize("make", WRONG)
def test_whom_the_list_does_not_mean_gets_one_answer(office, someone, tmp_path, make):
    one = make(office, tmp_path)
    refused = someone.call("session.login", **one.proof(someone))["error"]
    assert refused["data"]["code"] == "auth_failed" and refused["message"] == "login refused", refused
    assert someone.result("session.whoami")["roles"] == ["user"]


def test_a_hold_that_is_taken_back_counts_again(office, someone, tmp_path):
    one = held(office, tmp_path, "held-for-a-while")
    assert someone.code("session.login", **one.proof(someone)) == "auth_failed"
    office.result("certificate.unrevoke", serial=one.serial)
    assert someone.result("session.login", **one.proof(someone))["roles"] == ["admin"]


@pytest.mark.parametrize("text", ["garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x" * 65536])
def test_F31_certificates_that_are_none(someone, text):
    assert someone.code("session.login", certificate=text, signature="AAAA") in ("malformed", "auth_failed")
    assert someone.result("session.whoami")["roles"] == ["user"]


@pytest.mark.parametrize("params", [{}, {"certificate": "x"}, {"signature": "x"}, {"certificate": 1, "signature": "x"}, {"certificate": "x", "signature": None},
                                    {"certificate": "x", "signature": "x", "dn": "/CN=alice"}])
def test_parameters_that_the_table_does_not_have(someone, params):
    assert someone.code("session.login", **params) == "invalid_params"


def test_C17_both_outcomes_are_in_the_stream(office, someone, administrator):
    before = len(events(office, "session.login"))
    assert someone.code("session.login", certificate=administrator.certificate, signature="AAAA") == "auth_failed"
    someone.result("session.login", **administrator.proof(someone))
    failed, done = [[one for one in events(office, "session.login")[before:] if one["phase"] == "end" and one["outcome"].startswith(how)]
                    for how in ("auth_failed", "ok")]
    assert len(failed) == len(done) == 1, (failed, done)
    assert failed[0]["requester"] == f"unix:{USER}"
    assert "BEGIN" not in json.dumps(failed + done)


def test_D37_the_log_has_the_name_and_no_proof(daemon, someone, administrator):
    proof = administrator.proof(someone)
    someone.result("session.login", **proof)
    daemon.wait_log(f"login: cert:{administrator.dn}")
    assert proof["signature"] not in daemon.log()
