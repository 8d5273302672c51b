"""Back-tests: hide recent history, calibrate on the rest, and score the forecast against what came."""
