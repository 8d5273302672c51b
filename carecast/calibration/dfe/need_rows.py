"""Figures of the pathway before care: referrals, assessments, children in need, plans, early help; and of reserves."""

from carecast.calibration.dfe.facts import Facts
from carecast.calibration.dfe.rows import National, Rows

GROUP = "Referrals and Re-referrals"
NEED = "Children in Need"
ENGLAND = {  # per child aged 0 to 17 a year, England 2024-25 (national/shapes.csv), where a council's tables lack them
    "referral_count": 632830 / 12183016,
    "rereferral_percent": 22.6,
    "no_further_action_percent": 6.5,
    "not_in_need_percent": 30.8,
    "at31_episodes": 402400 / 12183016,
    "started_episodes": 396870 / 12183016,
}
PLANS_FROM_SUPPORT = 0.33  # of plans, by assumption


def need_rows(rows: Rows, national: National, children: float, starts: float, alone: float) -> dict[str, float]:
    """Add the figures of the pathway; returns early help open, in children.

    Args:
        rows: where to.
        national: the figures all English councils share.
        children: aged 0 to 17.
        starts: children who start to be looked after a year.
        alone: of them unaccompanied.
    """
    referrals = _referrals(rows, national, children)
    _in_need(rows, national, children, referrals)
    decisions = national.value("pre_entry_per_start") * (starts - alone)
    low, high = national.interval("pre_entry_per_start", factor=starts - alone)
    rows.put(
        "pre_entry_decisions_per_year",
        decisions,
        "children per year",
        "pre_entry_per_start x starts, unaccompanied children apart",
        interval=(low, high),
    )
    early = national.value("early_help_starts_per_1000_children") * children / 1000
    low, high = national.interval("early_help_starts_per_1000_children", factor=children / 1000)
    rows.put(
        "early_help_starts_per_year",
        early,
        "children per year",
        "early_help_starts_per_1000_children x children aged 0 to 17",
        interval=(low, high),
        note="Not published. Replace with the council's own",
    )
    for name, low_gbp, high_gbp, per_child in (
        ("opening_reserves", 0.3, 2.0, 5000.0),
        ("reserves_policy_minimum", 0.4, 2.0, 2000.0),
    ):
        value = round(per_child * (rows.facts.flow("stock", rows.facts.year) or 0.0), -5)
        rows.put(
            name,
            value,
            "GBP",
            "Placeholder: nothing published for children's services",
            interval=(low_gbp * value, high_gbp * value),
            note="NOT PUBLISHED. Overwrite before using any reserves result",
        )
    months = national.value("early_help_months") * 1.28  # mean of a lognormal with sigma 0.7 over its median
    return {"early_help_open": early * months / 12}


def _cell(facts: Facts, table: str, group: str, label: str) -> tuple[float, int] | None:
    found = facts.last(table, group, label)
    if found is None or found[0] < facts.year - 2:
        return None
    return found[1], found[0]


def _referrals(rows: Rows, national: National, children: float) -> float:
    """Referrals a year, what becomes of them, and re-referrals."""
    facts = rows.facts
    told = {}
    for label in ("referral_count", "rereferral_percent", "no_further_action_percent", "not_in_need_percent"):
        cell = _cell(facts, "referrals", GROUP, label)
        fallback = ENGLAND[label] * (children if label == "referral_count" else 1.0)
        told[label] = cell[0] if cell else fallback
        if cell:
            rows.put(
                label.removesuffix("_count").removesuffix("_percent") + "_as_published",
                cell[0],
                "referrals" if label == "referral_count" else "percent of referrals",
                facts.source("referrals", cell[1]),
                "published",
                period=f"{cell[1] - 1}-{cell[1] % 100:02d}",
                title="Children in need (DfE)",
            )
        else:
            rows.lacks(label.replace("_", " "), "England's 2024-25 rate")
    referrals = told["referral_count"]
    why = (
        "The last year's referrals as published"
        if _cell(facts, "referrals", GROUP, "referral_count")
        else ("England's referrals per child x children aged 0 to 17")
    )
    rows.put("referrals_per_year", referrals, "referrals per year", why, interval=(0.9 * referrals, 1.1 * referrals))
    again = told["rereferral_percent"] / 100
    rows.put(
        "re_referral_within_12_months",
        again,
        "share of referrals",
        "rereferral_as_published",
        interval=(0.9 * again, 1.1 * again),
    )
    nothing = min(max(told["no_further_action_percent"] / 100, 0.003), 0.6)
    rows.put(
        "referral_no_further_action",
        nothing,
        "share of referrals",
        "no_further_action_as_published",
        interval=(0.7 * nothing, 1.4 * nothing),
        breakdown="outcome=no further action",
    )
    assessed = 1 - nothing - national.value("referral_to_early_help", "outcome=early help")
    no_need = min(told["not_in_need_percent"] / 100 / assessed, 0.75)
    helped = national.value("assessed_not_in_need_to_early_help")
    for outcome, share in (("closed", no_need * (1 - helped)), ("early help", no_need * helped)):
        name = "assessment_closed" if outcome == "closed" else "assessment_to_early_help"
        rows.put(
            name,
            share,
            "share of assessments",
            "not_in_need_as_published over those assessed x the share who are "
            "offered early help (assessed_not_in_need_to_early_help) or not",
            interval=(0.8 * share, 1.2 * share),
            breakdown=f"outcome={outcome}",
        )
    return referrals


def _in_need(rows: Rows, national: National, children: float, referrals: float) -> None:
    """Children in need who are not looked after: in support and on protection plans; plans a year."""
    facts = rows.facts
    cells = {label: _cell(facts, "children_in_need", NEED, label) for label in ("at31_episodes", "started_episodes")}
    values = {}
    for label, cell in cells.items():
        values[label] = cell[0] if cell else ENGLAND[label] * children
        if cell:
            rows.put(
                f"in_need_{label}",
                cell[0],
                "episodes",
                facts.source("children_in_need", cell[1]),
                "published",
                period=str(cell[1]),
                title="Children in need (DfE)",
            )
        else:
            rows.lacks(f"children in need ({label})", "England's rate per child aged 0 to 17")
    stock = facts.flow("stock", facts.year) or 0.0
    apart = max(values["at31_episodes"] - stock, 0.4 * values["at31_episodes"])
    for name, share in (
        ("support_open", "support_share_of_open_cases"),
        ("protection_open", "protection_share_of_open_cases"),
    ):
        low, high = national.interval(share, factor=apart)
        rows.put(
            name,
            national.value(share) * apart,
            "children",
            f"(children in need at 31 March - looked after) x {share}",
            interval=(low, high),
            note="The open tables do not tell them apart",
        )
    plans = national.value("protection_starts_per_in_need_start") * values["started_episodes"]
    low, high = national.interval("protection_starts_per_in_need_start", factor=values["started_episodes"])
    rows.put(
        "protection_registrations_per_year",
        plans,
        "children per year",
        "episodes of need started x protection_starts_per_in_need_start",
        interval=(low, high),
    )
    from_assessment = min(plans * (1 - PLANS_FROM_SUPPORT) / max(referrals * 0.9, 1.0), 0.2)
    rows.put(
        "assessment_to_protection",
        from_assessment,
        "share of assessments",
        "Plans a year over assessments, a third of them coming from support",
        interval=(0.65 * from_assessment, 1.4 * from_assessment),
        breakdown="outcome=protection",
    )
