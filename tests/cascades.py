"""Cascades that several tests use."""

import numpy as np

import lyapflow as lf


def observer_and_controller():
    A, B, C = np.array([[0, 1], [2, -1]]), np.array([[0], [1]]), np.array([[1, 0]])
    K, L = np.array([[6, 3]]), np.array([[8], [17]])
    return lf.LureSystem(np.block([[A, -B @ K], [L @ C, A - B @ K - L @ C]]).tolist(), name="observer and controller")
