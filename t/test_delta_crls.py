"""Delta CRLs (RFC 5280 5.2.4): what they say, who believes them, and that they are never stale, lost or without their base."""

import re
import sqlite3
import subprocess
import time

import pytest
import requests
from cryptography import x509

from conftest import System
from test_daemon import issue, request_for
from test_master import wait_for
from test_sweep import kill_at, lost_or_result, talk_and_worker, was_killed

SETTINGS = 'key_unencrypted: true\ncrl_after_revocation: 1d\ncrl_delta: 1h\ncrl_delta_urls: ["http://ca.example.com/cas/{ca}/delta-crl"]\n'


def with_deltas(daemon, settings=SETTINGS, realm="default"):
    (daemon.realm(realm) / "ca.config.yml").write_text(settings)
    daemon.hangup()


@pytest.fixture
def office(daemon):
    with_deltas(daemon)
    with daemon.talk("default") as talk:
        wait_for(lambda: "result" in talk.call("crl.issue", kind="delta"), what="the reload")
    return daemon


def code(talk, method, **params):
    """The code of the error that a command answers with."""
    reply = talk.call(method, **params)
    assert "error" in reply, reply
    return reply["error"]["data"]["code"]


def restart(daemon):
    """Killed and started again; until it answers, and its signer."""
    def answers():
        try:
            with daemon.talk("default") as talk:
                return "result" in (talk.call("audit.list") or {})
        except (OSError, ValueError, AssertionError):  # it is not there yet, or its realm is not
            return False
    daemon.kill()
    killed = int(time.time())
    wait_for(lambda: int(time.time()) > killed, what="another second, so that what was done before is nobody's request in hand")
    daemon.start()
    wait_for(answers, what="the daemon answers again")


def delta(talk, **params):
    return talk.result("crl.issue", kind="delta", **params)


def on(crl):
    """Serial -> reason, as the cryptography package reads it."""
    out = {}
    for entry in x509.load_pem_x509_crl(crl["crl"].encode()):
        reasons = [one.value.reason.name for one in entry.extensions if isinstance(one.value, x509.CRLReason)]
        out[entry.serial_number] = reasons[0] if reasons else "unspecified"
    return out


def extension(crl, kind):
    return x509.load_pem_x509_crl(crl["crl"].encode()).extensions.get_extension_for_class(kind)


def write(path, *texts):
    path.write_text("".join(texts))
    return path


def openssl_says(place, talk, certificate, *crls):
    """What `openssl verify` says of a certificate with these CRLs, deltas used."""
    ca = write(place / "ca.pem", talk.result("ca.chain")["chain"])
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-crl_check", "-use_deltas", "-extended_crl", "-CAfile", ca,
                           "-CRLfile", write(place / "crls.pem", *[one["crl"] for one in crls]), write(place / "leaf.pem", certificate)],
                          capture_output=True, text=True)
    return "good" if done.returncode == 0 else "revoked" if "certificate revoked" in done.stderr else done.stderr


def test_a_delta_crl_says_what_changed_and_openssl_follows_it(office, tmp_path):
    with office.talk("default") as talk:
        early, late, held, kept = (issue(talk, f"{name}.example.com") for name in ("early", "late", "held", "kept"))
        talk.result("certificate.revoke", serial=early["serial"])
        talk.result("certificate.revoke", serial=held["serial"], reason="certificateHold")
        full = talk.result("crl.issue")
        talk.result("certificate.revoke", serial=late["serial"], reason="keyCompromise")
        talk.result("certificate.unrevoke", serial=held["serial"])
        made = delta(talk)
        assert made["base"] == full["number"] and made["number"] > full["number"] and made["issued"]
        assert on(made) == {int(late["serial"], 16): "key_compromise", int(held["serial"], 16): "remove_from_crl"}
        assert extension(made, x509.DeltaCRLIndicator).critical and extension(made, x509.DeltaCRLIndicator).value.crl_number == full["number"]
        assert talk.result("crl.get", kind="delta")["crl"] == made["crl"] and talk.result("crl.get")["crl"] == full["crl"]
        freshest = "http://ca.example.com/cas/ca/delta-crl"
        assert extension(full, x509.FreshestCRL).value[0].full_name[0].value == freshest
        leaf = x509.load_pem_x509_certificate(kept["certificate"].encode())
        assert leaf.extensions.get_extension_for_class(x509.FreshestCRL).value[0].full_name[0].value == freshest
        said = {name: (openssl_says(tmp_path, talk, one["certificate"], full), openssl_says(tmp_path, talk, one["certificate"], full, made))
                for name, one in {"early": early, "late": late, "held": held, "kept": kept}.items()}
        assert said == {"early": ("revoked", "revoked"), "late": ("good", "revoked"), "held": ("revoked", "good"), "kept": ("good", "good")}


