//! Mails as text and as HTML, from templates that are part of the program.
//!
//! Names come from people: in HTML every value is escaped, and nothing that they type can end a header line.

use minijinja::{Environment, UndefinedBehavior, context, value::Serde};
use serde::Serialize;
use tenantry_domain::mail::Message;

/// A template's first line is `Subject: …`, the text follows after a blank line.
macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        &[$(
            (concat!($name, ".txt"), include_str!(concat!("../templates/", $name, ".txt"))),
            (concat!($name, ".html"), include_str!(concat!("../templates/", $name, ".html"))),
        )+]
    };
}

const TEMPLATES: &[(&str, &str)] = templates!(
    "layout",
    "confirm",
    "already_registered",
    "new_device",
    "second_factor_changed",
    "tenant_ready",
    "provisioning_failed",
    "refund_needed",
    "payment_failed"
);

/// A template that does not render: a defect of ours.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The template engine's complaint.
    #[error("mail template: {0}")]
    Template(#[from] minijinja::Error),
    /// A text template without the line that names the subject.
    #[error("mail template {name} does not begin with a subject")]
    NoSubject {
        /// Which one.
        name: &'static str,
    },
}

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// For readers of text.
    pub text: String,
    /// For everybody else.
    pub html: String,
}

/// Holds the compiled templates.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
}

impl Renderer {
    /// Compiles the templates.
    ///
    /// # Errors
    /// When one is malformed.
    pub fn new() -> Result<Self, RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Self { environment })
    }

    /// Words for a message.
    ///
    /// # Errors
    /// When a template is at fault.
    pub fn render(&self, message: &Message) -> Result<Rendered, RenderError> {
        let name = template(message);
        let written = self
            .environment
            .get_template(&format!("{name}.txt"))?
            .render(Serde(message))?;
        let (first, text) = written.split_once('\n').ok_or(RenderError::NoSubject { name })?;
        let subject = one_line(first.strip_prefix("Subject: ").ok_or(RenderError::NoSubject { name })?);
        let body = self
            .environment
            .get_template(&format!("{name}.html"))?
            .render(Serde(message))?;
        let text = self
            .environment
            .get_template("layout.txt")?
            .render(context! { body => text.trim() })?;
        let html = self
            .environment
            .get_template("layout.html")?
            .render(context! { subject => subject.as_str(), body })?;
        Ok(Rendered { subject, text, html })
    }
}

fn template(message: &Message) -> &'static str {
    match message {
        Message::Confirm { .. } => "confirm",
        Message::AlreadyRegistered { .. } => "already_registered",
        Message::NewDevice { .. } => "new_device",
        Message::SecondFactorChanged { .. } => "second_factor_changed",
        Message::TenantReady { .. } => "tenant_ready",
        Message::ProvisioningFailed { .. } => "provisioning_failed",
        Message::RefundNeeded { .. } => "refund_needed",
        Message::PaymentFailed { .. } => "payment_failed",
    }
}

/// A subject with a line break would begin another header.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use tenantry_domain::mail::SecondFactorChange;

    use super::*;

    fn second_factor_changed(change: SecondFactorChange) -> Message {
        Message::SecondFactorChanged {
            change,
            at: "21 November 2026, 13:05 UTC".to_owned(),
            link: "https://tenantry.example/confirm#token=abc-_".to_owned(),
        }
    }

    fn messages(name: &str) -> Vec<Message> {
        let text = || name.to_owned();
        let link = || "https://tenantry.example/confirm#token=abc-_".to_owned();
        vec![
            Message::Confirm {
                name: text(),
                organization: text(),
                link: link(),
            },
            Message::AlreadyRegistered { link: link() },
            Message::TenantReady {
                organization: text(),
                tenant: text(),
                host: "museum.example".to_owned(),
                link: link(),
            },
            Message::ProvisioningFailed {
                organization: text(),
                tenant: text(),
                step: "helm release".to_owned(),
                reason: text(),
                link: link(),
            },
            Message::RefundNeeded {
                organization: text(),
                plan: text(),
                amount: "49.00 EUR".to_owned(),
                reason: text(),
                page: "cs_test_1".to_owned(),
                link: link(),
            },
            Message::PaymentFailed {
                organization: text(),
                plan: text(),
                amount: "49.00 EUR".to_owned(),
                link: link(),
            },
            Message::NewDevice {
                device: text(),
                address: Some("203.0.113.7".to_owned()),
                at: "21 November 2026, 13:05 UTC".to_owned(),
                link: link(),
            },
            second_factor_changed(SecondFactorChange::Enabled),
            second_factor_changed(SecondFactorChange::Disabled),
            second_factor_changed(SecondFactorChange::CodesRenewed),
        ]
    }

    #[test]
    fn every_message_has_words_and_its_link() {
        let renderer = Renderer::new().unwrap();
        for message in messages("Museum of Examples") {
            let mail = renderer.render(&message).unwrap();
            assert!(!mail.subject.is_empty() && mail.subject.len() < 120, "{mail:?}");
            assert!(
                mail.text.contains("https://tenantry.example/confirm#token=abc-_"),
                "{}",
                mail.text
            );
            assert!(
                mail.html
                    .contains("href=\"https:&#x2f;&#x2f;tenantry.example&#x2f;confirm#token=abc-_\""),
                "{}",
                mail.html
            );
            assert!(!mail.html.contains("<script") && !mail.text.contains('<'), "{mail:?}");
        }
    }

    #[test]
    fn names_are_only_names() {
        let renderer = Renderer::new().unwrap();
        for message in messages(r#""; {{ x }} <script>alert(1)</script>"#) {
            let mail = renderer.render(&message).unwrap();
            assert!(!mail.html.contains("<script"), "{}", mail.html);
        }
        let mail = renderer.render(&messages("{{ x }}")[0]).unwrap();
        assert!(mail.text.contains("{{ x }}"), "{}", mail.text);
    }

    #[test]
    fn a_subject_is_one_line() {
        let renderer = Renderer::new().unwrap();
        let [_, _, ready, ..] = &messages("Museum\r\nBcc: everybody@example.org")[..] else {
            panic!("five messages")
        };
        let Message::TenantReady {
            organization,
            host,
            link,
            ..
        } = ready.clone()
        else {
            panic!("the third is TenantReady")
        };
        let tenant = "a\rBcc: everybody@example.org".to_owned();
        let mail = renderer
            .render(&Message::TenantReady {
                organization,
                tenant,
                host,
                link,
            })
            .unwrap();
        assert!(!mail.subject.contains(['\r', '\n']), "{:?}", mail.subject);
    }
}
