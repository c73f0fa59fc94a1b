"""What a player tells with its requests: CTA-5004, by its own words."""

from urllib.parse import unquote

from vezaflow.engine.cmcd import ClientData, PlayerState, Purpose, header_lines, with_query
from vezaflow.model import Fetched
from vezaflow.plan import Level

LEVEL = Level("http://h/a", 1_404_000, 1_300_000, None)
PLAYS = PlayerState(buffered=12.34, live=False, stalls=0, top=2_500_400)


def query(values: dict[str, int | str | bool]) -> str:
    return unquote(with_query("http://h/a?x=1", values).removeprefix("http://h/a?x=1&CMCD="))


def test_a_segment_says_all_that_is_known_in_sorted_order() -> None:
    data = ClientData("/a/master.m3u8", "s-1")
    data.sample(1.0, 250_000)
    values = data.values(Purpose(Fetched.SEGMENT, 4.0041, LEVEL), PLAYS)
    assert query(values) == 'bl=12300,br=1404,cid="/a/master.m3u8",d=4004,mtp=2000,ot=av,sf=h,sid="s-1",st=v,tb=2500'


def test_headers_have_each_key_where_it_belongs() -> None:
    data = ClientData("c", "s")
    values = data.values(Purpose(Fetched.SEGMENT, 4.0, LEVEL), PLAYS._replace(buffered=0.0, live=True, stalls=1))
    assert header_lines(values).decode().splitlines() == [
        "CMCD-Object: br=1404,d=4000,ot=av,tb=2500",
        "CMCD-Request: bl=0,su",
        'CMCD-Session: cid="c",sf=h,sid="s",st=l',
        "CMCD-Status: bs",
    ]


def test_amounts_are_rounded_to_the_next_hundred_halves_up() -> None:
    for seconds, told in ((0.049, 0), (0.05, 100), (0.249, 200), (0.25, 300), (0.35, 400)):
        values = ClientData("c", "s").values(Purpose(Fetched.SEGMENT, 4.0, LEVEL), PLAYS._replace(buffered=seconds))
        assert values["bl"] == told, seconds


def test_a_stall_is_told_once() -> None:
    data = ClientData("c", "s")
    told = [data.values(Purpose(Fetched.KEY), PLAYS._replace(stalls=stalls)).get("bs") for stalls in (0, 1, 1, 2, 2)]
    assert told == [None, True, None, True, None]


def test_each_kind_of_object_has_its_letter() -> None:
    def letter(asked: Purpose) -> object:
        return ClientData("c", "s").values(asked, PLAYS)["ot"]

    assert [letter(Purpose(each)) for each in (Fetched.MASTER, Fetched.PLAYLIST, Fetched.INIT, Fetched.KEY)] == [
        *"mmik"
    ]
    levels = [None, Level("u", 1, 1, None, sound_only=True), LEVEL, Level("u", 1, 1, "http://h/sound")]
    assert [letter(Purpose(Fetched.SEGMENT, 1.0, level)) for level in levels] == ["a", "a", "av", "v"]


def test_what_is_not_known_is_left_out() -> None:
    values = ClientData("c", "s").values(Purpose(Fetched.MASTER), PlayerState(None, None, 0, 0))
    assert query(values) == 'cid="c",ot=m,sf=h,sid="s"'
    assert "CMCD-Status" not in header_lines(values).decode()


def test_strings_are_quoted_with_their_quotes_and_backslashes_escaped_and_64_long_at_most() -> None:
    values = ClientData('a"b\\c', "s").values(Purpose(Fetched.MASTER), PlayerState(None, None, 0, 0))
    assert query(values).startswith('cid="a\\"b\\\\c",')
    assert len(str(ClientData("x" * 99, "s").values(Purpose(Fetched.KEY), PLAYS)["cid"])) == 64


def test_a_query_is_added_to_the_one_that_is_there() -> None:
    assert with_query("http://h/a", {"sf": "h", "bs": True}) == "http://h/a?CMCD=sf%3Dh%2Cbs"
    assert with_query("http://h/a?b=c", {"sf": "h"}) == "http://h/a?b=c&CMCD=sf%3Dh"
