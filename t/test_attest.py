"""session.attest over the socket: whom a front end may say it acts for, what that one may do, and when it ends."""

import os
import pathlib
import re
import subprocess
import tempfile

import pytest

from test_audit import events
from test_daemon import Daemon, Talk
from test_login import Administrator

KEY, FAR_KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
CONFIG = """
  <front-ends>
    <front-end name="wide" program="chancery-http" realms="*" roles="frontend ra-operator admin" enabled="false"/>
    <front-end name="operating" program="chancery-http" realms="*" roles="frontend ra-operator" enabled="false"/>
    <front-end name="narrow" program="chancery-http" realms="*" roles="frontend" enabled="false"/>
    <front-end name="reading" program="chancery-http" realms="*" roles="user" enabled="false"/>
  </front-ends>
  <zmq>
    <endpoint address="127.0.0.1" port="5000" realm="default" loopback-peers="ra-operator admin"/>
    <endpoint address="127.0.0.1" port="5010" realm="default"/>
  </zmq>
  <zmq-peers>
    <peer name="ra1" key="rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7" realm="default" roles="ra-operator"/>
    <peer name="far" key="Yne@$w-vo&lt;fVvi]a&lt;NY6T1ed:M$fCG*[IaLV{hID" realm="devices" roles="admin"/>
  </zmq-peers>
</chancery>"""


@pytest.fixture(scope="module")
def daemon():
    with tempfile.TemporaryDirectory(prefix="chancery-attest-") as directory:
        os.chmod(directory, 0o755)
        one = Daemon(pathlib.Path(directory))
        one.write_config()
        plain = re.sub(r"<front-ends>.*</front-ends>|<zmq>.*</zmq>", "", one.config.read_text(), flags=re.DOTALL)
        one.config.write_text(plain.replace("</chancery>", CONFIG))
        one.start()
        yield one
        one.end()


@pytest.fixture(scope="module")
def office(daemon):
    with daemon.talk("default") as talk:
        yield talk


@pytest.fixture
def door(daemon):
    """Makes sessions of a front end."""
    opened = []

    def open_as(front_end, realm="default"):
        talk = Talk(daemon.socket)
        opened.append(talk)
        talk.result("session.open", realm=realm, front_end=front_end)
        return talk

    yield open_as
    for talk in opened:
        talk.__exit__()


class Holder:
    """A certificate and its key."""

    def __init__(self, talk, directory, cn, profile="user", listed=False):
        self.key = directory / f"{cn}.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key], check=True, capture_output=True)
        made = talk.result("certificate.issue", profile=profile, csr=request(self.key, cn))
        self.cn, self.certificate, self.serial, self.dn = cn, made["certificate"], made["serial"], made["subject"]
        if listed:
            talk.result("admin.add", dn=self.dn)

    def evidence(self):
        return {"evidence": "certificate", "certificate": self.certificate}


def request(key, cn):
    return subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={cn}"], check=True, capture_output=True, text=True).stdout


def self_signed(key, dn):
    return subprocess.run(["openssl", "req", "-x509", "-new", "-key", key, "-subj", dn, "-days", "3"], check=True, capture_output=True, text=True).stdout


def code(talk, method, **params):
    return talk.call(method, **params).get("error", {}).get("data", {}).get("code", "ok")


ADMINS = "admin.add", {"dn": "/CN=added"}
REVOKES = "crl.issue", {}
FRONTENDS = "acme.realm.get", {}
USERS = "admin.list", {}
ANYBODYS = "ca.get", {}

#: front end, profile, listed: what it may do
MATRIX = [("wide", "admin", True, ["admin"], "ok ok ok ok ok"), ("wide", "ra", False, ["ra-operator"], "denied ok denied ok ok"),
          ("wide", "user", False, ["anonymous"], "denied denied denied denied ok"), ("wide", "admin", False, ["anonymous"], "denied denied denied denied ok"),
          ("operating", "admin", True, ["ra-operator", "frontend"], "denied ok ok ok ok"), ("operating", "ra", False, ["ra-operator"], "denied ok denied ok ok"),
          ("narrow", "admin", True, ["frontend"], "denied denied ok ok ok"), ("narrow", "ra", False, ["user"], "denied denied denied ok ok"),
          ("narrow", "user", False, ["anonymous"], "denied denied denied denied ok")]


