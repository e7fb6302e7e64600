//! A search whose scores come in pieces.

use super::*;

/// What a stream says after all of a case's scores, cut at these frames.
fn stream_of(decoder: &Decoder<'_>, case: &Case, cuts: &[usize]) -> Result<SoFar, DecodeError> {
    let mut stream = decoder.stream()?;
    let mut from = 0;
    for &to in cuts.iter().chain([&case.scores.nrows()]) {
        let piece = case.scores.slice(ndarray::s![from..to, ..]).to_owned();
        let ahead = stream.so_far_with(&piece)?;
        stream.push(&piece)?;
        assert_eq!(stream.so_far(), ahead);
        from = to;
    }
    Ok(stream.so_far())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// However the scores are cut, and however often somebody asks, the search is the one of
    /// the whole; and no word that was agreed on is taken back.
    #[test]
    fn a_stream_hears_what_the_whole_says(
        case in cases(),
        cuts in prop::collection::vec(0usize..12, 0..4),
        beam in prop_oneof![Just(f32::INFINITY), 1.0f32..6.0],
        top_n in prop_oneof![Just(usize::MAX), 1usize..4],
    ) {
        let frames = case.scores.nrows();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (frames + 1)).collect();
        cuts.sort_unstable();
        let pruning = Pruning { network_beam: Cost(beam), global_top_n: top_n, ..Pruning::OFF };
        let graph = case.graph();
        let decoder = Decoder::new(&graph, pruning).unwrap();
        let whole = stream_of(&decoder, &case, &[]);
        prop_assert_eq!(&stream_of(&decoder, &case, &cuts), &whole);
        let decoded = decoder.decode(&case.scores, &mut Scratch::new());
        match (decoded, whole) {
            (Ok(decoded), Ok(whole)) => {
                prop_assert_eq!(whole.end_margin.0 < f32::INFINITY, decoded.reached_final);
                if !decoded.reached_final {
                    prop_assert_eq!(&decoded.words, &whole.words);
                }
                let ids = |words: &[Word]| -> Vec<_> { words.iter().map(|word| word.id).collect() };
                let kept = ids(&whole.words[..whole.agreed]);
                for &cut in &cuts {
                    let mut part = case.clone();
                    part.scores = case.scores.slice(ndarray::s![..cut, ..]).to_owned();
                    let part = stream_of(&decoder, &part, &[]).unwrap();
                    let agreed = ids(&part.words[..part.agreed]);
                    prop_assert_eq!(&ids(&whole.words)[..agreed.len()], &agreed[..]);
                    prop_assert!(agreed.len() <= kept.len());
                }
                prop_assert!(decoded.words.len() >= kept.len());
                prop_assert_eq!(&ids(&decoded.words)[..kept.len()], &kept[..]);
            }
            (decoded, whole) => prop_assert_eq!(decoded.err(), whole.err()),
        }
    }
}

#[test]
fn a_stream_knows_words_silence_and_ends() {
    let mut case = chain();
    case.arcs.push((2, Some(2), WORD_END, 0.5, 2));
    case.scores = ndarray::arr2(&[
        [0.0, -9.0, -9.0],
        [-9.0, 0.0, -9.0],
        [-9.0, -9.0, 0.0],
        [-9.0, -9.0, 0.0],
    ]);
    let graph = case.graph();
    let pruning = Pruning { network_beam: Cost(4.0), ..Pruning::OFF };
    let mut stream = Decoder::new(&graph, pruning).unwrap().stream().unwrap();
    let mut seen = Vec::new();
    for frame in 0..4 {
        let so_far = stream.so_far();
        seen.push((so_far.words.len(), so_far.agreed, so_far.silence, so_far.end_margin.0));
        let row = case.scores.slice(ndarray::s![frame..frame + 1, ..]).to_owned();
        stream.push(&row).unwrap();
    }
    let none = f32::INFINITY;
    assert_eq!(seen, [(0, 0, 0, none), (1, 1, 0, none), (2, 2, 0, 1.0), (2, 2, 1, 1.0)]);
    stream.restart().unwrap();
    assert_eq!(stream.so_far().frames, 0);
}
