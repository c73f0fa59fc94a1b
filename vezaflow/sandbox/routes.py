"""The endpoints that no flow hammers: accounts, orders, uploads' beginning and end, a user's own pages.

Errors have one shape, `{"error": {"code": …, "message": …}}`; what needs a user replies 401 without the
sandbox's bearer tokens.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vezaflow.sandbox.catalog import Catalog
from vezaflow.sandbox.tokens import Tokens
from vezaflow.sandbox.uploads import RefusedError, Uploads

ROUTE = "vezaflow.route"
KNOWN_USER = ("listener@veza.fr", "sandbox")
MOST_USERS = 10_000
LARGEST_ORDER = 50

Handler = Callable[[Request], Awaitable[Response]]
Record = dict[str, Any]  # a JSON object


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler under its template, which is noted in the scope for the count."""

    method: str
    path: str
    handler: Handler
    secured: bool = True

    def route(self, tokens: Tokens) -> Route:
        async def handle(request: Request) -> Response:
            request.scope[ROUTE] = f"{self.method} {self.path}"
            if self.secured and not tokens.knows(request.headers.get("authorization", "")):
                return refuse(401, "a bearer token is needed")
            try:
                return await self.handler(request)
            except RefusedError as error:
                return refuse(error.status, error.detail)

        return Route(self.path, handle, methods=[self.method])


def make_routes(tokens: Tokens, catalog: Catalog, uploads: Uploads) -> Starlette:
    accounts = Accounts(tokens)
    market = Market(catalog)
    parts = UploadEnds(uploads)
    endpoints = (
        Endpoint("POST", "/api/v1/auth/login", accounts.login, secured=False),
        Endpoint("POST", "/api/v1/auth/register", accounts.register, secured=False),
        Endpoint("GET", "/api/v1/users/me", accounts.me),
        Endpoint("GET", "/api/v1/notifications", notifications),
        Endpoint("GET", "/api/v1/conversations", conversations),
        Endpoint("GET", "/api/v1/analytics/me", analytics),
        Endpoint("POST", "/api/v1/marketplace/orders", market.order),
        Endpoint("POST", "/api/v1/uploads/initiate", parts.initiate),
        Endpoint("POST", "/api/v1/uploads/{id}/complete", parts.complete),
    )
    return Starlette(
        routes=[endpoint.route(tokens) for endpoint in endpoints],
        exception_handlers={HTTPException: refuse_unknown},
    )


class Accounts:
    """Who may log in: one known user, and the latest who registered."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._passwords: OrderedDict[str, str] = OrderedDict([KNOWN_USER])

    async def login(self, request: Request) -> Response:
        email, password = await self._credentials(request)
        if self._passwords.get(email) != password:
            return refuse(401, "unknown user or wrong password")
        return respond({"token": self._tokens.issue(), "data": {"email": email}})

    async def register(self, request: Request) -> Response:
        email, password = await self._credentials(request)
        if "@" not in email or len(password) < 8:
            return refuse(422, "an email has an @, a password at least 8 characters")
        if email in self._passwords:
            return refuse(409, "this email is registered already")
        if len(self._passwords) >= MOST_USERS:
            self._passwords.popitem(last=False)
        self._passwords[email] = password
        return respond({"token": self._tokens.issue(), "data": {"email": email}}, 201)

    async def me(self, request: Request) -> Response:
        return respond({"data": {"id": "me", "email": KNOWN_USER[0], "role": "listener"}})

    async def _credentials(self, request: Request) -> tuple[str, str]:
        record = await read_record(request)
        email, password = record.get("email"), record.get("password")
        if not isinstance(email, str) or not isinstance(password, str):
            raise RefusedError(422, "email and password are texts")
        return email, password


class Market:
    """Orders of known products."""

    def __init__(self, catalog: Catalog) -> None:
        self._prices = {product["id"]: product["price_cents"] for product in catalog.products}

    async def order(self, request: Request) -> Response:
        record = await read_record(request)
        items = record.get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= LARGEST_ORDER:
            return refuse(422, f"items is a list of 1 to {LARGEST_ORDER}")
        total = sum(self._price(item) for item in items)
        return respond({"data": {"id": str(uuid4()), "status": "pending", "total_cents": total}}, 201)

    def _price(self, item: object) -> int:
        if not isinstance(item, dict):
            raise RefusedError(422, "an item is an object with product_id and quantity")
        price = self._prices.get(item.get("product_id"))
        quantity = item.get("quantity", 1)
        if price is None:
            raise RefusedError(422, "product_id names no product")
        if type(quantity) is not int or quantity < 1:
            raise RefusedError(422, "quantity is at least 1")
        return int(price) * quantity


class UploadEnds:
    """An upload's announcement and its completion; the chunks between them are read in app.py."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    async def initiate(self, request: Request) -> Response:
        record = await read_record(request)
        identifier = self._uploads.initiate(record.get("filename"), record.get("size"), record.get("chunks"))
        return respond({"upload_id": identifier}, 201)

    async def complete(self, request: Request) -> Response:
        upload = self._uploads.complete(request.path_params["id"])
        told = {"filename": upload.filename, "size": upload.received_bytes, "chunks": upload.received}
        return respond({"data": {"track_id": str(uuid4()), **told}})


async def notifications(request: Request) -> Response:
    return respond({"data": [{"id": n, "kind": "follow", "read": n > 3} for n in range(1, 11)]})


async def conversations(request: Request) -> Response:
    return respond({"data": [{"id": n, "title": f"Band {n}", "unread": n % 3} for n in range(1, 6)]})


async def analytics(request: Request) -> Response:
    return respond({"data": {"plays": 12_345, "listeners": 678, "countries": ["FR", "BE", "CA"]}})


async def read_record(request: Request) -> Record:
    """The body as a JSON object; 400 for anything else."""
    try:
        record = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict):
        raise RefusedError(400, "the body is a JSON object")
    return record


def respond(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def refuse(status: int, detail: str) -> Response:
    return respond({"error": {"code": status, "message": detail}}, status)


async def refuse_unknown(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refuse(status, "there is nothing here" if status == 404 else str(error))
