"""Exact top-100 of d-dimensional inner products on one thread. The peer is the faster of numpy and faiss Flat."""

import time

import faiss
import numpy as np
import threadpoolctl

from row import Ours, Row, alternate

D, K, QUERIES = 64, 100, 64


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def numpy_top(titles: np.ndarray, queries: np.ndarray) -> np.ndarray:
    scores = queries @ titles.T
    part = np.argpartition(-scores, K, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(scores, part, axis=1), axis=1)
    return np.take_along_axis(part, order, axis=1)


def rows(out):
    faiss.omp_set_num_threads(1)
    threadpoolctl.threadpool_limits(1)
    for n in (100_000, 1_000_000):
        folder = out / f"topk-{n}"
        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(n)
        titles = random.standard_normal((n, D), dtype=np.float32) / 8
        queries = random.standard_normal((QUERIES, D), dtype=np.float32)
        titles.tofile(folder / "titles.f32")
        queries.tofile(folder / "queries.f32")
        index = faiss.IndexFlatIP(D)
        index.add(titles)
        for batch in (1, 64):
            asked = queries[:batch]
            ours = Ours("bench_topk", folder, n, batch, K)
            repetitions = 31 if batch == 1 else 5
            mine, by_numpy, by_faiss = alternate(
                repetitions,
                lambda: ours.ask("run")["seconds"],
                lambda: seconds(lambda: numpy_top(titles, asked)),
                lambda: seconds(lambda: index.search(asked, K)),
            )
            found = ours.ask("result")["titles"]
            ours.close()
            truth = numpy_top(titles, asked)
            recall = np.mean([len(set(a) & set(b.tolist())) / K for a, b in zip(found, truth)])
            peer, theirs = min(("numpy", by_numpy), ("faiss Flat", by_faiss), key=lambda pair: pair[1])
            yield Row(
                work=f"exact top-100, d 64, {n // 1000}k titles, batch {batch}, 1 thread", peer=peer,
                unit="ms a batch", ours=mine * 1e3, theirs=theirs * 1e3, must=0.5, goal=0.33,
                sound=recall >= 0.999, note=f"recall {recall:.5f}",
            )  # fmt: skip
        for name in ("titles.f32", "queries.f32"):
            (folder / name).unlink()
