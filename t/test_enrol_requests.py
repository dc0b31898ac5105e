"""Who enrols and is short of points has people asked, where a rule says so (if_short: request, doc/enrolment.md): the same request, sent again,
is the certificate once they have agreed, at every door."""

import concurrent.futures
import contextlib
import os
import signal
import subprocess

import pytest
import requests
from cryptography import x509

from test_enrolment import SECRET, pem, request, seal
from test_enrolment_doors import Fleet
from test_master import wait_for

POLICY = """
login_limits: {failures: 3, failures_per_peer: 1000, delay: 0s, lockout: 60s}
requests:
  open_per_requester: 8
enrolment:
  secrets:
    fleet: {file: fleet-secret}
policy:
  otherwise: deny
  rules:
    - {name: people, decision: grant, ways: [enrol, request], names: [".people.test"], points: 2, proofs: ["hmac:fleet", "challenge:fleet"], if_short: request}
    - {name: by-hand, decision: grant, ways: [enrol, request], names: [".hand.test"], proofs: ["hmac:fleet"], if_short: approval}
    - {name: counted, decision: grant, ways: [enrol, request], names: [".counted.test"], proofs: ["hmac:fleet", "challenge:fleet"], if_short: approval}
    - {name: asked, decision: grant, ways: [enrol, request], names: [".asked.test"], proofs: ["challenge:fleet"], if_short: request}
    - {name: rest, decision: grant, ways: [enrol], names: [".rest.test"], proofs: ["hmac:fleet"]}
    - {name: once, decision: grant, ways: [enrol], names: [".once.test"], proofs: ["hmac:fleet"], max_living_per_subject: 1}
"""


class Office(Fleet):
    policy = POLICY


@pytest.fixture(scope="module")
def office():
    with Office.running() as one:
        yield one


@pytest.fixture
def talk(office):
    with contextlib.closing(office.realm("default").talk()) as one:
        yield one
        for row in one.result("request.list", state="pending")["requests"]:  # the next test begins without any
            if "error" in one.call("request.reject", request=row["request"], comment="the test is over"):
                one.result("request.withdraw", request=row["request"])  # one's own


def post(office, csr, **body):
    return requests.post(office.https_url + "/api/v1/enrol", json={"csr": pem(csr), **body}, verify=str(office.directory / "https-ca.pem"), timeout=60)


def pending(reply):
    """@return the id of the request"""
    assert reply.status_code == 202, reply.text
    assert reply.headers["Location"] == "/api/v1/enrol" and int(reply.headers["Retry-After"]) > 0
    assert reply.json()["status"] == "pending"
    return reply.json()["data"]["request"]


def refused(reply):
    assert reply.status_code == 400 and reply.json()["message"].startswith("enrolment refused"), reply.text


def key_of(certificate):
    return x509.load_pem_x509_certificate(certificate.encode()).public_key().public_numbers()


def open_ones(talk):
    return [row["request"] for row in talk.result("request.list", state="pending")["requests"]]


def test_people_give_the_points_that_are_missing(office, talk):
    csr = request("a.people.test")
    known = post(office, csr, hmac=seal(csr))
    one = pending(known)
    assert pending(post(office, csr, hmac=seal(csr))) == one and pending(post(office, csr)) == one  # shown once is enough
    assert open_ones(talk) == [one]
    asked = talk.result("request.get", request=one)
    assert asked["requester"].startswith("http:") and asked["kind"] == "enrolment" and asked["profile"] == "server"
    talk.result("request.approve", request=one)
    made = post(office, csr)
    assert made.status_code == 200, made.text
    certificate = made.json()["data"]["certificate"]
    assert key_of(certificate) == csr.public_key().public_numbers()
    again = post(office, csr)
    assert again.status_code == 200 and again.json()["data"] == made.json()["data"]  # never a second one
    assert talk.result("request.get", request=one)["state"] == "issued"
    assert not talk.result("policy.refused")["refused"]  # nobody was refused anything


def test_who_shows_all_needs_nobody(office, talk):
    csr = request("b.people.test", SECRET)
    reply = post(office, csr, hmac=seal(csr))
    assert reply.status_code == 200, reply.text
    assert not open_ones(talk)


def test_a_repeated_hmac_gets_its_certificate_before_limits_are_asked(office):
    csr = request("a.once.test")
    first = post(office, csr, hmac=seal(csr))
    again = post(office, csr, hmac=seal(csr))
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert first.json()["data"] == again.json()["data"]
    another = request("a.once.test")
    assert post(office, another, hmac=seal(another)).status_code == 400  # which the limit is for


