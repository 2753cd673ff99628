//! The data folder: which one, whose, and that nobody else is using it.

use std::ffi::OsStr;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::Permissions;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::chown;
use std::os::unix::fs::fchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use data_encoding::HEXLOWER;

use crate::crypto::random_bytes;

use super::Data;
use super::error::EmbeddedError;

/// Where root keeps the data of checkouts that the servers' user cannot reach.
const STAND_INS: &str = "/var/lib/sekisho-dev";

/// The user that the servers run as when this process is root.
#[derive(Debug, Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

/// A data folder that this process holds.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
    account: Option<Account>,
    /// Locked for as long as this lives. Throw-away folders are nobody else's business from birth.
    _lock: Option<File>,
}

impl Folder {
    /// Finds or makes the folder, and takes it for this process alone.
    pub(super) fn open(data: Data) -> Result<Self, EmbeddedError> {
        let (wanted, kept) = match data {
            Data::Kept(path) => (path, true),
            Data::ThrowAway => (std::env::temp_dir().join(unique("sekisho")), false),
        };
        let wanted = make(&wanted)?;
        let (path, account) = if rustix::process::geteuid().is_root() {
            let account = account_for(&wanted)?;
            (reachable(wanted, account)?, Some(account))
        } else {
            (wanted, None)
        };
        let lock = if kept { Some(lock(&path)?) } else { None };
        let folder = Self { path, kept, account, _lock: lock };
        if !kept {
            // The servers' user removes it at the end.
            folder.hand_over(&folder.path)?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    /// A child that only the servers' user can look into, made at need.
    pub(super) fn place(&self, name: &str) -> Result<PathBuf, EmbeddedError> {
        let place = self.path.join(name);
        match DirBuilder::new().mode(0o700).create(&place) {
            Ok(()) => self.hand_over(&place)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(EmbeddedError::folder(&place, error)),
        }
        Ok(place)
    }

    /// An empty file for the servers' user alone. Always a new one: root must not follow what that user put there.
    pub(super) fn create_private(&self, path: &Path) -> Result<File, EmbeddedError> {
        let create = || {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
            if let Some(Account { uid, gid }) = self.account {
                fchown(&file, Some(uid), Some(gid))?;
            }
            Ok(file)
        };
        create().map_err(|cause| EmbeddedError::folder(path, cause))
    }

    /// A command as the servers' user, in a process group of its own and with messages in English.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = command_as(self.account, program);
        command.process_group(0).env("LC_ALL", "C");
        command
    }

    fn hand_over(&self, path: &Path) -> Result<(), EmbeddedError> {
        let Some(Account { uid, gid }) = self.account else {
            return Ok(());
        };
        let result = chown(path, Some(uid), Some(gid));
        result.map_err(|cause| EmbeddedError::folder(path, cause))
    }
}

/// A name that nothing else has.
pub(super) fn unique(name: &str) -> String {
    format!("{name}-{}", HEXLOWER.encode(&random_bytes::<8>()))
}

fn make(path: &Path) -> Result<PathBuf, EmbeddedError> {
    let made = fs::create_dir_all(path).and_then(|()| fs::canonicalize(path));
    made.map_err(|cause| EmbeddedError::folder(path, cause))
}

fn lock(path: &Path) -> Result<File, EmbeddedError> {
    let file = path.join("lock");
    let failed = |cause| EmbeddedError::folder(&file, cause);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let handle = options.open(&file).map_err(failed)?;
    match handle.try_lock() {
        Ok(()) => Ok(handle),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::InUse { folder: path.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}

/// Who owns the data already there, else a user made for such work.
fn account_for(path: &Path) -> Result<Account, EmbeddedError> {
    if let Ok(place) = fs::metadata(path.join("postgres"))
        && place.uid() != 0
    {
        return Ok(Account { uid: place.uid(), gid: place.gid() });
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "_postgres", "nobody"].iter().find_map(|name| account_in(&users, name)).ok_or(EmbeddedError::NoUser)
}

/// A user's line is `name:password:uid:gid:…`.
fn account_in(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { uid, gid })
    })
}

/// The folder itself if the account can get there, else its stand-in.
fn reachable(wanted: PathBuf, account: Account) -> Result<PathBuf, EmbeddedError> {
    let tried = command_as(Some(account), "sh")
        .args(["-c", "cd \"$1\"", "sh"])
        .arg(&wanted)
        .current_dir("/")
        .stderr(Stdio::null())
        .status();
    if tried.map_err(|cause| EmbeddedError::run("sh", cause))?.success() {
        return Ok(wanted);
    }
    let stand_in = Path::new(STAND_INS).join(format!("{:016x}", hash(&wanted)));
    // Only if it is empty: it may hold more than the servers' data.
    let _ = fs::remove_dir(&wanted);
    let stand_in = make(&stand_in)?;
    for folder in [Path::new(STAND_INS), &stand_in] {
        let opened = fs::set_permissions(folder, Permissions::from_mode(0o711));
        opened.map_err(|cause| EmbeddedError::folder(folder, cause))?;
    }
    Ok(stand_in)
}

fn command_as(account: Option<Account>, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some(Account { uid, gid }) = account {
        // The standard library drops root's other groups along with the uid.
        command.uid(uid).gid(gid);
    }
    command
}

/// FNV-1a: a name for a path that stays the same from build to build, not a secret.
fn hash(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
