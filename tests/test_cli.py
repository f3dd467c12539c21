"""The command line: what each command prints, and how it fails."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from firstspike.cli import firstspike
from firstspike.console import main_program
from firstspike.network import Dense, Input, Latency, Layer, Network

NAMES = sorted(firstspike.commands)


def small(seed: int = 1, name: str = "hidden") -> Network:
    """16 inputs, 8 neurons, 4 classes, 4 steps, online."""
    rng = np.random.default_rng(seed)

    def signs(*shape: int) -> np.ndarray:
        return rng.choice([-1, 1], shape).astype(np.int8)

    return Network(Input(16, 4, Latency(np.array([-1, 3, 2, 1, 0]))), [
        Layer(Dense(signs(8, 16)), 4, threshold=2, name=name),
        Layer(Dense(signs(4, 8)), 4, threshold=1)], provenance={"recipe": "none"})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a network and images."""
    monkeypatch.chdir(tmp_path)
    small().save("net.safetensors")
    rng = np.random.default_rng(2)
    np.savez("images.npz", images=rng.integers(0, 5, (12, 16)), labels=rng.integers(0, 4, 12))
    return tmp_path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    """Run the command line in this process: (exit code, stdout, stderr)."""
    def run(*args: str) -> tuple[int, str, str]:
        code = main_program(firstspike, args)
        said = capsys.readouterr()
        return code, said.out, said.err
    return run


def refused(result: tuple[int, str, str]) -> str:
    """The one sentence of a refusal."""
    code, out, err = result
    assert code == 2 and out == ""
    lines = [line for line in err.splitlines() if not line.endswith("...")]
    assert len(lines) == 1 and lines[0].startswith("Error: ")
    return lines[0].removeprefix("Error: ")


@pytest.mark.parametrize("name", NAMES)
def test_help_teaches(name: str, call) -> None:
    code, out, _ = call(name, "--help")
    assert code == 0
    examples = re.findall(rf"^ +firstspike {name}\b.*", out, re.MULTILINE)
    assert "Examples:" in out and examples
    for example in examples:
        for option in re.findall(r" (--[a-z-]+)", example):
            assert option in out or name == "train"


def test_commands_are_those_of_the_way(call) -> None:
    assert set(NAMES) == {"boards", "info", "score", "build", "verify", "synth", "bitstream", "program",
                          "run", "train", "report", "compare", "convert", "import", "export"}
    code, out, _ = call("--help")
    assert code == 0 and all(name in out for name in NAMES)


def test_boards(call) -> None:
    code, out, _ = call("boards", "--json")
    boards = {board["name"]: board for board in json.loads(out)}
    assert code == 0
    assert {"icebreaker", "ulx3s-85f", "tang-nano-9k", "arty-a7-100", "generic"} <= set(boards)
    assert boards["icebreaker"]["luts"] == 5280
    code, out, _ = call("boards")
    assert code == 0 and all(name in out for name in boards)


def test_info(place: Path, call) -> None:
    code, out, _ = call("info", "net.safetensors")
    assert code == 0 and small().digest in out and "16 inputs over 4 steps" in out
    code, out, _ = call("info", "net.safetensors", "--json")
    facts = json.loads(out)
    assert code == 0 and facts["network"]["Digest"] == small().digest
    assert [layer["Neurons"] for layer in facts["layers"]] == ["8", "4"]


def test_info_takes_names_literally(place: Path, call) -> None:
    small(name="[red]</b> [link=x]").save("odd.safetensors")
    code, out, _ = call("info", "odd.safetensors", "--json")
    assert code == 0 and json.loads(out)["layers"][0]["Layer"] == "[red]</b> [link=x]"
    code, out, _ = call("info", "odd.safetensors")
    assert code == 0 and "[red]" in out


