//! `tenantry user …`.

use chrono::{DateTime, Utc};
use serde_json::json;
use tenantry_app::{
    App,
    accounts::{
        Caretaker, Slice, UserDetail, UserSessionSummary, UserSummary, end_user_sessions, find_user, find_user_id,
        list_user_sessions, list_users,
    },
    error::Fault,
};
use tenantry_domain::ids::{OrganizationId, SessionId, UserId};

use crate::{
    cli::{Output, UserCommand},
    exit::{Failure, FailureKind},
    print::{print_json, print_line, print_table},
};

const BY: Caretaker = Caretaker::CommandLine;
/// More sessions than anybody reads.
const SESSIONS: i64 = 200;

/// Runs one of the commands.
pub async fn run(app: &App, command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::List { search, limit, output } => list(app, search.as_deref(), limit, output.output).await,
        UserCommand::Show { user, output } => {
            let id = one(app, &user).await?;
            show(app, id, output.output).await
        }
        UserCommand::EndSessions { user, output } => {
            let id = one(app, &user).await?;
            let ended = end_user_sessions(app, id, BY).await.map_err(fault)?;
            match output.output {
                Output::Json => print_json(&json!({ "user": id, "ended": ended })),
                Output::Text if ended == 1 => print_line("1 session ended"),
                Output::Text => print_line(&format!("{ended} sessions ended")),
            }
        }
    }
}

async fn list(app: &App, search: Option<&str>, limit: u32, output: Output) -> Result<(), Failure> {
    let slice = Slice {
        after: None,
        limit: i64::from(limit),
    };
    let users = list_users(app, search, slice, BY).await.map_err(fault)?;
    match output {
        Output::Json => print_json(&users.iter().map(summary).collect::<Vec<_>>()),
        Output::Text if users.is_empty() => print_line("nobody"),
        Output::Text => {
            let rows: Vec<[String; 5]> = users
                .into_iter()
                .map(|user| {
                    [
                        UserId::from_uuid(user.id).to_string(),
                        user.created_at.format("%F").to_string(),
                        user.last_used_at.map_or_else(|| "-".to_owned(), minute),
                        user.email_normalized,
                        user.name,
                    ]
                })
                .collect();
            print_table(["USER", "SINCE", "SEEN (UTC)", "ADDRESS", "NAME"], &rows)
        }
    }
}

async fn show(app: &App, id: UserId, output: Output) -> Result<(), Failure> {
    let detail = find_user(app, id, BY)
        .await
        .map_err(fault)?
        .ok_or_else(|| nobody(&id.to_string()))?;
    let slice = Slice {
        after: None,
        limit: SESSIONS,
    };
    let sessions = list_user_sessions(app, id, slice, BY)
        .await
        .map_err(fault)?
        .unwrap_or_default();
    match output {
        Output::Json => print_json(&document(&detail, &sessions)),
        Output::Text => print_person(&detail, &sessions),
    }
}

fn print_person(detail: &UserDetail, sessions: &[UserSessionSummary]) -> Result<(), Failure> {
    let user = &detail.user;
    let factor = if user.summary.second_factor { "yes" } else { "no" };
    print_line(&format!("{} <{}>", user.summary.name, user.summary.email_normalized))?;
    print_line(&format!("  id             {}", UserId::from_uuid(user.summary.id)))?;
    print_line(&format!("  since          {} UTC", minute(user.summary.created_at)))?;
    print_line(&format!(
        "  language       {}, times in {}",
        user.locale, user.time_zone
    ))?;
    print_line(&format!("  second factor  {factor}"))?;
    print_line("")?;
    let rows: Vec<[String; 3]> = detail
        .organizations
        .iter()
        .map(|row| {
            let id = OrganizationId::from_uuid(row.id).to_string();
            [id, row.role.clone(), format!("{} ({})", row.name, row.slug)]
        })
        .collect();
    if rows.is_empty() {
        print_line("in no organization")?;
    } else {
        print_table(["ORGANIZATION", "ROLE", "NAME"], &rows)?;
    }
    print_line("")?;
    let rows: Vec<[String; 5]> = sessions
        .iter()
        .map(|row| {
            let id = SessionId::from_uuid(row.id).to_string();
            let address = row.address.clone().unwrap_or_else(|| "-".to_owned());
            [
                id,
                kind(row).to_owned(),
                minute(row.last_used_at),
                address,
                row.device.clone(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return print_line("signed in nowhere");
    }
    print_table(["SESSION", "KIND", "USED (UTC)", "FROM", "DEVICE"], &rows)
}

fn document(detail: &UserDetail, sessions: &[UserSessionSummary]) -> serde_json::Value {
    let mut document = summary(&detail.user.summary);
    let organizations = detail.organizations.iter().map(|row| {
        json!({
            "id": OrganizationId::from_uuid(row.id), "slug": row.slug, "name": row.name, "role": row.role,
            "joined_at": row.created_at,
        })
    });
    let sessions = sessions.iter().map(|row| {
        json!({
            "id": SessionId::from_uuid(row.id), "kind": kind(row), "device": row.device, "address": row.address,
            "created_at": row.created_at, "last_used_at": row.last_used_at, "expires_at": row.expires_at,
            "operator_email": row.operator_email,
        })
    });
    document["locale"] = json!(detail.user.locale);
    document["time_zone"] = json!(detail.user.time_zone);
    document["verified_at"] = json!(detail.user.verified_at);
    document["memberships"] = organizations.collect();
    document["sessions"] = sessions.collect();
    document
}

fn summary(user: &UserSummary) -> serde_json::Value {
    json!({
        "id": UserId::from_uuid(user.id),
        "email": user.email_normalized,
        "name": user.name,
        "created_at": user.created_at,
        "last_used_at": user.last_used_at,
        "second_factor": user.second_factor,
        "organizations": user.organizations,
    })
}

fn kind(session: &UserSessionSummary) -> &str {
    if session.operator_email.is_some() {
        "support"
    } else {
        &session.kind
    }
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%F %R").to_string()
}

async fn one(app: &App, text: &str) -> Result<UserId, Failure> {
    find_user_id(app, text)
        .await
        .map_err(fault)?
        .ok_or_else(|| nobody(text))
}

fn nobody(text: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("nobody has the id or address {text}; `tenantry user list --search …` finds people"),
    )
}

fn fault(error: Fault) -> Failure {
    Failure::new(FailureKind::Unavailable, error)
}
