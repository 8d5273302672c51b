"""From a council's own child-level returns to a parameter set.

Each fit makes one part; the parts replace a base (a council pack) piece by piece.
"""
