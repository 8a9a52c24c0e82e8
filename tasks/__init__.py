"""The pipeline: one short file a stage. Tasks do no arithmetic, they order it.

    luigi --module tasks AdaptScene --scene LC08_L2SP_... --local-scheduler

Importing this package sets luigi's return codes, lock folder and log level where the user's own
`luigi.cfg` does not, so that exit codes hold from any folder.
"""

from tasks._defaults import set_defaults

set_defaults()

from tasks.acquire import AcquireScene  # noqa: E402
from tasks.adapt import AdaptScene  # noqa: E402
from tasks.catalog import UpdateCatalog  # noqa: E402
from tasks.compose import ComposeSamples, MakeViews  # noqa: E402
from tasks.convert_pv import ConvertPV  # noqa: E402
from tasks.cyclegan import (  # noqa: E402
    FitCycleGAN,
    MakeCycleGANDataset,
    TrainAllCycleGAN,
    TrainCloudNet,
    TrainCycleGAN,
)
from tasks.datasets import FetchDataset  # noqa: E402
from tasks.evaluate import EvaluateModel  # noqa: E402
from tasks.experiment import Experiment, ReportExperiment, ReportSoFar  # noqa: E402
from tasks.harmonize import HarmonizeScene  # noqa: E402
from tasks.harmonizer import TrainHarmonizer  # noqa: E402
from tasks.inference_da import InferenceDA  # noqa: E402
from tasks.inpaint import GenerateInpaintedSamples, MaskBank  # noqa: E402
from tasks.inpainter import TrainInpainter  # noqa: E402
from tasks.land_cover import MapLandCover  # noqa: E402
from tasks.landcovernet import AcquireLandCoverNet, CleanLandCoverNet  # noqa: E402
from tasks.mask import MaskScene  # noqa: E402
from tasks.operations import Clean, Invalidate, Status  # noqa: E402
from tasks.pairs import MakePairs, ShowPairs  # noqa: E402
from tasks.product import MakeProduct  # noqa: E402
from tasks.reprocess import BatchReport, ReprocessScenes  # noqa: E402
from tasks.samples import MakeSamples, ShowSamples  # noqa: E402
from tasks.search import SearchScenes  # noqa: E402
from tasks.train import TrainSegmentation  # noqa: E402
from tasks.transfer import CompareTransfer, TransferExperiment  # noqa: E402
from tasks.weights import FetchHarmonizer  # noqa: E402

__all__ = [
    "AcquireLandCoverNet",
    "AcquireScene",
    "AdaptScene",
    "BatchReport",
    "Clean",
    "CleanLandCoverNet",
    "CompareTransfer",
    "ComposeSamples",
    "ConvertPV",
    "EvaluateModel",
    "Experiment",
    "FetchDataset",
    "FetchHarmonizer",
    "FitCycleGAN",
    "GenerateInpaintedSamples",
    "HarmonizeScene",
    "InferenceDA",
    "Invalidate",
    "MakeCycleGANDataset",
    "MakePairs",
    "MakeProduct",
    "MakeSamples",
    "MakeViews",
    "MapLandCover",
    "MaskBank",
    "MaskScene",
    "ReportExperiment",
    "ReportSoFar",
    "ReprocessScenes",
    "SearchScenes",
    "ShowPairs",
    "ShowSamples",
    "Status",
    "TrainAllCycleGAN",
    "TrainCloudNet",
    "TrainCycleGAN",
    "TrainHarmonizer",
    "TrainInpainter",
    "TrainSegmentation",
    "TransferExperiment",
    "UpdateCatalog",
]
