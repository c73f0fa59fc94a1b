"""Shares that were run by hand: what one of them can say alone, and the result of all together.

A share settles nothing: its counts are a part of the whole's, so its gates are judged when the shares are merged. Only
shares of one run are merged (the same files, inputs and seed, each share once); one that is missing is told, and the
verdict is inconclusive.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from vezaflow import units
from vezaflow.errors import VezaflowError
from vezaflow.gates import Concern, ConcernKind
from vezaflow.plan import BundleError, Plan, Segment
from vezaflow.results import RunResult
from vezaflow.scale import Share, differences, merged_shares
from vezaflow.session.files import WrongFilesError
from vezaflow.session.outcome import Circumstances, result_of, without
from vezaflow.untrusted import Shape, misfit

_TOLD: Shape = {"run_id": str, "started": str, "interrupted": bool, "aborted": str, "notes": [str], "share": {}}
_APART = 0.1  # of the load's duration: shares that began further apart were no one load


def share_of_run(plan: Plan, share: Share, run: Circumstances, doubts: Iterable[Concern] = ()) -> RunResult:
    """The record of one share. `doubts`: what else stands against trusting it."""
    kept = replace(share, report=without(plan.secrets, share.report))
    return replace(result_of(plan, kept.report, run, (doubt_of(share.segment), *doubts)), share=kept)


def doubt_of(segment: Segment) -> Concern:
    """What stands against judging one share."""
    text = f"this is segment {segment}: a single segment has no verdict"
    return Concern(ConcernKind.SHARE, text, "merge the files of all segments with `vezaflow merge`")


def merge(files: Sequence[Path]) -> RunResult:
    """One result of the shares in these files. Raises VezaflowError where they are not shares of one run."""
    found = [(file, record, _share(file, record)) for file, record in ((file, _record(file)) for file in files)]
    found.sort(key=lambda each: each[2].segment.index)
    shares = [(file, share) for file, _, share in found]
    for one, other in pairwise(shares):
        _check(one, other)
    plan = _plan(shares[0][1])
    report = merged_shares([share for _, share in shares])
    told = [record for _, record, _ in found]
    doubts = (*_missing([share for _, share in shares]), *_apart(plan, told))
    return result_of(plan, report, _circumstances(told), doubts)


def _record(file: Path) -> dict[str, Any]:
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
    if record.get("share") is None:
        raise VezaflowError(
            f"{file} is the result of a whole run, not of a segment", hint="`vezaflow run --segment 1/2` runs a segment"
        )
    return record


def _share(file: Path, record: dict[str, Any]) -> Share:
    try:
        if place := misfit(record, _TOLD):
            raise ValueError(f"`{place}` is invalid")
        if datetime.fromisoformat(record["started"]).utcoffset() is None:
            raise ValueError("`started` has no UTC offset")
        return Share.from_json(record["share"], record["figures"])
    except ValueError as e:
        raise VezaflowError(
            f"{file} can't be read as the result of a segment: {str(e)[:200]}",
            hint="is it complete, and from this version of vezaflow?",
        ) from None


def _check(one: tuple[Path, Share], other: tuple[Path, Share]) -> None:
    """Raise VezaflowError where two shares, in the order of their numbers, can't be of one run."""
    (file, share), (next_file, next_share) = one, other
    pair = f"{file} and {next_file}"
    if share.segment.count != next_share.segment.count:
        raise VezaflowError(f"{pair} are segments {share.segment} and {next_share.segment}, with different totals")
    if share.segment == next_share.segment:
        raise VezaflowError(f"{pair} are both segment {share.segment}", hint="pass each segment once")
    found = differences(share.bundle, next_share.bundle)
    if found:
        raise VezaflowError(
            f"{pair} are not segments of the same run: {found}",
            hint="all segments need the same files, options, environment variables and seed",
        )


def _plan(share: Share) -> Plan:
    try:
        return share.bundle.plan()
    except BundleError as e:
        raise WrongFilesError(e.diagnostics) from None


def _missing(shares: Sequence[Share]) -> list[Concern]:
    count = shares[0].segment.count
    there = {share.segment.index for share in shares}
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
    starts = [datetime.fromisoformat(record["started"]) for record in records]
    return (max(starts) - min(starts)) / timedelta(seconds=1)


def _circumstances(records: Sequence[dict[str, Any]]) -> Circumstances:
    notes = [f"share {r['share']['index']}/{r['share']['count']}: {note}" for r in records for note in r["notes"]]
    notes.append(f"merged from {len(records)} segments, started {units.duration(_spread(records))} apart")
    return Circumstances(
        run_id=min(record["run_id"] for record in records),
        began=min(datetime.fromisoformat(record["started"]) for record in records),
        interrupted=any(record["interrupted"] for record in records),
        aborted=next((record["aborted"] for record in records if record["aborted"]), ""),
        notes=tuple(notes),
    )
