"""What must not stand in a file or leave in a URL: secrets written out, tokens in query strings, hosts that the guard
refuses.

The lines that a message draws never show a secret: it is covered in the drawing, and only there.
"""

import re
from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Source, Span
from vezaflow.model import (
    SECRET_URLS,
    URL_OUTPUTS,
    Http,
    Place,
    RequestDefaults,
    Suite,
    all_uses,
    flow_steps,
    is_allowed,
    leaves,
    option_layers,
    patterns_of,
    requests,
    start_of,
    suite_steps,
    written_host,
)
from vezaflow.read import may_become
from vezaflow.syntax import Expression, Literal, Member, Name, Template, walk

# Shapes of secrets: made by their issuers to be recognised.
_SHAPES = {
    "a bearer token": r"\bBearer[ ]+(?P<bearer>[A-Za-z0-9._~+/-]{16,}=*)",
    "a JSON Web Token": r"\b(?P<jwt>eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)",
    "an AWS access key": r"\b(?P<aws>(?:AKIA|ASIA)[0-9A-Z]{16})\b",
    "a GitHub token": r"\b(?P<github>gh[pousr]_[A-Za-z0-9]{36,})\b",
    "a GitLab token": r"\b(?P<gitlab>glpat-[A-Za-z0-9_-]{20,})",
    "a Slack token": r"\b(?P<slack>xox[abprs]-[A-Za-z0-9-]{10,})",
    "a Stripe key": r"\b(?P<stripe>[rs]k_live_[A-Za-z0-9]{16,})\b",
    "a private key": r"(?P<key>-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----)",
}
_SECRET = re.compile("|".join(_SHAPES.values()))
_KEYS = "access_token|auth_token|token|api_?key|apikey|password|passwd|secret|client_secret"
_IN_URL = re.compile(rf"[?&](?P<key>{_KEYS})=", re.IGNORECASE)
_KEY = re.compile(_KEYS, re.IGNORECASE)
_PASSWORD = re.compile(r"//[^/@:]*:([^/@]+)@")
_HOOK = re.compile(r"//[^/?#\s]+/([^\s\"']+)")  # what only those know who may post
_HEADERS = ("authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token", "api-key")


def check_written_secrets(suite: Suite, diagnostics: Diagnostics) -> None:
    """Secrets that stand in a file for everybody to read who reads the file."""
    found = [span for defaults in option_layers(suite) for span in _credentials(defaults)]
    found += _told(suite)
    for source in suite.sources.values():
        found += [Span(source, *match.span(match.lastgroup or 0)) for match in _SECRET.finditer(source.text)]
    covered = {source: _covered(source, found) for source in suite.sources.values()}
    for span in found:
        diagnostics.warning(
            "VF417",
            Span(covered[span.source], span.start, span.end),
            "hard-coded secret",
            help="read it from the environment, `${env.USER_TOKEN}`, and list it in the suite's `secrets`\nif it is "
            "a real one, rotate it: everybody with the file has it",
        )


def check_tokens_in_urls(suite: Suite, diagnostics: Diagnostics) -> None:
    """Parameters whose very name says that they are secret."""
    said = {d.span for d in diagnostics if d.code == "VF409" and d.span is not None}
    for use in all_uses(suite):
        parts = use.expression.parts if isinstance(use.expression, Template) else (use.expression,)
        if use.place is not Place.URL or _is_said(use.expression, said):
            continue
        for part in parts:
            text = part.value if isinstance(part, Literal) and isinstance(part.value, str) else ""
            for found in _IN_URL.finditer(text):
                at = part.span.text.find(found[0])
                _in_url(
                    Span(part.span.source, part.span.start + at + 1, part.span.start + at + len(found[0])), diagnostics
                )
    for steps in (suite_steps(suite), *(flow_steps(flow) for flow in suite.flows)):
        for request in requests(steps):
            for name, tree in request.query:
                for leaf in leaves(tree) if _KEY.fullmatch(name) else ():
                    _in_url(leaf.span, diagnostics)


def check_hosts(suite: Suite, diagnostics: Diagnostics) -> None:
    """Hosts that are written out and that the guard will refuse."""
    patterns = patterns_of(suite.guard.allow)
    for url in _urls(suite):
        host = written_host(url)
        if host is not None and not is_allowed(host.host, host.port, patterns):
            text, spelling = url.span.source.text, re.compile(re.escape(host.text), re.IGNORECASE)
            written = spelling.search(text, url.span.start, url.span.end)
            place = Span(url.span.source, *written.span()) if written else url.span
            entry = f'"{host.text}"' if ":" in host.text else host.text
            diagnostics.warning(
                "VF418",
                place,
                f"the guard does not allow '{host.text}'",
                label="a run would be refused",
                help=f"to allow it, add to suite.yml: `guard: {{allow: [{entry}]}}`",
            )