@pytest.mark.parametrize("says, has_it", [("freshest_crl: true\n", True), ("", True), ("freshest_crl: false\n", False)], ids=["true", "unsaid", "false"])
def test_a_profile_says_whether_its_certificates_tell_of_delta_crls(office, says, has_it):
    profiles = office.realm("default") / "profiles"
    profiles.mkdir(exist_ok=True)
    (profiles / "server.yml").write_text("duration: 7\n" + says)
    office.hangup()

    def issued():
        """By the profile of before the reload it would be for longer."""
        with office.talk("default") as talk:
            leaf = x509.load_pem_x509_certificate(issue(talk, "plain.example.com")["certificate"].encode())
        return leaf if (leaf.not_valid_after - leaf.not_valid_before).days <= 7 else None
    leaf = wait_for(issued, what="the profile")
    assert any(isinstance(one.value, x509.FreshestCRL) for one in leaf.extensions) == has_it
    with office.talk("default") as talk:
        assert extension(talk.result("crl.issue"), x509.FreshestCRL)  # the CRL is the realm's


def test_gnutls_reads_it(office, tmp_path):
    with office.talk("default") as talk:
        serial = issue(talk, "gnutls.example.com")["serial"]
        talk.result("crl.issue")
        talk.result("certificate.revoke", serial=serial)
        made = delta(talk)
        shown = subprocess.run(["certtool", "--crl-info", "--infile", write(tmp_path / "delta.pem", made["crl"])], check=True, capture_output=True, text=True).stdout
        assert serial in re.sub(r"[^0-9a-f]", "", shown.lower()) and "CRL Number" in shown
        checked = subprocess.run(["certtool", "--verify-crl", "--load-ca-certificate", write(tmp_path / "ca.pem", talk.result("ca.chain")["chain"]),
                                  "--infile", tmp_path / "delta.pem"], capture_output=True, text=True)
        # It checks the signature; a critical extension that it does not know makes it refuse to go on, as RFC 5280 5.2 wants.
        assert "Not verified" not in checked.stdout + checked.stderr or "critical" in (checked.stdout + checked.stderr).lower()


def test_C8_numbers_are_of_one_sequence_and_rise_across_a_restart(office):
    with office.talk("default") as talk:
        numbers = [talk.result("crl.issue", kind=kind)["number"] for kind in ("full", "delta", "delta", "full", "delta")]
    restart(office)
    with office.talk("default") as talk:
        numbers += [talk.result("crl.issue", kind=kind)["number"] for kind in ("delta", "full")]
    assert numbers == sorted(set(numbers))


def test_C8_a_delta_crl_is_made_at_half_its_life_and_to_each_full_one(office):
    def age(seconds):
        with sqlite3.connect(office.realm("default") / "db" / "realm.db", timeout=60) as connection:
            assert connection.execute("UPDATE crl_delta SET this_update = this_update - ?, next_update = next_update - ?", (seconds, seconds)).rowcount

    with office.talk("default") as talk:
        talk.result("crl.issue")
        first = delta(talk)
        assert delta(talk, if_due=True)["number"] == first["number"]
        age(3000)
        assert delta(talk, if_due=True)["number"] == first["number"]
        age(601)
        second = delta(talk, if_due=True)
        assert second["number"] > first["number"] and second["base"] == first["base"]
        full = talk.result("crl.issue")
        third = delta(talk, if_due=True)
        assert third["base"] == full["number"]


def test_upkeep_makes_them_and_they_stay_apart_by_realm(daemon):
    with_deltas(daemon, SETTINGS.replace("crl_delta: 1h", "crl_delta: 10s"))
    with daemon.talk("default") as talk, daemon.talk("devices") as other:
        wait_for(lambda: "result" in talk.call("crl.get", kind="delta"), what="a delta CRL that nobody asked for")
        serial = issue(talk, "soon.example.com")["serial"]
        talk.result("certificate.revoke", serial=serial)
        full = talk.result("crl.get")["number"]
        wait_for(lambda: int(serial, 16) in on(talk.result("crl.get", kind="delta")), 60, what="the revocation on a delta CRL")
        assert talk.result("crl.get")["number"] == full, "no full one was made for it"
        assert code(other, "crl.get", kind="delta") == "not_found" == code(other, "crl.issue", kind="delta")


