"""DESIGN 2: workers, signers and front ends as Unix users of their own, and what somebody with a shell as one of them gets."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from conftest import free_ports
from test_daemon import Daemon, issue
from test_master import BUILD, wait_for

WORKER, SIGNER, WEB = "daemon", "bin", "www-data"  # every Debian has them
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes processes of other users")


def uid(user):
    return int(subprocess.run(["id", "-u", user], check=True, capture_output=True, text=True).stdout)


class Users(Daemon):
    def add_realm(self, name, behave="ready"):
        subprocess.run([BUILD / "chancery-signer", "create", "--realm", name, "--directory", self.realm(name), "--signer-user", SIGNER,
                        "--worker-user", WORKER], check=True, capture_output=True)

    def write_config(self, root="", **how):
        self.http, = free_ports(1)
        self.config.write_text(
            f'<chancery run-directory="{self.directory}/run" program-directory="{self.directory}/bin"><users worker="{WORKER}" signer="{SIGNER}" '
            f'front-end="{WEB}"/><socket mode="0666"/><realms directory="{self.directory}/realms"/><front-ends><front-end name="http" '
            f'program="chancery-http" realms="default" roles="frontend"/></front-ends><listeners><listener name="http" tls="false" '
            f'address="127.0.0.1" port="{self.http}" default-realm="default" realms="default"/></listeners></chancery>')


@pytest.fixture
def reachable():
    with tempfile.TemporaryDirectory(prefix="chancery-users-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        yield pathlib.Path(directory)


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="chancery-users-") as directory:  # where other users can go
        os.chmod(directory, 0o755)
        one = Users(pathlib.Path(directory))
        for program in ("chancery-signer", "chancery-http"):
            shutil.copy(BUILD / program, one.directory / "bin")
        one.start()
        yield one
        one.end()


def processes(server):
    """Kind and name -> pid, of everything that is ready."""
    def all_ready():
        with server.talk() as talk:
            rows = talk.result("server.status")["processes"]
            return rows if {row["state"] for row in rows} == {"ready"} and len(rows) == 5 else None
    return {f"{row['kind']} {row.get('name', '')}".strip(): row["pid"] for row in wait_for(all_ready, what="all processes")}


def ids(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split()[1:] for line in lines if line.startswith(("Uid", "Gid", "Groups", "CapPrm", "CapEff"))}


def run_as(user, *words, text=None):
    return subprocess.run(["runuser", "-u", user, "--", *map(str, words)], input=text, capture_output=True,
                          text=True, timeout=60)


def ask_as(user, server, *requests):
    lines = "".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": params}) + "\n" for i, (method, params) in enumerate(requests))
    return [json.loads(line) for line in run_as(user, "nc", "-U", "-N", server.socket, text=lines).stdout.splitlines()]


@pytest.mark.parametrize("socket,who", [("", "front end http"), ('mode="0660" group="adm"', "front end http"),
                                        ('owner="nobody" mode="0600"', "upkeep"), ('mode="0600"', "front end http")])
def test_a_socket_that_its_own_processes_cannot_reach_is_found(reachable, socket, who):
    one = Users(reachable)
    one.write_config()
    one.config.write_text(one.config.read_text().replace('<socket mode="0666"/>', f"<socket {socket}/>"))
    found = subprocess.run([BUILD / "chanceryd", "--config", one.config, "--check"], capture_output=True, text=True, timeout=60)
    assert found.returncode == 78 and f"with which {who}, user" in found.stdout, found.stdout


def test_a_group_that_all_are_in_is_enough(reachable):
    """The run directory lets them pass; the socket's group decides."""
    one = Users(reachable)
    for program in ("chancery-signer", "chancery-http"):
        shutil.copy(BUILD / program, one.directory / "bin")
    one.write_config()
    one.write_config = lambda *_, **__: None
    one.config.write_text(one.config.read_text().replace('<socket mode="0666"/>', f'<socket mode="0660" group="{WEB}"/>'))
    one.start()
    assert processes(one)
    with one.talk("default") as talk:
        assert issue(talk, "in-the-group.example.com")["serial"]
    one.end()


# ----- who is who

def test_D31_everybody_is_who_the_configuration_says(server):
    pids = processes(server)
    expected = {"signer default": SIGNER, "signer devices": SIGNER, "upkeep": WORKER, "keymaker": WORKER, "front end http": WEB}
    assert set(pids) == set(expected)
    with server.talk("default") as talk:
        worker = own_worker(talk)
        for name, pid in {**pids, "worker": worker}.items():
            who = ids(pid)
            assert who["Uid"] == [str(uid(expected.get(name, WORKER)))] * 4, name
            assert len(set(who["Gid"])) == 1 and "0" not in who["Gid"] + who["Groups"], name
            assert {who["CapPrm"][0], who["CapEff"][0]} == {"0" * 16}, name
    assert ids(server.pid)["Uid"] == ["0"] * 4


