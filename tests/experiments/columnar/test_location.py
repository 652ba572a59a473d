"""Files lie in a local folder, or wherever pyarrow can write."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs

from experiments.columnar.location import Location, locate
from experiments.errors import DamagedError

DATA = pa.py_buffer(b"some bytes")


def elsewhere(folder: Path) -> Location:
    """A file system that is not the local one, as far as a location can know."""
    inside = fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())
    return Location(remote=inside, folder="bucket")


@pytest.mark.parametrize(
    ("make", "is_local"),
    [
        (lambda folder: locate(str(folder)), True),
        (lambda folder: locate(folder.as_uri()), True),
        (elsewhere, False),
    ],
    ids=["path", "uri", "elsewhere"],
)
def test_location__a_file__is_written_read_and_removed_twice(make, is_local, tmp_path):
    location = make(tmp_path)
    location.write("event/day=2026-03-02/one", DATA)
    assert location.is_local is is_local
    assert location.read("event/day=2026-03-02/one").to_pybytes() == b"some bytes"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["one"]
    for _ in range(2):
        location.remove("event/day=2026-03-02/one")
    with pytest.raises(DamagedError, match="event/day=2026-03-02/one"):
        location.read("event/day=2026-03-02/one")


def test_locate__a_relative_folder__is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locate("columnar").folder == str(tmp_path / "columnar")


def test_locate__an_address_in_s3__is_a_bucket_and_a_folder():
    location = locate("s3://bucket/folder?region=eu-west-1&endpoint_override=127.0.0.1:9")
    assert isinstance(location.filesystem, fs.S3FileSystem)
    assert (location.folder, location.is_local) == ("bucket/folder", False)
