"""Turns a folder of zips into an extension repository of static files. Zone: tools.

    python .ci/build_repository.py --dir dist

Writes index.json, which Blender reads, and index.html for people, with Blender's own program. Put the folder on any
web server, or leave it on a disk: both https://…/index.json and file:///…/index.json can be added in Blender under
Preferences > Get Extensions > Repositories, and Blender then offers updates.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from build_extension import ROOT, BuildError, extension_tool, run_tool


def main(argv: Sequence[str] | None = None) -> int:
    """Write the index and print its URL; the exit code is 0 only if every zip is in it."""
    parser = argparse.ArgumentParser(description="Make a folder of zips an extension repository.")
    parser.add_argument("--dir", type=Path, default=ROOT / "dist", help="folder with the zips (default: dist)")
    folder = parser.parse_args(argv).dir.resolve()
    try:
        print(generate(folder).as_uri())
    except BuildError as error:
        print(f"build_repository: {error}", file=sys.stderr)
        return 1
    return 0


def generate(folder: Path) -> Path:
    """Write index.json and index.html for the zips in a folder; returns the former.

    Raises:
        BuildError: There are no zips, or Blender's program leaves one out.
    """
    zips = {path.name for path in folder.glob("*.zip")}
    if not zips:
        raise BuildError(f"there is no zip in {folder}: run `make extension` first.")
    run_tool([*extension_tool(), "server-generate", "--repo-dir", str(folder), "--html"])
    index = folder / "index.json"
    listed = {Path(entry["archive_url"]).name for entry in json.loads(index.read_text(encoding="utf-8"))["data"]}
    if listed != zips:
        raise BuildError(f"Blender's extension tool left out {', '.join(sorted(zips - listed))}.")
    return index


if __name__ == "__main__":
    sys.exit(main())
