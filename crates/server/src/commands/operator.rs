//! `tenantry operator …`.

use std::io::{self, IsTerminal};

use secrecy::SecretString;
use serde_json::json;
use tenantry_app::{
    App,
    accounts::{
        Caretaker, CreateOperatorError, FactorReset, ManageOperatorError, OperatorAccount, OperatorPasswordError,
        create_operator, disable_operator, enable_operator, find_operator, first_operator_link, list_operators,
        reset_operator_second_factor, set_operator_password, set_operator_role,
    },
};
use tenantry_domain::{
    accounts::{Email, OperatorRole, Password},
    ids::OperatorId,
};

use crate::{
    cli::{OperatorCommand, OperatorRoleArg, Output},
    exit::{Failure, FailureKind},
    print::{print_json, print_line, print_table},
    wiring::Wired,
};

/// Who acted, in the audit log, when somebody uses this program.
pub const ACTOR: &str = "command line";

/// Runs one of the commands.
pub async fn run(wired: &Wired, command: OperatorCommand) -> Result<(), Failure> {
    match command {
        OperatorCommand::Create { email, role, output } => create(wired, &email, role, output.output).await,
        OperatorCommand::Link(output) => link(&wired.app, output.output).await,
        OperatorCommand::List(output) => list(&wired.app, output.output).await,
        OperatorCommand::Disable { operator, output } => {
            let id = one(&wired.app, &operator).await?.0;
            let account = disable_operator(&wired.app, id, Caretaker::CommandLine)
                .await
                .map_err(refused)?;
            changed(&account, "is disabled, and signed out", output.output)
        }
        OperatorCommand::Enable { operator, output } => {
            let id = one(&wired.app, &operator).await?.0;
            let account = enable_operator(&wired.app, id, Caretaker::CommandLine)
                .await
                .map_err(refused)?;
            changed(&account, "may sign in again", output.output)
        }
        OperatorCommand::Role { operator, role, output } => {
            let id = one(&wired.app, &operator).await?.0;
            let account = set_operator_role(&wired.app, id, role_of(role), Caretaker::CommandLine)
                .await
                .map_err(refused)?;
            changed(&account, &format!("is {} from now on", account.role), output.output)
        }
        OperatorCommand::ResetSecondFactor { operator, output } => {
            let (id, email) = one(&wired.app, &operator).await?;
            let reset = reset_operator_second_factor(&wired.app, id, Caretaker::CommandLine)
                .await
                .map_err(refused)?;
            enrolment(id, &email, &reset, output.output)
        }
        OperatorCommand::SetPassword { operator, output } => {
            let (id, email) = one(&wired.app, &operator).await?;
            set_password(&wired.app, id, &email, output.output).await
        }
    }
}

fn enrolment(id: OperatorId, email: &str, reset: &FactorReset, output: Output) -> Result<(), Failure> {
    let FactorReset { existed, link } = reset;
    match output {
        Output::Json => print_json(&json!({
            "id": id, "had_second_factor": existed, "url": link.url, "expires_at": link.expires_at,
        })),
        Output::Text => {
            print_line(&link.url)?;
            let what = if *existed {
                format!("The second factor of {email} is forgotten, and they are signed out.")
            } else {
                format!("{email} had no second factor.")
            };
            print_line(&format!(
                "{what} With this link and their password they set one up; it works once, until {}. Hand it to nobody else.",
                link.expires_at.format("%F %R UTC")
            ))
        }
    }
}

async fn set_password(app: &App, id: OperatorId, email: &str, output: Output) -> Result<(), Failure> {
    let password = Password::choose(&read_password()?)
        .map_err(|error| Failure::new(FailureKind::Usage, format!("the password: {error}")))?;
    set_operator_password(app, id, password, Caretaker::CommandLine)
        .await
        .map_err(|error| {
            let kind = match &error {
                OperatorPasswordError::Unknown => FailureKind::NotFound,
                OperatorPasswordError::WeakPassword(_) => FailureKind::Usage,
                OperatorPasswordError::WrongPassword(_) | OperatorPasswordError::TooManyAttempts(_) => {
                    FailureKind::Failed
                }
                OperatorPasswordError::Fault(_) => FailureKind::Unavailable,
            };
            Failure::new(kind, error)
        })?;
    match output {
        Output::Json => print_json(&json!({ "id": id })),
        Output::Text => print_line(&format!("{email} has another password, and is signed out everywhere")),
    }
}

