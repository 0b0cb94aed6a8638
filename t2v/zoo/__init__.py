"""What exists: the catalog of models, where their files are, and whether they are safe to load."""
