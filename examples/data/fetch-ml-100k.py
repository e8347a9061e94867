#!/usr/bin/env python3
"""Fetch MovieLens 100K into a folder: fetch-ml-100k.py FOLDER

The data set comes inside a wheel of the recommender library RecBole. GroupLens allows use for research but not
redistribution, so it is fetched where it is used and never committed. Wheel and files are pinned by SHA-256.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

WHEEL = ("recbole==1.2.1", "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407")
FOLDER = "recbole/dataset_example/ml-100k/"
FILES = {
    "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
    "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
}


def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def whole(folder: pathlib.Path) -> bool:
    return all((folder / name).is_file() and digest(folder / name) == sha for name, sha in FILES.items())


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    if whole(folder):
        return
    print(f"fetching MovieLens 100K into {folder}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*pip, "--dest", scratch, WHEEL[0]], check=True)
        (wheel,) = pathlib.Path(scratch).glob("*.whl")
        if digest(wheel) != WHEEL[1]:
            sys.exit(f"{wheel.name}: sha256 is {digest(wheel)}, expected {WHEEL[1]}")
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in FILES:
                partial = folder / (name + ".partial")
                with archive.open(FOLDER + name) as source, open(partial, "wb") as target:
                    shutil.copyfileobj(source, target)
                partial.rename(folder / name)
    if not whole(folder):
        sys.exit(f"{folder}: a file of the data set has the wrong checksum: remove the folder and try again")


if __name__ == "__main__":
    main()
