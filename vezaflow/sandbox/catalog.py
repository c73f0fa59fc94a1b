"""The music that the sandbox knows: the same tracks at each start, and every read of them as bytes.

Identifiers are version-5 UUIDs of fixed names, so a flow file may hold one. Pages and searches are made on
first use and kept by their query as written; how many are kept is bounded.
"""

import base64
import binascii
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import parse_qsl
from uuid import NAMESPACE_URL, uuid5

from vezaflow.sandbox.hls import hls_replies
from vezaflow.sandbox.reply import Reply, json_reply, refusal
from vezaflow.sandbox.streams import SandboxStreams

TRACKS = 5000
LARGEST_PAGE = 100
KEPT_QUERIES = 4096
LIST = "GET /api/v1/tracks"
LIST_PATH = b"/api/v1/tracks"
SEARCH = "GET /api/v1/tracks/search"
DETAIL = "GET /api/v1/tracks/{id}"
PRODUCTS = "GET /api/v1/marketplace/products"

MOODS = ("Midnight", "Blue", "Golden", "Silent", "Electric", "Velvet", "Broken", "Crystal", "Paper", "Polar")
THINGS = ("River", "Heart", "Summer", "Dream", "Fire", "Ocean", "Shadow", "Dance", "Rain", "Road")
ARTISTS = ("Nova Lune", "The Kites", "Oren", "Maison Verte", "Kilo Hertz", "Ada Sol", "Basalt", "Ines Mar")
GENRES = ("ambient", "house", "jazz", "hip-hop", "rock", "folk", "techno", "soul")

Record = dict[str, Any]  # a JSON object
Search = Callable[[str], list[Record]]


class BadQueryError(Exception):
    """The query can't be answered; its text says why."""


class Catalog:
    """Ready replies for every read of tracks, playlists, segments and products."""

    def __init__(self) -> None:
        self.tracks = [make_track(number) for number in range(TRACKS)]
        self.products = [make_product(number) for number in range(40)]
        self.stream_track: str = self.tracks[0]["id"]
        self._hls = hls_replies()
        self.streams = SandboxStreams()
        self._details = {t["id"]: json_reply(DETAIL, {"data": t}) for t in self.tracks}
        self._texts = [" ".join((t["title"], t["artist"], t["genre"])).lower() for t in self.tracks]
        self._lists: dict[bytes, Reply] = {}
        self._searches: dict[bytes, Reply] = {}
        self._no_track = refusal(DETAIL, 404, "there is no such track")
        self._no_file = refusal("GET /api/v1/tracks/{id}/…", 404, "there is no such file")
        self.product_list = json_reply(PRODUCTS, {"data": self.products})

    def list(self, query: bytes) -> Reply:
        """A page of the list: `limit`, and `cursor` as the page before gave it, in the body and in a Link header."""
        return kept(self._lists, query, self._make_list)

    def pages_before(self, query: bytes) -> int:
        """How many pages lie before the one that is asked for."""
        try:
            limit, first = read_page(query)
        except BadQueryError:
            return 0
        return first // limit

    def search(self, query: bytes) -> Reply:
        """Tracks whose title, artist or genre holds `q`."""
        return kept(self._searches, query, self._make_search)

    def beneath(self, tail: str, wanted: bytes | None = None) -> Reply:
        """What stands at `/api/v1/tracks/` + tail: a track, its playlists, its segments; `wanted`: a Range header."""
        track, rest = tail[:36], tail[36:]
        detail = self._details.get(track)
        if detail is None:
            return self._no_track
        if not rest:
            return detail
        return self._hls.get(rest) or self.streams.find(rest, wanted) or self._no_file

    def _make_list(self, query: bytes) -> Reply:
        try:
            limit, first = read_page(query)
        except BadQueryError as error:
            return refusal(LIST, 400, str(error))
        after = first + limit
        following = write_cursor(after) if after < TRACKS else None
        link = b'<%s?limit=%d&cursor=%s>; rel="next"' % (LIST_PATH, limit, following.encode()) if following else b""
        page = {"data": self.tracks[first:after], "next_cursor": following}
        return json_reply(LIST, page, headers=((b"link", link),) if link else ())

    def _make_search(self, query: bytes) -> Reply:
        try:
            limit, options = read_query(query)
        except BadQueryError as error:
            return refusal(SEARCH, 400, str(error))
        if not (wanted := options.get("q", "").strip().lower()):
            return refusal(SEARCH, 400, "q is missing")
        found = [track for track, text in zip(self.tracks, self._texts, strict=True) if wanted in text]
        return json_reply(SEARCH, {"data": found[:limit], "total": len(found)})


def kept(replies: dict[bytes, Reply], query: bytes, make: Callable[[bytes], Reply]) -> Reply:
    found = replies.get(query)
    if found is None:
        if len(replies) >= KEPT_QUERIES:
            replies.clear()
        found = replies[query] = make(query)
    return found


def read_query(query: bytes) -> tuple[int, dict[str, str]]:
    options = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    text = options.get("limit", "20")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        raise BadQueryError(f"limit is a number from 1 to {LARGEST_PAGE}")
    return int(text), options


def read_page(query: bytes) -> tuple[int, int]:
    """How many tracks a page has, and which one is its first."""
    limit, options = read_query(query)
    return limit, read_cursor(options["cursor"]) if options.get("cursor") else 0


def write_cursor(first: int) -> str:
    return base64.urlsafe_b64encode(b"track:%d" % first).decode()


def read_cursor(cursor: str) -> int:
    try:
        kind, _, first = base64.b64decode(cursor, altchars=b"-_", validate=True).partition(b":")
    except (binascii.Error, ValueError):
        kind, first = b"", b""
    if kind != b"track" or not first.isdigit() or int(first[:9]) >= TRACKS:
        raise BadQueryError("cursor is not one that a page gave")
    return int(first)


def make_track(number: int) -> Record:
    random = Random(number)
    return {
        "id": str(uuid5(NAMESPACE_URL, f"https://veza.fr/tracks/{number}")),
        "title": f"{MOODS[number % 10]} {THINGS[number // 10 % 10]} {number // 100 + 1}",
        "artist": random.choice(ARTISTS),
        "genre": random.choice(GENRES),
        "duration": random.randrange(150, 320),
        "plays": random.randrange(1_000_000),
        "price_cents": random.choice((99, 129, 199)),
        "created_at": f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}T12:00:00Z",
    }


def make_product(number: int) -> Record:
    return {
        "id": str(uuid5(NAMESPACE_URL, f"https://veza.fr/products/{number}")),
        "title": f"{MOODS[number % 10]} sample pack {number // 10 + 1}",
        "price_cents": 499 + 100 * (number % 20),
        "currency": "EUR",
    }
