//! One PostgreSQL for the whole test process, on a Unix socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs};

/// Runs the server until standard input closes, which it does however the test process ends; then cleans up.
const SUPERVISOR: &str = r#"
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT $server; wait $server
rm -rf "$folder"
"#;

/// Quick rather than safe: a crash of PostgreSQL itself is not what is tested here.
const SETTINGS: &str = "listen_addresses = ''\nmax_connections = 300\nfsync = off\nsynchronous_commit = off\n\
    full_page_writes = off\nautovacuum = off\njit = off\n";

struct Server {
    folder: PathBuf,
    _supervisor: Child,
}

/// The folder of the server's socket.
pub(super) fn socket() -> &'static Path {
    static SERVER: OnceLock<Server> = OnceLock::new();
    &SERVER.get_or_init(start).folder
}

fn start() -> Server {
    let binaries = binaries();
    let folder = tempfile::Builder::new()
        .prefix("tenantry-operations-")
        .tempdir()
        .unwrap()
        .keep();
    let dropped = unprivileged(&folder);
    let cluster = folder.join("cluster");
    let initdb = command(&dropped, &binaries.join("initdb"))
        .arg("-D")
        .arg(&cluster)
        .args([
            "-U",
            "postgres",
            "--auth=trust",
            "--locale=C",
            "--encoding=UTF8",
            "--no-sync",
        ])
        .output()
        .unwrap();
    assert!(
        initdb.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&initdb.stderr)
    );
    let mut settings = fs::read_to_string(cluster.join("postgresql.conf")).unwrap();
    settings.push_str(SETTINGS);
    fs::write(cluster.join("postgresql.conf"), settings).unwrap();

    let mut supervisor = Command::new("sh");
    supervisor
        .args(["-c", SUPERVISOR, "supervisor"])
        .arg(&folder)
        .args(dropped);
    supervisor
        .arg(binaries.join("postgres"))
        .arg("-D")
        .arg(&cluster)
        .arg("-k")
        .arg(&folder);
    std::os::unix::process::CommandExt::process_group(&mut supervisor, 0);
    let supervisor = supervisor.stdin(Stdio::piped()).current_dir("/").spawn().unwrap();

    let deadline = Instant::now() + Duration::from_secs(20);
    while !fs::read_to_string(cluster.join("postmaster.pid")).is_ok_and(|pid| pid.contains("ready")) {
        assert!(
            Instant::now() < deadline,
            "{}",
            fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    Server {
        folder,
        _supervisor: supervisor,
    }
}

fn binaries() -> PathBuf {
    if let Some(chosen) = env::var_os("TENANTRY_TEST_POSTGRES_BIN") {
        return chosen.into();
    }
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .expect("Debian's package postgresql, or TENANTRY_TEST_POSTGRES_BIN")
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    installed.sort();
    installed.pop().expect("an installed PostgreSQL")
}

/// PostgreSQL refuses root: the words in front of a command that drop it, where there is something to drop.
fn unprivileged(folder: &Path) -> Vec<String> {
    let id = |words: &[&str]| {
        let output = Command::new("id").args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    if id(&["-u"]) != "0" {
        return Vec::new();
    }
    let user = if id(&["-u", "postgres"]).is_empty() {
        "nobody"
    } else {
        "postgres"
    };
    let (uid, gid) = (id(&["-u", user]), id(&["-g", user]));
    std::os::unix::fs::chown(folder, uid.parse().ok(), gid.parse().ok()).unwrap();
    vec![
        "setpriv".into(),
        format!("--reuid={uid}"),
        format!("--regid={gid}"),
        "--clear-groups".into(),
        "--".into(),
    ]
}

fn command(dropped: &[String], program: &Path) -> Command {
    let mut words = dropped.iter().map(String::as_str).chain([program.to_str().unwrap()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).current_dir("/");
    command
}
