"""BS4NN's learning rule against a second form of it, in the times of the published code."""

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Input, Latency, batched
from firstspike.network.file.reading import load
from firstspike.quantize.train import train
from firstspike.quantize.train.bs4nn import Rule, firing_steps
from firstspike.quantize.train.evaluate import evaluate
from firstspike.quantize.train.input_tables import latency_table
from firstspike.quantize.train.options import Bs4nnOptions

END = 256  # the published code's last time, at which every neuron that has not fired is taken to fire


def published_times(times, signs, limit):
    """Firing times of neurons with sources firing at ``times``: one after the first time that V > limit."""
    fired = np.full(signs.shape[1], END)
    for time in range(END):
        potential = sum((signs[source] for source in np.flatnonzero(times <= time)), np.zeros(signs.shape[1]))
        fresh = (potential > limit) & (fired == END)
        fired[fresh] = min(time + 1, END)
    return fired


def published_update(weights, alphas, levels, label, rate=0.1, alpha_rate=0.01, theta=100.0, gamma=1):
    """One image of the published training, by loops over synapses; returns new weights and alphas."""
    weights, alphas = [part.copy() for part in weights], alphas.copy()
    signs = [np.where(part >= 0, 1, -1) for part in weights]
    inputs = 255 - levels.astype(int)
    hidden = published_times(inputs, signs[0], theta / alphas[0])
    output = published_times(hidden, signs[1], theta / alphas[1])
    first = output.min()
    target = output.copy()
    if first < END:
        for neuron, time in enumerate(output):
            if neuron == label:
                target[neuron] = first
            elif time - first < gamma:
                target[neuron] = min(first + gamma, END)
    error = (target - output) / END
    if not np.any(error):
        return weights, alphas
    error = error / np.sqrt(np.sum(error ** 2))
    pushes = []
    for source, time in enumerate(hidden):
        for neuron in range(len(output)):
            push = error[neuron] * (time < output[neuron])
            weights[1][source, neuron] -= rate * push
            pushes.append(push * signs[1][source, neuron])
    alphas[1] -= alpha_rate * np.mean(pushes)
    back = np.array([sum(error[neuron] * weights[1][source, neuron] for neuron in range(len(output))
                         if hidden[source] < output[neuron]) for source in range(len(hidden))], float)
    if not np.any(back):
        return weights, alphas
    back = back / np.sqrt(np.sum(back ** 2))
    pushes = []
    for source, time in enumerate(inputs):
        for neuron in range(len(hidden)):
            push = back[neuron] * (time < hidden[neuron])
            weights[0][source, neuron] -= rate * push
            pushes.append(push * signs[0][source, neuron])
    alphas[0] -= alpha_rate * np.mean(pushes)
    return weights, alphas


@pytest.mark.parametrize("gamma", [1, 3])
def test_learns_as_published(gamma):
    settings = Bs4nnOptions(hidden=7, theta=12.0, gamma=gamma, rate=0.5)
    rule = Rule((20, 7, 4), settings)
    generator = np.random.default_rng(3)
    rule.weights = [generator.normal(0.6, 1, part.shape) for part in rule.weights]
    rule.alphas = np.array([4.0, 6.0])
    rule.refresh()
    table = latency_table(settings.window, settings.dark)
    learnt = 0
    for _ in range(60):
        levels = np.where(generator.random(20) < 0.5, generator.integers(2, 256, 20), 0)
        label = int(generator.integers(4))
        weights, alphas = published_update(rule.weights, rule.alphas, levels, label, rate=0.5, theta=12.0,
                                           gamma=gamma)
        steps = np.where(table < 0, settings.window, table)[levels]
        changed = rule.learn(steps, label)
        for now, then in zip((*rule.weights, rule.alphas), (*weights, alphas), strict=True):
            np.testing.assert_allclose(now, then, rtol=0, atol=1e-12)
        for signs, now in zip(rule.signs, rule.weights, strict=True):
            np.testing.assert_array_equal(signs, np.where(now >= 0, 1, -1))
        learnt += changed
    assert learnt > 20


