//! Small dense systems of linear equations.

/// Solves A·x = b by elimination with row pivoting; the rows of `a` hold n numbers each. `None` where A is
/// singular or no square.
pub(super) fn solved(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    if a.len() != n || a.iter().any(|row| row.len() != n) {
        return None;
    }
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))?;
        if a[pivot][column] == 0.0 || !a[pivot][column].is_finite() {
            return None;
        }
        a.swap(column, pivot);
        b.swap(column, pivot);
        let (above, below) = a.split_at_mut(column + 1);
        let leading = &above[column];
        for (offset, row) in below.iter_mut().enumerate() {
            let factor = row[column] / leading[column];
            if factor != 0.0 {
                row.iter_mut().zip(leading).skip(column).for_each(|(x, y)| *x -= factor * y);
                b[column + 1 + offset] -= factor * b[column];
            }
        }
    }
    for column in (0..n).rev() {
        let known: f64 = (column + 1..n).map(|j| a[column][j] * b[j]).sum();
        b[column] = (b[column] - known) / a[column][column];
    }
    b.iter().all(|x| x.is_finite()).then_some(b)
}
