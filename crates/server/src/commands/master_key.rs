//! `tenantry master-key …`.

use serde_json::{Value, json};
use tenantry_app::sealing::rotation::{self, Rotated};

use super::operator::ACTOR;
use crate::{
    cli::{MasterKeyCommand, Output},
    exit::{Failure, FailureKind},
    print::{print_json, print_line, print_table},
    wiring::Wired,
};

/// Runs one of the commands.
pub async fn run(wired: &Wired, command: MasterKeyCommand) -> Result<(), Failure> {
    match command {
        MasterKeyCommand::Rotate(output) => rotate(wired, output.output).await,
    }
}

async fn rotate(wired: &Wired, output: Output) -> Result<(), Failure> {
    let rotated = rotation::rotate(&wired.app, rotation::BATCH, ACTOR)
        .await
        .map_err(|error| {
            let message = format!("{error}. What was sealed anew stays so; run this again to go on");
            Failure::new(FailureKind::Unavailable, message)
        })?;
    let key = wired.app.sealer.current_key();
    match output {
        Output::Json => {
            let columns: Vec<Value> = rotated.iter().map(view).collect();
            print_json(&json!({ "key": key, "columns": columns }))?;
        }
        Output::Text => {
            let rows: Vec<_> = rotated
                .iter()
                .map(|rotated| {
                    [
                        place(rotated),
                        rotated.resealed.to_string(),
                        rotated.unopened.to_string(),
                    ]
                })
                .collect();
            print_table(["WHAT", "SEALED ANEW", "DID NOT OPEN"], &rows)?;
        }
    }
    let unopened: u64 = rotated.iter().map(|rotated| rotated.unopened).sum();
    if unopened > 0 {
        return Err(Failure::new(
            FailureKind::Failed,
            format!(
                "{unopened} values did not open, and stand in the log: put the key that seals them back into the \
                 master key file and run this again. Remove no key"
            ),
        ));
    }
    let resealed: u64 = rotated.iter().map(|rotated| rotated.resealed).sum();
    match (output, resealed) {
        (Output::Json, _) => Ok(()),
        (Output::Text, 0) => print_line(&format!(
            "everything is sealed under {key}: once no server seals under another key, the others may go"
        )),
        (Output::Text, _) => print_line(&format!(
            "{resealed} values are sealed under {key} now; run this again until there is nothing to do"
        )),
    }
}

fn view(rotated: &Rotated) -> Value {
    let (table, column) = rotated.column.place();
    json!({
        "table": table,
        "column": column,
        "resealed": rotated.resealed,
        "unopened": rotated.unopened,
    })
}

fn place(rotated: &Rotated) -> String {
    let (table, column) = rotated.column.place();
    format!("{table}.{column}")
}
