"""Everything that can be known to be wrong before anything is sent: the files read, and every rule over them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vezaflow.diagnostics import Diagnostics
from vezaflow.lint.audits import check_audits
from vezaflow.lint.connections import check_connections
from vezaflow.lint.data import check_columns, check_dealing, check_names_of_data_sources, check_rows
from vezaflow.lint.definite import check_shadows, check_ways
from vezaflow.lint.event_streams import check_event_streams
from vezaflow.lint.events import check_events
from vezaflow.lint.expressions import check_calls, check_units
from vezaflow.lint.flows import (
    check_certificates,
    check_choices,
    check_files,
    check_json,
    check_requests,
    check_secret_urls,
    check_step_names,
    check_urls,
)
from vezaflow.lint.gates import check_gates, check_watched
from vezaflow.lint.load import check_guarded, check_loads
from vezaflow.lint.names import check_names
from vezaflow.lint.notify import check_inserted, check_listed
from vezaflow.lint.parallel import check_parallel
from vezaflow.lint.placeholders import check_placeholders
from vezaflow.lint.reach import check_reach
from vezaflow.lint.responses import check_responses
from vezaflow.lint.safety import check_environment, check_hosts, check_tokens_in_urls, check_written_secrets
from vezaflow.lint.samples import check_samples
from vezaflow.lint.suppressions import silenced
from vezaflow.lint.unused import check_secrets, check_unused
from vezaflow.lint.uploads import check_uploads
from vezaflow.lint.websockets import check_websockets
from vezaflow.model import Suite
from vezaflow.read import check_schemas, read_suite

RULES: tuple[Callable[[Suite, Diagnostics], None], ...] = (
    check_loads,
    check_guarded,
    check_dealing,
    check_rows,
    check_requests,
    check_json,
    check_choices,
    check_step_names,
    check_urls,
    check_certificates,
    check_connections,
    check_secret_urls,
    check_tokens_in_urls,
    check_written_secrets,
    check_listed,
    check_placeholders,
    check_environment,
    check_hosts,
    check_files,
    check_schemas,
    check_responses,
    check_reach,
    check_names,
    check_inserted,
    check_names_of_data_sources,
    check_columns,
    check_ways,
    check_shadows,
    check_parallel,
    check_uploads,
    check_websockets,
    check_event_streams,
    check_events,
    check_unused,
    check_calls,
    check_units,
    check_gates,
    check_audits,
    check_samples,
    check_secrets,  # the last two are silent when there are errors
    check_watched,
)

AS_WRITTEN = (check_loads, check_guarded, check_gates, check_audits, check_samples, check_watched)
"""Rules about load and gates on samples: they do not see audited pages as flows."""


def lint(
    paths: Sequence[Path],
    *,
    overlay: Mapping[Path, str] | None = None,
    base_url: bool = False,
    included_only: bool = False,
) -> tuple[Suite | None, Diagnostics]:
    """The suite that the paths name, or None if it can't be run; and all that was found, warnings too.

    `base_url` says that an option gives one, so that the files need not; `included_only` that fragments which nothing
    includes don't matter.
    """
    diagnostics = Diagnostics()
    suite = read_suite(paths, diagnostics, overlay=overlay, included_only=included_only)
    if suite is not None:
        flows = (*suite.flows, *(audit.flow for audit in suite.audit_files))
        audited = replace(suite, flows=flows, audit_files=())
        for rule in RULES:
            rule(suite if rule in AS_WRITTEN else audited, diagnostics)
        diagnostics = silenced(suite, diagnostics)
    if base_url:
        diagnostics = _without(diagnostics, "VF406")
    return (None if diagnostics.failed else suite), diagnostics


def _without(diagnostics: Diagnostics, code: str) -> Diagnostics:
    kept = Diagnostics()
    for diagnostic in diagnostics:
        if diagnostic.code != code:
            kept.add(diagnostic)
    return kept
