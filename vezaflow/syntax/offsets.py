"""Where in the source each character of a scalar's value stands.

A value is not its source text: escapes shrink, lines fold, indentation goes. The map is made by folding
the source the way YAML does and comparing with what the YAML reader made of it; should the two ever
differ, the map says so by being None and carets fall back to the whole scalar.
"""

_BREAKS = "\n\r\x85\u2028\u2029"
_BLANK = " \t"
_HEX = {"x": 2, "u": 4, "U": 8}
# one character of the value, where it stands, and whether it is white space that folding may change
_Unit = tuple[str, int, bool]


def scalar_offsets(text: str, start: int, end: int, value: str, style: str | None) -> tuple[int, ...] | range | None:
    """The source offset of each character of `value`, which stands at text[start:end] in the given style."""
    if style in ("|", ">"):
        return _block(text, start, end, value)
    inner, stop = (start, end) if style is None else (start + 1, end - 1)
    if text[inner:stop] == value and not any(b in value for b in _BREAKS):
        return range(inner, stop)
    folded = _fold(_units(text, inner, stop, style))
    if "".join(c for c, _ in folded) != value:
        return None
    return tuple(offset for _, offset in folded)


def _units(text: str, start: int, end: int, style: str | None) -> list[_Unit]:
    units: list[_Unit] = []
    at = start
    while at < end:
        c = text[at]
        if style == "'" and c == "'":
            units.append(("'", at, False))
            at += 2
        elif style == '"' and c == "\\":
            at = _escape(text, at, units)
        else:
            units.append((c, at, c in _BREAKS or c in _BLANK))
            at += 1
    return units


def _escape(text: str, at: int, units: list[_Unit]) -> int:
    """Append what the escape at `at` stands for; the offset behind it."""
    c = text[at + 1 : at + 2]
    if c in _HEX:
        digits = text[at + 2 : at + 2 + _HEX[c]]
        units.append((chr(int(digits, 16)), at, False))
        return at + 2 + _HEX[c]
    if c and c in _BREAKS:
        units.append(("", at, False))  # stands between the blanks before and the breaks behind
        at += 3 if text[at + 1 : at + 3] == "\r\n" else 2
        while text[at : at + 1] and text[at] in _BLANK:
            at += 1
        while text[at : at + 1] and text[at] in _BREAKS:
            units.append(("\n" if text[at] in "\r\n\x85" else text[at], at, False))
            at += 2 if text[at : at + 2] == "\r\n" else 1
            while text[at : at + 1] and text[at] in _BLANK:
                at += 1
        return at
    units.append((_SIMPLE.get(c, c), at, False))
    return at + 2


_SIMPLE = {
    "0": "\0", "a": "\x07", "b": "\x08", "t": "\x09", "\t": "\x09", "n": "\x0a", "v": "\x0b", "f": "\x0c",
    "r": "\x0d", "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


def _fold(units: list[_Unit]) -> list[tuple[str, int]]:
    """Line folding (YAML 1.2, 6.5): one break is a space, n breaks are n - 1, blanks around them go."""
    folded: list[tuple[str, int]] = []
    at = 0
    while at < len(units):
        if not units[at][2]:
            if units[at][0]:
                folded.append(units[at][:2])
            at += 1
            continue
        stop = at
        while stop < len(units) and units[stop][2]:
            stop += 1
        run = units[at:stop]
        breaks = _line_ends(run)
        folded += _joined(breaks) if breaks else [u[:2] for u in run]
        at = stop
    return folded


def _line_ends(run: list[_Unit]) -> list[tuple[str, int]]:
    ends: list[tuple[str, int]] = []
    for i, (c, offset, _) in enumerate(run):
        if c in _BREAKS and not (c == "\n" and i and run[i - 1][0] == "\r"):
            ends.append(("\n" if c in "\r\n\x85" else c, offset))
    return ends


def _joined(breaks: list[tuple[str, int]]) -> list[tuple[str, int]]:
    first, *rest = breaks
    if first[0] != "\n":
        return breaks
    return rest or [(" ", first[1])]


def _block(text: str, start: int, end: int, value: str) -> tuple[int, ...] | None:
    """Literal and folded blocks keep every visible character in order, so those are the anchors.

    A run of white space is laid from its left end, what follows its last line end from its right end.
    """
    at = next((i for i in range(start, end) if text[i] in _BREAKS), end)  # behind the header
    offsets: list[int] = []
    white = _BREAKS + _BLANK
    i = 0
    while i < len(value):
        run = i
        while run < len(value) and value[run] in white:
            run += 1
        stop = at
        while stop < end and text[stop] in white:
            stop += 1
        offsets += _run(value[i:run], text, at, stop, first=not offsets)
        i, at = run, stop
        while i < len(value) and value[i] not in white:
            if at >= end or text[at] != value[i]:
                return None
            offsets.append(at)
            i, at = i + 1, at + 1
    return tuple(offsets)


def _run(run: str, text: str, at: int, stop: int, *, first: bool) -> list[int]:
    """Places for a run of white space whose source is text[at:stop]."""
    tail = len(run) - 1 - max((run.rfind(b) for b in _BREAKS), default=-1)
    if tail == len(run) and not first:
        tail = 0  # no line end: a folded or a plain blank
    places: list[int] = []
    cursor = at
    for c in run[: len(run) - tail]:
        while c in _BREAKS and cursor < stop and text[cursor] not in _BREAKS:
            cursor += 1
        places.append(min(cursor, max(at, stop - 1)))
        cursor += 2 if text[cursor : cursor + 2] == "\r\n" else 1
    return places + list(range(stop - tail, stop))
