"""`chancery upki`: uPKI's own verbs and environment variables."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess

import pytest
import zmq

from conftest import free_ports
from test_master import BUILD, wait_for
from test_realm_create import openssl, write


def upki(*words, check=True, env=None, **how):
    done = subprocess.run([BUILD / "chancery", "--json", "upki", *map(str, words)], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "CHANCERY_PROGRAMS": str(BUILD), **{key: str(value) for key, value in (env or {}).items()}}, **how)
    assert done.returncode == 0 or not check, done
    return json.loads(done.stdout) if check else done


@contextlib.contextmanager
def serving(*words, env=None):
    process = subprocess.Popen([BUILD / "chancery", "upki", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={"PATH": os.environ["PATH"], "CHANCERY_PROGRAMS": str(BUILD), **{key: str(value) for key, value in (env or {}).items()}})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def ask(port, task, timeout=20, **params):
    """One request as uPKI's clients send it; waits until somebody listens."""
    def listens():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    wait_for(listens, what=f"port {port}")
    with zmq.Context() as context, context.socket(zmq.REQ) as request:
        request.linger = 0
        request.rcvtimeo = timeout * 1000
        request.connect(f"tcp://127.0.0.1:{port}")
        request.send_string(json.dumps({"TASK": task, "params": params}))
        return json.loads(request.recv_string())


def quick_keys(place):
    """An RA's key of RSA-4096 may take longer than a client waits, on a busy machine."""
    write(place / "profiles" / "ra.yml", "key: ec:P-256\n", 0o640)


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    return tmp_path / "pki"


@pytest.fixture
def port():
    return free_ports(1, run=2)[0]


@pytest.fixture(scope="module")
def existing(tmp_path_factory):
    """A CA to bring along: quicker than one of RSA-4096."""
    where = tmp_path_factory.mktemp("existing")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", where / "ca.key", "-out", where / "ca.crt", "-subj",
            "/O=Old/CN=Old CA", "-days", "400", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    (where / "ca.key").chmod(0o600)
    return {"UPKI_CA_KEY_FILE": where / "ca.key", "UPKI_CA_CERT_FILE": where / "ca.crt"}


def test_init_and_start_as_upki_does(place, port):
    made = upki("init", env={"UPKI_DATA_DIR": place})
    assert made["key"] == "rsa:4096" and len(made["seed"]) >= 40
    for part in ("ca.config.yml", "ca.crt", "ca.key", "db", "nodes"):
        assert (place / part).exists(), part
    assert (place / "db" / "seed").read_text() == made["seed"] + "\n" and (place / "db" / "seed").stat().st_mode & 0o777 == 0o600
    quick_keys(place)
    with serving("start", "--port", port, env={"UPKI_DATA_DIR": place}):
        assert ask(port, "get_ca") == {"EVENT": "ANSWER", "DATA": (place / "ca.crt").read_text()}
        answer = ask(port + 1, "register", seed=made["seed"], cn="RA", profile="ra", timeout=60)
        assert answer["EVENT"] == "ANSWER" and "BEGIN PRIVATE KEY" in answer["DATA"]["private_key"], answer
        assert ask(port + 1, "register", seed="wrong", cn="RA")["MSG"] == "[700] Invalid registration seed"


def test_path_wins_over_the_environment_and_listen_serves(place, port, existing):
    made = upki("init", "--path", place, "--port", port, env={**existing, "UPKI_DATA_DIR": "/nowhere/else"})
    assert made["data_directory"] == str(place) and made["subject"] == "/O=Old/CN=Old CA"
    with serving("listen", "--path", place):
        assert ask(port, "get_ca")["DATA"] == existing["UPKI_CA_CERT_FILE"].read_text()


def test_the_given_seed_is_taken_and_not_printed(place, port, existing):
    seed = hashlib.sha256(b"given").hexdigest()
    made = upki("init", "--path", place, "--port", port, env={**existing, "UPKI_CA_SEED": seed})
    assert "seed" not in made and (place / "db" / "seed").read_text() == seed + "\n"


