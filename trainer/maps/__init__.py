"""Tracks as the network hears them: portraits, maps and neighbours."""
