"""How the generator itself fares: CPU, loop lag, memory. A tool that can't keep up must say so."""

import resource
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

import trio

from vezaflow.metrics import Histogram
from vezaflow.protocols import Receiving

PROBE = 0.05  # seconds between two looks at the loop
LEAST = 1.0  # seconds that shares are of: who was done in a moment, as a worker without VUs, kept no core busy


@dataclass(frozen=True, slots=True)
class Vitals:
    """A reading of one process. Times in seconds; lag is how late the event loop came to what was due."""

    cpu: float  # share of one core, over the last second or so
    cpu_mean: float  # since the start of the load
    cpu_max: float
    lag_p99: float
    lag_max: float
    memory: int  # bytes, the peak
    receive_clock: str = "read"  # kernel: responses are stamped when they come, read: when they are read
    late_reads: int = 0  # made more than 1 ms after the bytes came; the kernel's stamps correct them
    read_delay_max: float = 0.0
    lag_share: float = 0.0  # share of the time that the loop was late for what was due


NO_VITALS = Vitals(0.0, 0.0, 0.0, 0.0, 0.0, 0)  # of a process that has reported nothing


def worst(vitals: Collection[Vitals]) -> Vitals:
    """Of several processes the worst reading of each; their memory and their late reads together. Who reported nothing
    says nothing: neither that its kernel stamps responses, nor that it does not."""
    vitals = [each for each in vitals if each != NO_VITALS]
    if not vitals:
        return NO_VITALS
    return Vitals(
        cpu=max(each.cpu for each in vitals),
        cpu_mean=max(each.cpu_mean for each in vitals),
        cpu_max=max(each.cpu_max for each in vitals),
        lag_p99=max(each.lag_p99 for each in vitals),
        lag_max=max(each.lag_max for each in vitals),
        memory=sum(each.memory for each in vitals),
        receive_clock="kernel" if all(each.receive_clock == "kernel" for each in vitals) else "read",
        late_reads=sum(each.late_reads for each in vitals),
        read_delay_max=max(each.read_delay_max for each in vitals),
        lag_share=max(each.lag_share for each in vitals),
    )


class HealthMonitor:
    """Measures while it runs as a task; `vitals` may be read at any time."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        cpu: Callable[[], float] = time.process_time,
        receiving: Callable[[], Receiving] = Receiving,
    ) -> None:
        """`receiving`: by which clock responses are stamped."""
        self._clock = clock
        self._cpu = cpu
        self._receiving = receiving
        self._begun = (clock(), cpu())
        self._last = self._begun
        self._share = 0.0
        self._most = 0.0
        self._lags = Histogram()

    def begin(self) -> None:
        """Forget what was before the load."""
        self._begun = self._last = (self._clock(), self._cpu())
        self._share = self._most = 0.0
        self._lags = Histogram()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look at the loop twenty times a second, until cancelled."""
        task_status.started()
        while True:
            due = self._clock() + PROBE
            await trio.sleep(PROBE)
            now = self._clock()
            self._lags.record(max(0.0, now - due))
            if now - self._last[0] >= LEAST:
                self._look(now)

    def _look(self, now: float) -> None:
        cpu = self._cpu()
        self._share = (cpu - self._last[1]) / (now - self._last[0])
        self._most = max(self._most, self._share)
        self._last = (now, cpu)

    def vitals(self) -> Vitals:
        wall, cpu = self._clock() - self._begun[0], self._cpu() - self._begun[1]
        lags = self._lags
        lost = (lags.mean or 0.0) * lags.count
        receiving = self._receiving()
        mean = cpu / max(wall, LEAST)
        return Vitals(
            cpu=self._share,
            cpu_mean=mean,
            cpu_max=max(self._most, mean),
            lag_p99=lags.quantile(0.99) or 0.0,
            lag_max=lags.maximum if lags.count else 0.0,
            memory=_peak_memory(),
            receive_clock=receiving.clock,
            late_reads=receiving.late,
            read_delay_max=receiving.latest,
            lag_share=lost / max(lost + lags.count * PROBE, LEAST),
        )


def _peak_memory() -> int:
    """In bytes. On Linux ru_maxrss begins with what the parent had when it forked: the kernel's own mark is used."""
    with suppress(OSError, StopIteration, ValueError), open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM:")).split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
