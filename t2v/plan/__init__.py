"""Arithmetic: what a request comes to before any weight is loaded."""
