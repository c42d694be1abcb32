//! The real program, started as a process of its own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use throwaway_postgres::Database;

use crate::Client;

/// The token that may manage tenants on every server of the harness.
pub const PLATFORM_TOKEN: &str = "platform-token-of-the-tests";

/// A debug build on a busy machine is slow; a server that needs longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says that the program ends with the process that started it.
const CHILD: &str = "UNDER_TEST";

/// How often a file or a process is looked at while waiting for it.
const TICK: Duration = Duration::from_millis(2);

/// Where the server keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The embedded store, in a temporary folder.
    Sqlite,
    /// A fresh database of a throwaway PostgreSQL.
    Postgres,
}

impl Store {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// How to start a server; [`Builder::start`] starts it.
#[derive(Debug)]
pub struct Builder {
    program: PathBuf,
    arguments: Vec<String>,
    store: Store,
    environment: BTreeMap<String, String>,
    database: Option<Database>,
    parent: Option<PathBuf>,
}

impl Builder {
    /// A server of `program` on a fresh store.
    pub fn new(program: impl Into<PathBuf>, store: Store) -> Self {
        let environment =
            [("TRELLIS_LISTEN", "127.0.0.1:0"), ("TRELLIS_PLATFORM_TOKEN", PLATFORM_TOKEN), ("RUST_BACKTRACE", "1")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { program: program.into(), arguments: Vec::new(), store, environment, database: None, parent: None }
    }

    /// Sets one of the server's environment variables.
    #[must_use]
    pub fn environment(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Adds an argument of the program.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Uses this database instead of one of the shared PostgreSQL.
    #[must_use]
    pub fn database(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }

    /// Puts the server's folder into `parent`, for example a small file system.
    #[must_use]
    pub fn folder_in(mut self, parent: &Path) -> Self {
        self.parent = Some(parent.to_owned());
        self
    }

    /// Starts the server and waits until it listens.
    ///
    /// # Panics
    /// When it does not, with what it said.
    pub async fn start(mut self) -> TestServer {
        let folder = match &self.parent {
            Some(parent) => tempfile::tempdir_in(parent),
            None => tempfile::tempdir(),
        };
        let folder = folder.unwrap_or_else(|error| panic!("could not make a temporary folder: {error}"));
        if self.store == Store::Postgres {
            let database = self.database.take();
            let database =
                database.unwrap_or_else(|| throwaway_postgres::database().unwrap_or_else(|error| panic!("{error}")));
            self.environment.insert("TRELLIS_DATABASE_URL".to_owned(), database.url().to_owned());
            self.environment.insert("TRELLIS_MIGRATION_URL".to_owned(), database.migration_url().to_owned());
            self.database = Some(database);
        }
        let data = folder.path().join("data").to_string_lossy().into_owned();
        self.environment.insert("TRELLIS_DATA_DIR".to_owned(), data);
        let mut server = TestServer { running: None, builder: self, folder };
        server.start().await;
        server
    }
}

/// A running server; killed when dropped, its data removed.
///
/// Where the test fails, the end of the server's log is shown. Where the server has panicked, the test fails.
#[derive(Debug)]
pub struct TestServer {
    // In this order: the process ends before its database and its folder go.
    running: Option<Running>,
    builder: Builder,
    folder: TempDir,
}

#[derive(Debug)]
struct Running {
    child: Child,
    address: String,
}

impl TestServer {
    /// Which store it runs on.
    pub fn store(&self) -> Store {
        self.builder.store
    }

    /// `http://HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.running.as_ref().expect("the server runs").address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the server runs").child.id()
    }

    /// Its data folder.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its database on PostgreSQL.
    pub fn database(&self) -> Option<&Database> {
        self.builder.database.as_ref()
    }

    /// A caller without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.address())
    }

    /// The caller that may manage tenants.
    pub fn platform(&self) -> Client {
        self.anonymous().with_token(PLATFORM_TOKEN)
    }

    /// Changes one of the environment variables of the next start.
    pub fn set_environment(&mut self, name: &str, value: impl Into<String>) {
        self.builder.environment.insert(name.to_owned(), value.into());
    }

    /// Starts it on the data that is there, and waits until it listens.
    pub async fn start(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let said = fs::read(self.file("stdout")).map_or(0, |text| text.len());
        let mut child = self.spawn();
        let address = self.wait_until_it_listens(&mut child, said).await;
        self.running = Some(Running { child, address });
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("the server runs");
        running.child.kill().expect("a child can be killed");
        running.child.wait().expect("a child can be waited for");
    }

    /// Asks it to end and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("the server runs");
        let pid = running.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("`kill` runs");
        assert!(sent.success(), "the server has already ended");
        let began = Instant::now();
        loop {
            if let Some(status) = running.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "the server does not end on SIGTERM");
            tokio::time::sleep(TICK).await;
        }
    }

    /// A command of the program with the server's settings, in its folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.builder.program);
        command.args(arguments).env_clear().envs(&self.builder.environment).current_dir(&self.folder);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.env_remove(CHILD).stdin(Stdio::null());
        command
    }

    /// Everything it has written to standard output and standard error.
    pub fn log(&self) -> String {
        ["stdout", "stderr"].map(|name| fs::read_to_string(self.file(name)).unwrap_or_default()).concat()
    }

    fn spawn(&self) -> Child {
        let log = |name| -> File {
            let file = OpenOptions::new().create(true).append(true).open(self.file(name));
            file.expect("a file in the temporary folder")
        };
        let arguments: Vec<&str> = self.builder.arguments.iter().map(String::as_str).collect();
        let mut command = self.command(&arguments);
        // The child reads its input until it ends, which is when this process ends.
        command.env(CHILD, "1").stdin(Stdio::piped()).stdout(log("stdout")).stderr(log("stderr"));
        command.spawn().unwrap_or_else(|error| panic!("could not start {}: {error}", self.builder.program.display()))
    }

    async fn wait_until_it_listens(&self, child: &mut Child, already_said: usize) -> String {
        let began = Instant::now();
        loop {
            let said = fs::read(self.file("stdout")).unwrap_or_default();
            let said = String::from_utf8_lossy(said.get(already_said..).unwrap_or_default()).into_owned();
            if let Some(address) = said.split_inclusive('\n').find_map(address_in) {
                return address.to_owned();
            }
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("the server did not start ({status}):\n{}", self.log());
            }
            if began.elapsed() > PATIENCE {
                // A child that is only dropped goes on.
                let _ = child.kill();
                panic!("the server does not say where it listens:\n{}", self.log());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        let log = self.log();
        if std::thread::panicking() {
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("--- the server's log ---\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        } else {
            assert!(!log.contains("panicked at"), "the server has panicked:\n{log}");
        }
    }
}

/// The address in a complete line `listening on http://ADDRESS`.
fn address_in(line: &str) -> Option<&str> {
    let (_, address) = line.strip_suffix('\n')?.split_once("listening on ")?;
    address.starts_with("http://").then_some(address.trim())
}
