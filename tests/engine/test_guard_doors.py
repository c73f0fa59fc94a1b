"""Whatever a URL is made of and wherever it comes from: only hosts that the guard allows are connected to."""

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import idna
import pytest
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from planned import inputs, plan_or_faults
from stage import FakeClient, Reply, Target, play
from trio.testing import MockClock

from vezaflow.errors import VezaflowError
from vezaflow.plan import GuardError, Targets, UrlError
from vezaflow.protocols import Body, ClientOptions, Exchange, Origin, RequestOptions, Resolver
from vezaflow.protocols.dns import Address

BASE = "http://localhost:1"
ALLOW = '["*.lxd", "10.*", "[fd00::1]", "bücher.example:8080"]'
SUITE = f"suite: s\nguard: {{allow: {ALLOW}}}\n"
RUN = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\ngates: {http_req_failed: rate < 1 %}\n"

HOSTS = [
    "127.0.0.1", "localhost", "[::1]", "a.lxd", "A.LXD.", "10.9.8.7", "[fd00::1]", "bücher.example:8080",
    "xn--bcher-kva.example", "evil.example", "10.evil.example", "10.0.evil.example", "10.9.8.7.evil.example",
    "11.0.0.1", "0.0.0.0", "0", "[::]", "[::ffff:10.0.0.1]", "[fd00::2]", "127.1", "0x7f.1", "2130706433",
    "0177.0.0.1", "127.0.0.01", "127.0.0.1.evil.example", "localhost.evil.example", "a.lxd.evil.example",
    "①②⑦.0.0.1", "127。0.0.1", "１２７.0.0.1", "ⓛocalhost", "locaLhoſt", "loc\xadalhost", "a．lxd", "a․lxd", "a／lxd",
    "evil.example／.lxd", "evil.example？.lxd", "evil.example＠.lxd", "evil.example℀.lxd", "[::1%lo]", "[::1%25lo]",
    "[::1].lxd", "[::1", "::1", "[127.0.0.1]", "%6cocalhost", "evil.example%2f.lxd", "evil.example%00.lxd",
    "evil.example;.lxd", "evil.example,a.lxd", "evil.example\\.lxd", "a..lxd", ".lxd", "*.lxd", "xn--.lxd",
    "xn--a.lxd", "-a.lxd", "ς.lxd", "ﬀ.lxd", "😀.lxd", "İ.lxd",
]  # fmt: skip

LEADS = [
    "http://", "https://", "HTTP://", "http:", "http:/", "http:///", "http:\\\\", "http:/\\", " http://", "ht\ttp://",
    "\nhttp://", "\u3000http://", "//", "///", "/\\", "\\\\", "\\/", "/\t/", "\t//", "/", "", "/..//", "@", "ftp://",
]  # fmt: skip
USERS = ["", "u@", "u:p@", "127.0.0.1@", "localhost:80@", "a.lxd\\@", "a.lxd#@", "a.lxd?@", "a.lxd/@"]
PORTS = ["", ".lxd", ":80", ":", ":0", ":8080", ":８０", ":80:80", ":80@evil.example", "\0.lxd", "\t.lxd"]
PATHS = [
    "", "/", "/x", "/../x", "\\x", "?q", "#f", "#@evil.example", "?@evil.example", "/@evil.example", "\\@evil.example",
    "//evil.example/", "\t@evil.example", "/x\r\nHost: evil.example",
]  # fmt: skip
ODD_HOSTS = st.text("0123456789abxl.:-[]%@\\/\0\t １。", max_size=8)
OFTEN_NONE = st.sampled_from(["", "", "", None])  # most URLs are odd in one place
URLS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(LEADS),
    OFTEN_NONE.flatmap(lambda none: st.just("") if none == "" else st.sampled_from(USERS)),
    st.one_of(st.sampled_from(HOSTS), ODD_HOSTS),
    OFTEN_NONE.flatmap(lambda none: st.just("") if none == "" else st.sampled_from(PORTS)),
    st.sampled_from(PATHS),
)


