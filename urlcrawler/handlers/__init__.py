"""Download handlers: Scrapy's own, which look where a connection goes before they open it."""
