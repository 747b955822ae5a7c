"""The messages of ABCI 2.0 as protobuf classes, made from `messages.toml` when this is imported.

No compiler of protobuf is needed, and the classes live in a pool of their own, so that whatever else the process has
loaded under the same names does no harm. Source: CometBFT 0.38, spec/abci.
"""

import tomllib
from importlib import resources
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["Request", "Response", "enumeration", "message"]

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    name: getattr(_Field, f"TYPE_{name.upper()}")
    for name in ("int64", "uint64", "int32", "uint32", "bool", "string", "bytes")
}


def _read_table() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, int]]]:
    text = resources.files("openceir.wire.abci").joinpath("messages.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    return table, table.pop("enumerations")


def _file(package: str, kinds: list[str]) -> Any:
    """The description of one package's messages and enumerations."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name in kinds:
        short = name.removeprefix(f"{package}.")
        if name in _ENUMERATIONS:
            file.enum_type.add(name=short).value.extend(
                descriptor_pb2.EnumValueDescriptorProto(name=f"{short}_{value}", number=number)  # names share a scope
                for value, number in _ENUMERATIONS[name].items()
            )
            continue
        fields = dict(_MESSAGES[name])
        described = file.message_type.add(name=short)
        group = fields.pop("oneof", None)
        if group is not None:
            described.oneof_decl.add(name=group)
        for field, spelt in fields.items():
            number, *repeated, kind = spelt.split()
            added = described.field.add(
                name=field,
                number=int(number),
                label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL,
            )
            if kind in _SCALARS:
                added.type = _SCALARS[kind]
            else:
                added.type = _Field.TYPE_ENUM if kind in _ENUMERATIONS else _Field.TYPE_MESSAGE
                added.type_name = f".{kind}"
            if group is not None:
                added.oneof_index = 0
    return file


_MESSAGES, _ENUMERATIONS = _read_table()
_POOL = descriptor_pool.DescriptorPool()
_PACKAGES: Final = (
    "google.protobuf",
    "tendermint.crypto",
    "tendermint.types",
    "tendermint.abci",
)  # each needs those before
for _at, _package in enumerate(_PACKAGES):
    _described = _file(_package, [n for n in (*_MESSAGES, *_ENUMERATIONS) if n.rpartition(".")[0] == _package])
    _described.dependency.extend(f"{earlier}.proto" for earlier in _PACKAGES[:_at])
    _POOL.Add(_described)


def message(name: str) -> Any:
    """The class of a message, by its name without the package, such as `ValidatorUpdate`."""
    full = next(full for full in _MESSAGES if full.rpartition(".")[2] == name)
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full))


def enumeration(name: str) -> dict[str, int]:
    """The values of an enumeration by their names, such as `OfferResult`."""
    return next(values for full, values in _ENUMERATIONS.items() if full.rpartition(".")[2] == name)


Request: Final = message("Request")
Response: Final = message("Response")
