"""`chancery realm create --from-secret`: the CA's key follows from a secret as doc/ca-from-secret.md says; what is no such secret is refused."""

import base64
import hashlib
import os
import pathlib
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import ca_from_secret
from test_master import BUILD
from test_realm_create import Place, issued_file, openssl, write

DATA = pathlib.Path(__file__).resolve().parent / "data" / "ca-from-secret.txt"
DOCUMENT = pathlib.Path(__file__).resolve().parents[1] / "doc" / "ca-from-secret.md"
SECRET = hashlib.sha512(b"of these tests").digest()


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    one = Place(tmp_path)
    (one.config.parent / "realms").mkdir(exist_ok=True)
    yield one
    if one.process:
        one.end()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "ca-secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


def numbers(path):
    """The private key's, as ca_from_secret.py has them."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if hasattr(key, "private_numbers"):
        mine = key.private_numbers()
        if hasattr(mine, "private_value"):
            return {"d": f"{mine.private_value:0{key.key_size // 4}x}"}
        return {"p": f"{mine.p:x}", "q": f"{mine.q:x}", "n": f"{mine.public_numbers.n:x}", "d": f"{mine.d:x}"}
    raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    return {"seed": raw.hex()}


def key_id(place, realm):
    certificate = x509.load_pem_x509_certificate((place.realm(realm) / "ca.crt").read_bytes())
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


@pytest.mark.parametrize("kind", ["ec:P-256", "ec:P-384", "ed25519", "rsa:3072"])
def test_the_program_and_the_document_derive_the_same_key(place, secret, kind):
    place.create("one", "--from-secret", secret, "--key", kind, "--unencrypted", "--generation", 3)
    assert numbers(place.realm("one") / "ca.key") == ca_from_secret.derive(SECRET, "one", kind, 3)


def test_the_published_vectors_are_what_the_document_gives():
    lines = [line.split() for line in DATA.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 15
    for secret, realm, kind, generation, *parts in lines:
        if kind.startswith("rsa:") and generation != "1":
            continue  # seconds each, and the unit tests have them
        wanted = dict(part.split("=") for part in parts)
        assert ca_from_secret.derive(bytes.fromhex(secret), realm, kind, int(generation)) == wanted


def documented():
    """The rows of the document's table: secret, realm, kind, generation, private key."""
    rows = [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) == 5
    return rows


@pytest.mark.parametrize("secret,realm,kind,generation,wanted", documented())
def test_the_programs_keys_are_the_documents(place, tmp_path, secret, realm, kind, generation, wanted):
    file = tmp_path / "vector-secret"
    file.write_bytes(bytes.fromhex(secret))
    file.chmod(0o600)
    done = place.create(realm, "--from-secret", file, "--key", kind, "--generation", generation, "--unencrypted", check=False)
    if secret.startswith("5f5e5d"):  # a counter
        assert done.returncode != 0 and "bits of chance" in done.stderr, done
        return
    assert done.returncode == 0, done
    assert wanted in numbers(place.realm(realm) / "ca.key").values()


def test_the_documents_commands_do_what_they_say(tmp_path):
    lines = [line.strip() for line in DOCUMENT.read_text().split("be held against its rows")[1].splitlines() if line.startswith("    ")]
    (tmp_path / "realms").mkdir()
    environment = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "CHANCERY_PROGRAMS": str(BUILD)}
    done = subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    shown = done.stdout.split("priv:")[1].split("pub:")[0]
    assert "".join(shown.split()).replace(":", "") == documented()[-1][-1]


def test_a_realm_is_made_again_from_its_secret(place, tmp_path, secret):
    place.create("one", "--from-secret", secret)
    before, old = key_id(place, "one"), write(tmp_path / "old.crt", (place.realm("one") / "ca.crt").read_text())
    place.start()
    leaf, _ = issued_file(place, tmp_path)
    place.kill()
    place.log_file.unlink()
    subprocess.run(["rm", "-r", place.realm("one")], check=True)
    place.create("one", "--from-secret", secret, "--import-certificate", old)
    assert key_id(place, "one") == before and (place.realm("one") / "ca.crt").read_text() == old.read_text()
    assert "ENCRYPTED" in (place.realm("one") / "ca.key").read_text()
    openssl("verify", "-CAfile", place.realm("one") / "ca.crt", leaf)
    place.start()
    leaf, _ = issued_file(place, tmp_path, name="again.example.com")
    openssl("verify", "-CAfile", old, leaf)


