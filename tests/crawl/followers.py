"""Spiders that look at more than the page of their record, each in a way of its own."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import CloseSpider
from scrapy.http import TextResponse
from twisted.python.failure import Failure

from urlcrawler.items import Page
from urlcrawler.spiders.base import UrlListSpider

STOCK = "/page/stock?size=1000"  # the same URL for all of a host


@dataclass
class Review:
    """An item of another class: it has a feed of its own."""

    url: str
    stars: int


class _Follower(UrlListSpider):
    columns: ClassVar[dict[str, str]] = {"stock": "int", "sku": "str"}
    stock_url = STOCK

    def to_stock(self, response: TextResponse, page: Page, **more: Any) -> Request:
        cb_kwargs = {"page": page}
        return response.follow(self.stock_url, self.parse_stock, cb_kwargs=cb_kwargs, **more)

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        yield self.to_stock(response, page)

    def parse_stock(self, response: TextResponse, page: Page) -> Any:
        page.fields["stock"] = int(response.css(".stock::text").get(""))


class Follows(_Follower):
    name = "follows"


class FollowsTwice(_Follower):
    """Two requests of the page, and a third one of the first of these."""

    name = "follows_twice"

    async def parse_page(
        self, response: TextResponse, page: Page, *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        yield self.to_stock(response, page)
        yield response.follow("/page/sku", self.parse_sku, cb_kwargs={"page": page})

    def parse_sku(self, response: TextResponse, page: Page) -> Iterator[Request]:
        yield response.follow("/page/more?size=300", self.parse_more, cb_kwargs={"page": page})

    async def parse_more(self, response: TextResponse, page: Page) -> None:
        page.fields["sku"] = response.css(".sku::text").get()


class FollowsTo(_Follower):
    """Follows to where the test says."""

    name = "follows_to"
    arguments: ClassVar[dict[str, str]] = {"stock_url": "where the stock stands"}


class HearsFailures(FollowsTo):
    name = "hears_failures"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        yield self.to_stock(response, page, errback=self.no_stock)

    def no_stock(self, failure: Failure) -> None:
        page = failure.request.cb_kwargs["page"]  # type: ignore[attr-defined]
        page.fields["sku"] = type(failure.value).__name__


class RaisesLater(_Follower):
    name = "raises_later"

    def parse_stock(self, response: TextResponse, page: Page) -> None:
        raise ValueError("no stock here")


class HandsOnMeta(_Follower):
    name = "hands_on_meta"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        yield self.to_stock(response, page, meta=response.meta)


class AsksAgain(_Follower):
    """Is content with the third answer."""

    name = "asks_again"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        if response.meta.get("retry_times", 0) < 2:
            yield self.to_stock(response, page)  # of no use: this page is thrown away
            yield get_retry_request(response.request, spider=self, reason="too early")
        else:
            page.fields["sku"] = "third"


class NamesNoCallback(_Follower):
    name = "names_no_callback"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        yield response.follow("/page/next")


class Misspells(_Follower):
    name = "misspells"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        page.fields["stok"] = 1


class BadColumn(_Follower):
    name = "bad_column"
    columns: ClassVar[dict[str, str]] = {"status": "int"}


class BadType(_Follower):
    name = "bad_type"
    columns: ClassVar[dict[str, str]] = {"stock": "integer"}


class Reviews(_Follower):
    """Yields items for a feed of their own, which the project names, or the test."""

    name = "reviews"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        for stars in response.css(".stars::text").getall()[:3]:
            yield Review(response.url, int(stars))


class ReviewsOfItsOwn(Reviews):
    name = "reviews_of_its_own"
    custom_settings: ClassVar[dict[str, Any]] = {
        "FEEDS": {"reviews.jsonl": {"format": "jsonlines", "item_classes": [Review]}}
    }


class DropsRequests:
    """A spider middleware that lets no request pass."""

    async def process_spider_output_async(
        self, response: TextResponse, result: AsyncIterator[Any]
    ) -> AsyncIterator[Any]:
        async for each in result:
            if not isinstance(each, Request):
                yield each

    def process_spider_output(self, response: TextResponse, result: Any) -> Any:
        return (each for each in result if not isinstance(each, Request))


class RetriesLater(_Follower):
    """Asks for what it follows again, and again in another way."""

    name = "retries_later"

    def parse_stock(self, response: TextResponse, page: Page) -> Any:
        if "again" in response.url:
            page.fields["stock"] = 1
        elif response.meta.get("retry_times", 0) < 1:
            yield get_retry_request(response.request, spider=self, reason="too early")
        else:
            yield response.request.replace(url=response.url + "&again=1")


class FollowsTheSameTwice(_Follower):
    """Yields one request object two times."""

    name = "follows_the_same_twice"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        request = self.to_stock(response, page)
        yield request
        yield request


class ClosesLater(_Follower):
    """Wants the crawl to end when it sees what it has followed."""

    name = "closes_later"

    def parse_stock(self, response: TextResponse, page: Page) -> None:
        super().parse_stock(response, page)
        raise CloseSpider("enough")


class ReturnsOne(_Follower):
    """Returns an item instead of yielding it."""

    name = "returns_one"

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        return Review(response.url, 5)


@dataclass
class Leaflet:
    """Files that Scrapy's FilesPipeline is to save."""

    file_urls: list[str]
    files: list[dict[str, str]] = field(default_factory=list)


class SavesFiles(UrlListSpider):
    """Each page has ten files."""

    name = "saves_files"
    custom_settings: ClassVar[dict[str, Any]] = {
        "ITEM_PIPELINES": {"scrapy.pipelines.files.FilesPipeline": 1},
        "FILES_STORE": "files",
        "FEEDS": {"leaflets.jsonl": {"format": "jsonlines", "item_classes": [Leaflet]}},
    }

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        yield Leaflet([response.urljoin(f"/file/{page.position}/{n}") for n in range(10)])


class Waits(UrlListSpider):
    """Downloads something else of the host before it says anything of a page."""

    name = "waits"
    columns: ClassVar[dict[str, str]] = {"extra": "int"}

    async def parse_page(
        self, response: TextResponse, page: Page, *args: Any, **kwargs: Any
    ) -> None:
        engine: Any = self.crawler.engine
        extra = await engine.download_async(Request(response.urljoin(f"/extra/{page.position}")))
        page.fields["extra"] = extra.status


class WrongTypes(UrlListSpider):
    """Puts words where numbers belong, and a number where words do."""

    name = "wrong_types"
    columns: ClassVar[dict[str, str]] = {"stock": "int"}

    def parse_page(self, response: TextResponse, page: Page, *args: Any, **kwargs: Any) -> Any:
        page.fields["stock"] = "many"
        page.title = 7  # type: ignore[assignment]
