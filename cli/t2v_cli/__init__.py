"""The command line of t2v: parse, call the library, show."""
