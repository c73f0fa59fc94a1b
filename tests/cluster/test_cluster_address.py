"""What `--cluster` may say, and what is refused before anything connects."""

from pathlib import Path

import click
import pytest
from planned import plan_of, suite_of

from vezaflow.cli.crews import asked_cluster
from vezaflow.cluster import ClusterAddress, ClusterKind, joined
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan import Bundle, Inputs

FLOW = """
flow: browse
load: {vus: 4, duration: 10s}
steps: [{get: /}]
"""
PLAN = plan_of(FLOW)
EMPTY = Bundle((), (), Inputs({}), ())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tls://scheduler:8786", ClusterKind.SCHEDULER),
        ("tcp://127.0.0.1:8786", ClusterKind.SCHEDULER),
        ("local:3", ClusterKind.LOCAL),
        ("ssh:hosts.txt", ClusterKind.SSH),
        ("ssh:/etc/hosts.txt", ClusterKind.SSH),
    ],
)
def test_a_cluster_is_named_in_one_of_four_ways(text: str, kind: ClusterKind) -> None:
    assert ClusterAddress.read(text).kind is kind


WRONG = "|local|local:|local:0|local:-1|local:65|local:x|ssh:|tls:|tls://|8786|http://scheduler:8786|scheduler:8786"


@pytest.mark.parametrize("text", WRONG.split("|"))
def test_what_names_no_cluster_is_told_what_would(text: str) -> None:
    with pytest.raises(ValueError, match="local:3"):
        ClusterAddress.read(text)


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://127.8.0.1:8786", False),
        ("tcp://[::1]:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://localhost.example:8786", True),
        ("tcp://10.0.0.1:8786", True),
        ("tcp://0.0.0.0:8786", True),
        ("tcp://[2001:db8::1]:8786", True),
        ("tcp://scheduler:8786", True),
        ("tls://10.0.0.1:8786", False),
        ("local:3", False),
        ("ssh:hosts.txt", False),
    ],
)
def test_whether_others_could_reach_it_is_known(text: str, others: bool) -> None:
    assert ClusterAddress.read(text).in_the_open is others


def test_a_scheduler_without_tls_is_refused_unless_that_is_accepted() -> None:
    where = ClusterAddress.read("tcp://192.0.2.1:8786")
    with (
        pytest.raises(VezaflowError, match=r"tcp://192\.0\.2\.1:8786 is not protected by TLS") as refused,
        joined(where),
    ):
        pass
    assert refused.value.code is ExitCode.REFUSED
    assert "--insecure-cluster" in refused.value.hint


@pytest.mark.slow
def test_no_scheduler_is_refused_with_the_way_to_start_one() -> None:
    with (
        pytest.raises(VezaflowError, match="there is no Dask scheduler at tcp://127") as refused,
        joined(ClusterAddress.read("tcp://127.0.0.1:1")) as machines,
    ):
        machines.shares(PLAN, EMPTY, suite_of(FLOW), reach=False)
    assert refused.value.code is ExitCode.REFUSED
    assert "dask scheduler" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "names no host"),
        (b"# none\n\n", "names no host"),
        (None, "can't be read"),
        (b"one\ntwo python -E\n", "hosts.txt:2: expected a host"),
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"-oProxyCommand=touch\n", "hosts.txt:1: '-oProxyCommand=touch' is not a host"),
    ],
)
def test_a_file_of_hosts_that_names_none_is_refused(text: bytes | None, why: str, tmp_path: Path) -> None:
    file = tmp_path / "hosts.txt"
    if text is not None:
        file.write_bytes(text)
    with (
        pytest.raises(VezaflowError, match=why) as refused,
        joined(ClusterAddress.read(f"ssh:{file}")) as machines,
    ):
        machines.shares(PLAN, EMPTY, suite_of(FLOW), reach=False)
    assert refused.value.code is ExitCode.REFUSED


@pytest.mark.parametrize(
    ("address", "insecure", "workers", "segmented"),
    [(None, True, 1, False), ("local:2", False, 2, False), ("local:2", False, 1, True)],
)
def test_an_option_that_would_be_ignored_is_refused(
    address: str | None, insecure: bool, workers: int, segmented: bool
) -> None:
    read = None if address is None else ClusterAddress.read(address)
    with pytest.raises(click.UsageError):
        asked_cluster(read, insecure=insecure, workers=workers, segmented=segmented)