def test_firing_steps_are_those_of_the_network():
    settings = Bs4nnOptions(hidden=9, window=12, dark=30, theta=14.0)
    rule = Rule((25, 9, 5), settings)
    generator = np.random.default_rng(1)
    rule.weights = [generator.normal(0.3, 1, part.shape) for part in rule.weights]
    rule.refresh()
    table = latency_table(12, 30)
    levels = generator.integers(0, 256, (50, 25)).astype(np.uint8)
    gold = batched.run(rule.network(Input(25, 12, Latency(table))), levels.astype(np.int64), keep=True)
    assert 0 < np.mean(gold.step < 12) < 1
    for image, steps in enumerate(np.where(table < 0, 12, table)[levels]):
        for index, signs in enumerate(rule.signs):
            steps = firing_steps(signs, steps, rule.thresholds[index], 12)
            spikes = gold.layers[index].spikes[image]
            np.testing.assert_array_equal(steps, np.where(spikes.any(axis=0), spikes.argmax(axis=0), 12))


def test_lenient_score():
    rule = Rule((25, 9, 5), Bs4nnOptions(hidden=9, window=4, dark=30, theta=9.0))
    rule.weights = [np.random.default_rng(2).normal(0.3, 1, part.shape) for part in rule.weights]
    rule.refresh()
    source = Input(25, 4, Latency(latency_table(4, 30)))
    levels = np.random.default_rng(5).integers(0, 256, (200, 25)).astype(np.uint8)
    labels = np.random.default_rng(6).integers(0, 5, 200)
    network = rule.network(source)
    seen, gold = evaluate(network, levels), batched.run(network, levels.astype(np.int64), keep=True)
    right = 0
    for image, label in enumerate(labels):
        spikes = gold.layers[-1].spikes[image]
        step = gold.step[image]
        right += spikes[step, label] if step < 4 else gold.label[image] == label
    assert seen.lenient_accuracy(labels) == right / 200 > seen.accuracy(labels)


SMALL = {"hidden": 40, "window": 32, "theta": 15.0, "dark": 20, "validation": 40, "rate": 0.3, "epochs": 4}


def test_train_resumes(quarters, tmp_path):
    def run(name, **options):
        return train("bs4nn", quarters, tmp_path / f"{name}.safetensors", **{**SMALL, **options})

    def stop(progress):
        if progress.epoch == 3:
            raise KeyboardInterrupt

    whole = run("whole")
    network = load(whole.path)
    notes = network.provenance
    assert notes["recipe"] == "bs4nn" and notes["test"]["accuracy"] > 0.7
    assert notes["test"]["lenient_accuracy"] >= notes["test"]["accuracy"]
    assert 1 <= notes["epoch"] <= 4 and notes["minutes"] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"whole.safetensors", "whole.training.png"}
    with pytest.raises(KeyboardInterrupt):
        run("parts", progress=stop)
    assert {path.name for path in tmp_path.glob("parts*")} == {"parts.checkpoint.npz"}
    with pytest.raises(FirstspikeError, match=r"\.npz comes from a training with other options"):
        run("parts", resume=True, seed=2)
    with pytest.raises(FirstspikeError, match=r"\.npz stands at epoch 2 already"):
        run("parts", resume=True, epochs=1)
    assert load(run("parts", resume=True).path).digest == network.digest
    assert load(run("other", seed=2).path).digest != network.digest


def test_damaged_checkpoint(quarters, tmp_path):
    checkpoint = tmp_path / "net.checkpoint.npz"
    checkpoint.write_bytes(b"PK\3\4 nothing")
    with pytest.raises(FirstspikeError, match=r"cannot go on from .*net\.checkpoint\.npz: .* delete it"):
        train("bs4nn", quarters, tmp_path / "net.safetensors", resume=True, **SMALL)
