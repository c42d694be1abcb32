//! A text of one line, built piece by piece.

/// Longest name in characters (Unicode scalar values); the rest is cut.
pub const MAX_CHARACTERS: usize = 255;

/// Collapses white space as it is written, and takes no more than fits.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    characters: usize,
    /// White space has come since the last character; it is written only once another follows.
    has_gap: bool,
    is_full: bool,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { text: String::with_capacity(48), ..Self::default() }
    }

    /// Adds a piece; false once the line is full.
    pub(super) fn push(&mut self, piece: &str) -> bool {
        for character in piece.chars() {
            if self.is_full {
                break;
            }
            if character.is_whitespace() {
                self.has_gap = self.characters > 0;
            } else {
                self.push_character(character);
            }
        }
        !self.is_full
    }

    fn push_character(&mut self, character: char) {
        let gap = usize::from(self.has_gap);
        if self.characters + gap >= MAX_CHARACTERS {
            self.is_full = true;
            return;
        }
        if self.has_gap {
            self.text.push(' ');
        }
        self.text.push(character);
        self.characters += gap + 1;
        self.has_gap = false;
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}
