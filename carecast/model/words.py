"""The words of the pathway as numbers: placement types, age bands, routes, states, causes, branches and events.

Rules, desk and clocks speak in these integers so that the same source runs as plain Python and compiled. The tuples of
names give each integer back its word; files, screens and logs only ever show the word. Never renumber: files hold words,
but draws are keyed by some of these numbers.
"""

# --- placement types (DESIGN: where LGBF indicator CHN9 counts them) -----------------------------------------------
PLACEMENT_TYPES = (
    "at_home",
    "kinship",
    "foster_own",
    "foster_agency",
    "prospective_adopters",
    "supported_accommodation",
    "other_community",
    "childrens_house_own",
    "residential_external",
    "residential_school",
    "secure",
    "unregistered",
    "other_residential",
)
AT_HOME, KINSHIP, FOSTER_OWN, FOSTER_AGENCY, PROSPECTIVE_ADOPTERS, SUPPORTED_ACCOMMODATION, OTHER_COMMUNITY = range(7)
CHILDRENS_HOUSE_OWN, RESIDENTIAL_EXTERNAL, RESIDENTIAL_SCHOOL, SECURE, UNREGISTERED, OTHER_RESIDENTIAL = range(7, 13)
N_PLACEMENT_TYPES = 13
FIRST_RESIDENTIAL = CHILDRENS_HOUSE_OWN  # every type from here on is residential; the ones before are community

# --- age bands (whole years at the day; both nations publish these cuts) -------------------------------------------
AGE_BANDS = ("under_1", "1_to_4", "5_to_9", "10_to_15", "16_to_17", "18_and_over")
AGE_BAND_STARTS_YEARS = (0, 1, 5, 10, 16, 18)
N_AGE_BANDS = 6
SIXTEEN = 4  # the band of young people of 16 and 17
ADULT = 5  # the band of young people over 18: never looked after, but in continuing care and aftercare

# --- how long: one set of bands for time in care, time in placement and time in a state ----------------------------
DURATION_BANDS = (
    "under_4_weeks",
    "4_to_13_weeks",
    "3_to_6_months",
    "6_to_12_months",
    "1_to_2_years",
    "2_to_5_years",
    "5_years_and_over",
)
DURATION_BAND_STARTS_DAYS = (0, 28, 91, 182, 365, 730, 1826)
N_DURATION_BANDS = 7

# --- how a child reaches the council -------------------------------------------------------------------------------
ROUTES = ("contact", "emergency", "newborn", "remand", "unaccompanied")
CONTACT, EMERGENCY, NEWBORN, REMAND, UNACCOMPANIED = range(5)
N_ROUTES = 5

# --- states --------------------------------------------------------------------------------------------------------
STATES = (
    "gone",
    "early_help_waiting",
    "early_help",
    "assessment_waiting",
    "assessment",
    "support",
    "protection",
    "pre_entry",
    "closed",
    "in_care",
    "home_after_care",
    "kinship_order",
    "adopted",
    "continuing_care",
    "aftercare",
)
(
    GONE,
    EARLY_HELP_WAITING,
    EARLY_HELP,
    ASSESSMENT_WAITING,
    ASSESSMENT,
    SUPPORT,
    PROTECTION,
    PRE_ENTRY,
    CLOSED,
    IN_CARE,
    HOME_AFTER_CARE,
    KINSHIP_ORDER,
    ADOPTED,
    CONTINUING_CARE,
    AFTERCARE,
) = range(15)
N_STATES = 15

# --- causes: what can end a wait. Each has its own unit-exponential draw walked along its own hazard ---------------
CAUSES = (
    "wait_disengaged",
    "wait_escalated",
    "early_help_ends",
    "early_help_steps_up",
    "assessment_ends",
    "support_ends",
    "support_to_protection",
    "support_to_pre_entry",
    "protection_ends",
    "protection_to_pre_entry",
    "pre_entry_decided",
    "re_referred",
    "re_entry",
    "kinship_order_breaks",
    "adoption_disrupts",
    "continuing_care_ends",
    "exit_home",
    "exit_kinship_order",
    "exit_adoption",
    "exit_independent",
    "exit_other",
    "move",
    "step_down",
    "return_within_radius",
)
(
    WAIT_DISENGAGED,
    WAIT_ESCALATED,
    EARLY_HELP_ENDS,
    EARLY_HELP_STEPS_UP,
    ASSESSMENT_ENDS,
    SUPPORT_ENDS,
    SUPPORT_TO_PROTECTION,
    SUPPORT_TO_PRE_ENTRY,
    PROTECTION_ENDS,
    PROTECTION_TO_PRE_ENTRY,
    PRE_ENTRY_DECIDED,
    RE_REFERRED,
    RE_ENTRY,
    KINSHIP_ORDER_BREAKS,
    ADOPTION_DISRUPTS,
    CONTINUING_CARE_ENDS,
    EXIT_HOME,
    EXIT_KINSHIP_ORDER,
    EXIT_ADOPTION,
    EXIT_INDEPENDENT,
    EXIT_OTHER,
    MOVE,
    STEP_DOWN,
    RETURN_WITHIN_RADIUS,
) = range(24)
N_CAUSES = 24
FIRST_EXIT, LAST_EXIT = EXIT_HOME, EXIT_OTHER  # exits: their bands are time in care
FIRST_MOVE, LAST_MOVE = MOVE, RETURN_WITHIN_RADIUS  # moves: their bands are time in placement
# Ends that are certain rather than hazards; numbered after the causes so that they fit the same field.
AGED_OUT, HOUSE_CLOSED, LIMIT_REACHED = 24, 25, 26
CERTAIN_ENDS = ("aged_out", "house_closed", "limit_reached")

