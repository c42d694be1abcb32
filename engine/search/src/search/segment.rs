//! One segment as it is searched: its columns, opened once, and the documents of terms.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tantivy::columnar::{Column, ColumnIndex, ColumnType, ColumnValues, StrColumn};
use tantivy::index::SegmentId;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term};

use super::bits::Bits;
use super::blocks::IdBlocks;
use super::column::{Firsts, ValueColumn};
use super::kept::{Kept, List, Opened};
use super::presence::Presence;
use crate::error::{Result, SearchError};
use crate::fields;
use crate::schema::{numbers_column, originals_column, pieces_path, texts_column};
use crate::texts::{content_of, parts_of};

/// One segment, for the time of one query.
pub(crate) struct Segment<'a> {
    pub(crate) reader: &'a SegmentReader,
    /// The ids of its records; every document has one.
    pub(crate) ids: Column<u64>,
    kept: &'a Kept,
    numbers: RefCell<FxHashMap<String, Option<Rc<ValueColumn>>>>,
    texts: RefCell<FxHashMap<String, Option<Rc<TextColumn>>>>,
}

/// Texts of one segment: values are positions in their dictionary.
pub(crate) struct TextColumn {
    pub(crate) dictionary: StrColumn,
    pub(crate) positions: Rc<ValueColumn>,
}

/// Documents that a long list has at least.
const LONG: u32 = 128;

/// A long list has at least one document of so many.
const SHARE: u32 = 32;

fn list_of(field: Field, info: &TermInfo) -> List {
    (field, info.postings_range.start)
}

