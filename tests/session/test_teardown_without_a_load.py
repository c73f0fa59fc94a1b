"""What setup made is taken away also where no load comes of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import QuietHandler, served

from vezaflow.errors import VezaflowError
from vezaflow.plan import Bundle, Division, Inputs, Plan
from vezaflow.scale import MachinePart, Report, WorkerLink
from vezaflow.session import RunOptions, prepare, read, run

SUITE = "base_url: http://127.0.0.1:{port}\nsetup: [{{get: /made}}]\nteardown: [{{get: /taken-away}}]\n"
FLOW = "flow: browse\nload: {vus: 1, duration: 1s}\nsteps: [get: /load]\n"


@contextmanager
def asked() -> Iterator[tuple[int, list[str]]]:
    """A server on a port, and the paths that it is asked for."""
    paths: list[str] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(204)
            self.end_headers()

    with served(Handler) as port:
        yield port, paths


class NobodyThere:
    """Workers that do not come."""

    delay = head_start = 0.0
    here = 0

    async def links(self) -> Sequence[WorkerLink]:
        raise VezaflowError("there are no workers")

    def require(self, plan: Plan) -> None:
        pass

    def machines(self, reports: Mapping[int, Report]) -> Sequence[MachinePart]:
        return ()


def test_teardown_follows_a_setup_whose_load_is_refused(tmp_path: Path) -> None:
    with asked() as (port, paths):
        (tmp_path / "suite.yml").write_text(SUITE.format(port=port))
        (tmp_path / "browse.yml").write_text(FLOW)
        suite, inputs = read([tmp_path]), Inputs({})
        plan, bundle = prepare(suite, inputs), Bundle.of(suite, inputs)
        with pytest.raises(VezaflowError, match="there are no workers"):
            run(plan, bundle, Division(2), (), lambda _: None, RunOptions(crew=NobodyThere()))
        assert paths == ["/made", "/taken-away"]
