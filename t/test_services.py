"""OCSP responders and RAs of a realm (doc/services.md): keys that are no CA's, which the signer alone has. What they say is read by
OpenSSL, GnuTLS and the cryptography package; who may not, who is elsewhere and what is broken is refused."""

import base64
import os
import signal
import sqlite3
import subprocess
import urllib.parse

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from conftest import System
from test_daemon import issue
from test_master import wait_for

SERVICES = """cas:
  va: {purpose: ocsp, validity: 30d, answers_valid_for: 1h}
  scep: {purpose: ra, key: "rsa:2048"}
"""
OTHERS = "2.16.840.1.113733.1.9"  # SCEP's attributes (RFC 8894 3.2.1)


class Serving(System):
    """Realm `default` has services, realm `devices` has none."""

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        file = self.directory / "var" / "realms" / name / "ca.config.yml"
        text = file.read_text().replace(f"realms/{name}/crl", f"realms/{name}/cas/{{ca}}/crl")
        if name == "default":
            text += f'ocsp_urls: ["http://localhost:{self.http_port}/ocsp"]\n' + SERVICES
        file.write_text(text)

    def start(self):
        super().start()
        talk = self.realm("default").talk()
        wait_for(lambda: {"va", "scep"} <= {one["ca"] for one in services(talk) if one["state"] == "ready"}, what="upkeep makes the keys")
        talk.result("ca.service.renew")  # upkeep may be about to store them
        talk.close()


@pytest.fixture(scope="module")
def office():
    with Serving.running() as one:
        yield one


@pytest.fixture
def talk(office):
    one = office.realm("default").talk()
    yield one
    one.close()


def services(talk):
    return [one for one in talk.result("ca.list")["cas"] if one.get("purpose") in ("ocsp", "ra")]


def newest(talk, name):
    return max((one for one in services(talk) if one["ca"] == name and one["phase"] == "active"), key=lambda one: one["generation"])


def write(path, *texts):
    path.write_text("".join(texts))
    return path


def run(*argv, **more):
    return subprocess.run([str(one) for one in argv], capture_output=True, timeout=60, **more)


def loaded(pem):
    return x509.load_pem_x509_certificate(pem.encode())


def loaded_serial(pem):
    return loaded(pem).serial_number.to_bytes(19, "big").hex()


def request_about(talk, certificate, algorithm=None, issuer=None):
    builder = ocsp.OCSPRequestBuilder().add_certificate(loaded(certificate), loaded(issuer or talk.result("ca.get")["certificate"]),
                                                        algorithm or hashes.SHA1())
    return builder.build().public_bytes(Encoding.DER)


def ask(office, der, realm="default", **headers):
    return requests.post(f"{office.http_url}/realms/{realm}/ocsp", data=der, timeout=60,
                         headers={"Content-Type": "application/ocsp-request", **headers})


def said(office, der, **more):
    reply = ask(office, der, **more)
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/ocsp-response", reply.text
    return ocsp.load_der_ocsp_response(reply.content)


def openssl_says(office, talk, place, certificate, *more):
    ca = write(place / "ca.pem", talk.result("ca.chain")["chain"])
    done = run("openssl", "ocsp", *more, "-issuer", ca, "-CAfile", ca, "-cert", write(place / "leaf.pem", certificate), "-url",
               f"{office.http_url}/ocsp", text=True)
    assert "Response verify OK" in done.stderr, done.stdout + done.stderr
    return next(line.split(": ", 1)[1] for line in done.stdout.splitlines() if line.startswith(str(place / "leaf.pem")))


