"""Makes the weights that ship: house music with known truth, training, export. Zone: trainer (torch, scipy; no bpy)."""
