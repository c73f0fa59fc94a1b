"""One real sandbox for the folder's tests, and a client that talks to it."""

from collections.abc import Iterator

import httpx
import pytest

from vezaflow.sandbox import Sandbox, start


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with start() as running:
        yield running


@pytest.fixture
def visitor(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Somebody without a token."""
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
        yield client


@pytest.fixture
def member(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Somebody with the sandbox's token."""
    headers = {"authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(base_url=sandbox.base_url, headers=headers, trust_env=False) as client:
        yield client
