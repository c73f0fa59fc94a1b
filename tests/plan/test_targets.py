"""URLs and the guard before them."""

import pytest

from vezaflow.plan import GuardError, Targets, UrlError
from vezaflow.protocols import Origin


def test_a_path_stands_under_the_base() -> None:
    targets = Targets("http://127.0.0.1:8080/veza/", ())
    target = targets.resolve("/api/v1/health?x=1")
    assert target.origin == Origin("http", "127.0.0.1", 8080)
    assert target.target == "/veza/api/v1/health?x=1"


def test_what_a_url_can_not_hold_is_percent_encoded_once() -> None:
    targets = Targets("http://localhost", ())
    assert targets.resolve("/a b/ü?q=x y").target == "/a%20b/%C3%BC?q=x%20y"
    assert targets.resolve("/a%20b").target == "/a%20b"


def test_a_fragment_is_not_sent() -> None:
    assert Targets("http://localhost", ()).resolve("/a#b").target == "/a"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.8.7", "[::1]", "app.localhost"])
def test_loopback_is_always_allowed(host: str) -> None:
    assert Targets(None, ()).resolve(f"http://{host}/x").target == "/x"


@pytest.mark.parametrize(
    "url",
    [
        "http://veza.fr/",
        "http://10.0.0.1/",
        "http://127.0.0.1.veza.fr/",
        "http://0.0.0.0/",
        "http://[::2]/",
        "https://localhost.veza.fr",
    ],
)
def test_every_other_host_is_refused_unless_listed(url: str) -> None:
    with pytest.raises(GuardError):
        Targets("http://localhost", ("staging.veza.fr",)).resolve(url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("staging.veza.fr", "https://staging.veza.fr/"),
        ("*.lxd", "http://api.lxd:8080/"),
        ("STAGING.veza.fr", "https://Staging.Veza.FR/"),
        ("api.lxd:8080", "http://api.lxd:8080/"),
    ],
)
def test_a_listed_host_is_allowed(pattern: str, url: str) -> None:
    assert Targets(None, (pattern,)).resolve(url).target == "/"


def test_a_pattern_with_a_port_allows_that_port_only() -> None:
    with pytest.raises(GuardError):
        Targets(None, ("api.lxd:8080",)).resolve("http://api.lxd:9090/")


def test_the_base_itself_is_guarded() -> None:
    with pytest.raises(GuardError):
        Targets("https://veza.fr", ("staging.veza.fr",))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/",
        "localhost/x",
        "http:///x",
        "http://user:pw@localhost/",
        "http://local host/",
        "//localhost/x",
        "http://localhost:x/",
    ],
)
def test_what_is_no_http_url_is_said_to_be_none(url: str) -> None:
    with pytest.raises(UrlError):
        Targets("http://localhost", ()).resolve(url)


def test_a_path_needs_a_base() -> None:
    with pytest.raises(UrlError, match="base_url"):
        Targets(None, ()).resolve("/x")


def test_a_redirect_is_relative_to_what_answered_and_guarded() -> None:
    targets = Targets("http://localhost/base", ())
    here = targets.resolve("http://localhost/a/b?c")
    assert targets.follow(here, "../d").target == "/d"
    assert targets.follow(here, "?e=f").target == "/a/b?e=f"
    with pytest.raises(GuardError):
        targets.follow(here, "//veza.fr/x")
    with pytest.raises(UrlError):
        targets.follow(here, "http://[x")
