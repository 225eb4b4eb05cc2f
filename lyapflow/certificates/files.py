"""Certificate files: JSON with rationals as ``"p/q"``. Loading evaluates no code and unpickles nothing."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from .. import classes
from ..dynamics import LureSystem, PrimalDualSystem, System
from ..errors import CertificateFormatError, LyapflowError
from ..exact.matrices import Matrix
from ..exact.rationals import as_text, rational
from ..lmi.claims import ExponentialDecay
from ..lmi.templates import QuadraticPlusValue, QuadraticStorage, Template
from .certificate import SCHEMA, Certificate

__all__ = ["Stored", "load", "read", "save", "to_json", "write_atomically"]

_MOST_BYTES = 64 * 2**20
_MOST_UNKNOWNS = 200_000
_CLASSES: Mapping[str, type] = {
    c.__name__: c
    for c in (
        classes.Cocoercive,
        classes.Convex,
        classes.ConvexIndicator,
        classes.GradientDominated,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A certificate as it was read, and what is wrong with the file around it."""

    certificate: Certificate
    complaint: str | None


def to_json(certificate: Certificate) -> dict[str, Any]:
    """The certificate's content as JSON data, without its digest."""
    pencil = certificate.pencil()
    return {
        "format": "lyapflow certificate",
        "schema": SCHEMA,
        "system": _system_to_json(certificate.system),
        "claim": {"type": "ExponentialDecay", "rate": as_text(certificate.rate)},
        "template": _template_to_json(certificate.template),
        "unknowns": {name: as_text(value) for name, value in certificate.unknowns},
        "equalities": {e.name: {name: as_text(value) for name, value in e.terms} for e in pencil.equalities},
        "supremum": None if certificate.supremum is None else repr(certificate.supremum),
        "versions": dict(certificate.versions),
    }


def save(certificate: Certificate, path: Path | str) -> Path:
    """Write a certificate to a JSON file, atomically.

    Parameters
    ----------
    certificate : Certificate
        What to save.
    path : path or str
        Where; an existing file is replaced only by a complete one.

    Returns
    -------
    Path
        The file.
    """
    content = {**to_json(certificate), "digest": certificate.digest}
    return write_atomically(path, json.dumps(content, indent=1, ensure_ascii=True) + "\n")


def write_atomically(path: Path | str, text: str) -> Path:
    """Write a text file so that readers see the old content or the new one, never a part."""
    target = Path(path)
    if not target.parent.is_dir():
        raise CertificateFormatError("the folder does not exist; create it first", path=target)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(target)
    except BaseException:  # Ctrl-C included: leave no partial file behind, then let it pass
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def load(path: Path | str) -> Certificate:
    """Read a certificate from a file. Reading proves nothing: see `lyapflow.verify`.

    Raises
    ------
    CertificateFormatError
        If the file cannot be read as a certificate, or is not the one that was saved (its digest differs).
    """
    stored = read(path)
    if stored.complaint is not None:
        raise CertificateFormatError(stored.complaint, path=Path(path))
    return stored.certificate


def read(path: Path | str) -> Stored:
    """Read a certificate and compare its digest and equalities with its content.

    Raises
    ------
    CertificateFormatError
        If the file cannot be read as a certificate.
    """
    source = Path(path)
    data = _read_json(source)
    try:
        certificate = _from_json(data)
        complaint = _complaint(certificate, data)
    except CertificateFormatError as problem:
        raise CertificateFormatError(str(problem), path=source) from None
    except LyapflowError as problem:
        raise CertificateFormatError(f"the data describe no valid model: {problem}", path=source) from problem
    return Stored(certificate=certificate, complaint=complaint)


def _read_json(source: Path) -> dict[str, Any]:
    try:
        size = source.stat().st_size
        if size > _MOST_BYTES:
            raise CertificateFormatError(
                f"a certificate file has at most {_MOST_BYTES} bytes, this has {size}", path=source
            )
        text = source.read_bytes().decode("utf-8")
        data = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_unique)
    except OSError as problem:
        raise CertificateFormatError(f"cannot be read: {problem.strerror}", path=source) from None
    except UnicodeDecodeError:
        raise CertificateFormatError("is not text in UTF-8, so it is not a certificate", path=source) from None
    except (json.JSONDecodeError, RecursionError) as problem:
        raise CertificateFormatError(f"is not complete JSON ({problem})", path=source) from None
    except ValueError as problem:
        raise CertificateFormatError(str(problem), path=source) from None
    if not isinstance(data, dict) or data.get("format") != "lyapflow certificate":
        raise CertificateFormatError('is JSON, but not a lyapflow certificate (no "format")', path=source)
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a JSON object has a key twice, so it is not a certificate")
    return found


