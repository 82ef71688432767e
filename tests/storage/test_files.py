"""The bytes of files: sealed on disk, whole when read, refused when somebody touched them."""

import hashlib
import os
from pathlib import Path

import pytest

from storage.files import CHUNK, Files, Kept, TooLarge
from storage.keys import new_ring
from storage.sealing import MARK_BYTES, CannotOpen, Keyring

SIZES = [1, 15, 16, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]
HEADER = len(MARK_BYTES) + 8 + 1 + 32
SEALED_CHUNK = CHUNK + 16


@pytest.fixture
def files(tmp_path: Path, keys: Keyring) -> Files:
    return Files(tmp_path / "files", keys)


def keep(files: Files, content: bytes, piece: int = 50_000) -> Kept:
    with files.incoming(10**8) as incoming:
        for at in range(0, len(content), piece):
            incoming.write(content[at : at + piece])
        return incoming.settle()


def read(files: Files, name: str) -> bytes:
    with files.open(name) as file:
        return file.read()


@pytest.mark.parametrize("size", [0, *SIZES])
@pytest.mark.parametrize("sealed", [True, False])
def test_what_was_kept_is_read_back_with_its_size(tmp_path: Path, keys: Keyring, size: int, sealed: bool) -> None:
    files = Files(tmp_path / "files", keys if sealed else None)
    content = os.urandom(size)

    kept = keep(files, content)

    with files.open(kept.name) as file:
        assert (kept.size, file.size) == (size, size)
        assert b"".join(iter(lambda: file.read(1000), b"")) == content


def test_neither_the_file_nor_its_name_tells_the_content(files: Files) -> None:
    content = b"Progetto scuola di via Roma. " * 10_000

    kept = keep(files, content)

    assert kept.name != hashlib.sha256(content).hexdigest()
    assert b"via Roma" not in files.path_of(kept.name).read_bytes()


def test_the_same_content_has_one_name_in_one_house_and_another_elsewhere(tmp_path: Path, files: Files) -> None:
    other = Files(tmp_path / "other", Keyring(new_ring()))

    first, again, elsewhere = keep(files, b"uguale"), keep(files, b"uguale"), keep(other, b"uguale")

    assert first == again
    assert first.name != elsewhere.name


def _cut(sealed: bytes) -> bytes:
    return sealed[: HEADER + SEALED_CHUNK]


def _cut_inside(sealed: bytes) -> bytes:
    return sealed[:-1]


def _lengthened(sealed: bytes) -> bytes:
    return sealed + sealed[-SEALED_CHUNK:]


def _shuffled(sealed: bytes) -> bytes:
    first, second = HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK
    return sealed[:HEADER] + sealed[first:second] + sealed[HEADER:first] + sealed[second:]


def _other_header(sealed: bytes) -> bytes:
    return sealed[: HEADER - 1] + bytes([sealed[HEADER - 1] ^ 1]) + sealed[HEADER:]


def _changed(sealed: bytes) -> bytes:
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


@pytest.mark.parametrize("harm", [_cut, _cut_inside, _lengthened, _shuffled, _other_header, _changed])
def test_a_file_that_somebody_touched_does_not_open(files: Files, harm: object) -> None:
    assert callable(harm)
    kept = keep(files, os.urandom(3 * CHUNK))
    path = files.path_of(kept.name)
    path.write_bytes(harm(path.read_bytes()))

    with pytest.raises(CannotOpen):
        read(files, kept.name)


def test_a_file_sealed_with_a_key_that_is_gone_says_so(tmp_path: Path, files: Files) -> None:
    kept = keep(files, b"chiuso")

    with pytest.raises(CannotOpen, match="not in the ring"):
        Files(files.folder, Keyring(new_ring())).open(kept.name)
    with pytest.raises(CannotOpen, match="no keys"):
        Files(files.folder).open(kept.name)


def test_files_from_before_still_open(files: Files) -> None:
    kept = keep(Files(files.folder), b"in chiaro")

    assert files.path_of(kept.name).read_bytes() == b"in chiaro"
    assert read(files, kept.name) == b"in chiaro"


@pytest.mark.parametrize("content", [MARK_BYTES, MARK_BYTES + b"clear:", MARK_BYTES + b"0123abcd:" + bytes(100)])
def test_a_file_in_clear_that_looks_sealed_comes_back_as_it_was(tmp_path: Path, keys: Keyring, content: bytes) -> None:
    files = Files(tmp_path / "files")

    kept = keep(files, content, piece=3)

    with Files(tmp_path / "files", keys).open(kept.name) as file:
        assert (file.size, file.read()) == (len(content), content)


def test_too_much_is_refused_while_it_comes_and_leaves_nothing(files: Files) -> None:
    with pytest.raises(TooLarge), files.incoming(1000) as incoming:
        incoming.write(b"x" * 1000)
        incoming.write(b"x")

    assert [path for path in files.folder.rglob("*") if path.is_file()] == []


def test_first_and_last_bytes_are_there_to_tell_what_it_is(files: Files) -> None:
    content = os.urandom(700_000)

    with files.incoming(10**6) as incoming:
        for at in range(0, len(content), 999):
            incoming.write(content[at : at + 999])

        assert incoming.head == content[:4096]
        assert incoming.tail == content[-256 * 1024 :]


@pytest.mark.parametrize("name", ["../../../etc/passwd".ljust(64, "a"), "a" * 63, "A" * 64, ""])
def test_only_names_of_kept_files_lead_anywhere(files: Files, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        files.path_of(name)
