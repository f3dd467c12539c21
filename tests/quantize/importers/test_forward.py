"""Spiking modules with a forward of their own, against their packages' own simulation, spike for spike."""

import logging

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="importing needs torch")
snntorch = pytest.importorskip("snntorch", reason="snntorch is not installed (pip install -e '.[dev]')")
logging.getLogger("torch").setLevel(logging.ERROR)  # it is told that Triton is not there
layer = pytest.importorskip("spikingjelly.activation_based.layer",
                            reason="spikingjelly is not installed (pip install -e '.[dev]')")

from firstspike.network import (  # noqa: E402
    Direct,
    Input,
    Readout,
    Spikes,
    golden,
)
from firstspike.quantize.importers.snntorch import import_snntorch  # noqa: E402
from firstspike.quantize.importers.spikingjelly import import_spikingjelly  # noqa: E402
from spikingjelly.activation_based import functional, neuron  # noqa: E402
from torch import nn  # noqa: E402

STEPS = 5


def on_grid(module: nn.Module, seed: int = 1) -> nn.Module:
    """``module`` with small integers for weights and bias."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "weight" in name or "bias" in name:
                parameter.copy_(torch.tensor(rng.integers(-3, 4, tuple(parameter.shape)) * 1.0))
    return module


class Tutorial(nn.Module):
    """As in snnTorch's tutorials: it goes through all steps itself, and hands states on."""

    def __init__(self, line=None, **neurons):
        super().__init__()
        self.line = line
        self.fc1, self.fc2 = nn.Linear(12, 9), nn.Linear(9, 4)
        self.lif1 = snntorch.Leaky(**{"beta": 0.5, "reset_mechanism": "zero", "threshold": 3.0, **neurons})
        self.lif2 = snntorch.Leaky(beta=1.0, threshold=4.0)

    def forward(self, x):
        if self.line is not None:
            return self.line(self, x)
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.reset_mem()
        spikes, potentials = [], []
        for step in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x[step].flatten(1)), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
            potentials.append(mem2)
        return torch.stack(spikes, dim=0), torch.stack(potentials, dim=0)


def spikes_of(network, images):
    return np.stack([golden.run(network, image).layers[-1].spikes for image in images])


def random_spikes(*shape, seed=2):
    return np.random.default_rng(seed).random(shape) < 0.4


def test_a_forward_that_goes_through_all_steps():
    module, images = on_grid(Tutorial()), random_spikes(20, STEPS, 12)
    made = import_snntorch(module, Input(12, STEPS, Spikes(once=False)), images=images)
    assert made.report.exact and made.network.names == ("lif1", "lif2")
    with torch.no_grad():
        wanted, _ = module(torch.tensor(images, dtype=torch.float32).transpose(0, 1))
    assert wanted.sum() > 20
    np.testing.assert_array_equal(spikes_of(made.network, images), wanted.transpose(0, 1).numpy() != 0)


def test_the_same_after_a_run_left_its_states_behind():
    module, images = on_grid(Tutorial()), random_spikes(20, STEPS, 12)
    heard = Input(12, STEPS, Spikes(once=False))
    before = import_snntorch(module, heard).network
    module(torch.tensor(images, dtype=torch.float32).transpose(0, 1))[0].sum().backward()
    assert module.training and import_snntorch(module, heard).network.digest == before.digest


def test_levels_in_every_step_and_a_sum_over_the_steps():
    def line(self, x):
        total = 0
        for _ in range(STEPS):
            total = total + self.fc2(self.lif1(self.fc1(x)))
        return total

    module = on_grid(Tutorial(line, init_hidden=True))
    levels = np.random.default_rng(3).integers(0, 3, (20, 12))
    made = import_snntorch(module, Input(12, STEPS, Direct(3)))
    assert made.report.exact and made.network.readout is Readout.POTENTIAL
    for image in levels:
        module.lif1.reset_mem()
        with torch.no_grad():
            wanted = module(torch.tensor(image[None], dtype=torch.float32))[0]
        found = golden.run(made.network, image).layers[-1].potential
        np.testing.assert_array_equal(found / made.network.layers[-1].synapses[0].kernel[0], wanted.numpy())


