//! Tenantry itself: schema, catalog, operator, server.

use std::{collections::HashMap, path::PathBuf, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt, process::Command, time::Instant};
use url::Url;

use super::{Parts, Surroundings, free_port, marker, operator, output, text, until_answers};
use crate::{
    customer::random_password, error::DemoError, guest::Guest, options::Options, report::say, supervisor::Supervisor,
};

const START: Duration = Duration::from_secs(20);

/// Who and what the demonstration makes. In a database that was used before they have names of their own, since the
/// others are taken.
struct People {
    operator: String,
    customer: String,
    tenant: String,
}

impl People {
    fn of(claim: &marker::Claim) -> Self {
        let mut mark = String::new();
        if claim.was_used {
            let word: String = random_password().chars().take(6).collect();
            mark = format!("-{}", word.to_ascii_lowercase());
        }
        Self {
            operator: format!("operator{mark}@example.com"),
            customer: format!("curator{mark}@museum.example"),
            tenant: format!("museum-of-examples{mark}"),
        }
    }
}

/// Brings the schema up, applies the catalog, creates an operator, serves.
pub(super) async fn start(
    options: &Options,
    supervisor: &mut Supervisor,
    surroundings: Surroundings,
) -> Result<Parts, DemoError> {
    let port = free_port(options.port)?;
    // `localhost` rather than an address: browsers accept secure cookies there without TLS.
    let public_url =
        Url::parse(&format!("http://localhost:{port}")).map_err(|error| DemoError::Refused(error.to_string()))?;
    let people = People::of(&surroundings.database.claim);
    let environment = environment(options, &surroundings, &public_url, &people)?;
    let tenantry = || tenantry(options, &environment);

    output("the schema", tenantry().arg("migrate")).await?;
    if let Some(owner) = &surroundings.database.given {
        marker::mark(owner, &surroundings.database.claim).await?;
    }
    say("the schema is up to date");
    let catalog = catalog(options)?;
    output("the catalog", tenantry().args(["catalog", "apply"]).arg(catalog)).await?;
    say("the catalog is applied: product Collection with plans Starter, Pro and Museum");
    let operator_password = random_password();
    create_operator(tenantry(), &people.operator, &operator_password).await?;

    let begun = Instant::now();
    let mut serve = tenantry();
    serve.arg("serve");
    if options.kubeconfig.is_some() {
        supervisor.is_guest(Guest::new(options, &environment));
    }
    supervisor.start("tenantry", serve, &options.state.join("log/tenantry.log"))?;
    until_answers("tenantry", &format!("{public_url}ready"), START).await?;
    let start_to_ready = begun.elapsed();

    let operator_app = operator::set_up(&public_url, &people.operator, &operator_password).await?;

    let cluster = |name: &str| surroundings.cluster.get(name).cloned().unwrap_or_default();
    Ok(Parts {
        public_url,
        customer_email: people.customer,
        tenant_name: people.tenant,
        customer_password: random_password(),
        operator_email: people.operator,
        operator_password,
        operator_app,
        inbox_url: surroundings.inbox_url,
        stripe_is_stand_in: surroundings.stripe_api.is_some(),
        stripe_url: surroundings
            .stripe_api
            .unwrap_or_else(|| "https://dashboard.stripe.com/test".into()),
        kubeconfig: cluster("KUBECONFIG").into(),
        ingress_address: cluster("INGRESS_ADDRESS"),
        is_sample_product: options.image.is_none(),
        environment,
        start_to_ready,
    })
}

/// The example, or a copy of it with the image that was asked for.
fn catalog(options: &Options) -> Result<PathBuf, DemoError> {
    let example = options.source.join("examples/collection/catalog.yaml");
    let Some(image) = &options.image else {
        return Ok(example);
    };
    let refused = || DemoError::Refused(format!("DEMO_IMAGE is not REPOSITORY:TAG: {image}"));
    let (repository, tag) = image.rsplit_once(':').ok_or_else(refused)?;
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if tag.contains('/') || !is_plain(repository) || !is_plain(tag) {
        return Err(refused());
    }
    let text = std::fs::read_to_string(&example)?
        .replace(
            "repository: localhost/collection",
            &format!("repository: \"{repository}\""),
        )
        .replace("tag: \"1\"", &format!("tag: \"{tag}\""));
    let copy = options.state.join("catalog.yaml");
    std::fs::write(&copy, text)?;
    Ok(copy)
}

/// The program with this environment and nothing of the shell's but where to find programs.
pub fn tenantry(options: &Options, environment: &HashMap<String, String>) -> Command {
    let mut command = Command::new(options.programs.join("tenantry"));
    command.env_clear().envs(environment).current_dir(&options.source);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

fn environment(
    options: &Options,
    surroundings: &Surroundings,
    public_url: &Url,
    people: &People,
) -> Result<HashMap<String, String>, DemoError> {
    let keys = options.state.join("master-keys");
    std::fs::write(&keys, format!("demo {}\n", surroundings.database.claim.master_key))?;
    let cluster = |name: &str| surroundings.cluster.get(name).cloned();
    let ingress = cluster("INGRESS_ADDRESS");
    let tenant_port = ingress
        .as_deref()
        .and_then(|address| address.rsplit(':').next())
        .map(str::to_owned);
    let listen = format!("127.0.0.1:{}", public_url.port().unwrap_or(80));
    let settings = [
        ("TENANTRY_LISTEN", Some(listen)),
        ("TENANTRY_PUBLIC_URL", Some(public_url.to_string())),
        ("TENANTRY_MASTER_KEY_FILE", Some(text(&keys))),
        ("STRIPE_SECRET_KEY", Some(surroundings.stripe_key.clone())),
        ("TENANTRY_STRIPE_API_BASE", surroundings.stripe_api.clone()),
        // Stripe itself cannot reach this machine.
        (
            "TENANTRY_STRIPE_POLL_EVENTS",
            Some(surroundings.stripe_api.is_none().to_string()),
        ),
        ("TENANTRY_KUBECONFIG", cluster("KUBECONFIG")),
        ("TENANTRY_HELM", cluster("HELM")),
        ("TENANTRY_INGRESS_CLASS", cluster("INGRESS_CLASS")),
        ("TENANTRY_INGRESS_NAMESPACE", cluster("INGRESS_NAMESPACE")),
        ("TENANTRY_INGRESS_ADDRESS", ingress),
        ("TENANTRY_CHART_DIRECTORY", Some(text(&options.source.join("charts")))),
        ("TENANTRY_TENANT_DOMAIN", Some("tenants.localhost".into())),
        ("TENANTRY_TENANT_SCHEME", Some("http".into())),
        ("TENANTRY_TENANT_PORT", tenant_port),
        ("TENANTRY_SMTP_URL", Some(surroundings.smtp_url.clone())),
        ("TENANTRY_MAIL_FROM", Some("Tenantry <hello@tenantry.example>".into())),
        ("TENANTRY_OPERATOR_EMAIL", Some(people.operator.clone())),
        ("HOME", std::env::var("HOME").ok()),
    ];
    let given = settings
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(surroundings.database.urls.clone().into_iter().chain(given).collect())
}

/// The password goes over standard input, never into an argument.
async fn create_operator(mut command: Command, email: &str, password: &str) -> Result<(), DemoError> {
    let failed = |reason: String| DemoError::Part {
        part: "the operator",
        reason,
    };
    let mut child = command
        .args(["operator", "create", "--email", email])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(format!("{password}\n").as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() || said.contains("already") {
        Ok(())
    } else {
        Err(failed(said))
    }
}
