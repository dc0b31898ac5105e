"""`chanceryd --check`: profiles of which a realm's CA can issue no certificate, and what else only the whole shows."""

import pytest

from test_realm_create import openssl, place, write  # noqa: F401 (place is a fixture)

DEVICE = "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\ncertType: server\n"
PERSON = "keyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth]\ncertType: user\n"
CA = "ca: true\nkeyUsage: [keyCertSign, cRLSign]\nleast_role: ca-operator\naltnames: false\nsubject: {CN: \"\"}\nduration: 365\n"
ROOT = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"


def make_ca(place, extensions=ROOT, days=3650, settings=""):
    """A realm whose CA's certificate says what a test wants, whatever `realm create` would make or take."""
    directory = place.realm("one")
    directory.mkdir(parents=True)
    write(directory / "ca.config.yml", "key_unencrypted: true\n" + settings)
    place.create("one", "--unencrypted", "--subject", "/O=x/CN=Root", "--key", "ec:P-256")
    write(directory / "extensions", extensions)
    request = write(directory / "request", openssl("req", "-new", "-key", directory / "ca.key", "-subj", "/O=x/CN=Root"))
    owner = (directory / "ca.crt").stat()
    write(directory / "ca.crt", openssl("x509", "-req", "-in", request, "-signkey", directory / "ca.key", "-days", days,
                                        "-extfile", directory / "extensions"), 0o644)
    assert (directory / "ca.crt").stat().st_uid == owner.st_uid
    return directory


def check_profile(place, text, **ca):
    directory = make_ca(place, **ca)
    (directory / "profiles").mkdir(exist_ok=True)
    write(directory / "profiles" / "extra.yml", text, 0o644)
    place.write_config()
    return place.check()


FITS = [
    ("a server's", DEVICE, ROOT),
    ("a CA's below any CA", CA, ROOT),
    ("a CA's that may make none, below one of depth 1", CA + "pathLen: 0\n", ROOT.replace("CA:TRUE", "CA:TRUE,pathlen:1")),
    ("a server's in a permitted domain", DEVICE + "domain: a.example.net\n", ROOT + "nameConstraints=critical,permitted;DNS:example.net\n"),
    ("a server's where DNS names are permitted somewhere", DEVICE, ROOT + "nameConstraints=critical,permitted;DNS:example.net\n"),
    ("a server's whose common name is its only name", DEVICE + "altnames: false\nsubject_from: profile\nsubject: {O: x, CN: \"\"}\n", ROOT),
    ("a person's where no host of its domain is permitted", PERSON + "domain: example.com\n",
     ROOT + "nameConstraints=critical,permitted;DNS:example.net\n"),
]


@pytest.mark.parametrize("profile, extensions", [one[1:] for one in FITS], ids=[one[0] for one in FITS])
def test_profiles_that_their_ca_can_issue(place, profile, extensions):
    status, said = check_profile(place, profile, extensions=extensions)
    assert status == 0 and "extra" not in said, said


REFUSED = [
    ("a CA's below a CA of depth 0", CA + "pathLen: 0\n", ROOT.replace("CA:TRUE", "CA:TRUE,pathlen:0"), "path length is 0", "pathLen"),
    ("a CA's as deep as the one above", CA + "pathLen: 1\n", ROOT.replace("CA:TRUE", "CA:TRUE,pathlen:1"), "below the CA's, 1", "pathLen"),
    ("a CA's without a depth", CA, ROOT.replace("CA:TRUE", "CA:TRUE,pathlen:1"), "below the CA's, 1", "pathLen"),
    ("a domain that is not permitted", DEVICE + "domain: example.com\n", ROOT + "nameConstraints=critical,permitted;DNS:example.net\n",
     "lies outside of what is permitted: DNS:example.net", "set a domain"),
    ("a domain that is excluded", DEVICE + "domain: a.example.net\n", ROOT + "nameConstraints=critical,excluded;DNS:example.net\n",
     "lies in DNS:example.net, which is excluded", "set a domain"),
    ("a server's that can have no host name", DEVICE + "altnames: false\nsan_types: [email]\n", ROOT, "no names of that type", "altnames"),
    ("addresses in a domain", DEVICE + "domain: example.com\nsan_types: [ip]\n", ROOT, "no names of that type", "san_types"),
    ("a purpose that the key usage has no use for", PERSON.replace("digitalSignature", "nonRepudiation"), ROOT, "clientAuth is of no use", "keyUsage"),
]


@pytest.mark.parametrize("profile, extensions, found, advice", [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_profiles_that_no_request_gets(place, profile, extensions, found, advice):
    status, said = check_profile(place, profile, extensions=extensions)
    line = next((one for one in said.splitlines() if "profiles/extra.yml: profile extra: found a profile" in one), "")
    assert status == 78 and found in line and "expected" in line and advice in line, said
    assert len(said.splitlines()) == 1, said  # built-in profiles that the realm leaves as they are say nothing


def test_a_profile_in_the_realms_own_file_is_found_there(place):
    make_ca(place, ROOT.replace("CA:TRUE", "CA:TRUE,pathlen:0"), settings="profiles:\n  ca: {duration: 365}\n")
    place.write_config()
    status, said = place.check()
    assert status == 78 and "/ca.config.yml: profile ca: found a profile" in said and "path length is 0" in said, said


SUBJECTS = [
    ("the CA's", DEVICE + "subject_from: profile\nsubject: {O: x, CN: Root}\n", "the subject is the CA's own"),
    ("no host's", DEVICE + "altnames: false\nsubject_from: profile\nsubject: {O: x, CN: Our Server}\n", "no subject alternative name"),
]


@pytest.mark.parametrize("profile, found", [one[1:] for one in SUBJECTS], ids=[one[0] for one in SUBJECTS])
def test_subjects_that_no_certificate_bears_are_warned_of(place, profile, found):
    status, said = check_profile(place, profile)
    assert status == 0 and "profiles/extra.yml: profile extra: warning: found a subject" in said and found in said and "expected" in said, said


UNFIT = [
    ("no certificate of a CA", ROOT.replace("CA:TRUE", "CA:FALSE"), 3650, "is no CA certificate", "basicConstraints"),
    ("no keyCertSign", ROOT.replace("keyCertSign,", ""), 3650, "no keyCertSign in its key usage", "make it anew"),
    ("no cRLSign", ROOT.replace(",cRLSign", ""), 3650, "no cRLSign in its key usage", "make it anew"),
    ("a certificate that ended", ROOT, -1, "the CA certificate expired", "clock"),
]


@pytest.mark.parametrize("extensions, days, found, advice", [one[1:] for one in UNFIT], ids=[one[0] for one in UNFIT])
def test_C26_cas_that_can_issue_nothing_are_said_once(place, extensions, days, found, advice):
    status, said = check_profile(place, DEVICE, extensions=extensions, days=days)
    assert status == 78 and "ca.crt" in said and found in said and advice in said and len(said.splitlines()) == 1, said


def test_a_list_of_keys_without_the_profiles_own_is_refused(place):
    status, said = check_profile(place, DEVICE + "key: ec:P-256\nallowed_keys: [ec:P-384]\n")
    assert status == 78 and "profiles/extra.yml:" in said and "found allowed_keys without ec:P-256, expected the profile's own key" in said, said
