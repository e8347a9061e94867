//! What a person should know of data before anything is learnt from it.

use std::collections::{BTreeMap, HashMap};

use crate::{
    data::{Ids, times},
    split::{Dataset, time_of},
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
            let each: Vec<String> = counts.iter().map(|(value, n)| format!("{value} ({n} rows)")).collect();
            format!("ratings: {}", each.join(", "))
        }
    }
}

fn time_range(data: &Dataset) -> Option<String> {
    let times = || data.rows.iter().map(|row| row.time);
    let (first, last) = (time_of(times().min()?), time_of(times().max()?));
    let shown = |time: f64| times::shown(time).unwrap_or_else(|| time.to_string());
    Some(format!("times: from {} to {}", shown(first), shown(last)))
}

fn oddities(data: &Dataset) -> Vec<String> {
    let mut odd = Vec::new();
    let low = data.rows.iter().filter(|row| row.rating <= 0.0).count();
    if low > 0 {
        odd.push(format!("{low} rows are rated 0 or less, and count as ratings"));
    }
    for (what, ids, row_of) in [
        ("viewer", &data.viewers, data.rows.iter().map(|row| row.viewer).collect::<Vec<_>>()),
        ("title", &data.titles, data.rows.iter().map(|row| row.title).collect()),
    ] {
        odd.extend(crowded(what, ids, &row_of));
        odd.extend(alike(what, ids));
        odd.extend(missing(what, ids));
    }
    if data.facts.has_time && data.rows.iter().all(|row| row.time == data.rows[0].time) {
        odd.push("all times are the same: the order of the file counts".to_owned());
    }
    odd
}

fn crowded(what: &str, ids: &Ids, rows: &[u32]) -> Option<String> {
    let mut counts = vec![0_usize; ids.len()];
    rows.iter().for_each(|row| counts[*row as usize] += 1);
    let (most, count) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let id = ids.id(u32::try_from(most).ok()?);
    let is_crowded = ids.len() > 3 && count * 2 >= rows.len();
    is_crowded.then(|| format!("{what} `{id}` has {count} of {} rows", rows.len()))
}

/// Ids that differ by space or case alone are mostly one.
fn alike(what: &str, ids: &Ids) -> Option<String> {
    let mut first: HashMap<String, &str> = HashMap::new();
    let (mut count, mut example) = (0, None);
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
    Some(format!("{count} {what} ids differ from another by space or case alone, such as `{a}` and `{b}`"))
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
            "ratings: 0 (1 rows), 4 (4 rows), 5 (2 rows)",
            "times: from 2014-05-20 00:00 to 2014-05-22 10:30",
            "odd: 1 rows are rated 0 or less, and count as ratings",
            "odd: viewer `a` has 4 of 7 rows",
            "odd: 1 title ids differ from another by space or case alone, such as `x` and `X`",
            "odd: a title is called `null`: does it stand for a missing value?",
        ];
        assert_eq!(lines(&data), expected);
    }
}
