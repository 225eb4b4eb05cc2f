"""Sections of a report: what stands in them, in the words and on the side of rounding that their verdict allows."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from ..certificates import Certificate, Verification
from ..certificates.files import to_text
from ..certificates.settling import tell_scaled
from ..coq.compiler import CoqVerdict
from ..dynamics import LureSystem
from ..lmi.delay_claims import DelayTolerance
from ..lmi.gain_claims import InputToState, L2Gain, NoiseAmplification
from ..lmi.templates import ZamesFalb
from .cascade import CascadeSection
from .clock import Clock, is_discrete, is_gain, is_scaled, is_sublinear, number_of
from .evidence import EvidenceSection
from .factorization import FactorizationSection
from .formulas import Block
from .gain_ports import gain_claim_of
from .items import Figure, Note, Simulation, Table
from .numbers import below_one, with_decimal
from .proof import Part, Step
from .quantities import Quantity, count_time
from .scaled import claim_of
from .settling import show_exponents, show_settling
from .statement import Statement, find_digest

if TYPE_CHECKING:
    from ..search import Bracket

__all__ = ["CertificateSection", "ItemSection", "Section", "SimulationSection"]

_GAIN_KINDS: Mapping[type, str] = {
    L2Gain: "L2 gain",
    InputToState: "gain from the largest error to the state",
    DelayTolerance: "tolerance of delays up to",
    NoiseAmplification: "variance under white noise",
}


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
