//! The parts around Tenantry: PostgreSQL, mail, Stripe, Kubernetes; each ours unless `DEMO_…` names another.

use std::{collections::HashMap, path::Path, time::Duration};

use tokio::{net::TcpStream, process::Command, time::timeout};

use super::{Database, Surroundings, assignments, free_port, marker, output, text, until_answers};
use crate::{error::DemoError, options::Options, report::say, supervisor::Supervisor};

const START: Duration = Duration::from_secs(20);
/// For a connection to somebody's own ingress.
const INGRESS: Duration = Duration::from_secs(5);
const INBOX_PORT: u16 = 8025;
const STRIPE_PORT: u16 = 8090;
const STAND_IN_KEY: &str = "sk_test_demo";

/// Starts them side by side: the cluster takes longest.
pub(super) async fn start(options: &Options, supervisor: &mut Supervisor) -> Result<Surroundings, DemoError> {
    let (smtp_url, inbox_url) = start_mail(options, supervisor).await?;
    let (stripe_key, stripe_api) = start_stripe(options, supervisor)?;
    let cluster = start_cluster(options, supervisor);
    let database = start_database(options, supervisor);
    // Both borrow what they need before they run.
    // To the end, also when one fails: what is half started is the harder to stop.
    let (cluster, database) = tokio::join!(cluster, database);
    let (cluster, database) = (cluster?, database?);
    if let Some(api) = &stripe_api {
        until_answers("the Stripe stand-in", &format!("{api}_control/health"), START).await?;
    }
    if let Some(inbox) = &inbox_url {
        until_answers("the mail inbox", &format!("{inbox}/livez"), START).await?;
    }
    Ok(Surroundings {
        database,
        smtp_url,
        inbox_url,
        stripe_key,
        stripe_api,
        cluster,
    })
}

async fn start_mail(options: &Options, supervisor: &mut Supervisor) -> Result<(String, Option<String>), DemoError> {
    if let Some(url) = &options.smtp_url {
        say("mail: yours (DEMO_SMTP_URL)");
        return Ok((url.clone(), None));
    }
    let program = output("the mail inbox", script(options, "dev/tools/install").arg("mailpit")).await?;
    let (page, smtp) = (free_port(INBOX_PORT)?, free_port(0)?);
    let mut command = Command::new(program.trim());
    command.args([
        "--listen",
        &format!("127.0.0.1:{page}"),
        "--smtp",
        &format!("127.0.0.1:{smtp}"),
    ]);
    command.args([
        "--disable-version-check",
        "--database",
        &text(&options.state.join("mail.db")),
    ]);
    supervisor.start("mail inbox", command, &log(options, "mail"))?;
    say(&format!("mail: http://127.0.0.1:{page}"));
    Ok((
        format!("smtp://127.0.0.1:{smtp}"),
        Some(format!("http://127.0.0.1:{page}")),
    ))
}

fn start_stripe(options: &Options, supervisor: &mut Supervisor) -> Result<(String, Option<String>), DemoError> {
    if let Some(key) = &options.stripe_key {
        say("Stripe: your test account (DEMO_STRIPE_KEY)");
        return Ok((key.clone(), None));
    }
    let port = free_port(STRIPE_PORT)?;
    let url = format!("http://localhost:{port}/");
    let mut command = Command::new(options.programs.join("stripe-stand-in"));
    command.args([
        "serve",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--public-url",
        url.trim_end_matches('/'),
    ]);
    command.args(["--api-key", STAND_IN_KEY]);
    supervisor.start("Stripe stand-in", command, &log(options, "stripe"))?;
    say(&format!("Stripe: a stand-in at {url}"));
    Ok((STAND_IN_KEY.into(), Some(url)))
}

fn start_cluster(
    options: &Options,
    supervisor: &mut Supervisor,
) -> impl Future<Output = Result<HashMap<String, String>, DemoError>> + use<> {
    let given = options
        .kubeconfig
        .as_deref()
        .map(|kubeconfig| given_cluster(options, kubeconfig));
    let port = Some(options.tenant_port)
        .filter(|port| *port != 0)
        .map(free_port)
        .transpose();
    let program = options.source.join("dev/cluster/cluster");
    let name = options.cluster.clone();
    if given.is_none() && !options.keep_cluster {
        let mut down = Command::new(&program);
        down.args(["down", "--name", &name]);
        supervisor.at_the_end("the cluster", down);
    }
    async move {
        if let Some(cluster) = given {
            say(&format!(
                "Kubernetes: yours, {} (DEMO_KUBECONFIG), its ingress at {}",
                cluster["KUBECONFIG"], cluster["INGRESS_ADDRESS"]
            ));
            check_helm(&cluster["HELM"]).await?;
            check_ingress(&cluster["INGRESS_ADDRESS"]).await?;
            return Ok(cluster);
        }
        let mut up = Command::new(&program);
        up.args(["up", "--name", &name]);
        if let Some(port) = port? {
            up.args(["--ingress-port", &port.to_string()]);
        }
        say("Kubernetes: starting one on this machine");
        output("the local Kubernetes", &mut up).await?;
        let environment = output(
            "the local Kubernetes",
            Command::new(&program).args(["env", "--name", &name]),
        )
        .await?;
        say("Kubernetes: ready");
        Ok(assignments(&environment))
    }
}

