//! Paying on the stand-in's hosted page, as a person would: its form is posted with a test card.

use reqwest::Client;
use url::Url;

use crate::error::DemoError;

/// Posts the page's form with the card that succeeds. Success leads away from the page.
pub async fn pay(client: &Client, page: &str) -> Result<(), DemoError> {
    let form = [
        ("email", "curator@museum.example"),
        ("card_number", "4242 4242 4242 4242"),
        ("exp", "12/34"),
        ("cvc", "123"),
        ("name", "Ada Curator"),
    ];
    let html = client.get(page).send().await?.error_for_status()?.text().await?;
    let action = form_action(&html).unwrap_or(page);
    let target = Url::parse(page)
        .and_then(|base| base.join(action))
        .map_err(|error| DemoError::Refused(format!("the payment page's form leads nowhere: {error}")))?;
    let response = client.post(target).form(&form).send().await?;
    let status = response.status();
    if status.is_redirection() {
        return Ok(());
    }
    Err(DemoError::Answer {
        request: format!("POST {page}"),
        status: status.as_u16(),
        body: response.text().await?,
    })
}

/// Where the page's first form goes.
fn form_action(html: &str) -> Option<&str> {
    let (_, form) = html.split_once("<form")?;
    let (attributes, _) = form.split_once('>')?;
    let (_, action) = attributes.split_once("action=\"")?;
    action.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_action() {
        assert_eq!(
            form_action("<p><form method=\"post\" action=\"/pay/1\"><input>"),
            Some("/pay/1")
        );
        assert_eq!(form_action("<form method=post>"), None);
    }
}
