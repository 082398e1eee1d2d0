"""A hard test bench for the hearing of beats, bars and structure: DJ mixes with known truth, half of them made of
sounds that the demo's synthesiser does not have."""
