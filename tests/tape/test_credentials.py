"""What is a credential in requests and answers, and what is none."""

import base64

import pytest

from vezaflow.tape.credentials import credentials_of, is_telling

LONG = "s3cr3t-s3cr3t"


@pytest.mark.parametrize(
    "name",
    [
        "token", "access_token", "accessToken", "refresh-token", "X-Auth-Token", "idToken", "password", "apiKey",
        "api_key", "x-api-key", "client_secret", "sessionId", "PHPSESSID_token", "jwt", "csrf_token", "X-Amz-Signature",
    ],
)  # fmt: skip
def test_a_name_that_tells(name: str) -> None:
    assert is_telling(name)


@pytest.mark.parametrize(
    "name",
    [
        "author",
        "next_token",
        "nextPageToken",
        "token_type",
        "session_count",
        "passenger",
        "key",
        "tokens",
        "design",
        "",
    ],
)
def test_a_name_that_does_not(name: str) -> None:
    assert not is_telling(name)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("Authorization", f"Bearer {LONG}")], {LONG}),
        ([("authorization", "Basic " + base64.b64encode(f"me:{LONG}".encode()).decode())], {LONG}),
        ([("Cookie", f"a={LONG}1; theme=dark; b={LONG}2")], {f"{LONG}1", f"{LONG}2"}),
        ([("set-cookie", f"sid={LONG}; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT")], {LONG}),
        ([("X-Api-Key", LONG)], {LONG}),
        ([("location", f"/callback?code=1&access_token={LONG}#x")], {LONG}),
        ([("content-type", "application/json"), ("etag", LONG)], set()),
    ],
)
def test_credentials_in_headers(headers: list[tuple[str, str]], found: set[str]) -> None:
    assert {f for f in credentials_of(headers) if "s3cr3t" in f and ":" not in f} == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f'{{"data": {{"access_token" : "{LONG}", "name": "{LONG}x"}}}}', [LONG]),
        ('{"token": "short"}', []),
        ('{"token": 123456789012}', []),
        (f'{{"next_token": "{LONG}"}}', []),
        ("<p>eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9</p>",
         ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9"]),
        ("\x00\xff", []),
    ],
)  # fmt: skip
def test_credentials_in_bodies(body: str, found: list[str]) -> None:
    assert list(credentials_of([], body.encode())) == found


def test_credentials_in_a_form() -> None:
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    assert set(credentials_of(headers, b"user=somebody&password=a+long%21one")) == {"a+long%21one", "a long!one"}


def test_credentials_in_a_query() -> None:
    assert list(credentials_of([], url=f"/x?q=river&api_key={LONG}")) == [LONG]
