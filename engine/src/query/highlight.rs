//! Where full text was found in a record: a stretch of each text with the words marked.

use engine_model::Properties;
use engine_model::object::ObjectDefinition;
use engine_model::query::{Scope, Words};
use engine_store::record::RecordRow;
use serde_json::Value;

/// A property in which words were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Highlight {
    /// The property, or `display_name`.
    pub property: String,
    /// A stretch of the text as HTML: everything escaped, the words within `<em>`.
    pub text: String,
}

/// Properties that are told.
const MOST: usize = 3;

/// Characters of a text that are shown, roughly.
const LENGTH: usize = 160;

/// Characters shown before the first word that was found.
const BEFORE: usize = 40;

/// Where the words stand in the properties of `object` that were searched, in their order.
pub(super) fn highlights(row: &RecordRow, object: &ObjectDefinition, scope: &Scope, words: &Words) -> Vec<Highlight> {
    // What does not read has nothing to show; the record itself will tell.
    let mut properties: Properties = serde_json::from_str(&row.properties).unwrap_or_default();
    object.bring_forward(&mut properties);
    let mut found = Vec::new();
    for field in &scope.searched {
        // The index may know it as it was called before.
        let property = object.property_called(&field.name);
        let name = property.map_or(&field.name, |property| &property.name);
        let text = match properties.get(name.as_str()) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            _ if name.as_str() == "display_name" => row.display_name.clone(),
            _ => continue,
        };
        let kind = property.map_or("string", |property| property.kind.name());
        if found.len() < MOST
            && let Some(text) = mark(kind, &text, words)
        {
            found.push(Highlight { property: name.to_string(), text });
        }
    }
    found
}

/// A stretch of a text with the words marked; none where it holds none of them.
fn mark(kind: &str, text: &str, words: &Words) -> Option<String> {
    let places = words.places(kind, text);
    let first = places.first()?.start;
    let start = text.get(..first)?.char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    let end = text.get(start..)?.char_indices().nth(LENGTH).map_or(text.len(), |(at, _)| start + at);
    let mut marked = String::from(if start > 0 { "…" } else { "" });
    let mut at = start;
    for place in places.into_iter().take_while(|place| place.end <= end) {
        escape(text.get(at..place.start)?, &mut marked);
        marked.push_str("<em>");
        escape(text.get(place.clone())?, &mut marked);
        marked.push_str("</em>");
        at = place.end;
    }
    escape(text.get(at..end)?, &mut marked);
    if end < text.len() {
        marked.push('…');
    }
    Some(marked)
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str], is_last_prefix: bool) -> Words {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Words { words, is_last_prefix, ..Words::default() }
    }

    #[test]
    fn words_are_marked_and_everything_else_is_escaped() {
        let marked = mark("string", "<b>Émile</b> & Adam", &words(&["emile", "ada"], true));
        assert_eq!(marked.as_deref(), Some("&lt;b&gt;<em>Émile</em>&lt;/b&gt; &amp; <em>Adam</em>"));
        assert_eq!(mark("string", "Adam", &words(&["ada"], false)), None);
        assert_eq!(mark("string", "½ l", &words(&["1", "2"], false)).as_deref(), Some("<em>½</em> l"));
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_word() {
        let text = format!("{}needle {}", "straw ".repeat(100), "straw ".repeat(100));
        let marked = mark("string", &text, &words(&["needle"], false)).expect("found");
        assert!(marked.starts_with('…') && marked.ends_with('…') && marked.contains("<em>needle</em>"), "{marked}");
        assert!(marked.chars().count() < 190, "{marked}");
    }
}
