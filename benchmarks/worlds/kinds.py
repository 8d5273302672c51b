"""Kinds of synthetic council: what happens to each, as numbers. Half of them swing as wildly as real councils do.

Spreads of the wild ones are set so that the yearly log change of children looked after of a council of 600 has a standard
deviation near 0.067, 0.096 and 0.13 at one, two and three years, and that of starts and ceases near 0.2 at any lag, as 150
English councils had from 2019 to 2023 (DfE, children looked after in England, tables by council).
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Kind:
    """One kind. Rates are per year, spreads are standard deviations of logs, dates are years before the end of history."""

    name: str
    about: str
    wild: bool = False
    # levels: a walk that is pulled back, and noise that lasts about a year and swings back
    entry_walk: float = 0.05
    exit_walk: float = 0.04
    pull: float = 0.12
    entry_noise: float = 0.05
    exit_noise: float = 0.05
    move_walk: float = 0.05
    mix_walk: float = 0.10  # of the log odds of kin and of homes among those placed
    growth: float = 0.0  # of entries, from the start of history
    shift_years: float = 0.0  # when entries and exits change for good; 0 never
    shift_entries: float = 1.0
    shift_exits: float = 1.0
    covid: bool = False
    echo: float = 0.0  # share of families whose coming brings another within weeks: entries excite entries
    burst: float = 0.15  # how uneven weeks are: variance of the weekly factor
    # children alone
    alone_share: float = 0.03  # of entries
    alone_walk: float = 0.25
    alone_surge_years: float = 0.0  # when their number rises
    alone_surge: float = 1.0
    # own places
    foster_places: float = 0.36  # per child looked after at the size asked for
    foster_path: tuple[tuple[float, float], ...] = ()  # (years before the end, places as a multiple), straight between
    foster_churn: float = 0.10  # share of places that come and go in a year beyond the path
    unavailable: float = 0.12
    unavailable_walk: float = 0.25  # of the log, a year, pulled back within about a year
    match: float = 0.12  # chance that one vacancy suits a child
    house_beds: float = 0.035
    house_events: tuple[tuple[float, int], ...] = ()  # (years before the end, houses opened or, below nought, closed)
    # prices
    inflation: float = 0.03
    residential_inflation: float = 0.06
    inflation_sd: float = 0.02
    tail: float = 0.03  # share of bought homes at a very high price
    # stays
    stretch: float = 1.0
    frailty: float = 0.5  # variance of the frailty of exits
    movers: float = 0.3  # share of children who move often

    @property
    def is_plain(self) -> bool:
        """Whether the hazard of leaving holds through the years."""
        return not (self.exit_walk or self.exit_noise)


KINDS: dict[str, Kind] = {kind.name: kind for kind in (
    Kind("steady", "nothing happens but chance and small swings", foster_churn=0.03),
    Kind("growing", "entries rise three per cent a year and own fostering does not follow", growth=0.03, foster_churn=0.06,
         house_events=((6.0, 1),), echo=0.1),
    Kind("covid", "entries and exits dip in 2020-21 and return", covid=True, burst=0.25, move_walk=0.08,
         house_events=((2.0, -1),)),
    Kind("binding", "own foster places always full, some lost and some won; a house opens and another closes",
         foster_places=0.28, foster_path=((12, 1.0), (7, 1.12), (4, 0.96), (0, 1.02), (-3, 1.05)), unavailable=0.08,
         match=0.35, house_events=((8.0, 1), (1.0, 1)), house_beds=0.05),
    Kind("policy", "more leave for kinship orders and fewer enter from five years before the end", shift_years=5.0,
         shift_entries=0.88, shift_exits=1.15, stretch=0.9),
    Kind("wild", "starts and ceases swing as those of real councils", wild=True, entry_walk=0.09, exit_walk=0.07, pull=0.08,
         entry_noise=0.13, exit_noise=0.17, mix_walk=0.16, burst=0.3, echo=0.15, move_walk=0.1),
    Kind("wild_crunch", "swings; foster carers leave, homes and unregistered places take over at rising prices", wild=True,
         entry_walk=0.08, exit_walk=0.07, pull=0.08, entry_noise=0.12, exit_noise=0.16, mix_walk=0.15, burst=0.3,
         foster_path=((12, 1.1), (8, 1.1), (0, 0.85), (-3, 0.80)), unavailable=0.18, match=0.2, tail=0.07,
         residential_inflation=0.09, inflation_sd=0.03, house_events=((3.5, 1), (-1.5, 1))),
    Kind("wild_alone", "swings; from four years before the end many children come alone", wild=True, entry_walk=0.08,
         exit_walk=0.07, pull=0.08, entry_noise=0.12, exit_noise=0.16, mix_walk=0.12, alone_share=0.05, alone_walk=0.35,
         alone_surge_years=4.0, alone_surge=3.0, burst=0.25),
    Kind("wild_covid", "swings; the dip of 2020-21, then a backlog; entries excite entries", wild=True, entry_walk=0.08,
         exit_walk=0.08, pull=0.1, entry_noise=0.13, exit_noise=0.14, mix_walk=0.14, covid=True, echo=0.3, burst=0.4,
         frailty=1.0, movers=0.2),
    Kind("wild_long", "swings; stays lengthen year by year and children keep their homes", wild=True, entry_walk=0.08,
         exit_walk=0.08, pull=0.05, entry_noise=0.12, exit_noise=0.16, mix_walk=0.14, stretch=1.3, movers=0.15,
         shift_years=6.0, shift_exits=0.88, match=0.06, unavailable=0.2, foster_churn=0.15),
)}  # fmt: skip

_PLAIN = replace(KINDS["steady"], entry_noise=0.0, exit_walk=0.0, exit_noise=0.0, pull=0.02, move_walk=0.0, mix_walk=0.03,
                 frailty=0.2)  # fmt: skip
KINDS |= {kind.name: kind for kind in (  # hazards of leaving hold; only entries, or what is scripted, move
    replace(_PLAIN, name="plain", about="nothing moves but chance", entry_walk=0.0),
    replace(_PLAIN, name="plain_walk", about="entries walk slowly"),
    replace(_PLAIN, name="plain_growing", about="entries rise four per cent a year", growth=0.04),
    replace(_PLAIN, name="plain_policy", about="a fifth fewer enter from four and a half years before the end",
            shift_years=4.5, shift_entries=0.8),
    replace(_PLAIN, name="plain_covid", about="entries and exits dip in 2020-21 and return", covid=True),
    replace(_PLAIN, name="plain_alone", about="from four years before the end many children come alone", alone_share=0.05,
            alone_surge_years=4.0, alone_surge=2.5),
)}  # fmt: skip
