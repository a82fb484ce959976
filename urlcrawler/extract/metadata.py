"""What a page says about itself."""

from scrapy.http import HtmlResponse, Response, XmlResponse

LONGEST = 1000  # characters of a title

# A <title> inside an <svg> names a drawing, not the page.
_TITLE = "string((//*[local-name()='title'][not(ancestor::*[local-name()='svg'])])[1])"


def title(response: Response) -> str | None:
    """Return the title of an HTML page in one line, or None when it has none.

    One that is longer than LONGEST is cut: megabytes of it are somebody's joke.
    """
    if not isinstance(response, HtmlResponse | XmlResponse):
        return None
    try:
        text: str = response.xpath(_TITLE).get() or ""
    except (ValueError, LookupError):  # a charset that cannot be decoded with; no error of ours
        return None
    line = " ".join(text[: 100 * LONGEST].split())
    return (line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…") or None
