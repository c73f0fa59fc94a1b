"""How a `paginate` step gets from page to page: `next`, `into` and `pages`."""

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.keys import MOST_PAGES, Kind
from vezaflow.model import Extract, Paginate, Request, constant
from vezaflow.read import scalars
from vezaflow.read.extract import read_extract
from vezaflow.read.mappings import Row
from vezaflow.syntax import Scalar

_QUERY = "query."


def read_pages(row: Row, request: Request) -> Paginate | None:
    """The walk; None if nothing says what comes next, which was reported."""
    if "next" not in row.entries:
        return None
    extract = read_extract(row.entries["next"], row.diagnostics)
    _check_next(extract, row.diagnostics)
    parameter, span = _parameter(row, request)
    pages = row.required("pages")
    if (most := constant(pages)) is not None and most > MOST_PAGES:
        row.diagnostics.error(
            "VF222",
            pages.span,
            f"'pages' must be at most {MOST_PAGES}",
            help="each page has its own metrics; to request more, start a second `paginate` where this one ended",
        )
    return Paginate(request, extract, parameter, span, pages, row.key_span("paginate"))


def _check_next(extract: Extract, diagnostics: Diagnostics) -> None:
    many = extract.all or extract.take is not None
    if many or extract.default is not None:
        diagnostics.error(
            "VF120",
            extract.argument_span,
            "'next' must be one value",
            label="this is a list" if many else "this has a default",
            help="remove `all` and `take`" if many else "remove the default: without a match the pagination ends",
        )


def _parameter(row: Row, request: Request) -> tuple[str, Span]:
    """The parameter's name and where it stands; no name without `into`."""
    node = row.node("into")
    if node is None:
        return "", row.key_span("paginate")
    text = node.text if isinstance(node, Scalar) else ""
    name = text.removeprefix(_QUERY)
    if not text.startswith(_QUERY) or not name or "${" in text:
        scalars.report_shape(node, "'into'", Kind.PARAMETER.value, row.diagnostics)
        return "", node.span
    if any(key == name and isinstance(value, tuple) for key, value in request.query):
        row.diagnostics.error(
            "VF120",
            node.span,
            f"the query's '{name}' is a list",
            help="the value for the first page must be a single value",
        )
    return name, node.span
