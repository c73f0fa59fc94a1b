"""How many examples Hypothesis draws: a hundred, or thousands where VEZAFLOW_LONG is set. And signals as a terminal has
them: what a shell starts in the background ignores Ctrl-C, and so would each program that a test starts from there.
And a state folder of the tests' own, so that no run of theirs is in the history of who runs them.
"""

import atexit
import os
import shutil
import signal
import tempfile

from hypothesis import HealthCheck, settings

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
