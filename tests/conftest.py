"""Shared fixtures: hypothesis profiles, a seeded generator, one certificate per flow of the catalogue."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from systems import CATALOGUE, OPERATED

import lyapflow as lf

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def rng():
    return np.random.default_rng(20240601)


_PROVED: dict[str, lf.Certificate] = {}


SYSTEMS = (*sorted(CATALOGUE), *(pytest.param(name, marks=pytest.mark.slow) for name in sorted(OPERATED)))


@pytest.fixture(params=SYSTEMS)
def certificate(request):
    """A proved certificate of each system of the catalogue, found once per process."""
    if request.param not in _PROVED:
        _PROVED[request.param] = lf.certify((CATALOGUE | OPERATED)[request.param])
    return _PROVED[request.param]
