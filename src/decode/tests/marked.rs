//! A search that says where its best path was last.

use super::*;

proptest! {
    /// They are what the path's words say, where every pdf has a word of its own; a frame in which
    /// the path leaves the one traced before may keep its mark.
    #[test]
    fn the_marks_are_those_of_the_best_path(
        mut case in cases(),
        marked in prop::collection::vec(any::<bool>(), PDFS),
        cuts in prop::collection::vec(0usize..12, 0..4),
        beam in prop_oneof![Just(f32::INFINITY), 1.0f32..6.0],
        top_n in prop_oneof![Just(usize::MAX), 1usize..4],
    ) {
        case.arcs.iter_mut().for_each(|arc| arc.2 = arc.1.map_or(0, |pdf| pdf + 1));
        let frames = case.scores.nrows();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (frames + 1)).collect();
        cuts.sort_unstable();
        cuts.push(frames);
        let pruning = Pruning { network_beam: Cost(beam), network_top_n: top_n, ..Pruning::OFF };
        let graph = case.graph();
        let decoder = Decoder::new(&graph, pruning).unwrap();
        let (mut search, mut twin) = (MarkedSearch::default(), decoder.stream().unwrap());
        search.begin(&decoder, &marked).unwrap();
        let mut from = 0;
        for (traced, to) in cuts.into_iter().enumerate() {
            let piece = case.scores.slice(ndarray::s![from..to, ..]).to_owned();
            let heard = search.push(&decoder, &piece);
            prop_assert_eq!(&heard, &twin.push(&piece));
            if heard.is_err() {
                break;
            }
            let words = twin.so_far().words;
            prop_assert_eq!(words.len(), to);
            let bits = words.iter().map(|word| marked[word.id.0 as usize - 1]);
            let bits = bits.fold(0u128, |bits, is_marked| bits << 1 | u128::from(is_marked));
            // Traced for the first time, all is as it is now.
            let mut fresh = MarkedSearch::default();
            fresh.begin(&decoder, &marked).unwrap();
            fresh.push(&decoder, &case.scores.slice(ndarray::s![..to, ..]).to_owned()).unwrap();
            prop_assert_eq!(fresh.trace_back(&decoder), bits);
            let kept = search.trace_back(&decoder) ^ bits;
            prop_assert!(kept.count_ones() as usize <= traced, "{kept:b} after {traced} times");
            from = to;
        }
    }
}