def test_a_responder_is_certified_by_its_ca_for_that_alone(talk, tmp_path):
    one = newest(talk, "va")
    certificate = loaded(one["certificate"])
    assert one["certified_by"] == "ca" and one["generation"] >= 1 and one["name"].startswith("va-")
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [x509.ExtendedKeyUsageOID.OCSP_SIGNING]
    assert certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and not usage.key_cert_sign and not usage.crl_sign
    ca = write(tmp_path / "ca.pem", talk.result("ca.get")["certificate"])
    assert run("openssl", "verify", "-x509_strict", "-CAfile", ca, write(tmp_path / "va.pem", one["certificate"])).returncode == 0
    lived = certificate.not_valid_after - certificate.not_valid_before
    assert 29 <= lived.days <= 30
    wait_for(lambda: one["serial"] in [row["serial"] for row in talk.result("certificate.search", profile="ocsp")["certificates"]],
             what="the certificate is in the store")
    assert not [row for row in talk.result("node.list")["nodes"] if row["cn"] in ("default va", "default scep")]


def test_an_ra_has_a_key_that_opens_and_signs(talk):
    certificate = loaded(newest(talk, "scep")["certificate"])
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and usage.key_encipherment and certificate.public_key().key_size == 2048
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)


def test_C9_openssl_and_gnutls_are_told_good_revoked_and_unknown(office, talk, tmp_path):
    leaf = issue(talk, "ocsp.example.com")
    assert f"{office.http_url}/ocsp" in run("openssl", "x509", "-noout", "-ocsp_uri", "-in", write(tmp_path / "x.pem", leaf["certificate"]), text=True).stdout
    assert openssl_says(office, talk, tmp_path, leaf["certificate"]) == "good"
    assert openssl_says(office, talk, tmp_path, leaf["certificate"], "-sha256") == "good"
    talk.result("certificate.revoke", serial=leaf["serial"], reason="certificateHold")
    assert openssl_says(office, talk, tmp_path, leaf["certificate"]) == "revoked"
    talk.result("certificate.unrevoke", serial=leaf["serial"])
    assert openssl_says(office, talk, tmp_path, leaf["certificate"]) == "good"
    talk.result("certificate.revoke", serial=leaf["serial"], reason="keyCompromise")
    assert openssl_says(office, talk, tmp_path, leaf["certificate"], "-no_nonce") == "revoked"
    one = said(office, request_about(talk, leaf["certificate"]))
    assert one.certificate_status == ocsp.OCSPCertStatus.REVOKED and one.revocation_reason == x509.ReasonFlags.key_compromise
    assert (one.next_update - one.this_update).total_seconds() == 3600 and one.produced_at == one.this_update
    ca = tmp_path / "ca.pem"
    gnutls = run("ocsptool", f"--ask={office.http_url}/ocsp", "--load-cert", tmp_path / "leaf.pem", "--load-issuer", ca,
                 "--load-trust", ca, text=True)
    assert "Certificate Status: revoked" in gnutls.stdout and "Verifying OCSP Response: Success" in gnutls.stdout, gnutls.stdout + gnutls.stderr
    other = issue(talk, "other.example.com")
    gnutls = run("ocsptool", f"--ask={office.http_url}/ocsp", "--load-cert", write(tmp_path / "o.pem", other["certificate"]), "--load-issuer", ca,
                 "--load-trust", ca, "--nonce", text=True)
    assert "Certificate Status: good" in gnutls.stdout and "Verifying OCSP Response: Success" in gnutls.stdout, gnutls.stdout + gnutls.stderr
    done = run("openssl", "ocsp", "-issuer", ca, "-CAfile", ca, "-serial", "0x1234567890", "-url", f"{office.http_url}/ocsp", text=True)
    assert "0x1234567890: unknown" in done.stdout and "Response verify OK" in done.stderr


def test_several_are_answered_at_once_each_for_itself(office, talk, tmp_path):
    leaves = [issue(talk, f"many{i}.example.com") for i in range(3)]
    talk.result("certificate.revoke", serial=leaves[1]["serial"])
    ca = write(tmp_path / "ca.pem", talk.result("ca.chain")["chain"])
    files = [write(tmp_path / f"{i}.pem", one["certificate"]) for i, one in enumerate(leaves)]
    done = run("openssl", "ocsp", "-issuer", ca, "-CAfile", ca, *[part for file in files for part in ("-cert", file)], "-url",
               f"{office.http_url}/ocsp", text=True)
    assert [line.split(": ")[1] for line in done.stdout.splitlines() if line.startswith(str(tmp_path))] == ["good", "revoked", "good"], done.stdout


