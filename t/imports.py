"""CAs of other programs for the tests of `chancery import`, and what every realm that takes one over must be good for."""

import json
import os
import pathlib
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from test_daemon import wait_for
from test_master import BUILD
from test_upki_import import Place, crl_of, reconciled

CONFIG = """
HOME = .
[ca]
default_ca = CA_default
[CA_default]
dir = {dir}
database = $dir/index.txt
new_certs_dir = $dir/newcerts
certificate = $dir/cacert.pem
serial = $dir/serial
crlnumber = $dir/crlnumber
crl = $dir/crl.pem
private_key = $dir/private/cakey.pem
default_days = 90
default_crl_days = 30
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
x509_extensions = leaf
[any]
organizationName = optional
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
[sub]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
"""


def openssl(*words, cwd=None, check=True):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0 or not check, done
    return done


class OpensslCa:
    """A directory that `openssl ca` keeps."""

    def __init__(self, directory, subject="/C=FR/O=Old Co/CN=Old CA", serial="01", key=("ec", "ec_paramgen_curve:P-256"), days=1000):
        self.directory = directory
        self.config = directory.parent / f"{directory.name}.cnf"
        (directory / "newcerts").mkdir(parents=True)
        (directory / "private").mkdir()
        (directory / "index.txt").touch()
        (directory / "serial").write_text(serial + "\n")
        (directory / "crlnumber").write_text("0A\n")
        self.config.write_text(CONFIG.format(dir=directory))
        openssl("req", "-x509", "-newkey", key[0], "-pkeyopt", key[1], "-nodes", "-keyout", self.key, "-out", self.certificate, "-subj", subject, "-days", days,
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.key.chmod(0o600)

    @property
    def key(self):
        return self.directory / "private" / "cakey.pem"

    @property
    def certificate(self):
        return self.directory / "cacert.pem"

    def file(self, cn):
        return self.directory.parent / f"{cn}.pem"

    def issue(self, cn, *options, key=("ec", "ec_paramgen_curve:P-256"), extensions="leaf"):
        request = self.directory.parent / f"{cn}.csr"
        openssl("req", "-new", "-newkey", key[0], "-pkeyopt", key[1], "-nodes", "-keyout", self.directory.parent / f"{cn}.key", "-out", request,
                "-subj", f"/O=Old Co/CN={cn}", "-addext", f"subjectAltName=DNS:{cn}")
        openssl("ca", "-config", self.config, "-batch", "-in", request, "-out", self.file(cn), "-notext", "-extensions", extensions, *options)
        return self.read(cn)

    def read(self, cn):
        return x509.load_pem_x509_certificate(self.file(cn).read_bytes())

    def revoke(self, cn, *how):
        openssl("ca", "-config", self.config, "-revoke", self.file(cn), *how)

    def make_crl(self):
        openssl("ca", "-config", self.config, "-gencrl", "-out", self.directory / "crl.pem")

    def line(self, *columns):
        with open(self.directory / "index.txt", "ab") as index:
            index.write(b"\t".join(one if isinstance(one, bytes) else one.encode() for one in columns) + b"\n")


def serial_of(certificate):
    digits = f"{certificate.serial_number:x}"
    return digits.rjust(len(digits) + len(digits) % 2, "0")


class Target(Place):
    """A server whose realm comes from another program."""

    def bring(self, kind, directory, *options, name="one", check=True, **how):
        done = subprocess.run([BUILD / "chancery", "--json", "import", kind, directory, "--name", name, "--realms-directory", self.realms_directory,
                               *map(str, options)], capture_output=True, text=True, env={**os.environ, "CHANCERY_PROGRAMS": str(BUILD)}, **how)
        assert done.returncode == 0 or not check, done
        return json.loads(done.stdout) if check else done

    def refuses(self, kind, directory, said, *options):
        """The source is refused with those words, and nothing is left of the attempt."""
        done = self.bring(kind, directory, *options, check=False)
        assert done.returncode != 0 and said in done.stderr, done
        assert self.leaves_nothing(), list(self.realms_directory.iterdir())
        return done

    def serve(self, count):
        """Started on what was imported, when it has so many certificates and nothing is wrong with it."""
        self.write_config()
        status, said = self.check()
        assert status == 0, said
        talk = self.started()
        if count:
            reconciled(talk, count)
        return talk

    def reasons_on_crl(self, talk, count):
        wait_for(lambda: len(talk.result("certificate.search", state="revoked", limit=1000)["certificates"]) >= count, what="the revocations")
        crl = crl_of(talk)
        (pathlib.Path(self.config).parent / "new.crl").write_bytes(crl.public_bytes(serialization.Encoding.PEM))
        reasons = {}
        for entry in crl:
            try:
                reasons[entry.serial_number] = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
            except x509.ExtensionNotFound:
                reasons[entry.serial_number] = "unspecified"
        return crl, reasons

    def verify(self, certificate, *options):
        """What OpenSSL says with the realm's CA and its new CRL."""
        return openssl("verify", "-CAfile", self.realm("one") / "ca.crt", "-crl_check", "-CRLfile", pathlib.Path(self.config).parent / "new.crl", *options,
                       certificate, check=False)

    def renew_and_revoke(self, talk, certificate):
        """An old certificate is renewed by the realm and both can be revoked there."""
        renewed = x509.load_pem_x509_certificate(talk.result("certificate.renew", serial=serial_of(certificate))["certificate"].encode())
        assert renewed.issuer == certificate.issuer and renewed.serial_number != certificate.serial_number
        talk.result("certificate.revoke", serial=serial_of(certificate), reason="superseded")
        talk.result("certificate.revoke", serial=serial_of(renewed), reason="superseded")
        assert {certificate.serial_number, renewed.serial_number} <= {entry.serial_number for entry in crl_of(talk)}
        repaired = talk.result("realm.repair")
        assert (repaired["missing"], repaired["states"], repaired["damaged"]) == ([], [], []), repaired
        assert talk.result("audit.verify")["whole"]