@pytest.mark.parametrize("front_end,profile,listed,roles,answers", MATRIX)
def test_C22_never_more_than_the_holder_and_never_more_than_the_front_end(office, door, tmp_path, front_end, profile, listed, roles, answers):
    one = Holder(office, tmp_path, f"{front_end}-{profile}-{listed}".lower(), profile, listed)
    talk = door(front_end)
    seen = talk.result("session.attest", **one.evidence())
    assert (seen["identity"], seen["roles"], seen["serial"], seen["cn"], seen["dn"], seen["profile"]) == (
        f"cert:{one.dn}", roles, one.serial, one.cn, one.dn, profile)
    assert " ".join(code(talk, method, **params) for method, params in (ADMINS, REVOKES, FRONTENDS, USERS, ANYBODYS)) == answers
    assert talk.result("session.whoami")["roles"] == roles


def test_C17_the_audit_stream_has_both_names(office, door, tmp_path):
    one = Holder(office, tmp_path, "audited", "admin", True)
    talk = door("wide")
    talk.result("session.attest", **one.evidence())
    talk.result("admin.add", dn="/CN=audited-one")
    for event in events(office, "admin.add")[-2:]:
        assert (event["requester"], event["front_end"], event["roles"]) == (f"cert:{one.dn}", "wide", "admin"), event
    made = talk.result("certificate.issue", profile="user", csr=request(one.key, "audited-two"))
    seen = office.result("certificate.get", serial=made["serial"])
    assert (seen["requester"], seen["front_end"]) == (f"cert:{one.dn}", "wide")


def test_who_is_attested_is_nobody_else(office, door, tmp_path):
    one = Holder(office, tmp_path, "hers")
    talk = door("wide")
    talk.result("session.attest", **one.evidence())
    talk.last_id += 1
    talk.socket.sendall(b'{"jsonrpc":"2.0","id":1,"method":"server.ping","for":"somebody"}\n')
    assert talk.read()["error"]["data"]["code"] == "denied"


def test_C22_a_login_through_a_front_end_gives_no_more_than_that(office, door, tmp_path):
    one = Administrator(office, tmp_path, "through")
    for front_end, roles in (("narrow", ["frontend"]), ("wide", ["admin"])):
        talk = door(front_end)
        assert talk.result("session.login", **one.proof(talk))["roles"] == roles
        assert code(talk, "admin.add", dn="/CN=by-login") == ("ok" if front_end == "wide" else "denied")


# ----- what is no evidence

def foreign(office, tmp_path, daemon):
    key, ca = tmp_path / "foreign.key", tmp_path / "foreign-ca.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "foreign-ca.key", "-subj",
                    "/CN=Root", "-out", ca], check=True, capture_output=True)
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
    done = subprocess.run(["openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=known", "-CA", ca, "-CAkey", tmp_path / "foreign-ca.key", "-days", "3"],
                          text=True, check=True, capture_output=True)
    return done.stdout


def revoked(office, tmp_path, daemon):
    one = Holder(office, tmp_path, "revoked", "admin", True)
    office.result("certificate.revoke", serial=one.serial, reason="superseded")
    return one.certificate


def held(office, tmp_path, daemon):
    one = Holder(office, tmp_path, "held", "admin", True)
    office.result("certificate.revoke", serial=one.serial, reason="certificateHold")
    return one.certificate


def other_realms(office, tmp_path, daemon):
    with daemon.talk("devices") as talk:
        return Holder(talk, tmp_path, "known", "admin").certificate


def selfmade(office, tmp_path, daemon):
    one = Holder(office, tmp_path, "selfmade", "admin", True)
    return self_signed(one.key, one.dn)


def no_certificate(office, tmp_path, daemon):
    return "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def the_cas_own(office, tmp_path, daemon):
    return office.result("ca.get")["certificate"]


@pytest.mark.parametrize("make", [foreign, revoked, held, other_realms, selfmade, no_certificate, the_cas_own], ids=lambda one: one.__name__)
def test_a_certificate_that_counts_for_nothing(office, daemon, door, tmp_path, make):
    office.call("admin.add", dn="/CN=known")
    talk = door("wide")
    refused = talk.call("session.attest", evidence="certificate", certificate=make(office, tmp_path, daemon))["error"]
    assert refused["data"]["code"] == ("malformed" if make is no_certificate else "auth_failed"), refused
    seen = talk.result("session.whoami")
    assert (seen["identity"], seen["roles"]) == ("nobody", [])  # neither the front end itself, nor whoever it was before
    assert [code(talk, method, **params) for method, params in (ADMINS, REVOKES, FRONTENDS, USERS)] == ["denied"] * 4
    assert code(talk, "own.certificate.revoke") == "denied"


