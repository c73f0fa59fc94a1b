"""Nodes → the model, with every fault collected."""

from vezaflow.read.files import inside, is_file
from vezaflow.read.gates import unknown_metric
from vezaflow.read.headers import closes
from vezaflow.read.json_schema import check_schemas
from vezaflow.read.mappings import open_mapping
from vezaflow.read.scalars import expression, may_become
from vezaflow.read.suite_files import read_suite

__all__ = [
    "check_schemas",
    "closes",
    "expression",
    "inside",
    "is_file",
    "may_become",
    "open_mapping",
    "read_suite",
    "unknown_metric",
]
