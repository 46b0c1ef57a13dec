//! What the demonstration prints.

use crate::{customer::Tenant, parts::Parts};

/// One line of progress.
pub fn say(text: &str) {
    println!("demo: {text}");
}

/// Where everything is, and how to log in.
pub fn table(parts: &Parts, tenant: &Tenant) {
    let customer = format!("{} / {}", parts.customer_email, parts.customer_password.as_str());
    let operator = format!("{} / {}", parts.operator_email, parts.operator_password.as_str());
    let application = parts.public_url.as_str().trim_end_matches('/');
    let rows = [
        ("Application", application.to_owned(), customer),
        ("Operator console", format!("{application}/operator"), operator),
        (
            "Mail inbox",
            parts.inbox_url.clone().unwrap_or_else(|| "your mail server".into()),
            String::new(),
        ),
        (
            "Stripe",
            parts.stripe_url.clone(),
            "test card 4242 4242 4242 4242".into(),
        ),
        ("Tenant", tenant.url.clone(), format!("namespace {}", tenant.namespace)),
        (
            "Cluster",
            format!("export KUBECONFIG={}", parts.kubeconfig.display()),
            String::new(),
        ),
    ];
    let width = rows
        .iter()
        .map(|(_, address, _)| address.len())
        .max()
        .unwrap_or_default();
    println!();
    for (name, address, note) in rows {
        println!("  {name:<17} {address:<width$}  {note}");
    }
    second_factor(parts);
}

/// How the operator gets past the password.
fn second_factor(parts: &Parts) {
    let Some(app) = &parts.operator_app else {
        println!("  The operator's second factor is the one that was set up in this database before.");
        return;
    };
    let (code, seconds) = app.present();
    println!(
        "  {:<17} {code}, for {seconds} s more; the next from an authenticator app that knows",
        "Operator's code"
    );
    println!("  {:<17} {}", "", app.otpauth_uri);
}
