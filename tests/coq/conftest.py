"""The real proof assistant."""

import os

import pytest

from lyapflow.coq.compiler import check_text, find_coq


@pytest.fixture(scope="session")
def coq():
    """The proof assistant; missing, it fails where it must be there, and is skipped loudly elsewhere."""
    if find_coq() is None:
        message = "coqc is not on PATH: theorems are not checked. apt-get install --no-install-recommends coq"
        if os.environ.get("CI") or os.environ.get("LYAPFLOW_REQUIRE_COQ"):
            pytest.fail(message)
        pytest.skip(message)
    return check_text
