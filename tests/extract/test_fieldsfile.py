"""Every mistake in a fields file is said before the first request, with its line."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.exceptions import ListError
from urlcrawler.extract import fieldsfile
from urlcrawler.extract.fields import Fields
from urlcrawler.extract.fieldsfile import read_fields


def read(folder: Path, text: str) -> Fields:
    path = folder / "fields.yaml"
    path.write_text(text, encoding="utf-8")
    return read_fields(str(path), taken=frozenset(["url", "status"]))


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ListError) as caught:
        read(folder, text)
    return [line.partition("fields.yaml: ")[2] for line in str(caught.value).splitlines()]


MISTAKES = {
    "": "must name fields, each with how it is found",
    "- a\n": "must name fields, each with how it is found",
    "a: [\n": "line 2: is no YAML: expected the node content",
    "a: b\na: c\n": "line 2: is no YAML",
    "? [a]\n: b\n": "line 1: field",
    '"a\\nb": x\n': "line 1: field 'a\\nb': a name must be printable text",
    "1: x\n": "line 1: field '1': a name must be printable text. Put it in quotes",
    "url: h1\n": "line 1: field 'url': is a column that every table has. Choose another name",
    "a: 3\n": "line 1: field 'a': must say how it is found, as in `a: {css: .a}`",
    "a:\n": "line 1: field 'a': must say how it is found",
    "a: div #b\n": "line 1: field 'a': `#b` is a comment in YAML. Put the selector in quotes",
    "a: #b\n": "line 1: field 'a': `#b` is a comment in YAML. Put the selector in quotes",
    "a:\n  css: div #b .c\n": "line 2: field 'a': `#b .c` is a comment in YAML. Put the selector",
    "a:\n  rules:\n    - css: b #c\n": "line 3: field 'a': `#c` is a comment in YAML",
    "a: *b\n": "line 1: is no YAML: found undefined alias 'b'. Put text with * & @ % ! [ { > | : #",
    "a: @b\n": "cannot start any token. Put text with",
    "a: {css: li, fields: {b: {xpath: '(//b)[1]'}}}\n": "'(//b)[1]' looks at the whole page. Begin",
    "a: {css: li, fields: {b: {xpath: ' string( //p)'}}}\n": "looks at the whole page. Begin with",
    "a: {css: li, fields: {b: {xpath: '/html'}}}\n": "looks at the whole page. Begin with .// to",
    "a: {css: li, fields: {b: {meta: title}}}\n": "field 'a.b': `meta` is about the whole page",
    "a: {}\n": "line 1: field 'a': does not say how it is found: name one of css, xpath,",
    "a: {css: b, xpath: c}\n": "line 1: field 'a': has css and xpath: name one of css, xpath,",
    "a:\n  csss: b\n": "line 2: field 'a': there is no 'csss'. Did you mean 'css'?",
    "a: {css: b, colour: c}\n": "there is no 'colour'. There are: css, xpath, jmespath,",
    "a:\n  css: 'h1['\n": "line 2: field 'a': 'h1[' is no CSS selector: Expected",
    "a: {css: ':hover::x'}\n": "is no CSS selector",
    "a: {css: 'p:nope'}\n": "'p:nope' is no CSS selector: The pseudo-class :nope is unknown",
    "a: {css: 5}\n": "`css` must be text, not 5",
    "a: {css: ' '}\n": "`css` must be text, not ' '",
    "a: {xpath: '//h1['}\n": "'//h1[' is no XPath: Invalid expression",
    "a: {xpath: 'nope(//h1)'}\n": "'nope(//h1)' is no XPath: Unregistered function",
    "a: {xpath: '//x:h1'}\n": "'//x:h1' is no XPath: Undefined namespace prefix",
    "a: {xpath: '$x'}\n": "'$x' is no XPath: Undefined variable",
    "a: {jmespath: 'a.['}\n": "'a.[' is no JMESPath: Invalid jmespath expression",
    "a: {jmespath: 'nope(a'}\n": "is no JMESPath",
    "a: {regex: '(a'}\n": "'(a' is no regular expression: missing )",
    "a: {css: b, type: strr}\n": "there is no type 'strr'. Did you mean str?",
    "a: {css: b, type: number}\n": "there is no type 'number': it is one of str int float bool",
    "a: {css: b, type: [int]}\n": "there is no type",
    "a: {css: b, order: DDMM}\n": "there is no order 'DDMM'",
    "a: {css: b, decimal: ';'}\n": "there is no decimal ';': it is one of . ,",
    "a: {css: b, many: maybe}\n": "`many` must be true or false, not 'maybe'",
    "a: {css: b, required: 1}\n": "`required` must be true or false, not 1",
    "a: {css: b, strip: 'no'}\n": "`strip` must be true or false, not 'no'",
    "a: {css: b, max_length: 0}\n": "`max_length` must be a whole number above 0, not 0",
    "a: {css: b, max_length: true}\n": "`max_length` must be a whole number above 0, not True",
    "a: {css: b, required: true, default: x}\n": "is required, so it can have no default",
    "a: {css: b, type: price, default: n/a}\n": "`default` must be a number, as the field is, not",
    "a: {css: b, type: bool, default: 0}\n": "`default` must be true or false",
    "a: {css: b, default: 0}\n": "`default` must be text",
    "a: {css: b, many: true, default: x}\n": "`default` must be a list, as the field is, not 'x'",
    "a: {css: b, default: [x]}\n": "`default` must be text",
    "a: {jmespath: 'foo(@)'}\n": "'foo(@)' is no JMESPath: Unknown function: foo()",
    "a: {css: b, hosts: 'http://a.b/'}\n": "'http://a.b/' is no host. Write it without http:// and",
    "a: {css: b, hosts: [a.b, 7]}\n": "7 is no host",
    "a:\n  rules: b\n": "line 2: field 'a': `rules` must be a list of rules",
    "a: {rules: []}\n": "`rules` must be a list of rules",
    "a:\n  rules:\n    - b\n": "line 3: field 'a': a rule must say how, as in `- css: .price`",
    "a:\n  css: b\n  rules: [{css: c}]\n": "line 1: field 'a': has `rules`, so how it",
    "a:\n  rules:\n    - css: b\n    - csss: c\n": "line 4: field 'a': there is no 'csss'",
    "a: {rules: [{css: b, type: int}]}\n": "there is no 'type'. There are: css,",
    "a: {css: b, fields: c}\n": "`fields` must name fields",
    "a: {css: b, fields: {}}\n": "`fields` must name fields",
    "a: {css: b, type: int, fields: {c: d}}\n": "an object has no `type`",
    "a: {css: 'b::text', fields: {c: d}}\n": "the fields of an object need elements, and 'css'",
    "a: {regex: b, fields: {c: d}}\n": "the fields of an object need elements, and 'regex'",
    "a:\n  css: b\n  fields:\n    c: {css: '['}\n": "line 4: field 'a.c': '[' is no CSS selector",
    "a: {css: b, fields: {c: {css: d, required: true}}}\n": "only fields of a page can be required",
    "a: {css: b, fields: {c: {xpath: '//d'}}}\n": "'//d' looks at the whole page. Begin with .//",
    "a: {css: b, type: price}\na_currency: c\n": "its column 'a_currency' is that of 'a' too",
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.items(), ids=lambda text: text[:40])
def test_a_mistake_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """Which field, what is wrong, the value, and what would be right."""
    (found, *_) = mistakes(tmp_path, text)
    assert said in found


@pytest.mark.parametrize(
    "text",
    [
        "a: b # a comment\n",
        "a.b: {xpath: '//h1/b'}\n",
        "a: b\n#c\n",
        "a: 'b #c'\n",
        "a: {css: b, many: true} #c\n",
        "a: {css: li, fields: {b: {xpath: './/b[contains(., \"(//p\")]/c / d'}}}\n",
        "a: {css: li, fields: {b: {xpath: 'b//c[d/e]/@f | .//g'}}}\n",
    ],
)
def test_what_only_looks_like_a_mistake_is_none(tmp_path: Path, text: str) -> None:
    """Comments with a blank, `#` in quotes, and paths from the match on."""
    assert read(tmp_path, text).names[0] in ("a", "a.b")


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    """Nobody wants to find them one by one."""
    text = "a: {csss: b}\nb: {css: '['}\nc:\n  css: d\n  type: x\n  many: y\nurl: z\n"
    found = mistakes(tmp_path, text)
    assert [line.split(": field")[0] for line in found] == [
        "line 1", "line 1", "line 2", "line 6", "line 5", "line 7",
    ]  # fmt: skip


def test_dates_need_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, and the message says what to type."""
    monkeypatch.setattr(fieldsfile, "find_spec", lambda name: None)
    (found,) = mistakes(tmp_path, "a: {css: b, type: date}\n")
    assert found.endswith("type date needs dateparser. Type pip install dateparser")


def test_a_file_that_is_not_there_is_said() -> None:
    """As the system says it."""
    with pytest.raises(ListError, match=r"nowhere\.yaml: No such file or directory"):
        read_fields("nowhere.yaml")


def test_the_columns_are_known_before_the_first_page(tmp_path: Path) -> None:
    """With their types, in the order of the file."""
    text = """
    name: h1
    price: {css: .price, type: price}
    prices: {css: .price, type: price, many: true}
    stock: {css: .stock, type: int}
    reviews: {css: li, many: true, fields: {text: p, when: {css: time, type: date}}}
    seller: {css: .seller, fields: {name: b}}
    """
    fields = read(tmp_path, text)
    assert fields.columns == {
        "name": "str", "price": "float", "price_currency": "str", "prices": "json",
        "prices_currency": "json", "stock": "int", "reviews": "json", "seller": "json",
    }  # fmt: skip
    assert fields.names == [
        "name", "price", "prices", "stock", "reviews", "reviews.text", "reviews.when", "seller",
        "seller.name",
    ]  # fmt: skip


@given(text=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_file_is_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """It is read, or a sentence says what is wrong."""
    path = tmp_path_factory.mktemp("any") / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with suppress(ListError):
        read_fields(str(path))
