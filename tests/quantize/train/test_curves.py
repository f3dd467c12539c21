"""The curve of accuracy against latency, and the pictures."""

import re
from dataclasses import replace

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, Layer, Network, batched
from firstspike.quantize.train.curves import (
    Operation,
    first_decisions,
    operations,
    picture_latency,
    picture_training,
)
from firstspike.quantize.train.evaluate import output_potentials
from harness.training import made_input, made_levels
from PIL import Image


def test_ties_go_to_the_lower_index_and_only_firing_outputs_count():
    potentials = np.array([[[0, 3, 3], [0, 4, 4]], [[2, 5, 9], [2, 5, 9]], [[1, 1, 0], [1, 2, 0]]])
    labels, steps = first_decisions(potentials, [1, 3, 10])
    np.testing.assert_array_equal(labels, [1, 1, 0])
    np.testing.assert_array_equal(steps, [0, 0, 0])
    labels, steps = first_decisions(potentials, 20)
    np.testing.assert_array_equal(labels, [1, 2, 1])
    np.testing.assert_array_equal(steps, [2, 2, 2])


def test_each_point_is_what_the_golden_model_finds_with_that_threshold():
    generator = np.random.default_rng(4)
    network = Network(made_input(generator), [
        Layer(Dense(generator.choice([-1, 1], (12, 30))), 6, threshold=2),
        Layer(Dense(generator.choice([-1, 1], (4, 12))), 6, threshold=1, initial=[0, 1, -1, 0])])
    levels, labels = made_levels(generator, 80), generator.integers(0, 4, 80)
    potentials = output_potentials(network, levels)
    curve = operations(potentials, labels)
    assert len(curve) > 3
    for point in curve:
        output = replace(network.output, threshold=np.int64(point.threshold))
        gold = batched.run(Network(network.input, [network.layers[0], output]), levels)
        found, steps = first_decisions(potentials, point.threshold)
        np.testing.assert_array_equal(found, gold.label)
        np.testing.assert_array_equal(steps, gold.step)
        assert (point.accuracy, point.mean_step) == (np.mean(gold.label == labels), gold.step.mean())
    assert curve[-1].mean_step == 6 > curve[-2].mean_step  # the last is reached by no image


def colours(path):
    """Every colour of a picture."""
    with Image.open(path) as image:
        return set(map(tuple, np.asarray(image.convert("RGB")).reshape(-1, 3).tolist()))


GREEN = (44, 160, 44)  # matplotlib's C2, that of the share pruned


def test_the_training_curve_shows_the_share_pruned(tmp_path):
    history = [{"loss": 1 / epoch, "accuracy": 1 - 0.5 / epoch, "pruned": min(0.7, epoch / 8)}
               for epoch in range(1, 9)]
    pruned = picture_training(history, tmp_path / "pruned.png")
    assert pruned == tmp_path / "pruned.png" and GREEN in colours(pruned)
    for entry in history:
        entry["pruned"] = 0.0
    assert GREEN not in colours(picture_training(history, tmp_path / "whole.png"))
    assert {path.name for path in tmp_path.iterdir()} == {"pruned.png", "whole.png"}


def test_the_latency_curve_marks_what_was_chosen(tmp_path):
    curve = [Operation(1, 0.5, 1.0), Operation(2, 0.8, 2.0), Operation(3, 0.9, 4.0)]
    orange = (255, 127, 14)  # C1, the second thing drawn
    assert orange in colours(picture_latency(curve, curve[1], tmp_path / "chosen.png"))
    assert orange not in colours(picture_latency(curve, None, tmp_path / "plain.png"))


def test_a_picture_that_cannot_be_written(tmp_path):
    path = tmp_path / "nowhere" / "net.png"
    with pytest.raises(FirstspikeError, match=f"^{re.escape(str(path))} cannot be written: "):
        picture_training([{"loss": 1.0, "accuracy": 0.5}], path)