/// Before anything is made with it.
async fn check_helm(program: &str) -> Result<(), DemoError> {
    let mut command = Command::new(program);
    let said = output("helm", command.args(["version", "--short"])).await;
    match said {
        Ok(version) if version.trim().starts_with("v4.") => Ok(()),
        Ok(version) => Err(DemoError::Refused(format!(
            "{program} is Helm {}; name a Helm 4 by DEMO_HELM",
            version.trim()
        ))),
        Err(error) => Err(DemoError::Refused(format!("{error}. Name a Helm 4 by DEMO_HELM"))),
    }
}

/// A tenant that nobody can reach would be waited for in vain.
async fn check_ingress(address: &str) -> Result<(), DemoError> {
    let reason = match timeout(INGRESS, TcpStream::connect(address)).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer in {} s", INGRESS.as_secs()),
    };
    Err(DemoError::Refused(format!(
        "nothing can be reached at DEMO_INGRESS_ADDRESS {address}: {reason}"
    )))
}

/// What the local cluster tells of itself, of the given one.
fn given_cluster(options: &Options, kubeconfig: &Path) -> HashMap<String, String> {
    let ingress = options.ingress_address.map(|address| address.to_string());
    HashMap::from([
        ("KUBECONFIG".to_owned(), text(kubeconfig)),
        ("INGRESS_ADDRESS".to_owned(), ingress.unwrap_or_default()),
        ("INGRESS_CLASS".to_owned(), options.ingress_class.clone()),
        ("INGRESS_NAMESPACE".to_owned(), options.ingress_namespace.clone()),
        ("HELM".to_owned(), text(&options.helm)),
    ])
}

fn start_database(
    options: &Options,
    supervisor: &mut Supervisor,
) -> impl Future<Output = Result<Database, DemoError>> + use<> {
    let given = options.database_url.clone();
    let program = options.source.join("dev/postgres");
    let directory = text(&options.state.join("postgres"));
    if given.is_none() {
        let mut down = Command::new(&program);
        down.args(["down", "--dir", &directory]);
        supervisor.at_the_end("PostgreSQL", down);
    }
    async move {
        if let Some(url) = given {
            say(&format!(
                "PostgreSQL: yours, {} (DEMO_DATABASE_URL)",
                marker::described(&url)
            ));
            let claim = marker::claim(&url).await?;
            return Ok(Database {
                urls: given_database(&url)?,
                claim,
                given: Some(url),
            });
        }
        let port = free_port(0)?.to_string();
        let urls = output(
            "PostgreSQL",
            Command::new(&program).args(["up", "--dir", &directory, "--port", &port]),
        )
        .await?;
        say("PostgreSQL: a private one");
        Ok(Database {
            urls: assignments(&urls),
            claim: marker::Claim::fresh(),
            given: None,
        })
    }
}

/// The owner's URL is given; the two log-in roles get passwords of their own when `tenantry migrate` makes them.
fn given_database(owner: &url::Url) -> Result<HashMap<String, String>, DemoError> {
    let role = |name: &str| {
        let mut url = owner.clone();
        url.set_username(name)
            .and_then(|()| url.set_password(Some(&crate::customer::random_password())))
            .map_err(|()| {
                DemoError::Refused("DEMO_DATABASE_URL is not a postgres://user:password@host/database URL".into())
            })?;
        Ok::<_, DemoError>(url.to_string())
    };
    Ok(HashMap::from([
        ("DATABASE_MIGRATION_URL".to_owned(), owner.to_string()),
        ("DATABASE_URL".to_owned(), role("tenantry_app")?),
        ("DATABASE_SYSTEM_URL".to_owned(), role("tenantry_system")?),
    ]))
}

fn script(options: &Options, path: &str) -> Command {
    Command::new(options.source.join(path))
}

fn log(options: &Options, name: &str) -> std::path::PathBuf {
    Path::new(&options.state).join("log").join(format!("{name}.log"))
}
