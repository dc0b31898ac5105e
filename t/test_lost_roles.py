"""Who has lost a role gets it back by nothing that he, or an RA, can do: no renewal, no lifted hold, no announcement, no other
certificate of a key that was reported; and nobody steps into an administrator's place by having his certificate revoked first."""

import contextlib
import threading

import pytest

from test_admin_keys import Office, acting_for, certified, code, entry
from test_rest import Holder, issue


@pytest.fixture(scope="module")
def office():
    with Office.running() as one:
        one.settle()
        yield one


@pytest.fixture
def root(office):
    with contextlib.closing(office.talk()) as talk:
        yield talk


@pytest.fixture
def ra(office):
    with acting_for(office, office.ra) as talk:
        yield talk


def roles_of(office, holder):
    with contextlib.closing(office.realm("default").talk(front_end="http")) as talk:
        reply = talk.call("session.attest", evidence="certificate", certificate=holder.certificate)
        return reply["result"]["roles"] if "result" in reply else reply["error"]["data"]["code"]


def administrator(office, root, cn):
    holder = certified(office, root, cn, cn, "admin")
    assert entry(root, root.result("admin.add", dn=holder.dn)["dn"])["serials"] == [holder.hex]
    return holder


def fresh_ra(office, cn):
    return issue(office, office.holders, cn, cn, "ra")


# ----- another key of the name

def test_an_ra_does_not_step_into_an_administrators_place(office, root, ra):
    meant = certified(office, root, "stepped-on", "stepped-on", "admin")
    ra.result("certificate.revoke", serial=meant.hex, reason="superseded")
    mine = certified(office, ra, "stepped-on", "stepping")
    assert mine.dn == meant.dn
    refused = root.call("admin.add", dn=meant.dn)["error"]
    assert refused["data"]["code"] == "conflict" and meant.hex in refused["message"]
    assert roles_of(office, mine) == ["anonymous"]


def test_with_the_serial_the_new_one_is_taken(office, root):
    old = certified(office, root, "new-key", "new-key-old", "admin")
    root.result("certificate.revoke", serial=old.hex, reason="superseded")
    new = certified(office, root, "new-key", "new-key-new", "admin")
    root.result("admin.add", dn=new.dn, serial=new.hex)
    assert roles_of(office, new) == ["admin"]


# ----- reported keys

@pytest.mark.parametrize("profile", ["admin", "ra"])
def test_B4_no_other_certificate_of_a_reported_key_gives_a_role(office, root, profile):
    cn = f"reported-{profile}"
    holder = certified(office, root, cn, cn, profile)
    if profile == "admin":
        root.result("admin.add", dn=holder.dn)
    renewed = root.result("certificate.renew", serial=holder.hex)
    other = Holder(office.holders, cn + "-renewed", renewed["certificate"], holder.key)
    assert roles_of(office, other) != ["anonymous"]
    root.result("certificate.revoke", serial=holder.hex, reason="keyCompromise")
    assert roles_of(office, other) == "auth_failed"


# ----- holds

@pytest.mark.parametrize("profile", ["admin", "ra"])
def test_an_ra_lifts_no_hold_from_who_has_a_role(office, root, ra, profile):
    holder = certified(office, root, f"held-{profile}", f"held-{profile}", profile)
    root.result("certificate.revoke", serial=holder.hex, reason="certificateHold")
    assert code(ra, "certificate.unrevoke", serial=holder.hex) == "denied"
    assert code(root, "certificate.unrevoke", serial=holder.hex) == "ok"


def test_nor_from_a_listed_name_of_any_profile(office, root, ra):
    holder = certified(office, root, "held-user", "held-user")
    root.result("admin.add", dn=holder.dn)
    root.result("certificate.revoke", serial=holder.hex, reason="certificateHold")
    assert code(ra, "certificate.unrevoke", serial=holder.hex) == "denied"


def test_an_ra_lifts_holds_of_the_others(office, root, ra):
    holder = certified(office, ra, "held-plain", "held-plain")
    ra.result("certificate.revoke", serial=holder.hex, reason="certificateHold")
    assert code(ra, "certificate.unrevoke", serial=holder.hex) == "ok"


def test_what_is_on_hold_ends_with_its_node(office, root):
    holder = fresh_ra(office, "held-and-deleted")
    root.result("certificate.revoke", serial=holder.hex, reason="certificateHold")
    root.result("node.delete", cn="held-and-deleted")
    assert root.result("certificate.get", serial=holder.hex)["state"] == "revoked"
    assert code(root, "certificate.unrevoke", serial=holder.hex) == "conflict"


# ----- renewals

def test_an_ra_whose_name_was_taken_does_not_renew_itself_into_one(office, root, ra):
    gone = fresh_ra(office, "dethroned.example.com")
    root.result("certificate.generate", cn="dethroned.example.com", profile="server", key="ec:P-256")
    with acting_for(office, gone) as talk:
        assert code(talk, "own.certificate.renew") == "denied"
    assert code(ra, "certificate.renew", serial=gone.hex) == "denied"
    assert roles_of(office, gone) == ["anonymous"]
    assert code(root, "certificate.renew", serial=gone.hex) == "ok"


def test_who_had_the_name_before_does_not_dethrone_the_ra(office, root):
    before = issue(office, office.holders, "before.example.com", "before.example.com", "user")
    now = fresh_ra(office, "before.example.com")
    with acting_for(office, before) as talk:
        assert code(talk, "own.certificate.renew") == "denied"
    assert roles_of(office, now) == ["ra-operator"]


def renew_until(office, holder, ends, serials, started):
    """An RA that renews itself over and over, each time the newest."""
    with acting_for(office, holder) as talk:
        serial = holder.hex
        while not ends.is_set():
            reply = talk.call("certificate.renew", serial=serial)
            if "result" not in reply:
                return
            serials.append(serial := reply["result"]["serial"])
            started.set()


@pytest.mark.parametrize("attempt", range(5))
def test_a_deleted_ra_that_renews_itself_is_gone(office, root, attempt):
    cn = f"renewing-{attempt}"
    holder, ends, started, serials = fresh_ra(office, cn), threading.Event(), threading.Event(), []
    thread = threading.Thread(target=renew_until, args=(office, holder, ends, serials, started))
    thread.start()
    try:
        assert started.wait(60)
        root.result("node.delete", cn=cn)
    finally:
        ends.set()
        thread.join(60)
    states = {one["serial"]: one["state"] for one in root.result("certificate.search", subject=cn, limit=1000)["certificates"]}
    assert {holder.hex, *serials} <= states.keys() and set(states.values()) == {"revoked"}
    assert code(root, "node.get", cn=cn) == "not_found"
    assert roles_of(office, holder) == "auth_failed"


# ----- announcements

@pytest.mark.parametrize("profile", ["ra", "admin", "ca"])
def test_an_ra_announces_nobody_with_a_role(office, root, ra, profile):
    assert code(ra, "node.announce", dn=f"/CN=announced-{profile}", profile=profile) == "denied"
    assert code(root, "node.announce", dn=f"/CN=announced-{profile}", profile=profile) == "ok"


def test_an_ra_announces_the_others(ra):
    assert code(ra, "node.announce", dn="/CN=announced-server.example.com", profile="server") == "ok"
