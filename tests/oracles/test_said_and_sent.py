"""Single sentences of docs/language.md on requests, each held against what h11 reads of it."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import trio
import yaml
from arrivals import Arrived, arrivals
from loaded import loaded
from planned import plan_of, plan_or_faults

from vezaflow.protocols import Transport

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\non_failure: continue\n"


def sent(flow: str) -> list[Arrived]:
    """What arrives of a flow, in its order."""

    async def run() -> list[Arrived]:
        async with arrivals() as target:
            suite = yaml.safe_dump({"suite": "wire", "base_url": target.base})
            plan = plan_of(ONCE + flow, suite=suite, root=Path("suite"))
            transport = Transport()
            with trio.fail_after(20):
                async with trio.open_nursery() as nursery:
                    await nursery.start(transport.run)
                    await loaded(plan, transport)
                    nursery.cancel_scope.cancel()
            return target.seen

    return trio.run(run)


WRITTEN = {"a": "1.10", "b": "012", "c": "0x1F", "d": "1e3", "e": "TRUE", "f": "12345678901234567890123", "g": "false"}


@pytest.mark.parametrize("way", ["as it stands", "through vars"])
def test_numbers_and_booleans_are_sent_as_they_were_written(way: str) -> None:
    pairs = ", ".join(f"{name}: {text}" for name, text in WRITTEN.items())
    values = pairs if way == "as it stands" else ", ".join(f'{name}: "${{{name}}}"' for name in WRITTEN)
    names = pairs if way == "through vars" else "z: 1"
    path = "/".join(f"${{{name}}}" for name in WRITTEN) if way == "through vars" else "/".join(WRITTEN.values())
    headers = ", ".join(f"x-{each}" for each in values.split(", "))
    query, form, parts, heads, url = sent(f"""
vars: {{{names}}}
steps:
  - {{get: /s/ok, query: {{{values}}}}}
  - {{post: /s/ok, name: form, form: {{{values}}}}}
  - {{post: /s/ok, name: parts, multipart: {{{values}}}}}
  - {{get: /s/ok, name: headers, headers: {{{headers}}}}}
  - {{get: "/s/ok/{path}", name: url}}
""")
    assert dict(parse_qsl(urlsplit(query.target).query)) == WRITTEN
    assert dict(parse_qsl(form.body.decode())) == WRITTEN
    contents = [piece.partition(b"\r\n\r\n")[2].decode() for piece in parts.body.split(b"\r\n--")]
    assert contents[:-1] == list(WRITTEN.values())
    assert {name: heads.all(f"x-{name}") for name in WRITTEN} == {name: [text] for name, text in WRITTEN.items()}
    assert url.path == "/s/ok/" + "/".join(WRITTEN.values())


def test_numbers_within_a_list_that_stands_in_a_text_are_numbers() -> None:
    (one,) = sent('vars: {n: [1.10, 1e3, 012]}\nsteps: [{get: /s/ok, headers: {x-n: "${n}"}}]')
    assert one.all("x-n") == ["[1.1,1000.0,12]"]


def test_null_leaves_its_name_out() -> None:
    query, form, parts, headers = sent("""
headers: {x-flow: 1}
steps:
  - {get: "/s/ok?a=0", query: {a: null, b: [1, null, 2], c: ~}}
  - {post: /s/ok, name: form, form: {a: null, b: [1, null, 2], c: ~}}
  - {post: /s/ok, name: parts, multipart: {a: null, b: [1, null, 2], c: ~, d: {value: null}, e: "null"}}
  - {get: /s/ok, name: headers, headers: {X-Flow: null, user-agent: ~, x-b: "null"}}
""")
    assert urlsplit(query.target).query == "b=1&b=2"
    assert form.body == b"b=1&b=2"
    heads = [line for line in parts.body.split(b"\r\n") if line.startswith(b"Content-Disposition")]
    assert [head.partition(b"name=")[2] for head in heads] == [b'"b"', b'"b"', b'"e"']
    assert (headers.all("x-flow"), headers.all("user-agent"), headers.all("x-b")) == ([], [], ["null"])


@pytest.mark.parametrize(("of", "to"), [("$${x}", "${x}"), ("a[b]", "a[b]"), ("é &=", "é &="), (" ", " ")])
def test_a_name_is_sent_as_it_stands(of: str, to: str) -> None:
    query, form, parts = sent(f"""