@pytest.mark.parametrize("params", [{"evidence": "curve_key", "curve_key": FAR_KEY}, {"evidence": "curve_key", "curve_key": KEY[:-1] + "8"},
                                    {"evidence": "curve_key", "curve_key": ""}, {"evidence": "loopback", "endpoint": "127.0.0.1:5010"},
                                    {"evidence": "loopback", "endpoint": "127.0.0.1:5001"}, {"evidence": "loopback", "endpoint": ""}])
def test_peers_that_count_for_nothing(door, params):
    talk = door("wide")
    assert code(talk, "session.attest", **params) == "auth_failed"
    assert talk.result("session.whoami")["roles"] == []


@pytest.mark.parametrize("params", [{"evidence": "certificate"}, {"evidence": "loopback", "endpoint": "127.0.0.1:5000", "curve_key": KEY}, {"evidence": "password"},
                                    {"evidence": "none", "endpoint": "x"}, {"evidence": "anybody", "curve_key": KEY}, {}])
def test_evidence_that_is_none(door, params):
    assert code(door("wide"), "session.attest", **params) == "invalid_params"


def test_peers_of_zmq(door):
    talk = door("operating")
    assert talk.result("session.attest", evidence="curve_key", curve_key=KEY)["identity"] == "curve:ra1"
    assert talk.result("session.attest", evidence="loopback", endpoint="127.0.0.1:5000") == {
        "realm": "default", "identity": "loopback", "roles": ["ra-operator", "frontend"]}
    assert talk.result("session.attest", evidence="anybody") == {"realm": "default", "identity": "anybody", "roles": ["anonymous"]}
    assert [code(talk, method, **params) for method, params in (ADMINS, REVOKES, FRONTENDS, USERS, ANYBODYS)] == ["denied"] * 4 + ["ok"]
    assert talk.result("session.attest", evidence="none")["identity"] == "frontend:operating"
    there = door("wide", "devices")
    assert code(there, "session.attest", evidence="loopback", endpoint="127.0.0.1:5000") == "auth_failed"
    assert there.result("session.attest", evidence="curve_key", curve_key=FAR_KEY)["roles"] == ["admin"]


def test_nobody_but_a_front_end_says_it(daemon, office, door, tmp_path):
    one = Holder(office, tmp_path, "asked-for", "admin", True)
    assert code(office, "session.attest", **one.evidence()) == "denied"  # root, as itself
    assert code(door("reading"), "session.attest", **one.evidence()) == "denied"
    with Talk(daemon.socket) as talk:
        assert code(talk, "session.attest", **one.evidence()) == "no_session"


# ----- between two commands

def test_a_revoked_one_is_out_at_once(office, door, tmp_path):
    one = Holder(office, tmp_path, "out", "admin", True)
    talk = door("wide")
    talk.result("session.attest", **one.evidence())
    assert code(talk, *USERS[:1]) == "ok"
    office.result("certificate.revoke", serial=one.serial, reason="keyCompromise")
    refused = talk.call("admin.list")["error"]
    assert refused["data"]["code"] == "auth_failed" and "revoked" in refused["message"], refused
    assert [code(talk, method, **params) for method, params in (ADMINS, REVOKES, FRONTENDS, USERS)] == ["denied"] * 4
    assert code(talk, "session.attest", **one.evidence()) == "auth_failed"
    assert code(talk, "session.attest", evidence="none") == "ok"


def test_who_leaves_the_list_is_no_administrator_at_the_next_command(office, door, tmp_path):
    one = Holder(office, tmp_path, "leaving", "admin", True)
    talk = door("wide")
    talk.result("session.attest", **one.evidence())
    talk.result("admin.add", dn="/CN=before-leaving")
    office.result("admin.remove", dn=one.dn)
    assert code(talk, "admin.add", dn="/CN=after-leaving") == "denied"
    assert talk.result("own.certificate.get")["serial"] == one.serial
    office.result("admin.add", dn=one.dn)
    talk.result("admin.add", dn="/CN=back")


def test_an_ra_that_was_deleted_is_none(office, door, tmp_path):
    one = Holder(office, tmp_path, "ra-of-old", "ra")
    talk = door("wide")
    assert talk.result("session.attest", **one.evidence())["roles"] == ["ra-operator"]
    office.result("node.delete", cn=one.cn)
    assert code(talk, "crl.issue") == "auth_failed"


