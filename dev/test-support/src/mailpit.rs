//! A mail inbox: takes everything by SMTP, delivers nothing, and shows it by HTTP.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::{
    files::{private_folder, tool},
    http::client,
    ports::free_port,
    supervised::Supervised,
    wait::wait_for,
};

/// An inbox of a test's own.
#[derive(Debug)]
pub struct Mailpit {
    /// Where mail is handed in.
    pub smtp_url: String,
    /// Page and API.
    pub http_url: String,
    /// Where mail is handed in, as a port on loopback.
    pub smtp_port: u16,
    _process: Supervised,
}

/// One message, as the list shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReceivedMail {
    /// Names it in [`Mailpit::read`].
    #[serde(rename = "ID")]
    pub id: String,
    /// Its `Message-ID`, which its sender gave it.
    #[serde(rename = "MessageID")]
    pub message_id: String,
    /// Who sent it.
    pub from: MailAddress,
    /// Who it is for.
    #[serde(default)]
    pub to: Vec<MailAddress>,
    /// What it is about.
    pub subject: String,
}

/// One message with its content.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReadMail {
    /// What it is about.
    pub subject: String,
    /// Who it is for.
    #[serde(default)]
    pub to: Vec<MailAddress>,
    /// The plain text.
    pub text: String,
    /// The formatted text.
    #[serde(rename = "HTML")]
    pub html: String,
}

/// An address with the name beside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MailAddress {
    /// `name@host`.
    pub address: String,
    /// What a person reads.
    #[serde(default)]
    pub name: String,
}

#[derive(Deserialize)]
struct MailList {
    messages: Vec<ReceivedMail>,
}

static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();

impl Mailpit {
    /// Starts an empty inbox. The program is built once for the machine, which takes half a minute.
    ///
    /// # Panics
    /// When it cannot be built or does not start.
    pub async fn start() -> Self {
        let program = PROGRAM.get_or_init(async || tool("mailpit").await).await;
        for _ in 0..3 {
            if let Some(inbox) = Self::try_start(program).await {
                return inbox;
            }
        }
        panic!("mailpit found no free port three times");
    }

    async fn try_start(program: &std::path::Path) -> Option<Self> {
        let folder = private_folder("tenantry-mail-", None);
        let (smtp_port, http_port) = (free_port(), free_port());
        let mut process = Supervised::start(
            program,
            &[
                "--smtp".to_owned(),
                format!("127.0.0.1:{smtp_port}"),
                "--listen".to_owned(),
                format!("127.0.0.1:{http_port}"),
                "--disable-version-check".to_owned(),
                "--database".to_owned(),
                folder.join("mail.db").display().to_string(),
            ],
            &[],
            None,
            Some(&folder),
            "TERM",
            &folder.join("log"),
        );
        let http_url = format!("http://127.0.0.1:{http_port}");
        let health = format!("{http_url}/readyz");
        let up = wait_for("mailpit to start", Duration::from_secs(10), async || {
            if let Some(obituary) = process.obituary() {
                assert!(obituary.contains("in use"), "mailpit ended: {obituary}");
                return Some(false);
            }
            let answer = client().get(&health).send().await.ok()?;
            answer.status().is_success().then_some(true)
        })
        .await;
        up.then(|| Self {
            smtp_url: format!("smtp://127.0.0.1:{smtp_port}"),
            http_url,
            smtp_port,
            _process: process,
        })
    }

    /// Everything received, newest first.
    ///
    /// # Panics
    /// When the inbox is gone.
    pub async fn list(&self) -> Vec<ReceivedMail> {
        let list: MailList = self.get("/api/v1/messages?limit=1000").await;
        list.messages
    }

    /// One message with its content.
    ///
    /// # Panics
    /// When there is no such message.
    pub async fn read(&self, id: &str) -> ReadMail {
        self.get(&format!("/api/v1/message/{id}")).await
    }

    /// The newest message to an address, waited for.
    ///
    /// # Panics
    /// When none comes within 20 seconds.
    pub async fn wait_for_mail_to(&self, address: &str) -> ReadMail {
        let found = wait_for("mail", Duration::from_secs(20), async || {
            self.list()
                .await
                .into_iter()
                .find(|mail| mail.to.iter().any(|to| to.address == address))
        })
        .await;
        self.read(&found.id).await
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> T {
        client()
            .get(format!("{}{path}", self.http_url))
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .expect("an answer of mailpit")
            .json()
            .await
            .expect("JSON of mailpit")
    }
}
