//! Finding the confirmation link.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use tokio::time::Instant;

use crate::{error::DemoError, report::say};

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(rename = "messages")]
    messages: Vec<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    text: String,
}

/// Waits for the mail and takes the token out of its link.
pub async fn confirmation_token(client: &Client, inbox: &str, address: &str) -> Result<String, DemoError> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let query = [("query", format!("to:{address}"))];
        let found: Found = client
            .get(format!("{inbox}/api/v1/search"))
            .query(&query)
            .send()
            .await?
            .json()
            .await?;
        for summary in found.messages {
            let message: Message = client
                .get(format!("{inbox}/api/v1/message/{}", summary.id))
                .send()
                .await?
                .json()
                .await?;
            if let Some(token) = token_in(&message.text) {
                return Ok(token);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(DemoError::Timeout {
        what: "the confirmation mail".into(),
        seconds: PATIENCE.as_secs(),
        detail: String::new(),
    })
}

/// Asks whoever reads the mail.
pub async fn ask_for_token(unattended: bool) -> Result<String, DemoError> {
    if unattended {
        return Err(DemoError::Refused(
            "--once cannot read mail from DEMO_SMTP_URL; leave one of the two out".into(),
        ));
    }
    say("paste the link from the confirmation mail:");
    let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next().transpose())
        .await
        .map_err(std::io::Error::other)??
        .unwrap_or_default();
    token_in(&line).ok_or_else(|| DemoError::Refused("that is not a confirmation link".into()))
}

fn token_in(text: &str) -> Option<String> {
    let (_, after) = text.split_once("/confirm#token=")?;
    let token: String = after
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
        .collect();
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_ends_where_the_link_does() {
        assert_eq!(
            token_in("see http://localhost/confirm#token=a-B_9\r\nbye").as_deref(),
            Some("a-B_9")
        );
        assert_eq!(token_in("no link"), None);
    }
}
