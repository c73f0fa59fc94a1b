"""The parser that is loaded from ready tables reads what the grammar says."""

import pytest
from lark import Lark, UnexpectedInput

from vezaflow.syntax import FUNCTIONS
from vezaflow.syntax.grammar import computed, grammar

TEXTS = [
    *(("expression", function.example) for function in FUNCTIONS.values()),
    ("expression", 'a.b[0] | trim if not x in [1, "2"] else -1 ?? 5m..10 MiB'),
    ("condition", "p(95) < 500 ms"),
    ("pipeline", 'split(",") | first'),
    ("limit", "1 KiB..2 MiB"),
    ("expression", "a +"),
    ("condition", "p(95) <"),
    ("limit", "500 ms"),
    ("pipeline", "trim |"),
    ("expression", "a ? b"),
]


@pytest.fixture(scope="module")
def built() -> Lark:
    return computed()


def test_the_tables_are_of_this_grammar_and_this_lark() -> None:
    assert grammar().source_path == "<deserialized>"


@pytest.mark.parametrize(("start", "text"), TEXTS)
def test_ready_tables_read_as_new_ones(built: Lark, start: str, text: str) -> None:
    assert _outcome(grammar(), start, text) == _outcome(built, start, text)


def _outcome(parser: Lark, start: str, text: str) -> object:
    """The tree, or where reading stopped and what would have fitted there."""
    try:
        return parser.parse(text, start=start)
    except UnexpectedInput as unexpected:
        fitting = getattr(unexpected, "accepts", None) or getattr(unexpected, "allowed", None)
        return type(unexpected), unexpected.pos_in_stream, fitting
