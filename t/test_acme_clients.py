"""Further clients that people use: uacme, acme-tiny, dehydrated with a hook, and Apache's mod_md."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import typing

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from acme_client import make_csr
from http01_server import Web
from test_acme import check_chain, is_revoked, run
from challenges import system  # noqa: F401: a fixture
from test_acme_methods import dns, hook  # noqa: F401: one is a fixture

SECONDS = 60  # of a machine that has a lot else to do


@pytest.fixture
def site(system, tmp_path):
    """A web server on the port of http-01, with a directory of its own."""
    (tmp_path / "site").mkdir()
    one = Web(system.http01_port, tmp_path / "site")
    yield one
    one.stop()


# ----- uacme

class Uacme:
    """It trusts the system's certificates alone, so that it sees ours in their place."""

    def __init__(self, realm, directory, script):
        self.directory = directory / "uacme"
        trust = f'mount --bind {realm.https_ca_file} /etc/ssl/certs/ca-certificates.crt && exec "$@"'
        self.common = ["unshare", "--map-root-user", "--mount", "sh", "-c", trust, "sh",
                       "uacme", "--confdir", self.directory, "--acme-url", realm.directory_url, "--hook", script, "--yes", "--no-ocsp"]

    def run(self, *argv, want=0):
        return run([*self.common, *argv], want=want)


def files_hook(path, site):
    return hook(path, f'[ "$2" = http-01 ]\ncase "$1" in\nbegin) printf %s "$5" >"{site.directory}/$4" ;;\n*) rm -f "{site.directory}/$4" ;;\nesac')


@pytest.mark.parametrize("realm_name", ["default", "devices"])
@pytest.mark.parametrize("key_type,python_type", [("RSA", rsa.RSAPublicKey), ("EC", ec.EllipticCurvePublicKey)])
def test_uacme_issues_renews_and_revokes(system, site, tmp_path, realm_name, key_type, python_type):
    realm = system.realm(realm_name)
    names = [f"{key_type.lower()}.uacme.localhost", f"www.{key_type.lower()}.uacme.localhost"]
    uacme = Uacme(realm, tmp_path, files_hook(tmp_path / "hook", site))
    uacme.run("new", "admin@example.com")
    uacme.run("--type", key_type, "issue", *names)
    chain = uacme.directory / names[0] / "cert.pem"
    first = check_chain(realm, chain, names, python_type)
    uacme.run("newkey")  # the account has another key from here on
    uacme.run("--type", key_type, "--force", "issue", *names)
    second = check_chain(realm, chain, names, python_type)
    assert second.serial_number != first.serial_number
    uacme.run("revoke", chain)
    assert is_revoked(realm, second) == "revoked" and is_revoked(realm, first) == "good"
    uacme.run("deactivate")
    uacme.run("--force", "issue", *names, want=1)


def test_uacme_proves_names_and_wildcards_by_dns01(system, dns, tmp_path):
    realm = system.realm("default")
    names = ["uacme.shop.example", "*.uacme.shop.example"]
    script = hook(tmp_path / "hook", f'[ "$2" = dns-01 ]\n[ "$1" != begin ] || echo "$5" >>"{dns.zone.directory}/_acme-challenge.$3"')
    uacme = Uacme(realm, tmp_path, script)
    uacme.run("new")
    uacme.run("--type", "EC", "issue", *names)
    check_chain(realm, uacme.directory / names[0] / "cert.pem", names, ec.EllipticCurvePublicKey)


# ----- acme-tiny

def write_key(path, key):
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


@pytest.mark.parametrize("key,python_type", [(lambda: rsa.generate_private_key(65537, 2048), rsa.RSAPublicKey),
                                             (lambda: ec.generate_private_key(ec.SECP384R1()), ec.EllipticCurvePublicKey)], ids=["rsa", "ec"])
