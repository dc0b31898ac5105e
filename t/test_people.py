"""People of a realm: login stacks, lockout, tokens, roles of the realm's own and access rules, at a server as others see it."""

import concurrent.futures
import contextlib
import datetime
import itertools
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import textwrap

import pytest

from test_audit import events
from test_daemon import Daemon, request_for
from test_login import Administrator, Someone
from test_master import BUILD, wait_for
from test_terminal import Terminal

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")
STRANGER, NEIGHBOUR = "nobody", "games"  # chancery.xml gives neither of them a role
NUMBERS = itertools.count()
PASSWORD = "correct horse battery staple"
SETTINGS = """
key_unencrypted: true
roles:
  web-team: [ra-operator]
  watchers: [auditor]
logins:
  staff: {{method: password, scrypt_cost: 14}}
  machines: {{method: token}}
  cards:
    method: certificate
    gives:
      ra-operator: ["profile:ra"]
      web-team: ["subject:/CN=web-*"]
      admin: [listed]
  local: {{method: unix, gives: {{watchers: ["group:games"]}}}}
  door: {{method: program, program: {door}, arguments: ["--strict"], timeout: 6s, roles: [user], gives: {{web-team: ["group:web"]}}}}
login_limits: {{failures: 5, failures_per_peer: 1000, delay: 0s, lockout: 60s}}
"""
DOOR = r"""
    #!/bin/sh
    # Says who may come in by what stands on standard input.
    read -r user; read -r password
    [ "$#" = 1 ] && [ "$1" = --strict ] || exit 9
    case "$user:$password" in
      wendy:open*) echo "group web"; echo "group all"; exit 0 ;;
      slow:*) sleep 60 & sleep 60 ;;
      garbage:*) head -c 20000 /dev/urandom; exit 0 ;;
      chatty:*) echo "welcome, $user"; exit 0 ;;
      broken:*) exit 3 ;;
      killed:*) kill -9 $$ ;;
      dumper:*) tr '\0' '\n' < /proc/$$/environ | sort > {directory}/environ; tr '\0' ' ' < /proc/$$/cmdline > {directory}/cmdline; ls /proc/$$/fd > {directory}/fds; exit 0 ;;
    esac
    exit 1
"""


class House(Daemon):
    """A server whose realm `default` has login stacks; `devices` has stacks of its own and nobody in common."""

    def lay_out(self):
        self.write_config()
        door = self.directory / "door"
        door.write_text(textwrap.dedent(DOOR.format(directory=self.directory)).lstrip())
        door.chmod(0o755)
        self.settings("default", SETTINGS.format(door=door))
        self.settings("devices", "key_unencrypted: true\nlogins:\n  staff: {method: password, scrypt_cost: 14}\n  machines: {method: token}\n")

    def settings(self, realm, text):
        (self.realm(realm) / "ca.config.yml").write_text(text)

    def someone(self, realm="default", user=STRANGER):
        return Someone(user, self.socket, realm=realm)

    def sql(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.realm("default") / "db" / "realm.db", timeout=60)) as database, database:
            assert database.execute(statement, values).rowcount == 1

    def log_in(self, user, password=PASSWORD, stack="staff", realm="default"):
        with self.someone(realm) as one:
            return one.call("session.login", stack=stack, user=user, password=password)


@contextlib.contextmanager
def running_house(kind=House):
    """In a directory through which other Unix users get."""
    with tempfile.TemporaryDirectory(prefix="chancery-house-") as directory:
        os.chmod(directory, 0o755)
        one = kind(pathlib.Path(directory))
        one.directory = pathlib.Path(directory)
        one.lay_out()
        one.start()
        yield one
        one.end()


@pytest.fixture(scope="module")
def house():
    with running_house() as one:
        yield one


@pytest.fixture(scope="module")
def office(house):
    with house.talk("default") as talk:
        yield talk


@pytest.fixture
def person(office):
    """A person with the password, by a name that no other test has, with the role that it asks for."""
    made = []

    def make(role="user", name=None, password=PASSWORD):
        user = name or f"p{next(NUMBERS)}"
        secret = {"password": password} if password else {}
        office.result("identity.create", user=user, roles=[role] if isinstance(role, str) else role, **secret)
        made.append(user)
        return user

    yield make
    for user in made:
        office.call("identity.delete", user=user)


