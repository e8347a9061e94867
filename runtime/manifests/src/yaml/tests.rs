use super::{Position, chunks, documents, without_surrogates};

#[test]
fn a_document_begins_where_its_line_says() {
    let text = "# first\n%YAML 1.2\n---\na: 1\n---\n\n--- # third\nb: 2\n...\nc: 3\n----\n";
    let starts: Vec<usize> = chunks(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(
        starts,
        [1, 5, 7],
        "a comment and a directive belong to what follows, four hyphens separate nothing"
    );
    let found = documents("---\r\na: 1\r\n---\r\nb: 2\r\n");
    let lines: Vec<usize> = found.nodes.iter().map(|node| node.at.line).collect();
    assert_eq!((lines, found.faults.len()), (vec![2, 4], 0), "line breaks of another system");
}

#[test]
fn a_bad_document_costs_no_other() {
    let found = documents("a: 1\n---\n]\n---\nb: 2\n---\n{\n");
    let lines: Vec<usize> = found.faults.iter().map(|(at, _)| at.line).collect();
    assert_eq!((found.nodes.len(), lines), (2, vec![3, 8]));
}

#[test]
fn a_field_is_found_by_its_path() {
    let found = documents("spec:\n  rows:\n    - name: a\n    - name: b\n      source: {x: 1}\n");
    let at = |path: &str| found.nodes[0].locate(path);
    assert_eq!(at("spec.rows[1].name"), Position { line: 4, column: 13 }, "a text is its value");
    assert_eq!(at("spec.rows[1].source"), Position { line: 5, column: 7 }, "an object is its name");
    assert_eq!(at("spec.rows[1]"), Position { line: 4, column: 7 }, "a member is where it begins");
    assert_eq!(
        at("spec.rows[7].name"),
        Position { line: 2, column: 3 },
        "what is not there is what is around it"
    );
    assert_eq!(at("spec.deadline"), Position { line: 1, column: 1 }, "so is a default");
}

#[test]
fn what_an_object_says_itself_stands_before_what_it_merges() {
    let found = documents("a: &a {x: 1, y: 1}\nb: {<<: *a, x: 2}\nc: {x: 3, <<: [{y: 4}, *a]}\n");
    let fields = |index: usize| -> Vec<String> {
        let entries = found.nodes[0].entries()[index].node.entries();
        entries.iter().map(|entry| format!("{}={:?}", entry.name, entry.node.value)).collect()
    };
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    assert!(
        fields(1)[0].starts_with("x=") && fields(1)[0].contains("\"2\"") && fields(1)[1].contains("\"1\"")
    );
    assert!(fields(2)[0].contains("\"3\"") && fields(2)[1].contains("\"4\"") && fields(2).len() == 2);
}

#[test]
fn two_escapes_of_json_are_one_character() {
    #[rustfmt::skip]
    let cases = [
        ("a pair",                 r#""\ud83c\udfac""#,     "\"🎬\""),
        ("an escaped backslash",   r#""\\ud83c\udfac""#,    r#""\\ud83c\udfac""#),
        ("half a pair",            r#""\ud83c""#,           r#""\ud83c""#),
        ("a plain escape",         r#""\u00e9\n""#,         r#""\u00e9\n""#),
        ("cut off",                r#"\ud83c\u"#,           r#"\ud83c\u"#),
        ("a lone backslash",       "é\\",                   "é\\"),
    ];
    for (why, json, text) in cases {
        assert_eq!(without_surrogates(json), text, "{why}");
    }
}
