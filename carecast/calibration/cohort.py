"""Expected numbers in care when children enter at a steady pace: a fast twin of the care part of the model.

Children who enter at single-year age ``a`` are followed in steps of 28 days over (first or later placement, placement
type, time in placement) until they leave or turn 18. With hazards constant within a step the share that goes is 1 -
exp(-(exits + moves) h), divided in proportion to the hazards. Duration bands longer than a step are crossed in a few
phases whose mean time is the width of the band (Erlang), so a run takes about ten milliseconds. Places are not limited
here: of the demand for own homes a share ``own`` finds one and the rest is bought, as the stock by type shows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.calibration.arrays import Array
from carecast.calibration.shapes import DestinationShape, RateShape
from carecast.model import words as w

STEP_DAYS = 28
STEP_YEARS = STEP_DAYS / w.DAYS_PER_YEAR
N_STEPS = 235  # 18 years
N_AGES = 18
N_EXITS = w.LAST_EXIT - w.FIRST_EXIT + 1
AT_STEP = np.arange(N_STEPS)
PHASES_OF_BAND = (1, 2, 2, 2, 3, 4, 1)
BAND_OF_PHASE = np.repeat(np.arange(w.N_DURATION_BANDS), PHASES_OF_BAND)
N_PHASES = len(BAND_OF_PHASE)
ENTRY_AGE_YEARS = np.arange(N_AGES) + np.where(np.arange(N_AGES) == 0, 0.35, 0.5)
FAST_PER_YEAR = 6.0  # hazards above it are followed exactly within a step
WITHIN_A_YEAR = BAND_OF_PHASE < 4


def _advance() -> Array:
    """Chance per step of crossing from each phase to the next."""
    widths = np.diff([*w.DURATION_BAND_STARTS_DAYS, np.inf])
    chance = STEP_DAYS * np.array(PHASES_OF_BAND) / widths
    advance: Array = np.minimum(chance, 1.0)[BAND_OF_PHASE]
    return advance


ADVANCE = _advance()


@dataclass(frozen=True, slots=True)
class CareRules:
    """Hazards per year and destinations of the care part, as arrays."""

    exits: Array  # [cause][age band 0..4][duration band][type]
    moves: Array  # [move, step down][age band][type][duration band]
    to: Array  # [move, step down][age band][from type][to type], after own places are shared out
    entry: Array  # [age band][type], children from outside, after own places are shared out
    entry_return: Array  # the same for those who come back
    own_foster: float
    own_house: float


@dataclass(frozen=True, slots=True)
class Cohort:
    """Expected children for the entries given, a year's flows and the stock they lead to."""

    by_step: Array  # [entry age][step][type]: children in care so long
    later: Array  # [later placement 0/1][phase][type]
    full: Array | None  # [later][step][entry age][type][phase] when asked for
    exits: Array  # [cause][type][age at exit in years 0..17]
    aged_out: Array  # [type] turned 18 in care
    moves: Array  # [move, step down][from type]

    @property
    def by_type(self) -> Array:
        """Stock by placement type."""
        total: Array = self.by_step.sum(axis=(0, 1))
        return total

    @property
    def moved_within_a_year(self) -> float:
        """Share of the stock whose present placement is not the first and began within a year (CHN23)."""
        return float(self.later[1][WITHIN_A_YEAR].sum() / self.later.sum())


def age_band_of(years: Array) -> NDArray[np.int64]:
    """Age band of ages in years; 17.99 and over stay in the last band of childhood."""
    band = np.searchsorted(w.AGE_BAND_STARTS_YEARS, years, side="right") - 1
    return np.minimum(band, w.N_AGE_BANDS - 2)


def share_own(wanted: Array, own_foster: float, own_house: float) -> Array:
    """Placements from demand: a share of foster and house demand finds an own place, the rest is bought."""
    placed = wanted.copy()
    for own, bought, share in (
        (w.FOSTER_OWN, w.FOSTER_AGENCY, own_foster),
        (w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL, own_house),
    ):
        both = wanted[..., own] + wanted[..., bought]
        placed[..., own] = both * share
        placed[..., bought] = both * (1 - share)
    return placed


