"""Profiles of the server that are taken during the load: pprof's format, the functions that lead, what grew."""

from vezaflow.profiles.growth import compared, grown
from vezaflow.profiles.pprof import PprofError, SampledProfile, looks_like_pprof, parse_pprof
from vezaflow.profiles.record import (
    PROFILE_SHAPE,
    FunctionShare,
    Growth,
    ProfileRecord,
    profile_from_json,
    profile_to_json,
    record_of,
    shares_of,
)
from vezaflow.profiles.wire import pprof_messages

__all__ = [
    "PROFILE_SHAPE",
    "FunctionShare",
    "Growth",
    "PprofError",
    "ProfileRecord",
    "SampledProfile",
    "compared",
    "grown",
    "looks_like_pprof",
    "parse_pprof",
    "pprof_messages",
    "profile_from_json",
    "profile_to_json",
    "record_of",
    "shares_of",
]
