"""Composes the layers below: plan, load, generate, record."""
