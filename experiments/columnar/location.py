"""Where the files lie: a local folder, or any address that pyarrow knows, such as S3."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.deferred import Deferred
from experiments.errors import DamagedError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs
else:
    pa = Deferred("pyarrow")
    fs = Deferred("pyarrow.fs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A folder of this machine, or of a file system elsewhere."""

    folder: str
    remote: fs.FileSystem | None = None

    @property
    def is_local(self) -> bool:
        """Whether files can be opened by their path."""
        return self.remote is None

    @property
    def filesystem(self) -> fs.FileSystem:
        """What reads and writes the files."""
        return fs.LocalFileSystem() if self.remote is None else self.remote

    def path(self, name: str) -> str:
        """Where the file of that name lies, in the words of the file system."""
        return f"{self.folder}/{name}"

    def write(self, name: str, data: pa.Buffer) -> None:
        """Write a file that is on the disk when this returns."""
        path = self.path(name)
        self.filesystem.create_dir(path.rpartition("/")[0], recursive=True)
        with self.filesystem.open_output_stream(path) as stream:
            stream.write(data)
        if self.is_local:
            _flush(Path(path))
            for folder in Path(name).parents:
                _flush(Path(self.folder) / folder)

    def read(self, name: str) -> pa.Buffer:
        """All bytes of a file.

        Raises:
            DamagedError: when it is not there or cannot be read.
        """
        try:
            with self.filesystem.open_input_stream(self.path(name)) as stream:
                return stream.read_buffer()
        except OSError as error:
            raise DamagedError(name, "cannot be read") from error

    def names(self, below: str) -> set[str]:
        """The names of all files below a folder of it."""
        every = fs.FileSelector(self.path(below), recursive=True, allow_not_found=True)
        found = self.filesystem.get_file_info(every)
        paths = [item.path for item in found if item.type is fs.FileType.File]
        return {path.removeprefix(f"{self.folder}/") for path in paths}

    def remove(self, name: str) -> None:
        """Remove a file; none there is as good."""
        if self.filesystem.get_file_info(self.path(name)).type is fs.FileType.File:
            self.filesystem.delete_file(self.path(name))


def locate(address: str) -> Location:
    """The location of a path or a URI (`file://`, `s3://bucket/folder?region=...`)."""
    if "://" in address:
        filesystem, folder = fs.FileSystem.from_uri(address)
        is_local = isinstance(filesystem, fs.LocalFileSystem)
        return Location(folder=folder.rstrip("/"), remote=None if is_local else filesystem)
    return Location(folder=str(Path(address).absolute()))


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
