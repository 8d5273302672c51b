"""A world: one parameter set under one plan, ready to be told replication by replication."""

import datetime as dt
from typing import Literal, NamedTuple

import numpy as np

from carecast.model import words as w
from carecast.model.calendar import Calendar, make_calendar
from carecast.model.capacity import CapacityBuilder
from carecast.model.effects import effect_size
from carecast.model.event_log import Children, Log, as_children
from carecast.model.levels import DrawRow, HazardBuilder, branch_table, make_choices, wanted_table, window_path
from carecast.model.parameters import BadFile, Calibrated, Provider
from carecast.model.plan import Divert, Plan
from carecast.model.population import ArrivalsBuilder
from carecast.model.setup import Setup, Stock, lay_out, narrowed, read_stock, widened

Clock = Literal["simpy", "compiled"]


class Told(NamedTuple):
    """What one replication left behind."""

    log: Log
    children: Children


class World:
    """Everything of a run's scenario that is the same in all its replications.

    Args:
        calibrated: the parameter set, its draws and its stock.
        plan: the scenario in the model's terms.
        until: last simulated date, included.
        seed: seed of all draws.
        radius_miles: radius of measures and search; the parameter set's own unless given.
        stocks: the stock's variants as another world of the same parameter set has read them. Homes that a plan opens
            come after all others, so every world reads the stock alike.

    Raises:
        BadFile: plan, stock and parameter set do not fit together.
    """

    def __init__(
        self, calibrated: Calibrated, plan: Plan, until: dt.date, seed: int, radius_miles: float | None = None,
        stocks: dict[int, Stock] | None = None,
    ) -> None:  # fmt: skip
        parameters = calibrated.parameters
        self.calibrated = calibrated
        self.parameters = parameters
        self.plan = plan
        self.seed = seed
        self.radius_miles = radius_miles or parameters.radius_miles
        try:
            self.calendar: Calendar = make_calendar(parameters.as_at, until)
        except ValueError as error:
            raise BadFile(str(error)) from error
        self.draw_columns = {str(name): at for at, name in enumerate(calibrated.draws.columns)}
        self.draw_values = calibrated.draws.to_numpy(dtype=float)  # as it is stored, column by column: not copied
        self.capacity = CapacityBuilder(parameters, plan, self.calendar, self.radius_miles)
        self.hazards = HazardBuilder(parameters, plan, self.calendar, self.draw_columns)
        self.arrivals = ArrivalsBuilder(parameters, plan, self.calendar, self.capacity)
        self.branches = branch_table(parameters, self.draw_columns)
        self.wanted = wanted_table(parameters, self.draw_columns)
        self.diversions = [
            (change, window_path(change.window, self.calendar), self._divert_mask(change))
            for change in plan.changes
            if isinstance(change, Divert)
        ]
        variants = calibrated.stock["variant"].unique() if len(calibrated.stock) else np.array([0])
        self.variants = np.sort(variants)
        self.stocks: dict[int, Stock] = {} if stocks is None else stocks

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Providers in the order of the log's index, those that levers open included."""
        return self.capacity.providers

    @property
    def locality_names(self) -> tuple[str, ...]:
        """Localities in the order of the log's index."""
        return self.capacity.locality_names

    def _divert_mask(self, change: Divert) -> np.ndarray:
        localities = np.array([not change.localities or name in change.localities for name in self.locality_names])
        ages = np.array([not change.age_bands or name in change.age_bands for name in w.AGE_BANDS])
        return np.outer(localities, ages)

    def draw_row(self, replication: int) -> DrawRow:
        """Replication i uses row i of the joint draws (from the start again past the last)."""
        if not len(self.draw_values):
            return DrawRow({}, np.zeros(0))
        return DrawRow(self.draw_columns, np.ascontiguousarray(self.draw_values[replication % len(self.draw_values)]))

    def stock(self, replication: int) -> Stock:
        """The stock's variant of a replication."""
        variant = int(self.variants[replication % len(self.variants)])
        if variant not in self.stocks:
            frame = self.calibrated.stock
            capacity = self.capacity
            first = {
                kind: int(capacity.of_kind[capacity.kind_start[kind]])
                for kind in range(w.N_PLACEMENT_TYPES)
                if capacity.kind_start[kind] < capacity.kind_start[kind + 1]
            }
            frame = frame[frame["variant"] == variant]
            for name in set(frame.loc[frame["state"] == "in_care", "placement_type"].unique()) & set(w.PLACEMENT_TYPES):
                if w.PLACEMENT_TYPES.index(name) not in first:
                    raise BadFile(
                        f"stock.parquet: children in {name} but the parameter set has no provider of that type"
                    )
            read = read_stock(
                frame, self.calendar.start_day, list(self.locality_names),
                capacity.zone_index, capacity.zone_start, capacity.codes, first,
            )  # fmt: skip
            self.stocks[variant] = narrowed(read)
        return widened(self.stocks[variant])

    def _divert(self, replication: int) -> np.ndarray:
        stays = np.ones((w.N_DIVERSIONS, len(self.locality_names), w.N_AGE_BANDS, self.calendar.n_months))
        for change, path, mask in self.diversions:
            share = min(max(effect_size(change.share, self.seed, replication), 0.0), 1.0)
            stays[w.DIVERSIONS.index(change.diversion)] *= np.where(mask[:, :, None], 1.0 - share * path, 1.0)
        return np.ascontiguousarray(1.0 - stays)

    def setup(self, replication: int) -> Setup:
        """One replication laid out for a clock."""
        row = self.draw_row(replication)
        return lay_out(
            self.stock(replication),
            self.arrivals.streams(row, self.seed, replication),
            self.hazards.build(row, self.seed, replication),
            make_choices(self.parameters, row, self.branches, self.wanted, self._divert(replication)),
            self.capacity.places(row, self.seed, replication),
            self.capacity.service_pools(row, self.seed, replication),
            self.calendar.start_day,
            self.seed,
            replication,
        )


def simulate(world: World, replication: int, clock: Clock = "compiled", in_order: bool = True) -> Told:
    """Tell one replication.

    Args:
        world: what is told.
        replication: which of its replications.
        clock: who tells it.
        in_order: whether children must come in order within a day. What need not is sooner there, but of the compiled
            clock only until the next replication is told in this thread.

    Returns:
        The event log (each child's events in order) and the children it speaks of.
    """
    laid_out = world.setup(replication)
    if clock == "simpy":
        from carecast.model import pathway

        log = pathway.run(laid_out)
    else:
        from carecast.model import compiled_clock

        log = (compiled_clock.run if in_order else compiled_clock.run_as_written)(laid_out)
    n_stock = len(laid_out.stock.birth_day)
    children = as_children(
        laid_out.kids.birth_day,
        laid_out.kids.locality,
        laid_out.kids.family,
        laid_out.route,
        laid_out.kids.unaccompanied,
        laid_out.quintile,
        (np.arange(len(laid_out.route)) < n_stock).astype(np.int8),
    )
    return Told(log, children)
