from locust import constant, task
from locust.contrib.fasthttp import FastHttpUser


class Truth(FastHttpUser):
    host = "@BASE@"
    wait_time = constant(float("@THINK@") / 1000)

    @task
    def get(self) -> None:
        self.client.get("/")
