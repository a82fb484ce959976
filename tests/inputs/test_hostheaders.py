"""The file that says what to send to some hosts."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.hostheaders import HostHeaders, read_host_headers

GOOD = """
# what is for whom
shop.example:
  headers:
    Authorization: Bearer ${TOKEN}
    X-Number: 7
  cookies: {session: 4f1c, lang: en}
"*.example.org":
  headers: {X-Key: below}
api.example.org:
  headers: {X-Key: own}
"2001:db8::1":
  headers: {X-Key: six}
"""


def read(tmp_path: Path, text: str) -> HostHeaders:
    path = tmp_path / "secrets.yaml"
    path.write_text(text, encoding="utf-8")
    return read_host_headers(str(path), {"TOKEN": "s3cret"})


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        (
            "shop.example",
            {"Authorization": "Bearer s3cret", "X-Number": "7", "Cookie": "session=4f1c; lang=en"},
        ),
        ("SHOP.example.", None),
        ("www.example.org", {"X-Key": "below"}),
        ("a.b.example.org", {"X-Key": "below"}),
        ("api.example.org", {"X-Key": "own"}),
        ("2001:db8::1", {"X-Key": "six"}),
        ("example.org", {}),
        ("notshop.example", {}),
        ("shop.example.evil.test", {}),
        ("www.shop.example", {}),
        ("org", {}),
        ("", {}),
    ],
)
def test_each_host_has_its_own(tmp_path: Path, host: str, headers: dict[str, str] | None) -> None:
    """And what is for all hosts below one; a name that ends alike is another one."""
    found = read(tmp_path, GOOD)
    assert found.of(host) == (found.of("shop.example") if headers is None else headers)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "secrets.yaml: must name hosts, each with its headers"),
        ("- a\n- b\n", "secrets.yaml: must name hosts"),
        ("a: [\n", "line 2: is no YAML"),
        ("a.b:\n  headers: {X: ${NOPE}}\n", "line 2: is no YAML"),
        (
            'a.b:\n  headers: {X: "${NOPE}"}\n',
            "line 2: a.b: X: the environment has no",
        ),
        ("https://a.b/:\n  headers: {X: y}\n", "line 1: 'https://a.b/' is no host"),
        ("a.b: secret\n", "line 1: a.b: needs `headers` or `cookies`"),
        ("a.b:\n  header: {X: y}\n", "line 2: a.b: there is no 'header', only"),
        ("a.b:\n  headers: y\n", "line 2: a.b: `headers` needs names with values"),
        ("a.b:\n  headers:\n    X y: z\n", "line 3: a.b: 'X y' is no name of a header or cookie"),
        ("a.b:\n  headers:\n    X: [1]\n", "line 3: a.b: X: must be text"),
        ('a.b:\n  headers:\n    X: "1\\r\\nY: 2"\n', "line 3: a.b: X: must be printable ASCII"),
        ("\n?\n- :\n", "is no YAML that can be read: unhashable type"),
        ("a: 2001-99-99\n", "is no YAML that can be read: month must be in 1..12"),
        ("a: " + "[" * 9000, "is no YAML that can be read: maximum recursion depth exceeded"),
        ("a.b:\n  headers: {X: y}\na.b:\n  headers: {X: z}\n", "line 3: is no YAML"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """Expectation and what was found; the value of a secret is in no message."""
    with pytest.raises(ListError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    """Nobody wants to find them one by one."""
    with pytest.raises(ListError) as caught:
        read(tmp_path, "a b: x\nc.d: x\ne.f:\n  heders: {}\n")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == [
        " line 1", " line 2", " line 4",
    ]  # fmt: skip


def test_a_file_that_is_not_there_is_said() -> None:
    """As the system says it."""
    with pytest.raises(ListError, match=r"nowhere\.yaml: No such file or directory"):
        read_host_headers("nowhere.yaml")


@given(text=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_file_is_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """It is read, or a sentence says what is wrong."""
    path = tmp_path_factory.mktemp("any") / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with suppress(ListError):
        read_host_headers(str(path), {})
