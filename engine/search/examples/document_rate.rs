//! How fast an index takes documents in, and how soon a change is seen.
//!
//! `cargo run --release -p engine-search --example document_rate [documents]`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it measures, and tells what it measured")]

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use engine_model::layer::Layer;
use engine_model::problem::Problems;
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, Sequence};
use engine_search::{Document, Edit, Index, Pace, Reached, RecordState};
use serde_json::json;

/// Edits that are handed over at a time while an index is filled.
const PAGE: i64 = 500;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let text = || json!({"type": "string"});
    let options = |names: &[&str]| {
        let options: Vec<_> = names.iter().map(|name| json!({"key": name, "label": name})).collect();
        json!({"type": "enum", "options": options})
    };
    let document = json!({"objects": {"contact": {"properties": {
        "first_name": text(), "last_name": text(), "company": text(), "job_title": text(), "city": text(),
        "street": text(), "postal_code": text(), "country": text(), "language": text(), "origin": text(),
        "email": {"type": "email"}, "phone": {"type": "phone"}, "website": {"type": "url"}, "about": {"type": "text"},
        "status": options(&["new", "open", "won", "lost"]), "score": {"type": "integer"},
        "revenue": {"type": "decimal", "scale": 2}, "rating": {"type": "decimal", "scale": 1},
        "birthday": {"type": "date"}, "last_seen": {"type": "datetime"}, "is_customer": {"type": "boolean"},
    }}}});
    let mut problems = Problems::new();
    let layer = Layer::read("core", document.as_object().unwrap(), &mut problems);
    let (registry, more) = Registry::fold(&[layer]);
    assert_eq!((problems, more), (Problems::new(), Problems::new()));
    registry
});

fn main() {
    let documents = std::env::args().nth(1).map_or(300_000, |count| count.parse().unwrap());
    let folder = tempfile::TempDir::new_in(".").unwrap();
    println!("documents alone: {}", rate(documents, || (1..=documents).for_each(|id| drop(contact(id, 1)))));
    for pace in [Pace::Bulk, Pace::Steady] {
        let place = folder.path().join(format!("{pace:?}"));
        let index = Index::create(&place, pace).unwrap();
        println!("filled in pace {pace:?}: {}", rate(documents, || fill(&index, documents)));
        show(&index);
        println!("  settled: {}", time(|| index.settle().unwrap()));
        println!("  rested: {}", time(|| index.rest().unwrap()));
        println!("  persisted: {}", time(|| index.persist().unwrap()));
        show(&index);
        if pace == Pace::Steady {
            change(&index, documents);
        }
    }
}

fn fill(index: &Index, documents: i64) {
    let mut next = 1;
    while next <= documents {
        let page = next..(next + PAGE).min(documents + 1);
        next = page.end;
        index.apply(page.map(|id| Edit::Add(contact(id, 1))).collect()).unwrap();
        if next / PAGE % 20 == 0 {
            index.commit(reached(next)).unwrap();
            index.persist().unwrap();
        }
    }
    index.commit(reached(next)).unwrap();
}

fn change(index: &Index, documents: i64) {
    let mut random = 1_u64;
    let mut version = 1;
    for (batch, repeats) in [(1, 2_000), (10, 1_000), (100, 300), (1_000, 100)] {
        let mut times = Vec::new();
        let cpu = processor_time();
        for _ in 0..repeats {
            version += 1;
            let mut edit = || {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let id = i64::try_from(random >> 33).unwrap() % documents + 1;
                Edit::Put(RecordId(id), contact(id, version))
            };
            let edits = (0..batch).map(|_| edit()).collect();
            let start = Instant::now();
            index.apply(edits).unwrap();
            index.commit(reached(version)).unwrap();
            times.push(start.elapsed());
        }
        times.sort_unstable();
        let at = |part: f64| times[(times.len() as f64 * part) as usize];
        println!(
            "{batch} edits visible: p50 {:?}, p90 {:?}, p99 {:?}, least {:?}",
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.0)
        );
        println!("  {:?} of processors each", (processor_time() - cpu) / repeats);
        show(index);
        println!("  persisted: {}", time(|| index.persist().unwrap()));
    }
}

fn show(index: &Index) {
    println!("  {:?}\n  {}", index.size(), memory());
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let wanted = ["VmHWM", "VmRSS", "RssAnon", "Threads"];
    let lines = status.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}

fn time(work: impl FnOnce()) -> String {
    let (time, cpu) = timed(work);
    format!("{time:?}, {cpu:?} of processors")
}

fn rate(count: i64, work: impl FnOnce()) -> String {
    let (time, cpu) = timed(work);
    let of = |time: Duration| count as f64 / time.as_secs_f64();
    format!("{time:?}, {:.0} a second, {:.0} a second of a processor", of(time), of(cpu))
}

fn timed(work: impl FnOnce()) -> (Duration, Duration) {
    let (start, cpu) = (Instant::now(), processor_time());
    work();
    (start.elapsed(), processor_time() - cpu)
}

/// What all threads used so far, which other load on the machine changes least.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: u64 = stat.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

fn reached(sequence: i64) -> Reached {
    Reached { sequence: Sequence(sequence), at: Timestamp(sequence), notes: String::new() }
}

fn contact(id: i64, version: i64) -> Document {
    let pick = |names: &[&str], step: i64| names[usize::try_from(id / step).unwrap() % names.len()].to_owned();
    let first = pick(&["Ada", "Émile", "Grace", "Linus", "Zoë", "Ørjan", "Maria", "John"], 1);
    let last = pick(&["Lovelace", "Zola", "Hopper", "Torvalds", "Müller", "Smith", "García"], 3);
    let properties: Properties = serde_json::from_value(json!({
        "first_name": first, "last_name": format!("{last} {}", id % 5_000), "company": format!("Company {}", id % 35_000),
        "job_title": pick(&["Chief", "Engineer", "Clerk", "Buyer"], 7), "city": format!("City {}", id % 900),
        "street": format!("Long Street {}", id % 8_000), "postal_code": format!("{:05}", id % 90_000),
        "country": pick(&["DE", "FR", "NO", "US"], 11), "language": pick(&["de", "fr", "en"], 13), "origin": "fair",
        "email": format!("contact{id}@example{}.com", id % 1_000), "phone": format!("+4930{id:08}"),
        "website": format!("https://www.example{}.com/", id % 1_000),
        "about": format!("Met on the fair in hall {} by a stranger who was looking for something number {id}", id % 40),
        "status": pick(&["new", "open", "won", "lost"], 5), "score": id * 7 % 1_000 + version,
        "revenue": format!("{}.{:02}", id * 31 % 100_000, id % 100), "rating": format!("{}.5", id % 5),
        "birthday": format!("19{:02}-0{}-1{}", id % 90 + 10, id % 9 + 1, id % 9), "last_seen": "2026-03-01T09:30:00.000000Z",
        "is_customer": id % 2 == 0,
    }))
    .unwrap();
    Document::of(&RecordState {
        id: RecordId(id),
        uid: &format!("0195{id:028}"),
        object: "contact",
        definition: Some(&REGISTRY.objects["contact"]),
        properties: &properties,
        display_name: &format!("{first} {last}"),
        owner: None,
        team: None,
        version,
        created_at: Timestamp(id * 1_000_000),
        created_by: None,
        updated_at: Timestamp(id * 1_000_000 + version),
        updated_by: None,
        archived_at: None,
        former: &[],
        due: None,
    })
}
