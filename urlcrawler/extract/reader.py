"""Each page is read once, whoever is the first to ask what it says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from scrapy.http import Response

from urlcrawler.extract.document import Document
from urlcrawler.extract.extraction import Extracted, Extractor
from urlcrawler.extract.parsing import Parser, TooComplexError, select
from urlcrawler.extract.scripted import has_script, why_render


class Reader:
    """Reads pages for a spider, and for whoever decides on a browser before it.

    Attributes:
        parser: what parses them, small ones at once and large ones in a thread.
    """

    def __init__(self, extractor: Extractor, parser: Parser, *, selects: bool) -> None:
        """Read nothing yet.

        Args:
            selects: whether the spider has selectors of its own, which must answer at once.
        """
        self.parser = parser
        self._extractor = extractor
        self._selects = selects
        self._kept: WeakKeyDictionary[Response, Extracted | TooComplexError] = WeakKeyDictionary()

    @asynccontextmanager
    async def read(self, response: Response) -> AsyncIterator[Extracted]:
        """Give what *response* says. Its selectors answer at once while the block runs.

        Raises:
            TooComplexError: it cannot be parsed in the time or memory that a page may have.
        """
        kept = self._kept.pop(response, None)
        if isinstance(kept, TooComplexError):
            raise kept
        if kept is None:
            async with self.parser.parsed(response, self._extractor) as extracted:
                yield extracted
        elif self._selects:
            async with self.parser.parsed(response, select):
                yield kept
        else:
            yield kept

    async def why_render(self, response: Response, *, is_rendered: bool = False) -> str | None:
        """Return why a browser is to look at *response*, in a few words; None when it need not.

        What it says is kept for `read`, unless another response is to come in its place.

        Args:
            is_rendered: whether the browser has done that already.
        """

        def look(response: Response) -> tuple[str | None, Extracted | None]:
            document, fields = Document(response), self._extractor.fields
            why = found = None
            if has_script(document):
                found = fields.of(document)
                missing = [name for name, count in found.matches.items() if not count]
                why = why_render(document, missing if found.matches else None)
            if why and not is_rendered:
                return why, None
            return why, self._extractor.extracted(document, found)

        try:
            async with self.parser.parsed(response, look) as (why, extracted):
                if extracted:
                    self._kept[response] = extracted
                return why
        except TooComplexError as problem:
            self._kept[response] = problem
        except Exception:  # a page that no test has thought of: `read` says so, in its row
            self._kept.pop(response, None)
        return None
