"""The outputs that `outputs:` in suite.yml and `--out NAME[=ARG]` choose. An output is a table of keys
(keys/outputs.py), a file beside this one, and a row here."""

from collections.abc import Callable

from vezaflow.outputs.output import Output
from vezaflow.plan import Plan, PlannedOutput

Say = Callable[[str], None]
Make = Callable[[PlannedOutput, Plan, Say], Output]


def output_of(planned: PlannedOutput, plan: Plan, say: Say) -> Output:
    """The output of a run, ready to be fed. Loads only what that one needs. `say` tells people at once what fails."""
    return OUTPUTS[planned.name]()(planned, plan, say)


def _json() -> Make:
    from vezaflow.outputs.json_lines import JsonLines

    return lambda planned, plan, say: JsonLines(planned.aim, plan.secrets)


def _csv() -> Make:
    from vezaflow.outputs.csv_rows import CsvRows

    return lambda planned, plan, say: CsvRows(planned.aim, plan.secrets)


def _prometheus() -> Make:
    from vezaflow.outputs.prometheus import prometheus

    return prometheus


def _otlp() -> Make:
    from vezaflow.outputs.otlp import otlp

    return otlp


def _influx() -> Make:
    from vezaflow.outputs.influx import influx

    return influx


def _statsd() -> Make:
    from vezaflow.outputs.statsd import statsd

    return statsd


def _webhook() -> Make:
    from vezaflow.outputs.webhook import webhook

    return webhook


OUTPUTS: dict[str, Callable[[], Make]] = {
    "json": _json,
    "csv": _csv,
    "prometheus": _prometheus,
    "otlp": _otlp,
    "influx": _influx,
    "statsd": _statsd,
    "webhook": _webhook,
}
