//! Columns of text.

/// The rows with their columns aligned, one line each, `indent` in front; nothing is behind the last column.
pub(crate) fn table<const N: usize>(indent: &str, rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let lines = rows.iter().map(|row| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{indent}{}", cells.join("  ")).trim_end().to_owned() + "\n"
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "b", "c"], ["aaa", "", "c"], ["", "bb", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(super::table("  ", &rows), "  a    b   c\n  aaa      c\n       bb\n");
    }
}
