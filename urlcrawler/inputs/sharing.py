"""The index of a list, lent to other processes.

They map it into their memory instead of reading the list once more, so that it is there once
however many they are.
"""

import json
from pathlib import Path

import numpy as np

from urlcrawler.inputs.building import Arrays
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.readers import Reader

_STATE = "reader.json"


def lend(index: ListIndex, folder: Path) -> None:
    """Write *index* into *folder*.

    Raises:
        OSError: there is no room.
    """
    folder.mkdir(exist_ok=True)
    for name, values in index.arrays._asdict().items():
        np.save(folder / f"{name}.npy", values)
    (folder / _STATE).write_text(json.dumps(index.reader.state()), encoding="utf-8")


def borrow(folder: Path, reader: Reader) -> ListIndex:
    """Return the index that is in *folder*, of the list of *reader*.

    Raises:
        OSError, ValueError: it is not there, or not whole.
    """
    reader.take_up(json.loads((folder / _STATE).read_text(encoding="utf-8")))
    # Chains are changed for a last round, by each process for itself: "c" is copy on write.
    arrays = (np.load(folder / f"{name}.npy", mmap_mode="c") for name in Arrays._fields)
    return ListIndex(reader, arrays=Arrays(*arrays))
