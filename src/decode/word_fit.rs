//! How well words fit: what their sound falls short of the best scores, what the graph and the
//! language models charge for them, and how many other sounds were about as good.

use super::hypothesis::Word;
use super::paths::PathGraph;

/// How well a word fits; all numbers are finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WordFit {
    /// Score frames of the word.
    pub frames: u32,
    /// What its scores fall short of the best scores of its frames, added up; ≥ 0. Larger: it
    /// sounds less like the word.
    pub acoustic_gap: f64,
    /// What its arcs cost beyond their scores, language models included.
    pub graph_cost: f64,
    /// Sum over its frames of the logarithm of how many scores, the best among them, are at most
    /// [`RIVAL`](super::RIVAL) less than the best; ≥ 0. Larger: the sound is less clear.
    pub rivals: f64,
}

impl PathGraph<'_> {
    /// How well words fit, by the steps of the best path in the frames that they last.
    pub fn word_fits(&self, words: &[Word]) -> Vec<WordFit> {
        let frames = self.frame_fits();
        let fit = |word: &Word| {
            let end = (word.end as usize).min(frames.len());
            let own = &frames[(word.start as usize).min(end)..end];
            own.iter().fold(WordFit::default(), |sum, frame| WordFit {
                frames: sum.frames + frame.frames,
                acoustic_gap: sum.acoustic_gap + frame.acoustic_gap,
                graph_cost: sum.graph_cost + frame.graph_cost,
                rivals: sum.rivals + frame.rivals,
            })
        };
        words.iter().map(fit).collect()
    }

    /// By frame: how well the best path fits it. Steps behind the last frame count as its.
    fn frame_fits(&self) -> Vec<WordFit> {
        let lattice = self.lattice();
        let frames = lattice.searched.iter().zip(&lattice.rivals);
        let frames = frames.map(|(frame, &rivals)| WordFit {
            frames: 1,
            acoustic_gap: f64::from(frame.best),
            graph_cost: 0.0,
            rivals: f64::from(rivals),
        });
        let mut frames: Vec<WordFit> = frames.collect();
        let last = frames.len().saturating_sub(1);
        for edge in self.best_edges() {
            let at = lattice.frame(self.place(edge.from)) as usize;
            let acoustic = f64::from(lattice.arc(edge.arc).acoustic.0);
            if let Some(frame) = frames.get_mut(at.min(last)) {
                frame.acoustic_gap += acoustic;
                frame.graph_cost += f64::from(edge.cost.0) - acoustic;
            }
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::chain;
    use super::super::{Decoder, Pruning, Scratch};
    use super::*;

    #[test]
    fn what_words_and_silences_cost_adds_up_to_the_path() {
        let case = chain();
        let graph = case.graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let lattice = decoder.lattice(&case.scores, &mut Scratch::new()).unwrap();
        let paths = lattice.paths();
        let best = paths.best();
        let whole = Word { start: 0, end: best.frames, ..best.words[0] };
        let [fit] = paths.word_fits(&[whole])[..] else { panic!("one word is one fit") };
        let parts = best.parts.unwrap();
        let gap = parts.acoustic.0 + best.effort.best_scores;
        assert_eq!(fit.frames, best.frames);
        assert!((fit.acoustic_gap - gap).abs() < 1e-4 && gap >= 0.0, "{fit:?} {gap}");
        assert!((fit.rivals - lattice.rivals()).abs() < 1e-9);
        let ending = lattice.finals().iter().map(|(_, last)| f64::from(last.0));
        let ending = ending.fold(f64::INFINITY, f64::min);
        assert!((fit.graph_cost + ending - parts.graph.0).abs() < 1e-4, "{fit:?} {parts:?}");
        let nothing = Word { start: best.frames, end: best.frames + 9, ..whole };
        assert_eq!(paths.word_fits(&[nothing]), [WordFit::default()]);
    }
}
