//! `tenantry doctor`: looks at everything that Tenantry depends on, each by itself, and says how to mend what is wrong.

mod cluster;
mod database;
mod domains;
mod mail;
mod stripe;

use serde::Serialize;

use crate::{
    cli::Output,
    config::Configuration,
    exit::{Failure, FailureKind},
    print::{print_json, print_line},
    telemetry,
};

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but somebody should know.
    Warning,
    /// Does not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    area: &'static str,
    check: String,
    verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn ok(area: &'static str, check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            area,
            check: check.into(),
            verdict: Verdict::Ok,
            detail: detail.into(),
            mend: None,
        }
    }

    fn wrong(area: &'static str, check: impl Into<String>, detail: impl ToString, mend: impl Into<String>) -> Self {
        let (check, detail, mend) = (check.into(), detail.to_string(), Some(mend.into()));
        Self {
            area,
            check,
            verdict: Verdict::Wrong,
            detail,
            mend,
        }
    }

    fn warning(area: &'static str, check: impl Into<String>, detail: impl ToString, mend: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            ..Self::wrong(area, check, detail, mend)
        }
    }
}

/// Runs every check; fails when anything is wrong.
pub async fn run(configuration: &Configuration, output: Output) -> Result<(), Failure> {
    telemetry::install_for_a_terminal();
    let (database, stripe, cluster, mail) = tokio::join!(
        database::check(configuration),
        stripe::check(configuration),
        cluster::check(configuration),
        mail::check(configuration),
    );
    let findings: Vec<Finding> = [database, stripe, cluster, mail, domains::check(configuration)]
        .into_iter()
        .flatten()
        .collect();
    match output {
        Output::Json => print_json(&findings)?,
        Output::Text => print(&findings)?,
    }
    match findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Wrong)
        .count()
    {
        0 => Ok(()),
        1 => Err(Failure::new(
            FailureKind::Failed,
            "one thing is wrong; how to mend it stands beside it",
        )),
        wrong => Err(Failure::new(
            FailureKind::Failed,
            format!("{wrong} things are wrong; how to mend each stands beside it"),
        )),
    }
}

fn print(findings: &[Finding]) -> Result<(), Failure> {
    let mut area = "";
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            print_line(area)?;
        }
        let mark = match finding.verdict {
            Verdict::Ok => "ok     ",
            Verdict::Warning => "look   ",
            Verdict::Wrong => "WRONG  ",
        };
        print_line(&format!("  {mark}{}: {}", finding.check, finding.detail))?;
        if let Some(mend) = &finding.mend {
            print_line(&format!("         to mend: {mend}"))?;
        }
    }
    Ok(())
}