def test_each_point_that_is_missing_is_another_person(office, talk):
    csr = request("c.people.test")
    one = pending(post(office, csr))
    said = talk.result("request.approve", request=one)
    assert said["state"] == "pending" and said["approvals_needed"] == 2, said
    assert pending(post(office, csr)) == one


def test_nobody_approves_his_own(office, talk):
    csr = request("d.people.test")
    made = talk.result("certificate.enrol", csr=pem(csr), hmac=seal(csr))
    assert made["state"] == "pending" and set(made) == {"state", "request"}
    assert talk.code("request.approve", request=made["request"]) == "denied"
    assert talk.result("certificate.enrol", csr=pem(csr))["state"] == "pending"
    talk.result("request.withdraw", request=made["request"])
    assert talk.code("certificate.enrol", csr=pem(csr)) == "policy_refused"


@pytest.mark.parametrize("end", ["request.reject", "request.withdraw"])
def test_what_was_refused_is_asked_for_with_another_request(office, talk, end):
    key_and_name = request("e.people.test")
    made = talk.result("certificate.enrol", csr=pem(key_and_name)) if end.endswith("withdraw") else {"request": pending(post(office, key_and_name))}
    talk.result(end, request=made["request"], **({"comment": "unknown to us"} if end.endswith("reject") else {}))
    refused(post(office, key_and_name))
    assert pending(post(office, request("e.people.test"))) != made["request"]


def test_other_names_days_and_profiles_are_other_requests(office, talk):
    csr = pem(request("f.people.test"))
    asked = [talk.result("certificate.enrol", csr=csr, **more)["request"] for more in ({}, {"days": 7}, {"sans": ["DNS:g.people.test"]}, {"days": 7})]
    assert len(set(asked)) == 3 and asked[1] == asked[3]
    assert len(open_ones(talk)) == 3
    assert talk.code("certificate.enrol", csr=csr, sans=["DNS:www.example.com"]) == "policy_refused"


@pytest.mark.parametrize("name, more", [("a.other.test", {}), ("a.hand.test", {}), ("a.rest.test", {}), ("h.people.test", {"profile": "ra"})])
def test_what_no_rule_leaves_to_people_opens_nothing(office, talk, name, more):
    refused(post(office, request(name), **more))
    assert not open_ones(talk)


def test_a_wrong_secret_is_counted_once(office, talk):
    """Also where the realm has a rule by which people are asked: what is shown is judged once, whatever comes of it."""
    for name in ("a.counted.test", "b.counted.test"):
        for number in range(3):
            refused(post(office, request(name, f"guess number {number} of many")))
        busy = post(office, request(name, SECRET))
        assert busy.status_code == 503 and busy.headers["Retry-After"], busy.text
    # One that proves all by another way is judged once, too: by its third wrong HMAC nothing is locked yet.
    for _ in range(3):
        made = post(office, request("c.counted.test", SECRET), hmac="00" * 32)
        assert made.status_code == 200, made.text
    assert post(office, request("c.counted.test", SECRET), hmac="00" * 32).status_code == 503


def test_a_wrong_secret_is_counted_once_whoever_looks_at_its_request(office, talk):
    """Where the request is opened, approved and carried out: two failures are no three, which would lock."""
    first, second = (request("a.asked.test", f"guess number {number} of many") for number in range(2))
    one = pending(post(office, first))
    pending(post(office, second))
    talk.result("request.approve", request=one)
    made = post(office, first)
    assert made.status_code == 200, made.text
    right = post(office, request("a.asked.test", SECRET))
    assert right.status_code == 200, right.text


def test_a_request_whose_key_is_not_shown_opens_nothing(office, talk):
    good = pem(request("i.people.test"))
    body = good.splitlines()
    middle = len(body) // 2
    body[-2] = ("A" if body[-2][0] != "A" else "B") + body[-2][1:]  # of the signature
    reply = requests.post(office.https_url + "/api/v1/enrol", json={"csr": "\n".join(body) + "\n"}, verify=str(office.directory / "https-ca.pem"), timeout=60)
    assert middle and reply.status_code == 400, reply.text
    assert not open_ones(talk)


def test_of_many_at_once_one_opens_it(office, talk):
    csr = request("j.people.test")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: post(office, csr), range(16)))
    assert len({pending(one) for one in replies}) == 1
    assert len(open_ones(talk)) == 1
    talk_id = open_ones(talk)[0]
    with contextlib.closing(office.realm("default").talk()):
        csr_two = request("k.people.test")
        assert pending(post(office, csr_two, hmac=seal(csr_two))) != talk_id