def code_of(reply):
    return reply.get("error", {}).get("data", {}).get("code")


# ----- passwords

def test_a_password_gives_the_persons_roles(house, person):
    user = person("ra-operator")
    with house.someone() as one:
        before = one.result("session.whoami")
        assert (before["roles"], before["identity"]) == (["anonymous"], f"unix:{STRANGER}")
        became = one.result("session.login", stack="staff", user=user, password=PASSWORD)
        assert (became["identity"], became["roles"], became["stack"]) == (f"user:{user}", ["ra-operator"], "staff")
        assert one.result("session.whoami") == became
        assert "serial" in one.result("certificate.issue", csr=request_for("a.example.com"))
        assert one.code("identity.create", user="other") == "denied"
        assert one.result("identity.get")["password"] == "scrypt ln=14 r=8 p=1"


def test_a_name_is_the_same_in_either_case(house, person):
    user = person()
    assert house.log_in(user.upper())["result"]["identity"] == f"user:{user}"


@pytest.mark.parametrize("password", ["", "x", PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper(), "é" * 100], ids=["empty", "short", "longer", "shorter", "upper", "utf-8"])
def test_a_wrong_password_is_nobody(house, person, password):
    assert code_of(house.log_in(person(), password)) == "auth_failed"


@pytest.mark.parametrize("user", ["unknown", "un known", "../alice", "-a", "a*", "*", "x" * 128, "a)(uid=*"])
def test_what_is_said_tells_not_whether_somebody_exists(house, person, user):
    wrong = house.log_in(person(), "a wrong one")["error"]
    unknown = house.log_in(user, "a wrong one")["error"]
    assert unknown == wrong


def test_who_has_no_password_has_none_to_guess(house, person):
    user = person(password=None)
    for password in ("", "none", PASSWORD):
        assert code_of(house.log_in(user, password)) == "auth_failed"


def test_the_hash_is_kept_and_nothing_else(house, person):
    person(password="hunter-two-hunter-two")
    kept = b"".join(path.read_bytes() for path in (house.realm("default") / "db").iterdir())
    assert b"$scrypt$ln=14,r=8,p=1$" in kept and b"hunter-two" not in kept
    assert "hunter-two" not in house.log()


def test_a_persons_password_is_changed_by_the_old_one(house, person):
    user = person()
    with house.someone() as one:
        one.result("session.login", stack="staff", user=user, password=PASSWORD)
        assert one.code("identity.password", password="another secret") == "invalid_params"
        assert one.code("identity.password", password="another secret", old_password="wrong") == "auth_failed"
        assert one.code("identity.password", password="short", old_password=PASSWORD) == "invalid_params"
        assert one.code("identity.password", user="somebody-else", password="another secret", old_password=PASSWORD) == "denied"
        assert one.result("identity.password", password="another secret", old_password=PASSWORD)["user"] == user
    assert code_of(house.log_in(user)) == "auth_failed"
    assert "result" in house.log_in(user, "another secret")


def test_a_realms_person_is_nobody_in_another(house, person):
    user = person("admin")
    assert "result" in house.log_in(user)
    assert code_of(house.log_in(user, realm="devices")) == "auth_failed"
    with house.talk("devices") as talk:
        assert talk.call("identity.get", user=user)["error"]["data"]["code"] == "not_found"


@pytest.mark.parametrize("end,why", [("identity.disable", "disabled"), ("identity.delete", "deleted")])
def test_who_is_put_out_loses_the_next_command(house, office, person, end, why):
    user = person("admin")
    with house.someone() as one:
        one.result("session.login", stack="staff", user=user, password=PASSWORD)
        assert "identities" in one.result("identity.list")
        office.result(end, user=user)
        reply = one.call("identity.list")
        assert code_of(reply) == "auth_failed" and why in reply["error"]["message"], reply
        assert one.result("session.whoami")["roles"] == ["anonymous"]
    assert code_of(house.log_in(user)) == "auth_failed"


