"""The report as data: sections, each certificate verified again here, numbers under the word they deserve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from ..certificates import Certificate, verify
from ..certificates.evidence import find_certificate
from ..coq.compiler import CoqVerdict
from ..coq.documents import write_theorem
from ..errors import InvalidModelError
from .argument import argue
from .cascade import CascadeSection, read_cascade
from .clock import is_gain, is_scaled
from .evidence import Evidence, EvidenceSection, read_evidence
from .factorization import FactorizationSection, read_factorization
from .gains import argue_gain, list_gain_steps, measure_gain
from .items import Figure, Note, Simulation, Table
from .proof import list_parts, list_steps
from .quantities import Quantity, measure, observe
from .sections import CertificateSection, ItemSection, Section, SimulationSection
from .settling import measure_scaled, observe_scaled
from .statement import state_theorem

if TYPE_CHECKING:
    from ..cascade import Cascade, SchurCascade, StageCertificate
    from ..search import Bracket

__all__ = ["Document", "Item", "build"]

Item: TypeAlias = (
    "Certificate | Bracket | Simulation | Cascade | StageCertificate | SchurCascade | Evidence | Table | Note | Figure"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All sections in order."""

    title: str
    sections: tuple[Section, ...]

    @property
    def certificates(self) -> tuple[CertificateSection, ...]:
        """Sections that claim something."""
        return tuple(s for s in self.sections if isinstance(s, CertificateSection))

    @property
    def kind(self) -> str | None:
        """What all claims are about, in words; None if there are several kinds."""
        kinds = {s.kind for s in self.certificates}
        return kinds.pop() if len(kinds) == 1 else None

    @property
    def is_scaled(self) -> bool:
        """Whether some claim is one on another time scale, so that its state settles."""
        return any(s.is_scaled for s in self.certificates)

    @property
    def has_evidence(self) -> bool:
        """Whether there is evidence besides certificates."""
        return any(isinstance(s, EvidenceSection) for s in self.sections)

    @property
    def proved(self) -> bool:
        """Whether every certificate of the report proves its claim, and all evidence could be derived."""
        kinds = CascadeSection | FactorizationSection | EvidenceSection
        others = all(s.proved for s in self.sections if isinstance(s, kinds))
        return others and all(s.verdict.proved and not s.contradiction for s in self.certificates)


def build(
    items: Sequence[Item],
    title: str | None = None,
    machine_checks: Mapping[Certificate, CoqVerdict] | None = None,
) -> Document:
    """Verify every certificate and lay the report out.

    A certificate is printed once, where it is first mentioned; a bracket adds its witness, a simulation its figures.
    The gains of stages stand in the section of their cascade.
    """
    items = tuple(map(_unwrap, items))
    gains = [item for item in items if _is_stage(item)]
    found = [item for item in items if _is_bracket(item)]
    brackets = {item.certificate: item for item in found}
    sections: list[Section] = []
    known: dict[Certificate, CertificateSection] = {}

    def anchor() -> str:
        return f"s{len(sections) + 1}"

    for item in items:
        if isinstance(item, Table | Note | Figure):
            sections.append(ItemSection(anchor=anchor(), item=item))
            continue
        if isinstance(item, Evidence):
            sections.append(read_evidence(item, anchor()))
            continue
        if _is_cascade(item):
            own = [gain for gain in gains if gain.stage in item.stages]
            sections.append(read_cascade(item, own, anchor()))
            gains = [gain for gain in gains if gain not in own]
            continue
        if _is_stage(item):
            continue
        if _is_factorization(item):
            sections.append(read_factorization(item, anchor()))
            continue
        if not isinstance(item, Certificate | Simulation) and not _is_bracket(item):
            raise TypeError("internal error: an item of an unknown kind")
        certificate = item if isinstance(item, Certificate) else item.certificate
        if certificate not in known:
            checked = (machine_checks or {}).get(certificate)
            known[certificate] = _read(certificate, brackets.get(certificate), anchor(), checked)
            sections.append(known[certificate])
        if isinstance(item, Simulation):
            source = known[certificate]
            seen = tuple(_observe(item, source))
            sections.append(SimulationSection(anchor=anchor(), simulation=item, source=source, quantities=seen))
    if gains:
        raise InvalidModelError(f"the gain of {gains[0].stage} needs its cascade in the report too, before it")
    if not sections:
        raise InvalidModelError(
            "a report needs at least one certificate, bracket, simulation, piece of evidence, table, note or figure"
        )
    return Document(title=str(sections[0].title if title is None else title), sections=tuple(sections))


