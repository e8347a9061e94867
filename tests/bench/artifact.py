"""Artifacts for the serving rows, and the same weights for numpy."""

import dataclasses
import json
import os
import pathlib
import subprocess

import numpy as np

from row import RELEASE, REPOSITORY

ROWS = REPOSITORY / "tests" / "bench" / "manifests"
GENRES = ["Drama", "Comedy", "Thriller", "Action", "Romance", "Adventure", "Children's", "Crime", "Sci-Fi", "Horror"]
NUMPY_TYPES = {"F32": np.float32, "U32": np.uint32, "F64": np.float64, "I64": np.int64}


@dataclasses.dataclass
class Data:
    folder: pathlib.Path
    titles: list[int]


def ml_100k() -> Data:
    folder = pathlib.Path(os.environ.get("MARQUEE_CACHE", "~/.cache/marquee")).expanduser() / "ml-100k"
    lines = (folder / "ml-100k.inter").read_text().splitlines()[1:]
    return Data(folder, sorted({int(line.split("\t")[1]) for line in lines}))


def trained(out: pathlib.Path) -> None:
    """Trains the model and the catalogue once, with Marquee's commands."""
    runtime, folder, artifacts = str(RELEASE / "marquee-runtime"), ml_100k().folder, out / "artifacts"
    if not (artifacts / "mf" / "marquee.json").exists():
        subprocess.run(
            [runtime, "train", "--config", str(ROWS.parent / "mf.yaml"), "--data", str(folder / "ml-100k.inter"),
             "--output", str(artifacts / "mf")], check=True)  # fmt: skip
    if not (artifacts / "catalogue" / "marquee.json").exists():
        subprocess.run(
            [runtime, "catalogue", "--metadata", str(folder / "ml-100k.item"), "--metadata-delimiter", "tab",
             "--genre-separator", "space", "--data", str(folder / "ml-100k.inter"), "--delimiter", "tab",
             "--output", str(artifacts / "catalogue")], check=True)  # fmt: skip


def safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header, body = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(body[slice(*spec["data_offsets"])], NUMPY_TYPES[spec["dtype"]]).reshape(spec["shape"])
        for name, spec in header.items()
    }


def id_table(folder: pathlib.Path, role: str) -> np.ndarray:
    manifest = json.loads((folder / "marquee.json").read_text())
    (path,) = [file["path"] for file in manifest["files"] if file["role"] == role]
    return np.array([int(json.loads(line)) for line in (folder / path).read_text().splitlines()])


def numpy_model(out: pathlib.Path) -> None:
    """Writes the weights of our artifact for the peer: out/model.npz."""
    folder = out / "artifacts" / "mf"
    weights = safetensors(folder / "weights.safetensors")
    titles = id_table(folder, "titles")
    row = {title: i for i, title in enumerate(titles.tolist())}
    catalogue = [json.loads(line) for line in (out / "artifacts" / "catalogue" / "catalogue.jsonl").read_text().splitlines()]
    slices = {
        f"slice_{n}": np.array([row[int(t["id"])] for t in catalogue if genre in t["genres"] and int(t["id"]) in row])
        for n, genre in enumerate(GENRES)
    }
    np.savez(
        out / "model.npz", mean=weights["global.mean"], viewer_bias=weights["viewer.bias"],
        title_bias=weights["title.bias"], viewer_factors=weights["viewer.factors"],
        title_factors=weights["title.factors"], history_offsets=weights["history.offsets"],
        history_titles=weights["history.titles"], viewers=id_table(folder, "viewers"), titles=titles, **slices,
    )  # fmt: skip
