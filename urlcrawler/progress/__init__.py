"""How far a crawl is: what is known of it, in words, and on a terminal.

`standing` and `words` are plain; `watcher` looks at a crawl; `display` is imported on a terminal,
and nowhere else.
"""