def test_roles_that_are_taken_back_are_gone_with_the_next_command(house, office, person):
    user = person("ra-operator")
    with house.someone() as one:
        one.result("session.login", stack="staff", user=user, password=PASSWORD)
        assert "seeds" in one.result("seed.list")
        office.result("identity.roles", user=user, roles=["user"])
        assert one.code("seed.list") == "denied"
        assert one.result("session.whoami")["roles"] == ["user"]
        office.result("identity.roles", user=user, roles=[])
        assert one.code("session.whoami") == "auth_failed"


def test_a_role_of_the_realms_own_is_what_it_contains(house, person):
    with house.someone() as one:
        became = one.result("session.login", stack="staff", user=person("web-team"), password=PASSWORD)
        assert became["roles"] == ["web-team"]
        assert "seeds" in one.result("seed.list")
        assert one.code("realm.reconcile") == "denied"


@pytest.mark.parametrize("roles", [["frontend"], ["anonymous"], ["root"], ["Admin"]])
def test_roles_that_nobody_may_have(office, roles):
    assert code_of(office.call("identity.create", user="nobody-special", roles=roles)) == "invalid_params"


def test_who_logged_in_by_what_is_in_the_audit_stream(house, office, person):
    user = person()
    house.log_in(user)
    house.log_in(user, "wrong wrong wrong")
    told = [one for one in events(office, "session.login") if json.loads(one["about"]).get("user") == user]
    assert [one["phase"] for one in told] == ["begin", "end", "begin", "end", "refused"]
    assert {json.loads(one["about"])["stack"] for one in told} == {"staff"}
    assert told[1]["outcome"] == "ok" and told[1]["requester"] == f"user:{user}" and "auth_failed" in told[3]["outcome"]
    assert PASSWORD not in json.dumps(told) and "wrong wrong" not in json.dumps(told)


# ----- lockout

def test_twenty_attempts_at_once_pass_no_limit(house, person):
    user = person()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda i: code_of(house.log_in(user, f"guess number {i}")), range(20)))
    assert codes.count("auth_failed") <= 5 and set(codes) <= {"auth_failed", "busy"}, codes
    wait_for(lambda: code_of(house.log_in(user, "one more")) == "busy", what="the name is locked")
    reply = house.log_in(user)
    assert code_of(reply) == "busy" and "try again in" in reply["error"]["data"]["hint"], reply


def test_a_name_that_nobody_has_is_locked_likewise(house):
    codes = [code_of(house.log_in("nobody-has-this", "guess guess")) for _ in range(7)]
    assert codes == ["auth_failed"] * 5 + ["busy"] * 2


def test_success_forgives_what_was_mistyped(house, person):
    user = person()
    for _ in range(3):
        assert [code_of(house.log_in(user, "mistyped one")) for _ in range(4)] == ["auth_failed"] * 4
        assert "result" in house.log_in(user)


def test_a_connection_ends_after_five_wrong_ones(house):
    with house.someone() as one:
        codes = [one.code("session.login", stack="machines", token="chancery_0000.x") for _ in range(5)]
        assert codes == ["auth_failed"] * 5
        assert one.process.stdout.readline() == ""


# ----- tokens

def token_of(house, user, **wishes):
    with house.someone() as one:
        one.result("session.login", stack="staff", user=user, password=PASSWORD)
        return one.result("token.create", **wishes)


def test_a_token_is_its_person(house, person):
    user = person("ra-operator")
    made = token_of(house, user, note="nightly")
    with house.someone() as one:
        became = one.result("session.login", stack="machines", token=made["token"])
        assert (became["identity"], became["roles"]) == (f"user:{user}", ["ra-operator"])
        assert became["until"] <= made["expires_at"]
        listed = one.result("token.list")["tokens"]
        assert [row["id"] for row in listed] == [made["id"]] and "token" not in listed[0]
        assert one.code("token.create") == "denied"
        assert one.code("identity.password", password="another secret", old_password=PASSWORD) == "denied"
    kept = b"".join(path.read_bytes() for path in (house.realm("default") / "db").iterdir())
    assert made["token"].split(".")[1].encode() not in kept


def test_a_token_is_for_what_it_says(house, person):
    made = token_of(house, person("ra-operator"), commands=["certificate.issue", "seed.*"], roles=["ra-operator"])
    with house.someone() as one:
        one.result("session.login", stack="machines", token=made["token"])
        assert "serial" in one.result("certificate.issue", csr=request_for("a.example.com"))
        assert "seeds" in one.result("seed.list")
        for command in ("certificate.search", "token.list", "identity.get", "ca.get"):
            assert one.code(command) == "denied", command


