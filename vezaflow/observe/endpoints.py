"""Which steps of the load go to which path that the server counts, by method and path.

Pure. A path as written (`/tracks/${id}`) and a server's label (`/tracks/{id}`, `/tracks/:id`, `/tracks/42`) are held
against each other segment by segment: equal texts, or a hole on either side. A step goes to the labels that agree best;
what agrees with nothing stays alone, and is shown so.
"""

import re
from collections.abc import Iterable, Sequence

from vezaflow.observe.observed import ObservedEndpoint, ObservedFigures
from vezaflow.plan import SentPath
from vezaflow.syntax import Labels

PATHS = ("path", "route", "http_route", "handler", "endpoint", "uri", "url", "http_path", "template")
METHODS = ("method", "http_method", "http_request_method", "verb", "request_method")
_HOLE = re.compile(r"\{[^/]*\}|:[A-Za-z_]\w*|<[^/]*>|\*+|\[[^/]*\]")
_EQUAL, _HOLES, _FILLED = 4, 3, 1  # two equal segments, two holes, a hole and a text


def path_label(by: Iterable[str]) -> str:
    """The label that holds the path; empty where there is none."""
    return next((name for name in by if name.lower() in PATHS), "")


def method_label(by: Iterable[str]) -> str:
    """The label that holds the method; empty where there is none."""
    return next((name for name in by if name.lower() in METHODS), "")


def endpoints_of(figures: ObservedFigures, by: Sequence[str], sent: Sequence[SentPath]) -> tuple[ObservedEndpoint, ...]:
    """A row for each path of the server, with the steps that go there; then the steps that go to none of them."""
    path_name, method_name = path_label(by), method_label(by)
    if not path_name:
        return ()
    served: dict[tuple[str, str], Labels] = {}
    for series in figures.series:
        labels = dict(series.labels)
        method, path = labels.get(method_name, ""), labels.get(path_name, "")
        chosen = ((path_name, path), *(((method_name, method),) if method_name else ()))
        served[method, path] = tuple(sorted(chosen))
    gone: dict[tuple[str, str], list[SentPath]] = {key: [] for key in served}
    alone: dict[tuple[str, str], list[SentPath]] = {}
    for step in sent:
        found = _best(step, served)
        for key in found:
            gone[key].append(step)
        if not found:
            alone.setdefault((step.method, step.path), []).append(step)
    return (
        *(ObservedEndpoint(*key, served[key], tuple(steps)) for key, steps in gone.items()),
        *(ObservedEndpoint(*key, (), tuple(steps)) for key, steps in alone.items()),
    )


def _best(step: SentPath, served: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The labels that agree best with a step."""
    scored = [(agreement(step.path, path), (method, path)) for method, path in served if _same(method, step.method)]
    most = max((score for score, _ in scored), default=0)
    return [key for score, key in scored if score == most] if most else []


def _same(label: str, method: str) -> bool:
    return not label or label.upper() == method.upper()


def agreement(written: str, label: str) -> int:
    """How well a path as written and a path of the server agree; 0: not at all."""
    ours, theirs = _segments(written), _segments(label)
    if len(ours) != len(theirs):
        return 0
    score = 1
    for mine, other in zip(ours, theirs, strict=True):
        is_hole, is_label_hole = "${" in mine, _HOLE.fullmatch(other) is not None
        if is_hole and is_label_hole:
            score += _HOLES
        elif is_hole or is_label_hole:
            if is_hole and not _may_be(mine, other):
                return 0
            score += _FILLED
        elif mine == other:
            score += _EQUAL
        else:
            return 0
    return score


def _segments(path: str) -> list[str]:
    """What stands between the slashes; slashes within `${…}` are no path's."""
    whole = re.sub(r"\$\{[^{}]*\}", "${}", path)
    return whole.rstrip("/").split("/") if whole != "/" else [""]


def _may_be(written: str, text: str) -> bool:
    """Whether a segment with holes may have been rendered to this text."""
    pattern = ".+".join(re.escape(piece) for piece in written.split("${}"))
    return re.fullmatch(pattern, text, re.DOTALL) is not None
