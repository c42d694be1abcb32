use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn record(value: serde_json::Value) -> Properties {
    value.as_object().cloned().expect("an object")
}

fn render(source: &str, properties: serde_json::Value) -> String {
    Template::compile(source).expect(source).render(&record(properties))
}

fn error(source: &str) -> String {
    Template::compile(source).expect_err(source).to_string()
}

fn is_plain(source: &str) -> bool {
    matches!(*Template::compile(source).expect(source).inner.program, Program::Plain(_))
}

#[test]
fn the_contracts_template_joins_properties() {
    let source = "{{ number }} {{ site }}";
    assert!(is_plain(source));
    assert_eq!(render(source, json!({"number": "P-1", "site": "12 Main St"})), "P-1 12 Main St");
    assert_eq!(render(source, json!({"site": "12 Main St"})), "12 Main St");
    assert_eq!(render(source, json!({})), "");
}

#[test]
fn names_are_those_read() {
    let names = |source: &str| Template::compile(source).expect(source).names().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names("{{ b }}, {{a}} {{ b }}"), ["b", "a"]);
    assert_eq!(
        names("{% if z %}{{ b.c }}{% else %}{% for x in list %}{{ x }}{{ y }}{% endfor %}{% endif %}"),
        ["b", "list", "y", "z"]
    );
    assert_eq!(names("no names"), [""; 0]);
}

#[test]
fn white_space_collapses_in_text_and_values() {
    let values = json!({"a": "  Ada\t\n", "b": "\u{a0}\u{2003}Lovelace "});
    for source in [" \n{{ a }}  {{ b }}{{ c }} ", "{% if a %} {{ a }}  {{ b }} {% endif %}"] {
        assert_eq!(render(source, values.clone()), "Ada Lovelace");
    }
}

#[test]
fn a_name_is_cut_after_255_characters() {
    for source in ["{{ a }}", "{{ a | trim }}"] {
        assert_eq!(render(source, json!({"a": "ż".repeat(255)})), "ż".repeat(255));
        assert_eq!(render(source, json!({"a": "ż".repeat(256)})), "ż".repeat(255));
        let spaced = format!("{} b", "a".repeat(254));
        assert_eq!(render(source, json!({"a": spaced})), "a".repeat(254), "no space at the end");
    }
    assert_eq!(render("{{ a }}", json!({"a": "a".repeat(10_000_000)})).len(), 255);
}

