//! Leaves out what leads to no end.

use crate::graph::error::GraphError;
use crate::graph::openfst::{Automaton, FstArc};

/// The same automaton without the states that lead to no end; the others keep their order.
///
/// # Errors
/// None does.
pub(super) fn trim(automaton: Automaton) -> Result<Automaton, GraphError> {
    let leads = leads_to_end(&automaton);
    if leads.iter().all(|leads| *leads) {
        return Ok(automaton);
    }
    if !leads[automaton.start() as usize] {
        return Err(GraphError::NoPath);
    }
    let mut numbers = Vec::with_capacity(leads.len());
    let mut kept = 0;
    for leads in &leads {
        numbers.push(kept);
        kept += u32::from(*leads);
    }
    let (mut rows, mut arcs, mut finals) = (vec![0], Vec::new(), Vec::new());
    for state in (0..leads.len() as u32).filter(|state| leads[*state as usize]) {
        let row = automaton.row(state).iter().filter(|arc| leads[arc.next as usize]);
        arcs.extend(row.map(|arc| FstArc { next: numbers[arc.next as usize], ..*arc }));
        rows.push(arcs.len() as u32);
        finals.push(automaton.final_cost(state));
    }
    Automaton::new(numbers[automaton.start() as usize], rows, arcs, finals)
}

/// By state, whether it leads to an end.
fn leads_to_end(automaton: &Automaton) -> Vec<bool> {
    let states = automaton.num_states();
    // Where each state is come from: rows of sources, filled from their ends down.
    let mut begins = vec![0u32; states + 1];
    for arc in automaton.arcs() {
        begins[arc.next as usize] += 1;
    }
    let mut total = 0;
    for begin in &mut begins {
        total += *begin;
        *begin = total;
    }
    let mut sources = vec![0u32; automaton.arcs().len()];
    for state in 0..states as u32 {
        for arc in automaton.row(state) {
            let begin = &mut begins[arc.next as usize];
            *begin -= 1;
            sources[*begin as usize] = state;
        }
    }
    let mut leads: Vec<bool> =
        (0..states as u32).map(|state| automaton.final_cost(state) != f32::INFINITY).collect();
    let mut waiting: Vec<u32> = (0..states as u32).filter(|at| leads[*at as usize]).collect();
    while let Some(state) = waiting.pop() {
        let at = state as usize;
        for source in &sources[begins[at] as usize..begins[at + 1] as usize] {
            let leads = &mut leads[*source as usize];
            if !*leads {
                *leads = true;
                waiting.push(*source);
            }
        }
    }
    leads
}
