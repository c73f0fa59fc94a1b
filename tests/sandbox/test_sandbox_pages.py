"""The pages of the web application: who may see them, and how they misbehave."""

import httpx
import pytest

from vezaflow.errors import VezaflowError
from vezaflow.sandbox import SandboxSettings
from vezaflow.sandbox.settings import WEB_PAGES
from vezaflow.sandbox.web_pages import WebPages

LOGIN = {"email": "listener@veza.fr", "password": "sandbox"}
TRACK: dict[str, object] = {"title": "Blue <River>", "artist": "Oren", "genre": "jazz"}


def body_of(settings: SandboxSettings, page: str) -> str:
    pages = WebPages(settings, "token", [TRACK])
    coroutine = pages.find(f"/{page}", [(b"cookie", b"session=token")])
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    return str(done.value.value.body["body"].decode())


def test_who_logs_in_sees_every_page(visitor: httpx.Client) -> None:
    entered = visitor.post("/login", data=LOGIN)
    assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard")
    assert "HttpOnly" in entered.headers["set-cookie"]
    found = [visitor.get(f"/{page}") for page in WEB_PAGES]
    assert [page.status_code for page in found] == [200] * len(WEB_PAGES)
    assert all(page.headers["content-type"].startswith("text/html") for page in found)


@pytest.mark.parametrize("page", ["dashboard", "profile"])
def test_without_a_session_these_lead_to_the_login(visitor: httpx.Client, page: str) -> None:
    visitor.cookies.set("session", "wrong")
    led = visitor.get(f"/{page}")
    assert (led.status_code, led.headers["location"]) == (303, "/login")


def test_a_wrong_password_opens_nothing(visitor: httpx.Client) -> None:
    refused = visitor.post("/login", data={**LOGIN, "password": "guess"})
    assert refused.status_code == 401
    assert "set-cookie" not in refused.headers


def test_a_page_is_made_inaccessible_and_no_other() -> None:
    settings = SandboxSettings(page_inaccessible="search")
    search, tracks = body_of(settings, "search"), body_of(settings, "tracks")
    assert ("<html>" in search, '<html lang="en">' in tracks) == (True, True)
    assert '<img src="/favicon.svg" width="32" height="32">' in search
    assert "<img" not in tracks


def test_what_the_catalogue_says_is_no_markup() -> None:
    assert "Blue &lt;River&gt;" in body_of(SandboxSettings(), "tracks")


def test_a_page_that_there_is_not_is_refused() -> None:
    with pytest.raises(VezaflowError, match="no page 'home'"):
        SandboxSettings(page_slow="home")
