"""Private folders for what people bring: readable by this user alone, on this machine, gone when no longer needed.

Uploaded returns are about real children. They lie in a folder of the system's own temporary place, for as long as they are
checked and fitted, and never among the runs. All of it goes when the server stops; what a server that was killed left
behind goes when the next one starts.
"""

import atexit
import io
import os
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath

from carecast.calibration.readers.places import SUFFIXES
from carecast.model.parameters import BadFile

STEM = "carecast-private-"
MOST_FILES = 500
MOST_UNPACKED_MB = 400
MEGABYTE = 2**20
Upload = tuple[str, bytes]  # name and content


@cache
def root() -> Path:
    """The folder of this server process, made at the first call and taken away at its end."""
    _sweep()
    made = Path(tempfile.mkdtemp(prefix=f"{STEM}{os.getpid()}-"))  # for this user alone
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _sweep() -> None:
    """Take away what servers that are no more left behind."""
    for found in Path(tempfile.gettempdir()).glob(f"{STEM}*-*"):
        number = found.name.removeprefix(STEM).partition("-")[0]
        if number.isdigit() and not _is_alive(int(number)):
            shutil.rmtree(found, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def new() -> Path:
    """A new folder in it that nobody else knows of."""
    folder = root() / uuid.uuid4().hex
    folder.mkdir(mode=0o700)
    return folder


def forget(folder: Path | None) -> None:
    """Take a folder away, if it is one of these."""
    if folder is not None and folder.parent == root():
        shutil.rmtree(folder, ignore_errors=True)


def clear() -> None:
    """Take everything away: the server stops."""
    if root.cache_info().currsize:
        shutil.rmtree(root(), ignore_errors=True)


def lay(folder: Path, uploads: Iterable[Upload]) -> list[str]:
    """Write files as they were brought, archives unpacked; the names of what can be read.

    Raises:
        BadFile: a name twice, an archive that is none, too much in it, or nothing that could be read.
    """
    laid: list[str] = []
    for name, content in uploads:
        if name.lower().endswith(".zip"):
            laid += _unpack(folder, name, content)
        else:
            laid.append(_write(folder, name, content))
    if not laid:
        raise BadFile(f"nothing that could be read; should be {', '.join(SUFFIXES)} files, or a zip of them")
    return laid


def _unpack(folder: Path, name: str, content: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            wanted = [item for item in archive.infolist() if _is_wanted(item)]
            if len(wanted) > MOST_FILES:
                raise BadFile(f"{name}: {len(wanted)} files; should be at most {MOST_FILES}")
            if sum(item.file_size for item in wanted) > MOST_UNPACKED_MB * MEGABYTE:
                raise BadFile(f"{name}: unpacks to more than {MOST_UNPACKED_MB} MB; give fewer years at once")
            return [_write(folder, item.filename, archive.read(item)) for item in wanted]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise BadFile(f"{name}: cannot be unpacked; should be a zip archive without a password") from None


def _is_wanted(item: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(item.filename)
    return not item.is_dir() and path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~$"))


def _write(folder: Path, name: str, content: bytes) -> str:
    parts = [
        part
        for part in PurePosixPath(name.replace("\\", "/")).parts
        if part not in ("/", "..", ".") and ":" not in part
    ]
    target = folder.joinpath(*parts)
    if not parts or target.suffix.lower() not in SUFFIXES:
        raise BadFile(f"{name}: files of this kind are not read; should be {', '.join(SUFFIXES)} or .zip")
    if target.exists():
        raise BadFile(f"{name}: brought twice; put files of one name in a zip with a folder for each year")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return "/".join(parts)
