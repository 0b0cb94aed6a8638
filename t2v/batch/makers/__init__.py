"""The maker that lives in a worker: a model in memory, and its lanes."""
