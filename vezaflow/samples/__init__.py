"""Every single request of a load, written to files beside it."""

from vezaflow.samples.files import SAMPLE_COLUMNS, SampleFile
from vezaflow.samples.writer import SAMPLE_LAST, SampleWriter

__all__ = ["SAMPLE_COLUMNS", "SAMPLE_LAST", "SampleFile", "SampleWriter"]