def test_everything_works_across_the_users(server):
    with server.talk("default") as talk:
        serial = issue(talk, "one.example.com")["serial"]
        talk.result("certificate.generate", cn="node.example.com", profile="server", key="ec:P-256", store_key=True)
        talk.result("certificate.revoke", serial=serial, reason="superseded")
        assert talk.result("crl.issue")["number"] >= 1
        assert not [found for name in ("missing", "states", "damaged") for found in talk.result("realm.repair")[name]]
        assert talk.result("audit.verify")["whole"]
    done = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{server.http}/crl"], capture_output=True)
    assert done.returncode == 0 and done.stdout
    assert (server.realm("default") / "crl.pem").stat().st_uid == uid(SIGNER)
    done = subprocess.run([BUILD / "chanceryd", "--config", server.config, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done


def test_F3_a_killed_signer_comes_back_as_the_same_user(server):
    before = processes(server)["signer default"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: processes(server)["signer default"] != before, what="another signer")
    assert ids(processes(server)["signer default"])["Uid"] == [str(uid(SIGNER))] * 4
    with server.talk("default") as talk:
        issue(talk, "two.example.com")


# ----- a shell as one of them

def own_worker(talk):
    """The connection's, once those of the tests before are reaped."""
    def alone():
        found = [row["pid"] for row in talk.result("server.status")["workers"] if row.get("realm") == "default" and row["uid"] == 0]
        return found if len(found) == 1 else None
    return wait_for(alone, what="no other worker")[0]


SECRETS = ["ca.key", "passphrase", "journal/journal.log", "ca.config.yml"]


def tries(user, *commands):
    """Those of the commands that succeeded."""
    return [command for command in commands if run_as(user, "sh", "-c", command).returncode == 0]


def test_C22_D31_a_shell_of_a_front_end_gets_nothing(server):
    pids = processes(server)
    with server.talk("default") as talk:
        issue(talk, "three.example.com")
        worker = own_worker(talk)
        files = [server.realm(realm) / name for realm in ("default", "devices") for name in [*SECRETS, "db/realm.db"]]
        others = [server.pid, worker, pids["signer default"], pids["upkeep"], pids["keymaker"]]
        assert tries(WEB, f"cat {server.realm('default')}/ca.crt") != []
        assert tries(
            WEB, *[f"cat {file}" for file in files], *[f"ls {server.realm('default')}/{name}" for name in ("db", "journal", "nodes")],
            *[f"touch {place}/x" for place in (server.realm("default"), server.realm("default") / "db", server.directory / "run", server.directory)],
            *[f"cat /proc/{pid}/{name}" for pid in others for name in ("environ", "mem", "maps")], *[f"ls /proc/{pid}/fd/" for pid in others],
            *[f"kill -0 {pid}" for pid in others],
            *[f"timeout 5 nc -U -N {server.directory}/run/signer-{realm}.sock </dev/null" for realm in ("default", "devices")],
            f"timeout 5 nc -U -N {server.directory}/run/keymaker.sock </dev/null") == []


def test_C22_I19_the_socket_gives_a_front_end_its_role_and_no_more(server):
    opened, denied, whoami = ask_as(WEB, server, ("session.open", {"realm": "default", "front_end": "http"}),
                                    ("admin.add", {"dn": "/CN=me"}), ("session.whoami", {}))
    assert opened["result"]["roles"] == ["frontend"] == whoami["result"]["roles"]
    assert denied["error"]["data"]["code"] == "denied"
    for wrong in ({"realm": "devices", "front_end": "http"}, {"realm": "default", "front_end": "zmq"}, {"realm": "default", "front_end": "upkeep"}):
        assert ask_as(WEB, server, ("session.open", wrong))[0]["error"]["data"]["code"] in ("denied", "not_found"), wrong
    assert "error" in ask_as(SIGNER, server, ("session.open", {"realm": "default", "front_end": "http"}))[0]


def test_C22_a_shell_of_a_worker_reads_no_key(server):
    pids = processes(server)
    assert tries(WORKER, *[f"cat {server.realm(realm)}/{name}" for realm in ("default", "devices") for name in SECRETS],
                 *[f"touch {server.realm('default')}/{name}" for name in ("x", "ca.crt", "profiles/x.yml")],
                 *[f"kill -0 {pids[name]}" for name in ("signer default", "front end http")],
                 *[f"cat /proc/{pids['signer default']}/{name}" for name in ("environ", "mem", "maps")]) == []


@pytest.mark.parametrize("user", [WORKER, SIGNER])
def test_C22_F50_neither_worker_nor_signer_is_anybody_at_the_front_door(server, user):
    """Whoever takes over a worker of one realm would otherwise be admin of all of them."""
    opened, listed, status = ask_as(user, server, ("session.open", {"realm": "default"}), ("realm.list", {}), ("server.status", {}))
    assert opened["error"]["data"]["code"] == "not_found" and status["error"]["data"]["code"] == "denied"
    assert listed.get("result", {"realms": []})["realms"] == []
    assert "error" in ask_as(user, server, ("session.open", {"realm": "default", "front_end": "http"}))[0]


@pytest.mark.parametrize("first", ["", "{}", "0" * 64, '{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}'])
def test_C22_a_signer_listens_to_nobody_without_its_realms_pass(server, first):
    """The workers' user may connect; a worker of another realm is that user too."""
    asked = first + '\n{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}\n'
    done = run_as(WORKER, "nc", "-U", "-N", server.directory / "run" / "signer-default.sock", text=asked)
    assert done.stdout == "" and "pass ended" in server.log(), done


def test_C22_a_shell_of_a_signer_reads_no_store(server):
    assert tries(SIGNER, *[f"ls {server.realm('default')}/{name}" for name in ("db", "nodes")],
                 f"touch {server.directory}/run/x", f"kill -0 {server.pid}") == []


# ----- refusals

def test_a_start_by_somebody_else_is_refused_in_words(server, tmp_path):
    done = run_as("nobody", BUILD / "chanceryd", "--config", server.config)
    assert done.returncode != 0
    config = server.directory / "mine.xml"
    realms = server.directory / "mine"
    subprocess.run([BUILD / "chancery-signer", "create", "--realm", "one", "--directory", realms / "one", "--signer-user", "nobody", "--worker-user",
                    "nobody"], check=True, capture_output=True)
    realms.chmod(0o755)
    config.write_text(f'<chancery run-directory="{realms}/one/run"><users worker="{WORKER}"/><realms directory="{realms}" default="one"/></chancery>')
    program = server.directory / "bin" / "chanceryd"
    shutil.copy(BUILD / "chanceryd", program)
    done = run_as("nobody", program, "--config", config)
    assert done.returncode == 77 and f"names {WORKER}" in done.stderr and "expected root" in done.stderr, done


@pytest.mark.parametrize("options,said", [(["--signer-user", "nobody-at-all"], 'found no user "nobody-at-all"'),
                                          (["--worker-user", "4000000001"], 'found no user "4000000001"')])
def test_files_for_nobody_are_refused(tmp_path, options, said):
    done = subprocess.run([BUILD / "chancery-signer", "create", "--realm", "one", "--directory", tmp_path / "one", *options], capture_output=True, text=True)
    assert done.returncode == 69 and said in done.stderr, done
    assert not (tmp_path / "one").exists()


def test_only_root_gives_files_away():
    with tempfile.TemporaryDirectory(prefix="chancery-users-") as directory:
        os.chmod(directory, 0o777)
        program = pathlib.Path(directory) / "chancery-signer"
        shutil.copy(BUILD / "chancery-signer", program)
        done = run_as("nobody", program, "create", "--realm", "one", "--directory", f"{directory}/one", "--signer-user", SIGNER)
        assert done.returncode == 77 and "only root gives files away" in done.stderr, done
        assert not pathlib.Path(directory, "one").exists()


# ----- where the users cannot come

@pytest.fixture
def elsewhere():
    with tempfile.TemporaryDirectory(prefix="chancery-users-") as directory:
        os.chmod(directory, 0o755)
        one = Users(pathlib.Path(directory), realms=("one",))
        shutil.copy(BUILD / "chancery-signer", one.directory / "bin")
        shutil.copy(BUILD / "chancery-http", one.directory / "bin")
        yield one
        one.end()


def test_a_realm_is_not_made_where_its_users_cannot_come(elsewhere):
    closed = elsewhere.directory / "closed"
    closed.mkdir(mode=0o700)
    done = subprocess.run([BUILD / "chancery", "realm", "create", "two", "--realms-directory", closed / "realms", "--signer-user", SIGNER, "--worker-user",
                           WORKER], capture_output=True, text=True, env={**os.environ, "CHANCERY_PROGRAMS": str(BUILD)})
    assert done.returncode != 0 and f"{closed} has mode 0700" in done.stderr and f"user {SIGNER}" in done.stderr, done
    assert f"chmod o+x {closed}" in done.stderr and not (closed / "realms" / "two").exists(), done


def test_a_way_that_was_closed_is_named_once(elsewhere):
    elsewhere.write_config()
    elsewhere.config.write_text(elsewhere.config.read_text().replace('"default"', '"one"'))
    realms = elsewhere.directory / "realms"
    realms.chmod(0o700)
    reason = f"{realms}/one: found no way through {realms} for uid {uid(SIGNER)}"
    done = subprocess.run([BUILD / "chanceryd", "--config", elsewhere.config, "--check"], capture_output=True, text=True)
    assert done.returncode == 78 and reason in done.stdout and "does not hold" not in done.stdout, done
    elsewhere.launch()
    elsewhere.wait_log("signer one: failed")
    elsewhere.wait_log("signer one: ended")
    complaints = [line for line in elsewhere.log().splitlines() if " error " in line]
    assert len(complaints) == 1 and reason in complaints[0], elsewhere.log()
