"""Two years of a realm in two minutes: the wall clock of the server, its clients and the verifiers moves on by some days, some 150
times (moving_clock.py), while two rollovers are made by the commands, socket and ACME clients enrol, renew and revoke, and some forget
to. Nobody pokes the server: what it does, it does because its own rounds found that it is time."""

import collections
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from conftest import READY_SECONDS, System, free_ports
from moving_clock import MovingClock
from smtp_sink import Sink
from test_daemon import request_for
from test_house import TOP
from test_notices import Hook
from test_rollover import chains, split, step as roll, write

DAY = datetime.timedelta(days=1)
STEP = datetime.timedelta(days=4, hours=20)  # less than half of a CRL's life, so that one is made at every second step at the latest
STEPS = 152
CRL_DAYS, LEAF_DAYS, CA_DAYS = 10, 90, 365
AHEAD = (21, 7)  # days; more than a step apart
CA_AHEAD = 180  # the only time that operators who roll over in time are told of their root
RENEWED_AT = 30 * DAY
MAIL, KEY = "pki@example.com", "0123456789abcdef0123456789abcdef"


class Years(System):
    """One realm that tells by mail and webhook what ends; its programs live by a clock that is moved."""

    realms = ("default",)
    more_front_ends = '<front-end name="notify" program="chancery-notify" realms="*" roles="user"/>'

    def __init__(self, directory):
        super().__init__(directory)
        self.clock = MovingClock(self.directory)
        self.environment = self.clock.environment
        self.mail_port, self.hook_port = free_ports(2)
        self.anchors = self.directory / "https-ca.pem"

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        directory = self.directory / "var" / "realms" / name
        config = directory / "ca.config.yml"
        (directory / "key").write_text(KEY + "\n")
        (directory / "key").chmod(0o600)
        config.write_text(config.read_text().replace(f"realms/{name}/crl", f"realms/{name}/cas/{{ca}}/crl") + f"""ca_validity: {CA_DAYS}d
crl_validity: {CRL_DAYS}d
crl_after_revocation: 2s
notices:
  before: [{", ".join(map(str, AHEAD))}]
  to: [{MAIL}]
  mail_server: 127.0.0.1:{self.mail_port}
  mail_tls: none
  mail_from: chancery@example.com
  webhooks: ["http://127.0.0.1:{self.hook_port}/ends"]
  webhook_key_file: key
profiles:
  server: {{duration: {LEAF_DAYS}}}
""")

    def wait_until_ready(self):
        """By a client that has the server's time."""
        deadline = time.monotonic() + READY_SECONDS
        while self.clock.run("curl", "-sf", "--cacert", self.anchors, self.https_url + "/acme/directory").returncode != 0:
            assert self.process.poll() is None and time.monotonic() < deadline, self.words()
            time.sleep(0.05)


def certificate(pem, *what):
    done = subprocess.run(["openssl", "x509", "-noout", *what], input=pem, capture_output=True, text=True, check=True)
    return done.stdout


def end_of(pem):
    text = certificate(pem, "-enddate", "-dateopt", "iso_8601").strip().removeprefix("notAfter=")
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Leaf:
    """A certificate that somebody holds, with what came with it."""

    def __init__(self, name, pem, ways, ca):
        self.name, self.pem, self.ways, self.ca = name, pem, ways, ca
        self.end = end_of(pem)
        self.serial = certificate(pem, "-serial").strip().removeprefix("serial=").lower()
        self.revoked = False


