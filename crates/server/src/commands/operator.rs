//! `tenantry operator …`.

use std::io::{self, IsTerminal};

use secrecy::SecretString;
use serde_json::json;
use tenantry_app::accounts::{CreateOperatorError, create_operator};
use tenantry_domain::accounts::{Email, OperatorRole, Password};

use crate::{
    cli::{OperatorCommand, OperatorRoleArg, Output},
    exit::{Failure, FailureKind},
    print::{print_json, print_line},
    wiring::Wired,
};

/// Who acted, in the audit log, when somebody uses this program.
pub const ACTOR: &str = "command line";

/// Runs one of the commands.
pub async fn run(wired: &Wired, command: OperatorCommand) -> Result<(), Failure> {
    match command {
        OperatorCommand::Create { email, role, output } => create(wired, &email, role, output.output).await,
    }
}

async fn create(wired: &Wired, email: &str, role: OperatorRoleArg, output: Output) -> Result<(), Failure> {
    let email = Email::parse(email).map_err(|error| Failure::new(FailureKind::Usage, format!("--email: {error}")))?;
    let password = Password::choose(&read_password()?)
        .map_err(|error| Failure::new(FailureKind::Usage, format!("the password: {error}")))?;
    let id = create_operator(&wired.app, &email, password, role_of(role), ACTOR)
        .await
        .map_err(|error| {
            let kind = match &error {
                CreateOperatorError::Exists => FailureKind::Refused,
                CreateOperatorError::WeakPassword(_) => FailureKind::Usage,
                CreateOperatorError::Fault(_) => FailureKind::Failed,
            };
            Failure::new(kind, error)
        })?;
    match output {
        Output::Json => print_json(&json!({"id": id.to_string(), "email": email.as_str()})),
        Output::Text => print_line(&format!(
            "{} may log in at {}",
            email.as_str(),
            wired.app.settings.link("/operator")
        )),
    }
}

/// Asked for without echo on a terminal, else the first line of standard input. Never an argument, which every
/// process of the machine could read.
fn read_password() -> Result<SecretString, Failure> {
    let read = if io::stdin().is_terminal() {
        rpassword::prompt_password("Password: ")
    } else {
        io::stdin().lines().next().transpose().map(Option::unwrap_or_default)
    };
    read.map(SecretString::from)
        .map_err(|error| Failure::new(FailureKind::Usage, format!("the password cannot be read: {error}")))
}

fn role_of(argument: OperatorRoleArg) -> OperatorRole {
    match argument {
        OperatorRoleArg::Viewer => OperatorRole::Viewer,
        OperatorRoleArg::Support => OperatorRole::Support,
        OperatorRoleArg::Admin => OperatorRole::Admin,
    }
}
