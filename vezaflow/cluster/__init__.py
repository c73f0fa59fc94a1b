"""One load from many machines, which a Dask scheduler leads to: started together, checked, and never run twice.

Nothing of Dask is imported before a cluster is asked for.
"""

from vezaflow.cluster.address import ClusterAddress, ClusterKind
from vezaflow.cluster.entry import cluster_shares, gathered, mustered

__all__ = [
    "ClusterAddress",
    "ClusterKind",
    "cluster_shares",
    "gathered",
    "mustered",
]
