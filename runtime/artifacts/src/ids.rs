//! Id tables: the names of the rows.

use std::{
    hash::{BuildHasher, RandomState},
    marker::PhantomData,
};

use crate::error::{Fault, Finding, json_line_fault, quoted};
use crate::limits::Limits;
use crate::rows::TableRow;

/// The ids of rows 0, 1, …, each once; finds the row of an id in constant time.
///
/// `R` is the type of its rows, so that a row of one table cannot be looked up in another.
/// Takes the text of the ids, 4 bytes a row for where it ends and 5 to 11 bytes a row for the index.
#[derive(Clone)]
pub struct IdTable<R> {
    text: Box<str>,
    /// Where the id of each row ends in `text`.
    ends: Box<[u32]>,
    /// Open addressing, linear probing: row + 1 below bits of the id's hash, or 0 where free. A power of two, at most 3/4 full.
    slots: Box<[u32]>,
    /// Of this process, so that ids chosen by strangers cannot be made to collide.
    seed: u64,
    rows: PhantomData<R>,
}

impl<R: TableRow> IdTable<R> {
    /// Reads one JSON string a line. `count` is what the manifest declares.
    pub fn parse(bytes: &[u8], count: u64, limits: &Limits) -> Result<Self, Finding> {
        check_count_fits(bytes.len() as u64, count)?;
        let mut builder = Builder::with_capacity(count as usize, bytes.len(), limits.id_bytes);
        for (line_idx, line) in lines(bytes).enumerate() {
            if line_idx as u64 == count {
                return Err(too_many_lines(count));
            }
            match plain_string(line) {
                Some(id) => builder.push(id)?,
                None => builder.push(&json_string(line, line_idx)?)?,
            }
        }
        let found = builder.ends.len();
        if (found as u64) < count {
            return Err(Finding::new(Fault::Count, format!("{count} lines"), format!("{found}")));
        }
        Ok(builder.finish())
    }

    /// The table of these ids, under the default limits.
    pub fn from_ids<S: AsRef<str>>(ids: impl IntoIterator<Item = S>) -> Result<Self, Finding> {
        Self::from_ids_within(ids, &Limits::default())
    }

    pub(crate) fn from_ids_within<S: AsRef<str>>(
        ids: impl IntoIterator<Item = S>,
        limits: &Limits,
    ) -> Result<Self, Finding> {
        let ids = ids.into_iter();
        let mut builder = Builder::with_capacity(ids.size_hint().0, 0, limits.id_bytes);
        for id in ids {
            builder.push(id.as_ref())?;
        }
        Ok(builder.finish())
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of `row`.
    ///
    /// # Panics
    /// If `row` is not below [`Self::len`], as a slice would.
    pub fn id(&self, row: R) -> &str {
        id_at(&self.text, &self.ends, row.number() as usize)
    }

    /// The row of `id`, if it is in the table.
    pub fn row(&self, id: &str) -> Option<R> {
        let mask = self.slots.len() - 1;
        let hash = hash(self.seed, id.as_bytes());
        let mut slot = hash as usize & mask;
        loop {
            let row = match self.slots[slot] {
                0 => return None,
                taken => row_of(taken, hash, mask),
            };
            if let Some(row) = row.map(R::from_number).filter(|row| self.id(*row) == id) {
                return Some(row);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The same ids as names of the rows of another table: the titles of a catalogue's artifact are the catalogue's rows.
    pub fn with_rows<S: TableRow>(self) -> IdTable<S> {
        let Self { text, ends, slots, seed, rows: _ } = self;
        IdTable { text, ends, slots, seed, rows: PhantomData }
    }

    /// All ids, by row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|row| id_at(&self.text, &self.ends, row))
    }

    /// Bytes of memory that the table takes.
    pub fn memory_bytes(&self) -> usize {
        self.text.len() + 4 * (self.ends.len() + self.slots.len())
    }
}

impl<R: TableRow> std::fmt::Debug for IdTable<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdTable").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<R> PartialEq for IdTable<R> {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.text == other.text
    }
}

fn id_at<'a>(text: &'a str, ends: &[u32], row: usize) -> &'a str {
    let start = if row == 0 { 0 } else { ends[row - 1] as usize };
    &text[start..ends[row] as usize]
}

/// A table in the making; refuses an id that no table may hold, and one that it holds already.
struct Builder {
    text: String,
    ends: Vec<u32>,
    slots: Vec<u32>,
    seed: u64,
    max_id_bytes: usize,
}

impl Builder {
    /// `count` and `text` are bounded by the size of the file, see [`check_count_fits`].
    fn with_capacity(count: usize, text: usize, max_id_bytes: usize) -> Self {
        Self {
            text: String::with_capacity(text),
            ends: Vec::with_capacity(count),
            slots: vec![0; slots_for(count)],
            seed: RandomState::new().hash_one(0u8),
            max_id_bytes,
        }
    }