def test_without_the_old_certificate_the_key_is_the_same(place, tmp_path, secret):
    place.create("one", "--from-secret", secret)
    before = key_id(place, "one")
    subprocess.run(["rm", "-r", place.realm("one")], check=True)
    place.create("one", "--from-secret", secret)
    assert key_id(place, "one") == before
    place.create("two", "--from-secret", secret)
    assert key_id(place, "two") != before


def test_one_line_feed_at_the_end_is_not_of_the_secret(place, tmp_path):
    text = base64.b64encode(SECRET).decode()
    for realm, content in (("one", text), ("two", text + "\n")):
        place.create(realm, "--from-secret", write(tmp_path / realm, content), "--unencrypted")
        assert numbers(place.realm(realm) / "ca.key") == ca_from_secret.derive(text.encode(), realm, "ec:P-256")


def test_F54_the_registration_seed_is_no_secret_for_a_key(place, tmp_path, monkeypatch):
    seed = hashlib.sha256(b"handed to each RA operator").hexdigest()
    for content in (seed, seed + "\n", "and more than that " + seed):
        place.realm("one").mkdir(parents=True, exist_ok=True)
        write(place.realm("one") / "ca.config.yml", "key_unencrypted: true\nseed_file: seed\n")
        write(place.realm("one") / "seed", seed + "\n")
        done = place.create("one", "--from-secret", write(tmp_path / "same", content), check=False)
        assert done.returncode != 0 and "registration seed" in done.stderr and "operates an RA" in done.stderr, done
        assert not (place.realm("one") / "ca.key").exists()
    monkeypatch.setenv("UPKI_CA_SEED", seed)
    done = place.create("two", "--from-secret", tmp_path / "same", check=False)
    assert done.returncode != 0 and "UPKI_CA_SEED" in done.stderr and not place.realm("two").exists(), done
    assert seed not in done.stderr


def test_what_is_refused_makes_no_ca(place, tmp_path, secret):
    short = write(tmp_path / "short", "31 octets are no secret, friend")
    refused = [
        (["--from-secret", short], "has 31 octets, expected at least 32"),
        (["--from-secret", write(tmp_path / "zeros", "0" * 64)], "about 0 bits of chance"),
        (["--from-secret", write(tmp_path / "words", "please do not use a sentence of words as a secret for a key")], "bits of chance"),
        (["--from-secret", write(tmp_path / "repeats", "hunter2 " * 20)], "bits of chance"),
        (["--from-secret", write(tmp_path / "open", SECRET.hex(), 0o644)], "0644"),
        (["--from-secret", write(tmp_path / "group", SECRET.hex(), 0o640)], "0640"),
        (["--from-secret", write(tmp_path / "long", SECRET.hex() * 40)], "4096"),
        (["--from-secret", tmp_path / "absent"], "--from-secret: open"),
        (["--from-secret", tmp_path], "--from-secret"),
        (["--from-secret", ""], "--from-secret: found an empty text"),
        (["--from-secret", secret, "--key", "ec:P-521"], "found ec:P-521, expected a kind of key that a secret gives: ec:P-256"),
        (["--from-secret", secret, "--key", "rsa:2048"], "found rsa:2048"),
        (["--from-secret", secret, "--generation", "0"], '--generation: found "0", expected 1 to 1000000'),
        (["--generation", "2"], "--generation: found it without --from-secret"),
        (["--from-secret", secret, "--import-key", secret, "--import-certificate", secret], "found --from-secret and --import-key"),
        (["--from-secret", secret, "--import-certificate", write(tmp_path / "nonsense.crt", "x")], "--import-certificate"),
    ]
    (tmp_path / "link").symlink_to(secret)
    refused.append((["--from-secret", tmp_path / "link"], "--from-secret"))
    for number, (options, said) in enumerate(refused):
        done = place.create(f"r{number}", *options, check=False)
        assert done.returncode != 0 and said in done.stderr, (options, done)
        assert not place.realm(f"r{number}").exists(), options
        assert SECRET.hex() not in done.stderr + done.stdout


def test_another_certificate_does_not_fit_the_key(place, tmp_path, secret):
    place.create("other")
    done = place.create("one", "--from-secret", secret, "--import-certificate", place.realm("other") / "ca.crt", check=False)
    assert done.returncode != 0 and "another key" in done.stderr and not place.realm("one").exists(), done


def test_the_secret_is_in_no_file_of_the_realm(place, secret):
    place.create("one", "--from-secret", secret, "--unencrypted")
    held = b"".join(path.read_bytes() for path in place.realm("one").rglob("*") if path.is_file())
    assert SECRET not in held and SECRET.hex().encode() not in held and str(secret).encode() not in held