@pytest.mark.parametrize("first", [True, False])
def test_as_many_steps_as_the_input_has(first):
    def line(self, x):
        steps = range(x.size(0)) if first else range(x.shape[1])
        return torch.stack([self.lif2(self.fc2(self.lif1(self.fc1(x[step] if first else x[:, step]))[0]))[0]
                            for step in steps], 0 if first else 1)

    module, images = on_grid(Tutorial(line)), random_spikes(20, 7, 12)
    made = import_snntorch(module, Input(12, 7, Spikes(once=False)))
    steps = torch.tensor(images, dtype=torch.float32)
    with torch.no_grad():
        wanted = module(steps.transpose(0, 1)).transpose(0, 1) if first else module(steps)
    np.testing.assert_array_equal(spikes_of(made.network, images), wanted.numpy() != 0)


def one_step(self, x, mem1=None):
    spk1, mem1 = self.lif1(self.fc1(x), mem1)
    spk2, mem2 = self.lif2(self.fc2(spk1))
    return spk2, mem1, spk1, mem2


def test_a_forward_of_one_step():
    module, images = on_grid(Tutorial(one_step)), random_spikes(20, 7, 12)
    made = import_snntorch(module, Input(12, 7, Spikes(once=False)))
    steps = torch.tensor(images, dtype=torch.float32).transpose(0, 1)
    with torch.no_grad():
        wanted = torch.stack([module(step)[0] for step in steps], 1)
    np.testing.assert_array_equal(spikes_of(made.network, images), wanted.numpy() != 0)


def test_spikes_and_their_state_alone():
    module, images = on_grid(Tutorial(lambda self, x: self.lif1(self.fc1(x)))), random_spikes(20, 4, 12)
    made = import_snntorch(module, Input(12, 4, Spikes(once=False)))
    def handed_on(self, x):
        spk, mem = self.lif1(self.fc1(x), torch.zeros(9))
        return spk, mem

    both = on_grid(Tutorial(handed_on))
    again = import_snntorch(both, Input(12, 4, Spikes(once=False)))
    assert again.network.digest == made.network.digest
    with torch.no_grad():
        wanted = torch.stack([module(step)[0] for step in
                              torch.tensor(images, dtype=torch.float32).transpose(0, 1)], 1)
    np.testing.assert_array_equal(spikes_of(made.network, images), wanted.numpy() != 0)


def looped(body, give=lambda self, spikes: torch.stack(spikes)):
    """A forward of five steps, each of ``body(self, x, step, before)``."""
    def line(self, x):
        given = []
        for step in range(STEPS):
            given.append(body(self, x, step, given))
        return give(self, given)
    return line


def plain(self, x, step, given):
    return self.lif2(self.fc2(self.lif1(self.fc1(x))[0]))[0]


def twice(self, x, step, given):
    return self.lif2(self.fc2(self.lif1(self.fc1(self.lif1(self.fc1(x))[0]))[0]))[0]


def recurrent(self, x, step, given):
    heard = self.fc1(x)
    if given:
        heard = heard + self.fc2.weight.sum() * given[-1]
    return self.lif1(heard)[0]


def recurrent_sum(self, x, step, given):
    heard = self.lif1(self.fc1(x))[0]
    return heard + given[-1] if given else heard


def forgetful(self, x, step, given):
    spk1, _ = self.lif1(self.fc1(x), torch.zeros(9))
    return self.lif2(self.fc2(spk1))[0]


def first_only(self, x, step, given):
    return self.lif2(self.fc2(self.lif1(self.fc1(x[0]))[0]))[0]