    fn push(&mut self, id: &str) -> Result<(), Finding> {
        let line = self.ends.len() + 1;
        check_id(id, line, self.max_id_bytes)?;
        let end = u32::try_from(self.text.len() + id.len()).map_err(|_| {
            Finding::new(Fault::TooLarge, "at most 4 GiB of ids", format!("more at line {line}"))
        })?;
        if slots_for(line) > self.slots.len() {
            self.grow(slots_for(line));
        }
        let hash = hash(self.seed, id.as_bytes());
        let slot = self.free_slot(id, hash).map_err(|row| {
            Finding::new(
                Fault::Line,
                "every id once",
                format!("{} in lines {} and {line}", quoted(id), row + 1),
            )
        })?;
        // Rows are fewer than bytes of text, which fit 32 bits.
        self.slots[slot] = line as u32 | tag(hash, self.slots.len() - 1);
        self.text.push_str(id);
        self.ends.push(end);
        Ok(())
    }

    /// Where `id` belongs, or the row that holds it already.
    fn free_slot(&self, id: &str, hash: u64) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != 0 {
            let row = row_of(self.slots[slot], hash, mask).map(|row| row as usize);
            if let Some(row) = row.filter(|row| id_at(&self.text, &self.ends, *row) == id) {
                return Err(row);
            }
            slot = (slot + 1) & mask;
        }
        Ok(slot)
    }

    fn grow(&mut self, slots: usize) {
        self.slots = vec![0; slots];
        let mask = slots - 1;
        for row in 0..self.ends.len() {
            let hash = hash(self.seed, id_at(&self.text, &self.ends, row).as_bytes());
            let mut slot = hash as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = (row as u32 + 1) | tag(hash, mask);
        }
    }

    fn finish<R>(self) -> IdTable<R> {
        IdTable {
            rows: PhantomData,
            text: self.text.into_boxed_str(),
            ends: self.ends.into_boxed_slice(),
            slots: self.slots.into_boxed_slice(),
            seed: self.seed,
        }
    }
}

/// At most 3/4 full, never entirely, so that a search ends.
fn slots_for(count: usize) -> usize {
    (count + count / 3 + 2).next_power_of_two()
}

/// The bits of a hash that are kept beside a row: as many as a row below the number of slots leaves free. Almost every other id
/// in a slot is told apart by them, without a look at its text.
fn tag(hash: u64, mask: usize) -> u32 {
    (hash >> 32) as u32 & !(mask as u32)
}

/// The row in a slot, if its id may have this hash.
fn row_of(slot: u32, hash: u64, mask: usize) -> Option<u32> {
    let row_and_one = slot & mask as u32;
    (slot == row_and_one | tag(hash, mask)).then(|| row_and_one - 1)
}

/// Folded multiplication over words of eight bytes: the ids are short, and this is a few cycles each.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(ODD);
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), ODD ^ seed.rotate_left(32));
    }
    let mut last = [0u8; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(state ^ u64::from_le_bytes(last), ODD ^ seed.rotate_left(17))
}

pub(crate) fn check_id(id: &str, line: usize, max_bytes: usize) -> Result<(), Finding> {
    if id.is_empty() {
        return Err(Finding::new(Fault::Line, "an id", format!("an empty one in line {line}")));
    }
    if id.len() > max_bytes {
        let found = format!("{} of {} bytes in line {line}", quoted(id), id.len());
        return Err(Finding::new(Fault::Line, format!("an id of at most {max_bytes} bytes"), found));
    }
    let has_control = match id.is_ascii() {
        true => id.bytes().any(|byte| byte.is_ascii_control()),
        false => id.chars().any(char::is_control),
    };
    if has_control {
        let found = format!("{} in line {line}", quoted(id));
        return Err(Finding::new(Fault::Line, "an id without control characters", found));
    }
    Ok(())
}

/// A line takes three bytes or more (`"a"`, and a line end but for the last), so `count` bounds what is allocated.
pub(crate) fn check_count_fits(size: u64, count: u64) -> Result<(), Finding> {
    if count > size.saturating_add(1) / 4 || size > u64::from(u32::MAX) {
        return Err(Finding::new(
            Fault::Count,
            format!("{count} lines"),
            format!("{size} bytes, which cannot hold them"),
        ));
    }
    Ok(())
}

pub(crate) fn too_many_lines(count: u64) -> Finding {
    Finding::new(Fault::Count, format!("{count} lines"), "more")
}

/// The lines, without their ends; the last may lack one.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    (!bytes.is_empty()).then(|| whole.split(|&byte| byte == b'\n')).into_iter().flatten()
}

/// The string, when it is written without escapes and plainly valid.
fn plain_string(line: &[u8]) -> Option<&str> {
    let inner = line.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let plain = inner.iter().all(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    plain.then(|| std::str::from_utf8(inner).ok()).flatten()
}

fn json_string(line: &[u8], line_idx: usize) -> Result<String, Finding> {
    serde_json::from_slice(line).map_err(|error| {
        let found = json_line_fault(&error, line, line_idx + 1);
        Finding::new(Fault::Line, "one JSON string a line", found)
    })
}

#[cfg(test)]
mod tests;
