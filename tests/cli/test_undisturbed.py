"""While a result is written."""

import os
import signal

import pytest

from vezaflow.cli.undisturbed import undisturbed


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_passes_and_a_second_ends_it(which: signal.Signals) -> None:
    before = signal.getsignal(which)
    with undisturbed():
        os.kill(os.getpid(), which)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), which)
    assert signal.getsignal(which) is before
