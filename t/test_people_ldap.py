"""Login by a directory: a real slapd on loopback, right and wrong passwords, groups, TLS, and a directory that goes away."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest

from conftest import free_ports
from test_login import Someone
from test_master import wait_for
from test_people import STRANGER, House, code_of

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users"),
              pytest.mark.skipif(shutil.which("slapd", path="/usr/sbin:/usr/bin") is None, reason="slapd is not installed")]
CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {directory}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {directory}/ldap.crt
TLSCertificateKeyFile {directory}/ldap.key
TLSCACertificateFile {directory}/ca.crt
security simple_bind={strength}
database mdb
maxsize 10485760
suffix "dc=example,dc=com"
rootdn "cn=root,dc=example,dc=com"
rootpw root-of-the-directory
directory {directory}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=searcher,dc=example,dc=com" read by * none
"""
TREE = """
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=searcher,dc=example,dc=com
objectClass: person
cn: searcher
sn: searcher
userPassword: the searchers secret

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups
""" + "".join(f"""
dn: cn={cn},ou=people,dc=example,dc=com
objectClass: inetOrgPerson
cn: {cn}
sn: {uid}
uid: {uid}
userPassword: {password}
""" for cn, uid, password in [("Alice (Web) *", "alice", "alices secret"), ("Bob", "bob", "bobs secret"), ("Twin 1", "twin", "same secret"), ("Twin 2", "twin", "same secret")]) + """
dn: cn=web,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: web
member: cn=Alice (Web) *,ou=people,dc=example,dc=com

dn: cn=all,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: all
member: cn=Alice (Web) *,ou=people,dc=example,dc=com
member: cn=Bob,ou=people,dc=example,dc=com
"""


def openssl(*words, **how):
    subprocess.run(["openssl", *words], check=True, capture_output=True, **how)


