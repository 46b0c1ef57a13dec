//! Token refresh and sign-in.

use std::fmt::{Result, Write};

use super::{heads, line, share};
use crate::{
    people::TOKENS_OF_A_SESSION,
    sign_in::{OTHER_SESSIONS, RATE, RefreshRound, SignIn},
};

/// Both sections.
pub(super) fn write(measured: &SignIn, page: &mut String) -> Result {
    refresh(measured, page)?;
    login(measured, page)
}

fn refresh(measured: &SignIn, page: &mut String) -> Result {
    writeln!(
        page,
        "\n## Token refresh\n\n{} programs, each with a session of its own, whose every refresh shows the token that the \
         one before returned; {OTHER_SESSIONS} other sessions of {TOKENS_OF_A_SESSION} tokens each lie in the ledger. Beside them \
         as many plain clients of PostgreSQL that execute the same statements, prepared, and do \
         nothing else. A second run at {RATE:.0} a second shows how long a refresh takes when nobody queues; what begins \
         late is measured from when it was due.\n",
        measured.clients
    )?;
    heads(page)?;
    for round in &measured.refresh {
        let RefreshRound { organizations, .. } = round;
        let whose = if *organizations == 1 {
            "a user in one organization".to_owned()
        } else {
            format!("a user in {organizations} organizations")
        };
        line("plain client", &round.plain, page)?;
        line(&format!("refresh, {whose}"), &round.flat_out, page)?;
        share(round.flat_out.per_second / round.plain.per_second, page)?;
        line(&format!("refresh at {RATE:.0}/s, {whose}"), &round.paced, page)?;
    }
    writeln!(
        page,
        "\nRound trips to the database in one refresh: {:.1}. One of them is the driver's own, which asks whether a connection \
         still answers when it is given back; no request waits for that. A refresh executes:\n",
        measured.refresh_round_trips
    )?;
    for statement in &measured.refresh_statements {
        writeln!(page, "- `{statement}`")?;
    }
    Ok(())
}

fn login(measured: &SignIn, page: &mut String) -> Result {
    let cost = measured.password;
    writeln!(
        page,
        "\n## Sign-in\n\n{} programs sign in with address and password, each with an account of its own, all from one address. \
         Beside them Argon2id alone, on {} threads: {} KiB, {} passes, {} lanes, as the server hashes. No server can check \
         more passwords than that.\n",
        measured.clients, cost.at_once, cost.memory_kib, cost.iterations, cost.lanes
    )?;
    heads(page)?;
    for round in &measured.login {
        writeln!(page, "| Argon2id alone | {:.1} | | | | |", round.hashes_per_second)?;
        line("sign-ins", &round.login, page)?;
        share(round.login.per_second / round.hashes_per_second, page)?;
    }
    writeln!(
        page,
        "\nRound trips to the database in one sign-in: {:.1}, the driver's own included.",
        measured.login_round_trips
    )
}
