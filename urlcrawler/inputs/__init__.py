"""From a list to records: one reader per format, the index, the queue of hosts.

Runs without Scrapy. In the order of the flow: `sources` opens a list as a plain seekable file,
`readers` turns its bytes into records, `urls` says what a record asks for, `index` remembers where
each record is and which origin it belongs to, `hosts` decides which record is next.
"""
