"""Whether servers can be reached: a connection each, which is closed at once; of Prometheus one response.

Laws: to a target nothing is sent. All are tried at the same time, within a few seconds; nothing is raised.
"""

import base64
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

from vezaflow import units
from vezaflow.doctor.finding import Aspect, Finding, Grade
from vezaflow.errors import ExitCode

Target = tuple[str, str, int]  # what it is called, its host and its port
PATIENCE = 3.0  # seconds
_MOST_BYTES = 65_536
_AT_ONCE = 16
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def reached(targets: Iterable[Target], patience: float = PATIENCE) -> Iterator[Finding]:
    """A finding for each target."""
    asked = list(targets)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda each: _reached(each, patience), asked)


def _reached(target: Target, patience: float) -> Finding:
    name, host, port = target
    begun = time.perf_counter()
    try:
        with socket.create_connection((host, port), timeout=patience):
            took = time.perf_counter() - begun
    except OSError as e:
        remedy = "start it, or check the address, the DNS name and the firewall between here and there"
        text = f"can't be reached: {_reason(e)}"
        return Finding(Aspect.NETWORK, name, Grade.BAD, text, remedy, ExitCode.REFUSED)
    text = f"reached, name and connection in {units.duration(took)}"
    return Finding(Aspect.NETWORK, name, Grade.GOOD, text, value=took)


def prometheus(url: str, patience: float = PATIENCE) -> Finding:
    """Whether a Prometheus is at this URL, and which. A run does without it: it is no reason to send no load."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    name = f"Prometheus {parts.scheme}://{place}"
    asked = urllib.request.Request(f"{parts.scheme}://{place}{parts.path.rstrip('/')}/api/v1/status/buildinfo")
    if parts.username is not None:
        asked.add_header("Authorization", _basic(parts.username, parts.password or ""))
    try:
        with _DIRECT.open(asked, timeout=patience) as response:
            document = json.loads(response.read(_MOST_BYTES))
        version = str(document["data"]["version"])
    except urllib.error.HTTPError as e:
        with e:
            return _without(name, f"responds with status {e.code}")
    except (OSError, urllib.error.URLError) as e:
        return _without(name, f"can't be reached: {_reason(e)}")
    except (ValueError, KeyError, TypeError):
        return _without(name, "responds, but is not a Prometheus")
    return Finding(Aspect.NETWORK, name, Grade.GOOD, f"reached, version {version}", value=version)


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{unquote(user)}:{unquote(password)}'.encode()).decode()}"


def _without(name: str, text: str) -> Finding:
    return Finding(Aspect.NETWORK, name, Grade.POOR, text, "check the URL: it is that of the server, without `/graph`")


def _reason(error: OSError) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "no response in time"
    strerror = inner.strerror if isinstance(inner, OSError) else None
    return (strerror or str(inner)).lower()
