"""uPKI's tables and examples over real ZMQ sockets (UPKI.md 1.2 to 1.7 and 7): t/upki/cases.json, run by pyzmq and by cppzmq.

A case is one message and the answer that it must have; their order counts, since later ones look at what earlier ones made.
In a message `{{name}}` is a variable. In an answer texts are patterns: * anything, # an integer, #big one of more than 64 bits,
@time a time as Python writes it, ^x what begins with x, ~x what contains x; {"*has": p}, {"*lacks": p} and {"*all": p} are arrays,
{"*open": {...}} is an object that may have more members. `error` is the text of an UPKI ERROR.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest
import zmq
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from acme_client import Key
from conftest import BUILD, System

TABLE = pathlib.Path(__file__).parent / "upki" / "cases.json"
CASES = json.loads(TABLE.read_text())["cases"]
NAMES = [one["name"] for one in CASES]
PLAIN = ["sign1", "sign2", "sign3", "x", "ra", *(f"r{i}" for i in range(1, 13))]


class Small(System):
    """RSA keys of 2048 bits for what the server makes: how long 4096 take depends on luck."""

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        profiles = self.directory / "var" / "realms" / name / "profiles"
        profiles.mkdir()
        for profile in ("server", "ra"):
            (profiles / f"{profile}.yml").write_text("keyLen: 2048\n")


@pytest.fixture(scope="module")
def system():
    with Small.running() as one:
        yield one


# ----- variables

def request(attributes, key=None, names=()):
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    return builder.sign(key, hashes.SHA256())


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM).decode()


def forged(name):
    """A request whose signature is another's."""
    der = bytearray(request([(NameOID.COMMON_NAME, name)]).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    text = subprocess.run(["openssl", "base64"], input=bytes(der), capture_output=True, check=True).stdout.decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"


def variables(run, seed, foreign):
    """What the cases need to begin with; names and keys are a run's own."""
    end = f"{run}.example.com"
    out = {"run": run, "seed": seed, "empty": "", "foreign_pem": foreign}
    for name in PLAIN:
        host = f"{name}.{end}"
        key = rsa.generate_private_key(65537, 2048) if name == "sign1" else None  # the example has keyEncipherment, EC keys have not
        out[f"csr_{name}"] = pem(request([(NameOID.COMMON_NAME, host)], key, [host]))
    full = [(NameOID.COUNTRY_NAME, "FR"), (NameOID.ORGANIZATION_NAME, "Company"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "Servers"), (NameOID.COMMON_NAME, f"dn.{end}")]
    out["csr_dn"] = pem(request(full, names=[f"dn.{end}"]))
    out["csr_localhost"] = pem(request([(NameOID.COMMON_NAME, "localhost")], names=["localhost"]))
    out["csr_weak"] = pem(request([(NameOID.COMMON_NAME, f"weak.{end}")], rsa.generate_private_key(65537, 1024)))
    out["csr_forged"] = forged(f"forged.{end}")
    first, second = Key(), Key()
    out.update(jwk=first.jwk(), thumbprint=first.thumbprint(), jwk2=second.jwk(), thumbprint2=second.thumbprint(), jwk_weak=Key("RS256", 1024).jwk())
    out["csr_account"] = pem(request([(NameOID.COMMON_NAME, f"x.{end}")], first.key, [f"x.{end}"]))
    return out


@pytest.fixture(scope="module")
def foreign(system):
    """A certificate of another CA: of the other realm."""
    talk = system.realm("devices").talk()
    yield talk.result("certificate.issue", csr=pem(request([(NameOID.COMMON_NAME, "foreign.example.com")], names=["foreign.example.com"])))["certificate"]
    talk.close()


# ----- pyzmq

def fill(value, known):
    if isinstance(value, str):
        whole = re.fullmatch(r"\{\{(\w+)\}\}", value)
        return known[whole[1]] if whole else re.sub(r"\{\{(\w+)\}\}", lambda found: str(known[found[1]]), value)
    if isinstance(value, list):
        return [fill(one, known) for one in value]
    if isinstance(value, dict):
        return {fill(name, known): fill(one, known) for name, one in value.items()}
    return value


def matches_text(pattern, value):
    if pattern == "*":
        return True
    if pattern in ("#", "#big"):
        return type(value) is int and (pattern == "#" or value > 2 ** 64)
    if not isinstance(value, str):
        return False
    if pattern == "@time":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", value))
    if pattern[:1] == "^":
        return value.startswith(pattern[1:])
    return pattern[1:] in value if pattern[:1] == "~" else value == pattern


def matches(pattern, value):
    if isinstance(pattern, str):
        return matches_text(pattern, value)
    if isinstance(pattern, list):
        return isinstance(value, list) and len(value) == len(pattern) and all(map(matches, pattern, value))
    if not isinstance(pattern, dict):
        return type(value) is type(pattern) and value == pattern
    for word, holds in (("*has", any), ("*lacks", lambda found: not any(found)), ("*all", lambda found: bool(value) and all(found))):
        if word in pattern:
            return isinstance(value, list) and holds([matches(pattern[word], one) for one in value])
    wanted = pattern.get("*open", pattern)
    if not isinstance(value, dict) or ("*open" not in pattern and value.keys() != wanted.keys()):
        return False
    return all(name in value and matches(one, value[name]) for name, one in wanted.items())


def message(case, known):
    if "raw" in case:
        return case["raw"]
    out = {"TASK": case["task"]}
    if "params" in case:
        out["PARAMS" if case.get("older") else "params"] = fill(case["params"], known)
    return json.dumps(out)


def ask(system, port, text):
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.setsockopt(zmq.RCVTIMEO, 60000)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(f"tcp://127.0.0.1:{system.zmq_port + port}")
    try:
        socket.send_string(text)
        return json.loads(socket.recv_string())
    finally:
        socket.close()


@pytest.fixture(scope="module")
def known(system, foreign):
    return variables("py", system.seed, foreign)


def ask_patiently(system, port, text):
    """As a client that does what it is told: no key pair was found in the 4 s that uPKI's clients wait, "try again shortly"."""
    for _ in range(20):
        reply = ask(system, port, text)
        if "try again shortly" not in str(reply.get("MSG")):
            break
    return reply


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_python(system, known, case):
    reply = ask_patiently(system, case.get("port", 0), message(case, known))
    if "error" in case:
        assert reply.keys() == {"EVENT", "MSG"} and reply["EVENT"] == "UPKI ERROR", reply
        assert matches(fill(case["error"], known), reply["MSG"]), reply["MSG"]
        return
    assert reply.keys() == {"EVENT", "DATA"} and reply["EVENT"] == "ANSWER", reply
    assert matches(fill(case["data"], known), reply["DATA"]), reply["DATA"]
    for name, member in case.get("save", {}).items():
        known[name] = reply["DATA"][member] if member else reply["DATA"]


# ----- cppzmq

@pytest.fixture(scope="module")
def outcomes(system, foreign, tmp_path_factory):
    """Each case's outcome as the C++ driver saw it."""
    given = tmp_path_factory.mktemp("upki") / "variables.json"
    given.write_text(json.dumps(variables("cpp", system.seed, foreign)))
    done = subprocess.run([BUILD / "upki-driver", "127.0.0.1", str(system.zmq_port), given, TABLE], capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    lines = [re.fullmatch(r"(ok|not ok) (.*?)(: \{.*)?", line) for line in done.stdout.splitlines()]
    return {line[2]: (line[1], line[3]) for line in lines if line}


@pytest.mark.parametrize("name", NAMES)
def test_cpp(outcomes, name):
    assert outcomes.get(name, ("not run", ""))[0] == "ok", outcomes.get(name)


# ----- the table itself

def test_there_are_cases_enough():
    """One or more for each table, and as many refusals as successes, nearly."""
    rows = {row: [one for one in CASES if one["name"].startswith(row + " ")] for row in ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "7")}
    assert sum(map(len, rows.values())) == len(CASES) >= 150 and all(rows.values())
    assert len(set(NAMES)) == len(NAMES)
    assert sum("error" in one for one in CASES) >= 0.9 * sum("data" in one for one in CASES)


def test_every_task_has_a_success_and_a_refusal():
    """Unless there is nothing that could be refused, or given."""
    source = (pathlib.Path(__file__).parent.parent / "clients" / "zmq" / "tasks.def").read_text()
    rows = re.findall(r'^TASK\((\w+), (\w+), (\w+), \w+, "([^"]*)", "([^"]*)", "([^"]*)"', source, re.M)
    assert len(rows) > 50
    for task, port, dialect, _, params, result in rows:
        mine = [one for one in CASES if one.get("task", "").lower() == task and one.get("port", 0) == (port == "Registration") and dialect in ("Both", "Older" if one.get("older") else "Newer")]
        assert any("data" in one for one in mine) or result == "never", f"{dialect} {task} has no success"
        assert any("error" in one for one in mine) or not params or task in ("status", "done", "remove_admin"), f"{dialect} {task} has no refusal"
