"""Keeps a run as it goes: the session's Keeper. One thread writes, about once a second, whatever has come by then.

Laws: no call waits, but the last, and that only for so long. A database that is busy, full or away is tried again for
as long as the run lasts; what could not be written in the end is in a file that `vezaflow history import` takes in.
None of this changes the verdict.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from vezaflow import units
from vezaflow.errors import VezaflowError
from vezaflow.history.kept import Json, Second, header_of, id_of
from vezaflow.history.portable import Spill
from vezaflow.history.process import this_process
from vezaflow.history.store import DATABASE_ERRORS, Store, reason
from vezaflow.metrics import Interval, Point
from vezaflow.results import RunResult, RunStart

PATIENCE = 10.0  # seconds for the last of a run to be written
_EVERY = 1.0  # seconds between two commits
_RETRY, _RETRY_MOST = 0.5, 5.0  # seconds until a database that failed is tried again
_LAST_RETRY = 0.2  # the same when the run is over
_BATCH = 50  # seconds of a run in one commit: 1.5 ms of CPU each, of which the load must not see much at once
_HELD = 3600  # seconds of a run that wait for a database that is away; from then on they go to the file


class Writer:
    """Keeps one run in a store. `folders`: where the file goes that takes what the store does not, the first that can.

    The store has been prepared, or will be by the first write that succeeds.
    """

    def __init__(self, store: Store, folders: Sequence[Path]) -> None:
        self._store = store
        self._folders = folders
        self._thread = threading.Thread(target=self._work, name="history", daemon=True)
        self._wake = threading.Event()
        self._spilling = threading.Lock()  # the thread, and who waits for it in vain
        self._waiting: deque[tuple[int, Interval, Sequence[Point]]] = deque()
        self._spill: Spill | None = None
        self._number = 0
        self._lost = 0
        self._header: Json = {}
        self._bundle: Json = {}
        self._record: Json | None = None
        self._over = False
        self._deadline = float("inf")
        self._begun = False  # whether the store has the run
        self._written = False  # whether all is where it belongs
        self._trouble = ""

    @property
    def id(self) -> str:
        """The run's id in the history; empty before its load."""
        return id_of(self._header) if self._header else ""

    def begin(self, start: RunStart) -> None:
        self._header, self._bundle = header_of(start), start.bundle.to_json()
        self._thread.start()

    def second(self, interval: Interval, points: Sequence[Point]) -> None:
        if len(self._waiting) >= 2 * _HELD:  # only where the thread itself hangs
            self._lost += 1
        else:
            self._waiting.append((self._number, interval, tuple(points)))
        self._number += 1

    def end(self, result: RunResult) -> None:
        """The run is over: `wait` sees to it that it is kept."""
        from vezaflow.reports import to_json

        record = to_json(result)
        del record["by_second"]
        self._record = record
        self._finish(PATIENCE)

    def wait(self) -> str:
        """Wait for the last to be written. Says what is to be said of it; empty where all is kept."""
        if not self._header:  # it never came to a load
            self._store.close()
            return ""
        if not self._over:
            self._finish(PATIENCE / 5)  # it failed on the way: what came until then is kept
        self._thread.join(max(0.0, self._deadline - time.monotonic()) + 0.5)
        with self._spilling:
            if not self._written:  # the thread hangs in the database
                self._put_by(over=True)
            return self._said()

    def _finish(self, patience: float) -> None:
        self._deadline = time.monotonic() + patience
        self._over = True
        self._wake.set()

    def _work(self) -> None:
        try:
            self._keep()
        finally:
            self._store.close()

    def _keep(self) -> None:
        retry = _RETRY
        while not self._written:
            over = self._over
            try:
                if self._spill is None:
                    self._write(over)
                    retry, self._trouble = _RETRY, ""
            except (*DATABASE_ERRORS, VezaflowError) as e:
                self._trouble = e.message if isinstance(e, VezaflowError) else reason(e)
            self._after(over)
            if over:
                time.sleep(0.0 if self._written else _LAST_RETRY)
            elif self._trouble:
                self._wake.wait(retry)
                retry = min(2 * retry, _RETRY_MOST)
            else:
                self._wake.wait(_EVERY)

    def _after(self, over: bool) -> None:
        """What does not get into the store goes to the file, when it is time."""
        late = bool(self._trouble) and over and time.monotonic() >= self._deadline
        if late or self._spill is not None or len(self._waiting) >= _HELD:
            with self._spilling:
                self._put_by(over)

    def _write(self, over: bool) -> None:
        """Put into the store what waits for it."""
        if not self._begun:
            self._store.prepare()
            self._store.begin(self._header, self._bundle, this_process())
            self._begun = True
        last = False
        while not last:
            count = min(len(self._waiting), _BATCH)
            last = count == len(self._waiting)
            seconds = [Second.of(*self._waiting[at]) for at in range(count)]
            if over and last and self._record is not None:
                self._store.end(self.id, seconds, self._record)
            else:
                self._store.put(self.id, seconds)
            with self._spilling:
                if self._written:  # into the file, meanwhile
                    return
                for _ in range(count):
                    self._waiting.popleft()
                self._written = over and last

    def _put_by(self, over: bool) -> None:
        """Put what waits into the file."""
        if self._written:
            return
        if self._spill is None:
            self._spill = Spill(self._folders, self.id)
            self._spill.begin(self._header, self._bundle)
        seconds = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._spill.put([Second.of(*each) for each in seconds])
        if over:
            self._spill.end(self._record)
            self._written = True

    def _said(self) -> str:
        lost = f"; {units.counted(self._lost, 'second')} of it are lost" if self._lost else ""
        if self._spill is None:
            return f"the history {self._store.place} lacks a part of this run{lost}" if lost else ""
        why = f"the history {self._store.place} could not be written: {self._trouble or 'it did not respond'}{lost}"
        if self._spill.trouble:
            return f"{why}; nor could a file: {self._spill.trouble}"
        return f"{why}\n  hint: once it is back: vezaflow history import {self._spill.file}"
