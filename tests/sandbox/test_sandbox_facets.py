"""Facets of the sandbox's search: their counts are those of the results, unless it is told to count wrong."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.sandbox.catalog import ARTISTS, GENRES, Catalog
from vezaflow.sandbox.facets import FACETS, SORTS, FacetedSearch, filters_in

TRACKS = Catalog().tracks
SEARCH = FacetedSearch(TRACKS, 0.0, 1)
TERMS = st.sampled_from(("", "river", "Blue", "jazz", "oren", "nothing like it"))
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "genre": st.sampled_from(GENRES),
        "artist": st.sampled_from(ARTISTS),
        "price_cents": st.sampled_from((99, 129, 199)),
    },
)


def searched(search: FacetedSearch = SEARCH, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(search.find(urlencode(query).encode()).body["body"])
    return found


@given(TERMS, FILTERS)
def test_the_counts_of_each_facet_add_up_to_the_total(term: str, filters: dict[str, Any]) -> None:
    found = searched(q=term, **filters)
    for name in FACETS:
        assert sum(each["count"] for each in found["facets"][name]) == found["total"]


@given(TERMS, FILTERS, st.sampled_from(FACETS))
def test_a_count_is_the_total_of_the_search_filtered_by_its_value(
    term: str, filters: dict[str, Any], name: str
) -> None:
    for each in searched(q=term, **filters)["facets"][name]:
        assert searched(q=term, **filters | {name: each["value"]})["total"] == each["count"]


@given(TERMS, FILTERS)
def test_results_pass_all_filters(term: str, filters: dict[str, Any]) -> None:
    for track in searched(q=term, limit=100, **filters)["data"]:
        assert all(track[name] == value for name, value in filters.items())


@pytest.mark.parametrize("name", SORTS)
def test_sorting_orders_the_results_and_changes_none(name: str) -> None:
    up, down = (searched(q="jazz", sort=sign + name, limit=100) for sign in ("", "-"))
    values = [track[name] for track in up["data"]]
    assert values == sorted(values)
    values = [track[name] for track in down["data"]]
    assert values == sorted(values, reverse=True)
    assert up["total"] == down["total"] == searched(q="jazz")["total"]


def test_a_share_of_searches_counts_wrong() -> None:
    search = FacetedSearch(TRACKS, 0.3, 1)
    replies = [searched(search, q="river") for _ in range(200)]
    wrong = [r for r in replies if sum(each["count"] for each in r["facets"]["genre"]) != r["total"]]
    assert 30 < len(wrong) < 90


@pytest.mark.parametrize("query", [{"sort": "mood"}, {"limit": "0"}])
def test_what_it_does_not_know_is_refused(query: dict[str, str]) -> None:
    assert SEARCH.find(urlencode(query).encode()).status == 400


def test_filters_are_counted() -> None:
    assert filters_in(b"q=x&genre=jazz&artist=Oren&limit=5") == 2
