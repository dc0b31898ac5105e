"""B4, C13: keys on an operator's list are refused at every door that takes keys; doc/key-block-lists.md's lines make the list."""

import hashlib
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from acme_client import Key
from test_daemon import Daemon, request_for
from test_master import BUILD


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Daemon(tmp_path)
    yield one
    if one.process:
        one.end()


def configure(daemon, *files):
    names = ", ".join(f'"{name}"' for name in files)
    (daemon.realm("default") / "ca.config.yml").write_text(f"key_unencrypted: true\nkey_block_lists: [{names}]\n")


def listed(csr):
    """As the manual says: the hash of a request's key."""
    pipe = "openssl req -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64"
    return subprocess.run(pipe, shell=True, input=csr, check=True, capture_output=True, text=True).stdout


def test_B4_C13_a_listed_key_is_refused_everywhere(daemon):
    blocked, free = request_for("blocked.example.com"), request_for("free.example.com")
    account = Key()
    spki = account.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    lines = sorted([listed(blocked), hashlib.sha256(spki).hexdigest() + "\n", "0" * 64 + "\n", "f" * 64 + "\n"])
    (daemon.realm("default") / "list").write_text("# of the test\n" + "".join(lines))
    configure(daemon, "list")
    daemon.start()
    with daemon.talk("default") as talk:
        error = talk.call("certificate.issue", profile="server", csr=blocked)["error"]
        assert error["data"]["code"] == "bad_key" and "list" in error["message"], error
        preview = talk.call("certificate.preview", csr=blocked)
        assert "error" in preview or preview["result"]["allowed"] is False
        assert "error" in talk.call("acme.account.create", jwk=account.jwk())
        talk.result("certificate.issue", profile="server", csr=free)
    with daemon.talk("devices") as talk:  # each realm has its own lists
        talk.result("certificate.issue", profile="server", csr=blocked)


@pytest.mark.parametrize("content,said", [(None, "found no file"), ("no list\n", "hexadecimal"), ("0123\n", "hexadecimal")])
def test_B4_a_list_that_is_none_is_found(daemon, content, said):
    if content:
        (daemon.realm("default") / "list").write_text(content)
    configure(daemon, "list")
    daemon.write_config()
    done = subprocess.run([BUILD / "chanceryd", "--check", "--config", daemon.config], capture_output=True, text=True)
    assert done.returncode == 78 and said in done.stdout, done
