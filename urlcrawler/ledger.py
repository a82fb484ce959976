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

    def __contains__(self, position: int) -> bool:
        """Return whether the record at *position* has its row."""
        return bool(self._bits[position >> 3] & 1 << (position & 7))

    def hand_out(self, position: int) -> None:
        """Note that somebody works on the record at *position* and owes its row."""
        self.open.add(position)

    def add(self, position: int) -> bool:
        """Note that the row of *position* is written; return False if it was already."""
        self.open.discard(position)
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
