"""What a fuzzer has found: bytes that once took a way of their own, or broke something."""

from pathlib import Path

import pytest
from targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_in_the_corpus_breaks_a_promise(target: str) -> None:
    """`python tests/fuzz` looks for more."""
    files = sorted((CORPUS / target).iterdir())
    assert len(files) > 10
    for file in files:
        if data := file.read_bytes():
            try:
                TARGETS[target](data)
            except Exception as error:
                raise AssertionError(f"{file.name}: {data!r}") from error
