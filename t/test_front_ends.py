"""Front ends on other machines: the task `command` at port 5000, for peers whose row says frontend, and for nobody else."""

import json
import re
import tempfile

import pytest
import zmq

from conftest import free_ports
from test_attest import Holder, self_signed
from test_audit import events
from test_zmq_roles import Office, Peer, xml

ROWS = {"narrow": ("default", "frontend"), "wide": ("default", "frontend ra-operator admin"), "ra": ("default", "ra-operator"), "admin": ("default", "admin"),
        "far": ("devices", "frontend")}


class Host(Office):
    """The CA's machine: an endpoint over CURVE, one whose loopback peers speak for others, one whose do not, one for strangers."""

    def lay_out(self):
        super(Office, self).lay_out()
        self.open_port, self.curve_port, self.plain_port = free_ports(3, run=2)
        self.server_key = self.make_key("server")
        self.keys = {name: self.make_key(name) for name in (*ROWS, "unknown")}
        self.write_rows(ROWS)

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        profiles = self.directory / "var" / "realms" / name / "profiles"
        profiles.mkdir()
        (profiles / "ra.yml").write_text("key: ec:P-256\n")  # an RSA pair may take longer than a client waits, on a busy machine

    def write_rows(self, rows):
        peers = "".join(f'<peer name="{name}" key="{xml(self.keys[name])}" realm="{realm}" roles="{roles}"/>\n' for name, (realm, roles) in rows.items())
        file = self.directory / "etc" / "chancery.xml"
        text = re.sub(r"<zmq>.*</chancery>", "</chancery>", file.read_text(), flags=re.DOTALL)
        file.write_text(text.replace("</chancery>", f"""<zmq>
    <endpoint address="127.0.0.1" port="{self.zmq_port}" realm="default" loopback-peers="frontend"/>
    <endpoint address="127.0.0.1" port="{self.plain_port}" realm="default" loopback-peers="ra-operator admin"/>
    <endpoint address="127.0.0.1" port="{self.open_port}" realm="default"/>
    <endpoint address="127.0.0.1" port="{self.curve_port}" realm="default" server-key-file="server.curve"/>
  </zmq>
  <zmq-peers>
  {peers}</zmq-peers>
</chancery>"""))


@pytest.fixture(scope="module")
def host():
    with tempfile.TemporaryDirectory(prefix="chancery-host-") as directory:
        one = Host(directory)
        one.lay_out()
        one.start()
        yield one
        one.stop()


@pytest.fixture(scope="module")
def office(host):
    talk = host.realm("default").talk()
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def holders(office, tmp_path_factory):
    directory = tmp_path_factory.mktemp("holders")
    return {"admin": Holder(office, directory, "front-admin", "admin", True), "user": Holder(office, directory, "front-user")}


def by(host, name):
    return Peer(host, host.curve_port, name)


def command(peer, method, _for=None, _certificate=None, _realm=None, **params):
    message = {"method": method, "params": params, "for": _for, "certificate": _certificate, "realm": _realm}
    return peer.ask("command", **{name: value for name, value in message.items() if value is not None})


def result(reply):
    assert reply["EVENT"] == "ANSWER" and "result" in reply["DATA"], reply
    return reply["DATA"]["result"]


def code(reply):
    assert reply["EVENT"] == "ANSWER" and "error" in reply["DATA"], reply
    return reply["DATA"]["error"]["data"]["code"]


def refused(reply, text):
    assert reply["EVENT"] == "UPKI ERROR" and text in reply["MSG"], reply


# ----- who may

def test_a_front_end_has_what_its_row_says(host):
    with by(host, "narrow") as peer:
        assert result(command(peer, "ca.get"))["certificate"] == host.realm("default").ca_file.read_text()
        assert "profiles" in result(command(peer, "acme.realm.get", _for="http:192.0.2.1"))
        own = result(command(peer, "session.whoami"))
        assert (own["realm"], own["identity"], own["roles"]) == ("default", "curve:narrow", ["frontend"])
        assert code(command(peer, "crl.issue")) == "denied" and code(command(peer, "admin.add", dn="/CN=x")) == "denied"
        assert code(command(peer, "profile.get", profile="nope")) == "not_found"
    with by(host, "wide") as peer:
        assert "crl" in result(command(peer, "crl.issue"))


