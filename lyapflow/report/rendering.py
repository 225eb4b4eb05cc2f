"""From the document to one HTML file: no script, no network, the same bytes for the same items."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..certificates import Certificate
from ..certificates.files import write_atomically
from ..classes import Intersection, OperatorClass
from ..coq.compiler import CoqVerdict
from ..dynamics import PrimalDualIteration, ProximalLagrangianSystem, SaddleSystem, System
from ..lmi.groups import find_leaders
from . import figures
from .cascade import CascadeSection, draw_cascade
from .clock import is_sublinear
from .document import Document, Item, build
from .factorization import FactorizationSection, draw_stages
from .formulas import Math, Sentence
from .items import KINDS, PROVED, Figure
from .iteration import storage_symbol
from .memory import find_filter
from .numbers import approximate, with_decimal
from .parametric import write_denominator
from .sections import CertificateSection, ItemSection, SimulationSection
from .settling_curves import choose_curves, has_curves
from .stacked import add_rows, rows_of_vectors
from .symbols import MOST_WRITTEN, Symbols, inequality_terms, is_wide, is_written
from .typeset import typeset

if TYPE_CHECKING:
    from jinja2 import Environment

    from .proof import Used

__all__ = ["render", "write_report"]


def write_report(
    path: Path | str,
    *items: Item,
    title: str | None = None,
    machine_checks: Mapping[Certificate, CoqVerdict] | None = None,
) -> Path:
    """Write one self-contained HTML page about certificates and what belongs to them.

    Every certificate is verified again while the report is written; one that fails is printed as NOT PROVED with the
    inequality that is violated, and none of its bounds appear as proved.

    Parameters
    ----------
    path : path or str
        The file; an existing one is replaced only by a complete one.
    *items : Certificate, Bracket, Simulation, Evidence, Table, Note or Figure
        What to report, in order. A certificate is printed once; a bracket adds its witness, a simulation its figures;
        evidence is derived now.
    title : str, optional
        Title of the page; by default that of the first section.
    machine_checks : mapping of Certificate to CoqVerdict, optional
        What `lyapflow.verify_coq` said of certificates; where a theorem was accepted, the page says so and holds it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidModelError
        If an item is none of these, or a trajectory is not one of its certificate's system.

    Notes
    -----
    The file has no time stamp and the same bytes for the same items and versions of the tools.
    """
    return write_atomically(path, render(build(items, title, machine_checks)))


def render(document: Document) -> str:
    """The page."""
    template = _environment().get_template("report.html.j2")
    with figures.style():
        return template.render(
            document=document,
            figures=_figures(document),
            kinds=KINDS,
            versions=_versions(),
            titles=_part_titles(),
        )


@cache
def _environment() -> Environment:
    """The templates, compiled once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lyapflow.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {
        "math": _math, "sentence": _sentence, "cell": _cell, "kind_class": _kind_class, "paragraphs": _paragraphs,
        "denominator_of": write_denominator,
        "decimal": approximate, "float": _float, "describe_class": _describe_class, "describe_member": _describe_member,
    }  # fmt: skip
    environment.globals["inequality_formula"] = _inequality_formula
    environment.globals["first_rows"] = _first_rows
    environment.globals["has_vectors"] = rows_of_vectors
    environment.globals["symbols_of"] = Symbols.of
    environment.globals["storage_symbol"] = _storage_symbol
    environment.globals["is_wide"] = is_wide
    environment.globals["is_written"] = is_written
    environment.globals["most_written"] = MOST_WRITTEN
    environment.globals["zip"] = zip
    return environment


def _storage_symbol(system: System, label: str) -> str:
    """Symbol of the storage matrix of a mode."""
    if isinstance(system, PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem):
        return storage_symbol(label)
    return "P" + (f"_{{{0 if label == 'null' else label.removeprefix('sigma')}}}" if label else "")


def _math(formula: Math | str) -> Any:
    from markupsafe import Markup

    return Markup(typeset(formula.tex if isinstance(formula, Math) else formula))


def _sentence(sentence: Sentence) -> Any:
    from markupsafe import Markup, escape

    return Markup("").join(_math(part) if isinstance(part, Math) else escape(part) for part in sentence)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, Fraction):
        return with_decimal(value)
    if isinstance(value, float):
        return _float(value)
    return str(value)


def _float(value: float) -> str:
    return f"{value:.9g}" if math.isfinite(value) else str(value)


def _describe_class(oracle: OperatorClass) -> str:
    """Name and exact parameters, without Fraction(...)."""
    if isinstance(oracle, Intersection):
        return f"Intersection({', '.join(map(_describe_class, oracle.parts))})"
    names: list[str] = [f.name for f in fields(oracle)] if is_dataclass(oracle) else []
    parameters = [f"{name}={getattr(oracle, name)}" for name in names]
    return f"{type(oracle).__name__}({', '.join(parameters)})"


def _describe_member(member: object) -> str:
    """What a concrete oracle is, without its data."""
    dimension, known = getattr(member, "dimension", None), getattr(member, "operator_class", None)
    parts = [type(member).__name__]
    if dimension is not None:
        parts.append(f"d = {dimension}")
    if known is not None:
        parts.append(f"a member of {_describe_class(known)}")
    return ", ".join(parts)


def _kind_class(kind: str) -> str:
    return {"proved": "proved", "solver's word": "solver", "seen in simulation": "seen"}.get(kind, "plain")


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in str(text).replace("\r\n", "\n").split("\n\n") if part.strip()]


