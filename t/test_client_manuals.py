"""What the client libraries say about themselves: the Perl modules' manuals, the comments in the C++ headers."""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import BUILD

TOP = pathlib.Path(__file__).resolve().parent.parent
PERL = ["perl", f"-I{BUILD}/clients/perl/lib", f"-I{TOP}/clients/perl/lib"]
CLIENT, ERROR, REQUEST = (TOP / f"clients/perl/lib/Chancery/{name}.pm" for name in ("Client", "Error", "Request"))
COMMANDS = BUILD / "clients/perl/lib/Chancery/Commands.pm"
HEADERS = [TOP / f"clients/lib/{name}.h" for name in ("client", "request", "rows", "repeat")] + [BUILD / "clients/lib/calls.h"]


# ----- Perl

@pytest.mark.parametrize("module", [CLIENT, ERROR, REQUEST, COMMANDS], ids=lambda path: path.stem)
def test_a_manual_is_well_formed(module):
    done = subprocess.run(["podchecker", "-warnings", "-warnings", module], capture_output=True, text=True)
    # A parameter's name stands below every method that takes it.
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line and "multiple occurrences" not in line]
    assert (done.returncode, warnings) == (0, []), done.stderr


@pytest.mark.parametrize("module", [CLIENT, ERROR, REQUEST, COMMANDS], ids=lambda path: path.stem)
def test_a_manual_has_every_method(module):
    text = module.read_text()
    code = "\n" + text
    code = code[code.rindex("\npackage "):]
    documented = set(re.findall(r"^=head2 (\w+)", text, re.M))
    assert set(re.findall(r"^sub ([a-z]\w*)", code, re.M)) == documented


def test_the_manual_has_every_option_error_and_variable():
    text = CLIENT.read_text()
    items = set(re.findall(r"^=item (\w+)", text, re.M))
    options, = re.findall(r"^my %IS_OPTION .* qw\(([\w ]+)\);", text, re.M)
    variables = re.findall(r"\$ENV\{(\w+)\}", text)
    assert items == {*options.split(), *variables}
    codes = re.findall(r'^ERROR_CODE\(\w+, *"(\w+)"', (TOP / "server/base/error_codes.def").read_text(), re.M)
    assert codes and re.findall(r"^=item C<(\w+)>$", COMMANDS.read_text(), re.M) == codes
    raised = set(re.findall(r"\bcode => '(\w+)', message", text))
    errors = text[text.index("=head1 ERRORS"):text.index("=head1 ENVIRONMENT")]
    raised -= {"internal"}  # what an error is that says nothing else
    assert raised and not {code for code in raised if f"C<{code}>" not in errors}


def test_the_synopsis_runs(system, tmp_path):
    text = CLIENT.read_text()
    synopsis = text[text.index("=head1 SYNOPSIS"):text.index("=head1 DESCRIPTION")].removeprefix("=head1 SYNOPSIS")
    (tmp_path / "synopsis.pl").write_text("use strict;\nuse warnings;\n" + synopsis)
    environment = {**os.environ, "CHANCERY_SOCKET": str(system.socket)}
    done = subprocess.run([*PERL, "synopsis.pl"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    for piece in ("I am ", "BEGIN CERTIFICATE", "PRIVATE KEY", "host.example.com", "none: "):
        assert piece in done.stdout


# ----- C++

def undocumented(header):
    """Public declarations that have no /// in the line above or behind them. The standard library's own names need none."""
    found, scopes, documented, fresh = [], [], False, True
    for line in header.splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            documented = False
        elif text.startswith("//"):
            documented = documented or text.startswith("///")
        elif text in ("public:", "private:"):
            scopes[-1] = text.rstrip(":")
        else:
            declares = fresh and not text.startswith(("}", "namespace ", "friend "))
            if declares and not scopes_hide(scopes) and not documented and "///<" not in text and not NEEDS_NONE.match(text):
                found.append(text)
            text = text.split(" //")[0].rstrip()
            opened = text.count("{") - text.count("}")
            kind = "namespace" if text.startswith("namespace ") else "private" if text.startswith("class ") else \
                "public" if text.startswith(("struct ", "enum ")) else "body"
            scopes = scopes + [kind] * opened if opened >= 0 else scopes[:opened]
            fresh = text.endswith((";", "{", "}")) or text.endswith(",") and text.count("(") == text.count(")")
            documented = documented and not fresh
    assert not scopes
    return found


NEEDS_NONE = re.compile(r"using (iterator_category|value_type|difference_type|pointer|reference) =")


def scopes_hide(scopes):
    return "private" in scopes or "body" in scopes


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_every_public_declaration_has_a_comment(header):
    assert undocumented(header.read_text()) == []


def test_a_missing_comment_is_found():
    header = """/// Room.
namespace a {
/// One.
struct One {
  int x = 0;  ///< said
  int y = 0;
};
class Two {
 public:
  /// Said.
  Two();
  void run(int a,
           int b) { return; }
 private:
  int z_;
};
int f();
}
"""
    assert undocumented(header) == ["int y = 0;", "class Two {", "void run(int a,", "int f();"]
