"""Pure logic shared by every room: standard library and numpy only (no bpy, no torch)."""
