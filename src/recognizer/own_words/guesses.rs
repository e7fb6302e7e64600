//! How the words of a list are said that the lexicon lacks: guessed on all processors, and of a
//! long list kept for the next time.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::io::{self, Write};
use std::path::Path;
use std::{fs, thread};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{Said, Source};
use crate::graph::{WordList, WordTable};
use crate::recognizer::cache::{Cache, Mappable};
use crate::units::{Cost, PhoneId};

/// What the file holds and how guesses are made; raised with every change of either.
const FORMAT: u32 = 1;
/// Words of a list whose guesses are kept. Those at fewer take some tenths of a second at most.
const KEPT: usize = 200;
/// Words that are worth a thread.
const A_THREAD: usize = 8;

/// Guesses by word.
pub(super) type Guesses = HashMap<String, Vec<Said>>;

/// Guesses as a file has them, word after word: phones, and the bits of the cost.
#[derive(Serialize, Deserialize)]
struct Kept(Vec<Vec<(Vec<u32>, u32)>>);

/// So many guesses at each word of a list that the lexicon lacks.
pub(super) fn guesses(
    source: &Source,
    (words, cache): (&WordTable, Option<&Cache>),
    list: &WordList,
    spellings: usize,
) -> Guesses {
    let unknown = unknown(source, words, list);
    let make = || of_all(&unknown, |word| source.likeliest(words, word, spellings));
    let all = match cache.filter(|_| unknown.len() >= KEPT) {
        None => make(),
        Some(cache) => {
            let key = source.key.clone().with(format!("guesses-{FORMAT}-{spellings}").as_bytes());
            let key = key.with(unknown.join("\n").as_bytes());
            let make = || Ok::<_, Infallible>(Kept::of(make()));
            let Ok(kept) = cache.open_or_make(&key, "guesses", make, |kept, out| kept.write(out));
            kept.guesses()
        }
    };
    unknown.into_iter().map(str::to_owned).zip(all).collect()
}

/// The words of a list, each once, that are not said as the list or the lexicon tells.
fn unknown<'l>(source: &Source, words: &WordTable, list: &'l WordList) -> Vec<&'l str> {
    let spelt = list.entries().iter().filter(|entry| entry.phones.is_empty());
    let parts = spelt.flat_map(|entry| entry.text.split(' '));
    let mut found = HashSet::new();
    parts.filter(|part| source.listed(words, part).is_empty() && found.insert(*part)).collect()
}

/// What `guess` makes of each word, in their order. The library has no thread pool where it has no
/// tiers, so that these are threads of their own.
fn of_all(words: &[&str], guess: impl Fn(&str) -> Vec<Said> + Sync) -> Vec<Vec<Said>> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let each = words.len().div_ceil(processors).max(A_THREAD);
    let of_some =
        |some: &[&str]| -> Vec<Vec<Said>> { some.iter().map(|word| guess(word)).collect() };
    let mut shares = words.chunks(each);
    let first = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = shares.map(|share| scope.spawn(|| of_some(share))).collect();
        let mut all = of_some(first);
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    })
}

impl Kept {
    fn of(all: Vec<Vec<Said>>) -> Kept {
        let bare = |(phones, cost): Said| {
            (phones.into_iter().map(|phone| phone.0).collect(), cost.0.to_bits())
        };
        Kept(all.into_iter().map(|said| said.into_iter().map(bare).collect()).collect())
    }

    fn guesses(self) -> Vec<Vec<Said>> {
        let said = |(phones, cost): (Vec<u32>, u32)| {
            (phones.into_iter().map(PhoneId).collect(), Cost(f32::from_bits(cost)))
        };
        self.0.into_iter().map(|all| all.into_iter().map(said).collect()).collect()
    }

    /// Writes a checksum and then JSON.
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let json = serde_json::to_vec(self)?;
        out.write_all(&xxh3_64(&json).to_le_bytes())?;
        out.write_all(&json)
    }
}

impl Mappable for Kept {
    type Error = io::Error;

    fn map(path: &Path) -> io::Result<Kept> {
        let bytes = fs::read(path)?;
        let (sum, json) = bytes.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        if u64::from_le_bytes(*sum) != xxh3_64(json) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not fit"));
        }
        Ok(serde_json::from_slice(json)?)
    }

    fn map_checked(path: &Path) -> io::Result<Kept> {
        Kept::map(path)
    }

    fn load(path: &Path) -> io::Result<Kept> {
        Kept::map(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(phone: u32, cost: f32) -> Vec<Said> {
        vec![(vec![PhoneId(phone), PhoneId(1)], Cost(cost)), (vec![PhoneId(2)], Cost(cost + 0.1))]
    }

    #[test]
    fn guesses_stand_in_the_order_of_the_words_however_many_processors() {
        for count in [0, 1, A_THREAD, A_THREAD + 1, 1000] {
            let words: Vec<String> = (0..count).map(|number| number.to_string()).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let all = of_all(&words, |word| said(word.parse().unwrap(), 0.5));
            let first: Vec<u32> = all.iter().map(|said| said[0].0[0].0).collect();
            assert!(first.into_iter().eq(0..count as u32));
        }
    }

    #[test]
    fn a_file_of_guesses_is_what_was_written_and_is_made_again_when_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        let key = crate::recognizer::cache::CacheKey::new("test");
        let all = vec![said(7, 0.1), Vec::new(), said(9, f32::MIN_POSITIVE)];
        let made = std::cell::Cell::new(0);
        let get = || {
            let make = || {
                made.set(made.get() + 1);
                Ok::<_, Infallible>(Kept::of(all.clone()))
            };
            let Ok(kept) = cache.open_or_make(&key, "guesses", make, |kept, out| kept.write(out));
            assert_eq!(kept.guesses(), all);
            made.get()
        };
        assert_eq!((get(), get()), (1, 1));
        let path = cache.entries().unwrap()[0].path.clone();
        let whole = fs::read(&path).unwrap();
        let mut other = whole.clone();
        other[12] ^= 1;
        for (times, damaged) in (2..).zip([&whole[..3], &whole[..40], &other, b"foreign text", b""])
        {
            fs::write(&path, damaged).unwrap();
            assert_eq!((get(), get()), (times, times));
        }
        // Sound, and something else.
        fs::write(&path, [&xxh3_64(b"{}").to_le_bytes()[..], b"{}"].concat()).unwrap();
        assert_eq!((get(), fs::read(&path).unwrap()), (7, whole));
    }
}