def test_a_token_has_no_more_than_its_person(house, office, person):
    user = person("ra-operator")
    with house.someone() as one:
        one.result("session.login", stack="staff", user=user, password=PASSWORD)
        assert one.code("token.create", roles=["admin"]) == "denied"
        assert one.code("token.create", roles=["nonsense"]) == "invalid_params"
        assert one.code("token.create", commands=["no.such"]) == "invalid_params"
        assert one.code("token.create", user="somebody") == "denied"
        narrow = one.result("token.create", roles=["user"])
    with house.someone() as one:
        assert one.result("session.login", stack="machines", token=narrow["token"])["roles"] == ["user"]
        assert one.code("seed.list") == "denied"
        office.result("identity.roles", user=user, roles=["auditor"])
        assert one.result("session.whoami")["roles"] == ["user"]


def test_a_revoked_token_ends_with_the_next_command(house, person):
    user, other = person(), person("user")
    made = token_of(house, user)
    with house.someone() as stranger:
        stranger.result("session.login", stack="staff", user=other, password=PASSWORD)
        assert stranger.code("token.revoke", id=made["id"]) == "not_found"  # as one that is not there
        assert stranger.result("token.list")["tokens"] == []
        assert stranger.code("token.list", user=user) == "denied"
    with house.someone() as one:
        one.result("session.login", stack="machines", token=made["token"])
        assert one.result("token.revoke", id=made["id"]) == {"id": made["id"]}
        assert one.code("identity.get") == "auth_failed"
    with house.someone() as one:
        assert one.code("session.login", stack="machines", token=made["token"]) == "auth_failed"


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "A", lambda t: t.swapcase(), lambda t: t.split(".")[0], lambda t: "chancery_." + t.split(".")[1],
                                   lambda t: t.replace("chancery_", ""), lambda t: "", lambda t: "x" * 256], ids=["shorter", "longer", "case", "id", "secret", "bare", "empty", "long"])
def test_what_is_no_token(house, person, spoil):
    made = token_of(house, person())
    with house.someone() as one:
        assert one.code("session.login", stack="machines", token=spoil(made["token"])) == "auth_failed"


def test_a_token_that_has_expired(house, person):
    made = token_of(house, person(), expires="60s")
    left = datetime.datetime.fromisoformat(made["expires_at"].replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=20) < left <= datetime.timedelta(seconds=61)
    house.sql("UPDATE login_token SET expires_at = 1000000000 WHERE id = ?", made["id"])
    with house.someone() as one:
        assert one.code("session.login", stack="machines", token=made["token"]) == "auth_failed"


def test_a_token_of_another_realm(house, person):
    made = token_of(house, person())
    with house.someone("devices") as one:
        assert one.code("session.login", stack="machines", token=made["token"]) == "auth_failed"


# ----- what the stack asks for

@pytest.mark.parametrize("params", [{"stack": "staff"}, {"stack": "staff", "user": "a"}, {"stack": "staff", "user": "a", "password": "b", "token": "c"},
                                    {"stack": "machines", "user": "a"}, {"stack": "local", "password": "x"}, {"stack": "cards", "user": "a"}, {"stack": "nothing"},
                                    {"user": "a", "password": "b"}, {}], ids=str)
def test_each_stack_takes_what_it_asks_for(house, params):
    with house.someone() as one:
        assert one.code("session.login", **params) == "invalid_params"


def test_a_realm_without_stacks_lets_no_stranger_in(house, tmp_path):
    """F50: who has no role learns nothing of it."""
    with house.someone("default") as one:
        assert one.code("certificate.search") == "denied"
    with Someone(STRANGER, house.socket) as one:
        assert one.code("session.open", realm="nothing") == "not_found"


# ----- certificates

