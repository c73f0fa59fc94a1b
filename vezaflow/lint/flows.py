"""What a flow means as a whole: that it sends something, that its URLs and files lead somewhere, that a step's
name is its own.
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from vezaflow.diagnostics import Diagnostics, did_you_mean, suggest
from vezaflow.model import (
    SCHEMES,
    Beside,
    Choose,
    JsonBody,
    Limit,
    Limited,
    Place,
    Request,
    Step,
    Suite,
    UrlError,
    all_steps,
    all_uses,
    environment_of,
    file_paths,
    flow_steps,
    lacks_fragments,
    leaves,
    read_url,
    requests,
    start_of,
    suite_steps,
)
from vezaflow.read import inside, is_file
from vezaflow.syntax import Expression, Literal, Template, names


def check_requests(suite: Suite, diagnostics: Diagnostics) -> None:
    """Flows that never send anything."""
    for flow in suite.flows:
        known = not _spoilt(flow.source.path, diagnostics) and not lacks_fragments(flow.steps)
        if flow.steps and not any(requests(flow.steps)) and known:
            diagnostics.error(
                "VF403",
                flow.span,
                f"the flow '{flow.name}' never sends a request",
                help="its `steps` need one of get, post, put, patch, delete, head, options",
            )


def check_json(suite: Suite, diagnostics: Diagnostics) -> None:
    """Bodies that are JSON already, and would be made a JSON string of."""
    for request in (request for steps in _all_lists(suite) for request in requests(steps)):
        body = request.body
        if isinstance(body, JsonBody) and isinstance(body.value, Expression):
            first, last = _ends(body.value)
            if (first, last) in (("{", "}"), ("[", "]")):
                diagnostics.warning(
                    "VF435",
                    body.value.span,
                    "this text is already JSON, and would be sent as one JSON string",
                    help="write it as YAML, as in `json: {name: jazz}`\n"
                    "or send the text: `body: …` with `headers: {Content-Type: application/json}`",
                )


def _ends(expression: Expression) -> tuple[str, str]:
    """The first and the last character of a text; empty where it does not say."""
    parts = expression.parts if isinstance(expression, Template) else (expression,)
    texts = [part.value.strip() if isinstance(part, Literal) and isinstance(part.value, str) else "" for part in parts]
    return (texts[0][:1], texts[-1][-1:]) if texts else ("", "")


def check_choices(suite: Suite, diagnostics: Diagnostics) -> None:
    """Choices that leave no choice."""
    for step in (step for steps in _all_lists(suite) for step in all_steps(steps)):
        if isinstance(step, Choose) and len(step.branches) == 1:
            diagnostics.warning(
                "VF404",
                step.span,
                "this `choose` has only one branch",
                help="add a second branch, or replace the `choose` by its steps",
            )


def check_step_names(suite: Suite, diagnostics: Diagnostics) -> None:
    """One name for steps that are not alike: they would share their metrics."""
    for flow in suite.flows:
        first: dict[str, Step] = {}
        for step in all_steps(flow_steps(flow)):
            if not step.name or (not isinstance(step, Request) and not isinstance(step.shape, Beside)):
                continue
            other = first.setdefault(step.name, step)
            if _described(other) != _described(step):
                diagnostics.warning(
                    "VF405",
                    step.span,
                    f"different requests share the name '{step.name}'",
                    label=_described(step),
                    help="they share metrics and gates; give each its own `name`",
                    related=((other.span, _described(other)),),
                )


def check_urls(suite: Suite, diagnostics: Diagnostics) -> None:
    """URLs that are none, and paths without a base_url to go below."""
    for base in (suite.base_url, *(flow.base_url for flow in suite.flows)):
        start = start_of(base) if base is not None else None
        if base is not None and start is not None and not start.startswith(SCHEMES):
            diagnostics.error(
                "VF410", base.span, "'base_url' must start with `http://` or `https://`", help=_with_scheme(start)
            )
        elif isinstance(base, Literal) and start is not None and (fault := _fault(start)):
            diagnostics.error("VF410", base.span, fault[0], help=fault[1])
    own = list(requests(suite_steps(suite)))
    for has_base, found in (
        (suite.base_url is not None, own),
        *(((suite.base_url or f.base_url) is not None, list(requests(flow_steps(f)))) for f in suite.flows),
    ):
        for request in found:
            _check_url(request, has_base, diagnostics)


def check_certificates(suite: Suite, diagnostics: Diagnostics) -> None:
    """Certificates that are looked for over http."""
    for base, steps in (
        (suite.base_url, suite_steps(suite)),
        *((flow.base_url or suite.base_url, flow_steps(flow)) for flow in suite.flows),
    ):
        below = (start_of(base) if base is not None else None) or ""
        for request in requests(steps):
            start = start_of(request.url) or ""
            url = below if start.startswith("/") else start
            for expectation in request.expect.expectations if request.expect else ():
                if isinstance(expectation, Limit) and expectation.of is Limited.CERTIFICATE and url.startswith("http:"):
                    diagnostics.error(
                        "VF411",
                        expectation.of_span,
                        "there is no certificate over http",
                        label=f"the URL starts with {url.partition('//')[0]}//",
                        help="use an https URL, or remove `certificate`",
                    )


def check_secret_urls(suite: Suite, diagnostics: Diagnostics) -> None:
    """Secrets that would stand in a URL."""
    secrets = set(suite.secrets)
    aliases = {
        variable.name
        for variables in (suite.vars, *(flow.vars for flow in suite.flows))
        for variable in variables
        for leaf in leaves(variable.value)
        if any(use.name in secrets for use in environment_of(leaf))
    }
    for use in all_uses(suite):
        if use.place is Place.URL:
            found = [u.span for u in environment_of(use.expression) if u.name in secrets]
            found += [name.span for name in names(use.expression) if name.name in aliases]
            for span in found:
                diagnostics.warning(
                    "VF409",
                    span,
                    "secret in a URL: servers and proxies log URLs",
                    help="send it in a header, or with `auth`",
                )


def check_files(suite: Suite, diagnostics: Diagnostics) -> None:
    """Files outside of the suite's folder, or not there."""
    for path in file_paths(suite):
        if not isinstance(path, Literal) or not isinstance(path.value, str):
            continue
        whole = inside(suite.root, path.value)
        if whole is None:
            diagnostics.error(
                "VF407",
                path.span,
                f"'{path.value}' is outside the suite's folder",
                help="move the file into the suite's folder, and write its path relative to that folder",
            )
        elif not is_file(whole):
            near = suggest(path.value, _beside(suite.root, path.value))
            diagnostics.error(
                "VF408",
                path.span,
                f"no such file '{path.value}' in the suite's folder",
                label=did_you_mean(near),
            )


