"""How much of the window of all requests each host may have."""

# Of the window. Below the first hosts have what their limit allows, from the second on their share.
ROOMY, CROWDED = 0.4, 0.6


class Shares:
    """Equal ones, which hold only while much of the window is used.

    So slow hosts can never take all of it, and a host with much to do has more while others need
    less. What changes something returns whether there is more for each now.

    Attributes:
        each: requests that a host may have at a time.
        working: how many hosts have work.
    """

    def __init__(self, total: int, ceiling: int) -> None:
        """Divide *total* among hosts, of which none ever has more than *ceiling*."""
        self._total = total
        self._ceiling = self.each = ceiling
        self._active = 0  # requests that are out
        self._is_roomy = True
        self.working = 0

    def take(self) -> bool:
        """Note that a request is given out."""
        self._active += 1
        if self._is_roomy and self._active > CROWDED * self._total:
            self._is_roomy = False
            return self._divide()
        return False

    def give_back(self) -> bool:
        """Note that one is finished."""
        self._active -= 1
        if not self._is_roomy and self._active < ROOMY * self._total:
            self._is_roomy = True
            return self._divide()
        return False

    def note_work(self, *, has_work: bool) -> bool:
        """Note that a host has got work, or has none any more."""
        self.working += 1 if has_work else -1
        return self._divide()

    def _divide(self) -> bool:
        before, self.each = self.each, self._ceiling
        if not self._is_roomy:
            self.each = max(1, min(self._ceiling, self._total // max(1, self.working)))
        return self.each > before