def test_certificates_give_roles_by_rules(house, office, tmp_path):
    web = Administrator(office, tmp_path, "web-alice", profile="user", listed=False)
    plain = Administrator(office, tmp_path, "somebody", profile="user", listed=False)
    chief = Administrator(office, tmp_path, "chief", listed=True)
    for one, roles in ((web, ["web-team"]), (chief, ["admin"])):
        with house.someone() as session:
            assert session.result("session.login", stack="cards", **one.proof(session))["roles"] == roles
    with house.someone() as session:
        assert session.code("session.login", stack="cards", **plain.proof(session)) == "denied"
        assert session.result("session.whoami")["roles"] == ["anonymous"]
    with house.someone() as session:
        assert session.code("session.login", stack="cards", **{**web.proof(session), "signature": plain.sign(session.result("session.whoami")["challenge"])}) == "auth_failed"


def test_a_revoked_certificate_loses_the_next_command(house, office, tmp_path):
    web = Administrator(office, tmp_path, "web-bob", profile="user", listed=False)
    with house.someone() as session:
        session.result("session.login", stack="cards", **web.proof(session))
        assert "seeds" in session.result("seed.list")
        office.result("certificate.revoke", serial=web.serial)
        assert session.code("seed.list") == "auth_failed"
        assert session.code("seed.list") == "denied"
        assert session.code("session.login", stack="cards", **web.proof(session)) == "auth_failed"


def test_a_certificate_of_another_realm(house, tmp_path):
    with house.talk("devices") as devices:
        web = Administrator(devices, tmp_path, "web-carol", profile="user", listed=False)
    with house.someone() as session:
        assert session.code("session.login", stack="cards", **web.proof(session)) == "auth_failed"


# ----- Unix users

def test_a_unix_user_has_what_the_group_gives(house):
    with house.someone(user=NEIGHBOUR) as one:
        assert one.result("session.whoami")["roles"] == ["anonymous"]
        became = one.result("session.login", stack="local")
        assert (became["identity"], became["roles"]) == (f"unix:{NEIGHBOUR}", ["watchers"])
        assert "records" in one.result("audit.list")
    with house.someone() as one:
        assert one.code("session.login", stack="local") == "denied"


# ----- programs

def test_a_program_says_who_may_come_in(house):
    with house.someone() as one:
        became = one.result("session.login", stack="door", user="wendy", password="open sesame")
        assert (became["identity"], became["roles"]) == ("user:wendy", ["user", "web-team"])
        assert "seeds" in one.result("seed.list")
    assert code_of(house.log_in("wendy", "shut", stack="door")) == "auth_failed"


def test_a_program_sees_no_more_than_it_must(house):
    assert "result" in house.log_in("dumper", "a secret of mine", stack="door")
    environ = (house.directory / "environ").read_text()
    names = {line.split("=")[0] for line in environ.splitlines()} - {"PWD", "_", "OLDPWD", "SHLVL"}
    assert names == {"PATH", "LANG", "CHANCERY_REALM", "CHANCERY_LOGIN_STACK"}
    assert "secret" not in environ + (house.directory / "cmdline").read_text()


@pytest.mark.parametrize("user,code", [("slow", "timeout"), ("garbage", "unavailable"), ("chatty", "unavailable"), ("broken", "unavailable"), ("killed", "unavailable")])
def test_a_program_that_does_not_answer_lets_nobody_in(house, user, code):
    with house.someone() as one:
        for _ in range(2):
            assert one.code("session.login", stack="door", user=user, password="open sesame") == code
        assert one.result("session.whoami")["roles"] == ["anonymous"]
        assert "result" in one.call("session.login", stack="door", user="wendy", password="open again")


def test_a_program_that_hangs_leaves_nothing_running(house):
    house.log_in("slow", "x", stack="door")
    wait_for(lambda: str(house.directory / "door") not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout, what="the program is gone")


def test_what_is_disabled_here_comes_in_by_no_program(house, office, person):
    user = person(name="wendy")
    office.result("identity.disable", user=user)
    assert code_of(house.log_in("wendy", "open sesame", stack="door")) == "auth_failed"


def runners(house, who=""):
    """The processes beside the workers of that server, or of somebody's, that run login programs."""
    shown = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True).stdout.splitlines()
    rows = [line.split(None, 2) for line in shown]
    workers = {pid for pid, parent, title in rows if parent == str(house.process.pid) and who in title}
    return [int(pid) for pid, parent, title in rows if title.startswith("chanceryd: login runner") and parent in workers]


