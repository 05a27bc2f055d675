"""Burgers' equation on a circle: random initial states, and what becomes of them.

    u_t + u u_x = viscosity u_xx,   x in [0, length), periodic

A state is n samples at x = 0, length / n, 2 length / n, ... The solver is pseudo-spectral:
diffusion exactly, as a factor of each Fourier coefficient, and the product u u_x on the grid, by
Runge and Kutta's fourth-order steps.
"""

import numpy as np


def random_fields(
    count: int, points: int, rng: np.random.Generator, modes: int | None = None
) -> np.ndarray:
    """Smooth functions of period 1, Gaussian with covariance 625 (25 - d^2/dx^2)^-2: (count, n).

    The same generator gives the same functions on every grid that can hold them: ``modes`` says
    how many waves they have (a third of ``points``). Raises ValueError if that is too many.

    Source: Li et al., "Fourier Neural Operator for Parametric Partial Differential Equations"
    (2021), section 5.1.
    """
    modes = points // 3 if modes is None else modes
    if not 0 <= modes <= (points - 1) // 2:
        raise ValueError(f"{points} points hold up to {(points - 1) // 2} modes, got {modes}")
    waves = np.arange(modes + 1)
    deviation = 25 / (25 + (2 * np.pi * waves) ** 2)
    a, b = rng.standard_normal((2, count, modes + 1)) * deviation
    spectrum = np.zeros((count, points // 2 + 1), complex)
    spectrum[:, : modes + 1] = (a + 1j * b) * points / np.sqrt(2)
    spectrum[:, 0] = a[:, 0] * points
    return np.fft.irfft(spectrum, points)


def burgers(
    start: np.ndarray,
    time: float = 1.0,
    viscosity: float = 0.1,
    steps: int = 200,
    length: float = 1.0,
) -> np.ndarray:
    """The state (N, n) at ``time``, from the state ``start`` (N, n) at 0, in float64.

    Raises ValueError for a start of another shape, and FloatingPointError when the steps are too
    few for the speed and the grid.
    """
    start = np.asarray(start, np.float64)
    if start.ndim != 2 or time < 0 or not min(viscosity, length) > 0 or steps < 1:
        raise ValueError(
            "burgers expected a start (N, n), a time from 0 on, viscosity and length above 0 and "
            f"at least 1 step, got {start.shape}, {time}, {viscosity}, {length}, {steps}"
        )
    points, dt = start.shape[1], time / steps
    waves = 2 * np.pi / length * np.arange(points // 2 + 1)
    half = np.exp(-viscosity * waves**2 * dt / 2)  # diffusion over half a step
    kept = np.arange(len(waves)) <= points // 3  # products of these waves fall on no other
    push = -0.5j * waves * kept

    def slope(spectrum: np.ndarray) -> np.ndarray:
        """- u u_x = - (u^2 / 2)_x."""
        return push * np.fft.rfft(np.fft.irfft(spectrum, points) ** 2)

    u = np.fft.rfft(start) * kept
    with np.errstate(over="ignore", invalid="ignore"):  # the result is looked at below
        for _ in range(steps):
            a = slope(u)
            b = slope(half * (u + dt / 2 * a))
            c = slope(half * u + dt / 2 * b)
            d = slope(half * (half * u + dt * c))
            u = half * (half * (u + dt / 6 * a) + dt / 3 * (b + c)) + dt / 6 * d
    if not np.isfinite(u).all():
        raise FloatingPointError(f"{steps} steps are too few: the solution grew without bound")
    return np.fft.irfft(u, points)
