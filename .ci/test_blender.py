"""Runs pytest and leaves with its verdict: Blender as a module may crash or hang when Python exits. Zone: tools.

python .ci/test_blender.py tests/scene tests/ui
"""

import os
import sys

import pytest

code = int(pytest.main(sys.argv[1:]))
sys.stdout.flush()
sys.stderr.flush()
# past the handlers that run at exit, where the crash would replace the verdict
os._exit(code)
