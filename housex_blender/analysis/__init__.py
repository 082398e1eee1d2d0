"""Hearing: a mix goes in, bars, structure and sub-genres come out. Zone: analysis (numpy, soundfile, soxr; no bpy)."""

import os

# before ONNX Runtime is loaded anywhere: it reports its use to its maker otherwise
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
