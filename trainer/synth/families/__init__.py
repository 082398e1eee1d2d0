"""Families of voices: each module draws parameters for one way of making sound and renders notes from them."""
