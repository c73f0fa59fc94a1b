# Locust has no open model; each user keeps to a beat of its own, and there are enough users for the stalls.
from locust import constant_throughput, task
from locust.contrib.fasthttp import FastHttpUser


class Truth(FastHttpUser):
    host = "@BASE@"
    wait_time = constant_throughput(float("@RATE@") / float("@VUS@"))

    @task
    def get(self) -> None:
        self.client.get("/")
