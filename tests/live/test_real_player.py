"""A real player agrees: hls.js in Chromium and the `hls` step on links of the same width.

hls.js is had with npm when the test runs; without npm, a network or Chromium it is skipped.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from npm import NPM, npm_install
from throttled_stream import SECONDS, throttled

from vezaflow.metrics import Summary
from vezaflow.plan import Bundle, Division, Inputs
from vezaflow.session import prepare, read, run

CHROMIUM = shutil.which("chromium")
PACKAGE = "hls.js@1.7.4"
PLAY = 24.0  # seconds
LINKS = {
    "steady": ((0.0, 400_000.0),),
    "narrow from the twelfth second on": ((0.0, 400_000.0), (12.0, 60_000.0)),
}

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not (CHROMIUM and NPM), reason="needs Chromium and npm")]


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hls.js, as npm has it."""
    folder = tmp_path_factory.mktemp("npm")
    npm_install(folder, PACKAGE)
    return folder / "node_modules" / "hls.js" / "dist" / "hls.min.js"


def seen_by_player(widths: tuple[tuple[float, float], ...], script: Path, profile: Path) -> dict[str, Any]:
    """What hls.js saw."""
    with throttled(*widths, script=script, play=PLAY, limit=4 * PLAY) as (url, stream):
        switches = ["--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio"]
        switches += ["--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}"]
        browser = subprocess.Popen(
            [str(CHROMIUM), *switches, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert stream.posted.wait(4 * PLAY + 30), "the page said nothing"
        finally:
            browser.terminate()
            browser.wait(20)
    return stream.seen


def heard_by_step(widths: tuple[tuple[float, float], ...], folder: Path) -> Summary:
    """What the step has of the same stream."""
    with throttled(*widths) as (url, _):
        (folder / "suite.yml").write_text(f"suite: s\nbase_url: {url}\n")
        (folder / "listen.yml").write_text(
            "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
            f"steps: [{{hls: /master.m3u8, name: listen, play: {PLAY}s}}]\ngates: {{hls_stalls: count < 99}}\n"
        )
        suite, inputs = read([folder]), Inputs({})
        plan = prepare(suite, inputs)
        return run(plan, Bundle.of(suite, inputs), Division(), (), lambda _: None).summary


@pytest.mark.long
@pytest.mark.parametrize("link", LINKS)
def test_a_real_player_agrees(link: str, script: Path, tmp_path: Path) -> None:
    seen = seen_by_player(LINKS[link], script, tmp_path / "profile")
    assert not seen.get("error"), seen
    step = tmp_path / "step"
    step.mkdir()
    summary = heard_by_step(LINKS[link], step)

    def figure(metric: str, aggregate: str) -> float:
        value = summary.select(metric).aggregate(aggregate)
        assert value is not None
        return value

    startup = figure("hls_startup", "max")
    assert startup == pytest.approx(seen["startup"], rel=0.2, abs=0.2)
    assert figure("hls_stalls", "count") == pytest.approx(seen["stalls"], abs=1)
    needed = int(PLAY / SECONDS)
    rates = [rate / 1000 for _, rate in seen["levels"]][:needed]
    assert figure("hls_bitrate", "min") == pytest.approx(min(rates))
    assert figure("hls_bitrate", "max") == pytest.approx(max(rates))
