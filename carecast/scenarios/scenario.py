"""A scenario file: what a council would do (levers), what would happen to it (assumptions), what it wants (targets).

The file lists only what differs from the scenario it is built on. Files are untrusted: unknown kinds and fields are
refused, and every mistake comes back as one line that says where it is and what would be right. Reading, writing and
lineage are in ``library.py``.
"""

import datetime as dt
import difflib
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from carecast.model import words as w
from carecast.model.parameters import Frozen
from carecast.scenarios import evidence as ev
from carecast.scenarios.kind_table import ASSUMPTIONS, KINDS, LEVERS
from carecast.scenarios.kinds import AT, INSTEAD, PLACE_COST, REDEPLOYED, Kind
from carecast.scenarios.targets import Target
from carecast.scenarios.wording import MEASURES

SCENARIO_FORMAT = 2
Status = Literal["draft", "proposed", "approved", "committed", "archived"]
Figure = Annotated[float, Field(strict=True)]


class Amount(Frozen):
    """Pounds at run prices: a plain number in the file, or ``{value, low, high}`` with an 80 % interval."""

    value: Annotated[Figure, Field(ge=0)]
    low: Annotated[Figure, Field(ge=0)] | None = None
    high: Annotated[Figure, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Amount":
        if (self.low is None) != (self.high is None):
            raise ValueError("give both low and high, or neither")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"value {self.value:g} must lie between low {self.low:g} and high {self.high:g}")
        return self


def _amount(given: object) -> object:
    return {"value": given} if isinstance(given, int | float) and not isinstance(given, bool) else given


Money = Annotated[Amount, BeforeValidator(_amount)]


class Pool(Frozen):
    """Who pays which share of a pooled budget: ``{ social_work = 0.6, nhs = 0.4 }``; they sum to 1."""

    social_work: Annotated[Figure, Field(ge=0, le=1)] = 0.0
    education: Annotated[Figure, Field(ge=0, le=1)] = 0.0
    nhs: Annotated[Figure, Field(ge=0, le=1)] = 0.0
    home_office: Annotated[Figure, Field(ge=0, le=1)] = 0.0
    scottish_ministers: Annotated[Figure, Field(ge=0, le=1)] = 0.0

    @model_validator(mode="after")
    def _whole(self) -> "Pool":
        total = self.social_work + sum(share for _, share in self.partners)
        if abs(total - 1.0) > 1e-9 or not self.partners:
            raise ValueError(f"the shares of a pool, social_work's among them, should sum to 1, not {total:g}")
        return self

    @property
    def partners(self) -> tuple[tuple[str, float], ...]:
        """(funder, share) of all but social work that pay something."""
        return tuple((name, getattr(self, name)) for name in w.FUNDERS if name != "social_work" and getattr(self, name))


