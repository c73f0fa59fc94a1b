"""How the generator itself fares: CPU, loop lag, memory. A tool that can't keep up must say so."""

import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import trio

from vezaflow.metrics import Histogram
from vezaflow.protocols import Receiving

PROBE = 0.05  # seconds between two looks at the loop


@dataclass(frozen=True, slots=True)
class Vitals:
    """A reading. Lags in seconds: how late the event loop came to what was due."""

    cpu_share: float  # of one core, over the last second or so
    cpu_mean: float  # since the start of the load
    cpu_most: float
    lag_p99: float
    lag_most: float
    memory: int  # bytes, the peak
    receive_clock: str = "read"  # kernel: answers are stamped when they come, read: when they are read
    late_reads: int = 0  # made over 1 ms late, and put right by the kernel's stamps
    latest_read: float = 0.0  # seconds
    away: float = 0.0  # share of the time that the loop was late for what was due


class Health:
    """Measures while it runs as a task; `vitals` may be read at any time."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        cpu: Callable[[], float] = time.process_time,
        receiving: Callable[[], Receiving] = Receiving,
    ) -> None:
        """`receiving`: by which clock answers are stamped."""
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
            if now - self._last[0] >= 1.0:
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
        mean = cpu / wall if wall > 0 else 0.0
        return Vitals(
            cpu_share=self._share,
            cpu_mean=mean,
            cpu_most=max(self._most, mean),
            lag_p99=lags.quantile(0.99) or 0.0,
            lag_most=lags.maximum if lags.count else 0.0,
            memory=_peak_memory(),
            receive_clock=receiving.clock,
            late_reads=receiving.late,
            latest_read=receiving.latest,
            away=lost / (lost + lags.count * PROBE) if lost else 0.0,
        )


def _peak_memory() -> int:
    """In bytes. On Linux ru_maxrss begins with what the parent had when it forked: the kernel's own mark is used."""
    with suppress(OSError, StopIteration, ValueError), open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM:")).split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
