"""A house producer who paints sound in the spectrum. Zone: trainer."""

from .render import render_track

__all__ = ["render_track"]
