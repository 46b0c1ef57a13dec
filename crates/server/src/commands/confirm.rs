//! Asking before something is lost.

use std::io::{self, IsTerminal, Write};

use crate::exit::{Failure, FailureKind};

/// Says what is lost, and asks for a word that nobody types by mistake. `act` completes "this …".
pub(super) fn ask(act: &str, warning: &str, word: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("this {act} and is not asked on a terminal; say --yes if you mean it"),
        ));
    }
    let mut err = io::stderr();
    // A terminal that cannot be written to will not answer either.
    let _ = write!(err, "{warning}\nType {word} to confirm: ");
    let _ = err.flush();
    let answer = io::stdin().lines().next().and_then(Result::ok).unwrap_or_default();
    if answer.trim() == word {
        Ok(())
    } else {
        Err(Failure::new(FailureKind::Refused, "not confirmed; nothing was changed"))
    }
}
