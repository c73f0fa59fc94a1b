"""The figures of a process up to the last fold, by their keys."""

from collections import defaultdict

from vezaflow.metrics.attempts import Attempts
from vezaflow.metrics.channels import Channels
from vezaflow.metrics.figures import Connections, FlowKey, Iterations, RequestKey, Requests, StepKey, Vus
from vezaflow.metrics.listening import Listening
from vezaflow.metrics.streams import Streams
from vezaflow.metrics.successes import Successes
from vezaflow.metrics.summary import Summary


class FoldedRows:
    """The figures up to the last fold. What is asked for is there: a row that is new is empty."""

    def __init__(self) -> None:
        self.requests: defaultdict[RequestKey, Requests] = defaultdict(Requests)
        self.connections: defaultdict[StepKey, Connections] = defaultdict(Connections)
        self.iterations: defaultdict[FlowKey, Iterations] = defaultdict(Iterations)
        self.vus: defaultdict[str, Vus] = defaultdict(Vus)
        self.attempts: defaultdict[StepKey, Attempts] = defaultdict(Attempts)
        self.listening: defaultdict[StepKey, Listening] = defaultdict(Listening)
        self.channels: defaultdict[StepKey, Channels] = defaultdict(Channels)
        self.streams: defaultdict[StepKey, Streams] = defaultdict(Streams)
        self.successes: defaultdict[str, Successes] = defaultdict(Successes)

    def summary(self) -> Summary:
        return Summary(
            {key: row.copy() for key, row in self.requests.items()},
            {key: row.copy() for key, row in self.connections.items()},
            {key: row.copy() for key, row in self.iterations.items()},
            {flow: row.copy() for flow, row in self.vus.items()},
            {key: row.copy() for key, row in self.attempts.items()},
            {key: row.copy() for key, row in self.listening.items()},
            {key: row.copy() for key, row in self.channels.items()},
            {key: row.copy() for key, row in self.streams.items()},
            {flow: row.copy() for flow, row in self.successes.items()},
        )
