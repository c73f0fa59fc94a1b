"""HAProxy's runtime API: one command a connection, and what came of it.

Laws: a response that HAProxy itself calls an error is one (its severity is asked for, so that words need not be
understood); a socket that is not there or is silent is one as well. No exception but HAProxyError leaves.
"""

import re

import trio

from vezaflow.plan import Address

_PATIENCE = 5.0  # seconds for a command
_MOST = 1 << 16  # bytes of a response
_SAID = re.compile(r"\[(\d)\]: (.*)")
_ERROR = 3  # as in syslog: what is lower is worse
_UNKNOWN = "Unknown command"  # with the severity of a mere information


class HAProxyError(Exception):
    """Why a command was not carried out, in words."""


async def run_command(address: Address, command: str) -> str:
    """The first line of the response; mostly empty. Raises HAProxyError."""
    if "\n" in command or "\r" in command:
        raise HAProxyError("a command must be one line")
    response = b""
    try:
        with trio.fail_after(_PATIENCE):
            async with await _connected(address) as stream:
                await stream.send_all(f"set severity-output number;{command}\n".encode())
                async for chunk in stream:
                    response += chunk
                    if len(response) > _MOST:
                        break
    except trio.TooSlowError:
        raise HAProxyError(f"{_shown(address)}: no response within {_PATIENCE:g} s") from None
    except (OSError, trio.BrokenResourceError) as e:
        raise HAProxyError(f"{_shown(address)}: {_reason(e)}") from None
    return _judged(response.decode(errors="replace"))


async def _connected(address: Address) -> trio.SocketStream:
    if isinstance(address, str):
        return await trio.open_unix_socket(address)
    return await trio.open_tcp_stream(*address)


def _judged(response: str) -> str:
    """What was said. Raises HAProxyError where that is an error."""
    said = [line.strip() for line in response.splitlines() if line.strip()]
    for line in said:
        if found := _SAID.fullmatch(line):
            severity, text = int(found[1]), found[2]
            if severity <= _ERROR or text.startswith(_UNKNOWN):
                raise HAProxyError(text.partition(", but maybe")[0])
    return _SAID.sub(r"\2", said[0]) if said else ""


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error.__cause__ or error) or type(error).__name__


def _shown(address: Address) -> str:
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"
