"""How many spikes a window is expected to have: what plans are made for."""

from ..network import Fires, Latency, Network

__all__ = ["expected_spikes"]


def expected_spikes(network: Network) -> list[float]:
    """Spikes of a window, of the input and of each layer: as calibrated, or half of what could speak."""
    known = network.calibration.get("mean_spikes")
    return [float(mean) for mean in known] if isinstance(known, list | tuple) else _guess(network)


def _guess(network: Network) -> list[float]:
    steps = network.input.window if network.input.fires is Fires.MANY else 1
    share = 0.25 if isinstance(network.input.encoding, Latency) else 0.5
    spikes = [len(network.input.used) * steps * share]
    for layer in network.layers:
        share = {Fires.ONCE: 0.5, Fires.MANY: 0.25 * layer.window, Fires.NEVER: 0.0}[layer.fires]
        spikes.append(layer.size * share)
    return spikes
