"""A name that nothing sets, and what its author may have meant: another name, a function, a text, the environment."""

import re

from vezaflow.diagnostics import Diagnostics, did_you_mean, suggest
from vezaflow.keys import GIVEN, NAMES
from vezaflow.model import TEMPLATE_FIELDS
from vezaflow.syntax import FUNCTIONS, Name

_BARE = re.compile(r"-\d[\w-]*")  # what follows a name in a text without quotes: BK-0001
_OF_MESSAGES = {
    "message": "`message` is only available in conditions on messages and events: `where`, `that`, and `sent`",
    "sent": "`sent` is only available in the `where` of an `ack`",
}


def report_undefined(name: Name, candidates: set[str], diagnostics: Diagnostics) -> None:
    bare = _BARE.match(name.span.source.text, name.span.end)
    shouted = name.name.isupper() and len(name.name) > 1 and name.name[0] != "_"
    near = suggest(name.name, {n for n in (*candidates, *GIVEN) if n.isupper()} if shouted else candidates | set(GIVEN))
    if name.name in NAMES and near not in candidates:
        near, help_ = None, NAMES[name.name]
    elif near is None and bare is not None:
        help_ = f"put a text in quotes: '{name.name}{bare[0]}'"
    elif near is None and name.name in FUNCTIONS:
        help_ = f"to call the function write `{name.name}()`"
    elif near is None and shouted:
        help_ = f"to read the environment write `env.{name.name}`"
    elif near is None and name.name == "part":
        help_ = "`part` is only available in the requests of an `upload`"
    elif near is None and name.name in _OF_MESSAGES:
        help_ = _OF_MESSAGES[name.name]
    elif near is None and name.name in TEMPLATE_FIELDS:
        help_ = f"`{name.name}` is only available in the `json` of a notification"
    else:
        help_ = "" if near else "set it with `vars`, `set` or `extract`"
    diagnostics.error(
        "VF301",
        name.span,
        f"undefined variable '{name.name}'",
        label=did_you_mean(near),
        help=help_,
    )
