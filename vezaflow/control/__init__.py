"""A running test, watched and steered from another terminal over a Unix socket that only its owner can open."""

from vezaflow.control.client import Caller, Run, call, run_of, runs
from vezaflow.control.screen import screen
from vezaflow.control.server import serve
from vezaflow.control.steering import Steering
from vezaflow.control.wire import Controls

__all__ = ["Caller", "Controls", "Run", "Steering", "call", "run_of", "runs", "screen", "serve"]
