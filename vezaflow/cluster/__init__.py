"""One load from many machines, which a Dask scheduler leads to: started together, checked, and never run twice."""

from vezaflow.cluster.clusters import ClusterAddress, ClusterKind, connected

__all__ = ["ClusterAddress", "ClusterKind", "connected"]
