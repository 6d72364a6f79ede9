//! Who the server runs as: PostgreSQL refuses to run as root.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The identity of the server's processes; `None` is the user of this process.
#[derive(Debug, Clone, Copy)]
pub(super) struct User(Option<(u32, u32)>);

impl User {
    /// Another user when this process is root: `postgres` where that exists, else `nobody`.
    pub(super) fn for_server() -> Result<Self> {
        let id = Command::new("id").arg("-u").output().context("cannot run id")?;
        if String::from_utf8_lossy(&id.stdout).trim() != "0" {
            return Ok(Self(None));
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        match ["postgres", "nobody"].iter().find_map(|name| ids(&users, name)) {
            Some(ids) => Ok(Self(Some(ids))),
            None => bail!("running as root, and there is neither a user postgres nor nobody for the server"),
        }
    }

    /// A command that runs as this user. Cargo's and libpq's settings stay outside.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid).current_dir("/");
        }
        command
    }

    /// Makes `folder` and gives it to this user.
    pub(super) fn make_folder(self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        if let Some((uid, gid)) = self.0 {
            chown(folder, Some(uid), Some(gid))
                .with_context(|| format!("cannot chown {}", folder.display()))?;
        }
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        if !self.can_enter(folder) {
            bail!(
                "PostgreSQL does not run as root, and the user it runs as instead cannot get into {}: choose a folder \
                 outside of root's own",
                folder.display()
            );
        }
        Ok(())
    }

    fn can_enter(self, folder: &Path) -> bool {
        self.command(Path::new("test")).arg("-x").arg(folder).status().is_ok_and(|status| status.success())
    }

    /// `wanted` if this user can get into it, else a folder in the system's place for temporary files: a project under
    /// `/root` is closed to everybody else.
    pub(super) fn reachable(self, wanted: &Path) -> Result<PathBuf> {
        let elsewhere = std::env::temp_dir().join("syncline-postgres");
        for folder in [wanted.to_path_buf(), elsewhere] {
            std::fs::create_dir_all(&folder)?;
            if let Some((uid, gid)) = self.0 {
                // So that the server's watcher can remove what is in it.
                chown(&folder, Some(uid), Some(gid))?;
            }
            if self.can_enter(&folder) {
                return Ok(folder);
            }
        }
        bail!("the server's user can reach neither {} nor the temporary folder", wanted.display())
    }
}

/// User and group of a name in the text of `/etc/passwd`.
fn ids(users: &str, name: &str) -> Option<(u32, u32)> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_the_line_of_exactly_that_name() {
        let users =
            "root:x:0:0::/root:/bin/sh\npostgres2:x:9:9::/:/bin/sh\npostgres:x:101:104:a,b:/var:/bin/bash\n";
        assert_eq!(ids(users, "postgres"), Some((101, 104)));
        assert_eq!(ids(users, "nobody"), None);
    }
}
