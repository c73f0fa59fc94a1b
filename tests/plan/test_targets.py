"""URLs and the guard before them."""

import socket
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vezaflow.plan import GuardError, Targets, UrlError
from vezaflow.protocols import Origin


def test_a_path_stands_under_the_base() -> None:
    targets = Targets("http://127.0.0.1:8080/veza/", ())
    target = targets.resolve("/api/v1/health?x=1")
    assert target.origin == Origin("http", "127.0.0.1", 8080)
    assert target.target == "/veza/api/v1/health?x=1"


def test_what_a_url_can_not_hold_is_percent_encoded_once() -> None:
    targets = Targets("http://localhost", ())
    assert targets.resolve("/a b/ü?q=x y").target == "/a%20b/%C3%BC?q=x%20y"
    assert targets.resolve("/a%20b").target == "/a%20b"


def test_a_fragment_is_not_sent() -> None:
    assert Targets("http://localhost", ()).resolve("/a#b").target == "/a"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.8.7", "[::1]", "app.localhost"])
def test_loopback_is_always_allowed(host: str) -> None:
    assert Targets(None, ()).resolve(f"http://{host}/x").target == "/x"


@pytest.mark.parametrize(
    "url",
    [
        "http://veza.fr/",
        "http://10.0.0.1/",
        "http://127.0.0.1.veza.fr/",
        "http://0.0.0.0/",
        "http://[::2]/",
        "https://localhost.veza.fr",
    ],
)
def test_every_other_host_is_refused_unless_listed(url: str) -> None:
    with pytest.raises(GuardError):
        Targets("http://localhost", ("staging.veza.fr",)).resolve(url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("staging.veza.fr", "https://staging.veza.fr/"),
        ("*.lxd", "http://api.lxd:8080/"),
        ("STAGING.veza.fr", "https://Staging.Veza.FR/"),
        ("api.lxd:8080", "http://api.lxd:8080/"),
    ],
)
def test_a_listed_host_is_allowed(pattern: str, url: str) -> None:
    assert Targets(None, (pattern,)).resolve(url).target == "/"


def test_a_pattern_with_a_port_allows_that_port_only() -> None:
    with pytest.raises(GuardError):
        Targets(None, ("api.lxd:8080",)).resolve("http://api.lxd:9090/")


def test_the_base_itself_is_guarded() -> None:
    with pytest.raises(GuardError):
        Targets("https://veza.fr", ("staging.veza.fr",))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/",
        "localhost/x",
        "http:///x",
        "http://user:pw@localhost/",
        "http://local host/",
        "//localhost/x",
        "http://localhost:x/",
    ],
)
def test_what_is_no_http_url_is_said_to_be_none(url: str) -> None:
    with pytest.raises(UrlError):
        Targets("http://localhost", ()).resolve(url)


@pytest.mark.parametrize("link", ["page2.html?a=1", "?p=2", "../x", "#top", ""])
def test_a_relative_link_is_told_how_it_becomes_a_url(link: str) -> None:
    with pytest.raises(UrlError, match="absolute_url"):
        Targets("http://localhost", ()).resolve(link)


def test_a_path_needs_a_base() -> None:
    with pytest.raises(UrlError, match="base_url"):
        Targets(None, ()).resolve("/x")


def test_a_redirect_is_relative_to_what_answered_and_guarded() -> None:
    targets = Targets("http://localhost/base", ())
    here = targets.resolve("http://localhost/a/b?c")
    assert targets.follow(here, "../d").target == "/d"
    assert targets.follow(here, "?e=f").target == "/a/b?e=f"
    with pytest.raises(GuardError):
        targets.follow(here, "//veza.fr/x")
    with pytest.raises(UrlError):
        targets.follow(here, "http://[x")


