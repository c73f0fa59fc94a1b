"""The machines of a cluster in an explanation: what each would carry, and what there is against it."""

from collections.abc import Iterator

from vezaflow import units
from vezaflow.explain.explained import Explanation
from vezaflow.limits import MachineShare
from vezaflow.reports import Look, table, wrapped

_HEAD = ("machine", "cores", "workers", "of the load", "VUs", "start", "address")


def machines_of(e: Explanation, look: Look) -> Iterator[str]:
    """A row for each, and under the table what is to be known of them."""
    if not e.machines:
        return
    yield look.title("Machines")
    yield from table(_HEAD, [_cells(each) for each in e.machines], look)
    for each in e.machines:
        yield from wrapped(f"{each.name}: {', '.join(f'{vus:,} of {flow}' for flow, vus in each.vus)}", look, "  ")
        for problem in each.problems:
            yield from wrapped(f"refused: {problem}", look, "  ", lambda line: look.paint(line, "1;31"))
        for warning in each.warnings:
            yield from wrapped(warning, look, "  ", lambda line: look.paint(line, "33"))


def _cells(each: MachineShare) -> tuple[str, ...]:
    cores = "–" if each.cores is None else units.number(each.cores)
    vus = units.number(sum(count for _, count in each.vus))
    start = f"±{units.duration(each.clock_error)}"
    return (each.name, cores, units.number(each.workers), units.ratio(each.fraction), vus, start, each.address)
