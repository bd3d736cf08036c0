"""Methods measured on scenes: cells and their store, sweeps, the results of others, tables."""
