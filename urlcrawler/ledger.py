"""Which records have their row, and who owes those of the others."""

import math
from time import monotonic

import numpy as np
from numpy.typing import NDArray


class Ledger:
    """A set of positions, one bit each.

    A record is done if and only if its complete row is in the output.

    Attributes:
        total: how many rows there are to be.
        count: how many there are.
    """

    def __init__(self, records: int) -> None:
        """Note that none of so many *records* has its row."""
        self.total = self._records = records
        self._bits = bytearray((records + 8) // 8)
        self.count = 0
        # Handed out, and no row yet: since when nobody is known to work on them (inf: somebody is).
        self.open: dict[int, float] = {}
        self._claimed: set[int] = set()  # their row is on its way
        self.primary: object = None  # the table whose rows count, when there is one that resumes

    def leave_out(self, records: NDArray[np.bool_]) -> None:
        """Leave records to others, as if they were done.

        Args:
            records: for each, from position 1 on, whether it is one of these.
        """
        flags = np.concatenate(([False], records))
        self._bits = bytearray(np.packbits(flags, bitorder="little"))
        self._bits += bytes((self._records + 8) // 8 - len(self._bits))
        self.total = self._records - int(np.count_nonzero(records))

    def done(self) -> NDArray[np.bool_]:
        """Return for each record, from position 1 on, whether it has its row or is left out."""
        bits = np.frombuffer(self._bits, np.uint8)
        flags = np.unpackbits(bits, bitorder="little")[1 : self._records + 1]
        return flags.astype(np.bool_)

    def __contains__(self, position: int) -> bool:
        """Return whether the record at *position* has its row."""
        return bool(self._bits[position >> 3] & 1 << (position & 7))

    @property
    def is_complete(self) -> bool:
        """Whether every record has its row."""
        return self.count == self.total

    def hand_out(self, position: int) -> None:
        """Note that somebody works on the record at *position* and owes its row."""
        self.open[position] = monotonic()

    def put_back(self, position: int) -> None:
        """Note that the record waits in the list again, and nobody owes its row."""
        self.open.pop(position, None)

    def take(self, position: int) -> None:
        """Note that a part of the crawl that never forgets has the record."""
        if position in self.open:
            self.open[position] = math.inf

    def let_go(self, position: int) -> None:
        """Note that from now on nobody is known to work on the record."""
        if position in self.open:
            self.open[position] = monotonic()

    def touch(self, position: int) -> None:
        """Note that somebody works on the record right now."""
        if self.open.get(position, math.inf) < math.inf:
            self.open[position] = monotonic()

    def overdue(self, seconds: float) -> list[int]:
        """Return the open positions that nobody has worked on for *seconds*, in order."""
        latest = monotonic() - seconds
        return sorted(position for position, since in self.open.items() if since < latest)

    def claim(self, position: int) -> bool:
        """Let one row of *position* pass, and no second one, until it is written or given up."""
        if position in self or position in self._claimed:
            return False
        self._claimed.add(position)
        return True

    def give_up(self, position: int) -> None:
        """Note that the row that was let pass was lost on its way."""
        self._claimed.discard(position)

    def written(self, position: int, table: object) -> None:
        """Note a row in *table*; with several tables the first decides."""
        if table is self.primary:
            self.add(position)

    def taken_back(self, position: int, table: object) -> None:
        """Note that *table* has lost the row that it had: a disk failed to keep it."""
        if table is self.primary and position in self:
            self._bits[position >> 3] &= ~(1 << (position & 7))
            self.count -= 1

    def add(self, position: int) -> bool:
        """Note that the row of *position* is written; return False if it was already."""
        self.open.pop(position, None)
        self._claimed.discard(position)
        if position in self:
            return False
        self._bits[position >> 3] |= 1 << (position & 7)
        self.count += 1
        return True

    def missing(self, most: int = 20) -> list[int]:
        """Return the first *most* positions without a row, in order."""
        missing: list[int] = []
        for byte, bits in enumerate(self._bits):
            if bits != 0xFF:
                positions = range(max(1, byte * 8), min(byte * 8 + 8, self._records + 1))
                missing += [position for position in positions if position not in self]
                if len(missing) >= most:
                    break
        return missing[:most]
