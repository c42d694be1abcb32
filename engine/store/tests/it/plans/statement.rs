//! The statements of the store: those that are written down, and those that have run.

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Display};
use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};

const PATIENCE: Duration = Duration::from_secs(60);

/// A line of the store's source, the file counted from `src`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: u64,
}

impl Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// A statement that has run.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Statement {
    pub(super) place: Place,
    pub(super) text: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "file" => self.place.file = value.rsplit_once("src/").map_or(value, |(_, file)| file).to_owned(),
            "text" => value.clone_into(&mut self.text),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "line" {
            self.place.line = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// Collects the statements that run on this thread.
pub(super) struct Trace {
    seen: watch::Receiver<BTreeSet<Statement>>,
    _guard: DefaultGuard,
}

struct Collector(watch::Sender<BTreeSet<Statement>>);

impl<S: Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        self.0.send_if_modified(|seen| seen.insert(statement));
    }
}

impl Trace {
    pub(super) fn begin() -> Self {
        let (sender, seen) = watch::channel(BTreeSet::new());
        let statements = Targets::new().with_target("engine_store::statement", LevelFilter::TRACE);
        let subscriber = tracing_subscriber::registry().with(Collector(sender).with_filter(statements));
        Self { seen, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// Waits until a statement with these words has run.
    pub(super) async fn saw(&mut self, words: &str) {
        let is_seen = |seen: &BTreeSet<Statement>| seen.iter().any(|statement| statement.text.contains(words));
        let seen = tokio::time::timeout(PATIENCE, self.seen.wait_for(is_seen)).await;
        seen.expect("a statement with these words").unwrap();
    }

    pub(super) fn statements(self) -> BTreeSet<Statement> {
        self.seen.borrow().clone()
    }
}

/// Where statements are written down that are made by one of these functions of `Sql`.
pub(super) fn written_down(constructors: &[&str]) -> BTreeSet<Place> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let made: Vec<String> = constructors.iter().map(|name| format!("Sql::{name}(")).collect();
    let mut places = BTreeSet::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.strip_prefix(&src).unwrap().to_str().unwrap();
            for (line, text) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
                if made.iter().any(|made| text.contains(made)) {
                    places.insert(Place { file: file.to_owned(), line });
                }
            }
        }
    }
    places
}
