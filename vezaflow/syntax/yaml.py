"""Text → a tree of nodes, with a Diagnostic for everything that is wrong with it as YAML. Never an
exception.

Built on PyYAML's events, not on its constructor: positions and duplicate keys stay visible, no object is
made from a tag, nothing recurses deeper than the bound, and an alias (a few lines of which can stand for
gigabytes) is refused before it means anything. Values are typed by YAML 1.2's core schema (nodes.py), not
by PyYAML's 1.1 rules.
"""

import codecs
from collections.abc import Iterator

import yaml

from vezaflow.diagnostics import Diagnostics, Edit, Source, Span
from vezaflow.syntax.nodes import Entry, Mapping, Node, Scalar, Sequence
from vezaflow.syntax.offsets import scalar_offsets
from vezaflow.syntax.yaml_words import in_people_words

DEEPEST = 64
LONGEST = 2_000_000
_NO_ALIAS = "write the value where it is used, or share it through `vars`"


def decode(path: str, content: bytes, diagnostics: Diagnostics) -> Source | None:
    """The bytes of a file as a Source; None (and VF110) if they are not UTF-8. A BOM is dropped."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Source(path, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        source = Source(path, content.decode("utf-8", "replace"))
        at = len(content[: error.start].decode("utf-8", "replace"))
        diagnostics.error(
            "VF110", Span(source, at, at + 1), "the file is not UTF-8 text",
            label=f"byte 0x{content[error.start]:02x} can't be read", help="save the file as UTF-8",
        )  # fmt: skip
        return None


def read_yaml(source: Source, diagnostics: Diagnostics) -> Node | None:
    """The one document of `source`; None if it can't be read as a tree (the diagnostics say why)."""
    if len(source.text) > LONGEST:
        diagnostics.error("VF109", Span(source, 0, 0), f"the file is longer than {LONGEST:,} characters")
        return None
    try:
        return _Reader(source, diagnostics).document()
    except _Unreadable:
        return None
    except yaml.YAMLError as error:
        _report(error, source, diagnostics)
        return None


class _Unreadable(Exception):  # noqa: N818  it is not an error: the diagnostic was written
    """Reading stops here; why was reported."""


