//! Group commit: one writer takes what waits and writes it in one transaction.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow};
use tokio::sync::{mpsc, oneshot};

use super::Contact;

/// Contacts after which a group is full; the product's groups have about as many.
const FULL: usize = 1_000;

/// Writes whole groups.
pub(super) trait Writer: Send + 'static {
    /// Writes `contacts` in one transaction; the first gets the id `first`.
    fn write(&mut self, contacts: &[Contact], first: i64) -> impl Future<Output = Result<()>> + Send;
}

/// Contacts and where the answer goes.
struct Waiting {
    contacts: Vec<Contact>,
    answer: oneshot::Sender<Result<()>>,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    queue: mpsc::Sender<Waiting>,
    written: Arc<AtomicU64>,
}

impl Groups {
    /// Starts a writer on the current runtime.
    pub(super) fn start(writer: impl Writer) -> Self {
        let (queue, waiting) = mpsc::channel(1024);
        let written = Arc::new(AtomicU64::new(0));
        tokio::spawn(run(writer, waiting, Arc::clone(&written)));
        Self { queue, written }
    }

    /// Writes `contacts` together with whatever else waits; answered after the commit.
    pub(super) async fn write(&self, contacts: Vec<Contact>) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Waiting { contacts, answer }).await.map_err(|_| anyhow!("the bare writer has ended"))?;
        answered.await?
    }

    /// Contacts written so far; their ids count from 1.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }
}

async fn run(mut writer: impl Writer, mut waiting: mpsc::Receiver<Waiting>, written: Arc<AtomicU64>) {
    let mut first = 1;
    while let Some(next) = waiting.recv().await {
        let (mut contacts, mut answers) = (next.contacts, vec![next.answer]);
        while contacts.len() < FULL
            && let Ok(mut next) = waiting.try_recv()
        {
            contacts.append(&mut next.contacts);
            answers.push(next.answer);
        }
        let result = writer.write(&contacts, first).await;
        let count = contacts.len() as u64;
        first += i64::try_from(count).unwrap_or_default();
        written.fetch_add(count, Ordering::Release);
        let failure = result.err().map(|error| format!("the bare statements failed: {error:#}"));
        for answer in answers {
            // A client that has finished does not wait for its last answer.
            let _ = answer.send(failure.clone().map_or(Ok(()), |text| Err(anyhow!(text))));
        }
    }
}
