"""The settings with which Python code that Scrapy has not started crawls."""

import os

from scrapy.settings import Settings
from scrapy.utils.project import get_project_settings

_OURS = "urlcrawler.settings"


def project_settings() -> Settings:
    """Return the settings of the project that the current folder is in, or else those of ours.

    Another project, or none at all, has settings that know nothing of lists.
    """
    settings = get_project_settings()
    if "METADATA" not in settings:
        settings = Settings()
        settings.setmodule(_OURS, priority="project")
    return settings


def settings_module() -> str:
    """Return the name of the module that has them, for another process."""
    if "METADATA" in get_project_settings():  # which has read scrapy.cfg, if there is one
        return os.environ["SCRAPY_SETTINGS_MODULE"]
    return _OURS
