"""Pages that need JavaScript: the browser, a tab in it, and what a tab may fetch.

`renderer`, and what it imports, is imported when the first page needs it: playwright takes long to
import. `choice`, `found` and `tabs` do without it.
"""
