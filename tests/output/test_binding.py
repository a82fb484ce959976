"""The small file that binds a table to its list, and what happens without it."""

import json
from pathlib import Path

import pytest

from urlcrawler.exceptions import OutputError
from urlcrawler.output.binding import Binding, saved

COLUMNS = ["position", "url"]


def binding(folder: Path, content: bytes, columns: list[str] = COLUMNS) -> Binding:
    (folder / "urls.txt").write_bytes(content)
    with (folder / "urls.txt").open("rb") as file:
        file.seek(3)  # wherever somebody has read to
        return Binding.of(file, columns)


def test_a_binding_is_what_the_list_and_the_columns_are(tmp_path: Path) -> None:
    """The same content gives the same one; any other byte or column another."""
    first = binding(tmp_path, b"http://a/\n")
    assert first == binding(tmp_path, b"http://a/\n")
    assert first != binding(tmp_path, b"http://b/\n")
    assert first != binding(tmp_path, b"http://a/\n\n")
    assert first != binding(tmp_path, b"http://a/\n", ["position", "url", "sku"])
    (tmp_path / "fields.yaml").write_text("a: b")
    with (tmp_path / "urls.txt").open("rb") as file:
        assert first != Binding.of(file, COLUMNS, str(tmp_path / "fields.yaml"))


def test_a_saved_binding_is_read_back(tmp_path: Path) -> None:
    """And a later one takes its place."""
    for content in (b"http://a/\n", b"http://b/\n"):
        first = binding(tmp_path, content)
        first.save(tmp_path / "table.csv")
        assert saved(tmp_path / "table.csv") == first
    assert {path.name for path in tmp_path.iterdir()} == {"urls.txt", ".table.csv.meta.json"}


@pytest.mark.parametrize("left", [b"", b"\0" * 300, b"{", b"[]", b"null", b'{"version": 1}', b"7"])
def test_what_is_left_of_a_binding_is_none(tmp_path: Path, left: bytes) -> None:
    """After a power cut, or when it is somebody's own file."""
    (tmp_path / ".table.csv.meta.json").write_bytes(left)
    assert saved(tmp_path / "table.csv") is None


def test_a_table_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """Its rows may mean something else."""
    binding(tmp_path, b"http://a/\n").save(tmp_path / "table.csv")
    meta = tmp_path / ".table.csv.meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "version": 99}))
    with pytest.raises(OutputError, match=r"later version of urlcrawler.*type -O"):
        saved(tmp_path / "table.csv")


def test_a_binding_that_cannot_be_saved_is_done_without(tmp_path: Path) -> None:
    """The next run compares the rows instead."""
    binding(tmp_path, b"http://a/\n").save(tmp_path / "nowhere" / "table.csv")
    assert saved(tmp_path / "nowhere" / "table.csv") is None
