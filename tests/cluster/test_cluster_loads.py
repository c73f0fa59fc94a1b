"""A cluster for one load after another, by a real scheduler: machines that are slow to say hello, a scheduler that is
gone or stands still between two loads."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dask_cluster import DaskCluster, dask_cluster
from planned import plan_of, suite_of

from vezaflow.cluster import ClusterAddress, joined
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan import Bundle, Inputs

pytestmark = pytest.mark.slow
FLOW = """
flow: browse
load: {vus: 4, duration: 10s}
steps: [{get: /}]
"""
ASKED = (plan_of(FLOW), Bundle((), (), Inputs({}), ()), suite_of(FLOW))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path, 2) as found:
        yield found


def test_machines_whose_hellos_are_seconds_apart_take_part(cluster: DaskCluster) -> None:
    late = cluster.workers[-1]
    late.stop()
    later = threading.Timer(4.0, late.go_on)
    later.start()
    with joined(ClusterAddress.read(cluster.address)) as machines:
        shares = machines.shares(*ASKED, reach=False)
    later.join()
    assert [share.troubles for share in shares] == [(), ()]


@pytest.mark.parametrize("goes", [lambda of: of.kill(), lambda of: of.stop()], ids=["is gone", "stands still"])
def test_a_scheduler_that_went_between_two_loads_refuses_the_second(
    cluster: DaskCluster, goes: Callable[[object], None]
) -> None:
    with joined(ClusterAddress.read(cluster.address)) as machines:
        assert len(machines.shares(*ASKED, reach=False)) == 2
        goes(cluster.scheduler)
        with pytest.raises(VezaflowError, match="the scheduler can't be reached any more") as refused:
            machines.shares(*ASKED, reach=False)
    assert refused.value.code is ExitCode.REFUSED
