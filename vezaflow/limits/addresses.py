"""The local addresses that a plan's VUs connect from: one that this machine does not have is found before any load."""

import socket
from collections.abc import Iterable

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan import Plan


def require_addresses(plan: Plan) -> None:
    """Raise VezaflowError (REFUSED) if VUs are to connect from an address that this machine does not have."""
    missing = missing_addresses(local_addresses(plan))
    if missing:
        raise VezaflowError(
            f"this machine does not have the local address {' or '.join(missing)}",
            hint="`ip address` lists those that it has; `http: {local_address: …}` names them",
            code=ExitCode.REFUSED,
        )


def local_addresses(plan: Plan) -> tuple[str, ...]:
    """Those that VUs are to connect from, each once."""
    return tuple({address: None for client in plan.clients for address in client.local_addresses})


def missing_addresses(addresses: Iterable[str]) -> list[str]:
    """Those that the machine this runs on does not have."""
    return [address for address in addresses if not _is_own(address)]


def _is_own(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
