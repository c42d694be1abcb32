//! Markdown as HTML that is safe to show.
//!
//! It is safe by what it is made of: HTML in the text is shown as text, and links lead to where people may be sent. A
//! sanitiser of HTML would bring a whole parser of it, for what never gets in.
//!
//! Images of other servers are not shown, only what is said in their place: whoever loads one tells that server that
//! the text is being read, and by whom.

use engine_model::object::ObjectDefinition;
use engine_model::property::Property;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use serde_json::{Map, Value};

use super::record::Record;
use crate::error::{Error, Result};
use crate::session::Session;

/// Where links may lead, beside places without a scheme.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

impl Session {
    /// Gives records, as they are shown, their texts in Markdown as HTML, too.
    pub async fn add_html(&self, mut records: Vec<Record>) -> Result<Vec<Record>> {
        let catalog = std::sync::Arc::clone(&self.catalog);
        // A page of long texts takes a while.
        let added = tokio::task::spawn_blocking(move || {
            for record in &mut records {
                if let Some(object) = catalog.effective.registry.objects.get(record.object.as_str()) {
                    record.html = Some(html_of(object, record)?);
                }
            }
            Ok(records)
        });
        added.await.map_err(Error::internal)?
    }
}

fn html_of(object: &ObjectDefinition, record: &Record) -> Result<Vec<(String, String)>> {
    let mut markdown = object.properties.values().filter(|property| is_markdown(property)).peekable();
    if markdown.peek().is_none() {
        return Ok(Vec::new());
    }
    let shown: Map<String, Value> = serde_json::from_str(record.properties.get()).map_err(Error::internal)?;
    let texts = markdown.filter_map(|property| Some((property, shown.get(property.name.as_str())?.as_str()?)));
    Ok(texts.map(|(property, text)| (property.name.to_string(), to_html(text))).collect())
}

fn is_markdown(property: &Property) -> bool {
    property.spec.get("markdown") == Some(&Value::Bool(true))
}

/// CommonMark with tables and strikethrough.
pub(crate) fn to_html(markdown: &str) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut rendered = String::with_capacity(markdown.len() + markdown.len() / 2);
    // Whether each of the images that are open is shown.
    let mut images: Vec<bool> = Vec::new();
    let shown = parser.filter(|event| match event {
        Event::Start(Tag::Image { dest_url, .. }) => {
            let is_near = is_near(dest_url);
            images.push(is_near);
            is_near
        }
        Event::End(TagEnd::Image) => images.pop().unwrap_or(true),
        _ => true,
    });
    html::push_html(&mut rendered, shown.map(harmless));
    rendered
}

fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: place(dest_url), title, id })
        }
        other => other,
    }
}

