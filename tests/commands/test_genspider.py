"""`scrapy genspider`: a spider of lists and its test, from a template."""

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import ENVIRONMENT
from scrapy.cmdline import execute
from scrapy.settings import Settings

ROOT = Path(__file__).parents[2]
Genspider = Callable[..., int]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of somebody's own that is built on this one; its package is called mine."""
    (tmp_path / "mine/spiders").mkdir(parents=True)
    (tmp_path / "mine/spiders/__init__.py").touch()
    (tmp_path / "mine/spiders/helpers.py").write_text("kept = 1\n")
    (tmp_path / "scrapy.cfg").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def genspider(project: Path, monkeypatch: pytest.MonkeyPatch) -> Genspider:
    """Run the command in this process; return its exit code."""

    def run(*words: str, module: str = "mine.spiders") -> int:
        for name in [name for name in sys.modules if name.split(".")[0] == "mine"]:
            monkeypatch.delitem(sys.modules, name)
        settings = Settings()
        settings.setmodule("urlcrawler.settings", priority="project")
        spiders = {"NEWSPIDER_MODULE": module, "SPIDER_MODULES": [module]}
        settings.setdict(spiders, priority="project")
        with pytest.raises(SystemExit) as ended:
            execute(["scrapy", "genspider", *words], settings)
        return int(ended.value.code or 0)

    return run


