"""A language in which responses are searched stands in few places: a newcomer who adds one finds them all."""

import ast
import re
from pathlib import Path

import vezaflow
from vezaflow.keys import EXTRACT
from vezaflow.plan.sources import SOURCES
from vezaflow.syntax import QUERIES

PACKAGE = Path(vezaflow.__file__).parent
SHARED = {"diagnostics/codes.py", "plan/sources.py", "syntax/queries.py"}
OWN = {"syntax/selectors.py", "plan/suggestions_markup.py"}  # what reads it, and what is near to it


def _words(path: Path) -> set[str]:
    """The names and the texts of a file's code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word) | ast.FunctionDef(name=word):
                found.add(word)
            case ast.Constant(value=str(word)):
                found.add(word)
    return found


def test_a_language_is_named_in_three_files_and_its_own() -> None:
    named = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(re.search("(?<![a-z])xpath", word.lower()) for word in _words(path))
    }
    assert named == SHARED | OWN


def test_every_key_of_extract_has_a_source() -> None:
    assert [field.key for field in EXTRACT.one_of] == [*SOURCES]


def test_every_language_is_a_source_and_reads_the_body() -> None:
    assert set(QUERIES) <= set(SOURCES)
    assert all(SOURCES[name].wants("") for name in QUERIES)
