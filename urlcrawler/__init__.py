"""Crawl a list of URLs into one clean table: one row per record, whatever happens."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urlcrawler.crawling import crawl
    from urlcrawler.results import read_results

__all__ = ["crawl", "read_results"]


def __getattr__(name: str) -> Any:
    """Import pandas only for those who read a table; a crawl starts half a second sooner."""
    if name == "crawl":
        from urlcrawler.crawling import crawl

        return crawl
    if name == "read_results":
        from urlcrawler.results import read_results

        return read_results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
