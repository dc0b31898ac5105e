"""What we issue means the same to OpenSSL, GnuTLS, NSS and Go, and each of them verifies it below its CA."""

import datetime
import ipaddress
import json
import os
import pathlib
import re
import subprocess

import pytest

from test_daemon import Daemon
from test_master import BUILD

HERE = pathlib.Path(__file__).resolve().parent
KEYS = ["ec:P-256", "ec:P-384", "rsa:3072", "ed25519"]
URLS = {"crl": "http://pki.example.com/one.crl", "issuers": "http://pki.example.com/one.crt", "ocsp": "http://ocsp.example.com/"}
SANS = ["DNS:a.example.com", "DNS:*.b.example.com", "DNS:xn--mnchen-3ya.example", "IP:10.1.2.3", "IP:2001:db8::1", "EMAIL:u@example.com",
        "URI:https://x.example.com/y"]
CASES = {  # name: profile, subject alternative names, kind of the leaf's key
    "server": ("server", SANS, "ec:P-256"),
    "server with RSA": ("server", SANS[:1], "rsa:2048"),
    "user": ("user", ["EMAIL:u@example.com"], "ec:P-384"),
    "laptop": ("laptop", ["DNS:l.example.com"], "ed25519"),
    "subordinate CA": ("ca", [], "ec:P-256"),
}


class Realms(Daemon):
    def add_realm(self, name, behave="ready"):
        directory = self.realm(name)
        directory.mkdir(parents=True)
        (directory / "ca.config.yml").write_text(
            f"key_unencrypted: true\ncrl_urls: [{URLS['crl']}]\nca_issuer_urls: [{URLS['issuers']}]\nocsp_urls: [{URLS['ocsp']}]\n")
        key = name.replace("-p-", ":P-").replace("rsa-", "rsa:")
        subprocess.run([BUILD / "chancery-signer", "create", "--realm", name, "--directory", directory, "--unencrypted", "--key", key, "--subject",
                        "/C=FR/O=Företag/CN=Root", "--path-length", "1"], check=True, capture_output=True)


