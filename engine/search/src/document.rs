//! From records and links to documents.

use engine_model::migration::Former;
use engine_model::object::ObjectDefinition;
use engine_model::property::{Property, Storage};
use engine_model::query::{fold, words};
use engine_model::rank::unplaced;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, Sequence, TeamId, UserId};
use serde_json::Value;
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;

use crate::schema::{
    DUE, Fields, called_path, endings_path, kind_of_links, kind_of_records, link_key, pieces_path, property_path,
    system_path, whole_words_path,
};
use crate::texts::{indexed_text, pieces};
use crate::tokens::{IndexedWords, indexed_words};

/// A record as it is to be found.
#[derive(Debug, Clone)]
pub struct RecordState<'a> {
    /// Identifier in the tenant.
    pub id: RecordId,
    /// Identifier anywhere, as text.
    pub uid: &'a str,
    /// The object's name.
    pub object: &'a str,
    /// The object; none where the tenant has no such object any more, so that no property can be asked for.
    pub definition: Option<&'a ObjectDefinition>,
    /// Property values in normal form.
    pub properties: &'a Properties,
    /// What people call it.
    pub display_name: &'a str,
    /// Who owns it.
    pub owner: Option<UserId>,
    /// The team that it belongs to.
    pub team: Option<TeamId>,
    /// Counts the record's states from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: Option<UserId>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// Values from before migrations, for whoever still asks for those.
    pub former: &'a [(Former<'a>, Value)],
    /// From when on its values are others, although nothing is written; none where that is never.
    pub due: Option<Timestamp>,
}

/// One change of an index.
#[derive(Debug)]
pub enum Edit {
    /// A record comes in place of what there was of it.
    Put(RecordId, Document),
    /// A record that the index cannot know yet; cheaper than [`Edit::Put`], and twice the same is a mistake.
    Add(Document),
    /// A record goes, and its links with it.
    Remove(RecordId),
    /// A link is there.
    Link(LinkEnds),
    /// A link that the index cannot know yet.
    AddLink(LinkEnds),
    /// A link goes.
    Unlink(LinkEnds),
}

/// A link between two records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkEnds {
    /// The association.
    pub association: String,
    /// Where it starts.
    pub from: RecordId,
    /// Where it leads.
    pub to: RecordId,
}

/// How far an index reaches, and what its feeder wants to know when it is opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The last change of the log that is in the index.
    pub sequence: Sequence,
    /// When that change was made, which tells one log from another; 0 before the first.
    pub at: Timestamp,
    /// The feeder's own notes; opaque here.
    pub notes: String,
}

/// What the index holds of one record.
#[derive(Debug)]
pub struct Document(pub(crate) TantivyDocument);

/// Values of one document, by field and path.
#[derive(Default)]
struct Values {
    texts: Vec<(String, OwnedValue)>,
    originals: Vec<(String, OwnedValue)>,
    numbers: Vec<(String, OwnedValue)>,
    words: Vec<(String, OwnedValue)>,
}

impl Document {
    /// What is to be found of a record.
    pub fn of(record: &RecordState<'_>) -> Self {
        let fields = crate::fields();
        let is_archived = record.archived_at.is_some();
        let mut document = TantivyDocument::default();
        document.add_u64(fields.id, unsigned(record.id));
        document.add_text(fields.kind, kind_of_records(record.object, is_archived));
        let mut values = Values::default();
        values.add_system_fields(record, is_archived);
        for (name, value) in record.properties {
            let property = record.definition.and_then(|object| object.properties.get(name.as_str()));
            if let Some(property) = property {
                values.add(record.object, (property, property.since()), value, is_archived);
            }
        }
        for (former, value) in record.former {
            values.add(record.object, (former.property, former.since), value, is_archived);
        }
        let ranked = record.definition.and_then(ObjectDefinition::rank);
        if let Some(rank) = ranked.filter(|rank| !record.properties.contains_key(rank.name.as_str())) {
            // So that it is found in its place among those that somebody has placed.
            let at = property_path(record.object, rank, rank.since(), is_archived);
            values.add_key(at, &unplaced(record.id));
        }
        if let Some(due) = record.due {
            values.add_number(DUE.to_owned(), due.0);
        }
        values.write(&mut document, fields);
        Self(document)
    }
}

/// The document of a link.
pub(crate) fn link_document(fields: &Fields, ends: &LinkEnds) -> TantivyDocument {
    let mut document = TantivyDocument::default();
    // Every document has an id, which keeps that column dense.
    document.add_u64(fields.id, 0);
    document.add_text(fields.kind, kind_of_links(&ends.association));
    document.add_text(fields.link, link_key(&ends.association, ends.from.0, ends.to.0));
    document.add_u64(fields.from, unsigned(ends.from));
    document.add_u64(fields.to, unsigned(ends.to));
    document
}

/// Ids are positive.
pub(crate) fn unsigned(id: RecordId) -> u64 {
    u64::try_from(id.0).unwrap_or_default()
}

