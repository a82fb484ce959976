"""Pages that need JavaScript: the browser, a tab in it, and what a tab may fetch.

`browsers`, `running` and `tab` are imported when the first page needs them: playwright takes long
to import. `choice`, `found` and `gate` do without it.
"""
