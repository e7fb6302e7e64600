//! Matrices in Kaldi's archives: `ark:FILE` is one after the other, each behind its name;
//! `scp:FILE` lists where each lies.
//!
//! An archive is read as it comes, one matrix at a time, so that it may be longer than memory; a
//! matrix takes no more than the bytes that are there. Matrices are in binary mode, in single or
//! double precision or compressed, or in text.
//!
//! Reference: `util/kaldi-table-inl.h`, `matrix/kaldi-matrix.cc`, `matrix/compressed-matrix.cc`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::KaldiError;
use super::input::Input;
use super::matrix::Matrix;
use super::matrix_file::text;

/// The longest name of a matrix, and the longest line of a list.
const LONGEST_LINE: u64 = 1 << 16;
/// The longest matrix in text.
const LONGEST_TEXT: u64 = 1 << 30;
/// The head of a matrix in binary mode, behind its token: two counts with their sizes, or four
/// numbers.
const FULL_HEAD: usize = 10;
const COMPRESSED_HEAD: usize = 16;

/// Where matrices are, as Kaldi writes it: `ark:scores.ark`, `ark:-` for standard input,
/// `scp:scores.scp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Archive {
    /// One after the other.
    Ark(PathBuf),
    /// A list of their places.
    Scp(PathBuf),
}

impl Archive {
    /// What such a text names; none where it is no archive but a plain path.
    ///
    /// # Errors
    /// It asks for what is not read.
    pub fn parse(text: &str) -> Result<Option<Archive>, String> {
        let Some((kinds, place)) = text.split_once(':') else {
            return Ok(None);
        };
        let mut kinds = kinds.split(',');
        let kind = kinds.next().filter(|kind| ["ark", "scp"].contains(kind));
        // `t` and the like say how the file is sorted or written, which it shows itself.
        let plain = kinds.all(|option| {
            ["t", "b", "s", "cs", "ns", "ncs", "o", "no", "p", "bg"].contains(&option)
        });
        let Some(kind) = kind.filter(|_| plain) else {
            return Ok(None);
        };
        let place = place.trim();
        if place.is_empty() || place.ends_with('|') || place.starts_with('|') {
            return Err(format!(
                "`{text}` is a command or names no file: write its output to a file, and name that"
            ));
        }
        Ok(Some(match kind {
            "ark" => Archive::Ark(place.into()),
            _ => Archive::Scp(place.into()),
        }))
    }

    /// Gives every matrix with its name to `take`, in their order, until it fails.
    ///
    /// # Errors
    /// A file cannot be read or holds something else, or `take`'s.
    pub fn for_each<E: From<KaldiError>>(
        &self,
        mut take: impl FnMut(&str, Matrix) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Archive::Ark(path) if path == Path::new("-") => {
                Source::new(io::stdin().lock(), path).for_each(take)
            }
            Archive::Ark(path) => {
                let file = File::open(path).map_err(|error| KaldiError::io(path, error))?;
                Source::new(BufReader::with_capacity(1 << 16, file), path).for_each(take)
            }
            Archive::Scp(path) => {
                let list = super::read(path)?;
                for entry in entries(&String::from_utf8_lossy(&list), path) {
                    let entry = entry?;
                    let matrix = entry.read()?;
                    take(entry.name, matrix)?;
                }
                Ok(())
            }
        }
    }
}

/// The matrices of an archive in memory, with their names: for tests and fuzzing.
///
/// # Errors
/// As [`Archive::for_each`].
pub fn matrices(bytes: &[u8]) -> Result<Vec<(String, Matrix)>, KaldiError> {
    let mut all = Vec::new();
    Source::new(bytes, Path::new("ark")).for_each(|name, matrix| {
        all.push((name.to_owned(), matrix));
        Ok::<(), KaldiError>(())
    })?;
    Ok(all)
}

/// An archive being read.
struct Source<'p, R> {
    bytes: R,
    path: &'p Path,
    /// The name of the matrix under way.
    name: String,
}

impl<'p, R: BufRead> Source<'p, R> {
    fn new(bytes: R, path: &'p Path) -> Self {
        let name = String::new();
        Source { bytes, path, name }
    }

    fn error(&self, what: impl Into<String>) -> KaldiError {
        KaldiError::Format {
            path: self.path.to_owned(),
            token: match self.name.is_empty() {
                true => "the beginning".into(),
                false => self.name.clone(),
            },
            what: what.into(),
        }
    }

    /// Gives the matrices that are left to `take`.
    fn for_each<E: From<KaldiError>>(
        mut self,
        mut take: impl FnMut(&str, Matrix) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some((name, matrix)) = self.next()? {
            take(&name, matrix)?;
        }
        Ok(())
    }

    /// The next matrix and its name; none at the end.
    fn next(&mut self) -> Result<Option<(String, Matrix)>, KaldiError> {
        let Some(name) = self.next_name()? else {
            return Ok(None);
        };
        self.name.clone_from(&name);
        Ok(Some((name, self.matrix()?)))
    }

