//! Packs with mistakes: each is told at its place, with a code and what was probably meant.

use super::*;

/// A pack with one object, which has these properties and constraints; the first property is in line 6.
fn site(properties: &str, further: &str) -> String {
    format!("pack: sites\nversion: 1.0.0\nobjects:\n  site:\n    properties:\n{properties}{further}")
}

/// Place, code and pointer of each mistake, and the beginning of what is said of it.
fn refused(files: &[(String, String)], below: &[Layer]) -> Vec<(String, String)> {
    let found = Pack::read_and_check(files, |_| below.to_vec()).expect_err("mistakes");
    shown(&found).into_iter().zip(found.into_iter().map(|problem| problem.message)).collect()
}

#[test]
fn each_mistake_is_told_at_its_place() {
    let name = "      name: {type: string}\n      size: {type: integer}\n      due: {type: date}\n";
    let rule = |rule: &str| site(name, &format!("    constraints:\n      - {{rule: {rule}, message: No}}\n"));
    let formula = |formula: &str, result: &str| {
        site(name, &format!("      sum: {{type: formula, formula: {formula}, result: {result}}}\n"))
    };
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &('b'..='i').fold((String::new(), 'a'), |(text, last), next| {
            (format!("{text}{next}: &{next} [*{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}]\n"), next)
        })
        .0;
    let deep = format!("pack: sites\nversion: 1.0.0\nschemas: {{a: {}1{}}}\n", "[".repeat(70), "]".repeat(70));
    let deepest = format!("pack.yaml:3:76 too_deep /schemas/a{}", "/0".repeat(62));
    let cases: Vec<(String, &str, &str)> = vec![
        (
            site(name, "      name: {type: text}\n"),
            "pack.yaml:9:7 duplicate_key /objects/site/properties/name",
            "`name` is already given at pack.yaml:6:7",
        ),
        (site(name, "     odd: {type: text}\n"), "pack.yaml:9:6 invalid_yaml ", "not YAML: "),
        (site("\tname: {type: string}\n", ""), "pack.yaml:6:2 invalid_yaml ", "not YAML: tabs disallowed"),
        (site("      name: {type: string\n", ""), "pack.yaml:7:1 invalid_yaml ", "not YAML: "),
        (
            site("      name: {typ: string}\n", ""),
            "pack.yaml:6:7 required /objects/site/properties/name/type",
            "`type` is required",
        ),
        (
            site("      name: {type: string, lable: N}\n", ""),
            "pack.yaml:6:28 unknown_key /objects/site/properties/name/lable",
            "`lable` is not known here; did you mean `label`?",
        ),
        (
            site("      name: {type: strng}\n", ""),
            "pack.yaml:6:20 unknown_type /objects/site/properties/name/type",
            "`strng` is no property type; did you mean `string`?",
        ),
        (
            site("      Site-Name: {type: string}\n", ""),
            "pack.yaml:6:7 invalid_name /objects/site/properties/Site-Name",
            "`Site-Name`: a name is a lower-case letter",
        ),
        (
            site("      id: {type: string}\n", ""),
            "pack.yaml:6:7 reserved /objects/site/properties/id",
            "`id` is a field that every record has",
        ),
        (site("      <<: {type: string}\n", ""), "pack.yaml:6:7 invalid_key /objects/site/properties/<<", "merge keys"),
        (
            site("      name: !secret {type: string}\n", ""),
            "pack.yaml:6:13 invalid_yaml /objects/site/properties/name",
            "a tag other than !!map",
        ),
        (
            site(name, "      length: {was: size, type: integer}\n"),
            "pack.yaml:9:21 taken /objects/site/properties/length/was",
            "`size` is a property itself, and its values stay with it; take `size` away, or leave this out",
        ),
        (
            site(name, "      length: {was: [extent, size], type: integer}\n"),
            "pack.yaml:9:30 taken /objects/site/properties/length/was/1",
            "`size` is a property itself",
        ),
        (
            site(name, "      length: {was: length, type: integer}\n"),
            "pack.yaml:9:21 taken /objects/site/properties/length/was",
            "`length` is its name now",
        ),
        (
            site(name, "      length: {was: [extent, extent], type: integer}\n"),
            "pack.yaml:9:30 taken /objects/site/properties/length/was/1",
            "`extent` is named more than once",
        ),
        (
            site(name, "      long: {was: extent, type: integer}\n      wide: {was: extent, type: integer}\n"),
            "pack.yaml:10:19 taken /objects/site/properties/wide/was",
            "`long` says that it was `extent`, too; values come along with one of them only",
        ),
        (
            site(name, "extend: {contact: {properties: {surname: {was: last_name, type: string}}}}\n"),
            "pack.yaml:9:48 taken /extend/contact/properties/surname/was",
            "`last_name` belongs to `core` and stays as it is; leave this out",
        ),
        (
            site("      name: {type: string}\n", "objects: {}\n"),
            "pack.yaml:7:1 duplicate_key /objects",
            "`objects` is already given at pack.yaml:3:1",
        ),
        (
            "pack: sites\nversion: 1.0.0\nobjets: {}\n".to_owned(),
            "pack.yaml:3:1 unknown_key /objets",
            "`objets` is not known here; did you mean `objects`?",
        ),
        (
            "pack: Sites\nversion: 1.0.0\n".to_owned(),
            "pack.yaml:1:7 invalid_name /pack",
            "a name is a lower-case letter",
        ),
        (
            "pack: sites\nversion: 1.0\n".to_owned(),
            "pack.yaml:2:10 invalid /version",
            "`1.0` is no version such as 1.2.0",
        ),
        (
            "pack: sites\nversion: 1.0.0\nrequires: {core: new}\n".to_owned(),
            "pack.yaml:3:18 invalid /requires/core",
            "`core` needs a range of versions",
        ),
        (
            "pack: sites\nversion: 1.0.0\n---\npack: b\n".to_owned(),
            "pack.yaml:3:1 invalid_yaml ",
            "a file has one document",
        ),
        (bomb, "pack.yaml:6:24 too_large /f/4", "too many values, aliases included"),
        (deep, &deepest, "more than 64 maps and lists"),
        ("#".repeat(10 << 20), "pack.yaml:1:1 too_large ", "10485760 bytes; a pack has at most 8388608"),
        (rule("size >"), "pack.yaml:10:16 invalid_expression /objects/site/constraints/0/rule", ""),
        (
            rule("siez > 1"),
            "pack.yaml:10:16 unknown /objects/site/constraints/0/rule",
            "`siez` is no property of this object; did you mean `size`?",
        ),
        (
            rule("name > 1"),
            "pack.yaml:10:16 invalid_expression /objects/site/constraints/0/rule",
            "`>` is not defined for a string and an integer; write a number without quotes (at column 6)",
        ),
        (
            rule("size + 1"),
            "pack.yaml:10:16 invalid_expression /objects/site/constraints/0/rule",
            "a condition must be true or false, and this is an integer",
        ),
        (
            rule("\"due < '2026-01-31'\""),
            "pack.yaml:10:16 invalid_expression /objects/site/constraints/0/rule",
            "`<` is not defined for a date and a string; write a date as",
        ),
        (
            formula("size + due", "integer"),
            "pack.yaml:9:37 invalid_expression /objects/site/properties/sum/formula",
            "`+` is not defined for an integer and a date",
        ),
        (
            formula("size + nmae", "integer"),
            "pack.yaml:9:37 unknown /objects/site/properties/sum/formula",
            "`nmae` is no property of this object; did you mean `name`?",
        ),
        (
            formula("name + 'x'", "integer"),
            "pack.yaml:9:37 invalid_expression /objects/site/properties/sum/formula",
            "the formula gives a string, and its result is an integer",
        ),
        (formula("size + 1", "int"), "pack.yaml:9:55 unknown /objects/site/properties/sum/result", "`int` is none of"),
        (
            site(
                name,
                "      all: {type: rollup, association: site_site, direction: out, function: count, where: name > 1}\nassociations: {site_site: {from: site, to: site}}\n",
            ),
            "pack.yaml:9:91 wrong_type /objects/site/properties/all/where",
            "a string is expected, not a number",
        ),
        (
            site(name, "extend: {contcat: {label: X}}\n"),
            "pack.yaml:9:10 unknown /extend/contcat",
            "there is no object `contcat`; did you mean `contact`?",
        ),
        (
            "pack: sites\nversion: 1.0.0\nobjects: {deal: {properties: {a: {type: string}}}}\n".to_owned(),
            "pack.yaml:3:11 taken /objects/deal",
            "`deal` belongs to `crm`; add to it under `extend`",
        ),
        (
            "pack: sites\nversion: 1.0.0\nassociations: {deal_contact: {from: deal, to: contact}}\n".to_owned(),
            "pack.yaml:3:16 taken /associations/deal_contact",
            "`deal_contact` belongs to `crm`; write `extend: true` to change it",
        ),
        (
            "pack: sites\nversion: 1.0.0\npipelines:\n  sales: {object: deal, stages: {a: A}}\n".to_owned(),
            "pack.yaml:4:3 taken /pipelines/sales",
            "`sales` belongs to `crm`; write `extend: true` to change it",
        ),
        (
            "pack: sites\nversion: 1.0.0\npipelines:\n  salse: {object: deal, extend: true, stages: {a: A}}\n"
                .to_owned(),
            "pack.yaml:4:3 unknown /pipelines/salse",
            "`deal` has no pipeline `salse`; did you mean `sales`?",
        ),
        (
            "pack: sites\nversion: 1.0.0\nassociations:\n  a: {from: deal, to: contact, extend: 1}\n".to_owned(),
            "pack.yaml:4:40 wrong_type /associations/a/extend",
            "true or false is expected, not a number",
        ),
    ];
    let below = shipped::layers(&["core", "crm"]);
    let mut wrong = Vec::new();
    for (text, place, said) in cases {
        let found = refused(&one(&text), &below);
        let is_told = found.len() <= 2 && found.iter().any(|(at, message)| at == place && message.starts_with(said));
        if !is_told {
            wrong.push(format!("{place}: {said}\n    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_two_files_say_and_what_a_file_is_called_is_told_in_that_file() {
    let files = |name: &str, text: &str| {
        let pack = ("pack.yaml".to_owned(), "pack: sites\nversion: 1.0.0\nobjects: {site: {}}\n".to_owned());
        vec![pack, (name.to_owned(), text.to_owned())]
    };
    for (name, text, place) in [
        ("site.yaml", "\nobjects:\n  site: {}\n", "site.yaml:3:3 duplicate_key /objects/site"),
        ("site.yaml", "- a\n", "site.yaml:1:1 wrong_type "),
        ("site.yml", "", "site.yml:1:1 invalid_file "),
        ("../site.yaml", "", "../site.yaml:1:1 invalid_file "),
        ("site.yaml", &"#".repeat((1 << 20) + 1), "site.yaml:1:1 too_large "),
    ] {
        let found = refused(&files(name, text), &[]);
        assert_eq!(found.into_iter().map(|(place, _)| place).collect::<Vec<_>>(), [place]);
    }
}
