"""Crawl a list of URLs into one clean table: one row per record, whatever happens."""
