//! Removes throw-away clusters whose process is gone and whose watcher was killed as well.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::binaries::Binaries;
use super::server::{owner, stop};
use super::user::User;

/// Goes through the folders in `base`. What cannot be removed is left for the next time.
pub(super) fn sweep(base: &Path, binaries: &Binaries, user: &User) {
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let folder = entry.path();
        let dead = match owner(&folder) {
            Some(id) => !alive(id),
            // Without an owner it is being made, or was given up while it was.
            None => old(&folder),
        };
        if dead {
            if folder.join("postmaster.pid").is_file() {
                let _ = stop(binaries, *user, &folder, "immediate");
            }
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

fn alive(id: u32) -> bool {
    let mut kill = Command::new("kill");
    kill.arg("-0").arg(id.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    kill.status().is_ok_and(|status| status.success())
}

fn old(folder: &Path) -> bool {
    let changed = std::fs::metadata(folder).and_then(|meta| meta.modified());
    let age = changed.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age > Duration::from_mins(10))
}
