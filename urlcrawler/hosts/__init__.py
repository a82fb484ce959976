"""Hosts: whose turn it is, and how much each of them is given. Runs without Scrapy."""