def check_environment(suite: Suite, diagnostics: Diagnostics) -> None:
    """Uses of `env` that don't name what they read."""
    for use in all_uses(suite):
        if use.place is Place.WHERE:  # a field of the item may have that name
            continue
        within = list(walk(use.expression))
        named = {id(each.target) for each in within if isinstance(each, Member)}
        for each in within:
            if isinstance(each, Name) and each.name == "env" and id(each) not in named:
                diagnostics.error(
                    "VF317",
                    each.span,
                    "`env` alone is not a value",
                    label="missing name of the variable",
                    help='write `env.NAME` or `env["NAME"]`',
                )


def _is_said(url: Expression, said: set[Span]) -> bool:
    """Whether the URL was warned of, for what stands in it and not for the name of its place."""
    return bool(said) and any(part.span in said for part in walk(url))


def _credentials(defaults: RequestDefaults) -> Iterator[Span]:
    """Where a credential may be a constant."""
    auth = defaults.auth
    values = [auth.bearer, auth.password] if auth else []
    values += [value for name, value in defaults.headers if name.lower() in _HEADERS]
    values += [defaults.tls.password] if defaults.tls else []
    for value in values:
        yield from _constants(value) if value is not None else ()
    if defaults.http is not None and defaults.http.proxy is not None:
        yield from _in_proxy(defaults.http.proxy)


def _constants(value: Expression) -> Iterator[Span]:
    """The constant texts that a value may be."""
    for part in may_become(value):
        if isinstance(part, Literal) and isinstance(part.value, str) and part.value:
            yield part.span


def _told(suite: Suite) -> Iterator[Span]:
    """Tokens, webhooks and headers with credentials of those who hear of a run, as far as they are written out."""
    if suite.grafana is not None and suite.grafana.token is not None:
        yield from _constants(suite.grafana.token)
    if suite.observe is not None:
        yield from _credentials(suite.observe.options)
    for notification in suite.notify:
        for name, value in notification.headers:
            if name.lower() in _HEADERS:
                yield from _constants(value)
        yield from _in_webhook(notification.webhook)
    for output in suite.outputs:
        secret: list[Expression | None] = [value for name, value in output.headers if name.lower() in _HEADERS]
        secret += [output.auth.bearer, output.auth.password] if output.auth is not None else []
        for found in secret:
            yield from _constants(found) if found is not None else ()
        if output.name in SECRET_URLS and output.aim is not None:
            yield from _in_webhook(output.aim)


def _in_webhook(webhook: Expression) -> Iterator[Span]:
    for part in webhook.parts if isinstance(webhook, Template) else may_become(webhook):
        if isinstance(part, Literal) and (found := _HOOK.search(part.span.text)):
            yield Span(part.span.source, part.span.start + found.start(1), part.span.start + found.end(1))


def _in_proxy(proxy: Expression) -> Iterator[Span]:
    """The password in a proxy's URL, as far as it is written out."""
    for part in proxy.parts if isinstance(proxy, Template) else may_become(proxy):
        if isinstance(part, Literal) and (found := _PASSWORD.search(part.span.text)):
            yield Span(part.span.source, part.span.start + found.start(1), part.span.start + found.end(1))


def _urls(suite: Suite) -> Iterator[Expression]:
    yield from (url for url in (suite.base_url, *(flow.base_url for flow in suite.flows)) if url is not None)
    yield from (http.proxy for http in _http(suite) if http.proxy is not None)
    yield from (suite.grafana.url,) if suite.grafana is not None else ()
    yield from (suite.observe.url,) if suite.observe is not None else ()
    yield from (notification.webhook for notification in suite.notify)
    yield from (each.aim for each in suite.outputs if each.aim is not None and each.name in URL_OUTPUTS)
    for steps in (suite_steps(suite), *(flow_steps(flow) for flow in suite.flows)):
        yield from (request.url for request in requests(steps) if not (start_of(request.url) or "/").startswith("/"))


def _http(suite: Suite) -> Iterator[Http]:
    yield from (defaults.http for defaults in option_layers(suite) if defaults.http is not None)


def _covered(source: Source, secrets: list[Span]) -> Source:
    """The source as messages may draw it: as long, and with a star for every character of a secret."""
    text = source.text
    for span in secrets:
        if span.source is source:
            text = text[: span.start] + "*" * (span.end - span.start) + text[span.end :]
    return Source(source.path, text)


def _in_url(span: Span, diagnostics: Diagnostics) -> None:
    diagnostics.warning(
        "VF409",
        span,
        "secret in a URL: servers and proxies log URLs",
        help="send it in a header, or with `auth`",
    )