def test_acme_tiny_issues_and_renews(system, site, tmp_path, key, python_type):
    realm = system.realm("default")
    names = ["tiny.clients.localhost", "www.tiny.clients.localhost"]
    account = write_key(tmp_path / "account.key", rsa.generate_private_key(65537, 2048))
    request = x509.load_der_x509_csr(make_csr(names, key())[1])
    (tmp_path / "request.pem").write_bytes(request.public_bytes(serialization.Encoding.PEM))
    serials = set()
    for _ in range(2):
        done = subprocess.run(["acme-tiny", "--account-key", account, "--csr", tmp_path / "request.pem", "--acme-dir", site.directory, "--directory-url",
                               realm.directory_url, "--disable-check", "--contact", "mailto:admin@example.com"],
                              env={**os.environ, "SSL_CERT_FILE": str(realm.https_ca_file)}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        (tmp_path / "chain.pem").write_text(done.stdout)
        serials.add(check_chain(realm, tmp_path / "chain.pem", names, python_type).serial_number)
    assert len(serials) == 2


# ----- dehydrated

def test_dehydrated_proves_names_by_http01_with_a_hook(system, site, tmp_path):
    realm = system.realm("default")
    names = ["hook.dehydrated.localhost", "www.hook.dehydrated.localhost"]
    (tmp_path / "unserved").mkdir()
    script = hook(tmp_path / "hook", f'[ "$1" != deploy_challenge ] || printf %s "$4" >"{site.directory}/$3"\n'
                                     f'[ "$1" != clean_challenge ] || rm "{site.directory}/$3"')
    (tmp_path / "config").write_text(f"CA={realm.directory_url}\nBASEDIR={tmp_path}\nWELLKNOWN={tmp_path}/unserved\nHOOK={script}\nKEY_ALGO=prime256v1\n"
                                     f"CURL_OPTS='--cacert {realm.https_ca_file}'\nCONTACT_EMAIL=admin@example.com\nLOCKFILE={tmp_path}/lock\n")
    (tmp_path / "domains.txt").write_text(" ".join(names) + "\n")
    run(["dehydrated", "--config", tmp_path / "config", "--register", "--accept-terms"])
    run(["dehydrated", "--config", tmp_path / "config", "--cron"])
    check_chain(realm, tmp_path / "certs" / names[0] / "fullchain.pem", names, ec.EllipticCurvePublicKey)
    assert list(site.directory.iterdir()) == []


# ----- Apache's mod_md

MODULES = ("mpm_event", "authz_core", "socache_shmcb", "ssl", "md")


class Kind(typing.NamedTuple):
    """A kind of key, as Apache is told of it, where mod_md keeps its certificates, and how a client asks for one."""
    setting: str
    file: str
    python_type: type
    cipher: str


KINDS = {"EC": Kind("secp256r1", "pubcert.secp256r1.pem", ec.EllipticCurvePublicKey, "ECDHE-ECDSA-AES128-GCM-SHA256"),
         "RSA": Kind("rsa2048", "pubcert.pem", rsa.RSAPublicKey, "ECDHE-RSA-AES128-GCM-SHA256")}


class Apache:
    """An Apache that gets its certificates itself, on the ports to which the realm's validation goes."""

    def __init__(self, system, directory, names, challenge):
        self.directory, self.names, self.port, self.process = pathlib.Path(directory), names, system.tlsalpn01_port, None
        # RSA and EC at once. With two kinds of keys it shows its stand-in certificate where that of tls-alpn-01 belongs.
        self.kinds = ["EC", "RSA"] if challenge == "http-01" else ["EC"]
        keys = " ".join(KINDS[one].setting for one in self.kinds)
        realm, self.system = system.realm("default"), system
        for part in ("run", "md", "htdocs"):
            (self.directory / part).mkdir()
        shutil.copy(realm.https_ca_file, self.directory / "https-ca.pem")
        self.told = self.directory / "told"
        script = hook(self.directory / "tell", f'echo "$1 $2" >>"{self.told}"')
        self.config = self.directory / "apache.conf"
        self.config.write_text("".join(f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so\n" for one in MODULES) + f"""
ServerRoot {self.directory}
ServerName {names[0]}
DefaultRuntimeDir {self.directory}/run
Mutex file:{self.directory}/run default
PidFile {self.directory}/run/pid
ErrorLog {self.directory}/error.log
LogLevel warn md:debug
DocumentRoot {self.directory}/htdocs
Listen 127.0.0.1:{system.http01_port} http
Listen 127.0.0.1:{system.tlsalpn01_port} https
Protocols http/1.1 acme-tls/1
MDCertificateAuthority {realm.directory_url}
MDCACertificateFile {self.directory}/https-ca.pem
MDCertificateAgreement accepted
MDContactEmail admin@example.com
MDStoreDir {self.directory}/md
MDPortMap http:{system.http01_port} https:{system.tlsalpn01_port}
MDCAChallenges {challenge}
MDPrivateKeys {keys}
MDMessageCmd {script}
MDomain {" ".join(names)}
<VirtualHost 127.0.0.1:{system.tlsalpn01_port}>
  ServerName {names[0]}
  ServerAlias {" ".join(names[1:])}
  SSLEngine on
</VirtualHost>
""")
        if system.user:
            subprocess.run(["chown", "-R", f"{system.user}:nogroup", self.directory], check=True)

    def start(self):
        self.process = subprocess.Popen(self.system.as_user(["apache2", "-f", self.config, "-D", "FOREGROUND"]), stdin=subprocess.DEVNULL,
                                        stdout=open(self.directory / "stdout", "a"), stderr=subprocess.STDOUT)

    def wait_for(self, ready, what):
        deadline = time.monotonic() + SECONDS
        while not (found := ready()):
            words = "\n".join(path.read_text()[-6000:] for path in (self.directory / "stdout", self.directory / "error.log") if path.exists())
            assert self.process.poll() is None and time.monotonic() < deadline, f"{what}:\n{words}"
            time.sleep(0.05)
        return found

    def renewals(self):
        return self.told.read_text().splitlines().count(f"renewed {self.names[0]}") if self.told.exists() else 0

    def take_up(self, before):
        """Reloads, so that it serves what it has obtained. @return the certificate of each kind, others than `before`."""
        self.process.send_signal(signal.SIGUSR1)
        return {kind: self.wait_for(lambda: self.served(kind, before.get(kind)), f"the new {kind} certificate is served") for kind in self.kinds}

    def served(self, kind, other_than):
        """The certificate that a client is shown that takes this kind alone, when it is one of the realm's and new."""
        context = ssl.create_default_context(cafile=str(self.system.realm("default").ca_file))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(KINDS[kind].cipher)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain:
            with context.wrap_socket(plain, server_hostname=self.names[-1]) as session:
                found = x509.load_der_x509_certificate(session.getpeercert(True))
                assert isinstance(found.public_key(), KINDS[kind].python_type)
                return found if other_than is None or found.serial_number != other_than.serial_number else None
        return None

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(SECONDS)


@pytest.fixture
def apache(system, request):
    names = [f"apache-{request.param}.localhost", f"www.apache-{request.param}.localhost"]
    with tempfile.TemporaryDirectory(prefix="chancery-apache-") as directory:  # where the server's user may go
        one = Apache(system, directory, names, request.param)
        try:
            yield one
        finally:
            one.stop()


@pytest.mark.parametrize("apache", ["http-01", "tls-alpn-01"], indirect=True)
def test_apache_obtains_serves_and_renews(system, apache):
    realm = system.realm("default")
    apache.start()
    apache.wait_for(lambda: apache.renewals() >= 1, "mod_md has a certificate")
    first = apache.take_up({})
    domain = apache.directory / "md" / "domains" / apache.names[0]
    for kind in apache.kinds:
        check_chain(realm, domain / KINDS[kind].file, apache.names, KINDS[kind].python_type)
        assert is_revoked(realm, first[kind]) == "good"
    apache.config.write_text(apache.config.read_text() + "MDRenewWindow 3000d\n")  # it is due at once
    apache.process.send_signal(signal.SIGUSR1)
    apache.wait_for(lambda: apache.renewals() >= 2, "mod_md has renewed it")
    second = apache.take_up(first)
    assert len({one.serial_number for one in (*first.values(), *second.values())}) == 2 * len(apache.kinds)
