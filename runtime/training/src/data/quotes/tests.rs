use super::*;

const RULES: Rules = Rules { delimiter: b',', backslash: false, multi_line: false, width: 3 };

/// What comes out, read a few bytes at a time; an error's line and text.
fn through(text: &[u8], rules: Rules, sip: usize) -> Result<String, String> {
    let mut guarded = Guarded::new(text, Some(rules));
    let (mut found, mut buffer) = (Vec::new(), vec![0; sip]);
    loop {
        match guarded.read(&mut buffer) {
            Ok(0) => return Ok(String::from_utf8(found).unwrap()),
            Ok(n) => found.extend_from_slice(&buffer[..n]),
            Err(error) => {
                let fault = error.get_ref().and_then(|e| e.downcast_ref::<QuoteFault>()).unwrap();
                return Err(format!("line {} {}", fault.line, fault.problem));
            }
        }
    }
}

#[test]
fn quotes_are_read_as_meant_or_refused_with_their_line() {
    let backslash = Rules { backslash: true, ..RULES };
    let multi_line = Rules { multi_line: true, ..RULES };
    let not_closed = |n: u64| Err(format!("line {n} opens a quote that nothing closes"));
    let within = |n: u64| Err(format!("line {n} opens a quote, and its closing quote stands within a field"));
    let row = |n: u64, taken: u64| {
        Err(format!("line {n} opens a quote that takes in line {taken}, which looks like a row"))
    };
    let same = |text: &str| Ok(text.to_owned());
    #[rustfmt::skip]
    let cases: [(&str, &str, Rules, Result<String, String>); 18] = [
        ("no quotes",                     "a,b,c\nd,e,f\n",                 RULES,      same("a,b,c\nd,e,f\n")),
        ("quoted fields",                 "\"a\",\"b, c\",d\n",             RULES,      same("\"a\",\"b, c\",d\n")),
        ("a doubled quote",               "a,\"say \"\"b\"\"\",c\n",        RULES,      same("a,\"say \"\"b\"\"\",c\n")),
        ("a quote within a plain field",  "a,5\" disk,c\nd,e,f\n",          RULES,      same("a,5\" disk,c\nd,e,f\n")),
        ("spaces before quoted fields",   "a, \"b, c\",  \"d\"\ne,f, \"g\"\n", RULES,  same("a,\"b, c\",\"d\"\ne,f,\"g\"\n")),
        ("spaces after a closing quote",  "\"a\" ,b,c\n",                   RULES,      same("\"a\" ,b,c\n")),
        ("a line break in a field",       "a,b,\"two\nlines\"\nd,e,f\n",    RULES,      same("a,b,\"two\nlines\"\nd,e,f\n")),
        ("line ends of Windows",          "a,\"b\",c\r\n\"d\",e,f\r\n",     RULES,      same("a,\"b\",c\r\n\"d\",e,f\r\n")),
        ("a stray quote, and no other",   "a,b,c\nd,\"e,f\ng,h,i\nj,k,l\n", RULES,      row(2, 3)),
        ("a stray quote in the last row", "a,b,c\nd,\"e,f",                 RULES,      not_closed(2)),
        ("one that takes in odd lines",   "a,\"b,c\nd\ne\n",                RULES,      not_closed(1)),
        ("two stray quotes, fields begin", "a,b,\"c\nd,e\ng,h,\"i\n",        RULES,      within(1)),
        ("two stray quotes, one ends",    "a,b,\"c\nd,e,f\ng,h,i\"\n",      RULES,      row(1, 2)),
        ("the last line alone is a row",  "a,b,\"c\ng,h,i\"\nj,k,l\n",      RULES,      row(1, 2)),
        ("it closes within a row",        "a,\"b,c\ng,h\",i\n",             RULES,      row(1, 2)),
        ("lines that look like rows",     "a,b,\"c\nd,e,f\ng\"\n",          multi_line, same("a,b,\"c\nd,e,f\ng\"\n")),
        ("an escaped quote",              "a,\"say \\\"b\\\", c\",d\n",     backslash,  same("a,\"say \\\"b\\\", c\",d\n")),
        ("an escaped quote, not meant",   "a,\"say \\\"b\\\", c\",d\n",     RULES,      within(1)),
    ];
    for (why, text, rules, expected) in cases {
        for sip in [1, 2, 3, 7, 1000] {
            assert_eq!(through(text.as_bytes(), rules, sip), expected, "{why}, {sip} bytes at a time");
        }
    }
}

#[test]
fn backslashes_are_known_by_a_quote_that_goes_on() {
    for (text, expected) in [
        ("a,\"say \\\"b\\\", c\",d\n", true),
        ("a,\"C:\\\",d\n", false),
        ("a,\"b\"x,d\n", false),
        ("a,b,c\n", false),
    ] {
        assert_eq!(has_backslashes(text.as_bytes(), RULES), expected, "{text}");
    }
}
