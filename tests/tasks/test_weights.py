"""FetchHarmonizer as people run it: from a file, from a server, and its refusals."""

import hashlib
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from nndacss.models import deep_harmonization as family
from nndacss.models import fetch
from nndacss.models.card import load_weights
from nndacss.models.deep_variants import VARIANTS, Variant
from nndacss.models.harmonizer_card import HarmonizerCard, harmonizer_card

LUIGI = str(Path(sys.executable).parent / "luigi")
ROOT = Path(__file__).parents[2]
SMALL = Variant(3, "upsample", 0.0)


def run(folder, *options):
    command = [LUIGI, "--module", "tasks.weights", "FetchHarmonizer", "--local-scheduler", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def errors(result):
    return [line for line in result.stderr.splitlines() if "error: " in line]


@pytest.fixture
def narrow(monkeypatch):
    """Networks four channels wide: the published ones take hundreds of megabytes."""
    monkeypatch.setattr(family, "check_state", partial(family.check_state, base=4))


def test_weights_and_card_are_written(tmp_path, narrow):
    torch.manual_seed(2)
    state = family.build(3, "upsample", base=4).state_dict()
    file = tmp_path / "foreign.pth"
    torch.save({"model_state_dict": state, "epoch": 1}, file)
    written = fetch.import_weights(file, SMALL, tmp_path / "out")
    card = harmonizer_card(tmp_path / "out" / "deep_harmonization_3depth-upsample")
    assert card == written
    assert (card.family, card.pan, card.deviation) == (
        "deep_harmonization",
        "synthetic",
        "ensemble",
    )
    assert card.levels == ("SR",)
    assert card.multiple == 4
    assert card.architecture == {"depth": 3, "up": "upsample"}
    assert card.training["source"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "unknown" in card.licence
    _, tensors = load_weights(tmp_path / "out" / SMALL.title, HarmonizerCard)
    assert set(tensors) == set(state)
    assert all(torch.equal(tensors[key], value) for key, value in state.items())


@pytest.mark.parametrize(("name", "multiple"), [("5depth-shuffle", 16), ("6depth-upsample", 32)])
def test_cards_of_published_variants(name, multiple):
    card = fetch.card_of(VARIANTS[name], {})
    assert card.name == f"deep_harmonization_{name}"
    assert card.multiple == multiple
    assert card.reach == 0


def test_weights_of_another_variant_say_which_layer(tmp_path):
    torch.save(family.build(2, "shuffle", base=2).state_dict(), tmp_path / "w.pth")
    result = run(tmp_path, "--variant", "5depth-upsample", "--file", "w.pth")
    assert result.returncode
    (line,) = errors(result)
    assert "w.pth: found layer encoding_module.0.block.0.weight (2, 7, 3, 3)" in line
    assert "(64, 7, 3, 3) in the network (depth 5, upsample)" in line
    assert not (tmp_path / "weights").exists()


def test_without_a_checksum_it_says_where_to_find_it(tmp_path):
    result = run(tmp_path, "--variant", "6depth-shuffle")
    assert result.returncode
    (line,) = errors(result)
    assert "huggingface.co/venkatesh-thiru/s2l8h-UNet-6depth-shuffle/tree/main" in line
    assert "--sha256" in line
    assert "--file" in line


def test_a_file_with_another_checksum_is_refused(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"weights")
    options = ("--variant", "5depth-shuffle", "--file", "w.pth", "--sha256", "0" * 64)
    result = run(tmp_path, *options)
    (line,) = errors(result)
    assert hashlib.sha256(b"weights").hexdigest() in line
    assert "0" * 64 in line


@pytest.mark.slow
def test_fetched_from_a_server(tmp_path):
    torch.manual_seed(0)
    state = family.build(5, "upsample").state_dict()
    (tmp_path / "hub").mkdir()
    file = tmp_path / "hub" / "pytorch_model.bin"
    torch.save({f"model.{key}": value for key, value in state.items()}, file)
    total = hashlib.sha256(file.read_bytes()).hexdigest()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "hub"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{file.name}"
        result = run(tmp_path, "--variant", "5depth-upsample", "--url", url, "--sha256", total)
        server.shutdown()
    assert result.returncode == 0, result.stderr
    assert "harmonize.weights" in result.stderr
    assert sorted(path.suffix for path in (tmp_path / "weights").iterdir()) == [
        ".json",
        ".safetensors",
    ]
    card = harmonizer_card(tmp_path / "weights" / "deep_harmonization_5depth-upsample")
    assert card.training["source"] == {
        "file": file.name,
        "sha256": total,
        "url": url,
    }
