"""The examples that ask for certificates and decide about them, in Perl and C++, run by the people of t/test_requests.py."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from test_client_manuals import PERL, TOP
from test_daemon import request_for
from test_master import BUILD
from test_requests import ALICE, AUDITOR, BOB, CAROL, EVE, office, people  # noqa: F401 pylint: disable=unused-import

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root speaks as other users")
LIFE = r"""
use strict; use warnings; use Chancery::Client;
my ($csr) = @ARGV; open my $in, '<', $csr or die; my $pem = do { local $/; <$in> };
my $client  = Chancery::Client->new(realm => 'default');
my $request = $client->request(csr => $pem, profile => 'four', comment => 'for a start');
sub code { my ($call) = @_; return eval { $call->(); 1 } ? 'done' : ref $@ ? $@->code : "$@" }
print join(' ', $request->state, $request->has_ended, length $request->digest, $request->get->{history}[0]{why}), "\n";
print join(' ', map { code($_) } sub { $request->approve }, sub { $request->reject('mine') }, sub { $request->pickup }, sub { $request->retry }, sub { $client->find_request('0' x 32) },
    sub { $request->comment('x', '/nowhere/at/all') }), "\n";
$request->comment('evidence', {name => 'a.txt', type => 'text/plain', octets => "order\n"}, $csr);
print join(' ', map { "$_->{name}:$_->{size}" } @{$request->get->{attachments}}), "\n";
my ($next, $found) = ($client->requests(mine => 1, limit => 1), 0);
while (my $one = $next->()) { $found++ if $one->id eq $request->id && $one->digest eq $request->digest }
print "$found ", $request->wait(timeout => 0), ' ', $request->withdraw('enough')->state, ' ', $request->wait(until => ['issued']), ' ', $request->has_ended, "\n";
"""


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(prefix="chancery-examples-") as directory:
        os.chmod(directory, 0o777)
        yield pathlib.Path(directory)


@pytest.fixture
def run(office):  # noqa: F811 pylint: disable=redefined-outer-name
    def call(user, *words, status=0):
        done = subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", "--regid=nogroup", *map(str, words)], capture_output=True, text=True, timeout=120,
                              cwd="/", env={**os.environ, "CHANCERY_SOCKET": str(office.socket)})
        assert (done.returncode == 0) == (status == 0), done
        return done.stdout + done.stderr
    return call


@pytest.fixture
def asks(run, place):
    """Perl's or C++'s way to ask and wait, as alice."""
    def call(language, csr, crt, seconds, **how):
        if language == "perl":
            return run(ALICE, *PERL, TOP / "clients/perl/examples/ask-and-wait.pl", "--wait", seconds, "default", "four", csr, crt, **how)
        program = place / "ask-and-wait-example"
        if not program.exists():
            shutil.copy(BUILD / "ask-and-wait-example", program)
        return run(ALICE, program, "default", "four", csr, crt, seconds, **how)
    return call


def decide(run, user, *words, **how):
    return run(user, *PERL, TOP / "clients/perl/examples/decide.pl", *words, **how)


@pytest.mark.parametrize("language", ["perl", "cpp"])
def test_it_is_asked_for_once_approved_by_two_and_fetched(run, asks, place, language):
    name = f"{language}.ask.example.com"
    csr, crt = place / "a.csr", place / "a.crt"
    csr.write_text(request_for(name))
    assert "the request is pending" in asks(language, csr, crt, 0, status=1)
    assert "the request is pending" in asks(language, csr, crt, 0, status=1)
    said = decide(run, BOB, "default", "*.ask.example.com")
    assert said.count(name) == 1 and said.startswith("waits: ") and "1 requests" in said, "asked for once"
    assert "0 requests" in decide(run, BOB, "--approve", "known", "default", "*.other.example.com")
    assert "pending: " in decide(run, BOB, "--approve", "known", "default", "*.ask.example.com")
    assert "not decided" in decide(run, BOB, "--approve", "again", "default", "*.ask.example.com", status=1)
    assert "not decided" in decide(run, AUDITOR, "--approve", "known", "default", "*.ask.example.com", status=1)
    assert "0 requests" in decide(run, EVE, "--approve", "known", "default", "*.ask.example.com"), "nobody's business"
    assert "approved: " in decide(run, CAROL, "--approve", "known", "default", f"{language}.*.example.com", "*.ask.example.com")
    assert "certificate " in asks(language, csr, crt, 30)
    assert crt.read_text().count("BEGIN CERTIFICATE") == 2
    verified = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", crt], capture_output=True, text=True, check=True)
    assert name in verified.stdout


@pytest.mark.parametrize("language", ["perl", "cpp"])
def test_a_refusal_is_told(run, asks, place, language):
    csr, crt = place / "a.csr", place / "a.crt"
    csr.write_text(request_for(f"{language}.refuse.example.com"))
    asks(language, csr, crt, 0, status=1)
    assert "rejected: " in decide(run, BOB, "--reject", "not ours", "default", "*.refuse.example.com")
    assert "the request is rejected" in asks(language, csr, crt, 30, status=1)
    assert not crt.exists()
    csr.write_text("no request")
    (place / "a.crt.request").unlink()
    asks(language, csr, crt, 0, status=1)
    assert not (place / "a.crt.request").exists()


@pytest.mark.parametrize("words", [["default"], ["--approve", "x", "--reject", "y", "default", "*"], ["nowhere", "*"]])
def test_what_is_asked_wrongly_decides_nothing(run, words):
    decide(run, BOB, *words, status=1)


def test_the_life_of_a_request_in_perl(run, place):
    (place / "life.pl").write_text(LIFE)
    (place / "life.csr").write_text(request_for("life.example.com"))
    size = (place / "life.csr").stat().st_size
    said = run(ALICE, *PERL, place / "life.pl", place / "life.csr").splitlines()
    assert said[0] == "pending 0 64 for a start" and said[2:] == [f"a.txt:6 life.csr:{size}", "1 pending withdrawn withdrawn 1"], said
    assert said[1] == "denied denied conflict denied not_found io", said
