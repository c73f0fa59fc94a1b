"""What arrives is what the YAML says: whole flows are drawn, sent over real sockets, and read by h11 and by h2.

The expectation is computed here from what was drawn, by the standard library, and never asks vezaflow. Hundreds of
examples are drawn in CI, thousands by `make oracle`.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import trio
from arrivals import Arrivals, Arrived, arrivals
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loaded import loaded
from planned import plan_of

from vezaflow.metrics import Summary
from vezaflow.protocols import Transport

# Around what is kept in one piece, in one TLS record, in one frame, in one window, in one send.
SIZES = sorted(
    {n + d for n in (0, 1, 4096, 16_384, 65_535, 1 << 18) for d in (-1, 0, 1) if n + d >= 0} | {7, 60, 1000, 300_000}
)
_BREAKS = "\x85\u2028\u2029\ufeff"  # what YAML takes for line breaks or a mark
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=_BREAKS), max_size=12)
WORDS = st.text(st.sampled_from("abcXYZ019-_.~"), min_size=1, max_size=8)
NAMES = st.from_regex(r"x-[a-z0-9!#$%&'*+.^_`|~-]{1,8}", fullmatch=True)
VALUES = TEXTS.map(str.strip)
PARAMETER = st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.lists(TEXTS, min_size=1, max_size=3))
PARAMETERS = st.dictionaries(TEXTS, PARAMETER, max_size=3)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
FILES = {f"f{size}.bin": bytes(n * 7 % 251 for n in range(size)) for size in (1, 4096, 16_385, 65_536, 300_000)}
EXAMPLES = settings().max_examples * 6 // 10  # for each way: the module takes half a minute in CI
Check = Callable[[Arrived], None]


@dataclass
class Drawn:
    """A step as drawn: what the YAML says of it, and what must arrive."""

    step: dict[str, Any]
    method: str
    body: Check
    content_type: str | None
    has_body: bool = True
    path: str = ""
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    act: str = "ok"
    retried: int = 0
    closes: bool = False
    cookies: tuple[str, ...] = ()  # the author's own
    verb: str = ""  # what it is wrapped in


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite's folder with the files that are sent."""
    made = tmp_path_factory.mktemp("suite")
    (made / "parts").mkdir()
    for name, content in FILES.items():
        (made / "parts" / name).write_bytes(content)
    return made


def said(value: Any) -> Any:
    """Values as YAML: what would be an expression is written out."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [said(item) for item in value]
    if isinstance(value, dict):
        return {said(key): said(item) for key, item in value.items()}
    return value


def texts(value: Any) -> list[str]:
    """What a parameter's value is on the wire."""
    items = value if isinstance(value, list) else [value]
    return [json.dumps(item) if isinstance(item, int) else item for item in items if item is not None]


def equals(wanted: bytes) -> Check:
    def check(arrived: Arrived) -> None:
        assert arrived.body == wanted

    return check


def is_json(value: Any) -> Check:
    def check(arrived: Arrived) -> None:
        assert json.loads(arrived.body) == value

    return check


def is_form(values: dict[str, Any]) -> Check:
    def check(arrived: Arrived) -> None:
        pairs = [(name, text) for name, value in values.items() for text in texts(value)]
        assert parse_qsl(arrived.body.decode("ascii"), keep_blank_values=True) == pairs

    return check


def is_multipart(parts: list[tuple[str, bytes]]) -> Check:
    def check(arrived: Arrived) -> None:
        (content_type,) = arrived.all("content-type")
        boundary = content_type.partition("boundary=")[2].encode()
        pieces = (b"\r\n" + arrived.body).split(b"\r\n--" + boundary)
        assert pieces[0] == b""
        assert pieces[-1] == b"--\r\n"
        found = []
        for piece in pieces[1:-1]:
            head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            parsed = BytesParser(policy=HTTP).parsebytes(head + b"\r\n\r\n")
            found.append((parsed["content-disposition"].params["name"], content))
        assert found == parts

    return check


def has_size(size: int) -> Check:
    def check(arrived: Arrived) -> None:
        assert len(arrived.body) == size

    return check


