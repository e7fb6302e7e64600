//! In which order the states are numbered.

/// Numbers the states that can be reached breadth first: those that become active together lie
/// together, which the search's caches feel (some 10 % of search time against the order of
/// construction, more against a random one).
///
/// `successors` fills a vector with the states that a state leads to, likeliest first. Returns the
/// states in their new order.
pub(super) fn breadth_first(
    start: u32,
    states: usize,
    mut successors: impl FnMut(u32, &mut Vec<u32>),
) -> Vec<u32> {
    let mut seen = vec![false; states];
    seen[start as usize] = true;
    let mut order = Vec::with_capacity(states);
    order.push(start);
    let (mut done, mut next) = (0, Vec::new());
    while let Some(&state) = order.get(done) {
        next.clear();
        successors(state, &mut next);
        order.extend(next.drain(..).filter(|&s| !std::mem::replace(&mut seen[s as usize], true)));
        done += 1;
    }
    order
}
