//! The schema of every index, which never changes, and the names under which values stand in it.
//!
//! Values stand in four JSON fields under one path for each object, property, form of storage and migration, so that a new
//! property needs no new schema, a property whose type or values change gets a new path beside the one that it had, and
//! each path holds one type only.
//! Archived records have paths of their own: whatever is asked of active ones never meets them.

use engine_model::property::{Property, Storage};
use engine_model::query::Field as Asked;
use tantivy::Term;
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, STRING, Schema, TextFieldIndexing};

use crate::tokens;

/// Raised whenever documents are built another way, so that indexes made before are made anew.
pub(crate) const FORMAT: u32 = 4;

/// Handles of the fields.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    /// The record's id; 0 for links.
    pub(crate) id: Field,
    /// What a document is: see [`kind_of_records`] and [`kind_of_links`].
    pub(crate) kind: Field,
    /// Where a link starts.
    pub(crate) from: Field,
    /// Where a link leads.
    pub(crate) to: Field,
    /// A link as a whole: see [`link_key`].
    pub(crate) link: Field,
    /// Texts as they are compared: folded, or keys as they are.
    pub(crate) texts: Field,
    /// Texts as stored, where a record has one that folding changes.
    pub(crate) originals: Field,
    /// Numbers, dates and moments; 1 where only the presence of a value matters.
    pub(crate) numbers: Field,
    /// Words of texts.
    pub(crate) words: Field,
}

/// Name of the field for [`Fields::texts`] in the names of columns; likewise those below.
const TEXTS: &str = "t";
const ORIGINALS: &str = "o";
const NUMBERS: &str = "n";

impl Fields {
    pub(crate) fn new() -> Self {
        let mut schema = Schema::builder();
        let exact = || {
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_index_option(IndexRecordOption::Basic)
                .set_fieldnorms(false)
        };
        let words = TextFieldIndexing::default()
            .set_tokenizer(tokens::TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions)
            .set_fieldnorms(false);
        let id = schema.add_u64_field("id", INDEXED | FAST);
        let kind = schema.add_text_field("kind", STRING);
        let from = schema.add_u64_field("from", INDEXED | FAST);
        let to = schema.add_u64_field("to", INDEXED | FAST);
        let link = schema.add_text_field("link", STRING);
        let compared = JsonObjectOptions::default().set_indexing_options(exact()).set_fast("raw");
        let texts = schema.add_json_field(TEXTS, compared);
        let originals = schema.add_json_field(ORIGINALS, JsonObjectOptions::default().set_fast("raw"));
        let numbers = schema.add_json_field(NUMBERS, JsonObjectOptions::default().set_fast("raw"));
        let words = schema.add_json_field("w", JsonObjectOptions::default().set_indexing_options(words));
        Self { schema: schema.build(), id, kind, from, to, link, texts, originals, numbers, words }
    }

    /// The term of a text as it is compared.
    pub(crate) fn text_term(&self, path: &str, text: &str) -> Term {
        let mut term = Term::from_field_json_path(self.texts, path, false);
        term.append_type_and_str(text);
        term
    }

    /// The term of a word.
    pub(crate) fn word_term(&self, path: &str, word: &str) -> Term {
        let mut term = Term::from_field_json_path(self.words, path, false);
        term.append_type_and_str(word);
        term
    }

    /// The term that all records of an object have in common.
    pub(crate) fn kind_term(&self, kind: &str) -> Term {
        Term::from_field_text(self.kind, kind)
    }
}

/// Name of the column of texts as they are compared.
pub(crate) fn texts_column(path: &str) -> String {
    format!("{TEXTS}.{path}")
}

/// Name of the column of texts as stored.
pub(crate) fn originals_column(path: &str) -> String {
    format!("{ORIGINALS}.{path}")
}

/// Name of the column of numbers.
pub(crate) fn numbers_column(path: &str) -> String {
    format!("{NUMBERS}.{path}")
}

/// Path of the moment from which a document is to be built again, since a value in it depends on the time. It has no
/// colon, as the paths of properties have.
pub(crate) const DUE: &str = "due";

/// Kind of the documents of an object's records.
pub(crate) fn kind_of_records(object: &str, is_archived: bool) -> String {
    format!("{object}{}", mark(is_archived))
}

/// Kind of the documents of an association's links.
pub(crate) fn kind_of_links(association: &str) -> String {
    format!("@{association}")
}

/// The term that one link alone has.
pub(crate) fn link_key(association: &str, from: i64, to: i64) -> String {
    format!("{association}:{from}:{to}")
}

/// Where the values of what is asked for stand; internal names hold no character that is used here.
pub(crate) fn path_of(asked: &Asked, is_archived: bool) -> String {
    path(&asked.object, &asked.name, &place(asked.storage, asked.since), is_archived)
}

/// Where the values of a field stand that every record has.
pub(crate) fn system_path(object: &str, name: &str, storage: Storage, is_archived: bool) -> String {
    path(object, name, &place(storage, 0), is_archived)
}

/// Where the values of a property stand that came with a migration.
pub(crate) fn property_path(object: &str, property: &Property, since: i64, is_archived: bool) -> String {
    path(object, &property.name, &place(property.kind.storage(), since), is_archived)
}

fn path(object: &str, name: &str, place: &str, is_archived: bool) -> String {
    format!("{object}{}:{name}:{place}", mark(is_archived))
}

/// What tells apart how values are stored, and those from before and after a migration.
pub(crate) fn place(storage: Storage, since: i64) -> String {
    match since {
        0 => storage_code(storage),
        since => format!("{}@{since}", storage_code(storage)),
    }
}

fn storage_code(storage: Storage) -> String {
    match storage {
        Storage::Text => "t".to_owned(),
        Storage::LongText => "l".to_owned(),
        Storage::Option => "o".to_owned(),
        Storage::TextList => "m".to_owned(),
        Storage::Scaled(digits) => format!("n{digits}"),
        Storage::Boolean => "b".to_owned(),
        Storage::Date => "d".to_owned(),
        Storage::Datetime => "s".to_owned(),
        Storage::Opaque => "x".to_owned(),
    }
}

/// Where those words of a value stand that are looked for as a whole only: the beginnings of what identifies somebody,
/// such as an address. As many are different as there are records, so looking through them would take long; and
/// whoever types the beginning of one types the beginning of the value, which is found by the order of values.
pub(crate) fn whole_words_path(path: &str) -> String {
    format!("{path}!")
}

/// Where the ends of phone numbers stand as texts.
pub(crate) fn endings_path(path: &str) -> String {
    format!("{path}#")
}

/// Where the words of what a record is called stand as one text, where it is written otherwise.
pub(crate) fn called_path(path: &str) -> String {
    format!("{path}=")
}

/// Where, among the texts as stored, the pieces of long texts stand.
pub(crate) fn pieces_path(path: &str) -> String {
    format!("{path}~")
}

fn mark(is_archived: bool) -> &'static str {
    if is_archived { "-" } else { "" }
}
