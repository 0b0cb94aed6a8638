"""What a run leaves on disk: the journal, what is read from it, results, locks."""
