//! What a person should know of data before anything is learnt from it.

use std::collections::{BTreeMap, HashMap};

use crate::{
    data::{Ids, times, times::TimeForm},
    split::{Dataset, time_of},
    wording::counted,
};

/// Most different ratings that are listed one by one.
const LISTED: usize = 12;

/// Each line tells one thing: columns, ratings, times, then what looks odd.
pub fn lines(data: &Dataset) -> Vec<String> {
    let facts = &data.facts;
    let mut lines: Vec<String> = facts.columns.iter().map(|column| format!("column {column}")).collect();
    if !facts.unread_columns.is_empty() {
        lines.push(format!("columns that are not read: {}", facts.unread_columns.join(", ")));
    }
    if facts.has_rating {
        lines.push(ratings(data));
    }
    if facts.has_time {
        lines.extend(time_range(data));
    }
    lines.extend(oddities(data).into_iter().map(|odd| format!("odd: {odd}")));
    lines
}

fn ratings(data: &Dataset) -> String {
    let mut counts: BTreeMap<u32, (f32, u64)> = BTreeMap::new();
    for row in &data.rows {
        counts.entry(row.rating.to_bits()).or_insert((row.rating, 0)).1 += 1;
    }
    let mut counts: Vec<(f32, u64)> = counts.into_values().collect();
    counts.sort_by(|a, b| a.0.total_cmp(&b.0));
    match (counts.first(), counts.last()) {
        (Some(least), Some(most)) if counts.len() > LISTED => {
            format!("ratings: {} different ones from {} to {}", counts.len(), least.0, most.0)
        }
        _ => {
            let each: Vec<String> =
                counts.iter().map(|(value, n)| format!("{value} ({})", counted(*n, "row"))).collect();
            format!("ratings: {}", each.join(", "))
        }
    }
}

fn time_range(data: &Dataset) -> Option<String> {
    let times = || data.rows.iter().map(|row| row.time);
    let (first, last) = (time_of(times().min()?), time_of(times().max()?));
    let shown = |time: f64| times::shown(time).unwrap_or_else(|| time.to_string());
    let forms: Vec<String> = data.facts.time_forms.iter().map(ToString::to_string).collect();
    Some(format!("times: read as {}, from {} to {}", forms.join(" and "), shown(first), shown(last)))
}

fn oddities(data: &Dataset) -> Vec<String> {
    let mut odd = Vec::new();
    let low = data.rows.iter().filter(|row| row.rating <= 0.0).count();
    if low > 0 {
        let (are, count) = if low == 1 { ("is", "counts as a rating") } else { ("are", "count as ratings") };
        odd.push(format!("{} {are} rated 0 or less, and {count}", counted(low, "row")));
    }
    for (what, ids, row_of) in [
        ("viewer", &data.viewers, data.rows.iter().map(|row| row.viewer).collect::<Vec<_>>()),
        ("title", &data.titles, data.rows.iter().map(|row| row.title).collect()),
    ] {
        odd.extend(crowded(what, ids, &row_of));
        odd.extend(alike(what, ids));
        odd.extend(missing(what, ids));
    }
    if data.facts.has_time {
        odd.extend(odd_times(data));
    }
    odd
}

/// Times that stand for something else, or in more than one unit.
fn odd_times(data: &Dataset) -> Vec<String> {
    let times = || data.rows.iter().map(|row| row.time);
    let (Some(least), Some(most)) = (times().min(), times().max()) else { return Vec::new() };
    let mut odd = Vec::new();
    if least == most {
        odd.push("all times are the same: the order of the file counts".to_owned());
    }
    let is_number = data.facts.time_forms.iter().any(|of| of.form != TimeForm::Written);
    let (least, most) = (time_of(least), time_of(most));
    let mend = "if they count something else, only their order is right";
    if !times::PLAUSIBLE.contains(&least) || !times::PLAUSIBLE.contains(&most) {
        odd.push(format!("some times are before 1970 or after 2100: {mend}"));
    } else if is_number && least != most && most < times::YEAR {
        odd.push(format!("all times are in 1970: {mend}"));
    }
    if data.facts.time_forms.iter().filter(|of| of.form != TimeForm::Written).count() > 1 {
        odd.push("times are in several units, told apart by their size: write them in one".to_owned());
    }
    odd
}

fn crowded(what: &str, ids: &Ids, rows: &[u32]) -> Option<String> {
    let mut counts = vec![0_usize; ids.len()];
    rows.iter().for_each(|row| counts[*row as usize] += 1);
    let (most, count) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let id = ids.id(u32::try_from(most).ok()?);
    let is_crowded = ids.len() > 3 && count * 2 >= rows.len();
    is_crowded.then(|| format!("{what} `{id}` has {count} of {}", counted(rows.len(), "row")))
}

/// Ids that differ by space or case alone are mostly one.
fn alike(what: &str, ids: &Ids) -> Option<String> {
    let mut first: HashMap<String, &str> = HashMap::new();
    let (mut count, mut example) = (0_u64, None);
    for id in ids.iter() {
        let plain: String = id.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        if let Some(other) = first.get(&plain) {
            count += 1;
            example.get_or_insert((*other, id));
        } else {
            first.insert(plain, id);
        }
    }
    let (a, b) = example?;
    let differ = if count == 1 { "differs" } else { "differ" };
    let ids = counted(count, &format!("{what} id"));
    Some(format!("{ids} {differ} from another by space or case alone, such as `{a}` and `{b}`"))
}

