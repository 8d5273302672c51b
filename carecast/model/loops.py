"""How the loops that read an event log are compiled: numba without reference counting.

Counting references to every array handed to a helper costs some 10 ns an array and call, many times the work itself.
So a function under ``loop`` may read, write and slice arrays but must not make any. The cache folder is the one the
rules are compiled to.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from carecast.model.compiled import FOLDER

F = TypeVar("F", bound=Callable[..., Any])


def loop(function: F) -> F:
    """The function compiled, callable from Python and from other compiled functions."""
    options = {"nogil": True, "cache": FOLDER is not None, "_nrt": False, "forceinline": True}
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(FOLDER or before)  # type: ignore[attr-defined]
    try:
        return cast("F", numba.njit(**options)(function))  # type: ignore[call-overload]
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]
