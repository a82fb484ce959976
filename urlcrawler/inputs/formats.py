"""Which reader reads which list."""

from typing import IO

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.delimited import DelimitedReader, sniff_header
from urlcrawler.inputs.parquet import as_json_lines
from urlcrawler.inputs.readers import JsonLinesReader, Reader, TextReader
from urlcrawler.inputs.sources import Source, skip_bom, text_of


def open_reader(source: Source, column: str | None) -> Reader:
    """Return the reader for *source*: by its suffix, else by its first line.

    Raises:
        ListError: the format is known and not read, or *column* is not there.
    """
    match source.suffix:
        case ".parquet":
            source.convert(as_json_lines)
            return JsonLinesReader(source, column)
        case ".jsonl" | ".ndjson" | ".jl":
            return JsonLinesReader(source, column)
        case ".csv" | ".tsv" | ".tab":
            return DelimitedReader(source, column)
        case ".xml":
            return _sitemap(source, column)
        case ".json" | ".html" | ".xlsx" | ".xls" | ".pdf":
            raise ListError(
                f"argument `file`: {source.label!r}: {source.suffix} lists are not read. Use a "
                "text file with one URL a line, CSV, TSV, JSON Lines, Parquet or a sitemap"
            )
        case ".txt" | ".list" | ".urls":
            if column is not None:
                raise ListError(
                    f"argument `column`: {source.label!r} is a text file and has no columns. "
                    "Leave the argument out, or name the list .csv or .jsonl"
                )
            return TextReader(source)
    first = _first_line(source.file)
    if first.startswith(("<?xml", "<urlset", "<sitemapindex")):
        return _sitemap(source, column)
    if first.startswith("{"):
        return JsonLinesReader(source, column)
    if column is not None or sniff_header(first):
        return DelimitedReader(source, column)
    return TextReader(source)


def _sitemap(source: Source, column: str | None) -> Reader:
    if column is not None:
        raise ListError(
            f"argument `column`: {source.label!r} is a sitemap, whose URLs stand in <loc>. Leave "
            "the argument out"
        )
    from urlcrawler.inputs import sitemaps  # lxml and an HTTP client, for these only

    source.convert(sitemaps.as_json_lines)
    return JsonLinesReader(source, "url")


def _first_line(file: IO[bytes]) -> str:
    skip_bom(file)
    line = text_of(file.readline(1 << 16)).strip()
    file.seek(0)
    return line
