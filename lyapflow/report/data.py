"""The report for machines: the same facts as the page, as JSON data."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ..certificates.encoding import to_json
from .cascade import CascadeSection
from .document import Document, Item, build
from .evidence import EvidenceSection
from .factorization import FactorizationSection
from .items import PROVED, SEEN, SOLVER, Figure, Note, Table
from .numbers import approximate
from .quantities import Quantity
from .sections import CertificateSection, Section, SimulationSection

__all__ = ["to_data"]


def to_data(items: Sequence[Item], *, title: str | None = None) -> dict[str, Any]:
    """JSON twin of the report that `write_report` makes of the same items.

    Parameters
    ----------
    items : sequence of Certificate, Bracket, Simulation, Evidence, Table, Note and Figure
        What to report. Certificates are verified again.
    title : str, optional
        Title of the report.

    Returns
    -------
    dict
        Ready for `json.dumps`. Each number stands with its kind; rationals are strings ``"p/q"``.

    Examples
    --------
    >>> to_data([Note("About", "Two words.")])["sections"][0]["text"]
    'Two words.'
    """
    return describe(build(items, title))


def describe(document: Document) -> dict[str, Any]:
    """The document as JSON data."""
    return {
        "format": "lyapflow report",
        "schema": 1,
        "title": document.title,
        "proved": document.proved,
        "sections": [_section(section) for section in document.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    if isinstance(section, CertificateSection):
        return _certificate(section)
    if isinstance(section, CascadeSection):
        return _cascade(section)
    if isinstance(section, FactorizationSection):
        return _factorization(section)
    if isinstance(section, EvidenceSection):
        return _evidence(section)
    if isinstance(section, SimulationSection):
        return {
            "type": "simulation",
            "title": section.title,
            "certificate": section.source.digest,
            "members": [repr(member) for member in getattr(section.simulation.trajectory, "members", ())],
            "quantities": _quantities(section.quantities),
        }
    item = section.item
    found: dict[str, Any] = {"type": section.template, "title": item.title}
    if isinstance(item, Note):
        found["text"] = item.text
    elif isinstance(item, Figure):
        found |= {"kind": item.kind, "caption": item.caption}
    elif isinstance(item, Table):
        found |= {
            "header": list(item.header), "kinds": list(item.kinds), "rows": [[_cell(v) for v in r] for r in item.rows]
        }  # fmt: skip
    return found


def _cascade(section: CascadeSection) -> dict[str, Any]:
    stages: list[dict[str, Any]] = []
    for row in section.rows:
        stages.append({"name": row.name, "states": row.states, "oracles": row.oracles})
        if row.proved:
            gains = {"input gain": row.input_gain, "output gain": row.output_gain}
            stages[-1][PROVED] = {"decay": row.decay, **{n: str(v) for n, v in gains.items() if v is not None}}
        elif row.proved is not None:
            stages[-1]["NOT PROVED"] = row.reason
    return {
        "type": section.template,
        "title": section.title,
        "evidence": section.evidence,
        "stages": stages,
        "couplings": [{"from": a, "to": b, "signals": signals} for a, b, signals in section.couplings],
    }


def _factorization(section: FactorizationSection) -> dict[str, Any]:
    return {
        "type": section.template,
        "title": section.title,
        "condition": section.cascade.condition.explain(),
        "limit": section.limit,
        "bounds": [
            {"quantity": row.quantity, "bound": row.statement, "verdict": row.verdict, "constant": row.constant}
            | ({"decay": row.decay} if row.verdict != "NOT PROVED" else {"reason": row.reason})
            for row in section.rows
        ],
        "identities": [{"name": name, "statement": said, "verdict": PROVED} for name, said in section.identities],
    }


def _evidence(section: EvidenceSection) -> dict[str, Any]:
    found: dict[str, Any] = {"type": section.template, "title": section.title, "source": section.source}
    if section.failure is not None:
        return found | {"NOT PROVED": section.failure}
    pieces = [
        {"false" if r.is_false else "claim": r.claim, "ground": r.ground, "standing": r.standing} for r in section.rows
    ]
    return found | {"pieces": pieces}


def _certificate(section: CertificateSection) -> dict[str, Any]:
    certificate, verdict = section.certificate, section.verdict
    found: dict[str, Any] = {
        "type": "certificate",
        "title": section.title,
        "verdict": PROVED if verdict.proved else "NOT PROVED",
        "reason": verdict.reason,
        "violated": None if verdict.witness is None else str(verdict.witness),
        "digest": section.digest,
        "quantities": _quantities(section.quantities),
    }
    if verdict.proved:  # the file format, which needs every unknown
        found["theorem"] = section.statement.text
        found["certificate"] = None if section.digest is None else to_json(certificate)
        found["conditions"] = [{"name": step.name, "margin": str(step.margin)} for step in section.steps]
    else:
        found["unknowns"] = {name: str(value) for name, value in certificate.unknowns}
    if section.bracket is not None:
        found["bracket"] = {
            "witness": str(section.bracket.witness), "gap": str(section.bracket.gap),
            "contradiction": section.contradiction,
        }  # fmt: skip
    return found


def _quantities(quantities: Sequence[Quantity]) -> list[dict[str, Any]]:
    found = []
    for q in quantities:
        row: dict[str, Any] = {"key": q.key, "name": q.name}
        if q.proved is not None:
            row[PROVED] = {"exact": str(q.proved), "read": q.shown}
        if q.solver is not None:
            row[SOLVER] = q.solver
        if q.seen is not None:
            row[SEEN] = q.seen
        found.append(row)
    return found


def _cell(value: object) -> Any:
    if isinstance(value, Fraction):
        return {"exact": str(value), "decimal": approximate(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    return str(value)