# --- branches: what happens next, one uniform draw each, outcomes in the order of their cumulated chance -----------
BRANCHES = ("contact", "referral", "assessment", "early_help", "support", "protection", "pre_entry")
B_CONTACT, B_REFERRAL, B_ASSESSMENT, B_EARLY_HELP, B_SUPPORT, B_PROTECTION, B_PRE_ENTRY = range(7)
N_BRANCHES = 7
OUTCOMES = (
    "closed",
    "early_help",
    "assessment",
    "support",
    "protection",
    "pre_entry",
    "kinship_order",
    "care_at_home",
    "care_away",
)
(
    TO_CLOSED,
    TO_EARLY_HELP,
    TO_ASSESSMENT,
    TO_SUPPORT,
    TO_PROTECTION,
    TO_PRE_ENTRY,
    TO_KINSHIP_ORDER,
    TO_CARE_AT_HOME,
    TO_CARE_AWAY,
) = range(9)
N_OUTCOMES = 9
TO_NOBODY = 9  # the story ends: never the outcome of a branch

# --- diversions: a lever moves a child whose hand said one thing to another state, never out of the model ----------
DIVERSIONS = (
    "referral_to_early_help",
    "assessment_to_early_help",
    "pre_entry_to_support",
    "pre_entry_to_kinship_order",
    "care_away_to_at_home",
    "care_away_to_kinship",
    "residential_to_foster",
    "direct_entry_to_support",
    "newborn_to_support",
    "repeat_assessment_spared",
    "residential_to_supported",
    "pre_entry_to_care",  # only an assumption about hearings and courts
)
(
    REFERRAL_TO_EARLY_HELP,
    ASSESSMENT_TO_EARLY_HELP,
    PRE_ENTRY_TO_SUPPORT,
    PRE_ENTRY_TO_KINSHIP_ORDER,
    CARE_AWAY_TO_AT_HOME,
    CARE_AWAY_TO_KINSHIP,
    RESIDENTIAL_TO_FOSTER,
    DIRECT_ENTRY_TO_SUPPORT,
    NEWBORN_TO_SUPPORT,
    REPEAT_ASSESSMENT_SPARED,
    RESIDENTIAL_TO_SUPPORTED,
    PRE_ENTRY_TO_CARE,
) = range(12)
N_DIVERSIONS = 12

# --- service pools with a queue at the desk ------------------------------------------------------------------------
SERVICES = ("early_help", "assessment")
S_EARLY_HELP, S_ASSESSMENT = range(2)

# --- who pays ------------------------------------------------------------------------------------------------------
FUNDERS = ("social_work", "education", "nhs", "home_office", "scottish_ministers")

# --- the event log: day, child, event, locality, provider, detail, shared_with -------------------------------------
# locality: index in the parameter set; provider: index in the plan's provider list, -1 where there is none.
EVENTS = (
    "contact_made",  # detail: route
    "advice_given",
    "referred",  # detail: 1 when the child was referred in the 12 months before
    "early_help_asked",
    "early_help_started",
    "early_help_ended",  # detail: cause
    "early_help_wait_left",  # detail: cause (disengaged, escalated)
    "assessment_asked",
    "assessment_started",
    "assessment_ended",
    "support_started",
    "support_ended",
    "protection_started",
    "protection_ended",
    "pre_entry_started",
    "pre_entry_ended",  # detail: outcome
    "case_closed",
    "diverted",  # detail: which diversion
    "entered_care",  # detail: route, or 5 for the pathway, or 6 for re-entry (7: stock in care at the start)
    "placement_asked",  # detail: placement type wanted
    "placement_started",  # provider; detail: miles from home x 10 (-1 unknown, -2 not counted); shared_with: home's id
    "placement_ended",  # provider; detail: cause
    "left_care",  # detail: cause
    "re_entry_begins",
    "after_care_started",  # detail: state (home_after_care, kinship_order, adopted, continuing_care, aftercare)
    "after_care_ended",  # detail: state
)
(
    CONTACT_MADE,
    ADVICE_GIVEN,
    REFERRED,
    EARLY_HELP_ASKED,
    EARLY_HELP_STARTED,
    EARLY_HELP_ENDED,
    EARLY_HELP_WAIT_LEFT,
    ASSESSMENT_ASKED,
    ASSESSMENT_STARTED,
    ASSESSMENT_ENDED,
    SUPPORT_STARTED,
    SUPPORT_ENDED,
    PROTECTION_STARTED,
    PROTECTION_ENDED,
    PRE_ENTRY_STARTED,
    PRE_ENTRY_ENDED,
    CASE_CLOSED,
    DIVERTED,
    ENTERED_CARE,
    PLACEMENT_ASKED,
    PLACEMENT_STARTED,
    PLACEMENT_ENDED,
    LEFT_CARE,
    RE_ENTRY_BEGINS,
    AFTER_CARE_STARTED,
    AFTER_CARE_ENDED,
) = range(26)
ENTRY_FROM_PATHWAY, ENTRY_RETURN, ENTRY_STOCK = 5, 6, 7  # beside the direct routes 1 to 4
DISTANCE_UNKNOWN, DISTANCE_NOT_COUNTED = -1, -2

NEVER = 1 << 30  # a day that does not come
DAYS_PER_YEAR = 365.25
METRES_PER_MILE = 1609.344