async fn link(app: &App, output: Output) -> Result<(), Failure> {
    let Some(link) = first_operator_link(app, "command line").await.map_err(unavailable)? else {
        return Err(Failure::new(
            FailureKind::Refused,
            "there are operators already; `tenantry operator create` makes another one",
        ));
    };
    match output {
        Output::Json => print_json(&json!({ "url": link.url, "expires_at": link.expires_at })),
        Output::Text => {
            print_line(&link.url)?;
            print_line(&format!("works once, until {}", link.expires_at.format("%F %R UTC")))
        }
    }
}

async fn list(app: &App, output: Output) -> Result<(), Failure> {
    // Operators are a handful of colleagues.
    let operators = list_operators(app, None, None, i64::MAX).await.map_err(unavailable)?;
    match output {
        Output::Json => print_json(&operators.iter().map(document).collect::<Vec<_>>()),
        Output::Text if operators.is_empty() => {
            print_line("no operators; `tenantry operator link` prints a link for the first one")
        }
        Output::Text => {
            let rows: Vec<[String; 5]> = operators
                .into_iter()
                .map(|operator| {
                    let state = match (operator.disabled_at, operator.second_factor) {
                        (Some(at), _) => format!("disabled {}", at.format("%F")),
                        (None, true) => "active".to_owned(),
                        (None, false) => "second factor to be set up".to_owned(),
                    };
                    let seen = operator
                        .last_used_at
                        .map_or_else(|| "-".to_owned(), |at| at.format("%F %R").to_string());
                    [
                        OperatorId::from_uuid(operator.id).to_string(),
                        operator.role,
                        operator.email_normalized,
                        seen,
                        state,
                    ]
                })
                .collect();
            print_table(["OPERATOR", "ROLE", "ADDRESS", "SEEN (UTC)", "STATE"], &rows)
        }
    }
}

/// Id and address of an operator, before anything is asked or done.
async fn one(app: &App, text: &str) -> Result<(OperatorId, String), Failure> {
    let id = find_operator(app, text).await.map_err(unavailable)?;
    // An id says of itself only that it could be one.
    let operators = list_operators(app, None, None, i64::MAX).await.map_err(unavailable)?;
    id.and_then(|id| {
        let found = operators.into_iter().find(|operator| operator.id == id.uuid())?;
        Some((id, found.email_normalized))
    })
    .ok_or_else(|| {
        Failure::new(
            FailureKind::NotFound,
            format!("no operator has the id or address {text}; `tenantry operator list` shows all"),
        )
    })
}

fn changed(account: &OperatorAccount, what: &str, output: Output) -> Result<(), Failure> {
    match output {
        Output::Json => print_json(&document(account)),
        Output::Text => print_line(&format!("{} {what}", account.email_normalized)),
    }
}

fn document(account: &OperatorAccount) -> serde_json::Value {
    json!({
        "id": OperatorId::from_uuid(account.id),
        "email": account.email_normalized,
        "role": account.role,
        "second_factor": account.second_factor,
        "created_at": account.created_at,
        "last_used_at": account.last_used_at,
        "disabled_at": account.disabled_at,
    })
}

fn unavailable(error: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Unavailable, error)
}

fn refused(error: ManageOperatorError) -> Failure {
    let kind = match &error {
        ManageOperatorError::Unknown => FailureKind::NotFound,
        ManageOperatorError::Fault(_) => FailureKind::Unavailable,
        ManageOperatorError::Yourself | ManageOperatorError::LastAdmin | ManageOperatorError::NotAdmin => {
            FailureKind::Refused
        }
    };
    Failure::new(kind, error)
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
                CreateOperatorError::Fault(_) => FailureKind::Unavailable,
            };
            Failure::new(kind, error)
        })?;
    match output {
        Output::Json => print_json(&json!({
            "id": id, "email": email.as_str(), "role": role_of(role).as_str(),
        })),
        Output::Text => print_line(&format!(
            "{} is {} now, signs in at {} and sets up a second factor there",
            email.as_str(),
            role_of(role),
            wired.app.settings.operator_link("/operator")
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
