"""Items that several processes have written, put together in one feed."""

import json
from pathlib import Path

import pytest

from urlcrawler.output import itemfile
from urlcrawler.output.itemfile import take_items


def parts(folder: Path) -> list[str]:
    """Write parts of three processes; return what the feed must have in the end."""
    folder.mkdir()
    lines = [json.dumps({"n": n}) for n in range(9)]
    for number in range(3):
        mine = "".join(f"{line}\n" for line in lines[number::3])
        (folder / f"{number + 1}-of-3.0.items").write_text(mine + '{"torn')
    return [*lines[0::3], *lines[1::3], *lines[2::3]]


def test_items_of_all_parts_are_in_the_feed(tmp_path: Path) -> None:
    """After those that are there; a torn one is none, and the parts are gone."""
    wanted = parts(tmp_path / "shards")
    feed = tmp_path / "items.jsonl"
    feed.write_text("1\n")
    take_items(tmp_path / "shards", [str(feed)])
    assert feed.read_text().splitlines() == ["1", *wanted]
    assert [*(tmp_path / "shards").iterdir()] == []


@pytest.mark.parametrize("kill_at", range(1, 13))
def test_a_kill_in_between_doubles_no_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    """Whichever step it comes before: the next run goes on with the part that was under way."""
    wanted = parts(tmp_path / "shards")
    feed = tmp_path / "items.jsonl"
    feed.write_text("1\n")
    steps = 0

    class KilledError(BaseException):
        pass

    def step(real: object) -> object:
        def stepped(*args: object, **values: object) -> object:
            nonlocal steps
            steps += 1
            if steps == kill_at:
                raise KilledError
            return real(*args, **values)  # type: ignore[operator]

        return stepped

    with monkeypatch.context() as patch:
        patch.setattr(itemfile.os, "fsync", step(itemfile.os.fsync))
        patch.setattr(Path, "unlink", step(Path.unlink))
        patch.setattr(Path, "replace", step(Path.replace))
        with pytest.raises(KilledError):
            take_items(tmp_path / "shards", [str(feed)])
    take_items(tmp_path / "shards", [str(feed)])
    assert feed.read_text().splitlines() == ["1", *wanted]
