"""What a load means: that it asks for something, that its numbers fit together, that the guard lets it through.

Only numbers that the file settles are judged here; the plan judges those that inputs give.
"""

from math import ceil

from vezaflow import units
from vezaflow.diagnostics import Diagnostics
from vezaflow.model import MOST_RATE, MOST_VUS, Executor, Flow, Load, Most, Suite, constant, peak, total

_BRIEFEST = 0.0001  # seconds: no iteration with a request is over sooner, also next to its target


def check_loads(suite: Suite, diagnostics: Diagnostics) -> None:
    """Loads that can't be meant as they are written."""
    for flow in suite.flows:
        _check_reach(flow.load, diagnostics)
        _check_pool(flow.load, diagnostics)
        _check_crowd(flow.load, diagnostics)
        _check_shared(flow.load, diagnostics)
        _check_something(flow.load, diagnostics)
        _check_pauses(flow, diagnostics)


def check_guarded(suite: Suite, diagnostics: Diagnostics) -> None:
    """Flows that ask for more VUs than the suite's guard allows."""
    limit = suite.guard.max_vus
    most = constant(limit)
    asked = [(flow, most_vus(flow.load)) for flow in suite.flows]
    vus = int(sum(number or 0 for _, number in asked))
    if limit is not None and most is not None and vus > most:
        largest = max((flow for flow, number in asked if number), key=lambda flow: most_vus(flow.load) or 0)
        diagnostics.warning(
            "VF422",
            limit.span,
            f"the flows use {vus:,} VUs, and the guard allows {int(most):,}",
            help="use fewer VUs, or raise the limit",
            related=((largest.load.span, "the largest load"),),
        )


def most_vus(load: Load) -> Most:
    """As many VUs as there can ever be."""
    match load.executor:
        case Executor.RAMPING_VUS:
            return peak(load)
        case Executor.SHARED_ITERATIONS:
            bounds = constant(load.vus), constant(load.iterations)
            return None if None in bounds else min(bound for bound in bounds if bound is not None)
        case _:
            return constant(load.max_vus or load.pre_allocated_vus or load.vus)


def _check_shared(load: Load, diagnostics: Diagnostics) -> None:
    """VUs that no iteration is left for."""
    if load.executor is not Executor.SHARED_ITERATIONS or load.vus is None or load.iterations is None:
        return
    if load.iterations.span == load.span:  # not written: it is 1
        return
    vus, iterations = constant(load.vus), constant(load.iterations)
    if vus and iterations and iterations < vus:
        diagnostics.warning(
            "VF439",
            load.vus.span,
            f"{units.counted(int(vus), 'VU')} share {units.counted(int(iterations), 'iteration')}",
            label=f"{int(vus - iterations):,} of them get none",
            help="use at most as many VUs as iterations; with `per-vu-iterations` each VU runs all of them",
            related=((load.iterations.span, "the iterations of all VUs"),),
        )


def _check_reach(load: Load, diagnostics: Diagnostics) -> None:
    """No number of machines carries such a load: a slip of the keys."""
    targets = [stage.target for stage in load.stages]
    rates = [load.rate, load.start_rate, *(targets if load.executor.is_open else ())]
    vus = [load.vus, load.start_vus, load.pre_allocated_vus, load.max_vus, *(() if load.executor.is_open else targets)]
    bounds = [(rate, MOST_RATE, f"{MOST_RATE:,.0f}/s") for rate in rates]
    bounds += [(count, MOST_VUS, f"{MOST_VUS:,} VUs") for count in vus]
    for asked, most, text in bounds:
        if asked is not None and (constant(asked) or 0) > most:
            diagnostics.error("VF436", asked.span, f"the maximum of a flow is {text}", help="is this a typo?")


def _check_crowd(load: Load, diagnostics: Diagnostics) -> None:
    """A VU makes one iteration after another, and none takes less than its request's way through the machine."""
    rate = peak(load) if load.executor.is_ramp else constant(load.rate)
    vus = most_vus(load)
    if not load.executor.is_open or rate is None or not vus or rate > MOST_RATE or rate * _BRIEFEST <= vus:
        return
    diagnostics.warning(
        "VF437",
        (load.max_vus or load.pre_allocated_vus or load).span,
        f"{units.counted(int(vus), 'VU')} can't start {rate:,.0f} iterations per second",
        label=f"each would have to finish within {units.duration(vus / rate)}",
        help="the number of VUs needed is the rate times the duration of an iteration: for 100 ms, `max_vus: "
        f"{ceil(rate / 10)}`",
    )


def _check_pool(load: Load, diagnostics: Diagnostics) -> None:
    key, ready = ("pre_allocated_vus", load.pre_allocated_vus) if load.executor.is_open else ("vus", load.vus)
    least, most = constant(ready), constant(load.max_vus)
    if ready is None or load.max_vus is None or least is None or most is None or most >= least:
        return
    diagnostics.error(
        "VF419",
        load.max_vus.span,
        f"'max_vus' is below '{key}'",
        label=f"{int(most):,} at most",
        help=f"the {int(least):,} created before the start are included: raise `max_vus`, or lower `{key}`",
        related=((ready.span, f"{int(least):,} before the start"),) if ready.span != load.span else (),
    )


def _check_something(load: Load, diagnostics: Diagnostics) -> None:
    if load.executor.is_ramp:
        lasts, asks = total(constant(stage.duration) for stage in load.stages), peak(load)
    else:
        lasts = constant(load.duration)
        asks = constant(load.rate) if load.rate is not None else 1
    if not load.stages and load.executor.is_ramp:
        return  # an error already
    if lasts == 0:
        diagnostics.error("VF420", load.span, "this load has zero duration", help="set a duration, such as `5m`")
    elif asks == 0:
        diagnostics.error(
            "VF420",
            load.span,
            "this load is zero from start to end",
            help="raise a `target`" if load.executor.is_ramp else "set a `rate`, such as `500/s`",
        )


def _check_pauses(flow: Flow, diagnostics: Diagnostics) -> None:
    rest = "for a pause within an iteration use a `think` step"
    keys = (
        ("think", flow.think, rest),
        ("pace", flow.pace, rest),
        ("failure_backoff", flow.failure_backoff, "remove the key"),
    )
    for key, pause, remedy in keys:
        if pause is not None and flow.load.executor.is_open:
            diagnostics.error(
                "VF421",
                pause.span,
                f"'{key}' has no effect with {flow.load.executor.value}",
                help=f"an arrival rate determines when iterations start; {remedy}",
                related=((flow.load.span, "the load"),),
            )
