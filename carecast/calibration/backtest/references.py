"""What a forecast has to beat: last value with its empirical error, drift, ETS, ARIMA.

Each sees one series up to the origin and gives an ensemble for each horizon. Stocks are forecast as they stand, flows as
their sum over the months ahead. Constant daily rates, which need the children, are in ``constant_rates``.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.backtest.scores import SEASON_MONTHS

LAST_VALUE, DRIFT, ETS, ARIMA = "last_value", "drift", "ets", "arima"
LEAST_CHANGES = 12  # past changes that an empirical error needs; with fewer, those of a shorter lag are scaled up
LEAST_MONTHS = 24  # of a series that ETS and ARIMA are fitted to
N_PATHS = 500
N_QUANTILES = 199
MOST_LAGS = 2  # p and q of ARIMA are 0 to 2; d is 0 or 1
STATIONARY_P = 0.05


@dataclass(frozen=True, slots=True)
class Forecast:
    """Equally likely values; ``is_sample``: drawn from the forecast rather than being the whole of it."""

    values: Array
    is_sample: bool = True


def of_series(
    series: Array, horizons: Sequence[int], is_flow: bool, rng: np.random.Generator
) -> dict[tuple[str, int], Forecast]:
    """Every reference at every horizon (months) that the series is long enough for."""
    known = series[~np.isnan(series)]
    out: dict[tuple[str, int], Forecast] = {}
    if len(known) < LEAST_CHANGES + 2:
        return out
    for months in horizons:
        out[LAST_VALUE, months] = last_flow(known, months) if is_flow else last_value(known, months)
        if not is_flow:
            out[DRIFT, months] = drift(known, months)
    if len(known) >= LEAST_MONTHS:
        for name, paths in ((ETS, ets_paths), (ARIMA, arima_paths)):
            ahead = paths(known, max(horizons), rng)
            reached = ahead.cumsum(axis=0) if is_flow else ahead
            out |= {(name, months): Forecast(np.maximum(reached[months - 1], 0.0)) for months in horizons}
    return out


def last_value(series: Array, steps: int) -> Forecast:
    """The last value, plus and minus every past change over the same number of steps.

    Both signs, so that "no change" is its centre. Where there are fewer than 12 such changes, those of the longest lag
    that has 12 are scaled by the square root of the ratio of lags, as of a random walk.
    """
    lag = max(min(steps, len(series) - LEAST_CHANGES), 1)
    changes = (series[lag:] - series[:-lag]) * np.sqrt(steps / lag)
    return _around(float(series[-1]), changes)


def last_flow(series: Array, steps: int) -> Forecast:
    """A flow's sum over the steps ahead: at the rate of the last year, plus and minus what that has missed by before."""
    total = np.concatenate([[0.0], series.cumsum()])
    year = min(SEASON_MONTHS, len(series))
    at = np.arange(year, len(series) + 1)  # months known at each past origin
    rate = (total[at] - total[at - year]) / year
    lag = max(min(steps, len(series) - year - LEAST_CHANGES + 1), 1)
    past = at[at + lag <= len(series)]
    errors = total[past + lag] - total[past] - lag * rate[: len(past)]
    return _around(float(steps * rate[-1]), errors * steps / lag)


def _around(centre: float, errors: Array) -> Forecast:
    """A centre with errors of both signs; no count or sum is below nought."""
    return Forecast(np.maximum(np.concatenate([centre - errors, centre + errors]), 0.0))


def drift(series: Array, steps: int) -> Forecast:
    """Last value + mean change x steps, normal with variance s^2 h (1 + h / n) for n changes of standard deviation s.

    Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, 5.5.
    """
    from scipy.special import ndtri

    changes = np.diff(series)
    n = len(changes)
    spread = float(changes.std(ddof=1)) * np.sqrt(steps * (1 + steps / n))
    slices = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    values = series[-1] + changes.mean() * steps + spread * ndtri(slices)
    return Forecast(np.maximum(values, 0.0), is_sample=False)


def ets_paths(series: Array, steps: int, rng: np.random.Generator) -> Array:
    """Simulated paths [step, path] of exponential smoothing with additive error and damped trend, ETS(A,Ad,N)."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    if np.ptp(series) == 0:
        return np.full((steps, 1), float(series[-1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted: Any = ETSModel(series, error="add", trend="add", damped_trend=True).fit(disp=0)
        paths: Array = np.asarray(fitted.simulate(steps, anchor="end", repetitions=N_PATHS, rng=rng), dtype=float)
    return paths.reshape(steps, -1)


def arima_paths(series: Array, steps: int, rng: np.random.Generator) -> Array:
    """Simulated paths [step, path] of the ARIMA(p, d, q) of least AIC: d by the KPSS test at 5 %, p and q up to 2."""
    if np.ptp(series) == 0:
        return np.full((steps, 1), float(series[-1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = best_arima(series)
        paths: Array = np.asarray(fitted.simulate(steps, anchor="end", repetitions=N_PATHS, rng=rng), dtype=float)
    return paths.reshape(steps, -1)


def best_arima(series: Array) -> Any:
    """The fitted ARIMA of least AIC."""
    from statsmodels.tsa.arima import model
    from statsmodels.tsa.stattools import kpss

    tested: Any = kpss(series, regression="c", nlags="auto")  # a tuple, or in later versions a result with names
    d = int((tested.pvalue if hasattr(tested, "pvalue") else tested[1]) < STATIONARY_P)
    fits = []
    for p in range(MOST_LAGS + 1):
        for q in range(MOST_LAGS + 1):
            try:
                fits.append(model.ARIMA(series, order=(p, d, q), trend="n" if d else "c").fit())
            except (ValueError, np.linalg.LinAlgError):
                continue
    return min(fits, key=lambda fit: float(fit.aic))
