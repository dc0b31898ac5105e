"""The house rules: which room may include which (server/ROOMS), which file is the door to which library."""

import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^#include ["<]([^">]+)[">]', re.M)
DOORS = {
    "nlohmann/": {"server/wire/json.cc"},
    "sqlite3.h": {"server/store/sqlite_driver.cc"},
    "pugixml": {"server/config/source.cc"},
    "yaml-cpp/": {"server/config/source.cc"},
    "re2/": {"server/base/anchored_regex.cc"},
    "spdlog/": {"server/base/log.cc"},
    "CLI/": {"clients/cli/line.h", "clients/cli/usage.h", "clients/http/chancery-http.cc",
             "clients/validate/chancery-validate.cc"},  # the three programs that read options with it
    "p11-kit/": {"server/signer/pkcs11_module.cc"},
    "idn2.h": {"server/x509/a_label.cc"},
    "ldap.h": {"clients/notify/directory.cc", "server/worker/ldap_calls.h"},
    "curl/": {"clients/acme/fetch.cc", "clients/lib/curl_handles.h", "clients/notify/transfer.cc", "server/worker/curl_calls.h"},
    "zmq.hpp": {"clients/acme/panel.cc", "clients/ra/ca_host.cc", "clients/zmq/broker.h", "clients/zmq/probe.cc"},
}


def rooms():
    table = {}
    for line in (TOP / "server" / "ROOMS").read_text().splitlines():
        if line and not line.startswith("#"):
            room, _, allowed = line.partition(":")
            table[room] = allowed.split()
    return table


def sources(room):
    return [path for path in (TOP / room).glob("*") if path.suffix in (".cc", ".h") and not path.name.endswith("_test.cc")]


@pytest.mark.parametrize("room", sorted(rooms()))
def test_a_room_includes_only_what_its_line_allows(room):
    allowed = rooms()[room] + [room]
    wrong = []
    for path in sources(room):
        for include in INCLUDE.findall(path.read_text()):
            if include.startswith(("server/", "clients/")) and not any(include == one or include.startswith(one + "/") for one in allowed):
                wrong.append(f"{path.relative_to(TOP)}: {include}")
    assert not wrong


def test_what_acme_has_changes_by_its_tables_alone():
    """RFC 8555 7.1.6: what follows what stands in server/realm/acme_states.cc, and nobody writes a state's word by himself."""
    words = set(re.findall(r'AcmeMove<\w+>\{"([a-z]+)", \w+::\w+, "[a-z]+"\}', (TOP / "server/realm/acme_states.cc").read_text()))
    assert {"pending", "processing", "blocked"} <= words
    writes = re.compile(r'status(?: =|",) [^;]*?"(?:%s|invalid|deactivated|revoked|expired)"' % "|".join(sorted(words)))
    shows = "acme_documents.cc"  # and writes none
    files = [path for path in sources("server/worker") if path.name.startswith("acme_") and path.name != shows]
    assert len(files) > 20
    assert [f"{path.name}: {found}" for path in files for found in writes.findall(re.sub(r'[!=]= "', "", path.read_text()))] == []


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_has_one_door(library):
    found = set()
    for path in [*(TOP / "server").rglob("*"), *(TOP / "clients").rglob("*")]:
        if path.suffix in (".cc", ".h") and any(one.startswith(library) for one in INCLUDE.findall(path.read_text())):
            found.add(str(path.relative_to(TOP)))
    assert found <= DOORS[library]


@pytest.mark.parametrize("room", sorted(rooms()))
def test_files_are_about_one_concept(room):
    tables = {"command_lists.h", "bad_config_cases.inc"}
    long = [f"{path.relative_to(TOP)}: {len(path.read_text().splitlines())} lines" for path in sources(room)
            if path.name not in tables and len(path.read_text().splitlines()) > 500]
    assert not long


def test_every_promise_has_a_test_or_a_reason():
    assert subprocess.run([TOP / "t" / "make-promises", "--owed"], check=True, capture_output=True, text=True).stdout == "\n"


def test_the_list_of_promises_is_current():
    made = subprocess.run([TOP / "t" / "make-promises"], check=True, capture_output=True, text=True).stdout
    assert (TOP / "doc" / "promises.md").read_text() == made, "make docs writes it anew"
