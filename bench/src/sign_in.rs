//! P4: tokens refreshed a second, beside a plain client that executes the same statements; and sign-ins, beside what
//! Argon2id alone allows on this machine.

use std::{net::SocketAddr, time::Duration};

use serde::Serialize;
use tenantry_demo::parts::Parts;

use crate::{
    database_watch::DatabaseWatch,
    hashing::{self, Cost},
    load::{Client, Load, Throughput},
    people::{Account, Refreshing, SigningIn},
    plain_refresh::PlainRefresh,
};

/// Programs that refresh, or sign in, side by side.
pub const CLIENTS: usize = 8;
/// The rate that is aimed at: at this one latency is measured, too, since a closed loop only shows how many wait.
pub const RATE: f64 = 1500.0;
/// Of the person with many memberships.
const ORGANIZATIONS: i32 = 2000;
/// Of programs that are not measured, in the ledger beside those that are.
pub const OTHER_SESSIONS: i32 = 20_000;
/// How often each is done to count its round trips, after as many that let the server settle.
const COUNTED: u32 = 25;
const ROUNDS: usize = 2;
/// Not counted: the server opens its connections, and PostgreSQL settles on plans.
const WARM_UP: Duration = Duration::from_secs(2);

/// Everything that was measured of signing in.
#[derive(Debug, Serialize)]
pub struct SignIn {
    pub clients: usize,
    /// Waits for the database in one refresh.
    pub refresh_round_trips: f64,
    /// What one refresh executes there.
    pub refresh_statements: Vec<String>,
    pub refresh: Vec<RefreshRound>,
    /// Waits for the database in one sign-in.
    pub login_round_trips: f64,
    /// How passwords are kept.
    pub password: Cost,
    pub login: Vec<LoginRound>,
}

/// The plain client and ours in turn, for one person.
#[derive(Debug, Serialize)]
pub struct RefreshRound {
    /// In how many the person is a member.
    pub organizations: i64,
    pub plain: Throughput,
    pub flat_out: Throughput,
    /// At [`RATE`].
    pub paced: Throughput,
}

/// Hashing alone and sign-ins in turn.
#[derive(Debug, Serialize)]
pub struct LoginRound {
    pub hashes_per_second: f64,
    pub login: Throughput,
}

/// People for all of it.
pub struct People {
    accounts: Vec<Account>,
    system_url: String,
}

impl People {
    /// Signs them up, which needs a server that sends mail. The first one is a member of many organizations, all others of one.
    pub async fn sign_up(parts: &Parts) -> Result<Self, String> {
        let system_url = setting(parts, "DATABASE_SYSTEM_URL")?;
        let mut accounts = Vec::new();
        for number in 0..CLIENTS {
            accounts.push(Account::sign_up(parts, &format!("keeper-{number}")).await?);
        }
        let others = Account::sign_up(parts, "keeper-of-many-programs").await?;
        others.has_used_programs(&system_url, OTHER_SESSIONS).await?;
        accounts[0].owns_more(&system_url, ORGANIZATIONS - 1).await?;
        Ok(Self { accounts, system_url })
    }

    async fn refreshing(&self, address: SocketAddr, account: &Account) -> Result<Vec<Refreshing>, String> {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Refreshing::new(address, account).await?);
        }
        Ok(clients)
    }

    async fn plain(
        &self,
        address: SocketAddr,
        account: &Account,
        statements: &[String],
    ) -> Result<Vec<PlainRefresh>, String> {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let token = SigningIn::new(address, account).await?.refresh_token().await?;
            clients.push(PlainRefresh::new(&self.system_url, statements, &token).await?);
        }
        Ok(clients)
    }

    /// Measures a server at `address`, and counts what the one at `watched` asks of its database.
    pub async fn measure(
        &self,
        address: SocketAddr,
        (watched, watch): (SocketAddr, &DatabaseWatch),
        span: Duration,
    ) -> Result<SignIn, String> {
        let [many, one, ..] = self.accounts.as_slice() else {
            return Err("nobody signed up".into());
        };
        let (refresh_round_trips, refresh_statements) = count(&mut Refreshing::new(watched, one).await?, watch).await?;
        let (login_round_trips, _) = count(&mut SigningIn::new(watched, one).await?, watch).await?;
        let ours = self.refreshing(address, one).await?;
        Load::flat_out(WARM_UP).run(ours).await?;
        let mut refresh = Vec::new();
        // In turn, so that what the ledger goes through meanwhile, such as a vacuum, meets both.
        for _ in 0..ROUNDS {
            for account in [one, many] {
                let (organizations, _) = account.recorded(&self.system_url).await?;
                let plain = self.plain(address, account, &refresh_statements).await?;
                let plain = Load::flat_out(span).run(plain).await?;
                let ours = self.refreshing(address, account).await?;
                let flat_out = Load::flat_out(span).run(ours).await?;
                let ours = self.refreshing(address, account).await?;
                let paced = Load::at(RATE, span).run(ours).await?;
                refresh.push(RefreshRound {
                    organizations,
                    plain,
                    flat_out,
                    paced,
                });
            }
        }
        let (_, hash) = one.recorded(&self.system_url).await?;
        let password = Cost::of(&hash)?;
        let mut login = Vec::new();
        for _ in 0..ROUNDS {
            let hashes_per_second = hashing::measure(&one.password, &hash, password.at_once, span).await?;
            let mut clients = Vec::new();
            for account in &self.accounts {
                clients.push(SigningIn::new(address, account).await?);
            }
            let run = Load::flat_out(span).run(clients).await?;
            login.push(LoginRound {
                hashes_per_second,
                login: run,
            });
        }
        Ok(SignIn {
            clients: CLIENTS,
            refresh_round_trips,
            refresh_statements,
            refresh,
            login_round_trips,
            password,
            login,
        })
    }
}

/// Round trips of one act, on average, and the statements of the last.
async fn count(client: &mut impl Client, watch: &DatabaseWatch) -> Result<(f64, Vec<String>), String> {
    for _ in 0..COUNTED {
        client.act().await?;
    }
    watch.take();
    let (mut round_trips, mut statements) = (0, Vec::new());
    for _ in 0..COUNTED {
        client.act().await?;
        let seen = watch.take();
        round_trips += seen.round_trips;
        statements = seen.statements;
    }
    // Small numbers: exact in f64.
    Ok((round_trips as f64 / f64::from(COUNTED), statements))
}

/// A variable that the server runs with.
pub fn setting(parts: &Parts, name: &str) -> Result<String, String> {
    let value = parts.environment.get(name).cloned();
    value.ok_or_else(|| format!("{name} is not set"))
}
