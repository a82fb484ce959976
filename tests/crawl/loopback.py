"""The settings of the project, for crawls of sites on this machine."""

from urlcrawler.settings import *  # noqa: F403 - all of them, but for

ALLOW_PRIVATE_ADDRESSES = "127.0.0.0/8, ::1/128"