def _inequality_formula(section: CertificateSection, used: Used) -> list[Math]:
    """A class inequality with its exact numbers."""
    from .formulas import combine

    symbols = Symbols.of(section.certificate.core.system)
    system = section.certificate.core.system
    lines = combine(inequality_terms(used.inequality, symbols, used.points, used.label), [], width=60)
    if find_filter(used.points, used.inequality) is not None:  # its integral is nonnegative
        return list(lines)
    if used.points[0][1].oracle in rows_of_vectors(system):
        return [*lines, *add_rows(system, [used.label])]
    return [*lines[:-1], Math(lines[-1].tex + r" \geq 0")]


def _first_rows(section: CertificateSection, used: tuple[Used, ...]) -> list[Used]:
    """Class inequalities without those of the other rows of a function of several arguments."""
    leaders = find_leaders(section.certificate.core.system)
    return [u for u in used if leaders[u.points[0][1].oracle] == u.points[0][1].oracle]


def _figures(document: Document) -> dict[str, list[tuple[str, str, Any]]]:
    """Kind, caption and SVG of the figures of each section."""
    found: dict[str, list[tuple[str, str, Any]]] = {}
    for section in document.sections:
        if isinstance(section, SimulationSection):
            found[section.anchor] = _simulation_figures(section)
        elif isinstance(section, CascadeSection):
            caption = "Who drives whom. Arrows carry states and outputs of oracles; feedback, if there is any, is red."
            draw = partial(draw_cascade, cascade=section.cascade)
            found[section.anchor] = [("", caption, _svg(draw, section.anchor, section.size))]
        elif isinstance(section, FactorizationSection):
            caption = (
                "Stages along the closed form, in floating point, and their bounds. What is below 1e-15 of the start "
                "is rounding, and not drawn."
            )
            draw = partial(draw_stages, cascade=section.cascade)
            found[section.anchor] = [("", caption, _svg(draw, section.anchor, (8.4, 2.6)))]
        elif isinstance(section, CertificateSection) and section.is_scaled:
            found[section.anchor] = _settling_figures(section)
        elif isinstance(section, CertificateSection) and section.has_portrait:
            draw = partial(figures.draw_portrait, certificate=section.certificate)
            caption = (
                "Phase portraits with the extremal linear members of the classes (d = 1, around the equilibrium), "
                "computed in floating point. Dashed: level sets of V for that member."
            )
            found[section.anchor] = [("seen in simulation", caption, _svg(draw, section.anchor, (6.6, 3.3)))]
        elif isinstance(section, ItemSection) and isinstance(section.item, Figure):
            item = section.item
            found[section.anchor] = [(item.kind, item.caption, _svg(item.draw, section.anchor, (6.2, 3.4)))]
    return found


def _settling_figures(section: CertificateSection) -> list[tuple[str, str, Any]]:
    if not section.verdict.proved or not has_curves(section.certificate):
        return []
    draw, caption = choose_curves(section.certificate)
    return [(PROVED, caption, _svg(partial(draw, certificate=section.certificate), section.anchor, (6.4, 3.2)))]


def _simulation_figures(section: SimulationSection) -> list[tuple[str, str, Any]]:
    proved = section.source.verdict.proved
    if not proved:
        return []
    certificate, trajectory = section.simulation.certificate, section.simulation.trajectory
    common: dict[str, Any] = {"certificate": certificate, "trajectory": trajectory}
    draw = partial(figures.draw_storage, **common, proved=proved)
    caption = "Storage along the trajectory and its proved bound. What is below 1e-14 V(0) is rounding, and not drawn."
    found = [("", caption, _svg(draw, f"{section.anchor}-v"))]
    if is_sublinear(certificate):
        draw = partial(figures.draw_scaled_value, **common, proved=proved)
        caption = "The function value above its minimum, times the power of time that is proved, under its bound."
        found.insert(0, ("", caption, _svg(draw, f"{section.anchor}-f")))
    if certificate.is_bounded and not section.source.is_scaled:
        draw = partial(figures.draw_distance, **common, proved=proved)
        caption = "Distance from the equilibrium and its proved bound."
        found.append(("", caption, _svg(draw, f"{section.anchor}-d")))
    if section.source.has_portrait:
        draw = partial(figures.draw_trajectory_plane, **common)
        caption = "The trajectory in the plane, one curve for each of its first coordinates."
        if figures.has_levels(certificate):
            caption += " Dashed: level sets of the quadratic part of V."
        found.append(("seen in simulation", caption, _svg(draw, f"{section.anchor}-p", (4.6, 3.8))))
    return found


def _svg(draw: Any, prefix: str, size: tuple[float, float] = (6.2, 3.1)) -> Any:
    from markupsafe import Markup

    return Markup(figures.to_svg(draw, prefix, size=size))


def _versions() -> list[tuple[str, str]]:
    """What checked the certificates."""
    found = [("Python", platform.python_version())]
    for tool in ("lyapflow", "python-flint"):
        try:
            found.append((tool, version(tool)))
        except PackageNotFoundError:  # run from a source tree
            found.append((tool, "not installed as a package"))
    return found


def _part_titles() -> dict[str, str]:
    return {
        "decrease": "V decreases", "positivity": "V is positive", "upper bound": "V is bounded above",
        "rate": "V decreases in proportion", "speed": "The speed is bounded below by V",
        "speed limit": "The speed is bounded above by V",
    }  # fmt: skip
