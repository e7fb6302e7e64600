//! `lm build|unpack|perplexity` and `adapt`: from text to language models and to a model of a
//! domain.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(feature = "cli")]

mod tiny_model;

use std::fs;
use std::path::Path;

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use tiny_model::{paretone, place};

fn done(folder: &Path, line: &str) -> String {
    let args: Vec<&str> = line.split(' ').collect();
    let output = paretone(folder, &args).assert().code(0).get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_model_is_built_of_text_and_given_back_as_arpa() {
    let folder = place();
    let text = "yes no yes no\nno no yes\nyes\n".repeat(5);
    fs::write(folder.path().join("text.txt"), text).unwrap();
    done(
        folder.path(),
        "lm build text.txt --make-words words.txt --order 2 --out a.ngram --arpa a.arpa",
    );
    let words = fs::read_to_string(folder.path().join("words.txt")).unwrap();
    assert_eq!(words, "<eps>\n<s>\n</s>\n<unk>\nno\nyes\n");
    let measured = |ngram: &str| {
        let line = format!("lm perplexity --ngram {ngram} --words words.txt text.txt");
        done(folder.path(), &line)
    };
    let told = measured("a.ngram");
    let perplexity: f64 = told.lines().next().unwrap()["perplexity\t".len()..].parse().unwrap();
    assert!((1.5..4.0).contains(&perplexity), "{told}");
    // Given back and packed again it is the same model, and so is the ARPA file that was written.
    done(folder.path(), "lm unpack a.ngram --words words.txt --arpa b.arpa");
    for (arpa, ngram) in [("a.arpa", "c.ngram"), ("b.arpa", "b.ngram")] {
        done(folder.path(), &format!("lm pack --arpa {arpa} --words words.txt --out {ngram}"));
        assert_eq!(measured(ngram), told);
    }
    done(
        folder.path(),
        "lm build text.txt --words words.txt --prune 0.5 --order 3 --out small.ngram",
    );
    assert!(done(folder.path(), "lm info small.ngram").contains("3-grams\t0"));
}

#[test]
fn what_cannot_be_built_is_told() {
    let folder = place();
    fs::write(folder.path().join("text.txt"), "YES NO\n").unwrap();
    fs::write(folder.path().join("words.txt"), "<eps>\n<s>\n</s>\n<unk>\nyes\n").unwrap();
    let refused = |line: &str, said: &str| {
        let args: Vec<&str> = line.split(' ').collect();
        paretone(folder.path(), &args).assert().code(2).stderr(contains(said));
    };
    refused("lm build text.txt --words words.txt --out a.ngram", "tr A-Z a-z");
    refused("lm build none.txt --words words.txt --out a.ngram", "none.txt");
    refused("lm build text.txt --words words.txt --order 5 --out a.ngram", "--order");
    refused("lm build text.txt --words words.txt --prune 2 --out a.ngram", "from 0 to below 1");
    refused("lm build text.txt --words words.txt", "--out");
    refused("adapt --out x", "--text");
    refused("adapt --text none.txt --out x", "none.txt");
    refused("adapt --text text.txt --out tiny", "name a new folder");
    // Nobody can tell how these are said, so the text has no word of the vocabulary.
    refused("adapt --text text.txt --out x", "the word table");
}

#[test]
fn an_adapted_model_knows_the_domain() {
    let folder = place();
    let lines = "Bah! Ahbah ah.\nBahah, ahbah; ah bah?\nAhbah ahbah bah ah\n";
    let text: String = (0..12).map(|at| format!("{lines}ahbah {}\n", "bah ".repeat(at))).collect();
    fs::write(folder.path().join("text.txt"), text).unwrap();
    fs::write(folder.path().join("words.txt"), "Bab\t2\tB AA B\nxyz ahbah\n").unwrap();
    paretone(
        folder.path(),
        &["adapt", "--text", "text.txt", "--words", "words.txt", "--out", "mine"],
    )
    .assert()
    .code(0)
    .stderr(contains("3 new words"))
    .stderr(contains("left out").and(contains("xyz")));
    let mine = folder.path().join("mine");
    let read = |name: &str| fs::read_to_string(mine.join(name)).unwrap();
    assert_eq!(read("words.txt"), format!("{}ahbah\nbahah\nbab\n", tiny_model::WORDS));
    assert!(read("lexicon.txt").contains("bab\tB AA B\n"));
    for absent in ["confidence.json", "rules.toml"] {
        assert!(!mine.join(absent).exists());
    }
    let heard = |model: &str| {
        let output = paretone(folder.path(), &["transcribe", "--model", model, "a.wav"])
            .assert()
            .code(0)
            .get_output()
            .clone();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(heard("mine").contains("ahbah"), "{}", heard("mine"));
    assert!(!heard("tiny").contains("ahbah"));
    // It can be adapted again.
    done(folder.path(), "adapt --text text.txt --model mine --out again");
}

#[test]
fn where_a_network_knows_words_by_place_new_ones_take_those_of_rare_words() {
    let folder = place();
    tiny_model::add_neural(&folder.path().join("tiny"));
    fs::write(folder.path().join("text.txt"), "ahbah ah\n".repeat(3)).unwrap();
    done(folder.path(), "adapt --text text.txt --out mine");
    let mine = folder.path().join("mine");
    let words = fs::read_to_string(mine.join("words.txt")).unwrap();
    assert_eq!(words, "<eps>\n<s>\n</s>\n<unk>\nah\nahbah\n");
    let lexicon = fs::read_to_string(mine.join("lexicon.txt")).unwrap();
    assert!(lexicon.contains("\nahbah\t") && !lexicon.contains("\nbah\t"), "{lexicon}");
}
