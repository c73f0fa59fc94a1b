"""All tables by name: what a reference page, a JSON Schema or a completion in an editor is made from."""

from vezaflow.model import (
    answer_tables,
    connection_tables,
    feed_tables,
    load_tables,
    request_tables,
    step_tables,
    tables,
)
from vezaflow.model.fields import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        tables.SUITE,
        tables.FLOW,
        *load_tables.LOADS.values(),
        *load_tables.STAGES.values(),
        feed_tables.COMPUTED,
        feed_tables.FEED,
        *step_tables.STEPS,
        step_tables.BRANCH,
        step_tables.FRAGMENT,
        step_tables.INPUT,
        request_tables.RETRYING,
        request_tables.WAIT,
        answer_tables.EXTRACT,
        answer_tables.EXPECT,
        *answer_tables.MATCHES,
        request_tables.BODY,
        request_tables.PART,
        request_tables.PART_FIELD,
        request_tables.AUTH,
        request_tables.BASIC,
        connection_tables.HTTP,
        connection_tables.REQUEST_HTTP,
        connection_tables.TLS,
        tables.GATE,
        tables.GUARD,
        tables.LINT,
        tables.MEASURE,
        tables.PREFLIGHT,
        tables.RETRY,
    )
}
