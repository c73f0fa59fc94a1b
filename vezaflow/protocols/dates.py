"""Dates as servers write them → seconds since the epoch, by RFC 6265, 5.1.1: one tolerant reading for cookies and for
HTTP-dates (RFC 9110, 5.6.7), whose three forms are among what it reads.

Laws: every date is GMT, whatever zone is written or left out, and whatever zone this machine is in; what is no date is
None, never an exception. Pure.
"""

import re
from datetime import UTC, datetime

_TOKEN = re.compile(r"[^\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_EARLIEST = 1601
_LONGEST = 200  # characters of a text that may be a date


def moment_of(text: str) -> float | None:
    """The seconds since the epoch that a date tells."""
    clock: list[int] = []
    day = month = year = 0
    for token in _TOKEN.findall(text[:_LONGEST]):
        if not clock and (found := _TIME.match(token)):
            clock = [int(part) for part in found.groups()]
        elif not day and (found := _DAY.match(token)):
            day = int(found[1])
        elif not month and (name := token[:3].lower()) in _MONTHS:
            month = _MONTHS.index(name) + 1
        elif not year and (found := _YEAR.match(token)):
            year = _full(int(found[1]))
    if not clock or year < _EARLIEST:
        return None
    hour, minute, second = clock
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:  # no such day, or no such time
        return None


def _full(year: int) -> int:
    """Two digits are a year from 1970 to 2069."""
    if year < 100:
        return year + (1900 if year >= 70 else 2000)
    return year
