"""Files in YAML that the user writes: read with the line of each part, or refused in a sentence."""

import re
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLWarning

from urlcrawler.exceptions import ListError

# A host, or `*.` before it for every host below.
HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:]+", re.IGNORECASE)
_HINT = ". Put text with * & @ % ! [ { > | : # in quotes"
# Keys of keys of keys take the library hours, and nobody means them.
_MAPS_AS_KEYS = re.compile(r"(?:\?\s+){3}")


def read_yaml(path: str) -> Any:
    """Return the content of the file; maps and lists know their lines (`.lc`).

    Raises:
        ListError: it cannot be read, or is no YAML.
    """
    yaml = YAML(typ="rt")
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        if _MAPS_AS_KEYS.search(text):
            raise ListError(f"{path}: is no YAML that can be read: `? ` begins a map as a key")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)  # anchors may be used twice
            return yaml.load(text)
    except OSError as error:
        raise ListError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: is no UTF-8") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        hint = (
            _HINT
            if re.search(
                "alias|start any token|not allowed here|, but got|chomping", error.problem or ""
            )
            else ""
        )
        raise ListError(f"{path}: line {line}: is no YAML: {error.problem}{hint}") from error
    except YAMLError as error:
        raise ListError(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    except Exception as error:  # of maps as keys, dates without days and the like
        why = " ".join(str(error).split())
        raise ListError(f"{path}: is no YAML that can be read: {why}") from error
    finally:
        # What it has left half done would complain when it is thrown away.
        for generator in getattr(yaml.constructor, "state_generators", ()):
            with suppress(Exception):
                generator.close()