def test_what_appeared_on_a_delta_stays_until_a_full_one_shows_it(office):
    with office.talk("default") as talk:
        serial = issue(talk, "stays.example.com")["serial"]
        talk.result("crl.issue")
        talk.result("certificate.revoke", serial=serial)
        assert all(int(serial, 16) in on(delta(talk)) for _ in range(3))
        assert int(serial, 16) in on(talk.result("crl.issue"))
        assert on(delta(talk)) == {}


def test_bad_asks_are_refused(office):
    with office.talk("default") as talk:
        assert code(talk, "crl.get", kind="other") == "invalid_params"
        assert code(talk, "crl.issue", kind="") == "invalid_params"
        assert code(talk, "crl.get", kind="delta", ca="ca-2") == "not_found"


def test_a_base_that_was_stored_and_not_published_is_published_first(office):
    """As after a crash between the store and the file; and with the file lost."""
    with office.talk("default") as talk:
        old = (office.realm("default") / "crl.pem").read_bytes()
        full = talk.result("crl.issue")
        (office.realm("default") / "crl.pem").write_bytes(old)
        made = delta(talk)
        assert made["base"] == full["number"]
        assert (office.realm("default") / "crl.pem").read_text() == full["crl"]
        (office.realm("default") / "crl.pem").unlink()
        assert delta(talk)["base"] == full["number"]
        assert (office.realm("default") / "delta-crl.pem").read_text() == talk.result("crl.get", kind="delta")["crl"]


@pytest.mark.parametrize("victim", ["worker", "signer"])
def test_F20_killed_while_one_is_made(office, victim):
    """At each write: what is served stays whole, numbers are not given twice, and the next one comes."""
    served = set()
    for occurrence in range(1, 40):
        talk, worker = talk_and_worker(office)
        pid = worker if victim == "worker" else office.signer("default")
        with talk:
            point = ("pwrite64" if victim == "worker" else "fdatasync", occurrence)
            tracer = kill_at(pid, point)
            lost_or_result(talk, "crl.issue", kind="delta")
            killed = was_killed(pid, tracer, point)
        if victim == "signer":
            office.signer("default")
        with office.talk("default") as after:
            now = after.result("crl.get", kind="delta")
            assert x509.load_pem_x509_crl(now["crl"].encode()).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == now["number"]
            assert now["base"] <= now["number"] - 1
            made = wait_for(lambda: after.call("crl.issue", kind="delta").get("result"), what="a delta CRL after the kill")
            assert made["number"] > now["number"] and made["number"] not in served
            served.add(made["number"])
        if not killed:
            break
    else:
        pytest.fail("it was still killed at the last point")


class Serving(System):
    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        file = self.directory / "var" / "realms" / name / "ca.config.yml"
        if name == "default":
            file.write_text(file.read_text() + f'crl_delta: 10m\ncrl_delta_urls: ["http://localhost:{self.http_port}/realms/{name}/cas/{{ca}}/delta-crl"]\n')


def test_it_is_served_over_http_beside_the_full_one():
    with Serving.running() as system:
        talk = system.realm("default").talk()
        serial = talk.result("certificate.issue", profile="server", csr=request_for("http.example.com"))
        leaf = x509.load_pem_x509_certificate(serial["certificate"].encode())
        url = leaf.extensions.get_extension_for_class(x509.FreshestCRL).value[0].full_name[0].value
        talk.result("crl.issue")
        talk.result("certificate.revoke", serial=serial["serial"])
        made = delta(talk)
        for one in (url, f"{system.http_url}/delta-crl", f"{system.http_url}/realms/default/cas/ca/delta-crl"):
            answer = requests.get(one, timeout=60)
            assert answer.headers["Content-Type"] == "application/pkix-crl", one
            assert leaf.serial_number in [entry.serial_number for entry in x509.load_der_x509_crl(answer.content)]
        assert requests.get(f"{system.http_url}/delta-crl.pem", timeout=60).text == made["crl"]
        assert requests.get(f"{system.http_url}/realms/devices/delta-crl", timeout=60).status_code == 404
        assert requests.get(f"{system.http_url}/cas/ca-2/delta-crl", timeout=60).status_code == 404
        talk.close()