def test_a_get_is_answered_for_caches_and_a_post_for_nobody_else(office, talk):
    leaf = issue(talk, "get.example.com")
    der = request_about(talk, leaf["certificate"])
    text = base64.b64encode(der).decode()
    for path in (urllib.parse.quote(text, safe=""), text):  # RFC 6960 A.1, and who forgets to escape
        reply = requests.get(f"{office.http_url}/ocsp/{path}", timeout=60)
        if "//" in path:
            continue  # such a path is none
        assert reply.status_code == 200, (path, reply.text)
        assert ocsp.load_der_ocsp_response(reply.content).certificate_status == ocsp.OCSPCertStatus.GOOD
        assert reply.headers["Cache-Control"] == "max-age=3600, public, no-transform, must-revalidate"
    assert ask(office, der).headers["Cache-Control"] == "no-store"
    nonce = ocsp.OCSPRequestBuilder().add_certificate(loaded(leaf["certificate"]), loaded(talk.result("ca.get")["certificate"]), hashes.SHA1())
    nonce = nonce.add_extension(x509.OCSPNonce(bytes(range(16))), False).build().public_bytes(Encoding.DER)
    reply = requests.get(f"{office.http_url}/ocsp/{urllib.parse.quote(base64.b64encode(nonce).decode(), safe='')}", timeout=60)
    assert reply.headers["Cache-Control"] == "no-store"
    answer = ocsp.load_der_ocsp_response(reply.content)
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == bytes(range(16))


def test_an_encoded_slash_is_an_error_everywhere_else(office):
    for path in ("crl%2f", "cas/ca%2fcrl", "ocsp%2fx"):
        assert requests.get(f"{office.http_url}/{path}", timeout=60).status_code == 400
    for path in ("ocsp/%2e%2e", "ocsp/a%00", "ocsp/.."):
        prepared = requests.Request("GET", office.http_url).prepare()
        prepared.url = f"{office.http_url}/{path}"
        assert requests.Session().send(prepared, timeout=60).status_code in (400, 404)


def status_of(office, der, **more):
    return said(office, der, **more).response_status.name


def test_what_is_no_request_is_malformed_and_who_is_not_served_unauthorized(office, talk):
    leaf = issue(talk, "refused.example.com")["certificate"]
    good = request_about(talk, leaf)
    for bad in (b"x", good[:-1], good + b"\0", b"\x30\x00", os.urandom(300), b"\x30\x80" + good[2:] + b"\0\0"):
        assert status_of(office, bad) == "MALFORMED_REQUEST", bad
    assert ask(office, b"x" * 9000).status_code == 413
    assert ask(office, good, **{"Content-Type": "text/plain"}).status_code == 415
    assert requests.get(f"{office.http_url}/ocsp", timeout=60).status_code == 405
    by_get = requests.get(f"{office.http_url}/ocsp/!!!", timeout=60)
    assert ocsp.load_der_ocsp_response(by_get.content).response_status.name == "MALFORMED_REQUEST"
    devices = office.realm("devices").talk()
    other = issue(devices, "else.example.com")["certificate"]
    about_other = request_about(devices, other)
    assert status_of(office, about_other) == "UNAUTHORIZED"                    # another realm's CA is nobody here
    assert status_of(office, about_other, realm="devices") == "UNAUTHORIZED"   # which has no responder
    assert status_of(office, good, realm="devices") == "UNAUTHORIZED"
    assert ask(office, good, realm="nowhere").status_code == 404
    assert devices.result("ca.service.renew") == {"services": []}
    devices.close()
    assert talk.result("ocsp.answer", request="!!")["status"] == "malformed_request"


