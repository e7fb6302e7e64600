//! Search a graph of one's own with the scores of one's own model: no audio, no model folder.
//!
//! The graph says "yes" (word 1, sounds 0 then 1) or "no" (word 2, sounds 2 then 1); the scores
//! are natural logarithms, one row a frame, one column a sound.

use std::error::Error;

use ndarray::array;
use paretone::decode::{Decoder, Pruning, Scratch};
use paretone::graph::GraphBuilder;
use paretone::units::{Cost, PdfId};

fn main() -> Result<(), Box<dyn Error>> {
    let mut builder = GraphBuilder::new();
    let [start, yes, no, end] = [(); 4].map(|()| builder.add_state());
    builder.set_start(start);
    builder.set_final(end, Cost::FREE);
    builder.add_arc(start, Some(PdfId(0)), 1, Cost(0.7), yes);
    builder.add_arc(start, Some(PdfId(2)), 2, Cost(0.7), no);
    for (state, sound) in [(yes, 0), (no, 2), (end, 1)] {
        // A sound may last for many frames.
        builder.add_arc(state, Some(PdfId(sound)), 0, Cost(0.5), state);
    }
    for state in [yes, no] {
        builder.add_arc(state, Some(PdfId(1)), 0, Cost(0.5), end);
    }
    let graph = builder.build()?;
    let scores = array![[-3.0, -4.0, -0.2], [-2.0, -1.5, -0.4], [-4.0, -0.1, -3.0]];
    let decoder = Decoder::new(&graph, Pruning::default())?;
    let lattice = decoder.lattice(&scores, &mut Scratch::new())?;
    for answer in lattice.paths().n_best(2) {
        let words: Vec<u32> = answer.words.iter().map(|word| word.id.0).collect();
        println!("words {words:?} at cost {:.2}", answer.cost.0);
    }
    Ok(())
}
