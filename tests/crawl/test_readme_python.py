"""The Python that README shows for crawls, run as it stands there."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from crawling import ENVIRONMENT, RESOLVER, SiteProcess

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.split("\n## From Python\n")[1].split("\n## ")[0]
FUNCTION, SCRIPT = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
# A cell of a notebook: its code may await, as a loop that runs already has it.
NOTEBOOK = """
import ast, asyncio, types

async def cell():
    code = compile({code!r}, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names = {{"asyncio": asyncio}}
    result = types.FunctionType(code, names)()
    if asyncio.iscoroutine(result):
        await result
    print(names["table"].outcome.tolist())

asyncio.run(cell())
"""


@pytest.fixture
def environment(tmp_path: Path, site: SiteProcess) -> dict[str, str]:
    """Settings for the local site, a list and a fields file in the current folder."""
    name, _, value = RESOLVER.partition("=")
    (tmp_path / "mine.py").write_text(f"from loopback import *\n{name} = {value!r}\n")
    (tmp_path / "fields.yaml").write_text("price: {css: .price, type: price}\n")
    (tmp_path / "urls.txt").write_text(site.url("/page/1") + "\n")
    path = f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}"
    return {**ENVIRONMENT, "SCRAPY_SETTINGS_MODULE": "mine", "PYTHONPATH": path}


def run(folder: Path, environment: dict[str, str], code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_script_of_readme_has_its_table(tmp_path: Path, environment: dict[str, str]) -> None:
    """With what it was asked for."""
    done = run(tmp_path, environment, SCRIPT + "print(table.outcome[0], table.price[0])")
    assert re.fullmatch(r"ok \d+\.\d+\n", done.stdout), done.stderr


def test_a_script_whose_list_is_missing_ends(tmp_path: Path, environment: dict[str, str]) -> None:
    """With the sentence as its last line, and not with a hang or an empty table."""
    (tmp_path / "urls.txt").unlink()
    done = run(tmp_path, environment, SCRIPT)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("urlcrawler.exceptions.ListError: argument `file`: no such file: 'urls")
    assert done.returncode == 1


@pytest.mark.parametrize(
    "code",
    [
        FUNCTION,
        pytest.param(
            FUNCTION.replace("urlcrawler.crawl(", "await asyncio.to_thread(urlcrawler.crawl, "),
            marks=pytest.mark.long,
        ),
    ],
)
def test_the_function_of_readme_works_in_a_notebook(
    tmp_path: Path, environment: dict[str, str], site: SiteProcess, code: str
) -> None:
    """Where a loop runs already."""
    local = code.replace("https://shop.example/kettle", site.url("/page/1"))
    local = local.replace("https://shop.example/pot", site.url("/page/2"))
    assert local.count(site.url("/page")) == 2
    ast.parse(local)
    done = run(tmp_path, environment, NOTEBOOK.format(code=local))
    assert done.stdout == "['ok', 'ok']\n", done.stderr
