"""Prompt files of every format become items."""
