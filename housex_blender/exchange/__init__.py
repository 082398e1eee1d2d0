"""Timing in and out: files of DJ programs, editors and music research. Zone: pure.

Write with :func:`write` (``EXPORTS`` names the kinds), read with :func:`read`, and make bars of what was read with
:func:`grid_from`. Whatever is wrong with a file or a place is an :class:`ExchangeError`.
"""

from .errors import ExchangeError
from .grid import grid_from
from .imported import Imported
from .reading import read
from .title_list import TitleList, read_titles
from .writing import EXPORTS, Export, check_library, write

__all__ = [
    "EXPORTS",
    "ExchangeError",
    "Export",
    "Imported",
    "TitleList",
    "check_library",
    "grid_from",
    "read",
    "read_titles",
    "write",
]