def _all_lists(suite: Suite) -> Iterator[tuple[Step, ...]]:
    yield suite_steps(suite)
    yield from (flow_steps(flow) for flow in suite.flows)


def _spoilt(path: str, diagnostics: Diagnostics) -> bool:
    return any(d.span is not None and d.span.source.path == path and d.code.startswith("VF1") for d in diagnostics)


def _described(step: Step) -> str:
    return f"{step.method} {_written(step)}" if isinstance(step, Request) else "a parallel"


def _written(request: Request) -> str:
    return request.url_span.text.strip("\"'")


def _check_url(request: Request, has_base: bool, diagnostics: Diagnostics) -> None:
    start = start_of(request.url)
    if start is None:
        return
    if start.startswith(SCHEMES):
        if isinstance(request.url, Literal) and (fault := _fault(start)):
            diagnostics.error("VF410", request.url_span, fault[0], help=fault[1])
        return
    if not start.startswith("/") or start.startswith("//"):
        other = request.upgrades and "://" in start
        diagnostics.error(
            "VF410",
            request.url_span,
            "not a valid URL: neither a path nor an absolute URL",
            help="only ws:// and wss:// are supported" if other else _with_scheme(start),
        )
    elif not has_base:
        diagnostics.error(
            "VF406",
            request.url_span,
            "a path needs a `base_url`",
            help="set `base_url` in suite.yml or in the flow, or write an absolute URL",
        )


def _fault(url: str) -> tuple[str, str] | None:
    """What is wrong with a whole URL, and the remedy."""
    try:
        read_url(url)
    except UrlError as error:
        return str(error), error.help
    return None


def _with_scheme(start: str) -> str:
    if start.startswith("//"):
        return f"write `https:{start}`, or one slash for a path"
    if "://" in start:
        return "only http:// and https:// are supported"
    looks_like_host = "." in start.partition("/")[0] or ":" in start.partition("/")[0]
    scheme = "http" if start.startswith(("localhost", "127.", "[::1]")) else "https"
    return f"write `{scheme}://{start}`" if looks_like_host else f"start a path with a slash: `/{start}`"


def _beside(root: Path, path: str) -> list[str]:
    folder = PurePosixPath(path).parent
    try:
        return [str(folder / name) for name in os.listdir(os.path.join(root, folder))]
    except OSError:
        return []
