"""Proved settling times against those of the literature's closed forms, over the catalogue."""

from statistics import median

import pytest
from scaled_rows import ROWS, SCALES, Row

import lyapflow as lf
from lyapflow.time_scaling.closed_forms import bound_by_constants, bound_contraction


def closed_time(row: Row, scale) -> float:
    """The best of the closed forms."""
    times = [bound_by_constants(row.constants, scale, 1.0)]
    if row.factor is not None and isinstance(scale, lf.FiniteTime):
        times.append(bound_contraction(row.factor, scale, 1.0))
    return min(times)


def proved_time(scaled) -> float:
    return float(scaled.settling_time(x0=1) if isinstance(scaled.scale, lf.FiniteTime) else scaled.settling_time())


ALL = [(name, label) for name in ROWS for label in SCALES]
TURNS = [(name, [*SCALES][k % len(SCALES)]) for k, name in enumerate(ROWS)]  # each flow on one scale


@pytest.mark.parametrize("pairs", [TURNS, pytest.param(ALL, marks=pytest.mark.slow)], ids=["in turn", "all"])
def test_proved_times_are_at_least_as_good_and_much_closer_on_the_median(pairs):
    """Closed form over proved, for the V of the certificate and for one that is sought for the settling time."""
    ratios = {}
    for name, label in pairs:
        row, scale = ROWS[name], SCALES[label]
        certificate = lf.certify(row.flow)
        kept = lf.scale_time(row.flow, certificate, scale)
        best = lf.scale_time(row.flow, certificate, scale, optimise="settling_time")
        assert lf.verify(kept.certificate).proved
        assert lf.verify(best.certificate).proved
        closed = closed_time(row, scale)
        ratios[name, label] = closed / proved_time(kept), closed / proved_time(best)
    assert {row: pair for row, pair in ratios.items() if pair[1] < 1 - 1e-5} == {}
    assert {row: pair for row, pair in ratios.items() if pair[1] < pair[0] * (1 - 1e-9)} == {}
    assert median(best for _, best in ratios.values()) >= 1.5
