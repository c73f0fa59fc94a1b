"""Segments that were run separately: what one of them can say alone, and the result of all together.

A segment has no verdict: its counts are a part of the whole, so gates are judged when the segments are merged. Only
segments of one run are merged (the same files, inputs and seed, each once); a missing one is reported, and the verdict
is inconclusive. What is done once for the whole load (events, reading the server's figures) is in the first one's file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from vezaflow import units
from vezaflow.compare import Baseline
from vezaflow.errors import VezaflowError
from vezaflow.gates import Concern, ConcernKind, windows_of
from vezaflow.metrics import (
    INTERVAL,
    READING,
    EventWindows,
    Extent,
    KeptSegment,
    Reading,
    Seconds,
    seconds_together,
    side_by_side,
)
from vezaflow.model import SERVER
from vezaflow.observe import OBSERVED, Observed, observed_from_json, unobserved
from vezaflow.plan import BundleError, Plan, Segment
from vezaflow.reports import events_of
from vezaflow.results import SCHEMA, Provenance, RunResult
from vezaflow.scale import SegmentResult, differences, merged_segments
from vezaflow.session.files import WrongFilesError
from vezaflow.session.outcome import Circumstances, result_of, without
from vezaflow.session.provenance import provenance_of
from vezaflow.session.schema_1 import upgraded
from vezaflow.untrusted import Maybe, Null, Shape, misfit

_RUN: Shape = {
    "run_id": str,
    "started": str,
    "interrupted": bool,
    "aborted": str,
    "notes": [str],
    "segment": {},
    "by_second": Maybe([INTERVAL]),
    "readings": Maybe([READING]),
    "observed": Maybe(Null(OBSERVED)),
}
_APART = 0.1  # of the load's duration: segments that began further apart were no one load


def segment_result(plan: Plan, part: SegmentResult, run: Circumstances, concerns: Iterable[Concern] = ()) -> RunResult:
    """The record of one segment. `concerns`: what else stands against trusting it."""
    kept = replace(part, report=without(plan.secrets, part.report))
    return replace(result_of(plan, kept.report, run, (concern_of(part.segment), *concerns)), segment=kept)


def concern_of(segment: Segment) -> Concern:
    """What stands against judging one segment."""
    text = f"this is segment {segment}: a single segment has no verdict"
    return Concern(ConcernKind.SEGMENT, text, "merge the files of all segments with `vezaflow merge`")


def merge(files: Sequence[Path], baseline: Callable[[Plan], Baseline | None] = lambda _: None) -> RunResult:
    """One result of the segments in these files. Raises VezaflowError where they are not segments of one run.

    `baseline` finds what gates on it are judged by.
    """
    found = [(file, record, _segment(file, record)) for file, record in ((file, _record(file)) for file in files)]
    found.sort(key=lambda each: each[2].segment.index)
    parts = [(file, part) for file, _, part in found]
    for one, other in pairwise(parts):
        _check(one, other)
    plan, provenance = _plan(parts[0][1])
    report = merged_segments([part for _, part in parts])
    records = [record for _, record, _ in found]
    concerns = (*_missing([part for _, part in parts]), *_apart(plan, records))
    known = replace(_circumstances(records), provenance=provenance, texts=parts[0][1].bundle.masked().files)
    observed = _observed(plan, parts[0][1], records[0])
    windows = _windows(plan, [(file, part, record) for file, record, part in found])
    run = replace(known, seconds=_seconds(records), baseline=baseline(plan), observed=observed, windows=windows)
    return result_of(plan, report, run, concerns)


def _record(file: Path) -> dict[str, Any]:
    """The file's object, as the current schema has it."""
    import orjson

    try:
        record = orjson.loads(file.read_bytes())
    except OSError as e:
        raise VezaflowError(f"{file} can't be read: {e.strerror}") from None
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict) or "figures" not in record:
        raise VezaflowError(
            f"{file} is not a result of `vezaflow run`",
            hint="`vezaflow run --segment 1/2` writes the file of a segment",
        )
    if record.get("schema") == 1:
        record = upgraded(record)
    elif record.get("schema") != SCHEMA:
        raise VezaflowError(
            f"{file} has schema {str(record.get('schema'))[:20]}, and this version reads 1 and {SCHEMA}",
            hint="merge with the newest version of vezaflow that wrote one of the files",
        )
    if record.get("segment") is None:
        raise VezaflowError(
            f"{file} is the result of a whole run, not of a segment", hint="`vezaflow run --segment 1/2` runs a segment"
        )
    return dict(record)


def _segment(file: Path, record: dict[str, Any]) -> SegmentResult:
    try:
        if place := misfit(record, _RUN):
            raise ValueError(f"`{place}` is invalid")
        if datetime.fromisoformat(record["started"]).utcoffset() is None:
            raise ValueError("`started` has no UTC offset")
        events_of(record)
        return SegmentResult.from_json(record["segment"], record["figures"])
    except ValueError as e:
        raise VezaflowError(
            f"{file} can't be read as the result of a segment: {str(e)[:200]}",
            hint="is it complete, and from this version of vezaflow or an earlier one?",
        ) from None


