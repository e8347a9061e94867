"""Implicit ALS on seeded interactions: the peer is PyPI `implicit` with the same start and the same loss."""

import json
import time

import numpy as np
import scipy.sparse
import threadpoolctl
from implicit.cpu.als import AlternatingLeastSquares, calculate_loss

from row import Ours, Row, alternate

VIEWERS, TITLES, INTERACTIONS, FACTORS, ITERATIONS = 50_000, 20_000, 5_000_000, 64, 10
REGULARIZATION = 0.01
CONFIDENCE = 10.0  # of a watched title; an unwatched one has 1, at which the weighting would vanish


def interactions() -> scipy.sparse.csr_matrix:
    """Draws titles from a Zipf law and viewers from a lognormal activity. Redraws duplicates until there are enough interactions."""
    random = np.random.default_rng(7)
    popularity = 1.0 / np.arange(1, TITLES + 1) ** 0.7
    activity = random.lognormal(0.0, 1.0, VIEWERS)
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < INTERACTIONS:
        n = INTERACTIONS - len(keys) + INTERACTIONS // 20
        viewers = random.choice(VIEWERS, n, p=activity / activity.sum())
        titles = random.choice(TITLES, n, p=popularity / popularity.sum())
        keys = np.unique(np.concatenate([keys, viewers.astype(np.int64) * TITLES + titles]))
    keys = np.sort(random.permutation(keys)[:INTERACTIONS])
    ones = np.ones(len(keys), dtype=np.float32)
    return scipy.sparse.csr_matrix((ones, (keys // TITLES, keys % TITLES)), shape=(VIEWERS, TITLES))


def rows(out):
    folder = out / "als"
    folder.mkdir(exist_ok=True)
    data = interactions()
    random = np.random.default_rng(11)
    x0 = (random.random((VIEWERS, FACTORS), dtype=np.float32) * 0.01).astype(np.float32)
    y0 = (random.random((TITLES, FACTORS), dtype=np.float32) * 0.01).astype(np.float32)
    data.indptr.astype(np.uint32).tofile(folder / "offsets.u32")
    data.indices.astype(np.uint32).tofile(folder / "titles.u32")
    x0.tofile(folder / "x0.f32")
    y0.tofile(folder / "y0.f32")
    (folder / "meta.json").write_text(
        json.dumps({"viewers": VIEWERS, "titles": TITLES, "regularization": REGULARIZATION, "confidence": CONFIDENCE})
    )
    for threads in (1, 2):
        losses = {}

        def theirs() -> float:
            model = AlternatingLeastSquares(
                factors=FACTORS, regularization=REGULARIZATION, alpha=CONFIDENCE, iterations=ITERATIONS,
                use_cg=True, num_threads=threads, random_state=1,
            )  # fmt: skip
            model.user_factors, model.item_factors = x0.copy(), y0.copy()
            start = time.perf_counter()
            with threadpoolctl.threadpool_limits(1, "blas"):  # as `implicit` itself advises
                model.fit(data, show_progress=False)
            took = time.perf_counter() - start
            losses["theirs"] = calculate_loss(
                CONFIDENCE * data, np.asarray(model.user_factors), np.asarray(model.item_factors), REGULARIZATION, threads
            )
            return took

        ours = Ours("bench_als", folder, FACTORS, ITERATIONS, threads)

        def mine() -> float:
            answer = ours.ask("run")
            losses["ours"] = answer["loss"]
            return answer["seconds"]

        fast, slow = alternate(3, mine, theirs)
        ours.close()
        equal = losses["ours"] <= losses["theirs"] * 1.005
        yield Row(
            work=f"iALS 50k x 20k x 5M, 64 factors, 10 iterations, {threads} thread{'s'[:threads - 1]}",
            peer="implicit", unit="s", ours=fast, theirs=slow, must=0.8, goal=0.6, sound=equal,
            note=f"loss {losses['ours']:.6g} against {losses['theirs']:.6g}",
        )  # fmt: skip
