"""Downloader middlewares: each handles one request or response at a time."""
