//! `tenantry mail …`.

use std::{fs, path::Path};

use tenantry_domain::mail::Message;
use tenantry_mail::{Rendered, Renderer, samples};

use crate::{
    cli::{MailCommand, PreviewArgs},
    exit::{Failure, FailureKind},
    print::{print_line, print_table},
};

const SAMPLE_NAME: &str = "Museum of Examples";
const SAMPLE_LINK: &str = "https://console.example.com/sample#token=2f0c1d5e";

/// Runs one of the commands.
pub fn run(command: &MailCommand) -> Result<(), Failure> {
    match command {
        MailCommand::Preview(arguments) => preview(arguments),
    }
}

fn preview(arguments: &PreviewArgs) -> Result<(), Failure> {
    let renderer = Renderer::new().map_err(failed)?;
    let mut messages = samples(SAMPLE_NAME, SAMPLE_LINK);
    if let Some(name) = &arguments.name {
        messages.retain(|message| message.name() == name);
        if messages.is_empty() {
            return Err(Failure::new(
                FailureKind::NotFound,
                format!("no mail is named {name}; `tenantry mail preview` lists the names"),
            ));
        }
    }
    let mails: Vec<(&str, Rendered)> = messages
        .iter()
        .map(|message: &Message| Ok((message.name(), renderer.render(message).map_err(failed)?)))
        .collect::<Result<_, Failure>>()?;
    match (&arguments.output, arguments.name.is_some()) {
        (Some(folder), _) => write(folder, &mails, arguments),
        (None, true) => mails.iter().try_for_each(|(_, mail)| print(mail, arguments)),
        (None, false) => list(&mails),
    }
}

fn list(mails: &[(&str, Rendered)]) -> Result<(), Failure> {
    let rows: Vec<[String; 2]> = mails
        .iter()
        .map(|(name, mail)| [(*name).to_owned(), mail.subject.clone()])
        .collect();
    print_table(["NAME", "SUBJECT"], &rows)
}

fn print(mail: &Rendered, arguments: &PreviewArgs) -> Result<(), Failure> {
    if arguments.html {
        print_line(&mail.html)
    } else {
        print_line(&format!("Subject: {}\n\n{}", mail.subject, mail.text))
    }
}

fn write(folder: &Path, mails: &[(&str, Rendered)], arguments: &PreviewArgs) -> Result<(), Failure> {
    let unwritable = |path: &Path, error: std::io::Error| {
        Failure::new(
            FailureKind::Failed,
            format!("{} cannot be written: {error}", path.display()),
        )
    };
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    for (name, mail) in mails {
        let files = [
            (
                !arguments.html,
                "txt",
                format!("Subject: {}\n\n{}", mail.subject, mail.text),
            ),
            (!arguments.text, "html", mail.html.clone()),
        ];
        for (_, extension, content) in files.into_iter().filter(|(is_wanted, ..)| *is_wanted) {
            let path = folder.join(format!("{name}.{extension}"));
            fs::write(&path, content).map_err(|error| unwritable(&path, error))?;
            print_line(&path.display().to_string())?;
        }
    }
    Ok(())
}

fn failed(error: tenantry_mail::RenderError) -> Failure {
    Failure::new(FailureKind::Failed, error)
}
