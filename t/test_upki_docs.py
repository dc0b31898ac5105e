"""The pages for uPKI's users (doc/upki-*.md): every command in them is run, in order, as it is printed but for ports and places."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from acme_client import Client
from conftest import BUILD, free_ports
from test_daemon import wait_for
from test_upki_cli import ask
from test_upki_import import Upki, ca  # noqa: F401: a fixture

DOC = pathlib.Path(__file__).resolve().parents[1] / "doc"


def commands(page, begin="", end=None):
    """The lines of the page's command blocks between two texts; a block is indented, and a list's is indented further."""
    text = (DOC / page).read_text().split(begin, 1)[1]
    text = text.split(end, 1)[0] if end else text
    blocks = re.findall(r"(?:^ {4,}\S.*\n|^ {8}\s*\n)+", text, re.M)
    wanted = []
    for block in blocks:
        depth = min(len(line) - len(line.lstrip()) for line in block.splitlines() if line.strip())
        wanted += [line[depth:] for line in block.splitlines()]
    return wanted


def environment(**more):
    plain = {name: value for name, value in os.environ.items() if name != "CHANCERY_SOCKET"}
    return {**plain, "PATH": f"{BUILD}:{os.environ['PATH']}", "CHANCERY_PROGRAMS": str(BUILD), **more}


def run(script, directory, check=True, **more):
    with open(directory / "said", "w+") as said:  # not a pipe: what the script leaves in the background would keep that open
        done = subprocess.run(["sh", "-ec", script], cwd=directory, env=environment(**more), stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=240)
        said.seek(0)
        text = said.read()
    assert done.returncode == 0 or not check, text
    return text


def at_ports(text, https, http):
    """In one pass: a port that is given here may have the digits of the other."""
    return re.sub("8000|8080", lambda found: str({"8000": https, "8080": http}[found[0]]), text)


def ended(lines):
    """The script whose server ends with it."""
    return "trap 'kill $!; wait $! || true' EXIT\n" + "\n".join(lines)


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o755)
    return tmp_path


def test_replacing_the_ra_step_by_step(place):
    lines = commands("upki-ra.md", "## Replacing it", "## uPKI's command line")
    assert len(lines) > 25 and lines[0].startswith("chancery realm create")
    https, http = free_ports(2)
    text = at_ports(ended(lines), https, http)
    said = run(text, place)
    assert '"status":"healthy"' in said.replace(" ", "") and '"newNonce"' in said and '"crl"' in said, said
    assert said.count("/CN=alice") >= 2, said
    assert (place / "alice.crt").read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_pre_authorisation_is_one_setting(place):
    before = commands("upki-ra.md", "## Replacing it", "4. Give administrators")
    turned_on = commands("upki-ra.md", "## Pre-authorisation", "A server that runs already")
    assert any("upki_clients" in line for line in turned_on) and turned_on[-1].startswith("chanceryd")
    https, http = free_ports(2)
    script = at_ports("\n".join([*before, *turned_on, "wait $!"]), https, http)
    with open(place / "said", "w") as said:
        process = subprocess.Popen(["sh", "-ec", script], cwd=place, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    try:
        def account():
            assert process.poll() is None, (place / "said").read_text()
            with contextlib.suppress(OSError, KeyError, ValueError):  # not there yet
                client = Client(f"https://localhost:{https}/acme/directory", str(place / "realms" / "default" / "ca.crt"))
                return client if client.register().status_code == 201 else None
        client = wait_for(account, what="the server")

        def is_ready():
            with contextlib.suppress(OSError, KeyError):  # between the two servers
                return client.order(["unproven.example.com"]).json()["status"] == "ready"
        wait_for(is_ready, what="the setting")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
    assert "without a proof" in (place / "said").read_text()


def test_lego_proves_what_the_page_says(system, tmp_path):
    """The client that the page points to; its names are of this machine here."""
    line = "\n".join(commands("upki-ra.md", "with http-01, like lego", "Orders made meanwhile"))
    line = line.replace("realms/default/ca.crt", str(system.realm("default").https_ca_file)).replace("https://ra.example.com:8000/acme/directory", system.realm("default").directory_url).replace("host.example.com", "doc.localhost") \
        .replace("--http run", f"--http --http.port 127.0.0.1:{system.http01_port} --path {tmp_path} run")
    if shutil.which("lego") is None:
        pytest.skip("no lego")
    run(line, tmp_path)
    assert list(tmp_path.rglob("doc.localhost.crt"))


def test_moving_the_ca_step_by_step(place, ca):  # noqa: F811
    upki = Upki(place, "newer", ca)
    upki.node("good.kitchen.example", with_key=True)
    upki.finish(crl=ca.crl([]))
    lines = commands("upki-migration.md", "# Moving from uPKI", "## Where the CA")
    text = "\n".join(lines).replace("/var/lib/upki", str(upki.directory)).replace("/root/.upki/ca", str(upki.ca_directory)) \
        .replace("/var/lib/chancery", str(place / "var")).replace("/etc/chancery", str(place / "etc"))
    (place / "var").mkdir()
    (place / "etc").mkdir()
    (place / "etc" / "chancery.xml").write_text(f'<chancery run-directory="{place}/run"><realms directory="{place}/var/realms" default="default"/></chancery>\n')
    said = run(text, place)
    assert "clients: register, which uPKI wrote and never enforced" in said and "0 errors" in said or "certificates:" in said, said
    assert (place / "var" / "realms" / "default" / "ca.crt").read_bytes() == (upki.ca_directory / "ca.crt").read_bytes()


def test_uPKIs_verbs_as_printed(place):
    lines = [line.split("#")[0] for line in commands("upki-migration.md", "## uPKI's own verbs", "| uPKI | here |")]
    port, = free_ports(1, run=2)
    text = "\n".join(lines).replace("/var/lib/upki", str(place)).replace("chancery upki init", f"chancery upki init --port {port}")
    with open(place / "said", "w") as said:
        process = subprocess.Popen(["sh", "-ec", text], cwd=place, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    try:
        wait_for(lambda: (place / "ca" / "ca.crt").exists() and "seed:" in (place / "said").read_text(), what="the CA")
        assert ask(port, "get_ca")["DATA"] == (place / "ca" / "ca.crt").read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
