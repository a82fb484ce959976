"""The settings with which Python code that Scrapy has not started crawls."""

from scrapy.settings import Settings
from scrapy.utils.project import get_project_settings


def project_settings() -> Settings:
    """Return the settings of the project that the current folder is in, or else those of ours.

    Another project, or none at all, has settings that know nothing of lists.
    """
    settings = get_project_settings()
    if "METADATA" not in settings:
        settings = Settings()
        settings.setmodule("urlcrawler.settings", priority="project")
    return settings
