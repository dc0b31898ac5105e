"""Seeds that operators make: for so many registrations, until a time, of one profile or name (UPKI.md 2, PROMISES F54)."""

import concurrent.futures
import re
import sqlite3
import subprocess

import pytest

from test_audit import events
from test_daemon import Daemon
from test_master import BUILD, octets_below


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    directory = tmp_path_factory.mktemp("seeds")
    directory.chmod(0o755)
    one = Daemon(directory)
    (one.realm("default") / "profiles").mkdir(exist_ok=True)
    # Whoever races makes a key pair first: these take no time.
    (one.realm("default") / "profiles" / "racer.yml").write_text("key: ec:P-256\nkeyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth]\n")
    one.start()
    yield one
    one.end()


@pytest.fixture(scope="module")
def office(daemon):
    with daemon.talk("default") as talk:
        yield talk


def code(talk, method, **params):
    return talk.call(method, **params).get("error", {}).get("data", {}).get("code", "ok")


def register(daemon, seed, cn="node.example.com", profile="user", realm="default"):
    with daemon.talk(realm) as talk:
        return code(talk, "node.register", seed=seed, cn=cn, profile=profile)


def test_a_seed_is_good_for_one_registration(daemon, office):
    made = office.result("seed.create", profile="user")
    assert made["seed"].startswith(made["id"] + ".") and made["uses_left"] == 1 and made["state"] == "good"
    assert register(daemon, made["seed"], "once.example.com") == "ok"
    assert register(daemon, made["seed"], "twice.example.com") == "auth_failed"
    assert office.result("certificate.get", cn="once.example.com")["profile"] == "user"
    assert code(office, "certificate.get", cn="twice.example.com") == "not_found"
    seen = {one["id"]: one for one in office.result("seed.list")["seeds"]}[made["id"]]
    assert (seen["state"], seen["uses_left"], seen["used"]) == ("used", 0, 1) and "seed" not in seen


def test_a_seed_of_three(daemon, office):
    seed = office.result("seed.create", profile="user", uses=3)["seed"]
    assert [register(daemon, seed, f"three-{i}.example.com") for i in range(4)] == ["ok", "ok", "ok", "auth_failed"]


def test_of_racing_registrations_exactly_one_wins(daemon, office):
    for round in range(3):
        seed = office.result("seed.create", profile="racer")["seed"]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: register(daemon, seed, f"race-{round}-{i}.example.com", "racer"), range(8)))
        assert sorted(answers) == ["auth_failed"] * 7 + ["ok"], answers
        assert [code(office, "certificate.get", cn=f"race-{round}-{i}.example.com") for i in range(8)].count("ok") == 1


def test_what_a_seed_is_for(daemon, office):
    seed = office.result("seed.create", profile="user", cn="mine.example.com", uses=2)["seed"]
    assert register(daemon, seed, "theirs.example.com") == "policy_refused"
    assert register(daemon, seed, "mine.example.com", "server") == "policy_refused"
    assert register(daemon, seed, "mine.example.com", "ca") == "policy_refused"
    assert register(daemon, seed, "mine.example.com", "nope") == "not_found"
    with daemon.talk("default") as talk:  # what is refused uses nothing up; the profile may be left out
        assert talk.result("node.register", seed=seed, cn="mine.example.com")["profile"] == "user"
    assert register(daemon, seed, "mine.example.com") == "ok"
    assert register(daemon, seed, "mine.example.com") == "auth_failed"


def test_an_expired_one(daemon, office):
    made = office.result("seed.create", profile="user", expires="60s")
    database = daemon.realm("default") / "db" / "realm.db"
    store = sqlite3.connect(database, timeout=60)
    with store:
        store.execute("UPDATE seed SET expires_at = expires_at - 61 WHERE id = ?", [made["id"]])
    store.close()
    assert register(daemon, made["seed"]) == "auth_failed"
    assert {one["id"]: one["state"] for one in office.result("seed.list")["seeds"]}[made["id"]] == "expired"


def test_a_revoked_one(daemon, office):
    made = office.result("seed.create", profile="user")
    assert office.result("seed.revoke", id=made["id"]) == {"id": made["id"]}
    assert register(daemon, made["seed"]) == "auth_failed"
    assert code(office, "seed.revoke", id=made["id"]) == "not_found"
    assert made["id"] not in {one["id"] for one in office.result("seed.list")["seeds"]}


def test_F54_wrong_ones_and_those_of_elsewhere(daemon, office):
    made = office.result("seed.create", profile="user")
    seed, secret = made["seed"], made["seed"].split(".")[1]
    for wrong in (made["id"], made["id"] + ".", seed + "x", seed[:-1], seed.swapcase(), secret, "." + secret, " " + seed, made["id"] + "." + "A" * 32,
                  "0" * 16 + "." + secret):
        assert register(daemon, wrong) in ("auth_failed", "denied"), wrong
    assert register(daemon, seed, realm="devices") == "auth_failed"
    assert register(daemon, seed, "still-good.example.com") == "ok"
    with daemon.talk("default") as talk:  # a connection that guesses ends
        assert [code(talk, "node.register", seed="0" * 16 + ".x", cn="x.example.com") for _ in range(5)] == ["auth_failed"] * 5
        assert talk.read() is None


@pytest.mark.parametrize("params,want", [({"profile": "ca"}, "policy_refused"), ({"profile": "nope"}, "not_found"), ({"uses": 0}, "invalid_params"),
                                         ({"uses": 1001}, "invalid_params"), ({"expires": "59s"}, "invalid_params"), ({"expires": "367d"}, "invalid_params"),
                                         ({"expires": "soon"}, "invalid_params"), ({"expires": ""}, "invalid_params"), ({"cn": "x" * 65}, "too_large")])
def test_seeds_that_are_not_made(office, params, want):
    before = office.result("seed.list")
    assert code(office, "seed.create", **params) == want
    assert office.result("seed.list") == before


def test_D37_the_seed_is_kept_nowhere(daemon, office):
    made = office.result("seed.create", profile="user", cn="canary.example.com")
    register(daemon, made["seed"], "canary.example.com")
    secret = made["seed"].split(".")[1].encode()
    for file, octets in octets_below(daemon.realm("default")):
        assert secret not in octets, file
    assert secret not in daemon.log().encode()


def test_C17_making_and_revoking_is_in_the_audit_stream(daemon, office):
    made = office.result("seed.create", profile="user", cn="told.example.com")
    office.result("seed.revoke", id=made["id"])
    begin, end = events(office, "seed.create")[-2:]
    assert begin["phase"] == "begin" and end["outcome"] == "ok" and "told.example.com" in begin["about"]
    assert events(office, "seed.revoke")[-1]["outcome"] == "ok"


def test_by_the_command_line(daemon):
    def run(*words):
        return subprocess.run([BUILD / "chancery", "--socket", daemon.socket, "--realm", "default", "seed", *words], check=True, capture_output=True, text=True).stdout

    made = run("create", "--profile", "user", "--uses", "1", "--expires", "2h", "--cn", "cli.example.com")
    seed, = re.findall(r"^seed: +(\S+)$", made, re.MULTILINE)
    assert seed.split(".")[0] in run("list")
    run("revoke", "--id", seed.split(".")[0])
    assert seed.split(".")[0] not in run("list")
    assert register(daemon, seed, "cli.example.com") == "auth_failed"
