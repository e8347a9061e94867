use super::*;

fn input<'a>(name: &'a str, shape: &[i64], ids: &[&'a str]) -> Input<'a> {
    Input { name: name.into(), shape: shape.to_vec(), ids: ids.iter().map(|id| Text::from(*id)).collect() }
}

fn made<'a>(inputs: Vec<Input<'a>>) -> Result<Vec<ScoreRequest<Text<'a>>>, ServeError> {
    requests("watch", inputs.into_iter().map(Ok))
}

fn texts<'a>(ids: &'a [Text<'a>]) -> Vec<&'a str> {
    ids.iter().map(|id| &**id).collect()
}

#[test]
fn a_row_is_a_request() {
    let requests = made(vec![
        input("titles", &[2, 3], &["a", "b", "c", "d", "e", "f"]),
        input("recent", &[2, 2], &["x", "", "", ""]),
        input("viewer", &[2, 1], &["v", ""]),
    ])
    .unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!((&*requests[0].viewer, texts(&requests[0].titles)), ("v", vec!["a", "b", "c"]));
    assert_eq!((&*requests[1].viewer, texts(&requests[1].titles)), ("", vec!["d", "e", "f"]));
    assert_eq!(texts(&requests[0].recent), ["x"], "empty strings pad");
    assert!(requests[1].recent.is_empty(), "a row of padding is nothing");
    assert!(requests.iter().all(|request| &*request.objective == "watch"));
}

#[test]
fn a_single_row_keeps_its_buffer() {
    let titles = input("titles", &[1, 3], &["a", "b", "c"]);
    let buffer = titles.ids.as_ptr();
    let requests = made(vec![input("viewer", &[1, 1], &["v"]), titles]).unwrap();
    assert_eq!(requests[0].titles.as_ptr(), buffer);
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let viewer = || input("viewer", &[1, 1], &["v"]);
    let titles = || input("titles", &[1, 2], &["a", "b"]);
    #[rustfmt::skip]
    let cases: [(&str, Vec<Input<'_>>, &str); 11] = [
        ("no viewer",        vec![titles()],                                        "input \"viewer\" is missing"),
        ("no titles",        vec![viewer()],                                        "input \"titles\" is missing"),
        ("twice",            vec![viewer(), viewer(), titles()],                    "input \"viewer\" occurs twice"),
        ("unknown",          vec![viewer(), titles(), input("k", &[1, 1], &["1"])], "input \"k\" does not exist"),
        ("one size",         vec![input("viewer", &[1], &["v"]), titles()],         "has the shape [1]: expected two sizes"),
        ("negative",         vec![input("viewer", &[-1, 1], &["v"]), titles()],     "has the shape [-1, 1]: expected two sizes"),
        ("nothing",          vec![viewer(), input("titles", &[1, 0], &[])],         "has the shape [1, 0]: expected two sizes"),
        ("fewer elements",   vec![viewer(), input("titles", &[1, 3], &["a"])],      "input \"titles\" has 1 elements, which does not match its shape [1, 3]"),
        ("a huge shape",     vec![viewer(), input("titles", &[i64::MAX, i64::MAX], &["a"])], "which does not match its shape"),
        ("a broad viewer",   vec![input("viewer", &[1, 2], &["v", "w"]), titles()], "input \"viewer\" has 2 columns"),
        ("rows that differ", vec![input("viewer", &[2, 1], &["v", "w"]), titles()], "input \"titles\" has 1 rows and \"viewer\" has 2"),
    ];
    for (why, inputs, message) in cases {
        let error = made(inputs).unwrap_err();
        assert!(matches!(&error, ServeError::Invalid(text) if text.contains(message)), "{why}: {error}");
    }
}
