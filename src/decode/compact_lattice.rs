//! Lattices as Kaldi's `CompactLattice`, in archives, for its tools: rescoring, minimum Bayes risk,
//! determinising.
//!
//! An arc is an arc of ours, with the graph's cost and the acoustic cost apart, the latter as it
//! was before it was scaled. The lattice is raw: several paths may say the same words, until
//! `lattice-determinize-pruned` merges them. A path of ours knows its frames but not which
//! transition each took, so that transition-id 1 stands for every frame: words, times and costs
//! hold, and phones cannot be aligned from it.
//!
//! Reference: `lat/kaldi-lattice.cc`, `fstext/lattice-weight.h`; OpenFst's `VectorFst::WriteFst`.

use std::io::{self, Write};

use super::Lattice;
use crate::graph::WORD_MASK;

/// The first number of OpenFst's files.
const MAGIC: i32 = 2_125_659_606;
/// The version of a `vector` file.
const VERSION: i32 = 2;
/// Expanded and mutable, which every `vector` is.
const PROPERTIES: u64 = 3;
/// The transition-id that stands for all.
const ANY_TRANSITION: i32 = 1;

/// How lattices are written as Kaldi's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompactLattice {
    /// As text, a line an arc, rather than binary.
    pub is_text: bool,
    /// What scores were multiplied by before the search.
    pub acoustic_scale: f32,
}

/// A weight: the graph's cost, the acoustic cost, and whether a frame is consumed.
#[derive(Clone, Copy)]
struct Weight {
    graph: f32,
    acoustic: f32,
    is_frame: bool,
}

impl Weight {
    /// Of a state where no path ends.
    const NONE: Weight = Weight { graph: f32::INFINITY, acoustic: f32::INFINITY, is_frame: false };
}

impl CompactLattice {
    /// Writes an entry of an archive.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write(&self, out: &mut impl Write, name: &str, lattice: &Lattice) -> io::Result<()> {
        write!(out, "{name} ")?;
        match self.is_text {
            true => self.write_text(out, lattice),
            false => self.write_binary(out, lattice),
        }
    }

    fn write_text(&self, out: &mut impl Write, lattice: &Lattice) -> io::Result<()> {
        writeln!(out)?;
        for node in 0..lattice.num_nodes() as u32 {
            for (next, word, weight) in self.arcs(lattice, node) {
                let Weight { graph, acoustic, is_frame } = weight;
                let frames = if is_frame { ANY_TRANSITION.to_string() } else { String::new() };
                writeln!(out, "{node}\t{next}\t{word}\t{graph},{acoustic},{frames}")?;
            }
            if let Some(last) = end(lattice, node) {
                writeln!(out, "{node}\t{last},0,")?;
            }
        }
        writeln!(out)
    }

    fn write_binary(&self, out: &mut impl Write, lattice: &Lattice) -> io::Result<()> {
        out.write_all(&MAGIC.to_le_bytes())?;
        for text in ["vector", "compactlattice44"] {
            out.write_all(&(text.len() as i32).to_le_bytes())?;
            out.write_all(text.as_bytes())?;
        }
        // The flags say that no symbols follow.
        for number in [VERSION, 0] {
            out.write_all(&number.to_le_bytes())?;
        }
        out.write_all(&PROPERTIES.to_le_bytes())?;
        let start = if lattice.num_nodes() > 0 { 0 } else { -1 };
        for number in [start, lattice.num_nodes() as i64, lattice.num_arcs() as i64] {
            out.write_all(&number.to_le_bytes())?;
        }
        for node in 0..lattice.num_nodes() as u32 {
            let last = end(lattice, node).map_or(Weight::NONE, |graph| Weight {
                graph,
                acoustic: 0.0,
                is_frame: false,
            });
            write_weight(out, last)?;
            out.write_all(&(lattice.arcs(node).len() as i64).to_le_bytes())?;
            for (next, word, weight) in self.arcs(lattice, node) {
                // An acceptor: both labels are the word.
                out.write_all(&word.to_le_bytes())?;
                out.write_all(&word.to_le_bytes())?;
                write_weight(out, weight)?;
                out.write_all(&next.to_le_bytes())?;
            }
        }
        Ok(())
    }

    /// The arcs that leave a node: where to, the word, and the weight.
    fn arcs<'l>(
        &self,
        lattice: &'l Lattice,
        node: u32,
    ) -> impl Iterator<Item = (u32, u32, Weight)> + 'l {
        let scale = self.acoustic_scale;
        lattice.arcs(node).iter().map(move |arc| {
            let weight = Weight {
                graph: arc.graph.0,
                acoustic: arc.acoustic.0 / scale,
                is_frame: lattice.frame(arc.next) > lattice.frame(node),
            };
            (arc.next, arc.label & WORD_MASK, weight)
        })
    }
}

