"""The IEEE 118-bus system as a DC model: what the dispatch study, its tests and its tables are made from.

Everything is in MW, $/h and $/MWh; reactances and resistances are per unit on 100 MVA. Run as a script it writes the
two derived tables that ``dispatch_118.toml`` reads.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

import lyapflow as lf
from lyapflow.tables import read_table

DATA = Path(__file__).parent / "data"
LOSS_PRICE = 40.0  # $/MWh
BASE = 100.0  # MVA
PENALTY = 100.0  # curvature beyond a soft limit, in multiples of that inside


@dataclass(frozen=True)
class Network:
    """Loads, generators and branches; all arrays in the order of the tables."""

    load: np.ndarray  # (118,)
    lower: np.ndarray  # (54,)
    upper: np.ndarray
    quadratic: np.ndarray  # cost quadratic * p^2 + linear * p
    linear: np.ndarray
    limit: np.ndarray  # (186,)
    resistance: np.ndarray
    reactance: np.ndarray  # series reactance times tap ratio: flow = angle difference / reactance
    incidence: np.ndarray  # (186, 118): +1 where a branch begins, -1 where it ends
    placement: np.ndarray  # (118, 54): which bus a generator feeds
    ends: tuple  # (from, to) of each branch

    @classmethod
    def read(cls):
        """From the tables in ``data``."""
        buses, generators, branches = (
            read_table(DATA / f"case118_{n}.csv") for n in ("buses", "generators", "branches")
        )
        place = {int(bus): k for k, bus in enumerate(buses.column("bus"))}
        ends = tuple((int(i), int(j)) for i, j in zip(branches.column("from"), branches.column("to"), strict=True))
        incidence = np.zeros((len(ends), len(place)))
        for row, (i, j) in zip(incidence, ends, strict=True):
            row[place[i]], row[place[j]] = 1, -1
        placement = np.zeros((len(place), len(generators.values)))
        for k, bus in enumerate(generators.column("bus")):
            placement[place[int(bus)], k] = 1
        return cls(
            load=buses.column("load"),
            **{name: generators.column(name) for name in ("lower", "upper", "quadratic", "linear")},
            limit=branches.column("limit"),
            resistance=branches.column("resistance"),
            reactance=branches.column("reactance") * branches.column("tap"),
            incidence=incidence,
            placement=placement,
            ends=ends,
        )

    @cached_property
    def factors(self):
        """Power transfer distribution factors, (186, 118): flows per injection, taken out at the last bus."""
        susceptance = self.incidence[:, :-1] / self.reactance[:, None]
        inner = np.linalg.solve(self.incidence[:, :-1].T @ susceptance, susceptance.T).T
        return np.hstack([inner, np.zeros((len(self.ends), 1))])

    @cached_property
    def loops(self):
        """Independent loops, (69, 186): each branch outside a spanning tree, and the way back through the tree.

        The tree grows breadth first from the bus that makes the loops shortest altogether.
        """
        trees = (_find_loops(self.incidence, root) for root in range(len(self.load)))
        return min(trees, key=lambda loops: np.abs(loops).sum())

    @cached_property
    def flow_curvature(self):
        """Curvature of the cost of losses, $/(MW^2 h); a branch without resistance gets a fortieth of its reactance."""
        return 2 * LOSS_PRICE / BASE * np.maximum(self.resistance, self.reactance / 40)

    def find_branch(self, i, j):
        """Its number."""
        return self.ends.index((i, j))


def _find_loops(incidence, root):
    neighbours = [[] for _ in range(incidence.shape[1])]
    for k, row in enumerate(incidence):
        i, j = int(row.argmax()), int(row.argmin())
        neighbours[i].append((j, k, 1.0))
        neighbours[j].append((i, k, -1.0))
    ways = {root: np.zeros(len(incidence))}  # from the root to each bus
    queue, tree = [root], set()
    for bus in queue:
        for other, k, sign in neighbours[bus]:
            if other not in ways:
                ways[other] = ways[bus].copy()
                ways[other][k] = sign
                tree.add(k)
                queue.append(other)
    rows = []
    for k in (k for k in range(len(incidence)) if k not in tree):
        loop = ways[int(incidence[k].argmax())] - ways[int(incidence[k].argmin())]
        loop[k] += 1
        rows.append(loop)
    return np.array(rows)


def _shorten(values, bits):
    """Nearest numbers with so many binary digits: short numbers keep exact arithmetic quick."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits)


