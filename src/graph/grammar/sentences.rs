//! The sentences of a grammar as a list of phrases, which a model hears among everything else.

use super::{Grammar, GrammarError};
use crate::graph::WordList;
use crate::graph::wordlist::{LONGEST, MOST};

impl Grammar {
    /// All sentences, as phrases that are likelier than usual: with them a model hears the grammar
    /// and everything else.
    ///
    /// ```
    /// use paretone::graph::Grammar;
    ///
    /// let grammar = Grammar::parse("#JSGF V1.0;\npublic <c> = light (on | off);", "lights")?;
    /// let phrases = grammar.phrases()?;
    /// assert_eq!(phrases.entries()[1].text, "light on");
    /// # Ok::<(), paretone::graph::GrammarError>(())
    /// ```
    ///
    /// # Errors
    /// [`GrammarError::TooManySentences`]: there are more than a list holds, or longer ones.
    pub fn phrases(&self) -> Result<WordList, GrammarError> {
        let mut phrases = Vec::new();
        // Every state leads to an end, so that what waits is no more than what is found.
        let mut waiting = vec![(0, String::new())];
        while let Some((state, said)) = waiting.pop() {
            if said.len() > LONGEST || phrases.len() > MOST {
                return Err(GrammarError::TooManySentences { limit: MOST, longest: LONGEST });
            }
            for (word, next) in self.after(state) {
                let word = &self.words()[word];
                let separator = if said.is_empty() { "" } else { " " };
                waiting.push((next, format!("{said}{separator}{word}")));
            }
            if self.ends(state) && !said.is_empty() {
                phrases.push(said);
            }
        }
        phrases.sort_unstable();
        Ok(WordList::of(phrases))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(text: &str) -> Result<Vec<String>, GrammarError> {
        let list = Grammar::parse(text, "g").unwrap().phrases()?;
        Ok(list.entries().iter().map(|entry| entry.text.clone()).collect())
    }

    #[test]
    fn each_sentence_is_a_phrase() {
        let jsgf = "#JSGF V1.0;\npublic <c> = [please] light (on | off) | stop;";
        let all = ["light off", "light on", "please light off", "please light on", "stop"].to_vec();
        assert_eq!(phrases(jsgf).unwrap(), all);
        assert_eq!(phrases("Yes, please.\nno\n").unwrap(), ["no", "yes please"]);
    }

    #[test]
    fn sentences_without_end_and_too_many_are_refused() {
        let digits = "(a | b | c | d | e | f | g | h | i | j) ".repeat(6);
        for rule in ["again*", "(on and)+ off", &digits] {
            let text = format!("#JSGF V1.0;\npublic <c> = x {rule};");
            let error = phrases(&text).unwrap_err().to_string();
            assert!(error.contains("20000"), "{rule}: {error}");
        }
    }
}
