"""A study with as many rows as are asked for, from a small one: cases, reads and scores again under new ids.

Usage: python3 benches/rows.py PROGRAM FOLDER ROWS
The scores come from elsewhere, no image is needed, and two thirds of the cases are drawn. Measure
`run --no-pdf` and `verify` of it, for example with `command time -v`.
"""

import csv
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))
import small_study  # noqa: E402

OF = 1000


def again(path, rows, ids):
    """Writes a table's rows again and again, with another number behind each id."""
    with open(path, newline="") as table:
        header, *lines = list(csv.reader(table))
    at = [header.index(name) for name in ids if name in header]
    with open(path, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        for number in range((rows + OF - 1) // OF):
            for line in lines:
                new = list(line)
                for place in at:
                    new[place] = f"{line[place]}x{number}"
                if "score" in header:
                    # As good as no score twice, as of a network.
                    place = header.index("score")
                    new[place] = f"{min(float(line[place]) + ((number * 7919) % 100_003) / 1e8, 0.9999):.8f}"
                writer.writerow(new)


def main():
    program, folder, rows = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    small_study.fewer_replicates = lambda study: None
    small_study.write(program, folder, False, str(OF), "20")
    again(folder / "cases.csv", rows, ["case_id", "patient_id"])
    for reads in sorted((folder / "reads").glob("*.csv")):
        again(reads, rows, ["case_id"])
    again(folder / "scores.csv", rows, ["case_id"])
    for images in ["images", "dicom"]:
        shutil.rmtree(folder / images, ignore_errors=True)
    path = folder / "protocol.toml"
    text = path.read_text()
    text = re.sub(r"(?m)^cases = 666$", f"cases = {rows * 2 // 3}", text)
    text = re.sub(r"(?m)^positives = 333 ", f"positives = {rows // 3} ", text)
    text = re.sub(r'(?m)^images = "images".*\n', "", text)
    path.write_text(text)


main()