def test_register_opens_registration(place, port, existing):
    upki("init", "--path", place, "--port", port, env=existing)
    quick_keys(place)
    (place / "db" / "seed").unlink()
    settings = (place / "ca.config.yml").read_text()
    write(place / "ca.config.yml", "".join(line for line in settings.splitlines(True) if not line.startswith("seed_file")), 0o640)
    with serving("register", "--path", place) as process:
        word, seed = process.stdout.readline().split()
        assert word == "seed" and (place / "db" / "seed").read_text() == seed + "\n"
        answer = ask(port + 1, "register", seed=seed, cn="RA", profile="ra", timeout=60)
        assert answer["EVENT"] == "ANSWER", answer


def test_an_imported_realm_is_served(tmp_path, place, port):
    from test_upki_import import Upki
    upki_ca = Upki(tmp_path, "documented")
    upki_ca.node("good.kitchen.example")
    upki_ca.finish()
    subprocess.run([BUILD / "chancery", "import", "upki", upki_ca.directory, "--name", "pki", "--realms-directory", tmp_path], check=True,
                   capture_output=True, env={**os.environ, "CHANCERY_PROGRAMS": str(BUILD)})
    quick_keys(place)
    with serving("start", "--path", place, "--port", port):
        assert ask(port, "get_ca")["DATA"].startswith("-----BEGIN CERTIFICATE-----")
        answer = wait_for(lambda: (lambda got: got if got["EVENT"] == "ANSWER" else None)(ask(port, "view", dn="good.kitchen.example")), what="the certificate")
        assert answer["DATA"]["serial_number"] == upki_ca.certificates["good.kitchen.example"].serial_number
        assert ask(port + 1, "register", seed="a-shared-registration-seed", cn="RA", profile="ra", timeout=60)["EVENT"] == "ANSWER"


def test_the_address_changes_until_somebody_changes_the_file(place, existing):
    made = upki("init", "--path", place, env={**existing, "UPKI_CA_HOST": "127.0.0.2"})
    server = place.parent / "pki.chancery.xml"
    assert made["address"] == "127.0.0.2 port 5000" and made["server"] == str(server)
    assert 'address="127.0.0.2" port="5000"' in server.read_text()
    server.write_text(server.read_text().replace("127.0.0.2", "127.0.0.3") + "<!-- mine -->\n")
    kept = server.read_text()
    done = upki("start", "--path", place, "--port", 7000, check=False)
    assert done.returncode != 0 and "was changed by hand" in done.stderr and server.read_text() == kept, done


