"""Raw requests that break one rule of ACME each, and those that break none: the rows of acme_rules.py, and doc/acme-conformance.md."""

import pathlib

import pytest

from acme_rules import RULES, World, table
from http01_server import Web

PAGE = pathlib.Path(__file__).resolve().parent.parent / "doc" / "acme-conformance.md"


@pytest.fixture(scope="module")
def world(system, tmp_path_factory):
    web = Web(system.http01_port, tmp_path_factory.mktemp("conformance"))
    yield World(system, web)
    web.stop()


@pytest.mark.parametrize("rule", RULES, ids=[f"{one.section}: {one.name}" for one in RULES])
def test_F39_F40_F41_F42_the_rule_holds(world, rule):
    answer = rule.request(world)
    assert answer.status_code == rule.status, answer.text
    assert answer.headers["Replay-Nonce"] and answer.headers["Cache-Control"] == "no-store"
    assert answer.links["index"]["url"] == world.owner.directory_url
    if not rule.kind:
        return
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:ietf:params:acme:error:" + rule.kind, answer.text
    assert problem["status"] == rule.status and problem["detail"]
    assert ("algorithms" in problem) == (rule.kind == "badSignatureAlgorithm")


def test_the_rules_are_many_and_distinct():
    names = [(one.section, one.name) for one in RULES]
    assert len(names) >= 150 and len(set(names)) == len(names)


def test_the_page_has_all_rules():
    assert PAGE.read_text() == table(), "t/make-acme-conformance > doc/acme-conformance.md writes it anew"


def test_nothing_that_was_refused_was_done(world):
    """After all of that the owner has what there was before."""
    assert world.post(world.owner.kid).json()["status"] == "valid"
    assert world.post(world.ready_order).json()["status"] == "ready"
    assert world.post(world.pending_order).json()["status"] == "pending"
    assert world.realm.status_of(world.certificate.serial_number) == "good"
