//! The baseline of P4: a client of PostgreSQL that executes what a refresh executes, and does nothing else.

use std::{sync::Arc, time::Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::{TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use uuid::Uuid;

use crate::{load::Client, text};

/// One session's chain of tokens, kept by hash.
pub struct PlainRefresh {
    connection: PgConnection,
    statements: Arc<[Arc<str>]>,
    presented: [u8; 32],
}

impl PlainRefresh {
    /// Goes on with the chain of a token. `statements` are those of one refresh, as they were seen.
    pub async fn new(system_url: &str, statements: &[String], token: &str) -> Result<Self, String> {
        if statements.iter().filter(|sql| is_rotation(sql)).count() != 1 {
            return Err(format!(
                "a refresh is not one statement with parameters any more: {statements:?}"
            ));
        }
        let token = BASE64.decode(token).map_err(text)?;
        Ok(Self {
            connection: PgConnection::connect(system_url).await.map_err(text)?,
            statements: statements.iter().map(|sql| Arc::from(sql.as_str())).collect(),
            presented: Sha256::digest(token).into(),
        })
    }
}

impl Client for PlainRefresh {
    async fn act(&mut self) -> Result<Instant, String> {
        let (successor, now) = (Uuid::now_v7(), Utc::now());
        let successor_hash: [u8; 32] = Sha256::digest(successor).into();
        let sent = Instant::now();
        for sql in self.statements.iter().cloned() {
            if !is_rotation(&sql) {
                let query = sqlx::raw_sql(AssertSqlSafe(sql));
                self.connection.execute(query).await.map_err(text)?;
                continue;
            }
            let row = sqlx::query(AssertSqlSafe(sql))
                .bind(self.presented.as_slice())
                .bind(successor_hash.as_slice())
                .bind(successor)
                .bind(now)
                .bind(now - TimeDelta::days(30))
                .bind(now - TimeDelta::minutes(1))
                .fetch_one(&mut self.connection)
                .await
                .map_err(text)?;
            if !row.try_get::<bool, _>("rotated").map_err(text)? {
                return Err("the plain client's token was spent by somebody else".into());
            }
        }
        self.presented = successor_hash;
        Ok(sent)
    }
}

/// Whether it takes parameters: begin and end of a transaction do not.
fn is_rotation(sql: &str) -> bool {
    sql.contains("$1")
}