class Directory:
    def __init__(self, place, strength=0):
        self.place = place
        self.port, self.tls_port = free_ports(2)
        (place / "data").mkdir()
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", place / "ca.key", "-out", place / "ca.crt", "-subj", "/CN=directory CA", "-days", "2")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", place / "ldap.key", "-out", place / "ldap.csr", "-subj", "/CN=localhost")
        # libldap holds a certificate of "localhost" against this machine's own name.
        names = sorted({"localhost", socket.gethostname(), socket.getfqdn()})
        (place / "san").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n")
        openssl("x509", "-req", "-in", place / "ldap.csr", "-CA", place / "ca.crt", "-CAkey", place / "ca.key", "-CAcreateserial", "-extfile", place / "san", "-out", place / "ldap.crt", "-days", "2")
        (place / "slapd.conf").write_text(CONFIG.format(directory=place, strength=strength))
        subprocess.run(["/usr/sbin/slapadd", "-f", place / "slapd.conf"], input=TREE.lstrip(), text=True, check=True, capture_output=True)
        self.process = None

    def start(self):
        local = str(self.place / "ldapi").replace("/", "%2F")
        self.process = subprocess.Popen(["/usr/sbin/slapd", "-d", "0", "-f", self.place / "slapd.conf",
                                         "-h", f"ldap://127.0.0.1:{self.port} ldaps://localhost:{self.tls_port} ldapi://{local}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, what="slapd listens")

    def listens(self):
        try:
            for family, address in ((socket.AF_INET, ("127.0.0.1", self.port)), (socket.AF_INET, ("localhost", self.tls_port)), (socket.AF_UNIX, str(self.place / "ldapi"))):
                with socket.socket(family) as one:
                    one.connect(address)
            return True
        except OSError:
            return False

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def stack(directory, url, more=""):
    return (f"{{method: ldap, url: \"{url}\", base: \"ou=people,dc=example,dc=com\", bind_dn: \"cn=searcher,dc=example,dc=com\", bind_password_file: searcher, "
            f"group_base: \"ou=groups,dc=example,dc=com\", timeout: 20s, gives: {{ra-operator: [\"group:web\"], user: [\"group:all\"]}}{more}}}")


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory(prefix="chancery-ldap-") as directory:
        os.chmod(directory, 0o755)
        yield pathlib.Path(directory)


@pytest.fixture(scope="module")
def directory(place):
    (place / "ldap").mkdir()
    one = Directory(place / "ldap")
    one.start()
    yield one
    one.end()


@pytest.fixture(scope="module")
def house(place, directory):
    one = House(place)
    one.write_config()
    secret = one.realm("default") / "searcher"
    secret.write_text("the searchers secret\n")
    secret.chmod(0o600)
    shutil.copy(directory.place / "ca.crt", one.realm("default") / "ldap-ca.pem")
    (one.realm("default") / "other-ca.pem").write_text((one.realm("default") / "ca.crt").read_text())
    ldapi = str(directory.place / "ldapi").replace("/", "%2F")
    one.settings("default", f"""
key_unencrypted: true
logins:
  plain: {stack(directory, f"ldap://127.0.0.1:{directory.port}")}
  tls: {stack(directory, f"ldaps://localhost:{directory.tls_port}", ", tls_ca_file: ldap-ca.pem")}
  upgraded: {stack(directory, f"ldap://localhost:{directory.port}", ", start_tls: true, tls_ca_file: ldap-ca.pem")}
  local: {stack(directory, f"ldapi://{ldapi}")}
  impostor: {stack(directory, f"ldaps://localhost:{directory.tls_port}", ", tls_ca_file: other-ca.pem")}
  renamed: {stack(directory, f"ldaps://127.0.0.1:{directory.tls_port}", ", tls_ca_file: ldap-ca.pem")}
login_limits: {{failures: 1000, failures_per_peer: 1000, delay: 0s}}
""")
    one.start()
    yield one
    one.end()


@pytest.mark.parametrize("name", ["plain", "tls", "upgraded", "local"])
def test_the_directory_says_who_somebody_is(house, name):
    with house.someone() as one:
        became = one.call("session.login", stack=name, user="alice", password="alices secret")
        assert "result" in became, (became, house.log()[-2000:])
        assert (became["result"]["identity"], sorted(became["result"]["roles"])) == ("user:alice", ["ra-operator", "user"])
        assert "seeds" in one.result("seed.list")
    assert house.log_in("bob", "bobs secret", stack=name)["result"]["roles"] == ["user"]


@pytest.mark.parametrize("user,password", [("alice", ""), ("alice", "bobs secret"), ("alice", "alices secret "), ("nobody-there", "alices secret"), ("*", "alices secret"),
                                           ("a*", "alices secret"), ("alice)(uid=*", "alices secret"), ("", "alices secret"), ("searcher", "the searchers secret"),
                                           ("twin", "same secret")], ids=str)
@pytest.mark.parametrize("name", ["plain", "tls"])
def test_who_is_not_let_in(house, name, user, password):
    """Also with no password at all, which the directory itself takes for a success (RFC 4513 5.1.2)."""
    reply = house.log_in(user, password, stack=name)
    assert code_of(reply) == "auth_failed" and reply["error"]["message"] == "login refused", reply


@pytest.mark.parametrize("name", ["impostor", "renamed"])
def test_a_directory_that_does_not_prove_itself_gets_no_password(house, name):
    assert code_of(house.log_in("alice", "alices secret", stack=name)) == "unavailable"


def test_a_directory_that_goes_away(house, directory):
    """D9: nobody is let in meanwhile, nobody is locked out for it, and all is well again when it is back."""
    with Someone(STRANGER, house.socket, realm="default") as one:
        assert one.result("session.login", stack="plain", user="alice", password="alices secret")["identity"] == "user:alice"
        directory.end()
        try:
            assert code_of(one.call("session.login", stack="plain", user="alice", password="alices secret")) == "unavailable"
            assert "seeds" in one.result("seed.list")  # who is in stays in
        finally:
            directory.start()
        assert one.result("session.login", stack="plain", user="bob", password="bobs secret")["identity"] == "user:bob"
