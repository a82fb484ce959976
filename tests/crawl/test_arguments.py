"""Bad input: one clear sentence, exit code 1, no traceback, nothing written."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import Crawl

LISTS = {
    "urls.txt": b"http://127.0.0.1:1/\n",
    "empty.txt": b"",
    "comments.txt": b"# nothing\n\n",
    "two.csv": b"name,page\na,http://127.0.0.1:1/\n",
    "header.csv": b"url,name\n",
    "broken.txt.gz": b"\x1f\x8b\x08\x00 this is not gzip",
    "book.xlsx": b"PK\x03\x04" + b"\0" * 20,
    "list.json": b'["http://127.0.0.1:1/"]',
    "names.jsonl": b'{"name": "a", "age": 1}\n',
    "broken.parquet": b"PAR1 and nothing more",
    "picture.txt": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
}

WRONG = [
    # arguments, words of the sentence
    ([], ["argument `file`", "-a file=urls.txt"]),
    (["file="], ["argument `file`", "-a file=urls.txt"]),
    (["urls= "], ["argument `urls`: holds no URL"]),
    (["file=urls.txt", "urls=a.example"], ["arguments `file` and `urls`", "Leave one out"]),
    (["urls=" + "x" * 100_001], ["argument `urls`: has 100,001 bytes", "-a file=..."]),
    (["file=nope.txt"], ["argument `file`: no such file: 'nope.txt'"]),
    (["file=folder"], ["'folder' is a folder"]),
    (["file=empty.txt"], ["empty.txt", "the list is empty"]),
    (["file=comments.txt"], ["comments.txt", "the list is empty"]),
    (["file=header.csv"], ["header.csv", "the list is empty"]),
    (["file=two.csv"], ["two.csv", "Columns are: name, page", "-a column=NAME"]),
    (["file=two.csv", "column=url"], ["no column 'url'; columns are: name, page"]),
    (["file=names.jsonl"], ["names.jsonl", "Columns are: name, age"]),
    (["file=names.jsonl", "column=url"], ["no column 'url'"]),
    (["file=urls.txt", "column=url"], ["argument `column`", "has no columns"]),
    (["file=broken.txt.gz"], ["cannot unpack 'broken.txt.gz'"]),
    (["file=broken.parquet"], ["not readable Parquet"]),
    (["file=book.xlsx"], ["book.xlsx", "CSV"]),
    (["file=list.json"], ["list.json", "JSON Lines"]),
    (["file=picture.txt"], ["picture.txt", "not a text file"]),
    (["file=http://127.0.0.1:1/urls.txt"], ["cannot read 'http://127.0.0.1:1/urls.txt'"]),
    (["flie=urls.txt"], ["argument `flie`: there is no such argument", "`file`"]),
    (["file=urls.txt", "depth=2"], ["argument `depth`", "Arguments are: file, urls, column"]),
    (["file=urls.txt", "duplicates=drop"], ["argument `duplicates`", "skip or fetch", "'drop'"]),
    (["file=urls.txt", "limit=0"], ["argument `limit`", "above 0", "'0'"]),
    (["file=urls.txt", "limit=ten"], ["argument `limit`", "'ten'"]),
    (["file=urls.txt", "limit=-1"], ["argument `limit`", "'-1'"]),
    (["file=urls.txt", "retry=fialed"], ["argument `retry`", "'fialed'", "mean `failed`"]),
    (["file=urls.txt", "retry="], ["argument `retry`", "Type retry=failed"]),
    (["file=urls.txt", "retry=dns,404"], ["argument `retry`", "'404'", "http-4xx"]),
]


@pytest.fixture
def lists(tmp_path: Path) -> None:
    for name, content in LISTS.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_a_wrong_argument_is_answered_with_one_sentence(
    scrapy: Callable[..., Crawl], tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    """It names the argument, what is wrong, the value, and what to type; the exit code is 1."""
    crawled = scrapy("crawl", "urls", *(f"-a{argument}" for argument in arguments))
    sentence = crawled.log.strip().splitlines()[-1]
    assert sentence.startswith("scrapy crawl: ")
    assert [word for word in words if word not in sentence] == []
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False), crawled.log
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*LISTS, "folder"])


def test_an_argument_of_scrapyd_is_accepted(crawl: Callable[..., Crawl]) -> None:
    """scrapyd passes `_job`; names that begin with an underscore are not ours to refuse."""
    assert crawl(["http://127.0.0.1:1/"], "-a", "_job=1", "-s", "RETRY_TIMES=0").exit_code == 0


def test_an_unknown_spider_is_answered_with_the_known_ones(scrapy: Callable[..., Crawl]) -> None:
    """A typing mistake in the spider's name is no traceback either."""
    crawled = scrapy("crawl", "url")
    assert "no spider 'url'. Did you mean 'urls'? Spiders are: urls" in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_a_missing_spider_name_is_a_usage_error(scrapy: Callable[..., Crawl]) -> None:
    """`scrapy crawl` alone ends with Scrapy's own exit code for that."""
    assert scrapy("crawl").exit_code == 2


@pytest.mark.parametrize(
    "setting",
    [
        "CONCURRENT_REQUESTS_PER_DOMAIN=0",
        "CONCURRENT_REQUESTS=-1",
        "CONCURRENT_REQUESTS=abc",
        "COMPONENT_TIMEOUT=0",
    ],
)
def test_a_setting_with_which_nothing_would_be_requested_is_refused(
    crawl: Callable[..., Crawl], setting: str
) -> None:
    """It waited for ever; now one sentence names the setting and the value."""
    crawled = crawl(["http://127.0.0.1:1/"], "-s", setting)
    name, _, value = setting.partition("=")
    assert re.search(rf"setting {name}: must be a (whole )?number from", crawled.log)
    assert repr(value) in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)
