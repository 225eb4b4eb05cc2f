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
    from .classes.operators import SectorBounded as SectorBounded
    from .classes.operators import SlopeRestricted as SlopeRestricted
    from .classes.operators import StronglyMonotone as StronglyMonotone
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
    from .dynamics.polynomial import PolynomialSystem as PolynomialSystem
    from .dynamics.polytope import PolytopicSystem as PolytopicSystem
    from .dynamics.proximal import ProximalLagrangianSystem as ProximalLagrangianSystem
    from .dynamics.saddle import PrimalDualIteration as PrimalDualIteration
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
    from .flows.known_rates import PrimalDualRates as PrimalDualRates
    from .flows.known_rates import list_primal_dual_rates as list_primal_dual_rates
    from .lmi.claims import Contraction as Contraction
    from .lmi.claims import ExponentialDecay as ExponentialDecay
    from .lmi.claims import SublinearDecay as SublinearDecay
    from .lmi.scaled_claims import FiniteTimeStability as FiniteTimeStability
    from .lmi.scaled_claims import FixedTimeStability as FixedTimeStability
    from .lmi.scaled_claims import PrescribedTimeStability as PrescribedTimeStability
    from .lmi.templates import QuadraticPlusValue as QuadraticPlusValue
    from .lmi.templates import QuadraticStorage as QuadraticStorage
    from .lmi.templates import VariableMetric as VariableMetric
    from .lmi.time_scales import FiniteTime as FiniteTime
    from .lmi.time_scales import FixedTime as FixedTime
    from .lmi.time_scales import PrescribedTime as PrescribedTime
    from .report.rendering import write_report as write_report
    from .search.bracket import Bracket as Bracket
    from .search.bracket import bracket as bracket
    from .search.outcomes import Inconclusive as Inconclusive
    from .search.outcomes import Infeasible as Infeasible
    from .search.outcomes import Proved as Proved
    from .search.pipeline import attempt as attempt
    from .search.pipeline import certify as certify
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
    "Bracket": "search.bracket",
    "Certificate": "certificates.certificate",
    "CertificateFormatError": "errors",
    "ClaimMismatchError": "errors",
    "Cocoercive": "classes.operators",
    "CompositionError": "errors",
    "Counterexample": "simulation.falsification",
    "Consistency": "dynamics.consistency",
    "Contraction": "lmi.claims",
    "Convex": "classes.functions",
    "ConvexIndicator": "classes.functions",
    "CoqVerdict": "coq.compiler",
    "DimensionError": "errors",
    "ExponentialDecay": "lmi.claims",
    "FiniteTime": "lmi.time_scales",
    "FiniteTimeStability": "lmi.scaled_claims",
    "FixedTime": "lmi.time_scales",
    "FixedTimeStability": "lmi.scaled_claims",
    "GradientDominated": "classes.special",
    "Inconclusive": "search.outcomes",
    "Infeasible": "search.outcomes",
    "Intersection": "classes.intersection",
    "InvalidModelError": "errors",
    "Lipschitz": "classes.operators",
    "LureSystem": "dynamics.lure",
    "LyapflowError": "errors",
    "MissingDependencyError": "errors",
    "Monotone": "classes.operators",
    "NoCertificateError": "errors",
    "ParametricSystem": "dynamics.parametric",
    "PolynomialSystem": "dynamics.polynomial",
    "PolytopicSystem": "dynamics.polytope",
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
    "SectorBounded": "classes.operators",
    "SimulationError": "errors",
    "SlopeRestricted": "classes.operators",
    "SlowMember": "search.slow_members",
    "SmoothConvex": "classes.functions",
    "SmoothStronglyConvex": "classes.functions",
    "StoreError": "errors",
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
    "algorithms": "",
    "attempt": "search.pipeline",
    "bracket": "search.bracket",
    "cascade": "",
    "certify": "search.pipeline",
    "check_consistency": "dynamics.consistency",
    "curvature": "classes.curvature",
    "export_coq": "coq.export",
    "find_equilibrium": "simulation.equilibria",
    "falsify": "simulation.falsification",
    "flows": "",
    "iterate_flow": "time_scaling.discretisation",
    "largest_step": "search.steps",
    "learning": "",
    "list_primal_dual_rates": "flows.known_rates",
    "load": "certificates.files",
    "members": "",
    "save": "certificates.files",
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
