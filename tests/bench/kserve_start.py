"""The peer of start.py: loads the weights with a checksum, then serves. kserve_start.py WEIGHTS.npz PORT"""

import hashlib
import io
import pathlib
import sys

import loopback  # noqa: F401  before kserve, whose server would listen on every address
import numpy as np
from kserve import Model, ModelServer


class Loaded(Model):
    """Loads the weights and is ready when they are loaded."""

    def __init__(self, path: str):
        super().__init__("loaded")
        raw = pathlib.Path(path).read_bytes()
        self.digest = hashlib.sha256(raw).hexdigest()
        with np.load(io.BytesIO(raw)) as data:
            self.parts = {key: data[key] for key in data.files}
        self.ready = all(np.isfinite(part).all() for part in self.parts.values())

    def predict(self, payload, headers=None, response_headers=None):
        return payload


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[2]), workers=1, enable_grpc=False, enable_docs_url=False).start([Loaded(sys.argv[1])])
