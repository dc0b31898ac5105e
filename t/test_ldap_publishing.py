"""`publishing: ldap:` of ca.config.yml: a real slapd gets CRLs, delta CRLs and certificates, each once and in order, also when it was
away; and is given nothing that it does not prove itself for (chancery-notify)."""

import os
import shutil
import signal
import subprocess

import pytest
from cryptography import x509

import test_people_ldap
from conftest import System
from test_admin_examples import csr_for
from test_people_ldap import Directory, openssl
from test_publishing import until

pytestmark = pytest.mark.skipif(shutil.which("slapd", path="/usr/sbin:/usr/bin") is None, reason="slapd is not installed")
WRITER = "cn=searcher,dc=example,dc=com"
CRL, DELTA, CA, USER = ("certificateRevocationList;binary", "deltaRevocationList;binary", "cACertificate;binary", "userCertificate;binary")


class Writable(Directory):
    """The directory of the login tests, where the searcher may write, and everybody read."""

    def __init__(self, place, strength=0):
        config = test_people_ldap.CONFIG
        test_people_ldap.CONFIG = config.replace("by dn.exact=\"cn=searcher,dc=example,dc=com\" read by * none",
                                                 "by dn.exact=\"cn=searcher,dc=example,dc=com\" write by * read")
        try:
            super().__init__(place, strength)
        finally:
            test_people_ldap.CONFIG = config

    def values(self, dn, attribute):
        local = str(self.place / "ldapi").replace("/", "%2F")
        done = subprocess.run(["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-t", "-T", str(self.place / "out"), "-H", f"ldapi://{local}",
                               "-b", dn, "-s", "base", attribute], capture_output=True, text=True)
        files = [line.split("< file://")[1] for line in done.stdout.splitlines() if ":< file://" in line]
        found = [open(one, "rb").read() for one in files]
        for one in files:
            os.unlink(one)
        return found


class Office(System):
    more_front_ends = '<front-end name="notify" program="chancery-notify" realms="*" roles="user"/>'
    url = "ldap://127.0.0.1:{port}"
    more = ""
    password = "the searchers secret"
    ldap = None

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        if name != "default":
            return
        realm = self.directory / "var" / "realms" / name
        (realm / "ldap-password").write_text(self.password + "\n")
        (realm / "ldap-password").chmod(0o600)
        shutil.copy(self.ldap.place / "ca.crt", realm / "ldap-ca.pem")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", realm / "other.key", "-out", realm / "other.pem", "-subj", "/CN=directory CA", "-days", "2")
        config = realm / "ca.config.yml"
        url = self.url.format(port=self.ldap.port, tls_port=self.ldap.tls_port)
        config.write_text(config.read_text() + f"""crl_after_revocation: 2s
crl_delta: 10s
publishing:
  ldap:
    url: {url}
    bind_dn: {WRITER}
    bind_password_file: ldap-password
    ca_dn: cn={{ca}},ou=groups,dc=example,dc=com
    certificate_dn: cn={{cn}},ou=people,dc=example,dc=com
    timeout: 20s
{self.more}""")


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "ldap").mkdir()
    (tmp_path / "ldap" / "out").mkdir()
    one = Writable(tmp_path / "ldap")
    one.start()
    yield one
    one.end()


def running(directory, url=Office.url, more="", password=Office.password):
    return type("OneOffice", (Office,), {"ldap": directory, "url": url, "more": more, "password": password}).running()


ENTRY = "cn=ca,ou=groups,dc=example,dc=com"


def crl_in(directory, attribute=CRL):
    found = directory.values(ENTRY, attribute)
    return x509.load_der_x509_crl(found[0]) if len(found) == 1 else None


def crl_that_comes(directory, attribute=CRL, at_least=0):
    """A CRL without entries is false, so that it has to be looked at for being there."""
    def there():
        crl = crl_in(directory, attribute)
        return [crl] if crl is not None and number(crl) >= at_least else None
    return until(there)[0]


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.mark.parametrize("url, more", [("ldap://127.0.0.1:{port}", ""), ("ldaps://localhost:{tls_port}", "    tls_ca_file: ldap-ca.pem\n"),
                                       ("ldap://localhost:{port}", "    start_tls: true\n    tls_ca_file: ldap-ca.pem\n")],
                         ids=["plain", "ldaps", "starttls"])
