"""Faceted search: tracks that hold a text and pass filters, sorted, with the number of results for each value.

Counts are of the results, after all filters: those of a facet add up to `total`, and a value's count is the `total` of
the same search filtered by it. With `wrong_facets`, so large a share of the replies has one result too many in the
first count of each facet.
"""

from collections import Counter
from collections.abc import Sequence
from random import Random
from urllib.parse import parse_qsl

from vezaflow.sandbox.catalog import BadQueryError, Record, kept, read_query
from vezaflow.sandbox.reply import Reply, json_reply, refusal

ROUTE = "GET /api/v1/search"
PATH = "/api/v1/search"
FACETS = ("genre", "artist", "price_cents")
SORTS = ("title", "plays", "duration", "created_at")


class FacetedSearch:
    """Answers searches over these tracks."""

    def __init__(self, tracks: Sequence[Record], wrong_facets: float, seed: int) -> None:
        self._tracks = tracks
        self._texts = [" ".join((track["title"], track["artist"], track["genre"])).lower() for track in tracks]
        self._wrong = wrong_facets
        self._random = Random(seed)
        self._right_replies: dict[bytes, Reply] = {}
        self._wrong_replies: dict[bytes, Reply] = {}

    def find(self, query: bytes) -> Reply:
        """The reply to `q`, filters named like facets, `sort` (`plays`, or `-plays` from the highest) and `limit`."""
        if self._wrong and self._random.random() < self._wrong:
            return kept(self._wrong_replies, query, lambda asked: self._make(asked, extra=1))
        return kept(self._right_replies, query, self._make)

    def _make(self, query: bytes, extra: int = 0) -> Reply:
        try:
            limit, options = read_query(query)
            found = self._sorted(self._matching(options), options.get("sort", ""))
        except BadQueryError as error:
            return refusal(ROUTE, 400, str(error))
        facets = {name: _counts(found, name, extra) for name in FACETS}
        return json_reply(ROUTE, {"data": found[:limit], "total": len(found), "facets": facets})

    def _matching(self, options: dict[str, str]) -> list[Record]:
        wanted = options.get("q", "").strip().lower()
        filters = [(name, options[name]) for name in FACETS if name in options]
        return [
            track
            for track, text in zip(self._tracks, self._texts, strict=True)
            if wanted in text and all(str(track[name]) == value for name, value in filters)
        ]

    @staticmethod
    def _sorted(found: list[Record], sort: str) -> list[Record]:
        name = sort.removeprefix("-")
        if not sort:
            return found
        if name not in SORTS:
            raise BadQueryError(f"sort is one of {', '.join(SORTS)}, with or without `-`")
        return sorted(found, key=lambda track: track[name], reverse=sort.startswith("-"))


def filters_in(query: bytes) -> int:
    """By how many facets a search is filtered."""
    return sum(name in FACETS for name, _ in parse_qsl(query.decode("latin-1")))


def _counts(found: Sequence[Record], name: str, extra: int) -> list[Record]:
    """Each value with its number of results, the most frequent first."""
    counts = Counter(track[name] for track in found)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [{"value": value, "count": count + (extra if not n else 0)} for n, (value, count) in enumerate(ordered)]
