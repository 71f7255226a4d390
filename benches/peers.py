"""CPU seconds of peers, one line of JSON each: percentile intervals of AUC, sensitivity, specificity and F1.

Usage: peers.py LARGEST_N. Peers that take minutes (scikit-learn's loop, confidenceinterval) run fewer replicates, and the
time is scaled: every replicate costs the same.
"""
import json
import sys
import time
import warnings

# This folder: numba would take coverage/, a bench in Rust, for the package of that name.
sys.path.pop(0)

import numba
import numpy as np
from scipy import stats
from sklearn import metrics

warnings.filterwarnings("ignore")
LARGEST = int(sys.argv[1]) if len(sys.argv) > 1 else 16_370


def report(peer, what, n, positives, replicates, seconds):
    if replicates == 2000:  # every replicate costs the same
        report(peer, what, n, positives, 10_000, seconds * 5)
    print(json.dumps(dict(peer=peer, what=what, n=n, positives=positives, replicates=replicates, seconds=seconds)), flush=True)


def timed(work, scale=1.0):
    start = time.process_time()
    work()
    return (time.process_time() - start) * scale


def sklearn_loop(y, s, replicates, rng):
    out = []
    for _ in range(replicates):
        i = rng.integers(0, len(y), len(y))
        a, b = y[i], s[i]
        c = b >= 0.5
        out.append((metrics.roc_auc_score(a, b), metrics.recall_score(a, c), metrics.recall_score(a, c, pos_label=0), metrics.f1_score(a, c)))
    return np.percentile(out, [2.5, 97.5], axis=0)


def numpy_counts(y, s, replicates, rng):
    order = np.argsort(s, kind="stable")
    y, s = y[order], s[order]
    cut = np.searchsorted(s, 0.5)
    n, out = len(y), np.empty((replicates, 4))
    for b in range(replicates):
        w = np.bincount(rng.integers(0, n, n), minlength=n)
        p = w * y
        q = w - p
        m, k = p.sum(), q.sum()
        tp, fp = p[cut:].sum(), q[cut:].sum()
        out[b] = (p * (np.cumsum(q) - 0.5 * q)).sum() / (m * k), tp / m, 1 - fp / k, 2 * tp / (tp + fp + m)
    return np.percentile(out, [2.5, 97.5], axis=0)


@numba.njit
def numba_loop(y, cut, replicates, seed, out):
    np.random.seed(seed)
    n = len(y)
    for b in range(replicates):
        w = np.zeros(n, np.int32)
        for _ in range(n):
            w[np.random.randint(0, n)] += 1
        below = m = tn = fn = 0
        wins = 0.0
        for i in range(n):
            if i == cut:
                tn, fn = below, m
            if y[i]:
                wins += w[i] * below
                m += w[i]
            else:
                below += w[i]
        tp, fp = m - fn, below - tn
        out[b, 0], out[b, 1], out[b, 2], out[b, 3] = wins / (m * below), tp / m, tn / below, 2.0 * tp / (tp + fp + m)


def delong_ranks(y, s):
    pos, neg = s[y == 1], s[y == 0]
    r = stats.rankdata(s)
    v1 = (r[y == 1] - stats.rankdata(pos)) / len(neg)
    v0 = 1 - (r[y == 0] - stats.rankdata(neg)) / len(pos)
    return v1.var(ddof=1) / len(pos) + v0.var(ddof=1) / len(neg)


WHAT = "auc+sensitivity+specificity+f1"
for n, positives in ((1000, 500), (16_370, 223), (112_120, 1431)):
    if n > LARGEST:
        continue
    rng = np.random.default_rng(3)
    y = (np.arange(n) < positives).astype(np.int64)
    s = 1 / (1 + np.exp(-rng.normal(size=n) - 1.2 * y))
    order = np.argsort(s, kind="stable")
    cut, out = int(np.searchsorted(s[order], 0.5)), np.empty((2000, 4))
    numba_loop(y[order], cut, 2, 1, out)
    report("numba", WHAT, n, positives, 2000, timed(lambda: numba_loop(y[order], cut, 400, 1, out), 5))
    report("numpy", WHAT, n, positives, 2000, timed(lambda: numpy_counts(y, s, 400, rng), 5))
    report("scikit-learn", WHAT, n, positives, 2000, timed(lambda: sklearn_loop(y, s, 40, rng), 50))
    report("scipy ranks", "delong", n, positives, 0, timed(lambda: [delong_ranks(y, s) for _ in range(5)], 0.2))
    try:
        import confidenceinterval as ci

        def both():
            for f in (ci.roc_auc_score, ci.tpr_score, ci.tnr_score, ci.f1_score):
                f(y.tolist(), (s if f is ci.roc_auc_score else (s >= 0.5).astype(int)).tolist(), confidence_level=0.95, method="bootstrap_percentile", n_resamples=40)

        report("confidenceinterval", WHAT, n, positives, 2000, timed(both, 50))
    except Exception as error:  # another release may name things differently: say so and go on
        print(f"confidenceinterval could not be measured: {error}", file=sys.stderr)
if LARGEST >= 1_000_000:
    for positives in (13_600, 500_000):
        rng = np.random.default_rng(3)
        y = (np.arange(1_000_000) < positives).astype(np.int64)
        s = rng.normal(size=1_000_000) + 1.2 * y
        report("scipy ranks", "delong", 1_000_000, positives, 0, timed(lambda: delong_ranks(y, s)))
