"""From aggregates alone (DfE open data, LGBF, published figures) to a council pack, and from that to a parameter set."""
