//! Which detection belongs to which track, so that the sum of costs is least.

/// Pairs of (row, column) with the least total cost, each row and column at most once, none above
/// `limit`. `cost` is row-major with `columns` columns.
///
/// The Hungarian method with potentials (Kuhn 1955, Munkres 1957), O(rows² · columns). A row
/// without a partner costs `limit`, so that a good pair is not broken up for two poor ones.
pub(super) fn assign(cost: &[f32], columns: usize, limit: f32) -> Vec<(usize, usize)> {
    if columns == 0 || cost.is_empty() {
        return Vec::new();
    }
    let rows = cost.len() / columns;
    if rows > columns {
        let turned: Vec<f32> = (0..cost.len()).map(|i| cost[i % rows * columns + i / rows]).collect();
        let mut pairs: Vec<_> = assign(&turned, rows, limit).into_iter().map(|(c, r)| (r, c)).collect();
        pairs.sort_unstable();
        return pairs;
    }
    // Index 0 of rows and columns is a sentinel.
    let at = |row: usize, column: usize| cost[(row - 1) * columns + column - 1].min(limit);
    let mut row_potential = vec![0.0f32; rows + 1];
    let mut column_potential = vec![0.0f32; columns + 1];
    let mut row_of = vec![0usize; columns + 1];
    let mut came_from = vec![0usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut slack = vec![f32::INFINITY; columns + 1];
        let mut visited = vec![false; columns + 1];
        while row_of[column] != 0 {
            visited[column] = true;
            let current = row_of[column];
            let (mut step, mut next) = (f32::INFINITY, 0);
            for j in (1..=columns).filter(|j| !visited[*j]) {
                let reduced = at(current, j) - row_potential[current] - column_potential[j];
                if reduced < slack[j] {
                    slack[j] = reduced;
                    came_from[j] = column;
                }
                if slack[j] < step || next == 0 {
                    (step, next) = (slack[j], j);
                }
            }
            for j in 0..=columns {
                if visited[j] {
                    row_potential[row_of[j]] += step;
                    column_potential[j] -= step;
                } else {
                    slack[j] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[came_from[column]];
            column = came_from[column];
        }
    }
    let mut pairs: Vec<_> = (1..=columns)
        .filter(|column| row_of[*column] != 0)
        .map(|column| (row_of[column] - 1, column - 1))
        .filter(|(row, column)| cost[row * columns + column] <= limit)
        .collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Least cost over all partial assignments, where leaving a row out costs as much as the
    /// limit.
    fn least(cost: &[f32], columns: usize, row: usize, used: u32, limit: f32) -> f32 {
        if row * columns == cost.len() {
            return 0.0;
        }
        let leave = limit + least(cost, columns, row + 1, used, limit);
        (0..columns)
            .filter(|c| used & (1 << c) == 0 && cost[row * columns + c] <= limit)
            .map(|c| cost[row * columns + c] + least(cost, columns, row + 1, used | (1 << c), limit))
            .fold(leave, f32::min)
    }

    proptest! {
        #[test]
        fn no_assignment_is_cheaper((rows, columns) in (1usize..6, 1usize..6), values in prop::collection::vec(0.0f32..1.0, 36)) {
            let limit = 0.7;
            let cost = &values[..rows * columns];
            let pairs = assign(cost, columns, limit);
            let paid: f32 = pairs.iter().map(|(r, c)| cost[r * columns + c]).sum();
            let total = paid + limit * (rows - pairs.len()) as f32;
            prop_assert!((total - least(cost, columns, 0, 0, limit)).abs() < 1e-4, "{pairs:?}");
            let mut seen: Vec<_> = pairs.iter().map(|p| p.1).collect();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), pairs.len());
        }
    }

    #[test]
    fn nothing_and_nonsense() {
        assert!(assign(&[], 0, 1.0).is_empty());
        assert!(assign(&[f32::NAN, f32::INFINITY], 2, 0.5).is_empty());
    }
}
