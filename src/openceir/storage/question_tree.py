"""The bucket files as they are served: any web server can hand this folder out as it stands.

    manifest.json               signed; replaced last, so that it never names what is not there
    ranges-<digest>.json        restricted ranges
    <tree>/<hh>/<ll>.bin        a bucket; a tree is named by its root and never changes
    .new-<tree>/                being written, or left by a build that was killed; swept by the next

What the manifest before this one names is kept too: an asker who holds it may still be fetching.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openceir.questions import Layer, Manifest, QuestionError, bucket_path, signer_of
from openceir.storage.files import StorageError, fsync_folder, replace_file

__all__ = ["QuestionTree", "one_build_at_a_time", "ranges_name"]


def ranges_name(sha256: str) -> str:
    """The file of restricted ranges with this digest."""
    return f"ranges-{sha256[:32]}.json"


@contextmanager
def one_build_at_a_time(folder: Path) -> Iterator[None]:
    """Hold `folder` for one build; the lock goes with its process. Raises: StorageError when another build is running."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StorageError(f"another build is running in {folder}; wait for it") from None
        yield


class QuestionTree:
    """One folder of bucket files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manifest_octets(self) -> bytes | None:
        """The manifest's file; None before the first build."""
        try:
            return (self.folder / "manifest.json").read_bytes()
        except FileNotFoundError:
            return None

    def manifest(self) -> Manifest | None:
        """What was built last, believed because it lies here. Raises: ManifestRefused when it was altered."""
        octets = self.manifest_octets()
        return Manifest.read(octets, signer_of(octets)) if octets is not None else None

    def write_layer(self, layer: Layer, files: Iterable[tuple[int, bytes]]) -> None:
        """Put a layer's buckets in place; nothing to do when they are there. Raises: StorageError."""
        place = self.folder / layer.tree
        if place.exists():
            return
        fresh = self.folder / f".new-{layer.tree}"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            made: set[Path] = set()
            for number, octets in files:
                path = fresh / Path(bucket_path(layer, number)).relative_to(layer.tree)
                if path.parent not in made:
                    path.parent.mkdir(parents=True)
                    made.add(path.parent)
                path.write_bytes(octets)
            os.sync()  # thousands of small files: one flush of all instead of one wait for each
            fresh.replace(place)
            fsync_folder(self.folder)
        except OSError as wrong:
            shutil.rmtree(fresh, ignore_errors=True)
            raise StorageError(f"{place} could not be written: {wrong.strerror}; the old files stand") from wrong

    def write_ranges(self, octets: bytes) -> str:
        """Put the file of restricted ranges in place; its SHA-256."""
        digest = hashlib.sha256(octets).hexdigest()
        replace_file(self.folder / ranges_name(digest), octets)
        return digest

    def publish(self, manifest: Manifest, octets: bytes) -> None:
        """Let this manifest stand, and remove what neither it nor the one before it names."""
        try:
            before = self.manifest()
        except QuestionError:
            before = None  # an altered manifest is replaced, and nothing it names is kept
        replace_file(self.folder / "manifest.json", octets)
        named = {layer.tree for one in (manifest, before) if one for layer in one.layers}
        named |= {ranges_name(one.ranges_sha256) for one in (manifest, before) if one} | {"manifest.json"}
        for path in self.folder.iterdir():
            if path.name in named:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
