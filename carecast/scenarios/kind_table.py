"""The table of kinds: one row for each lever and assumption, in the order of the pathway."""

from carecast.scenarios import kinds_before_care, kinds_in_care, kinds_of_money

_ROWS = (*kinds_before_care.ROWS, *kinds_in_care.ROWS, *kinds_of_money.ROWS)
KINDS = {row.name: row for row in _ROWS}
LEVERS = tuple(row.name for row in _ROWS if not row.is_assumption)
ASSUMPTIONS = tuple(row.name for row in _ROWS if row.is_assumption)
