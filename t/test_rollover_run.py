"""`chancery ca rollover REALM CA`: one command from any state to the end, that may die anywhere; and generations that end by themselves once
nothing of them lives, of which nobody needs the key any more (doc/rollover.md)."""

import datetime
import json
import os
import signal
import subprocess

import pytest

from conftest import BUILD
from test_daemon import Daemon, request_for
from test_master import wait_for
from test_restore import restart
from test_rollover import code, generation, openssl_accepts, run, step, write
from test_rollover_odds import serials_on

LIFE = 45  # seconds that a certificate of a day lives here: it begins almost a day ago


class Brief(Daemon):
    """Realms whose certificates are almost over when they are issued, and whose CA is old enough for them."""

    def add_realm(self, name, behave="ready"):
        directory = self.realm(name)
        directory.mkdir(parents=True)
        file = directory / "ca.config.yml"
        file.write_text("key_unencrypted: true\nbackdate: 2d\n")
        subprocess.run([BUILD / "chancery-signer", "create", "--realm", name, "--directory", directory, "--unencrypted"],
                       check=True, capture_output=True)
        self.configure(name)

    def configure(self, name, rollover="publish_for: 1s"):
        (self.realm(name) / "ca.config.yml").write_text(
            f"key_unencrypted: true\nbackdate: {86400 - LIFE}\ncrl_after_revocation: 2s\nrollover:\n  {rollover}\n")

    def words(self, *words):
        return [BUILD / "chancery", "--socket", self.socket, "--json", "ca", "rollover", *words]

    def roll(self, *words):
        return run(*self.words(*words))


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Brief(tmp_path)
    one.start()
    yield one
    one.end()


def brief(talk, name):
    return talk.result("certificate.issue", profile="server", days=1, csr=request_for(name))


def labels(talk):
    return {one["name"]: one["phase"] for one in talk.result("ca.list")["cas"]}


def records(talk, kind):
    found, after = [], None
    while True:
        page = talk.result("audit.list", **({"after": after} if after else {}))
        found += [json.loads(one["record"]) if "record" in one else one for one in page["records"]]
        after = page.get("next")
        if not after:
            return [one for one in found if one.get("kind") == kind]


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_B9_a_generation_ends_by_itself_once_its_last_certificate_has_expired(daemon):
    with daemon.talk("default") as talk:
        made = brief(talk, "last.example.com")
        for name in ("start", "publish", "switch"):
            status = step(talk, name)
        assert status["waits_for"] and status["waits_until"] == made["not_after"]
        assert code(talk, "ca.rollover.retire") == "conflict"
        draining = generation(talk, "ca")
        assert (draining["phase"], draining["drained"], draining["last_end"]) == ("draining", False, made["not_after"])
        talk.result("certificate.revoke", serial=made["serial"])
        assert code(talk, "ca.rollover.retire") == "conflict"  # it has to be on CRLs until it expires
        wait_for(lambda: generation(talk, "ca")["phase"] == "retired", LIFE + 120, "upkeep retires it")
        last = talk.result("crl.get", ca="ca")
        assert when(last["this_update"]) > when(made["not_after"]) and made["serial"] in serials_on(last["crl"])
        assert step(talk, "status")["state"] == "retired"
        ended = [one for one in records(talk, "generation") if (one["ca"], one["state"]) == ("ca", "retired")]
        assert len(ended) == 1, ended
        acts = [one for one in records(talk, "event") if one["what"] == "ca.rollover.retire" and one["phase"] == "end" and one["outcome"] == "ok"]
        assert len(acts) == 1, acts


