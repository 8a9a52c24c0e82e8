"""One small bank for all tests of painting."""

import pytest

from nndacss.inpaint.bank import MaskBank
from tests.inpaint.banks import make_bank


@pytest.fixture(scope="session")
def bank(tmp_path_factory):
    return MaskBank(make_bank(tmp_path_factory.mktemp("bank")))