@pytest.mark.parametrize(
    "host",
    [
        "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.0.0.01", "127.0.0.1.1", "10.9.8.0x7",
        "10.9.8.7\0.lxd", "a\tb.lxd", "a\nb.lxd", "a b.lxd", "a\u3000b.lxd", "a\x7f.lxd", "%31.lxd", "a%00.lxd",
        "１２７.1", "０x7f.1", "[::1%25lo]", "[fe80::1%eth0].lxd", "[::1].lxd", "[127.0.0.1]", "::1", "a@b.lxd",
        "@b.lxd",
        "b.lxd\\@localhost", "b.lxd\\", "a..lxd", ".lxd", "lxd..", ".", "℀.lxd", "a_\u0301.lxd", "\ud800.lxd",
        "a" * 64 + ".lxd", "a." * 130 + "lxd", "b.lxd:0", "b.lxd:65536", "b.lxd:-1", "b.lxd:+80", "b.lxd:８０",
        "b.lxd:8:0",
    ],
)  # fmt: skip
def test_a_host_that_somebody_could_read_otherwise_is_refused(host: str) -> None:
    targets = Targets("http://localhost", ("*",))
    with pytest.raises(UrlError):
        targets.resolve(f"http://{host}/")
    with pytest.raises(UrlError):
        targets.follow(targets.resolve("/"), f"//{host}/")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://LocalHost./", "localhost"),
        ("http://127.0.0.1./", "127.0.0.1"),
        ("http://１２７。0.0.1/", "127.0.0.1"),
        ("http://[0:0::0:1]/", "::1"),
        ("http://BÜCHER.example/", "xn--bcher-kva.example"),
        ("http://straße.example/", "xn--strae-oqa.example"),
        ("http://a_b.example/", "a_b.example"),
    ],
)
def test_a_host_is_normalised_before_the_guard_decides(url: str, host: str) -> None:
    assert Targets(None, ("*.example",)).resolve(url).origin.host == host


@pytest.mark.parametrize(
    "pattern", ["bücher.example", "BÜCHER.Example.", "xn--bcher-kva.example", "*.example", "bücher。example"]
)
@pytest.mark.parametrize(
    "url", ["http://bücher.example:8080/", "http://xn--bcher-kva.example/", "http://Bu\u0308cher.example/"]
)
def test_an_internationalised_name_is_one_name_however_it_is_written(pattern: str, url: str) -> None:
    assert Targets(None, (pattern,)).resolve(url).origin.host == "xn--bcher-kva.example"


def test_an_address_in_allow_is_that_address_alone() -> None:
    targets = Targets(None, ("[FD00:0::1]:80", "fd00::2"))
    assert targets.resolve("http://[fd00::1]/").origin.host == "fd00::1"
    assert targets.resolve("http://[fd00:0::2]:8080/").origin.port == 8080
    for other in ("http://[fd00::1]:81/", "http://[fd00::3]/", "http://f/", "http://d:80/", "http://[fd00::1:80]/"):
        with pytest.raises(GuardError):
            targets.resolve(other)


@pytest.mark.parametrize("pattern", ["10.*", "10.?.*", "10.[0-9]*.[!0-4]*", "*.5", "1*", "10.0.*:80*"])
def test_a_pattern_of_digits_is_for_addresses(pattern: str) -> None:
    targets = Targets(None, (pattern,))
    names = ("10.evil.example", "10.0.evil.example", "10.9.8.7.evil.example", "1a", "a.5.b")
    for url in (f"http://{name}:8080/" for name in names):
        with pytest.raises(GuardError):
            targets.resolve(url)
    assert Targets(None, ("10.*",)).resolve("http://10.9.8.7/").origin.host == "10.9.8.7"
    assert Targets(None, ("10.*:8080",)).resolve("http://10.9.8.7:8080/").origin.port == 8080
    assert Targets(None, ("*:8080",)).resolve("http://10.evil.example:8080/").origin.port == 8080
    assert Targets(None, ("10-*.example",)).resolve("http://10-0-0-1.example/").origin.port == 80


def test_an_address_of_production_is_barred_as_a_mapped_one_too() -> None:
    targets = Targets(None, ("*",), {("10.0.0.1", None): "PROD_HOST"})
    with pytest.raises(GuardError, match="looks like production"):
        targets.resolve("http://[::ffff:10.0.0.1]/")


