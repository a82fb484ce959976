"""A table of a crawl told in figures and pictures: on the terminal, and as one page of HTML."""
