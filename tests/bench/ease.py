"""EASE in closed form on 10,000 titles; the peer is numpy and scipy on all cores."""

import json
import os
import time

import numpy as np
import scipy.linalg
import scipy.sparse

from row import Ours, Row, alternate

VIEWERS, TITLES, INTERACTIONS, LAMBDA = 20_000, 10_000, 1_000_000, 250.0


def data() -> scipy.sparse.csr_matrix:
    random = np.random.default_rng(5)
    popularity = 1.0 / np.arange(1, TITLES + 1) ** 0.7
    keys = np.unique(
        random.integers(0, VIEWERS, INTERACTIONS) * TITLES
        + random.choice(TITLES, INTERACTIONS, p=popularity / popularity.sum())
    )
    ones = np.ones(len(keys), dtype=np.float32)
    return scipy.sparse.csr_matrix((ones, (keys // TITLES, keys % TITLES)), shape=(VIEWERS, TITLES))


def by_cholesky(x: scipy.sparse.csr_matrix) -> np.ndarray:
    """The faster of the usual methods in scipy: potrf and potri in single precision, which need half the work of np.linalg.inv."""
    gram = (x.T @ x).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += LAMBDA
    factor, info = scipy.linalg.lapack.spotrf(gram, lower=1, overwrite_a=1)
    assert info == 0
    inverse, info = scipy.linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    assert info == 0
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices_from(weights)] = 0.0
    return weights


def rows(out):
    folder = out / "ease"
    folder.mkdir(exist_ok=True)
    x = data()
    x.indptr.astype(np.uint32).tofile(folder / "offsets.u32")
    x.indices.astype(np.uint32).tofile(folder / "titles.u32")
    (folder / "meta.json").write_text(json.dumps({"viewers": VIEWERS, "titles": TITLES}))
    threads = len(os.sched_getaffinity(0))
    ours = Ours("bench_ease", folder, LAMBDA, threads)
    sums = {}

    def mine() -> float:
        answer = ours.ask("run")
        sums["ours"] = answer["checksum"]
        return answer["seconds"]

    def theirs() -> float:
        start = time.perf_counter()
        weights = by_cholesky(x)
        took = time.perf_counter() - start
        sums["theirs"] = float(np.abs(weights).sum(dtype=np.float64))
        return took

    fast, slow = alternate(2, mine, theirs)
    ours.close()
    equal = abs(sums["ours"] - sums["theirs"]) <= 1e-3 * sums["theirs"]
    yield Row(
        work=f"EASE on 10k titles, {threads} threads", peer="scipy (spotrf, spotri)", unit="s", ours=fast, theirs=slow,
        must=1.0, goal=0.7, sound=equal, note=f"sum of weights {sums['ours']:.6g} against {sums['theirs']:.6g}",
    )  # fmt: skip
