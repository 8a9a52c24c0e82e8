"""kill -9 of anything at any time: nothing lives on, nothing is done twice, nothing differs."""

import os
import signal
import time

import psutil
import pytest

from nndacss.product.compare import differences
from tests.models.small_harmonizer import small_harmonizer
from tests.tasks.conftest import MANY_PARTS, Bench

STAGES = ("mask", "harmonize", "product")
#: How many layers each part of a stage has: labels, quality, probability; reflectance, source,
#: uncertainty.
LAYERS = 3


@pytest.fixture(scope="session")
def options(tmp_path_factory):
    """The learned mask, and a network that harmonizes."""
    card = small_harmonizer(tmp_path_factory.mktemp("weights"))
    network = ("harmonize.method=deep", f'harmonize.weights=["{card}"]')
    return (*MANY_PARTS, *(word for setting in network for word in ("--set", setting)))


@pytest.fixture
def bench(bench, options):
    bench.options = options
    return bench


def evidence(bench, stage):
    """Files that show a stage at work."""
    if stage == "product":
        return list(bench.products.glob("*/*.tif"))
    return list(bench.work.glob(f"{stage}/*/parts/[!.]*.tif"))


def child_of(luigi):
    """The stage that luigi runs at this moment."""
    for process in psutil.Process(luigi.pid).children(recursive=True):
        if "nndacss." in " ".join(process.cmdline()):
            return process.pid
    return None


def kill_in(bench, stage, victim):
    """Run until `stage` has something to show, then kill; False where it ended before."""
    luigi = bench.start()
    while luigi.poll() is None:
        if len(evidence(bench, stage)) >= (1 if stage == "product" else 3):
            target = luigi.pid if victim == "luigi" else child_of(luigi)
            if target:
                os.kill(target, signal.SIGKILL)
                luigi.communicate()
                assert luigi.returncode != 0
                return True
        time.sleep(0.002)
    luigi.communicate()
    return False


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, simulated, options):
    """The product of a run that nobody disturbed."""
    bench = Bench(tmp_path_factory.mktemp("unbroken"), simulated.l2, options)
    code, said = bench.run()
    assert code == 0, said
    return bench.product()


def check(bench, unbroken, before):
    code, said = bench.run()
    assert code == 0, said
    assert bench.wait_until_quiet()
    for path, (inode, changed) in before.items():
        found = path.stat()
        assert (found.st_ino, found.st_mtime_ns) == (inode, changed), f"{path} was written again"
    assert differences(unbroken, bench.product()) == []
    assert not list(bench.folder.rglob(".draft-*"))


def finished(bench):
    """Files of all parts whose layers are all there, with what tells them from new ones."""
    files = [
        path
        for path in bench.work.glob("*/*/parts/[!.]*.tif")
        if len(list(path.parent.glob(f"[!.]*_{path.stem.split('_', 1)[1]}.tif"))) == LAYERS
    ]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_killed_once_in_every_stage(bench, unbroken):
    before = {}
    for stage, victim in zip(STAGES, ("stage", "luigi", "stage"), strict=True):
        assert kill_in(bench, stage, victim), f"{stage} was over before it could be killed"
        assert bench.wait_until_quiet(), bench.living()
        assert not list(bench.products.glob("*/item.json"))
        before.update(finished(bench))
    check(bench, unbroken, before)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("victim", ["luigi", "stage"])
def test_killed_anywhere(bench, unbroken, stage, victim):
    assert kill_in(bench, stage, victim)
    assert bench.wait_until_quiet(), bench.living()
    check(bench, unbroken, finished(bench))


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["luigi", "stage"])
def test_killed_with_several_workers(bench, unbroken, victim):
    """Luigi forks its tasks then; a killed luigi must take forks and stages along."""
    bench.options = (*bench.options, "--workers", "2")
    assert kill_in(bench, "harmonize", victim)
    assert bench.wait_until_quiet(), bench.living()
    bench.options = bench.options[:-2]
    check(bench, unbroken, finished(bench))
