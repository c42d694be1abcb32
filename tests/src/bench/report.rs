//! The results, for people and for programs.

use serde_json::{Value, json};

use super::load::{Case, Outcome};
use super::product::{Growth, Measured, Product};
use crate::Store;

/// Collects results as they come and shows them at the end.
#[derive(Debug)]
pub(crate) struct Report {
    quick: bool,
    lines: Vec<String>,
    cases: Vec<Value>,
    servers: Vec<Value>,
}

const HEAD: &str = "store     case                    clients   product/s      bare/s  ratio   p50 ms   p95 ms   p99 ms  \
     errors  cpu s  db cpu s  us cpu/record  peak MiB";

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        Self { quick, lines: vec![HEAD.to_owned()], cases: Vec::new(), servers: Vec::new() }
    }

    /// A server has started.
    pub(crate) fn begin(&mut self, store: Store, product: &Product) {
        eprintln!(
            "{}: first answer after {:.0?}, idle {:.1} MiB",
            store.name(),
            product.first_answer,
            product.idle.resident_mib
        );
        self.servers.push(json!({
            "store": store.name(),
            "first_answer_ms": product.first_answer.as_secs_f64() * 1000.0,
            "idle_mib": product.idle.resident_mib,
        }));
        self.lines.push(format!(
            "{:<9} first answer on an empty store {:.0} ms, idle {:.1} MiB",
            store.name(),
            product.first_answer.as_secs_f64() * 1000.0,
            product.idle.resident_mib
        ));
    }

    /// A case has run both ways.
    pub(crate) fn case(&mut self, store: Store, case: Case, bare: &Outcome, product: &Measured) {
        let (rate, bare_rate) = (product.outcome.records_per_second(), bare.records_per_second());
        let ratio = rate / bare_rate;
        let [p50, p95, p99] = [50.0, 95.0, 99.0].map(|percent| product.outcome.latencies.percentile_ms(percent));
        let micros =
            (product.server_cpu_seconds + product.database_cpu_seconds) * 1e6 / product.outcome.answered_records();
        let line = format!(
            "{:<9} {:<23} {:>7} {rate:>11.0} {bare_rate:>11.0} {ratio:>6.2} {p50:>8.2} {p95:>8.2} {p99:>8.2} {:>7} {:>6.1} \
             {:>9.1} {micros:>14.1} {:>9.1}",
            store.name(),
            case.action.name(),
            case.clients,
            product.outcome.errors + bare.errors,
            product.server_cpu_seconds,
            product.database_cpu_seconds,
            product.peak_mib,
        );
        eprintln!("{line}");
        self.lines.push(line);
        self.cases.push(json!({
            "store": store.name(),
            "case": case.action.name(),
            "clients": case.clients,
            "records_per_second": rate,
            "bare_records_per_second": bare_rate,
            "ratio": ratio,
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
            "bare_p50_ms": bare.latencies.percentile_ms(50.0),
            "bare_p99_ms": bare.latencies.percentile_ms(99.0),
            "errors": product.outcome.errors,
            "cpu_micros_per_record": micros,
            "server_cpu_seconds": product.server_cpu_seconds,
            "database_cpu_seconds": product.database_cpu_seconds,
            "peak_mib": product.peak_mib,
        }));
    }

    /// A fresh server has been filled.
    pub(crate) fn growth(&mut self, store: Store, growth: &Growth) {
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "sizes and counts are far below 2^53")]
        let (mib, per_record) = (
            growth.database_bytes as f64 / f64::from(1 << 20),
            growth.database_bytes as f64 / growth.records.max(1) as f64,
        );
        let line = format!(
            "{:<9} {} contacts in {:.1} s: peak {:.1} MiB, database {mib:.0} MiB ({per_record:.0} bytes a contact); then first \
             answer {:.0} ms, a property added in {:.2} ms (with 10 contacts: {:.2} ms)",
            store.name(),
            growth.records,
            growth.seconds,
            growth.peak_mib,
            ms(growth.first_answer),
            ms(growth.property_many),
            ms(growth.property_few),
        );
        eprintln!("{line}");
        self.lines.push(line);
        self.servers.push(json!({
            "store": store.name(),
            "records": growth.records,
            "seconds": growth.seconds,
            "peak_mib": growth.peak_mib,
            "database_bytes": growth.database_bytes,
            "first_answer_ms": ms(growth.first_answer),
            "property_ms_10": ms(growth.property_few),
            "property_ms_all": ms(growth.property_many),
        }));
    }

    /// Shows the table.
    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    pub(crate) fn print(&self) {
        for line in &self.lines {
            println!("{line}");
        }
        if self.quick {
            println!("A quick run: the figures show that it works, not how fast.");
        }
    }

    /// Everything as one JSON document.
    pub(crate) fn json(&self) -> String {
        format!("{:#}\n", json!({"quick": self.quick, "cases": self.cases, "servers": self.servers}))
    }
}
