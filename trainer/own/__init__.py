"""A user's own labelled music: reading it, hearing its bars, fine-tuning on it."""
