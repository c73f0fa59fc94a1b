"""The nearest right word. Candidates come from the same table that refused the wrong one."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches

MOST = 400  # candidates: no table has more, and to compare each name of a huge file with each takes minutes


def _plain(word: str) -> str:
    return word.replace("-", "").replace("_", "").replace(" ", "").lower()


def suggest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that the author most likely meant, or None where nothing is near."""
    unlike = set(candidates) - {word}
    if len(unlike) > MOST:
        return None
    words = sorted(unlike)
    for candidate in words:
        if _plain(candidate) == _plain(word):
            return candidate
    near = get_close_matches(word.lower(), [w.lower() for w in words], n=3, cutoff=0.6)
    lowered = {w.lower(): w for w in reversed(words)}
    if near:
        best = max(near, key=lambda n: (SequenceMatcher(None, word.lower(), n).ratio(), n[:1] == word[:1].lower()))
        return lowered[best]
    if len(word) >= 3:
        starts = [w for w in words if w.lower().startswith(word.lower())]
        if len(starts) == 1:
            return starts[0]
    return None


def did_you_mean(near: str | None) -> str:
    """The question after the name that was found near; empty without one."""
    return f"did you mean '{near}'?" if near else ""


def unknown(kind: str, name: str, known: Sequence[str]) -> tuple[str, str]:
    """The message on a name that is not among the known ones of its kind, and its help: the nearest, or all."""
    listed = f"the {kind}s are {', '.join(known)}" if known else f"there are no {kind}s"
    return f"unknown {kind} '{name}'", did_you_mean(suggest(name, known)) or listed


def slip(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate that a single slip of the fingers turns into the word: a letter too many, too few or wrong,
    two in each other's place, or other signs between the words. None if there is none, or more than one.
    """
    words = set(candidates)
    alike = [candidate for candidate in words if _plain(candidate) == _plain(word)]
    near = alike or [candidate for candidate in words if len(word) > 2 and _is_one_off(word, candidate)]
    return near[0] if len(near) == 1 else None


def _is_one_off(word: str, other: str) -> bool:
    same = next((n for n, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    rest, wanted = word[same:], other[same:]
    swapped = rest[:2] == wanted[:2][::-1] and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted or rest == wanted[1:] or rest[1:] == wanted[1:]
