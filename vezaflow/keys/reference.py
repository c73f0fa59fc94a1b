"""All tables by name: what a reference page, a JSON Schema or a completion in an editor is made from."""

from vezaflow.keys import (
    connections,
    data,
    event_streams,
    hls,
    load,
    notify,
    requests,
    responses,
    steps,
    suite,
    websockets,
)
from vezaflow.keys.fields import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        suite.SUITE,
        suite.FLOW,
        *load.LOADS.values(),
        *load.STAGES.values(),
        data.COMPUTED,
        data.FEED,
        *steps.STEPS,
        steps.BRANCH,
        steps.FRAGMENT,
        steps.INPUT,
        hls.VARIANT,
        requests.RETRYING,
        requests.WAIT,
        responses.EXTRACT,
        responses.EXPECT,
        *responses.MATCHES,
        *websockets.PARTS,
        *event_streams.PARTS,
        responses.EXPECTED_MESSAGE,
        requests.BODY,
        requests.PART,
        requests.PART_FIELD,
        requests.AUTH,
        requests.BASIC,
        connections.HTTP,
        connections.REQUEST_HTTP,
        connections.TLS,
        suite.ACCEPT,
        suite.GATE,
        suite.GUARD,
        suite.LINT,
        suite.MEASURE,
        suite.PREFLIGHT,
        suite.RETRY,
        notify.GRAFANA,
        notify.NOTIFICATION,
    )
}
