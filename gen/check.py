"""The first stage: is there a circuit for every layer of this network?"""

from collections.abc import Sequence

from ..errors import FirstspikeError
from ..network import Network
from .engines import ENGINES, jobs
from .expected import expected_spikes

__all__ = ["check", "hardware", "refusals"]


def refusals(network: Network) -> dict[str, str]:
    """Why there is no circuit, by layer: what each has that stands in the way. Empty where there is one."""
    source, found = "input", {}
    for job in jobs(network, expected_spikes(network), early_stop=False):
        layer = job.layer
        # Of several engines the one that comes nearest speaks.
        has = min((engine.refusals(job) for engine in ENGINES), key=len)
        heard = [group.source for group in layer.synapses]
        if has:
            found[layer.name] = f"has {_listed(has)}"
        elif heard != [source]:
            found[layer.name] = f"listens to {_listed(list(map(repr, heard)))} and not to {source!r} alone"
        source = layer.name
    return found


def check(network: Network) -> None:
    """Refuse, layer by layer, what has no circuit yet.

    Raises
    ------
    FirstspikeError
        No engine takes a layer, or layers do not follow each other in a chain. The sentence names them all.
    """
    if found := refusals(network):
        raise FirstspikeError(
            f"there is no hardware yet for this network: {_sentence(found)}; train or convert to another, or "
            "run this one in the golden model (firstspike score)")


def hardware(network: Network) -> str:
    """Whether there is a circuit for a network, in words: by which engines, or what stands in the way."""
    if found := refusals(network):
        return f"no: {_sentence(found)}"
    all_jobs = jobs(network, expected_spikes(network), early_stop=False)
    able = [engine.name for engine in ENGINES if any(not engine.refusals(job) for job in all_jobs)]
    return f"yes, by the {_listed(able)} engine{'s' if len(able) > 1 else ''}"


def _sentence(found: dict[str, str]) -> str:
    return "; ".join(f"layer {name!r} {why}" for name, why in found.items())


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
