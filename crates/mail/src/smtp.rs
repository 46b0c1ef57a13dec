//! The mail server.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message as MimeMessage, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp,
};
use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::mail::{MailError, Mailer, OutgoingMail};
use url::{Host, Url};

use crate::render::{RenderError, Renderer};

/// A server that is silent for this long is away.
const PATIENCE: Duration = Duration::from_secs(20);

/// Settings that no mail can be sent with. Never shows the address of the server, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSettingsError {
    /// Not an address of a mail server.
    #[error(
        "the mail server's address is not of the form smtps://user:password@host[:port], smtp://host:port?tls=required, \
         or smtp://host:port for a server on this machine"
    )]
    MalformedUrl,
    /// Links that sign people in would travel in clear.
    #[error(
        "mail to {host} would travel unencrypted; use smtps://, or smtp:// with ?tls=required, or a server on this machine"
    )]
    Unencrypted {
        /// The server.
        host: String,
    },
    /// The sender is no mailbox.
    #[error("the sender {sender:?} is not of the form `Tenantry <no-reply@example.org>`")]
    MalformedSender {
        /// What was given.
        sender: String,
    },
    /// A defect of ours.
    #[error(transparent)]
    Templates(#[from] RenderError),
}

/// Sends over SMTP, keeping connections open between mails.
#[derive(Debug)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
    renderer: Renderer,
}

impl SmtpMailer {
    /// Prepares a mailer; does not connect yet. `url` is `smtps://user:password@host[:port]`, or `smtp://host[:port]` for
    /// a server on this machine or with `?tls=required`; `sender` is a mailbox.
    ///
    /// # Errors
    /// When one of the two is malformed, or mail would leave this machine unencrypted.
    pub fn new(url: &SecretString, sender: &str) -> Result<Self, SmtpSettingsError> {
        let parsed = Url::parse(url.expose_secret()).map_err(|_| SmtpSettingsError::MalformedUrl)?;
        refuse_unencrypted(&parsed)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|_| SmtpSettingsError::MalformedUrl)?
            .timeout(Some(PATIENCE))
            .build();
        let sender = sender.parse().map_err(|_| SmtpSettingsError::MalformedSender {
            sender: sender.to_owned(),
        })?;
        Ok(Self {
            transport,
            sender,
            renderer: Renderer::new()?,
        })
    }

    fn compose(&self, mail: &OutgoingMail) -> Result<MimeMessage, MailError> {
        let permanent = |reason: String| MailError::Permanent { reason };
        let to: Address = mail
            .to
            .parse()
            .map_err(|_| permanent("the recipient is no address".to_owned()))?;
        let words = self
            .renderer
            .render(&mail.message)
            .map_err(|error| permanent(error.to_string()))?;
        MimeMessage::builder()
            .from(self.sender.clone())
            .to(Mailbox::new(None, to))
            .subject(words.subject)
            .message_id(Some(format!("<{}>", mail.message_id)))
            .multipart(MultiPart::alternative_plain_html(words.text, words.html))
            .map_err(|error| permanent(error.to_string()))
    }
}

fn refuse_unencrypted(url: &Url) -> Result<(), SmtpSettingsError> {
    let required = url
        .query_pairs()
        .any(|(name, value)| name == "tls" && value == "required");
    if url.scheme() == "smtps" || required {
        return Ok(());
    }
    if url.scheme() != "smtp" {
        return Err(SmtpSettingsError::MalformedUrl);
    }
    // The scheme is none that URLs know hosts of, so that an address comes as a name.
    let is_local = match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(SmtpSettingsError::MalformedUrl),
    };
    if is_local {
        Ok(())
    } else {
        Err(SmtpSettingsError::Unencrypted {
            host: url.host_str().unwrap_or_default().to_owned(),
        })
    }
}

fn sort(error: &smtp::Error) -> MailError {
    let reason = error.to_string();
    // Only what the server says of this very mail is final; a wrong password is mended by somebody, not by giving up.
    let is_refusal = error.status().is_some_and(|code| matches!(u16::from(code), 550..=554));
    if is_refusal {
        MailError::Permanent { reason }
    } else {
        MailError::Temporary { reason }
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        let message = self.compose(mail)?;
        self.transport
            .send(message)
            .await
            .map(drop)
            .map_err(|error| sort(&error))
    }

    async fn check(&self) -> Result<(), MailError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError::Temporary {
                reason: "the server does not answer".to_owned(),
            }),
            Err(error) => Err(MailError::Temporary {
                reason: error.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str) -> Result<SmtpMailer, SmtpSettingsError> {
        SmtpMailer::new(&url.into(), "Tenantry <no-reply@example.org>")
    }

    #[tokio::test]
    async fn mail_leaves_this_machine_encrypted_or_not_at_all() {
        for url in [
            "smtp://127.0.0.1:1025",
            "smtp://localhost:25",
            "smtp://[::1]:25",
            "smtps://u:p@mail.example.org",
        ] {
            assert!(open(url).is_ok(), "{url}");
        }
        assert!(open("smtp://mail.example.org:587?tls=required").is_ok());
        for url in [
            "smtp://mail.example.org:25",
            "smtp://u:hunter2@mail.example.org",
            "smtp://192.0.2.7",
        ] {
            let error = open(url).unwrap_err();
            assert!(matches!(error, SmtpSettingsError::Unencrypted { .. }), "{url}");
            assert!(!error.to_string().contains("hunter2"));
        }
        for url in ["", "http://example.org", "mail.example.org"] {
            assert!(
                matches!(open(url).unwrap_err(), SmtpSettingsError::MalformedUrl),
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_tried_again() {
        let mailer = open("smtp://127.0.0.1:1").unwrap();
        let mail = OutgoingMail {
            message_id: "a@example.org".to_owned(),
            to: "ada@example.org".to_owned(),
            message: tenantry_domain::mail::Message::AlreadyRegistered {
                link: "https://example.org".to_owned(),
            },
        };
        assert!(matches!(mailer.send(&mail).await, Err(MailError::Temporary { .. })));
        let nobody = OutgoingMail {
            to: "ada\r\nRCPT TO:<x@example.org>".to_owned(),
            ..mail
        };
        assert!(matches!(mailer.send(&nobody).await, Err(MailError::Permanent { .. })));
    }
}
