"""What a crawl has before it: counted, estimated, and said. For `scrapy plan`."""
