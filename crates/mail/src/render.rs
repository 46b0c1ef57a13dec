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
    "confirm_again",
    "nothing_to_confirm",
    "welcome",
    "reset_password",
    "no_account",
    "password_changed",
    "confirm_new_email",
    "email_changed",
    "new_device",
    "device_alerts_off",
    "second_factor_changed",
    "operator_password_changed",
    "operator_second_factor_reset",
    "account_deleted",
    "tenant_ready",
    "provisioning_failed",
    "refund_needed",
    "payment_needs_person",
    "payment_refunded",
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
        let name = message.name();
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
    use super::*;
    use crate::samples;

    const LINK: &str = "https://tenantry.example/confirm#token=abc-_";

    fn messages(name: &str) -> Vec<Message> {
        samples(name, LINK)
    }

    #[test]
    fn every_template_has_a_sample() {
        let samples = messages("Museum of Examples");
        let mut named: Vec<&str> = samples.iter().map(Message::name).collect();
        named.sort_unstable();
        let mut templates: Vec<&str> = TEMPLATES
            .iter()
            .filter_map(|(file, _)| file.strip_suffix(".txt"))
            .filter(|name| *name != "layout")
            .collect();
        templates.sort_unstable();
        assert_eq!(named, templates);
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
        let greeted = messages("{{ x }}");
        let welcome = greeted.iter().find(|message| message.name() == "welcome").unwrap();
        let mail = renderer.render(welcome).unwrap();
        assert!(mail.text.contains("{{ x }}"), "{}", mail.text);
    }

    #[test]
    fn addresses_that_nobody_has_proven_get_no_word_of_a_stranger() {
        let renderer = Renderer::new().unwrap();
        let unproven = [
            "confirm",
            "confirm_again",
            "nothing_to_confirm",
            "already_registered",
            "confirm_new_email",
            "no_account",
        ];
        let messages = messages("free-coins.example");
        for name in unproven {
            let message = messages.iter().find(|message| message.name() == name).unwrap();
            let mail = renderer.render(message).unwrap();
            let all = [&mail.subject, &mail.text, &mail.html];
            assert!(all.iter().all(|part| !part.contains("free-coins")), "{name}: {mail:?}");
        }
    }

    #[test]
    fn a_subject_is_one_line() {
        let renderer = Renderer::new().unwrap();
        let ready = messages("Museum\r\nBcc: everybody@example.org")
            .into_iter()
            .find(|message| message.name() == "tenant_ready")
            .unwrap();
        let Message::TenantReady {
            organization,
            host,
            link,
            ..
        } = ready
        else {
            panic!("it is TenantReady")
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