    /// A name and the blank behind it.
    fn next_name(&mut self) -> Result<Option<String>, KaldiError> {
        let mut name = Vec::new();
        loop {
            let here = self.bytes.fill_buf().map_err(|error| KaldiError::io(self.path, error))?;
            let Some(&byte) = here.first() else {
                return match name.is_empty() {
                    true => Ok(None),
                    false => Err(self.error("the file was cut short")),
                };
            };
            self.bytes.consume(1);
            match byte {
                // Lines end behind matrices in text.
                b'\n' | b'\r' | b' ' | b'\t' if name.is_empty() => {}
                b' ' | b'\t' => break,
                _ if name.len() as u64 >= LONGEST_LINE => {
                    return Err(self.error("it is no archive: its first word does not end"));
                }
                byte => name.push(byte),
            }
        }
        let name = String::from_utf8(name)
            .map_err(|_| self.error("it is no archive: a name is not UTF-8"))?;
        Ok(Some(name))
    }

    /// The matrix that comes next, in either mode.
    fn matrix(&mut self) -> Result<Matrix, KaldiError> {
        let here = self.bytes.fill_buf().map_err(|error| KaldiError::io(self.path, error))?;
        if here.first() == Some(&0) {
            return self.binary();
        }
        let mut bytes = Vec::new();
        let read = (&mut self.bytes).take(LONGEST_TEXT).read_until(b']', &mut bytes);
        read.map_err(|error| KaldiError::io(self.path, error))?;
        let matrix = text(&bytes).map_err(|what| self.error(what))?;
        Ok(matrix.mapv(|value| value as f32))
    }

    /// Takes as many bytes as the head of a matrix in binary mode says, and reads them as it reads
    /// those of a file.
    fn binary(&mut self) -> Result<Matrix, KaldiError> {
        let mut bytes = Vec::new();
        self.append(&mut bytes, 2)?;
        while bytes.last() != Some(&b' ') {
            self.append(&mut bytes, 1)?;
            if bytes.len() > 8 {
                return Err(self.error("no matrix follows"));
            }
        }
        let token = bytes[2..].to_vec();
        let start = bytes.len();
        let head = match token.as_slice() {
            b"FM " | b"DM " => FULL_HEAD,
            b"CM " | b"CM2 " | b"CM3 " => COMPRESSED_HEAD,
            _ => return Err(self.error("no matrix follows; vectors and lattices are not read")),
        };
        self.append(&mut bytes, head)?;
        let length = binary_length(&token, &bytes[start..]);
        let length =
            length.ok_or_else(|| self.error("a matrix of a negative or too large size"))?;
        self.append(&mut bytes, length)?;
        let matrix = Input::new(&bytes, self.path).and_then(|mut input| input.matrix());
        matrix.map_err(|error| match error {
            KaldiError::Format { what, .. } => self.error(what),
            other => other,
        })
    }

    /// Appends so many bytes, as far as there are so many: room is made as they come.
    fn append(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<(), KaldiError> {
        let read = (&mut self.bytes).take(count as u64).read_to_end(bytes);
        match read.map_err(|error| KaldiError::io(self.path, error))? {
            read if read == count => Ok(()),
            _ => Err(self.error("the file was cut short")),
        }
    }
}

/// A line of a list.
struct Entry<'t> {
    name: &'t str,
    file: PathBuf,
    offset: u64,
}

/// How many bytes follow the head of a matrix in binary mode; none if the counts in it are negative
/// or too large.
fn binary_length(token: &[u8], head: &[u8]) -> Option<usize> {
    let word = |at: usize| {
        let word = head[at..at + 4].try_into().expect("four bytes");
        u64::try_from(i32::from_le_bytes(word)).ok()
    };
    let (shape, heads, size) = match token {
        b"FM " => ([1, 6], 0, 4),
        b"DM " => ([1, 6], 0, 8),
        b"CM " => ([8, 12], 8, 1),
        b"CM2 " => ([8, 12], 0, 2),
        _ => ([8, 12], 0, 1),
    };
    let [rows, columns] = shape.map(word);
    let (rows, columns) = rows.zip(columns)?;
    let length = rows.checked_mul(columns)?.checked_mul(size)?.checked_add(columns * heads)?;
    usize::try_from(length).ok()
}

/// The entries of a list found at `path`. Places are relative to where the program runs, as Kaldi's
/// are, or to the list.
fn entries<'t>(
    list: &'t str,
    path: &'t Path,
) -> impl Iterator<Item = Result<Entry<'t>, KaldiError>> {
    let lines = list.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(move |line| {
        let (name, place) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let place = place.trim();
        let wrong = |what: &str| KaldiError::Format {
            path: path.to_owned(),
            token: name.to_owned(),
            what: what.to_owned(),
        };
        if place.is_empty() || place.ends_with('|') || place.ends_with(']') {
            return Err(wrong("the place is a command, a part of a matrix, or missing; a list names files, maybe with an offset"));
        }
        let parted = place.rsplit_once(':');
        let offset = parted.and_then(|(file, offset)| Some((file, offset.parse::<u64>().ok()?)));
        let (file, offset) = offset.unwrap_or((place, 0));
        let beside = path.parent().unwrap_or(Path::new("")).join(file);
        let file = match Path::new(file).is_file() {
            true => file.into(),
            false => beside,
        };
        Ok(Entry { name, file, offset })
    })
}

