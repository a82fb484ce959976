"""Which records have their row."""


class Ledger:
    """A set of positions, one bit each.

    A record is done if and only if its complete row is in the output.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._bits = bytearray((total + 8) // 8)
        self.count = 0
        self.open: set[int] = set()  # handed out, and no row yet
        self._claimed: set[int] = set()  # their row is on its way
        self.primary: object = None  # the table whose rows count, when there is one that resumes

    def __contains__(self, position: int) -> bool:
        """Return whether the record at *position* has its row."""
        return bool(self._bits[position >> 3] & 1 << (position & 7))

    @property
    def is_complete(self) -> bool:
        """Whether every record has its row."""
        return self.count == self.total

    def hand_out(self, position: int) -> None:
        """Note that somebody works on the record at *position* and owes its row."""
        self.open.add(position)

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
        self.open.discard(position)
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
                positions = range(max(1, byte * 8), min(byte * 8 + 8, self.total + 1))
                missing += [position for position in positions if position not in self]
                if len(missing) >= most:
                    break
        return missing[:most]
