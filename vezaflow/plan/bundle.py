"""A run's input as data: the flow files' texts and the inputs they read. Who has the bundle can make the same plan.

Workers receive it with their segment, the file of a share keeps it (secrets blotted out), so that nobody needs the
folder to know what was run. Files that the flows name (`file:`, `data`) are read where the plan is made, from the same
paths; of those whose rows are dealt the digest is kept, since shares of unlike rows are no shares of one run.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from vezaflow.diagnostics import Diagnostic, Diagnostics, Source
from vezaflow.model import Suite, UrlError, environment, read_url, secret_names
from vezaflow.plan.build import build
from vezaflow.plan.inputs import HeldLevel, Inputs
from vezaflow.plan.plan import Plan
from vezaflow.protocols import Origin
from vezaflow.read import read_suite
from vezaflow.redact import MASK, Secrets


class BundleError(Exception):
    """A bundle that makes no plan here."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("the bundle makes no plan")
        self.diagnostics = tuple(diagnostics)


@dataclass(frozen=True, slots=True)
class Bundle:
    """`files`: path and text of the suite's file, if there is one, and of the flows asked for. `inputs` hold no
    more of the environment than the suite reads."""

    files: tuple[tuple[str, str], ...]
    flows: tuple[str, ...]  # the paths that are flows, in their order
    inputs: Inputs
    secret_names: tuple[str, ...]
    data: tuple[tuple[str, str], ...] = ()  # data files, as the flows name them, with their SHA-256

    @classmethod
    def of(cls, suite: Suite, inputs: Inputs) -> "Bundle":
        """What it takes to make `build(suite, inputs)` again."""
        names = {use.name for use in environment(suite)} | set(suite.secrets)
        read = {name: value for name, value in sorted(inputs.environment.items()) if name in names}
        files = tuple((path, source.text) for path, source in suite.sources.items())
        flows = tuple(flow.source.path for flow in suite.flows)
        data = tuple(sorted(_digests(suite).items()))
        return cls(files, flows, replace(inputs, environment=read), secret_names(suite), data)

    @property
    def sources(self) -> dict[str, Source]:
        """The texts by path, for whoever points into them."""
        return {path: Source(path, text) for path, text in self.files}

    def suite(self) -> Suite:
        """The suite as written. Raises BundleError where the texts make none."""
        diagnostics = Diagnostics()
        overlay = {Path(path): text for path, text in self.files}
        suite = read_suite([Path(path) for path in self.flows], diagnostics, overlay=overlay, included_only=True)
        if suite is None or diagnostics.failed:
            raise BundleError(diagnostics.items)
        return suite

    def plan(self) -> Plan:
        """The plan. Raises BundleError where the texts make none, VezaflowError where the guard says no."""
        diagnostics = Diagnostics()
        plan = build(self.suite(), self.inputs, diagnostics)
        if plan is None:
            raise BundleError(diagnostics.items)
        return plan

    def masked(self) -> "Bundle":
        """The same without any secret: fit to be kept."""
        environment, base_url = self.inputs.environment, self.inputs.base_url
        secrets = Secrets.among(self.secret_names, {**environment, "--base-url": base_url or ""})
        shown = {n: _masked(v) if n in self.secret_names else secrets.mask(v) for n, v in environment.items()}
        files = tuple((path, secrets.cover(text)) for path, text in self.files)
        inputs = replace(self.inputs, environment=shown, base_url=base_url and secrets.mask(base_url))
        return replace(self, files=files, inputs=inputs)

    def to_json(self) -> dict[str, Any]:
        """A JSON object; it holds the secrets, unless `masked`."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Bundle":
        """The bundle that `to_json` wrote."""
        held = record["inputs"].get("held")
        inputs = {**record["inputs"], "only": tuple(record["inputs"]["only"])}
        inputs["held"] = HeldLevel(**held) if held else None
        files = tuple((path, text) for path, text in record["files"])
        data = tuple((path, digest) for path, digest in record.get("data", ()))
        return cls(files, tuple(record["flows"]), Inputs(**inputs), tuple(record["secret_names"]), data)


def _masked(value: str) -> str:
    """What stands for a secret. Of a URL its origin is left, which is shown everywhere and which the plan needs."""
    scheme, _, rest = value.strip().partition("://")
    place = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]  # behind a proxy's user
    try:
        url = read_url(f"{scheme}://{place}")
    except UrlError:
        return MASK
    return f"{url.scheme}://{Origin(url.scheme, url.host, url.port).authority}"


def _digests(suite: Suite) -> dict[str, str]:
    """Each data file that is there, by its path from the suite's folder."""
    found = {}
    declared = (suite.data, *(flow.data for flow in suite.flows))
    for data_source in chain.from_iterable(declared):
        if data_source.file is not None and (path := suite.root / data_source.where).is_file():
            with path.open("rb") as file:
                found[data_source.where] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
