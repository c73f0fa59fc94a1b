"""Common Media Client Data, read and judged by the SVTA's own library (npm's @svta/cml-cmcd, which hls.js uses, too).

It is had with npm when the test runs; without npm or a network it is skipped.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trio
from npm import NPM, npm_install
from planned import plan_of
from stage import Reply, Target, play

NODE = shutil.which("node")
PACKAGE = "@svta/cml-cmcd@2.7.0"
SCRIPT = """
import { readFileSync } from "node:fs";
import { validateCmcdRequest } from "@svta/cml-cmcd";
const requests = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(requests.map((each) => validateCmcdRequest(each, { version: 1 }))));
"""
MASTER = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={rate}500\n{rate}k.m3u8?a=b\n" for rate in (64, 128))
MEDIA = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXT-X-MAP:URI="init.mp4"\n'
MEDIA += "".join(f"#EXTINF:5.005,\n{number}.m4s\n" for number in range(4)) + "#EXT-X-ENDLIST\n"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not (NPM and NODE), reason="needs npm and node")]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm")
    npm_install(folder, PACKAGE)
    (folder / "judge.mjs").write_text(SCRIPT)
    return folder


def answer(_method: str, path: str) -> Reply:
    path = path.partition("?")[0]
    if path == "/master.m3u8":
        return Reply(body=MASTER.encode())
    return Reply(body=MEDIA.encode()) if path.endswith(".m3u8") else Reply(body=bytes(100_000), after=8.0, first=0.1)


def asked(mode: str) -> list[dict[str, Any]]:
    """What a session asks for that stalls on its way."""
    target = Target(answer)
    load = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
    plan = plan_of(load + f"steps: [{{hls: /master.m3u8, name: listen, variant: highest, cmcd: {mode}}}]\n")

    async def listen() -> None:
        await play(plan, target)

    trio.run(listen, clock=trio.testing.MockClock(autojump_threshold=0))
    return [
        {"url": f"http://127.0.0.1{path}", "headers": dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])}
        for _, _, path, head in target.log
    ]


@pytest.mark.parametrize("mode", ["headers", "query"])
def test_every_request_tells_what_the_library_reads_and_finds_valid(library: Path, mode: str) -> None:
    requests = asked(mode)
    judged = subprocess.run(
        [str(NODE), "judge.mjs"], cwd=library, input=json.dumps(requests), capture_output=True, text=True, check=True
    )
    found = json.loads(judged.stdout)
    assert [each["issues"] for each in found] == [[]] * len(requests)
    told = [each["data"] for each in found]
    assert {each["sf"] for each in told} == {"h"}
    assert len({each["sid"] for each in told}) == 1
    assert {each["cid"] for each in told} == {"/master.m3u8"}
    assert [each["ot"] for each in told] == ["m", "m", "k", "i", *["av"] * 4]
    segments = [each for each in told if each["ot"] == "av"]
    assert {each["d"] for each in segments} == {5005}
    assert {each["tb"] for each in segments} == {128}
    assert [each.get("bs") for each in segments] == [None, None, True, True]
    assert segments[0]["su"] is True
    assert segments[1]["bl"] == 5000
    assert segments[1]["mtp"] == 100
