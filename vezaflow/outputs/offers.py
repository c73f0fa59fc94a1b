"""The outputs that `--out NAME[=ARG]` chooses. An output is a file beside this one, and a row here."""

from vezaflow.outputs.json_lines import STDOUT, JsonLines
from vezaflow.outputs.output import FILE, Offer

OUTPUTS: dict[str, Offer] = {
    "json": Offer(
        "one JSON object per second, each on its own line",
        FILE,
        lambda file, plan: JsonLines(file, plan.secrets),
        default=STDOUT,
    ),
}
