"""A second generator of labelled house music, on other instruments than trainer.synth. Zone: trainer.

It only judges: a network trained on one generator may know that generator instead of the genres. Both follow the same
published facts and share no code and no sound, so what a network gets right here, it did not learn by heart there.
"""

from .mixes import render_second_mix
from .render import render_second_track

__all__ = ["render_second_mix", "render_second_track"]