def test_of_many_that_fetch_it_at_once_all_get_the_same(office, talk):
    csr = request("l.people.test")
    one = pending(post(office, csr, hmac=seal(csr)))
    talk.result("request.approve", request=one)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: post(office, csr), range(12)))
    done = [reply.json()["data"]["certificate"] for reply in replies if reply.status_code == 200]
    assert done and len(set(done)) == 1, [reply.text for reply in replies]
    assert post(office, csr).json()["data"]["certificate"] == done[0]
    assert len(talk.result("certificate.search", subject="l.people.test")["certificates"]) == 1


def test_one_requester_has_so_many_open_and_no_more(office, talk):
    for i in range(8):
        pending(post(office, request(f"m{i}.people.test")))
    reply = post(office, request("m8.people.test"))
    assert reply.status_code in (400, 409, 429, 503), reply.text
    assert len(open_ones(talk)) == 8


def reload(office, file, text):
    before = office.log.read_text().count("reloaded, realms")
    file.write_text(text)
    office.process.send_signal(signal.SIGHUP)
    wait_for(lambda: office.log.read_text().count("reloaded, realms") > before, what="the reload")


def test_rules_that_changed_meanwhile_count(office, talk):
    csr = request("n.people.test")
    one = pending(post(office, csr, hmac=seal(csr)))
    talk.result("request.approve", request=one)
    file = office.directory / "var" / "realms" / "default" / "ca.config.yml"
    before = file.read_text()
    reload(office, file, before.replace('".people.test"', '".nobody.test"'))
    try:
        refused(post(office, csr))
        assert talk.result("request.get", request=one)["state"] == "approved"
    finally:
        reload(office, file, before)
    assert post(office, csr).status_code == 200


def test_the_command_line_ends_with_75_while_people_are_asked(office, talk, tmp_path):
    csr = request("q.people.test")
    (tmp_path / "csr").write_text(pem(csr))
    words = [office.programs / "chancery", "--realm", "default", "certificate", "enrol", "--csr", tmp_path / "csr", "--hmac", seal(csr), "--out", tmp_path / "crt"]
    run = lambda: subprocess.run([str(one) for one in words], capture_output=True, text=True, env={**os.environ, "CHANCERY_SOCKET": str(office.socket)}, timeout=60)
    done = run()
    assert done.returncode == 75 and "waits for people" in done.stderr, done.stdout + done.stderr
    assert not (tmp_path / "crt").exists()


@pytest.mark.parametrize("rule, said", [
    ('{name: x, decision: grant, ways: [enrol], names: [".x"], proofs: [anonymous], if_short: request}', "expected ways: [enrol, request]"),
    ('{name: x, decision: grant, ways: [command], names: [".x"], proofs: [holder], if_short: request}', "expected ways: [enrol, request]"),
    ('{name: x, decision: deny, ways: [enrol, request], names: [".x"], proofs: [holder], if_short: request}', "found request in a rule that denies"),
    ('{name: x, decision: grant, ways: [enrol, request], names: [".x"], if_short: request}', "if_short without proofs"),
    ('{name: x, decision: grant, ways: [enrol, request], names: [".x"], proofs: [anonymous], if_short: ask}', "next, approval, request"),
])
def test_what_makes_no_sense_is_refused_with_its_place(office, tmp_path, rule, said):
    run = lambda *argv: subprocess.run([str(one) for one in argv], capture_output=True, text=True, env={**os.environ, "CHANCERY_PROGRAMS": str(office.programs)}, timeout=60)
    (tmp_path / "realms").mkdir()
    made = run(office.programs / "chancery", "realm", "create", "one", "--realms-directory", tmp_path / "realms", "--unencrypted")
    assert made.returncode == 0, made.stderr
    with open(tmp_path / "realms" / "one" / "ca.config.yml", "a") as file:
        file.write(f"policy:\n  rules:\n    - {rule}\n")
    (tmp_path / "chancery.xml").write_text(f'<chancery run-directory="{tmp_path}/run" program-directory="{office.programs}">'
                                           f'<realms directory="{tmp_path}/realms" default="one"/></chancery>')
    done = run(office.programs / "chanceryd", "--config", tmp_path / "chancery.xml", "--check")
    assert done.returncode == 78 and said in done.stdout + done.stderr and "ca.config.yml:" in done.stdout + done.stderr, done.stdout + done.stderr