class Lever(Frozen):
    """One lever or assumption: when it holds, its size, where and for whom, what it costs and why it is believed.

    Which fields a kind takes is in ``kind_table.py``. A size left out is taken from ``evidence`` in its ``setting``.
    """

    kind: str
    name: str = ""
    from_date: dt.date = Field(alias="from")
    to_date: dt.date | None = Field(default=None, alias="to")
    ramp_months: Annotated[int, Field(strict=True, ge=0, le=240)] = 0
    # size
    add: Figure | None = None
    multiply_by: Annotated[Figure, Field(gt=0, le=20)] | None = None
    share: Annotated[Figure, Field(ge=0, le=1)] | None = None
    per_year: Annotated[Figure, Field(ge=-0.5, le=50)] | None = None
    miles: Annotated[Figure, Field(gt=0)] | None = None
    places: Annotated[int, Field(strict=True, ge=1)] | None = None
    interval_80: tuple[Figure, Figure] | None = None
    shape: Literal["fixed", "lognormal", "normal", "beta"] | None = None
    evidence: str = ""
    setting: Literal["sceptical", "central", "optimistic"] = "central"
    no_effect_chance: Annotated[Figure, Field(ge=0, le=1)] = 0.0
    reach: Annotated[Figure, Field(gt=0, le=1)] = 1.0
    # where and who
    localities: tuple[str, ...] = ()
    age_bands: tuple[str, ...] = ()
    placement_types: tuple[str, ...] = ()
    # what some kinds need
    instead: str = ""
    at: str = ""
    lines: tuple[str, ...] = ()
    provider: str = ""
    locality: str = ""
    easting_m: Annotated[Figure, Field(ge=0, le=700_000)] | None = None
    northing_m: Annotated[Figure, Field(ge=0, le=1_300_000)] | None = None
    lead_months: Annotated[int, Field(strict=True, ge=0, le=120)] = 0
    notice_months: Annotated[int, Field(strict=True, ge=0, le=60)] = 0
    cost_stops_months: Annotated[int, Field(strict=True, ge=0, le=60)] = 0
    usable_share: Annotated[Figure, Field(ge=0, le=1)] | None = None
    match_chance: Annotated[Figure, Field(ge=0, le=1)] | None = None
    fixed_weekly_cost_gbp: Annotated[Figure, Field(ge=0)] | None = None
    weekly_cost_gbp: Annotated[Figure, Field(ge=0)] | None = None
    price_year: str = ""
    service: Literal["", "early_help", "assessment"] = ""
    families_per_worker: Annotated[Figure, Field(gt=0, le=200)] | None = None
    weekly_cost_over_gbp: Annotated[Figure, Field(gt=0)] | None = None
    contributor: str = ""
    pool: Pool | None = None
    exits_per_year: Annotated[Figure, Field(ge=0, le=1)] | None = None
    refuse_own_beyond: bool = False
    # cost
    one_off_gbp: Money | None = None
    recurring_gbp_per_year: Money | None = None
    gbp_per_place_per_year: Money | None = None
    gbp_per_child: Money | None = None
    gbp_per_family: Money | None = None
    capital_gbp: Money | None = None
    double_running_gbp: Money | None = None
    gbp_per_resident_child_per_year: Money | None = None
    redeployed_fte: Annotated[Figure, Field(gt=0, le=1000)] | None = None
    redeployed_from: Literal["", "early_help", "assessment"] = ""
    redeployed_families_per_worker: Annotated[Figure, Field(gt=0, le=200)] | None = None
    paid_from: Literal["base_budget", "reserves"] = "base_budget"
    reserves_taper: tuple[Annotated[Figure, Field(ge=0, le=1)], ...] = ()
    funder: str = "social_work"
    # why
    source: str = ""
    because: str = ""
    owner: str = ""

    @model_validator(mode="after")
    def _belongs_together(self) -> "Lever":
        problems = list(lever_problems(self))
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def row(self) -> Kind:
        """Its row in the table of kinds."""
        return KINDS[self.kind]

    @property
    def size_field(self) -> str:
        """The size field in use: the first one given, or the kind's main one (then evidence gives the size)."""
        given = [name for name in self.row.sizes if getattr(self, name) is not None]
        return given[0] if given else (self.row.sizes[0] if self.row.sizes else "")

    @property
    def proof(self) -> ev.Evidence | None:
        """The shipped evidence it names, in its setting."""
        return ev.find(self.evidence, self.setting) if self.evidence else None

    def given(self) -> set[str]:
        """Names of the fields as written in the file."""
        return {type(self).model_fields[name].alias or name for name in self.model_fields_set}


class Aim(Frozen):
    """A stated aim of a programme: which levers serve it, which measures show it, and what of it no model can hold."""

    aim: str = Field(min_length=3)
    levers: tuple[str, ...] = ()  # names of levers of the same file
    measures: tuple[str, ...] = ()
    not_modelled: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _known_measures(self) -> "Aim":
        wrong = [
            f"measures: found {name!r}; {nearest(name, MEASURES)}" for name in self.measures if name not in MEASURES
        ]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self


