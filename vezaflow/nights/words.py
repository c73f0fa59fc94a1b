"""A calendar in rows of words, for the terminal and Markdown alike: one for each run, and one for a night without."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from vezaflow import units
from vezaflow.nights.calendar import Calendar, Night, NightEntry, NightVerdict

DASH = "–"


@dataclass(frozen=True, slots=True)
class NightRow:
    """`day` and `verdict` are said in a night's first row; `outcome`: how the run itself ended."""

    day: str
    verdict: NightVerdict | None
    outcome: str
    p95: str
    failed: str
    run_id: str
    remark: str  # why it does not count, or what broke


def night_rows(night: Night) -> Iterator[NightRow]:
    """The rows of a night."""
    if not night.entries:
        yield NightRow(weekday(night.date), night.verdict, "", "", "", "", "")
    for number, entry in enumerate(night.entries):
        day, verdict = ("", None) if number else (weekday(night.date), night.verdict)
        yield _row(day, verdict, entry)


def stray_rows(found: Calendar, shown: Sequence[Night]) -> Iterator[NightRow]:
    """The rows of the runs since the first of these nights that are in none, with their starts in UTC."""
    for entry in _since(found, shown):
        yield _row(f"{entry.run.started:%Y-%m-%d %H:%M}", None, entry)


def rule_line(found: Calendar) -> str:
    """The rule: `3 nights from 18:00 to 12:00 (Europe/Paris), on staging.veza.fr`."""
    rule = found.rule
    start, end = rule.night
    target = f", on {' or '.join(rule.target)}" if rule.target else ""
    gaps = f", {units.counted(rule.gaps, 'gap')} allowed" if rule.gaps else ""
    return f"{units.counted(rule.nights, 'night')} from {start:%H:%M} to {end:%H:%M} ({rule.timezone}){target}{gaps}"


def left_out(found: Calendar, shown: Sequence[Night]) -> Iterator[str]:
    """What a page that shows the last few nights does not show."""
    if earlier := len(found.nights) - len(shown):
        yield f"{units.counted(earlier, 'earlier night')} (--last {len(found.nights)} shows all)"
    if found.others:
        yield f"runs of other suites are left out: {', '.join(found.others)}"


def _since(found: Calendar, shown: Sequence[Night]) -> Iterator[NightEntry]:
    """The runs in no night from the first night that is shown; all of them where all nights are shown."""
    everything = len(shown) == len(found.nights)
    return (entry for entry in found.strays if everything or entry.run.started >= shown[0].starts)


def weekday(day: date) -> str:
    return f"{day:%a} {day.day:>2} {day:%b}"


def _row(day: str, verdict: NightVerdict | None, entry: NightEntry) -> NightRow:
    run = entry.run
    remark = entry.why or "; ".join(run.reasons)
    p95 = DASH if run.p95 is None else units.duration(run.p95)
    failed = DASH if run.failed is None else units.ratio(run.failed)
    return NightRow(day, verdict, run.outcome.value, p95, failed, run.run_id, remark)