def test_crls_and_certificates_come_there(directory, url, more):
    with running(directory, url, more) as office:
        talk = office.realm("default").talk()
        serial = talk.result("certificate.issue", csr=csr_for("Bob"), profile="user")
        nobody = talk.result("certificate.issue", csr=csr_for("Nobody There"), profile="user")
        talk.result("certificate.revoke", serial=nobody["serial"])
        talk.result("crl.issue")
        until(lambda: (crl := crl_in(directory)) is not None and crl.get_revoked_certificate_by_serial_number(int(nobody["serial"], 16)))
        ca = x509.load_pem_x509_certificate(office.realm("default").ca_file.read_bytes())
        assert [x509.load_der_x509_certificate(one) for one in until(lambda: directory.values(ENTRY, CA))] == [ca]
        delta = crl_that_comes(directory, DELTA)
        assert delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
        assert delta.is_signature_valid(ca.public_key()) and crl_in(directory).is_signature_valid(ca.public_key())
        theirs = until(lambda: directory.values("cn=Bob,ou=people,dc=example,dc=com", USER))
        assert theirs == [x509.load_pem_x509_certificate(serial["certificate"].encode()).public_bytes(serialization())]
        talk.close()


def serialization():
    from cryptography.hazmat.primitives.serialization import Encoding
    return Encoding.DER


def test_F37_a_server_that_was_away_gets_the_newest_state_and_what_was_changed_is_put_right(directory):
    with running(directory) as office:
        talk = office.realm("default").talk()
        first = number(crl_that_comes(directory))
        directory.end()
        for _ in range(3):
            newest = talk.result("crl.issue")["number"]
        until(lambda: "LDAP" in office.log.read_text())
        assert talk.result("certificate.issue", csr=csr_for("meanwhile.example.com"), profile="server")["serial"], "issuing goes on"
        directory.start()
        assert number(crl_that_comes(directory, at_least=newest)) > first
        # Somebody puts an old or wrong value there.
        local = str(directory.place / "ldapi").replace("/", "%2F")
        subprocess.run(["ldapmodify", "-x", "-H", f"ldapi://{local}", "-D", WRITER, "-w", "the searchers secret"], check=True, capture_output=True,
                       input=f"dn: {ENTRY}\nchangetype: modify\ndelete: {CRL}\n".encode())
        crl_that_comes(directory)
        talk.close()


def test_each_state_is_written_once(directory):
    """The entry's change number stays while nothing changes, also after a restart."""
    def changed():
        local = str(directory.place / "ldapi").replace("/", "%2F")
        done = subprocess.run(["ldapsearch", "-x", "-LLL", "-H", f"ldapi://{local}", "-b", ENTRY, "-s", "base", "entryCSN"], capture_output=True, text=True)
        return done.stdout

    with running(directory, more="") as office:
        file = office.realm("default").directory / "ca.config.yml"
        file.write_text(file.read_text().replace("crl_delta: 10s\n", ""))
        office.process.send_signal(signal.SIGHUP)
        until(lambda: "reloaded, realms" in office.log.read_text())
        crl_that_comes(directory)
        talk = office.realm("default").talk()
        newest = talk.result("crl.issue")["number"]
        crl_that_comes(directory, at_least=newest)
        before = changed()
        assert "entryCSN" in before
        asked = talk.result("certificate.issue", csr=csr_for("Alice (Web) *"), profile="user")["serial"]
        until(lambda: directory.values("cn=Alice (Web) *,ou=people,dc=example,dc=com", USER))  # a later round than the one before
        assert changed() == before and asked
        talk.close()


@pytest.mark.parametrize("what, url, more, password", [
    ("a certificate of a CA that is not trusted", "ldaps://localhost:{tls_port}", "    tls_ca_file: other.pem\n", Office.password),
    ("StartTLS with such a one", "ldap://localhost:{port}", "    start_tls: true\n    tls_ca_file: other.pem\n", Office.password),
    ("a wrong password", "ldap://127.0.0.1:{port}", "", "wrong"),
], ids=["ldaps", "starttls", "password"])
def test_refusals_leave_nothing_there_and_are_said_once(directory, what, url, more, password):
    with running(directory, url, more, password) as office:
        talk = office.realm("default").talk()
        talk.result("crl.issue")
        until(lambda: "LDAP" in office.log.read_text())
        assert directory.values(ENTRY, CRL) == [], what
        assert talk.result("crl.get")["number"]
        assert "the searchers secret" not in office.log.read_text()
        talk.close()
