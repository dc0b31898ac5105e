"""`chancery report`: tables of a realm's certificates, as CSV and JSON."""

import csv
import datetime
import io
import json
import os
import subprocess

import pytest

from conftest import BUILD
from test_admin_examples import csr_for


@pytest.fixture(scope="module")
def made(system):
    """Serials by name, of a profile that no other test counts."""
    talk = system.realm("devices").talk()
    issue = lambda name, **params: talk.result("certificate.issue", csr=csr_for(name), **{"profile": "user", **params})["serial"]
    serials = {"short": issue("report short", days=3), "long": issue("report long", days=25), "gone": issue("report gone", days=2),
               "held": issue("=report()", days=20)}
    talk.result("certificate.revoke", serial=serials["gone"])
    talk.result("certificate.revoke", serial=serials["held"], reason="certificateHold")
    talk.close()
    return serials


def report(system, *words, status=0):
    done = subprocess.run([BUILD / "chancery", "--realm", "devices", "report", *words], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "CHANCERY_SOCKET": str(system.socket)})
    assert (done.returncode == 0) == (status == 0), done
    return done.stdout if status == 0 else done.stderr


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_what_was_issued(system, made):
    found = {row["serial"]: row for row in rows(report(system, "issued", "--profile", "user"))}
    assert set(made.values()) <= set(found)
    assert found[made["gone"]]["state"] == "revoked" and found[made["held"]]["state"] == "held"
    assert found[made["short"]]["subject"].endswith("CN=report short")


def test_what_ends_soon_comes_in_its_order(system, made):
    found = rows(report(system, "expiring", "--days", "15", "--profile", "user"))
    ends = [datetime.datetime.fromisoformat(row["not_after"].replace("Z", "+00:00")) for row in found]
    assert ends == sorted(ends) and made["short"] in [row["serial"] for row in found]
    assert not {made["long"], made["gone"], made["held"]} & {row["serial"] for row in found}


def test_counts_by_profile_and_requester(system, made):
    by_profile = {row["profile"]: row for row in json.loads(report(system, "by-profile", "--format", "json"))}
    user = by_profile["user"]
    assert user["issued"] == user["valid"] + user["revoked"] + user["held"] + user["expired"] >= 4
    assert user["revoked"] >= 1 and user["held"] >= 1
    me = rows(report(system, "by-requester", "--profile", "user"))
    assert [row["requester"] for row in me] == ["unix:root" if os.geteuid() == 0 else f"unix:{os.environ['USER']}"]


def test_nothing_is_a_report_too(system, made):
    assert json.loads(report(system, "issued", "--profile", "ca", "--format", "json")) == []
    assert rows(report(system, "expiring", "--days", "1", "--profile", "user")) == []


@pytest.mark.parametrize("words, said", [(["issued", "--format", "xml"], "expected csv or json"), (["issued", "--days", "0"], "expected 1 to 36500"),
                                         (["issued", "--days", "-3"], "expected 1 to 36500"), (["everything"], ""), ([], "")])
def test_reports_that_are_none(system, words, said):
    assert said in report(system, *words, status=1)