/// A signed number as an unsigned one in the same order, as columns hold it.
pub(crate) fn ordered(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// The number that is held so.
pub(crate) fn number_of(ordered: u64) -> i64 {
    (ordered ^ (1 << 63)).cast_signed()
}

impl<'a> Segment<'a> {
    fn open(reader: &'a SegmentReader, kept: &'a Kept) -> Result<Self> {
        let ids = own_column(reader, kept, "id")?;
        Ok(Self { reader, ids, kept, numbers: RefCell::default(), texts: RefCell::default() })
    }

    /// Those of a snapshot.
    pub(crate) fn all(searcher: &'a Searcher, kept: &'a Kept) -> Result<Vec<Self>> {
        searcher.segment_readers().iter().map(|reader| Self::open(reader, kept)).collect()
    }

    /// How many documents there are, deleted ones included.
    pub(crate) fn length(&self) -> u32 {
        self.reader.max_doc()
    }

    /// The id of a record.
    pub(crate) fn id(&self, document: u32) -> u64 {
        self.ids.values.get_val(document)
    }

    /// Where which ids are.
    pub(crate) fn id_blocks(&self) -> Result<Arc<IdBlocks>> {
        self.kept.id_blocks(self.id_in_index(), || Ok(IdBlocks::of(&*self.ids.values, self.length())))
    }

    /// The ids of its records as numbers like any other.
    pub(crate) fn ordered_ids(&self) -> Result<Rc<ValueColumn>> {
        let values = Arc::new(OrderedIds(self.ids.values.clone()));
        self.values(Column { index: self.ids.index.clone(), values }, "id").map(Rc::new)
    }

    /// The ids at one end of links, `from` or `to`.
    pub(crate) fn ends(&self, name: &str, links: &Bits) -> Result<Firsts> {
        let column = self.values(self.end(name)?, name)?;
        Ok(Firsts::of(Rc::new(column), links))
    }

    /// The ids at one end of links, `from` or `to`, as they are stored.
    pub(crate) fn end(&self, name: &str) -> Result<Column<u64>> {
        own_column(self.reader, self.kept, name)
    }

    /// The numbers under a path, [ordered]; none where no document of the segment has one.
    pub(crate) fn numbers(&self, path: &str) -> Result<Option<Rc<ValueColumn>>> {
        if let Some(column) = self.numbers.borrow().get(path) {
            return Ok(column.clone());
        }
        let name = numbers_column(path);
        let open = || {
            let handle = self.reader.fast_fields().dynamic_column_handle(&name, ColumnType::I64)?;
            let column = handle.map(|handle| handle.open_u64_lenient()).transpose()?.flatten();
            Ok(column.map(Opened::Numbers))
        };
        let column = match self.kept.column(self.id_in_index(), &name, open)? {
            Some(Opened::Numbers(column)) => Some(Rc::new(self.values(column, &name)?)),
            Some(Opened::Texts(_)) | None => None,
        };
        self.numbers.borrow_mut().insert(path.to_owned(), column.clone());
        Ok(column)
    }

    fn id_in_index(&self) -> SegmentId {
        self.reader.segment_id()
    }

    /// Whether something of this name holds, found out once.
    pub(crate) fn fact(&self, name: &str, find: impl FnOnce() -> Result<bool>) -> Result<bool> {
        self.kept.fact(self.id_in_index(), name, find)
    }

    fn values(&self, column: Column<u64>, name: &str) -> Result<ValueColumn> {
        let find =
            |index: &ColumnIndex| self.kept.set(self.id_in_index(), name, || Ok(Presence::of(index, self.length())));
        ValueColumn::new(column, find)
    }

    /// The texts under a path as they are compared.
    pub(crate) fn texts(&self, path: &str) -> Result<Option<Rc<TextColumn>>> {
        self.text_column(texts_column(path))
    }

    /// The texts under a path as stored, of documents where folding changes one.
    pub(crate) fn originals(&self, path: &str) -> Result<Option<Rc<TextColumn>>> {
        self.text_column(originals_column(path))
    }

    fn text_column(&self, name: String) -> Result<Option<Rc<TextColumn>>> {
        if let Some(column) = self.texts.borrow().get(&name) {
            return Ok(column.clone());
        }
        let open = || Ok(self.reader.fast_fields().str(&name)?.map(Opened::Texts));
        let column = match self.kept.column(self.id_in_index(), &name, open)? {
            Some(Opened::Texts(dictionary)) => {
                let positions = Rc::new(self.values(dictionary.ords().clone(), &name)?);
                Some(Rc::new(TextColumn { dictionary, positions }))
            }
            Some(Opened::Numbers(_)) | None => None,
        };
        self.texts.borrow_mut().insert(name, column.clone());
        Ok(column)
    }

    /// The pieces of long texts under a path.
    pub(crate) fn pieces(&self, path: &str) -> Result<Option<Rc<TextColumn>>> {
        self.originals(&pieces_path(path))
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
        let terms = self.terms(term.field())?;
        let Some(info) = terms.get_term_info(term)? else { return Ok(()) };
        if let Some(documents) = self.long_list(term.field(), &terms, &info)? {
            bits.or(&documents);
            return Ok(());
        }
        let mut postings = terms.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        add_postings(&mut postings, bits);
        Ok(())
    }

    /// Adds the documents that have a term of the field between two, the second left out.
    pub(crate) fn add_documents_between(&self, field: Field, from: &[u8], to: &[u8], bits: &mut Bits) -> Result<()> {
        let terms = self.terms(field)?;
        let mut found = terms.terms().range().ge(from).lt(to).without_keys().into_stream()?;
        let mut postings = None;
        while found.advance() {
            let info = found.value();
            if let Some(documents) = self.long_list(field, &terms, info)? {
                bits.or(&documents);
                continue;
            }
            let postings = match &mut postings {
                Some(postings) => {
                    terms.reset_block_postings_from_terminfo(info, postings)?;
                    postings
                }
                None => postings.insert(terms.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?),
            };
            add_postings(postings, bits);
        }
        Ok(())
    }

    /// The documents of a term that many have; none where few do, whose list is read as fast as it would be found.
    pub(crate) fn long_list(
        &self,
        field: Field,
        terms: &InvertedIndexReader,
        info: &TermInfo,
    ) -> Result<Option<Arc<Bits>>> {
        if !self.is_long(info) {
            return Ok(None);
        }
        let read = || {
            let mut bits = Bits::none(self.length());
            let mut postings = terms.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            add_postings(&mut postings, &mut bits);
            Ok(bits)
        };
        self.kept.list(self.id_in_index(), list_of(field, info), read).map(Some)
    }

    /// [`Segment::long_list`], but only where it is known already.
    pub(crate) fn known_list(&self, field: Field, info: &TermInfo) -> Option<Arc<Bits>> {
        self.is_long(info).then(|| self.kept.known_list(self.id_in_index(), list_of(field, info))).flatten()
    }

    /// Whether reading the list takes longer than looking at every document's bit does.
    fn is_long(&self, info: &TermInfo) -> bool {
        info.doc_freq >= LONG && info.doc_freq >= self.length() / SHARE
    }

    /// The documents of a kind.
    pub(crate) fn documents_of_kind(&self, kind: &str) -> Result<Bits> {
        let term = fields().kind_term(kind);
        let terms = self.terms(fields().kind)?;
        let Some(info) = terms.get_term_info(&term)? else { return Ok(Bits::none(self.length())) };
        if info.doc_freq == self.length() {
            return Ok(Bits::all(self.length()));
        }
        let find = || {
            let mut bits = Bits::none(self.length());
            let mut postings = terms.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
            add_postings(&mut postings, &mut bits);
            Ok(Presence::new(bits))
        };
        // No column has such a name.
        let name = format!("kind {kind}");
        Ok(self.kept.set(self.id_in_index(), &name, find)?.bits().clone())
    }

    /// Whether a document is not deleted.
    pub(crate) fn is_alive(&self, document: u32) -> bool {
        self.reader.alive_bitset().is_none_or(|alive| alive.is_alive(document))
    }

    /// Takes out what is deleted.
    pub(crate) fn keep_alive(&self, bits: &mut Bits) {
        if let Some(alive) = self.reader.alive_bitset() {
            bits.retain(|document| alive.is_alive(document));
        }
    }
}

/// A column that every segment has: no property's.
fn own_column(reader: &SegmentReader, kept: &Kept, name: &str) -> Result<Column<u64>> {
    let open = || Ok(Some(Opened::Numbers(reader.fast_fields().u64(name)?)));
    match kept.column(reader.segment_id(), name, open)? {
        Some(Opened::Numbers(column)) => Ok(column),
        Some(Opened::Texts(_)) | None => Err(SearchError::Damaged(format!("a segment has no column {name}"))),
    }
}

/// Ids, which are positive, as [ordered] numbers.
struct OrderedIds(Arc<dyn ColumnValues<u64>>);

impl ColumnValues<u64> for OrderedIds {
    fn get_val(&self, at: u32) -> u64 {
        ordered(self.0.get_val(at).cast_signed())
    }

    fn min_value(&self) -> u64 {
        ordered(self.0.min_value().cast_signed())
    }

    fn max_value(&self) -> u64 {
        ordered(self.0.max_value().cast_signed())
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

/// The lowest position in a sorted dictionary whose text is not below.
pub(crate) fn position_of(column: &StrColumn, text: &str) -> Result<u64> {
    let dictionary = column.dictionary();
    let count = dictionary.num_terms() as u64;
    let (from, _) = dictionary
        .term_bounds_to_ord(std::ops::Bound::Included(text.as_bytes()), std::ops::Bound::<&[u8]>::Unbounded)?;
    Ok(match from {
        std::ops::Bound::Included(position) => position.min(count),
        std::ops::Bound::Excluded(position) => position.saturating_add(1).min(count),
        std::ops::Bound::Unbounded => 0,
    })
}

/// [`position_of`] a text, and whether it is there.
pub(crate) fn exact_position_of(column: &StrColumn, text: &str) -> Result<(u64, bool)> {
    let position = position_of(column, text)?;
    let is_there = position < column.num_terms() as u64 && text_at(column, position)? == text;
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

/// The whole of a text, from what stands in the index for it, with the pieces of its path.
pub(crate) fn whole_text(indexed: &str, pieces: Option<&TextColumn>) -> Result<String> {
    let Some((beginning, digest)) = parts_of(indexed) else { return Ok(indexed.to_owned()) };
    let mut text = beginning.to_owned();
    if let Some(pieces) = pieces {
        // No digit is above the letter.
        let range = pieces.dictionary.dictionary().range().ge(digest.as_bytes()).lt(format!("{digest}g").as_bytes());
        let mut found = range.into_stream()?;
        while found.advance() {
            text.push_str(std::str::from_utf8(found.key()).ok().and_then(content_of).unwrap_or_default());
        }
    }
    match text.len() > beginning.len() {
        true => Ok(text),
        false => Err(SearchError::Damaged("the pieces of a long text are not there".to_owned())),
    }
}
