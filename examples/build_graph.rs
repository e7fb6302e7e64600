//! Build a decoding graph for two commands from a lexicon, an ARPA n-gram and the model's phones.
//!
//! `paretone graph compile` does the same with files.

use std::error::Error;
use std::path::Path;

use paretone::acoustic::Hmm;
use paretone::graph::WordTable;
use paretone::graph::compile::{CompileOptions, compile};
use paretone::graph::lexicon::Lexicon;
use paretone::graph::ngram::{arpa::Arpa, pack::pack};

const WORDS: &str = "<eps>\n<s>\n</s>\n<unk>\nstart\nstop\n";
const LEXICON: &str = "start\tS T AA R T\nstop\tS T AA P\n";
const ARPA: &str =
    "\\data\\\nngram 1=4\n\n\\1-grams:\n-99 <s>\n-0.5 </s>\n-0.5 start\n-0.5 stop\n\n\\end\\\n";

fn main() -> Result<(), Box<dyn Error>> {
    // Which sound each phone makes in its context is the acoustic model's to say.
    let hmm = Hmm::open(Path::new("models/en"))?;
    let words = WordTable::from_reader(WORDS.as_bytes(), "words")?;
    let lexicon = Lexicon::from_reader(LEXICON.as_bytes(), "lexicon", &words, &hmm.phones)?;
    let arpa = Arpa::from_reader(ARPA.as_bytes(), "arpa", &words)?;
    let ngram = pack(arpa, &words, 0)?;
    let graph = compile(&hmm, &lexicon, &ngram, &CompileOptions::default())?;
    println!("{} states, {:?} arcs", graph.num_states(), graph.num_arcs());
    let path = std::env::temp_dir().join("commands.graph");
    graph.save(&path)?;
    println!("saved to {}", path.display());
    Ok(())
}
