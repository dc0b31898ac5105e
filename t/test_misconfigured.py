"""What is wrong in a configuration is said before it counts, with file and line: one good configuration that has a reference of each
kind, and a row for each mistake. Every row is tried three times: by `chanceryd --check`, at the start, and at a reload, where what
ran before goes on and the mended configuration is taken, with what it changed."""

import json
import re
import shutil
import sqlite3
import subprocess
from xml.sax.saxutils import escape

import pytest

from conftest import free_ports
from test_daemon import Daemon, issue
from test_master import BUILD

GOOD_REALM = """key_unencrypted: true
own_renewals_per_day: 3
seed_file: seed
crl_urls: ["http://pki.example.com/cas/{ca}/crl"]
ca_issuer_urls: ["http://pki.example.com/cas/{ca}/ca.crt"]
key_block_lists: [weak-keys]
acme:
  profile: web
  profiles: [server]
  policy: usual
  policies:
    usual:
      profiles: [web]
policy:
  rules:
    - name: own-names
      decision: grant
      profiles: [web]
      roles: [ra-operator]
      look_ups: ["file:hosts.txt"]
  tests:
    - name: the team gets its hosts
      expect: grant
      rule: own-names
      profile: web
      roles: [ra-operator]
      subject: /CN=a.example.com
      sans: ["DNS:a.example.com"]
      look_ups: ["file:hosts.txt"]
cas:
  top:
    purpose: root
  tls:
    issuer: top
    profiles: [tls]
notices:
  before: [30]
  profiles: [web]
  program: /bin/true
  to: [pki@example.com]
  mail_server: 127.0.0.1:25
  mail_tls: none
  mail_from: chancery@example.com
command_roles:
  certificate.unrevoke: ca-operator
roles:
  web-team: [ra-operator]
logins:
  staff:
    method: password
    roles: [web-team]
  cards:
    method: certificate
    gives:
      web-team: ["profile:user"]
  directory:
    method: ldap
    url: ldap://127.0.0.1:1389
    base: dc=example
    bind_dn: cn=reader
    bind_password_file: reader
access:
  - name: web
    who: [web-team]
    commands: [certificate.issue]
    profiles: [web]
  - name: rest
    who: ["*"]
    commands: ["*"]
"""
GOOD_PROFILE = """keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
duration: 30
"""
SIGNED_PROFILE = """keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
duration: 30
approvals: 1
approval_roles: [ra-operator]
signed_approvals: true
approver_profiles: [officer]
"""
OFFICER_PROFILE = """keyUsage: [digitalSignature]
extendedKeyUsage: [clientAuth]
duration: 30
certType: user
least_role: ca-operator
"""
GOOD_SERVER = """<chancery run-directory="run" program-directory="{programs}">
  <socket mode="0666"/>
  <limits grace="5"/>
  <realms directory="realms" default="default">
    <realm name="default"/>
    <realm name="devices"/>
  </realms>
  <identities>
    <identity user="nobody" realm="default" roles="ra-operator"/>
  </identities>
  <front-ends>
    <front-end name="http" program="chancery-http" realms="default" roles="frontend"/>
    <front-end name="zmq" program="chancery-zmq" realms="*" roles="frontend ra-operator"/>
    <front-end name="notify" program="chancery-notify" realms="*" roles="user"/>
  </front-ends>
  <listeners>
    <listener name="https" address="127.0.0.1" port="{https}" default-realm="default" realms="default" names="localhost"
              host-realms="localhost=default"/>
  </listeners>
  <zmq>
    <endpoint address="127.0.0.1" port="{zmq}" realm="devices" server-key-file="zmq.key"/>
  </zmq>
  <zmq-peers>
    <peer name="ra1" key="{peer}" realm="devices" roles="ra-operator"/>
  </zmq-peers>
</chancery>
"""
SERVER, REALM, WEB, SIGNED = "chancery.xml", "realms/default/ca.config.yml", "realms/default/profiles/web.yml", "realms/default/profiles/signed.yml"


