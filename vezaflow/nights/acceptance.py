"""Nights → whether the suite is accepted: a number of them in a row are green.

Looked at from the newest back: a green night counts, a red one ends the streak, a missing or inconclusive one ends it
unless the rule's gaps forgive it, and one that is not over and has no run that counts is passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import assert_never

from vezaflow import units
from vezaflow.errors import ExitCode
from vezaflow.nights.calendar import Bar, Calendar, Night, NightEntry, NightVerdict, listed


class Decision(Enum):
    ACCEPTED = "accepted"
    RED = "red"  # of the nights with a verdict the newest is red
    NOT_YET = "not_yet"


_CODES = {
    Decision.ACCEPTED: ExitCode.GREEN,
    Decision.RED: ExitCode.RED,
    Decision.NOT_YET: ExitCode.INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whether it is accepted, and why. `changes`: what of the plan changed where that restarted the count."""

    decision: Decision
    streak: int  # green nights in a row; may be more than are needed
    needed: int
    sentence: str
    changes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        return _CODES[self.decision]


@dataclass(frozen=True, slots=True)
class _Streak:
    green: tuple[Night, ...]  # the newest first
    gaps: int  # that are forgiven between them
    ended: Night | None  # the night that ended it; None: there is no earlier one


def acceptance(nights: Calendar) -> Acceptance:
    """The decision over a calendar."""
    needed = nights.rule.nights
    streak = _streak(nights.nights, nights.rule.gaps)
    count = len(streak.green)
    if count >= needed:
        return Acceptance(Decision.ACCEPTED, count, needed, _accepted(streak))
    red = next((night for night in reversed(nights.nights) if night.verdict in _DECIDING), None)
    if red is not None and red.verdict is NightVerdict.RED:
        return Acceptance(Decision.RED, count, needed, _broken(red))
    restart = _restart(nights.nights, streak.green)
    sentence = f"not yet: night {count} of {needed} is green" if count else f"not yet: {_lack(streak.ended, needed)}"
    if restart is None:
        return Acceptance(Decision.NOT_YET, count, needed, sentence)
    since, entry = restart
    sentence += f"; the plan changed after the night of {short(since)}: {listed(entry.changes)}"
    return Acceptance(Decision.NOT_YET, count, needed, sentence, entry.changes)


def streak_line(found: Acceptance) -> str:
    """Where the count is, for the page of a run: `night 2 of 3`."""
    line = f"night {min(found.streak, found.needed)} of {found.needed}"
    return f"{line}: accepted" if found.decision is Decision.ACCEPTED else line


def short(day: date) -> str:
    """`28 Nov`."""
    return f"{day.day} {day:%b}"


_DECIDING = (NightVerdict.GREEN, NightVerdict.RED)


def _streak(nights: Sequence[Night], allowed: int) -> _Streak:
    green: list[Night] = []
    gaps = between = 0
    for night in reversed(nights):
        match night.verdict:
            case NightVerdict.GREEN:
                green.append(night)
                between = gaps
            case NightVerdict.RED:
                return _Streak(tuple(green), between, night)
            case NightVerdict.MISSING | NightVerdict.INCONCLUSIVE:
                gaps += 1
                if gaps > allowed:
                    return _Streak(tuple(green), between, night)
            case NightVerdict.PENDING:
                pass
            case never:
                assert_never(never)
    return _Streak(tuple(green), between, None)


def _accepted(streak: _Streak) -> str:
    count = len(streak.green)
    if count == 1:
        said = f"accepted: the night of {short(streak.green[0].date)} is green"
    else:
        said = f"accepted: {count} nights in a row are green"
    return said + (f", with {units.counted(streak.gaps, 'gap')}" if streak.gaps else "")


def _broken(night: Night) -> str:
    why = night.entries[0].run.reasons
    return f"not accepted: the night of {short(night.date)} is red" + (f": {listed(why, '; ')}" if why else "")


def _lack(ended: Night | None, needed: int) -> str:
    """Why no night counts so far."""
    if ended is None:
        return f"no run counts so far, and {units.counted(needed, 'green night')} are needed"
    if ended.verdict is NightVerdict.INCONCLUSIVE:
        why = ended.entries[0].run.reasons
        return f"the night of {short(ended.date)} is inconclusive" + (f": {listed(why, '; ')}" if why else "")
    if not ended.entries:
        return f"the night of {short(ended.date)} is missing"
    return f"no run of the night of {short(ended.date)} counts"


def _restart(nights: Sequence[Night], green: Sequence[Night]) -> tuple[date, NightEntry] | None:
    """The newest run before the streak that would count but for its plan, and its night; None where another run of
    today's plan comes first."""
    oldest = green[-1] if green else None
    for night in reversed(nights):
        if oldest is not None and night.date > oldest.date:
            continue
        found = [entry for entry in night.entries if entry.bar is Bar.PLAN]
        if found:
            return night.date, max(found, key=lambda entry: entry.run.started)
        if night is not oldest and any(entry.counts for entry in night.entries):
            return None
    return None
