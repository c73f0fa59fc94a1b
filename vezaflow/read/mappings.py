"""A mapping read by its table: which keys it has, which it lacks, and the value of each by its kind.

Everything about keys that can be wrong is said when the mapping is opened; readers then only ask for values.
"""

from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass

from vezaflow.diagnostics import Diagnostics, Edit, Span, did_you_mean, slip, suggest
from vezaflow.keys import ELSEWHERE, NOT_HERE, OTHERWISE, RENAMED, TABLES, VERBS, Field, Kind, Table
from vezaflow.read import scalars
from vezaflow.syntax import Entry, Expression, Literal, Mapping, Node, Scalar, Sequence

# Kinds under which a mapping stands that follows one of the field's tables.
_BELOW = (Kind.MAPPING, Kind.EXPECT, Kind.RETRY, Kind.AUTH, Kind.BODY, Kind.SOURCE, Kind.WAIT, Kind.OUTPUT)
MOST_KEYS = 200  # a mapping with more of them is no misspelt table


@dataclass(frozen=True, slots=True)
class Row:
    """One opened mapping: entries whose keys the table knows, by key."""

    table: Table
    mapping: Mapping
    entries: dict[str, Entry]
    diagnostics: Diagnostics

    @property
    def span(self) -> Span:
        return self.mapping.span

    def node(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return entry.value if entry else None

    def key_span(self, key: str) -> Span:
        return self.entries[key].key.span

    def field(self, key: str) -> Field:
        found = self.table.field(key)
        assert found is not None, key
        return found

    def expression(self, key: str) -> Expression | None:
        """The value of a scalar kind; None if the key is not there."""
        node = self.node(key)
        return None if node is None else scalars.expression(node, self.field(key), self.diagnostics)

    def required(self, key: str) -> Expression:
        """The same of a key that must be there; a Literal of None if it is not (which was reported)."""
        return self.expression(key) or scalars.nothing(self.span)

    def constant(self, key: str) -> scalars.Constant:
        """The value of a kind that must be known when the file is read: a switch, a number, a word."""
        found = self.expression(key)
        if found is None:
            return None
        if isinstance(found, Literal):
            return found.value
        self.diagnostics.error("VF125", found.span, f"'{key}' must be a constant", label="`${…}` is not allowed here")
        return None

    def text(self, key: str, default: str = "") -> str:
        node = self.node(key)
        return default if node is None else scalars.text(node, self.field(key), self.diagnostics)

    def verb(self) -> str | None:
        """The one key of `one_of` that is there; None if that was wrong."""
        return next((f.key for f in self.table.one_of if f.key in self.entries), None)


def open_mapping(node: Node, table: Table, diagnostics: Diagnostics, *, what: str = "") -> Row | None:
    """The mapping by its table, all faults of its keys reported; None if it is no mapping."""
    if not isinstance(node, Mapping):
        steps = isinstance(node, Sequence) and table.field("steps") is not None
        help_ = "put a list of steps under `steps:`" if steps else ""
        scalars.report_shape(node, what or table.title, "a mapping", diagnostics, help=help_)
        return None
    known = dict(_known(node, table, diagnostics))
    row = Row(table, node, known, diagnostics)
    _exactly_one(row)
    _at_most_one(row)
    _required(row)
    return row


def sub_mapping(row: Row, key: str, table: Table) -> Row | None:
    """The mapping under a key, opened; None if it is not there or is none."""
    node = row.node(key)
    if node is None:
        return None
    if not isinstance(node, Mapping):
        scalars.report_shape(node, f"'{key}'", "a mapping", row.diagnostics, help=_example(row.field(key)))
        return None
    return open_mapping(node, table, row.diagnostics)


def items(node: Node | None, what: str, wanted: str, diagnostics: Diagnostics) -> tuple[Node, ...]:
    """The items of a list; none (and a diagnostic) if it is no list or an empty one."""
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        scalars.report_shape(node, what, wanted, diagnostics)
        return ()
    if not node.items:
        diagnostics.error("VF121", node.span, f"{what} must not be empty", help=f"expected {wanted}")
    return node.items


def pairs(
    node: Node | None,
    what: str,
    wanted: str,
    diagnostics: Diagnostics,
    *,
    example: str = "",
) -> tuple[Entry, ...]:
    """The entries of a mapping with free keys; none (and a diagnostic) if it is no mapping."""
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        scalars.report_shape(node, what, wanted, diagnostics, help=f"for instance `{example}`" if example else "")
        return ()
    return node.entries


def unknown_key(key: Scalar, table: Table, diagnostics: Diagnostics, *, taken: Set[str] = frozenset()) -> None:
    """The message on a key that the table does not have: where it stands instead, or the nearest one that the table
    has and that is not `taken`.
    """
    renamed = RENAMED.get((table.name, key.text))
    if renamed is not None:
        _renamed(key, renamed, diagnostics)
        return
    keys = table.keys()
    remedy = NOT_HERE.get((table.name, key.text), "")
    if not remedy and not _other_word(key.text, keys):
        remedy = _instead(key.text, table)
    near = meant(key.text, keys) if len(taken) <= MOST_KEYS and not remedy else None
    takes = ", ".join(keys) if len(keys) > 1 else "no other keys"
    diagnostics.error(
        "VF104",
        key.span,
        f"unknown key '{key.text}' in {table.title}",
        label=did_you_mean(near),
        help="" if near else remedy or f"allowed: {takes}",
        fix=respelt(key, set(keys) - taken),
    )


def _renamed(key: Scalar, name: str, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        "VF104",
        key.span,
        f"'{key.text}' is now called '{name}'",
        help=f"write `{name}`, or run `vezaflow lint --fix`",
        fix=Edit(key.span, name),
    )


def _instead(key: str, table: Table) -> str:
    """How it is said here, if a key stands somewhere else or has no counterpart."""
    if (said := OTHERWISE.get(key)) is not None:
        return said
    steps = table.field("do") or table.field("steps")
    if key in VERBS and steps is not None:
        return f"steps belong under '{steps.key}', as in `{steps.key}: {steps.example}`"
    for field in table.all_fields():
        for name in field.tables if field.kind in _BELOW else ():
            below = TABLES[name].field(key)
            if below is not None:
                example = f'"{below.example}"' if below.example.startswith("${") else below.example
                return f"it belongs under '{field.key}', as in `{field.key}: {{{key}: {example}}}`"
    return ""


def respelt(key: Scalar, candidates: Iterable[str]) -> Edit | None:
    """The edit that turns a word into the only one that it can have been meant for."""
    right, span = slip(key.text, candidates), key.piece(0, len(key.text))
    return Edit(span, right) if right is not None and span.text == key.text else None


def meant(key: str, keys: Collection[str]) -> str | None:
    """The key that was probably meant by an unknown one."""
    return _other_word(key, keys) or suggest(key, keys)


def _other_word(key: str, keys: Collection[str]) -> str | None:
    return next((word for word in ELSEWHERE.get(key, ()) if word in keys), None)


def _known(node: Mapping, table: Table, diagnostics: Diagnostics) -> Iterator[tuple[str, Entry]]:
    taken = {entry.key.text for entry in node.entries}
    for entry in node.entries:
        field = table.field(entry.key.text)
        if field is None:
            unknown_key(entry.key, table, diagnostics, taken=taken)
        else:
            yield entry.key.text, entry


def _exactly_one(row: Row) -> None:
    there = [f.key for f in row.table.one_of if f.key in row.entries]
    keys = ", ".join(f"'{f.key}'" for f in row.table.one_of)
    if len(there) > 1:
        _clash(row, there)
    elif not there and row.table.one_of and len(row.entries) == len(row.mapping.entries):
        row.diagnostics.error("VF127", row.span, f"{row.table.title} needs one of {keys}")


def _at_most_one(row: Row) -> None:
    for group in row.table.exclusive:
        there = [key for key in group if key in row.entries]
        if len(there) > 1:
            _clash(row, there)


def _clash(row: Row, there: list[str]) -> None:
    first, *others = sorted((row.key_span(key) for key in there), key=lambda span: span.start)
    row.diagnostics.error(
        "VF128",
        others[0],
        f"{row.table.title} takes only one of '{first.text}' and '{others[0].text}'",
        label="the second",
        related=((first, "the first"),),
    )


def _required(row: Row) -> None:
    written = {entry.key.text for entry in row.mapping.entries}
    unknown = {key for key in written if row.table.field(key) is None}
    written |= {meant(key, row.table.keys()) or "" for key in unknown} | ({"do"} if unknown & VERBS.keys() else set())
    for field in row.table.fields:
        if field.required and field.key not in written:
            place = first_key(row.mapping)
            row.diagnostics.error(
                "VF127",
                place,
                f"{row.table.title} needs '{field.key}'",
                help=_example(field),
            )


def first_key(mapping: Mapping) -> Span:
    """Where a message on a whole mapping points: its first key, or itself when it is empty."""
    return mapping.entries[0].key.span if mapping.entries else mapping.span


def _example(field: Field) -> str:
    if field.kind in (Kind.STEPS, Kind.STAGES, Kind.BRANCHES):
        return f"'{field.key}' is {field.wanted}"
    return f"for instance `{field.key}: {field.example}`" if field.example else ""