class Scenario(Frozen):
    """One scenario as written in its file; what it inherits is found through ``built_on``."""

    format: Annotated[int, Field(ge=1, le=SCENARIO_FORMAT)] = SCENARIO_FORMAT
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    title: str = ""
    version: Annotated[int, Field(strict=True, ge=1)] = 1
    built_on: str = "baseline"
    copied_from: str = ""
    author: str = ""
    date: dt.date | None = None
    status: Status = "draft"
    rationale: str = ""
    not_modelled: tuple[str, ...] = ()
    aims: tuple[Aim, ...] = Field(default=(), alias="aim")
    levers: tuple[Lever, ...] = Field(default=(), alias="lever")
    assumptions: tuple[Lever, ...] = Field(default=(), alias="assumption")
    targets: tuple[Target, ...] = Field(default=(), alias="target")
    _folder: str = PrivateAttr(default="")  # where it was read from: what it is built on is looked for there first
    _upgraded: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _right_sections(self) -> "Scenario":
        problems = [
            f"{section} {number} ({item.kind}): this is {a_other}: put it under [[{other}]]"
            for section, items, allowed, other, a_other in (
                ("lever", self.levers, LEVERS, "assumption", "an assumption"),
                ("assumption", self.assumptions, ASSUMPTIONS, "lever", "a lever"),
            )
            for number, item in enumerate(items, 1)
            if item.kind not in allowed
        ]
        names = [lever.name for lever in self.levers if lever.name]
        problems += [
            f"aim {number}: levers: found {name!r}; {nearest(name, names)}"
            for number, aim in enumerate(self.aims, 1)
            for name in aim.levers
            if name not in names
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def limits(self) -> tuple[str, ...]:
        """What this programme asks for that cannot be modelled: its own list, then aim by aim, each once."""
        lines = (*self.not_modelled, *(aim.not_modelled for aim in self.aims if aim.not_modelled))
        return tuple(dict.fromkeys(lines))

    @property
    def upgraded(self) -> tuple[str, ...]:
        """What was changed to bring an old file up to this format, one line each."""
        return self._upgraded

    def identified(self) -> tuple[tuple[str, Lever], ...]:
        """(identity, lever or assumption) of everything the file itself holds."""
        return tuple(
            (f"{self.name}.{section}_{number}.{item.kind}", item)
            for section, items in (("lever", self.levers), ("assumption", self.assumptions))
            for number, item in enumerate(items, 1)
        )


# --- the rules of a lever -----------------------------------------------------------------------
def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or what there is to choose from."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"should be one of {', '.join(names)}" if names else "there are none to choose from"


def lever_problems(lever: Lever) -> Iterable[str]:
    """Every mistake in a lever that its own fields show, as ``field: what is wrong``."""
    if lever.kind not in KINDS:
        yield f"kind: found {lever.kind!r}; {nearest(lever.kind, KINDS)}"
        return
    yield from _fields_of_kind(lever)
    yield from _words(lever)
    yield from _size(lever)
    yield from _costs(lever)
    yield from _together(lever)
    if lever.to_date is not None and lever.to_date < lever.from_date:
        yield f"to: found {lever.to_date}; should be on or after from, {lever.from_date}"


def _fields_of_kind(lever: Lever) -> Iterable[str]:
    row = lever.row
    for name in sorted(lever.given() - set(row.allowed)):
        yield f"{name}: does not belong to this kind, which takes {', '.join(row.allowed)}"
    for name in row.required:
        if name not in lever.given():
            yield f"{name}: missing; {row.label.lower()} needs it"


def _words(lever: Lever) -> Iterable[str]:
    for field, known in (
        ("age_bands", w.AGE_BANDS),
        ("placement_types", w.PLACEMENT_TYPES),
        ("instead", tuple(INSTEAD)),
        ("at", tuple(AT)),
        ("funder", w.FUNDERS),
        ("contributor", tuple(name for name in w.FUNDERS if name != "social_work")),
    ):
        found = getattr(lever, field)
        for word in found if isinstance(found, tuple) else (found,):
            if (word or field in lever.given()) and word not in known:
                yield f"{field}: found {word!r}; {nearest(word, known)}"


def _size(lever: Lever) -> Iterable[str]:
    row = lever.row
    given = [name for name in row.sizes if getattr(lever, name) is not None]
    if row.sizes and not given:
        yield from _size_from_evidence(lever)
    elif lever.proof is not None:
        yield from _stage(lever)
    if lever.interval_80 is not None and given:
        yield from _interval(lever, given[0])
    if not given and lever.interval_80 is not None:
        yield f"interval_80: found {list(lever.interval_80)} without a size; give {row.sizes[0]} as well"
    if row.name == "family_group_conferences" and (lever.multiply_by or 0) > 1:
        yield f"multiply_by: found {lever.multiply_by:g}; should be 1 or less: a diversion brings no child into care"


def _size_from_evidence(lever: Lever) -> Iterable[str]:
    row = lever.row
    wanted = " or ".join(row.sizes)
    if not lever.evidence:
        hint = f", or evidence such as {row.evidence!r}" if row.evidence else ""
        yield f"{wanted}: missing; give a size ({row.unit}){hint}"
    elif lever.proof is None:
        yield f"evidence: found {lever.evidence!r}; {nearest(lever.evidence, ev.interventions())}"
    elif lever.proof.ratio is None and lever.proof.hazard_ratio is None:
        yield f"{wanted}: missing; {lever.evidence} has no size of its own: {lever.proof.note}"
    else:
        yield from _stage(lever)


def _stage(lever: Lever) -> Iterable[str]:
    if lever.proof is not None and lever.proof.stage != lever.row.stage:
        yield (
            f"evidence: found {lever.evidence!r}, which is about {lever.proof.stage}; this kind acts at "
            f"{lever.row.stage}, and an effect attaches only to the stage its evidence is about"
        )


def default_shape(field: str) -> str:
    """Shape of an uncertain size when the file names none: ratios lognormal, shares beta, numbers normal."""
    return {"multiply_by": "lognormal", "share": "beta"}.get(field, "normal")


def _interval(lever: Lever, field: str) -> Iterable[str]:
    size, (low, high) = float(getattr(lever, field)), lever.interval_80 or (0.0, 0.0)
    right = default_shape(field)
    if lever.shape is not None and lever.shape != right:
        yield f"shape: found {lever.shape!r}; {field} with an interval is {right!r}"
    if not low <= size <= high:
        yield f"interval_80: found [{low:g}, {high:g}]; should hold {field}, {size:g}"
    if field == "multiply_by" and low <= 0:
        yield f"interval_80: found [{low:g}, {high:g}]; a ratio is above 0"
    if field == "share" and (low <= 0 or high >= 1):
        yield f"interval_80: found [{low:g}, {high:g}]; should lie between 0 and 1; use no_effect_chance for 0"
    if lever.kind == "hearings_and_courts" and low < 1 < high:
        yield f"interval_80: found [{low:g}, {high:g}]; should lie on one side of 1: write two assumptions otherwise"
    if lever.kind == "family_group_conferences" and high >= 1:
        yield f"interval_80: found [{low:g}, {high:g}]; should end below 1; use no_effect_chance for no effect"


def _costs(lever: Lever) -> Iterable[str]:
    if lever.reserves_taper and lever.paid_from == "base_budget":
        yield "paid_from: missing; reserves_taper needs paid_from = 'reserves'"
    if lever.reserves_taper and lever.gbp_per_place_per_year is not None and lever.ramp_months > 12:
        yield f"ramp_months: found {lever.ramp_months}; with reserves_taper and {PLACE_COST} it should be 12 or less"


def _together(lever: Lever) -> Iterable[str]:
    """Fields that need each other."""
    staff = [name for name in REDEPLOYED if getattr(lever, name) not in (None, "")]
    if staff and len(staff) < len(REDEPLOYED):
        lacking = " and ".join(name for name in REDEPLOYED if name not in staff)
        yield f"{lacking}: missing; {staff[0]} says that staff leave somewhere: say how many, from where, with what caseload"
    if lever.kind == "decommissioning":
        if (lever.share is not None) == (lever.places is not None):
            yield "share or places: give one: share of the yearly cost of lines, or places of a service"
        elif lever.share is not None and (not lever.lines or lever.service):
            yield "lines: missing; a share that ends is of the yearly cost of some lines, and needs no service"
        elif lever.places is not None and (not lever.service or lever.lines):
            yield "service: missing; places that end are of early_help or assessment, and need no lines"
    if (lever.easting_m is None) != (lever.northing_m is None):
        yield "easting_m and northing_m: give both, or neither to put it where most children live"
    if lever.kind == "staffing" and not lever.service:
        yield "service: found ''; should be early_help or assessment"
