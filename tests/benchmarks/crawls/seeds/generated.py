"""The spider that somebody adds to what `scrapy startproject` has generated."""

import scrapy

FIELDS = ["name", "price", "sku", "brand", "stock"]


class ListSpider(scrapy.Spider):
    name = "list"

    async def start(self):
        with open(self.file) as lines:
            for url in map(str.strip, lines):
                yield scrapy.Request(url, errback=self.failed)

    def parse(self, response):
        row = {field: response.css(f".{field}::text").get() for field in FIELDS}
        yield {"url": response.url, "status": response.status, **row}

    def failed(self, failure):
        yield {"url": failure.request.url, "status": failure.type.__name__}
