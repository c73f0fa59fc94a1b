"""Dates of servers are GMT, in every form that they are written in and on a machine in any zone."""

import email.utils
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookiejar import http2time  # type: ignore[attr-defined]  # typeshed leaves it out

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.protocols import CookieJar, Origin, moment_of

HERE = Origin("http", "app.sut.test", 80)
THEN = 784_111_777.0  # RFC 9110's own example
FORMS = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S -0000",
    "%a, %d-%b-%Y %H:%M:%S GMT",
    "%a, %d-%b-%Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S",
]
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(lambda d: d.replace(microsecond=0, tzinfo=UTC))


@pytest.fixture(params=["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "06 Nov 1994 08:49:37",
        "sun, 6-nov-1994 8:49:37",
        "1994 Nov 6 08:49:37",
    ],
)
@pytest.mark.usefixtures("zone")
def test_a_date_is_gmt_on_a_machine_in_any_zone(text: str) -> None:
    assert moment_of(text) == THEN


@given(MOMENTS, st.sampled_from(FORMS))
def test_dates_are_what_the_standard_library_takes_them_for(moment: datetime, form: str) -> None:
    text = moment.strftime(form)
    assert moment_of(text) == moment.timestamp()
    if ", %d" in form and "%y" not in form:  # it takes a year of two digits for one near to now, and no asctime's
        assert moment_of(text) == http2time(text)
    assert moment_of(email.utils.format_datetime(moment, usegmt=True)) == moment.timestamp()


@pytest.mark.parametrize(
    "text",
    ["", "0", "tomorrow", "Sun, 31 Feb 2027 08:49:37 GMT", "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 Nov 1600 08:49:37",
     "Sun, 06 Nov 1994", "Sun, 00 Nov 1994 08:49:37", "١ Nov 1994 08:49:37", "06 Nov 1994 08:49:60 GMT"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert moment_of(text) is None


@given(st.text(max_size=60) | st.text("0123456789:- NovGMT", max_size=40))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    found = moment_of(text)
    assert found is None or found >= -12_000_000_000


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("zone")
def test_a_cookie_lives_until_its_date_and_no_longer(form: str) -> None:
    now = [1_000_000_000.0]
    jar = CookieJar(lambda: now[0])
    expires = datetime.fromtimestamp(now[0] + 1800, UTC).strftime(form)
    jar.take(HERE, "/", f"a=1; Path=/; Expires={expires}")
    assert jar.header(HERE, "/") == b"a=1"
    now[0] += 1799
    assert jar.header(HERE, "/") == b"a=1"
    now[0] += 2
    assert jar.header(HERE, "/") is None
