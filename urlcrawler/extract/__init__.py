"""From a response to values. Runs without a crawl: same response in, same values out."""
