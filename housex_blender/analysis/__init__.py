"""Hearing: a mix goes in, bars, structure and sub-genres come out. Zone: analysis (numpy, soundfile, soxr; no bpy)."""
