//! Where log lines go and how they look. Standard output belongs to the commands; logs go to standard error.

mod lines;

use std::io::IsTerminal;

use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, TelemetryConfig};
use lines::Lines;

/// Logging; what waits to be written is written when this is dropped.
pub(crate) struct Logging(Lines);

impl Drop for Logging {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Begins to log. Leaves things as they are where the process logs already.
pub(crate) fn init(config: &TelemetryConfig) -> std::io::Result<Logging> {
    let lines = Lines::to(std::io::stderr())?;
    let layer = tracing_subscriber::fmt::layer().with_writer(lines.clone());
    let layer = match config.format {
        LogFormat::Pretty => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(config.level.clone()));
    if subscriber.try_init().is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
    Ok(Logging(lines))
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("without a message");
    tracing::error!(panic.place = place, "panicked at {place}: {message}");
}