def _from_json(data: dict[str, Any]) -> Certificate:
    if data.get("schema") != str(SCHEMA):
        raise CertificateFormatError(f"schema must be {SCHEMA}, got {data.get('schema')!r}. Use a newer lyapflow.")
    claim = _part(data, "claim", dict)
    if claim.get("type") != "ExponentialDecay":
        raise CertificateFormatError(f"claim type must be ExponentialDecay, got {claim.get('type')!r}")
    unknowns = _part(data, "unknowns", dict)
    if len(unknowns) > _MOST_UNKNOWNS:
        raise CertificateFormatError(f"a certificate has at most {_MOST_UNKNOWNS} unknowns, this has {len(unknowns)}")
    versions = _part(data, "versions", dict)
    supremum = data.get("supremum")
    return Certificate(
        system=_system_from_json(_part(data, "system", dict)),
        claim=ExponentialDecay(_number(claim.get("rate"), "rate")),
        template=_template_from_json(_part(data, "template", dict)),
        unknowns=tuple((name, _number(value, f"unknown {name!r}")) for name, value in unknowns.items()),
        supremum=None if supremum is None else float(_number(supremum, "supremum")),
        versions=tuple((str(tool), str(version)) for tool, version in versions.items()),
    )


def _complaint(certificate: Certificate, data: dict[str, Any]) -> str | None:
    if set(certificate.values) != set(certificate.pencil().unknowns):
        return None  # verification says so with the names
    expected = to_json(certificate)
    if data.get("equalities") != expected["equalities"]:
        return "the equalities in the file are not those of its claim: the file was edited"
    if data.get("digest") != certificate.digest:
        return "the digest in the file is not that of its content: the file was edited or damaged after it was saved"
    return None


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


def _template_to_json(template: Template) -> dict[str, Any]:
    if isinstance(template, QuadraticPlusValue):
        return {"type": "QuadraticPlusValue", "definite": template.definite}
    return {"type": "QuadraticStorage"}


def _template_from_json(data: Mapping[str, Any]) -> Template:
    kind, definite = data.get("type"), data.get("definite", False)
    if kind == "QuadraticStorage":
        return QuadraticStorage()
    if kind == "QuadraticPlusValue" and isinstance(definite, bool):
        return QuadraticPlusValue(definite=definite)
    raise CertificateFormatError(f"template must be QuadraticStorage or QuadraticPlusValue, got {dict(data)!r}")


def _class_to_json(oracle: Any) -> dict[str, str]:
    name = type(oracle).__name__
    if _CLASSES.get(name) is not type(oracle):
        raise CertificateFormatError(
            f"only the classes of lyapflow can be saved, so that any copy of it can verify the file; got {oracle!r}"
        )
    return {"class": name, **{f.name: as_text(getattr(oracle, f.name)) for f in fields(_CLASSES[name])}}


def _class_from_json(data: Any) -> Any:
    if not isinstance(data, dict):
        raise CertificateFormatError(f"a class must be a JSON object, got {data!r}")
    kind = _CLASSES.get(str(data.get("class")))
    if kind is None:
        raise CertificateFormatError(f"class must be one of {', '.join(sorted(_CLASSES))}, got {data.get('class')!r}")
    wanted = {f.name for f in fields(kind)}
    if set(data) != wanted | {"class"}:
        raise CertificateFormatError(
            f"{kind.__name__} has the parameters {sorted(wanted)}, got {sorted(set(data) - {'class'})}"
        )
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
            "enclosures": _matrix_to_json(system.enclosures),
        }
    return {
        "type": "LureSystem",
        "name": system.name,
        **{key: _matrix_to_json(getattr(system, key)) for key in "ABCD"},
        "dt": as_text(system.dt),
        "oracles": [_class_to_json(oracle) for oracle in system.oracles],
        "oracle_names": list(system.oracle_names),
    }


def _system_from_json(data: Mapping[str, Any]) -> System:
    readers: Mapping[str, Callable[[Mapping[str, Any]], System]] = {
        "LureSystem": _lure_from_json,
        "PrimalDualSystem": _primal_dual_from_json,
    }
    reader = readers.get(str(data.get("type")))
    if reader is None:
        raise CertificateFormatError(f"system type must be one of {', '.join(readers)}, got {data.get('type')!r}")
    return reader(data)


def _lure_from_json(data: Mapping[str, Any]) -> LureSystem:
    return LureSystem(
        *(_matrix_from_json(data, key) for key in "ABCD"),
        oracles=[_class_from_json(item) for item in _part(data, "oracles", list)],
        dt=_number(data.get("dt"), "dt"),
        name=str(data.get("name")),
        oracle_names=[str(name) for name in _part(data, "oracle_names", list)],
    )


def _primal_dual_from_json(data: Mapping[str, Any]) -> PrimalDualSystem:
    return PrimalDualSystem(
        _class_from_json(data.get("oracle")),
        _matrix_from_json(data, "constraint"),
        dual_gain=_number(data.get("dual_gain"), "dual_gain"),
        augmentation=_number(data.get("augmentation"), "augmentation"),
        enclosures=_matrix_from_json(data, "enclosures"),
        name=str(data.get("name")),
    )
