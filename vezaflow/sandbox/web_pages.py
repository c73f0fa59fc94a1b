"""The web application: six small pages, valid and accessible, and one of them slow or inaccessible by a switch.

The dashboard and the profile want the session's cookie, and lead to the login without it. A slow page comes late, keeps
the browser busy and moves its content; an inaccessible one has no names for its fields and images, and grey text.
"""

import asyncio
from collections.abc import Sequence
from html import escape
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from vezaflow.sandbox.reply import Reply, reply
from vezaflow.sandbox.settings import WEB_PAGES, SandboxSettings

LATE = 1.5  # seconds that a slow page comes late
HTML = b"text/html; charset=utf-8"
STYLE = """
:root { color-scheme: light; font: 1rem/1.5 system-ui, sans-serif; color: #1b1b1f; background: #fff; }
body { margin: 0 auto; max-width: 60rem; padding: 0 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.5rem; list-style: none; padding: 0; }
nav a { display: inline-block; padding: 0.75rem; color: #0b4ea2; }
label { display: block; margin: 0.75rem 0 0.25rem; }
input, button { font: inherit; padding: 0.75rem; min-width: 12rem; border: 1px solid #555; }
button { color: #fff; background: #0b4ea2; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.5rem; border-bottom: 1px solid #ccc; }
"""
ICON = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#0b4ea2"/></svg>'
LATE_SCRIPT = """
<div id="banner"></div>
<script>
  const end = performance.now() + 1500;
  while (performance.now() < end) { Math.sqrt(Math.random()); }
  setTimeout(() => { document.getElementById("banner").style.height = "40vh"; }, 200);
</script>
"""
UNNAMED = """
<img src="/favicon.svg" width="32" height="32">
<p style="color: #ccc; background: #fff">Grey text that few can read.</p>
<form><input type="text"><select><option>1</option></select><button type="button"></button></form>
<a href="/tracks"></a>
"""
SECURED = ("dashboard", "profile")
SEE_OTHER = 303


class WebPages:
    """The pages by path. `token` is the value of the session's cookie."""

    def __init__(self, settings: SandboxSettings, token: str, tracks: Sequence[dict[str, object]]) -> None:
        self._token = token
        self._slow = settings.page_slow
        self._bodies = {name: _page(name, settings, tracks) for name in WEB_PAGES}
        self._pages = {f"/{name}": reply(f"GET /{name}", body, kind=HTML) for name, body in self._bodies.items()}
        icon = reply("GET /favicon.svg", ICON, kind=b"image/svg+xml")
        robots = reply("GET /robots.txt", b"User-agent: *\nDisallow:\n", kind=b"text/plain")
        self._fixed = {"/favicon.svg": icon, "/favicon.ico": icon, "/robots.txt": robots}

    def knows(self, path: str) -> bool:
        return path in self._pages or path in self._fixed

    async def find(self, path: str, headers: Sequence[tuple[bytes, bytes]]) -> Reply:
        """A page, or the way to the login."""
        if path in self._fixed:
            return self._fixed[path]
        name = path[1:]
        if name in SECURED and self._session(headers) != self._token:
            return _see_other(f"GET /{name}", "/login")
        if name == self._slow:
            await asyncio.sleep(LATE)
        return self._pages[path]

    def log_in(self, body: bytes, known: tuple[str, str]) -> Reply:
        """What the login's form sends: a session, or the form again."""
        form = parse_qs(body.decode("utf-8", "replace"))
        if (form.get("email"), form.get("password")) != ([known[0]], [known[1]]):
            return reply("POST /login", self._bodies["login"], status=401, kind=HTML)
        cookie = (b"set-cookie", f"session={self._token}; Path=/; HttpOnly; SameSite=Lax".encode())
        return _see_other("POST /login", "/dashboard", cookie)

    def _session(self, headers: Sequence[tuple[bytes, bytes]]) -> str:
        sent = "; ".join(value.decode("latin-1") for name, value in headers if name == b"cookie")
        found = SimpleCookie(sent).get("session")
        return found.value if found is not None else ""


def _see_other(route: str, location: str, *headers: tuple[bytes, bytes]) -> Reply:
    return reply(route, b"", status=SEE_OTHER, kind=HTML, headers=((b"location", location.encode()), *headers))


def _page(name: str, settings: SandboxSettings, tracks: Sequence[dict[str, object]]) -> bytes:
    links = "".join(f'<li><a href="/{each}">{each.capitalize()}</a></li>' for each in WEB_PAGES)
    faults = (UNNAMED if name == settings.page_inaccessible else "") + (
        LATE_SCRIPT if name == settings.page_slow else ""
    )
    lang = "" if name == settings.page_inaccessible else ' lang="en"'
    title = name.capitalize()
    return f"""<!doctype html>
<html{lang}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{title} of the sandbox's music platform.">
<title>{title} – sandbox</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<style>{STYLE}</style>
</head>
<body>
<header><nav aria-label="Pages"><ul>{links}</ul></nav></header>
<main>
<h1>{title}</h1>
{_content(name, tracks)}
{faults}
</main>
</body>
</html>
""".encode()


def _content(name: str, tracks: Sequence[dict[str, object]]) -> str:
    match name:
        case "login":
            return (
                '<form method="post" action="/login">'
                '<label for="email">Email</label>'
                '<input id="email" name="email" type="email" autocomplete="username" required>'
                '<label for="password">Password</label>'
                '<input id="password" name="password" type="password" autocomplete="current-password" required>'
                "<p><button>Sign in</button></p></form>"
            )
        case "search":
            return (
                '<form role="search" action="/search"><label for="q">Title, artist or genre</label>'
                '<input id="q" name="q" type="search"><p><button>Search</button></p></form>' + _table(tracks[:10])
            )
        case "tracks" | "marketplace":
            return _table(tracks[:25])
        case _:
            return "<p>You are logged in as listener@veza.fr.</p>" + _table(tracks[:5])


def _table(tracks: Sequence[dict[str, object]]) -> str:
    keys = ("title", "artist", "genre")
    head = "".join(f'<th scope="col">{key.capitalize()}</th>' for key in keys)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(str(track[key]))}</td>' for key in keys)}</tr>" for track in tracks)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
