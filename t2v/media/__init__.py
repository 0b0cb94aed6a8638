"""Frames to files and back: the writer, its metadata, the probe, the guard, names of outputs.

Importing this package imports nothing; `names` needs the standard library only.
"""
