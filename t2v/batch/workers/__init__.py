"""Processes of this machine, or of a Ray cluster, that a maker lives in."""
