//! Texts without case and accents.

/// A text as it is compared; only for the letters that these tests use.
pub(in crate::search) fn fold(text: &str) -> String {
    let mut folded = String::new();
    for letter in text.chars() {
        match letter {
            'é' | 'É' => folded.push('e'),
            'ł' | 'Ł' => folded.push('l'),
            'ø' | 'Ø' | 'ö' | 'Ö' => folded.push('o'),
            'ß' => folded.push_str("ss"),
            letter if letter.is_ascii() => folded.push(letter.to_ascii_lowercase()),
            letter => panic!("{letter} is no letter of these tests"),
        }
    }
    folded
}

/// The words of a text, folded: what stands between signs.
pub(in crate::search) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
