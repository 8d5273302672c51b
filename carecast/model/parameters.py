"""The parameter set: every number the model uses, with its unit, interval, source and how it was found.

A folder of four files: ``parameters.toml`` (this schema), ``draws.parquet`` (4,096 joint draws, one column per uncertain
number), ``stock.parquet`` (the children in the system at the start) and ``calibration.json`` (fit and back-test).
Files are untrusted: unknown keys are refused, ranges and sums checked, and mistakes come back one line each.
"""

import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from carecast.model import words as w

How = Literal["published", "fitted", "assumed"]
PARAMETER_FORMAT = 1
N_DRAWS = 4096
STOCK_COLUMNS = (
    "variant", "child", "family", "locality", "zone", "quintile", "age_days", "unaccompanied",
    "state", "placement_type", "provider", "days_in_state", "days_in_care", "distance_miles", "shared_with",
)  # fmt: skip


class BadFile(Exception):
    """Something a person can mend in a file they gave: each line says file, place, value and what would be right."""

    def __init__(self, *lines: str) -> None:
        """Keep one line per mistake."""
        super().__init__("\n".join(lines))
        self.lines = lines


class Frozen(BaseModel):
    """A door: frozen, unknown keys refused, no surprises from strings that look like numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Sourced(Frozen):
    """Where a number comes from."""

    source: str = Field(min_length=3)
    how: How
    date: str = ""
    note: str = ""


class Number(Sourced):
    """One value with its unit and 80 % interval (none when exact)."""

    value: float
    unit: str
    interval_80: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Number":
        if self.interval_80 and not self.interval_80[0] <= self.interval_80[1]:
            raise ValueError(f"interval_80 {self.interval_80} has its ends the wrong way round")
        return self


class Series(Sourced):
    """A list of values that belong together: month factors, an age distribution, relative risks."""

    values: tuple[float, ...]
    unit: str


Matrix = tuple[tuple[float, ...], ...]


class Rate(Sourced):
    """Hazard of one cause per year, [age band][duration band]; the draws column ``rate.CAUSE.LABEL`` multiplies it.

    ``placement_types`` is empty for causes of children not in care. ``label`` tells tables of one cause apart.
    """

    cause: str
    label: str = "all"
    placement_types: tuple[str, ...] = ()
    per_year: Matrix

    @model_validator(mode="after")
    def _shape(self) -> "Rate":
        if self.cause not in w.CAUSES:
            raise ValueError(f"cause {self.cause!r} is not one of {', '.join(w.CAUSES)}")
        for name in self.placement_types:
            if name not in w.PLACEMENT_TYPES:
                raise ValueError(f"placement type {name!r} is not one of {', '.join(w.PLACEMENT_TYPES)}")
        if len(self.per_year) != w.N_AGE_BANDS or any(len(row) != w.N_DURATION_BANDS for row in self.per_year):
            raise ValueError(f"per_year must be {w.N_AGE_BANDS} age bands by {w.N_DURATION_BANDS} duration bands")
        if any(cell < 0 for row in self.per_year for cell in row):
            raise ValueError("a hazard cannot be negative")
        return self


class Chances(Sourced):
    """Chances that sum to one. ``pseudo_counts`` is the Dirichlet concentration their draws were made with."""

    age_bands: tuple[str, ...]
    chances: dict[str, float]
    pseudo_counts: float = 0.0

    @model_validator(mode="after")
    def _sums_to_one(self) -> "Chances":
        if any(p < 0 for p in self.chances.values()) or abs(sum(self.chances.values()) - 1) > 1e-6:
            raise ValueError(f"chances must be 0 or more and sum to 1, not {sum(self.chances.values()):.6f}")
        for name in self.age_bands:
            if name not in w.AGE_BANDS:
                raise ValueError(f"age band {name!r} is not one of {', '.join(w.AGE_BANDS)}")
        return self


BRANCH_OUTCOMES = {
    "contact": ("closed", "early_help", "assessment"),
    "referral": ("closed", "early_help", "assessment"),
    "assessment": ("closed", "early_help", "support", "protection", "pre_entry"),
    "early_help": ("closed", "assessment"),
    "support": ("closed", "early_help", "support", "protection", "pre_entry"),
    "protection": ("closed", "early_help", "support", "pre_entry"),
    "pre_entry": ("closed", "early_help", "support", "protection", "kinship_order", "care_at_home", "care_away"),
}


class Branch(Chances):
    """What happens next at a branch of the pathway; draws columns ``branch.BRANCH.AGE.OUTCOME``."""

    branch: str

    @model_validator(mode="after")
    def _words(self) -> "Branch":
        if self.branch not in w.BRANCHES:
            raise ValueError(f"branch {self.branch!r} is not one of {', '.join(w.BRANCHES)}")
        allowed = BRANCH_OUTCOMES[self.branch]
        for name in self.chances:
            if name not in allowed:
                raise ValueError(f"branch {self.branch!r} cannot lead to {name!r}, only to {', '.join(allowed)}")
        return self


class Destination(Chances):
    """Which placement type is wanted: ``moment`` is entry, return, remand, unaccompanied, move or step_down.

    ``from_types`` only for move and step_down. Draws columns ``destination.MOMENT.LABEL.AGE.TYPE``.
    """

    moment: Literal["entry", "return", "remand", "unaccompanied", "move", "step_down"]
    label: str = "all"
    from_types: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _words(self) -> "Destination":
        for name in (*self.chances, *self.from_types):
            if name not in w.PLACEMENT_TYPES:
                raise ValueError(f"placement type {name!r} is not one of {', '.join(w.PLACEMENT_TYPES)}")
        return self


class Zone(Frozen):
    """A point that children live around: OSGB metres and how many children it stands for."""

    name: str
    easting_m: float
    northing_m: float
    children: float = Field(ge=0)


class Population(Frozen):
    """Children of one locality by age band, mid-year, in each of the set's ``population_years``."""

    under_1: tuple[float, ...]
    a1_to_4: tuple[float, ...] = Field(alias="1_to_4")
    a5_to_9: tuple[float, ...] = Field(alias="5_to_9")
    a10_to_15: tuple[float, ...] = Field(alias="10_to_15")
    a16_to_17: tuple[float, ...] = Field(alias="16_to_17")

    def by_band(self) -> tuple[tuple[float, ...], ...]:
        """Persons [age band 0..4][year]."""
        return (self.under_1, self.a1_to_4, self.a5_to_9, self.a10_to_15, self.a16_to_17)


