"""Builds every function for release and packs each as Lambda wants it: target/lambda/<function>.zip with one `bootstrap`.

    python3 infra/release.py                               # for the machine's own architecture
    python3 infra/release.py aarch64-unknown-linux-gnu     # for arm64, where that target and its linker are installed

Prints a table of sizes, largest first. The zips are the same for the same binaries: names, times and order are fixed.
"""

import json
import os
import pathlib
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def functions():
    """The crates in functions/, as cargo knows them."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    inside = str(ROOT / "functions") + os.sep
    return sorted(p["name"] for p in metadata["packages"] if p["manifest_path"].startswith(inside)), metadata["target_directory"]


def pack(binary, target):
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(entry, binary.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def main():
    names, directory = functions()
    triple = sys.argv[1] if len(sys.argv) > 1 else None
    # With the least that a function can be, beside which the bench puts the starts of the others.
    command = ["cargo", "build", "--release", "--locked", "--bins"] + [f"--package={n}" for n in [*names, "hello"]]
    subprocess.run(command + (["--target", triple] if triple else []), cwd=ROOT, check=True)
    built = pathlib.Path(directory, *([triple] if triple else []), "release")
    packed = pathlib.Path(directory, "lambda")
    packed.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in names:
        target = packed / f"{name}.zip"
        pack(built / name, target)
        rows.append((target.stat().st_size, (built / name).stat().st_size, name))
    print("| function | zip, MB | binary, MB |\n|---|--:|--:|")
    for zipped, plain, name in sorted(rows, reverse=True):
        print(f"| {name} | {zipped / 1e6:.2f} | {plain / 1e6:.2f} |")


if __name__ == "__main__":
    main()
