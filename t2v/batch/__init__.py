"""Many prompts: read from files, planned, made by workers, recorded so that nothing is lost."""