/// What it costs to end at a node, where paths can.
fn end(lattice: &Lattice, node: u32) -> Option<f32> {
    let at = lattice.finals().binary_search_by_key(&node, |&(node, _)| node).ok()?;
    Some(lattice.finals()[at].1.0)
}

fn write_weight(out: &mut impl Write, weight: Weight) -> io::Result<()> {
    out.write_all(&weight.graph.to_le_bytes())?;
    out.write_all(&weight.acoustic.to_le_bytes())?;
    let frames: &[i32] = if weight.is_frame { &[ANY_TRANSITION] } else { &[] };
    out.write_all(&(frames.len() as i32).to_le_bytes())?;
    for frame in frames {
        out.write_all(&frame.to_le_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Decoder, Pruning, Scratch};
    use crate::graph::GraphBuilder;
    use crate::units::{Cost, PdfId};
    use ndarray::array;

    /// Two words over two frames of which the first decides.
    fn lattice(take: impl FnOnce(&Lattice)) {
        let mut builder = GraphBuilder::new();
        let [start, one, two] = [(); 3].map(|()| builder.add_state());
        builder.set_start(start);
        for (word, state) in [(1, one), (2, two)] {
            builder.set_final(state, Cost(0.5));
            builder.add_arc(start, Some(PdfId(word - 1)), word, Cost(0.25), state);
            builder.add_arc(state, Some(PdfId(word - 1)), 0, Cost::FREE, state);
        }
        let graph = builder.build().unwrap();
        let decoder = Decoder::new(&graph, Pruning::default()).unwrap();
        take(&decoder.lattice(&array![[-2.0, -4.0], [-2.0, -3.0]], &mut Scratch::new()).unwrap());
    }

    #[test]
    fn text_has_a_line_an_arc_and_costs_as_before_scaling() {
        lattice(|lattice| {
            let form = CompactLattice { is_text: true, acoustic_scale: 0.5 };
            let mut out = Vec::new();
            form.write(&mut out, "utt", lattice).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.starts_with("utt \n0\t") && text.ends_with("\n\n"), "{text}");
            let words: Vec<&str> = text.lines().filter(|line| line.contains("\t0.25,")).collect();
            assert!(
                words.contains(&"0\t1\t1\t0.25,4,1") || words.contains(&"0\t2\t1\t0.25,4,1"),
                "{text}"
            );
            assert_eq!(
                text.lines().filter(|line| line.ends_with("\t0.5,0,")).count(),
                lattice.finals().len()
            );
        });
    }

    #[test]
    fn binary_is_a_vector_of_compact_lattice_arcs() {
        lattice(|lattice| {
            let form = CompactLattice { is_text: false, acoustic_scale: 1.0 };
            let mut out = Vec::new();
            form.write(&mut out, "utt", lattice).unwrap();
            let bytes = out.strip_prefix(b"utt ").unwrap();
            // 214 is how Kaldi tells binary from text.
            assert_eq!(bytes[0], 214);
            let head = 4 + (4 + 6) + (4 + 16) + 4 + 4 + 8 + 24;
            let arcs: usize = (0..lattice.num_nodes() as u32)
                .flat_map(|node| form.arcs(lattice, node).collect::<Vec<_>>())
                .map(|(_, _, weight)| 4 + 4 + 12 + 4 * usize::from(weight.is_frame) + 4)
                .sum();
            assert_eq!(bytes.len(), head + lattice.num_nodes() * (12 + 8) + arcs);
        });
    }
}