def hazard_table(shapes: tuple[RateShape, ...], causes: tuple[int, ...], levels: dict[str, float]) -> Array:
    """[cause][age band 0..4][duration band][type] per year; ``levels`` multiply tables by ``cause.label``."""
    table = np.zeros((len(causes), w.N_AGE_BANDS - 1, w.N_DURATION_BANDS, w.N_PLACEMENT_TYPES))
    for shape in shapes:
        cause = w.CAUSES.index(shape.cause)
        if cause in causes:
            types = [w.PLACEMENT_TYPES.index(name) for name in shape.placement_types]
            scaled = shape.per_year[:-1] * levels.get(shape.key, 1.0)
            table[causes.index(cause)][:, :, types] = scaled[:, :, np.newaxis]
    return table


def destination_table(rows: tuple[DestinationShape, ...], moment: str) -> Array:
    """Demand [age band 0..4][from type][to type]; for moments without a from type every row is the same."""
    table = np.zeros((w.N_AGE_BANDS - 1, w.N_PLACEMENT_TYPES, w.N_PLACEMENT_TYPES))
    for row in rows:
        if row.moment != moment:
            continue
        chances = np.array([row.chances.get(name, 0.0) for name in w.PLACEMENT_TYPES])
        froms = [w.PLACEMENT_TYPES.index(name) for name in row.from_types or w.PLACEMENT_TYPES]
        for band in row.age_bands:
            table[w.AGE_BANDS.index(band), froms] = chances
    return table


def run_cohort(rules: CareRules, entries: Array, keep_full: bool = False) -> Cohort:
    """Follow ``entries`` (children a year, [age 0..17][type]) and add up the stock and a year's flows.

    stock = sum over steps of (children left per yearly entrant) x step; flows likewise.
    """
    by_phase = rules.moves[..., BAND_OF_PHASE]
    state = np.zeros((2, N_AGES, w.N_PLACEMENT_TYPES, N_PHASES))
    state[0, :, :, 0] = entries
    by_step = np.zeros((N_AGES, N_STEPS, w.N_PLACEMENT_TYPES))
    later = np.zeros((2, N_PHASES, w.N_PLACEMENT_TYPES))
    full = np.zeros((2, N_STEPS, N_AGES, w.N_PLACEMENT_TYPES, N_PHASES)) if keep_full else None
    exits = np.zeros((N_EXITS, w.N_PLACEMENT_TYPES, N_AGES))
    moves = np.zeros((2, w.N_PLACEMENT_TYPES))
    aged_out = np.zeros(w.N_PLACEMENT_TYPES)
    for step in range(N_STEPS):
        ages = ENTRY_AGE_YEARS + step * STEP_YEARS
        n = int(np.searchsorted(ages, 18.0))  # entrants of these ages are still children
        aged_out += state[:, n:].sum(axis=(0, 1, 3))
        state = np.ascontiguousarray(state[:, :n])
        if n == 0:
            break
        band = age_band_of(ages[:n])
        length = int(np.searchsorted(w.DURATION_BAND_STARTS_DAYS, (step + 0.5) * STEP_DAYS, side="right")) - 1
        leave = rules.exits[:, band, length]  # [cause][entry age][type]
        shift = by_phase[:, band]  # [move, step down][entry age][type][phase]
        out = leave.sum(axis=0)[..., np.newaxis] + shift[0] + shift[1]
        gone = state * -np.expm1(-out * STEP_YEARS)
        stay = (state - 0.5 * gone) * STEP_YEARS
        fast = out > FAST_PER_YEAR
        if fast.any():  # places of days, such as reception: the mean of the straight line is too long
            stay = np.where(fast, gone / np.maximum(out, FAST_PER_YEAR), stay)
        by_step[:n, step] = stay.sum(axis=(0, 3))
        later += stay.sum(axis=1).transpose(0, 2, 1)
        if full is not None:
            full[:, step, :n] = stay
        per_hazard = (gone / np.maximum(out, 1e-12)).sum(axis=0)
        exits[:, :, ages[:n].astype(int)] += (leave * per_hazard.sum(axis=2)).transpose(0, 2, 1)
        moved = (per_hazard * shift).sum(axis=3)  # [move, step down][entry age][from type]
        moves += moved.sum(axis=1)
        state -= gone
        on = state * ADVANCE
        state -= on
        state[..., 1:] += on[..., :-1]
        state[..., -1] += on[..., -1]
        state[1, :, :, 0] += np.einsum("kat,kats->as", moved, rules.to[:, band])
    aged_out += state.sum(axis=(0, 1, 3))
    return Cohort(by_step, later, full, exits, aged_out, moves)
