"""`publishing:` of ca.config.yml: CRLs in a directory, and a program that is told of each (chancery-notify)."""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest
from cryptography import x509

from conftest import READY_SECONDS, System
from test_admin_examples import csr_for

PROGRAM = r"""#!/bin/sh
# Writes down what it is told; fails as long as a file says so.
cat > "$0.heard.new"
if [ -e "$0.fails" ]; then echo x >> "$0.failures"; exit 1; fi
cat "$0.heard.new" >> "$0.heard"
"""


def program_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:  # it has ended, and may be another run's
        return ""


class Publishing(System):
    more_front_ends = '<front-end name="notify" program="chancery-notify" realms="*" roles="user"/>'

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        self.crls, self.program = self.directory / "crls", self.directory / "told.sh"
        self.crls.mkdir(exist_ok=True)
        if name == "default":
            self.program.write_text(PROGRAM)
            self.program.chmod(0o755)
            config = self.directory / "var" / "realms" / name / "ca.config.yml"
            config.write_text(config.read_text() + f"crl_after_revocation: 2s\npublishing:\n  directory: {self.crls}\n  program: {self.program}\n")

    def heard(self):
        file = self.directory / "told.sh.heard"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def notify_pid(self):
        found = subprocess.run(["pgrep", "-f", f"^{self.programs}/chancery-notify|^chancery-notify"], capture_output=True, text=True).stdout.split()
        return [int(pid) for pid in found if str(self.programs) in program_of(pid)]


def until(what):
    deadline = time.monotonic() + READY_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def office():
    with Publishing.running() as one:
        yield one


def revoke_one(talk, name):
    serial = talk.result("certificate.issue", csr=csr_for(name), profile="server")["serial"]
    talk.result("certificate.revoke", serial=serial)
    talk.result("crl.issue")
    return int(serial, 16)


def crl_of(office):
    return x509.load_der_x509_crl((office.crls / "ca.crl").read_bytes())


def test_B10_each_crl_is_put_in_place_and_told(office):
    until(lambda: (office.crls / "ca.crl.pem").exists() and office.heard())
    talk = office.realm("default").talk()
    serial = revoke_one(talk, "published.example.com")
    until(lambda: crl_of(office).get_revoked_certificate_by_serial_number(serial))
    number = talk.result("crl.get")["number"]
    told = until(lambda: [one for one in office.heard() if one["number"] >= number])
    assert told[0]["realm"] == "default" and told[0]["ca"] == "ca" and told[0]["crl"] == str(office.crls / "ca.crl")
    assert x509.load_pem_x509_crl((office.crls / "ca.crl.pem").read_bytes()).fingerprint is not None
    said = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", office.crls / "ca.crl", "-CAfile", office.realm("default").ca_file, "-noout"],
                          capture_output=True, text=True)
    assert "verify OK" in said.stderr
    until(lambda: not (office.crls / "ca.crl.untold").exists())
    assert len({one["number"] for one in office.heard()}) == len(office.heard()), "each once"
    talk.close()


def test_a_program_that_fails_is_told_again_also_after_a_kill(office):
    until(lambda: office.heard() and not (office.crls / "ca.crl.untold").exists())
    (office.directory / "told.sh.fails").touch()
    talk = office.realm("default").talk()
    serial = revoke_one(talk, "failing.example.com")
    until(lambda: (office.directory / "told.sh.failures").exists())
    assert crl_of(office).get_revoked_certificate_by_serial_number(serial), "the file does not wait for the program"
    before = len(office.heard())
    for pid in office.notify_pid():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    (office.directory / "told.sh.fails").unlink()
    until(lambda: len(office.heard()) > before and not (office.crls / "ca.crl.untold").exists())
    talk.close()


def test_what_others_put_there_is_replaced(office):
    until(lambda: office.heard())
    good = (office.crls / "ca.crl.pem").read_text()
    (office.crls / "strange").symlink_to("/etc/passwd")
    (office.crls / "strange").replace(office.crls / "ca.crl.pem")  # at once: a missing one may come back by then
    until(lambda: not (office.crls / "ca.crl.pem").is_symlink())
    assert (office.crls / "ca.crl.pem").read_text() == good
    assert not list(office.crls.glob("devices*")), "the other realm publishes nothing"
