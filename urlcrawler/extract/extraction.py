"""Everything that is taken out of a page: a Response in, values out, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scrapy.http import Response

from urlcrawler.extract.document import Document
from urlcrawler.extract.fields import Fields, Found
from urlcrawler.extract.fieldsfile import read_fields
from urlcrawler.extract.metadata import metadata


def extractor_of(recipe: Mapping[str, Any]) -> "Extractor":
    """Return the extractor that another process has described as its `recipe`."""
    fields = read_fields(recipe["path"]) if recipe["path"] else None
    return Extractor(frozenset(recipe["groups"]), fields, frozenset(recipe["json_ld"]))


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
    """Takes metadata and fields out of pages. The same page gives the same values.

    Attributes:
        recipe: what it was made of, as JSON can hold it.
    """

    def __init__(
        self,
        groups: frozenset[str],
        fields: Fields | None = None,
        json_ld: frozenset[str] = frozenset(),
        path: str | None = None,
    ) -> None:
        """Take what is wanted.

        Args:
            groups: of metadata, by name.
            fields: of the fields file.
            json_ld: types (`Product`) of the objects of JSON-LD; empty for all.
            path: of the fields file, for another process that is to extract the same.
        """
        self.recipe = {"groups": sorted(groups), "json_ld": sorted(json_ld), "path": path}
        self._groups = groups
        self._types = frozenset(map(_type_name, json_ld))
        self.fields = fields or Fields(())

    def __call__(self, response: Response) -> Extracted:
        """Return what is in *response*."""
        return self.extracted(Document(response))

    def extracted(self, document: Document, found: Found | None = None) -> Extracted:
        """Return what is in *document*; what has been *found* there is not looked for again."""
        said = metadata(document, self._groups)
        if self._types and "json_ld" in said:
            said["json_ld"] = [thing for thing in said["json_ld"] if self._is_wanted(thing)] or None
        return Extracted(said, found or self.fields.of(document))

    def _is_wanted(self, thing: dict[str, Any]) -> bool:
        types = thing.get("@type")
        names = types if isinstance(types, list) else [types]
        return any(isinstance(name, str) and _type_name(name) in self._types for name in names)


def _type_name(name: str) -> str:
    """Return `product` for Product, schema:Product and https://schema.org/Product."""
    return re.split("[/#:]", name.strip())[-1].lower()
