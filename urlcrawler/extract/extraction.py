"""Everything that is taken out of a page: a Response in, values out, and nothing else."""

from dataclasses import dataclass, field
from typing import Any

from scrapy.http import Response

from urlcrawler.extract.document import Document
from urlcrawler.extract.fields import Fields, Found
from urlcrawler.extract.metadata import metadata


@dataclass(slots=True)
class Extracted:
    """What a page says.

    Attributes:
        metadata: by column, without those that it says nothing about.
        found: what it has of the fields.
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    found: Found = field(default_factory=Found)


class Extractor:
    """Takes metadata and fields out of pages. The same page gives the same values."""

    def __init__(self, groups: frozenset[str], fields: Fields | None = None) -> None:
        """Take the names of the groups of metadata that are wanted, and the fields."""
        self._groups = groups
        self.fields = fields or Fields(())

    def __call__(self, response: Response) -> Extracted:
        """Return what is in *response*."""
        document = Document(response)
        return Extracted(metadata(document, self._groups), self.fields.of(document))
