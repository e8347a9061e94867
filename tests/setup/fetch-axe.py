#!/usr/bin/env python3
"""Fetch axe-core 4.14.0 into a folder: fetch-axe.py FOLDER

axe-core finds faults of accessibility in a web page. The script comes inside a wheel, byte for byte as axe-core's
authors publish it for npm. It is pinned by SHA-256.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

WHEEL = "pytest-playwright-axe==4.14.0"
SCRIPT = "pytest_playwright_axe/resources/axe.min.js"
SHA256 = "20c09fe157a8a34a30e241aaa1fcdade657734f08ab379ecfbeb7d45cc46e878"


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = pathlib.Path(sys.argv[1]) / "axe.min.js"
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == SHA256:
        return
    print(f"fetching axe-core into {target.parent}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        # The wheel's Python code asks for a newer Python than may be here; only the script is wanted.
        pip += ["--python-version", "3.12", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", scratch, WHEEL], check=True)
        (wheel,) = pathlib.Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            script = archive.read(SCRIPT)
    digest = hashlib.sha256(script).hexdigest()
    if digest != SHA256:
        sys.exit(f"{SCRIPT}: sha256 is {digest}, expected {SHA256}")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(script)
    partial.rename(target)


if __name__ == "__main__":
    main()
