//! Where rows end, without reading what is in them.

/// How rows are told apart; goes on where it stopped when more bytes have come in.
#[derive(Debug)]
pub(super) struct Splitter {
    kind: Kind,
    /// How much of the row was looked at.
    seen: usize,
}

#[derive(Debug)]
enum Kind {
    Lines,
    Csv { delimiter: u8, state: State },
}

/// Where in a row of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a cell, where alone a quotation mark opens.
    CellStart,
    /// In a cell without quotation marks, or behind the closing one.
    Bare,
    /// Between quotation marks, where line ends belong to the cell.
    Quoted,
    /// Behind a quotation mark that closes, or is the first of two.
    Quote,
}

impl Splitter {
    /// A row is a line.
    pub(super) fn lines() -> Self {
        Self { kind: Kind::Lines, seen: 0 }
    }

    /// A row is a record of CSV.
    pub(super) fn csv(delimiter: u8) -> Self {
        Self { kind: Kind::Csv { delimiter, state: State::CellStart }, seen: 0 }
    }

    /// Length of the row at the start of `bytes`, its line end included; none where the end is not among them.
    ///
    /// `bytes` begins as at the last call unless that found a row. With `is_whole`, nothing comes after them.
    pub(super) fn row(&mut self, bytes: &[u8], is_whole: bool) -> Option<usize> {
        while let Some(byte) = bytes.get(self.seen) {
            if self.ends_row(*byte) {
                let length = match (byte, bytes.get(self.seen + 1)) {
                    (b'\r', Some(b'\n')) => self.seen + 2,
                    // Whether a line feed follows decides where the next row begins.
                    (b'\r', None) if !is_whole => return None,
                    _ => self.seen + 1,
                };
                self.restart();
                return Some(length);
            }
            self.seen += 1;
        }
        (is_whole && !bytes.is_empty() && !self.is_open()).then(|| {
            self.restart();
            bytes.len()
        })
    }

    /// A quotation mark was opened and not closed.
    pub(super) fn is_open(&self) -> bool {
        matches!(&self.kind, Kind::Csv { state: State::Quoted, .. })
    }

    fn restart(&mut self) {
        self.seen = 0;
        if let Kind::Csv { state, .. } = &mut self.kind {
            *state = State::CellStart;
        }
    }

    fn ends_row(&mut self, byte: u8) -> bool {
        match &mut self.kind {
            Kind::Lines => byte == b'\n',
            Kind::Csv { delimiter, state } => {
                let is_end = matches!(byte, b'\n' | b'\r') && *state != State::Quoted;
                if !is_end {
                    *state = state.after(byte, *delimiter);
                }
                is_end
            }
        }
    }
}

impl State {
    fn after(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) => Self::Quoted,
            (Self::CellStart | Self::Quote, b'"') => Self::Quoted,
            (_, byte) if byte == delimiter => Self::CellStart,
            (Self::CellStart | Self::Bare | Self::Quote, _) => Self::Bare,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Splits `bytes` that come in pieces of these sizes.
    fn split(bytes: &[u8], mut splitter: Splitter, piece: usize) -> Vec<Vec<u8>> {
        let (mut rows, mut start, mut end) = (Vec::new(), 0, 0);
        loop {
            while let Some(length) = splitter.row(&bytes[start..end], end == bytes.len()) {
                rows.push(bytes[start..start + length].to_vec());
                start += length;
            }
            if end == bytes.len() {
                return rows;
            }
            end = (end + piece).min(bytes.len());
        }
    }

    fn csv_rows(text: &str) -> Vec<Vec<u8>> {
        split(text.as_bytes(), Splitter::csv(b','), 1)
    }

    #[test]
    fn line_ends_between_quotation_marks_belong_to_the_cell() {
        assert_eq!(csv_rows("a,\"b\nc\"\r\nd"), [b"a,\"b\nc\"\r\n".to_vec(), b"d".to_vec()]);
        assert_eq!(csv_rows("\"a\"\"\nb\"\n"), [b"\"a\"\"\nb\"\n".to_vec()]);
        assert_eq!(csv_rows("5\" pipe\nb\"\n"), [b"5\" pipe\n".to_vec(), b"b\"\n".to_vec()]);
        assert_eq!(csv_rows("a\rb\r\n\r\n"), [b"a\r".to_vec(), b"b\r\n".to_vec(), b"\r\n".to_vec()]);
    }

    #[test]
    fn a_mark_that_is_never_closed_leaves_a_row_without_end() {
        let mut splitter = Splitter::csv(b',');
        assert_eq!(splitter.row(b"a,\"b\nc", true), None);
        assert!(splitter.is_open());
    }

    #[test]
    fn lines_know_no_quotation_marks() {
        assert_eq!(split(b"{\"a\n\n\"}", Splitter::lines(), 2), [b"{\"a\n".to_vec(), b"\n".to_vec(), b"\"}".to_vec()]);
    }

    fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
        rows.collect()
    }

    proptest! {
        #[test]
        fn rows_read_one_by_one_are_the_rows_of_the_whole(
            text in "([a\",;\r\n]|\"\"|\"a\n\"|,\"){0,40}",
            piece in 1_usize..8,
        ) {
            let bytes = text.as_bytes();
            let rows = split(bytes, Splitter::csv(b','), piece);
            let is_closed = rows.iter().map(Vec::len).sum::<usize>() == bytes.len();
            if is_closed {
                let one_by_one: Vec<_> = rows.iter().flat_map(|row| cells(row)).collect();
                prop_assert_eq!(one_by_one, cells(bytes));
                for row in rows.iter().filter(|row| row.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))) {
                    prop_assert_eq!(cells(row).len(), 1);
                }
            }
        }
    }
}
