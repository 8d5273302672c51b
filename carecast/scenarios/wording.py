"""Each nation's own words for what the code calls by one name, and what no simulation of demand can hold."""

from carecast.model import words as w

NATIONS = ("scotland", "england")

TERMS: dict[str, dict[str, str]] = {
    "scotland": {
        "support": "voluntary support",
        "protection": "child protection register",
        "pre_entry": "Reporter and Children's Hearing",
        "siblings": "brothers and sisters",
        "at_home_order": "compulsory supervision order at home",
        "kinship_order": "kinship care order",
        "continuing_care": "continuing care",
        "aftercare": "aftercare",
        "family_group_conferences": "family group decision making",
        "childrens_house": "children's house",
        "inspectorate": "Care Inspectorate",
        "fostering_agency": "independent fostering provider",
    },
    "england": {
        "support": "child in need",
        "protection": "child protection plan",
        "pre_entry": "pre-proceedings",
        "siblings": "brothers and sisters",
        "at_home_order": "placement with parents",
        "kinship_order": "special guardianship or child arrangements order",
        "continuing_care": "staying put",
        "aftercare": "leaving care support",
        "family_group_conferences": "family group conferences",
        "childrens_house": "children's home",
        "inspectorate": "Ofsted",
        "fostering_agency": "independent fostering agency",
    },
}

PLACEMENT_TYPE_LABELS: dict[str, dict[str, str]] = {
    "scotland": {
        "at_home": "At home on a compulsory supervision order",
        "kinship": "With kinship carers",
        "foster_own": "With the council's own foster carers",
        "foster_agency": "With foster carers of an independent provider",
        "prospective_adopters": "With prospective adopters",
        "supported_accommodation": "In supported accommodation",
        "other_community": "Elsewhere in the community",
        "childrens_house_own": "In the council's own children's houses",
        "residential_external": "In other providers' children's houses",
        "residential_school": "In residential schools",
        "secure": "In secure care",
        "unregistered": "In unregistered settings",
        "other_residential": "In other residential care",
    },
    "england": {
        "at_home": "Placed with parents",
        "kinship": "With connected persons (kinship carers)",
        "foster_own": "With the council's own foster carers",
        "foster_agency": "With foster carers of an independent agency",
        "prospective_adopters": "Placed for adoption",
        "supported_accommodation": "In supported accommodation",
        "other_community": "Elsewhere in the community",
        "childrens_house_own": "In the council's own children's homes",
        "residential_external": "In other providers' children's homes",
        "residential_school": "In residential schools",
        "secure": "In secure children's homes",
        "unregistered": "In unregistered settings",
        "other_residential": "In other residential settings",
    },
}

AGE_BAND_LABELS = {
    "under_1": "under 1",
    "1_to_4": "1 to 4",
    "5_to_9": "5 to 9",
    "10_to_15": "10 to 15",
    "16_to_17": "16 and 17",
    "18_and_over": "18 and over",
}