class _Reader:
    """One pass over the events of one source."""

    def __init__(self, source: Source, diagnostics: Diagnostics) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.loader = yaml.SafeLoader(source.text)
        self.events = self.stream()
        self.aliases = False

    def stream(self) -> Iterator[yaml.Event]:
        try:
            while self.loader.check_event():
                yield self.loader.get_event()  # type: ignore[no-untyped-call]
        except ValueError:  # chr() of what is beyond Unicode
            at = self.loader.get_mark().index
            self.diagnostics.error(
                "VF101", Span(self.source, at, at + 8), "invalid escape: not a character",
                help="the last character is \\U0010FFFF",
            )  # fmt: skip
            raise _Unreadable from None

    def document(self) -> Node | None:
        next(self.events)  # the stream's start
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            self.diagnostics.error("VF108", Span(self.source, 0, 0), "the file is empty")
            return None
        node = self.node(next(self.events), 1)
        next(self.events)  # the document's end
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            self.error("VF107", event, "a second document starts here", help="write one document per file")
            for _ in self.events:  # a syntax error behind it counts as well
                pass
        return None if self.aliases else node

    def node(self, event: yaml.Event, depth: int) -> Node:
        if depth > DEEPEST:
            self.error("VF109", event, f"nested deeper than {DEEPEST} levels")
            raise _Unreadable
        if isinstance(event, yaml.AliasEvent):
            self.aliases = True
            self.error("VF105", event, f"alias '*{event.anchor}' is not supported", help=_NO_ALIAS)
            return Scalar("", self.span(event), plain=False)
        self.properties(event)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, depth)
        raise AssertionError(event)

    def properties(self, event: yaml.Event) -> None:
        """Anchors and tags stand before a node and are refused."""
        start = _at(event)
        if anchor := getattr(event, "anchor", None):
            at = self.source.text.find(f"&{anchor}", start)
            self.diagnostics.error(
                "VF105",
                Span(self.source, at, at + len(anchor) + 1),
                f"anchor '&{anchor}' is not supported",
                help=_NO_ALIAS,
            )
        if getattr(event, "tag", None) is not None:
            at = max(start, self.source.text.find("!", start))
            end = at
            while end < len(self.source.text) and not self.source.text[end].isspace():
                end += 1
            self.diagnostics.error(
                "VF106", Span(self.source, at, end), f"tag '{self.source.text[at:end]}' is not supported",
                help="the key determines the type of the value; use quotes for text",
            )  # fmt: skip

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = _at(event), _end(event)
        text = self.source.text
        if event.anchor or event.tag:
            return Scalar(event.value, Span(self.source, start, end), event.style is None, (start,) * len(event.value))
        if event.style in ("|", ">"):
            end = start + len(text[start:end].rstrip())
        if any("\ud800" <= c <= "\udfff" for c in event.value):
            self.diagnostics.error(
                "VF101", Span(self.source, start, end), "an unpaired surrogate is not a character",
                help="write the character itself, or \\U and eight digits",
            )  # fmt: skip
        offsets = scalar_offsets(text, start, _end(event), event.value, event.style)
        if offsets is None and event.value:
            offsets = (start,) * len(event.value)
        elif isinstance(offsets, range) and offsets.start == start:
            offsets = None
        return Scalar(event.value, Span(self.source, start, end), event.style is None, offsets)

    def sequence(self, start: yaml.SequenceStartEvent, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return Sequence(tuple(items), self.between(start, event, items[-1] if items else None))

    def mapping(self, start: yaml.MappingStartEvent, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        last: Node | None = None
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            last = self.node(next(self.events), depth + 1)
            if isinstance(key, Scalar) and self.is_key(key, entries):
                entries[key.text] = Entry(key, last)
            elif not isinstance(key, Scalar):
                self.diagnostics.error("VF103", key.span, "a list or a mapping can't be a key", help=_flow_help(key))
        return Mapping(tuple(entries.values()), self.between(start, event, last))

    def is_key(self, key: Scalar, entries: dict[str, Entry]) -> bool:
        """Whether the key is text and new; what else it is was reported."""
        if key.plain and key.text == "<<":
            self.diagnostics.error("VF105", key.span, "merge key '<<' is not supported", help=_NO_ALIAS)
            return False
        if first := entries.get(key.text):
            self.diagnostics.error(
                "VF102", key.span, f"duplicate key '{key.text}'", label="again here",
                help="keep one of the two", related=((first.key.span, "first here"),),
            )  # fmt: skip
            return False
        if not isinstance(value := key.typed(), str):
            kind = {bool: "a boolean", int: "a number", float: "a number"}.get(type(value), "null")
            self.diagnostics.error(
                "VF103", key.span, f"the key {key.text or '(nothing)'} is {kind}, not text",
                help=f"put it in quotes: '{key.text}'" if key.text else "write a key before the value",
                fix=Edit(key.span, f"'{key.text}'") if key.span.text == key.text != "" else None,
            )  # fmt: skip
        return True

    def between(self, start: yaml.Event, end: yaml.Event, last: Node | None) -> Span:
        """A flow collection ends at its bracket, a block one with its last child."""
        stop = _end(end)
        if last is not None and not getattr(start, "flow_style", False):
            stop = last.span.end
        return Span(self.source, _at(start), max(stop, _at(start)))

    def span(self, event: yaml.Event) -> Span:
        return Span(self.source, _at(event), _end(event))

    def error(self, code: str, event: yaml.Event, message: str, *, help: str = "") -> None:  # noqa: A002
        self.diagnostics.error(code, self.span(event), message, help=help)


def _at(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.index


def _end(event: yaml.Event) -> int:
    assert event.end_mark is not None
    return event.end_mark.index


def _flow_help(key: Node) -> str:
    before = key.span.source.text[max(0, key.span.start - 1) : key.span.start]
    if before == "$" or isinstance(key, Mapping):
        return 'put a text with braces in quotes: "${…}"'
    return ""


def _report(error: yaml.YAMLError, source: Source, diagnostics: Diagnostics) -> None:
    if isinstance(error, yaml.reader.ReaderError):
        at = min(error.position, len(source.text))
        diagnostics.error(
            "VF110", Span(source, at, at + 1), "control characters are not allowed in a flow file",
            label=f"character U+{ord(source.text[at]):04X}" if at < len(source.text) else "",
            help="write it as an escape in a quoted text: \"\\u0007\"",
        )  # fmt: skip
        return
    assert isinstance(error, yaml.MarkedYAMLError)
    mark = error.problem_mark or error.context_mark
    at = min(mark.index, len(source.text)) if mark else 0
    message, label, remedy = in_people_words(error.problem or "", error.context or "", source.text, at)
    related: tuple[tuple[Span, str], ...] = ()
    context = error.context_mark
    if context is not None and context.index != at and "block" not in (error.context or ""):
        related = ((Span(source, context.index, context.index + 1), "it starts here"),)
    span = Span(source, at, _word(source.text, at))
    diagnostics.error("VF101", span, message, label=label, help=remedy, related=related)


def _word(text: str, at: int) -> int:
    """The end of what the caret is drawn under: a token's worth of characters."""
    end = at
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return max(end, at + 1)
