"""README is part of the product: what it lists is what the code has."""

import dataclasses
import importlib
import json
import pkgutil
import re
from itertools import pairwise
from pathlib import Path

from urlcrawler import settings
from urlcrawler.exitcodes import EXIT_CODES
from urlcrawler.extract import fieldsfile
from urlcrawler.extract.fields import TYPES
from urlcrawler.extract.metadata import GROUPS
from urlcrawler.items import COLUMN_KINDS, OWN_COLUMNS, Page
from urlcrawler.outcomes import ERRORS, OUTCOMES
from urlcrawler.spiders.arguments import ARGUMENTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under *heading*, header lines left out."""
    section = re.split(r"^#+ ", README.split(f"# {heading}\n")[1], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def code(cell: str) -> str:
    return cell.strip("`")


def test_readme_lists_every_argument() -> None:
    """The table of arguments is ARGUMENTS."""
    assert {code(name): meaning for name, meaning in table("Arguments")} == ARGUMENTS


def test_readme_lists_every_outcome() -> None:
    """The table of outcomes is OUTCOMES."""
    assert {code(name): meaning for name, meaning in table("Outcomes")} == OUTCOMES


def test_readme_lists_every_error() -> None:
    """The table of errors is ERRORS."""
    listed = {
        code(slug): (code(outcome), retryable == "yes", meaning)
        for slug, outcome, retryable, meaning in table("Errors")
    }
    assert listed == {slug: tuple(error) for slug, error in ERRORS.items()}


def test_readme_lists_every_column_in_order() -> None:
    """The table of columns has the attributes of Page, with their types."""
    listed = [(code(name), kind) for name, kind, _ in table("Columns")]
    assert listed == [(name, COLUMN_KINDS[name]) for name in OWN_COLUMNS]


def test_readme_says_of_a_column_what_the_code_says() -> None:
    """The meaning of each column is the line of its attribute."""
    documented = dict(re.findall(r"^        (\w+): (.+)$", Page.__doc__ or "", re.MULTILINE))
    assert set(documented) == {column.name for column in dataclasses.fields(Page)}
    for name, _, meaning in table("Columns"):
        if "see below" not in meaning:
            assert meaning == documented[code(name)]


def test_readme_lists_every_exit_code() -> None:
    """The table of exit codes is EXIT_CODES."""
    assert {int(number): meaning for number, meaning in table("Exit codes")} == EXIT_CODES


def test_readme_lists_every_option_of_a_field() -> None:
    """The table of options is what a fields file may have, and the first names all types."""
    options = {code(name): meaning for name, meaning in table("Fields without code")}
    assert {*options} == {*fieldsfile._OPTIONS, "rules"}
    assert options["type"].replace(" (default)", "").split(", ") == [*TYPES]


def test_readme_names_every_group_of_metadata() -> None:
    """And the columns that each has, if it is not all that have its name."""
    section = README.split("### Columns\n")[1].split("\n| column |")[0]
    assert {*re.findall(r"`(\w+)`\s\(", section)} == {*GROUPS}


def test_readme_lists_every_stat_of_ours() -> None:
    """Each name that the code gives to a stat; Scrapy's own are Scrapy's business."""
    found = set()
    for path in (ROOT / "urlcrawler").rglob("*.py"):
        calls = r"(?:inc|set|max|min)_value\(\s*f?\"(.+?)\"[,)]"
        found |= {*re.findall(calls, path.read_text(encoding="utf-8"))}
    ours = {re.sub(r"\{.*?\}", "*", name) for name in found}
    ours = {name for name in ours if not name.startswith(("feedexport/", "robotstxt/"))}
    listed = {re.sub("<.*?>", "*", code(name)) for name, _ in table("Stats")}
    for name in [name for name in ours if name.endswith("/*")]:
        ours |= {other for other in listed if other.startswith(name[:-1])}
        ours -= {name} - listed
    assert listed == ours


def test_readme_lists_every_setting_of_ours() -> None:
    """A setting that Scrapy does not know is documented, with its default."""
    from scrapy.settings import default_settings

    ours = {
        name: json.dumps(value) if isinstance(value, str) else repr(value)
        for name, value in vars(settings).items()
        if name.isupper() and not hasattr(default_settings, name)
    }
    assert {code(name): code(default) for name, default, _ in table("Settings")} == ours


def test_readme_lists_every_command_of_ours() -> None:
    """With what `scrapy` says of it."""
    from urlcrawler import commands

    names = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    names -= {"beforecrawl", "interrupts", "telling", "withoutlist"}  # what commands have in common
    listed = {code(name).removeprefix("scrapy "): meaning for name, meaning in table("Commands")}
    assert set(listed) == names
    for name in names - {"crawl"}:
        module = importlib.import_module(f"urlcrawler.commands.{name}")
        assert module.Command().short_desc() == listed[name]


def test_readme_configures_what_scrapyd_knows() -> None:
    """Each option is one of scrapyd's own, and of its kind; what is dangerous is not left out."""
    from configparser import ConfigParser
    from importlib.resources import files

    from jobs import documented_options

    known = ConfigParser()
    known.read_string(files("scrapyd").joinpath("default_scrapyd.conf").read_text())
    options = documented_options()
    for name, value in options.items():
        default = known["scrapyd"][name]  # KeyError: there is no such option
        assert value.isdecimal() == bool(re.fullmatch(r"\d+(\.\d+)?", default)), name
    assert options["bind_address"] == "127.0.0.1"
    assert options["username"]
    assert options["password"]
    assert int(options["jobs_to_keep"]) >= 1000
    assert options["jobs_dir"] == ""


def test_the_example_of_readme_is_that_of_the_base_class() -> None:
    """The spider in README is the one that the recipe shows, and a test runs that one."""
    from urlcrawler.spiders.base import UrlListSpider

    recipe = " ".join((UrlListSpider.__doc__ or "").split())
    example = README.split("```python\nfrom urlcrawler.spiders.base")[1].split("```")[0]
    assert " ".join(example.split("UrlListSpider\n", 1)[1].split()) in recipe


def test_every_setting_says_why() -> None:
    """Each setting has its reason beside it or above it."""
    source = (ROOT / "urlcrawler/settings.py").read_text(encoding="utf-8").splitlines()
    silent = [
        line
        for above, line in pairwise(source)
        if re.match(r"[A-Z_]+(: .*)? = [^{\[]", line) and "#" not in line + above
    ]
    assert silent == []