@pytest.mark.parametrize(("line", "said"), [
    (looped(plain, lambda self, given: given[-1]), r"gives 1 of the 5 steps .*; give torch.stack\(\) of all"),
    (looped(plain, lambda self, given: torch.stack(given[1:])), r"\(stack\): it joins values of different"),
    (looped(plain, lambda self, given: torch.stack(given).sum(1)), r"\(sum\): there is no exact form of it"),
    (looped(twice), r"lif1 \(Leaky\): what|fc1 \(Linear\): it takes 12 features"),
    (looped(recurrent), r"\(mul\): there is no exact form of it"),
    (looped(recurrent_sum), r"it adds what comes of two different steps, and only networks without recur"),
    (looped(forgetful), r"lif1 \(Leaky\): its state is not the one of the step before"),
    (looped(first_only), r"lif1 \(Leaky\): it is called for the 2. time with step 0 of what it hears"),
    (lambda self, x: self.fc2(self.lif1(self.fc1(x), torch.ones(9))[0]), r"lif1 \(Leaky\): its state is not"),
    (lambda self, x: (self.lif1(self.fc1(x))[0], self.lif2(self.fc2(torch.relu(x)[:, :9]))[0]),
     r"\(relu\): there is no exact form|\(ReLU\): there is no exact form"),
    (lambda self, x: (self.lif1(self.fc1(x))[0], self.lif2(nn.functional.linear(x, self.fc2.weight))[0]),
     r"\(linear\): there is no exact form of it"),
    (lambda self, x: [self.lif1(self.fc1(x[step]))[0] for step in range(x.size(2))],
     "cannot be followed .*; loop over a number of steps that is written down, not over a length of the in"),
    (lambda self, x: [self.lif1(self.fc1(x))[0], self.lif1(self.fc1(x))[0]][::-1],
     r"the whole \(Tutorial\): it joins values of different modules, or of steps out of their order"),
    (lambda self, x: self.lif1(self.fc1(x))[1], r"its forward must give one tensor, which comes of a module"),
])
def test_what_cannot_be_followed_is_named(line, said):
    with pytest.raises(ValueError, match=rf"^the network cannot be taken exactly: .*({said})"):
        import_snntorch(on_grid(Tutorial(line)), Input(12, STEPS, Spikes(once=False)))


def test_two_networks_in_one_forward_are_refused():
    class Two(Tutorial):
        def __init__(self):
            super().__init__(lambda self, x: (self.lif1(self.fc1(x))[0], self.lif3(self.fc3(x))[0]))
            self.fc3, self.lif3 = nn.Linear(12, 2), snntorch.Leaky(beta=1.0)

    with pytest.raises(ValueError, match=r"fc1 \(Linear\): it does not lead to what is read; .*lif1 \(Leaky"):
        import_snntorch(Two(), Input(12, STEPS, Spikes(once=False)))


def test_another_number_of_steps_is_refused():
    with pytest.raises(ValueError, match="its forward goes through 5 steps, and the input has 6; give"):
        import_snntorch(on_grid(Tutorial()), Input(12, 6, Spikes(once=False)))


def test_a_reason_is_given_once_however_many_steps_there_are():
    with pytest.raises(ValueError, match=r"factor 0\.9") as refused:
        import_snntorch(Tutorial(beta=0.9), Input(12, STEPS, Spikes(once=False)))
    assert str(refused.value).count("0.9,") == 1


class Residual(nn.Module):
    """A block that adds what it hears to what it makes of it, as SEW-ResNet's do."""

    def __init__(self, channels, after):
        super().__init__()
        self.after = after
        self.input = layer.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.output = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.one, self.two = (neuron.IFNode(v_threshold=3.0, v_reset=None) for _ in range(2))

    def forward(self, x):
        found = self.output(self.one(self.input(x)))
        return self.two(found) + x if self.after else self.two(found + x)


