r"""What is claimed of a system that is disturbed: gains from an input w to an output z.

They are dissipation inequalities with a supply, :math:`\dot V + 2\rho V \le s(w, z)`, integrated over time:

* `L2Gain`: :math:`\dot V \le g^2|w|^2 - |z|^2` and :math:`V \ge 0`;
* `InputToState`: :math:`\dot V + 2\rho V \le 2\rho g^2|w|^2` and :math:`V \ge |x|^2`;
* `NoiseAmplification`: the variance of z under white noise, where f is quadratic;

and `DelayTolerance`, of a room of its own, where w is what the delay makes of the argument of a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.matrices import Matrix, matrix
from ..exact.rationals import rational, shorten, show_below
from .claims import put_positive
from .delay_claims import DelayTolerance

__all__ = ["SUPPLY", "GainClaim", "InputToState", "L2Gain", "NoiseAmplification", "Port", "tell_gain"]

SUPPLY = "squared gain"
"""Name of the unknown that stands for the squared gain, or the variance, while it is searched."""


@dataclass(frozen=True, slots=True)
class Port:
    r"""Where an input enters, or what an output is made of, by two matrices.

    As an input: :math:`\dot x = \dots + M_x w` and :math:`y = \dots + M_u w`, so ``state`` is (n, p) and ``oracles`` is
    (m, p). As an output: :math:`z = M_x x + M_u u`, so ``state`` is (q, n) and ``oracles`` is (q, m).

    Parameters
    ----------
    state : array_like
        :math:`M_x`.
    oracles : array_like
        :math:`M_u`.

    Examples
    --------
    >>> Port(state=[[1], [0]], oracles=[[0]]).state
    ((Fraction(1, 1),), (Fraction(0, 1),))
    """

    state: Matrix
    oracles: Matrix

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", matrix(self.state, name="Port: state"))
        object.__setattr__(self, "oracles", matrix(self.oracles, name="Port: oracles"))


def _check_ports(claim: object, **ports: object) -> None:
    for what, port in ports.items():
        if not isinstance(port, Port) and not (isinstance(port, str) and port):
            raise InvalidModelError(
                f"{type(claim).__name__}: {what} must be a name such as 'state', or a Port, got {port!r}"
            )


@dataclass(frozen=True, slots=True)
class L2Gain:
    r"""The energy of an output is at most a multiple of the energy of an input.

    .. math:: \int_0^T|z|^2\,dt \le g^2\int_0^T|w|^2\,dt + V(x(0)) \qquad (T \ge 0),

    and V is zero at the equilibrium and nowhere negative; in discrete time with sums in place of integrals. Outputs are
    deviations from the equilibrium. What is proved is :math:`\dot V \le g^2|w|^2 - |z|^2` (Willems 1972; Boyd, El
    Ghaoui, Feron, Balakrishnan 1994, section 6.3.2), for all members of the classes at once.

    Parameters
    ----------
    input : str or Port, default "gradient"
        ``"gradient"``: an error is added to the output of each oracle, :math:`u_j + w_j`. ``"measurement"``: to its
        argument, :math:`y_j + w_j`. ``"state"``: to the right side of the equation of motion (to the next state in
        discrete time). ``"primal"``, ``"dual"``: to that of the primal or dual variable of a primal-dual system.
        The name of an oracle: an error on that oracle alone.
    output : str or Port, default "state"
        ``"state"``, ``"primal"``, ``"dual"``; ``"gradient"``: outputs of all oracles; or the name of an oracle.
    gain : rational, optional
        :math:`g > 0`. None asks for the smallest that can be proved.

    Raises
    ------
    InvalidModelError
        If the gain is not positive, or a port is neither a name nor a `Port`.

    Examples
    --------
    >>> L2Gain(gain="1/3")
    L2Gain(input='gradient', output='state', gain=Fraction(1, 3))
    """

    input: str | Port = "gradient"
    output: str | Port = "state"
    gain: Fraction | None = None

    def __post_init__(self) -> None:
        _check_ports(self, input=self.input, output=self.output)
        put_positive(self, gain=self.gain)

    @property
    def number(self) -> Fraction | None:
        """The gain."""
        return self.gain

    def with_number(self, number: Fraction) -> L2Gain:
        """The claim with this gain."""
        return replace(self, gain=number)


@dataclass(frozen=True, slots=True)
class InputToState:
    r"""The state forgets its start at a rate, and stays within a multiple of the largest input.

    .. math:: |x(t)-x^\star| \le \sqrt{V(0)}\,e^{-\rho t} + g\,\sup_{s\le t}|w(s)|

    with :math:`\sqrt{V(0)} \le c\,|x(0)-x^\star|` where V has an upper bound; in discrete time with :math:`\rho^k`.
    What is proved is :math:`\dot V + 2\rho V \le 2\rho g^2|w|^2` (in discrete time
    :math:`V^+ \le \rho^2V + (1-\rho^2)g^2|w|^2`) and :math:`V \ge |x-x^\star|^2`, from which the bound follows by the
    comparison lemma and :math:`\sqrt{a+b} \le \sqrt a + \sqrt b` (Sontag 1989, in the form of an exponential
    ISS Lyapunov function).

    Parameters
    ----------
    rate : rational, optional
        Continuous time: :math:`\rho > 0`. None lets the search choose the one with the smallest gain.
    factor : rational, optional
        Discrete time: :math:`0 \le \rho < 1`. None as for the rate.
    gain : rational, optional
        :math:`g > 0`. None asks for the smallest that can be proved; one that is given needs a rate or a factor.
    input : str or Port, default "gradient"
        As for `L2Gain`.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.

    Examples
    --------
    >>> InputToState(rate="1/2").parameter
    Fraction(1, 2)
    """

    rate: Fraction | None = None
    factor: Fraction | None = None
    gain: Fraction | None = None
    input: str | Port = "gradient"

    def __post_init__(self) -> None:
        _check_ports(self, input=self.input)
        put_positive(self, rate=self.rate, gain=self.gain)
        if self.factor is not None:
            factor = rational(self.factor, name="factor")
            if not 0 <= factor < 1 or self.rate is not None:
                raise InvalidModelError(
                    "InputToState takes a rate in continuous time or a factor in [0, 1) in discrete time, got "
                    f"rate = {self.rate} and factor = {factor}"
                )
            object.__setattr__(self, "factor", factor)
        if self.gain is not None and self.parameter is None:
            raise InvalidModelError("InputToState needs a rate (or a factor) where the gain is given")

    @property
    def number(self) -> Fraction | None:
        """The gain."""
        return self.gain

    @property
    def parameter(self) -> Fraction | None:
        r"""The rate, or :math:`1-\rho^2`."""
        return self.rate if self.factor is None else 1 - self.factor**2

    @property
    def supply(self) -> Fraction | None:
        """What multiplies the squared gain in the decrease of V."""
        if self.parameter is None:
            return None
        return self.parameter if self.rate is None else 2 * self.parameter

    def with_number(self, number: Fraction) -> InputToState:
        """The claim with this gain."""
        return replace(self, gain=number)


@dataclass(frozen=True, slots=True)
class NoiseAmplification:
    r"""White noise makes the output of a quadratic problem vary by at most a known amount.

    .. math:: \mathbb{E}\,|z(t)|^2 \le J\,d

    from a start at the equilibrium, for independent white noises of unit intensity (in discrete time of unit variance)
    in all channels of the input and all d dimensions, and all quadratic functions with
    :math:`\mu I \preceq \nabla^2 f \preceq LI`: the squared H2 norm. For a `PrimalDualSystem` the noise has as many
    components as its input has there (n and m), and :math:`\mathbb{E}|z(t)|^2 \le J` for all components together.
    Outputs are deviations from the equilibrium.

    With explicit evaluations of one function J is the largest variance over the eigenvalue, exactly, without a V
    (Mohammadi, Razaviyayn, Jovanovic 2021), and the same in the limit for any start: see `lyapflow.lmi.noise`. Else it
    is an upper bound by a V that holds for Hessians that need not commute, with the constraint or one another; with
    :math:`\mu = L` it is the variance itself, as near as can be rounded. See `lyapflow.lmi.noise_bounds`.

    Parameters
    ----------
    input, output : str or Port, default "gradient" and "state"
        As for `L2Gain`.
    variance : rational, optional
        :math:`J > 0`. None asks for the smallest that can be proved.

    Raises
    ------
    InvalidModelError
        If the variance is not positive, or a port is neither a name nor a `Port`.

    Examples
    --------
    >>> NoiseAmplification(variance="1/2").number
    Fraction(1, 2)
    """

    input: str | Port = "gradient"
    output: str | Port = "state"
    variance: Fraction | None = None

    def __post_init__(self) -> None:
        _check_ports(self, input=self.input, output=self.output)
        put_positive(self, variance=self.variance)

    @property
    def number(self) -> Fraction | None:
        """The variance."""
        return self.variance

    def with_number(self, number: Fraction) -> NoiseAmplification:
        """The claim with this variance."""
        return replace(self, variance=number)


GainClaim: TypeAlias = L2Gain | InputToState | DelayTolerance | NoiseAmplification


def tell_gain(claim: GainClaim) -> str:
    """The claim in words; a long number as a decimal on the strong side, or none where the best is asked for.

    >>> tell_gain(L2Gain(output="f", gain=2)), tell_gain(DelayTolerance(rate="1/2"))
    ("L2 gain 2 from 'gradient' to 'f'", 'tolerance of any delay at rate 1/2')
    """
    if isinstance(claim, DelayTolerance):
        size = "any delay" if claim.delay is None else f"delays up to {shorten(claim.delay)}"
        return f"tolerance of {size} at rate {shorten(claim.rate)}"
    ports = (claim.input,) if isinstance(claim, InputToState) else (claim.input, claim.output)
    ways = ["matrices" if isinstance(port, Port) else repr(port) for port in ports]
    if isinstance(claim, NoiseAmplification):
        size = "any variance" if claim.variance is None else f"variance {_write(claim.variance)}"
        return f"{size} of {ways[1]} under white noise on {ways[0]}"
    gain = "any" if claim.gain is None else _write(claim.gain)
    if isinstance(claim, L2Gain):
        return f"{'any L2 gain' if gain == 'any' else f'L2 gain {gain}'} from {ways[0]} to {ways[1]}"
    at = "" if claim.parameter is None else f" at rate {shorten(claim.rate)}" if claim.rate else ""
    at = f" at factor {shorten(claim.factor)}" if claim.factor is not None else at
    return f"{'any gain' if gain == 'any' else f'gain {gain}'} from the largest {ways[0]} error to the state{at}"


def _write(number: Fraction) -> str:
    return shorten(number) if len(str(number)) <= 40 else show_below(number)
