"""`clients: all|register|manual` of ca.config.yml: whom front ends have certificates made for (UPKI.md 4.1)."""

import re
import subprocess

import pytest

from test_zmq_roles import Office, Peer, request


class ModeOffice(Office):
    mode = "all"

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        file = self.directory / "var" / "realms" / name / "ca.config.yml"
        file.write_text(file.read_text() + f"clients: {self.mode}\n")


@pytest.fixture(scope="module", params=["all", "register", "manual"])
def office(request):
    with ModeOffice.running(mode=request.param) as one:
        yield one


def who(office, rank):
    return {"stranger": lambda: Peer(office, office.curve_port), "ra": lambda: Peer(office, office.curve_port, "ra"),
            "admin": lambda: Peer(office, office.curve_port, "admin")}[rank]()


#: what becomes of a task for a name that nobody registered: mode, task -> stranger, ra, admin
NEW = {("all", "sign"): "role ok ok", ("all", "generate"): "role ok ok", ("all", "register"): "ok ok ok",
       ("register", "sign"): "role refused ok", ("register", "generate"): "role ok ok", ("register", "register"): "ok ok ok",
       ("manual", "sign"): "role refused ok", ("manual", "generate"): "role refused ok", ("manual", "register"): "refused refused ok"}
#: and for one that an administrator had signed before
KNOWN = {("all", "sign"): "role ok ok", ("all", "renew"): "role ok ok", ("register", "sign"): "role ok ok", ("register", "renew"): "role ok ok",
         ("manual", "sign"): "role refused ok", ("manual", "renew"): "role refused ok"}
RANKS = ("stranger", "ra", "admin")


def outcome(reply):
    if reply["EVENT"] == "ANSWER":
        return "ok"
    return "role" if "needs the role" in reply["MSG"] else "refused" if re.search("is not registered|clients: manual", reply["MSG"]) else reply["MSG"]


def ask(peer, office, task, name):
    params = {"sign": lambda: {"csr": request(name), "profile": "user"}, "generate": lambda: {"cn": name, "profile": "user"},
              "register": lambda: {"cn": name, "profile": "user", "seed": office.seed}, "renew": lambda: {"dn": name}}[task]()
    return peer.ask(task, **params)


def say(peer, task, params):
    """In the older dialect."""
    peer.socket.send_json({"TASK": task, "PARAMS": params})
    return peer.socket.recv_json()


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("task", ["sign", "generate", "register"])
def test_a_name_that_nobody_registered(office, task, rank):
    name = f"new-{task}-{rank}.example.com"
    with who(office, rank) as peer:
        assert outcome(ask(peer, office, task, name)) == NEW[office.mode, task].split()[RANKS.index(rank)]


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("task", ["sign", "renew"])
def test_a_name_that_is_registered(office, task, rank):
    name = f"known-{task}-{rank}.example.com"
    with who(office, "admin") as admin:
        assert outcome(ask(admin, office, "sign", name)) == "ok"
    with who(office, rank) as peer:
        assert outcome(ask(peer, office, task, name)) == KNOWN[office.mode, task].split()[RANKS.index(rank)]


@pytest.mark.parametrize("way", ["seed", "generate"])
def test_what_registers_a_name(office, way):
    name = f"by-{way}.example.com"
    with who(office, "ra") as peer:
        first = outcome(ask(peer, office, "register" if way == "seed" else "generate", name))
        assert first == ("refused" if office.mode == "manual" else "ok")
        assert outcome(ask(peer, office, "sign", name)) == first


def test_a_registered_name_brings_no_others_in(office):
    name = "alone.example.com"
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", f"/CN={name}",
               "-addext", f"subjectAltName=DNS:{name},DNS:www.bank.example"]
    csr = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    with who(office, "admin") as admin, who(office, "ra") as ra:
        assert outcome(ask(admin, office, "sign", name)) == "ok"
        assert outcome(ra.ask("sign", csr=csr, profile="server")) == ("ok" if office.mode == "all" else "refused")
        assert outcome(admin.ask("sign", csr=csr, profile="server")) == "ok"
        assert outcome(ra.ask("sign", csr=csr, profile="server")) == ("refused" if office.mode == "manual" else "ok")


def test_uPKIs_older_programs_announce_a_name_first(office):
    with who(office, "ra") as peer:
        announced, other = (f"{one}.example.com" for one in ("announced", "unannounced"))
        assert outcome(say(peer, "register", {"profile": "user", "dn": f"/CN={announced}"})) == "ok"
        assert outcome(ask(peer, office, "sign", announced)) == ("refused" if office.mode == "manual" else "ok")
        assert outcome(ask(peer, office, "sign", other)) == ("ok" if office.mode == "all" else "refused")


def test_a_name_that_was_deleted_is_not_registered(office):
    name = "deleted.example.com"
    with who(office, "admin") as admin, who(office, "ra") as ra:
        assert outcome(ask(admin, office, "sign", name)) == "ok"
        assert outcome(admin.ask("delete", dn=name)) == "ok"
        assert outcome(ask(ra, office, "sign", name)) == ("ok" if office.mode == "all" else "refused")


def test_a_request_without_a_common_name(office):
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", "/",
               "-addext", "subjectAltName=DNS:nameless.example.com"]
    csr = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    with who(office, "ra") as peer:
        assert outcome(peer.ask("sign", csr=csr, profile="server")) == ("ok" if office.mode == "all" else "refused")


def test_operators_at_the_socket_issue_in_every_mode(office):
    talk = office.realm("default").talk()
    assert talk.result("certificate.issue", profile="user", csr=request("operated.example.com"))["subject"].endswith("CN=operated.example.com")
    talk.close()
