"""``calibrate --format dfe|lgbf|published``: from tables of aggregates to a parameter set, labelled indicative."""

import datetime as dt
from pathlib import Path

from carecast.calibration import assumptions
from carecast.calibration.calibrate import from_pack
from carecast.calibration.dfe.build import council_rows, folder_name, pack_of
from carecast.calibration.dfe.facts import facts_of
from carecast.calibration.dfe.places import read_places
from carecast.calibration.readers.history import History
from carecast.calibration.readers.report import Report
from carecast.model.parameters import BadFile, Calibrated

STAMP = "indicative: from published aggregates, national shapes and stated assumptions, not the council's own records"


def calibrate_tables(
    history: History,
    report: Report | None,
    council: str | None,
    as_at: dt.date | None = None,
    figures: Path | None = None,
    localities: Path | None = None,
) -> Calibrated:
    """A parameter set of one council from tables of aggregates.

    Args:
        history: read by ``read_history`` in format dfe, lgbf or published.
        report: of the reading.
        council: its name (or, in DfE tables, its code).
        as_at: nothing of a later date is used; the last count by then is the stock.
        figures: the user's own figures in place of the pack's, ``id,value[,low,high,source,note,how]``.
        localities: its localities, ``name,zone,easting,northing,children``; one at a nominal point unless given.

    Raises:
        BadFile: no such council (with the closest names), no count of children looked after, or a file cannot be used.
    """
    if not council:
        raise BadFile("--council: missing; tables of aggregates hold many councils: give one name")
    if history.format == "dfe":
        return calibrate_dfe(history, report, council, as_at, figures, localities)
    from carecast.calibration.dfe.scotland import calibrate_scottish

    return calibrate_scottish(history, report, council, as_at, figures, localities)


def calibrate_dfe(
    history: History,
    report: Report | None,
    council: str,
    as_at: dt.date | None = None,
    figures: Path | None = None,
    localities: Path | None = None,
) -> Calibrated:
    """A parameter set of an English council from DfE's open tables: moment matching, then simulation-based matching.

    Raises:
        BadFile: as ``calibrate_tables``.
    """
    facts = facts_of(history, council, as_at)
    rows = council_rows(facts, read_places(localities) if localities is not None else ())
    pack = pack_of(rows, folder_name(facts.council).replace("_", "-"), figures)
    calibrated = from_pack(pack)
    return _labelled(calibrated, rows.lacking, report)


def _labelled(calibrated: Calibrated, lacking: list[str], report: Report | None) -> Calibrated:
    """Stamped as indicative, with what the tables lacked on the record."""
    calibrated.record["source"] = "aggregates"
    calibrated.record["not_in_the_tables"] = lacking
    if report is not None:
        calibrated.record["rows"] = report.document()["rows"]
    numbers = dict(calibrated.parameters.numbers) | assumptions.numbers_of("aggregates")
    update = {"stamp": STAMP, "indicative": True, "numbers": numbers}
    parameters = calibrated.parameters.model_copy(update=update)
    return calibrated.model_copy(update={"parameters": parameters})