class Locality(Frozen):
    """A locality: its zones, its children by age and year, and how they spread over the five deprivation quintiles."""

    name: str
    zones: tuple[Zone, ...] = Field(min_length=1)
    population: Population
    quintile_children: tuple[float, float, float, float, float]  # 1 = most deprived


class Provider(Sourced):
    """A home or a pool of homes. ``places=None`` is unlimited; a position makes distances geometric, none draws them."""

    code: str
    name: str
    placement_type: str
    locality: str = ""
    easting_m: float | None = None
    northing_m: float | None = None
    places: int | None = Field(default=None, ge=0)
    usable_share: float = Field(default=1.0, ge=0, le=1)
    match_chance: float = Field(default=1.0, ge=0, le=1)
    weekly_cost_gbp: float = Field(
        ge=0
    )  # per child placed, at prices of ``price_year``; own houses: variable part only
    fixed_weekly_cost_gbp: float = Field(default=0.0, ge=0)  # per house or pool, whoever lives there
    price_sigma_ln: float = Field(default=0.0, ge=0)  # spread of the mean-one price multiplier of a placement
    price_year: str
    uplift: Literal["pay", "prices", "external"]
    funder_shares: dict[str, float]
    registered_households: int | None = None

    @model_validator(mode="after")
    def _words(self) -> "Provider":
        if self.placement_type not in w.PLACEMENT_TYPES:
            raise ValueError(f"placement type {self.placement_type!r} is not one of {', '.join(w.PLACEMENT_TYPES)}")
        _check_funders(self.funder_shares)
        return self


class ServicePool(Sourced):
    """Places of early help (families at once) or assessment (families at once) with one queue."""

    code: str
    service: Literal["early_help", "assessment"]
    localities: tuple[str, ...]  # empty: the whole council
    age_bands: tuple[str, ...] = ()  # empty: all ages; otherwise a team by the age of the family's first child
    places: int | None = Field(default=None, ge=0)


class CostLine(Sourced):
    """A line of spend that is not a placement: price a unit, what a unit is, and the part that stays when one is freed."""

    line: str
    unit: Literal["child_week", "family_week", "child", "family", "year"]
    price_gbp: float = Field(ge=0)
    interval_80: tuple[float, float] | None = None
    price_year: str
    uplift: Literal["pay", "prices", "external"]
    fixed_share: float = Field(default=0.0, ge=0, le=1)  # own staff: released, not cash
    funder_shares: dict[str, float]

    @model_validator(mode="after")
    def _words(self) -> "CostLine":
        _check_funders(self.funder_shares)
        return self


class Budget(Sourced):
    """Recurring approved budget of a line in a financial year (``2023-24``), in pounds."""

    line: str
    financial_year: str
    amount_gbp: float