def test_what_is_refused(place, tmp_path, existing):
    key, certificate = existing.values()
    write(tmp_path / "password", "sesame\n")
    (tmp_path / "old").mkdir()
    write(tmp_path / "old" / ".serials.json", "{}")
    another, sealed = tmp_path / "another.key", tmp_path / "sealed.key"
    for path, options in ((another, []), (sealed, ["-aes-256-cbc", "-pass", "pass:other"])):
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", *options, "-out", path], check=True, capture_output=True)
        path.chmod(0o600)
    refused = [
        (["init"], {}, "found neither --path nor UPKI_DATA_DIR"),
        (["init", "--path", tmp_path / "Upper"], {}, "its last part is the realm's name"),
        (["init", "--path", place, "--ca-key", key], {}, "found one of --ca-key and --ca-cert"),
        (["init", "--path", place], {"UPKI_CA_CERT_FILE": certificate}, "found one of --ca-key and --ca-cert"),
        (["init", "--path", place, "--ca-key", key, "--ca-cert", certificate, "--ca-password", "x"], {}, "--ca-password-file"),
        (["init", "--path", place, "--ca-password-file", tmp_path / "password"], {}, "without --ca-key"),
        (["init", "--path", place, "--ca-key", tmp_path / "absent", "--ca-cert", certificate], {}, "--ca-key or UPKI_CA_KEY_FILE: open"),
        (["init", "--path", place, "--ca-cert", tmp_path / "absent"], {"UPKI_CA_KEY_FILE": key}, "--ca-cert or UPKI_CA_CERT_FILE: open"),
        (["init", "--path", place, "--ca-key", certificate, "--ca-cert", certificate], {}, "--ca-key or UPKI_CA_KEY_FILE: "),
        (["init", "--path", place, "--ca-key", key, "--ca-cert", certificate, "--ca-password-file", tmp_path / "absent"], {}, "--ca-password-file: open"),
        (["init", "--path", place, "--ca-key", another, "--ca-cert", certificate], {}, "--ca-cert"),
        (["init", "--path", place, "--ca-key", key, "--ca-cert", key], {}, "--ca-cert"),
        (["init", "--path", place, "--ca-key", sealed, "--ca-cert", certificate], {}, "--ca-password-file"),
        (["init", "--path", place, "--ca-key", sealed, "--ca-cert", certificate, "--ca-password-file", tmp_path / "password"], {}, "--ca-password-file"),
        (["init", "--path", place], {"UPKI_CA_HOST": "ca.example.com"}, "expected an IPv4 or IPv6 address"),
        (["init", "--path", place], {"UPKI_CA_HOST": "0.0.0.0"}, "which others reach, without --server-key"),
        (["init", "--path", place, "--host", "::"], {}, "which others reach, without --server-key"),
        (["init", "--path", place, "--server-key", tmp_path / "none.curve"], {}, "--server-key: open"),
        (["init", "--path", place, "--server-key", write(tmp_path / "open.curve", "x", 0o644)], {}, "expected 0600"),
        (["init", "--path", place, "--ra-key", "short"], {}, "--ra-key: found"),
        (["init", "--path", place, "--ra-key", zmq.curve_keypair()[0].decode()], {}, "found --ra-key without --server-key"),
        (["init", "--path", place], {"UPKI_CA_SEED": "fifteen-letters"}, "UPKI_CA_SEED: found 15 characters, expected at least 16"),
        (["init", "--path", place, "--subject", "nonsense"], {}, "--subject"),
        (["init", "--path", place, "--domain", "not a domain"], {}, "domain"),
        (["init", "--path", place, "--ca-key", key, "--ca-cert", certificate, "--subject", "/CN=x"], {}, "found --subject with --ca-key"),
        (["start", "--path", place, "--company", "x"], {}, "company"),
        (["init", "--path", place, "--port", "65535"], {}, '--port: found "65535", expected 1 to 65534'),
        (["init", "--path", place, "--port", "http"], {}, '--port: found "http"'),
        (["init", "--path", tmp_path / "old"], {}, "chancery import upki"),
        (["start", "--path", place], {}, "expected a data directory that is laid out"),
        (["listen", "--path", place], {}, "expected a data directory that is laid out"),
        (["register", "--path", place], {}, "expected a data directory that is laid out"),
        (["start", "--path", place, "--ca-key", key], {}, "ca-key"),
        (["stop"], {}, "stop"),
    ]
    for words, env, said in refused:
        done = upki(*words, env=env, check=False)
        assert done.returncode != 0 and said in done.stderr, (words, done)
        assert "--import-" not in done.stderr  # the name of another program's option
        assert not place.exists() and not (tmp_path / "pki.chancery.xml").exists(), words
    upki("init", "--path", place, env=existing)
    done = upki("init", "--path", place, env=existing, check=False)
    assert done.returncode != 0 and "has a CA already" in done.stderr and "upki start" in done.stderr


def test_company_domain_and_subject_are_the_realms(place):
    made = upki("init", "--path", place, "--company", "Kitchen & Sons", "--domain", "kitchen.example", "--subject", "/C=FR/O=Kitchen/CN=Kitchen Root CA")
    assert made["subject"] == "/C=FR/O=Kitchen/CN=Kitchen Root CA"
    settings = (place / "ca.config.yml").read_text()
    assert 'company: "Kitchen & Sons"' in settings and 'domain: "kitchen.example"' in settings
    other = upki("init", "--path", place.parent / "other", "--company", "Kitchen & Sons")
    assert other["subject"] == "/O=Kitchen & Sons/CN=other CA"


def test_company_is_the_organisation_of_what_is_generated(place, port, existing):
    upki("init", "--path", place, "--port", port, "--company", "Kitchen & Sons", env=existing)
    write(place / "profiles" / "server.yml", "key: ec:P-256\n", 0o640)
    with serving("start", "--path", place):
        answer = ask(port, "generate", cn="www.kitchen.example", profile="server", sans=[{"type": "DNS", "value": "www.kitchen.example"}], timeout=60)
        assert answer["EVENT"] == "ANSWER", answer
        subject = openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", input=answer["DATA"]["certificate"])
        assert "O=Kitchen & Sons" in subject, subject