impl Entry<'_> {
    fn read(&self) -> Result<Matrix, KaldiError> {
        let io = |error| KaldiError::io(&self.file, error);
        let mut file = File::open(&self.file).map_err(io)?;
        file.seek(SeekFrom::Start(self.offset)).map_err(io)?;
        let mut source = Source::new(BufReader::with_capacity(1 << 16, file), &self.file);
        self.name.clone_into(&mut source.name);
        source.matrix()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix in single precision behind its name.
    fn full(name: &str, rows: i32, columns: i32, values: &[f32]) -> Vec<u8> {
        let mut bytes = format!("{name} \0BFM ").into_bytes();
        for count in [rows, columns] {
            bytes.push(4);
            bytes.extend(count.to_le_bytes());
        }
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    #[test]
    fn archives_of_either_mode_are_read() {
        let mut bytes = full("a", 2, 1, &[1.5, -2.0]);
        bytes.extend(b"b  [\n 1 2\n 3 4 ]\n");
        bytes.extend(b"c \0BCM3 ");
        bytes.extend([0f32, 255.0].iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend([1i32, 3].iter().flat_map(|count| count.to_le_bytes()));
        bytes.extend([0, 7, 255]);
        let read = matrices(&bytes).unwrap();
        let names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(read[0].1, ndarray::array![[1.5], [-2.0]]);
        assert_eq!(read[1].1, ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(read[2].1, ndarray::array![[0.0, 7.0, 255.0]]);
        for cut in 1..bytes.len() {
            // Every cut is an end, an error, or leaves the matrices before it.
            if let Ok(part) = matrices(&bytes[..cut]) {
                assert!(part.len() < 4 && read.starts_with(&part));
            }
        }
    }

    #[test]
    fn lists_name_places_in_archives() {
        let folder = tempfile::tempdir().unwrap();
        let (ark, scp) = (folder.path().join("s.ark"), folder.path().join("s.scp"));
        let first = full("a", 1, 1, &[1.0]);
        std::fs::write(&ark, [first.clone(), full("b", 1, 2, &[2.0, 3.0])].concat()).unwrap();
        std::fs::write(&scp, format!("b s.ark:{}\na s.ark:2\n", first.len() + 2)).unwrap();
        let mut read = Vec::new();
        let list = Archive::parse(&format!("scp:{}", scp.display())).unwrap().unwrap();
        list.for_each::<KaldiError>(|name, matrix| {
            read.push((name.to_owned(), matrix.ncols()));
            Ok(())
        })
        .unwrap();
        assert_eq!(read, [("b".to_owned(), 2), ("a".to_owned(), 1)]);
    }

    /// The archives that kaldiio wrote, and what it reads of them
    /// (scripts/kaldi/golden_archives.py).
    #[test]
    fn kaldiio_reads_the_same() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kaldi");
        let values = std::fs::read_to_string(folder.join("values.txt")).unwrap();
        let mut compared = 0;
        for line in values.lines() {
            let mut words = line.split(' ');
            let (file, name) = (words.next().unwrap(), words.next().unwrap());
            let numbers: Vec<f64> = words.map(|word| word.parse().unwrap()).collect();
            let (shape, numbers) = numbers.split_at(2);
            let read = matrices(&std::fs::read(folder.join(file)).unwrap()).unwrap();
            let (_, matrix) = read.iter().find(|(read, _)| read == name).unwrap();
            assert_eq!(
                (matrix.nrows() as f64, matrix.ncols() as f64),
                (shape[0], shape[1]),
                "{file}"
            );
            for (value, expected) in matrix.iter().zip(numbers) {
                assert!(
                    (f64::from(*value) - expected).abs() < 1e-5,
                    "{file} {name}: {value} {expected}"
                );
            }
            compared += 1;
        }
        assert_eq!(compared, 12);
    }

    #[test]
    fn what_is_no_archive_says_so() {
        for (bytes, told) in [
            (full("a", -1, 2, &[]), "size"),
            (full("a", i32::MAX, i32::MAX, &[]), "cut short"),
            (full("a", 1, 1, &[f32::NAN]), "finite"),
            (b"a \0BFV \x04\0\0\0\0".to_vec(), "vectors"),
            (b"a [ 1 2 \n 3 ]".to_vec(), "row 2"),
            (b"a".to_vec(), "cut short"),
        ] {
            let error = matrices(&bytes).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert_eq!(Archive::parse("scores.npy"), Ok(None));
        assert_eq!(Archive::parse("ark,t:x"), Ok(Some(Archive::Ark("x".into()))));
        assert!(Archive::parse("ark:copy-matrix a b |").is_err());
    }
}
