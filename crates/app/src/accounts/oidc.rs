//! Tenantry as OpenID provider: people sign in to products with their account here.

mod authorize;
mod clients;
mod end_session;
mod exchange;
mod redeem;
mod token_rate;
mod userinfo;

pub use authorize::{AuthorizeError, CodeRequest, authentication_time, issue_code};
pub use clients::{Client, ClientSecret, Redirect, RedirectKind, find_client, find_redirect, renew_client_secret};
pub use end_session::{LogoutHint, end_hinted_session, read_hint};
pub use exchange::{ExchangeError, ProductToken, exchange};
pub use redeem::{CodeTokens, RedeemError, Redemption, redeem};
pub use token_rate::{TokenRateError, admit_token_request};
pub use userinfo::{UserInfo, userinfo};

pub(crate) use clients::{register, retire};

use tenantry_domain::accounts::session::USER_SESSIONS;
use tenantry_postgres::accounts::oidc_codes::Liveness;

use crate::App;

/// Which sessions stand behind codes: those of browsers.
fn liveness(app: &App) -> Liveness {
    let now = app.clock.now();
    Liveness {
        now,
        idle_since: now - USER_SESSIONS.idle,
    }
}
