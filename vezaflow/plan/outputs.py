"""Where a run's figures are sent while it is in progress, planned: the suite's `outputs`, and those of `--out`.

Laws: the guard decides on these hosts as on those of the load, before anything is sent. What is empty (a URL that is
not set here) is left out. `--out NAME=ARG` stands for the suite's output of that name, with its other settings. Tokens
and secret URLs are in no `repr`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.errors import VezaflowError
from vezaflow.keys import FILE_OUTPUTS, OUTPUT_DEFAULTS, SAMPLES, TEMPORALITIES
from vezaflow.model import SECRET_URLS, Pairs, Suite, SuiteOutput, UrlError
from vezaflow.plan.compiled import UNKNOWN
from vezaflow.plan.heads import authorization, is_credential
from vezaflow.plan.refused import one_line, refusal
from vezaflow.plan.rendering import render
from vezaflow.plan.scope import EvaluationError
from vezaflow.plan.settings import Settings
from vezaflow.plan.targets import GuardError, Target, Targets
from vezaflow.syntax import Expression

STATS = ("min", "max", "avg", "med", "p90", "p95", "p99")
_EVERY = {"prometheus": 5.0, "otlp": 10.0, "influx": 5.0}
_MOST_FILES = 1000  # of one output
_SHORTEST = 1.0  # seconds between two sendings
_PATHS = {"prometheus": "/api/v1/write", "otlp": "/v1/metrics"}
_STAT = re.compile(r"min|max|avg|med|count|sum|p\(?(\d{1,2}(?:\.\d{1,6})?|100)\)?")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Out(NamedTuple):
    """An output as an option chooses it; `argument` is None where only its name was given."""

    name: str
    argument: str | None

    @property
    def word(self) -> str:
        """As it was written; without a URL that is secret, for nobody masks it yet."""
        shown = self.argument is not None and self.name not in SECRET_URLS
        return f"--out {self.name}" + (f"={self.argument}" if shown else "")


@dataclass(frozen=True, slots=True)
class Outs:
    """Which outputs a run has: those of options, and the suite's own unless they are turned off."""

    options: tuple[Out, ...] = ()
    suites: bool = False


NO_OUTS = Outs()


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """An output. `word`: where it was asked for. `aim`: its file, URL or address; `target` that of a URL, `host` and
    `port` those of an address. Times in seconds."""

    name: str
    word: str
    aim: str = field(repr=False)
    target: Target | None = field(default=None, repr=False)
    host: str = ""
    port: int = 0
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    labels: tuple[tuple[str, str], ...] = ()
    stats: tuple[str, ...] = STATS
    every: float = 1.0
    native: bool = False
    stale_markers: bool = False
    delta: bool = False
    tags: bool = False
    prefix: str = "vezaflow."
    samples: bool = False  # every request, in `files` files of at most `most` bytes
    most: int = 100_000_000
    files: int = 5

    @property
    def file(self) -> str | None:
        """The file that it writes."""
        return self.aim if self.name in FILE_OUTPUTS else None

    def hidden(self) -> Iterator[str]:
        """What of it no output may show."""
        yield from (value.rpartition(" ")[2] for name, value in self.headers if is_credential(name) and value)
        if self.name in SECRET_URLS and self.target is not None and self.target.target != "/":
            yield self.target.url


