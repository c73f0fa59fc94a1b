"""Which steps go to which path of the server."""

import pytest

from vezaflow.model import ObservedKind
from vezaflow.observe import ObservedFigures, ObservedSeries, Period, endpoints_of
from vezaflow.plan import SentPath, Targets
from vezaflow.plan.observe import path_of

BY = ("method", "path")


def figures(*paths: str, method: str = "GET") -> ObservedFigures:
    series = tuple(ObservedSeries((("method", method), ("path", path)), 0, 1, 1, 1) for path in paths)
    return ObservedFigures("latency", ObservedKind.HISTOGRAM, "x", None, Period(0, 1), series)


def goes(written: str, *paths: str, method: str = "GET") -> list[str]:
    step = SentPath("browse", "a step", method, written)
    return [each.path for each in endpoints_of(figures(*paths), BY, (step,)) if each.labels and each.steps]


@pytest.mark.parametrize("template", ["/tracks/{id}", "/tracks/:id", "/tracks/<id>", "/tracks/<int:id>", "/tracks/*"])
def test_a_hole_goes_to_a_hole_of_any_framework(template: str) -> None:
    assert goes("/tracks/${track.id}", "/tracks/search", template) == [template]


def test_a_text_goes_to_itself_before_it_goes_to_a_hole() -> None:
    assert goes("/tracks/search", "/tracks/{id}", "/tracks/search") == ["/tracks/search"]
    assert goes("/tracks/7", "/tracks/{id}", "/tracks/search") == ["/tracks/{id}"]


def test_a_hole_goes_to_all_paths_that_it_may_be_where_the_server_has_no_template() -> None:
    assert goes("/tracks/${id}", "/tracks/1", "/tracks/2", "/albums/1") == ["/tracks/1", "/tracks/2"]


def test_a_hole_within_a_segment_is_what_stands_around_it() -> None:
    assert goes("/files/${name}.flac", "/files/a.flac", "/files/b.ogg") == ["/files/a.flac"]


def test_another_method_or_length_is_another_path() -> None:
    assert goes("/tracks", "/tracks", method="POST") == []
    assert goes("/tracks/${id}/hls", "/tracks/{id}") == []


def test_what_agrees_with_nothing_stays_alone() -> None:
    step = SentPath("browse", "a step", "GET", "/tracks")
    served, alone = endpoints_of(figures("/health"), BY, (step,))
    assert (served.path, served.steps) == ("/health", ())
    assert (alone.path, alone.labels, alone.steps) == ("/tracks", (), (step,))


def test_without_a_label_for_the_path_nothing_is_matched() -> None:
    assert endpoints_of(figures("/tracks"), ("method",), ()) == ()


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("/tracks?limit=20", "/base/tracks"),
        ("/tracks/${id}", "/base/tracks/${id}"),
        ("/tracks/${id ?? 'a?b'}?x=1", "/base/tracks/${id ?? 'a?b'}"),
        ("http://127.0.0.1:1/health", "/health"),
        ("http://127.0.0.1:1", "/"),
        ("${segment.uri}", ""),
    ],
)
def test_the_path_of_a_step_is_from_the_servers_root(written: str, path: str) -> None:
    assert path_of(written, Targets("http://127.0.0.1/base/", ()).base) == path
