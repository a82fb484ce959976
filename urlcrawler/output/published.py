"""A table whose rows are collected beside the file that they are published in."""

import os
from contextlib import suppress
from pathlib import Path

from urlcrawler.exceptions import OutputError
from urlcrawler.output.publication import Publication, collected
from urlcrawler.output.retries import RetriedTable
from urlcrawler.output.tablefile import beside, sync_folder


class PublishedTable(RetriedTable):
    """One that is published when it is complete."""

    def __init__(self, path: Path, publication: Publication, *, anew: bool = False) -> None:
        """Take up the rows that were collected, or those of the file that is there.

        Args:
            anew: whether they are to be forgotten anyway.

        Raises:
            OutputError: another crawl writes it, it cannot be opened, or is no table of a crawl.
        """
        self._publication = publication
        self._is_published = False
        super().__init__(path, publication.working, file=collected(path))
        if not anew and not self.size and path.exists() and path.stat().st_size:
            try:
                self._take_back()
            except OSError as error:
                self.release()
                raise self._unusable(error) from error
            except OutputError:
                self.release()
                self.file.unlink(missing_ok=True)
                raise
        self._restored = self.size

    def begin_anew(self) -> None:
        """Forget every row, and remove the file: a half of it would look like all."""
        super().begin_anew()
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def publish(self) -> None:
        """Write the file; it takes the place of an earlier one in one step.

        Raises:
            OSError: no room or no permission; the rows stay where they are collected.
        """
        if self._restored and self._restored == self.size and self.path.exists() and not self.newer:
            self._is_published = True  # nothing has changed
            return
        new = beside(self.path, ".new")
        try:
            self._publication.write(self.file, new)
            with new.open("rb") as file:
                os.fsync(file.fileno())
            new.replace(self.path.resolve())
        except OSError:
            with suppress(OSError):  # what went wrong first is what is told
                new.unlink(missing_ok=True)
            raise
        sync_folder(self.path)
        self._is_published = True

    def release(self) -> None:
        """Close the files and the lock; rows that are published need not be kept twice."""
        if self._is_published:
            self.file.unlink(missing_ok=True)
        super().release()

    def _take_back(self) -> None:
        new = beside(self.path, ".new")
        self._publication.restore(self.path, new)
        new.replace(self.file)
        os.close(self._fd)
        self._open()
