"""``python -m housex_blender.analysis MIX -o MIX.housex.json``. Zone: analysis."""

from .worker import main

raise SystemExit(main())