def test_a_retired_generation_needs_no_key(daemon, tmp_path):
    with daemon.talk("default") as talk:
        for name in ("start", "publish", "switch"):
            step(talk, name)
        wait_for(lambda: labels(talk)["ca"] == "retired", 60, "upkeep retires what has issued nothing")

    def destroy():
        (daemon.realm("default") / "ca.key").unlink()
        checked = run(BUILD / "chanceryd", "--config", daemon.config, "--check")
        assert checked.returncode == 0, checked
    restart(daemon, destroy)
    with daemon.talk("default") as talk:
        made = talk.result("certificate.issue", profile="server", days=2, csr=request_for("later.example.com"))
        assert talk.result("certificate.get", serial=made["serial"])["ca"] == "ca-2"
        assert openssl_accepts(tmp_path, generation(talk, "ca-2")["certificate"], [], made["certificate"])
        assert labels(talk) == {"ca": "retired", "ca-2": "active"}
        for name in ("start", "publish", "switch"):
            step(talk, name)
        wait_for(lambda: labels(talk)["ca-2"] == "draining", what="ca-2 drains")
    daemon.end()
    (daemon.realm("default") / "cas" / "ca-2" / "ca.key").unlink()  # of one that drains it is needed
    checked = run(BUILD / "chanceryd", "--config", daemon.config, "--check")
    assert checked.returncode == 78 and "ca-2" in checked.stdout + checked.stderr


def test_people_may_keep_retiring_to_themselves(daemon):
    daemon.configure("default", "retire: people")
    daemon.hangup()
    with daemon.talk("default") as talk:
        for name in ("start", "publish", "switch"):
            step(talk, name)
        number = talk.result("crl.issue", ca="ca")["number"]
        made = talk.result("certificate.issue", profile="server", days=2, csr=request_for("on.example.com"))
        talk.result("certificate.revoke", serial=made["serial"])
        # A round of upkeep later, which made the CRL of the one that issues.
        wait_for(lambda: made["serial"] in serials_on(talk.result("crl.get", ca="ca-2")["crl"]), 60, "a round of upkeep")
        assert labels(talk)["ca"] == "draining" and talk.result("crl.get", ca="ca")["number"] == number
        assert generation(talk, "ca")["drained"] is True
        assert step(talk, "retire")["state"] == "retired"


def test_one_command_goes_from_nothing_to_the_end_and_begins_no_other(daemon):
    with daemon.talk("default") as talk:
        made = brief(talk, "first.example.com")
        done = daemon.roll("default", "ca")
        assert done.returncode == 0, done
        end = json.loads(done.stdout)
        assert (end["state"], end["old"], end["new"]) == ("retired", "ca", "ca-2")
        for words in ("prepared", "published", "waits for everybody to have fetched", "draining", "% of the living certificates are of ca",
                      "waits for the last certificate of ca to expire, at " + made["not_after"], "retired"):
            assert words in done.stderr, (words, done.stderr)
        again = daemon.roll("default", "ca")
        assert again.returncode == 0 and json.loads(again.stdout)["new"] == "ca-2" and "--to ca-3" in again.stderr, again
        assert labels(talk) == {"ca": "retired", "ca-2": "active"}
        refused = daemon.roll("default", "ca", "--to", "ca-7")
        assert refused.returncode == 69 and "the next generation is ca-3" in refused.stderr, refused
        assert daemon.roll("default", "ca", "--to", "ca-3", "--no-wait").returncode in (0, 75)
        assert daemon.roll("default", "ca", "--to", "ca-3", "--no-wait").returncode in (0, 75)
        assert sorted(labels(talk)) == ["ca", "ca-2", "ca-3"]


