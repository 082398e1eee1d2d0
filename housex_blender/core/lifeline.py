"""A child that ends with its parent: an open stdin means that the parent lives. Zone: pure.

A parent that is killed runs no clean-up of its own, but the system closes its end of the pipe, everywhere.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import MutableMapping

VARIABLE = "HOUSEX_LIFELINE"
_STDIN = "stdin"
# to take back half-written files and to end what the child has started itself
_GRACE_S = 5.0


def promise(environment: MutableMapping[str, str]) -> None:
    """Tell a child in its environment that its stdin is a lifeline."""
    environment[VARIABLE] = _STDIN


def hold() -> None:
    """In the child: end as after Ctrl+C once the parent is gone. Does nothing where no parent has promised one."""
    # children of this program have other parents
    if os.environ.pop(VARIABLE, "") == _STDIN and sys.stdin is not None:
        threading.Thread(target=_watch, args=(sys.stdin.fileno(),), name="housex-lifeline", daemon=True).start()


def _watch(stdin: int) -> None:
    try:
        while os.read(stdin, 4096):
            pass
    except OSError:
        pass  # closed is as good as ended
    if os.name == "nt":
        _thread.interrupt_main()
    else:
        # sent to the thread itself, so that a read that waits for the decoder ends too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    threading.Event().wait(_GRACE_S)
    if os.name != "nt" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
