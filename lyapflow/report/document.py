"""The report as data: sections, each certificate verified again here, numbers under the word they deserve."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from ..certificates import Certificate, Verification, verify
from ..certificates.evidence import find_certificate
from ..certificates.files import to_text
from ..certificates.settling import tell_scaled
from ..coq.compiler import CoqVerdict
from ..coq.documents import write_theorem
from ..dynamics import LureSystem
from ..errors import InvalidModelError
from ..lmi.delay_claims import DelayTolerance
from ..lmi.gain_claims import InputToState, L2Gain, NoiseAmplification
from ..lmi.templates import ZamesFalb
from .argument import argue
from .cascade import CascadeSection, read_cascade
from .clock import Clock, is_discrete, is_gain, is_scaled, is_sublinear, number_of
from .evidence import Evidence, EvidenceSection, read_evidence
from .factorization import FactorizationSection, read_factorization
from .formulas import Block
from .gain_ports import gain_claim_of
from .gains import argue_gain, list_gain_steps, measure_gain
from .items import Figure, Note, Simulation, Table
from .numbers import below_one, with_decimal
from .proof import Part, Step, list_parts, list_steps
from .quantities import Quantity, count_time, measure, observe
from .scaled import claim_of
from .settling import measure_scaled, observe_scaled, show_exponents, show_settling
from .statement import Statement, find_digest, state_theorem

if TYPE_CHECKING:
    from ..cascade import Cascade, SchurCascade, StageCertificate
    from ..search import Bracket

__all__ = ["CertificateSection", "Document", "Item", "ItemSection", "SimulationSection", "build"]

_GAIN_KINDS: Mapping[type, str] = {
    L2Gain: "L2 gain",
    InputToState: "gain from the largest error to the state",
    DelayTolerance: "tolerance of delays up to",
    NoiseAmplification: "variance under white noise",
}

Item: TypeAlias = (
    "Certificate | Bracket | Simulation | Cascade | StageCertificate | SchurCascade | Evidence | Table | Note | Figure"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSection:
    """A certificate with the verdict of the checker; what is derived from its numbers exists only if it is proved."""

    anchor: str
    certificate: Certificate
    verdict: Verification
    bracket: Bracket | None
    statement: Statement
    quantities: tuple[Quantity, ...]
    parts: tuple[Part, ...] = ()
    steps: tuple[Step, ...] = ()
    argument: tuple[Block, ...] = ()
    checked: CoqVerdict | None = None

    template = "certificate"

    @property
    def theorem(self) -> str | None:
        """The file that the proof assistant accepted, in base64; None if it was not asked, or did not."""
        if self.checked is None or not self.checked.accepted:
            return None
        return b64encode(self.checked.text.encode()).decode()

    @property
    def title(self) -> str:
        """The system's label, and its time scale if that is another one."""
        name = self.certificate.system.name
        if not self.is_scaled:
            return name
        return f"{name}, in {tell_scaled(claim_of(self.certificate)).removesuffix(' stability').replace('-', ' ')}"

    @property
    def digest(self) -> str | None:
        """SHA-256 of the certificate's file, if it can be saved."""
        return find_digest(self.certificate)

    @property
    def file(self) -> str | None:
        """The certificate's file in base64, so that the page carries what it speaks of."""
        return None if self.digest is None else b64encode(to_text(self.certificate).encode()).decode()

    @property
    def has_portrait(self) -> bool:
        """Whether the state is planar, so that it can be drawn."""
        system = self.certificate.system
        is_planar = isinstance(system, LureSystem) and system.shape[0] == 2
        is_other = is_sublinear(self.certificate) or self.is_scaled or is_gain(self.certificate)
        has_memory = isinstance(self.certificate.template, ZamesFalb)
        is_plain = not (is_other or has_memory) and self.certificate.core is self.certificate
        return self.verdict.proved and is_planar and is_plain

    @property
    def is_scaled(self) -> bool:
        """Whether the claim is one on another time scale, on which the state settles."""
        return is_scaled(self.certificate)

    @property
    def settled(self) -> str:
        """The settling time for the table of all certificates; to 2 % where the state never settles."""
        if not self.verdict.proved:
            return "–"
        if self.is_scaled:
            return show_settling(self.certificate)
        return next((q.shown for q in self.quantities if q.key == "settling_time"), "–")

    @property
    def clock(self) -> Clock:
        """Words of its kind of time."""
        return Clock.of(self.certificate.system)

    @property
    def kind(self) -> str:
        """What the claim is about, in words."""
        if is_sublinear(self.certificate):
            return "decay of the function value with order"
        if self.is_scaled:
            return f"{tell_scaled(claim_of(self.certificate))} with"
        if is_gain(self.certificate):
            claim = gain_claim_of(self.certificate)
            return _GAIN_KINDS[type(claim)]
        return "contraction with factor" if is_discrete(self.certificate) else "exponential decay with rate"

    @property
    def number(self) -> Fraction:
        """The rate, or the factor; on another time scale see `shown`."""
        return number_of(self.certificate)

    @property
    def shown(self) -> str:
        """The exact number and its decimal, on the side on which the claim stays true."""
        if self.is_scaled:
            return show_exponents(self.certificate)
        if is_gain(self.certificate):
            late = isinstance(self.certificate.claim, DelayTolerance)
            return with_decimal(self.number, side="down" if late else "up")
        if is_discrete(self.certificate):
            return with_decimal(self.number, decimal=below_one(self.number))
        return with_decimal(self.number, side="down")

    @property
    def contradiction(self) -> bool:
        """Whether a concrete member decays more slowly than what the certificate claims."""
        return self.bracket is not None and not self.is_scaled and self.bracket.witness.refutes(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSection:
    """A trajectory beside the bounds of its certificate."""

    anchor: str
    simulation: Simulation
    source: CertificateSection
    quantities: tuple[Quantity, ...]

    template = "simulation"

    @property
    def start(self) -> str:
        """Where and how long it ran."""
        path = self.simulation.trajectory
        times = count_time(path)
        norm = float((path.x[0] ** 2).sum()) ** 0.5
        apart = f"norm {norm:.6g}, distance {float(path.distance[0]):.6g} from the equilibrium"
        return f"{apart}; {self._time} from {float(times[0]):.6g} to {float(times[-1]):.6g}"

    @property
    def rest(self) -> str:
        """From where deviations are measured."""
        residual = self.simulation.trajectory.equilibrium.residual
        what = "step" if self._time == "k" else "time derivative"
        return f"found numerically; there the {what} of the state has norm {residual:.2g}"

    @property
    def _time(self) -> str:
        return Clock.of(self.simulation.trajectory.system).time

    @property
    def title(self) -> str:
        """Heading."""
        return self.simulation.title


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSection:
    """A table, a note or a figure of the author."""

    anchor: str
    item: Table | Note | Figure

    @property
    def template(self) -> str:
        """Which part of the page template prints it."""
        return type(self.item).__name__.lower()

    @property
    def title(self) -> str:
        """Heading."""
        return self.item.title


Section: TypeAlias = (
    CertificateSection | SimulationSection | CascadeSection | FactorizationSection | EvidenceSection | ItemSection
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
    if title is None:
        title = sections[0].title if sections else "lyapflow report"
    return Document(title=str(title), sections=tuple(sections))


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
    if not type(item).__module__.startswith("lyapflow.cascade."):
        return False
    from ..cascade import Cascade

    return isinstance(item, Cascade)


def _is_stage(item: object) -> TypeGuard[StageCertificate]:
    if not type(item).__module__.startswith("lyapflow.cascade."):
        return False
    from ..cascade import StageCertificate

    return isinstance(item, StageCertificate)


def _is_factorization(item: object) -> TypeGuard[SchurCascade]:
    if not type(item).__module__.startswith("lyapflow.cascade."):
        return False
    from ..cascade import SchurCascade

    return isinstance(item, SchurCascade)


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