@st.composite
def bodies(draw: st.DrawFn) -> tuple[dict[str, Any], Check, str | None]:
    """Keys of a step, what arrives, and under which Content-Type."""
    kinds = ("none", "json", "form", "text", "bytes", "file", "multipart", "sized-text", "sized-json")
    kind = draw(st.sampled_from(kinds))
    size = draw(st.sampled_from(SIZES))
    match kind:
        case "json":
            value = draw(st.one_of(JSON, st.integers(min_value=1 << 63, max_value=1 << 80)).filter(lambda v: v != ""))
            return {"json": said(value)}, is_json(value), "application/json"
        case "form":
            values = draw(PARAMETERS.filter(bool))
            return {"form": said(values)}, is_form(values), "application/x-www-form-urlencoded"
        case "text":
            text = draw(TEXTS.filter(bool))
            return {"body": said(text)}, equals(text.encode()), "text/plain; charset=utf-8"
        case "sized-text":
            return {"body": "x" * (size or 1)}, equals(b"x" * (size or 1)), "text/plain; charset=utf-8"
        case "sized-json":
            return {"json": {"v": "y" * size}}, is_json({"v": "y" * size}), "application/json"
        case "bytes":
            return {"body": {"bytes": f"{size or 1} B"}}, has_size(size or 1), "application/octet-stream"
        case "file":
            name = draw(st.sampled_from(sorted(FILES)))
            return {"body": {"file": f"parts/{name}"}}, equals(FILES[name]), "application/octet-stream"
        case "multipart":
            names = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))
            contents = [draw(st.one_of(TEXTS, st.just("z" * size), st.just("\r\n--vezaflow-x"))) for _ in names]
            parts = list(zip(names, (text.encode() for text in contents), strict=True))
            return {"multipart": dict(zip(names, map(said, contents), strict=True))}, is_multipart(parts), "multipart"
    return {}, equals(b""), None


@st.composite
def steps(draw: st.DrawFn, number: int) -> tuple[Drawn, str]:
    """A request, and the text that its path's variable has."""
    keys, check, content_type = draw(bodies())
    verbs = ("post", "put", "patch", "delete") if content_type else ("get", "head", "post", "put")
    method = draw(st.sampled_from(verbs))
    act = draw(st.sampled_from(("ok", "ok", "ok", "503-1", "503-2", "307", "308", "302", "303-307", "away")))
    segment = draw(TEXTS)
    query = draw(PARAMETERS)
    written = draw(st.dictionaries(WORDS.map("w".__add__), WORDS, max_size=2))
    headers = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    raw = "&".join(f"{n}={v}" for n, v in written.items())
    fragment = draw(st.sampled_from(("", "#top", "#a?b=c")))
    variable = f"p{number}"
    url = f"/s{number}/{act}/${{{variable}}}" + (f"?{raw}" if raw else "") + fragment
    step: dict[str, Any] = {method: url, "name": f"step {number}", **keys}
    if query:
        step["query"] = said(query)
    closes = draw(st.integers(0, 5)) == 0
    cookies = draw(st.sampled_from(((), (), ("own=1",), ("sid=mine",), ("own=1", "deep=mine"))))
    sent = {**headers, "connection": "close"} if closes else dict(headers)
    if cookies:
        sent[draw(st.sampled_from(("cookie", "Cookie", "COOKIE")))] = "; ".join(cookies)
    if content_type and draw(st.booleans()):
        content_type = "multipart/mixed; boundary=" if content_type == "multipart" else "application/x-mine"
        sent[draw(st.sampled_from(("content-type", "Content-Type")))] = content_type.partition(";")[0]
    if sent:
        step["headers"] = said(sent)
    if act.startswith("503"):
        step["retry"] = {"on": [503], "max": 3, "wait": "1 ms"}
    verb = draw(st.sampled_from(("", "", "poll", "paginate"))) if act == "ok" else ""
    if verb == "poll":
        step = {"poll": step, "until": "attempt == 2", "every": "1 ms", "within": "20 s"}
    elif verb == "paginate":
        step[method] = url.replace("/ok/", "/page/", 1)
        act, step = "page", {"paginate": step, "next": {"link": "next"}, "pages": 3}
    pairs = [(n, v) for n, v in written.items() if n not in query]
    pairs += [(n, text) for n, value in query.items() for text in texts(value)]
    drawn = Drawn(
        step=step,
        method=method.upper(),
        body=check,
        content_type=content_type,
        has_body=content_type is not None,
        path=f"/s{number}/{act}/" + quote(segment, safe=""),
        query=pairs,
        headers=headers,
        act=act,
        retried=int(act[4:]) if act.startswith("503") else 0,
        closes=closes,
        cookies=cookies,
        verb=verb,
    )
    return drawn, segment


