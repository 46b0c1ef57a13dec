//! `tenantry keys …`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tenantry_app::accounts::{SigningKey, list_keys, revoke_key, rotate_keys};
use tenantry_domain::accounts::tokens::SigningAlgorithm;

use super::{confirm, operator::ACTOR};
use crate::{
    cli::{AlgorithmArg, KeysCommand, Output},
    exit::{Failure, FailureKind},
    print::{print_json, print_line, print_table},
    wiring::Wired,
};

/// Runs one of the commands.
pub async fn run(wired: &Wired, command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::List(output) => list(wired, output.output).await,
        KeysCommand::Rotate { algorithm, output } => rotate(wired, algorithm, output.output).await,
        KeysCommand::Revoke { key, yes, output } => revoke(wired, &key, yes, output.output).await,
    }
}

async fn list(wired: &Wired, output: Output) -> Result<(), Failure> {
    let keys = list_keys(&wired.app).await.map_err(unavailable)?;
    if output == Output::Json {
        let keys: Vec<Value> = keys.iter().map(|key| view(wired, key)).collect();
        return print_json(&json!({ "keys": keys }));
    }
    if keys.is_empty() {
        return print_line("no keys yet; the server makes them when the first token is needed");
    }
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            [
                key.kid.clone(),
                key.algorithm.as_str().to_owned(),
                state(wired, key).to_owned(),
                minute(key.times.not_before),
                minute(key.times.retire_at),
                minute(key.times.remove_at),
            ]
        })
        .collect();
    print_table(
        ["KEY", "ALGORITHM", "STATE", "SIGNS FROM", "UNTIL", "PUBLISHED UNTIL"],
        &rows,
    )
}

async fn rotate(wired: &Wired, algorithm: Option<AlgorithmArg>, output: Output) -> Result<(), Failure> {
    let algorithms = match algorithm {
        None => SigningAlgorithm::ALL.to_vec(),
        Some(AlgorithmArg::EdDsa) => vec![SigningAlgorithm::EdDsa],
        Some(AlgorithmArg::Rs256) => vec![SigningAlgorithm::Rs256],
    };
    let mut made = Vec::new();
    for algorithm in algorithms {
        made.push(rotate_keys(&wired.app, algorithm, ACTOR).await.map_err(unavailable)?);
    }
    if output == Output::Json {
        let keys: Vec<Value> = made.iter().map(|key| view(wired, key)).collect();
        return print_json(&json!({ "keys": keys }));
    }
    made.iter().try_for_each(announce)
}

async fn revoke(wired: &Wired, kid: &str, yes: bool, output: Output) -> Result<(), Failure> {
    if !yes {
        let warning = format!(
            "This takes key {kid} out of use at once: every token that it signed is refused from now on. There is no undo."
        );
        confirm::ask("takes a key out of use for good", &warning, kid)?;
    }
    let revoked = revoke_key(&wired.app, kid, ACTOR)
        .await
        .map_err(unavailable)?
        .ok_or_else(|| {
            Failure::new(
                FailureKind::NotFound,
                format!("there is no key {kid}; `tenantry keys list` shows all"),
            )
        })?;
    if output == Output::Json {
        return print_json(&json!({
            "kid": revoked.kid,
            "algorithm": revoked.algorithm.as_str(),
            "revoked_at": revoked.revoked_at,
            "successor": revoked.successor.as_ref().map(|key| view(wired, key)),
        }));
    }
    print_line(&format!(
        "{} {} is revoked since {}",
        revoked.algorithm.as_str(),
        revoked.kid,
        minute(revoked.revoked_at)
    ))?;
    revoked.successor.as_ref().map_or(Ok(()), announce)
}

fn announce(key: &SigningKey) -> Result<(), Failure> {
    print_line(&format!(
        "{} {} is published and signs from {} on",
        key.algorithm.as_str(),
        key.kid,
        minute(key.times.not_before)
    ))
}

fn view(wired: &Wired, key: &SigningKey) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm.as_str(),
        "state": state(wired, key),
        "created_at": key.times.created_at,
        "not_before": key.times.not_before,
        "retire_at": key.times.retire_at,
        "remove_at": key.times.remove_at,
    })
}

/// What a key does at present.
fn state(wired: &Wired, key: &SigningKey) -> &'static str {
    if key.signs {
        "signs"
    } else if wired.app.clock.now() < key.times.not_before {
        "next"
    } else {
        "retired"
    }
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn unavailable(error: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Unavailable, error)
}
