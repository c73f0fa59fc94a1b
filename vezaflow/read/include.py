"""What goes into a fragment and what comes out: inputs as declared, and what an include gives and takes."""

from typing import Any

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.keys import INPUT, Kind
from vezaflow.model import Fragment, Include, Input, InputType, Tree, fit
from vezaflow.read import scalars
from vezaflow.read.mappings import Row, open_mapping, pairs
from vezaflow.read.trees import check_name, tree
from vezaflow.syntax import Entry, Literal, Scalar, Template
from vezaflow.units import EXAMPLES, Dimension, Quantity, parse_as

_QUANTITIES = {InputType.DURATION: Dimension.TIME, InputType.SIZE: Dimension.SIZE}
_TEXTUAL = tuple(each for each in InputType if each not in (InputType.LIST, InputType.MAPPING))
InputValue = tuple[str, Tree, Span]


def read_include(row: Row) -> Include:
    """An include as written; which fragment it means is found later."""
    written = pairs(row.node("with"), "'with'", Kind.VARIABLES.value, row.diagnostics)
    given = [(entry.key.text, tree(entry.value, row.diagnostics), entry.key.span) for entry in written]
    into = []
    for entry in pairs(row.node("into"), "'into'", Kind.RENAMES.value, row.diagnostics):
        if not isinstance(entry.value, Scalar):
            scalars.report_shape(entry.value, f"'{entry.key.text}'", "a name", row.diagnostics)
        elif check_name(entry.value, row.diagnostics):
            into.append((entry.key.text, entry.value.text, entry.value.span))
    path = row.entries["include"].value
    text = row.text("include")
    if isinstance(path, Scalar) and not path.plain and not text:
        scalars.report_shape(path, "'include'", Kind.FRAGMENT.value, row.diagnostics)
    return Include("" if "${" in text else text, path.span, tuple(given), tuple(into), None, row.key_span("include"))


def read_inputs(row: Row) -> tuple[Input, ...]:
    """The `inputs` of a fragment."""
    entries = pairs(row.node("inputs"), "'inputs'", Kind.INPUTS.value, row.diagnostics)
    return tuple(_input(entry, row.diagnostics) for entry in entries)


def given_values(include: Include, fragment: Fragment, diagnostics: Diagnostics) -> tuple[InputValue, ...]:
    """What `with` gives, each value as its input's type has it; what is missing or unknown is reported."""
    inputs = {one.name: one for one in fragment.inputs}
    found = []
    for name, value, span in include.values:
        if name in inputs:
            found.append((name, _fitted(value, inputs[name].type, span, diagnostics), span))
        else:
            _unknown("input", name, span, fragment, list(inputs), diagnostics)
    given = {name for name, _, _ in include.values}
    meant = {suggest(name, inputs) for name in given - set(inputs)}
    for one in fragment.inputs:
        if one.default is None and one.name not in given | meant:
            diagnostics.error(
                "VF139",
                include.span,
                f"'{fragment.path}' needs the input '{one.name}'",
                help=f"pass it: `with: {{{one.name}: …}}`",
                related=((one.span, "declared here"),),
            )
    return tuple(found)


def check_outputs(include: Include, fragment: Fragment, diagnostics: Diagnostics) -> None:
    """Report what `into` names and the fragment does not have."""
    outputs = [name for name, _ in fragment.outputs]
    for name, _, span in include.into:
        if name not in outputs:
            _unknown("output", name, span, fragment, outputs, diagnostics)


def _unknown(what: str, name: str, span: Span, fragment: Fragment, known: list[str], diagnostics: Diagnostics) -> None:
    near = suggest(name, known)
    diagnostics.error(
        "VF140",
        span,
        f"'{fragment.path}' has no {what} '{name}'",
        label=did_you_mean(near),
        help="" if near else f"it has {', '.join(known)}" if known else f"it has no {what}s",
    )


def _input(entry: Entry, diagnostics: Diagnostics) -> Input:
    name, node = entry.key, entry.value
    check_name(name, diagnostics)
    if isinstance(node, Scalar):
        kind = scalars.expression(node, INPUT.fields[0], diagnostics)
        return Input(name.text, _type(kind), None, name.span)
    row = open_mapping(node, INPUT, diagnostics, what=f"'{name.text}'")
    if row is None:
        return Input(name.text, InputType.ANY, None, name.span)
    type_ = _type(row.expression("type"))
    written = row.node("default")
    default = None if written is None else tree(written, diagnostics)
    if default is not None and not (isinstance(default, Literal) and default.value is None):
        default = _fitted(default, type_, written.span if written else name.span, diagnostics)
    return Input(name.text, type_, default, name.span)


def _type(found: object) -> InputType:
    word = found.value if isinstance(found, Literal) else None
    return InputType(word) if isinstance(word, str) else InputType.ANY


def _fitted(value: Tree, wanted: InputType, span: Span, diagnostics: Diagnostics) -> Tree:
    """A value that is known when the files are read, as the type has it; any other as it is."""
    if isinstance(value, Literal):
        return _literal(value, wanted, diagnostics)
    whole = isinstance(value, dict | tuple)
    if whole or isinstance(value, Template):  # a template is a text, and a text may read as what is wanted
        fits = (InputType.MAPPING,) if isinstance(value, dict) else (InputType.LIST,) if whole else _TEXTUAL
        if wanted not in (InputType.ANY, *fits):
            kind = "a mapping" if isinstance(value, dict) else "a list" if whole else "a text"
            _wrong(f"expected a {wanted.value}", kind, span, diagnostics)
    return value


def _literal(value: Literal, wanted: InputType, diagnostics: Diagnostics) -> Literal:
    found: Any = value.value
    if wanted is InputType.TEXT and not isinstance(found, str | None):
        return Literal(value.span.text, value.span)  # as it was written
    dimension = _QUANTITIES.get(wanted)
    if dimension is not None and isinstance(found, int | float):
        diagnostics.error(
            "VF220",
            value.span,
            f"a {wanted.value} needs a unit",
            label="no unit",
            help=f"as in `{EXAMPLES[dimension]}`",
        )
        return value
    try:
        fit(wanted, found)
    except ValueError as error:
        _wrong(str(error), scalars.called(found), value.span, diagnostics)
        return value
    if dimension is not None and not isinstance(found, Quantity):
        return Literal(parse_as(str(found), dimension), value.span)
    return Literal(fit(wanted, found), value.span)


def _wrong(message: str, kind: str, span: Span, diagnostics: Diagnostics) -> None:
    diagnostics.error("VF142", span, message, label=f"this is {kind}")
