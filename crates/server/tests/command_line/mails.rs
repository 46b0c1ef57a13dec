//! `tenantry mail …`, which takes no configuration at all.

use crate::terminal::{FAILED, NOT_FOUND, Spoken, USAGE, program, speak};

async fn mail(arguments: &[&str]) -> Spoken {
    let mut command = program();
    command.args(["mail", "preview"]).args(arguments);
    speak(command, "").await
}

/// The names in the list.
async fn names() -> Vec<String> {
    let listed = mail(&[]).await;
    assert_eq!(listed.code, 0, "{listed:?}");
    let mut lines = listed.stdout.lines();
    assert!(lines.next().unwrap().starts_with("NAME"), "{listed:?}");
    lines
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_mail_can_be_looked_at() {
    let names = names().await;
    for expected in [
        "confirm",
        "already_registered",
        "welcome",
        "reset_password",
        "password_changed",
        "new_device",
        "email_changed",
        "second_factor_changed",
        "payment_failed",
    ] {
        assert!(names.iter().any(|name| name == expected), "{expected}: {names:?}");
    }
    let text = mail(&["reset_password"]).await;
    assert!(
        text.stdout.starts_with("Subject: ") && !text.stdout.contains('<'),
        "{text:?}"
    );
    assert_eq!(mail(&["reset_password", "--text"]).await.stdout, text.stdout);
    let html = mail(&["reset_password", "--html"]).await;
    assert!(
        html.stdout.contains("<html") && !html.stdout.contains("Subject: "),
        "{html:?}"
    );
    assert_eq!(mail(&["reset_password", "--html", "--text"]).await.code, USAGE);
    let unknown = mail(&["no_such_mail"]).await;
    assert_eq!(unknown.code, NOT_FOUND, "{unknown:?}");
    assert!(unknown.stderr.contains("`tenantry mail preview`"), "{unknown:?}");
}

#[tokio::test]
async fn every_mail_can_be_written_to_files() {
    let names = names().await;
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("new/folder");
    let below_text = below.display().to_string();
    let written = mail(&["--output", &below_text]).await;
    assert_eq!(written.code, 0, "{written:?}");
    assert_eq!(written.stdout.lines().count(), names.len() * 2, "{written:?}");
    for name in &names {
        for extension in ["txt", "html"] {
            let path = below.join(format!("{name}.{extension}"));
            assert!(std::fs::metadata(&path).unwrap().len() > 0, "{}", path.display());
            assert!(written.stdout.contains(&path.display().to_string()), "{written:?}");
        }
    }
    let one = mail(&["welcome", "--text", "--output", &below_text]).await;
    assert_eq!(one.stdout.lines().count(), 1, "{one:?}");
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let refused = mail(&["--output", &in_the_way.display().to_string()]).await;
    assert_eq!(refused.code, FAILED, "{refused:?}");
}
