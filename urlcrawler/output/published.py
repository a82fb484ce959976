"""A table whose rows are collected beside the place where they are published."""

import os
from pathlib import Path

from urlcrawler.exceptions import OutputError
from urlcrawler.output.publication import Publication, collected
from urlcrawler.output.retries import RetriedTable
from urlcrawler.output.tablefile import beside


class PublishedTable(RetriedTable):
    """One that is published when it is complete."""

    def __init__(self, path: Path, publication: Publication, *, anew: bool = False) -> None:
        """Take up the rows that were collected, or those that are published.

        Args:
            anew: whether they are to be forgotten anyway.

        Raises:
            OutputError: another crawl writes it, it cannot be opened, or is no table of a crawl.
        """
        self._publication = publication
        self._is_published = False
        self._restored = 0  # bytes of rows that are published already
        super().__init__(path, publication.working, file=collected(path))
        try:
            if not anew and not self.size and publication.is_there(path):
                self._take_back()
        except OSError as error:
            self.release()
            raise self._unusable(error) from error
        except OutputError:
            self.release()
            self.file.unlink(missing_ok=True)
            raise

    def begin_anew(self) -> None:
        """Forget every row, and what is published: a half of it would look like all."""
        super().begin_anew()
        try:
            self._publication.remove(self.path)
        except OSError as error:
            raise self._unusable(error) from error

    def publish(self) -> None:
        """Publish the rows, in the place of earlier ones, in one step.

        Raises:
            OSError: that is not possible; the rows stay where they are collected.
        """
        if not (self._is_as_it_was and self._publication.is_there(self.path)):
            self._publication.publish(self.file, self.path)
        self._is_published = True

    @property
    def _is_as_it_was(self) -> bool:
        """Whether all rows are those that were taken back, and none of them is to be replaced."""
        return 0 < self._restored == self.size and not self.newer

    def release(self) -> None:
        """Close the files and the lock; rows that are published need not be kept twice."""
        if self._is_published or self._is_as_it_was:
            self.file.unlink(missing_ok=True)
        super().release()

    def _take_back(self) -> None:
        new = beside(self.path, ".new")
        try:
            self._publication.take_back(self.path, new)
            new.replace(self.file)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._open()
        self._restored = self.size
