#!/usr/bin/env python3
"""Measures Marquee and its peers in one run: `make bench`, `make bench ONLY=topk`.

Every row alternates repetitions of Marquee and of the peer, so that both run under the same conditions, and compares medians.
Prints a table and writes target/bench/results.json. A slow figure does not fail the run: `holds` shows whether each row met its target.
"""

import argparse
import json
import os
import pathlib
import sys

import als
import ease
import memory
import reconcile
import serving
import start
import topk
from row import Row

ROOMS = {"topk": topk, "als": als, "ease": ease, "serving": serving, "start": start, "memory": memory,
         "operator": reconcile}


def table(rows: list[Row]) -> str:
    head = ["work", "peer", "unit", "ours", "theirs", "ratio", "spread", "must", "goal", "holds"]
    lines = [[str(row.shown()[key]) for key in head] for row in rows]
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in [head, *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(ROOMS), help="one group of rows")
    parser.add_argument("--out", default="target/bench", help="folder for results.json and scratch files")
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    results = out / "results.json"
    kept = []
    if args.only and results.exists():
        kept = [row for row in json.loads(results.read_text()) if row.get("room") != args.only]
    rows: list[Row] = []
    for name, room in ROOMS.items():
        if args.only in (None, name):
            print(f"==> {name}", file=sys.stderr, flush=True)
            for row in room.rows(out):
                row.room = name
                rows.append(row)
                print("    " + json.dumps(row.shown()), file=sys.stderr, flush=True)
                results.write_text(json.dumps(kept + [row.recorded() for row in rows], indent=1) + "\n")
    print(table(rows))
    print(f"written to {os.path.relpath(results)}")


if __name__ == "__main__":
    main()