@dataclass(frozen=True)
class NodalModel:
    """Generation p and branch flows w as unknowns: balance at each bus, no voltage left over around each loop.

    The unknowns are ``(p, w) = scales * x`` with scales that give each cost the curvature 1, and equations have rows of
    length near 1; each scale is a local matter of its generator, branch, bus or loop.
    """

    network: Network

    @cached_property
    def scales(self):
        """(240,), with 6 binary digits."""
        n = self.network
        return _shorten(np.concatenate([2 * n.quadratic, n.flow_curvature]) ** -0.5, 6)

    @cached_property
    def _unscaled(self):
        n = self.network
        balance = np.hstack([n.placement, -n.incidence.T])
        voltage = np.hstack([np.zeros((len(n.loops), len(n.quadratic))), n.loops * n.reactance])
        return np.vstack([balance, voltage])

    @cached_property
    def weights(self):
        """Of the 187 equations: powers of two."""
        return _shorten(1 / np.linalg.norm(self._unscaled * self.scales, axis=1), 1)

    @cached_property
    def constraint(self):
        """E, (187, 240): entries with 20 binary digits, which moves a reactance by less than a millionth of it."""
        return _shorten(self.weights[:, None] * self._unscaled * self.scales, 20)

    @property
    def curvature(self):
        """Of the cost in each scaled unknown: 1, but for the rounding of the scales."""
        n = self.network
        return self.scales**2 * np.concatenate([2 * n.quadratic, n.flow_curvature])

    def offset(self, load=None):
        """Right side of ``E x = b``."""
        n = self.network
        load = n.load if load is None else load
        return np.concatenate([self.weights[: len(load)] * load, np.zeros(len(n.loops))])

    def cost(self, *, limit=None, linear=None):
        """Cost of generation and losses, $/h, with soft limits of generators and branches."""
        n = self.network
        limit = n.limit if limit is None else limit
        linear = n.linear if linear is None else linear
        return lf.members.SoftLimits(
            self.curvature,
            self.scales * np.concatenate([linear, np.zeros(len(limit))]),
            lower=np.concatenate([n.lower, -limit]) / self.scales,
            upper=np.concatenate([n.upper, limit]) / self.scales,
            weight=PENALTY * self.curvature,
        )

    def rest(self, cost, offset):
        """The saddle point (x, lambda), by Newton's method on the multipliers, with a line search."""
        E = self.constraint
        multipliers = np.zeros(len(E))

        def residual(at):
            x = cost.invert(-E.T @ at)
            return x, E @ x - offset

        x, r = residual(multipliers)
        for _ in range(100):
            if np.linalg.norm(r) <= 1e-13 * (np.linalg.norm(offset) + np.linalg.norm(x)):
                return np.concatenate([x, multipliers])
            bent = cost.curvature + cost.weight * (cost.excess(x) != 0)
            direction = np.linalg.solve((E / bent) @ E.T, r)
            length = 1.0
            while length > 1e-9:  # the dual function is concave: stop before it falls again
                x, r = residual(multipliers + length * direction)
                if direction @ r >= -1e-14 * np.linalg.norm(direction) * np.linalg.norm(offset):
                    break
                length /= 2
            multipliers = multipliers + length * direction
        raise RuntimeError("the saddle point was not found")

    def split(self, states):
        """Generation (..., 54) and flows (..., 186) in MW, and prices at the buses (..., 118) in $/MWh."""
        n, E = self.network, self.constraint
        p_and_w = states[..., : E.shape[1]] * self.scales
        cut = len(n.quadratic)
        prices = -(states[..., E.shape[1] :] * self.weights)[..., : len(n.load)]
        return p_and_w[..., :cut], p_and_w[..., cut:], prices


@dataclass(frozen=True)
class SecureModel:
    """Generation p alone, with all limits hard: the generators' box, balance, and branches by distribution factors."""

    network: Network
    gain: float = 3.125  # makes the curvatures 6.25 * quadratic, from 1/16 on: $/h to the unit of the flow

    def cost(self, *, linear=None):
        """Cost of generation, times `gain`."""
        n = self.network
        linear = n.linear if linear is None else linear
        return lf.members.SoftLimits(2 * self.gain * n.quadratic, self.gain * linear)

    def dispatches(self, load=None, *, limit=None):
        """All dispatches within all limits."""
        n = self.network
        load, limit = (n.load if load is None else load), (n.limit if limit is None else limit)
        base = n.factors @ load
        return lf.members.Polyhedron(
            n.lower,
            n.upper,
            np.vstack([np.ones(len(n.lower)), n.factors @ n.placement]),
            np.concatenate([[load.sum()], base - limit]),
            np.concatenate([[load.sum()], base + limit]),
        )

    def optimum(self, load=None, *, limit=None, linear=None):
        """The best of them, and the prices at all buses: one projection in the metric of the cost."""
        n = self.network
        linear = n.linear if linear is None else linear
        plain, root = self.dispatches(load, limit=limit), np.sqrt(2 * n.quadratic)
        scaled = lf.members.Polyhedron(
            root * n.lower, root * n.upper, plain.rows / root, plain.row_lower, plain.row_upper
        )
        best, multipliers = scaled.project(-linear / root)
        prices = -multipliers[0] - n.factors.T @ multipliers[1:]
        return best / root, prices


def write_tables(folder=DATA):
    """The derived tables, for the command line: the constraint, and the curvatures of the scaled cost."""
    model = NodalModel(Network.read())
    n = model.network
    flows = [f"w{k + 1}_{i}_{j}" for k, (i, j) in enumerate(n.ends)]
    names = [f"p{int(n.placement[:, k].argmax()) + 1}" for k in range(len(n.quadratic))] + flows
    rows = [",".join(_write(v) for v in row) for row in model.constraint]
    (folder / "dispatch_118_constraint.csv").write_text("\n".join([",".join(names), *rows]) + "\n")
    rows = [f"{_write(v)}" for v in model.curvature]
    (folder / "dispatch_118_curvature.csv").write_text("\n".join(["curvature", *rows]) + "\n")


def _write(value):
    return str(int(value)) if value == int(value) else repr(float(value))


if __name__ == "__main__":
    write_tables()
