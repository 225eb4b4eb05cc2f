"""The certificate: everything that is needed to check a claim, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ..dynamics import LureSystem, ParametricSystem, PolytopicSystem, System
from ..errors import ClaimMismatchError, InvalidModelError
from ..exact.matrices import Matrix
from ..exact.rationals import rational
from ..lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from ..lmi.delay_claims import DelayTolerance
from ..lmi.dissipation import UPPER, assemble, lift_family
from ..lmi.gain_claims import GainClaim, InputToState, L2Gain, NoiseAmplification
from ..lmi.gains import assemble_gain
from ..lmi.logtime import take_logarithmic_time
from ..lmi.metric import reduce_splitting
from ..lmi.pencil import Pencil
from ..lmi.scaled import assemble_scaled
from ..lmi.scaled_claims import ScaledClaim
from ..lmi.templates import (
    AdjointStorage,
    QuadraticPlusValue,
    QuadraticStorage,
    Template,
    VariableMetric,
    ZamesFalb,
)
from . import consequences
from .settling import bound_scaled_time, bound_start, tell_scaled
from .storages import TimedStorage, read_storage, read_value_weights

__all__ = ["SCHEMA", "Certificate"]

SCHEMA = 1
"""Version of the certificate file format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A claim about a system with the exact numbers that prove it.

    `lyapflow.verify` re-assembles the inequalities from `system`, `claim` and `template`, substitutes `unknowns`, and
    decides them in rational arithmetic. It succeeds for every certificate that `lyapflow.certify` returns.

    Attributes
    ----------
    system : System
        The dynamics and what is known of its oracles.
    claim : ExponentialDecay, Contraction, SublinearDecay, or one on another time scale
        With its rate or order (continuous time) or factor (discrete time). On another time scale, which `system` is
        not on: FiniteTimeStability, FixedTimeStability or PrescribedTimeStability. About gains: L2Gain, InputToState or
        DelayTolerance.
    template : QuadraticStorage, QuadraticPlusValue, AdjointStorage, VariableMetric or ZamesFalb
        Form of V.
    unknowns : tuple of (name, Fraction)
        Entries of P, weights of function values, multipliers and, where there is one, the upper bound.
    supremum : float or None
        The numerical limit that the search approached; not a proved number.
    versions : tuple of (tool, version)
        What found the certificate; verification does not depend on it.
    """

    system: System
    claim: Claim | ScaledClaim | GainClaim
    template: Template
    unknowns: tuple[tuple[str, Fraction], ...]
    supremum: float | None = None
    versions: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        if not isinstance(self.system, System):
            raise InvalidModelError(
                "system must be a LureSystem, a PrimalDualSystem, a PrimalDualIteration, a ProximalLagrangianSystem, a "
                f"SaddleSystem, a PolytopicSystem, a ParametricSystem or a StackedSystem, got {self.system!r}"
            )
        if not isinstance(self.claim, Claim | ScaledClaim | GainClaim):
            raise InvalidModelError(
                "claim must be ExponentialDecay(rate), Contraction(factor), SublinearDecay(order), one on another "
                f"time scale, or one about gains, got {self.claim}"
            )
        if not isinstance(
            self.template, QuadraticStorage | QuadraticPlusValue | AdjointStorage | VariableMetric | ZamesFalb
        ):
            raise InvalidModelError(
                "template must be QuadraticStorage(), QuadraticPlusValue(), AdjointStorage(), VariableMetric() or "
                f"ZamesFalb(), got "
                f"{self.template!r}"
            )
        # Rebuilt from Python integers: a Fraction may have been born with a numerator that wraps around.
        unknowns = tuple((str(name), rational(value, name=f"unknown {name!r:.60}")) for name, value in self.unknowns)
        if len(dict(unknowns)) < len(unknowns):
            raise InvalidModelError("unknowns must have different names")
        object.__setattr__(self, "unknowns", unknowns)

    @property
    def core(self) -> Certificate:
        """The certificate in the letters of its proof: for a `VariableMetric`, of the reduced system in its metric."""
        if not isinstance(self.template, VariableMetric):
            return self
        return replace(self, system=reduce_splitting(self.system).plant, template=self.template.form)

    def at(self, s: object) -> Certificate:
        """The certificate of one member of a family over a parameter, with the multipliers at that value.

        Parameters
        ----------
        s : rational
            Value of the parameter, between the ends.

        Returns
        -------
        Certificate
            About ``system.at(s)``; `verify` proves it by itself.

        Raises
        ------
        ClaimMismatchError
            If the system is no `ParametricSystem`.
        InvalidModelError
            If the value is not between the ends.
        """
        family = self.system
        if not isinstance(family, ParametricSystem) or isinstance(self.claim, ScaledClaim | GainClaim):
            raise ClaimMismatchError("only the certificate of a ParametricSystem has members")
        member = family.at(s)
        lifting = lift_family(family, self.claim, self.template, bounded=self.is_bounded)
        found = lifting.evaluate(self.values, family.find(rational(s, name=family.parameter)))
        names = assemble(member, self.claim, self.template, bounded=self.is_bounded).unknowns
        return replace(self, system=member, unknowns=tuple((name, found[name]) for name in names))

    @property
    def values(self) -> Mapping[str, Fraction]:
        """Unknowns by name."""
        return dict(self.unknowns)

    @property
    def rate(self) -> Fraction:
        """Decay rate of the state norm, in 1/(time unit of the dynamics); V decays at twice that.

        Raises
        ------
        ClaimMismatchError
            If the claim is one of discrete time; see `factor`.
        """
        if isinstance(self.claim, InputToState) and self.claim.rate is not None:
            return self.claim.rate
        if isinstance(self.claim, DelayTolerance):
            return self.claim.rate
        if not isinstance(self.claim, ExponentialDecay) or self.claim.rate is None:
            self._refuse_scaled("rate")
            other = "order" if isinstance(self.claim, SublinearDecay) else "factor"
            raise ClaimMismatchError(f"the certificate's claim has no rate, it is {self.claim}. Ask for its {other}.")
        return self.claim.rate

    @property
    def factor(self) -> Fraction:
        """Contraction factor of the state norm per step; V contracts by its square.

        Raises
        ------
        ClaimMismatchError
            If the claim is one of continuous time; see `rate`.
        """
        if isinstance(self.claim, InputToState) and self.claim.factor is not None:
            return self.claim.factor
        if not isinstance(self.claim, Contraction) or self.claim.factor is None:
            self._refuse_scaled("factor")
            raise ClaimMismatchError(f"the certificate's claim has no factor, it is {self.claim}. Ask for its rate.")
        return self.claim.factor

    @property
    def order(self) -> Fraction:
        """Power p of time with which the function value decays, ``f - f* <= V(t0) / t^p``.

        Raises
        ------
        ClaimMismatchError
            If the claim is an exponential one; see `rate` and `factor`.
        """
        if not isinstance(self.claim, SublinearDecay) or self.claim.order is None:
            self._refuse_scaled("order")
            raise ClaimMismatchError(f"the certificate's claim has no order, it is {self.claim}. Ask for its rate.")
        return self.claim.order

    @property
    def gain(self) -> Fraction:
        """Proved gain of an `L2Gain` or an `InputToState`.

        Raises
        ------
        ClaimMismatchError
            If the claim is another one.
        """
        if not isinstance(self.claim, L2Gain | InputToState) or self.claim.gain is None:
            raise ClaimMismatchError(f"the certificate's claim has no gain, it is {self.claim}")
        return self.claim.gain

    @property
    def delay(self) -> Fraction:
        """Delay up to which a `DelayTolerance` holds.

        Raises
        ------
        ClaimMismatchError
            If the claim is another one.
        """
        if not isinstance(self.claim, DelayTolerance) or self.claim.delay is None:
            raise ClaimMismatchError(f"the certificate's claim has no delay, it is {self.claim}")
        return self.claim.delay

    @property
    def variance(self) -> Fraction:
        """Proved variance of a `NoiseAmplification`: per dimension, for a `PrimalDualSystem` of all components.

        Raises
        ------
        ClaimMismatchError
            If the claim is another one.
        """
        if not isinstance(self.claim, NoiseAmplification) or self.claim.variance is None:
            raise ClaimMismatchError(f"the certificate's claim has no variance, it is {self.claim}")
        return self.claim.variance

    def _refuse_scaled(self, what: str) -> None:
        if isinstance(self.claim, GainClaim):
            raise ClaimMismatchError(f"{type(self.claim).__name__} has no {what}, it is {self.claim}")
        if isinstance(self.claim, ScaledClaim):
            raise ClaimMismatchError(f"{tell_scaled(self.claim)} has no {what}. Ask for its settling_time.")

    def constant(
        self,
        start: Sequence[object],
        *,
        t0: object = 0,
        gap: object = None,
        gradient: object = None,
    ) -> Fraction:
        r"""Proved C in ``f(y(t)) - f* <= C / t^order`` for all later t, from a start at time t0; rounded up.

        .. math:: C = V(t_0) = \lambda\,t_0^{p}\,(f - f^\star) + t_0^{p-e}\,\zeta^\top P\zeta

        where the entries of :math:`\zeta` are those of the state's deviation times powers of t0, see `formula`.

        Parameters
        ----------
        start : sequence of n rationals, or of n sequences of d rationals
            Deviation ``x(t0) - x*`` of each state.
        t0 : rational, default 0
            When it starts, >= 0. At 0 the states that are multiplied by a power of t must be finite, such as
            velocities, and have no say.
        gap : rational, optional
            ``f(y(t0)) - f*``, or an upper bound; for a `VariableMetric` that of the envelope, or of ``f + g``. Must be
            given for ``t0 > 0``, and has no say at ``t0 = 0``.
        gradient : rational, or sequence of d rationals, optional
            The gradient at ``t0``; must be given for ``t0 > 0`` where V contains it.

        Returns
        -------
        Fraction
            C, exact for whole orders.

        Raises
        ------
        ClaimMismatchError
            If the claim is not a `SublinearDecay`; or at ``t0 = 0``, if the order is below the degree of the system, so
            that no bound holds from there.
        InvalidModelError
            If the start has another number of states, ``t0 < 0`` or ``gap < 0``, or one of them is missing.

        Examples
        --------
        >>> from lyapflow.classes import Convex
        >>> from lyapflow.flows import nesterov_flow
        >>> from lyapflow.search import certify
        >>> certify(nesterov_flow(Convex(), r=3), SublinearDecay()).constant([5, 0])
        Fraction(50, 1)
        """
        core, storage = self.core, self._timed
        if core is not self and storage.has_gradient:
            raise ClaimMismatchError(
                "constant needs a V without the gradient where the metric is not the Euclidean one"
            )
        metric = Fraction(1) if core is self else reduce_splitting(self.system).largest
        return storage.bound(start, t0=t0, gap=gap, gradient=gradient, metric=metric)

    @property
    def formula(self) -> str:
        """V of a `SublinearDecay` in words and letters; C is its value at the start.

        Examples
        --------
        >>> from lyapflow.classes import Convex
        >>> from lyapflow.flows import nesterov_flow
        >>> from lyapflow.search import certify
        >>> certify(nesterov_flow(Convex(), r=3), SublinearDecay()).formula
        't^2 (f - f*) + 2 |x1|^2 + 2 t <x1, x2> + 1/2 t^2 |x2|^2'
        """
        core = self.core
        return self._timed.write(core.system.oracle_names[0], mark="" if core is self else "_W")

    @property
    def _timed(self) -> TimedStorage:
        order, log = self.order, take_logarithmic_time(self.core.system)
        weight = next(iter(self.value_weights.values()))
        return TimedStorage(P=self.P, weight=weight, order=order, degree=log.degree, powers=log.powers)

    @property
    def is_bounded(self) -> bool:
        """Whether V is also bounded above by the squared state norm."""
        return UPPER in self.values

    @property
    def P(self) -> Matrix:
        """Storage matrix of the (first) mode, symmetric. See `storage` for systems with several modes.

        Over the states, multiplied by powers of t for a `SublinearDecay` (see `formula`); in discrete time, with
        function values in V, over states and outputs of oracles.
        """
        if not self.storage:
            raise ClaimMismatchError("this NoiseAmplification is proved without a storage function")
        return next(iter(self.storage.values()))

    @property
    def storage(self) -> Mapping[str, Matrix]:
        """Storage matrix of each mode by its label; a system without modes has one, under ``""``.

        With a `ZamesFalb` it is over states and filters.

        For an interval of singular values there is one at each end, and V is affine in the singular value between.
        """
        core = self.core
        return read_storage(core.system, core.claim, core.template, self.values)

    @property
    def value_weights(self) -> Mapping[str, Fraction]:
        """Weight of each oracle's function value in V, by the oracle's name."""
        core = self.core
        return read_value_weights(core.system, core.claim, core.template, self.values)

    @property
    def multipliers(self) -> Mapping[str, Fraction]:
        """Multiplier of each class inequality in each condition, by name; all are >= 0."""
        wanted = set(self.pencil().nonnegative)
        return {name: value for name, value in self.unknowns if name in wanted and ": " in name}

    def pencil(self) -> Pencil:
        """The exact inequalities of this claim, assembled from the system."""
        if isinstance(self.claim, ScaledClaim):
            return assemble_scaled(self.system, self.claim, self.template, bounded=self.is_bounded)
        if isinstance(self.claim, GainClaim):
            return assemble_gain(self.system, self.claim, self.template, bounded=self.is_bounded)
        return assemble(self.system, self.claim, self.template, bounded=self.is_bounded)

    @property
    def transient_bound(self) -> Fraction:
        """Proved c in ``|x(t) - x*| <= c exp(-rate t) |x(0) - x*|``, or ``<= c factor^k |x_0 - x*|``, rounded up.

        On another time scale, in ``|x(t) - x*| <= c |x(0) - x*|``.

        Raises
        ------
        ClaimMismatchError
            If V has no upper bound in the state norm (a class with L = infinity).
        """
        if isinstance(self.claim, SublinearDecay):
            raise ClaimMismatchError("a SublinearDecay bounds the function value, not the state; see constant")
        if isinstance(self.claim, L2Gain | DelayTolerance | NoiseAmplification):
            raise ClaimMismatchError(
                f"a {type(self.claim).__name__} bounds no state by its start alone; see its storage"
            )
        above, below = self.norm_ratios
        return consequences.bound_transient(above / below)

    @property
    def norm_ratios(self) -> tuple[Fraction, Fraction]:
        """Proved ``c`` and ``c'`` in ``c' |x - x*|^2 <= V <= c |x - x*|^2``, in the order (c, c'), in the user's norm.

        Raises
        ------
        ClaimMismatchError
            If V has no upper bound in the state norm (a class with L = infinity).
        """
        if not self.is_bounded:
            raise ClaimMismatchError(
                "transient_bound needs V <= c2 |x - x*|^2, which this certificate does not prove (it cannot hold where "
                "V contains the value of a function without a Lipschitz gradient). Give the class an L, or use "
                "template=QuadraticStorage()."
            )
        upper = self.values[UPPER]
        if not isinstance(self.template, VariableMetric):
            return upper, Fraction(1)
        reduction = reduce_splitting(self.system)  # back to the Euclidean norm
        return upper * reduction.largest, reduction.least

    def settling_time(self, band: object = consequences.BAND, *, V0: object = None, x0: object = None) -> Fraction:
        """Time after which the state stays within ``band`` of its initial distance, proved, rounded up.

        On another time scale, the time after which it stays at the equilibrium.

        Parameters
        ----------
        band : rational, default 0.02
            Fraction of the initial norm, in (0, 1); of no use on another time scale.
        V0 : rational, optional
            V at the start, or an upper bound; on another time scale only.
        x0 : rational, or sequence of rationals or of rows of them, optional
            Deviation ``x(0) - x*`` of the state, in the shape that `lyapflow.simulate` takes, or its norm; on another
            time scale only. A finite time needs one of the two; a fixed time is the least upper bound over all starts
            without them.

        Returns
        -------
        Fraction
            In the time unit of the dynamics; in discrete time, a number of steps.
        """
        if isinstance(self.claim, ScaledClaim):
            if band != consequences.BAND:
                raise InvalidModelError(f"band belongs to exponential decay; {tell_scaled(self.claim)} has none")
            return bound_scaled_time(self.claim, self._bound_start(V0, x0))
        if V0 is not None or x0 is not None:
            raise InvalidModelError("V0 and x0 belong to another time scale; exponential decay has no end, only a band")
        if isinstance(self.claim, GainClaim):
            raise ClaimMismatchError(f"{type(self.claim).__name__} has no settling time: what disturbs need not end")
        if isinstance(self.claim, SublinearDecay):
            raise ClaimMismatchError("a SublinearDecay has no settling time of the state; see constant")
        if isinstance(self.claim, Contraction):
            return consequences.bound_settling_steps(self.factor, self.transient_bound, band)
        return consequences.bound_settling_time(self.rate, self.transient_bound, band)

    def _bound_start(self, V0: object, x0: object) -> Fraction | None:
        upper, form = self.norm_ratios[0] if self.is_bounded else None, None
        has_rows = isinstance(self.system, LureSystem | PolytopicSystem)
        if isinstance(self.template, QuadraticStorage) and has_rows:
            form = self.P
        return bound_start(V0, x0, states=self.system.shape[0], is_flat=not has_rows, upper=upper, form=form)

    @property
    def digest(self) -> str:
        """SHA-256 of the certificate's content in its canonical form."""
        from .encoding import to_json

        content = {key: value for key, value in to_json(self).items() if key != "digest"}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