def test_without_waiting_it_says_what_it_waits_for(daemon, tmp_path):
    daemon.configure("default", "publish_for: 30d")
    daemon.hangup()
    for _ in range(2):
        done = daemon.roll("default", "ca", "--no-wait")
        assert done.returncode == 75 and done.stdout == "", done
        assert "is published and waits for everybody" in done.stderr and "rollover.publish_for" in done.stderr
    with daemon.talk("default") as talk:
        assert labels(talk) == {"ca": "active", "ca-2": "prepared"}
        step(talk, "abort")
    done = daemon.roll("default", "ca", "--no-wait")
    assert done.returncode == 73 and "was given up by" in done.stderr and "--to ca-3" in done.stderr, done
    done = daemon.roll("default", "ca", "--to", "ca-3", "--from", "request", "--no-wait")
    assert done.returncode == 75 and "ca.request --ca ca-3" in done.stderr, done
    with daemon.talk("default") as talk, daemon.talk("devices") as above:
        made = above.result("certificate.issue", profile="ca", days=30, csr=talk.result("ca.request", ca="ca-3")["request"])
        talk.result("ca.import", ca="ca-3", certificate=made["certificate"] + "".join(made["chain"]))
        done = daemon.roll("default", "ca", "--no-wait")
        assert done.returncode == 75 and labels(talk)["ca-3"] == "prepared"
        assert step(talk, "switch")["state"] == "draining"  # whoever knows that nobody has to wait takes the step


@pytest.mark.parametrize("words, status, says", [
    (("nowhere", "ca", "--no-wait"), 69, "nowhere"),
    (("default", "gone", "--no-wait"), 69, "gone"),
    (("default", "ca", "--from", "nobody", "--no-wait"), 64, "from"),
    (("default", "ca", "--to", "tls-1", "--no-wait"), 69, "ca-2"),
    (("strat",), 64, "did you mean \"start\"?"),
    (("default", "ca", "more"), 64, "more"),
    (("run", "default"), 64, "ca"),
    (("default", "ca", "--every", "soon"), 64, "soon"),
])
def test_what_is_wrong_begins_nothing(daemon, words, status, says):
    done = daemon.roll(*words)
    assert done.returncode == status and says in done.stderr, done
    with daemon.talk("default") as talk:
        assert labels(talk) == {"ca": "active"}


def test_an_operator_of_less_may_not(daemon):
    """The command line can do no more than its commands."""
    nobody = 65534
    done = subprocess.run([str(one) for one in daemon.words("default", "ca", "--no-wait")], capture_output=True, text=True, timeout=60,
                          user=nobody, env={**os.environ, "HOME": "/"}) if os.geteuid() == 0 else None
    if done is not None:
        assert done.returncode in (69, 74, 77), done
    with daemon.talk("default") as talk:
        assert labels(talk) == {"ca": "active"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_F1_cut_off_after_each_line_and_run_again_it_comes_to_the_same_end(daemon, how):
    with daemon.talk("default") as talk:
        brief(talk, "old.example.com")
    for lines in range(1, 5):
        process = subprocess.Popen([str(one) for one in daemon.words("default", "ca")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(lines):
            process.stderr.readline()
        process.send_signal(how)
        process.communicate(timeout=60)
        if process.returncode == 0:
            break  # it came to its end before the signal came
    done = daemon.roll("default", "ca")
    assert done.returncode == 0 and json.loads(done.stdout)["state"] == "retired", done
    with daemon.talk("default") as talk:
        assert labels(talk) == {"ca": "retired", "ca-2": "active"}
        assert len(talk.result("certificate.search", profile="cross")["certificates"]) == 2
        assert talk.result("audit.verify")["whole"]


def test_two_that_run_it_at_once_come_to_one_end(daemon):
    several = [subprocess.Popen([str(one) for one in daemon.words("default", "ca", "--every", "0.2")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True) for _ in range(3)]
    for process in several:
        out, complaints = process.communicate(timeout=240)
        assert process.returncode == 0 and json.loads(out)["new"] == "ca-2", complaints
    with daemon.talk("default") as talk:
        assert labels(talk) == {"ca": "retired", "ca-2": "active"}


def test_F1_a_signer_that_dies_while_it_runs_is_waited_for(daemon):
    process = subprocess.Popen([str(one) for one in daemon.words("default", "ca", "--every", "0.2")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stderr.readline()
    os.kill(daemon.signer("default"), signal.SIGKILL)
    out, complaints = process.communicate(timeout=240)
    assert process.returncode == 0 and json.loads(out)["state"] == "retired", complaints
    with daemon.talk("default") as talk:
        assert labels(talk) == {"ca": "retired", "ca-2": "active"}