@pytest.mark.parametrize("serial, says", [(b"\x02\x00", "MALFORMED_REQUEST"), (b"\x02\x02\x00\x01", "MALFORMED_REQUEST"), (b"\x02\x02\xff\x80", "MALFORMED_REQUEST"),
                                          (b"\x02\x01\x01", "SUCCESSFUL"), (b"\x02\x02\x00\xff", "SUCCESSFUL"), (b"\x02\x01\xff", "SUCCESSFUL")],
                         ids=["of no octets", "longer than it is", "longer, negative", "one", "with a zero for its sign", "negative"])
def test_a_serial_number_is_der_or_no_request(office, talk, serial, says):
    """What it cannot be, a stranger hears, and neither the signer nor the log."""
    leaf = issue(talk, "odd.example.com")
    der = request_about(talk, leaf["certificate"])
    number = bytes.fromhex(leaf["serial"])
    number = b"\x00" + number if number[0] > 0x7f else number
    begin = der.index(b"\x02" + bytes([len(number)]) + number)
    digests = der[der.index(bytes.fromhex("300906052b0e03021a0500")):begin]

    def sequence(content):
        return b"\x30" + bytes([len(content)]) + content
    before = office.log.read_text().count("is not answered")
    assert status_of(office, sequence(sequence(sequence(sequence(sequence(digests + serial)))))) == says
    assert office.log.read_text().count("is not answered") == before


def test_a_purpose_that_changes_takes_another_key(tmp_path):
    with Serving.running() as office:
        file = office.directory / "var" / "realms" / "default" / "ca.config.yml"
        before = office.log.read_text().count("reloaded, realms")
        file.write_text(file.read_text().replace(SERVICES, 'cas:\n  scep: {purpose: ocsp}\n  va: {purpose: ra, key: "rsa:2048"}\n'))
        office.process.send_signal(signal.SIGHUP)
        wait_for(lambda: office.log.read_text().count("reloaded, realms") > before, what="the reload")
        talk = office.realm("default").talk()
        talk.result("ca.service.renew")
        leaf = issue(talk, "swapped.example.com")
        assert openssl_says(office, talk, tmp_path, leaf["certificate"]) == "good"
        assert talk.result("ra.sign", ca="va", message=base64.b64encode(b"x").decode())["message"]
        assert talk.code("ra.sign", ca="scep", message="eA==") == "not_found"
        talk.close()


def test_a_responder_that_is_to_come_passes(office, talk):
    leaf = issue(talk, "soon.example.com")
    der = request_about(talk, leaf["certificate"])
    talk.result("certificate.revoke", serial=loaded_serial(newest(talk, "va")["certificate"]), reason="superseded")
    assert status_of(office, der) in ("TRY_LATER", "SUCCESSFUL")  # upkeep may have been quicker
    talk.result("ca.service.renew")
    assert status_of(office, der) == "SUCCESSFUL"


def test_C9_a_row_that_was_changed_makes_no_revoked_certificate_good(office, talk):
    leaf = issue(talk, "changed.example.com")
    talk.result("certificate.revoke", serial=leaf["serial"], reason="keyCompromise")
    file = office.directory / "var" / "realms" / "default" / "db" / "realm.db"
    with sqlite3.connect(file, timeout=60) as store:
        changed = store.execute("UPDATE certificate SET state = 'valid', revoked_at = NULL WHERE serial = ?", (leaf["serial"],)).rowcount
    store.close()
    assert changed == 1
    assert status_of(office, request_about(talk, leaf["certificate"])) == "TRY_LATER"


def test_D17_a_service_issues_nothing_and_has_no_rollover(talk):
    csr_of = issue(talk, "nothing.example.com")
    assert csr_of
    for name in ("va", "va-1", "scep"):
        assert talk.code("crl.issue", ca=name) == "not_found"
        assert talk.code("ca.get", ca=name) == "not_found"
    for name in ("va", "scep"):
        assert talk.code("ca.rollover.start", ca=name) == "policy_refused"
    responder = newest(talk, "va")
    assert talk.code("certificate.renew", serial=responder["serial"]) in ("bad_proof", "policy_refused", "not_found")


