//! People who have signed up, and how they sign in.

use std::{net::SocketAddr, time::Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tenantry_demo::{
    customer::{Customer, Person},
    parts::Parts,
};

use crate::{connection::Connection, load::Client, text};

/// That one has had.
pub const TOKENS_OF_A_SESSION: i32 = 5;

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Account {
    pub email: String,
    pub password: String,
}

impl Account {
    /// Signs somebody up as people do, confirmation by mail included. `name` makes address and organization.
    pub async fn sign_up(parts: &Parts, name: &str) -> Result<Self, String> {
        let person = Person {
            email: format!("{name}@museum.example"),
            organization: format!("Museum of {name}"),
            tenant: name.to_owned(),
        };
        let email = person.email.clone();
        let mut customer = Customer::new(parts, person).map_err(text)?;
        customer.signs_up(true).await.map_err(text)?;
        Ok(Self {
            email,
            password: parts.customer_password.clone(),
        })
    }

    /// Makes them the owner of so many organizations more.
    pub async fn owns_more(&self, system_url: &str, organizations: i32) -> Result<(), String> {
        let mut connection = PgConnection::connect(system_url).await.map_err(text)?;
        sqlx::query(
            "with made as (
                 insert into organizations (id, name)
                 select gen_random_uuid(), 'Collection ' || n from generate_series(1, $2) n returning id),
             named as (
                 insert into organization_slugs (slug, organization_id, is_current) select id::text, id, true from made)
             insert into memberships (organization_id, user_id, role)
             select made.id, users.id, 'owner' from made, users where users.email_normalized = $1",
        )
        .bind(&self.email)
        .bind(organizations)
        .execute(&mut connection)
        .await
        .map_err(text)?;
        Ok(())
    }

    /// Gives them so many sessions of programs, each with a few tokens spent: a ledger that has been used for a while has
    /// the plans that its size asks for, an empty one has not.
    pub async fn has_used_programs(&self, system_url: &str, sessions: i32) -> Result<(), String> {
        let mut connection = PgConnection::connect(system_url).await.map_err(text)?;
        sqlx::query(
            "with begun as (
                 insert into sessions (id, user_id, kind, expires_at)
                 select gen_random_uuid(), u.id, 'token', now() + interval '90 days'
                 from users u, generate_series(1, $2) where u.email_normalized = $1 returning id, user_id)
             insert into refresh_tokens (id, user_id, session_id, hash, spent_at)
             select gen_random_uuid(), user_id, id, sha256((id::text || n)::bytea), case when n > 1 then now() end
             from begun, generate_series(1, $3) n",
        )
        .bind(&self.email)
        .bind(sessions)
        .bind(TOKENS_OF_A_SESSION)
        .execute(&mut connection)
        .await
        .map_err(text)?;
        Ok(())
    }

    /// In how many organizations they are, and how their password is kept.
    pub async fn recorded(&self, system_url: &str) -> Result<(i64, String), String> {
        let mut connection = PgConnection::connect(system_url).await.map_err(text)?;
        sqlx::query_as(
            "select (select count(*) from memberships m where m.user_id = u.id), c.password_hash
             from users u join credentials c on c.user_id = u.id where u.email_normalized = $1",
        )
        .bind(&self.email)
        .fetch_one(&mut connection)
        .await
        .map_err(text)
    }
}

/// A program that signs somebody in again and again.
pub struct SigningIn {
    connection: Connection,
    request: Vec<u8>,
}

#[derive(Deserialize)]
struct SignedIn {
    tokens: Tokens,
}

#[derive(Deserialize)]
struct Tokens {
    refresh_token: String,
}

impl SigningIn {
    pub async fn new(address: SocketAddr, account: &Account) -> Result<Self, String> {
        let login = json!({"email": account.email, "password": account.password, "grant": "token"});
        Ok(Self {
            connection: Connection::open(address).await.map_err(text)?,
            request: post("/api/v1/auth/login", &login),
        })
    }

    /// Signs in and returns the first refresh token of the session.
    pub async fn refresh_token(&mut self) -> Result<String, String> {
        let answer = self.connection.exchange(&self.request).await.map_err(text)?;
        let signed_in: SignedIn = answer.json()?;
        Ok(signed_in.tokens.refresh_token)
    }
}

impl Client for SigningIn {
    async fn act(&mut self) -> Result<Instant, String> {
        let sent = Instant::now();
        self.refresh_token().await?;
        Ok(sent)
    }
}

/// A program that goes on with its session: each refresh shows the token that the one before returned.
pub struct Refreshing {
    connection: Connection,
    token: String,
}

impl Refreshing {
    /// Signs in, once.
    pub async fn new(address: SocketAddr, account: &Account) -> Result<Self, String> {
        Ok(Self {
            token: SigningIn::new(address, account).await?.refresh_token().await?,
            connection: Connection::open(address).await.map_err(text)?,
        })
    }
}

impl Client for Refreshing {
    async fn act(&mut self) -> Result<Instant, String> {
        let request = post("/api/v1/auth/refresh", &json!({"refresh_token": self.token}));
        let sent = Instant::now();
        let answer = self.connection.exchange(&request).await.map_err(text)?;
        let next: Tokens = answer.json()?;
        if next.refresh_token == self.token {
            return Err("a refresh returned the token that it was shown".into());
        }
        self.token = next.refresh_token;
        Ok(sent)
    }
}

fn post(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
