"""What a kind of lever or assumption is, and which fields of a file each may use.

A lever is something a council can choose; an assumption is something it cannot (demand, prices). The kinds themselves
are rows of ``kind_table.py``; how each becomes the model's primitives is in ``levers.py``.
"""

from dataclasses import dataclass

ALWAYS = ("kind", "name", "from", "source", "because", "owner")
WINDOW = ("to", "ramp_months")
UNCERTAIN = ("interval_80", "shape", "evidence", "setting", "no_effect_chance")
COSTS = ("one_off_gbp", "recurring_gbp_per_year", "capital_gbp", "paid_from", "reserves_taper", "funder")
REDEPLOYED = ("redeployed_fte", "redeployed_from", "redeployed_families_per_worker")
WHERE_WHO = ("localities", "age_bands")
IN_CARE = (*WHERE_WHO, "placement_types")
REACHED = (*WHERE_WHO, "reach")
HOUSE = ("name", "fixed_weekly_cost_gbp", "weekly_cost_gbp")
SITED = ("locality", "easting_m", "northing_m")
PLACE_COST, CHILD_COST, FAMILY_COST = "gbp_per_place_per_year", "gbp_per_child", "gbp_per_family"

OPENS = {"open_childrens_house": "childrens_house_own", "open_supported_accommodation": "supported_accommodation"}
INSTEAD = {
    "home_with_support": "pre_entry_to_support",
    "kin": "pre_entry_to_kinship_order",
    "at_home_on_order": "care_away_to_at_home",
    "kinship_placement": "care_away_to_kinship",
}
AT = {"referral": "referral_to_early_help", "assessment": "assessment_to_early_help"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table.

    ``sizes``: size fields it takes, the main one first (an interval belongs to the first one given); at least one is
    needed unless it is empty. ``unit``: what each of them counts or multiplies, in the same order.
    ``counted``: log events (and detail) that ``gbp_per_child`` and ``gbp_per_family`` count.
    ``stage`` is the stage of the pathway it acts at: evidence about another stage cannot size it.
    """

    name: str
    label: str
    what: str
    unit: str
    stage: str
    becomes: str
    sizes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    counted: tuple[tuple[str, str], ...] = ()
    evidence: str = ""
    one_day: bool = False
    is_assumption: bool = False

    def unit_of(self, field: str) -> str:
        """What one of its size fields counts or multiplies."""
        return dict(zip(self.sizes, self.unit.split("; "), strict=True))[field]

    @property
    def allowed(self) -> tuple[str, ...]:
        """Every field a file may give for this kind."""
        names = [*ALWAYS, *self.sizes, *self.fields, *self.required]
        if not self.one_day:
            names += WINDOW
        if self.sizes and self.sizes[0] not in ("miles", "places"):
            names += UNCERTAIN
        if not self.is_assumption:
            names += [*COSTS, *REDEPLOYED]
            if ("add" in self.sizes or "places" in self.sizes) and self.name != "decommissioning":
                names.append(PLACE_COST)
            if self.counted:
                names += [CHILD_COST, FAMILY_COST]
        return tuple(dict.fromkeys(names))