fn missing(what: &str, ids: &Ids) -> Option<String> {
    const MISSING: [&str; 7] = ["nan", "null", "none", "na", "n/a", "\\n", "undefined"];
    let id = ids.iter().find(|id| MISSING.contains(&id.to_lowercase().as_str()))?;
    Some(format!("a {what} is called `{id}`: does it stand for a missing value?"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::{DataSpec, Needs, read_any};

    #[test]
    fn columns_ratings_times_and_what_is_odd_are_told() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("r.csv");
        let text = "user,item,rating,time,note\na,x,0,2014-05-20,\na,X,5,2014-05-21,\na,y,5,2014-05-21,\na,z,4,2014-05-21,\n\
                    b,null,4,2014-05-21,\nc,z,4,2014-05-22 10:30,\nd,z,4,2014-05-21,\n";
        fs::write(&file, text).unwrap();
        let spec = DataSpec { files: vec![file], ..DataSpec::default() };
        let data = Dataset::from(read_any(&spec, Needs::default(), &mut |_| ()).unwrap());
        let expected = [
            "column viewer: user (text)",
            "column title: item (text)",
            "column rating: rating (text)",
            "column time: time (text)",
            "columns that are not read: note",
            "ratings: 0 (1 row), 4 (4 rows), 5 (2 rows)",
            "times: read as dates and times as written (7 rows), from 2014-05-20 00:00 to 2014-05-22 10:30",
            "odd: 1 row is rated 0 or less, and counts as a rating",
            "odd: viewer `a` has 4 of 7 rows",
            "odd: 1 title id differs from another by space or case alone, such as `x` and `X`",
            "odd: a title is called `null`: does it stand for a missing value?",
        ];
        assert_eq!(lines(&data), expected);
    }

    #[test]
    fn how_times_are_read_is_said_and_what_is_no_time_is_odd() {
        let only_order = "if they count something else, only their order is right";
        #[rustfmt::skip]
        let cases = [
            // times                                        how they are read                                                                   what is odd
            (["881250949", "881250950"],                    "seconds since 1970 (2 rows), from 1997-12-04 15:55 to 1997-12-04 15:55",           String::new()),
            (["1400629072250", "1400629073000"],            "milliseconds since 1970 (2 rows), from 2014-05-20 23:37 to 2014-05-20 23:37",      String::new()),
            (["1400629072250000", "1400629073000000"],      "microseconds since 1970 (2 rows), from 2014-05-20 23:37 to 2014-05-20 23:37",      String::new()),
            (["1400629072250000000", "1400629073000000000"], "nanoseconds since 1970 (2 rows), from 2014-05-20 23:37 to 2014-05-20 23:37",      String::new()),
            (["2014-05-20", "1400629073"],                  "dates and times as written (1 row) and seconds since 1970 (1 row), from 2014-05-20 00:00 to 2014-05-20 23:37", String::new()),
            (["881250949", "1400629073000"],                "seconds since 1970 (1 row) and milliseconds since 1970 (1 row), from 1997-12-04 15:55 to 2014-05-20 23:37",
                                                            "times are in several units, told apart by their size: write them in one".to_owned()),
            (["1", "17"],                                   "seconds since 1970 (2 rows), from 1970-01-01 00:00 to 1970-01-01 00:00",           format!("all times are in 1970: {only_order}")),
            (["5000000000", "5000000001"],                  "seconds since 1970 (2 rows), from 2128-06-11 08:53 to 2128-06-11 08:53",           format!("some times are before 1970 or after 2100: {only_order}")),
            (["-5", "881250949"],                           "seconds since 1970 (2 rows), from 1969-12-31 23:59 to 1997-12-04 15:55",           format!("some times are before 1970 or after 2100: {only_order}")),
            (["1000000000001", "1000000000002"],            "milliseconds since 1970 (2 rows), from 2001-09-09 01:46 to 2001-09-09 01:46",      String::new()),
            (["99000000000000", "99000000000001"],          "milliseconds since 1970 (2 rows), from 5107-03-10 08:00 to 5107-03-10 08:00",      format!("some times are before 1970 or after 2100: {only_order}")),
            (["7", "7"],                                    "seconds since 1970 (2 rows), from 1970-01-01 00:00 to 1970-01-01 00:00",           "all times are the same: the order of the file counts".to_owned()),
        ];
        for (times, read_as, odd) in cases {
            let folder = tempfile::TempDir::new().unwrap();
            let file = folder.path().join("r.csv");
            fs::write(&file, format!("user,item,time\na,x,{}\nb,y,{}\n", times[0], times[1])).unwrap();
            let spec = DataSpec { files: vec![file], ..DataSpec::default() };
            let data = Dataset::from(read_any(&spec, Needs::default(), &mut |_| ()).unwrap());
            let found = lines(&data);
            assert!(found.contains(&format!("times: read as {read_as}")), "{times:?}: {found:#?}");
            let found: Vec<_> = found.iter().filter_map(|line| line.strip_prefix("odd: ")).collect();
            assert_eq!(found.join("; "), odd, "{times:?}");
        }
    }
}
