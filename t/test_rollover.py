"""A CA is replaced while it serves: every chain that is offered is verified by OpenSSL and GnuTLS at every step, with the old anchor and
the new one; processes die within each step; operators get in each other's way; and what must not be done is refused (doc/rollover.md)."""

import contextlib
import json
import re
import sqlite3
import subprocess
import threading

import pytest
import requests

from acme_client import Client
from conftest import System
from http01_server import Web
from test_daemon import Daemon, issue, request_for
from test_master import wait_for
from test_sweep import kill_at, lost_or_result, talk_and_worker, was_killed


RETIRE = "rollover:\n  retire: people\n"  # these tests do it; t/test_rollover_run.py lets upkeep


class Rolling(System):
    """A server whose certificates say which generation's CRL they are on."""

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        file = self.directory / "var" / "realms" / name / "ca.config.yml"
        file.write_text(file.read_text().replace(f"realms/{name}/crl", f"realms/{name}/cas/{{ca}}/crl") + RETIRE)


def run(*argv):
    return subprocess.run([str(one) for one in argv], capture_output=True, text=True, timeout=180)


def step(talk, name, **params):
    return talk.result(f"ca.rollover.{name}", **params)


def generation(talk, label):
    return talk.result("ca.get", ca=label)


def write(path, *texts):
    path.write_text("".join(texts))
    return path


def openssl_accepts(place, anchor, above, leaf, crls=()):
    extra = []
    if crls:
        extra = ["-crl_check", "-CRLfile", write(place / "crls.pem", *crls)]
    done = run("openssl", "verify", "-x509_strict", *extra, "-CAfile", write(place / "anchor.pem", anchor),
               *(["-untrusted", write(place / "above.pem", *above)] if above else []), write(place / "leaf.pem", leaf))
    return done.returncode == 0


def gnutls_accepts(place, anchor, above, leaf):
    chain = write(place / "chain.pem", leaf, *above)
    return run("certtool", "--verify", "--load-ca-certificate", write(place / "anchor.pem", anchor), "--infile", chain).returncode == 0


def chains(found):
    return [found["chain"], *(one["chain"] for one in found.get("alternates", []))]


def accepted_by(place, talk, serial, anchor):
    """Which verifiers take the certificate, with one of the chains that are offered for it."""
    found = talk.result("certificate.get", serial=serial)
    takes = set()
    for above in chains(found):
        if openssl_accepts(place, anchor, above, found["certificate"]):
            takes.add("openssl")
        if gnutls_accepts(place, anchor, above, found["certificate"]):
            takes.add("gnutls")
    return takes


BOTH = {"openssl", "gnutls"}


