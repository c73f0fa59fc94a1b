"""Where the figures of a run are sent while it is in progress, as written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vezaflow.diagnostics import Span
from vezaflow.model.notify import behind_host
from vezaflow.model.requests import Auth, Pairs, Use, plain
from vezaflow.syntax import Expression

URL_OUTPUTS = frozenset(("prometheus", "otlp", "influx", "webhook"))
SECRET_URLS = frozenset(("webhook",))
"""The outputs of which nobody may know the URL: who knows it can post there."""


@dataclass(frozen=True, slots=True)
class SuiteOutput:
    """One output. `aim` is its file, URL or address; None: it was wrong. `settings` are its other scalars by key."""

    name: str
    aim: Expression | None
    span: Span  # of the name
    settings: Mapping[str, Expression] = field(default_factory=dict)
    labels: Pairs = ()
    headers: Pairs = ()
    auth: Auth | None = None
    stats: tuple[tuple[str, Span], ...] = ()
    prefix: str | None = None

    def uses(self) -> Iterator[Use]:
        pairs = (value for _, value in (*self.labels, *self.headers))
        return plain(self.aim, *self.settings.values(), *pairs, *self._auth())

    def credentials(self) -> Iterator[Expression]:
        """What may be known to nobody else."""
        yield from self._auth()
        yield from (value for _, value in self.headers)
        if self.name in SECRET_URLS and self.aim is not None:
            yield from behind_host(self.aim)

    def _auth(self) -> Iterator[Expression]:
        if self.auth is not None:
            yield from (part for part in (self.auth.bearer, self.auth.password) if part is not None)
