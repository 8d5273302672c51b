"""Build the packs of English councils from a folder of DfE tables: ``python -m carecast.calibration.build_pack FOLDER``.

The tables are DfE's open data as downloaded: children looked after on 31 March by characteristics, those who started and
ceased, new placements, placement stability, numbers and rates, children in need (b1) and referrals (c1). Each pack holds
only the figures it uses, each with its table and year. Localities come from ``published/NAME/places.csv``, which is kept
by hand. Run it again with next year's tables to bring the packs up to date, and read the difference before committing it.
"""

import csv
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from carecast.calibration.calibrate import from_pack
from carecast.calibration.dfe.build import add_shifts, council_rows, folder_name, pack_of, write_pack
from carecast.calibration.dfe.facts import MIXES, TABLE_NAMES, Facts, average_council, facts_of
from carecast.calibration.dfe.places import Place, nominal, read_places
from carecast.calibration.pack import PUBLISHED
from carecast.calibration.readers import read_history
from carecast.calibration.readers.history import History
from carecast.model.parameters import BadFile

COUNCILS = ("Kent", "Cheshire East", "Wiltshire")
ENGLAND = "england"
MIXED = ("looked_after", "started", "ceased", "new_placements", "rates")
FIRST_MIX = 2019
MADE = "Made by python -m carecast.calibration.build_pack from DfE's open tables; places.csv is kept by hand."


def build(
    folder: Path, councils: Sequence[str] = COUNCILS, out: Path = PUBLISHED, as_at: dt.date | None = None
) -> list[Path]:
    """Build England's mixes, the pack of an average council and those of the councils named; returns their folders.

    Raises:
        BadFile: a council is not in the tables, or they cannot be used.
    """
    history, _ = read_history(folder, "dfe", "")
    _write_mixes(history)
    average = average_council(history, as_at)
    made = [_written(average, out / ENGLAND)]
    for council in councils:
        facts = facts_of(read_history(folder, "dfe", council)[0], council, as_at)
        made.append(_written(facts, out / folder_name(facts.council)))
    return made


def _written(facts: Facts, folder: Path) -> Path:
    """Write a pack with the shifts that simulation-based matching finds, so that using it needs no simulation."""
    rows = council_rows(facts, _places(folder, facts))
    found = from_pack(pack_of(rows, folder.name)).record["matching"]
    add_shifts(rows, found)
    write_pack(rows, folder, MADE)
    return folder


def _places(folder: Path, facts: Facts) -> tuple[Place, ...]:
    """The localities kept by hand beside a pack, else one at a nominal point."""
    file = folder / "places.csv"
    return read_places(file) if file.is_file() else nominal(facts.council)


def _write_mixes(history: History) -> None:
    """England's counts by table, group, label and year, for folders of tables that hold no national row."""
    facts = average_council(history, None)
    rows = [
        {"table": table, "group": group, "label": label, "year": year, "count": f"{count:g}", "how": "published",
         "source": f"DfE open data, {TABLE_NAMES[table]}, England"}
        for (table, group, label, year), count in sorted(facts.cells["nation"].items())
        if table in MIXED and year >= FIRST_MIX
    ]  # fmt: skip
    with MIXES.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(arguments: Sequence[str]) -> int:
    """The command: FOLDER and, if other than the shipped ones, names of councils; exit code 2 when it cannot be done."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stderr.write(f"{__doc__}\nusage: python -m carecast.calibration.build_pack FOLDER [COUNCIL ...]\n")
        return 0 if arguments else 2
    try:
        for folder in build(Path(arguments[0]), arguments[1:] or COUNCILS):
            sys.stderr.write(f"{folder}\n")
    except BadFile as error:
        sys.stderr.write("\n".join(error.lines) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
