"""Asking the server's Prometheus: now and then during the load for the display, and after it for gates and reports.

Laws: the load never waits for it, and it has a transport of its own. While the load goes on what fails is silent; after
it the reason is in the result. The reading is bounded by `wait` of `observe`, and ends where its caller cancels it.
"""

import time
from datetime import datetime

import trio

from vezaflow.metrics import Summary
from vezaflow.observe import (
    EVERY,
    MOST,
    Observed,
    Period,
    Periods,
    PrometheusApi,
    ServerNow,
    UnreadError,
    read,
    server_now,
    unobserved,
)
from vezaflow.plan import Plan, Segment
from vezaflow.protocols import Transport


class ServerWatch:
    """One run's. `run` is its task; all else is called while that goes on."""

    def __init__(self, plan: Plan, part: Segment | None = None, *, every: float = EVERY) -> None:
        """`part`: the segment of the load that the run is; None: all of it."""
        self._plan = plan
        self._part = part
        self._every = every
        self._nursery: trio.Nursery | None = None
        self._watching = trio.CancelScope()
        self.now: tuple[ServerNow, ...] = ()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; where there is nobody to ask it ends at once."""
        prometheus = self._plan.observe
        if prometheus is None:
            task_status.started()
            return
        self._transport = Transport(max_body=MOST)
        # the system's authorities take 20 ms to read: now, and not in the load
        self._transport.route(prometheus.base.origin, prometheus.client, None, None)
        async with trio.open_nursery() as self._nursery:
            await self._nursery.start(self._transport.run)
            task_status.started()

    def begin(self) -> None:
        """The load has begun. Returns at once."""
        if self._nursery is not None:
            self._nursery.start_soon(self._watch, trio.current_time())

    async def read(self, began: datetime, summary: Summary, seconds: float) -> Observed | None:
        """What the server's Prometheus says of the load that has ended; None where there is nobody to ask. `began`:
        when it began; `seconds`: how long it lasted."""
        self._watching.cancel()
        prometheus = self._plan.observe
        if prometheus is None or self._nursery is None:
            return None
        periods = periods_of(self._plan, summary, began.timestamp(), None if self._part is None else seconds)
        if not periods:
            return unobserved("no request was evaluated, so there is no time to read it of")
        api = PrometheusApi(prometheus, self._transport)
        try:
            asked = time.time()
            theirs = await api.now()
            return await read(prometheus, api, periods, theirs - (asked + time.time()) / 2)
        except UnreadError as e:
            return unobserved(str(e))
        finally:
            api.close()

    async def _watch(self, begin: float) -> None:
        prometheus = self._plan.observe
        assert prometheus is not None
        api = PrometheusApi(prometheus, self._transport)
        try:
            with self._watching:
                while True:
                    await trio.sleep(self._every)
                    self.now = await server_now(prometheus, api, trio.current_time() - begin)
        finally:
            api.close()


def periods_of(plan: Plan, summary: Summary, began: float, of_segment: float | None = None) -> Periods:
    """The time that gates judge, of each flow and of all together; of flows that judged nothing there is none.
    `of_segment`: the run is one segment of a load and lasted so many seconds. Its share of a flow may be nothing, while
    others run it: that lasts as planned."""
    found: dict[str | None, Period] = {}
    for flow in plan.flows:
        seconds, starts = summary.seconds(flow.name), flow.load.start_time + flow.judged_from
        if of_segment is not None and not seconds:
            seconds = min(flow.load.start_time + flow.load.duration, of_segment) - starts
        if seconds > 0:
            found[flow.name] = Period(began + starts, began + starts + seconds)
    if not found:
        return {}
    whole = Period(min(each.begin for each in found.values()), max(each.end for each in found.values()))
    wanted = {gate.flow for gate in plan.gates if gate.is_elsewhere}
    return {None: whole, **{flow: period for flow, period in found.items() if flow in wanted}}