# measure: (label, unit); {support}, {protection} ... are filled with the nation's words
MEASURES: dict[str, tuple[str, str]] = {
    "looked_after": ("Children looked after", "children"),
    "looked_after_away_from_home": ("Children looked after away from home", "children"),
    "looked_after_at_home": ("Children looked after at home", "children"),
    "looked_after_in_community": ("Children looked after in the community", "children"),
    "looked_after_in_residential": ("Children looked after in residential care", "children"),
    "continuing_care": ("Young people in {continuing_care}", "young people"),
    "balance_of_care_percent": ("Balance of care: share looked after in the community", "%"),
    "within_radius_percent": ("Share within the radius of home", "%"),
    "out_of_area_percent": ("Share cared for outside the council's area", "%"),
    "distance_unknown_percent": ("Share whose distance from home is not known", "%"),
    "early_help_waiting": ("Children waiting for early help", "children"),
    "early_help_open": ("Children in early help", "children"),
    "support_open": ("Children with an open case: {support}", "children"),
    "protection_open": ("Children with an open case: {protection}", "children"),
    "workforce_fte": ("Staff needed", "full-time equivalents"),
    "contacts": ("Children in contact", "children a month"),
    "referrals": ("Children referred", "children a month"),
    "early_help_starts": ("Early help episodes started", "children a month"),
    "early_help_wait_days": ("Wait for early help, mean of those who started", "days"),
    "entries_to_care": ("Entries to care", "children a month"),
    "exits_from_care": ("Exits from care", "children a month"),
    "moves": ("Moves between placements", "moves a month"),
    "re_entries": ("Re-entries to care", "children a month"),
    "re_referral_12m_percent": ("Referrals that follow another within 12 months", "%"),
    "repeat_protection_18m_percent": ("{protection}: again within 18 months", "%"),
    "re_entry_12m_percent": ("Entries to care within 12 months of leaving", "%"),
    "kinship_breakdowns": ("Kinship placements and orders that broke down", "children a month"),
    "three_placements_percent": ("Three or more placements in a year", "%"),
    "escalations_waiting": ("Escalations while waiting for early help", "children a month"),
    "siblings_together_percent": ("{siblings} living together", "%"),
    "gross_cost_gbp": ("Gross cost", "£ a year"),
    "income_gbp": ("Income from other funders", "£ a year"),
    "net_cost_gbp": ("Net cost", "£ a year"),
    "programme_cost_gbp": ("Programme cost", "£ a year"),
    "gross_saving_gbp": ("Gross saving", "£ a year"),
    "net_saving_gbp": ("Net saving", "£ a year"),
    "cashable_saving_gbp": ("Cashable saving", "£ a year"),
    "avoided_cost_gbp": ("Avoided cost", "£ a year"),
    "released_capacity_gbp": ("Released capacity (never cash)", "£ a year"),
    "cumulative_net_saving_gbp": ("Net saving since the start", "£"),
    "reserves_gbp": ("Reserves", "£ at 31 March"),
    "net_saving_recurring_gbp": ("Net saving, one-off costs left out", "£ a year"),
    "gross_saving_against_budget_gbp": ("Gross saving against budget", "£ a year"),
    "net_saving_against_budget_gbp": ("Net saving against budget", "£ a year"),
    "net_saving_recurring_against_budget_gbp": ("Net saving against budget, one-off costs left out", "£ a year"),
    "reserves_recurring_paid_gbp": ("Recurring cost paid from reserves", "£ a year"),
}
DIFFERENCE = "difference_in_"

NOT_MODELLED = (
    "children's own voice: what they say about their lives and their care",
    "children's outcomes: health, learning, happiness and safety at home",
    "the quality of relationships between children, families and workers",
    "inspectors' recommendations and grades",
    "how decisions are made by Hearings and courts: levers change what is offered and recommended, never the decision",
    "the culture and leadership that make a programme work or fail",
    "effects on other services that no funder in the model pays for",
)


def term(nation: str, word: str) -> str:
    """A nation's own word, or the word itself with spaces where both nations say the same."""
    return TERMS[nation].get(word, word.replace("_", " "))


def placement_type_label(nation: str, placement_type: str) -> str:
    """What a nation calls a placement type, to follow the words 'children looked after'."""
    return PLACEMENT_TYPE_LABELS[nation][placement_type]


def measure_label(nation: str, measure: str) -> str:
    """Label of a measure; differences say so."""
    if measure.startswith(DIFFERENCE):
        return f"Difference: {measure_label(nation, measure.removeprefix(DIFFERENCE))}"
    label = MEASURES[measure][0].format(**TERMS[nation])
    return label[:1].upper() + label[1:]


def measure_unit(measure: str) -> str:
    """Unit of a measure; differences between shares are in percentage points."""
    if measure.startswith(DIFFERENCE):
        unit = measure_unit(measure.removeprefix(DIFFERENCE))
        return "percentage points" if unit == "%" else unit
    return MEASURES[measure][1]


def breakdown_label(nation: str, breakdown: str) -> str:
    """``total`` or ``dimension=value`` in words."""
    dimension, _, value = breakdown.partition("=")
    if dimension == "placement_type" and value in w.PLACEMENT_TYPES:
        return placement_type_label(nation, value)
    if dimension == "age_band" and value in AGE_BAND_LABELS:
        return f"Aged {AGE_BAND_LABELS[value]}"
    return (value or dimension).replace("_", " ") if dimension != "locality" else value


def not_modelled(parameter_set_list: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What every result must say it does not hold: the model's own limits, then what the council's list adds to them."""
    kept: list[str] = []
    for line in (*NOT_MODELLED, *parameter_set_list):
        if not any(_says(fuller, line) for fuller in kept):
            kept.append(line)
    return tuple(kept)


SMALL_WORDS = {"the", "of", "and", "with", "in", "a", "to", "on", "or", "for", "own", "how", "what", "that", "their",
               "are"}  # fmt: skip


def _says(fuller: str, line: str) -> bool:
    """Whether a line says what a fuller one says already: two thirds of its own words stand there, by how they begin."""
    words, said = (
        {word.strip(",:;").removesuffix("s").removesuffix("'")[:7] for word in text.lower().split()} - SMALL_WORDS
        for text in (line, fuller)
    )
    return bool(words) and len(words & said) * 3 >= len(words) * 2
