"""`chanceryd --check`: profiles of which a realm's CA can issue no certificate, and what else only the whole shows."""

import re

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


def new_key(path):
    return write(path, openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))


def with_a_mistake_in_the_settings(place):
    """Found by another program than the mistakes in the CA's files."""
    place.write_config()
    settings = place.realm("one") / "ca.config.yml"
    settings.write_text(settings.read_text() + "compny: x\n")


CA_FILES = [
    ("no key", lambda files: (files / "ca.key").unlink(), ["ca.key: No such file"]),
    ("no certificate", lambda files: (files / "ca.crt").unlink(), ["ca.crt: No such file"]),
    ("neither", lambda files: [(files / name).unlink() for name in ("ca.key", "ca.crt")], ["ca.key: No such file", "ca.crt: No such file"]),
    ("a key that is no PEM", lambda files: write(files / "ca.key", "sesame"), ["ca.key: "]),
    ("a certificate that is no PEM", lambda files: write(files / "ca.crt", "sesame", 0o644), ["ca.crt: "]),
    ("both", lambda files: [write(files / name, "sesame") for name in ("ca.key", "ca.crt")], ["ca.key: ", "ca.crt: "]),
    ("another key", lambda files: new_key(files / "ca.key"), ["ca.crt: the CA certificate is for another key than ca.key"]),
]


@pytest.mark.parametrize("settings_hold", [True, False], ids=["settings that hold", "settings that do not"])
@pytest.mark.parametrize("spoil, found", [one[1:] for one in CA_FILES], ids=[one[0] for one in CA_FILES])
def test_F12_mistakes_in_a_cas_files_are_said_in_the_same_run(place, spoil, found, settings_hold):
    make_ca(place)
    spoil(place.realm("one"))
    place.write_config()
    if not settings_hold:
        with_a_mistake_in_the_settings(place)
    status, said = place.check()
    assert status == 78 and all(one in said for one in found), said
    lines = [line for line in said.splitlines() if "the journal belongs to another CA key" not in line]  # which follows from another key
    assert ('unknown name "compny"' in said) != settings_hold and len(lines) == len(found) + (not settings_hold), said


def test_F12_a_wrong_passphrase_is_said_where_it_is_named(place, tmp_path):
    secret = write(tmp_path / "secret", "correct horse\n")
    place.create("one", "--passphrase-file", secret)
    place.write_config()
    assert place.check()[0] == 0
    settings = place.realm("one") / "ca.config.yml"
    lines = settings.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith("passphrase_file:"))
    secret.write_text("wrong horse\n")
    (place.realm("one") / "ca.crt").unlink()
    status, said = place.check()
    assert status == 78 and f"{settings}:{line}:" in said and "passphrase_file: " in said and "ca.crt: No such file" in said, said


def test_one_realms_mistake_hides_none_of_another(place):
    make_ca(place)
    (place.realm("one") / "ca.key").unlink()
    place.create("two", "--unencrypted", "--key", "ec:P-256")
    settings = place.realm("two") / "ca.config.yml"
    settings.write_text(settings.read_text() + "compny: x\n")
    place.write_config()
    status, said = place.check()
    assert status == 78 and "ca.key: No such file" in said and 'unknown name "compny"' in said, said


def test_a_program_that_is_nowhere_is_said(place):
    make_ca(place)
    place.write_config()
    text = place.config.read_text()
    row = '<front-ends><front-end name="zmq" program="chancery-zmqq" realms="*" roles="frontend"/></front-ends>'
    assert "<front-ends></front-ends>" in text
    place.config.write_text(re.sub(r' program-directory="[^"]*"', "", text.replace("<front-ends></front-ends>", row)))
    status, said = place.check()
    assert status == 78 and "@program: found no program chancery-zmqq that can be run in " in said and 'did you mean "chancery-zmq"?' in said, said