impl Values {
    fn add_system_fields(&mut self, record: &RecordState<'_>, is_archived: bool) {
        let at = |name: &str, storage| system_path(record.object, name, storage, is_archived);
        let ids = [("owner_id", record.owner), ("created_by", record.created_by), ("updated_by", record.updated_by)];
        for (name, user) in ids {
            if let Some(user) = user {
                self.add_key(at(name, Storage::Text), &user.to_string());
            }
        }
        if let Some(team) = record.team {
            self.add_key(at("team_id", Storage::Text), &team.to_string());
        }
        self.add_key(at("uid", Storage::Text), record.uid);
        self.add_called(&at("display_name", Storage::Text), record.display_name);
        self.add_text(at("display_name", Storage::Text), "string", record.display_name);
        let moments = [
            ("created_at", Some(record.created_at)),
            ("updated_at", Some(record.updated_at)),
            ("archived_at", record.archived_at),
        ];
        for (name, moment) in moments {
            if let Some(moment) = moment {
                self.add_number(at(name, Storage::Datetime), moment.0);
            }
        }
        self.add_number(at("version", Storage::Scaled(0)), record.version);
    }

    fn add(&mut self, object: &str, (property, since): (&Property, i64), value: &Value, is_archived: bool) {
        let storage = property.kind.storage();
        let at = property_path(object, property, since, is_archived);
        let kind = property.kind.name();
        match (storage, value) {
            (Storage::Text, Value::String(text)) => self.add_text(at, kind, text),
            (Storage::LongText, Value::String(text)) => {
                self.add_words(&at, kind, text);
                self.add_number(at, 1);
            }
            (Storage::Option, Value::String(key)) => self.add_key(at, key),
            (Storage::TextList, Value::Array(list)) => self.add_list(&at, kind, list),
            (Storage::Boolean, Value::Bool(value)) => self.add_key(at, if *value { "true" } else { "false" }),
            (Storage::Scaled(_) | Storage::Date | Storage::Datetime, value) => {
                if let Some(number) = storage.number_of(value) {
                    self.add_number(at, number);
                }
            }
            // Whether there is a value can be asked of anything.
            _ => self.add_number(at, 1),
        }
    }

    fn add_text(&mut self, at: String, kind: &str, text: &str) {
        let folded = fold(text);
        self.add_words(&at, kind, text);
        if folded != text {
            self.originals.push((at.clone(), OwnedValue::from(indexed_text(text).into_owned())));
        }
        self.add_pieces(&at, [folded.as_str(), text]);
        self.add_key(at, &folded);
    }

    /// What a record is called is compared with the words that are looked for.
    fn add_called(&mut self, at: &str, name: &str) {
        let called = words(name).collect::<Vec<_>>().join(" ");
        if called != fold(name) {
            self.add_key(called_path(at), &called);
        }
    }

    /// What of long texts does not stand among the others.
    fn add_pieces<'a>(&mut self, at: &str, texts: impl IntoIterator<Item = &'a str>) {
        let mut pieces: Vec<String> = texts.into_iter().flat_map(pieces).collect();
        pieces.sort_unstable();
        pieces.dedup();
        if !pieces.is_empty() {
            self.originals.push((pieces_path(at), list_of(pieces.into_iter().map(OwnedValue::from))));
        }
    }

    /// A list of options is kept by their keys, any other folded.
    fn add_list(&mut self, at: &str, kind: &str, list: &[Value]) {
        let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        if texts.is_empty() {
            return;
        }
        let is_keys = kind == "multi_enum";
        let compared: Vec<String> =
            texts.iter().map(|text| if is_keys { (*text).to_owned() } else { fold(text) }).collect();
        self.add_words(at, kind, &texts.join(" "));
        let indexed = |text: &str| OwnedValue::from(indexed_text(text).into_owned());
        if compared.iter().ne(texts.iter()) {
            self.originals.push((at.to_owned(), list_of(texts.iter().map(|text| indexed(text)))));
        }
        self.add_pieces(at, compared.iter().map(String::as_str).chain(texts));
        self.texts.push((at.to_owned(), list_of(compared.iter().map(|text| indexed(text)))));
    }

    fn add_words(&mut self, at: &str, kind: &str, text: &str) {
        let IndexedWords { any, whole, endings } = indexed_words(kind, text);
        for (at, joined) in [(at.to_owned(), any), (whole_words_path(at), whole)] {
            if !joined.is_empty() {
                self.words.push((at, OwnedValue::from(joined)));
            }
        }
        if !endings.is_empty() {
            self.texts.push((endings_path(at), list_of(endings.into_iter().map(OwnedValue::from))));
        }
    }

    fn add_key(&mut self, at: String, key: &str) {
        self.texts.push((at, OwnedValue::from(indexed_text(key).into_owned())));
    }

    fn add_number(&mut self, at: String, number: i64) {
        self.numbers.push((at, OwnedValue::from(number)));
    }

    fn write(self, document: &mut TantivyDocument, fields: &Fields) {
        let parts = [
            (fields.texts, self.texts),
            (fields.originals, self.originals),
            (fields.numbers, self.numbers),
            (fields.words, self.words),
        ];
        for (field, values) in parts {
            if !values.is_empty() {
                document.add_field_value(field, &OwnedValue::Object(values));
            }
        }
    }
}

fn list_of(values: impl Iterator<Item = OwnedValue>) -> OwnedValue {
    OwnedValue::Array(values.collect())
}
