#!/usr/bin/env python3
"""Writes fixtures/reads/programs: one small table of reads as the programs write it that people use.

    pip install openpyxl==3.1.5 pandas==3.1.1 && apt-get install libreoffice-calc r-base-core r-cran-openxlsx r-cran-readr
    python3 scripts/reads-from-programs.py

Needs soffice and Rscript on the path, and leaves the fixtures alone where one is not there. The files that are committed came from
the versions that programs.json names. Workbooks hold the time at which they were written, so their bytes differ from run to run;
what is read of them does not. The table: ids with leading zeros, answers 1 and 0 with one gap, a time, a name with a letter that is
not ASCII. tests/it/programs.rs reads every file and compares.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import openpyxl
import pandas

HERE = pathlib.Path(__file__).resolve().parent.parent / "fixtures/reads/programs"
CASES = ["007", "008", "010", "011", "012"]
READERS = ["Zoé", "R2"]
R = r"""
reads <- read.csv(commandArgs(TRUE)[1], colClasses = c("character", "character", "integer", "character"),
                  fileEncoding = "UTF-8", na.strings = "")
reads$read_at <- as.POSIXct(reads$read_at, tz = "UTC", format = "%Y-%m-%d %H:%M")
to <- function(name) file.path(commandArgs(TRUE)[2], name)
write.csv(reads, to("r-write-csv.csv"), fileEncoding = "UTF-8")
write.csv(reads, to("r-write-csv-plain.csv"), row.names = FALSE, na = "", quote = FALSE, fileEncoding = "UTF-8")
write.csv2(reads, to("r-write-csv2.csv"), row.names = FALSE, fileEncoding = "UTF-8")
write.table(reads, to("r-write-table.tsv"), sep = "\t", row.names = FALSE, fileEncoding = "UTF-8")
readr::write_csv(reads, to("r-readr.csv"))
readr::write_excel_csv2(reads, to("r-readr-excel.csv"))
openxlsx::write.xlsx(reads, to("r-openxlsx.xlsx"))
cat(paste("R", getRversion()), paste("openxlsx", packageVersion("openxlsx")), paste("readr", packageVersion("readr")), sep = "\n")
"""


def rows():
    """case, reader, answer, time; the answer of one is missing."""
    found = []
    for i, case in enumerate(CASES):
        for j, reader in enumerate(READERS):
            answer = None if (i, j) == (3, 1) else (i + j) % 2
            found.append((case, reader, answer, pandas.Timestamp(2026, 3, 2, 9, 10 * i + j)))
    return found


def soffice(folder, source, target, options=""):
    """Converts `source` into `folder`, with a profile of its own."""
    kind = target + (f":{options}" if options else "")
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", kind, "--outdir", folder, source],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    return pathlib.Path(folder) / (pathlib.Path(source).stem + "." + target)


def main():
    missing = [name for name in ("soffice", "Rscript") if not shutil.which(name)]
    if missing:
        sys.exit(f"not there: {', '.join(missing)}; the fixtures stay as they are")
    HERE.mkdir(parents=True, exist_ok=True)
    table = pandas.DataFrame(rows(), columns=["case_id", "reader_id", "read", "read_at"])
    versions = [f"openpyxl {openpyxl.__version__}", f"pandas {pandas.__version__}"]
    # openpyxl: ids and answers as text and numbers, the time as a date.
    book = openpyxl.Workbook()
    book.active.append(list(table.columns))
    for case, reader, answer, time in rows():
        book.active.append([case, reader, answer, time.to_pydatetime()])
    book.save(HERE / "openpyxl.xlsx")
    # pandas: the default index, a column of whole numbers with a gap (1.0), and neither.
    table.to_csv(HERE / "pandas-index.csv")
    table.to_csv(HERE / "pandas.csv", index=False)
    table.astype({"read": "Int64"}).to_csv(HERE / "pandas-int64.csv", index=False, sep=";", encoding="utf-8-sig")
    table.to_excel(HERE / "pandas.xlsx", index=False)
    with tempfile.TemporaryDirectory() as folder:
        plain = pathlib.Path(folder) / "plain.csv"
        table.astype({"read": "Int64"}).to_csv(plain, index=False, date_format="%Y-%m-%d %H:%M")
        script = pathlib.Path(folder) / "write.R"
        script.write_text(R)
        ran = subprocess.run(["Rscript", script, plain, HERE], check=True, capture_output=True, text=True)
        versions += ran.stdout.split("\n")[:3]
        # LibreOffice: a CSV opened as it is, where 007 becomes the number 7; with its first two columns as text; a
        # workbook saved again; and a workbook saved as CSV.
        guessed = soffice(folder, plain, "xlsx")
        shutil.copy(guessed, HERE / "libreoffice-opened-csv.xlsx")
        source = pathlib.Path(folder) / "book.xlsx"
        shutil.copy(HERE / "openpyxl.xlsx", source)
        for kind, name in [("ods", "book.ods"), ("csv", "libreoffice.csv")]:
            made = soffice(folder, source, kind, 'Text - txt - csv (StarCalc):44,34,76,1' if kind == "csv" else "")
            if kind == "csv":
                shutil.copy(made, HERE / name)
        again = soffice(folder, pathlib.Path(folder) / "book.ods", "xlsx", "Calc MS Excel 2007 XML")
        shutil.copy(again, HERE / "libreoffice.xlsx")
        versions.append(subprocess.run(["soffice", "--version"], check=True, capture_output=True, text=True).stdout.split(" 40")[0].strip())
    files = {
        "openpyxl.xlsx": "", "pandas.xlsx": "", "r-openxlsx.xlsx": "", "libreoffice.xlsx": "",
        "pandas.csv": "", "pandas-index.csv": "", "pandas-int64.csv": "", "libreoffice.csv": "",
        "r-write-csv.csv": "NA", "r-write-csv-plain.csv": "", "r-write-csv2.csv": "NA", "r-write-table.tsv": "NA",
        "r-readr.csv": "NA", "r-readr-excel.csv": "NA",
    }
    said = [[case, reader, "positive" if answer else "negative"] for case, reader, answer, _ in rows() if answer is not None]
    (HERE / "programs.json").write_text(json.dumps({
        "versions": versions,
        "expected": said,
        "missing": files,
        "zeros_lost": ["libreoffice-opened-csv.xlsx"],
    }, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
