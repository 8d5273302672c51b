"""One process at a time may write a run folder: a lock of the operating system, which ends with the process that holds it.

Because the system itself lets go when a process dies, however it dies, there is no dead lock to tell from a living one:
a lock file that a killed run left behind is only a file.
"""

import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from carecast.model.parameters import BadFile

LOCK = "run.lock"
LOCKED_BYTE = 1 << 20  # past the text, so that others can read it (on Windows a locked byte cannot be read)


class RunLock:
    """The lock of one folder."""

    def __init__(self, folder: Path) -> None:
        """Point at a folder; nothing is locked yet."""
        self.file = folder / LOCK
        self._held: IO[str] | None = None

    def take(self) -> None:
        """Claim the folder.

        Raises:
            BadFile: a living process is writing it.
        """
        while self._held is None:
            handle = self.file.open("a+", encoding="utf-8")
            if not _lock(handle):
                owner = _owner(handle)
                handle.close()
                raise BadFile(
                    f"{self.file.parent}: another carecast{owner} is writing this run; wait for it, or end it"
                )
            if _is_still(self.file, handle):
                self._held = handle
            else:  # its last holder removed the file between our opening and our locking it
                handle.close()
        self._held.truncate(0)
        self._held.write(json.dumps({"process": os.getpid(), "machine": socket.gethostname()}))
        self._held.flush()

    def release(self) -> None:
        """Let go, and take the file away."""
        if self._held is None:
            return
        if sys.platform != "win32":
            self.file.unlink(missing_ok=True)  # while it is held: who opens it later opens another file
        self._held.close()
        self._held = None
        with suppress(OSError):
            self.file.unlink(missing_ok=True)


def _lock(handle: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(LOCKED_BYTE)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_still(file: Path, handle: IO[str]) -> bool:
    try:
        return file.stat().st_ino == os.fstat(handle.fileno()).st_ino
    except FileNotFoundError:
        return False


def _owner(handle: IO[str]) -> str:
    """Which process holds it, as far as the file says."""
    try:
        handle.seek(0)
        found = json.loads(handle.read(4096))
        return f" (process {found['process']} on {found['machine']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
