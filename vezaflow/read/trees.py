"""Values of any shape, and mappings of free names to values: `vars`, `set`, `query`, `headers`, `json`."""

import re

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import GIVEN, RESERVED, Field
from vezaflow.model import Pairs, Tree
from vezaflow.read import scalars
from vezaflow.read.mappings import Row, items, pairs
from vezaflow.syntax import Expression, Literal, Mapping, Node, Scalar, parse_template, parse_value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def tree(node: Node, diagnostics: Diagnostics, *, as_text: bool = False) -> Tree:
    """Any value, with an Expression at each leaf. `as_text` keeps numbers as they were written."""
    if isinstance(node, Mapping):
        return {
            unescaped(e.key.text): tree(e.value, diagnostics, as_text=as_text)
            for e in node.entries
            if check_key(e.key, diagnostics)
        }
    if not isinstance(node, Scalar):
        return tuple(tree(item, diagnostics, as_text=as_text) for item in node.items)
    if as_text and not (node.plain and node.typed() is None):
        return parse_template(node, diagnostics)
    return parse_value(node, diagnostics)


def check_key(key: Scalar, diagnostics: Diagnostics) -> bool:
    """Whether a key of free values can be sent as it stands; an expression in it was reported."""
    at = key.text.replace("$${", "   ").find("${")
    if at < 0:
        return True
    diagnostics.error(
        "VF152",
        key.piece(at, at + 2),
        "keys are not evaluated",
        help="write a constant key; for a literal `${` write `$${`",
    )
    return False


def unescaped(key: str) -> str:
    """A key as it is sent."""
    return key.replace("$${", "${")


def texts(row: Row, key: str) -> Pairs:
    """A mapping of names to texts that may hold `${…}`."""
    field = row.field(key)
    entries = pairs(row.node(key), f"'{key}'", field.wanted, row.diagnostics)
    return tuple(
        (unescaped(e.key.text), text_or_null(e.value, e.key.text, row.diagnostics))
        for e in entries
        if check_key(e.key, row.diagnostics)
    )


def scalar_text(node: Node, key: str, diagnostics: Diagnostics) -> Expression:
    """One text that may hold `${…}`; anything that is not a scalar is reported."""
    if isinstance(node, Scalar):
        return parse_template(node, diagnostics)
    scalars.report_shape(node, f"'{key}'", "a text", diagnostics)
    return scalars.nothing(node.span)


def text_or_null(node: Node, key: str, diagnostics: Diagnostics) -> Expression:
    """The same, or null, which leaves its name out."""
    if isinstance(node, Scalar) and node.plain and node.typed() is None:
        return Literal(None, node.span)
    return scalar_text(node, key, diagnostics)


def parameters(row: Row, key: str) -> tuple[tuple[str, Tree], ...]:
    """The names of a query or a form with their values: a list repeats its name, null leaves it out."""
    found = []
    for entry in pairs(row.node(key), f"'{key}'", row.field(key).wanted, row.diagnostics):
        items = () if isinstance(entry.value, Scalar) else getattr(entry.value, "items", ())
        nested = next((item for item in items if not isinstance(item, Scalar)), None)
        if isinstance(entry.value, Mapping) or nested is not None:
            wrong = entry.value if nested is None else nested
            scalars.report_shape(wrong, f"'{entry.key.text}'", "a text or a list of texts", row.diagnostics)
        elif check_key(entry.key, row.diagnostics):
            found.append((unescaped(entry.key.text), tree(entry.value, row.diagnostics, as_text=True)))
    return tuple(found)


def constants(row: Row, key: str) -> tuple[tuple[str, str], ...]:
    """A mapping of names to constant texts."""
    field = row.field(key)
    found = []
    for entry in pairs(row.node(key), f"'{key}'", field.wanted, row.diagnostics):
        one = Field(entry.key.text, field.kind, field.doc)
        found.append((entry.key.text, scalars.text(entry.value, one, row.diagnostics)))
    return tuple(found)


def words(row: Row, key: str) -> tuple[Scalar, ...]:
    """A list of constant texts; one text alone is a list of it."""
    node = row.node(key)
    field = row.field(key)
    if isinstance(node, Scalar) and node.typed() is not None:
        nodes: tuple[Node, ...] = (node,)
    elif node is not None and not isinstance(node, Mapping | Scalar) and not node.items:
        nodes = ()  # `secrets: []` says that there are none
    else:
        nodes = items(node, f"'{key}'", field.wanted, row.diagnostics)
    checked = [(item, scalars.text(item, field, row.diagnostics)) for item in nodes]
    return tuple(item for item, text in checked if isinstance(item, Scalar) and text)


def check_name(key: Scalar, diagnostics: Diagnostics) -> bool:
    """Whether a key can name a value in expressions; what is wrong with it was reported."""
    if key.text in GIVEN:
        diagnostics.error("VF307", key.span, f"'{key.text}' is built in and can't be set", help="choose another name")
    elif key.text in RESERVED or not _NAME.fullmatch(key.text):
        plain = re.sub(r"\W+", "_", key.text).strip("_")
        better = plain if plain != key.text and _NAME.fullmatch(plain) and plain not in RESERVED else ""
        diagnostics.error(
            "VF133",
            key.span,
            f"'{key.text}' is not a valid name",
            label="reserved word" if key.text in RESERVED else "",
            help=f"expressions can't use this name; write '{better}'" if better else "use letters, digits and _",
        )
    else:
        return True
    return False
