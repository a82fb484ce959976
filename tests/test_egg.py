"""The egg that scrapyd-deploy builds, used as scrapyd uses it: zipped."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from crawling import Server, read_table, site_of
from jobs import ENVIRONMENT, clone, tracked_files


@pytest.fixture(scope="module")
def egg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in a clean clone."""
    checkout, built = clone(tmp_path_factory.mktemp("clone")), Path("of the clone.egg")
    command = [sys.executable, "-m", "scrapyd_client.deploy", "--build-egg", str(built)]
    done = subprocess.run(command, cwd=checkout, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return checkout / built


def run(egg: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Scrapy in *folder* with nothing of the project but the egg."""
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import urlcrawler;"
        "assert '.egg' in urlcrawler.__file__, urlcrawler.__file__;"
        "from scrapy.cmdline import execute; execute(['scrapy', *sys.argv[1:]])"
    )
    # Processes that a command starts find it too.
    environment = {**ENVIRONMENT, "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
                   "PYTHONPATH": str(egg)}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", code, str(egg), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_egg_has_every_file_of_the_package(egg: Path) -> None:
    """Modules, templates, styles, scripts: what is tracked below urlcrawler/ is in it."""
    tracked = {name for name in tracked_files() if name.startswith("urlcrawler/")}
    names = {name for name in zipfile.ZipFile(egg).namelist() if name.startswith("urlcrawler/")}
    assert {os.path.splitext(name)[1] for name in tracked} >= {".py", ".css", ".js", ".jinja"}
    assert {name for name in names if "__pycache__" not in name} == tracked
    assert (
        "settings = urlcrawler.settings"
        in zipfile.ZipFile(egg).read("EGG-INFO/entry_points.txt").decode()
    )


def test_a_crawl_and_its_report_work_from_the_zipped_egg(egg: Path, tmp_path: Path) -> None:
    """Nothing of it is looked for as a file."""
    (tmp_path / "fields.yaml").write_text("name: title\n")
    with site_of(Server().routes) as site:
        urls = " ".join(f"http://127.0.0.1:{site.port}/{n}" for n in range(3))
        arguments = ("-a", f"urls={urls}", "-a", "fields=fields.yaml", "-o", "urls.csv")
        setting = ("-s", "ALLOW_PRIVATE_ADDRESSES=1")
        crawled = run(egg, tmp_path, "crawl", "urls", *arguments, *setting)
    assert crawled.returncode == 0, crawled.stderr
    assert [row["name"] for row in read_table(tmp_path / "urls.csv")] == ["A page"] * 3
    reported = run(egg, tmp_path, "report", "urls.csv", "--html", "report.html")
    assert reported.returncode == 0, reported.stderr
    assert "<style>" in (tmp_path / "report.html").read_text()


@pytest.mark.long
def test_the_demo_works_from_the_zipped_egg(egg: Path, tmp_path: Path) -> None:
    """Its site is a process of its own."""
    shown = run(egg, tmp_path, "demo")
    assert shown.returncode == 0, shown.stderr
    assert read_table(tmp_path / "data/results/demo.csv")
