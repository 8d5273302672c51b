"""What a scenario changes, in the model's own terms: a handful of primitives that any lever or assumption is made of.

``scenarios.apply`` turns a scenario file into a ``Plan``; the model never sees a lever. Days are proleptic Gregorian
ordinals (``date.toordinal``), both ends inclusive, ``to_day=None`` meaning until the end of the run.
"""

from dataclasses import dataclass, field

Names = tuple[str, ...]  # empty means all


@dataclass(frozen=True, slots=True)
class Effect:
    """An uncertain size: the median and 80 % interval of a distribution, sampled once a replication.

    ``shape`` is ``fixed``, ``lognormal`` (for ratios), ``normal`` or ``beta`` (for shares; logit-normal).
    ``key`` names the evidence: two changes with the same key share one draw, in every scenario of the run.
    ``no_effect_chance`` is the weight on "does nothing" (ratio 1, share or amount 0).
    """

    median: float
    low_80: float | None = None
    high_80: float | None = None
    shape: str = "fixed"
    key: str = ""
    no_effect_chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """When a change holds: from, to, and how many months it takes to reach its full size (ramps step monthly)."""

    from_day: int
    to_day: int | None = None
    ramp_months: int = 0


@dataclass(frozen=True, slots=True)
class ScaleRate:
    """Multiply the hazard of ``cause`` (a word of CAUSES); a ramp goes geometrically from 1 to the ratio."""

    lever: str  # identity of the lever it came from
    cause: str
    ratio: Effect
    window: Window
    localities: Names = ()
    age_bands: Names = ()
    placement_types: Names = ()  # where the cause depends on the placement type


@dataclass(frozen=True, slots=True)
class AddRate:
    """Add ``per_year`` to the hazard of a cause that the baseline does not have (return_within_radius, step_down)."""

    lever: str
    cause: str
    per_year: Effect
    window: Window
    localities: Names = ()
    age_bands: Names = ()
    placement_types: Names = ()


@dataclass(frozen=True, slots=True)
class Divert:
    """Move ``share`` of the children whose hand said one thing to another state (a word of DIVERSIONS)."""

    lever: str
    diversion: str
    share: Effect
    window: Window
    localities: Names = ()
    age_bands: Names = ()


@dataclass(frozen=True, slots=True)
class ScaleArrivals:
    """Multiply the families that arrive by a route (a word of ROUTES): below 1 thins, above 1 adds a layer."""

    lever: str
    route: str
    ratio: Effect
    window: Window
    localities: Names = ()
    age_bands: Names = ()


@dataclass(frozen=True, slots=True)
class ChangePlaces:
    """Add places to a provider (by its code), or to the service pool ``early_help`` or ``assessment``."""

    lever: str
    target: str
    add: Effect
    window: Window
    localities: Names = ()


@dataclass(frozen=True, slots=True)
class OpenProvider:
    """A new provider; ``row`` has the fields of a parameter set's provider. Opens on the day its first child can move in."""

    lever: str
    row: dict[str, object]
    open_day: int


@dataclass(frozen=True, slots=True)
class CloseProvider:
    """No new children from ``last_admission_day``; those left move on ``close_day``; cost stops on ``cost_stops_day``."""

    lever: str
    provider: str
    last_admission_day: int
    close_day: int
    cost_stops_day: int


@dataclass(frozen=True, slots=True)
class SetRadius:
    """Placements are sought within ``miles`` first; measures keep the run's own radius."""

    lever: str
    miles: float
    window: Window
    refuse_own_beyond: bool = False


@dataclass(frozen=True, slots=True)
class ScalePrice:
    """Multiply the price of a cost line (``line``: a line code, or ``*``); applied after the simulation."""

    lever: str
    line: str
    ratio: Effect
    window: Window
    is_assumption: bool = False


@dataclass(frozen=True, slots=True)
class MoveFunding:
    """``share`` of what social work pays on a cost line is paid by another funder (a word of FUNDERS) instead.

    Several on one line each take their share of what the others leave social work. The cost itself stays the same, so
    this saves nothing over all funders; applied after the simulation.
    """

    lever: str
    line: str  # as in ScalePrice
    funder: str
    share: Effect
    window: Window


@dataclass(frozen=True, slots=True)
class ProgrammeCost:
    """What a lever costs beside placements and cases, in pounds at run prices.

    ``basis``: ``one_off`` (at ``from_day``), ``per_year`` (recurring, by day), ``per_place_per_year``,
    ``per_child`` or ``per_family`` (counted from the log event ``counted_event`` [detail ``counted_detail``]).
    ``paid_from``: ``base_budget`` or ``reserves``. ``category``: ``capital``, ``programme`` or ``double_running``.
    """

    lever: str
    label: str
    basis: str
    amount_gbp: Effect
    window: Window
    paid_from: str = "base_budget"
    category: str = "programme"
    recurring: bool = True
    places: float = 0.0
    counted_event: str = ""
    counted_detail: str = ""
    localities: Names = ()
    funder: str = "social_work"


Change = (
    ScaleRate
    | AddRate
    | Divert
    | ScaleArrivals
    | ChangePlaces
    | OpenProvider
    | CloseProvider
    | SetRadius
    | ScalePrice
    | MoveFunding
    | ProgrammeCost
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario as the model sees it. The baseline's plan holds its committed decisions and uplifts only."""

    name: str
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what was combined (several levers on one number)
