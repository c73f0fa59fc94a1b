"""When a night starts and ends, and to which one a moment belongs.

A night has the date on which it starts. Its ends are clock times of a time zone turned into moments, so that where
clocks change it is an hour longer or shorter, and no moment is in two nights. Moments have a UTC offset.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from vezaflow.model import Accept

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """The clock times of a night; the same twice is a whole day."""

    zone: ZoneInfo
    start: time
    end: time

    @classmethod
    def of(cls, rule: Accept) -> "Hours":
        return cls(ZoneInfo(rule.timezone), *rule.night)

    def starts(self, night: date) -> datetime:
        """The first moment of a night, in UTC."""
        return self._moment(night, self.start)

    def ends(self, night: date) -> datetime:
        """The first moment after it, in UTC."""
        return self._moment(night if self.start < self.end else night + _DAY, self.end)

    def newest(self, now: datetime) -> date:
        """The latest night that has started."""
        night = now.astimezone(self.zone).date()
        while self.starts(night) > now:
            night -= _DAY
        return night

    def night_of(self, moment: datetime) -> date | None:
        """The night in which a moment is; None between two nights."""
        night = self.newest(moment)
        return night if moment < self.ends(night) else None

    def _moment(self, day: date, clock: time) -> datetime:
        """Of a clock time that comes twice the first. In UTC: moments of one zone are compared by their clocks."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)
