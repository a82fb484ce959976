"""Spiders. `urls.py` is the file to imitate, `base.py` explains how."""
