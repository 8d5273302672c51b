"""The pathway: its rules, its desk, its two clocks, draws, replications, results and prices."""