def test_every_chain_holds_at_every_step(tmp_path):
    with Rolling.running() as system:
        talk = system.realm("default").talk()
        held_open = system.realm("default").talk()  # a session of before, as front ends have them
        before = issue(talk, "before.localhost")["serial"]
        old_root = generation(talk, "ca")["certificate"]
        assert accepted_by(tmp_path, talk, before, old_root) == BOTH
        assert step(talk, "status")["state"] == "none"

        started = step(talk, "start")
        assert (started["state"], started["old"], started["new"], started["waits"]) == ("prepared", "ca", "ca-2", False)
        new_root = generation(talk, "ca-2")["certificate"]
        assert generation(talk, "ca-2")["phase"] == "prepared"
        assert accepted_by(tmp_path, talk, before, old_root) == BOTH
        assert accepted_by(tmp_path, talk, before, new_root) == set()
        meanwhile = issue(talk, "meanwhile.localhost")["serial"]

        assert step(talk, "publish")["state"] == "published"
        for serial in (before, meanwhile):
            for anchor in (old_root, new_root):
                assert accepted_by(tmp_path, talk, serial, anchor) == BOTH, (serial, anchor)

        status = step(talk, "switch")
        assert (status["state"], status["percent_old"] > 0) == ("draining", True)
        after = issue(talk, "after.localhost")["serial"]
        later = issue(held_open, "held.localhost")["serial"]
        for serial in (after, later):
            assert talk.result("certificate.get", serial=serial)["ca"] == "ca-2"
        for serial in (before, meanwhile, after, later):
            for anchor in (old_root, new_root):
                assert accepted_by(tmp_path, talk, serial, anchor) == BOTH, (serial, anchor)
        assert [one["name"] for one in talk.result("ca.list")["cas"]] == ["ca", "ca-2"]
        assert held_open.result("ca.get")["name"] == "ca-2"

        # CRLs: each of its own, verified by who has to rely on them.
        for serial in (before, after):
            talk.result("certificate.revoke", serial=serial, reason="superseded")
        crls = {label: talk.result("crl.issue", ca=label) for label in ("ca", "ca-2")}
        served = {label: requests.get(f"{system.http_url}/realms/default/cas/{label}/crl.pem", timeout=60).text for label in crls}
        assert served == {label: one["crl"] for label, one in crls.items()}
        assert requests.get(f"{system.http_url}/realms/default/crl.pem", timeout=60).text == served["ca"]
        certificates = {serial: talk.result("certificate.get", serial=serial) for serial in (before, meanwhile, after, later)}
        for label, root, gone, good in (("ca", old_root, before, meanwhile), ("ca-2", new_root, after, later)):
            text = run("openssl", "crl", "-noout", "-text", "-in", write(tmp_path / "crl.pem", served[label])).stdout
            serials = {one.lower() for one in re.findall(r"Serial Number: ([0-9A-F]+)", text)}
            assert gone in serials and not serials & {one for one in certificates if one != gone}, (label, serials)
            verified = run("openssl", "crl", "-noout", "-CAfile", write(tmp_path / "root.pem", root), "-in", tmp_path / "crl.pem")
            assert "verify OK" in verified.stderr, verified
            assert openssl_accepts(tmp_path, root, [], certificates[good]["certificate"], served.values())
            assert not openssl_accepts(tmp_path, root, [], certificates[gone]["certificate"], served.values())
        assert "/cas/ca-2/crl" in certificates_text(tmp_path, certificates[after]["certificate"])
        assert talk.result("ocsp.status", certificate=certificates[before]["certificate"])["status"] == "revoked"
        assert talk.result("ocsp.status", certificate=certificates[later]["certificate"])["status"] == "good"
        assert talk.result("ocsp.status", certificate=certificates[meanwhile]["certificate"])["status"] == "good"

        # What is out there for people.
        for name in ("new-with-old", "old-with-new"):
            served_cross = requests.get(f"{system.http_url}/realms/default/cas/ca-2/{name}.pem", timeout=60)
            assert served_cross.text == generation(talk, "ca-2")[name.replace("-", "_")]
        for path in ("cas/ca-9/crl", "cas/ca-9/ca.crt", "cas/ca/new-with-old.pem", "cas/ca-02/crl"):
            assert requests.get(f"{system.http_url}/realms/default/{path}", timeout=60).status_code == 404, path
        assert new_root in requests.get(f"{system.http_url}/realms/default/cas/ca-2/ca.pem", timeout=60).text

        # The old one lives as long as its certificates.
        assert talk.code("ca.rollover.retire") == "conflict"
        assert talk.code("ca.rollover.abort") == "conflict"
        for one in talk.result("certificate.search", limit=200)["certificates"]:
            if one["ca"] == "ca" and one["state"] == "valid" and one["profile"] != "cross":
                talk.result("certificate.revoke", serial=one["serial"], reason="superseded")
        assert step(talk, "status")["percent_old"] == 0
        assert talk.code("ca.rollover.retire") == "conflict"  # they are on its CRL until they expire
        expire(system.realm("default").directory, "ca")
        assert talk.code("ca.rollover.retire") == "conflict"  # a store that says so does not make it so: the signer knows
        assert generation(talk, "ca")["phase"] == "draining"
        issue(talk, "afterwards.localhost")

        # All of it survives a start.
        talk.close(), held_open.close()
        system.stop()
        system.start()
        talk = system.realm("default").talk()
        assert {one["name"]: one["phase"] for one in talk.result("ca.list")["cas"]} == {"ca": "draining", "ca-2": "active"}
        last = issue(talk, "last.localhost")["serial"]
        assert accepted_by(tmp_path, talk, last, new_root) == BOTH
        assert talk.result("audit.verify")["whole"]
        talk.close()


