"""Whether the list of a crawl is divided among other processes, whose rows it writes."""

from scrapy.settings import BaseSettings


def is_divided(settings: BaseSettings) -> bool:
    """Return whether PROCESSES or CLUSTER_SCHEDULER asks for that.

    A value that is no number is refused later.
    """
    try:
        return settings.getint("PROCESSES") > 1 or bool(settings["CLUSTER_SCHEDULER"])
    except ValueError:
        return False
