"""All tables by name: what a reference page, a JSON Schema or a completion in an editor is made from."""

from vezaflow.model import step_tables, tables
from vezaflow.model.fields import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        tables.SUITE,
        tables.FLOW,
        *tables.LOADS.values(),
        *step_tables.STEPS,
        step_tables.BRANCH,
        step_tables.EXTRACT,
        step_tables.EXPECT,
        *step_tables.MATCHES,
        step_tables.BODY,
        step_tables.PART,
        step_tables.AUTH,
        step_tables.BASIC,
        tables.TLS,
        tables.GATE,
        tables.GUARD,
        tables.MEASURE,
        tables.PREFLIGHT,
        tables.RETRY,
    )
}
