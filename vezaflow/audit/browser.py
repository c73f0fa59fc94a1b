"""Chromium for one run of Lighthouse: a fresh profile, a session in it, a port for Lighthouse to drive it by.

The profile lies in a folder that ends with the browser, so that no run finds another one's cache.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from vezaflow.audit.children import child, last_words
from vezaflow.audit.devtools import DevTools

_STARTUP = 30.0  # seconds until it listens
_LOOK = 0.05  # seconds between two looks
_LONGEST = 60  # characters of a folder in which it can still make the path of its socket, 107 at most
SWITCHES = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-breakpad", "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages", "--disable-component-update", "--disable-default-apps",
    "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync", "--metrics-recording-only", "--mute-audio",
    "--password-store=basic", "--use-mock-keychain",
)  # fmt: skip
"""As chrome-launcher has them: nothing in the background that a page's figures could show."""


class BrowserError(Exception):
    """The browser can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class BrowserAddress:
    """Where a browser is driven from."""

    port: int
    path: str  # of its own WebSocket


@asynccontextmanager
async def browser(
    path: str, folder: Path, *, environment: Mapping[str, str], within: Path, cpus: frozenset[int] | None
) -> AsyncIterator[BrowserAddress]:
    """A browser with a profile in `folder`; `within` is removed with both where this process is killed. Raises
    BrowserError."""
    profile, said = folder / "profile", folder / "browser.log"
    profile.mkdir()
    if len(str(folder)) <= _LONGEST:
        environment = {**environment, "TMPDIR": str(folder)}  # where it leaves a folder of its own each time
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # its sandbox can't be had by root
    command = (path, *SWITCHES, *root, f"--user-data-dir={profile}", "about:blank")
    try:
        starting = child(command, environment=environment, said=said, folder=within, cpus=cpus)
        async with starting as process:
            yield await _listening(process, profile / "DevToolsActivePort", said)
    except OSError as e:
        raise BrowserError(f"{path} can't be started: {e.strerror or e}") from None


async def _listening(process: trio.Process, port_file: Path, said: Path) -> BrowserAddress:
    with trio.move_on_after(_STARTUP):
        while process.poll() is None:
            if (found := _endpoint(port_file)) is not None:
                return found
            await trio.sleep(_LOOK)
        raise BrowserError(f"the browser ended when it started: {last_words(said)}")
    raise BrowserError(f"the browser did not listen within {_STARTUP:.0f} s: {last_words(said)}")


def _endpoint(port_file: Path) -> BrowserAddress | None:
    """What a browser writes when it listens."""
    try:
        port, *rest = port_file.read_text().split("\n")
    except OSError:
        return None
    return BrowserAddress(int(port), rest[0]) if port.isdecimal() and rest else None


async def connected(endpoint: BrowserAddress) -> DevTools:
    """A connection to a browser."""
    return await DevTools.connect(endpoint.port, endpoint.path)
