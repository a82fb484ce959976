"""Pages that need JavaScript: the browser, a tab in it, and what a tab may fetch.

Imported when the first page needs it, as playwright takes long to import and starts processes.
"""
