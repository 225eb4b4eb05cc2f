"""lyapflow: Lyapunov certificates for optimization flows, proved in exact rational arithmetic.

>>> import lyapflow as lf
>>> flow = lf.flows.gradient_flow(lf.SmoothStronglyConvex(mu=1, L=10))
>>> certificate = lf.certify(flow)
>>> certificate.rate, lf.verify(certificate).proved
(Fraction(1, 1), True)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import algorithms as algorithms
    from . import cascade as cascade
    from . import flows as flows
    from . import learning as learning
    from . import members as members
    from .certificates.certificate import Certificate as Certificate
    from .certificates.files import load as load
    from .certificates.files import save as save
    from .certificates.verification import Verification as Verification
    from .certificates.verification import verify as verify
    from .classes.curvature import curvature as curvature
    from .classes.functions import Convex as Convex
    from .classes.functions import ConvexIndicator as ConvexIndicator
    from .classes.functions import SmoothConvex as SmoothConvex
    from .classes.functions import SmoothStronglyConvex as SmoothStronglyConvex
    from .classes.functions import StronglyConvex as StronglyConvex
    from .classes.functions import SupportFunction as SupportFunction
    from .classes.intersection import Intersection as Intersection
    from .classes.operators import Cocoercive as Cocoercive
    from .classes.operators import Lipschitz as Lipschitz
    from .classes.operators import Monotone as Monotone
    from .classes.operators import StronglyMonotone as StronglyMonotone
    from .classes.sectors import SectorBounded as SectorBounded
    from .classes.sectors import SlopeRestricted as SlopeRestricted
    from .classes.sectors import StaticSector as StaticSector
    from .classes.special import GradientDominated as GradientDominated
    from .classes.special import Quadratic as Quadratic
    from .coq.compiler import CoqVerdict as CoqVerdict
    from .coq.export import export_coq as export_coq
    from .coq.export import verify_coq as verify_coq
    from .dynamics.bilinear import SaddleSystem as SaddleSystem
    from .dynamics.consistency import Consistency as Consistency
    from .dynamics.consistency import check_consistency as check_consistency
    from .dynamics.constrained import PrimalDualSystem as PrimalDualSystem
    from .dynamics.lure import LureSystem as LureSystem
    from .dynamics.parametric import ParametricSystem as ParametricSystem
    from .dynamics.perturbed import delay_gradient as delay_gradient
    from .dynamics.perturbed import perturb_gradient as perturb_gradient
    from .dynamics.perturbed import scale_gradient as scale_gradient
    from .dynamics.polynomial import PolynomialSystem as PolynomialSystem
    from .dynamics.polytope import PolytopicSystem as PolytopicSystem
    from .dynamics.proximal import ProximalLagrangianSystem as ProximalLagrangianSystem
    from .dynamics.saddle import PrimalDualIteration as PrimalDualIteration
    from .dynamics.stacked import StackedSystem as StackedSystem
    from .errors import CertificateFormatError as CertificateFormatError
    from .errors import ClaimMismatchError as ClaimMismatchError
    from .errors import CompositionError as CompositionError
    from .errors import DimensionError as DimensionError
    from .errors import InvalidModelError as InvalidModelError
    from .errors import LyapflowError as LyapflowError
    from .errors import MissingDependencyError as MissingDependencyError
    from .errors import NoCertificateError as NoCertificateError
    from .errors import SimulationError as SimulationError
    from .errors import StoreError as StoreError
    from .errors import VerificationError as VerificationError
    from .flows.feedback_optimization import feedback_optimization as feedback_optimization
    from .flows.known_rates import PrimalDualRates as PrimalDualRates
    from .flows.known_rates import list_primal_dual_rates as list_primal_dual_rates
    from .lmi.claims import Contraction as Contraction
    from .lmi.claims import ExponentialDecay as ExponentialDecay
    from .lmi.claims import SublinearDecay as SublinearDecay
    from .lmi.delay_claims import DelayTolerance as DelayTolerance
    from .lmi.gain_claims import InputToState as InputToState
    from .lmi.gain_claims import L2Gain as L2Gain
    from .lmi.gain_claims import NoiseAmplification as NoiseAmplification
    from .lmi.gain_claims import Port as Port
    from .lmi.scaled_claims import FiniteTimeStability as FiniteTimeStability
    from .lmi.scaled_claims import FixedTimeStability as FixedTimeStability
    from .lmi.scaled_claims import PrescribedTimeStability as PrescribedTimeStability
    from .lmi.templates import AdjointStorage as AdjointStorage
    from .lmi.templates import QuadraticPlusValue as QuadraticPlusValue
    from .lmi.templates import QuadraticStorage as QuadraticStorage
    from .lmi.templates import VariableMetric as VariableMetric
    from .lmi.templates import ZamesFalb as ZamesFalb
    from .lmi.time_scales import FiniteTime as FiniteTime
    from .lmi.time_scales import FixedTime as FixedTime
    from .lmi.time_scales import PrescribedTime as PrescribedTime
    from .report.nyquist import nyquist_figure as nyquist_figure
    from .report.rendering import write_report as write_report
    from .search.bracket import Bracket as Bracket
    from .search.bracket import bracket as bracket
    from .search.delay_witness import DelayWitness as DelayWitness
    from .search.delay_witness import find_delay_witness as find_delay_witness
    from .search.gain_witness import GainWitness as GainWitness
    from .search.gain_witness import find_gain_witness as find_gain_witness
    from .search.margin_brackets import Margin as Margin
    from .search.margins import Margins as Margins
    from .search.margins import largest_gradient_error as largest_gradient_error
    from .search.margins import margins as margins
    from .search.noise import noise_variance as noise_variance
    from .search.outcomes import Inconclusive as Inconclusive
    from .search.outcomes import Infeasible as Infeasible
    from .search.outcomes import Proved as Proved
    from .search.pipeline import attempt as attempt
    from .search.pipeline import certify as certify
    from .search.plant_gains import GainLimit as GainLimit
    from .search.plant_gains import largest_gain as largest_gain
    from .search.separation import classical_gain as classical_gain
    from .search.slow_members import SlowMember as SlowMember
    from .search.steps import largest_step as largest_step
    from .search.tuning import Tuned as Tuned
    from .search.tuning import tune as tune
    from .search.witness import Witness as Witness
    from .simulation.equilibria import find_equilibrium as find_equilibrium
    from .simulation.falsification import Counterexample as Counterexample
    from .simulation.falsification import falsify as falsify
    from .simulation.motion import simulate as simulate
    from .simulation.trajectories import Trajectory as Trajectory
    from .sweeps.execution import sweep as sweep
    from .sweeps.results import SweepResult as SweepResult
    from .time_scaling.discretisation import iterate_flow as iterate_flow
    from .time_scaling.flows import ScaledFlow as ScaledFlow
    from .time_scaling.flows import scale_time as scale_time

__version__ = "0.1.0"

# Name -> room. Rooms are entered when a name is first used: importing lyapflow alone loads neither cvxpy nor SciPy.
_ROOMS = {
    "AdjointStorage": "lmi.templates",
    "Bracket": "search.bracket",
    "Certificate": "certificates.certificate",
    "CertificateFormatError": "errors",
    "ClaimMismatchError": "errors",
    "Cocoercive": "classes.operators",
    "CompositionError": "errors",
    "Consistency": "dynamics.consistency",
    "Contraction": "lmi.claims",
    "Convex": "classes.functions",
    "ConvexIndicator": "classes.functions",
    "CoqVerdict": "coq.compiler",
    "Counterexample": "simulation.falsification",
    "DelayTolerance": "lmi.delay_claims",
    "DelayWitness": "search.delay_witness",
    "DimensionError": "errors",
    "ExponentialDecay": "lmi.claims",
    "FiniteTime": "lmi.time_scales",
    "FiniteTimeStability": "lmi.scaled_claims",
    "FixedTime": "lmi.time_scales",
    "FixedTimeStability": "lmi.scaled_claims",
    "GainLimit": "search.plant_gains",
    "GainWitness": "search.gain_witness",
    "GradientDominated": "classes.special",
    "Inconclusive": "search.outcomes",
    "Infeasible": "search.outcomes",
    "InputToState": "lmi.gain_claims",
    "Intersection": "classes.intersection",
    "InvalidModelError": "errors",
    "L2Gain": "lmi.gain_claims",
    "Lipschitz": "classes.operators",
    "LureSystem": "dynamics.lure",
    "LyapflowError": "errors",
    "Margin": "search.margin_brackets",
    "Margins": "search.margins",
    "MissingDependencyError": "errors",
    "Monotone": "classes.operators",
    "NoCertificateError": "errors",
    "NoiseAmplification": "lmi.gain_claims",
    "ParametricSystem": "dynamics.parametric",
    "PolynomialSystem": "dynamics.polynomial",
    "PolytopicSystem": "dynamics.polytope",
    "Port": "lmi.gain_claims",
    "PrescribedTime": "lmi.time_scales",
    "PrescribedTimeStability": "lmi.scaled_claims",
    "PrimalDualIteration": "dynamics.saddle",
    "PrimalDualRates": "flows.known_rates",
    "PrimalDualSystem": "dynamics.constrained",
    "Proved": "search.outcomes",
    "ProximalLagrangianSystem": "dynamics.proximal",
    "Quadratic": "classes.special",
    "QuadraticPlusValue": "lmi.templates",
    "QuadraticStorage": "lmi.templates",
    "SaddleSystem": "dynamics.bilinear",
    "ScaledFlow": "time_scaling.flows",
    "SectorBounded": "classes.sectors",
    "SimulationError": "errors",
    "SlopeRestricted": "classes.sectors",
    "SlowMember": "search.slow_members",
    "SmoothConvex": "classes.functions",
    "SmoothStronglyConvex": "classes.functions",
    "StackedSystem": "dynamics.stacked",
    "StoreError": "errors",
    "StaticSector": "classes.sectors",
    "StronglyConvex": "classes.functions",
    "StronglyMonotone": "classes.operators",
    "SublinearDecay": "lmi.claims",
    "SupportFunction": "classes.functions",
    "SweepResult": "sweeps.results",
    "Trajectory": "simulation.trajectories",
    "Tuned": "search.tuning",
    "VariableMetric": "lmi.templates",
    "Verification": "certificates.verification",
    "VerificationError": "errors",
    "Witness": "search.witness",
    "ZamesFalb": "lmi.templates",
    "algorithms": "",
    "attempt": "search.pipeline",
    "bracket": "search.bracket",
    "cascade": "",
    "certify": "search.pipeline",
    "classical_gain": "search.separation",
    "check_consistency": "dynamics.consistency",
    "curvature": "classes.curvature",
    "delay_gradient": "dynamics.perturbed",
    "export_coq": "coq.export",
    "feedback_optimization": "flows.feedback_optimization",
    "falsify": "simulation.falsification",
    "find_delay_witness": "search.delay_witness",
    "find_equilibrium": "simulation.equilibria",
    "find_gain_witness": "search.gain_witness",
    "flows": "",
    "iterate_flow": "time_scaling.discretisation",
    "largest_gain": "search.plant_gains",
    "largest_gradient_error": "search.margins",
    "largest_step": "search.steps",
    "learning": "",
    "list_primal_dual_rates": "flows.known_rates",
    "load": "certificates.files",
    "margins": "search.margins",
    "members": "",
    "nyquist_figure": "report.nyquist",
    "noise_variance": "search.noise",
    "perturb_gradient": "dynamics.perturbed",
    "save": "certificates.files",
    "scale_gradient": "dynamics.perturbed",
    "scale_time": "time_scaling.flows",
    "simulate": "simulation.motion",
    "sweep": "sweeps.execution",
    "tune": "search.tuning",
    "verify": "certificates.verification",
    "verify_coq": "coq.export",
    "write_report": "report.rendering",
}

__all__ = [*_ROOMS]


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = _ROOMS[name]
    value: object = (
        import_module(f".{name}", __name__) if not room else getattr(import_module(f".{room}", __name__), name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
