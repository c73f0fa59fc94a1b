"""Where production is, as far as the names of inputs tell, so that no load goes there by mistake.

Laws: it is the value that counts and not how it came into a URL: a host that such an input leads to is refused wherever
a request would go there (`barred`), and a URL whose host is put together of such an input is refused before the run
(`production_in`). What `--base-url` says was said by hand, and stands.
"""

import re
from collections.abc import Iterator, Mapping

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import (
    PORTS,
    Suite,
    Tree,
    UrlError,
    Variable,
    environment,
    environment_of,
    is_loopback,
    leaves,
    read_authority,
    split_url,
    unmapped,
)
from vezaflow.plan.targets import STAGING
from vezaflow.syntax import Expression, Literal, Template, names

Barred = Mapping[tuple[str, int | None], str]  # host and port (None: any) → the input that leads there
# PROD as a word's beginning, in capitals, with underscores or in camel case; no PRODUCT, PRODUCER, PRODIGY.
_PRODUCTION = re.compile(r"(?:(?<![A-Za-z])(?i:prod)|(?<=[a-z])P(?i:rod))(?:(?i:uction)|(?!(?i:uc|ig)))")


def is_production(name: str) -> bool:
    """Whether an input is named like production."""
    return _PRODUCTION.search(name) is not None


def production_in(url: Expression, variables: tuple[Variable, ...], *, whole: bool) -> str:
    """The input named like production that a URL's host (`whole`: any of it) is made of, through `vars` too; or ''."""
    values = {variable.name: variable.value for variable in variables}
    parts = (url,) if whole else tuple(_of_host(url))
    return next((name for part in parts for name in _inputs(part, values) if is_production(name)), "")


def barred(suite: Suite, given: Mapping[str, str], base_url: str | None) -> Barred:
    """The places that inputs named like production lead to, of those that the suite reads."""
    found: dict[tuple[str, int | None], str] = {}
    for use in environment(suite):
        if is_production(use.name) and (place := _place(given.get(use.name, ""))) is not None:
            found[place] = use.name
    if base_url is not None and (place := _place(base_url)) is not None:
        found.pop(place, None)
    return found


def production_refusal(name: str) -> VezaflowError:
    """The guard's no to a target that an input named like production gives."""
    return VezaflowError(
        f"refused: the target comes from {name}, which looks like production",
        hint=STAGING,
        code=ExitCode.REFUSED,
    )


def _of_host(url: Expression) -> Iterator[Expression]:
    """The parts of a URL that may be parts of its host."""
    written = ""
    for part in url.parts if isinstance(url, Template) else (url,):
        if isinstance(part, Literal):
            written += str(part.value)
            if any(sign in written.partition("://")[2] or written.startswith(sign) for sign in "/?#"):
                return
            continue
        yield part
        written = written if "://" in written else "://"  # what an expression begins with is the scheme and the host


def _inputs(expression: Expression, values: Mapping[str, Tree]) -> Iterator[str]:
    """The names of the inputs that an expression reads, itself or through the values it names."""
    seen: set[str] = set()
    waiting = [expression]
    while waiting:
        current = waiting.pop()
        yield from (use.name for use in environment_of(current))
        for name in names(current):
            if name.name in values and name.name not in seen:
                seen.add(name.name)
                waiting += leaves(values[name.name])


def _place(value: str) -> tuple[str, int | None] | None:
    """Where a URL or a host leads: any port of a host, and one port of this machine; None for neither."""
    scheme, sign, rest = value.strip().partition("://")
    authority = split_url(f"//{rest if sign else scheme}").authority or ""
    try:
        host, port = read_authority(authority.rpartition("@")[2], PORTS.get(scheme.lower(), 0) if sign else 0)
    except UrlError:
        return None
    if is_loopback(host):
        return (host, port) if port else None
    return unmapped(host), None
