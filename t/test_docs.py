"""The manual pages are well-formed and agree with the programs, generated documents are current."""

import json
import pathlib
import re
import subprocess

import pytest

from conftest import BUILD

TOP = pathlib.Path(__file__).resolve().parent.parent
PAGES = sorted(path.name.removesuffix(".in") for path in (TOP / "doc" / "man").glob("*.in"))


# ----- generated documents

def test_generated_documents_are_current(tmp_path):
    """api.md, errors.md, lints.md, upki.md and the manual pages; documents_test has settings.md and the samples, test_house the promises."""
    (tmp_path / "man").mkdir()
    for source in (TOP / "doc" / "man").glob("*.in"):
        (tmp_path / "man" / source.name).write_text(source.read_text())
    (tmp_path / "upki.md.in").write_text((TOP / "doc" / "upki.md.in").read_text())
    tables = subprocess.run([BUILD / "doc-tables"], check=True, capture_output=True).stdout
    subprocess.run([TOP / "doc" / "make-pages", tmp_path], input=tables, check=True)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".in"]
    assert len(made) == 4 + len(PAGES)
    stale = [str(path) for path in made if (TOP / "doc" / path).read_text() != (tmp_path / path).read_text()]
    assert not stale, "make docs writes them anew"


def test_commands_are_current():
    made = subprocess.run([BUILD / "generate-stubs", "--doc"], check=True, capture_output=True, text=True).stdout
    assert (TOP / "doc" / "commands.md").read_text() == made, "make docs writes it anew"


def test_every_error_says_what_to_do():
    rows = json.loads(subprocess.run([BUILD / "doc-tables"], check=True, capture_output=True).stdout)["errors"]
    assert len(rows) > 20
    assert not [row["code"] for row in rows if len(row["advice"]) < 20 or not row["advice"].endswith(".")]


# ----- manual pages

@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_well_formed(page):
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", TOP / "doc" / "man" / page], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    text = (TOP / "doc" / "man" / page).read_text()
    assert not [line for line in text.splitlines() if line.startswith("@")], "a table of an unknown name"
    for section in ("NAME", "DESCRIPTION", "SEE ALSO"):
        assert f"\n.SH {section}\n" in text
    name = page.rsplit(".", 1)[0]
    assert re.search(rf"\n\.SH NAME\n{re.escape(name)} ".replace(r"\-", r"\\?-"), text)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_refers_to_pages_that_are_there(page):
    own = [name for name in PAGES]
    for name, section in re.findall(r"^\.BR ([\w.\\-]+) \((\d)\)", (TOP / "doc" / "man" / page).read_text(), re.M):
        plain = name.replace("\\-", "-")
        assert f"{plain}.{section}" in own or (plain, section) in (("sd_notify", "3"), ("nc", "1"), ("bash", "1")), plain


def said(*words):
    """What a program prints about itself."""
    done = subprocess.run([str(one) for one in words], capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout + done.stderr


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text))


def shown(page):
    return (TOP / "doc" / "man" / page).read_text().replace("\\-", "-").replace("\\&", "")


@pytest.mark.parametrize("program", ["chanceryd", "chancery-signer", "chancery-zmq", "chancery-http", "chancery-notify", "chancery-validate"])
def test_help_and_page_have_the_same_options(program):
    page = shown(f"{program}.8")
    options = page[page.index("\n.SH OPTIONS"):]
    options = set(re.findall(r"--[a-z][a-z0-9-]*", options[:options.index("\n.SH", 5)]))
    # chanceryd and the signer list every option of their own; --help and --version work everywhere they are listed.
    assert long_options(said(BUILD / program, "--help")) - options == set()
    assert options - long_options(said(BUILD / program, "--help")) <= {"--help", "--version"}


def section_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", re.sub(r"\\f.", "", text)))


def subsections(page):
    """Title and text of each .SS and .SH of a page."""
    parts = re.split(r"^\.S[SH] (.+)$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_help_and_page_of_the_command_line_agree():
    """Every subcommand has a section, and its options are those that its --help has beside the program's own."""
    sections = subsections(shown("chancery.1"))
    own = section_options(sections["OPTIONS"])
    assert long_options(said(BUILD / "chancery", "--help")) == own
    methods = [row["name"] for row in json.loads(said(BUILD / "doc-tables"))["commands"]]
    words = [name.replace(".", " ") for name in methods] + ["csr", "completion", "realm create", "zmq-key"]
    for command in words:
        found = long_options(said(BUILD / "chancery", *command.split(), "--help")) - {"--help"}
        text = sections[f"chancery {command}"]
        listed = section_options(text) - (own - found)  # a section may speak of the program's own options
        assert listed - {"--no-" + one[2:] for one in listed} - found == set(), command
        assert found - listed == set(), command
