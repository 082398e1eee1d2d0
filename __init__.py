"""HouseX: Blender wants this file beside the manifest; everything lives in housex_blender."""

from .housex_blender import register, unregister

__all__ = ["register", "unregister"]