def test_one_that_is_revoked_is_replaced_by_itself(office, talk, tmp_path):
    before = newest(talk, "va")
    talk.result("certificate.revoke", serial=before["serial"], reason="keyCompromise")
    talk.result("ca.service.renew")
    after = newest(talk, "va")
    assert after["generation"] > before["generation"] and after["fingerprint"] != before["fingerprint"]
    leaf = issue(talk, "replaced.example.com")
    assert openssl_says(office, talk, tmp_path, leaf["certificate"]) == "good"
    states = {one["name"]: one["phase"] for one in services(talk)}
    assert states[before["name"]] == "retired" and states[after["name"]] == "active"


def test_a_rollover_has_a_responder_for_each_generation(office, talk, tmp_path):
    old = issue(talk, "old.example.com")
    old_ca = talk.result("ca.get", ca="ca")["certificate"]
    for step in ("start", "publish", "switch"):
        talk.result(f"ca.rollover.{step}")
    talk.result("ca.service.renew")
    assert {one["certified_by"] for one in services(talk) if one["ca"] == "va" and one["phase"] == "active"} == {"ca", "ca-2"}
    new = issue(talk, "new.example.com")
    new_ca = talk.result("ca.get", ca="ca-2")["certificate"]
    for leaf, ca in ((old, old_ca), (new, new_ca)):
        file = write(tmp_path / "root.pem", ca)
        done = run("openssl", "ocsp", "-issuer", file, "-CAfile", file, "-cert", write(tmp_path / "leaf.pem", leaf["certificate"]),
                   "-url", f"{office.http_url}/ocsp", text=True)
        assert "leaf.pem: good" in done.stdout and "Response verify OK" in done.stderr, done.stdout + done.stderr
    wrong = said(office, request_about(talk, new["certificate"], issuer=old_ca))
    assert wrong.certificate_status == ocsp.OCSPCertStatus.UNKNOWN  # C9: of the other generation


def test_a_killed_signer_and_a_restart_change_nothing(office, talk, tmp_path):
    before = newest(talk, "va")["fingerprint"]
    leaf = issue(talk, "killed.example.com")
    for one in talk.result("server.status")["processes"]:
        if (one["kind"], one["name"]) == ("signer", "default"):
            os.kill(one["pid"], signal.SIGKILL)
    der = request_about(talk, leaf["certificate"], issuer=newest_ca(talk))
    wait_for(lambda: status_of(office, der) == "SUCCESSFUL", what="the signer is back")
    assert newest(talk, "va")["fingerprint"] == before


def newest_ca(talk):
    return talk.result("ca.get")["certificate"]


# ----- RAs

def front_end(office):
    return office.realm("default").talk()


def test_an_ra_opens_what_openssl_encrypts_and_signs_what_openssl_verifies(office, talk, tmp_path):
    ra = write(tmp_path / "ra.pem", newest(talk, "scep")["certificate"])
    secret = bytes(range(256))
    (tmp_path / "in").write_bytes(secret)
    assert run("openssl", "cms", "-encrypt", "-binary", "-aes256", "-in", tmp_path / "in", "-outform", "DER", "-out", tmp_path / "e.der", ra).returncode == 0
    opened = talk.result("ra.open", ca="scep", message=base64.b64encode((tmp_path / "e.der").read_bytes()).decode())
    assert base64.b64decode(opened["message"]) == secret
    attributes = [f"{OTHERS}.2:" + base64.b64encode(b"\x13\x013").decode(), f"{OTHERS}.7:" + base64.b64encode(b"\x13\x03abc").decode()]
    signed = talk.result("ra.sign", ca="scep", message=base64.b64encode(secret).decode(), attributes=attributes)
    (tmp_path / "s.der").write_bytes(base64.b64decode(signed["message"]))
    chain = write(tmp_path / "roots.pem", *[one["certificate"] for one in talk.result("ca.list")["cas"] if one["purpose"] == "issuing"])
    done = run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "s.der", "-CAfile", chain, "-purpose", "any", "-out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == secret
    printed = run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp_path / "s.der", text=True).stdout
    assert f"{OTHERS}.7" in printed and "abc" in printed


