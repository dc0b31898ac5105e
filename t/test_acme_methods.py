"""The clients that people use, proving names by dns-01 and tls-alpn-01, wildcards among them."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from challenges import system  # noqa: F401: a fixture
from dns_server import Dns, txt
from test_acme import Certbot, check_chain, is_revoked, run


class FiledZone(dict):
    """A zone with the texts that clients' hooks leave in a directory: a file for each name, a text on each line."""

    def __init__(self, directory):
        super().__init__()
        self.directory = directory

    def get(self, name, default=None):
        file = self.directory / name
        return [txt(line) for line in file.read_text().splitlines()] if file.is_file() else super().get(name, default)


@pytest.fixture(scope="module")
def dns(tmp_path_factory):
    one = Dns()
    one.zone = FiledZone(tmp_path_factory.mktemp("zone"))
    yield one
    one.stop()


def hook(path, line):
    path.write_text(f"#!/bin/sh\nset -eu\n{line}\n")
    path.chmod(0o755)
    return path


class Lego:
    def __init__(self, realm, directory, names, *proof, **env):
        self.directory, self.name = directory, names[0].replace("*", "_")
        domains = [part for name in names for part in ("--domains", name)]
        self.common = ["lego", "--server", realm.directory_url, "--accept-tos", "--email", "admin@example.com", "--path", directory,
                       "--key-type", "ec256", *proof, *domains]
        self.env = {"LEGO_CA_CERTIFICATES": str(realm.https_ca_file), **env}

    def run(self, *argv):
        return run([*self.common, *argv], self.env)

    def chain(self):
        return self.directory / "certificates" / f"{self.name}.crt"


def test_lego_proves_names_and_wildcards_by_dns01(system, dns, tmp_path):
    realm = system.realm("default")
    names = ["*.lego.shop.example", "lego.shop.example", "other.shop.example"]
    script = hook(tmp_path / "hook", f'[ "$1" != present ] || echo "$3" >>"{dns.zone.directory}/${{2%.}}"')
    lego = Lego(realm, tmp_path, names, "--dns", "exec", "--dns.disable-cp", "--dns.resolvers", f"127.0.0.1:{dns.port}", EXEC_PATH=str(script),
                EXEC_POLLING_INTERVAL="1", EXEC_SEQUENCE_INTERVAL="1")
    lego.run("run")
    first = check_chain(realm, lego.chain(), names, ec.EllipticCurvePublicKey)
    lego.run("renew", "--days", "9999", "--no-random-sleep")
    second = check_chain(realm, lego.chain(), names, ec.EllipticCurvePublicKey)
    assert second.serial_number != first.serial_number
    lego.run("revoke", "--keep")
    assert is_revoked(realm, second) == "revoked"


def test_lego_proves_names_by_tlsalpn01(system, dns, tmp_path):
    realm = system.realm("default")
    names = ["alpn.shop.example", "www.alpn.shop.example"]
    for name in names:
        dns.zone[name] = ["127.0.0.1"]
    lego = Lego(realm, tmp_path, names, "--tls", "--tls.port", f"127.0.0.1:{system.tlsalpn01_port}")
    lego.run("run")
    check_chain(realm, lego.chain(), names, ec.EllipticCurvePublicKey)


def test_certbot_proves_names_and_wildcards_by_dns01(system, dns, tmp_path):
    realm = system.realm("default")
    names = ["certbot.shop.example", "*.certbot.shop.example"]
    script = hook(tmp_path / "hook", f'echo "$CERTBOT_VALIDATION" >>"{dns.zone.directory}/_acme-challenge.$CERTBOT_DOMAIN"')
    certbot = Certbot(realm, tmp_path, system.http01_port)
    certbot.run("certonly", "--manual", "--preferred-challenges", "dns", "--manual-auth-hook", script, "--agree-tos", "-m", "admin@example.com",
                "--no-eff-email", "--key-type", "ecdsa", "--cert-name", names[0], *[part for name in names for part in ("-d", name)])
    check_chain(realm, tmp_path / "etc" / "live" / names[0] / "fullchain.pem", names, ec.EllipticCurvePublicKey)


def test_dehydrated_proves_names_and_wildcards_by_dns01(system, dns, tmp_path):
    realm = system.realm("default")
    names = ["dehydrated.shop.example", "*.dehydrated.shop.example"]
    script = hook(tmp_path / "hook", f'[ "$1" != deploy_challenge ] || echo "$4" >>"{dns.zone.directory}/_acme-challenge.$2"')
    (tmp_path / "config").write_text(f"CA={realm.directory_url}\nBASEDIR={tmp_path}\nCHALLENGETYPE=dns-01\nHOOK={script}\nKEY_ALGO=secp384r1\n"
                                     f"CURL_OPTS='--cacert {realm.https_ca_file}'\nCONTACT_EMAIL=admin@example.com\nLOCKFILE={tmp_path}/lock\n")
    (tmp_path / "domains.txt").write_text(" ".join(names) + "\n")
    run(["dehydrated", "--config", tmp_path / "config", "--register", "--accept-terms"])
    run(["dehydrated", "--config", tmp_path / "config", "--cron"])
    check_chain(realm, tmp_path / "certs" / names[0] / "fullchain.pem", names, ec.EllipticCurvePublicKey)
