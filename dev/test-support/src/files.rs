//! Where tools are kept, and who may read what.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

/// The top of the checkout.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the checkout, two folders up")
        .to_owned()
}

/// Who a server that refuses to run as root runs as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// An account without rights, when this process is root; otherwise none is needed.
pub(crate) fn unprivileged() -> Option<Account> {
    let me = fs::metadata("/proc/self").expect("/proc").uid();
    if me != 0 {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    ["postgres", "nobody"].iter().find_map(|wanted| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next() != Some(*wanted) {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Account { uid, gid })
        })
    })
}

/// A new folder with a short name (a socket's path has to fit into 107 bytes) that `account` owns. It is not removed
/// when it goes out of scope: the supervisor of the server that lives in it does that, after the server.
pub(crate) fn private_folder(prefix: &str, account: Option<Account>) -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in("/tmp")
        .expect("a folder in /tmp")
        .keep();
    if let Some(account) = account {
        chown(&folder, Some(account.uid), Some(account.gid)).expect("chown");
    }
    folder
}

/// Writes a file that `account` owns.
pub(crate) fn write(path: &Path, text: &str, account: Option<Account>) {
    fs::write(path, text).expect("a file in a folder of ours");
    if let Some(account) = account {
        chown(path, Some(account.uid), Some(account.gid)).expect("chown");
    }
}

/// A development tool from the cache, made first if need be.
///
/// # Panics
/// When it cannot be had; the message says why.
pub async fn tool(name: &str) -> PathBuf {
    let output = Command::new(repository().join("dev/tools/install"))
        .arg(name)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("dev/tools/install");
    assert!(
        output.status.success(),
        "{name} cannot be had: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}