/// Nowhere, unless people may be sent there.
fn place(url: CowStr<'_>) -> CowStr<'_> {
    match scheme(&bare(&url)) {
        Some(scheme) if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => CowStr::Borrowed("#"),
        _ => url,
    }
}

/// It is on the server that the page comes from.
fn is_near(url: &str) -> bool {
    // Browsers take a backslash for a slash.
    let bare = bare(url).replace('\\', "/");
    scheme(&bare).is_none() && !bare.starts_with("//")
}

/// Browsers skip blanks and control characters before and inside a scheme.
fn bare(url: &str) -> String {
    url.chars().filter(|character| !character.is_control() && !character.is_whitespace()).collect()
}

fn scheme(bare: &str) -> Option<&str> {
    bare.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| !scheme.contains(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(
            to_html("# Call *Ada*\n\n- [site](https://example.com/?a=1&b=2 \"T\")\n- ~~old~~\n\n|a|\n|-|\n|1 < 2|\n"),
            "<h1>Call <em>Ada</em></h1>\n<ul>\n<li><a href=\"https://example.com/?a=1&amp;b=2\" title=\"T\">site</a></li>\n\
             <li><del>old</del></li>\n</ul>\n<table><thead><tr><th>a</th></tr></thead><tbody>\n<tr><td>1 &lt; 2</td></tr>\n\
             </tbody></table>\n"
        );
    }

    #[test]
    fn nothing_in_it_runs_or_leads_astray() {
        for (markdown, html) in [
            ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
            ("a <img src=x onerror=y>", "<p>a &lt;img src=x onerror=y&gt;</p>\n"),
            ("[a](javascript:alert(1))", "<p><a href=\"#\">a</a></p>\n"),
            ("[a](JaVa&#x0A;Script:x)", "<p><a href=\"#\">a</a></p>\n"),
            ("![a](data:text/html,x)", "<p>a</p>\n"),
            ("<javascript:alert(1)>", "<p><a href=\"#\">javascript:alert(1)</a></p>\n"),
            ("href=\"javascript:\"", "<p>href=\"javascript:\"</p>\n"),
            ("[a](/deals/1:2) [b](#top)", "<p><a href=\"/deals/1:2\">a</a> <a href=\"#top\">b</a></p>\n"),
            ("[a](x \"\\\" onclick=y\")", "<p><a href=\"x\" title=\"&quot; onclick=y\">a</a></p>\n"),
        ] {
            assert_eq!(to_html(markdown), html, "{markdown}");
        }
    }

    #[test]
    fn no_image_is_loaded_from_another_server() {
        for (markdown, html) in [
            ("a ![the *logo*](https://spy.example/x.png \"T\") b", "<p>a the <em>logo</em> b</p>\n"),
            ("![a](HTTP://spy.example/x)", "<p>a</p>\n"),
            ("![a](//spy.example/x)", "<p>a</p>\n"),
            ("![a](<\\\\\\\\spy.example/x>)", "<p>a</p>\n"),
            ("![a](<\t/ /spy.example/x>)", "<p>a</p>\n"),
            ("[![a](https://spy.example/x)](https://example.com)", "<p><a href=\"https://example.com\">a</a></p>\n"),
            ("![a ![b](https://spy.example/y)](/x)", "<p><img src=\"/x\" alt=\"a b\" /></p>\n"),
            ("![a](/files/1.png)", "<p><img src=\"/files/1.png\" alt=\"a\" /></p>\n"),
            ("![a][1]\n\n[1]: https://spy.example/x", "<p>a</p>\n"),
        ] {
            assert_eq!(to_html(markdown), html, "{markdown}");
        }
    }

    /// Pieces that make a text dangerous.
    const PIECES: &[&str] = &[
        "<",
        ">",
        "script",
        "<a ",
        "onclick=",
        "\"",
        "'",
        "](",
        "[",
        "![",
        ")",
        "javascript:",
        "data:",
        "&#106;",
        "\n",
        "\n\n",
        "    ",
        "`",
        "```",
        "<!--",
        "-->",
        "<![CDATA[",
        "http://x",
        " ",
        "a",
        ":",
        "\t",
        "<style>",
        "href=",
        "\\",
        "|",
        "vbscript:",
    ];

    proptest! {
        #[test]
        fn tags_are_those_of_markdown(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
            let html = to_html(&pieces.concat());
            let tags = regex::Regex::new(r#"^</?(p|em|strong|del|a|img|code|pre|h[1-6]|ul|ol|li|blockquote|hr|br|table|thead|tbody|tr|th|td)( (href|src|alt|title|class|start|style)="[^"<>]*")*( /)?>"#).expect("a pattern");
            for (at, _) in html.match_indices('<') {
                prop_assert!(tags.is_match(&html[at..]), "{}", html);
            }
            // What looks like an attribute in a text is a text.
            for target in regex::Regex::new(r#"<[^>]* (?:href|src)="([^"]*)""#).expect("a pattern").captures_iter(&html) {
                let target = target[1].to_lowercase();
                prop_assert!(!html.contains("src=\"http"), "{}", html);
                prop_assert!(!target.starts_with("javascript") && !target.starts_with("data") && !target.starts_with("vbscript"), "{}", html);
            }
        }
    }
}
