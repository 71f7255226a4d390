//! Dorfman, Berbaum and Metz (1992) with the degrees of freedom of Hillis (2007): an analysis of variance of
//! jackknife pseudovalues. It equals Obuchowski and Rockette's with jackknife covariances where readers and
//! cases are random (Hillis et al. 2005); its components are what pilots are published with.

use super::cell::ReaderStudy;
use super::covariance::left_out;

/// Mean squares and components of pseudovalues.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dbm {
    /// Mean squares of modality, reader, case, and their interactions: T, R, C, TR, TC, RC, TRC.
    pub mean_squares: [f64; 7],
    /// Components of variance of R, C, TR, TC, RC, TRC; can be negative.
    pub components: [f64; 6],
}

/// Of a study in which every reader reads every case in two modalities at least; none otherwise.
pub fn dbm(study: &ReaderStudy) -> Option<Dbm> {
    let modalities = study.modalities.len();
    let readers = study.modalities.first()?.len();
    let same = study.readers().windows(2).all(|two| two[0] == two[1]);
    if modalities < 2 || readers < 2 || !same || !study.is_fully_read() || study.cases.iter().any(|n| *n < 2)
    {
        return None;
    }
    let cases = study.cases[0] + study.cases[1];
    let k = cases as f64;
    let pseudo: Vec<Vec<Vec<f64>>> = study
        .modalities
        .iter()
        .map(|of| {
            let values = |auc: f64, left: Vec<f64>| left.into_iter().map(move |x| k * auc - (k - 1.0) * x);
            of.iter().map(|(_, cell)| values(cell.auc(), left_out(cell)).collect()).collect()
        })
        .collect();
    let (n_t, n_r) = (modalities as f64, readers as f64);
    let mean = |keep: &dyn Fn(usize, usize, usize) -> bool| {
        let (mut sum, mut n) = (0.0, 0.0);
        for (i, of) in pseudo.iter().enumerate() {
            for (j, values) in of.iter().enumerate() {
                for (c, value) in values.iter().enumerate().filter(|(c, _)| keep(i, j, *c)) {
                    let _ = c;
                    sum += value;
                    n += 1.0;
                }
            }
        }
        sum / n
    };
    let all = mean(&|_, _, _| true);
    let t: Vec<f64> = (0..modalities).map(|a| mean(&|i, _, _| i == a)).collect();
    let r: Vec<f64> = (0..readers).map(|a| mean(&|_, j, _| j == a)).collect();
    let tr: Vec<Vec<f64>> =
        pseudo.iter().map(|of| of.iter().map(|v| v.iter().sum::<f64>() / k).collect()).collect();
    let tc: Vec<Vec<f64>> = pseudo
        .iter()
        .map(|of| (0..cases).map(|c| of.iter().map(|v| v[c]).sum::<f64>() / n_r).collect())
        .collect();
    let rc: Vec<Vec<f64>> = (0..readers)
        .map(|j| (0..cases).map(|c| pseudo.iter().map(|of| of[j][c]).sum::<f64>() / n_t).collect())
        .collect();
    let c: Vec<f64> = (0..cases).map(|c| tc.iter().map(|of| of[c]).sum::<f64>() / n_t).collect();
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let each = |n: usize, m: usize| (0..n).flat_map(move |a| (0..m).map(move |b| (a, b)));
    let ms_t = k * n_r * squares(&mut t.iter().map(|x| x - all)) / (n_t - 1.0);
    let ms_r = k * n_t * squares(&mut r.iter().map(|x| x - all)) / (n_r - 1.0);
    let ms_c = n_t * n_r * squares(&mut c.iter().map(|x| x - all)) / (k - 1.0);
    let ms_tr = k * squares(&mut each(modalities, readers).map(|(i, j)| tr[i][j] - t[i] - r[j] + all))
        / ((n_t - 1.0) * (n_r - 1.0));
    let ms_tc = n_r * squares(&mut each(modalities, cases).map(|(i, x)| tc[i][x] - t[i] - c[x] + all))
        / ((n_t - 1.0) * (k - 1.0));
    let ms_rc = n_t * squares(&mut each(readers, cases).map(|(j, x)| rc[j][x] - r[j] - c[x] + all))
        / ((n_r - 1.0) * (k - 1.0));
    let cells = (0..modalities).flat_map(|i| each(readers, cases).map(move |(j, x)| (i, j, x)));
    let residual = |(i, j, x): (usize, usize, usize)| {
        pseudo[i][j][x] - tr[i][j] - tc[i][x] - rc[j][x] + t[i] + r[j] + c[x] - all
    };
    let ms_trc = squares(&mut cells.map(residual)) / ((n_t - 1.0) * (n_r - 1.0) * (k - 1.0));
    Some(Dbm {
        mean_squares: [ms_t, ms_r, ms_c, ms_tr, ms_tc, ms_rc, ms_trc],
        components: [
            (ms_r - ms_tr - ms_rc + ms_trc) / (n_t * k),
            (ms_c - ms_tc - ms_rc + ms_trc) / (n_t * n_r),
            (ms_tr - ms_trc) / k,
            (ms_tc - ms_trc) / n_r,
            (ms_rc - ms_trc) / n_t,
            ms_trc,
        ],
    })
}
