"""What the README and the examples show, against a running server: its shell lines as printed, a Perl script, a C++ program."""

import json
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

from conftest import BUILD, System

TOP = pathlib.Path(__file__).resolve().parent.parent
README = (TOP / "README.md").read_text()
PERL = ["perl", f"-I{BUILD}/clients/perl/lib", f"-I{TOP}/clients/perl/lib"]


def block(title):
    """The indented lines under a bold title of the README."""
    text = README[README.index(f"**{title}"):]
    lines = re.search(r"\n\n((?:    .*\n|\n)+)", text)[1]
    return re.sub(r"^    ", "", lines, flags=re.M)


@pytest.fixture
def place(system, tmp_path):
    """A directory in which the README's lines mean this test's server."""
    (tmp_path / "demo").symlink_to(system.directory)
    return tmp_path


@pytest.fixture
def realm_default(system):
    return system.realm("default")


@pytest.fixture
def shell(system, place):
    def run(lines, check=True):
        for port, ours in ((8000, system.https_port), (8080, system.http_port), (5000, system.zmq_port), (5002, system.http01_port)):
            lines = re.sub(rf":{port}\b", f":{ours}", lines)
        environment = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "CHANCERY_SOCKET": str(system.socket)}
        done = subprocess.run(["sh", "-euc", lines], cwd=place, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or not check, done
        return done
    return run


def test_readme_by_the_command_line(shell, place, realm_default):
    lines = block("By the command line").splitlines()
    before = [line for line in lines if "revoke" not in line]
    out = shell("\n".join(before)).stdout
    assert "allowed" in out
    previewed, issued = re.findall(r"^subject: +(\S+)$", out, re.M)
    assert previewed == issued == "/CN=host.example.com"
    subprocess.run(["openssl", "verify", "-CAfile", realm_default.ca_file, place / "host.crt"], check=True, capture_output=True)
    text = subprocess.run(["openssl", "x509", "-in", place / "host.crt", "-noout", "-serial"], check=True, capture_output=True, text=True).stdout
    serial = text.strip().removeprefix("serial=").lower()
    revoke, = [line for line in lines if "revoke" in line]
    shell(revoke.replace("4f…", serial))
    assert realm_default.status_of(int(serial, 16)) == "revoked"
    assert (place / "host.key").stat().st_mode & 0o777 == 0o600


def test_readme_by_acme(shell, place, realm_default):
    shell(block("By ACME"))
    certificate = place / ".lego" / "certificates" / "demo.localhost.crt"
    subprocess.run(["openssl", "verify", "-CAfile", realm_default.ca_file, "-untrusted", certificate, certificate], check=True, capture_output=True)


def test_readme_by_zmq(shell, place, realm_default):
    shell("chancery csr --cn zmq.example.com --key-out host.key --out host.csr")
    script = block("By ZMQ")
    shell(f"/usr/bin/python3 - <<'END' > zmq.crt\n{script}\nEND")
    subprocess.run(["openssl", "verify", "-CAfile", realm_default.ca_file, place / "zmq.crt"], check=True, capture_output=True)


def test_readme_by_the_socket(shell):
    answers = shell(block("By the socket")).stdout.splitlines()
    assert len(answers) == 2 and all('"result"' in answer for answer in answers), answers
    assert "BEGIN CERTIFICATE" in answers[1]


def test_readme_by_perl(shell, place, realm_default):
    """The line as printed; here the demo's build and output are the test's."""
    line, = re.findall(r"^    (PERL5LIB=.*issue\.pl.*)$", README, re.M)
    shell("chancery csr --cn perl.example.com --key-out host.key --out host.csr")
    for shown, ours in (("build-demo", str(BUILD)), (":clients", f":{TOP}/clients"), (" clients", f" {TOP}/clients"), ("demo/out/cli.csr", "host.csr")):
        assert shown in line
        line = line.replace(shown, ours)
    shell(f"{line} > perl.crt")
    subprocess.run(["openssl", "verify", "-CAfile", realm_default.ca_file, place / "perl.crt"], check=True, capture_output=True)


def test_readme_shows_how_an_outside_certificate_comes_in(shell):
    """Its syntax is right: what is refused is the file, which is not there."""
    words, = re.findall(r"`(chancery [^`]*ca import[^`]*)`", README)
    done = shell(words.replace("--realm department ", ""), check=False)
    assert "--certificate: open signed.pem: No such file" in done.stderr, done


@pytest.mark.parametrize("program", [[*PERL, TOP / "clients/perl/examples/issue.pl"], [BUILD / "issue-example"]], ids=["perl", "c++"])
@pytest.mark.parametrize("realm_name", ["default", "devices"])
def test_examples_issue(system, place, shell, program, realm_name):
    shell("chancery csr --cn example.example.com --key-out k.pem --out r.csr")
    environment = {**os.environ, "CHANCERY_SOCKET": str(system.socket)}
    done = subprocess.run([*program, realm_name, "r.csr"], cwd=place, env=environment, capture_output=True, text=True, timeout=60)
    if realm_name == "devices" and done.returncode != 0:  # its profiles decide
        assert "server" in done.stderr, done
        return
    assert done.returncode == 0, done
    (place / "issued.crt").write_text(done.stdout)
    subprocess.run(["openssl", "verify", "-CAfile", system.realm(realm_name).ca_file, place / "issued.crt"], check=True, capture_output=True)


@pytest.mark.parametrize("program", [[*PERL, TOP / "clients/perl/examples/issue.pl"], [BUILD / "issue-example"]], ids=["perl", "c++"])
def test_examples_say_what_is_wrong(system, place, program):
    environment = {**os.environ, "CHANCERY_SOCKET": str(system.socket)}
    (place / "bad.csr").write_text("no request")

    def run(realm, file, **more):
        return subprocess.run([*program, realm, file], cwd=place, env={**environment, **more}, capture_output=True, text=True, timeout=60)
    for done, words in ((run("nowhere", "bad.csr"), "nowhere"), (run("default", "bad.csr"), "PEM"),
                        (run("default", "absent.csr"), "absent.csr"), (run("default", "bad.csr", CHANCERY_SOCKET="/nowhere.sock"), "/nowhere.sock")):
        assert done.returncode != 0 and words in done.stderr and not done.stdout, done


def test_perl_pages_and_errors(system, place, shell):
    """More rows than one page, an error's code, and a session that goes on after it."""
    script = r'''
use strict; use warnings; use Chancery::Client;
my $client = Chancery::Client->new(realm => 'default');
my $code = eval { $client->certificate_get(serial => '01'); 'none' } // $@->code;
my $next = $client->iterator('certificate.search', 'certificates', {profile => 'server', limit => 2});
my %seen; while (my $row = $next->()) { die "twice: $row->{serial}" if $seen{$row->{serial}}++ }
print "$code ", scalar(keys %seen) >= 3 ? 'pages' : 'too few', ' ', $client->server_ping->{pong} ? 'alive' : 'dead', "\n";
'''
    (place / "script.pl").write_text(script)
    for i in range(3):
        shell(f"chancery csr --cn perl{i}.example.com --key-out perl{i}.key --out perl{i}.csr; chancery certificate issue --csr perl{i}.csr")
    done = subprocess.run([*PERL, "script.pl"], cwd=place, env={**os.environ, "CHANCERY_SOCKET": str(system.socket)}, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("not_found pages alive\n", ""), done


# ----- the two libraries: what they print of a list, over a restart, and of what is wrong

LISTERS = {"perl": [*PERL, TOP / "clients/perl/examples/list.pl"], "c++": [BUILD / "list-example"]}


def run_lister(system, kind, *words, **more):
    environment = {**os.environ, "CHANCERY_SOCKET": str(system.socket), **more}
    return subprocess.run([*LISTERS[kind], *words], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("kind", LISTERS)
def test_examples_list(system, shell, kind):
    shell("chancery csr --cn listed.example.com --key-out listed.key --out listed.csr; chancery certificate issue --csr listed.csr")
    wanted = json.loads(shell("chancery --json --all certificate search --profile server").stdout)["certificates"]
    done = run_lister(system, kind, "default", "server")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.splitlines() == [" ".join((row["serial"], row["not_after"], row["subject"])) for row in wanted]


@pytest.mark.parametrize("kind", LISTERS)
@pytest.mark.parametrize("words,more,said", [
    (("nowhere", "server"), {}, "not_found: "), (("default", "no such"), {}, "invalid_params: "), (("default",), {}, "usage: "),
    (("default", "server"), {"CHANCERY_SOCKET": "/nowhere.sock"}, "unavailable: connect /nowhere.sock")])
def test_examples_list_says_what_is_wrong(system, kind, words, more, said):
    done = run_lister(system, kind, *words, **more)
    assert done.returncode != 0 and said in done.stderr and not done.stdout, done


RESTARTED = r'''
use strict; use warnings; use Chancery::Client;
$| = 1;
my $client = Chancery::Client->new(realm => 'devices', reconnect => 60, timeout => 30);
my %request = (csr => do { local $/; <STDIN> }, profile => 'user');
my $first = $client->certificate_issue(%request, idempotency_key => 'order-1');
my $next  = $client->each('certificate.search', limit => 1);
my @rows  = $next->();
print "started\n"; sleep 1 until -e 'restarted';
print $client->certificate_issue(%request, idempotency_key => 'order-1')->{serial} eq $first->{serial} ? 'same' : 'another', "\n";
while (my $row = $next->()) { push @rows, $row }
print join(' ', map { $_->{serial} } @rows) =~ /\b$first->{serial}\b/ ? 'listed' : 'lost', ' in ', $client->session_whoami->{realm}, "\n";
'''


def test_perl_goes_on_after_a_restart(tmp_path):
    """A session, an issuance with its key and a list half read, across a server that stops and starts."""
    with tempfile.TemporaryDirectory(prefix="chancery-test-") as directory:
        one = System(directory)
        one.lay_out()
        one.start()
        try:
            csr = subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
                                  "-subj", "/CN=again"], check=True, capture_output=True, text=True).stdout
            (tmp_path / "script.pl").write_text(RESTARTED)
            script = subprocess.Popen([*PERL, "script.pl"], cwd=tmp_path, env={**os.environ, "CHANCERY_SOCKET": str(one.socket)},
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            script.stdin.write(csr)
            script.stdin.close()
            script.stdin = None
            assert script.stdout.readline() == "started\n", script.stderr.read()
            one.stop()
            (tmp_path / "restarted").touch()  # it asks while nobody listens
            one.start()
            out, err = script.communicate(timeout=60)
            assert (out, err) == ("same\nlisted in devices\n", "")
        finally:
            one.stop()


EXIT_STATUSES = [
    ("certificate get --serial 01", 69, "not found: 01"),
    ("certificate get --serial zz", 64, "zz"),
    ("certificate get", 64, "serial"),
    ("certificate revok --serial 01", 64, 'did you mean "revoke"?'),
    ("certificat get --serial 01", 64, 'did you mean "certificate"?'),
    ("certificate get --serail 01", 64, 'did you mean "--serial"?'),
    ("certificate search --limit 0", 64, "limit: found 0, expected 1 to 1000"),
    ("node list --limit 1001", 64, "limit: found 1001, expected 1 to 1000"),
    ("ca import x", 64, 'unexpected word "x" behind "chancery ca import"\nhint: syntax: chancery ca import --certificate FILE [--ca WORD]\n'),
    ("ca import", 64, "--certificate is required\nhint: syntax: chancery ca import --certificate FILE [--ca WORD]\n"),
    ("certificate issue --csr good.csr --sans DNS:a DNS:b", 64, '"DNS:b"'),
    ("certificate issue --csr good.csr --sans DNS:a DNS:b", 64, "[--sans TEXT]..."),
    ("csr --cn a x", 64, 'unexpected word "x" behind "chancery csr"'),
    ("realm create", 64, "syntax: chancery realm create <name> [options]"),
    ("--timeout abc server ping", 64, '--timeout: found "abc", expected seconds, 0.001 to 86400'),
    ("--timeout 0 server ping", 64, '--timeout: found "0", expected seconds'),
    ("certificate issue --csr /dev/zero", 65, "--csr: /dev/zero has more than 1048576 octets"),
    ("certificate issue --csr /", 65, "--csr: / is a directory"),
    ("--realm nowhere ca get", 69, "nowhere"),
    ("--socket /nowhere.sock server ping", 69, "/nowhere.sock"),
]


@pytest.mark.parametrize("words,status,said", EXIT_STATUSES, ids=[f"{one[0]} {i}" for i, one in enumerate(EXIT_STATUSES)])
def test_cli_exit_statuses(shell, words, status, said):
    done = shell(f"chancery {words}", check=False)
    assert done.stdout == "" and said in done.stderr, done
    assert done.returncode == status, done


def test_cli_answers_as_json(shell):
    answer = json.loads(shell("chancery --json certificate search --limit 1").stdout)
    assert isinstance(answer["certificates"], list)


def test_cli_says_how_far_a_log_level_reaches(shell):
    assert "this session's worker, until the session ends" in shell("chancery server log_level").stdout
    assert "changes nothing that lasts" in shell("chancery server log_level --help").stdout.replace("\n", " ")


# ----- words completed in bash

@pytest.mark.parametrize("typed,offered", [
    ("chancery cert", ["certificate"]), ("chancery certificate re", ["renew", "request", "revoke", "revoke_many"]), ("chancery certificate revoke --reason ke", ["keyCompromise"]),
    ("chancery --realm ca realm cr", ["create"]), ("chancery csr --", None), ("chancery nonsense ", [])])
def test_bash_completes_words(typed, offered):
    script = f"""source <({BUILD}/chancery completion); complete -p chancery >/dev/null || exit 1
COMP_WORDS=({" ".join(typed.split(" ")[:-1])} "{typed.split(" ")[-1]}"); COMP_WORDS[0]={BUILD}/chancery; COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_chancery; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done
    found = done.stdout.split()
    assert found == offered if offered is not None else {"--cn", "--key-out", "--san"} <= set(found)


# ----- the files that a command writes

REFUSED_FILES = [
    ("certificate generate --cn CN --key-out old.key", "old.key is there already"),
    ("certificate generate --cn CN --key-out dangling", "dangling is there already"),
    ("certificate generate --cn CN --key-out nowhere/x", "--key-out: write nowhere/x: No such file"),
    ("certificate generate --cn CN --key-out .", ". is a directory"),
    ("certificate generate --cn CN --key-out new --out new", "one file"),
    ("certificate generate --cn CN --key-out new --out ./directory/../new", "one file"),
    ("certificate generate --cn CN --key-out new --out leads-to-new", "one file"),
    ("certificate generate --cn CN --key-out new --out nowhere/x", "--out: write nowhere/x: No such file"),
    ("certificate generate --cn CN --key-out new --out directory", "directory is a directory"),
    ("certificate generate --cn CN --key-out new --out pipe", "pipe is a device, pipe or socket"),
    ("certificate generate --cn CN --key-out new --out old.key", "old.key holds a private key"),
    ("certificate generate --cn CN --key-out new --no-return-key --store-key", "gives no private key"),
    ("certificate generate --cn CN --key-out ''", "--key-out: found an empty text"),
    ("certificate issue --csr good.csr --sans DNS:CN --out nowhere/x", "--out: write nowhere/x: No such file"),
    ("certificate issue --csr good.csr --sans DNS:CN --key-out new", "gives no private key"),
    ("certificate search --out new", "gives no certificate"),
    ("csr --cn CN --key-out old.key", "old.key is there already"),
    ("csr --cn CN --key-out new --out new", "one file"),
    ("csr --cn CN --key-out new --out leads-to-new", "one file"),
    ("csr --cn CN --key-out new --out nowhere/x", "--out: write nowhere/x: No such file"),
    ("csr --cn CN --key-out nowhere/x --out new", "--key-out: write nowhere/x: No such file"),
    ("--out new completion", "--out"),
]


@pytest.fixture
def files(place, shell):
    """Files of each kind that may stand where one is to be written."""
    shell("chancery csr --cn good.example.com --key-out old.key --out good.csr; mkdir directory; mkfifo pipe; ln -s none dangling; ln -s new leads-to-new")
    return place


@pytest.mark.parametrize("words,said", REFUSED_FILES, ids=[one[0] for one in REFUSED_FILES])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_done(shell, files, words, said):
    cn = f"n{abs(hash(words))}.example.com"
    before = {path.name: path.is_file() and path.read_bytes() for path in files.iterdir()}
    done = shell("chancery " + words.replace("CN", cn), check=False)
    assert done.returncode != 0 and said in done.stderr and ".tmp-" not in done.stderr and done.stdout == "", done
    assert {path.name: path.is_file() and path.read_bytes() for path in files.iterdir()} == before
    assert json.loads(shell(f"chancery --json certificate search --subject {cn}").stdout)["certificates"] == []


def test_a_key_goes_to_its_file_alone(shell, files):
    done = shell("chancery certificate generate --cn generated.example.com --key-out new.key --out leads-to-new")
    assert "PRIVATE KEY" not in done.stdout + done.stderr and "PRIVATE KEY" in (files / "new.key").read_text()
    assert (files / "new.key").stat().st_mode & 0o777 == 0o600
    assert "BEGIN CERTIFICATE" in (files / "leads-to-new").read_text()
    assert not list(files.glob("*.tmp-*"))


def test_a_refused_csr_can_be_asked_for_again(shell, files):
    shell("chancery csr --cn a.example.com --key-out again.key --out nowhere/x", check=False)
    shell("chancery csr --cn a.example.com --key-out again.key --out again.csr")


# ----- what comes in, and how words are spelt

@pytest.mark.parametrize("given", ["--csr good.csr", "--csr - < good.csr", "--csr /dev/stdin < good.csr", "--csr <(cat good.csr)", "--csr pipe"])
def test_a_request_comes_from_a_file_or_a_pipe(shell, files, given):
    shell(f"cat good.csr > pipe & exec bash -c 'chancery certificate preview {given}'" if "pipe" in given else f"bash -c 'chancery certificate preview {given}'")
    assert "allowed" in shell(f"cat good.csr | chancery certificate preview --csr {'-' if '-' in given[6:] else '/dev/stdin'}").stdout


def test_alternative_names_have_both_spellings(shell, files):
    shell("chancery csr --cn a.example.com --san DNS:a.example.com --sans DNS:b.example.com --key-out names.key --out names.csr")
    text = shell("openssl req -in names.csr -noout -text").stdout
    assert "DNS:a.example.com, DNS:b.example.com" in text
    shell("chancery certificate issue --csr names.csr --san DNS:c.example.com --sans DNS:d.example.com --out names.crt")
    assert "DNS:c.example.com, DNS:d.example.com" in shell("openssl x509 -in names.crt -noout -ext subjectAltName").stdout
    for verb in ("csr", "certificate issue"):
        text = shell(f"chancery {verb} --help").stdout
        names, = re.findall(r"^ +(--sans?,--sans?) TEXT +(?!\.\.\.)", text, re.M)
        assert "once for each" in text and set(names.split(",")) == {"--san", "--sans"}


def subject_of(shell, *words):
    shell(f"rm -f s.key s.csr; chancery csr {' '.join(words)} --key-out s.key --out s.csr")
    return shell("openssl req -in s.csr -noout -verify -subject -nameopt RFC2253").stdout.strip()


def test_a_request_has_the_whole_subject_that_is_given(shell):
    for subject in ("CN=a.example.com", "CN=a.example.com,OU=Web,O=Example Ltd,C=GB", "CN=Doe\\, Jane,O=Example Ltd", "UID=jdoe,DC=example,DC=com"):
        assert subject_of(shell, "--subject", f"'{subject}'") == f"subject={subject}"
    assert subject_of(shell, "--cn", "a.example.com", "--san", "DNS:a.example.com") == "subject=CN=a.example.com"
    made = json.loads(shell("chancery --json csr --subject 'CN=a.example.com, O=Example Ltd' --san DNS:a.example.com --key-out other.key").stdout)
    assert "BEGIN CERTIFICATE REQUEST" in made["request"]


@pytest.mark.parametrize("words, says", [
    ("--cn a.example.com --subject CN=a.example.com", "found --cn beside --subject, expected one of them"),
    ("", "found neither --cn nor --subject, expected one of them"),
    ("--subject ''", "expected a DN as RFC 4514 writes it"),
    ("--subject a.example.com", "expected a DN as RFC 4514 writes it"),
    ("--subject /O=Company/CN=a.example.com", "expected a DN as RFC 4514 writes it"),
    ("--subject CN=a+OU=b", "an RDN of several attributes"),
    ("--subject CN=", "expected a DN as RFC 4514 writes it"),
    ("--subject C=GBR,CN=a", "expected a DN as RFC 4514 writes it"),
    ("--subject 'O = Example Ltd, CN = a'", "expected one without blanks at its ends"),
    ("--subject 'CN=a ,O=b'", "expected one without blanks at its ends"),
    ("--subject 'CN=#0c0161'", "expected one without # at its beginning"),
])
def test_what_is_no_subject_of_a_request_is_refused(shell, words, says):
    done = shell(f"chancery csr {words} --key-out refused.key --out refused.csr", check=False)
    assert done.returncode == 64 and says in done.stderr and "--cn a.example.com" in done.stderr, done
    assert "No such file" in shell("ls refused.key refused.csr", check=False).stderr


def test_an_empty_list_says_so(shell):
    assert shell("chancery certificate search --subject nobody.example.com").stdout == "no certificates\n"
    assert json.loads(shell("chancery --json certificate search --subject nobody.example.com").stdout) == {"certificates": []}
