//! One PostgreSQL server: made, started, stopped, removed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::database::Server;
use crate::process::{output, random_word};
use crate::{Database, Error, watcher};

/// Another process may take a free port before the server does.
const PORT_ATTEMPTS: u32 = 5;

/// What a server is started with; everything else is PostgreSQL's default, durability included.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its folder is made; the system's folder for temporary files if `None`.
    pub folder: Option<PathBuf>,
    /// `shared_buffers`, in MiB.
    pub shared_buffers_mib: u32,
    /// `max_connections`.
    pub connections: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { folder: None, shared_buffers_mib: 128, connections: 400 }
    }
}

/// A running PostgreSQL server that is removed soon after the value, or its process, is gone.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    binaries: Binaries,
    account: Account,
    server: Server,
}

impl Cluster {
    /// Makes and starts a server for the caller alone.
    ///
    /// # Errors
    /// Says how to install PostgreSQL where it is missing, and shows the server's own words where it does not start.
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let root = root(settings.folder.as_deref())?;
        Self::start_in(&root, settings, 0)
    }

    /// Makes and starts a server in `root` that outlives its last user by `grace_seconds`.
    pub(crate) fn start_in(root: &Path, settings: &Settings, grace_seconds: u32) -> Result<Self, Error> {
        let binaries = Binaries::find()?;
        let account = Account::choose(root)?;
        let folder = watcher::new_folder(root)?;
        make_private(&folder)?;
        let users = folder.join("users");
        make_private(&users)?;
        watcher::join(&folder)?;
        watcher::watch(root, &folder, grace_seconds)?;
        account.own(&folder)?;
        let password = random_word()?;
        initialize(&binaries, account, &folder, &password)?;
        let server = Server::new(binaries.command("psql").get_program().into(), &password, 0);
        let mut cluster = Self { folder, binaries, account, server };
        cluster.start_on_free_port(settings, &password)?;
        Ok(cluster)
    }

    /// Makes a fresh database with its two roles.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn database(&self) -> Result<Database, Error> {
        Database::create(self.server.clone())
    }

    /// Stops the server at once, as a crash would: connections break, nothing is flushed.
    ///
    /// # Errors
    /// When it does not run.
    pub fn stop(&self) -> Result<(), Error> {
        output(self.pg_ctl("stop").args(["-m", "immediate"])).map(drop)
    }

    /// Starts the server again, on the same port and data.
    ///
    /// # Errors
    /// With the end of the server's log when it does not start.
    pub fn resume(&self) -> Result<(), Error> {
        let log = self.folder.join("log");
        output(self.pg_ctl("start").arg("-l").arg(&log)).map(drop).map_err(|error| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(12).collect();
            Error::new(format!("{error}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n")))
        })
    }

    /// Where the data is: its size on disk is the database's.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The process id of the server.
    pub fn pid(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data_folder().join("postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn start_on_free_port(&mut self, settings: &Settings, password: &str) -> Result<(), Error> {
        let mut last = Error::new("no port is free");
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            self.configure(settings, port)?;
            match self.resume() {
                Ok(()) => {
                    self.server = Server::new(self.server.client().into(), password, port);
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn configure(&self, settings: &Settings, port: u16) -> Result<(), Error> {
        let file = self.data_folder().join("postgresql.auto.conf");
        let text = format!(
            "listen_addresses = '127.0.0.1'\n\
             port = {port}\n\
             unix_socket_directories = ''\n\
             max_connections = {}\n\
             shared_buffers = '{}MB'\n",
            settings.connections, settings.shared_buffers_mib
        );
        fs::write(&file, text).map_err(|error| Error::io("write", &file, &error))
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = self.binaries.command("pg_ctl");
        command.args([action, "-w", "-s", "-t", "60", "-D"]).arg(self.data_folder()).current_dir(&self.folder);
        self.account.run(&mut command);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        watcher::leave(&self.folder);
    }
}

/// The folder that holds all clusters of this user: `folder`, or one of the system's temporary ones.
pub(crate) fn root(folder: Option<&Path>) -> Result<PathBuf, Error> {
    let parent = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
    let probe = parent.join(format!(".{}", random_word()?));
    make_private(&probe)?;
    let user = fs::metadata(&probe).map_err(|error| Error::io("look at", &probe, &error))?.uid();
    fs::remove_dir(&probe).map_err(|error| Error::io("remove", &probe, &error))?;
    let root = parent.join(format!("trellis-test-postgres-{user}"));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&root)
        .map_err(|error| Error::io("make", &root, &error))?;
    let owner = fs::metadata(&root).map_err(|error| Error::io("look at", &root, &error))?.uid();
    if owner != user {
        return Err(Error::new(format!("{} belongs to another user: remove it", root.display())));
    }
    Ok(root)
}

fn make_private(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().mode(0o700).create(folder).map_err(|error| Error::io("make", folder, &error))
}

/// Makes the data folder.
///
/// The collation is a language's, as on most production servers: a statement that relies on the order of bytes and
/// does not say so shall fail here.
fn initialize(binaries: &Binaries, account: Account, folder: &Path, password: &str) -> Result<(), Error> {
    let password_file = folder.join("password");
    fs::write(&password_file, password).map_err(|error| Error::io("write", &password_file, &error))?;
    account.own(&password_file)?;
    let mut initdb = binaries.command("initdb");
    initdb
        .args(["--username=postgres", "--auth=password", "--encoding=UTF8", "--locale=C"])
        .args(["--locale-provider=icu", "--icu-locale=en-US", "--no-sync", "--no-instructions", "-D"])
        .arg(folder.join("data"))
        .arg("--pwfile")
        .arg(&password_file)
        .current_dir(folder);
    output(account.run(&mut initdb))?;
    fs::remove_file(&password_file).map_err(|error| Error::io("remove", &password_file, &error))
}

fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| Error::new(format!("no port is free: {error}")))
}
