"""A run that was killed goes on to the same bits, and several processes learn what one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from trainer.engine.checkpoints import CHECKPOINT_FILE, load_checkpoint  # noqa: E402
from trainer.engine.history import HISTORY_FILE, read_history  # noqa: E402

from .engine_toys import last_weights, stubborn_setup, train  # noqa: E402


def start(root: Path, *what: str, processes: int = 1) -> subprocess.CompletedProcess[str]:
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *launch, "-m", "tests.trainer.engine_toys", *what], cwd=root, env=environment,
                          capture_output=True, text=True, timeout=300, check=False)  # fmt: skip


def test_killed_run_ends_with_the_same_bits(root: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert start(root, str(whole), "whole").returncode == 0
    # 53 examples an epoch, batches of 8: within the third epoch, between two checkpoints; and once more near the end
    for least, most in ((14, 21), (28, 35)):
        killed = start(root, str(cut), "killed", str(2 * 53 + 29))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        state = load_checkpoint(cut / CHECKPOINT_FILE, "")
        assert state is not None
        assert least < state["step"] < most
        assert not (cut / "last.safetensors").exists()
    done = start(root, str(cut), "whole")
    assert done.returncode == 0, done.stderr
    assert (whole / HISTORY_FILE).read_bytes() == (cut / HISTORY_FILE).read_bytes()
    for name in ("best.safetensors", "last.safetensors"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes()


def test_finished_run_is_not_trained_further(tmp_path: Path) -> None:
    train(tmp_path, stubborn_setup())
    before = last_weights(tmp_path)
    made, _ = train(tmp_path, stubborn_setup())
    assert made.steps == 35
    assert all(torch.equal(value, before[name]) for name, value in last_weights(tmp_path).items())


@pytest.mark.parametrize("examples", [53, 17])
def test_two_processes_learn_what_one_does(root: Path, tmp_path: Path, examples: int) -> None:
    assert start(root, str(tmp_path / "one"), "shared", str(examples)).returncode == 0
    two = start(root, str(tmp_path / "two"), "shared", str(examples), processes=2)
    assert two.returncode == 0, two.stderr
    alone, together = (read_history(tmp_path / name / HISTORY_FILE) for name in ("one", "two"))
    assert len(alone) == len(together) == 4
    for one, other in zip(alone, together, strict=True):
        assert other.step == one.step
        assert other.train_accuracy == one.train_accuracy
        assert other.train_loss == pytest.approx(one.train_loss, abs=1e-5)
        assert other.val_loss == pytest.approx(one.val_loss, abs=1e-5)
        assert other.val_accuracy == one.val_accuracy
    first, second = last_weights(tmp_path / "one"), last_weights(tmp_path / "two")
    assert max(float((value - second[name]).abs().max()) for name, value in first.items()) < 1e-5
    # one process writes
    assert len(list((tmp_path / "two" / "tensorboard").iterdir())) == 1
