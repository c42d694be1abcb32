//! What is wrong with a plan, and what may be for a reason.

use std::collections::BTreeSet;

use super::statement::Statement;

/// Tables that grow with what a tenant does, of which it may have millions of rows.
pub(super) const LARGE: [&str; 11] = [
    "record",
    "unique_value",
    "interval_claim",
    "association",
    "change",
    "idempotency",
    "sensitive_read",
    "list_member",
    "stage_visit",
    "timeline_entry",
    "duplicate_pair",
];

/// Whether a column has many values in a tenant, so that a search by it finds some rows rather than most.
pub(super) fn tells_rows_apart(column: &str) -> bool {
    !matches!(column, "tenant_id" | "object" | "properties" | "type" | "pipeline" | "source")
}

/// A statement that walks through a table, or through all that a tenant has in a large one.
pub(super) struct Fault<'s> {
    pub(super) statement: &'s Statement,
    pub(super) table: String,
    pub(super) what: String,
}

/// Statements that may do so.
pub(super) struct Allowance {
    file: &'static str,
    /// A part of the text.
    words: &'static str,
    table: &'static str,
}

const fn allow(file: &'static str, words: &'static str, table: &'static str) -> Allowance {
    Allowance { file, words, table }
}

const ALLOWANCES: &[Allowance] = &[
    // Asked of all links of a kind when a cardinality is narrowed; no key begins with the kind.
    allow("association.rs", "having count(*) > 1 order by", "association"),
    allow("survey.rs", "having count(*) > 1) crowded", "association"),
    // Pages of records give back what they claimed while a constraint is being added; no key begins with the record.
    allow("claim.rs", "properties = $3 and record_id", "unique_value"),
    allow("claim.rs", "properties = $3 and record_id", "interval_claim"),
    // The first claims in the order of the key, and no more.
    allow("claim.rs", "limit $4", "unique_value"),
    allow("claim.rs", "limit $4", "interval_claim"),
    // The first rows in the order of the key, of a tenant that nobody has seen.
    allow("transfer/unfinished.rs", "limit $2", "unique_value"),
    allow("transfer/unfinished.rs", "limit $2", "interval_claim"),
    allow("transfer/unfinished.rs", "limit $2", "association"),
    allow("transfer/unfinished.rs", "limit $2", "change"),
    allow("transfer/unfinished.rs", "limit $2", "sensitive_read"),
    allow("transfer/unfinished.rs", "limit $2", "record"),
    allow("transfer/unfinished.rs", "limit $2", "list_member"),
    allow("transfer/unfinished.rs", "limit $2", "stage_visit"),
    allow("transfer/unfinished.rs", "limit $2", "timeline_entry"),
    // Any reply that is kept may quote the purged record; they are kept for a day.
    allow("commit/purge.rs", "delete from idempotency", "idempotency"),
];

impl Allowance {
    fn covers(&self, fault: &Fault<'_>) -> bool {
        let Statement { place, text } = fault.statement;
        self.file == place.file && self.table == fault.table && text.contains(self.words)
    }
}

/// The faults that are not allowed, and the allowances that nothing needs any more.
pub(super) fn judge(faults: &[Fault<'_>]) -> BTreeSet<String> {
    let not_allowed = faults.iter().filter(|fault| !ALLOWANCES.iter().any(|allowance| allowance.covers(fault)));
    let not_needed = ALLOWANCES.iter().filter(|allowance| !faults.iter().any(|fault| allowance.covers(fault)));
    let not_allowed = not_allowed.map(|fault| format!("{}: {}", fault.statement.place, fault.what));
    let not_needed = not_needed
        .map(|Allowance { file, words, table }| format!("{file}: `{words}` on `{table}` is allowed without need"));
    not_allowed.chain(not_needed).collect()
}
