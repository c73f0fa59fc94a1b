"""The keys of `grafana` and `notify`: where a run reports to. Only data."""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import USUAL_EVENTS, Chat, Event

EVENTS = tuple(event.value for event in Event)

GRAFANA = Table(
    "grafana",
    "a Grafana dashboard",
    "The dashboard that reports link to, with the run's time window. With a `token` the run is also an annotation on "
    "it. The host must be loopback or listed in `guard: allow`.",
    (
        Field(
            "url",
            Kind.TEMPLATE,
            "The URL of Grafana. If it is empty there is no link.",
            "${env.GRAFANA_URL}",
            required=True,
        ),
        Field(
            "dashboard",
            Kind.TEMPLATE,
            "The dashboard's uid, or `uid/slug`, as in its URL behind `/d/`.",
            "ccbb2351-2ae2/k6-prometheus",
            required=True,
        ),
        Field(
            "variables",
            Kind.PAIRS,
            "Values of the dashboard's variables: `testid` becomes `var-testid=…`.",
            "{testid: nightly}",
        ),
        Field(
            "token",
            Kind.TEMPLATE,
            "The token of a service account that may create and write annotations. It is a secret.",
            "${env.GRAFANA_TOKEN}",
            default="none: no annotation",
        ),
    ),
)

NOTIFICATION = Table(
    "notification",
    "a notification",
    "A message to a webhook after the verdict. The host must be loopback or listed in `guard: allow`; a failure is a "
    "warning and never changes the verdict.",
    (
        Field(
            "webhook",
            Kind.TEMPLATE,
            "The URL that the message is posted to. It is a secret. If it is empty, nothing is sent.",
            "${env.CHAT_WEBHOOK}",
            required=True,
        ),
        Field(
            "on",
            Kind.EVENTS,
            "The verdicts that are sent; `accepted` is sent by the acceptance step, not by a run.",
            "[red, accepted]",
            choices=EVENTS,
            default=", ".join(event.value for event in USUAL_EVENTS),
        ),
        Field("headers", Kind.PAIRS, "Further headers of the request.", '{authorization: "Bearer ${env.CHAT_TOKEN}"}'),
    ),
    one_of=(
        Field(
            "json",
            Kind.TREE,
            "The body. In addition to constants and `env` it can insert the fields of `verdict`, `run` and `night`.",
            '{text: "${verdict.headline} ${run.url}"}',
        ),
        Field(
            "template",
            Kind.CHOICE,
            "A message in the format of a chat system; `matrix` is for the generic webhooks of matrix-hookshot.",
            "slack",
            choices=tuple(chat.value for chat in Chat),
        ),
    ),
)