def expire(directory, label):
    """As if it were later: all that the generation issued is over."""
    with contextlib.closing(sqlite3.connect(directory / "db" / "realm.db", timeout=60)) as store:
        store.execute("UPDATE certificate SET not_after = not_before + 1 WHERE ca = ? AND profile <> 'cross'", (label,))
        store.commit()


def certificates_text(place, pem):
    return run("openssl", "x509", "-noout", "-text", "-in", write(place / "shown.pem", pem)).stdout


def test_acme_offers_the_other_chain_and_an_earlier_window(tmp_path):
    """RFC 8555 7.4.2 and RFC 9773."""
    with Rolling.running() as system:
        realm = system.realm("default")
        talk = realm.talk()
        old_root = generation(talk, "ca")["certificate"]
        web = Web(system.http01_port, tmp_path)
        client = Client(realm.directory_url, str(realm.https_ca_file))
        assert client.register().status_code == 201
        _, first, order_url = client.obtain(["first.localhost"], web.answers)
        url = client.post(order_url).json()["certificate"]
        assert "rel=\"alternate\"" not in client.post(url).headers.get("Link", "")
        info = client.directory["renewalInfo"] + "/" + identifier(first)
        usual = requests.get(info, verify=str(realm.https_ca_file), timeout=60).json()["suggestedWindow"]

        for name in ("start", "publish", "switch"):
            step(talk, name)
        new_root = generation(talk, "ca-2")["certificate"]
        _, second, second_url = client.obtain(["second.localhost"], web.answers)
        for order, pem, own in ((order_url, first, old_root), (second_url, second, new_root)):
            address = client.post(order).json()["certificate"]
            answer = client.post(address)
            other = re.findall(r'<([^>]+)>;\s*rel="alternate"', answer.headers["Link"])
            assert len(other) == 1, answer.headers
            alternate = client.post(other[0])
            assert alternate.headers["Content-Type"] == "application/pem-certificate-chain"
            assert f"<{address}>" in alternate.headers["Link"]
            leaf, *_ = split(pem)
            assert split(answer.text)[0] == split(alternate.text)[0] == leaf
            assert openssl_accepts(tmp_path, own, split(answer.text)[1:], leaf)
            foreign = new_root if own == old_root else old_root
            assert openssl_accepts(tmp_path, foreign, split(alternate.text)[1:], leaf)
            assert client.post(address + "?alternate=2").status_code == 404
            assert client.post(address + "?alternate=x").status_code == 404
        earlier = requests.get(info, verify=str(realm.https_ca_file), timeout=60).json()["suggestedWindow"]
        assert earlier["start"] < usual["start"]
        talk.close()
        web.stop()


def split(text):
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)