def test_what_an_input_named_like_production_leads_to_is_refused_however_it_is_come_by() -> None:
    targets = Targets("http://localhost", ("*",), {("127.0.0.1", 8080): "PROD_URL", ("veza.fr", None): "PROD_HOST"})
    here = targets.resolve("/")
    for url in ("http://127.0.0.1:8080/", "//127.0.0.1:8080", "https://VEZA.fr:9/"):
        with pytest.raises(GuardError, match="looks like production"):
            targets.follow(here, url)
    assert targets.follow(here, "http://127.0.0.1:8081/").origin.port == 8081


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("http://localhost/a/../b", "http://localhost/b#here"),
        ("//localhost/a/../b", "http://localhost/b#here"),
        ("http://localhost/./b", "http://localhost/b#here"),
        ("/a/%2e%2e/%41/.", "http://localhost/a/%2e%2e/%41/#here"),
        ("../../../d", "http://localhost/d#here"),
        ("/t#frag", "http://localhost/t#frag"),
        ("/t", "http://localhost/t#here"),
        ("", "http://localhost/a/b?c#here"),
        ("#x", "http://localhost/a/b?c#x"),
        ("?", "http://localhost/a/b#here"),
        ("/..//veza.fr/x", "http://localhost//veza.fr/x#here"),
    ],
)
def test_a_location_is_resolved_as_rfc_3986_has_it(location: str, url: str) -> None:
    targets = Targets("http://localhost", ())
    assert targets.follow(targets.resolve("/a/b?c#here"), location).url == url


@pytest.mark.parametrize(
    "location", ["http:/x", "http:x", "//", "///x", "http://", "javascript:0", "\\\\veza.fr/x\0y:"]
)
def test_a_location_that_is_ambiguous_leads_nowhere_else(location: str) -> None:
    targets = Targets("http://localhost", ())
    try:
        found = targets.follow(targets.resolve("/"), location)
    except UrlError:
        return
    assert found.origin.host == "localhost"


HOSTS = st.text(st.sampled_from("0123456789abcdefx.:-_[]%@/\\?#\0\t\n １。①ſü٣"), max_size=18)
NUMBERS = st.lists(
    st.sampled_from(["127", "0", "1", "0x7f", "0177", "10", "256", "017700000001", "2130706433", "0x", "１", ""]),
    max_size=5,
)


@given(
    st.one_of(HOSTS, st.text(max_size=12), NUMBERS.map(".".join)),
    st.sampled_from(["", ".lxd", ".localhost", "\0.lxd", ":80", "@x.lxd"]),
)
@example("0x7f.1", "")
@example("10.9.8.7", "\0.lxd")
def test_whatever_a_host_is_made_of_a_socket_goes_to_what_was_allowed(host: str, rest: str) -> None:
    targets = Targets("http://localhost/a", ("*.lxd",))
    here = targets.resolve("/")
    for found in (
        targets.resolve,
        lambda url: targets.follow(here, url),
        lambda url: targets.follow(here, url.partition(":")[2]),
    ):
        try:
            name = found(f"http://{host}{rest}/x").origin.host
        except (UrlError, GuardError):
            continue
        assert name.isascii()
        assert name.isprintable()
        try:  # any reading of it as an address, by whoever reads it
            addresses = {info[4][0] for info in socket.getaddrinfo(name, 80, flags=socket.AI_NUMERICHOST)}
        except OSError:
            addresses = set()
        try:
            addresses.add(socket.inet_ntoa(socket.inet_aton(name)))
        except OSError:
            pass
        if addresses:
            assert addresses <= {name}
            assert name.startswith("127.") or name in ("::1", "::ffff:127.0.0.1")
        else:
            assert name == "localhost" or name.endswith((".localhost", ".lxd"))


@pytest.mark.slow
def test_urls_and_hosts_that_come_once_take_no_memory() -> None:
    targets = Targets("http://localhost", ("*.lxd",))
    tracemalloc.start()
    try:
        for number in range(5000):
            assert targets.resolve(f"/uploads/{number}").target == f"/uploads/{number}"
        held, _ = tracemalloc.get_traced_memory()
        for number in range(5000):
            targets.resolve(f"http://host-{number}.lxd/")
        hosts, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 64 * 1024
    assert hosts < 2 * 1024 * 1024  # some thousand origins


def test_a_url_that_comes_again_is_resolved_to_the_same_target() -> None:
    targets = Targets("http://localhost", ())
    first, second, third = (targets.resolve("/a?b=c") for _ in range(3))
    assert first == second
    assert second is third
