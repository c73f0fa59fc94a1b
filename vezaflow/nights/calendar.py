"""The nights of a suite: which runs count, and what each night is.

Law: a run that does not count changes no night. The order of the runs does not matter, and a run that is there twice
is one. A run belongs to the night in which it started, whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from vezaflow import units
from vezaflow.gates import Outcome
from vezaflow.model import Accept, Identity, UrlError, changed_parts, host_matches, patterns_of, read_url
from vezaflow.nights.hours import Hours
from vezaflow.nights.runs import NightRun
from vezaflow.results import is_level

_MOST_NIGHTS = 400  # that are looked back on, beyond those which the rule needs: a clock that was wrong costs no more
_MOST_DAYS = 36_500  # and in all: further back than any run
_MOST_WORDS = 3  # of what changed


class NightVerdict(Enum):
    GREEN = "green"
    RED = "red"
    INCONCLUSIVE = "inconclusive"
    MISSING = "missing"  # no run that counts
    PENDING = "pending"  # the same, of the night that is not over


class Bar(Enum):
    """Why a run does not count."""

    FUTURE = "future"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    TURNED_DOWN = "turned_down"
    INTERRUPTED = "interrupted"
    MANUAL = "manual"
    TARGET = "target"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class NightEntry:
    """A run, and why it does not count; it counts without a `bar`. `changes`: what of the plan is another today."""

    run: NightRun
    bar: Bar | None = None
    why: str = ""
    changes: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        return self.bar is None


@dataclass(frozen=True, slots=True)
class Night:
    """A night. `starts` and `ends` in UTC; the run that decided comes first, the others by their start."""

    date: date
    starts: datetime
    ends: datetime
    verdict: NightVerdict
    entries: tuple[NightEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The nights from the first with a run to the newest, and what is in none of them."""

    rule: Accept
    now: datetime
    nights: tuple[Night, ...]  # the oldest first; one at least
    strays: tuple[NightEntry, ...] = ()  # runs outside the hours of a night, and from the future
    others: tuple[str, ...] = ()  # the names of other suites that runs were of


def calendar(runs: Iterable[NightRun], rule: Accept, now: datetime, plan: Identity, suite: str = "") -> Calendar:
    """The nights up to `now` by a rule, for today's plan.

    `suite`: the name of the suite; runs of others are left out unless their plan is the same. Empty: all are of it.
    Levels of a capacity search are left out, too: one search is a dozen runs, and none of them the suite's load.
    """
    hours = Hours.of(rule)
    newest = hours.newest(now)
    earliest = hours.starts(newest - timedelta(days=_most(rule)))
    by_night: dict[date, list[NightEntry]] = {}
    strays: list[NightEntry] = []
    others: set[str] = set()
    patterns = patterns_of(rule.target)
    for run in _once(runs):
        if is_level(run.changes):
            continue
        if suite and run.suite != suite and (run.identity is None or run.identity.digest != plan.digest):
            others.add(run.suite)
        elif run.started > now:
            strays.append(NightEntry(run, Bar.FUTURE, "starts in the future: is a clock wrong?"))
        elif run.started < earliest:
            continue
        elif (night := hours.night_of(run.started)) is None:
            strays.append(NightEntry(run, Bar.OUTSIDE, "outside the hours of a night"))
        else:
            by_night.setdefault(night, []).append(_entry(run, patterns, plan))
    first = min(by_night, default=newest)
    dates = (first + timedelta(days=n) for n in range((newest - first).days + 1))
    nights = tuple(_night(each, hours, now, by_night.get(each, ())) for each in dates)
    return Calendar(rule, now, nights, tuple(strays), tuple(sorted(others)))


def _most(rule: Accept) -> int:
    """How many nights are looked back on."""
    return min(_MOST_NIGHTS + rule.nights + rule.gaps, _MOST_DAYS)


def _once(runs: Iterable[NightRun]) -> list[NightRun]:
    """Each run once, by its start. Of records of one run the whole one is taken before that of a segment."""
    found: dict[str, NightRun] = {}
    for run in sorted(runs, key=_order):
        found.setdefault(run.run_id, run)
    return sorted(found.values(), key=lambda run: (run.started, run.run_id))


def _order(run: NightRun) -> tuple[object, ...]:
    """What makes the choice between two records of one run independent of their order; a red one comes first."""
    red = run.outcome is Outcome.RED
    return run.run_id, run.partial, run.interrupted, not red, run.outcome.value, run.started, run.changes, repr(run)


def _entry(run: NightRun, patterns: Sequence[str], plan: Identity) -> NightEntry:
    """The run, and whether it counts by what it was. Another plan is looked at last: it alone restarts a count."""
    if run.identity is None:
        return NightEntry(run, Bar.UNKNOWN, "an earlier version of vezaflow wrote it, without its plan")
    if run.partial:
        return NightEntry(run, Bar.PARTIAL, "one segment of a load")
    if run.changes:
        return NightEntry(run, Bar.TURNED_DOWN, f"not the full load: {listed(run.changes)}")
    if run.interrupted:
        return NightEntry(run, Bar.INTERRUPTED, "interrupted")
    if run.manual_changes:
        return NightEntry(run, Bar.MANUAL, f"the load was changed manually: {listed(run.manual_changes)}")
    if patterns and not (run.targets and all(_fits(target, patterns) for target in run.targets)):
        return NightEntry(run, Bar.TARGET, f"another target: {', '.join(run.targets) or 'unknown'}")
    if run.identity.digest != plan.digest:
        changes = changed_parts(run.identity.parts, plan.parts)
        return NightEntry(run, Bar.PLAN, f"another plan: {listed(changes)}", changes)
    return NightEntry(run)


def _fits(target: str, patterns: Sequence[str]) -> bool:
    try:
        url = read_url(target)
    except UrlError:  # a secret that is masked
        return False
    return host_matches(url.host, url.port, patterns)


def listed(words: Sequence[str], sign: str = ", ") -> str:
    """The first few of them, with a sign between two."""
    more = len(words) - _MOST_WORDS
    return sign.join(words[:_MOST_WORDS]) + (f" and {units.number(more)} more" if more > 0 else "")


def _night(night: date, hours: Hours, now: datetime, entries: Sequence[NightEntry]) -> Night:
    starts, ends = hours.starts(night), hours.ends(night)
    outcomes = {entry.run.outcome for entry in entries if entry.counts}
    verdict = NightVerdict.PENDING if now < ends else NightVerdict.MISSING
    for outcome, decided in _DECIDED.items():
        if outcome in outcomes:
            verdict = decided
            break
    decisive = [entry for entry in entries if entry.counts and _DECIDED[entry.run.outcome] is verdict][:1]
    return Night(night, starts, ends, verdict, (*decisive, *(entry for entry in entries if entry not in decisive)))


# One red run makes a night red, and a green one outweighs those without a verdict.
_DECIDED = {
    Outcome.RED: NightVerdict.RED,
    Outcome.GREEN: NightVerdict.GREEN,
    Outcome.INCONCLUSIVE: NightVerdict.INCONCLUSIVE,
}
