"""Items become jobs: settled, named, grouped, each with an identity."""
