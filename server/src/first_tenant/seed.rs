//! Loads the demo data through the product's own records API.

use std::collections::HashMap;

use anyhow::{Context, anyhow};
use engine::Session;
use engine::records::{LinkInput, Mode, Operation, PropertiesInput, RecordInput, Step, Target, View};
use serde::Deserialize;

/// The order of the files, and which object each is of.
const INDEX: &str = include_str!("../../../seeds/demo/seed.yaml");

macro_rules! files {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../../seeds/demo/", $name)))),*] };
}

const FILES: &[(&str, &str)] = files!(
    "calls.ndjson",
    "companies.ndjson",
    "contacts.ndjson",
    "deals.ndjson",
    "line_items.ndjson",
    "meetings.ndjson",
    "notes.ndjson",
    "products.ndjson",
    "tasks.ndjson",
);

/// One line of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    properties: PropertiesInput,
    #[serde(default)]
    links: Vec<Link>,
}

/// A link to a record of a line before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    #[serde(rename = "type")]
    kind: String,
    to: Named,
    label: Option<String>,
}

/// A record by a unique property's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    object: String,
    property: String,
    value: String,
}

/// Loads every file in order; how many records there are then.
pub(super) async fn load(session: &mut Session) -> anyhow::Result<usize> {
    let mut records = 0;
    let mut ids = HashMap::new();
    for (object, file) in index()? {
        let (_, text) =
            FILES.iter().find(|(name, _)| *name == file).with_context(|| format!("`{file}` is not there"))?;
        let lines: Vec<Line> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .with_context(|| format!("`{file}` does not read"))?;
        name_lines(&object, &lines, &mut ids);
        find(session, &lines, &mut ids).await?;
        let steps: Vec<Step> = lines
            .into_iter()
            .enumerate()
            .map(|(index, line)| step(&object, index, line, &ids))
            .collect::<anyhow::Result<_>>()?;
        // From the next file on these records are found by what the store knows of them.
        ids.retain(|_, id| !id.starts_with('$'));
        records += steps.len();
        session
            .execute(&steps, Mode::Atomic("lines"), None)
            .await
            .with_context(|| format!("`{file}` does not load"))?;
    }
    Ok(records)
}

fn index() -> anyhow::Result<Vec<(String, String)>> {
    let mut problems = Vec::new();
    let mut budget = engine::model::pack::yaml::Budget::default();
    let document = engine::model::pack::yaml::parse("seed.yaml", INDEX, &mut budget, &mut problems);
    let document = document.filter(|_| problems.is_empty()).ok_or_else(|| anyhow!("seed.yaml: {problems:?}"))?;
    let entries = document.value["records"].as_array().context("seed.yaml lists `records`")?;
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().map(str::to_owned);
    entries
        .iter()
        .map(|entry| text(entry, "object").zip(text(entry, "file")).context("an entry has `object` and `file`"))
        .collect()
}

/// Records that lines of one file link to among themselves go by the line that makes them.
fn name_lines(object: &str, lines: &[Line], ids: &mut HashMap<Named, String>) {
    for link in lines.iter().flat_map(|line| &line.links).filter(|link| link.to.object == object) {
        let is_meant = |line: &Line| {
            let value = line.properties.0.iter().find(|(name, _)| *name == link.to.property);
            value.is_some_and(|(_, raw)| {
                serde_json::from_str(raw.get()).is_ok_and(|value: String| value == link.to.value)
            })
        };
        if let Some(index) = lines.iter().position(is_meant) {
            ids.insert(link.to.clone(), format!("$line{index}"));
        }
    }
}

/// Looks up the records that lines link to.
async fn find(session: &mut Session, lines: &[Line], ids: &mut HashMap<Named, String>) -> anyhow::Result<()> {
    let mut wanted: HashMap<&str, Vec<&Named>> = HashMap::new();
    for link in lines.iter().flat_map(|line| &line.links).filter(|link| !ids.contains_key(&link.to)) {
        let list = wanted.entry(&link.to.object).or_default();
        if !list.contains(&&link.to) {
            list.push(&link.to);
        }
    }
    let mut found = Vec::new();
    for (object, named) in wanted {
        let targets: Vec<Target> = named
            .iter()
            .map(|named| Target { id: named.value.clone(), id_property: Some(named.property.clone()) })
            .collect();
        for (named, record) in
            named.into_iter().zip(session.record_read_many(object, &targets, &View::default()).await?)
        {
            found.push((named.clone(), record?.id.to_string()));
        }
    }
    ids.extend(found);
    Ok(())
}

fn step(object: &str, index: usize, line: Line, ids: &HashMap<Named, String>) -> anyhow::Result<Step> {
    let associations = line
        .links
        .into_iter()
        .map(|Link { kind, to, label }| {
            let to = ids.get(&to).cloned().with_context(|| format!("nothing is linked by {to:?}"))?;
            Ok(LinkInput { kind, to, label, properties: PropertiesInput::default() })
        })
        .collect::<anyhow::Result<_>>()?;
    let input = RecordInput { properties: line.properties, owner: None, team: None, associations };
    let operation = Operation::Create { object: object.to_owned(), input };
    Ok(Step { reference: Some(format!("line{index}")), operation })
}
