"""`scrapy genspider`, with a template for spiders of lists and their tests."""

import argparse
import sys
from importlib import import_module
from importlib.resources import files
from keyword import iskeyword
from pathlib import Path
from string import Template

from scrapy.commands.edit import Command as ScrapyEdit
from scrapy.commands.genspider import Command as ScrapyGenspider
from scrapy.commands.genspider import extract_domain, sanitize_module_name, verify_url_scheme
from scrapy.exceptions import UsageError
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.conf import closest_scrapy_cfg

from urlcrawler.exceptions import ArgumentError, InvalidUrl
from urlcrawler.inputs.urls import parse_target

_TEMPLATE = "urllist"  # and what stands beside it: its test, and the page for that
_TESTS = Path("tests/spiders")  # below the folder of scrapy.cfg


class Command(ScrapyGenspider):
    """Write a spider from a template: `urllist` is one of lists, the others are Scrapy's.

    Scrapy looks for templates in one folder only (TEMPLATES_DIR), and copies files; those of this
    package may be in a zip archive.
    """

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Write, list or print."""
        if opts.list:
            super().run(args, opts)
            print(f"  {_TEMPLATE} (a spider of lists, with a test)")
        elif opts.dump == _TEMPLATE:
            print(_text(_TEMPLATE), end="")
        elif opts.dump:
            super().run(args, opts)
        elif len(args) != 2:
            raise UsageError(
                "name a spider and a site: scrapy genspider -t urllist shop shop.example"
            )
        else:
            try:
                self._write(args[0], args[1], opts)
            except ArgumentError as error:
                self.exitcode = 1
                print(f"scrapy genspider: {error}", file=sys.stderr)
            except OSError as error:
                self.exitcode = 1
                why = f"cannot write {error.filename}: {error.strerror}"
                print(f"scrapy genspider: {why}", file=sys.stderr)

    def _write(self, name: str, site: str, opts: argparse.Namespace) -> None:
        module = sanitize_module_name(name) if name else ""
        if not module.isidentifier() or iskeyword(module):
            raise ArgumentError(
                f"name: must be of letters, digits, - and _, and no word of Python: {name!r}"
            )
        spiders = self._folder()
        path = spiders / f"{module}.py"
        self._check(name, path, force=opts.force)
        if opts.template != _TEMPLATE:
            super().run([name, site], opts)
            return
        try:
            url = parse_target(verify_url_scheme(site)).url
        except InvalidUrl as error:
            raise ArgumentError(f"site: {error}") from error
        page = f"{module}.html"
        tests = Path(closest_scrapy_cfg()).parent / _TESTS
        values = {
            "name": name,
            "module": module,
            "classname": "".join(word.capitalize() for word in module.split("_")) + "Spider",
            "domain": extract_domain(url),
            "url": url,
            "page": page,
            "spiders": self._newspider_module,
        }
        written = {
            tests / page: f"{_TEMPLATE}_page",
            tests / f"test_{module}.py": f"{_TEMPLATE}_test",
            path: _TEMPLATE,
        }
        for file in written:
            if file.exists() and not opts.force:
                raise ArgumentError(f"{file} is there already. Type --force to write it anew")
        tests.mkdir(parents=True, exist_ok=True)
        texts = {file: Template(_text(name)).substitute(values) for file, name in written.items()}
        new = [file for file in written if not file.exists()]
        try:
            for file, text in texts.items():
                file.write_text(text, encoding="utf-8")
        except OSError:
            for file in new:  # half a spider would be in the way of the next try
                file.unlink(missing_ok=True)
            raise
        print(f"Created spider {name!r} using template {_TEMPLATE!r}:")
        print("".join(f"  {_shown(file)}\n" for file in reversed(written)), end="")
        print(f"Test it: pytest {_shown(tests / f'test_{module}.py')}")
        if opts.edit:
            edit = ScrapyEdit()
            edit.settings = self.settings
            edit.run([name], opts)
            self.exitcode = edit.exitcode

    def _folder(self) -> Path:
        """Return the folder of the spiders.

        Raises:
            ArgumentError: it is none that a spider belongs into.
        """
        assert self.settings is not None  # noqa: S101 - set by scrapy.cmdline
        self._newspider_module = str(self.settings["NEWSPIDER_MODULE"])
        try:
            module = import_module(self._newspider_module)
        except ImportError as error:
            raise ArgumentError(f"setting NEWSPIDER_MODULE: {error}") from error
        folder = Path(str(module.__file__)).parent.resolve()
        project = closest_scrapy_cfg()
        if not project or not folder.is_relative_to(Path(project).parent.resolve()):
            raise ArgumentError(
                f"the spiders of this project are in {folder}, which is not below "
                f"{Path(project).parent if project else 'a folder with a scrapy.cfg'}. Run it in a "
                "copy of the repository that is installed with pip install -e ."
            )
        return folder

    def _check(self, name: str, path: Path, *, force: bool) -> None:
        """See that nothing is lost, not even with --force.

        Raises:
            ArgumentError: there is such a spider, or a file of that name that holds none.
        """
        assert self.settings is not None  # noqa: S101 - set by scrapy.cmdline
        if name == self.settings["BOT_NAME"]:
            raise ArgumentError(f"name: {name!r} is the project's. Choose another name")
        loader = get_spider_loader(self.settings)
        try:
            found = sys.modules[loader.load(name).__module__].__file__
        except KeyError:
            if path.exists():
                raise ArgumentError(
                    f"{_shown(path)} is there already, and holds no spider {name!r}. Choose "
                    "another name"
                ) from None
            return
        same = found is not None and path.exists() and path.samefile(found)
        if not (force and same):
            hint = "Type --force to write it anew" if same else "Choose another name"
            raise ArgumentError(f"there is a spider {name!r} already, in {_shown(found)}. {hint}")


def _text(template: str) -> str:
    return (files("urlcrawler") / "templates" / f"{template}.tmpl").read_text(encoding="utf-8")


def _shown(path: Path | str | None) -> Path:
    """Return *path* as it is seen from here."""
    full = Path(str(path)).resolve()
    return full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full