def _observe(simulation: Simulation, source: CertificateSection) -> Iterable[Quantity]:
    if source.is_scaled:
        return observe_scaled(simulation) if source.verdict.proved else ()
    return observe(simulation, proved=source.verdict.proved)


def _unwrap(item: Item) -> Item:
    """A scaled flow is its certificate; what has more to say than its certificate stays."""
    own = None if isinstance(item, Simulation | Evidence) or hasattr(item, "witness") else find_certificate(item)
    return item if own is None else own


def _is_bracket(item: object) -> TypeGuard[Bracket]:
    if isinstance(item, Certificate | Simulation | Evidence | Table | Note | Figure):
        return False
    if _is_cascade(item) or _is_stage(item) or _is_factorization(item):
        return False
    from ..search import Bracket  # the only item that comes from the search

    if isinstance(item, Bracket):
        return True
    raise InvalidModelError(
        "a report is made of Certificate, Bracket, Simulation, Cascade, StageCertificate, SchurCascade, Evidence, "
        f"Table, Note and Figure, handed over one by one after the path, got {type(item).__name__}"
    )


def _is_cascade(item: object) -> TypeGuard[Cascade]:
    return _is_staged(item, "Cascade")


def _is_stage(item: object) -> TypeGuard[StageCertificate]:
    return _is_staged(item, "StageCertificate")


def _is_factorization(item: object) -> TypeGuard[SchurCascade]:
    return _is_staged(item, "SchurCascade")


def _is_staged(item: object, kind: str) -> bool:
    """Whether an item is of that class of `cascade`, which is imported only where there is something of it."""
    if not type(item).__module__.startswith("lyapflow.cascade."):
        return False
    from .. import cascade

    return isinstance(item, getattr(cascade, kind))


def _check_witness(bracket: Bracket) -> None:
    """A witness is printed under "proved", so it is decided again too."""
    from ..search.witness import check_witness

    if not check_witness(bracket.certificate.system, bracket.witness):
        raise InvalidModelError(
            f"a bracket's witness must belong to the classes of its system and decay no faster than it says, got "
            f"{bracket.witness}. Make the bracket with lyapflow.bracket."
        )


def _read(
    certificate: Certificate, bracket: Bracket | None, anchor: str, checked: CoqVerdict | None
) -> CertificateSection:
    verdict = verify(certificate)
    if checked is not None and checked.accepted and checked.text != write_theorem(certificate):
        raise InvalidModelError("machine_checks must be those of the certificates, made by lyapflow.verify_coq")
    if bracket is not None:
        _check_witness(bracket)
    proved = verdict.proved
    own = is_gain(certificate)
    if own:
        quantities = tuple(measure_gain(certificate, verdict))
    elif is_scaled(certificate):
        quantities = tuple(measure_scaled(certificate, verdict))
    else:
        quantities = tuple(measure(certificate, verdict, bracket))
    return CertificateSection(
        anchor=anchor, certificate=certificate, verdict=verdict, bracket=bracket,
        statement=state_theorem(certificate, whole=proved),
        quantities=quantities,
        parts=list_parts(certificate) if proved and not own else (),
        steps=() if not proved else list_gain_steps(certificate) if own else list_steps(certificate),
        argument=() if not proved else tuple(argue_gain(certificate)) if own else argue(certificate),
        checked=checked,
    )  # fmt: skip
