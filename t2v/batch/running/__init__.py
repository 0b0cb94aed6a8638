"""Hands jobs to workers, and writes down what becomes of them."""
