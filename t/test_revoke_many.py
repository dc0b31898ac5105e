"""certificate.revoke_many: looked at first, revoked by whoever says how many they are, on the audit stream one by one."""

import subprocess

import pytest

from test_notices import issue


@pytest.fixture
def talk(system):
    one = system.realm("default").talk()
    yield one
    one.close()


@pytest.fixture
def leaver(talk, request):
    """Three certificates of one person, and one of another whose name begins otherwise."""
    name = "leaver-" + request.node.name.replace("_", "-").lower()[-40:]
    return name, [issue(talk, f"{name}-{n}", days=2) for n in range(3)], issue(talk, f"stays-{name}"[:60], days=2)


def status(talk, serial):
    return talk.result("ocsp.status", serial=serial)["status"]


def test_without_apply_nothing_happens(talk, leaver):
    name, serials, _ = leaver
    seen = talk.result("certificate.revoke_many", subject=name, reason="cessationOfOperation")
    assert not seen["applied"] and seen["count"] == 3 and "revoked" not in seen
    assert {one["serial"] for one in seen["certificates"]} == set(serials)
    assert {status(talk, one) for one in serials} == {"good"}
    assert talk.result("certificate.revoke_many", subject=name, apply=False, expected=3)["applied"] is False
    assert {status(talk, one) for one in serials} == {"good"}


@pytest.mark.parametrize("params, code", [
    ({"apply": True}, "invalid_params"),
    ({"apply": True, "expected": 2}, "conflict"),
    ({"apply": True, "expected": 4}, "conflict"),
    ({"apply": True, "expected": 0}, "conflict"),
    ({"apply": True, "expected": 3, "reason": "because"}, "invalid_params"),
    ({"apply": True, "expected": 3, "state": "revoked"}, "invalid_params"),
    ({"apply": "yes", "expected": 3}, "invalid_params"),
], ids=["no-number", "fewer", "more", "none", "reason", "state", "text"])
def test_a_wrong_word_revokes_nothing(talk, leaver, params, code):
    name, serials, _ = leaver
    assert talk.code("certificate.revoke_many", subject=name, **params) == code
    assert {status(talk, one) for one in serials} == {"good"}


@pytest.mark.parametrize("params", [{}, {"state": "valid"}, {"subject": ""}, {"reason": "superseded", "requester": ""}], ids=["none", "state", "empty", "reason"])
def test_everything_at_once_is_refused(talk, leaver, params):
    assert talk.code("certificate.revoke_many", apply=True, expected=1, **params) == "invalid_params"
    assert talk.code("certificate.revoke_many", **params) == "invalid_params"


def test_C7_C18_with_the_right_number_all_are_revoked(talk, leaver):
    name, serials, other = leaver
    done = talk.result("certificate.revoke_many", subject=name, reason="cessationOfOperation", apply=True, expected=3)
    assert done["applied"] and set(done["revoked"]) == set(serials) and done["refused"] == []
    assert {status(talk, one) for one in serials} == {"revoked"} and status(talk, other) == "good"
    assert {talk.result("certificate.get", serial=one)["reason"] for one in serials} == {"cessationOfOperation"}
    # Again, there is nothing left, and the old number is wrong.
    assert talk.code("certificate.revoke_many", subject=name, apply=True, expected=3) == "conflict"
    records, after = [], {}
    while True:
        page = talk.result("audit.list", limit=1000, **after)
        records += page["records"]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    text = [str(one) for one in records]
    assert any("certificate.revoke_many" in one for one in text)
    for serial in serials:
        assert any("state" in one and serial in one and "cessationOfOperation" in one for one in text), serial


def test_held_ones_are_revoked_when_they_are_asked_for(talk, leaver):
    name, serials, _ = leaver
    talk.result("certificate.revoke", serial=serials[0], reason="certificateHold")
    assert talk.result("certificate.revoke_many", subject=name)["count"] == 2
    assert talk.result("certificate.revoke_many", subject=name, state="held", reason="superseded", apply=True, expected=1)["revoked"] == [serials[0]]
    assert talk.result("certificate.get", serial=serials[0])["reason"] == "superseded"


def test_another_realm_has_none_of_them(system, talk, leaver):
    name, serials, _ = leaver
    elsewhere = system.realm("devices").talk()
    assert elsewhere.result("certificate.revoke_many", subject=name)["count"] == 0
    assert elsewhere.code("certificate.revoke_many", subject=name, apply=True, expected=3) == "conflict"
    elsewhere.close()
    assert {status(talk, one) for one in serials} == {"good"}


def test_on_the_command_line(system, talk, leaver):
    name, serials, _ = leaver
    command = [system.programs / "chancery", "--socket", system.socket, "--realm", "default", "certificate", "revoke_many", "--subject", name]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert shown.returncode == 0 and all(one in shown.stdout for one in serials)
    assert subprocess.run([*command, "--apply", "--expected", "2"], capture_output=True).returncode != 0
    done = subprocess.run([*command, "--apply", "--expected", "3"], capture_output=True, text=True)
    assert done.returncode == 0 and {status(talk, one) for one in serials} == {"revoked"}, done
