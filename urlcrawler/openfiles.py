"""How many files this process may have open: every connection is one."""

import resource

WANTED = 65_536
SPARE = 64  # the list, the table, the log, libraries that are loaded, and what a spider opens


def allow_open_files(wanted: int = WANTED) -> int:
    """Raise the limit as far as the system lets us, up to *wanted*; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    while soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (ValueError, OSError):  # macOS has a limit of its own, and says that there is none
            most //= 2
        else:
            return most
    return soft
