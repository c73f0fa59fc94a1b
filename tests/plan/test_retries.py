"""`retry` and `poll`, as they are planned."""

from planned import plan_of

from vezaflow.keys import RETRIED
from vezaflow.model import Backoff
from vezaflow.plan import PlannedRequest
from vezaflow.protocols import ErrorKind, Want


def planned(step: str) -> PlannedRequest:
    (request,) = plan_of(f"load: {{vus: 1, duration: 1s}}\nsteps: [{step}]").flows[0].steps
    assert isinstance(request, PlannedRequest)
    return request


def test_every_word_is_a_kind_of_error() -> None:
    assert {kind for kinds in RETRIED.values() for kind in kinds} <= {kind.value for kind in ErrorKind}


def test_without_a_word_on_when_backpressure_is_obeyed() -> None:
    retry = planned("{get: /, retry: 2}").retry
    assert retry is not None
    assert [status for status, again in enumerate(retry.statuses) if again] == [429, 503]
    assert (retry.kinds, retry.most, retry.backoff, retry.longest) == (frozenset(), 2, Backoff.RETRY_AFTER, 60.0)


def test_a_request_without_either_keeps_nothing() -> None:
    request = planned("{get: /}")
    assert (request.retry, request.poll, request.options.want) == (None, None, Want.COOKIES)


def test_what_until_reads_is_kept() -> None:
    poll = "poll: {get: /}, within: 1s"
    assert planned(f"{{{poll}, until: status() == 200}}").options.want == Want.COOKIES
    assert planned(f"{{{poll}, until: json('$.a') == 1}}").options.want == Want.COOKIES | Want.BODY
    assert planned(f"{{{poll}, until: header('a') == '1'}}").options.want == Want.COOKIES | Want.HEADERS
