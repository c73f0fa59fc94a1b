"""The jar gives back what RFC 6265 says, to whom it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.protocols import CookieJar, Origin

HERE = Origin("https", "app.sut.test", 443)
PLAIN = Origin("http", "app.sut.test", 80)
SUB = Origin("https", "eu.app.sut.test", 443)
SIBLING = Origin("https", "api.sut.test", 443)
STRANGER = Origin("https", "notsut.test", 443)


class Day:
    """A time of day that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def jar(*lines: str, at: str = "/shop/cart?x=1", origin: Origin = HERE, clock: Day | None = None) -> CookieJar:
    made = CookieJar(clock or Day())
    for line in lines:
        made.take(origin, at, line)
    return made


def test_an_empty_jar_says_nothing() -> None:
    assert CookieJar().header(HERE, "/") is None
    assert CookieJar().get("sid") is None


def test_a_cookie_without_attributes_stays_on_its_host_and_under_its_directory() -> None:
    kept = jar("sid=1")
    assert kept.header(HERE, "/shop/") == b"sid=1"
    assert kept.header(HERE, "/shop") == b"sid=1"
    assert kept.header(HERE, "/shop/deep?y=/") == b"sid=1"
    assert kept.header(HERE, "/shopping") is None
    assert kept.header(HERE, "/") is None
    for other in (SUB, SIBLING, STRANGER):
        assert kept.header(other, "/shop/") is None


def test_a_domain_opens_the_cookie_to_its_subdomains() -> None:
    kept = jar("sid=1; Domain=.sut.test; Path=/")
    for origin in (HERE, SUB, SIBLING):
        assert kept.header(origin, "/") == b"sid=1"
    assert kept.header(STRANGER, "/") is None


@pytest.mark.parametrize("domain", ["other.test", "test", "eu.app.sut.test", "p.sut.test", "ut.test"])
def test_a_domain_that_is_not_the_hosts_own_is_refused(domain: str) -> None:
    assert jar(f"sid=1; Domain={domain}").cookies == ()


def test_an_address_has_no_subdomains() -> None:
    address = Origin("http", "127.0.0.1", 80)
    assert jar("a=1; Domain=0.0.1", origin=address).cookies == ()
    assert jar("a=1; Domain=127.0.0.1; Path=/", origin=address).header(address, "/") == b"a=1"


def test_longer_paths_come_first_and_the_port_does_not_matter() -> None:
    kept = jar("a=1; Path=/", "b=2; Path=/shop")
    assert kept.header(Origin("https", HERE.host, 8443), "/shop/x") == b"b=2; a=1"
    assert kept.header(HERE, "/x") == b"a=1"


def test_secure_cookies_are_set_and_sent_over_https_only() -> None:
    kept = jar("a=1; Path=/; Secure")
    assert kept.header(HERE, "/") == b"a=1"
    assert kept.header(PLAIN, "/") is None
    assert jar("a=1; Secure", origin=PLAIN).cookies == ()


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("__Host-a=1; Secure; Path=/", True),
        ("__Host-a=1; Path=/", False),
        ("__Host-a=1; Secure; Path=/x", False),
        ("__Host-a=1; Secure", False),
        ("__Host-a=1; Secure; Path=/; Domain=app.sut.test", False),
        ("__Secure-a=1; Secure", True),
        ("__Secure-a=1", False),
    ],
)
def test_prefixes_are_promises(line: str, kept: bool) -> None:
    assert bool(jar(line, at="/").cookies) is kept


def test_a_newer_value_replaces_the_older() -> None:
    kept = jar("a=1; Path=/", "a=2; Path=/")
    assert kept.header(HERE, "/") == b"a=2"
    kept.take(HERE, "/", "a=3; Path=/")
    assert kept.header(HERE, "/") == b"a=3"
    assert kept.get("a") == "3"


def test_max_age_wins_over_expires_and_both_end() -> None:
    day = Day()
    kept = jar("a=1; Path=/; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "s=1; Path=/", clock=day)
    assert kept.header(HERE, "/") == b"a=1; s=1"
    day.now += 11
    assert kept.header(HERE, "/") == b"s=1"
    assert kept.get("a") is None


@pytest.mark.parametrize(
    "gone",
    ["Max-Age=0", "Max-Age=-5", "Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Expires=Thu, 01-Jan-1970 00:00:00 GMT"],
)
def test_a_cookie_from_the_past_removes_its_namesake(gone: str) -> None:
    assert jar("a=1; Path=/", f"a=; Path=/; {gone}").cookies == ()


@pytest.mark.parametrize("age", ["9" * 400, "9" * 5000, "--5", "5-", "-", "\u00b2", "1e3"])
def test_an_age_that_is_none_or_beyond_all_numbers_keeps_the_cookie(age: str) -> None:
    assert jar(f"a=1; Path=/; Max-Age={age}").header(HERE, "/") == b"a=1"


def test_get_takes_any_host_unless_told() -> None:
    kept = jar("sid=1; Path=/a", "sid=2; Path=/a/b")
    assert kept.get("sid") == "2"
    assert kept.get("sid", HERE) == "2"
    assert kept.get("sid", STRANGER) is None
    kept.clear()
    assert kept.get("sid") is None


def test_a_value_may_hold_an_equals_sign() -> None:
    assert jar("t=a=b==; Path=/").get("t") == "a=b=="


def test_a_jar_does_not_grow_without_end() -> None:
    kept = jar(*(f"c{number}=1" for number in range(1000)))
    assert len(kept.cookies) <= 180
    assert kept.get("c999") == "1"


@given(st.text(), st.text())
def test_any_text_is_kept_or_ignored(line: str, target: str) -> None:
    kept = jar(line, at=target)
    header = kept.header(HERE, target)
    assert header is None or b"\n" not in header.splitlines()[0]
