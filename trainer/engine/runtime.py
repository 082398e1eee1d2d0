"""Where a run computes: device, precision, and the other processes that ``torchrun`` started. Zone: trainer (torch)."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from housex_blender.analysis.network import pick_device
from housex_blender.core.errors import HouseXError

from ..train import can_bfloat16

PRECISIONS = ("auto", "32", "bf16", "16")
_AS_FABRIC_SAYS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}
# the others wait while the first process cuts a data set into features
_PATIENCE = timedelta(days=2)


def pick_precision(wanted: str, device: str) -> str:
    """``32``, ``bf16`` or ``16``: the wanted one, or with ``auto`` the fastest that this device is made for.

    Args:
        wanted: One of PRECISIONS.
        device: As :func:`pick_device` returns.

    Raises:
        HouseXError: No such precision, or this device does not have it.
    """
    if wanted not in PRECISIONS:
        raise HouseXError(f"There is no precision {wanted!r}.", f"Known are {', '.join(PRECISIONS)}.")
    cuda = device.startswith("cuda")
    bfloat16 = torch.cuda.is_bf16_supported() if cuda else device == "cpu" and can_bfloat16(device)
    if wanted == "auto":
        return "bf16" if bfloat16 else ("16" if cuda else "32")
    if wanted == "16" and not cuda:
        raise HouseXError(f"{device} has no precision of 16 bits here.", "Use --precision bf16 or 32.")
    return wanted


def launched() -> bool:
    """Whether ``torchrun`` started this process as one of a group."""
    return torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()


def _leave() -> None:
    # else the threads of gloo are cut off, now and then with an abort
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@dataclass(frozen=True)
class Runtime:
    """One process of a run; alone unless ``torchrun`` started several.

    Attributes:
        fabric: Device, precision and collectives, of Lightning Fabric.
        precision: As :func:`pick_precision` returns.
    """

    fabric: Fabric
    precision: str

    @classmethod
    def start(cls, device: str = "auto", precision: str = "auto") -> Runtime:
        """Join the other processes, if there are any, and take a device.

        Args:
            device: As for the extension: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
            precision: One of PRECISIONS.

        Raises:
            HouseXError: The device or the precision is not there.
        """
        device = pick_device(device)
        precision = pick_precision(precision, device)
        # what it tells is for programmers; what a user must know, the run says itself
        logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
        logging.getLogger("lightning_utilities").setLevel(logging.ERROR)
        kind, _, number = device.partition(":")
        shared: dict[str, Any] = {"accelerator": kind, "precision": _AS_FABRIC_SAYS[precision]}
        if launched():
            local = int(os.environ["LOCAL_WORLD_SIZE"])
            # some of the published networks carry parts that no answer depends on
            strategy = DDPStrategy(find_unused_parameters=True, timeout=_PATIENCE)
            nodes = int(os.environ["WORLD_SIZE"]) // local
            fabric = Fabric(**shared, strategy=strategy, devices=local, num_nodes=nodes,
                            plugins=[TorchElasticEnvironment()])  # fmt: skip
        else:
            devices = [int(number or 0)] if kind == "cuda" else 1
            fabric = Fabric(**shared, devices=devices, plugins=[LightningEnvironment()])
        fabric.launch()
        if launched():
            atexit.register(_leave)
        # the same sums each time, so that a run that goes on ends where an unbroken one does
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        return cls(fabric, precision)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.fabric.global_rank == 0

    @property
    def processes(self) -> int:
        """How many there are."""
        return int(self.fabric.world_size)

    @property
    def rank(self) -> int:
        """Number of this process."""
        return int(self.fabric.global_rank)

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return self.fabric.device

    def placed(self, network: nn.Module) -> nn.Module:
        """The network on its device; on several GPUs its batches are normalised over all of them."""
        if self.processes > 1 and self.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return network.to(self.device)

    def shared(self, network: nn.Module) -> nn.Module:
        """A placed network whose gradients become the mean of those of all processes; alone, the network itself."""
        return self.fabric.strategy.setup_module(network)

    def outputs(self, network: nn.Module, x: Tensor) -> Tensor:
        """What a network says of a batch, (B, C) float32, computed in this run's precision."""
        # Fabric's own wrapper would round the batch as well, and power spectra do not fit into 16 bits
        with self.fabric.autocast():
            said: Tensor = network(x.to(self.device, non_blocking=True))
        return said.float()

    def accumulating(self, network: nn.Module, more: bool) -> AbstractContextManager[Any]:
        """Within it, gradients are only added up where ``more`` of the same step follows."""
        if more and isinstance(network, DistributedDataParallel):
            return network.no_sync()
        return nullcontext()

    def total(self, numbers: Tensor) -> Tensor:
        """Sum over all processes."""
        if self.processes == 1:
            return numbers
        summed: Tensor = self.fabric.all_reduce(numbers, reduce_op="sum")
        return summed

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows of all processes, those of the first first; each may have another number of them."""
        if self.processes == 1:
            return rows
        counts = [torch.zeros(1, dtype=torch.int64, device=rows.device) for _ in range(self.processes)]
        torch.distributed.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
        lengths = [int(count) for count in counts]
        # all parts of a collective have one shape
        padded = rows.new_zeros((max(lengths), *rows.shape[1:]))
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in lengths]
        torch.distributed.all_gather(parts, padded)
        return torch.cat([part[:length] for part, length in zip(parts, lengths, strict=True)])

    def wait(self) -> None:
        """Until all processes are here."""
        self.fabric.barrier()

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """A block that the first process goes through alone, and then the others: what it made, they find.

        Raises:
            HouseXError: On every process, where the first met one.
        """
        if not self.first:
            if problem := self.fabric.broadcast(""):
                raise HouseXError(problem)
            yield
            return
        try:
            yield
        except HouseXError as error:
            self.fabric.broadcast(str(error))
            raise
        self.fabric.broadcast("")

    def scaler_state(self) -> dict[str, Any]:
        """Of the scaling of gradients in 16 bits; empty in other precisions."""
        return dict(self.fabric.strategy.precision.state_dict())

    def load_scaler(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`scaler_state`."""
        if state:
            self.fabric.strategy.precision.load_state_dict(state)
