"""Spike streams of any number of lanes: random windows, their transfers, and what these mean."""

from collections import Counter

from firstspike.rtl.streams.token import Kind, Order

__all__ = ["flat", "meaning", "pack", "payload", "random_windows"]


def random_windows(rng, token, count, most=4):
    """Windows one after the other as (kind, address, step, value, tag), with alternating tags.

    In the order of steps with some ends of steps, of which some close several. A value is 1 where the layout
    has none. ``most``: spikes of a step.
    """
    tokens = []
    for window in range(count):
        tag, spikes = window & 1 if token.tagged else 0, []
        for step in range(token.window):
            for _ in range(rng.choice([0, 0, 1, 2, most])):
                value = rng.randrange(1, 1 << token.value_bits) if token.value_bits else 1
                spikes.append((Kind.SPIKE, rng.randrange(token.addresses), step, value, tag))
            if token.order is Order.STEP and rng.random() < 0.4:
                spikes.append((Kind.STEP, 0, step, 1, tag))
        if token.order is Order.RASTER:
            spikes.sort(key=lambda spike: spike[1])
        elif token.order is Order.NONE:
            rng.shuffle(spikes)
        tokens += [*spikes, (Kind.WINDOW, 0, 0, 1, tag)]
    return tokens


def payload(token, spikes, kind=Kind.SPIKE, step=0, tag=0):
    """A transfer: ``spikes`` as {lane: (address, step, value)}, addresses not yet rows; and the end.

    On one lane there is either a spike or an end.
    """
    if token.lanes == 1:
        address, step, value = spikes.get(0, (0, step, 1))
        return {"kind": kind, "address": address, "step": step, "value": value if token.value_bits else 0,
                "tag": tag}
    together = token.order is Order.STEP
    lanes = []
    for lane in range(token.lanes):
        if lane not in spikes:
            lanes.append({"valid": 0, "address": 0, "step": 0, "value": 0})
            continue
        address, its_step, value = spikes[lane]
        step = its_step if together else 0
        lanes.append({"valid": 1, "address": token.banks.places[address][1] if token.banks else address,
                      "step": 0 if together else its_step, "value": value if token.value_bits else 0})
    return {"kind": kind, "step": step if together else 0, "tag": tag, "spikes": lanes}


def pack(rng, token, tokens):
    """Tokens as transfers of a layout, with as many together as may be, or fewer by chance.

    Spikes lie in any lanes, or those of their banks; ends travel with spikes, or alone; there are transfers
    with nothing in them.
    """
    transfers, held = [], []

    def leave(kind=Kind.SPIKE, step=0, tag=0):
        if token.banks is None:
            lanes = sorted(rng.sample(range(token.lanes), len(held)))
        else:
            lanes = [token.banks.places[spike[1]][0] for spike in held]
        transfers.append(payload(token, {lane: spike[1:4] for lane, spike in zip(lanes, held, strict=True)},
                                 kind, step, held[0][4] if held else tag))
        held.clear()

    def fits(spike):
        if token.banks is None:
            return len(held) < token.lanes
        return token.banks.places[spike[1]][0] not in [token.banks.places[one[1]][0] for one in held]

    for one in tokens:
        kind, _, step, _, tag = one
        if token.lanes == 1:
            held += [one] * (kind is Kind.SPIKE)
            leave(kind, step, tag)
            continue
        other = token.order is Order.STEP and held and held[0][2] != step and kind is not Kind.WINDOW
        if other or (kind is Kind.SPIKE and not fits(one)) or (held and rng.random() < 0.3):
            leave()
        if not held and rng.random() < 0.1:
            leave(step=step, tag=tag)
        if kind is Kind.SPIKE:
            held.append(one)
        else:
            leave(kind, step, tag)
    return transfers


def flat(token, transfers):
    """The tokens that transfers stand for, one after the other; of an end of window only its tag."""
    tokens = []
    for one in transfers:
        lanes = ([one | {"valid": one["kind"] is Kind.SPIKE}] if token.lanes == 1 else one["spikes"])
        for lane, spike in enumerate(lanes):
            if spike["valid"]:
                address, value = spike["address"], spike["value"] if token.value_bits else 1
                if token.banks is not None:
                    address = token.banks.members[lane][address]
                step = one["step"] if token.order is Order.STEP or token.lanes == 1 else spike["step"]
                tokens.append((Kind.SPIKE, address, step, value, one["tag"]))
        if one["kind"] is not Kind.SPIKE:
            tokens.append((one["kind"], 0, 0 if one["kind"] is Kind.WINDOW else one["step"], 1, one["tag"]))
    return tokens


def meaning(tokens):
    """What no adapter may change: the ends in their order, each with the spikes that came since the last."""
    result, spikes = [], Counter()
    for token in tokens:
        if token[0] is Kind.SPIKE:
            spikes[token[1:]] += 1
        else:
            result.append((token, spikes))
            spikes = Counter()
    return result, spikes