def realm_of(key):
    return key.replace(":", "-").lower()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    directory = tmp_path_factory.mktemp("interop")
    one = Realms(directory, [realm_of(key) for key in KEYS])
    one.write_config()
    one.config.write_text(one.config.read_text().replace('<realms directory="realms">', f'<realms directory="realms" default="{realm_of(KEYS[0])}">'))
    one.start()
    yield one
    one.end()


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    directory = tmp_path_factory.mktemp("go")
    subprocess.run(["go", "build", "-o", directory / "read", HERE / "interop" / "read.go"], check=True,
                   env={**os.environ, "GOCACHE": str(directory / "cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off", "HOME": str(directory)})
    return directory / "read"


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout


# ----- four readers

def instant(text, form):
    return datetime.datetime.strptime(re.sub(r"\s+", " ", text.strip()), form).strftime("%Y-%m-%dT%H:%M:%SZ")


def section(text, title, indent):
    """What stands below a line that starts with the title, as far as it is indented more."""
    found = re.search(rf"^\s{{{indent}}}{title}.*\n((?:\s{{{indent}}}\s+.*\n)*)", text, re.M)
    return found[1] if found else ""


def names_in(text, words):
    return sorted(name for word, name in words.items() if word in text)


def with_openssl(leaf, ca, _):
    run("openssl", "verify", "-x509_strict", "-CAfile", ca, leaf)
    text = run("openssl", "x509", "-in", leaf, "-noout", "-text", "-nameopt", "RFC2253")
    usages = {"Digital Signature": "digitalSignature", "Non Repudiation": "nonRepudiation", "Key Encipherment": "keyEncipherment",
              "Data Encipherment": "dataEncipherment", "Key Agreement": "keyAgreement", "Certificate Sign": "keyCertSign", "CRL Sign": "cRLSign"}
    purposes = {"TLS Web Server Authentication": "serverAuth", "TLS Web Client Authentication": "clientAuth", "E-mail Protection": "emailProtection"}
    sans = section(text, "X509v3 Subject Alternative Name", 12)
    return {
        "serial": run("openssl", "x509", "-in", leaf, "-noout", "-serial").strip().split("=")[1].lower(),
        "not_before": instant(re.search(r"Not Before: (.*)", text)[1], "%b %d %H:%M:%S %Y GMT"),
        "not_after": instant(re.search(r"Not After : (.*)", text)[1], "%b %d %H:%M:%S %Y GMT"),
        "sans": [re.sub("^IP Address", "IP", re.sub("^email", "EMAIL", one.strip())) for one in sans.split(",") if one.strip()],
        "key_usage": names_in(section(text, "X509v3 Key Usage", 12), usages),
        "extended_key_usage": names_in(section(text, "X509v3 Extended Key Usage", 12), purposes),
        "is_ca": "CA:TRUE" in text,
        "subject_key_id": section(text, "X509v3 Subject Key Identifier", 12).strip().replace(":", "").lower(),
        "authority_key_id": section(text, "X509v3 Authority Key Identifier", 12).strip().replace("keyid:", "").replace(":", "").lower(),
        "crl": re.findall(r"URI:(\S+)", section(text, "X509v3 CRL Distribution Points", 12)),
        "issuers": re.findall(r"CA Issuers - URI:(\S+)", text), "ocsp": re.findall(r"OCSP - URI:(\S+)", text)}


def with_gnutls(leaf, ca, _):
    run("certtool", "--verify", "--verify-profile", "medium", "--load-ca-certificate", ca, "--infile", leaf)
    text = run("certtool", "-i", "--infile", leaf)
    usages = {"Digital signature": "digitalSignature", "Non repudiation": "nonRepudiation", "Key encipherment": "keyEncipherment",
              "Data encipherment": "dataEncipherment", "Key agreement": "keyAgreement", "Certificate signing": "keyCertSign", "CRL signing": "cRLSign"}
    purposes = {"TLS WWW Server": "serverAuth", "TLS WWW Client": "clientAuth", "Email protection": "emailProtection"}
    kinds = {"DNSname": "DNS", "IPAddress": "IP", "RFC822Name": "EMAIL", "URI": "URI"}
    sans = re.findall(r"(\w+): (\S+)", section(text, "Subject Alternative Name", 2))
    access = section(text, "Authority Information Access", 2)
    urls = re.findall(r"Access Method: \S+ \((\S+)\)\s+Access Location URI: (\S+)", access)
    return {
        "serial": re.search(r"Serial Number \(hex\): (\S+)", text)[1],
        "not_before": instant(re.search(r"Not Before: (.*)", text)[1], "%a %b %d %H:%M:%S UTC %Y"),
        "not_after": instant(re.search(r"Not After: (.*)", text)[1], "%a %b %d %H:%M:%S UTC %Y"),
        "sans": [f"{kinds[kind]}:{value}" for kind, value in sans],
        "key_usage": names_in(section(text, "Key Usage", 2), usages), "extended_key_usage": names_in(section(text, "Key Purpose", 2), purposes),
        "is_ca": "Certificate Authority (CA): TRUE" in text,
        "subject_key_id": section(text, "Subject Key Identifier", 2).strip(), "authority_key_id": section(text, "Authority Key Identifier", 2).strip(),
        "crl": re.findall(r"URI: (\S+)", section(text, "CRL Distribution points", 2)),
        "issuers": [url for method, url in urls if method == "id-ad-caIssuers"], "ocsp": [url for method, url in urls if method == "id-ad-ocsp"]}


def nss_extension(text, name):
    found = re.search(rf"Name: {name}\n(.*?)(?:\n\n|\Z)", text, re.S)
    return found[1] if found else ""


def hex_in(text):
    return "".join(re.findall(r"\b[0-9a-f]{2}\b", text.split(":", 1)[1] if text else ""))


def with_nss(leaf, ca, place):
    database = f"sql:{place}"
    run("certutil", "-N", "-d", database, "--empty-password")
    run("certutil", "-A", "-d", database, "-n", "ca", "-t", "CT,C,C", "-i", ca, "-a")
    run("certutil", "-A", "-d", database, "-n", "leaf", "-t", ",,", "-i", leaf, "-a")
    text = run("certutil", "-L", "-d", database, "-n", "leaf")
    is_ca = "Is a CA" in nss_extension(text, "Certificate Basic Constraints")
    purposes = names_in(nss_extension(text, "Extended Key Usage"), {"TLS Web Server": "serverAuth", "TLS Web Client": "clientAuth", "E-Mail Protection": "emailProtection"})
    # V: SSL server, C: SSL client, L: SSL CA
    run("certutil", "-V", "-d", database, "-n", "leaf", "-u", "L" if is_ca else "V" if "serverAuth" in purposes else "C")
    usages = {"Digital Signature": "digitalSignature", "Non-Repudiation": "nonRepudiation", "Key Encipherment": "keyEncipherment",
              "Data Encipherment": "dataEncipherment", "Key Agreement": "keyAgreement", "Certificate Signing": "keyCertSign", "CRL Signing": "cRLSign"}
    kinds = {"DNS name": "DNS", "IP Address": "IP", "RFC822 Name": "EMAIL", "URI": "URI"}
    sans = re.findall(r'^\s*(DNS name|IP Address|RFC822 Name|URI): "?([^"\n]+)"?$', nss_extension(text, "Certificate Subject Alt Name"), re.M)
    access = re.findall(r'Method: PKIX (.*?) access method\s+Location:\s+URI: "([^"]+)"', text.replace("Online Certificate Status Protocol", "OCSP access method"))
    ocsp = re.findall(r'Method: PKIX Online Certificate Status Protocol\s+Location:\s+URI: "([^"]+)"', text)
    return {
        "serial": hex_in(re.search(r"Serial Number:\s*((?:[0-9a-f]{2}[:\s]*)+)", text)[0].replace("\n", " ").replace(":", " : ").replace("Serial Number :", "Serial Number:")),
        "not_before": instant(re.search(r"Not Before: (.*)", text)[1], "%a %b %d %H:%M:%S %Y"),
        "not_after": instant(re.search(r"Not After : (.*)", text)[1], "%a %b %d %H:%M:%S %Y"),
        "sans": [f"{kinds[kind]}:{value}" for kind, value in sans],
        "key_usage": names_in(nss_extension(text, "Certificate Key Usage"), usages), "extended_key_usage": purposes, "is_ca": is_ca,
        "subject_key_id": hex_in(nss_extension(text, "Certificate Subject Key ID").replace(":", " : ").replace("Data :", "Data:")),
        "authority_key_id": hex_in(nss_extension(text, "Certificate Authority Key Identifier").replace(":", " : ").replace("Key ID :", "Key ID:")),
        "crl": re.findall(r'URI: "([^"]+)"', nss_extension(text, "CRL Distribution Points")),
        "issuers": [url for method, url in access if method == "CA issuers"], "ocsp": ocsp}


def normal(name):
    """Addresses in one spelling."""
    return "IP:" + str(ipaddress.ip_address(name[3:])) if name.startswith("IP:") else name


def ours(record):
    """What the daemon itself says of it."""
    return {"serial": record["serial"], "not_before": record["not_before"], "not_after": record["not_after"], "sans": sorted(record["sans"]),
            "key_usage": sorted(record["key_usage"]), "extended_key_usage": sorted(record["extended_key_usage"]), "is_ca": record["is_ca"]}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("key", KEYS)
def test_B6_B8_C3_everybody_reads_and_verifies_the_same(daemon, go, tmp_path, key, case):
    profile, sans, kind = CASES[case]
    leaf, ca = tmp_path / "leaf.pem", tmp_path / "ca.pem"
    words = [word for san in sans for word in ("--san", san)]
    name = "Interop CA" if profile == "ca" else next((san.split(":", 1)[1] for san in sans if san.startswith("DNS:")), "A Person")
    run(BUILD / "chancery", "csr", "--cn", name, *words, "--key", kind, "--key-out", tmp_path / "key", "--out", tmp_path / "csr")
    with daemon.talk(realm_of(key)) as talk:
        issued = talk.result("certificate.issue", profile=profile, csr=(tmp_path / "csr").read_text())
        record = talk.result("certificate.get", serial=issued["serial"])
        leaf.write_text(issued["certificate"])
        ca.write_text(talk.result("ca.get")["certificate"])
    read_by_go = json.loads(run(go, leaf, ca))
    readings = {"openssl": with_openssl(leaf, ca, None), "go": {name: value or [] if name in URLS else value for name, value in read_by_go.items()}}
    readings["gnutls"] = with_gnutls(leaf, ca, None)
    if "ed25519" not in (key, kind):  # NSS 3.87 does not know RFC 8410
        readings["nss"] = with_nss(leaf, ca, tmp_path)
    expected = {**ours(record), **{name: [url] for name, url in URLS.items()}}
    subject_key_ids = {reader: reading["subject_key_id"] for reader, reading in readings.items()}
    assert len(set(subject_key_ids.values())) == 1 and len(next(iter(subject_key_ids.values()))) == 40, subject_key_ids
    assert len({reading["authority_key_id"] for reading in readings.values()}) == 1
    for reader, reading in readings.items():
        reading["sans"] = [normal(one) for one in reading["sans"]]
        seen = {name: sorted(value) if isinstance(value, list) else value for name, value in reading.items() if name in expected}
        assert seen == expected, reader
