"""The embedded target: a Veza-like API in a process of its own, for demonstrations and tests.

Importing this door costs neither uvicorn nor starlette; starting a sandbox does.
"""

from vezaflow.sandbox.process import serve, start
from vezaflow.sandbox.settings import SandboxSettings
from vezaflow.sandbox.target import UNSTARTED, Sandbox

__all__ = ["UNSTARTED", "Sandbox", "SandboxSettings", "serve", "start"]
