"""From a council's own child-level returns to a parameter set: each fit makes one part, the parts replace a base piece by piece."""