def _check(one: tuple[Path, SegmentResult], other: tuple[Path, SegmentResult]) -> None:
    """Raise VezaflowError where two segments, in the order of their numbers, can't be of one run."""
    (file, part), (next_file, next_part) = one, other
    pair = f"{file} and {next_file}"
    if part.segment.count != next_part.segment.count:
        raise VezaflowError(f"{pair} are segments {part.segment} and {next_part.segment}, with different totals")
    if part.segment == next_part.segment:
        raise VezaflowError(f"{pair} are both segment {part.segment}", hint="pass each segment once")
    found = differences(part.bundle, next_part.bundle)
    if found:
        raise VezaflowError(
            f"{pair} are not segments of the same run: {found}",
            hint="all segments need the same files, options, environment variables and seed",
        )


def _plan(part: SegmentResult) -> tuple[Plan, Provenance]:
    """The plan, and what it is of: on the machine that merges."""
    try:
        plan, suite = part.bundle.plan(), part.bundle.suite()
    except BundleError as e:
        raise WrongFilesError(e.diagnostics) from None
    return plan, provenance_of(suite, part.bundle.inputs, plan)


def _observed(plan: Plan, part: SegmentResult, record: dict[str, Any]) -> Observed | None:
    """What the server's Prometheus said, as the first segment has read it; None where nobody was asked."""
    found = None if part.segment.index else record.get("observed")
    if found is not None:
        return observed_from_json(found)
    if not any(gate.metric.startswith(SERVER) for gate in plan.gates):
        return None
    first = f"segment 1/{part.segment.count}"
    if part.segment.index:
        return unobserved(f"{first}, which reads them, is missing")
    return unobserved(f"{first} has none: `observe` had no URL there, or an earlier version wrote its file")


def _windows(plan: Plan, found: Sequence[tuple[Path, SegmentResult, dict[str, Any]]]) -> EventWindows:
    """The events of the first segment, and what all of them kept of those times."""
    windows = windows_of(plan)
    _, first, record = found[0]
    if first.segment.index:
        windows.forgo(f"segment 1/{first.segment.count}, which carries out the events, is missing")
        return windows
    lacking = [str(part.segment) for _, part, _ in found if part.slices is None]
    unkept = f"segment {lacking[0]} has no figures by the second: an earlier version wrote its file" if lacking else ""
    began = _began(record)
    kept = [
        KeptSegment((_began(each) - began) / timedelta(seconds=1), part.slices, part.report.summary.successes)
        for _, part, each in found
    ]
    try:
        windows.settle(_occurred(plan, record, first.report.seconds), kept, unkept)
    except ValueError as e:
        raise VezaflowError(f"the seconds of one of the segments can't be read: {str(e)[:200]}") from None
    return windows


def _occurred(plan: Plan, record: dict[str, Any], seconds: float) -> Iterator[tuple[str, Extent]]:
    """When each event of the plan happened, with its window."""
    events = {event.name: event for event in plan.events}
    for each in events_of(record):
        if each.name in events:
            ended = seconds if each.end is None else each.end
            yield each.name, Extent(each.begin, ended + events[each.name].window)


def _began(record: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(record["started"])


def _seconds(records: Sequence[dict[str, Any]]) -> Seconds:
    """Of all segments together; of files from before they were kept, none."""
    return seconds_together(Seconds.from_json(record.get("by_second", ())) for record in records)


def _missing(parts: Sequence[SegmentResult]) -> list[Concern]:
    count = parts[0].segment.count
    there = {part.segment.index for part in parts}
    names = [f"{index + 1}/{count}" for index in range(count) if index not in there]
    if not names:
        return []
    what = f"segment {names[0]} is missing" if len(names) == 1 else f"segments {', '.join(names)} are missing"
    text = f"{what}: {len(names)} of {count} segments of the load are not in these figures"
    return [Concern(ConcernKind.LOAD_NOT_REACHED, text, "pass the files of all segments")]


def _apart(plan: Plan, records: Sequence[dict[str, Any]]) -> list[Concern]:
    apart = _spread(records)
    if apart <= _APART * plan.seconds:
        return []
    text = f"the segments started up to {units.duration(apart)} apart, so they were not one load"
    return [Concern(ConcernKind.LOAD_NOT_REACHED, text, "start them at the same time, or use a longer load")]


def _spread(records: Sequence[dict[str, Any]]) -> float:
    starts = [_began(record) for record in records]
    return (max(starts) - min(starts)) / timedelta(seconds=1)


def _circumstances(records: Sequence[dict[str, Any]]) -> Circumstances:
    notes = [f"segment {r['segment']['index']}/{r['segment']['count']}: {note}" for r in records for note in r["notes"]]
    apart = f", started {units.duration(_spread(records))} apart" if len(records) > 1 else ""
    notes.append(f"merged from {units.counted(len(records), 'segment')}{apart}")
    return Circumstances(
        run_id=min(record["run_id"] for record in records),
        began=min(map(_began, records)),
        interrupted=any(record["interrupted"] for record in records),
        aborted=next((record["aborted"] for record in records if record["aborted"]), ""),
        notes=tuple(notes),
        events=tuple(happened for record in records for happened in events_of(record)),
        readings=side_by_side([Reading(**each) for each in record.get("readings", ())] for record in records),
    )