def is_right(host: str, port: int) -> bool:
    """What ALLOW says, put otherwise."""
    try:
        address = ip_address(host)
    except ValueError:
        lead, *rest = host.split(".")
        return (host == "localhost" or rest[-1:] in (["localhost"], ["lxd"])) or (
            (lead, *rest, port) == ("xn--bcher-kva", "example", 8080)
        )
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or host.startswith("10.") or host == "fd00::1"


class Dialler(FakeClient):
    """Asks a resolver for what it would connect to, and writes that down."""

    target: "Dialled"

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        async def look_up(host: str, port: int) -> list[Address]:
            return [(socket.AF_INET, (host, port))]

        proxy = self.options.proxy
        for host, port in ((origin.host, origin.port), *(((proxy.host, proxy.port),) if proxy else ())):
            found = await Resolver(look_up).resolve(host, port)
            self.target.dialled += [(str(address[0]), int(address[1])) for _, address in found]
        return await super().send(origin, head, body, options)


@dataclass
class Dialled(Target):
    """A target that knows which addresses were connected to."""

    dialled: list[tuple[str, int]] = field(default_factory=list)

    def client(self, options: ClientOptions = ClientOptions()) -> FakeClient:  # noqa: B008 (frozen)
        self.open_clients += 1
        return Dialler(self, options)


def dialled(flow: str, suite: str, reply: Callable[[str], Reply], **given: Any) -> list[tuple[str, int]]:
    """Where a run of a flow connects to; nothing where it is refused."""
    target = Dialled(lambda _method, path: reply(path))
    try:
        plan, _ = plan_or_faults(RUN + flow, suite=SUITE + suite, inputs=inputs(**given))
        if plan is not None:
            trio.run(play, plan, target, clock=MockClock(autojump_threshold=0))
    except VezaflowError:
        pass
    except BaseExceptionGroup as group:
        if group.split(VezaflowError)[1] is not None:
            raise
    return target.dialled


def ok(_path: str) -> Reply:
    return Reply()


def body(text: str) -> Callable[[str], Reply]:
    return lambda path: Reply(body=text.encode("utf-8", "replace")) if path == "/first" else Reply()


def header(name: str, value: str, status: int = 200) -> Callable[[str], Reply]:
    return lambda path: Reply(status, headers=((name, value),)) if path == "/first" else Reply()


def then(extract: str) -> str:
    return f"steps: [{{get: /first, extract: {{u: {extract}}}}}, {{get: '${{u}}'}}]"


GET = "steps: [{get: /x}]\n"
AT = f"base_url: {BASE}\n"
DOORS: dict[str, Callable[[str], list[tuple[str, int]]]] = {
    "base_url": lambda url: dialled(GET, f"base_url: {json.dumps(url)}", ok),
    "base_url of a flow": lambda url: dialled(f"base_url: {json.dumps(url)}\n{GET}", AT, ok),
    "base_url by an input": lambda url: dialled(GET, "base_url: ${env.X}", ok, environment={"X": url}),
    "--base-url": lambda url: dialled(GET, AT, ok, base_url=url),
    "written": lambda url: dialled(f"steps: [{{get: {json.dumps(url.replace('$', '$$'))}}}]", AT, ok),
    "an expression": lambda url: dialled(f"steps: [{{set: {{u: {json.dumps(url)}}}}}, {{get: '${{u}}'}}]", AT, ok),
    "a host's expression": lambda url: dialled(
        f"steps: [{{set: {{u: {json.dumps(url)}}}}}, {{get: 'http://${{u}}/x'}}]", AT, ok
    ),
    "a path's expression": lambda url: dialled(
        f"steps: [{{set: {{u: {json.dumps(url)}}}}}, {{get: '/${{raw(u)}}'}}]", AT, ok
    ),
    "JSON": lambda url: dialled(then("$.u"), AT, body(json.dumps({"u": url}))),
    "CSS": lambda url: dialled(then('{css: "a::attr(href)"}'), AT, body(f'<a href="{url.replace(chr(34), "")}">x</a>')),
    "a playlist": lambda url: dialled(
        then("{m3u8: segments, pick: first}").replace("${u}", "${u.uri}"),
        AT,
        body("#EXTM3U\n#EXTINF:1,\n" + re.sub(r"[\r\n]", "", url) + "\n"),
    ),
    "a link": lambda url: dialled(then("{link: next}"), AT, header("link", f'<{url}>; rel="next"')),
    "a redirect": lambda url: dialled("steps: [{get: /first}]", AT, header("location", url, 302)),
    "paginate": lambda url: dialled(
        "steps: [{paginate: {get: /first}, next: $.u, pages: 2}]", AT, body(json.dumps({"u": url}))
    ),
    "a proxy": lambda url: dialled(f"http: {{proxy: {json.dumps(url)}}}\n{GET}", AT, ok),
    "preflight": lambda url: dialled(GET, f"{AT}preflight: [{{get: {json.dumps(url)}}}]", ok),
    "setup's redirect": lambda url: dialled(GET, f"{AT}setup: [{{get: /first}}]", header("location", url, 307)),
}


