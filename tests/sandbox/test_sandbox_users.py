"""Who may do what: login, registration, a user's own pages, orders."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from vezaflow.sandbox import Sandbox

LOGIN = "/api/v1/auth/login"
REGISTER = "/api/v1/auth/register"
ORDERS = "/api/v1/marketplace/orders"
OWN_PAGES = ["/api/v1/users/me", "/api/v1/notifications", "/api/v1/conversations", "/api/v1/analytics/me"]


def test_login_gives_the_token_that_opens_the_rest(visitor: httpx.Client, sandbox: Sandbox) -> None:
    answer = visitor.post(LOGIN, json={"email": "listener@veza.fr", "password": "sandbox"})
    assert answer.json()["token"] == sandbox.token


def test_a_wrong_password_and_an_unknown_user_are_told_apart_by_nothing(visitor: httpx.Client) -> None:
    wrong = visitor.post(LOGIN, json={"email": "listener@veza.fr", "password": "guess"})
    unknown = visitor.post(LOGIN, json={"email": "nobody@veza.fr", "password": "guess"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content


def test_who_registers_can_log_in_and_not_register_again(visitor: httpx.Client) -> None:
    user = {"email": f"{uuid4()}@veza.fr", "password": "long enough"}
    assert [visitor.post(path, json=user).status_code for path in (REGISTER, LOGIN, REGISTER)] == [
        201,
        200,
        409,
    ]


@pytest.mark.parametrize("user", [{}, {"email": 1, "password": 2}, {"email": "x", "password": "long enough"}])
def test_a_user_without_email_or_password_cannot_register(visitor: httpx.Client, user: dict[str, Any]) -> None:
    assert visitor.post(REGISTER, json=user).status_code == 422


@pytest.mark.parametrize("path", OWN_PAGES)
def test_a_users_own_pages_want_the_token(visitor: httpx.Client, member: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code == 401
    assert visitor.get(path, headers={"authorization": "Bearer guess"}).status_code == 401
    assert member.get(path).status_code == 200


def first_product(client: httpx.Client) -> str:
    return str(client.get("/api/v1/marketplace/products").json()["data"][0]["id"])


def test_an_order_of_known_products_is_taken(member: httpx.Client) -> None:
    order = {"items": [{"product_id": first_product(member), "quantity": 2}]}
    answer = member.post(ORDERS, json=order)
    assert (answer.status_code, answer.json()["data"]["total_cents"]) == (201, 2 * 499)


def test_an_order_without_a_token_is_refused_before_it_is_read(visitor: httpx.Client) -> None:
    assert visitor.post(ORDERS, content=b"nonsense").status_code == 401


@pytest.mark.parametrize(
    "items",
    [[], None, "x", [1], [{}], [{"product_id": "unknown"}], [{"product_id": None, "quantity": 1}]],
)
def test_an_order_that_is_not_right_fails_validation(member: httpx.Client, items: object) -> None:
    assert member.post(ORDERS, json={"items": items}).status_code == 422


@pytest.mark.parametrize("quantity", [0, -1, 1.5, True, "2"])
def test_a_quantity_is_a_whole_number_of_at_least_one(member: httpx.Client, quantity: object) -> None:
    order = {"items": [{"product_id": first_product(member), "quantity": quantity}]}
    assert member.post(ORDERS, json=order).status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_what_is_not_a_json_object_is_a_bad_request(member: httpx.Client, body: bytes) -> None:
    assert member.post(ORDERS, content=body).status_code == 400


def test_errors_have_one_shape_also_where_there_is_nothing(visitor: httpx.Client) -> None:
    for path in ("/nothing", "/api/v1/tracks/nobody", "/api/v1/users/me"):
        answer = visitor.get(path)
        assert answer.json()["error"]["code"] == answer.status_code
