"""A template and what it shows → the bytes of a page. All text is escaped, but for what says that it is markup."""

from functools import cache
from typing import TYPE_CHECKING, Any

from vezaflow.reports.page.assets import HERE

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, context: dict[str, Any]) -> bytes:
    """The page. A name that the template has and the context lacks is an error."""
    return _environment().get_template(template).render(context).encode()


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
