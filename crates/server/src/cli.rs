//! The command line: what can be said, and what `--help` answers.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Turns an application into a paid, multi-tenant SaaS: payment in, private running instance out.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, propagate_version = true, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    /// TOML file with settings; environment variables override it. `.env.example` lists them all.
    #[arg(long, global = true, env = "TENANTRY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; the message says what to do
  2  wrong usage or configuration
  3  not found
  4  refused: the thing is in a state that does not allow it
  5  something outside did not answer (database, cluster, Stripe, mail); try again";

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Output {
    /// A table or sentences for people.
    #[default]
    Text,
    /// One JSON document for scripts.
    Json,
}

/// `--output` of commands that answer with data.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// How to print the answer.
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Output,
}

/// Everything that the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the web interface, the API and the workers.
    ///
    /// Refuses to start when the database is open (row-level security off, a role with too many rights) or a setting is
    /// wrong. Any number of replicas may run on one database; any of them may be killed at any moment.
    Serve(ServeArgs),
    /// Bring the database up to date: roles, tables, policies. Safe to run again, and by several at once.
    ///
    /// Uses DATABASE_MIGRATION_URL, the owner of the schema; no superuser is needed.
    Migrate(OutputArgs),
    /// Compare the file that describes what is sold with the database and Stripe, and apply it.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Check database, Stripe, cluster, Helm, mail and domains, and say how to mend what is wrong.
    Doctor(OutputArgs),
    /// Look after the keys that sign tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Look after the key that everything secret in the database is sealed under.
    #[command(subcommand)]
    MasterKey(MasterKeyCommand),
    /// Find out whether the record of who did what is still what was written.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Manage the people who run this installation.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Look after the people who use this installation.
    #[command(subcommand)]
    User(UserCommand),
    /// Look after tenants without the web interface.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Look at the mails that are sent.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
}

/// `tenantry mail …`.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Show a mail with sample data, or list all of them. Sends nothing and needs no configuration.
    ///
    /// Without NAME, lists the names with their subjects. With NAME, prints that mail: its text, or its HTML with --html.
    /// With --output, writes files (NAME.txt and NAME.html) into a folder, for one mail or for all.
    #[command(
        after_help = "Examples:\n  tenantry mail preview\n  tenantry mail preview reset_password\n  tenantry mail preview --output /tmp/mails"
    )]
    Preview(PreviewArgs),
}

/// `tenantry mail preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The mail, as the list names it.
    pub name: Option<String>,
    /// Only the HTML.
    #[arg(long, conflicts_with = "text")]
    pub html: bool,
    /// Only the text; what is printed when nothing else is asked for.
    #[arg(long)]
    pub text: bool,
    /// Write files into this folder, which is made if need be.
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Which half of the work a replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Both halves.
    All,
    /// Only requests.
    Http,
    /// Only operations, jobs and reconciliation.
    Worker,
}

/// `tenantry serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Split requests and work over replicas.
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub role: Role,
}

