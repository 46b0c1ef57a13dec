//! Processes that end with the test process, however that ends.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::files::Account;

/// Starts the command that follows its first two arguments and waits until it ends, or until nobody holds the other end
/// of standard input any more; then ends the command and removes its folder.
///
/// A parent-death signal would be simpler, but it is sent when the *thread* that started the process ends, and each
/// test has its own.
const SUPERVISOR: &str = r#"
folder=$1; signal=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{
    read -r _ <&3
    kill -s "$signal" "$child"
    tries=0
    while [ "$tries" -lt 50 ] && kill -0 "$child"; do sleep 0.1; tries=$((tries + 1)); done
    kill -s KILL "$child"
} >/dev/null 2>&1 &
reader=$!
wait "$child"; status=$?
kill "$reader" 2>/dev/null
[ -n "$folder" ] && rm -rf "$folder"
exit "$status"
"#;

/// A running process, and the folder that it lives in. Both go when this value is dropped or this process ends.
#[derive(Debug)]
pub struct Supervised {
    supervisor: Child,
    log: PathBuf,
}

impl Supervised {
    /// Starts `program`. Its output goes to `log`; `folder` is removed after it, and `signal` asks it to end.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, &str)],
        account: Option<Account>,
        folder: Option<&Path>,
        signal: &str,
        log: &Path,
    ) -> Self {
        let output = File::create(log).expect("a log file");
        let mut command = Command::new("sh");
        command
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(folder.unwrap_or(Path::new("")))
            .arg(signal);
        if let Some(account) = account {
            command
                .arg("setpriv")
                .arg(format!("--reuid={}", account.uid))
                .arg(format!("--regid={}", account.gid))
                .args(["--clear-groups", "--"]);
        }
        let supervisor = command
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            // Ctrl-C in a terminal goes to the whole group; this one has to outlive the tests by a moment.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        Self {
            supervisor,
            log: log.to_owned(),
        }
    }

    /// Why the process is gone, if it is.
    pub(crate) fn obituary(&mut self) -> Option<String> {
        let status = self.supervisor.try_wait().expect("a child of ours")?;
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        Some(format!("{status}\n{log}"))
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Ends within the five seconds that the supervisor grants.
        let _ = self.supervisor.wait();
    }
}
