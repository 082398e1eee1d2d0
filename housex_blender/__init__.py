"""HouseX, an automatic light show for recorded DJ mixes. Importable without Blender: the analysis runs outside it."""


def register() -> None:
    """Enable the extension inside Blender."""
    from . import ui

    ui.register()


def unregister() -> None:
    """Disable it and leave nothing behind."""
    from . import ui

    ui.unregister()
