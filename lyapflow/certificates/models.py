"""Systems and classes as JSON data and back: rationals as ``"p/q"``, everything by its name, nothing evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any

from ..classes import Intersection
from ..classes.moduli import PLAIN_CLASSES
from ..dynamics import (
    LureSystem,
    ParametricSystem,
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    StackedSystem,
    System,
)
from ..errors import CertificateFormatError
from ..exact.matrices import Matrix
from ..exact.rationals import as_text, rational

__all__ = ["echo", "read_number", "read_part", "system_from_json", "system_to_json"]

_CLASSES: Mapping[str, type] = {c.__name__: c for c in (*PLAIN_CLASSES, Intersection)}


def _class_to_json(oracle: Any) -> dict[str, Any]:
    name = type(oracle).__name__
    if _CLASSES.get(name) is not type(oracle):
        raise CertificateFormatError(
            f"only the classes of lyapflow can be saved, so that any copy can verify the file; got {echo(oracle)}"
        )
    if isinstance(oracle, Intersection):
        return {"class": name, "parts": [_class_to_json(part) for part in oracle.parts]}
    return {"class": name, **{f.name: as_text(getattr(oracle, f.name)) for f in fields(_CLASSES[name])}}


def _class_from_json(data: Any) -> Any:
    if not isinstance(data, dict):
        raise CertificateFormatError(f"a class must be a JSON object, got {echo(data)}")
    kind = _CLASSES.get(str(data.get("class")))
    if kind is None:
        raise CertificateFormatError(
            f"class must be one of {', '.join(sorted(_CLASSES))}, got {echo(data.get('class'))}"
        )
    wanted = {f.name for f in fields(kind)}
    if set(data) != wanted | {"class"}:
        raise CertificateFormatError(
            f"{kind.__name__} has the parameters {sorted(wanted)}, got {echo(sorted(set(data) - {'class'}))}"
        )
    if kind is Intersection:
        parts = read_part(data, "parts", list)
        if any(isinstance(part, dict) and part.get("class") == "Intersection" for part in parts):
            raise CertificateFormatError("the parts of an Intersection must not be intersections themselves")
        return Intersection(*map(_class_from_json, parts))
    return kind(**{name: read_number(data[name], f"{kind.__name__}: {name}") for name in wanted})


def _matrix_to_json(m: Matrix) -> list[list[str]]:
    return [[as_text(v) for v in row] for row in m]


def _matrix_from_json(data: Mapping[str, Any], key: str) -> list[list[Fraction]]:
    rows = read_part(data, key, list)
    if not all(isinstance(row, list) for row in rows):
        raise CertificateFormatError(f'"{key}" must be an array of rows')
    return [[read_number(v, key) for v in row] for row in rows]


def system_to_json(system: System) -> dict[str, Any]:
    """A system as JSON data."""
    if isinstance(system, PrimalDualSystem):
        return {
            "type": "PrimalDualSystem",
            "name": system.name,
            "oracle": _class_to_json(system.oracle),
            "constraint": _matrix_to_json(system.constraint),
            "dual_gain": as_text(system.dual_gain),
            "augmentation": as_text(system.augmentation),
            **({"step": as_text(system.step)} if system.step else {}),
            "enclosures": _matrix_to_json(system.enclosures),
        }
    if isinstance(system, PrimalDualIteration):
        return {
            "type": "PrimalDualIteration",
            "name": system.name,
            "f": _class_to_json(system.f),
            "g": _class_to_json(system.g),
            "step_primal": as_text(system.step_primal),
            "step_dual": as_text(system.step_dual),
            "extrapolation": as_text(system.extrapolation),
            **({} if system.operator is None else {"operator": _matrix_to_json(system.operator)}),
            "intervals": _matrix_to_json(system.intervals),
        }
    if isinstance(system, ProximalLagrangianSystem):
        return {
            "type": "ProximalLagrangianSystem",
            "name": system.name,
            "f": _class_to_json(system.f),
            "g": _class_to_json(system.g),
            "penalty": as_text(system.penalty),
            **({"step": as_text(system.step)} if system.step else {}),
            **({} if system.operator is None else {"operator": _matrix_to_json(system.operator)}),
            "intervals": _matrix_to_json(system.intervals),
        }
    if isinstance(system, SaddleSystem):
        return {
            "type": "SaddleSystem",
            "name": system.name,
            "f": _class_to_json(system.f),
            **({} if system.g is None else {"g": _class_to_json(system.g)}),
            "dual_gain": as_text(system.dual_gain),
            **({"augmentation": as_text(system.augmentation)} if system.augmentation else {}),
            **({"step": as_text(system.step)} if system.step else {}),
            **({} if system.operator is None else {"operator": _matrix_to_json(system.operator)}),
            "intervals": _matrix_to_json(system.intervals),
        }
    if isinstance(system, PolytopicSystem):
        return {
            "type": "PolytopicSystem",
            "name": system.name,
            "vertices": [system_to_json(vertex) for vertex in system.vertices],
        }
    if isinstance(system, ParametricSystem):
        return {
            "type": "ParametricSystem",
            "name": system.name,
            "parameter": system.parameter,
            "ends": [None if end is None else as_text(end) for end in system.ends],
            "nodes": [as_text(node) for node in system.nodes],
            "systems": [system_to_json(node) for node in system.systems],
            "denominator": [as_text(c) for c in system.denominator],
        }
    if isinstance(system, StackedSystem):
        return {
            "type": "StackedSystem",
            "plant": system_to_json(system.plant),
            "blocks": [str(block) for block in system.blocks],
        }
    return {
        "type": "LureSystem",
        "name": system.name,
        **{key: _matrix_to_json(getattr(system, key)) for key in "ABCD"},
        **({"N": _matrix_to_json(system.N)} if system.is_time_varying else {}),
        "dt": as_text(system.dt),
        "oracles": [_class_to_json(oracle) for oracle in system.oracles],
        "oracle_names": list(system.oracle_names),
        **({} if _is_ungrouped(system) else {"groups": [str(group) for group in system.groups]}),
    }


def _is_ungrouped(system: LureSystem) -> bool:
    """Whether each oracle is an operator of its own; then a file says nothing of groups."""
    return system.groups == tuple(range(len(system.oracles)))


def system_from_json(data: Mapping[str, Any]) -> System:
    """The system that JSON data describe.

    Raises
    ------
    CertificateFormatError
        If a part is missing or of the wrong kind.
    InvalidModelError
        If the data cannot describe a model.
    """
    readers: Mapping[str, Callable[[Mapping[str, Any]], System]] = {
        "LureSystem": _lure_from_json,
        "PrimalDualSystem": _primal_dual_from_json,
        "PrimalDualIteration": _iteration_from_json,
        "ProximalLagrangianSystem": _proximal_from_json,
        "SaddleSystem": _saddle_from_json,
        "PolytopicSystem": _polytope_from_json,
        "ParametricSystem": _parametric_from_json,
        "StackedSystem": _stacked_from_json,
    }
    reader = readers.get(str(data.get("type")))
    if reader is None:
        raise CertificateFormatError(f"system type must be one of {', '.join(readers)}, got {echo(data.get('type'))}")
    return reader(data)


def _lure_from_json(data: Mapping[str, Any]) -> LureSystem:
    return LureSystem(
        *(_matrix_from_json(data, key) for key in "ABCD"),
        oracles=[_class_from_json(item) for item in read_part(data, "oracles", list)],
        dt=read_number(data.get("dt"), "dt"),
        name=str(data.get("name")),
        oracle_names=[str(name) for name in read_part(data, "oracle_names", list)],
        groups=[int(read_number(group, "groups")) for group in read_part(data, "groups", list)]
        if "groups" in data
        else None,
        N=_matrix_from_json(data, "N") if "N" in data else None,
    )


def _stacked_from_json(data: Mapping[str, Any]) -> StackedSystem:
    plant = read_part(data, "plant", dict)
    if plant.get("type") != "LureSystem":
        raise CertificateFormatError("the plant of a StackedSystem must be an object of type LureSystem")
    blocks = [int(read_number(block, "blocks")) for block in read_part(data, "blocks", list)]
    return StackedSystem(_lure_from_json(plant), blocks)


def _polytope_from_json(data: Mapping[str, Any]) -> PolytopicSystem:
    vertices = read_part(data, "vertices", list)
    if not all(isinstance(v, dict) and v.get("type") == "LureSystem" for v in vertices):
        raise CertificateFormatError("the vertices of a PolytopicSystem must be objects of type LureSystem")
    return PolytopicSystem([_lure_from_json(vertex) for vertex in vertices], name=str(data.get("name")))


def _parametric_from_json(data: Mapping[str, Any]) -> ParametricSystem:
    systems, ends = read_part(data, "systems", list), read_part(data, "ends", list)
    if not all(isinstance(v, dict) and v.get("type") == "LureSystem" for v in systems) or len(ends) != 2:
        raise CertificateFormatError("a ParametricSystem has two ends, and systems of type LureSystem")
    return ParametricSystem(
        str(data.get("parameter")),
        (read_number(ends[0], "ends"), None if ends[1] is None else read_number(ends[1], "ends")),
        [read_number(node, "nodes") for node in read_part(data, "nodes", list)],
        [_lure_from_json(system) for system in systems],
        denominator=[read_number(c, "denominator") for c in read_part(data, "denominator", list)],
        name=str(data.get("name")),
    )


def _primal_dual_from_json(data: Mapping[str, Any]) -> PrimalDualSystem:
    return PrimalDualSystem(
        _class_from_json(data.get("oracle")),
        _matrix_from_json(data, "constraint"),
        dual_gain=read_number(data.get("dual_gain"), "dual_gain"),
        augmentation=read_number(data.get("augmentation"), "augmentation"),
        step=read_number(data["step"], "step") if "step" in data else 0,
        enclosures=_matrix_from_json(data, "enclosures"),
        name=str(data.get("name")),
    )


def _iteration_from_json(data: Mapping[str, Any]) -> PrimalDualIteration:
    return PrimalDualIteration(
        _class_from_json(data.get("f")),
        _class_from_json(data.get("g")),
        step_primal=read_number(data.get("step_primal"), "step_primal"),
        step_dual=read_number(data.get("step_dual"), "step_dual"),
        extrapolation=read_number(data.get("extrapolation"), "extrapolation"),
        operator=_matrix_from_json(data, "operator") if "operator" in data else None,
        intervals=_matrix_from_json(data, "intervals"),
        name=str(data.get("name")),
    )


def _proximal_from_json(data: Mapping[str, Any]) -> ProximalLagrangianSystem:
    return ProximalLagrangianSystem(
        _class_from_json(data.get("f")),
        _class_from_json(data.get("g")),
        penalty=read_number(data.get("penalty"), "penalty"),
        operator=_matrix_from_json(data, "operator") if "operator" in data else None,
        step=read_number(data["step"], "step") if "step" in data else 0,
        intervals=_matrix_from_json(data, "intervals"),
        name=str(data.get("name")),
    )


def _saddle_from_json(data: Mapping[str, Any]) -> SaddleSystem:
    return SaddleSystem(
        _class_from_json(data.get("f")),
        _class_from_json(data["g"]) if "g" in data else None,
        dual_gain=read_number(data.get("dual_gain"), "dual_gain"),
        augmentation=read_number(data["augmentation"], "augmentation") if "augmentation" in data else 0,
        operator=_matrix_from_json(data, "operator") if "operator" in data else None,
        step=read_number(data["step"], "step") if "step" in data else 0,
        intervals=_matrix_from_json(data, "intervals"),
        name=str(data.get("name")),
    )


def echo(value: object) -> str:
    """What was given, at a length that fits a sentence."""
    return f"{str(value)[:60]!r}"


def read_part(data: Mapping[str, Any], key: str, kind: type) -> Any:
    """A part that must be an object or an array."""
    value = data.get(key)
    if not isinstance(value, kind):
        raise CertificateFormatError(
            f'"{key}" must be a JSON {"object" if kind is dict else "array"}, it is missing or not'
        )
    return value


def read_number(value: object, name: str) -> Fraction:
    """A rational from its text."""
    if not isinstance(value, str):
        raise CertificateFormatError(f'{name} must be a rational such as "1/3", got {str(value)[:40]!r}')
    return rational(value, name=name)
