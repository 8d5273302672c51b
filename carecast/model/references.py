"""Groups of arrays passed by reference inside compiled code.

Plain Python hands the rules named tuples. Compiled, a named tuple travels by value: a hundred-odd arrays handed to every
rule, each with its references counted. ``by_reference`` turns them, once at the door of the compiled clock, into bare
pointers with the same field names, so the rules' source stays as it is. Measured on West Dunbartonshire: named tuples 59 ms
a replication and 48 s to compile, numba's own ``structref`` 20 ms and 15 s (it counts references with atomic
instructions), bare pointers as the benchmarks say.

Nothing here owns memory: the caller keeps the arrays, and the buffer that the pointers' fields are written to, alive for
as long as the compiled code runs.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.extending import register_model
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, overload
from numba.np.arrayobj import make_array

from carecast.model import desk, stage, tables

GROUPS = (
    tables.Hazards, tables.Choices, tables.Places, tables.Pools, tables.Kids, tables.Families, desk.Homes, desk.Queues,
    stage.Agenda, stage.Cases, stage.Lives, stage.Writing, stage.Stage,
)  # fmt: skip
SLOT_BYTES = 4096  # room for one group's fields


def buffer() -> np.ndarray:
    """Memory for the fields of every group of one stage."""
    return np.zeros(len(GROUPS) * SLOT_BYTES, dtype=np.uint8)


class Reference(types.Type):
    """The type of a bare pointer to a group's fields."""

    def __init__(self, group: str, fields: tuple[tuple[str, types.Type], ...]) -> None:
        self.group = group
        self.fields = fields
        super().__init__(name=f"Reference({group}: {', '.join(f'{name} {kind}' for name, kind in fields)})")

    @property
    def key(self) -> tuple[str, tuple[tuple[str, types.Type], ...]]:
        """What makes two of these the same type."""
        return self.group, self.fields


register_model(Reference)(models.OpaqueModel)


def _layout(context: Any, kind: Reference) -> Any:
    return ir.LiteralStructType([context.get_value_type(field) for _, field in kind.fields])


@infer_getattr
class ReferenceFields(AttributeTemplate):
    """Types of the fields."""

    key = Reference

    def generic_resolve(self, kind: Reference, name: str) -> types.Type | None:
        """Type of one field; None when there is none of that name."""
        return dict(kind.fields).get(name)


@lower_getattr_generic(Reference)
def _load_field(context: Any, builder: Any, kind: Reference, pointer: Any, name: str) -> Any:
    at = [field for field, _ in kind.fields].index(name)
    fields = builder.bitcast(pointer, _layout(context, kind).as_pointer())
    value = builder.load(cgutils.gep_inbounds(builder, fields, 0, at))
    return impl_ret_borrowed(context, builder, kind.fields[at][1], value)


@intrinsic
def _borrowed(_context, array):
    """The same array without an owner: the caller keeps it alive, so there are no references to count."""

    def make(context, builder, signature, arguments):
        view = make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), make


@intrinsic
def fetch_soon(_context, array, at):
    """Ask the processor to bring an entry of an array near; nothing is read, and nothing waits for it."""

    def make(context, builder, signature, arguments):
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        number, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        shape = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", (byte,), shape)
        builder.call(prefetch, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, at), make


def _holder(slot: int, group: Any) -> Any:
    """An intrinsic that writes a group's fields to its slot of the buffer and returns the pointer."""

    @intrinsic
    def hold(_context, memory, values):
        kind = Reference(group.__name__, tuple(zip(group._fields, values.types, strict=True)))

        def make(context, builder, signature, arguments):
            layout = _layout(context, signature.return_type)
            if context.get_abi_sizeof(layout) > SLOT_BYTES:
                raise ValueError(f"{group.__name__} needs more than {SLOT_BYTES} bytes for its fields")
            start = make_array(signature.args[0])(context, builder, arguments[0]).data
            place = builder.gep(start, [ir.Constant(ir.IntType(64), slot * SLOT_BYTES)])
            fields = builder.bitcast(place, layout.as_pointer())
            for at in range(len(group._fields)):
                value = builder.extract_value(arguments[1], at)
                builder.store(value, cgutils.gep_inbounds(builder, fields, 0, at))
            return builder.bitcast(place, context.get_value_type(signature.return_type))

        return kind(memory, values), make

    return hold


HOLDERS = {group.__name__: _holder(slot, group) for slot, group in enumerate(GROUPS)}


def by_reference(value, memory):
    """The value as it is; compiled, a named tuple of arrays becomes a pointer to the same arrays."""
    return value


@overload(by_reference)
def _by_reference(value, memory):
    if isinstance(value, types.Array):
        return lambda value, memory: _borrowed(value)
    if not isinstance(value, types.BaseNamedTuple):
        return lambda value, memory: value
    fields = ", ".join(f"by_reference(value.{field}, memory)" for field in value.fields)
    space = {"by_reference": by_reference, "hold": HOLDERS[value.instance_class.__name__]}
    exec(f"def convert(value, memory):\n    return hold(memory, ({fields},))", space)
    return space["convert"]