@pytest.mark.parametrize("door", DOORS)
def test_what_is_allowed_goes_through_each_door(door: str) -> None:
    url = "a.lxd" if door == "a host's expression" else "http://a.lxd:8080"
    found = DOORS[door](url)
    assert door == "a path's expression" or any(host == "a.lxd" for host, _ in found)


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=60, deadline=None)
@example(url="http://10.evil.example/")
@given(url=URLS)
def test_nothing_is_connected_to_that_is_not_allowed(door: str, url: str) -> None:
    assert [place for place in DOORS[door](url) if not is_right(*place)] == []


def as_host(text: str | None) -> str | None:
    """A host as it is compared: another client's reading of it, in our spelling."""
    if text is None:
        return None
    text = text.lower().strip("[]").removesuffix(".")
    try:
        return str(ip_address(text))
    except ValueError:
        pass
    try:
        return text if text.isascii() else idna.encode(text, uts46=True).decode().removesuffix(".")
    except UnicodeError:
        return text


def by_urllib(base: str, url: str) -> str | None:
    try:
        return urlsplit(urljoin(base, url)).hostname
    except ValueError:
        return None


def by_httpx(base: str, url: str) -> str | None:
    try:
        return httpx.URL(base).join(url).host or None
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return None


@pytest.fixture(scope="module")
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that answers by itself, and the first lines that it was sent."""
    lines: list[str] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                lines.append(peer.recv(65536).decode("latin-1").partition("\r")[0])
                peer.sendall(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", lines
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def ours(url: str) -> list[tuple[str, str]]:
    """Where a URL leads, as a step's and as a Location."""
    targets = Targets(BASE, ("*",))
    here = targets.resolve("/")
    found = []
    for way in (targets.resolve, lambda text: targets.follow(here, text)):
        try:
            found.append((way(url).origin.scheme, way(url).origin.host))
        except (UrlError, GuardError):
            pass
    return found


@settings(max_examples=300, deadline=None)
@example(url="/\\evil.example")
@example(url="/\t/evil.example")
@example(url="ht\ttp://evil.example/")
@example(url="\\\\evil.example")
@given(url=URLS.map(lambda url: url.strip(" ")))
def test_where_another_client_goes_to_another_host_a_url_is_refused(url: str) -> None:
    for _, host in ours(url):
        for read in (by_urllib, by_httpx):
            assert as_host(read(BASE, url)) in (host, None)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@settings(max_examples=60, deadline=None)
@given(url=URLS.filter(lambda url: "\0" not in url and "://" in url))
def test_curl_goes_to_the_same_host_or_nowhere(proxy: tuple[str, list[str]], url: str) -> None:
    at, lines = proxy
    for _, host in ours(url)[:1]:
        lines.clear()
        subprocess.run(["curl", "-sgkm3", "--noproxy", "", "-x", at, "--", url], capture_output=True, check=False)
        for line in lines:
            asked = line.split(" ")[1]
            authority = asked.partition("://")[2].partition("/")[0] if "://" in asked else asked
            assert as_host(re.sub(r":\d*$", "", authority)) == host, line
