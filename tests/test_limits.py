"""What a machine can carry, by pure functions; and the program on a machine that can't."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from planned import inputs, plan_of

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.limits import (
    Check,
    Enough,
    Machine,
    checks,
    connection_checks,
    connections_of,
    machine,
    require,
    require_addresses,
)
from vezaflow.limits.checks import CELL_MEMORY, estimated_memory
from vezaflow.limits.machine import available_of, left_of, ports_of
from vezaflow.plan import Division, Plan, Segment

ROOMY = Machine(open_files=1_000_000, ports=28_232, memory=8 << 30, cores=4)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and needs ulimit")
UNKNOWN = Machine(None, None, None, None)


def crowd(vus: int, base: str = "http://127.0.0.1:8080") -> Plan:
    flow = f"load: {{vus: {vus}, duration: 1m}}\nsteps: [{{get: /}}]\ngates: {{http_req_failed: rate < 1 %}}\n"
    return plan_of(flow, suite=f"suite: test\nbase_url: {base}\n")


def named(found: tuple[Check, ...], name: str) -> Check:
    return next(check for check in found if check.name == name)


def check(plan: Plan, there: Machine, name: str, division: Division | None = None) -> Check:
    return named(checks(plan, there, division or Division()), name)


def test_a_load_that_fits_has_nothing_to_mend() -> None:
    found = checks(crowd(1650), ROOMY, Division())
    assert [one.name for one in found] == ["open files", "local ports", "memory", "cores"]
    assert all(one.enough is Enough.YES and not one.remedy and not one.warning for one in found)
    require(found)


def test_what_is_not_known_holds_nothing_up() -> None:
    assert checks(crowd(10_000_000), UNKNOWN, Division()) == ()


@pytest.mark.parametrize(("allowed", "enough"), [(1063, Enough.NO), (1064, Enough.CLOSE), (1330, Enough.YES)])
def test_open_files_are_a_connection_for_each_vu_and_some_to_spare(allowed: int, enough: Enough) -> None:
    found = check(crowd(1000), Machine(allowed, None, None, None), "open files")
    assert (found.needed, found.enough) == (1064, enough)


GET, OTHER = "{get: /}", "{get: 'http://127.0.0.1:2/'}"


@pytest.mark.parametrize(
    ("steps", "least", "most"),
    [
        (GET, 1, 1),
        (f"{{parallel: [{GET}, {GET}, {GET}]}}", 3, 3),
        (f"{{parallel: [{GET}, {GET}, {GET}], per_host: 2}}", 2, 2),
        (f"{{parallel: [{GET}, {GET}, {OTHER}, {OTHER}], per_host: 1}}", 2, 2),
        (f"{{parallel: [{GET}, {{group: g, do: [{GET}, {{think: 1s}}]}}, {{think: 1s}}]}}", 2, 2),
        (f"{{parallel: [{GET}, {{group: g, do: [{{think: 1s}}, {GET}]}}]}}", 1, 2),
        (f"{{if: vu > 1, do: [{{parallel: [{GET}, {GET}]}}]}}", 1, 2),
        (f"{{if: vu > 1, do: [{{skip: enough}}]}}, {{parallel: [{GET}, {GET}]}}", 1, 2),
        (f"{{choose: [{{weight: 1, do: [{{parallel: [{GET}, {GET}]}}]}}, {{weight: 1, do: [{GET}]}}]}}", 1, 2),
        (f"{{repeat: 2, do: [{{parallel: [{GET}, {GET}]}}]}}", 2, 2),
        (f"{{while: vu > 1, max: 2, do: [{{parallel: [{GET}, {GET}]}}]}}", 1, 2),
        (f"{{for: x, in: [1, 2, 3], at_once: 2, do: [{GET}]}}", 2, 2),
        (f"{{for: x, in: [1, 2, 3], at_once: 9, do: [{GET}]}}", 3, 3),
        (f"{{for: x, in: '${{ids}}', at_once: 9, do: [{GET}]}}", 1, 9),
        (f"{{for: x, in: [1, 2], at_once: 2, do: [{{parallel: [{GET}, {GET}]}}]}}", 2, 4),
        ("{upload: /, of: 10 KiB, part: 3 KiB}", 1, 1),
        ("{upload: /, of: 10 KiB, part: 3 KiB, at_once: 3}", 3, 3),
        ("{upload: /, of: 10 KiB, part: 3 KiB, at_once: 9}", 4, 4),
        (f"{{parallel: [{{upload: /, of: 10 KiB, part: 3 KiB, at_once: 3}}, {GET}]}}", 3, 4),
        ("{parallel: [{get: '${url}'}, {get: '${url}'}], per_host: 1}", 1, 2),
        (f"{{websocket: /ws, do: [{GET}]}}", 2, 2),
        (f"{{websocket: /ws, do: [{{think: 1s}}]}}, {GET}", 1, 1),
        ("{websocket: /ws, do: [{websocket: /two, do: [{send: a}]}]}", 2, 2),
        (f"{{parallel: [{{parallel: [{GET}, {GET}, {GET}]}}, {GET}], per_host: 2}}", 2, 2),
    ],
)
def test_what_a_vu_does_at_the_same_time_takes_a_connection_each(steps: str, least: int, most: int) -> None:
    setup = "setup: [{get: /, extract: {url: body, ids: {json: $.ids}}}]\n"
    plan = plan_of(f"steps: [{steps}]\n", suite=f"suite: test\nbase_url: http://127.0.0.1:1\n{setup}")
    found = connections_of(plan.flows[0])
    assert (found.least, found.most) == (least, most)


def test_over_http_2_all_that_a_vu_does_at_the_same_time_shares_one_connection() -> None:
    steps = f"http: {{version: 2}}\nsteps: [{{parallel: [{GET}, {GET}, {GET}]}}]\n"
    found = connections_of(plan_of(steps, suite="suite: test\nbase_url: https://127.0.0.1:1\n").flows[0])
    assert (found.least, found.most) == (1, 1)


def test_what_is_sure_is_refused_and_what_may_be_is_told() -> None:
    there = Machine(500, 600, 8 << 30, 1)
    load = "load: {vus: 100, duration: 1m}\ngates: {http_req_failed: rate < 1 %}\n"
    sure = plan_of(load + f"steps: [{{parallel: [{', '.join([GET] * 9)}]}}]\n")
    files, ports, memory, _ = checks(sure, there, Division())
    assert (files.needed, files.enough, ports.needed, ports.enough) == (664, Enough.NO, 600, Enough.CLOSE)
    assert memory.needed > check(crowd(100), there, "memory").needed
    perhaps = plan_of(load + f"steps: [{{if: vu > 1, do: [{{parallel: [{', '.join([GET] * 9)}]}}]}}]\n")
    files = check(perhaps, there, "open files")
    assert (files.enough, files.sentence) == (Enough.CLOSE, "up to 664 open files needed, 500 allowed")
    assert check(perhaps, there, "local ports").sentence.startswith("up to 600 connections to 127.0.0.1:1 needed")


def test_only_the_connections_to_one_target_share_its_ports() -> None:
    plan = plan_of(f"load: {{vus: 10, duration: 1m}}\nsteps: [{GET}, {{parallel: [{GET}, {GET}, {OTHER}, {OTHER}]}}]\n")
    assert check(plan, ROOMY, "local ports").needed == 20
    assert check(plan, ROOMY, "open files").needed == 40 + 64


FAR, NEW = "http: {local_address: 127.0.0.2}", "{get: 'https://127.0.0.1:2/', http: {version: 2}}"


@pytest.mark.parametrize(
    ("steps", "least", "most"),
    [
        (f"{GET}, {{get: /, {FAR}}}", 1, 2),
        (f"{{get: /, {FAR}}}", 1, 1),
        (f"{GET}, {{get: /, {FAR}}}, {{get: /, {FAR}}}, {{get: /, http: {{proxy: 'http://127.0.0.1:9'}}}}", 1, 3),
        (f"{{parallel: [{GET}, {GET}, {{get: /, {FAR}}}]}}", 3, 3),
        (f"{{parallel: [{GET}, {{get: /, {FAR}}}], per_host: 1}}", 1, 2),
        (f"{GET}, {{upload: /, of: 9 KiB, part: 3 KiB, at_once: 3, {FAR}}}", 3, 4),
        (f"{{for: x, in: [1, 2, 3], at_once: 2, do: [{{get: /, {FAR}}}]}}, {GET}", 2, 3),
        (f"{{parallel: [{GET}, {NEW}, {NEW}, {NEW}]}}", 1, 2),
    ],
)
def test_each_further_way_to_connect_keeps_its_connection(steps: str, least: int, most: int) -> None:
    found = connections_of(plan_of(f"steps: [{steps}]\n").flows[0])
    assert (found.least, found.most) == (least, most)


def test_ports_are_those_of_the_way_that_the_first_request_goes() -> None:
    load = "load: {vus: 10, duration: 1m}\ngates: {http_req_failed: rate < 1 %}\n"
    proxied = "http: {proxy: 'http://127.0.0.1:3128'}"
    found = check(plan_of(f"{load}steps: [{GET}, {{get: /, {proxied}}}, {{get: /, {FAR}}}]\n"), ROOMY, "local ports")
    assert found.needed_text == "10 connections to 127.0.0.1:1"
    found = check(plan_of(f"{load}steps: [{{get: /, {proxied}}}, {GET}]\n"), ROOMY, "local ports")
    assert found.needed_text == "10 connections to 127.0.0.1:3128"
    same = "tls: {insecure: true}"
    base = "suite: test\nbase_url: https://127.0.0.1:1"
    found = check(plan_of(f"{load}steps: [{GET}, {{get: /, {same}}}]\n", suite=base), ROOMY, "local ports")
    assert found.needed_text == "up to 20 connections to 127.0.0.1:1"


def test_workers_share_the_open_files_out_and_the_remedy_says_how_many_suffice() -> None:
    there = Machine(464, None, None, None)
    short = check(crowd(1650), there, "open files")
    assert short.remedy == "`ulimit -Hn 2143` (as root), `--workers 6`, or fewer VUs"
    assert check(crowd(1650), there, "open files", Division(6)).enough is Enough.YES
    assert check(crowd(1650), there, "open files", Division(5)).enough is Enough.CLOSE
    assert check(crowd(1650), there, "open files", Division(4)).enough is Enough.NO


def test_local_ports_are_shared_by_all_workers_but_not_by_machines() -> None:
    there = Machine(None, 1000, None, None)
    assert check(crowd(1001), there, "local ports", Division(4)).enough is Enough.NO
    assert check(crowd(1001), there, "local ports", Division(1, Segment(0, 2))).needed == 501
    assert "ip_local_port_range" in check(crowd(1001), there, "local ports").remedy


def test_ports_that_are_as_wide_as_can_be_are_not_widened() -> None:
    short = check(crowd(70_000), Machine(None, 64_512, None, None), "local ports")
    more = "more addresses in `http: {local_address: […]}`"
    assert short.remedy == f"{more}, several machines with `--segment`, or fewer VUs"


def test_each_local_address_has_the_ports_anew() -> None:
    flow = "load: {vus: 30, duration: 1m}\nsteps: [{get: /}]\ngates: {http_req_failed: rate < 1 %}\n"
    there = Machine(None, 20, None, None)
    assert check(plan_of(flow), there, "local ports").enough is Enough.NO
    both = plan_of(f"http: {{local_address: [127.0.0.1, 127.0.0.2]}}\n{flow}")
    assert check(both, there, "local ports").there == 40
    proxied = plan_of(f"http: {{proxy: 'http://127.0.0.1:3128'}}\n{flow}")
    assert "30 connections to 127.0.0.1:3128" in check(proxied, there, "local ports").sentence


def test_an_address_that_the_machine_does_not_have_is_refused() -> None:
    flow = "http: {local_address: [127.0.0.1, 192.0.2.1]}\nsteps: [{get: /}]\n"
    with pytest.raises(VezaflowError, match=r"does not have the local address 192\.0\.2\.1") as refused:
        require_addresses(plan_of(flow))
    assert refused.value.code is ExitCode.REFUSED
    require_addresses(plan_of("http: {local_address: 127.0.0.1}\nsteps: [{get: /}]\n"))
    with pytest.raises(VezaflowError, match=r"does not have the local address 198\.51\.100\.7"):
        require_addresses(plan_of("steps: [{get: /, http: {local_address: 198.51.100.7}}]\n"))


def test_each_target_has_the_local_ports_anew() -> None:
    flow = "load: {vus: 600, duration: 1m}\nsteps: [{get: /}]\ngates: {http_req_failed: rate < 1 %}\n"
    plan = plan_of(flow)
    assert check(replace(plan, flows=plan.flows * 2), ROOMY, "local ports").needed == 1200
    other = plan_of(flow, suite="suite: test\nbase_url: http://127.0.0.1:2\n").flows
    assert check(replace(plan, flows=plan.flows + other), ROOMY, "local ports").needed == 600


def test_tls_and_workers_take_memory() -> None:
    plain = check(crowd(1000), ROOMY, "memory").needed
    assert check(crowd(1000, "https://127.0.0.1:8443"), ROOMY, "memory").needed > plain + (10 << 20)
    assert check(crowd(1000), ROOMY, "memory", Division(2)).needed > plain + (64 << 20)
    assert check(crowd(1000), Machine(None, None, plain - 1, None), "memory").enough is Enough.NO


def test_more_workers_than_cores_are_warned_of_and_never_refused() -> None:
    found = checks(crowd(10), ROOMY, Division(64))
    require(found)
    assert named(found, "cores").warning == "warning: 64 cores needed, 4 usable; to fix: `--workers 4`"


def arriving(rate: int) -> Plan:
    load = f"{{executor: constant-arrival-rate, rate: {rate}/s, duration: 1m, pre_allocated_vus: 9}}"
    return plan_of(f"load: {load}\nsteps: [{{get: /}}]")


@pytest.mark.parametrize(
    ("rate", "division", "enough", "remedy"),
    [
        (500, Division(), Enough.YES, ""),
        (60_000, Division(), Enough.CLOSE, "`--workers 2`, a lower rate, or several machines with `--segment`"),
        (240_000, Division(2), Enough.CLOSE, "a lower rate, or several machines with `--segment`"),
        (900_000, Division(), Enough.NO, "a lower rate, or several machines with `--segment`"),
        (900_000, Division(4, Segment(0, 8)), Enough.YES, ""),
    ],
)
def test_no_core_starts_iterations_at_any_rate(rate: int, division: Division, enough: Enough, remedy: str) -> None:
    found = check(arriving(rate), ROOMY, "starts", division)
    assert (found.enough, found.remedy) == (enough, remedy)


def test_peaks_that_may_come_one_after_another_are_not_refused_together() -> None:
    plan = arriving(200_000)
    found = check(replace(plan, flows=plan.flows * 3), ROOMY, "starts")
    assert (found.needed, found.enough) == (600_000, Enough.CLOSE)


def test_all_that_can_not_suffice_is_refused_at_once_with_its_remedies() -> None:
    with pytest.raises(VezaflowError) as caught:
        require(checks(crowd(5000), Machine(1024, 1000, 8 << 30, 1), Division()))
    assert caught.value.code is ExitCode.REFUSED
    assert "5,064 open files needed, 1,024 allowed; 5,000 connections to 127.0.0.1:8080" in caught.value.message
    assert "ulimit -Hn 6330" in caught.value.hint
    assert "sysctl" in caught.value.hint


def test_connections_are_checked_without_the_memory_that_a_run_has_already_taken() -> None:
    assert {one.name for one in connection_checks(crowd(10), ROOMY, Division())} == {"open files", "local ports"}


@pytest.mark.parametrize(
    ("bounds", "reserved", "ports"),
    [
        ("32768\t60999\n", "\n", 28_232),
        ("32768 60999", "8080,32768-32777,60999,61000-62000\n", 28_221),
        ("", "", None),
    ],
)
def test_reserved_ports_are_left_out(bounds: str, reserved: str, ports: int | None) -> None:
    assert ports_of(bounds, reserved) == ports


def test_memory_is_read_as_the_kernel_writes_it() -> None:
    assert available_of("MemTotal: 24684084 kB\nMemAvailable:   24317800 kB\n") == 24317800 * 1024
    assert available_of("") is None


def test_a_control_group_can_drop_the_files_that_it_caches() -> None:
    stat = "anon 100\nfile 700\ninactive_file 400\nactive_file 200\n"
    assert left_of("1000\n", "900\n", stat) == 700
    assert left_of("max\n", "900\n", stat) is None
    assert left_of("", "", "") is None


@LINUX
def test_this_machine_tells_its_facts() -> None:
    there = machine()
    assert there.cores
    assert there.memory


BARE = "base_url: http://127.0.0.1:1\nload: {vus: 36, duration: 200ms}\nsteps: [{get: /}]\n"


def on_90_files(folder: Path, flow: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """`vezaflow …` in a shell that may open 90 files."""
    (folder / "flow.yml").write_text(flow + "gates: {http_req_failed: rate < 1 %}\n")
    line = ["sh", "-c", 'ulimit -n 90 && exec "$@"', "sh", sys.executable, "-m", "vezaflow", *words, str(folder)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
@LINUX
def test_a_load_too_large_for_the_machine_is_97_before_anything_is_sent(tmp_path: Path) -> None:
    for command, shown in (("run", ""), ("explain", "would be refused")):
        done = on_90_files(tmp_path, BARE, command)
        assert done.returncode == 97, done.stderr
        assert shown in done.stdout
        assert "100 open files needed, 90 allowed\n  hint: `ulimit -Hn 125` (as root), `--workers 5`" in done.stderr


@pytest.mark.slow
@LINUX
def test_mistakes_in_the_files_are_told_before_the_machine_is_looked_at(tmp_path: Path) -> None:
    done = on_90_files(tmp_path, BARE.replace("get:", "gett:"), "run")
    assert (done.returncode, "unknown verb 'gett'" in done.stderr) == (2, True), done.stderr


@pytest.mark.slow
@LINUX
def test_a_load_that_comes_close_is_warned_of_and_run(tmp_path: Path) -> None:
    done = on_90_files(tmp_path, BARE, "run", "--vus", "flow=20")
    assert done.returncode == 99, done.stderr  # nobody answers there
    assert "warning: 84 open files needed, 90 allowed; to fix: `ulimit -Hn 105`" in done.stderr


def test_a_scale_of_the_command_line_is_what_is_checked() -> None:
    flow = "load: {vus: 100, duration: 1m}\nsteps: [{get: /}]\ngates: {http_req_failed: rate < 1 %}\n"
    scaled = plan_of(flow, inputs=inputs(scale=3.0))
    assert check(scaled, ROOMY, "local ports").needed == 300


def test_rows_count_once_in_each_process() -> None:
    flow = "load: {vus: 1, duration: 1m}\ndata: {rows: {list: [{a: 1, b: 2}, {a: 3, b: 4}]}}\nsteps: [{get: '/%s'}]"
    without, with_rows = (plan_of(flow % url) for url in ("x", "${rows.a}"))
    more = estimated_memory(with_rows, Division(3)) - estimated_memory(without, Division(3))
    assert more == 4 * 6 * CELL_MEMORY  # three workers, and the process that leads them