class Office(Daemon):
    """A daemon on the good configuration."""

    def lay_out(self):
        files = self.directory / "realms" / "default"
        for name, text in (("seed", "a seed of the tests\n"), ("weak-keys", "0123456789012345678901234567890123456789012345678901234567890123\n"),
                           ("reader", "a password\n")):
            (files / name).write_text(text)
            (files / name).chmod(0o600)
        for name in ("profiles", "lists"):
            (files / name).mkdir(exist_ok=True)
        (files / "lists" / "hosts.txt").write_text("a.example.com\n")
        for name, text in (("web", GOOD_PROFILE), ("tls", GOOD_PROFILE), ("signed", SIGNED_PROFILE), ("officer", OFFICER_PROFILE)):
            (files / "profiles" / f"{name}.yml").write_text(text)
        (files / "ca.config.yml").write_text(GOOD_REALM)
        keys = [json.loads(subprocess.run([BUILD / "chancery", "zmq-key", "--json", "--out", self.directory / name], capture_output=True, text=True,
                                          check=True).stdout) for name in ("zmq.key", "peer.key")]
        (https,), (zmq,) = free_ports(1), free_ports(1, run=2)
        self.config.write_text(GOOD_SERVER.format(programs=BUILD, https=https, zmq=zmq, peer=escape(keys[1]["public_key"], {'"': "&quot;"})))

    def try_by(self, *options):
        done = subprocess.run([self.binary, "--config", self.config, *options], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr


# what it is: file, text of it, what stands there instead, what is said about it; it is said of the new text's line, or of one so many further down
TEXTS = [
    # ----- what OpenXPKI's server is started with, and says nothing or says it elsewhere
    ("XML that is none", SERVER, "<identities>", "<identities", "found what is not XML", 1),
    ("YAML that is none", REALM, "acme:\n", "acme: {\n", "found what is not YAML", 2),
    ("YAML with a tab", REALM, "  profile: web\n  profiles: [server]", "\tprofile: web\n  profiles: [server]", "found what is not YAML"),
    ("an unknown setting", REALM, "seed_file:", "sead_file:", 'unknown name "sead_file"'),
    ("an unknown section of the server", SERVER, '<limits grace="5"/>', '<limit grace="5"/>', 'unknown name "limit"'),
    ("a realm without a directory", SERVER, '<realm name="devices"/>', '<realm name="gadgets"/>', "gadgets"),
    ("an unknown way to log in", REALM, "method: password", "method: pasword", '"pasword"'),
    ("an unknown program of a front end", SERVER, 'program="chancery-notify"', 'program="chancery-notifi"', "chancery-notifi"),
    ("an unknown user", SERVER, '<socket mode="0666"/>', '<socket mode="0666" owner="no-such-user"/>', 'found no user "no-such-user"'),
    ("an unknown group", SERVER, '<socket mode="0666"/>', '<socket mode="0666" group="no-such-group"/>', 'found no group "no-such-group"'),
    ("a socket whose path is too long", SERVER, 'run-directory="run"', f'run-directory="{"r" * 120}"', "socket"),
    ("texts of notices that are not there", REALM, "  program: /bin/true", "  program: /bin/true\n  templates: texts", "texts"),
    ("a command that does not exist, in a rule", REALM, "commands: [certificate.issue]", "commands: [certificate.isue]", "certificate.isue"),
    ("a CA whose issuer does not exist", REALM, "issuer: top", "issuer: topp", "topp"),
    ("a profile that does not exist, for enrolment", REALM, "  profile: web\n  profiles: [server]", "  profile: wep\n  profiles: [server]", '"wep"'),
    # ----- references of the server to realms, users and roles
    ("default realm", SERVER, 'directory="realms" default="default"', 'directory="realms" default="defualt"', '"defualt"'),
    ("realm of an identity", SERVER, 'user="nobody" realm="default"', 'user="nobody" realm="other"', '"other"'),
    ("role of an identity", SERVER, 'realm="default" roles="ra-operator"/>\n  </id', 'realm="default" roles="ra-oprator"/>\n  </id', '"ra-oprator"'),
    ("realm of a front end", SERVER, 'program="chancery-http" realms="default"', 'program="chancery-http" realms="defalt"', '"defalt"'),
    ("role of a front end", SERVER, 'program="chancery-http" realms="default" roles="frontend"', 'program="chancery-http" realms="default" roles="front-end"', '"front-end"'),
    ("default realm of a listener", SERVER, 'default-realm="default"', 'default-realm="defalt"', '"defalt"'),
    ("realms of a listener", SERVER, 'realms="default" names', 'realms="default defalt" names', '"defalt"'),
    ("realm of a host name", SERVER, 'host-realms="localhost=default"', 'host-realms="localhost=defalt"', '"defalt"'),
    ("host name of a realm", SERVER, 'host-realms="localhost=default"', 'host-realms="remotehost=default"', "remotehost"),
    ("realm of a ZMQ endpoint", SERVER, 'realm="devices" server-key-file', 'realm="devises" server-key-file', '"devises"'),
    ("key of a ZMQ endpoint", SERVER, 'server-key-file="zmq.key"', 'server-key-file="zqm.key"', "zqm.key"),
    ("realm of a ZMQ peer", SERVER, 'realm="devices" roles="ra-operator"/>', 'realm="devises" roles="ra-operator"/>', '"devises"'),
    ("role of a ZMQ peer", SERVER, 'realm="devices" roles="ra-operator"/>', 'realm="devices" roles="ra"/>', '"ra"'),
    # ----- of the realm to profiles
    ("further ACME profile", REALM, "profiles: [server]", "profiles: [sever]", '"sever"'),
    ("profile of an ACME policy", REALM, "    usual:\n      profiles: [web]", "    usual:\n      profiles: [user]", "user"),
    ("ACME policy", REALM, "policy: usual", "policy: usuall", '"usuall"'),
    ("profile of a rule of the policy", REALM, "decision: grant\n      profiles: [web]", "decision: grant\n      profiles: [wep]", '"wep"'),
    ("profile of a test of the policy", REALM, "profile: web\n      roles", "profile: wep\n      roles", '"wep"'),
    ("profile of a CA", REALM, "profiles: [tls]", "profiles: [tsl]", '"tsl"'),
    ("profile of notices", REALM, "before: [30]\n  profiles: [web]", "before: [30]\n  profiles: [wep]", '"wep"'),
    ("profile of an access rule", REALM, "commands: [certificate.issue]\n    profiles: [web]", "commands: [certificate.issue]\n    profiles: [wep]", '"wep"'),
    ("profile that logs in", REALM, '"profile:user"', '"profile:usr"', "usr"),
    ("profile of approvers", SIGNED, "approver_profiles: [officer]", "approver_profiles: [oficer]", '"oficer"'),
    # ----- to roles
    ("what a role contains", REALM, "web-team: [ra-operator]", "web-team: [ra-oprator]", '"ra-oprator"'),
    ("role of a login stack", REALM, "method: password\n    roles: [web-team]", "method: password\n    roles: [web-taem]", '"web-taem"'),
    ("role that a login stack gives", REALM, 'gives:\n      web-team:', 'gives:\n      web-taem:', "web-taem"),
    ("role of a rule of the policy", REALM, "profiles: [web]\n      roles: [ra-operator]", "profiles: [web]\n      roles: [ra-oprator]", '"ra-oprator"'),
    ("role of a test of the policy", REALM, "profile: web\n      roles: [ra-operator]", "profile: web\n      roles: [ra-oprator]", '"ra-oprator"'),
    ("role of an access rule", REALM, "who: [web-team]", "who: [web-taem]", "web-taem"),
    ("role of a command", REALM, "certificate.unrevoke: ca-operator", "certificate.unrevoke: ca-oprator", '"ca-oprator"'),
    ("command of a role", REALM, "certificate.unrevoke: ca-operator", "certificate.unrevoked: ca-operator", "certificate.unrevoked"),
    ("role of approvers", SIGNED, "approval_roles: [ra-operator]", "approval_roles: [ra-oprator]", '"ra-oprator"'),
    ("least role of a profile", WEB, "duration: 30", "least_role: operator", '"operator"'),
    # ----- to secrets and files
    ("seed", REALM, "seed_file: seed", "seed_file: sead", "sead"),
    ("password of a login stack", REALM, "bind_password_file: reader", "bind_password_file: raeder", "raeder"),
    ("list of keys", REALM, "key_block_lists: [weak-keys]", "key_block_lists: [week-keys]", "week-keys"),
    ("look-up of the policy", REALM, 'look_ups: ["file:hosts.txt"]\n  tests', 'look_ups: ["file:hots.txt"]\n  tests', "hots.txt"),
    ("program of notices", REALM, "program: /bin/true", "program: /bin/ture", "/bin/ture"),
    ("passphrase of a key that has none", REALM, "key_unencrypted: true", "passphrase_file: passphrase", "passphrase"),
    ("two ways to open the key", REALM, "key_unencrypted: true", "key_unencrypted: true\npassphrase_file: passphrase", "passphrase"),
    # ----- of the policy to itself
    ("rule that a test names", REALM, "rule: own-names", "rule: own-name", "own-name"),
    ("what a test expects", REALM, "expect: grant", "expect: deny", "the team gets its hosts", -1),
    ("two rules of one name", REALM, "  - name: rest\n", "  - name: web\n", "found the name a second time"),
    ("a profile without a purpose", WEB, "keyUsage: [digitalSignature]", "keyUsage: [signing]", '"signing"'),
    ("an empty profile", WEB, GOOD_PROFILE, "{}\n", "found no keyUsage"),
    ("a CA's profile for everybody", WEB, "keyUsage: [digitalSignature]", "keyUsage: [keyCertSign, cRLSign]\nleast_role: user", "least_role", 1),
]


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    place = tmp_path_factory.mktemp("office")
    for one in (place.parent, place):
        one.chmod(0o755)
    one = Office(place)
    one.lay_out()
    one.start()
    yield one
    one.end()


def spoil(office, file, old, new):
    """@return the line on which the new text differs."""
    path = office.directory / file
    good = path.read_text()
    assert good.count(old) == 1, (good.count(old), old)
    bad = good.replace(old, new)
    path.write_text(bad)
    lines = zip(good.splitlines(), bad.splitlines())
    return next(number for number, (before, after) in enumerate(lines, 1) if before != after)


ROWS = [one if len(one) == 6 else (*one, 0) for one in TEXTS]


def refused_by(said, path, line, words):
    """Whether a line of what was said is about that place, and says what is wrong there."""
    return any(one.split("] ")[-1].find(f"{path}:{line}:") >= 0 and words in one and ": warning: " not in one for one in said.splitlines())


@pytest.mark.parametrize("file, old, new, words, below", [one[1:] for one in ROWS], ids=[one[0] for one in ROWS])
def test_it_is_refused_at_the_start_and_at_a_reload(office, file, old, new, words, below):
    path = office.directory / file
    good = path.read_text()
    settings = office.directory / REALM
    try:
        line = spoil(office, file, old, new) + below
        for options in (["--check"], []):
            status, said = office.try_by(*options)
            assert status == 78 and refused_by(said, path, line, words), (options, line, said)
        told = len(office.log())
        office.hangup("not reloaded: the configuration does not hold")
        assert refused_by(office.log()[told:], path, line, words), office.log()[told:]
        with office.talk("default") as talk:  # by the configuration of before
            assert talk.result("realm.get")["name"] == "default"
    finally:
        path.write_text(good)
    renewals = int(re.search(r"own_renewals_per_day: (\d+)", settings.read_text()).group(1))
    settings.write_text(settings.read_text().replace(f"own_renewals_per_day: {renewals}", f"own_renewals_per_day: {renewals + 1}"))
    told = len(office.log())
    office.hangup("reloaded, realms: 2, changes: 1")
    assert f"changed: realm default: own_renewals_per_day: {renewals} becomes {renewals + 1}" in office.log()[told:]
    office.hangup("reloaded, realms: 2, nothing has changed")
