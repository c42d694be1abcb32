//! One segment as it is searched: its columns, opened once, and the documents of terms.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tantivy::columnar::{Column, ColumnValues, StrColumn};
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, SegmentReader, TERMINATED, Term};

use super::bits::Bits;
use crate::error::{Result, SearchError};
use crate::fields;
use crate::schema::{numbers_column, originals_column, texts_column};

/// One segment, for the time of one query.
pub(crate) struct Segment<'a> {
    pub(crate) reader: &'a SegmentReader,
    /// The ids of its records; every document has one.
    pub(crate) ids: Column<u64>,
    numbers: RefCell<FxHashMap<String, Option<Column<i64>>>>,
    texts: RefCell<FxHashMap<String, Option<StrColumn>>>,
}

impl<'a> Segment<'a> {
    pub(crate) fn open(reader: &'a SegmentReader) -> Result<Self> {
        let ids = reader.fast_fields().u64("id")?;
        Ok(Self { reader, ids, numbers: RefCell::default(), texts: RefCell::default() })
    }

    /// How many documents there are, deleted ones included.
    pub(crate) fn length(&self) -> u32 {
        self.reader.max_doc()
    }

    /// The id of a record.
    pub(crate) fn id(&self, document: u32) -> u64 {
        self.ids.values.get_val(document)
    }

    /// The ids of its records as numbers like any other.
    pub(crate) fn signed_ids(&self) -> Column<i64> {
        Column { index: self.ids.index.clone(), values: Arc::new(SignedIds(self.ids.values.clone())) }
    }

    /// The numbers under a path; none where no document of the segment has one.
    pub(crate) fn numbers(&self, path: &str) -> Result<Option<Column<i64>>> {
        if let Some(column) = self.numbers.borrow().get(path) {
            return Ok(column.clone());
        }
        let column = self.reader.fast_fields().column_opt::<i64>(&numbers_column(path))?;
        self.numbers.borrow_mut().insert(path.to_owned(), column.clone());
        Ok(column)
    }

    /// The texts under a path as they are compared.
    pub(crate) fn texts(&self, path: &str) -> Result<Option<StrColumn>> {
        self.text_column(texts_column(path))
    }

    /// The texts under a path as stored, of documents where folding changes one.
    pub(crate) fn originals(&self, path: &str) -> Result<Option<StrColumn>> {
        self.text_column(originals_column(path))
    }

    fn text_column(&self, name: String) -> Result<Option<StrColumn>> {
        if let Some(column) = self.texts.borrow().get(&name) {
            return Ok(column.clone());
        }
        let column = self.reader.fast_fields().str(&name)?;
        self.texts.borrow_mut().insert(name, column.clone());
        Ok(column)
    }

    /// The terms of a field.
    pub(crate) fn terms(&self, field: Field) -> Result<Arc<InvertedIndexReader>> {
        Ok(self.reader.inverted_index(field)?)
    }

    /// How many documents have a term, deleted ones included.
    pub(crate) fn frequency(&self, term: &Term) -> Result<u32> {
        Ok(self.terms(term.field())?.doc_freq(term)?)
    }

    /// Adds the documents that have a term.
    pub(crate) fn add_documents_of(&self, term: &Term, bits: &mut Bits) -> Result<()> {
        let postings = self.terms(term.field())?.read_block_postings(term, IndexRecordOption::Basic)?;
        if let Some(mut postings) = postings {
            add_postings(&mut postings, bits);
        }
        Ok(())
    }

    /// The documents of a kind.
    pub(crate) fn documents_of_kind(&self, kind: &str) -> Result<Bits> {
        let term = fields().kind_term(kind);
        let terms = self.terms(fields().kind)?;
        let Some(info) = terms.get_term_info(&term)? else { return Ok(Bits::none(self.length())) };
        if info.doc_freq == self.length() {
            return Ok(Bits::all(self.length()));
        }
        let mut bits = Bits::none(self.length());
        let mut postings = terms.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        add_postings(&mut postings, &mut bits);
        Ok(bits)
    }

    /// Takes out what is deleted.
    pub(crate) fn keep_alive(&self, bits: &mut Bits) {
        if let Some(alive) = self.reader.alive_bitset() {
            bits.retain(|document| alive.is_alive(document));
        }
    }
}

/// Ids, which are positive, as signed numbers.
struct SignedIds(Arc<dyn ColumnValues<u64>>);

impl ColumnValues<i64> for SignedIds {
    fn get_val(&self, at: u32) -> i64 {
        self.0.get_val(at).cast_signed()
    }

    fn min_value(&self) -> i64 {
        self.0.min_value().cast_signed()
    }

    fn max_value(&self) -> i64 {
        self.0.max_value().cast_signed()
    }

    fn num_vals(&self) -> u32 {
        self.0.num_vals()
    }
}

/// Adds the documents of a list.
pub(crate) fn add_postings(postings: &mut BlockSegmentPostings, bits: &mut Bits) {
    loop {
        let documents = postings.docs();
        if documents.is_empty() {
            return;
        }
        documents.iter().filter(|document| **document != TERMINATED).for_each(|document| bits.insert(*document));
        postings.advance();
    }
}

/// The lowest position in a sorted dictionary whose text is not below, and whether it is that text.
pub(crate) fn position_of(column: &StrColumn, text: &str) -> Result<(u64, bool)> {
    let dictionary = column.dictionary();
    let count = dictionary.num_terms() as u64;
    let (from, _) = dictionary
        .term_bounds_to_ord(std::ops::Bound::Included(text.as_bytes()), std::ops::Bound::<&[u8]>::Unbounded)?;
    let position = match from {
        std::ops::Bound::Included(position) => position.min(count),
        std::ops::Bound::Excluded(position) => position.saturating_add(1).min(count),
        std::ops::Bound::Unbounded => 0,
    };
    let is_there = position < count && text_at(column, position)? == text;
    Ok((position, is_there))
}

/// The text at a position of a dictionary.
pub(crate) fn text_at(column: &StrColumn, position: u64) -> Result<String> {
    let mut text = String::new();
    if column.ord_to_str(position, &mut text)? {
        return Ok(text);
    }
    Err(SearchError::Damaged(format!("a dictionary has no entry {position}")))
}