class Planes(nn.Module):
    def __init__(self, after):
        super().__init__()
        self.stem = nn.Sequential(layer.Conv2d(1, 3, 3, padding=1),
                                  neuron.IFNode(v_threshold=2.0, v_reset=None))
        self.block = Residual(3, after)
        self.fc = layer.Linear(27, 4, bias=False)
        self.last = neuron.IFNode(v_threshold=3.0, v_reset=None)

    def forward(self, x: torch.Tensor):
        x = nn.functional.max_pool2d(self.block(self.stem(x)), 2) if not self.block.after else \
            self.block(self.stem(x))
        return self.last(self.fc(torch.flatten(x, 1)))


@pytest.mark.parametrize("after", [False, True])
def test_residuals_spike_for_spike(after):
    module = on_grid(Planes(after))
    if after:
        module.fc = on_grid(layer.Linear(108, 4, bias=False))
    functional.set_step_mode(module, "s")
    images = random_spikes(15, 6, 1, 6, 6)
    made = import_spikingjelly(module, Input(36, 6, Spikes(once=False), shape=(1, 6, 6)),
                               images=images.reshape(15, 6, 36))
    assert made.report.exact
    functional.reset_net(module)
    steps = torch.tensor(images, dtype=torch.float32).transpose(0, 1)
    with torch.no_grad():
        wanted = torch.stack([module(step) for step in steps], 1)
    assert wanted.sum() > 10
    np.testing.assert_array_equal(spikes_of(made.network, images.reshape(15, 6, 36)), wanted.numpy() != 0)
    if after:
        assert {group.source for group in made.network.layers[-1].synapses} == {"stem.1", "block.two"}
    else:
        assert len(made.network.layers[2].synapses) == 2


def test_networks_of_the_package_itself_are_followed_too(monkeypatch):
    """Its neurons and layers are read as they are, but its ready networks are like anyone's."""
    heard = Input(36, 6, Spikes(once=False), shape=(1, 6, 6))
    own = import_spikingjelly(on_grid(Planes(False)), heard)
    monkeypatch.setattr(Residual, "__module__", "spikingjelly.activation_based.model.sew_resnet")
    assert import_spikingjelly(on_grid(Planes(False)), heard).network.digest == own.network.digest


class Repeating(nn.Module):
    """As in SpikingJelly's tutorial of a convolutional network: the image in every step, rates at the end."""

    def __init__(self, times):
        super().__init__()
        self.times = times
        self.conv_fc = nn.Sequential(
            layer.Conv2d(1, 3, 3, padding=1), neuron.IFNode(v_threshold=4.0), layer.MaxPool2d(2, 2),
            layer.Flatten(), layer.Linear(27, 4), neuron.IFNode(v_threshold=2.0))
        functional.set_step_mode(self, step_mode="m")

    def forward(self, x):
        x_seq = x.unsqueeze(0).repeat(self.times, 1, 1, 1, 1)
        return self.conv_fc(x_seq).mean(0)


def test_an_image_repeated_in_all_steps_and_its_rates():
    module = on_grid(Repeating(6))
    levels = np.random.default_rng(5).integers(0, 3, (12, 1, 6, 6))
    made = import_spikingjelly(module, Input(36, 6, Direct(3), shape=(1, 6, 6)))
    assert made.report.exact
    with torch.no_grad():
        rates = module(torch.tensor(levels, dtype=torch.float32)).numpy()
    counts = spikes_of(made.network, levels.reshape(12, 36)).sum(1)
    assert 0 < counts.sum() < counts.size * 6
    np.testing.assert_array_equal(counts, np.rint(rates * 6))
    with pytest.raises(ValueError, match=r"\(repeat\): it must repeat the input in 6 steps, as many"):
        import_spikingjelly(Repeating(5), Input(36, 6, Direct(3), shape=(1, 6, 6)))
    functional.set_step_mode(module, "s")  # where the mean would be that of the images
    with pytest.raises(ValueError, match=r"\(unsqueeze\): there is no exact form of it"):
        import_spikingjelly(module, Input(36, 6, Direct(3), shape=(1, 6, 6)))
