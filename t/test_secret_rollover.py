"""CAs and generations of a realm whose keys people open: one secret opens all of them, and the next one is made while it is known."""

import pytest

from test_daemon import request_for
from test_secret import code, needs_root, running

URLS = 'crl_urls: ["http://ca.example.com/cas/{ca}/crl"]\nrollover:\n  retire: people\n'


@pytest.fixture
def office(tmp_path):
    with running(tmp_path) as one:
        config = one.realm("default") / "ca.config.yml"
        config.write_text(config.read_text() + URLS + "cas:\n  tls:\n    profiles: [server]\n    key: ec:P-384\n")
        one.end()
        one.start_anew()
        yield one


def steps(office, *names, **params):
    with office.talk("default") as talk:
        for name in names:
            talk.result(f"ca.rollover.{name}", **params)


def issued_by(office, name):
    with office.talk("default") as talk:
        made = talk.result("certificate.issue", profile="server", csr=request_for(name))
        return talk.result("certificate.get", serial=made["serial"])["ca"]


@needs_root
def test_nothing_is_begun_while_the_realm_is_locked(office):
    with office.talk("default") as talk:
        assert code(talk.call("ca.rollover.start")) == "unavailable"
    assert "result" in office.enter("daemon", office.share(1))
    with office.talk("default") as talk:
        assert code(talk.call("ca.rollover.start", ca="tls")) == "unavailable"  # two more people are missing
    assert not list(office.realm("default").glob("cas/*/ca.key"))


@needs_root
def test_a_rollover_is_made_and_any_three_open_all_of_it_after_a_restart(office):
    office.unlock(1, 2, 3)
    steps(office, "start", "publish", "switch")
    steps(office, "start", "publish", "switch", ca="tls")
    assert issued_by(office, "before.example.com") == "tls-1"
    for key in ("cas/ca-2/ca.key", "cas/tls-1/ca.key"):
        assert "ENCRYPTED" in (office.realm("default") / key).read_text()
    office.end()
    office.start_anew()
    assert office.state() == "locked"
    with office.talk("default") as talk:
        assert code(talk.call("certificate.issue", profile="server", csr=request_for("locked.example.com"))) == "unavailable"
        for label in ("ca", "ca-2", "tls-1"):
            assert code(talk.call("crl.issue", ca=label)) == "unavailable"
    assert office.unlock(3, 5, 4)["state"] == "open"
    assert issued_by(office, "after.example.com") == "tls-1"
    with office.talk("default") as talk:
        for label in ("ca", "ca-2", "tls-1"):
            assert talk.result("crl.issue", ca=label)["issued"]
        talk.result("secret.clear")
        assert code(talk.call("crl.issue", ca="ca-2")) == "unavailable"
        assert code(talk.call("certificate.issue", profile="server", csr=request_for("cleared.example.com"))) == "unavailable"


@needs_root
def test_a_signer_that_dies_between_two_steps_goes_on_once_it_is_opened(office):
    office.unlock(1, 2, 3)
    steps(office, "start")
    office.kill()
    office.start_anew()
    with office.talk("default") as talk:
        assert code(talk.call("ca.rollover.publish")) == "unavailable"
    office.unlock(2, 4, 5)
    with office.talk("default") as talk:
        state = talk.result("ca.rollover.status")["state"]
    steps(office, *(["resume"] if state == "publishing" else ["publish"]), "switch")
    steps(office, "start", "publish", "switch", ca="tls")
    assert issued_by(office, "on.example.com") == "tls-1"