steps:
  - {{get: /s/ok, query: {{"{of}": 1}}}}
  - {{post: /s/ok, name: form, form: {{"{of}": 1}}}}
  - {{post: /s/ok, name: parts, multipart: {{"{of}": 1}}}}
""")
    assert parse_qsl(urlsplit(query.target).query) == parse_qsl(form.body.decode()) == [(to, "1")]
    assert f'name="{to}"\r\n'.encode() in parts.body


@pytest.mark.parametrize("written", ["CONTENT-TYPE: multipart/related", 'Content-Type: "${kind}"'])
def test_an_authors_multipart_type_has_the_bodys_boundary(written: str) -> None:
    (one,) = sent(f"""
vars: {{kind: {{each: iteration, value: "multipart/${{letters(0)}}related"}}}}
steps: [{{post: /s/ok, headers: {{{written}}}, multipart: {{a: "1"}}}}]
""")
    (content_type,) = one.all("content-type")
    kind, _, boundary = content_type.partition("; boundary=")
    assert kind == "multipart/related"
    assert one.body.startswith(f"--{boundary}\r\n".encode())


@pytest.mark.parametrize(
    ("own", "wanted"),
    [("sid=mine", "sid=mine"), ("a=1; sid=mine", "a=1; sid=mine"), ("a=1", "a=1; sid=abc"), ("", "sid=abc")],
)
def test_an_authors_cookie_stands_in_place_of_the_one_that_was_set(own: str, wanted: str) -> None:
    _, one = sent(f'steps: [{{get: /s/login}}, {{get: /x/ok, headers: {{Cookie: "{own}"}}}}]')
    assert one.all("cookie") == [wanted]


def test_the_attempt_is_the_one_that_the_response_is_of() -> None:
    seen = sent("""
steps:
  - poll: {get: "/p/ok/${attempt}", expect: {that: ["attempt < 3"]}, extract: {n: {json: $.n, default: "${attempt}"}}}
    until: attempt == 2
    every: 1 ms
    within: 5s
  - get: "/r/503-2/${attempt}"
    retry: {max: 2, wait: "${attempt * 0}ms"}
    extract: {m: {json: $.m, default: "${attempt}"}}
  - {get: "/end/ok/${n}/${m}/${attempt}"}
""")
    assert [each.path for each in seen] == [
        "/p/ok/1", "/p/ok/2", "/r/503-2/1", "/r/503-2/2", "/r/503-2/3", "/end/ok/2/3/1"
    ]  # fmt: skip


def test_headers_of_suite_flow_and_step_are_one_whatever_their_case() -> None:
    one, two = sent("""
headers: {X-Case: flow, ACCEPT: text/html}
steps:
  - {get: /s/ok, headers: {x-case: step}}
  - {get: /s/ok, name: two, headers: {accept: ~}}
""")
    assert (one.all("x-case"), one.all("accept")) == (["step"], ["text/html"])
    assert (two.all("x-case"), two.all("accept")) == (["flow"], [])


@pytest.mark.parametrize("kind", ["${kind}", "text/plain\\r\\nx-more: 1"])
def test_a_parts_type_adds_no_lines(kind: str) -> None:
    flow = f"""
vars: {{kind: {{each: iteration, value: "${{letters(1)}}\\r\\nx-more: 1"}}}}
steps: [{{post: /s/ok, multipart: {{f: {{value: a, content_type: "{kind}"}}}}}}, {{get: /end/ok}}]
"""
    if kind == "${kind}":
        assert [each.path for each in sent(flow)] == ["/end/ok"]
    else:
        _, faults = plan_or_faults(flow)
        assert "a header value can't contain a line break" in [fault.message for fault in faults]
