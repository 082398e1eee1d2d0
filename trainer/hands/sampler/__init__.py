"""The sampler: house of nothing but recorded notes and one-shots, looped, chopped and driven. Zone: trainer."""

from .launch import render_track, render_with

__all__ = ["render_track", "render_with"]
