"""Groups of arrays passed by reference inside compiled code.

Plain Python hands the rules named tuples. Compiled, a named tuple travels by value: the hundred-odd arrays of a stage
passed to every rule cost 14 times the running time and 5 times the compiling. ``by_reference`` turns them, once at the
door of the compiled clock, into numba ``structref``s with the same field names, so the rules' source stays as it is.
"""

from typing import Any

from numba.core import types
from numba.experimental import structref
from numba.extending import overload

from carecast.model import desk, stepper, tables

GROUPS = (
    tables.Hazards, tables.Choices, tables.Places, tables.Pools, tables.Kids, tables.Families, desk.Homes, desk.Queues,
    stepper.Agenda, stepper.Cases, stepper.Lives, stepper.Writing, stepper.Stage,
)  # fmt: skip
PROXIES: dict[str, type] = {}


def _preprocess(_: Any, fields: Any) -> Any:
    return tuple((name, types.unliteral(kind)) for name, kind in fields)


def _make(group: Any) -> None:
    """Give a named tuple its struct type and a constructor that compiled code can call."""
    name = group.__name__
    struct = type(f"{name}Type", (types.StructRef,), {"preprocess_fields": _preprocess, "__module__": __name__})
    struct = structref.register(struct)
    proxy = type(f"{name}Reference", (structref.StructRefProxy,), {"__module__": __name__})
    structref.define_proxy(proxy, struct, list(group._fields))
    globals()[struct.__name__], globals()[proxy.__name__] = struct, proxy  # importable, so that caches can name them
    PROXIES[name] = proxy


for _group in GROUPS:
    _make(_group)


def by_reference(value):  # type: ignore[no-untyped-def]
    """The value as it is; compiled, a named tuple of arrays becomes a reference to the same arrays."""
    return value


@overload(by_reference)
def _by_reference(value):  # type: ignore[no-untyped-def]  # numba compares this signature with the one it makes
    if not isinstance(value, types.BaseNamedTuple):
        return lambda value: value
    name = value.instance_class.__name__
    fields = ", ".join(f"by_reference(value.{field})" for field in value.fields)
    space = {"by_reference": by_reference, "proxy": PROXIES[name]}
    exec(f"def convert(value):\n    return proxy({fields})", space)  # noqa: S102 - field names of our own classes
    return space["convert"]
