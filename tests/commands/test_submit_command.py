"""What `scrapy submit` says before it asks a server."""

import argparse
from pathlib import Path

import pytest
from scrapy.settings import Settings

from urlcrawler.commands import submit
from urlcrawler.commands.submit import Command

CONFIG = """[settings]
default = urlcrawler.settings

[deploy]
url = http://127.0.0.1:1/
project = urlcrawler

[deploy:typo]
password = 100%-secret

[deploy:nowhere]
url = localhost:6800
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scrapy.cfg").write_text(CONFIG)
    (tmp_path / "urls.txt").write_text("http://a.example/\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(submit.signal, "signal", lambda *handler: None)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    command = Command()
    command.settings = Settings()
    parser = argparse.ArgumentParser()
    command.add_options(parser)
    opts, args = parser.parse_known_args(words)
    command.run(args, opts)
    assert command.exitcode == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["urls.txt", "--server", "lab"], "scrapy.cfg has no section [deploy:lab]. Targets are: "
         "typo, nowhere"),
        (["urls.txt", "--server", "typo"], "[deploy:typo] cannot be read (Interpolation"),
        (["urls.txt", "--server", "nowhere"], "url must be like http://localhost:6800/"),
        (["urls.txt", "-o", "urls.xlsx"], "must end with .csv or .jsonl"),
        (["urls.txt"], "http://127.0.0.1:1: cannot be reached"),
        (["--jobid", "urls-1", "--cancel"], "http://127.0.0.1:1: cannot be reached"),
        (["nope.txt"], "no such file: 'nope.txt'"),
    ],
)  # fmt: skip
def test_what_is_wrong_here_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    """The section, the file or the address; and no password."""
    text = said(capsys, *words)
    assert text.startswith("scrapy submit: ")
    assert sentence in text
    assert "secret" not in text


def test_without_the_extra_it_is_said_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project is of use without scrapyd."""
    monkeypatch.setattr(submit, "find_spec", lambda name: None)
    assert "Type pip install -e '.[scrapyd]'" in said(capsys, "urls.txt")


@pytest.mark.parametrize("setting", ["LOG_LEVEL=ERROR", "LOG_ENABLED=0", "LOG_FILE=x.log"])
def test_a_setting_that_hides_how_a_job_ends_is_refused(setting: str) -> None:
    """Its log is all that scrapyd keeps of it."""
    with pytest.raises(submit.ArgumentError, match="Leave it out"):
        Command()._check_settings([setting], has_items=False)
