"""Chunked uploads over the wire: both forms, whole or not at all."""

import os
import zlib
from typing import Any

import httpx
import pytest

UPLOADS = "/api/v1/uploads"
CHUNK = os.urandom(100_000)


def initiate(client: httpx.Client, *, size: int = 3 * len(CHUNK), chunks: int = 3) -> str:
    answer = client.post(f"{UPLOADS}/initiate", json={"filename": "a.flac", "size": size, "chunks": chunks})
    assert answer.status_code == 201
    return str(answer.json()["upload_id"])


def send_by_path(client: httpx.Client, upload: str, index: int) -> httpx.Response:
    return client.put(f"{UPLOADS}/{upload}/chunks/{index}", content=CHUNK)


def send_by_headers(client: httpx.Client, upload: str, index: int) -> httpx.Response:
    headers = {"x-upload-id": upload, "x-chunk-index": str(index)}
    return client.post(f"{UPLOADS}/chunk", content=CHUNK, headers=headers)


def send_like_the_k6_script(client: httpx.Client, upload: str, index: int) -> httpx.Response:
    return client.post(f"{UPLOADS}/chunk", content=CHUNK, headers={"x-upload-id": upload})


def send_as_form(client: httpx.Client, upload: str, index: int) -> httpx.Response:
    files = {"chunk": ("a.flac", CHUNK, "audio/flac")}
    return client.post(f"{UPLOADS}/{upload}/chunks", data={"index": str(index)}, files=files)


def send_as_form_with_all_in_fields(client: httpx.Client, upload: str, index: int) -> httpx.Response:
    fields = {"upload_id": upload, "index": str(index)}
    return client.post(f"{UPLOADS}/chunk", data=fields, files={"chunk": ("a.flac", CHUNK)})


FORMS = [
    send_by_path,
    send_by_headers,
    send_like_the_k6_script,
    send_as_form,
    send_as_form_with_all_in_fields,
]


@pytest.mark.parametrize("send", FORMS)
def test_chunks_in_order_make_a_track(member: httpx.Client, send: Any) -> None:
    upload = initiate(member)
    for index in range(3):
        told = send(member, upload, index).json()["data"]
        assert told == {"received": index + 1, "chunks": 3, "size": len(CHUNK), "crc32": zlib.crc32(CHUNK)}
    answer = member.post(f"{UPLOADS}/{upload}/complete")
    assert answer.status_code == 200
    assert answer.json()["data"]["size"] == 3 * len(CHUNK)


@pytest.mark.parametrize("send", [send_by_path, send_by_headers, send_as_form])
def test_chunks_come_in_any_order_and_one_that_is_sent_twice_is_a_conflict(member: httpx.Client, send: Any) -> None:
    upload = initiate(member)
    statuses = [send(member, upload, index).status_code for index in (1, 0, 0, 2, 1)]
    assert statuses == [200, 200, 409, 200, 409]
    assert member.post(f"{UPLOADS}/{upload}/complete").status_code == 200


def test_an_upload_with_missing_chunks_is_not_complete(member: httpx.Client) -> None:
    upload = initiate(member)
    send_by_path(member, upload, 0)
    answer = member.post(f"{UPLOADS}/{upload}/complete")
    assert answer.status_code == 409
    assert "2 of 3 chunks are missing" in answer.text


def test_fewer_and_more_bytes_than_announced_are_noticed(member: httpx.Client) -> None:
    upload = initiate(member, size=len(CHUNK) + 1, chunks=1)
    send_by_path(member, upload, 0)
    assert member.post(f"{UPLOADS}/{upload}/complete").status_code == 409
    upload = initiate(member, size=len(CHUNK) - 1, chunks=1)
    assert send_by_path(member, upload, 0).status_code == 409


def test_a_completed_upload_is_gone(member: httpx.Client) -> None:
    upload = initiate(member, size=len(CHUNK), chunks=1)
    send_by_path(member, upload, 0)
    assert [member.post(f"{UPLOADS}/{upload}/complete").status_code for _ in range(2)] == [200, 404]


@pytest.mark.parametrize("send", FORMS)
def test_a_chunk_of_an_unknown_upload_is_not_found(member: httpx.Client, send: Any) -> None:
    assert send(member, "unknown", 0).status_code == 404


@pytest.mark.parametrize("index", ["3", "x", "-1", "1e3", "99999999999999999999"])
def test_an_index_that_was_not_announced_is_a_bad_request(member: httpx.Client, index: str) -> None:
    assert member.put(f"{UPLOADS}/{initiate(member)}/chunks/{index}", content=CHUNK).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"filename": "", "size": 1, "chunks": 1},
        {"filename": "a", "size": 0, "chunks": 1},
        {"filename": "a", "size": "1", "chunks": 1},
        {"filename": "a", "size": 1, "chunks": True},
        {"filename": "a", "size": 1, "chunks": 10**9},
    ],
)
def test_an_upload_that_cannot_be_is_refused(member: httpx.Client, fields: dict[str, Any]) -> None:
    assert member.post(f"{UPLOADS}/initiate", json=fields).status_code == 422


def test_every_step_wants_the_token(visitor: httpx.Client, member: httpx.Client) -> None:
    upload = initiate(member)
    assert visitor.post(f"{UPLOADS}/initiate", json={}).status_code == 401
    assert send_by_path(visitor, upload, 0).status_code == 401
    assert visitor.post(f"{UPLOADS}/{upload}/complete").status_code == 401
    assert send_by_path(member, upload, 0).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"no form at all"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\ncontent-disposition: form-data; name=a; filename=b\r\n\r\nabc",
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\nabc\r\n--x--\r\n",
        ),
    ],
    ids=["no boundary", "no form", "no end", "no file"],
)
def test_a_form_that_is_none_is_a_bad_request_and_the_connection_lives(
    member: httpx.Client, kind: str, body: bytes
) -> None:
    upload = initiate(member)
    answer = member.post(f"{UPLOADS}/{upload}/chunks", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert send_by_path(member, upload, 0).status_code == 200


@pytest.mark.parametrize("sent", [{"content": CHUNK}, {"files": {"file": ("a.flac", CHUNK, "audio/flac")}}])
def test_a_whole_file_comes_in_one_request(member: httpx.Client, sent: dict[str, Any]) -> None:
    answer = member.post(f"{UPLOADS}/simple", **sent)
    assert answer.status_code == 201
    told = answer.json()["data"]
    assert (told["size"], told["crc32"]) == (len(CHUNK), zlib.crc32(CHUNK))


def test_a_whole_file_needs_a_user_and_something_in_it(member: httpx.Client, visitor: httpx.Client) -> None:
    assert visitor.post(f"{UPLOADS}/simple", content=CHUNK).status_code == 401
    assert member.post(f"{UPLOADS}/simple", content=b"").status_code == 400