class Walk:
    """What the people of the realm do at each step, and what must hold then."""

    # who: the first day, and how she has it renewed
    HOLDERS = {"web.localhost": (0, "socket"), "mail.localhost": (9, "socket"), "ldap.localhost": (33, "socket"),
               "shop.localhost": (4, "acme"), "wiki.localhost": (40, "acme")}

    def __init__(self, system, place):
        self.system, self.clock, self.place = system, system.clock, place
        self.begun = self.clock.now()
        self.living, self.ended, self.roots = {}, [], {}
        self.done = collections.Counter()
        self.left = 0
        self.crl_numbers = collections.defaultdict(list)
        self.open()

    def open(self):
        self.talk = self.system.realm("default").talk()

    def day(self):
        return (self.clock.now() - self.begun) / DAY

    # ----- what people do

    def by_socket(self, name):
        made = self.talk.result("certificate.issue", profile="server", csr=request_for(name))
        return Leaf(name, made["certificate"], chains(made), self.label(made["serial"]))

    def by_acme(self, name):
        done = self.clock.run(sys.executable, TOP / "t" / "acme_enrol.py", self.system.realm("default").directory_url, self.system.anchors,
                              self.place / "account.json", self.system.http01_port, name)
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        leaf, *above = split(made["chain"])
        found = Leaf(name, leaf, [above, *(split(one)[1:] for one in made["alternates"])], None)
        found.ca = self.label(found.serial)
        return found

    def label(self, serial):
        return self.talk.result("certificate.get", serial=serial)["ca"]

    def take(self, leaf):
        if leaf.name in self.living:
            self.ended.append(self.living[leaf.name])
        self.living[leaf.name] = leaf
        self.done["enrolled"] += 1

    def enrol(self):
        for name, (first, how) in self.HOLDERS.items():
            held = self.living.get(name)
            if self.day() >= first and (held is None or self.clock.now() >= held.end - RENEWED_AT):
                self.take(getattr(self, f"by_{how}")(name))
                self.done[how] += 1

    def forget_and_revoke(self):
        """Somebody who will not renew, now and then; and somebody whose certificate is revoked halfway."""
        if self.day() >= 55 * self.left:
            self.left += 1
            for kind in ("forgotten", "leaver"):
                self.take(self.by_socket(f"{kind}-{self.left}.localhost"))
        for leaf in self.living.values():
            if leaf.name.startswith("leaver") and not leaf.revoked and self.clock.now() > leaf.end - LEAF_DAYS / 2 * DAY:
                self.talk.result("certificate.revoke", serial=leaf.serial, reason="cessationOfOperation")
                leaf.revoked = True
                self.wait_until_listed(leaf)
                self.done["revoked"] += 1

    def roll_over(self):
        """As an operator does who looks in every few days: begin in time, then one command a visit; the old one retires when it can."""
        cas = self.talk.result("ca.list")["cas"]
        active = next(one for one in reversed(cas) if one["phase"] == "active")
        status = roll(self.talk, "status") if len(cas) > 1 else {"state": "none"}
        if status["state"] in ("none", "retired") and self.clock.now() > time_of(active["not_after"]) - 130 * DAY:
            roll(self.talk, "start")
        elif status["state"] == "prepared":
            roll(self.talk, "publish")
        elif status["state"] == "published" and self.clock.now() > time_of(status["changed_at"]) + 8 * DAY:
            roll(self.talk, "switch")
            self.done["switched"] += 1
        elif status["state"] == "draining":
            last = max((one.end for one in [*self.living.values(), *self.ended] if one.ca == status["old"]), default=self.clock.now())
            if self.clock.now() > last and not status["living_old"]:
                self.talk.call("ca.rollover.retire")  # or upkeep has done so by itself
        self.done["retired"] = sum(one["phase"] == "retired" for one in self.talk.result("ca.list")["cas"])
        self.learn_roots()

    def learn_roots(self):
        """Who runs verifiers fetches the new root once it is out."""
        for one in self.talk.result("ca.list")["cas"]:
            if one["phase"] != "prepared" or roll(self.talk, "status")["state"] == "published":
                self.roots.setdefault(one["name"], self.talk.result("ca.get", ca=one["name"])["certificate"])
        self.system.anchors.write_text("".join(self.roots.values()))

    # ----- what must hold

    def crls_are_fresh(self, labels):
        """Read over HTTP, as verifiers do. Right after a step as well, before anybody can have made a new one."""
        for label in labels:
            file = self.place / "crl.pem"
            file.write_text(self.clock.run("curl", "-sf", f"{self.system.http_url}/realms/default/cas/{label}/crl.pem").stdout)
            text = self.clock.run("openssl", "crl", "-noout", "-lastupdate", "-nextupdate", "-crlnumber", "-dateopt", "iso_8601", "-in", file).stdout
            first, last, number = re.fullmatch(r"lastUpdate=(.*)Z\nnextUpdate=(.*)Z\ncrlNumber=0x([0-9A-F]+)\n", text).groups()
            now = self.clock.now().strftime("%Y-%m-%d %H:%M:%S")
            assert first <= now < last, (label, self.day(), text)
            self.crl_numbers[label].append(int(number, 16))

    def wait_for_crls(self, labels):
        """Upkeep's next rounds make those that are due."""
        deadline = time.monotonic() + READY_SECONDS
        for label in labels:
            while True:
                crl = self.talk.result("crl.get", ca=label)
                if self.clock.now() < time_of(crl["this_update"]) + CRL_DAYS / 2 * DAY:
                    break
                assert time.monotonic() < deadline, self.system.words()
                time.sleep(0.05)

    def wait_until_listed(self, leaf):
        deadline = time.monotonic() + READY_SECONDS
        while self.openssl_takes(self.roots[leaf.ca], [], [leaf], self.talk.result("crl.get", ca=leaf.ca)["crl"]):
            assert time.monotonic() < deadline, self.system.words()
            time.sleep(0.05)

    def with_crl(self):
        """Generations whose certificates are out there."""
        return [one["name"] for one in self.talk.result("ca.list")["cas"] if one["phase"] in ("active", "draining")]

    def anchors_now(self):
        """A root is taken out of the stores when its generation is retired: nobody signs CRLs for its cross certificates from then on."""
        now = self.clock.now()
        retired = {one["name"] for one in self.talk.result("ca.list")["cas"] if one["phase"] == "retired"}
        return {label: pem for label, pem in self.roots.items() if end_of(pem) > now and label not in retired}

    def openssl_takes(self, anchor, above, leaves, crls=None):
        files = [write(self.place / f"leaf-{i}.pem", one.pem) for i, one in enumerate(leaves)]
        extra = ["-crl_check", "-CRLfile", write(self.place / "crls.pem", crls)] if crls else []
        chain = ["-untrusted", write(self.place / "above.pem", *above)] if above else []
        return self.clock.run("openssl", "verify", "-x509_strict", *extra, "-CAfile", write(self.place / "anchor.pem", anchor), *chain, *files).returncode == 0

    def gnutls_takes(self, anchor, above, leaves):
        trusted = write(self.place / "anchor.pem", anchor)
        return all(self.clock.run("certtool", "--verify", "--load-ca-certificate", trusted, "--infile",
                                  write(self.place / "chain.pem", one.pem, *above)).returncode == 0 for one in leaves)

    def every_verifier_accepts(self):
        """Each living certificate, by one of the chains that are offered for it now, before each root that is valid and known."""
        by_issuer = collections.defaultdict(list)
        for leaf in self.living.values():
            if leaf.end > self.clock.now() and not leaf.revoked:
                by_issuer[leaf.ca].append(leaf)
        for issuer, leaves in by_issuer.items():
            ways = chains(self.talk.result("certificate.get", serial=leaves[0].serial))
            for label, anchor in self.anchors_now().items():
                for tool in (self.openssl_takes, self.gnutls_takes):
                    some = leaves if tool == self.openssl_takes else leaves[-1:]
                    assert any(tool(anchor, above, some) for above in ways), (tool.__name__, issuer, label, self.day())
                    self.done[f"{issuer} by {label}"] += 1
        return by_issuer

    def revoked_are_refused(self):
        for leaf in self.living.values():
            if not leaf.revoked or leaf.end <= self.clock.now() or leaf.ca not in self.with_crl():
                continue
            crl = self.talk.result("crl.get", ca=leaf.ca)["crl"]
            good = [one for one in self.living.values() if one.ca == leaf.ca and not one.revoked and one.end > self.clock.now()]
            assert not good or self.openssl_takes(self.roots[leaf.ca], [], good, crl), self.day()
            assert not self.openssl_takes(self.roots[leaf.ca], [], [leaf], crl), self.day()

    def the_listener_is_valid(self):
        done = self.clock.run("openssl", "s_client", "-connect", f"localhost:{self.system.https_port}", "-verify_hostname", "localhost",
                              "-CAfile", self.system.anchors, "-verify_return_error", stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (self.day(), done.stdout + done.stderr)

    def expected_notices(self):
        """Of those that nobody renewed or revoked: one for each time ahead that was passed."""
        now = self.clock.now()
        held = [one for one in self.living.values() if not one.revoked]
        return {(one.serial, ahead) for one in held for ahead in AHEAD if one.end > now >= one.end - ahead * DAY}

    def let_the_listener_look(self):
        """At its certificate, as it does every ten minutes, of which a step has none."""
        processes = self.talk.result("server.status")["processes"]
        os.kill(next(one["pid"] for one in processes if one["name"] == "http"), signal.SIGHUP)

    def step(self):
        self.clock.move(seconds=STEP.total_seconds())
        self.let_the_listener_look()
        self.crls_are_fresh(self.with_crl())
        self.enrol()
        self.forget_and_revoke()
        self.roll_over()
        self.wait_for_crls(self.with_crl())
        self.every_verifier_accepts()
        self.revoked_are_refused()
        self.the_listener_is_valid()


def notices_of_hook(hook):
    told = [json.loads(body) for _, body in hook.got]
    return collections.Counter((one["certificate"]["serial"], one["ahead"] // 86400) for one in told)


def notices_of_sink(sink):
    return collections.Counter(one["Message-ID"] for one in sink.mails)


def wait_for_told(system, expected):
    """By both ways."""
    with system.hook.changed:
        assert system.hook.changed.wait_for(lambda: expected <= set(notices_of_hook(system.hook)), READY_SECONDS), system.words()
    system.sink.wait_for(lambda sink: len(notices_of_sink(sink)) >= len(notices_of_hook(system.hook)), READY_SECONDS)


def all_certificates(talk):
    rows, after = [], {}
    while True:
        page = talk.result("certificate.search", limit=1000, **after)
        rows += page["certificates"]
        if "next" not in page:
            return rows
        after = {"after": page["next"]}


@pytest.fixture
def system():
    with Years.running() as one:
        one.hook, one.sink = Hook(one.hook_port), Sink(one.mail_port)
        yield one
        one.hook.server.shutdown()
        one.sink.stop()


def is_renewed(one, rows):
    """Somebody had a later one of the same kind and names before it was time to be told."""
    told_at = time_of(one["not_after"]) - max(AHEAD) * DAY
    return any(other["serial"] != one["serial"] and other["profile"] == one["profile"] and other["subject"] == one["subject"] and
               other["not_after"] > one["not_after"] and time_of(other["not_before"]) < told_at for other in rows)


@pytest.mark.timeout(900)  # of a machine that has a lot else to do
def test_two_years(system, tmp_path):
    walk = Walk(system, tmp_path)
    walk.learn_roots()
    for i in range(STEPS):
        walk.step()
        wait_for_told(system, walk.expected_notices())
        if i % 40 == 39:  # a start as of the second year, when the first root has ended, finds what it needs
            walk.talk.close()
            system.stop()
            system.start()
            walk.open()
        elif i % 7 == 6:
            system.process.send_signal(signal.SIGHUP)
    assert walk.day() > 730
    assert walk.done["switched"] >= 2 and walk.done["retired"] >= 2 and walk.done["revoked"] >= 10, walk.done
    assert walk.done["acme"] >= 20 and walk.done["socket"] >= 30, walk.done
    for one in ("ca by ca-2", "ca-2 by ca", "ca-2 by ca-3", "ca-3 by ca-2"):  # each by both tools, at many steps
        assert walk.done[one] > 20, walk.done
    for label, numbers in walk.crl_numbers.items():
        assert numbers == sorted(numbers) and len(set(numbers)) > len(numbers) / 3, (label, numbers)

    # Each notice once by each way, and none that nobody had to have.
    by_hook, by_mail = notices_of_hook(system.hook), notices_of_sink(system.sink)
    assert set(by_hook.values()) == set(by_mail.values()) == {1}
    assert len(by_hook) == len(by_mail)
    rows = all_certificates(walk.talk)
    ended = [one for one in rows if one["state"] == "expired" and one["profile"] not in ("cross",)]
    forgotten = [one for one in ended if not is_renewed(one, rows)]
    assert {one["subject"].rpartition("CN=")[2] for one in forgotten} >= {f"forgotten-{i}.localhost" for i in range(1, 11)}
    for one in forgotten:
        assert {ahead for serial, ahead in by_hook if serial == one["serial"]} == set(AHEAD), one
    unasked = {serial for serial, _ in by_hook} - {one["serial"] for one in rows if not is_renewed(one, rows)}
    assert unasked == {serial for serial, ahead in by_hook if ahead == CA_AHEAD}  # a root each time, long before a leaf's end
    assert len(unasked) == walk.done["switched"], by_hook
    listed = walk.talk.result("notice.list", limit=1000)["notices"]
    assert {one["state"] for one in listed} <= {"sent", "dropped"}, listed
    assert walk.talk.result("audit.verify")["whole"]


def mails_about_ca(sink):
    return [one["Subject"] for one in sink.mails_to(MAIL) if "default CA" in one["Subject"]]


def test_a_ca_that_nobody_rolls_over_is_told_of(system):
    """As often as ca_before says, while nothing else happens; then it issues nothing, and says why."""
    told = []
    for days, ahead in ((184, None), (2, 180), (80, None), (10, 90), (70, 30), (12, 7)):
        system.clock.move(days=days)
        if ahead is None:
            continue
        with system.hook.changed:
            about_ca = lambda: [one for one in map(json.loads, (body for _, body in system.hook.got)) if one["certificate"]["profile"] == "ca"]  # noqa: E731
            assert system.hook.changed.wait_for(lambda: len(about_ca()) > len(told), READY_SECONDS), system.words()
            told = about_ca()
        system.sink.wait_for(lambda sink: len(mails_about_ca(sink)) == len(told))  # a later one would have it dropped
    assert [one["ahead"] // 86400 for one in told] == [180, 90, 30, 7]
    assert len({one["id"] for one in told}) == 4 and {one["certificate"]["cn"] for one in told} == {"default CA"}
    assert len(mails_about_ca(system.sink)) == 4
    system.clock.move(days=20)
    talk = system.realm("default").talk()
    refusal = talk.call("certificate.issue", profile="server", csr=request_for("late.localhost"))["error"]
    assert "ended" in refusal["message"] or "expired" in refusal["message"], refusal
    talk.close()


def test_D42_a_clock_that_was_wrong_for_a_while_does_no_lasting_harm(system):
    """A year ahead and back again: CRLs are taken again at once, their numbers only rise; what was issued meanwhile is known; and
    who gets a certificate afterwards is told of its end like anybody."""
    talk = system.realm("default").talk()
    before = talk.result("certificate.issue", profile="server", csr=request_for("before.localhost"))
    first = talk.result("crl.get")
    system.clock.move(days=300)
    far = wait_for_crl(system, talk, lambda crl: time_of(crl["this_update"]) > time_of(first["next_update"]))
    meanwhile = talk.result("certificate.issue", profile="server", csr=request_for("meanwhile.localhost"))
    gone = talk.result("certificate.issue", profile="server", csr=request_for("gone.localhost"))
    talk.result("certificate.revoke", serial=gone["serial"], reason="superseded")

    system.clock.move(days=-300)
    crl = wait_for_crl(system, talk, lambda crl: time_of(crl["this_update"]) <= system.clock.now())
    assert crl["number"] > far["number"] > first["number"]
    assert system.clock.now() < time_of(crl["next_update"])
    assert wait_for_crl(system, talk, lambda crl: crl["entries"] == 1)["number"] >= crl["number"]
    assert talk.result("certificate.get", serial=meanwhile["serial"])["state"] == "valid"
    assert talk.result("ocsp.status", serial=gone["serial"])["status"] == "revoked"
    after = talk.result("certificate.issue", profile="server", csr=request_for("after.localhost"))
    assert len({one["serial"] for one in (before, meanwhile, gone, after)}) == 4
    assert time_of(after["not_after"]) < time_of(meanwhile["not_after"])

    # Both that end first are told of; a look that went a year ahead has not passed over them.
    for ahead in AHEAD:
        system.clock.move(seconds=(time_of(after["not_after"]) - ahead * DAY - system.clock.now()).total_seconds() + 60)
        wait_for_told(system, {(one["serial"], ahead) for one in (before, after)})
    assert set(notices_of_hook(system.hook).values()) == {1}
    assert talk.result("audit.verify")["whole"]
    talk.close()


def wait_for_crl(system, talk, condition):
    deadline = time.monotonic() + READY_SECONDS
    while True:
        crl = talk.result("crl.get")
        if condition(crl):
            return crl
        assert time.monotonic() < deadline, (crl, system.words())
        time.sleep(0.05)