def test_score(place: Path, call) -> None:
    code, out, _ = call("score", "net.safetensors", "--images", "images.npz", "--json", "--spikes", "s.npz")
    found = json.loads(out)
    assert code == 0 and found["images"] == 12 and 0 <= found["correct"] <= 12
    with np.load("s.npz") as spikes:
        assert spikes["label"].shape == (12,)
    code, out, _ = call("score", "net.safetensors", "--images", "images.npz")
    assert code == 0 and f"{found['correct']} of 12" in out


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the small network, made by the command line."""
    folder = tmp_path_factory.mktemp("built")
    small().save(folder / "net.safetensors")
    assert main_program(firstspike, ["build", str(folder / "net.safetensors"), "--board", "generic",
                                     "-o", str(folder / "b")]) == 0
    return folder / "b"


def test_build_tells_the_plan(place: Path, call) -> None:
    code, out, _ = call("build", "net.safetensors", "--board", "icebreaker", "-o", "b", "--json")
    told = json.loads(out)
    assert code == 0 and [layer["name"] for layer in told["plan"]["layers"]] == ["hidden", "layer1"]
    assert (place / "b" / "rtl" / "top.v").is_file() and (place / "b" / "board").is_dir()
    code, out, _ = call("build", "net.safetensors", "--board", "generic", "-o", "b", "--no-early-stop",
                        "--clock", "50", "--images-per-second", "1000")
    assert code == 0 and "50 MHz" in out
    assert json.loads((place / "b" / "manifest.json").read_text())["options"]["early_stop"] is False


@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_a_clock_beyond_what_was_measured_is_said_and_kept(place: Path, call, json_) -> None:
    code, _, said = call("build", "net.safetensors", "--board", "icebreaker", "-o", "b", "--clock", "90",
                         *json_)
    (warning,) = json.loads((place / "b" / "plan.json").read_text())["warnings"]
    assert code == 0 and "90 MHz" in warning and f"Note: {warning}." in said
    assert "Note" not in call("build", "net.safetensors", "--board", "icebreaker", "-o", "b")[2]


def test_verify_and_report(built: Path, place: Path, call, icarus: str) -> None:
    arguments = ("verify", str(built), "--images", "images.npz", "--simulator", "icarus")
    code, out, _ = call(*arguments, "--count", "5")
    assert code == 0 and "Bit-exact" in out
    code, out, _ = call(*arguments, "--stalls", "--json")
    found = json.loads(out)
    assert code == 0 and found["passed"] and found["images"] == 12 and found["stalls"]
    assert json.loads((built / "verify" / "results.json").read_text()) == found
    code, out, _ = call("report", str(built), "--images", "images.npz", "--index", "3")
    assert code == 0 and "index.html" in out


@pytest.mark.parametrize("damage", ["images", "build", "count"])
def test_verify_that_cannot_run_leaves_an_error(built: Path, place: Path, call, icarus: str,
                                                damage: str) -> None:
    """And no earlier pass."""
    shutil.copytree(built, "copy")
    arguments = ["verify", "copy", "--images", "images.npz", "--simulator", "icarus", "--count", "1"]
    assert call(*arguments)[0] == 0
    if damage == "images":
        Path("images.npz").unlink()
    elif damage == "build":
        Path("copy/plan.json").write_text("{}")
    else:
        arguments[-1] = "100000"
    code = call(*arguments)[0]
    junit = Path("copy/verify/junit.xml").read_text()
    assert code == 2 and 'errors="1"' in junit and 'failures="0"' in junit and "<error" in junit
    assert [path.name for path in Path("copy/verify").iterdir()] == ["junit.xml"]


def test_verify_that_fails_exits_with_1(built: Path, place: Path, call, icarus: str) -> None:
    from hashlib import sha256
    shutil.copytree(built, "other")
    small(seed=5).save("other/network.safetensors")
    manifest = json.loads(Path("other/manifest.json").read_text())
    digest = sha256(Path("other/network.safetensors").read_bytes()).hexdigest()
    manifest["files"]["network.safetensors"] = digest
    Path("other/manifest.json").write_text(json.dumps(manifest))
    code, out, _ = call("verify", "other", "--images", "images.npz", "--simulator", "icarus")
    assert code == 1 and "Not the same" in out
    assert not json.loads(Path("other/verify/results.json").read_text())["passed"]
    assert "<failure" in Path("other/verify/junit.xml").read_text()


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("info", "nothing.safetensors"), "there is no network file 'nothing.safetensors'"),
    (("info", "mnist-784-600-10-onlyne"), "take one of"),
    (("score", "net.safetensors", "--images", "nowhere"), "nowhere"),
    (("score", "net.safetensors", "--images", "images.npz", "--count", "13"), "12"),
    (("score", "net.safetensors", "--images", "wide.npy"), "does not fit the network"),
    (("build", "net.safetensors", "--board", "nothing", "-o", "b"), "there is no board 'nothing'"),
    (("build", "net.safetensors", "--board", "mine.py", "-o", "b"), "mine.py"),
    (("build", "net.safetensors", "--board", "generic", "-o", "full"), "full is there and is no build"),
    (("build", "net.safetensors", "--board", "ulx3s-85f", "-o", "b", "--clock", "0.001"), "clock"),
    (("verify", "nowhere", "--images", "images.npz"), "nowhere is no build folder"),
    (("report", "nowhere"), "nowhere is no build folder"),
    (("synth", "nowhere"), "nowhere is no build folder"),
    (("bitstream", "nowhere"), "nowhere is no build folder"),
    (("program", "nowhere"), "nowhere is no build folder"),
    (("run", "nowhere", "--port", "sim", "images.npz"), "nowhere is no build folder"),
    (("train", "mnist-mlp", "--data", "nowhere", "-o", "x.safetensors"), "there is no folder nowhere"),
    (("train", "mnist-mlp", "--data", ".", "-o", "x.zip"), "must end in .safetensors"),
    (("train", "mnist-mlp", "--data", ".", "-o", "x.safetensors", "--teacher", "nobody"),
     "there is no network file 'nobody'"),
])
def test_what_is_wrong_is_one_sentence(arguments: tuple[str, ...], sentence: str, place: Path, call) -> None:
    Path("full").mkdir()
    Path("full/precious.txt").write_text("kept")
    np.save("wide.npy", np.zeros((3, 17), int))
    before = sorted(path.name for path in place.iterdir())
    assert sentence in refused(call(*arguments))
    assert sorted(path.name for path in place.iterdir()) == before
    assert Path("full/precious.txt").read_text() == "kept"


@pytest.mark.parametrize(("before", "after", "sentence"), [
    ("uart_baud=1_000_000", "uart_baud=7", "uart_baud must be at least 12 for a clock of 12 MHz, not 7"),
    ("family=\"ice40\"", "family=\"ecp5\"", "the family of the board ice40-hx8k-b-evn must be that of its "),
    ("BOARD = ", "import sys\nsys.exit()\nBOARD = ", "the board file my_board.py does not run: SystemExit"),
    ("BOARD = ", "ICE40HX8KBEVNPlatform.default_clk = None\nBOARD = ",
     "default_clk must name a clock of the platform of the board ice40-hx8k-b-evn, not be None"),
])
def test_a_wrong_board_file_is_one_sentence(before, after, sentence, place: Path, root: Path, call,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform
    monkeypatch.setattr(ICE40HX8KBEVNPlatform, "default_clk", ICE40HX8KBEVNPlatform.default_clk)
    text = (root / "examples" / "my_board.py").read_text()
    assert before in text
    Path("my_board.py").write_text(text.replace(before, after))
    assert sentence in refused(call("build", "net.safetensors", "--board", "my_board.py", "-o", "b"))
    assert not Path("b").exists()


def test_a_build_for_a_board_of_ones_own_needs_nothing_outside_itself(place: Path, root: Path, call,
                                                                     monkeypatch) -> None:
    shutil.copy(root / "examples" / "my_board.py", "my_board.py")
    code, _, _ = call("build", "net.safetensors", "--board", "my_board.py", "-o", "b")
    assert code == 0
    Path("my_board.py").unlink()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    code, _, _ = call("report", "../b")
    assert code == 0 and "Lattice iCE40HX8K breakout board" in Path("../b/reports/index.html").read_text()
    for command in ("synth", "bitstream", "program"):
        assert "give its file again, --board my_board.py" in refused(call(command, "../b"))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "pickle", "empty", "text"])
def test_damaged_network_is_refused(damage: str, place: Path, call) -> None:
    data = bytearray(Path("net.safetensors").read_bytes())
    data[-1] ^= damage == "flipped"
    damaged = {"truncated": data[:-7], "flipped": data, "pickle": b"\x80\x04K\x01.", "empty": b"",
               "text": b"hello"}
    Path("bad.safetensors").write_bytes(damaged[damage])
    for command in ("info", "build"):
        rest = ("--board", "generic", "-o", "b") if command == "build" else ()
        assert "bad.safetensors" in refused(call(command, "bad.safetensors", *rest))
    assert not Path("b").exists()


def test_changed_build_is_refused(built: Path, place: Path, call) -> None:
    import shutil
    shutil.copytree(built, "changed")
    with Path("changed/rtl/top.v").open("a") as file:
        file.write("// changed\n")
    assert "was changed after it was built" in refused(
        call("verify", "changed", "--images", "images.npz", "--simulator", "icarus"))


@pytest.mark.parametrize(("error", "sentence"), [
    (OSError(28, "No space left on device", "x"), "The disk is full (x)"),
    (PermissionError(13, "Permission denied", "x"), "Not allowed to read or write (x)"),
])
def test_system_errors_are_one_sentence(error: OSError, sentence: str, place: Path, call,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error
    monkeypatch.setattr("firstspike.network.scoring.score", fail)
    assert sentence in refused(call("score", "net.safetensors", "--images", "images.npz"))


def test_bad_arguments_are_refused(place: Path, call) -> None:
    for arguments in (("info",), ("info", "a", "b"), ("nothing",), ("build", "net.safetensors"),
                      ("train", "mnist-mlp", "--data", ".", "-o", "x.safetensors", "--hidden", "many"),
                      ("score", "net.safetensors", "--images", "images.npz", "--count", "0")):
        code, _, err = call(*arguments)
        assert code == 2 and "Error: " in err and "Traceback" not in err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_nothing(place: Path, signum: signal.Signals) -> None:
    """A real interrupt, in the middle of a build."""
    inherited = signal.signal(signal.SIGINT, signal.SIG_DFL)    # what runs in the background ignores it
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "firstspike.cli", "build", "mnist-784-600-10-online", "--board",
             "generic", "-o", "b/x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, inherited)
    deadline = time.monotonic() + 60
    while not list(place.glob("b/.firstspike-x-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signum)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Interrupted" in err and "Traceback" not in err
    assert not list(place.glob("b/*")) and not list(place.glob("b/.*"))


def test_what_a_killed_build_leaves_the_next_one_clears(place: Path, call) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "firstspike.cli", "build", "mnist-784-600-10-online", "--board", "generic",
         "-o", "k/x"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(place.glob("k/.firstspike-x-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL and len(list(place.glob("k/.*"))) == 1
    (place / "k" / ".x-settings").mkdir()                    # somebody's own
    (place / "k" / ".firstspike-old-x-abcd1234").mkdir()     # where the old build was when it was killed
    for _ in range(2):
        assert call("build", "net.safetensors", "--board", "generic", "-o", "k/x")[0] == 0
    assert sorted(path.name for path in (place / "k").iterdir()) == [".x-settings", "x"]
