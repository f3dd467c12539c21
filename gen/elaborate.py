"""From a network and its plan to the core."""

from dataclasses import dataclass

from ..boards.families.fabric import Fabric
from ..network import Network
from ..rtl.core import Core
from ..rtl.description import CoreDescription, InputPort, LayerDescription, LevelPort
from ..rtl.readout import Readout as ReadoutCircuit
from ..rtl.readout import Result
from ..rtl.streams.port import stream_port
from .encoder import make_encoder
from .engines import Job, LayerCircuit, RomImage, engine, input_token
from .plan import Plan, planned_jobs

__all__ = ["Elaborated", "elaborate"]


@dataclass(frozen=True, eq=False)
class Elaborated:
    """A core, and what is known of its inside.

    Attributes
    ----------
    network : :class:`~..network.Network`
    jobs : tuple of :class:`~.engines.job.Job`
    circuits : tuple of :class:`~.engines.engine.LayerCircuit`
    core : :class:`~..rtl.core.Core`
    """

    network: Network
    jobs: tuple[Job, ...]
    circuits: tuple[LayerCircuit, ...]
    core: Core

    def roms(self) -> list[tuple[int, RomImage]]:
        """Every synapse ROM, with the place of its layer."""
        return [(index, rom) for index, circuit in enumerate(self.circuits) for rom in circuit.roms]

    def describe(self) -> CoreDescription:
        """The core from outside, as the module ``top``."""
        core, source = self.core, self.network.input
        early_stop = core.early_stop
        levels = None
        if core.encoder is not None:
            level = core.encoder.levels.payload.shape()
            levels = LevelPort(stream_port("levels", level), source.size)
        return CoreDescription(
            top="top", clock="clk", reset="rst",
            spikes=InputPort(stream_port("spikes", core.spike_token), tuple(source.used.tolist())),
            levels=levels,
            result=stream_port("result", Result(core.readout.token.addresses, core.readout.token.window)),
            stop_early="stop_early" if early_stop else None, decided="decided" if early_stop else None,
            layers=tuple(self._layer(index) for index in range(len(self.jobs))))

    def _layer(self, index: int) -> LayerDescription:
        job, circuit, path = self.jobs[index], self.circuits[index], f"layer_{index}"
        return LayerDescription(
            job.layer.name, job.layer.size, job.layer.window, job.layer.phase.value,
            stream_port(f"{path}.o", job.token), circuit.taps_below(path), tuple(job.lanes.offset.tolist()))


def elaborate(network: Network, plan: Plan, fabric: Fabric) -> Elaborated:
    """Build the core that ``plan`` describes, of a network that :mod:`.check` has passed."""
    jobs = planned_jobs(network, plan)
    circuits = tuple(engine(place.offer.engine).circuit(job, place.offer.form)
                     for job, place in zip(jobs, plan.layers, strict=True))
    readout = ReadoutCircuit(jobs[-1].token, network.readout.value, early_stop=plan.early_stop)
    encoder = make_encoder(network, fabric) if plan.encoder else None
    core = Core(input_token(network, tagged=False), encoder, [one.component for one in circuits], readout)
    return Elaborated(network, jobs, circuits, core)
