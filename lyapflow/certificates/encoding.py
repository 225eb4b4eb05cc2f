"""Certificates as JSON data and back: rationals as ``"p/q"``, classes and systems by their names, nothing evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any

from .. import classes
from ..dynamics import LureSystem, ParametricSystem, PolytopicSystem, PrimalDualIteration, PrimalDualSystem, System
from ..errors import CertificateFormatError
from ..exact.matrices import Matrix
from ..exact.rationals import as_text, rational
from ..lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from ..lmi.templates import QuadraticPlusValue, QuadraticStorage, Template, VariableMetric
from .certificate import SCHEMA, Certificate

__all__ = ["find_difference", "from_json", "to_json"]

_MOST_UNKNOWNS = 200_000
_CLASSES: Mapping[str, type] = {
    c.__name__: c
    for c in (
        classes.Cocoercive,
        classes.Convex,
        classes.ConvexIndicator,
        classes.GradientDominated,
        classes.Intersection,
        classes.Lipschitz,
        classes.Monotone,
        classes.Quadratic,
        classes.SectorBounded,
        classes.SlopeRestricted,
        classes.SmoothConvex,
        classes.SmoothStronglyConvex,
        classes.StronglyConvex,
        classes.StronglyMonotone,
        classes.SupportFunction,
    )
}


def to_json(certificate: Certificate) -> dict[str, Any]:
    """The certificate's content as JSON data, without its digest."""
    pencil = certificate.pencil()
    return {
        "format": "lyapflow certificate",
        "schema": SCHEMA,
        "system": _system_to_json(certificate.system),
        "claim": _claim_to_json(certificate.claim),
        "template": _template_to_json(certificate.template),
        "unknowns": {name: as_text(value) for name, value in certificate.unknowns},
        "equalities": {e.name: {name: as_text(value) for name, value in e.terms} for e in pencil.equalities},
        "supremum": None if certificate.supremum is None else repr(certificate.supremum),
        "versions": dict(certificate.versions),
    }


def from_json(data: dict[str, Any]) -> Certificate:
    """The certificate that JSON data describe, with numbers as texts; nothing is proved by reading it.

    Raises
    ------
    CertificateFormatError
        If a part is missing or of the wrong kind.
    InvalidModelError
        If the data cannot describe a model.
    """
    if data.get("schema") != str(SCHEMA):
        raise CertificateFormatError(f"schema must be {SCHEMA}, got {_echo(data.get('schema'))}. Use a newer lyapflow.")
    unknowns = _part(data, "unknowns", dict)
    if len(unknowns) > _MOST_UNKNOWNS:
        raise CertificateFormatError(f"a certificate has at most {_MOST_UNKNOWNS} unknowns, this has {len(unknowns)}")
    versions = _part(data, "versions", dict)
    supremum = data.get("supremum")
    return Certificate(
        system=_system_from_json(_part(data, "system", dict)),
        claim=_claim_from_json(_part(data, "claim", dict)),
        template=_template_from_json(_part(data, "template", dict)),
        unknowns=tuple((name, _number(value, f"unknown {name!r:.60}")) for name, value in unknowns.items()),
        supremum=None if supremum is None else _float(supremum),
        versions=tuple((str(tool), str(version)) for tool, version in versions.items()),
    )


def find_difference(expected: object, given: object, where: str = "") -> str | None:
    """Where JSON data differ from those expected, as a path; None if they are equal.

    >>> find_difference({"a": {"b": "1"}}, {"a": {"b": "1", "c": "2"}})
    'a/c'
    """
    if isinstance(expected, dict) and isinstance(given, dict):
        for key in (*expected, *(key for key in given if key not in expected)):
            path = f"{where}/{key[:60]}" if where else key[:60]
            if (key in expected) != (key in given):
                return path
            found = find_difference(expected[key], given[key], path)
            if found is not None:
                return found
        return None
    if isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        pairs = enumerate(zip(expected, given, strict=True))
        return next((d for k, (e, g) in pairs if (d := find_difference(e, g, f"{where}/{k}")) is not None), None)
    return None if type(expected) is type(given) and expected == given else where


def _echo(value: object) -> str:
    """What was given, at a length that fits a sentence."""
    return f"{str(value)[:60]!r}"