@pytest.mark.parametrize("layout", ["newer", "older", "documented"])
def test_a_directory_of_upkis_own_programs_is_recognised(tmp_path, layout):
    from test_upki_import import Upki
    theirs = Upki(tmp_path, layout)
    theirs.node("good.kitchen.example")
    theirs.finish()
    before = sorted(str(path) for path in theirs.directory.rglob("*"))
    for verb in ("init", "start", "register", "listen"):
        done = upki(verb, "--path", theirs.directory, check=False, timeout=60)
        assert done.returncode != 0 and "it is a data directory of uPKI's own programs" in done.stderr, (verb, done)
        assert f"chancery import upki {theirs.directory} --name" in done.stderr, (verb, done)
    assert sorted(str(path) for path in theirs.directory.rglob("*")) == before


def test_a_documented_directory_without_databases_is_recognised(tmp_path, existing):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    write(theirs / "ca.config.yml", "company: Kitchen\n")
    for name, source in zip(("ca.key", "ca.crt"), existing.values()):
        write(theirs / name, source.read_text())
    for verb in ("init", "start"):
        done = upki(verb, "--path", theirs, check=False, timeout=60)
        assert done.returncode != 0 and "has a CA without a journal" in done.stderr and "chancery import upki" in done.stderr, (verb, done)


@pytest.mark.parametrize("verb", ["listen", "start", "register"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_taken_port_ends_it(place, port, existing, verb, which):
    upki("init", "--path", place, "--port", port, env=existing)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + which))
        other.listen()
        for words in ([], ["--port", port]):
            done = upki(verb, "--path", place, *words, check=False, timeout=60)
            assert done.returncode != 0 and f"port {port + which} of 127.0.0.1" in done.stderr and "is taken by another program" in done.stderr, done
        server = place.parent / "pki.chancery.xml"
        server.write_text(server.read_text().replace("<log", "<!-- mine --><log"))
        assert f"port {port + which} of 127.0.0.1" in upki(verb, "--path", place, check=False, timeout=60).stderr


def test_an_address_beyond_this_machine_needs_a_key_and_changes_nothing_without(place, port, existing):
    upki("init", "--path", place, "--port", port, env=existing)
    server = place.parent / "pki.chancery.xml"
    before = server.read_text()
    for verb in ("listen", "start", "register"):
        done = upki(verb, "--path", place, "--host", "0.0.0.0", check=False, timeout=60)
        assert done.returncode != 0 and "without --server-key" in done.stderr and server.read_text() == before, done


def test_peers_come_with_keys(tmp_path, place, port, existing):
    """An RA elsewhere has the key that --ra-key named; nobody else is let in by CURVE."""
    keys = {name: zmq.curve_keypair() for name in ("server", "ra", "other")}
    secret = write(tmp_path / "server & co.curve", keys["server"][1].decode() + "\n")
    upki("init", "--path", place, "--port", port, env=existing)
    quick_keys(place)
    with serving("register", "--path", place, "--host", "0.0.0.0", "--server-key", secret, "--ra-key", keys["ra"][0].decode()):
        assert ask(port, "get_ca")["EVENT"] == "ANSWER"  # loopback, as before

        def as_peer(name, task):
            secret_of = write(tmp_path / f"{name}.curve", keys[name][1].decode() + "\n")
            done = subprocess.run([BUILD / "chancery-zmq", "--probe", f"tcp://127.0.0.1:{port}", "--server-key", keys["server"][0].decode(), "--key", secret_of,
                                   "--task", task], capture_output=True, text=True, timeout=60)
            return done.stdout + done.stderr
        assert "answered" in as_peer("ra", "list_nodes")
        assert "does not know the client's key" in as_peer("other", "list_nodes")
    kept = (place.parent / "pki.chancery.xml").read_text()
    with serving("start", "--path", place):  # what was chosen stays chosen
        assert ask(port, "get_ca")["EVENT"] == "ANSWER"
    assert (place.parent / "pki.chancery.xml").read_text() == kept and "&amp; co.curve" in kept


def test_verbs_are_completed_and_described():
    done = subprocess.run([BUILD / "chancery", "completion", "--words", "upki", ""], capture_output=True, text=True, check=True)
    assert {"init", "register", "listen", "start"} <= set(done.stdout.split()), done.stdout
    done = subprocess.run([BUILD / "chancery", "upki", "init", "--help"], capture_output=True, text=True, check=True)
    for word in ("UPKI_DATA_DIR", "UPKI_CA_KEY_FILE", "UPKI_CA_CERT_FILE", "UPKI_CA_HOST", "--ca-password-file", "--company", "--domain", "--subject", "--server-key", "--ra-key"):
        assert word in done.stdout, done.stdout
