"""The determinants of a sub-genre that producers scored, as they are heard per bar. Zone: pure.

Groove, rhythm, distortion and organicity on a scale from 1 to 5, and whether a lead, chords and a bass instrument play:
Table 1 of the mainstage sub-genre benchmark, arXiv 2409.06690.
"""

from __future__ import annotations

SCALES: tuple[str, ...] = ("groove", "rhythm", "distortion", "organicity")
PARTS: tuple[str, ...] = ("lead", "chord", "bass")
# the order of a network's outputs and of the columns in a timeline
ATTRIBUTES: tuple[str, ...] = SCALES + PARTS
LOWEST, HIGHEST = 1.0, 5.0