def test_loopback_peers_speak_for_others_where_the_endpoint_says_so(host):
    with Peer(host, host.zmq_port) as peer:
        assert result(command(peer, "session.whoami"))["identity"] == "loopback"
        assert "profiles" in result(command(peer, "acme.realm.get", _for="http:192.0.2.1"))
        assert code(command(peer, "crl.issue")) == "denied"


@pytest.mark.parametrize("port,key,has", [("curve_port", "ra", "curve:ra has ra-operator"), ("curve_port", "admin", "curve:admin has admin"),
                                          ("curve_port", None, "anybody has anonymous"), ("open_port", None, "anybody has anonymous"),
                                          ("plain_port", None, "loopback has ra-operator, admin")])
def test_C22_nobody_else_speaks_for_others(host, holders, port, key, has):
    with Peer(host, getattr(host, port), key) as peer:
        for certificate in (None, holders["admin"].certificate):
            for method in ("ca.get", "session.attest", "admin.list"):
                refused(command(peer, method, _certificate=certificate), f"to speak for others needs the role frontend, {has}")
        assert peer.ask("get_ca")["EVENT"] == "ANSWER"


@pytest.mark.parametrize("key", ["unknown", "far"])
def test_an_unknown_key_and_another_realms_do_not_come_in(host, key):
    with by(host, key) as peer:
        peer.try_to_send("command", method="ca.get")
        assert peer.fate() == "unknown key" and not peer.socket.poll(0)


# ----- what it carries

@pytest.mark.parametrize("method", ["session.open", "session.login", "session.close", "node.register", "listener.certify", "server.log_level", "server.status",
                                    "server.describe", "realm.list"])
def test_what_is_no_business_of_a_front_end_elsewhere_is_not_carried(host, method):
    with by(host, "wide") as peer:
        refused(command(peer, method, realm="devices"), f"{method} is not carried")


@pytest.mark.parametrize("params,text", [
    ({}, "Missing method parameter"), ({"method": ["ca.get"]}, "method is an array"), ({"method": "ca.gte"}, "Unknown command: ca.gte"),
    ({"method": "ca.get", "params": "x"}, "params of the command is a text"), ({"method": "ca.get", "for": 7}, "for is an integer"),
    ({"method": "ca.get", "certificate": {}}, "certificate is an object"), ({"method": "ca.get", "realm": "devices"}, 'no realm "devices" at this port'),
    ({"method": "ca.get", "realm": "../default"}, "no realm")])
def test_a_message_that_cannot_be_is_refused(host, params, text):
    with by(host, "wide") as peer:
        refused(peer.ask("command", **params), text)
        assert result(command(peer, "ca.get", _realm="default"))


@pytest.mark.parametrize("said,params,want", [({"certificate": "garbage"}, {}, "malformed"), ({"for": "x" * 129}, {}, "too_large"), ({"for": "a\nb"}, {}, "malformed"),
                                              ({}, {"unknown": 1}, "invalid_params")])
def test_what_the_daemon_refuses_comes_with_its_code(host, said, params, want):
    with by(host, "wide") as peer:
        assert code(peer.ask("command", method="ca.get", params=params, **said)) == want


def test_D11_an_oversized_command_is_refused_and_the_next_one_served(host):
    with Peer(host, host.zmq_port) as peer:
        refused(command(peer, "certificate.issue", csr="x" * (1 << 20), profile="server"), "[200]")
        assert result(command(peer, "ca.get"))
    with by(host, "wide") as peer:
        peer.send("command", method="certificate.issue", params={"csr": "x" * (2 << 20)})
        assert peer.fate() == "in" and peer.fate() == "dropped"  # nothing can be answered inside the encryption
    with by(host, "wide") as peer:
        assert result(command(peer, "ca.get"))


# ----- for whom