/// `tenantry catalog …`.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Print the JSON Schema of the catalog file, for editors.
    Schema,
    /// Show what `apply` would change in the database and at Stripe. Changes nothing.
    Plan {
        /// The catalog file.
        file: PathBuf,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make the database and Stripe agree with the file. Applying twice changes nothing.
    ///
    /// A product that people sign in to confidentially (`sign_in` with `client: confidential`) gets a secret the first
    /// time, which is printed once and kept as a hash.
    Apply {
        /// The catalog file.
        file: PathBuf,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make another secret for a product that people sign in to, and print it once. The one before stops working at once.
    ClientSecret {
        /// The product's key, which is the client's id.
        product: String,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// `tenantry keys …`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the published keys: which sign now, which will, and which are kept for tokens that still live.
    List(OutputArgs),
    /// Make a new key and have it take over.
    ///
    /// It is published at once and signs a day later, when everybody who keeps the list of keys has read it again; the
    /// one before stops signing then and stays published until its last token has died. Nobody is signed out. The server
    /// does the same by itself every 90 days.
    Rotate {
        /// Only keys of this kind; both without it.
        #[arg(long, value_enum)]
        algorithm: Option<AlgorithmArg>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Take a key out of use at once: somebody else may have it.
    ///
    /// It leaves the list of keys, every server refuses what it signed, and where it was the one that signs, a new key
    /// takes its place in the same moment. Programs get their next tokens by their refresh tokens and notice nothing;
    /// nobody is signed out. Products that keep the list of keys believe the old one until they read it again, which is
    /// an hour at the most unless they are restarted. Revoking it again changes nothing.
    Revoke {
        /// The key, as `tenantry keys list` shows it.
        key: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// `tenantry master-key …`. Keys are read from the file that TENANTRY_MASTER_KEY_FILE names, never from arguments.
#[derive(Debug, Subcommand)]
pub enum MasterKeyCommand {
    /// Seal everything anew under the last key of the master key file.
    ///
    /// Makes no key: put the new one into the file first. The file holds the former keys too, which open what
    /// they have sealed. Servers may run meanwhile, with the same file. Goes on where it stopped when it was cut short; does
    /// nothing when all is done. docs/master-key.md has the whole procedure.
    Rotate(OutputArgs),
}

/// `tenantry audit …`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Go through the audit log and name every row that was changed, added out of place, or is missing.
    ///
    /// Each organization's log, each person's own and the installation's is a chain: a row holds the hash of the one before.
    /// This computes every hash anew, and looks for gaps, for a tail that was cut off, for rows that no server has sealed
    /// within a minute, and for beginnings that somebody else than the retention dropped.
    ///
    /// Somebody who can write to the database as its superuser can compute a whole chain anew, too. Only checkpoints show
    /// that: the servers sign the ends of all chains and write them to standard output and to TENANTRY_AUDIT_CHECKPOINTS.
    /// Keep them where that person cannot, and give them to this command: those of all replicas, which take turns.
    ///
    /// Reads only. The servers may run meanwhile. Progress is told on standard error.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  tenantry audit verify --checkpoints /var/lib/tenantry/checkpoints
  tenantry audit verify --organization museum-of-examples
  zcat collected/tenantry-*.gz | tenantry audit verify --checkpoints -

Exit codes:
  0  everything is as it was written
  1  something is not, and each finding is named; or there was nothing to compare
  2  wrong usage or configuration, or a file of checkpoints cannot be read
  3  there is no such organization
  5  the database did not answer";

/// `tenantry audit verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Only the log of this organization: id (`org_…`) or slug.
    #[arg(long, value_name = "ORGANIZATION")]
    pub organization: Option<String>,
    /// What was signed, the newest of every chain included: a file, a directory of such files (`*.jsonl`), or `-` for standard
    /// input. Other lines may stand between, as in a log. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub checkpoints: Vec<PathBuf>,
    /// How to print the answer.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AlgorithmArg {
    /// Access tokens and tokens for products.
    #[value(name = "EdDSA", alias = "eddsa")]
    EdDsa,
    /// ID tokens.
    #[value(name = "RS256", alias = "rs256")]
    Rs256,
}

/// The rights of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OperatorRoleArg {
    /// Sees everything but the list of operators, changes nothing.
    Viewer,
    /// Also retries and replays, sends payments back that bought nothing, ends people's sessions, and looks through their
    /// eyes.
    Support,
    /// Also provisions and deprovisions, and manages operators.
    Admin,
}

/// `tenantry operator …`. An operator is named by id (`opr_…`) or address.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Print a link by which somebody becomes the first operator, an admin.
    ///
    /// For an installation without operators; with one it is refused (exit code 4). The link works once, for 24 hours, and
    /// not any more as soon as there is an operator. `tenantry serve` prints one too when it starts without operators, on a
    /// terminal.
    Link(OutputArgs),
    /// List operators by address, disabled ones too.
    List(OutputArgs),
    /// Keep an operator from signing in, and end what they have open at once.
    ///
    /// The last admin is refused (exit code 4): make another one first.
    Disable {
        /// Id or address.
        operator: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Let a disabled operator sign in again, with password and second factor as they were.
    Enable {
        /// Id or address.
        operator: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Give an operator another role, from their next call on.
    ///
    /// The last admin is refused (exit code 4): make another one first.
    Role {
        /// Id or address.
        operator: String,
        /// Rights.
        #[arg(value_enum)]
        role: OperatorRoleArg,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Forget an operator's second factor and recovery codes, for somebody who lost both.
    ///
    /// Ends what they have open, and prints a link that works once, for 24 hours: with it and their password they set up
    /// another factor. Make sure first that it is they who ask, and hand the link to them alone.
    ResetSecondFactor {
        /// Id or address.
        operator: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Give an operator another password, and end all that they have open. It is read from standard input, or asked for on a
    /// terminal.
    SetPassword {
        /// Id or address.
        operator: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Create an operator. The password is read from standard input, or asked for on a terminal.
    Create {
        /// Address that the operator logs in with.
        #[arg(long)]
        email: String,
        /// Rights.
        #[arg(long, value_enum, default_value_t = OperatorRoleArg::Admin)]
        role: OperatorRoleArg,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// `tenantry user …`. A person is named by id (`usr_…`) or address. Every look is written to the audit log.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// List people, newest first.
    List {
        /// Only those with this id, or with a name or address in which each of these words begins a word:
        /// `--search "ada love"`, `--search example.org`.
        #[arg(long)]
        search: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show a person with their organizations and sessions.
    Show {
        /// Id or address.
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Sign a person out everywhere: browsers, programs, and operators who look through their eyes.
    EndSessions {
        /// Id or address.
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// `tenantry tenant …`. A tenant is named by its id (`ten_…`), its namespace or its host.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// List tenants, newest first.
    List {
        /// Only those in this state: pending, provisioning, active, upgrading, suspended, deprovisioning, deleted or failed.
        #[arg(long)]
        state: Option<String>,
        /// Only those whose name, host, namespace or organization contains this.
        #[arg(long)]
        search: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show one tenant and the steps of its latest operation.
    Show {
        /// Id, namespace or host.
        tenant: String,
        /// Also print the trace from payment to pod.
        #[arg(long)]
        trace: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Create a tenant without a payment.
    ///
    /// Servers with workers do the work: while none runs, `--wait` waits.
    Provision {
        /// Organization that owns it: id or slug.
        #[arg(long)]
        organization: String,
        /// Product of the catalog.
        #[arg(long)]
        product: String,
        /// Plan of that product.
        #[arg(long)]
        plan: String,
        /// Name in the tenant's address.
        name: String,
        /// Return when the operation has ended.
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Try the latest operation of a tenant again, where it failed or is stuck.
    ///
    /// Servers with workers do the work: while none runs, `--wait` waits.
    Retry {
        /// Id, namespace or host.
        tenant: String,
        /// Return when the operation has ended.
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Remove a tenant with all of its data, and end the subscription that pays for it alone. There is no undo.
    ///
    /// Servers with workers do the work: while none runs, `--wait` waits.
    Deprovision {
        /// Id, namespace or host.
        tenant: String,
        /// Do not ask; for scripts.
        #[arg(long)]
        yes: bool,
        /// Return when the operation has ended.
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
}
