"""Certificates as JSON data and back: claims, forms of V and unknowns around the system of `models`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any

from ..errors import CertificateFormatError
from ..exact.rationals import as_text
from ..lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from ..lmi.delay_claims import DelayTolerance
from ..lmi.gain_claims import GainClaim, InputToState, L2Gain, NoiseAmplification, Port
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability, ScaledClaim
from ..lmi.templates import (
    AdjointStorage,
    QuadraticPlusValue,
    QuadraticStorage,
    Template,
    VariableMetric,
    ZamesFalb,
)
from ..lmi.time_scales import FiniteTime, FixedTime, PrescribedTime
from .certificate import SCHEMA, Certificate
from .models import echo, read_number, read_part, system_from_json, system_to_json

__all__ = ["find_difference", "from_json", "to_json"]

_MOST_UNKNOWNS = 200_000


def to_json(certificate: Certificate) -> dict[str, Any]:
    """The certificate's content as JSON data, without its digest."""
    pencil = certificate.pencil()
    return {
        "format": "lyapflow certificate",
        "schema": SCHEMA,
        "system": system_to_json(certificate.system),
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
        raise CertificateFormatError(f"schema must be {SCHEMA}, got {echo(data.get('schema'))}. Use a newer lyapflow.")
    unknowns = read_part(data, "unknowns", dict)
    if len(unknowns) > _MOST_UNKNOWNS:
        raise CertificateFormatError(f"a certificate has at most {_MOST_UNKNOWNS} unknowns, this has {len(unknowns)}")
    versions = read_part(data, "versions", dict)
    supremum = data.get("supremum")
    return Certificate(
        system=system_from_json(read_part(data, "system", dict)),
        claim=_claim_from_json(read_part(data, "claim", dict)),
        template=_template_from_json(read_part(data, "template", dict)),
        unknowns=tuple((name, read_number(value, f"unknown {name!r:.60}")) for name, value in unknowns.items()),
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


def _float(text: object) -> float:
    """A finite float, for the one number of a certificate that proves nothing."""
    try:
        value = float(str(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CertificateFormatError(f"supremum must be a finite float, got {echo(text)}")
    return value


def _claim_to_json(claim: Claim | ScaledClaim | GainClaim) -> dict[str, Any]:
    if isinstance(claim, ScaledClaim):
        return _scaled_to_json(claim)
    if isinstance(claim, GainClaim):
        return _gain_to_json(claim)
    if isinstance(claim, Contraction):
        return {"type": "Contraction", "factor": _written(claim.factor)}
    if isinstance(claim, SublinearDecay):
        return {"type": "SublinearDecay", "order": _written(claim.order)}
    return {"type": "ExponentialDecay", "rate": _written(claim.rate)}


def _written(number: Fraction | None) -> str:
    if number is None:
        raise CertificateFormatError("a claim without a number cannot be saved; certify returns claims with one")
    return as_text(number)


def _claim_from_json(data: Mapping[str, Any]) -> Claim | ScaledClaim | GainClaim:
    kind = data.get("type")
    if isinstance(kind, str) and kind in _SCALED:
        return _scaled_from_json(data)
    if isinstance(kind, str) and kind in _GAINS:
        return _gain_from_json(data)
    if kind == "ExponentialDecay":
        return ExponentialDecay(read_number(data.get("rate"), "rate"))
    if kind == "Contraction":
        return Contraction(read_number(data.get("factor"), "factor"))
    if kind == "SublinearDecay":
        return SublinearDecay(read_number(data.get("order"), "order"))
    raise CertificateFormatError(
        f"claim type must be one of ExponentialDecay, Contraction, SublinearDecay, "
        f"{', '.join((*_SCALED, *_GAINS))}, got {echo(kind)}"
    )


_GAINS = ("L2Gain", "InputToState", "DelayTolerance", "NoiseAmplification")


def _gain_to_json(claim: GainClaim) -> dict[str, Any]:
    """Ports as names or matrices, numbers as texts; for a delay also the two bounds that follow from it."""
    found: dict[str, Any] = {"type": type(claim).__name__}
    for f in fields(claim):
        value = getattr(claim, f.name)
        if isinstance(value, Port):
            found[f.name] = {
                key: [[as_text(v) for v in row] for row in getattr(value, key)] for key in ("state", "oracles")
            }
        else:
            found[f.name] = value if isinstance(value, str) else _numbers_to_json(value)
    _written(claim.number)
    if isinstance(claim, DelayTolerance):
        found |= {"stretch": as_text(claim.stretch), "growth": as_text(claim.growth)}
    return found


def _read_row(row: object, name: str) -> list[Fraction]:
    if not isinstance(row, list):
        raise CertificateFormatError(f"a row of {name} must be a JSON array, got {echo(row)}")
    return [read_number(value, name) for value in row]


def _gain_from_json(data: Mapping[str, Any]) -> GainClaim:
    """The claim of its fields; that the rest follows from them is checked with the whole file."""

    def number(name: str) -> Fraction | None:
        return None if data.get(name) is None else read_number(data.get(name), name)

    def port(name: str) -> str | Port:
        given = data.get(name)
        if isinstance(given, str):
            return given
        part = read_part(data, name, dict)
        state, oracles = (
            tuple(tuple(_read_row(row, key)) for row in read_part(part, key, list)) for key in ("state", "oracles")
        )
        return Port(state, oracles)

    if data["type"] == "L2Gain":
        return L2Gain(port("input"), port("output"), read_number(data.get("gain"), "gain"))
    if data["type"] == "NoiseAmplification":
        return NoiseAmplification(port("input"), port("output"), read_number(data.get("variance"), "variance"))
    if data["type"] == "InputToState":
        return InputToState(number("rate"), number("factor"), read_number(data.get("gain"), "gain"), port("input"))
    return DelayTolerance(read_number(data.get("delay"), "delay"), read_number(data.get("rate"), "rate"))


_SCALED = ("FiniteTimeStability", "FixedTimeStability", "PrescribedTimeStability")


def _scaled_to_json(claim: ScaledClaim) -> dict[str, Any]:
    """All fields, with what follows from them: exponents and coefficients of the decrease of V, for the reader."""
    numbers = {f.name: _numbers_to_json(getattr(claim, f.name)) for f in fields(claim) if f.name != "scale"}
    scale = {f.name: _numbers_to_json(getattr(claim.scale, f.name)) for f in fields(claim.scale)}
    follows = {name: _numbers_to_json(getattr(claim, name)) for name in ("exponents", "coefficients")}
    return {"type": type(claim).__name__, "scale": scale, **numbers, **follows}


def _numbers_to_json(value: Fraction | tuple[Fraction, ...] | None) -> str | list[str] | None:
    if value is None:
        return None
    return [as_text(v) for v in value] if isinstance(value, tuple) else as_text(value)


def _scaled_from_json(data: Mapping[str, Any]) -> ScaledClaim:
    """The claim of its fields; that the rest follows from them is checked with the whole file."""
    scale = read_part(data, "scale", dict)

    def number(name: str) -> Fraction:
        return read_number(data.get(name), name)

    if data["type"] == "PrescribedTimeStability":
        limit = None if data.get("speed_limit") is None else number("speed_limit")
        prescribed = PrescribedTime(read_number(scale.get("time"), "time"), read_number(scale.get("gain"), "gain"))
        return PrescribedTimeStability(prescribed, number("rate"), limit)
    alpha = read_number(scale.get("alpha"), "alpha")
    if data["type"] == "FiniteTimeStability":
        finite = FiniteTime(alpha, read_number(scale.get("gain"), "gain"))
        return FiniteTimeStability(finite, number("decay"), number("dissipation"))
    gains = read_part(scale, "gains", list)
    if len(gains) != 2:
        raise CertificateFormatError(f"a FixedTime has two gains, got {echo(gains)}")
    first, second = (read_number(gain, "gains") for gain in gains)
    fixed = FixedTime(alpha, read_number(scale.get("beta"), "beta"), (first, second))
    return FixedTimeStability(fixed, number("decay"), number("dissipation"), number("rate"), number("speed"))


def _template_to_json(template: Template) -> dict[str, Any]:
    if isinstance(template, AdjointStorage):
        return {"type": "AdjointStorage", "form": _template_to_json(template.form)}
    if isinstance(template, VariableMetric):
        return {"type": "VariableMetric", "form": _template_to_json(template.form)}
    if isinstance(template, ZamesFalb):
        poles = [as_text(pole) for pole in template.poles or ()]
        return {
            "type": "ZamesFalb", "poles": poles, "causal": template.causal, "anticausal": template.anticausal,
            "value": template.value,
        }  # fmt: skip
    if isinstance(template, QuadraticPlusValue):
        outputs = {"outputs": True} if template.outputs else {}
        return {"type": "QuadraticPlusValue", "definite": template.definite, **outputs}
    return {"type": "QuadraticStorage"}


def _template_from_json(data: Mapping[str, Any]) -> Template:
    kind, definite, outputs = data.get("type"), data.get("definite", False), data.get("outputs", False)
    if kind in ("VariableMetric", "AdjointStorage"):
        form = _template_from_json(read_part(data, "form", dict))
        if isinstance(form, AdjointStorage | VariableMetric | ZamesFalb):
            raise CertificateFormatError(f"the form of {kind} must be a plain one")
        return VariableMetric(form) if kind == "VariableMetric" else AdjointStorage(form)
    if kind == "QuadraticStorage":
        return QuadraticStorage()
    if kind == "QuadraticPlusValue" and isinstance(definite, bool) and isinstance(outputs, bool):
        return QuadraticPlusValue(definite=definite, outputs=outputs)
    if kind == "ZamesFalb":
        poles = tuple(read_number(pole, "poles") for pole in read_part(data, "poles", list))
        causal, anticausal, value = (data.get(name) is True for name in ("causal", "anticausal", "value"))
        return ZamesFalb(poles, causal=causal, anticausal=anticausal, value=value)
    raise CertificateFormatError(
        f"template must be QuadraticStorage, QuadraticPlusValue, AdjointStorage, VariableMetric or ZamesFalb, got "
        f"{echo(dict(data))}"
    )
