"""What a part of a file that could not be read may have said: a name that stands there may be set there."""

import re
from functools import lru_cache

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import Flow, Suite

UNREADABLE = frozenset(("VF104", "VF120", "VF122", "VF123"))


@lru_cache(maxsize=64)
def perhaps_set(text: str) -> frozenset[str]:
    """What stands in a text as a key, or behind `for`: gathered once, however many names are looked for."""
    keys = {match[1] for match in re.finditer(r"\b(\w+)[\"']?[ \t]*:", text)}
    return frozenset(keys | {match[1] for match in re.finditer(r"\bfor:[ \t]+(\w+)\b", text)})


def spoilt_texts(suite: Suite, diagnostics: Diagnostics, flow: Flow | None) -> tuple[str, ...]:
    """The texts of suite.yml and of the flow, where they could not be read whole."""
    flows = {each.source.path for each in suite.flows}
    sources = {d.span.source.path: d.span.source for d in diagnostics if d.span and d.code in UNREADABLE}
    return tuple(
        source.text
        for path, source in sources.items()
        if path not in flows or (flow is not None and path == flow.source.path)
    )
