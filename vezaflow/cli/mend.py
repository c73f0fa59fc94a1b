"""What `vezaflow lint --fix` does to files: the edits that findings carry.

All edits are tried in memory first, and what a mended key brings to light below it is mended as well. A file is
written once, and only if it can be read as well as before.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

from vezaflow.diagnostics import Diagnostics, Source, mended
from vezaflow.lint import lint

MOST_ROUNDS = 10  # of edits: a misspelt key hides those below it
UNREADABLE = ("VF101", "VF102")


def mend(paths: tuple[Path, ...]) -> Iterator[str]:
    """Mend the files of one suite; gives a line for each that was changed."""
    texts: dict[Path, str] = {}
    counts: dict[Path, int] = {}
    found = lint(paths)[1]
    for _ in range(MOST_ROUNDS):
        tried = dict(texts)
        for source in _sources(found):
            edits = [d.fix for d in found if d.fix is not None and d.fix.span.source is source]
            tried[Path(source.path)] = mended(source, edits)
        after = lint(paths, overlay=tried)[1]
        if tried == texts or _broken(after) > _broken(found):
            break
        for source in _sources(found):
            mine = sum(d.fix is not None and d.fix.span.source is source for d in found)
            counts[Path(source.path)] = counts.get(Path(source.path), 0) + mine
        texts, found = tried, after
    for path, text in texts.items():
        mark = codecs.BOM_UTF8 if path.read_bytes().startswith(codecs.BOM_UTF8) else b""
        path.write_bytes(mark + text.encode("utf-8"))
        yield f"{path}: {counts[path]} fixed"


def _broken(found: Diagnostics) -> int:
    return sum(d.code in UNREADABLE for d in found)


def _sources(found: Diagnostics) -> list[Source]:
    """The files that have something to mend."""
    return list({d.fix.span.source: None for d in found if d.fix is not None})