#[test]
fn values_of_every_type_are_written_alike_by_both_ways() {
    for (value, expected) in [
        (json!("<b>&"), "<b>&"),
        (json!(42), "42"),
        (json!(-1.5), "-1.5"),
        (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
        (json!(true), "true"),
        (json!(null), ""),
        (json!(["a", null, "b"]), "a, b"),
        (json!({"city": "Halifax"}), ""),
        (json!([]), ""),
    ] {
        assert_eq!(render("{{ a }}", json!({"a": value})), expected);
        assert_eq!(render("{% if true %}{{ a }}{% endif %}", json!({"a": value})), expected);
    }
}

#[test]
fn conditions_loops_and_filters_work() {
    let values = json!({"first": "ada", "last": "Lovelace", "tags": ["x", "y"], "site": {"city": "Halifax"}});
    for (source, expected) in [
        ("{{ first | capitalize }} {{ last | upper }}", "Ada LOVELACE"),
        ("{{ nick or first }}", "ada"),
        ("{{ nick | default('nobody') }}", "nobody"),
        ("{% if nick %}{{ nick }}{% else %}{{ first | first }}. {{ last }}{% endif %}", "a. Lovelace"),
        ("{{ first }}{% if last %} ({{ last }}){% endif %}", "ada (Lovelace)"),
        ("{% for tag in tags %}{{ loop.index }}{{ tag }} {% endfor %}", "1x 2y"),
        ("{{ tags | join(' / ') }}", "x / y"),
        ("{{ site.city }}{{ nothing.at.all }}", "Halifax"),
        ("{# a comment #}{{ first }}", "ada"),
        ("{{ first ~ '-' ~ last }}", "ada-Lovelace"),
        ("{{ 'a' if nick is undefined else 'b' }}", "a"),
    ] {
        assert!(!is_plain(source), "{source}");
        assert_eq!(render(source, values.clone()), expected, "{source}");
    }
}

#[test]
fn what_cannot_be_rendered_is_empty() {
    assert_eq!(render("{% if a %}{{ a | join(', ') }}{% endif %}", json!({"a": "text"})), "");
    assert_eq!(render("{{ a.b() }}", json!({"a": {"b": 1}})), "");
}

#[test]
fn errors_name_the_line() {
    for (source, expected) in [
        ("{{ a", "unexpected end of input, expected end of variable block"),
        ("a\n{{ b c }}", "unexpected identifier, expected end of variable block (at line 2)"),
        ("{% if a %}", "unexpected end of input, expected end of block"),
        (
            "{{ a | uper }}",
            "filter uper is unknown; there are capitalize, default, first, join, last, length, lower, title, trim, upper",
        ),
        (
            "{% if a %}\n{{ a | replace('a', 'b') }}{% endif %}",
            "filter replace is unknown; there are capitalize, default, first, join, last, length, lower, title, trim, upper (at line 2)",
        ),
        ("{{ a is even }}", "test even is unknown; there are defined, undefined and none"),
        ("{{ range(9) }}", "range is unknown; there are no functions"),
        ("{% set a = 1 %}", "there is no statement `set`; there are `if` and `for`"),
        ("{%- iff a %}", "there is no statement `iff`; there are `if` and `for`; did you mean `if`?"),
        ("{% include 'x' %}", "there is no statement `include`; there are `if` and `for`"),
        ("{{ 'x' * 9 }}", "`*` cannot be part of a template with expressions"),
    ] {
        assert_eq!(error(source), expected, "{source}");
    }
    assert_eq!(error(&"x".repeat(513)), "a template has at most 512 bytes, and this one 513");
}

#[test]
fn hostile_templates_are_cheap() {
    let values = record(json!({"a": "x".repeat(1_000_000), "l": vec!["yy"; 10_000]}));
    for source in [
        "{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}".to_owned(),
        "{% for b in l %}{{ a }}{% endfor %}".to_owned(),
        "{% for b in l %}{% for c in a %}{% if a ~ a ~ a == b %}{% endif %}{% endfor %}{% endfor %}".to_owned(),
        format!("{{{{ l{} }}}}", " | join(a)".repeat(40)),
        format!("{{{{ [l]{} }}}}", "|join(a)".repeat(60)),
        format!("{{{{ {}a }}}}", "a ~ ".repeat(120)),
        format!("{{{{ [{}a] }}}}", "l, ".repeat(160)),
        "{% for x in l recursive %}{{ loop(l) }}{% endfor %}".to_owned(),
        "{{ ".to_owned() + &"(".repeat(16) + "a" + &")".repeat(16) + " }}",
        "{{ ".to_owned() + &"(".repeat(500),
        "{{ ".to_owned() + &"not ".repeat(125) + "a }}",
        "{{ ".to_owned() + &"-".repeat(500) + "1 }}",
        "{{ a".to_owned() + &".a".repeat(250) + " }}",
        "{{ a".to_owned() + &"|trim".repeat(100) + " }}",
        "{{ a".to_owned() + &" if a else a".repeat(40) + " }}",
        "{% if a %}".repeat(50),
        "{{ ".repeat(170),
        "{%".repeat(250),
    ] {
        let began = Instant::now();
        assert!(source.len() <= MAX_SOURCE_BYTES);
        if let Ok(template) = Template::compile(&source) {
            assert!(template.render(&values).chars().count() <= MAX_CHARACTERS);
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{source:.60} took {:?}", began.elapsed());
    }
}

proptest! {
    #[test]
    fn arbitrary_sources_never_panic(source in any::<String>(), value in any::<String>()) {
        if let Ok(template) = Template::compile(&source) {
            drop(template.render(&record(json!({"a": value}))));
        }
    }

    #[test]
    fn arbitrary_tokens_never_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "{{", "}}", "{%", "%}", "{#", "#}", "-", " a ", " l ", "|", "join", "first", "last", "(", ")", "[", "]", "'x'",
        "if ", "else ", "endif ", "for ", " in ", "endfor ", "1", ".", "~", "+", "/", "//", "%", ":", ",", " recursive ",
        "loop", "is ", "none", "not ", "é", "\"",
    ]), 0..24)) {
        if let Ok(template) = Template::compile(&tokens.concat()) {
            drop(template.render(&record(json!({"a": "ä", "l": ["x", 1, {"a": null}]}))));
        }
    }

    #[test]
    fn plain_and_rich_rendering_agree(text in "[ a-zé{}]{0,9}", value in any::<String>()) {
        let plain = format!("{text}{{{{ a }}}}{text}{{{{ b }}}}");
        let rich = format!("{plain}{{# #}}");
        if let (Ok(plain), Ok(rich)) = (Template::compile(&plain), Template::compile(&rich)) {
            let values = record(json!({"a": value, "b": 7}));
            prop_assert_eq!(plain.render(&values), rich.render(&values));
        }
    }
}
