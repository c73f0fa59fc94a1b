"""The search on simulated M/D/c queues: c workers, each of which takes the same time, and arrivals at random. Where the
p95 of the response time crosses its bound is known from the formula of Crommelin and Franx; a level is a short stretch
of the queue, judged by the p95 of its own samples, as a run is.
"""

import heapq
import math
import random
from functools import cache

import pytest

from vezaflow.capacity import LevelOutcome, TriedLevel, bracket, grid, rungs_of

SERVICE = 1.0  # the unit of time
FACTORS = grid(0.5, 4, 0.05)
RUNGS = rungs_of(len(FACTORS), 6)


def waits_at_most(rate: float, workers: int, wait: float) -> float:
    """The probability that an arrival waits no longer (Franx 2001). The stationary number in the system is that of the
    chain from one service time to the next."""
    most = 40 * workers + 200
    pois = [math.exp(-rate + n * math.log(rate) - math.lgamma(n + 1)) for n in range(most + 1)]
    state = [1.0] + [0.0] * most
    for _ in range(4000):
        served = [sum(state[: workers + 1]), *state[workers + 1 :]]  # who is left when those in service are gone
        fresh = [0.0] * (most + 1)
        for left, p in enumerate(served):
            if p > 1e-14:
                for came in range(min(len(pois), most + 1 - left)):
                    if pois[came] < 1e-14 and came > rate:
                        break
                    fresh[left + came] += p * pois[came]
        moved = max(abs(a - b) for a, b in zip(fresh, state, strict=True))
        state = fresh
        if moved < 1e-7:
            break
    queue = [sum(state[: workers + n + 1]) for n in range(most - workers)]  # at most n wait
    k = int(wait // SERVICE) + 1
    rest = rate * (k * SERVICE - wait)
    return sum(math.exp(-rest) * rest**j / math.factorial(j) * queue[k * workers - 1 - j] for j in range(k * workers))


@cache
def edge(workers: int, bound: float) -> float:
    """The share of the limit at which 95 of 100 arrivals are served within the bound."""
    low, high = 0.3, 0.995
    for _ in range(9):
        mid = (low + high) / 2
        low, high = (mid, high) if waits_at_most(mid * workers, workers, bound - SERVICE) >= 0.95 else (low, mid)
    return low


def p95(rate: float, workers: int, arrivals: int, draw: random.Random) -> float:
    """Of so many arrivals, once as many have settled it in by a third."""
    now, free, times = 0.0, [0.0] * workers, []
    for _ in range(arrivals + arrivals // 3):
        now += draw.expovariate(rate)
        done = max(now, heapq.heappop(free)) + SERVICE
        heapq.heappush(free, done)
        times.append(done - now)
    judged = sorted(times[arrivals // 3 :])
    return judged[math.ceil(0.95 * len(judged)) - 1]


def found(nominal: float, workers: int, bound: float, seed: int, arrivals: int = 3000) -> tuple[float, float, int]:
    """What holds, what breaks, and the number of levels. `nominal`: the suite's own load, as a share of the limit."""
    draw, seen = random.Random(seed), list[TriedLevel]()
    while (at := (edges := bracket(len(FACTORS), RUNGS, seen)).next) is not None:
        held = p95(FACTORS[at] * nominal * workers, workers, arrivals, draw) <= bound
        seen.append(TriedLevel(at, LevelOutcome.HELD if held else LevelOutcome.BROKE))
    assert edges.holds is not None
    assert edges.ends is not None
    return FACTORS[edges.holds], FACTORS[edges.ends], len(seen)


def test_the_formula_agrees_with_a_long_simulation() -> None:
    long = p95(0.8 * 4, 4, 60_000, random.Random(1))
    assert waits_at_most(0.8 * 4, 4, long - SERVICE) == pytest.approx(0.95, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "bound"), [(1, 3.0), (2, 2.0), (4, 1.5), (4, 3.0), (16, 1.2)])
def test_the_edge_of_a_queue_is_found_within_the_noise_of_a_level(workers: int, bound: float) -> None:
    """Each single search lies within 12 %, and the middle one of nine within 5 % and a step of the grid."""
    true, results = edge(workers, bound), []
    for seed in range(9):
        nominal = true / (1.2 + 0.2 * seed)  # the edge is at 1.2 to 2.8 times the load
        holds, ends, levels = found(nominal, workers, bound, seed)
        middle = (holds + ends) / 2 * nominal / true
        assert 0.88 < middle < 1.12
        assert levels <= 20
        results.append(middle)
    assert sorted(results)[4] == pytest.approx(1.0, abs=0.05)


def test_a_queue_without_chance_is_found_within_a_step() -> None:
    """Arrivals at equal distances: beyond the limit the queue grows for as long as a level lasts."""
    for nominal in (0.3, 0.45, 0.61, 0.8, 1.4):
        seen: list[TriedLevel] = []
        while (at := (edges := bracket(len(FACTORS), RUNGS, seen)).next) is not None:
            excess = max(0.0, FACTORS[at] * nominal - 1)
            seen.append(TriedLevel(at, LevelOutcome.BROKE if excess * 40 > 0.5 else LevelOutcome.HELD))
        assert edges.holds is not None
        assert FACTORS[edges.holds] * nominal == pytest.approx(1.0, abs=0.065)
