"""A certified flow on another time scale: its certificate, its settling times, its simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Integral
from typing import Literal, get_args

from numpy.typing import ArrayLike

from ..certificates.certificate import Certificate
from ..certificates.verification import verify
from ..dynamics import System
from ..errors import ClaimMismatchError, InvalidModelError, VerificationError
from ..exact.rationals import rational, round_up
from ..lmi.claims import ExponentialDecay
from ..lmi.scaled import check_scaled
from ..lmi.scaled_claims import PrescribedTimeStability, ScaledClaim
from ..lmi.templates import ZamesFalb
from ..lmi.time_scales import TimeScale
from ..members.protocol import Member
from ..search.scaled import find_scaled
from ..simulation.equilibria import Equilibrium
from ..simulation.motion import Method, settle
from ..simulation.scaled_motion import integrate_scaled
from ..simulation.time_change import follow_orbit, measure_slowness
from ..simulation.trajectories import Trajectory

__all__ = ["ScaledFlow", "scale_time"]

_SMALLEST, _LARGEST = Fraction(1, 10**300), Fraction(10**300)


@dataclass(frozen=True, slots=True)
class ScaledFlow:
    """A flow on another time scale, with the proof that it settles; made by `scale_time`.

    Attributes
    ----------
    certificate : Certificate
        About the scaled flow: `verify` proves it, `save` writes it.
    """

    certificate: Certificate

    @property
    def system(self) -> System:
        """The flow that is scaled."""
        return self.certificate.system

    @property
    def claim(self) -> ScaledClaim:
        """What is proved."""
        claim = self.certificate.claim
        if not isinstance(claim, ScaledClaim):
            raise ClaimMismatchError(f"a ScaledFlow needs a certificate on another time scale, its claim is {claim}")
        return claim

    @property
    def scale(self) -> TimeScale:
        """The time scale."""
        return self.claim.scale

    @property
    def exponents(self) -> tuple[Fraction, ...]:
        """Exponents of V in its decrease, ``V' <= -A V^a - B V^b``; for a prescribed time that of ``1 - t/T``."""
        return self.claim.exponents

    @property
    def coefficients(self) -> tuple[Fraction, ...]:
        """Coefficients of V in its decrease, proved, rounded down; none for a prescribed time."""
        return self.claim.coefficients

    def settling_time(self, *, V0: object = None, x0: object = None) -> Fraction:
        """Time from which the state is at the equilibrium, proved, rounded up. See `Certificate.settling_time`.

        Parameters
        ----------
        V0 : rational, optional
            V at the start, or an upper bound.
        x0 : rational, or sequence of rationals or of rows of them, optional
            Deviation of the start from the equilibrium, or its norm.
        """
        return self.certificate.settling_time(V0=V0, x0=x0)

    def speed_up(self, factor: object) -> ScaledFlow:
        """The flow with all gains multiplied by a factor > 0: settling times are divided by it.

        Raises
        ------
        InvalidModelError
            If the factor is not positive, or the time is prescribed.
        """
        claim = self.claim
        if isinstance(claim, PrescribedTimeStability):
            raise InvalidModelError("a prescribed time does not depend on gains; choose another PrescribedTime")
        return ScaledFlow(replace(self.certificate, claim=claim.speed_up(factor)))

    def settle_within(self, time: object, *, V0: object = None, x0: object = None) -> ScaledFlow:
        """The flow with gains, near the smallest, with which the proved settling time is at most the given one.

        Parameters
        ----------
        time : rational
            What must not be exceeded, > 0.
        V0, x0 : optional
            As in `settling_time`; a fixed time holds for all starts without them.

        Raises
        ------
        InvalidModelError
            If the time is not positive, or it is prescribed already.
        """
        wanted = rational(time, name="time")
        if wanted <= 0:
            raise InvalidModelError(f"time must be > 0, got {wanted}")
        now = self.settling_time(V0=V0, x0=x0)
        if now == 0:
            raise InvalidModelError("the start must not be the equilibrium: from there every gain settles at once")
        return self.speed_up(round_up(now / wanted * (1 + Fraction(1, 2**50)), 60))

    def match_speed(self, speed: object) -> ScaledFlow:
        r"""The flow with gains with which it is as fast as the unscaled one where that has a given speed.

        A fair comparison has equal peaks of :math:`|\dot x|`: take the largest speed of the unscaled trajectory.

        Parameters
        ----------
        speed : rational
            :math:`r = |F| > 0`.
        """
        value = rational(speed, name="speed")
        if not _SMALLEST <= value <= _LARGEST:
            raise InvalidModelError(f"speed must be > 0, at least 1e-300 and at most 1e300, got {speed}")
        r = float(value)
        return self.speed_up(float(measure_slowness(self.scale, r)))

    def simulate(
        self,
        members: Sequence[Member],
        x0: ArrayLike,
        *,
        threshold: float = 1e-6,
        points: int = 401,
        rtol: float = 1e-10,
        method: Method = "LSODA",
        equilibrium: Equilibrium | ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Trajectory:
        """Integrate the scaled flow until its distance is a small part of the initial one.

        Parameters
        ----------
        members, x0, rtol, method, equilibrium, offset
            As in `lyapflow.simulate`.
        threshold : float, default 1e-6
            Part of the initial distance at which it ends, in (0, 1): the last sample.
        points : int, default 401
            Number of samples, evenly spaced.

        Returns
        -------
        Trajectory
            On the clock of the scaled flow.

        Raises
        ------
        SimulationError
            If no equilibrium is found, or the integration stops early.
        """
        if not 0 < threshold < 1:
            raise InvalidModelError(f"threshold must be > 0 and < 1, got {threshold}")
        if method not in get_args(Method):
            raise InvalidModelError(f"method must be one of {list(get_args(Method))}, got {method!r}")
        if isinstance(points, bool) or not isinstance(points, Integral) or points < 2:
            raise InvalidModelError(f"points must be an integer >= 2, got {points!r}")
        if not 0 < rtol < 1:
            raise InvalidModelError(f"rtol must be > 0 and < 1, got {rtol}")
        loop, rest, start = settle(self.system, members, x0, equilibrium=equilibrium, offset=offset)
        return integrate_scaled(
            loop, rest, start, self.scale, threshold=threshold, points=points, rtol=rtol, method=method
        )

    def measure_settling_time(
        self,
        members: Sequence[Member],
        x0: ArrayLike,
        *,
        threshold: float = 0.0,
        rtol: float = 1e-10,
        equilibrium: Equilibrium | ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        r"""The settling time of one trajectory, by integrating :math:`\mathrm ds/\sigma` along the unscaled flow.

        Parameters
        ----------
        members, x0, rtol, equilibrium, offset
            As in `lyapflow.simulate`.
        threshold : float, default 0
            Part of the initial distance that counts as settled, in [0, 1).

        Returns
        -------
        float
            In the time unit of the scaled flow; seen, not proved.

        Examples
        --------
        >>> from lyapflow.classes import SmoothStronglyConvex
        >>> from lyapflow.flows import gradient_flow
        >>> from lyapflow.lmi.time_scales import FiniteTime
        >>> from lyapflow.members import SquaredNorm
        >>> from lyapflow.search import certify
        >>> flow = gradient_flow(SmoothStronglyConvex(1, 10))
        >>> scaled = scale_time(flow, certify(flow), FiniteTime(0))
        >>> round(scaled.measure_settling_time([SquaredNorm(2)], [3.0, 4.0]), 6)  # straight on, at speed 1
        5.0
        """
        if not 0 <= threshold < 1:
            raise InvalidModelError(f"threshold must be >= 0 and < 1, got {threshold}")
        if not 0 < rtol < 1:
            raise InvalidModelError(f"rtol must be > 0 and < 1, got {rtol}")
        loop, rest, start = settle(self.system, members, x0, equilibrium=equilibrium, offset=offset)
        return float(follow_orbit(loop, rest, start, self.scale, threshold=threshold, rtol=rtol).settling_time)


def scale_time(
    flow: System, certificate: Certificate, scale: TimeScale, *, optimise: Literal["settling_time"] | None = None
) -> ScaledFlow:
    r"""A certified flow on another time scale, with the proof that it settles in finite, fixed or prescribed time.

    .. math:: \dot x = F(x) \quad\longrightarrow\quad \dot x = \sigma F(x),\qquad
              \sigma = c|F|^{\alpha-1},\quad c_1|F|^{\alpha-1} + c_2|F|^{\beta-1},\quad \tfrac{c}{T-t}

    The V of the certificate proves the scaled flow: its constants are small exact matrix inequalities over the classes.

    Parameters
    ----------
    flow : LureSystem, PrimalDualSystem, ProximalLagrangianSystem or PolytopicSystem
        In continuous time, and the one that the certificate is about.
    certificate : Certificate
        Of `ExponentialDecay`; it is verified first.
    scale : FiniteTime, FixedTime or PrescribedTime
        The time scale.
    optimise : "settling_time", optional
        Seek V again, with the constants, for the shortest settling time: from starts at a given distance for a finite
        time, from all starts for a fixed one. By default V is that of the certificate.

    Returns
    -------
    ScaledFlow
        With a proved certificate.

    Raises
    ------
    ClaimMismatchError
        If the certificate is about another flow, or another claim than exponential decay.
    VerificationError
        If the certificate does not prove its claim.
    InvalidModelError
        If an argument is not valid.
    NoCertificateError
        If no constants are proved.

    Notes
    -----
    After Ozaslan, Jovanovic (2024); the inequalities are those of `lyapflow.lmi.scaled_claims`. At the equilibrium,
    where F is zero, the scaled flow rests. With ``alpha = 0`` its right side is not continuous there: the theorem is
    about trajectories until they arrive.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> from lyapflow.lmi.time_scales import FixedTime
    >>> from lyapflow.search import certify
    >>> flow = gradient_flow(SmoothStronglyConvex(mu=1, L=10))
    >>> scaled = scale_time(flow, certify(flow), FixedTime("1/2", "3/2"), optimise="settling_time")
    >>> round(float(scaled.settling_time()), 4)  # pi, which a quadratic function needs
    3.1416
    """
    if not isinstance(certificate, Certificate):
        raise InvalidModelError(f"scale_time needs a Certificate, got {type(certificate).__name__}")
    if not isinstance(scale, TimeScale):
        raise InvalidModelError(f"scale must be a FiniteTime, a FixedTime or a PrescribedTime, got {scale!r}")
    if optimise not in (None, "settling_time"):
        raise InvalidModelError(f'optimise must be "settling_time" or left out, got {optimise!r}')
    if not isinstance(certificate.claim, ExponentialDecay):
        raise ClaimMismatchError(
            f"scale_time needs a certificate of exponential decay, this one claims {certificate.claim}. Certify the "
            "flow with ExponentialDecay(); what decays like a power of time has no finite settling time by scaling."
        )
    if certificate.system != flow:
        raise ClaimMismatchError(
            f"the certificate must be about the flow that is scaled, and it is about {certificate.system.name!r} with "
            f"other data than {getattr(flow, 'name', flow)!r}. Certify that flow."
        )
    if isinstance(certificate.template, ZamesFalb):
        raise ClaimMismatchError(
            "scale_time needs a V of the state alone, and this certificate has one with memory: its filters run on the "
            "clock of the flow. Certify with QuadraticPlusValue() or QuadraticStorage()."
        )
    check_scaled(flow)
    verdict = verify(certificate)
    if not verdict.proved:
        raise VerificationError(
            f"scale_time needs a proved certificate: {verdict.reason}",
            inequality="" if verdict.witness is None else verdict.witness.inequality,
            witness=verdict.witness,
        )
    return ScaledFlow(find_scaled(certificate, scale, optimise=optimise is not None))