def test_a_generated_spider_passes_its_generated_test(tmp_path: Path) -> None:
    """In a copy of the repository, as a user has it: the test, the linter and `scrapy list`."""
    for name in ("urlcrawler", "scrapy.cfg", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environment.pop("SCRAPY_SETTINGS_MODULE", None)

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    scrapy = ("-W", "error", "-m", "scrapy")
    made = run(*scrapy, "genspider", "-t", "urllist", "shop", "shop.example/kettle")
    assert made.splitlines() == [
        "Created spider 'shop' using template 'urllist':",
        "  urlcrawler/spiders/shop.py",
        "  tests/spiders/test_shop.py",
        "  tests/spiders/shop.html",
        "Test it: pytest tests/spiders/test_shop.py",
    ]
    assert "1 passed" in run("-m", "pytest", "-W", "error", "tests/spiders/test_shop.py")
    assert run(*scrapy, "list").split() == ["shop", "urls"]
    run("-m", "ruff", "check", "urlcrawler/spiders/shop.py")
    run("-m", "ruff", "format", "--check", "urlcrawler/spiders/shop.py", "tests")


def test_the_templates_of_scrapy_are_there_too(
    genspider: Genspider, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list has them all, and `basic` is what it always was."""
    assert genspider("--list") == 0
    listed = capsys.readouterr().out.split()
    assert {"basic", "crawl", "csvfeed", "xmlfeed", "urllist"} <= {*listed}
    assert genspider("plain", "shop.example") == 0
    assert "scrapy.Spider" in (project / "mine/spiders/plain.py").read_text()


def test_dump_prints_the_template(genspider: Genspider, capsys: pytest.CaptureFixture[str]) -> None:
    """Ours, and those of Scrapy."""
    assert genspider("--dump", "urllist") == 0
    assert "class ${classname}(UrlListSpider):" in capsys.readouterr().out
    assert genspider("--dump", "crawl") == 0
    assert "CrawlSpider" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["shop", "b.example"], "there is a spider 'shop' already, in mine/spiders/shop.py. Type"),
        (["helpers", "x.example"], "mine/spiders/helpers.py is there already, and holds no spider"),
        (["helpers", "x.example", "--force"], "holds no spider 'helpers'. Choose another name"),
        (["helpers", "x.example", "--force", "-t", "basic"], "holds no spider 'helpers'"),
        (["my/shop", "x.example"], "name: must be of letters, digits, - and _"),
        (["class", "x.example"], "name: must be of letters"),
        (["", "x.example"], "name: must be of letters"),
        (["urlcrawler", "x.example"], "name: 'urlcrawler' is the project's"),
        (["other", "not a host"], "site: not a host name: 'not a host'"),
        (["tested", "x.example"], "test_tested.py is there already. Type --force to write"),
    ],
)
def test_nothing_is_written_over(
    genspider: Genspider,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    """What cannot be made is one sentence and exit code 1, and changes no file."""
    assert genspider("-t", "urllist", "shop", "shop.example") == 0
    (project / "tests/spiders/test_tested.py").write_text("by hand\n")
    before = {path: path.read_bytes() for path in project.rglob("*.*")}
    assert genspider("-t", "urllist", *words) == 1
    said = capsys.readouterr().err
    assert said.startswith("scrapy genspider: ")
    assert sentence in said
    after = {path: path.read_bytes() for path in project.rglob("*.*")}
    assert {path for path in after if "__pycache__" not in str(path)} <= before.keys()
    assert all(after[path] == body for path, body in before.items())


def test_force_writes_the_spider_anew(genspider: Genspider, project: Path) -> None:
    """And its test with it."""
    spider = project / "mine/spiders/shop.py"
    assert genspider("-t", "urllist", "shop", "old.example") == 0
    assert genspider("-t", "urllist", "shop", "new.example", "--force") == 0
    assert "old.example" not in spider.read_text()
    assert "new.example" in (project / "tests/spiders/test_shop.py").read_text()


def test_a_site_is_text_and_never_code(genspider: Genspider, project: Path) -> None:
    """Quotes and backslashes of a URL stay inside of its string."""
    site = 'x.example/"""\'\\n");import os'
    assert genspider("-t", "urllist", "shop", site) == 0
    for path in ("mine/spiders/shop.py", "tests/spiders/test_shop.py"):
        tree = ast.parse((project / path).read_text())
        imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
        assert imported == []


def test_edit_opens_the_editor(
    genspider: Genspider, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """On the spider; the exit code is the editor's."""
    assert genspider("-t", "urllist", "-e", "shop", "shop.example", "-s", "EDITOR=cat") == 0
    assert "class ShopSpider(UrlListSpider):" in capfd.readouterr().out


def test_an_installed_package_is_left_alone(
    genspider: Genspider, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spiders outside of the folder of scrapy.cfg are somebody else's."""
    assert genspider("-t", "urllist", "shop", "x.example", module="urlcrawler.spiders") == 1
    assert f"which is not below {project}. Run it in" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(
    genspider: Genspider, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, with the system's reason."""
    (project / "tests").mkdir(mode=0o500)
    assert genspider("-t", "urllist", "shop", "x.example") == 1
    assert "Permission denied" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_leaves_nothing_in_the_way(
    genspider: Genspider, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither half a spider nor its test; the next try has all of them."""
    (project / "tests/spiders").mkdir(parents=True)
    spider, test = project / "mine/spiders/shop.py", project / "tests/spiders/test_shop.py"
    test.symlink_to("/dev/full")
    assert genspider("-t", "urllist", "shop", "x.example", "--force") == 1
    assert "No space left on device" in capsys.readouterr().err
    assert not spider.exists()
    assert not (project / "tests/spiders/shop.html").exists()
    test.unlink()
    assert genspider("-t", "urllist", "shop", "x.example") == 0


def test_a_file_in_the_place_of_a_folder_is_named(
    genspider: Genspider, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, with the system's reason."""
    (project / "tests").touch()
    assert genspider("-t", "urllist", "shop", "x.example") == 1
    assert "scrapy genspider: cannot write " in capsys.readouterr().err


def test_the_templates_are_read_from_a_zipped_package(tmp_path: Path) -> None:
    """As scrapyd has it: an egg is one file."""
    egg = tmp_path / "urlcrawler.egg"
    with zipfile.ZipFile(egg, "w") as archive:
        for path in (ROOT / "urlcrawler").rglob("*.*"):
            if "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(ROOT))
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "genspider", "--dump", "urllist"],
        cwd=tmp_path,
        env={
            **ENVIRONMENT,
            "PYTHONPATH": str(egg),
            "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "class ${classname}(UrlListSpider):" in done.stdout, done.stderr