@st.composite
def flows(draw: st.DrawFn) -> tuple[dict[str, Any], list[Drawn], dict[str, str]]:
    """A flow as YAML's data, its steps, and the headers that come from its `auth`."""
    found: list[tuple[Drawn, str]] = [draw(steps(number)) for number in range(1, draw(st.integers(1, 4)) + 1)]
    drawn = [each for each, _ in found]
    written = [each.step for each in drawn]
    if draw(st.booleans()):
        written = [{"parallel": written}] if len(written) > 1 else written
    if draw(st.booleans()):
        written = [{"post": "/login/login", "json": {"user": "ann"}}, *written]
    flow: dict[str, Any] = {
        "load": {"executor": "per-vu-iterations", "vus": 1, "iterations": 1},
        "vars": {f"p{number}": said(segment) for number, (_, segment) in enumerate(found, 1)},
        "steps": written,
    }
    auth = draw(st.sampled_from(("none", "bearer", "basic")))
    sent = {}
    if auth == "bearer":
        token = draw(WORDS)
        flow["auth"], sent = {"bearer": token}, {"authorization": f"Bearer {token}"}
    elif auth == "basic":
        user, password = draw(WORDS), draw(TEXTS.filter(bool))
        flow["auth"] = {"basic": {"user": user, "password": said(password)}}
        sent = {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    return flow, drawn, sent


async def play(target: Arrivals, flow: dict[str, Any], root: Path, way: str) -> Summary:
    suite: dict[str, Any] = {"suite": "wire", "base_url": target.base}
    if way in ("https", "http2"):
        suite["tls"] = {"insecure": True}
    if way == "http2":
        suite["http"] = {"version": 2}
    if way == "proxy":
        suite["http"] = {"proxy": target.base}
    plan = plan_of(json.dumps(flow, ensure_ascii=False), suite=json.dumps(suite), root=root)  # JSON is YAML
    transport = Transport()
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        _, summary = await loaded(plan, transport)
        nursery.cancel_scope.cancel()
    return summary


@pytest.mark.slow
@pytest.mark.parametrize("way", ["http", "https", "http2", "proxy"])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=flows())
def test_what_arrives_is_what_the_yaml_says(
    drawn: tuple[dict[str, Any], list[Drawn], dict[str, str]], way: str, root: Path
) -> None:
    flow, wanted, auth = drawn

    async def run() -> Arrivals:
        async with arrivals(tls=way in ("https", "http2"), http2=way == "http2") as target:
            with trio.fail_after(20):
                await play(target, flow, root, way)
            return target

    target = trio.run(run)
    for number, each in enumerate(wanted, 1):
        held(target.of(f"s{number}"), each, auth, target, way, f"s{number}", logged_in="login" in str(flow["steps"][0]))


def held(
    found: list[Arrived], wanted: Drawn, auth: dict[str, str], target: Arrivals, way: str, step: str, *, logged_in: bool
) -> None:
    """Hold what arrived of a step against what was drawn."""
    first = found[0]
    assert first.method == wanted.method
    parts = urlsplit(first.target)
    assert parts.path == wanted.path
    assert parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)) == wanted.query
    assert parts.fragment == ""
    lengths = first.all("content-length")
    if wanted.has_body:
        assert lengths == [str(len(first.body))]
    else:
        assert lengths in ([], ["0"])
    wanted.body(first)
    assert first.all("host") == [target.base.partition("://")[2]]
    for name, value in (wanted.headers | auth).items():
        assert first.all(name) == [value]
    if wanted.content_type:
        assert first.all("content-type")[0].startswith(wanted.content_type)
        assert len(first.all("content-type")) == 1
    jar = ["sid=abc"] if logged_in else []
    jar = ["deep=1", *jar] if logged_in and step == "s1" else ["café=x", *jar] if logged_in and step == "s2" else jar
    own = {cookie.partition("=")[0] for cookie in wanted.cookies}
    cookies = [*wanted.cookies, *(cookie for cookie in jar if cookie.partition("=")[0] not in own)]
    assert first.all("cookie") == (["; ".join(cookies)] if cookies else [])
    assert not first.all("transfer-encoding")
    if wanted.retried or wanted.verb == "poll":
        assert len(found) == (wanted.retried + 1 if wanted.retried else 2)
        as_sent = (first.method, first.target, first.headers, first.body)
        assert all((each.method, each.target, each.headers, each.body) == as_sent for each in found)
    later(found, wanted, auth)


