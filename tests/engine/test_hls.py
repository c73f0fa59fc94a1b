"""Listeners of HLS streams, on a mock clock."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Played, Reply, Target, play

from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
RATES = (64, 128, 256)
MASTER = "#EXTM3U\n" + "".join(
    f'#EXT-X-STREAM-INF:BANDWIDTH={rate}000,CODECS="mp4a.40.2"\n{rate}k.m3u8\n' for rate in reversed(RATES)
)


def vod(count: int = 10, prefix: str = "64k", tags: str = "", seconds: int = 6) -> str:
    listed = "".join(f"#EXTINF:{seconds},\n{prefix}/{number}.ts\n" for number in range(count))
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:{seconds}\n{tags}{listed}#EXT-X-ENDLIST\n"


Site = Callable[[str, str], Reply]


def site(bandwidth: float = 10e6, files: dict[str, str] | None = None, slow: dict[str, float] | None = None) -> Site:
    """A stream over a link of so many bits per second; `slow`: links of their own by the beginning of a path."""
    there = {"/master.m3u8": MASTER, **{f"/{rate}k.m3u8": vod(prefix=f"{rate}k") for rate in RATES}, **(files or {})}

    def answer(_method: str, path: str) -> Reply:
        plain = path.partition("?")[0]
        if plain in there:
            return Reply(body=there[plain].encode(), after=0.02)
        rate = next((int(part[:-1]) for part in plain.split("/") if part[-1:] == "k"), 64)
        link = next((each for begin, each in (slow or {}).items() if plain.startswith(begin)), bandwidth)
        size = rate * 1000 * 6 // 8
        return Reply(body=bytes(size), after=0.02 + size * 8 / link, first=0.02)

    return answer


async def listen(
    keys: str, answer: Site, *, url: str = "/master.m3u8", suite: str | None = None
) -> tuple[Target, Played]:
    target = Target(answer)
    text = ONCE + f"steps:\n  - {{hls: '{url}', name: listen{keys}}}\n"
    return target, await play(plan_of(text, suite=suite) if suite else plan_of(text), target)


def paths(target: Target) -> list[str]:
    return [path for _, _, path, _ in target.log]


def figure(played: Played, metric: str, aggregate: str = "avg") -> float:
    value = played.summary.select(metric).aggregate(aggregate)
    assert value is not None, metric
    return value


async def test_highest_and_lowest_are_what_they_say(autojump_clock: trio.testing.MockClock) -> None:
    for variant, rate in (("highest", 256), ("lowest", 64)):
        target, played = await listen(f", variant: {variant}, segments: 2, pace: none", site())
        assert paths(target) == ["/master.m3u8", f"/{rate}k.m3u8", f"/{rate}k/0.ts", f"/{rate}k/1.ts"]
        assert figure(played, "hls_bitrate") == pytest.approx(rate)


async def test_a_condition_selects_the_highest_that_meets_it(autojump_clock: trio.testing.MockClock) -> None:
    for condition, rate in (("<= 200000", 128), ("< 128000", 64), ("100000..300000", 256), ("== 128000", 128)):
        target, _ = await listen(f", variant: {{bandwidth: {condition}}}, segments: 1, pace: none", site())
        assert paths(target)[1] == f"/{rate}k.m3u8", condition


async def test_a_condition_that_no_variant_meets_fails_the_start(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", variant: {bandwidth: < 1000}", site())
    assert paths(target) == ["/master.m3u8"]
    assert figure(played, "hls_startup_failed", "rate") == 1
    (incident,) = played.engine.incidents.items
    assert "no variant has such a bandwidth; there are 64000, 128000, 256000" in incident.message


async def test_requests_have_names_of_their_own(autojump_clock: trio.testing.MockClock) -> None:
    tags = '#EXT-X-KEY:METHOD=AES-128,URI="secret.key?a=1,2"\n#EXT-X-MAP:URI="init.mp4",BYTERANGE="720@0"\n'
    files = {"/256k.m3u8": vod(3, "256k", tags)}
    target, played = await listen(", variant: highest, pace: none, expect: 200", site(files=files))
    assert paths(target)[2:5] == ["/secret.key?a=1,2", "/init.mp4", "/256k/0.ts"]
    assert "\r\nRange: bytes=0-719\r\n\r\n" in target.log[3][3]
    for name, count in (("master", 1), ("playlist", 1), ("key", 1), ("init", 1), ("segment", 3)):
        assert played.count("http_reqs", step=f"listen {name}") == count, name
    assert played.count("hls_sessions", step="listen") == 1
    assert played.summary.select("step_duration", labels=[("step", "listen")]).samples == 1


async def test_options_of_the_step_are_those_of_each_request(autojump_clock: trio.testing.MockClock) -> None:
    keys = ', variant: lowest, segments: 1, pace: none, headers: {x-player: one}, auth: {bearer: "t"}, query: {s: 1}'
    target, _ = await listen(keys, site())
    assert paths(target) == ["/master.m3u8?s=1", "/64k.m3u8", "/64k/0.ts"]
    for _, _, _, head in target.log:
        assert "\r\nx-player: one\r\n" in head
        assert "\r\nAuthorization: Bearer t\r\n" in head


async def test_other_hosts_pass_the_guard_and_get_no_credentials(autojump_clock: trio.testing.MockClock) -> None:
    suite = "suite: test\nbase_url: http://127.0.0.1:1\nguard: {allow: [cdn.test]}"
    files = {"/64k.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://cdn.test/64k/0.ts\n#EXT-X-ENDLIST\n"}
    keys = ", variant: lowest, pace: none, headers: {x-token: a}"
    target, played = await listen(keys, site(files=files), suite=suite)
    assert "x-token" not in target.log[-1][3]
    assert "\r\nHost: cdn.test\r\n" in target.log[-1][3]
    assert played.count("http_req_failed") == 0
    target, played = await listen(keys, site(files=files))
    assert paths(target) == ["/master.m3u8", "/64k.m3u8"]
    assert played.count("http_req_errors", error="guard", step="listen segment") == 1


async def test_uris_are_relative_to_where_a_redirect_leads(autojump_clock: trio.testing.MockClock) -> None:
    whole = site(files={"/moved/list.m3u8": vod(1)})

    def moved(method: str, path: str) -> Reply:
        if path == "/master.m3u8":
            return Reply(status=302, headers=(("location", "/moved/list.m3u8"),))
        return whole(method, path)

    target, played = await listen(", pace: none", moved)
    assert paths(target) == ["/master.m3u8", "/moved/list.m3u8", "/moved/64k/0.ts"]
    assert played.count("http_reqs", step="listen master") == 2


async def test_a_byte_range_is_asked_for_and_206_is_as_good_as_200(autojump_clock: trio.testing.MockClock) -> None:
    ranges = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n#EXT-X-BYTERANGE:100@50\n64k/a.ts\n"
    ranges += "#EXTINF:6,\n#EXT-X-BYTERANGE:10\n64k/a.ts\n#EXT-X-ENDLIST\n"
    whole = site(files={"/64k.m3u8": ranges})

    def partial(method: str, path: str) -> Reply:
        reply = whole(method, path)
        return reply._replace(status=206) if path.endswith(".ts") else reply

    target, played = await listen(", variant: lowest, pace: none, expect: 200", partial)
    heads = [head for _, _, path, head in target.log if path.endswith(".ts")]
    assert [head.partition("Range: ")[2].strip() for head in heads] == ["bytes=50-149", "bytes=150-159"]
    assert played.count("http_req_failed") == 0


async def test_gaps_are_left_out(autojump_clock: trio.testing.MockClock) -> None:
    gaps = vod(3).replace("#EXTINF:6,\n64k/1.ts", "#EXT-X-GAP\n#EXTINF:6,\n64k/1.ts")
    target, _ = await listen(", variant: lowest, pace: none", site(files={"/64k.m3u8": gaps}))
    assert paths(target)[2:] == ["/64k/0.ts", "/64k/2.ts"]


async def test_a_media_playlist_alone_is_played(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", play: 12s", site(), url="/64k.m3u8")
    assert paths(target)[:3] == ["/64k.m3u8", "/64k/0.ts", "/64k/1.ts"]
    assert figure(played, "hls_bitrate") == pytest.approx(64, rel=0.01)
    assert figure(played, "hls_startup_failed", "rate") == 0


async def test_variables_come_from_the_master_playlist_and_from_the_query(
    autojump_clock: trio.testing.MockClock,
) -> None:
    master = '#EXTM3U\n#EXT-X-DEFINE:NAME="cdn",VALUE="64k"\n#EXT-X-DEFINE:QUERYPARAM="token"\n'
    master += "#EXT-X-STREAM-INF:BANDWIDTH=64000\nlist.m3u8?t={$token}\n"
    media = '#EXTM3U\n#EXT-X-DEFINE:IMPORT="cdn"\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{$cdn}/0.ts\n#EXT-X-ENDLIST\n'
    target, _ = await listen(
        ", pace: none", site(files={"/master.m3u8": master, "/list.m3u8": media}), url="/master.m3u8?token=abc"
    )
    assert paths(target)[1:] == ["/list.m3u8?t=abc", "/64k/0.ts"]


async def test_a_variable_that_is_not_defined_is_named(autojump_clock: trio.testing.MockClock) -> None:
    media = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{$nowhere}/0.ts\n#EXT-X-ENDLIST\n"
    _, played = await listen("", site(files={"/64k.m3u8": media}), url="/64k.m3u8")
    (incident,) = played.engine.incidents.items
    assert "does not define {$nowhere}" in incident.message
    assert played.count("http_req_errors", error="extraction", step="listen master") == 1


async def test_sound_of_its_own_is_fetched_beside(autojump_clock: trio.testing.MockClock) -> None:
    master = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="sound.m3u8"\n'
    master += '#EXT-X-STREAM-INF:BANDWIDTH=64000,AUDIO="a"\n64k.m3u8\n'
    files = {"/master.m3u8": master, "/64k.m3u8": vod(3), "/sound.m3u8": vod(6, "sound", seconds=3)}
    target, played = await listen(", segments: 2", site(files=files))
    assert sorted(paths(target)[2:]) == sorted(
        ["/64k/0.ts", "/64k/1.ts", "/sound.m3u8", *(f"/sound/{number}.ts" for number in range(4))]
    )
    assert target.most["127.0.0.1:1"] == 2
    assert figure(played, "hls_rebuffer_ratio", "rate") == 0


async def test_a_player_fills_its_buffer_and_then_asks_as_it_plays(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", variant: lowest, play: 40s, buffer: 12s", site())
    begun = [round(at) for at, _, path, _ in target.log if path.endswith(".ts")]
    assert begun == [0, 0, 0, 6, 12, 18, 24, 30, 36]
    assert played.seconds == pytest.approx(40, abs=0.5)
    assert figure(played, "hls_startup", "max") == pytest.approx(0.1, abs=0.05)
    assert figure(played, "hls_rebuffer_time", "max") == 0


async def test_a_listener_hears_all_of_a_stream(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", variant: lowest", site())
    assert len([path for path in paths(target) if path.endswith(".ts")]) == 10
    assert played.seconds == pytest.approx(60, abs=0.5)


async def test_without_pace_nothing_waits(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", variant: lowest, play: 18s, pace: none", site())
    assert len(paths(target)) == 5
    assert played.seconds < 1
    assert played.summary.select("hls_rebuffer_ratio").aggregate("rate") is None
    assert figure(played, "hls_startup_failed", "rate") == 0


async def test_a_link_that_is_too_slow_makes_playback_stand_still(autojump_clock: trio.testing.MockClock) -> None:
    # each segment of 6 s takes 12 s: six of them are 36 s of playing, and 5 × 6 s of standing still
    _, played = await listen(", variant: lowest, segments: 6", site(32_000))
    assert played.count("hls_stalls") == 5
    assert figure(played, "hls_rebuffer_time", "max") == pytest.approx(30, abs=0.5)
    assert figure(played, "hls_rebuffer_ratio", "rate") == pytest.approx(30 / 66, abs=0.01)
    assert figure(played, "hls_startup", "max") == pytest.approx(12, abs=0.2)
    assert figure(played, "hls_segment_duration", "avg") == pytest.approx(12, abs=0.1)


async def test_a_player_starts_with_what_500_kbit_carry(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", segments: 4", site())
    assert paths(target)[1:3] == ["/256k.m3u8", "/256k/0.ts"]
    assert played.count("hls_variant_switches") == 0
    assert figure(played, "hls_bitrate", "min") == pytest.approx(256)


async def test_a_slow_link_leads_down_at_once(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", segments: 4", site(100_000))
    assert paths(target)[1:] == [
        "/256k.m3u8",
        "/256k/0.ts",
        "/64k.m3u8",
        *(f"/64k/{number}.ts" for number in (1, 2, 3)),
    ]
    assert played.count("hls_variant_switches") == 1
    assert played.count("hls_stalls") == 0


async def test_a_slow_rendition_is_left(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await listen(", play: 60s", site(slow={"/256k": 150_000}))
    assert played.count("hls_variant_switches") >= 1
    assert figure(played, "hls_bitrate", "min") < 256


async def test_bola_begins_low_and_rises_with_the_buffer(autojump_clock: trio.testing.MockClock) -> None:
    target, _ = await listen(", abr: bola, segments: 8", site())
    rates = [int(path.split("k/")[0][1:]) for path in paths(target) if path.endswith(".ts")]
    assert rates == sorted(rates)
    assert (rates[0], rates[-1]) == (64, 256)


async def test_a_stream_that_is_not_there_fails_to_start(autojump_clock: trio.testing.MockClock) -> None:
    for reply in (Reply(status=404), Reply(error=ErrorKind.REFUSED), Reply(body=b"<html>")):
        _, played = await listen("", lambda _method, _path, reply=reply: reply)  # type: ignore[misc]
        assert figure(played, "hls_startup_failed", "rate") == 1
        assert played.summary.select("hls_startup").aggregate("max") is None
        assert played.count("iterations_failed") == 1


async def test_a_broken_segment_ends_the_iteration_or_is_left_out(autojump_clock: trio.testing.MockClock) -> None:
    whole = site()

    def broken(method: str, path: str) -> Reply:
        return Reply(status=404) if path.endswith("/2.ts") else whole(method, path)

    target, played = await listen(", variant: lowest", broken)
    assert paths(target)[-1] == "/64k/2.ts"
    assert played.count("http_req_failed", step="listen segment") == 1
    target, played = await listen(", variant: lowest, on_failure: continue", broken)
    assert paths(target)[-1] == "/64k/9.ts"
    assert played.count("iterations_failed") == 1


async def test_a_session_that_the_end_cuts_off_has_its_figures(autojump_clock: trio.testing.MockClock) -> None:
    text = "load: {vus: 1, duration: 20s, graceful_stop: 0s}\nsteps: [{hls: /64k.m3u8, name: listen}]\n"
    played = await play(plan_of(text), Target(site(32_000)))
    assert played.count("iterations_interrupted") == 1
    assert played.count("hls_sessions") == 1
    assert figure(played, "hls_rebuffer_ratio", "rate") == pytest.approx(2 / 8, abs=0.05)  # 12 s, 6 s, and 2 s


async def test_who_adapts_is_cut_off_as_any_other(autojump_clock: trio.testing.MockClock) -> None:
    text = "load: {vus: 3, duration: 20s, graceful_stop: 1s}\nsteps: [{hls: /master.m3u8, name: listen}]\n"
    played = await play(plan_of(text), Target(site()))
    assert played.count("iterations_interrupted") == 3
    assert played.count("hls_sessions") == 3
    assert played.seconds == pytest.approx(21, abs=0.1)


async def test_several_listen_at_the_same_time(autojump_clock: trio.testing.MockClock) -> None:
    steps = "{hls: /master.m3u8, name: one, segments: 2}, {hls: /64k.m3u8, name: other, segments: 3}"
    played = await play(plan_of(ONCE + f"steps: [{{parallel: [{steps}]}}]\n"), Target(site()))
    assert played.count("hls_sessions", step="one") == 1
    assert played.count("http_reqs", step="other segment") == 3
    assert played.seconds == pytest.approx(18, abs=0.5)


async def test_a_listener_waits_on_the_users_own_time(autojump_clock: trio.testing.MockClock) -> None:
    text = "load: {vus: 2, duration: 60s}\nsteps: [{hls: /64k.m3u8, name: listen, play: 10s}]\nthink: 1s\n"
    played = await play(plan_of(text), Target(site()))
    (run,) = played.engine.flows
    assert run.delivered.time_lost == pytest.approx(0, abs=0.05)


# -- live -------------------------------------------------------------------------------------------------------------


class Live:
    """A stream whose window moves on with the clock: five segments of 4 s, one of them new every 4 s."""

    def __init__(self, begin: float, *, ends: int | None = None, tags: str = "", frozen: float | None = None) -> None:
        self.begin, self.ends, self.tags, self.frozen = begin, ends, tags, frozen

    def __call__(self, _method: str, path: str) -> Reply:
        if path.endswith(".ts"):
            return Reply(body=bytes(1000), after=0.05)
        now = trio.current_time() - self.begin
        newest = 10 + int((now if self.frozen is None else min(now, self.frozen)) // 4)
        if self.ends is not None:
            newest = min(newest, self.ends)
        first = newest - 4
        listed = "".join(f"#EXTINF:4,\n{number}.ts\n" for number in range(first, newest + 1))
        end = "#EXT-X-ENDLIST\n" if newest == self.ends else ""
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n{self.tags}{listed}{end}"
        wait = 0.02
        if "_HLS_msn=" in path:
            wait = max(wait, 4 - now % 4)
            return Live(self.begin - wait, ends=self.ends, tags=self.tags)(_method, "/live.m3u8")._replace(after=wait)
        return Reply(body=text.encode(), after=wait)


async def test_a_live_stream_is_joined_three_target_durations_before_its_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target, played = await listen(", play: 20s", Live(trio.current_time()), url="/live.m3u8")
    assert paths(target)[:2] == ["/live.m3u8", "/8.ts"]
    assert figure(played, "hls_live_latency", "max") < 17
    assert figure(played, "hls_live_latency", "min") > 8
    assert played.count("hls_stalls") == 0


async def test_a_live_stream_says_itself_how_far_behind_to_play(autojump_clock: trio.testing.MockClock) -> None:
    live = Live(trio.current_time(), tags="#EXT-X-SERVER-CONTROL:HOLD-BACK=17\n")
    target, _ = await listen(", play: 8s", live, url="/live.m3u8")
    assert paths(target)[:2] == ["/live.m3u8", "/6.ts"]


async def test_a_playlist_that_changed_is_asked_for_a_target_duration_later_any_other_after_half(
    autojump_clock: trio.testing.MockClock,
) -> None:
    begun = trio.current_time()
    target, _ = await listen(", play: 20s", Live(begun - 3, frozen=5), url="/live.m3u8")
    loads = [round(at - begun, 1) for at, _, path, _ in target.log if path.endswith("m3u8")]
    gaps = [round(later - earlier) for earlier, later in pairwise(loads)]
    assert gaps[:2] == [4, 4]
    assert set(gaps[2:]) == {2}


async def test_a_live_stream_that_ends_is_heard_to_its_end(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen("", Live(trio.current_time(), ends=12), url="/live.m3u8")
    assert [path for path in paths(target) if path.endswith(".ts")] == [f"/{number}.ts" for number in range(8, 13)]
    assert played.seconds == pytest.approx(20, abs=0.5)


async def test_a_server_is_asked_to_wait_where_it_can_and_no_gate_judges_that(
    autojump_clock: trio.testing.MockClock,
) -> None:
    live = Live(trio.current_time(), tags="#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n")
    target, played = await listen(", play: 20s", live, url="/live.m3u8")
    waited = [path for path in paths(target) if "_HLS_msn=" in path]
    assert waited[:2] == ["/live.m3u8?_HLS_msn=11", "/live.m3u8?_HLS_msn=12"]
    assert played.summary.select("http_req_duration").aggregate("max") < 0.1  # type: ignore[operator]
    apart = played.summary.select("http_req_duration", None, [("step", "listen blocking reload")], judged=False)
    assert apart.aggregate("max") == pytest.approx(4, abs=0.1)
    assert played.count("hls_stalls") == 0


async def test_a_live_stream_that_stops_makes_playback_stand_still(autojump_clock: trio.testing.MockClock) -> None:
    text = "load: {vus: 1, duration: 40s, graceful_stop: 0s}\nsteps: [{hls: /live.m3u8, name: listen}]\n"
    played = await play(plan_of(text), Target(Live(trio.current_time(), frozen=0)))
    assert played.count("hls_stalls") == 1
    assert figure(played, "hls_rebuffer_time", "max") == pytest.approx(28, abs=1)


async def test_a_live_stream_without_segments_fails_to_start(autojump_clock: trio.testing.MockClock) -> None:
    empty = Reply(body=b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:1\n", after=0.02)
    _, played = await listen(", timeout: 10s", lambda _method, _path: empty, url="/live.m3u8")
    assert figure(played, "hls_startup_failed", "rate") == 1
    assert played.seconds == pytest.approx(10, abs=2.5)


async def test_a_playlist_that_shrinks_is_taken_for_an_old_one_and_then_for_a_new_beginning(
    autojump_clock: trio.testing.MockClock,
) -> None:
    begun = trio.current_time()
    live = Live(begun)

    def answer(method: str, path: str) -> Reply:
        anew = trio.current_time() - begun > 6
        return (Live(begun + 24) if anew else live)(method, path)

    target, played = await listen(", play: 30s", answer, url="/live.m3u8")
    assert {"/4.ts", "/5.ts", "/6.ts"} & {*paths(target)}
    assert played.count("hls_stalls") == 0  # what was in the buffer lasted


# -- low latency ------------------------------------------------------------------------------------------------------


class LowLatency:
    """A live stream of segments of 4 s in parts of 1 s, of which those of the last two segments are listed."""

    CONTROL = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3\n"

    def __init__(self, begin: float, *, control: str = CONTROL, ends: float = 1e9) -> None:
        self.begin, self.control, self.ends = begin, control, ends

    def __call__(self, _method: str, path: str) -> Reply:
        now, plain = trio.current_time() - self.begin, path.partition("?")[0]
        if plain == "/master.m3u8":
            both = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="sound.m3u8"\n'
            return Reply(body=f'#EXTM3U\n{both}#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO="a"\nlive.m3u8\n'.encode())
        if not plain.endswith(".m3u8"):
            return Reply(body=bytes(1000), after=0.02)
        place, wait = plain.removesuffix(".m3u8") + "/", 0.02
        if "_HLS_msn=" in path:
            number, part = (int(each.partition("=")[2]) for each in path.partition("?")[2].split("&"))
            wait = max(wait, (number - 11) * 4 + part + 1 - now)
        return Reply(body=self.playlist(now + wait, place).encode(), after=wait)

    def playlist(self, now: float, place: str) -> str:
        there = int(min(now, self.ends) + 0.001)
        newest, parts = 10 + there // 4, there % 4
        lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=1\n{self.control}"
        lines += f"#EXT-X-MEDIA-SEQUENCE:{newest - 4}\n"
        for number in range(newest - 4, newest + 2):
            for part in range(4 if number <= newest else parts) if number > newest - 2 else ():
                lines += f'#EXT-X-PART:DURATION=1,URI="{place}{number}.{part}"\n'
            lines += f"#EXTINF:4,\n{place}{number}\n" if number <= newest else ""
        return lines + (f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{place}{newest + 1}.{parts}"\n')


async def test_parts_are_played_close_to_the_edge(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await listen(", play: 20s", LowLatency(trio.current_time() - 2.5), url="/live.m3u8")
    media = [path for path in paths(target) if "m3u8" not in path]
    assert media[:4] == ["/live/10.0", "/live/10.1", "/live/10.2", "/live/10.3"]  # no other part can be played first
    assert media[4:6] == ["/live/11.0", "/live/11.1"]
    assert len(media) == len({*media})
    assert played.count("hls_stalls") == 0
    assert figure(played, "hls_live_latency", "max") < 7
    assert played.count("http_reqs", step="listen part") == len(media)
    assert played.count("http_req_failed") == 0


async def test_the_server_is_asked_for_the_next_part_and_no_gate_judges_that_wait(
    autojump_clock: trio.testing.MockClock,
) -> None:
    begun = trio.current_time()
    target, played = await listen(", play: 20s", LowLatency(begun - 2.5), url="/live.m3u8")
    loads = [path for path in paths(target) if "m3u8" in path]
    assert loads[:4] == [
        "/live.m3u8",
        "/live.m3u8?_HLS_msn=11&_HLS_part=2",
        "/live.m3u8?_HLS_msn=11&_HLS_part=3",
        "/live.m3u8?_HLS_msn=12&_HLS_part=0",
    ]
    assert all("_HLS_part=" in path for path in loads[1:])
    assert played.summary.select("http_req_duration").aggregate("max") < 0.1  # type: ignore[operator]
    apart = played.summary.select("http_req_duration", None, [("step", "listen blocking reload")], judged=False)
    assert apart.aggregate("max") == pytest.approx(1, abs=0.1)


async def test_parts_of_a_server_that_holds_nothing_back_are_not_asked_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    live = LowLatency(trio.current_time() - 2.5, control="#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n")
    target, played = await listen(", play: 20s", live, url="/live.m3u8")
    assert not any("." in path for path in paths(target) if "m3u8" not in path)
    assert not any("_HLS_" in path for path in paths(target))
    assert played.count("hls_stalls") == 0


async def test_who_falls_behind_the_parts_goes_on_with_segments(autojump_clock: trio.testing.MockClock) -> None:
    live = LowLatency(trio.current_time() - 2.5)

    def slow(method: str, path: str) -> Reply:
        reply = live(method, path)
        return reply._replace(after=13.0) if path == "/live/11.1" else reply

    target, played = await listen(", play: 12s", slow, url="/live.m3u8")
    media = [path for path in paths(target) if "m3u8" not in path]
    assert media[4:8] == ["/live/11.0", "/live/11.1", "/live/11", "/live/12.0"]
    assert played.seconds == pytest.approx(12 + 8.6, abs=0.1)
    assert played.count("hls_stalls") == 1


async def test_segments_are_counted_whole_where_parts_are_fetched(autojump_clock: trio.testing.MockClock) -> None:
    live = LowLatency(trio.current_time())
    target, _ = await listen(", segments: 2", live, url="/live.m3u8")
    assert [path for path in paths(target) if "m3u8" not in path] == [
        f"/live/{number}.{part}" for number in (10, 11) for part in range(4)
    ]


async def test_sound_of_its_own_comes_in_parts_too(autojump_clock: trio.testing.MockClock) -> None:
    live = LowLatency(trio.current_time() - 2.5)
    target, played = await listen(", play: 12s", live)
    media, sound = (
        [path.rpartition("/")[2] for path in paths(target) if path.startswith(f"/{kind}/")]
        for kind in ("live", "sound")
    )
    assert media == sound
    assert played.count("hls_stalls") == 0
    assert played.count("http_req_failed") == 0


async def test_a_low_latency_stream_that_stops_makes_playback_stand_still(
    autojump_clock: trio.testing.MockClock,
) -> None:
    text = "load: {vus: 1, duration: 30s, graceful_stop: 0s}\nsteps: [{hls: /live.m3u8, name: listen}]\n"
    target = Target(LowLatency(trio.current_time(), ends=8.0))
    played = await play(plan_of(text), target)
    assert played.count("hls_stalls") == 1
    assert len(target.log) < 60


# -- client data ------------------------------------------------------------------------------------------------------


async def test_client_data_is_told_in_headers_or_in_the_query_or_not_at_all(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target, _ = await listen(", segments: 2, cmcd: headers", site())
    assert all("\r\nCMCD-Session: cid=" in head for _, _, _, head in target.log)
    assert not any("CMCD" in path for path in paths(target))
    target, played = await listen(", segments: 2, cmcd: query", site())
    assert all("CMCD=" in path for path in paths(target))
    assert played.count("http_req_failed") == 0
    target, _ = await listen(", segments: 2", site())
    assert not any("CMCD" in head for _, _, _, head in target.log)


async def test_each_session_has_an_id_of_its_own(autojump_clock: trio.testing.MockClock) -> None:
    text = "load: {executor: per-vu-iterations, vus: 3, iterations: 2}\n"
    plan = plan_of(text + "steps: [{hls: /master.m3u8, name: listen, cmcd: headers, segments: 1}]\n")
    target = Target(site())
    await play(plan, target)
    assert len({head.partition("sid=")[2].split('"')[1] for _, _, _, head in target.log}) == 6
