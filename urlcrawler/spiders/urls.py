"""The main job: `scrapy crawl urls -a file=urls.txt`."""

from urlcrawler.spiders.base import UrlListSpider


class UrlsSpider(UrlListSpider):
    """Crawl every URL of a list into one row each.

    Copy this file to start a spider of your own: give it another name, and add `parse_page`
    as described at `UrlListSpider` to fill in more than every page has.
    """

    name = "urls"
