"""Renders frames of a .blend in a Blender that has nothing of ours: ``show_elsewhere.py BLEND FOLDER FRAME,FRAME``.

Run by :mod:`benchmarks.show_anywhere`, by a Python with bpy or by a real Blender; imports nothing but bpy. Cycles'
frames are written twice where this Blender has the denoiser: N.png with it and N-plain.png without.
"""

import json
import os
import sys
from typing import Any

import bpy


def main() -> None:
    """Open the file with scripts disabled, render, and say which Blender this is."""
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    blend, folder, frames = given
    bpy.ops.wm.open_mainfile(filepath=blend, load_ui=False, use_scripts=False)
    scene: Any = bpy.context.scene
    kinds = {"": False}
    if scene.render.engine == "CYCLES" and scene.cycles.use_denoising:
        import _cycles

        # a Blender that was built without the denoiser cannot use it
        kinds = {"": True, "-plain": False} if getattr(_cycles, "with_openimagedenoise", False) else {"-plain": False}
    for name, denoised in kinds.items():
        if scene.render.engine == "CYCLES":
            scene.cycles.use_denoising = denoised
        for frame in frames.split(","):
            scene.frame_set(int(frame))
            scene.render.filepath = os.path.join(folder, f"{frame}{name}.png")
            bpy.ops.render.render(write_still=True, scene=scene.name)
    ours = sorted(name for name in sys.modules if "housex" in name)
    facts = {"version": bpy.app.version_string, "ours": ours, "scripts": bpy.app.autoexec_fail}
    with open(os.path.join(folder, "facts.json"), "w", encoding="utf-8") as stream:
        json.dump(facts, stream)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