class OutputPlanner:
    """Plans outputs. `settings` evaluates what must be known before the run."""

    def __init__(self, suite: Suite, settings: Settings, diagnostics: Diagnostics) -> None:
        self._written = {output.name: output for output in suite.outputs}
        self._allow = suite.guard.allow
        self._settings = settings
        self._diagnostics = diagnostics

    def plan(self, outs: Outs) -> tuple[PlannedOutput, ...]:
        """All of them. Raises VezaflowError where the guard says no, or an option's ARG can't be right."""
        named = {out.name for out in outs.options}
        own = [each for each in self._written.values() if outs.suites and each.name not in named]
        found = [self._output(each.name, each, None) for each in own]
        found += [self._output(out.name, self._written.get(out.name), out) for out in outs.options]
        return tuple(each for each in found if each is not None)

    def _output(self, name: str, written: SuiteOutput | None, out: Out | None) -> PlannedOutput | None:
        aim = out.argument if out is not None else None
        if aim is None and written is not None and written.aim is not None:
            aim = self._text(written.aim)
        if aim is None:
            aim = OUTPUT_DEFAULTS.get(name)
        settings: dict[str, Any] = {"every": _EVERY.get(name, 1.0)}
        if written is not None:
            settings |= self._set(written)
        if not aim:
            return None
        span = written.aim.span if out is None and written is not None and written.aim is not None else None
        word = out.word if out is not None else f"outputs: {name}"
        if name in FILE_OUTPUTS:
            if settings.get("samples") and aim == "-":
                raise VezaflowError(
                    f"{word}: `samples: all` is written to files, not to standard output",
                    hint=f"name a file, for instance --out {name}=samples.{name}",
                )
            return PlannedOutput(name, word, aim, **settings)
        if name == "statsd":
            target = self._target(f"http://{aim}", name, span, out)
            if target is None:
                return None
            return PlannedOutput(name, word, aim, host=target.origin.host, port=target.origin.port, **settings)
        target = self._target(aim, name, span, out)
        if target is None:
            return None
        if target.target == "/" and name in _PATHS:
            target = target._replace(target=_PATHS[name])
        return PlannedOutput(name, word, aim, target, **settings)

    def _set(self, written: SuiteOutput) -> Mapping[str, Any]:
        """The settings that were written, by the planned output's fields."""
        found: dict[str, Any] = {
            "headers": tuple(self._headers(written)),
            "labels": tuple(self._labels(written.labels)),
        }
        for key, expression in written.settings.items():
            if key == "every":
                found["every"] = max(_SHORTEST, self._settings.seconds(expression))
            elif key == "samples":
                found[key] = self._settings.text(expression) == SAMPLES[1]
            elif key == "most":
                found[key] = self._settings.size(expression)
            elif key == "files":
                found[key] = self._settings.count(expression, most=_MOST_FILES)
            elif key == "temporality":
                found["delta"] = self._settings.text(expression) == TEMPORALITIES[1]
            else:
                found[key] = self._settings.flag(expression)
        if written.stats:
            found["stats"] = tuple(dict.fromkeys(self._stat(*each) for each in written.stats))
        if written.prefix is not None:
            found["prefix"] = written.prefix
        return found

    def _stat(self, text: str, span: Span) -> str:
        match = _STAT.fullmatch(text)
        if match is None:
            self._diagnostics.error(
                "VF702",
                span,
                f"'{text}' is not a statistic",
                help="allowed: min, max, avg, med, count, sum and percentiles such as p95 or p99.9",
            )
            return "p95"
        return f"p{match[1]}" if match[1] else text

    def _labels(self, labels: Pairs) -> Iterator[tuple[str, str]]:
        for name, expression in labels:
            if not _LABEL.fullmatch(name) or name.startswith("__"):
                self._diagnostics.error(
                    "VF702",
                    expression.span,
                    f"'{name}' can't be the name of a label",
                    help="names of labels have letters, digits and `_`, and don't start with a digit or `__`",
                )
            elif text := self._text(expression):
                yield name, text

    def _headers(self, written: SuiteOutput) -> Iterator[tuple[str, str]]:
        for name, expression in written.headers:
            if value := self._line(self._text(expression), expression.span):
                yield name, value
        auth = written.auth
        if auth is None:
            return
        bearer, user, password = (
            self._text(part) if part is not None else "" for part in (auth.bearer, auth.user, auth.password)
        )
        if value := self._line(authorization(bearer, user, password), auth.span):
            yield "Authorization", value

    def _line(self, value: str, span: Span) -> str:
        try:
            return one_line(value, span)
        except EvaluationError as e:
            self._diagnostics.error("VF705", e.span, e.message)
            return ""

    def _target(self, url: str, name: str, span: Span | None, out: Out | None) -> Target | None:
        """The URL's, if the guard lets it be asked."""
        try:
            return Targets(url, self._allow).base
        except UrlError as e:
            why = "this is not a valid http or https URL" if name in SECRET_URLS else str(e)  # which shows parts of it
            if span is None:
                raise VezaflowError(f"{out.word if out else name}: {why}", hint=e.help) from None
            self._diagnostics.error("VF705", span, f"the URL of `{name}` is not valid: {why}", help=e.help)
        except GuardError as e:
            where = out.word if out is not None else f"`outputs: {name}`"
            hint = "list the host under `guard: {allow: […]}` in suite.yml"
            raise refusal(f"{where}: {e}", hint if out else f"{hint}, or run with --no-outputs") from None
        return None

    def _text(self, expression: Expression) -> str:
        value = self._settings.value(expression)
        return "" if value is UNKNOWN or value is None else render(value).strip()
