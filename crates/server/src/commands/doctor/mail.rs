//! Whether the mail server takes us.

use tenantry_domain::mail::Mailer;
use tenantry_mail::SmtpMailer;

use super::Finding;
use crate::config::Configuration;

const AREA: &str = "mail";
const MEND: &str = "check TENANTRY_SMTP_URL: smtps://USER:PASSWORD@HOST[:PORT], smtp://HOST:PORT?tls=required \
                    for STARTTLS, or smtp://HOST:PORT for a server on this machine";

pub(super) async fn check(configuration: &Configuration) -> Vec<Finding> {
    let mailer = match SmtpMailer::new(&configuration.smtp_url, &configuration.mail_from) {
        Ok(mailer) => mailer,
        Err(error) => return vec![Finding::wrong(AREA, "settings", error, MEND)],
    };
    vec![match mailer.check().await {
        Ok(()) => Finding::ok(AREA, "server", "connects and accepts us"),
        Err(error) => Finding::wrong(AREA, "server", error, MEND),
    }]
}
