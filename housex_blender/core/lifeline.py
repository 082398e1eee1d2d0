"""A child that ends with its parent: an open stdin means that the parent lives. Zone: pure.

A parent that is killed runs no clean-up of its own, but the system closes its end of the pipe, everywhere.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import MutableMapping

VARIABLE = "HOUSEX_LIFELINE"
_STDIN = "stdin"
# to take back half-written files and to end what the child has started itself
_GRACE_S = 5.0
_LOOK_S = 0.5


def promise(environment: MutableMapping[str, str]) -> None:
    """Tell a child in its environment that its stdin is a lifeline."""
    environment[VARIABLE] = _STDIN


def hold() -> None:
    """In the child: end as after Ctrl+C once the parent is gone. Does nothing where no parent has promised one."""
    # children of this program have other parents
    if os.environ.pop(VARIABLE, "") == _STDIN and sys.stdin is not None:
        threading.Thread(target=_watch, args=(sys.stdin.fileno(),), name="housex-lifeline", daemon=True).start()


def _wait_for_end(stdin: int) -> None:
    """Return once the other end of the pipe is closed.

    Raises:
        OSError: It is, or there is no pipe.
    """
    if sys.platform != "win32":
        while os.read(stdin, 4096):
            pass
        return
    import _winapi
    import msvcrt

    # no read that waits: Windows lets nobody look at a pipe meanwhile, and libraries look at stdin as they load
    while True:
        _winapi.PeekNamedPipe(msvcrt.get_osfhandle(stdin), 0)
        time.sleep(_LOOK_S)


def _watch(stdin: int) -> None:
    with contextlib.suppress(OSError):  # closed is as good as ended
        _wait_for_end(stdin)
    if os.name == "nt":
        _thread.interrupt_main()
    else:
        # sent to the thread itself, so that a read that waits for the decoder ends too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    threading.Event().wait(_GRACE_S)
    if os.name != "nt" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
