"""A worker process ends with the server that started it, however that ended."""

import os
import threading
import time

POLL_SECONDS = 1.0


def leave_with_parent() -> None:
    """Watch, beside the work, whether the server is still there."""
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(0)