# ----- one's own certificate

def test_a_holder_sees_renews_and_revokes_its_own(office, door, tmp_path):
    one = Holder(office, tmp_path, "own")
    talk = door("narrow")
    talk.result("session.attest", **one.evidence())
    assert talk.result("own.certificate.get")["certificate"] == one.certificate
    renewed = talk.result("own.certificate.renew", idempotency_key="own-1")
    assert (renewed["subject"], renewed["profile"]) == (one.dn, "user") and renewed["serial"] != one.serial
    assert talk.result("own.certificate.renew", idempotency_key="own-1")["serial"] == renewed["serial"]
    other = tmp_path / "next.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other], check=True, capture_output=True)
    rekeyed = talk.result("own.certificate.renew", csr=request(other, "somebody-else"), days=2)
    assert rekeyed["subject"] == one.dn  # the request's own name does not count
    assert talk.result("own.certificate.revoke", reason="superseded")["serial"] == one.serial
    assert code(talk, "own.certificate.get") == "auth_failed"
    assert [office.result("certificate.get", serial=serial)["state"] for serial in (one.serial, renewed["serial"])] == ["revoked", "valid"]
    state = events(office, "certificate.state")[-1]
    assert (state["requester"], state["front_end"]) == (f"cert:{one.dn}", "narrow")


@pytest.mark.parametrize("method", ["get", "renew", "revoke"])
def test_a_holder_touches_no_other(office, door, tmp_path, method):
    one, other = Holder(office, tmp_path, f"mine-{method}"), Holder(office, tmp_path, f"theirs-{method}")
    talk = door("wide")
    talk.result("session.attest", **one.evidence())
    assert code(talk, f"certificate.{method}", serial=other.serial) == "denied"
    assert code(talk, f"certificate.{method}", serial=one.serial) == "denied"
    assert code(talk, f"own.certificate.{method}", serial=other.serial) == "invalid_params"
    assert code(office, f"own.certificate.{method}") == "denied"
    assert office.result("certificate.get", serial=other.serial)["state"] == "valid"


def test_a_deleted_node_stays_away(office, door, tmp_path):
    """Whatever certificates it has left: all of its name are revoked, and an older one neither renews nor makes an RA."""
    old = Holder(office, tmp_path, "deleted-ra", "ra")
    talk = door("wide")
    talk.result("session.attest", **old.evidence())
    renewed = talk.result("own.certificate.renew")["serial"]
    office.result("node.delete", cn="deleted-ra")
    assert code(talk, "own.certificate.renew") != "ok"
    assert {office.result("certificate.get", serial=one)["state"] for one in (old.serial, renewed)} == {"revoked"}
    assert office.call("node.get", cn="deleted-ra")["error"]["data"]["code"] == "not_found"


def test_an_ra_is_no_other_who_took_its_common_name(office, door, tmp_path):
    one = Holder(office, tmp_path, "namesake", "ra")
    office.result("certificate.issue", profile="user", csr=request(one.key, "namesake"))
    talk = door("wide")
    assert talk.result("session.attest", **one.evidence())["roles"] == ["anonymous"]


def test_an_administrators_new_key_needs_a_session_of_one(office, door, tmp_path):
    """Through a front end that has less, the administrator is a holder like others; with the role, the new key is bound."""
    one = Holder(office, tmp_path, "rekeyed", "admin", True)
    other = tmp_path / "rekeyed-2.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other], check=True, capture_output=True)
    talk = door("narrow")
    talk.result("session.attest", **one.evidence())
    refused = talk.call("own.certificate.renew", csr=request(other, "rekeyed"))["error"]
    assert refused["data"]["code"] == "denied" and "only an administrator" in refused["message"], refused
    assert talk.result("own.certificate.renew")["subject"] == one.dn
    talk = door("wide")
    talk.result("session.attest", **one.evidence())
    rekeyed = talk.result("own.certificate.renew", csr=request(other, "rekeyed"))["certificate"]
    assert talk.result("session.attest", evidence="certificate", certificate=rekeyed)["roles"] == ["admin"]


def test_a_holder_gets_no_more_days_than_the_profile_gives(office, door, tmp_path):
    talk = door("wide")
    talk.result("session.attest", **Holder(office, tmp_path, "long-lived").evidence())
    assert code(talk, "own.certificate.renew", days=36500) == "policy_refused"
