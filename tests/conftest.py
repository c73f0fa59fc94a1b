"""How many examples Hypothesis draws: a hundred, or thousands where VEZAFLOW_LONG is set. And signals as a terminal has
them: what a shell starts in the background ignores Ctrl-C, and so would each program that a test starts from there.
And a state folder of the tests' own, so that no run of theirs is in the history of who runs them. And tests run side by
side, but for those that measure, or count on having a core (`alone`). What takes `long` waits for VEZAFLOW_LONG.
"""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from turns import this_run, turn

HERE = Path(__file__).parent
# Tests of these measure time, start more processes than there are cores, or judge how a load went that a test's own
# way of starting the program does not put on again.
ALONE = (
    "capacity/test_queues.py", "cli/test_interrupts.py", "cli/test_segments.py", "cli/test_starved.py",
    "cli/test_steer.py", "cli/test_undisturbed.py", "cluster/test_cluster_", "live/test_audits.py",
    "live/test_event_stream",
    "live/test_failover.py", "live/test_frozen_target.py", "live/test_http2", "live/test_listeners.py",
    "live/test_protocol", "live/test_real_player.py", "live/test_true_times.py", "live/test_websocket",
    "scale/test_worker", "syntax/test_readings.py", "test_soak.py", "test_reserve.py",
)  # fmt: skip

settings.register_profile("default", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("default"), max_examples=3000)
settings.load_profile("long" if os.environ.get("VEZAFLOW_LONG") else "default")

os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="vezaflow-tests-")
os.environ.pop("VEZAFLOW_HISTORY", None)
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(HERE).as_posix().startswith(ALONE):
            item.add_marker("alone")
        if item.get_closest_marker("long") is not None and "VEZAFLOW_LONG" not in os.environ:
            item.add_marker(pytest.mark.skip(reason="takes long: `make long` runs it"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    run = this_run()
    if run is None:
        return (yield)
    with turn(run, alone=item.get_closest_marker("alone") is not None):
        return (yield)
