"""Crawls on a server with scrapyd, for `scrapy submit`: what it is asked, and what comes back."""
