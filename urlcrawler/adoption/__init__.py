"""Rows that a script has written, taken over into the table of a crawl. For `scrapy adopt`."""
