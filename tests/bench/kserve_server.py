"""The peer: the model server of PyPI `kserve`, with the same computation in numpy. kserve_server.py FOLDER PORT

FOLDER contains data that serving.py extracts from our artifact: factors, ids, genre slices, watched titles. The server runs with its
default settings, except that it does not log each request: this makes it about twice as fast, as a user would have it.
"""

import logging
import pathlib
import sys

import loopback  # noqa: F401  before kserve, whose server would listen on every address
import numpy as np
from kserve import InferOutput, InferResponse, Model, ModelServer


class Scorer(Model):
    """Scores of given titles by biased matrix factorization."""

    def __init__(self, name: str, folder: pathlib.Path):
        super().__init__(name)
        with np.load(folder / "model.npz") as data:
            self.parts = {key: data[key] for key in data.files}
        self.viewer_row = {int(v): i for i, v in enumerate(self.parts["viewers"])}
        self.title_row = {int(t): i for i, t in enumerate(self.parts["titles"])}
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        inputs = {tensor.name: tensor.as_numpy() for tensor in payload.inputs}
        viewer = self.viewer_row[int(inputs["viewer"].flat[0])]
        rows = np.array([self.title_row[t] for t in inputs["titles"].ravel().tolist()])
        scores = self.all_or_some(viewer, rows).astype(np.float32)[None, :]
        output = InferOutput("scores", list(scores.shape), "FP32", data=scores.ravel().tolist())
        return InferResponse(payload.id or "0", self.name, [output])

    def all_or_some(self, viewer: int, rows=slice(None)):
        parts = self.parts
        biases = parts["mean"] + parts["viewer_bias"][viewer] + parts["title_bias"][rows]
        return biases + parts["title_factors"][rows] @ parts["viewer_factors"][viewer]


class Pages(Scorer):
    """Ten genre rows of twenty titles, without duplicates and watched titles."""

    def predict(self, payload, headers=None, response_headers=None):
        viewer = self.viewer_row[int(payload.inputs[0].as_numpy().flat[0])]
        scores = self.all_or_some(viewer)
        offsets = self.parts["history_offsets"]
        scores[self.parts["history_titles"][offsets[viewer] : offsets[viewer + 1]]] = -np.inf
        page = []
        for row in range(10):
            genre = self.parts[f"slice_{row}"]
            among = scores[genre]
            best = np.argpartition(-among, min(19, len(genre) - 1))[:20]
            best = genre[best[np.argsort(-among[best])]]
            best = best[np.isfinite(scores[best])]
            scores[best] = -np.inf
            page.extend(self.parts["titles"][best].tolist())
        output = InferOutput("titles", [1, len(page)], "INT64", data=page)
        return InferResponse(payload.id or "0", self.name, [output])


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    models = [Scorer("rated-for-you", folder), Pages("page", folder)]
    server = ModelServer(
        http_port=int(sys.argv[2]), workers=1, enable_grpc=False, enable_docs_url=False, enable_latency_logging=False
    )
    for name in ("uvicorn.access", "kserve", "kserve.trace"):
        logging.getLogger(name).disabled = True
    server.start(models)
