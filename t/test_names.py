"""Names: what verifiers take for a host's name is among the alternative names and in the profile's domain. No door is another way."""

import subprocess

import pytest

from test_realm_create import place  # noqa: F401 (a fixture)

PROFILES = {
    "corp": "domain: corp.example.com\nkeyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\n",
    "bare": "domain: corp.example.com\nkeyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\naltnames: false\n",
    "open": "domain: corp.example.com\nkeyUsage: [digitalSignature]\n",
    "mail": "domain: corp.example.com\nkeyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth, emailProtection]\n",
}


def request_for(subject, sans=()):
    command = ["openssl", "req", "-new", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", subject]
    names = ["-addext", "subjectAltName=" + ",".join(sans)] if sans else []
    return subprocess.run(command + names, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def talk(place):  # noqa: F811
    place.create("one")
    (place.realm("one") / "profiles").mkdir(exist_ok=True)
    for name, text in PROFILES.items():
        (place.realm("one") / "profiles" / f"{name}.yml").write_text(text)
    place.start()
    with place.talk("one") as one:
        yield one


def refusals(talk, asked):
    """What preview says, which is what issue says."""
    shown = talk.result("certificate.preview", **asked)
    answer = talk.call("certificate.issue", **asked)
    assert shown["allowed"] == ("error" not in answer), (shown, answer)
    if shown["allowed"]:
        return []
    assert answer["error"]["data"]["code"] == "policy_refused", answer
    return [one["rule"] for one in shown["reasons"] if not one["passed"]]


OUTSIDE = [("/CN=evil.com/CN=x y", ()), ("/CN=evil.com", ()), ("/CN=intranet", ()), ("/CN=evil_1.com", ()), ("/CN=evil.com.", ()), ("/CN=*", ()),
           ("/CN=*.*.evil.com", ()), ("/CN=192.0.2.1", ()), ("/CN=evil.com/CN=a.corp.example.com", ()), ("/CN=bücher.corp.example.com", ()),
           ("/CN=John Smith", ("DNS:evil.com",)), ("/CN=John Smith", ("IP:192.0.2.1",)), ("/CN=John Smith", ("email:a@evil.com",)),
           ("/CN=John Smith", ("URI:https://evil.com/corp.example.com",)), ("/CN=a.corp.example.com/emailAddress=a@evil.com", ())]


def test_C14_nothing_lies_outside_a_profiles_domain(talk):
    for subject, sans in OUTSIDE:
        for profile in ("corp", "bare"):
            assert refusals(talk, {"csr": request_for(subject, sans), "profile": profile}) == ["names"], (subject, profile)
    for subject, sans in OUTSIDE[:2] + OUTSIDE[3:5] + OUTSIDE[6:9] + OUTSIDE[10:]:
        assert refusals(talk, {"csr": request_for(subject, sans), "profile": "open"}) == ["names"], subject
    for subject, sans in OUTSIDE[10:]:
        assert refusals(talk, {"csr": request_for(subject, sans), "profile": "mail"}) == ["names"], subject


INSIDE = [("corp", "/CN=A.Corp.Example.com", (), ["DNS:a.corp.example.com"]), ("bare", "/CN=a.corp.example.com", (), ["DNS:a.corp.example.com"]),
          ("corp", "/CN=Our Server", ("DNS:corp.example.com", "URI:https://a.corp.example.com/x"), ["DNS:corp.example.com", "URI:https://a.corp.example.com/x"]),
          ("mail", "/CN=alice", (), []), ("mail", "/CN=Alice Liddell", ("email:a@corp.example.com",), ["EMAIL:a@corp.example.com"]),
          ("server", "/CN=intranet", (), ["DNS:intranet"]), ("server", "/CN=a.localhost", ("DNS:a.localhost", "DNS:a.localhost"), ["DNS:a.localhost"])]


def test_C14_what_lies_inside_is_among_the_names(talk, tmp_path):
    for profile, subject, sans, made in INSIDE:
        asked = {"csr": request_for(subject, sans), "profile": profile}
        assert refusals(talk, asked) == [], subject
        answer = talk.result("certificate.issue", **asked)
        assert answer["sans"] == made, subject
        (tmp_path / "leaf.pem").write_text(answer["certificate"])
        checked = subprocess.run(["openssl", "x509", "-in", tmp_path / "leaf.pem", "-noout", "-checkhost", "evil.com"], capture_output=True, text=True)
        assert "does NOT match" in checked.stdout, checked


@pytest.mark.parametrize("subject", ["/CN=John Smith", "/O=Company", "/CN=bücher.example.com", "/CN=*", "/CN=a_b.example.com"])
def test_C14_no_server_without_a_name(talk, subject):
    assert refusals(talk, {"csr": request_for(subject), "profile": "server"}) == ["names"]
    assert refusals(talk, {"csr": request_for(subject), "profile": "user"}) == []


@pytest.mark.parametrize("subject", ["/CN=localhost", "/CN=LOCALHOST", "/CN=test", "/CN=host\\/localhost"])
def test_reserved_common_names(talk, subject):
    assert "reserved-names" in refusals(talk, {"csr": request_for(subject), "profile": "server"})
    assert "reserved-names" in refusals(talk, {"csr": request_for(subject, ("DNS:www.example.com",)), "profile": "webapp"})


def test_nobody_bears_the_cas_name(talk):
    own = talk.result("ca.get")["subject"]
    assert refusals(talk, {"csr": request_for(own), "profile": "user"}) == ["names"]
    assert refusals(talk, {"csr": request_for(own, ("DNS:www.example.com",)), "profile": "server"}) == ["names"]
