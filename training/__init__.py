"""How the embedded model is made: its world, its training, its evaluation."""