def _check_funders(shares: dict[str, float]) -> None:
    for name in shares:
        if name not in w.FUNDERS:
            raise ValueError(f"funder {name!r} is not one of {', '.join(w.FUNDERS)}")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"funder shares must sum to 1, not {sum(shares.values()):.4f}")


class Observed(Frozen):
    """A published or recorded figure of the past, shown beside the forecast: measure, breakdown, date, value."""

    measure: str
    breakdown: str
    date: dt.date
    value: float
    source: str


class ParameterSet(Frozen):
    """Everything calibration knows of one council, ready for scenarios and replications."""

    format: Annotated[int, Field(ge=1, le=PARAMETER_FORMAT)] = PARAMETER_FORMAT
    council: str
    nation: Literal["scotland", "england"]
    as_at: dt.date
    counterfactual_date: dt.date | None = None
    indicative: bool = True
    stamp: str = ""
    radius_miles: float = Field(default=15.0, gt=0)
    price_base_year: str  # financial year of the prices below, e.g. 2022-23
    population_years: tuple[int, ...]
    numbers: dict[str, Number]
    series: dict[str, Series]
    rates: tuple[Rate, ...]
    branches: tuple[Branch, ...]
    destinations: tuple[Destination, ...]
    localities: tuple[Locality, ...] = Field(min_length=1)
    providers: tuple[Provider, ...] = Field(min_length=1)
    service_pools: tuple[ServicePool, ...]
    cost_lines: tuple[CostLine, ...]
    budgets: tuple[Budget, ...] = ()
    history: tuple[Observed, ...] = ()
    not_modelled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def number(self, name: str) -> float:
        """Central value of a number; KeyError names the one that is missing."""
        return self.numbers[name].value


class Calibrated(Frozen):
    """A parameter set with its draws, stock and calibration record: the folder as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    parameters: ParameterSet
    draws: pd.DataFrame
    stock: pd.DataFrame
    record: dict[str, Any]


def one_line_each(error: ValidationError, file: str) -> BadFile:
    """Turn pydantic's report into one plain line per mistake."""
    lines = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"]) or "the file"
        given = problem.get("input")
        shown = "" if isinstance(given, dict | list | tuple) or given is None else f" (found {given!r})"
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{file}: {place}{shown}: {message}")
    return BadFile(*lines)


def save(folder: Path, calibrated: Calibrated) -> None:
    """Write the four files of a parameter set; the folder appears whole or not at all."""
    folder = Path(folder)
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    document = calibrated.parameters.model_dump(mode="python", by_alias=True, exclude_none=True)
    (partial / "parameters.toml").write_text(tomli_w.dumps(_plain(document)), encoding="utf-8")
    calibrated.draws.to_parquet(partial / "draws.parquet", index=False)
    calibrated.stock.to_parquet(partial / "stock.parquet", index=False)
    (partial / "calibration.json").write_text(json.dumps(calibrated.record, indent=1), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    for file in partial.iterdir():
        file.replace(folder / file.name)
    partial.rmdir()


def load(folder: Path) -> Calibrated:
    """Read a parameter set folder.

    Raises:
        BadFile: a file is missing or says something the model cannot use, one line per mistake.
    """
    folder = Path(folder)
    missing = [name for name in ("parameters.toml", "draws.parquet", "stock.parquet") if not (folder / name).is_file()]
    if missing:
        raise BadFile(
            *(f"{folder / name}: not found; a parameter set comes from `carecast calibrate`" for name in missing)
        )
    file = folder / "parameters.toml"
    try:
        parameters = ParameterSet.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{file}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise one_line_each(error, str(file)) from error
    record_file = folder / "calibration.json"
    try:
        record = json.loads(record_file.read_text(encoding="utf-8")) if record_file.is_file() else {}
    except ValueError as error:
        raise BadFile(f"{record_file}: not valid JSON: {error}") from error
    stock = _table(folder / "stock.parquet")
    lacking = [column for column in STOCK_COLUMNS if column not in stock.columns]
    if lacking:
        raise BadFile(*(f"{folder / 'stock.parquet'}: column {column!r} is missing" for column in lacking))
    words = {name: "category" for name in stock.select_dtypes(exclude="number").columns}
    stock = stock.astype(words | {name: "int32" for name in stock.select_dtypes("integer").columns})
    return Calibrated(parameters=parameters, draws=_table(folder / "draws.parquet"), stock=stock, record=record)


def _table(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except ValueError as error:  # what pyarrow raises is one
        raise BadFile(f"{file}: not a Parquet file that can be read; `carecast calibrate` makes it again") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
