"""A small council for tests of money: four providers, three cost lines, round prices, no randomness."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd

from carecast.model.calendar import make_calendar
from carecast.model.parameters import (
    Budget,
    CostLine,
    Locality,
    Number,
    ParameterSet,
    Population,
    Provider,
    Series,
    Zone,
)
from carecast.model.plan import Effect, Plan, Window
from carecast.model.pricebook import money_lines, price_book
from carecast.model.prices import price_replication
from carecast.model.results import SERVICE_LINES

SOURCED = {"source": "made for a test", "how": "assumed"}
ALL_SOCIAL_WORK = {"social_work": 1.0}
AS_AT, UNTIL = dt.date(2024, 3, 31), dt.date(2027, 3, 31)  # three whole financial years: 365, 365, 365 days
YEAR_DAYS = 365


def day(text):
    return dt.date.fromisoformat(text).toordinal()


def fixed(value):
    return Effect(median=value)


def window(start, end=None, ramp_months=0):
    return Window(day(start), day(end) if end else None, ramp_months)


def provider(code, placement_type, weekly, **fields):
    given = {"price_year": "2024-25", "uplift": "prices", "funder_shares": ALL_SOCIAL_WORK, "name": code} | fields
    return Provider(code=code, placement_type=placement_type, weekly_cost_gbp=weekly, **given, **SOURCED)


PROVIDERS = (
    provider("own_house", "childrens_house_own", 700.0, fixed_weekly_cost_gbp=14000.0, places=4, usable_share=0.5),
    provider("spot", "residential_external", 7000.0, uplift="external"),
    provider("foster", "foster_own", 350.0, places=20),
    provider("school", "residential_school", 7000.0, funder_shares={"social_work": 0.5, "education": 0.5}),
)
OWN_HOUSE, SPOT, FOSTER, SCHOOL = range(4)


def cost_line(line, unit, price, **fields):
    given = {"price_year": "2024-25", "uplift": "pay", "funder_shares": ALL_SOCIAL_WORK} | fields
    return CostLine(line=line, unit=unit, price_gbp=price, **given, **SOURCED)


COST_LINES = (
    cost_line("early_help", "child_week", 70.0, fixed_share=0.8),
    cost_line("assessment", "family", 1000.0),
    cost_line("head_office", "year", 365_000.0),
)


def parameters(uplift=0.0, **fields):
    numbers = {f"uplift.{kind}_per_year": uplift for kind in ("pay", "prices", "external")}
    ages = {name: (100.0,) for name in ("under_1", "1_to_4", "5_to_9", "10_to_15", "16_to_17")}
    zone = Zone(name="z", easting_m=0, northing_m=0, children=1)
    place = Locality(name="East", zones=(zone,), population=Population(**ages), quintile_children=(1, 1, 1, 1, 1))
    given = {
        "council": "Test",
        "nation": "scotland",
        "as_at": AS_AT,
        "price_base_year": "2024-25",
        "population_years": (2024,),
        "numbers": {name: Number(value=value, unit="a year", **SOURCED) for name, value in numbers.items()},
        "series": {"family.size_chances": Series(values=(0.5, 0, 0.5, 0, 0, 0), unit="chance", **SOURCED)},
        "rates": (),
        "branches": (),
        "destinations": (),
        "localities": (place,),
        "providers": PROVIDERS,
        "service_pools": (),
        "cost_lines": COST_LINES,
    }
    return ParameterSet(**(given | fields))


def budget(line, financial_year, amount):
    return Budget(line=line, financial_year=financial_year, amount_gbp=amount, **SOURCED)


def tables(days=(), services=(), n_years=4, n_providers=4, counted=(), continuing=()):
    """Tables from (year, provider, days), (year, service line, units), and counted events [year][key]."""
    placement_days = np.zeros((n_years, n_providers, 2), dtype=np.int64)
    for bucket, given in enumerate((days, continuing)):
        for year, place, number in given:
            placement_days[year, place, bucket] = number
    units = np.zeros((n_years, len(SERVICE_LINES)), dtype=np.int64)
    for year, line, number in services:
        units[year, SERVICE_LINES.index(line)] = number
    counts = np.array(counted, dtype=np.int64).reshape(n_years, -1)
    return SimpleNamespace(
        placement_days=placement_days, price_days=placement_days.astype(float), service_units=units, counted=counts
    )


def book_of(changes=(), given=None, draws=None, as_at=AS_AT, until=UNTIL, plans=None, providers=None):
    given = given or parameters()
    plan = Plan("scenario", tuple(changes))
    lines = money_lines(given, plans or [plan])
    frame = pd.DataFrame(draws or {}) if draws else pd.DataFrame(index=range(2))
    return price_book(given, plan, providers or given.providers, make_calendar(as_at, until), frame, lines)


def price(book, counts, replication=0, staff_units=None):
    return price_replication(book, counts, replication, seed=1, staff_units=staff_units)


def pounds(money, year, line, of="gross"):
    """Pounds of one line in a year; years count from 2023-24, of which the run holds no day."""
    return getattr(money, of)[year, money.layout.lines.index(line)] / 100