def test_C17_the_audit_stream_has_the_whole_chain(host, office, holders, tmp_path):
    with by(host, "wide") as peer:
        assert result(command(peer, "admin.add", _certificate=holders["admin"].certificate, dn="/CN=chained"))
        for event in events(office, "admin.add")[-2:]:
            assert (event["requester"], event["front_end"], event["roles"]) == (f"cert:{holders['admin'].dn}", "zmq/curve:wide", "admin"), event
        from test_attest import request
        made = result(command(peer, "certificate.issue", _for="acme:somebody", profile="user", csr=request(holders["user"].key, "chained")))
    seen = office.result("certificate.get", serial=made["serial"])
    assert (seen["requester"], seen["front_end"]) == ("acme:somebody", "zmq/curve:wide")
    with by(host, "ra") as peer:
        refused(command(peer, "admin.add", _certificate=holders["admin"].certificate, dn="/CN=never"), "needs the role")
    assert "/CN=never" not in office.result("admin.list")["admins"]


def test_C22_a_holder_is_never_more_than_the_front_end(host, holders):
    admin, user = holders["admin"].certificate, holders["user"].certificate
    with by(host, "narrow") as peer:
        assert result(command(peer, "session.attest", _certificate=admin))["roles"] == ["frontend"]
        assert code(command(peer, "admin.add", _certificate=admin, dn="/CN=never")) == "denied"
    with by(host, "wide") as peer:
        seen = result(command(peer, "session.attest", _certificate=user))
        assert (seen["roles"], seen["serial"], seen["profile"]) == (["anonymous"], holders["user"].serial, "user")
        assert code(command(peer, "admin.list", _certificate=user)) == "denied"
        assert result(command(peer, "own.certificate.get", _certificate=user))["serial"] == holders["user"].serial
        assert code(command(peer, "own.certificate.get")) == "denied"
        assert code(command(peer, "admin.list", _certificate=user, _for="acme:somebody")) == "denied"  # one of the two


def test_each_message_is_for_whom_it_names(host, holders):
    """Threads and their sessions serve anybody: nothing of the message before is left."""
    admin, user = holders["admin"].certificate, holders["user"].certificate
    with by(host, "wide") as wide, by(host, "narrow") as narrow, by(host, "ra") as ra:
        for _ in range(8):
            assert "/CN=" in "".join(result(command(wide, "admin.list", _certificate=admin))["admins"])
            assert code(command(wide, "admin.list", _certificate=user)) == "denied"
            assert result(command(narrow, "session.whoami"))["roles"] == ["frontend"]
            assert result(command(wide, "session.whoami"))["roles"] == ["admin"]
            assert ra.ask("list_admins")["EVENT"] == "ANSWER"
            refused(command(ra, "admin.list"), "needs the role")


def test_C22_a_certificate_counts_as_long_as_it_holds(host, office, tmp_path):
    one = Holder(office, tmp_path, "front-ending", "admin", True)
    with by(host, "wide") as peer:
        assert result(command(peer, "admin.list", _certificate=one.certificate))
        office.result("certificate.revoke", serial=one.serial)
        assert code(command(peer, "admin.list", _certificate=one.certificate)) == "auth_failed"
        assert code(command(peer, "session.attest", _certificate=one.certificate)) == "auth_failed"
        assert code(command(peer, "session.attest", _certificate=self_signed(one.key, "/CN=front-ending"))) == "auth_failed"
        devices = host.realm("devices").talk()
        assert code(command(peer, "admin.list", _certificate=Holder(devices, tmp_path, "front-elsewhere", "admin", True).certificate)) == "auth_failed"
        devices.close()
        assert result(command(peer, "ca.get"))


def test_peers_that_go_leave_nothing_behind(host, holders):
    for i in range(20):
        one = zmq.Context.instance().socket(zmq.DEALER)
        one.linger = 0
        one.curve_serverkey = host.server_key.encode()
        one.curve_publickey, one.curve_secretkey = host.keys["wide"].encode(), host.secret("wide").encode()
        one.connect(f"tcp://127.0.0.1:{host.curve_port}")
        one.sndtimeo = 15000
        one.send_multipart([b"", json.dumps({"TASK": "command", "params": {"method": "admin.list", "certificate": holders["admin"].certificate}}).encode()])
        one.close()
    with by(host, "ra") as peer:
        assert peer.ask("list_admins")["EVENT"] == "ANSWER"
        refused(command(peer, "ca.get"), "needs the role")
