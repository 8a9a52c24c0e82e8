import hashlib
import json
import tarfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
import pytest
import rasterio
