//! A file as a stream of UTF-8 text: unpacked, without byte order mark, from the encoding that it has.

use std::{
    cell::Cell,
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
    rc::Rc,
};

use encoding_rs::{Decoder, Encoding as Decoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{
    fault::DataError,
    table::{Encoding, Layout},
};

/// Bytes that are looked at before the first row is read.
const LOOKED_AT: usize = 1 << 16;

/// What a file is, by its first bytes.
pub(crate) enum Opened {
    /// Apache Parquet.
    Parquet,
    /// Lines of text.
    Text(TextSource),
}

/// Text, and the beginning of it.
pub(crate) struct TextSource {
    /// Everything, from the beginning.
    pub input: Box<dyn Read>,
    /// The first [`LOOKED_AT`] bytes.
    pub start: Vec<u8>,
    /// Bytes of the file consumed so far.
    pub consumed: Rc<Cell<u64>>,
}

/// Magic bytes of what is not read, with its name and the mend.
const REFUSED: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook: save the sheet as CSV"),
    (b"BZh", "is compressed with bzip2, which is not read: unpack it, or compress it with gzip or zstd"),
    (b"\xfd7zXZ\0", "is compressed with xz, which is not read: unpack it, or compress it with gzip or zstd"),
    (b"Obj\x01", "is an Avro file, which is not read: write Parquet, CSV or JSON lines"),
    (b"ORC", "is an ORC file, which is not read: write Parquet, CSV or JSON lines"),
    (b"SQLite format 3\0", "is an SQLite database: export the table as CSV"),
];

/// Opens `file` and looks at its first bytes.
pub(crate) fn open(file: &Path, layout: &Layout) -> Result<Opened, DataError> {
    let fault = |source| DataError::Read { file: file.to_owned(), source };
    let refuse = |problem: &str| DataError::Format { file: file.to_owned(), problem: problem.to_owned() };
    let consumed = Rc::new(Cell::new(0));
    let mut opened = Counted { input: File::open(file).map_err(fault)?, consumed: Rc::clone(&consumed) };
    let start = beginning(&mut opened).map_err(fault)?;
    if start.starts_with(b"PAR1") {
        return Ok(Opened::Parquet);
    }
    if let Some((_, problem)) = REFUSED.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Err(refuse(problem));
    }
    let (is_gzip, is_zstd) = (start.starts_with(b"\x1f\x8b"), start.starts_with(b"\x28\xb5\x2f\xfd"));
    if !is_gzip && !is_zstd {
        return decode(start, Box::new(opened), layout, consumed).map(Opened::Text).map_err(fault);
    }
    let packed = Cursor::new(start).chain(opened);
    let mut unpacked: Box<dyn Read> = match is_gzip {
        true => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        false => Box::new(zstd::stream::read::Decoder::new(packed).map_err(fault)?),
    };
    let start = beginning(&mut unpacked).map_err(fault)?;
    if start.starts_with(b"PAR1") {
        return Err(refuse("is a compressed Parquet file: unpack it, Parquet is compressed within"));
    }
    decode(start, unpacked, layout, consumed).map(Opened::Text).map_err(fault)
}

/// The text of `start` and what follows it.
fn decode(
    start: Vec<u8>,
    rest: Box<dyn Read>,
    layout: &Layout,
    consumed: Rc<Cell<u64>>,
) -> io::Result<TextSource> {
    let marked = match start.as_slice() {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [0xef, 0xbb, 0xbf, ..] => None,
        _ => match layout.encoding {
            Some(Encoding::Latin1) => Some(WINDOWS_1252),
            Some(Encoding::Utf16) => Some(UTF_16LE),
            Some(Encoding::Utf8) | None => None,
        },
    };
    let Some(encoding) = marked else {
        let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let start = start[mark..].to_vec();
        return Ok(TextSource { input: Box::new(Cursor::new(start.clone()).chain(rest)), start, consumed });
    };
    let mut input: Box<dyn Read> = Box::new(Transcoded::new(encoding, Cursor::new(start).chain(rest)));
    let start = beginning(&mut input)?;
    Ok(TextSource { input: Box::new(Cursor::new(start.clone()).chain(input)), start, consumed })
}

/// Up to [`LOOKED_AT`] bytes.
fn beginning(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(LOOKED_AT);
    input.take(LOOKED_AT as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Counts what is read of a file.
struct Counted<R> {
    input: R,
    consumed: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.consumed.set(self.consumed.get() + n as u64);
        Ok(n)
    }
}

/// Text of another encoding as UTF-8.
struct Transcoded<R> {
    decoder: Decoder,
    input: R,
    raw: Box<[u8]>,
    /// What was decoded, and how much of it was handed on.
    text: Vec<u8>,
    handed_on: usize,
    is_at_end: bool,
}

impl<R: Read> Transcoded<R> {
    fn new(encoding: &'static Decoding, input: R) -> Self {
        let (decoder, raw) = (encoding.new_decoder_with_bom_removal(), vec![0; LOOKED_AT].into_boxed_slice());
        Self { decoder, input, raw, text: Vec::new(), handed_on: 0, is_at_end: false }
    }

    /// Decodes what is read next. A character of the raw bytes is at most three bytes of text.
    fn refill(&mut self) -> io::Result<()> {
        let n = self.input.read(&mut self.raw)?;
        self.is_at_end = n == 0;
        self.text.resize(3 * n + 16, 0);
        let (_, _, written, _) = self.decoder.decode_to_utf8(&self.raw[..n], &mut self.text, self.is_at_end);
        self.text.truncate(written);
        self.handed_on = 0;
        Ok(())
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.handed_on == self.text.len() {
            if self.is_at_end {
                return Ok(0);
            }
            self.refill()?;
        }
        let left = &self.text[self.handed_on..];
        let n = left.len().min(buffer.len());
        buffer[..n].copy_from_slice(&left[..n]);
        self.handed_on += n;
        Ok(n)
    }
}