def identifier(pem):
    from cryptography import x509
    from acme_client import b64
    certificate = x509.load_pem_x509_certificate(pem.encode())
    key_id = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    number = certificate.serial_number
    return b64(key_id) + "." + b64(number.to_bytes(number.bit_length() // 8 + 1, "big"))


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Daemon(tmp_path)
    file = one.realm("default") / "ca.config.yml"
    file.write_text(file.read_text() + RETIRE)
    one.start()
    yield one
    one.end()


def reload(daemon):
    """Until the signers have read it, too."""
    daemon.hangup()


def code(talk, method, **params):
    reply = talk.call(method, **params)
    assert "error" in reply, reply
    return reply["error"]["data"]["code"]


def test_abort_before_the_switch_revokes_what_was_certified(daemon):
    with daemon.talk("default") as talk:
        for name in ("publish", "switch", "retire", "abort", "resume"):
            assert code(talk, f"ca.rollover.{name}") == "not_found", name
        for last in ("start", "publish"):
            step(talk, "start")
            if last == "publish":
                step(talk, "publish")
            label = step(talk, "status")["new"]
            assert step(talk, "abort")["state"] == "aborted"
            assert generation(talk, label)["phase"] == "aborted"
            for name in ("publish", "switch", "retire", "abort", "resume"):
                assert code(talk, f"ca.rollover.{name}") == "conflict", name
            assert talk.result("certificate.get", serial=issue(talk, "still.example.com")["serial"])["ca"] == "ca"
        assert label == "ca-3"
        crosses = [one for one in talk.result("certificate.search", profile="cross")["certificates"]]
        assert len(crosses) == 2 and {one["state"] for one in crosses} == {"revoked"}
        assert talk.result("crl.issue", ca="ca")["entries"] == 1  # new-with-old; the other is the aborted generation's own
        assert step(talk, "start")["new"] == "ca-4"


def test_of_two_operators_exactly_one_wins(daemon):
    """Each step from two sessions at once: one does it, the other is told that somebody did, and nothing is done twice."""
    for name, want in (("start", "prepared"), ("publish", "published"), ("switch", "draining")):
        talks = [daemon.talk("default") for _ in range(2)]
        replies = [None, None]

        def take(index):
            replies[index] = talks[index].call(f"ca.rollover.{name}")
        threads = [threading.Thread(target=take, args=(index,)) for index in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [one for one in replies if "result" in one]
        lost = [one for one in replies if "error" in one]
        assert len(won) == 1 and lost[0]["error"]["data"]["code"] == "conflict", replies
        assert won[0]["result"]["state"] == want
        for one in talks:
            one.__exit__()
    with daemon.talk("default") as talk:
        assert [one["name"] for one in talk.result("ca.list")["cas"]] == ["ca", "ca-2"]


def test_an_outside_ca_certifies_the_next_generation(daemon, tmp_path):
    with daemon.talk("default") as talk, daemon.talk("devices") as other:
        assert step(talk, "start", **{"from": "request"})["waits"]
        assert code(talk, "ca.rollover.publish") == "unavailable"
        request = talk.result("ca.request", ca="ca-2")
        assert request["name"] == "ca-2"
        assert code(talk, "ca.request", ca="ca") == "not_found"
        csr = write(tmp_path / "new.csr", request["request"])
        key, root = tmp_path / "root.key", tmp_path / "root.pem"
        assert run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", root,
                   "-days", 3000, "-subj", "/CN=Outside Root", "-addext", "keyUsage=critical,keyCertSign,cRLSign").returncode == 0
        extensions = write(tmp_path / "ca.ext", "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        assert run("openssl", "x509", "-req", "-in", csr, "-CA", root, "-CAkey", key, "-days", 2000, "-extfile", extensions,
                   "-out", tmp_path / "new.pem").returncode == 0
        chain = (tmp_path / "new.pem").read_text() + root.read_text()
        for bad, want in ((root.read_text(), "bad_config"), ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "malformed"),
                          (other.result("ca.get")["certificate"], "bad_config")):
            assert code(talk, "ca.import", ca="ca-2", certificate=bad) == want
        assert code(other, "ca.import", ca="ca-2", certificate=chain) == "not_found"
        talk.result("ca.import", ca="ca-2", certificate=chain)
        assert code(talk, "ca.import", ca="ca-2", certificate=chain) == "exists"
        assert step(talk, "publish")["state"] == "published"
        assert "new_with_old" not in generation(talk, "ca-2")  # somebody else stands above one of them
        step(talk, "switch")
        found = talk.result("certificate.get", serial=issue(talk, "below.example.com")["serial"])
        assert openssl_accepts(tmp_path, root.read_text(), found["chain"], found["certificate"])
        assert gnutls_accepts(tmp_path, root.read_text(), found["chain"], found["certificate"])
        old = issue(other, "elsewhere.example.com")
        assert talk.result("ocsp.status", certificate=old["certificate"])["status"] == "unknown"


def test_another_realm_of_the_server_certifies_the_next_generation(daemon, tmp_path):
    with daemon.talk("default") as talk, daemon.talk("devices") as above:
        step(talk, "start", **{"from": "request"})
        made = above.result("certificate.issue", profile="ca", csr=talk.result("ca.request", ca="ca-2")["request"])
        chain = made["certificate"] + "".join(made["chain"])
        assert code(talk, "ca.import", ca="ca-2", certificate="".join(made["chain"])) == "bad_config"
        talk.result("ca.import", ca="ca-2", certificate=chain)
        for name in ("publish", "switch"):
            step(talk, name)
        found = talk.result("certificate.get", serial=issue(talk, "under.example.com")["serial"])
        root = above.result("ca.get")["certificate"]
        assert openssl_accepts(tmp_path, root, found["chain"], found["certificate"])
        assert gnutls_accepts(tmp_path, root, found["chain"], found["certificate"])
        assert above.result("ocsp.status", certificate=made["certificate"])["status"] == "good"


def test_urls_that_are_every_generations_keep_a_rollover_from_beginning(daemon):
    file = daemon.realm("default") / "ca.config.yml"
    for setting in ("crl_urls", "ca_issuer_urls"):
        file.write_text(f"key_unencrypted: true\n{setting}: [\"http://pki.example.com/it\"]\n")
        reload(daemon)
        with daemon.talk("default") as talk:
            reply = talk.call("ca.rollover.start")["error"]
            assert reply["data"]["code"] == "bad_config" and setting in reply["message"], reply
            assert step(talk, "status")["state"] == "none"
    file.write_text("key_unencrypted: true\ncrl_urls: [\"http://pki.example.com/{ca}\"]\n")
    reload(daemon)
    with daemon.talk("default") as talk:
        assert step(talk, "start")["state"] == "prepared"


CAS = """key_unencrypted: true
cas:
  top:
    purpose: root
  tls:
    issuer: top
    profiles: [server]
"""


def test_further_cas_come_with_a_reload_and_issue_their_profiles(daemon, tmp_path):
    file = daemon.realm("default") / "ca.config.yml"
    with daemon.talk("default") as talk:
        assert code(talk, "ca.rollover.start", ca="tls") == "not_found"
        assert issue(talk, "first.example.com")["serial"]
    file.write_text(CAS)
    reload(daemon)
    with daemon.talk("default") as talk:
        assert code(talk, "certificate.issue", profile="server", csr=request_for("none.example.com")) == "unavailable"
        assert code(talk, "ca.rollover.start", ca="tls") == "unavailable"  # its root is not there
        for name in ("start", "publish", "switch"):
            done = step(talk, name, ca="top")
        assert done["state"] == "retired"  # nothing behind it drains
        assert step(talk, "start", ca="tls")["state"] == "prepared"  # taken up where it stopped
        for name in ("publish", "switch"):
            step(talk, name, ca="tls")
        made = talk.result("certificate.issue", profile="server", csr=request_for("tls.example.com"))
        root = generation(talk, "top-1")["certificate"]
        assert openssl_accepts(tmp_path, root, made["chain"], made["certificate"])
        assert gnutls_accepts(tmp_path, root, made["chain"], made["certificate"])
        assert talk.result("certificate.get", serial=made["serial"])["ca"] == "tls-1"
        user = talk.result("certificate.issue", profile="user", csr=request_for("user.example.com"))
        assert talk.result("certificate.get", serial=user["serial"])["ca"] == "ca"
        assert code(talk, "certificate.issue", profile="user", ca="tls", csr=request_for("u.example.com")) == "policy_refused"
        assert code(talk, "certificate.issue", profile="server", ca="top", csr=request_for("t.example.com")) == "policy_refused"
        assert code(talk, "certificate.issue", profile="server", ca="gone", csr=request_for("g.example.com")) == "not_found"
        named = talk.result("certificate.issue", profile="server", ca="ca", csr=request_for("n.example.com"))
        assert talk.result("certificate.get", serial=named["serial"])["ca"] == "ca"
        for label in ("ca", "tls-1", "top-1"):
            assert talk.result("crl.issue", ca=label)["ca"] == label
    file.write_text("key_unencrypted: true\n")
    reload(daemon)
    with daemon.talk("default") as talk:
        again = talk.result("certificate.issue", profile="server", csr=request_for("again.example.com"))
        assert talk.result("certificate.get", serial=again["serial"])["ca"] == "ca"


STEPS = ("start", "publish", "switch")
CALLS = {"worker": ("fdatasync", "sendto"), "signer": ("fdatasync", "rename", "sendto")}
MOST_POINTS = 60
BEFORE = {"start": 0, "publish": 1, "switch": 2, "abort": 2, "retire": 3}  # how many steps are taken before


@pytest.mark.parametrize("victim", ["worker", "signer"])
@pytest.mark.parametrize("which", [*STEPS, "abort", "retire"])
def test_F1_kill_sweep_of_a_rollover(daemon, victim, which):
    """Whoever dies at whichever point of a step: it can be done again, and then it is done once."""
    points = 0
    for call in CALLS[victim]:
        for occurrence in range(1, MOST_POINTS):
            with daemon.talk("default") as talk:
                prepare = STEPS[:BEFORE[which]]
                for name in prepare:
                    step(talk, name)
            talk, worker = talk_and_worker(daemon)
            with talk:
                pid = worker if victim == "worker" else daemon.signer("default")
                tracer = kill_at(pid, (call, occurrence))
                lost_or_result(talk, f"ca.rollover.{which}")
                killed = was_killed(pid, tracer, (call, occurrence))
            wait_for_signer(daemon)
            finish(daemon, which)
            if not killed:
                break
            points += 1
        else:
            raise AssertionError(f"still dying at {call}")
    assert points >= 2
    with daemon.talk("default") as talk:
        assert talk.result("audit.verify")["whole"]
        phases = [one["phase"] for one in talk.result("ca.list")["cas"]]
        assert phases.count("active") == 1, phases
        serial = issue(talk, "afterwards.example.com")["serial"]
        newest = [one["name"] for one in talk.result("ca.list")["cas"] if one["phase"] == "active"]
        assert talk.result("certificate.get", serial=serial)["ca"] == newest[0]


def wait_for_signer(daemon):
    """One that ends again and again is started later and later."""
    def is_ready():
        with daemon.talk() as talk:
            return any((one["kind"], one["name"], one["state"]) == ("signer", "default", "ready")
                       for one in talk.result("server.status")["processes"])
    wait_for(is_ready, 120, "the signer is ready")


WANTED = {"start": "prepared", "publish": "published", "switch": "draining", "abort": "aborted", "retire": "retired"}


def finish(daemon, which):
    """As an operator does who got no answer: looks, takes the step again if it was begun or not begun, and clears up."""
    def again():
        with daemon.talk("default") as talk:
            status = step(talk, "status")
            if status["state"] != WANTED[which]:
                reply = talk.call("ca.rollover.resume" if status["state"].endswith("ing") and status["state"] != "draining" else f"ca.rollover.{which}")
                if reply is None or "error" in reply:
                    return None
            return step(talk, "status")["state"] == WANTED[which]
    wait_for(again, 120, f"{which} is done")
    with daemon.talk("default") as talk:
        cas = talk.result("ca.list")["cas"]
        assert len({one["name"] for one in cas}) == len(cas)
        assert sum(one["phase"] == "active" for one in cas) == 1, cas
        if which in ("start", "publish"):
            step(talk, "abort")
        if which == "switch":
            step(talk, "retire")


def test_the_command_line_has_it_all(daemon):
    from conftest import BUILD

    def say(*words):
        done = run(BUILD / "chancery", "--socket", daemon.socket, "--realm", "default", "--json", *words)
        return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr
    for name, want in (("start", "prepared"), ("publish", "published"), ("switch", "draining"), ("status", "draining"), ("retire", "retired")):
        status, answer = say("ca", "rollover", name)
        assert status == 0 and answer["state"] == want, answer
    status, words = say("ca", "rollover", "abort")
    assert status != 0 and "retired" in words
    assert say("ca", "get", "--ca", "ca-2")[1]["phase"] == "active"


def test_a_realm_without_a_rollover_says_what_it_said(daemon):
    with daemon.talk("default") as talk:
        cas = talk.result("ca.list")["cas"]
        assert [(one["name"], one["state"], one["phase"]) for one in cas] == [("ca", "ready", "active")]
        assert not list((daemon.realm("default") / "cas").glob("*"))
        assert "alternates" not in talk.result("certificate.get", serial=issue(talk, "plain.example.com")["serial"])
        assert code(talk, "ca.get", ca="ca-2") == "not_found"
        assert code(talk, "crl.get", ca="tls") == "not_found"
