"""The show inside Blender: rig, tunnel, keys and output. Zone: bpy; never imports ui or analysis."""
