"""From a pack's staffing figures to numbers of the parameter set: caseload norms, vacancies, posts, far for safety.

Norms and posts get no interval: they are what a council sets, not what it does not know. The range a shipped norm was
taken from stays in its row of ``national/workforce.csv`` and in the number's note.
"""

from carecast.calibration.assemble import number
from carecast.calibration.figures import Figure
from carecast.calibration.pack import Pack
from carecast.model.parameters import BadFile, Number

KEPT_FAR = "distance.kept_for_safety_share"


def staffing_numbers(pack: Pack) -> dict[str, Number]:
    """``caseload.ROLE``, ``vacancy.ROLE_share``, and where they are given ``vacancy.ROLE_expected_share`` and
    ``establishment.ROLE_fte``; and ``distance.kept_for_safety_share``.

    Raises:
        BadFile: a norm is not above 0, or a share is not between 0 and 1.
    """  # noqa: D205
    out: dict[str, Number] = {}
    mistakes: list[str] = []
    for figure in pack.figures:
        name = _name(figure)
        if name is None or figure.value is None:
            continue
        factor = pack.value("children_per_foster_household") if "supervising" in name and "caseload" in name else 1.0
        unit = "children in own foster homes per full-time equivalent" if factor != 1.0 else figure.unit
        mistakes += _mistakes(figure, name)
        out[name] = _exact(number(figure, factor, unit), figure)
    if mistakes:
        raise BadFile(*mistakes)
    return out


def _name(figure: Figure) -> str | None:
    """The number a figure becomes; None for figures that are not about staff."""
    role = figure.breakdown.removeprefix("role=")
    return {
        "caseload": f"caseload.{role}",
        "vacancy_rate": f"vacancy.{role}_share",
        "vacancy_rate_expected": f"vacancy.{role}_expected_share",
        "establishment": f"establishment.{role}_fte",
        "kept_far_for_safety": KEPT_FAR,
    }.get(figure.id)


def _mistakes(figure: Figure, name: str) -> list[str]:
    value = figure.value or 0.0
    if name.startswith("caseload.") and value <= 0:
        return [f"figure {figure.key}: found {value:g}; a caseload is a number above 0"]
    if name.endswith("_share") and not 0 <= value < 1:
        return [f"figure {figure.key}: found {value:g}; a share is 0 or more and below 1, such as 0.12"]
    return []


def _exact(given: Number, figure: Figure) -> Number:
    """The number without an interval; the range it was taken from in its note."""
    ranged = "" if figure.low is None else f"Range {figure.low:g} to {figure.high:g} {figure.unit}."
    return given.model_copy(update={"interval_80": None, "note": f"{ranged} {figure.note}".strip()})
