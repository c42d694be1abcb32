//! Log lines on their way out, written many at a time: a write for each would cost as much as a small request.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Lines are written when they are this old, or this many bytes.
const AGE: Duration = Duration::from_millis(50);
const FULL: usize = 64 * 1024;

/// Lines that wait to be written. Warnings and errors do not wait.
#[derive(Clone)]
pub(super) struct Lines(Arc<Mutex<Waiting>>);

struct Waiting {
    bytes: Vec<u8>,
    out: Box<dyn Write + Send>,
    /// There is nothing left to flush for: everything is written at once.
    is_closed: bool,
}

impl Lines {
    /// Lines for `out`, with a thread that writes those that have waited.
    pub(super) fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let waiting = Waiting { bytes: Vec::with_capacity(FULL), out: Box::new(out), is_closed: false };
        let lines = Self(Arc::new(Mutex::new(waiting)));
        let flushed = lines.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            while !flushed.waiting().is_closed {
                thread::sleep(AGE);
                flushed.waiting().write();
            }
        })?;
        Ok(lines)
    }

    /// Writes what waits, and from now on each line at once.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.is_closed = true;
        waiting.write();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Bytes are whole lines whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// A log that cannot be written has nowhere to say so.
    fn write(&mut self) {
        if !self.bytes.is_empty() {
            drop(self.out.write_all(&self.bytes));
            drop(self.out.flush());
            self.bytes.clear();
        }
    }
}

/// Takes one line.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    is_urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lines.waiting();
        waiting.bytes.extend_from_slice(line);
        if self.is_urgent || waiting.is_closed || waiting.bytes.len() >= FULL {
            waiting.write();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.waiting().write();
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: self, is_urgent: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line { lines: self, is_urgent: *metadata.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn urgent_lines_take_the_waiting_ones_with_them_in_order() {
        let out = Shared::default();
        let lines = Lines::to(out.clone()).expect("a thread");
        let line = |is_urgent| Line { lines: &lines, is_urgent };
        line(false).write_all(b"one\n").expect("taken");
        line(true).write_all(b"two\n").expect("taken");
        assert_eq!(out.0.lock().expect("a lock").as_slice(), b"one\ntwo\n");
        line(false).write_all(b"three\n").expect("taken");
        lines.close();
        line(false).write_all(b"four\n").expect("taken");
        assert_eq!(out.0.lock().expect("a lock").as_slice(), b"one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn many_lines_do_not_pile_up() {
        let out = Shared::default();
        let lines = Lines::to(out.clone()).expect("a thread");
        let line = [b'x'; 1000];
        for _ in 0..1000 {
            Line { lines: &lines, is_urgent: false }.write_all(&line).expect("taken");
        }
        assert!(out.0.lock().expect("a lock").len() >= 1_000_000 - FULL);
        assert!(lines.waiting().bytes.capacity() <= 2 * FULL);
    }
}