def test_what_runs_programs_ends_with_its_connection(house):
    wait_for(lambda: not runners(house, f"unix:{STRANGER}"), what="the end of those before")
    with house.someone():
        mine, = wait_for(lambda: runners(house, f"unix:{STRANGER}"), what="a login runner")
    wait_for(lambda: not pathlib.Path(f"/proc/{mine}").exists(), what="its end")


def test_D17_what_runs_programs_ends_with_the_master(tmp_path):
    tmp_path.chmod(0o755)
    one = House(tmp_path)
    one.lay_out()
    one.start()
    try:
        with one.talk("default"):
            mine = wait_for(lambda: runners(one), what="a login runner")
            one.kill()
            wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in mine), what="its end")
    finally:
        one.end()


# ----- clients

def test_the_command_line_logs_in(house, person, tmp_path):
    user = person("ra-operator")
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD + "\nnot this\n")
    secret.chmod(0o644)
    tmp_path.chmod(0o755)

    def chancery(*words, **environment):
        return subprocess.run([BUILD / "chancery", "--json", "--socket", house.socket, "--realm", "default", *words], capture_output=True, text=True,
                              env={**os.environ, **environment})

    done = chancery("--login", "staff", "--user", user, "--secret-file", str(secret), "session", "whoami")
    assert json.loads(done.stdout)["identity"] == f"user:{user}", done.stderr
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense nonsense\n")
    done = chancery("--login", "staff", "--user", user, "--secret-file", str(wrong), "session", "whoami")
    assert (done.returncode, done.stdout) == (77, ""), done
    made = json.loads(chancery("--login", "staff", "--user", user, "--secret-file", str(secret), "token", "create", "--command", "seed.list").stdout)
    done = chancery("--login", "machines", "seed", "list", CHANCERY_TOKEN=made["token"])
    assert "seeds" in json.loads(done.stdout), done.stderr
    done = chancery("--login", "machines", "certificate", "search", CHANCERY_TOKEN=made["token"])
    assert done.returncode == 77 and "the token is not for" in done.stderr
    done = chancery("--user", user, "session", "whoami")
    assert done.returncode == 64 and "--login" in done.stderr, done


@pytest.mark.parametrize("typed, code, found", [
    (PASSWORD, 0, '"identity": "user:'),
    ("nonsense nonsense", 77, "chancery: "),
    ("", 65, "an empty line was entered"),
    ("x" * 1025, 65, "more than 1024 characters were entered"),
])
def test_the_command_line_asks_for_a_password_at_the_terminal(house, person, typed, code, found):
    user = person("ra-operator")
    screen = Terminal(BUILD / "chancery", "--json", "--socket", house.socket, "--realm", "default", "--login", "staff", "--user", user, "session", "whoami")
    try:
        screen.wait_for(f"Password of {user}: ")
        screen.type(typed)
        ended, shown = screen.wait_for_end()
    finally:
        screen.close()
    assert ended == code and found in shown, (ended, shown)
    assert not typed or typed not in shown, "nothing of what is typed is shown"


def test_without_a_terminal_the_command_line_names_the_other_way(house, person):
    done = subprocess.run(["setsid", "--wait", BUILD / "chancery", "--socket", house.socket, "--realm", "default", "--login", "staff", "--user",
                           person("ra-operator"), "session", "whoami"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode != 0 and "there is no terminal to ask at" in done.stderr and "--secret-file names a file" in done.stderr, done


def test_perl_logs_in(house, person):
    user = person("ra-operator")
    script = ("use Chancery::Client; my $c = Chancery::Client->new(socket => $ARGV[0], realm => 'default');"
              "print $c->login('staff', user => $ARGV[1], password => $ARGV[2])->{identity}, ' ', $c->identity->{roles}[0], \"\\n\";"
              "eval { $c->login('staff', user => $ARGV[1], password => 'wrong wrong') }; print $@->code, \"\\n\";")
    source = pathlib.Path(__file__).resolve().parent.parent
    done = subprocess.run(["perl", f"-I{source}/clients/perl/lib", f"-I{BUILD}/clients/perl/lib", "-e", script, str(house.socket), user, PASSWORD], capture_output=True, text=True)
    assert done.stdout.split() == [f"user:{user}", "ra-operator", "auth_failed"], done.stderr
