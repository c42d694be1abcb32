//! Which documents of a segment have something, and how many there are before each.

use tantivy::columnar::ColumnIndex;

use super::bits::Bits;

/// Documents asked for at a time.
const STRETCH: u32 = 1 << 16;

/// The documents that have a value in a column. The row of a value is the number of documents before that have one.
#[derive(Debug)]
pub(crate) struct Presence {
    bits: Bits,
    /// For each word of the bits, how many documents there are before it.
    before: Vec<u32>,
}

impl Presence {
    /// The documents that have a value, one or several, in a column.
    pub(crate) fn of(index: &ColumnIndex, length: u32) -> Self {
        if matches!(index, ColumnIndex::Full) {
            return Self::new(Bits::all(length));
        }
        let mut bits = Bits::none(length);
        let (mut found, mut rows) = (Vec::new(), Vec::new());
        let mut asked: Vec<u32> = Vec::with_capacity(STRETCH.min(length) as usize);
        for start in (0..length).step_by(STRETCH as usize) {
            asked.clear();
            asked.extend(start..start.saturating_add(STRETCH).min(length));
            found.clear();
            rows.clear();
            index.docids_to_rowids(&asked, &mut found, &mut rows);
            found.iter().for_each(|document| bits.insert(*document));
        }
        Self::new(bits)
    }

    /// These documents.
    pub(crate) fn new(bits: Bits) -> Self {
        let mut count = 0;
        let before = bits.words().iter().map(|word| {
            let before = count;
            count += word.count_ones();
            before
        });
        Self { before: before.collect(), bits }
    }

    /// The documents.
    pub(crate) fn bits(&self) -> &Bits {
        &self.bits
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        Bits::bytes(self.bits.length()) + self.before.len() * size_of::<u32>()
    }

    /// The row of a document's value.
    pub(crate) fn row(&self, document: u32) -> Option<u32> {
        let at = (document >> 6) as usize;
        let word = *self.bits.words().get(at)?;
        let bit = 1 << (document & 63);
        (word & bit != 0).then(|| self.before.get(at).map(|before| before + (word & (bit - 1)).count_ones())).flatten()
    }

    /// The rows of documents, each of which has one.
    pub(crate) fn rows_of_all(&self, documents: &[u32], rows: &mut Vec<u32>) {
        rows.extend(documents.iter().map(|document| self.before(*document)));
    }

    /// The rows of those of the documents that have one, each with the document's place among them.
    pub(crate) fn rows(&self, documents: &[u32], places: &mut Vec<u32>, rows: &mut Vec<u32>) {
        places.resize(documents.len(), 0);
        rows.resize(documents.len(), 0);
        // Written for each, and kept only where there is one: which documents have one cannot be foreseen.
        let mut count = 0;
        for (place, document) in (0..).zip(documents) {
            if let (Some(to_place), Some(to_row)) = (places.get_mut(count), rows.get_mut(count)) {
                (*to_place, *to_row) = (place, self.before(*document));
            }
            count += usize::from(self.bits.contains(*document));
        }
        places.truncate(count);
        rows.truncate(count);
    }

    /// How many documents before this one have a value.
    fn before(&self, document: u32) -> u32 {
        let at = (document >> 6) as usize;
        let (Some(word), Some(before)) = (self.bits.words().get(at), self.before.get(at)) else { return 0 };
        before + (word & ((1 << (document & 63)) - 1)).count_ones()
    }

    /// Adds the documents of rows, which are in order.
    pub(crate) fn add_documents_of(&self, rows: &[u32], bits: &mut Bits) {
        let words = self.bits.words();
        let Some(first) = rows.first() else { return };
        let mut at = self.before.partition_point(|before| before <= first).saturating_sub(1);
        // What is left of the word, and the row of the first bit in that.
        let (mut rest, mut next) = (words.get(at).copied().unwrap_or(0), self.before.get(at).copied().unwrap_or(0));
        for row in rows {
            while self.before.get(at + 1).is_some_and(|before| before <= row) {
                at += 1;
                (rest, next) = (words.get(at).copied().unwrap_or(0), self.before.get(at).copied().unwrap_or(0));
            }
            if words.get(at) == Some(&u64::MAX) {
                bits.insert(u32::try_from(at).unwrap_or(u32::MAX) << 6 | (row - self.before.get(at).unwrap_or(row)));
                continue;
            }
            while next < *row && rest != 0 {
                rest &= rest - 1;
                next += 1;
            }
            if rest != 0 {
                bits.insert(u32::try_from(at).unwrap_or(u32::MAX) << 6 | rest.trailing_zeros());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_count_the_documents_before(length in 1_u32..400, documents: BTreeSet<u16>, asked: BTreeSet<u16>) {
            let documents: Vec<u32> = documents.into_iter().map(|document| u32::from(document) % length).collect::<BTreeSet<_>>().into_iter().collect();
            let mut bits = Bits::none(length);
            documents.iter().for_each(|document| bits.insert(*document));
            let presence = Presence::new(bits.clone());
            for document in 0..length + 2 {
                let row = documents.binary_search(&document).ok().map(|row| u32::try_from(row).expect("a row"));
                prop_assert_eq!(presence.row(document), row);
            }
            let asked: Vec<u32> = asked.into_iter().map(|row| u32::from(row) % length).collect::<BTreeSet<_>>().into_iter().collect();
            let (mut places, mut rows) = (Vec::new(), Vec::new());
            presence.rows(&asked, &mut places, &mut rows);
            let found: Vec<u32> = places.iter().map(|place| asked[*place as usize]).collect();
            prop_assert!(found.iter().zip(&rows).all(|(document, row)| documents[*row as usize] == *document));
            prop_assert_eq!(found.len(), asked.iter().filter(|document| documents.contains(document)).count());
            let mut selected = Bits::none(length);
            presence.add_documents_of(&rows, &mut selected);
            prop_assert_eq!(selected.iter().collect::<Vec<_>>(), found);
        }
    }
}
