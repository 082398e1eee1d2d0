"""Independent writers of training tracks, one package each. Zone: trainer."""
