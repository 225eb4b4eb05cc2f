"""Tasks of the sweep tests: functions of a module, so that other processes find them by their names."""

import os
import signal
import time

import lyapflow as lf


def gradient(kappa):
    """A system; `sweep` searches its best rate, which is 1."""
    return lf.flows.gradient_flow(lf.SmoothStronglyConvex(mu=1, L=kappa))


def heavy_ball(kappa, damping="2"):
    return lf.attempt(lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(1, kappa), damping=damping))


def slow(kappa):
    time.sleep(0.25)
    return gradient(kappa)


def deadly(kappa, trap):
    """The process that has kappa = 3 first dies of it, once; `trap` is a file that remembers."""
    if kappa == 3 and not os.path.exists(trap):
        open(trap, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return gradient(kappa)


def choosy(kappa, trap):
    """Fails at kappa = 3 until the file is there."""
    if kappa == 3 and not os.path.exists(trap):
        raise ZeroDivisionError("three is too many")
    return gradient(kappa)


def claim(rate):
    return lf.attempt(gradient(10), lf.ExponentialDecay(rate))


def descent(kappa):
    """Gradient descent with step 1/L; its factor is 1 - 1/kappa."""
    return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, kappa), step=1 / kappa)