def _float(text: object) -> float:
    """A finite float, for the one number of a certificate that proves nothing."""
    try:
        value = float(str(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CertificateFormatError(f"supremum must be a finite float, got {_echo(text)}")
    return value


def _part(data: Mapping[str, Any], key: str, kind: type) -> Any:
    value = data.get(key)
    if not isinstance(value, kind):
        raise CertificateFormatError(
            f'"{key}" must be a JSON {"object" if kind is dict else "array"}, it is missing or not'
        )
    return value


def _number(value: object, name: str) -> Fraction:
    if not isinstance(value, str):
        raise CertificateFormatError(f'{name} must be a rational such as "1/3", got {str(value)[:40]!r}')
    return rational(value, name=name)


def _claim_to_json(claim: Claim) -> dict[str, str]:
    if isinstance(claim, Contraction):
        return {"type": "Contraction", "factor": _written(claim.factor)}
    if isinstance(claim, SublinearDecay):
        return {"type": "SublinearDecay", "order": _written(claim.order)}
    return {"type": "ExponentialDecay", "rate": _written(claim.rate)}


def _written(number: Fraction | None) -> str:
    if number is None:
        raise CertificateFormatError("a claim without a number cannot be saved; certify returns claims with one")
    return as_text(number)


def _claim_from_json(data: Mapping[str, Any]) -> Claim:
    kind = data.get("type")
    if kind == "ExponentialDecay":
        return ExponentialDecay(_number(data.get("rate"), "rate"))
    if kind == "Contraction":
        return Contraction(_number(data.get("factor"), "factor"))
    if kind == "SublinearDecay":
        return SublinearDecay(_number(data.get("order"), "order"))
    raise CertificateFormatError(
        f"claim type must be ExponentialDecay, Contraction or SublinearDecay, got {_echo(kind)}"
    )


def _template_to_json(template: Template) -> dict[str, Any]:
    if isinstance(template, VariableMetric):
        return {"type": "VariableMetric", "form": _template_to_json(template.form)}
    if isinstance(template, QuadraticPlusValue):
        outputs = {"outputs": True} if template.outputs else {}
        return {"type": "QuadraticPlusValue", "definite": template.definite, **outputs}
    return {"type": "QuadraticStorage"}


def _template_from_json(data: Mapping[str, Any]) -> Template:
    kind, definite, outputs = data.get("type"), data.get("definite", False), data.get("outputs", False)
    if kind == "VariableMetric":
        form = _template_from_json(_part(data, "form", dict))
        if isinstance(form, VariableMetric):
            raise CertificateFormatError("the form of a VariableMetric must be a plain one")
        return VariableMetric(form)
    if kind == "QuadraticStorage":
        return QuadraticStorage()
    if kind == "QuadraticPlusValue" and isinstance(definite, bool) and isinstance(outputs, bool):
        return QuadraticPlusValue(definite=definite, outputs=outputs)
    raise CertificateFormatError(
        f"template must be QuadraticStorage, QuadraticPlusValue or VariableMetric, got {_echo(dict(data))}"
    )


def _class_to_json(oracle: Any) -> dict[str, Any]:
    name = type(oracle).__name__
    if _CLASSES.get(name) is not type(oracle):
        raise CertificateFormatError(
            f"only the classes of lyapflow can be saved, so that any copy can verify the file; got {_echo(oracle)}"
        )
    if isinstance(oracle, classes.Intersection):
        return {"class": name, "parts": [_class_to_json(part) for part in oracle.parts]}
    return {"class": name, **{f.name: as_text(getattr(oracle, f.name)) for f in fields(_CLASSES[name])}}


def _class_from_json(data: Any) -> Any:
    if not isinstance(data, dict):
        raise CertificateFormatError(f"a class must be a JSON object, got {_echo(data)}")
    kind = _CLASSES.get(str(data.get("class")))
    if kind is None:
        raise CertificateFormatError(
            f"class must be one of {', '.join(sorted(_CLASSES))}, got {_echo(data.get('class'))}"
        )
    wanted = {f.name for f in fields(kind)}
    if set(data) != wanted | {"class"}:
        raise CertificateFormatError(
            f"{kind.__name__} has the parameters {sorted(wanted)}, got {_echo(sorted(set(data) - {'class'}))}"
        )
    if kind is classes.Intersection:
        parts = _part(data, "parts", list)
        if any(isinstance(part, dict) and part.get("class") == "Intersection" for part in parts):
            raise CertificateFormatError("the parts of an Intersection must not be intersections themselves")
        return classes.Intersection(*map(_class_from_json, parts))
    return kind(**{name: _number(data[name], f"{kind.__name__}: {name}") for name in wanted})


def _matrix_to_json(m: Matrix) -> list[list[str]]:
    return [[as_text(v) for v in row] for row in m]


def _matrix_from_json(data: Mapping[str, Any], key: str) -> list[list[Fraction]]:
    rows = _part(data, key, list)
    if not all(isinstance(row, list) for row in rows):
        raise CertificateFormatError(f'"{key}" must be an array of rows')
    return [[_number(v, key) for v in row] for row in rows]


def _system_to_json(system: System) -> dict[str, Any]:
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
    if isinstance(system, PolytopicSystem):
        return {
            "type": "PolytopicSystem",
            "name": system.name,
            "vertices": [_system_to_json(vertex) for vertex in system.vertices],
        }
    if isinstance(system, ParametricSystem):
        return {
            "type": "ParametricSystem",
            "name": system.name,
            "parameter": system.parameter,
            "ends": [None if end is None else as_text(end) for end in system.ends],
            "nodes": [as_text(node) for node in system.nodes],
            "systems": [_system_to_json(node) for node in system.systems],
            "denominator": [as_text(c) for c in system.denominator],
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


def _system_from_json(data: Mapping[str, Any]) -> System:
    readers: Mapping[str, Callable[[Mapping[str, Any]], System]] = {
        "LureSystem": _lure_from_json,
        "PrimalDualSystem": _primal_dual_from_json,
        "PrimalDualIteration": _iteration_from_json,
        "PolytopicSystem": _polytope_from_json,
        "ParametricSystem": _parametric_from_json,
    }
    reader = readers.get(str(data.get("type")))
    if reader is None:
        raise CertificateFormatError(f"system type must be one of {', '.join(readers)}, got {_echo(data.get('type'))}")
    return reader(data)


def _lure_from_json(data: Mapping[str, Any]) -> LureSystem:
    return LureSystem(
        *(_matrix_from_json(data, key) for key in "ABCD"),
        oracles=[_class_from_json(item) for item in _part(data, "oracles", list)],
        dt=_number(data.get("dt"), "dt"),
        name=str(data.get("name")),
        oracle_names=[str(name) for name in _part(data, "oracle_names", list)],
        groups=[int(_number(group, "groups")) for group in _part(data, "groups", list)] if "groups" in data else None,
        N=_matrix_from_json(data, "N") if "N" in data else None,
    )


def _polytope_from_json(data: Mapping[str, Any]) -> PolytopicSystem:
    vertices = _part(data, "vertices", list)
    if not all(isinstance(v, dict) and v.get("type") == "LureSystem" for v in vertices):
        raise CertificateFormatError("the vertices of a PolytopicSystem must be objects of type LureSystem")
    return PolytopicSystem([_lure_from_json(vertex) for vertex in vertices], name=str(data.get("name")))


def _parametric_from_json(data: Mapping[str, Any]) -> ParametricSystem:
    systems, ends = _part(data, "systems", list), _part(data, "ends", list)
    if not all(isinstance(v, dict) and v.get("type") == "LureSystem" for v in systems) or len(ends) != 2:
        raise CertificateFormatError("a ParametricSystem has two ends, and systems of type LureSystem")
    return ParametricSystem(
        str(data.get("parameter")),
        (_number(ends[0], "ends"), None if ends[1] is None else _number(ends[1], "ends")),
        [_number(node, "nodes") for node in _part(data, "nodes", list)],
        [_lure_from_json(system) for system in systems],
        denominator=[_number(c, "denominator") for c in _part(data, "denominator", list)],
        name=str(data.get("name")),
    )


def _primal_dual_from_json(data: Mapping[str, Any]) -> PrimalDualSystem:
    return PrimalDualSystem(
        _class_from_json(data.get("oracle")),
        _matrix_from_json(data, "constraint"),
        dual_gain=_number(data.get("dual_gain"), "dual_gain"),
        augmentation=_number(data.get("augmentation"), "augmentation"),
        step=_number(data["step"], "step") if "step" in data else 0,
        enclosures=_matrix_from_json(data, "enclosures"),
        name=str(data.get("name")),
    )


def _iteration_from_json(data: Mapping[str, Any]) -> PrimalDualIteration:
    return PrimalDualIteration(
        _class_from_json(data.get("f")),
        _class_from_json(data.get("g")),
        step_primal=_number(data.get("step_primal"), "step_primal"),
        step_dual=_number(data.get("step_dual"), "step_dual"),
        extrapolation=_number(data.get("extrapolation"), "extrapolation"),
        operator=_matrix_from_json(data, "operator") if "operator" in data else None,
        intervals=_matrix_from_json(data, "intervals"),
        name=str(data.get("name")),
    )