def later(found: list[Arrived], wanted: Drawn, auth: dict[str, str]) -> None:
    """What a redirect asks for is made of the request that was sent."""
    first, last = found[0], found[-1]
    get = "HEAD" if wanted.method == "HEAD" else "GET"
    if wanted.act in ("307", "308", "page"):
        assert len(found) == 2
        assert (last.method, last.body) == (first.method, first.body)
        assert [h for h in last.headers if h[0] != "cookie"] == [h for h in first.headers if h[0] != "cookie"]
    elif wanted.act == "302":
        expected = (get, b"") if wanted.method == "POST" else (first.method, first.body)
        assert (last.method, last.body) == expected
    elif wanted.act == "303-307":
        assert [each.method for each in found] == [wanted.method, get, get]
        assert not any(each.body for each in found[1:])
        assert not any(last.all(name) for name in ("content-type", "content-length"))
    elif wanted.act == "away":
        assert (last.method, last.body) == (first.method, first.body)
        assert last.all("host")[0].startswith("localhost:")
        assert not any(last.all(name) for name in ("authorization", "cookie"))
    else:
        return
    kept = {name: value for name, value in wanted.headers.items() if wanted.act != "away"} | (
        auth if wanted.act != "away" else {}
    )
    for name, value in kept.items():
        assert last.all(name) == [value]


@st.composite
def uploads(draw: st.DrawFn) -> tuple[dict[str, Any], bytes, str]:
    """An upload as a step, what its parts are together, and how they are sent."""
    name = draw(st.sampled_from(sorted(FILES)))
    content, kind = FILES[name], draw(st.sampled_from(("raw", "multipart")))
    step: dict[str, Any] = {
        "upload": f"/s1/{draw(st.sampled_from(('ok', '503-1', '503-2', '307', 'away')))}/${{part.offset}}",
        "name": "step 1",
        "of": {"file": f"parts/{name}"},
        "part": f"{max(1, len(content) // draw(st.integers(1, 5)))} B",
        "at_once": draw(st.integers(1, 3)),
        "headers": {"content-range": "${part.range}", "x-id": "${uuid()}"},
        "retry": {"on": [503], "max": 3, "wait": "1 ms"},
    }
    if kind == "multipart":
        step["as"] = {"field": "chunk", "filename": "a.bin", "with": {"n": "${part.number}", "none": None}}
    return step, content, kind


@pytest.mark.slow
@pytest.mark.parametrize("way", ["http", "http2"])
@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=uploads(), logged_in=st.booleans())
def test_the_parts_that_arrive_are_the_whole(
    drawn: tuple[dict[str, Any], bytes, str], logged_in: bool, way: str, root: Path
) -> None:
    step, content, kind = drawn
    steps = [{"post": "/login/login"}, step] if logged_in else [step]
    flow = {"load": {"executor": "per-vu-iterations", "vus": 1, "iterations": 1}, "steps": steps}

    async def run() -> Arrivals:
        async with arrivals(tls=way == "http2", http2=way == "http2") as target:
            with trio.fail_after(20):
                await play(target, flow, root, way)
            return target

    found = trio.run(run).of("s1")
    by_part: dict[int, list[Arrived]] = {}
    for each in found:
        (said_range,) = each.all("content-range")
        by_part.setdefault(int(said_range.split()[1].partition("-")[0]), []).append(each)
    whole = b""
    for number, offset in enumerate(sorted(by_part), 1):
        first, *others = by_part[offset]
        assert offset == len(whole)
        assert all((each.body, each.all("x-id")) == (first.body, first.all("x-id")) for each in others)
        if "503" not in step["upload"]:
            assert len(others) == (0 if "/ok/" in step["upload"] else 1)
        assert all(each.all("content-length") == [str(len(each.body))] for each in by_part[offset])
        assert first.all("cookie") == (["deep=1; sid=abc"] if logged_in else [])
        whole += first.body if kind == "raw" else part_of(first, number)
    assert whole == content


def part_of(arrived: Arrived, number: int) -> bytes:
    """The bytes that a part's form carries, beside its number and nothing else."""
    (content_type,) = arrived.all("content-type")
    boundary = content_type.partition("boundary=")[2].encode()
    _, one, chunk, end = (b"\r\n" + arrived.body).split(b"\r\n--" + boundary)
    assert one.endswith(b'name="n"\r\n\r\n%d' % number)
    assert end == b"--\r\n"
    head, _, content = chunk.partition(b"\r\n\r\n")
    assert b'name="chunk"; filename="a.bin"' in head
    return content


def test_a_request_that_closes_its_connection_is_its_last() -> None:
    flow = {
        "load": {"executor": "per-vu-iterations", "vus": 1, "iterations": 1},
        "steps": [{"get": f"/s{n}/ok", "headers": {"connection": "close"}} for n in (1, 2, 3)] + [{"get": "/s4/ok"}],
    }

    async def run(way: str) -> list[int]:
        async with arrivals(tls=way == "https") as target:
            await play(target, flow, Path("suite"), way)
            return [each.connection for each in target.seen]

    for way in ("http", "https", "proxy"):
        assert trio.run(run, way) == [1, 2, 3, 4]
