//! What commands print on standard output.

use std::io::{self, Write};

use serde::Serialize;

use crate::exit::{Failure, FailureKind};

/// One document, indented, with a newline.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(FailureKind::Failed, error))?;
    print_line(&text)
}

/// One line of text. A closed pipe (`| head`) ends quietly.
pub fn print_line(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(FailureKind::Failed, error)),
    }
}

/// A table with columns as wide as their widest cell; the last one is not padded.
pub fn print_table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Result<(), Failure> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .chain([headings[column].chars().count()])
            .max()
            .unwrap_or_default()
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |cells: [&str; COLUMNS]| {
        let mut line = String::new();
        for (column, cell) in cells.into_iter().enumerate() {
            line.push_str(cell);
            if column + 1 < COLUMNS {
                line.extend(std::iter::repeat_n(' ', widths[column] - cell.chars().count() + 2));
            }
        }
        line
    };
    print_line(&line(headings))?;
    rows.iter()
        .try_for_each(|row| print_line(&line(std::array::from_fn(|column| row[column].as_str()))))
}
