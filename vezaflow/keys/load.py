"""The keys of a load: one table an executor, with k6's meanings under snake_case names.

Only data. What an executor takes, what it needs, what holds without it; the reader, the messages and the reference
follow these rows.
"""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import Executor

_EXECUTOR = Field(
    "executor",
    Kind.CHOICE,
    "How VUs and iterations are scheduled; the executors are those of k6.",
    "constant-vus",
    choices=tuple(executor.value for executor in Executor),
    default="constant-vus",
)
_VUS = Field("vus", Kind.COUNT, "The number of VUs.", "${env.STREAM_VUS ?? 500}", default="1")
_PRE_ALLOCATED = Field(
    "pre_allocated_vus",
    Kind.COUNT,
    "The number of VUs created before the load starts; each iteration starts on a free one.",
    "100",
    required=True,
)
_MAX_VUS = Field(
    "max_vus",
    Kind.COUNT,
    "The maximum number of VUs, created when none is free; beyond it iterations are dropped, and counted.",
    "500",
    default="pre_allocated_vus, as in k6",
)
_MAX_DURATION = Field(
    "max_duration",
    Kind.DURATION,
    "The maximum duration of the load, even if iterations are left.",
    "10m",
    default="10 m, as in k6",
)
_STAGES_DOC = "The ramps, one after another; each is linear, from the previous target to its own."
_ENDS = (
    Field("start_time", Kind.DURATION, "When the flow starts, from the run's start.", "30s", default="0 s"),
    Field(
        "graceful_stop",
        Kind.DURATION,
        "How long running iterations may take to finish when the load ends.",
        "10s",
        default="30 s, as in k6",
    ),
)
_STAGE_DURATION = Field("duration", Kind.DURATION, "The duration of the stage; 0 s is a jump.", "1m", required=True)

VU_STAGE = Table(
    "vu-stage",
    "a stage of VUs",
    "A part of a `ramping-vus` load.",
    (
        _STAGE_DURATION,
        Field("target", Kind.WHOLE, "The number of VUs at the end of the stage.", "100", required=True),
    ),
)
RATE_STAGE = Table(
    "rate-stage",
    "a stage of rates",
    "A part of a `ramping-arrival-rate` load.",
    (
        _STAGE_DURATION,
        Field("target", Kind.RATE, "The rate of iterations at the end of the stage.", "500/s", required=True),
    ),
)
STAGES = {"ramping-vus": VU_STAGE, "ramping-arrival-rate": RATE_STAGE}

_ALL = (
    Table(
        "constant-vus",
        "a constant-vus load",
        "A fixed number of VUs that run iterations for a fixed time.",
        (
            _EXECUTOR,
            _VUS,
            Field("duration", Kind.DURATION, "The duration of the load.", "5m", required=True),
            *_ENDS,
        ),
    ),
    Table(
        "ramping-vus",
        "a ramping-vus load",
        "A variable number of VUs, in linear ramps.",
        (
            _EXECUTOR,
            Field("start_vus", Kind.WHOLE, "The number of VUs at the start.", "10", default="1"),
            Field(
                "stages",
                Kind.STAGES,
                _STAGES_DOC,
                "[{duration: 1m, target: 100}, {duration: 5m, target: 100}]",
                required=True,
                tables=("vu-stage",),
            ),
            Field(
                "graceful_ramp_down",
                Kind.DURATION,
                "How long a VU may take to finish its iteration when the ramp removes it.",
                "10s",
                default="30 s, as in k6",
            ),
            *_ENDS,
        ),
    ),
    Table(
        "per-vu-iterations",
        "a per-vu-iterations load",
        "Each VU runs the same number of iterations.",
        (
            _EXECUTOR,
            _VUS,
            Field("iterations", Kind.COUNT, "The number of iterations per VU.", "20", default="1"),
            _MAX_DURATION,
            *_ENDS,
        ),
    ),
    Table(
        "shared-iterations",
        "a shared-iterations load",
        "The VUs share a fixed number of iterations: a fast VU runs more of them.",
        (
            _EXECUTOR,
            _VUS,
            Field("iterations", Kind.COUNT, "The number of iterations of all VUs together.", "1000", default="1"),
            _MAX_DURATION,
            *_ENDS,
        ),
    ),
    Table(
        "constant-arrival-rate",
        "a constant-arrival-rate load",
        "Iterations start at a fixed rate, regardless of how slow the target is (open model).",
        (
            _EXECUTOR,
            Field("rate", Kind.RATE, "The rate at which iterations start.", "500/s", required=True),
            Field("duration", Kind.DURATION, "How long iterations are started.", "5m", required=True),
            _PRE_ALLOCATED,
            _MAX_VUS,
            *_ENDS,
        ),
    ),
    Table(
        "ramping-arrival-rate",
        "a ramping-arrival-rate load",
        "Iterations start at a variable rate, in linear ramps, regardless of how slow the target is (open model).",
        (
            _EXECUTOR,
            Field("start_rate", Kind.RATE, "The rate at the start.", "10/s", default="0/s"),
            Field(
                "stages",
                Kind.STAGES,
                _STAGES_DOC,
                "[{duration: 1m, target: 500/s}, {duration: 5m, target: 500/s}]",
                required=True,
                tables=("rate-stage",),
            ),
            _PRE_ALLOCATED,
            _MAX_VUS,
            *_ENDS,
        ),
    ),
    Table(
        "externally-controlled",
        "an externally-controlled load",
        "A number of VUs that is controlled during the run: `vezaflow scale`, `pause`, `resume`.",
        (
            _EXECUTOR,
            Field("vus", Kind.WHOLE, "The number of VUs at the start.", "10", default="1"),
            Field("max_vus", Kind.COUNT, "The maximum number of VUs for `vezaflow scale`.", "500", default="vus"),
            Field("duration", Kind.DURATION, "When the load ends.", "1h", required=True),
            *_ENDS,
        ),
    ),
)
LOADS: dict[str, Table] = {table.name: table for table in _ALL}