def test_an_ra_opens_and_signs_nothing_else(office, talk, tmp_path):
    text = base64.b64encode(b"no message").decode()
    assert talk.code("ra.open", ca="scep", message=text) == "malformed"
    assert talk.code("ra.open", ca="scep", message="!") == "invalid_params"
    for name in ("va", "ca", "nobody"):
        assert talk.code("ra.open", ca=name, message=text) == "not_found"
        assert talk.code("ra.sign", ca=name, message=text) == "not_found"
    for attribute in ("1.2.3", "1.2.3:!", "x:EwEz", "1.2.840.113549.1.9.4:EwEz", "1.2.3.4:MAA="):
        assert talk.code("ra.sign", ca="scep", message=text, attributes=[attribute]) in ("invalid_params", "malformed"), attribute
    devices = office.realm("devices").talk()
    assert devices.code("ra.sign", ca="scep", message=text) == "not_found"
    devices.close()
    other = issue(talk, "notra.example.com")
    write(tmp_path / "other.pem", other["certificate"])
    (tmp_path / "in").write_bytes(b"x")
    made = run("openssl", "cms", "-encrypt", "-in", tmp_path / "in", "-outform", "DER", "-out", tmp_path / "e.der", tmp_path / "other.pem")
    if made.returncode == 0:
        assert talk.code("ra.open", ca="scep", message=base64.b64encode((tmp_path / "e.der").read_bytes()).decode()) == "bad_proof"


# ----- what is configured

BAD = {
    "va: {purpose: ocsp, issuer: nobody}": "expected ca, or another CA below cas",
    "va: {purpose: ocsp, profiles: [server]}": "it issues nothing",
    "va: {purpose: ocsp, crl_urls: ['http://x.example.com/crl']}": "found URLs of a key that is no CA's",
    "va: {purpose: ra, key: 'ec:P-256'}": "SCEP's clients encrypt with RSA",
    "va: {purpose: scep}": "issuing, root, ocsp, ra",
    "va: {purpose: ocsp, validity: 1s}": "validity",
    "va: {purpose: ocsp, validity: 4m}": "a validity that the realm's backdate of 5m eats up",
    "{va: {purpose: ocsp}, vb: {purpose: ocsp, issuer: ca}}": "a second OCSP responder of CA ca",
    "{va: {purpose: ocsp}, vb: {purpose: ra, issuer: va}}": "expected ca, or another CA below cas",
}


@pytest.mark.parametrize("text", BAD)
def test_what_makes_no_service_is_refused_with_its_place(office, tmp_path, text):
    home = tmp_path / "realms" / "one"
    home.mkdir(parents=True)
    done = run(office.programs / "chancery", "realm", "create", "one", "--realms-directory", tmp_path / "realms", "--unencrypted", text=True,
               env={**os.environ, "CHANCERY_PROGRAMS": str(office.programs)})
    assert done.returncode == 0, done.stderr
    section = f"cas: {text}\n" if text.startswith("{") else f"cas:\n  {text}\n"
    with open(home / "ca.config.yml", "a") as file:
        file.write(section)
    xml = write(tmp_path / "chancery.xml", f'<chancery run-directory="{tmp_path}/run" program-directory="{office.programs}">'
                f'<realms directory="{tmp_path}/realms" default="one"/></chancery>')
    done = run(office.programs / "chanceryd", "--config", xml, "--check", text=True)
    assert done.returncode == 78 and BAD[text] in done.stdout + done.stderr, done.stdout + done.stderr
    assert "ca.config.yml:" in done.stdout + done.stderr
