"""The contact sheet of a run: one page with every video."""
