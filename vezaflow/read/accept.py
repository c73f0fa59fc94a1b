"""`accept:` of a suite: the nights that count, in which time zone, and how many of them.

What is wrong becomes a diagnostic, and the value its default. The names of time zones are those of this machine's
database.
"""

import re
from collections.abc import Iterable
from datetime import time

from vezaflow.diagnostics import Edit, did_you_mean, slip, suggest
from vezaflow.keys import ACCEPT
from vezaflow.model import Accept
from vezaflow.read.hosts import read_patterns
from vezaflow.read.mappings import Row, sub_mapping

_CLOCK = re.compile(r"\s*(\d{1,2}):(\d\d)\s*\.\.\s*(\d{1,2}):(\d\d)\s*", re.ASCII)
_DASHED = re.compile(r"\s*(\d{1,2}:\d\d)\s*(?:-|–|to)\s*(\d{1,2}:\d\d)\s*", re.ASCII)


def read_accept(suite: Row) -> Accept:
    """What the suite says of its acceptance, with the defaults of what it does not say."""
    row = sub_mapping(suite, "accept", ACCEPT)
    if row is None:
        return Accept()
    usual = Accept()
    nights, gaps = row.constant("nights"), row.constant("gaps")
    return Accept(
        nights=nights if isinstance(nights, int) else usual.nights,
        timezone=_timezone(row) or usual.timezone,
        night=_night(row) or usual.night,
        target=read_patterns(row, "target"),
        gaps=gaps if isinstance(gaps, int) else usual.gaps,
    )


def _timezone(row: Row) -> str:
    """The name of a zone that is known here; empty where there is none."""
    from zoneinfo import ZoneInfo, available_timezones  # only where one is named

    name = row.text("timezone")
    if not name or "${" in name:
        return ""
    try:
        ZoneInfo(name)
        return name
    except (ValueError, OSError, LookupError):  # no such file, or a name that can't be one
        pass
    node = row.node("timezone")
    assert node is not None
    known = available_timezones()
    near = _near(name, known)
    remedy = "write a name of the IANA database, such as `Europe/Paris`"
    row.diagnostics.error(
        "VF146",
        node.span,
        f"unknown time zone '{name}'" if known else "this machine has no time zone database",
        label=did_you_mean(near),
        help="" if near else remedy if known else "install the package tzdata",
        fix=Edit(node.span, near) if near and (name.casefold() in near.casefold() or slip(name, [near])) else None,
    )
    return ""


def _near(name: str, known: Iterable[str]) -> str | None:
    """The zone that was meant: by its name, by its city alone, or the nearest of its area."""
    plain, area = name.casefold().replace(" ", "_"), name.partition("/")[0].casefold()
    zones = sorted(known)
    exact = [zone for zone in zones if plain in (zone.casefold(), zone.rpartition("/")[2].casefold())]
    return exact[0] if exact else suggest(name, (zone for zone in zones if zone.partition("/")[0].casefold() == area))


def _night(row: Row) -> tuple[time, time] | None:
    text = row.text("night")
    if not text or "${" in text:
        return None
    found = _CLOCK.fullmatch(text)
    if found is not None:
        first, second, third, fourth = map(int, found.groups())
        if first < 24 and second < 60 and third < 24 and fourth < 60:
            return time(first, second), time(third, fourth)
    node = row.node("night")
    assert node is not None
    dashed = _DASHED.fullmatch(text)
    row.diagnostics.error(
        "VF147",
        node.span,
        f"'{text}' is not the hours of a night",
        help=f"write two dots: `{dashed[1]}..{dashed[2]}`" if dashed else "write them like `18:00..12:00`",
    )
    return None
