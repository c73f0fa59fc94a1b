"""The bench's work for Locust: FastHttpUser, no waiting, one class a scenario."""

import random
from io import BytesIO

from locust import constant, task
from locust.contrib.fasthttp import FastHttpUser

HLS = "/api/v1/tracks/6f9d2c1e-8f3b-4c55-9a56-0b7f6f0f2a11/hls/"
TERMS = ("jazz", "ambient", "drum%20and%20bass", "piano", "live")
IDS = ("00000001", "00000002", "00000003")
CHUNK = b"x" * 1024 * 1024
BEGIN = {"filename": "bench.flac", "size": 10485760}
AUTH = {"Authorization": "Bearer bench-token"}


def uris(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


class Get(FastHttpUser):
    @task
    def get(self) -> None:
        self.client.get("/")


class Idle(FastHttpUser):
    wait_time = constant(1)

    @task
    def get(self) -> None:
        self.client.get("/")


class Browse(FastHttpUser):
    @task(60)
    def search(self) -> None:
        url = f"/api/v1/tracks/search?q={random.choice(TERMS)}&limit=20"
        with self.client.get(url, name="search", catch_response=True) as answer:
            if not answer.json()["data"]:
                answer.failure("nothing found")

    @task(30)
    def list(self) -> None:
        self.client.get("/api/v1/tracks?limit=20", name="list")

    @task(10)
    def detail(self) -> None:
        self.client.get(f"/api/v1/tracks/{random.choice(IDS)}-8f3b-4c55-9a56-0b7f6f0f2a11", name="detail")


class Streaming(FastHttpUser):
    @task
    def play(self) -> None:
        master = self.client.get(f"{HLS}master.m3u8", name="master playlist")
        variant = next(uri for uri in uris(master.text) if uri.startswith("256k/"))
        media = self.client.get(HLS + variant, name="media playlist")
        for segment in uris(media.text)[:4]:
            self.client.get(f"{HLS}256k/{segment}", name="segment")


class Upload(FastHttpUser):
    @task
    def upload(self) -> None:
        begun = self.client.post("/api/v1/tracks/upload/initiate", json=BEGIN, name="initiate")
        headers = {"Content-Type": "application/octet-stream", "X-Upload-Id": begun.json()["upload_id"]}
        for _ in range(10):
            self.client.post("/api/v1/tracks/upload/chunk", data=CHUNK, headers=headers, name="chunk")


class UploadForm(FastHttpUser):
    @task
    def upload(self) -> None:
        begun = self.client.post("/api/v1/tracks/upload/initiate", json=BEGIN, name="initiate")
        form = {"upload_id": begun.json()["upload_id"]}
        for _ in range(10):
            files = {"chunk": ("chunk.bin", BytesIO(CHUNK))}
            self.client.post("/api/v1/tracks/upload/chunk", data=form, files=files, name="chunk")


class Checkout(FastHttpUser):
    @task
    def order(self) -> None:
        products = self.client.get("/api/v1/marketplace/products", headers=AUTH, name="products")
        order = {"product_id": products.json()["data"][0]["id"], "quantity": 0}
        url = "/api/v1/marketplace/orders"
        with self.client.post(url, json=order, headers=AUTH, name="order", catch_response=True) as answer:
            if answer.status_code == 422:
                answer.success()
