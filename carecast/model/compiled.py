"""How functions are compiled: ``loop`` marks those only ever run compiled; rule modules get a second, compiled copy.

Rules and stepper must stay plain Python as well, since one source serves both clocks, so they are not compiled where they
stand. A copy's references to other rule modules, and to functions imported from them, are pointed at their compiled copies.
The cache folder is named by a hash of every file of this package, so an edited rule is never stale; where no cache can be
written (a read-only install without a home), code is compiled afresh each time.
"""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

import numba
import platformdirs

from carecast.model.references import by_reference, fetch_soon

F = TypeVar("F", bound=Callable[..., Any])
MAKES_NO_ARRAY = ("arrivals",)
RULE_MODULES = (  # each refers only to those before it
    "draws", "rules", "rules_community", "rules_care", "desk", "arrivals", "stage", "stepper_care", "stepper_community",
    "stepper",
)  # fmt: skip


def source_digest() -> str:
    """Hash of all source files of the model, and of the compiler's version."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path | None:
    """A writable folder for compiled code, or None."""
    wanted = os.environ.get("CARECAST_CACHE_DIR")
    bases = [Path(wanted)] if wanted else [Path(platformdirs.user_cache_dir("carecast"))]
    with contextlib.suppress(OSError):  # a machine without any temporary folder
        bases.append(Path(tempfile.gettempdir()) / f"carecast-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
    for base in bases:
        folder = base / f"compiled-{source_digest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


FOLDER = cache_folder()
IS_FIRST_COMPILE = FOLDER is not None and not any(FOLDER.iterdir())


def compile_function(function: F, counts_references: bool) -> F:
    """One function compiled, with the cache if there is one: callable from Python and from other compiled functions.

    Counting references to every array handed to a helper costs some 10 ns an array and call, many times the work itself.
    A function that counts none may read, write and slice arrays but must not make any.
    """
    options = {"nogil": True, "cache": FOLDER is not None}
    if not counts_references:
        options |= {"_nrt": False, "forceinline": True}
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(FOLDER or before)  # type: ignore[attr-defined]
    try:
        return cast("F", numba.njit(**options)(function))  # type: ignore[call-overload]
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


def loop(function: F) -> F:
    """Decorator of what is only ever run compiled: the loops that read an event log, without counts of references."""
    return compile_function(function, counts_references=False)


def _copy(name: str, copies: dict[str, ModuleType]) -> ModuleType:
    file = Path(__file__).with_name(f"{name}.py")
    module = ModuleType(f"carecast.model._compiled_{name}", f"Compiled copy of carecast.model.{name}.")
    sys.modules[module.__name__] = module
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), vars(module))
    for key, value in list(vars(module).items()):
        if isinstance(value, ModuleType) and _short(value.__name__) in copies:
            setattr(module, key, copies[_short(value.__name__)])
        elif isinstance(value, FunctionType) and value.__module__ == module.__name__:
            setattr(module, key, compile_function(value, counts_references=name not in MAKES_NO_ARRAY))
        elif isinstance(value, FunctionType) and _short(value.__module__) in copies:
            setattr(module, key, getattr(copies[_short(value.__module__)], key))
    return module


def _short(module: str) -> str:
    return module.removeprefix("carecast.model.")


def compiled_modules() -> dict[str, ModuleType]:
    """Compiled copies of the rule modules, by name. Nothing is compiled until it is called."""
    copies: dict[str, ModuleType] = {}
    for name in RULE_MODULES:
        copies[name] = _copy(name, copies)
    return copies


MODULES = compiled_modules()
MODULES["stepper"].by_reference = by_reference  # type: ignore[attr-defined]
MODULES["stepper"].fetch_soon = fetch_soon  # type: ignore[attr-defined]
