"""The moments of U-statistics (Gallas 2006) of 2 modalities x 20 readers x 1,000 cases by NumPy, beside
`cargo bench --bench reader_studies -- speed`, which does the same and whose seconds may be the argument: seconds on
the clock and of processor time, the least of ten times."""
import sys
import time

import numpy as np

import speed_log

READERS, CASES = 40, 500
draw = np.random.default_rng(1)
negative = draw.normal(size=(READERS, CASES))
positive = draw.normal(size=(READERS, CASES)) + 1.2


def once():
    clock, processor = time.perf_counter(), time.process_time()
    wins = np.empty((READERS, CASES, CASES), dtype=np.float32)
    for reader in range(READERS):
        above = positive[reader][:, None] - negative[reader][None, :]
        wins[reader] = (above > 0) + 0.5 * (above == 0)
    flat = wins.reshape(READERS, -1)
    rows, columns, area = wins.mean(axis=2), wins.mean(axis=1), flat.mean(axis=1)
    moments = [flat @ flat.T / CASES**2, rows @ rows.T / CASES, columns @ columns.T / CASES, np.outer(area, area)]
    return time.perf_counter() - clock, time.process_time() - processor, sum(map(np.sum, moments))


clock, processor, total = min(once() for _ in range(10))
print(f"2 x 20 x 1,000 by NumPy: {clock:.3f} s, {processor:.3f} s of the processor, sum {total:.6f}")
if len(sys.argv) > 1:
    print(f"by Sequester: {float(sys.argv[1]):.3f} s on one thread")
    what = "U-statistics of 2 modalities, 20 readers, 1,000 cases"
    speed_log.add(f"{what}, core-seconds", float(sys.argv[1]), "NumPy", processor)
    speed_log.add(f"{what}, on the clock", float(sys.argv[1]), "NumPy, all cores (ours one)", clock)
