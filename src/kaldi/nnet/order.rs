//! Which nodes a network's output needs, and in which order they can be followed.

use std::collections::HashMap;

use super::Nnet;

/// The node that a network's scores come from.
pub(super) const OUTPUT: &str = "output";

/// The nodes that the output needs, each after what it reads.
pub(super) fn order(nnet: &Nnet) -> Result<Vec<&str>, String> {
    let mut order = Vec::new();
    // Nodes entered, and whether they were left.
    let mut left: HashMap<&str, bool> = HashMap::new();
    let mut stack = vec![(OUTPUT, false)];
    while let Some((name, done)) = stack.pop() {
        if done {
            left.insert(name, true);
            order.push(name);
            continue;
        }
        match left.get(name) {
            Some(true) => continue,
            Some(false) => return Err(format!("node {name} reads itself, by way of others")),
            None => {}
        }
        let Some(node) = nnet.nodes.get(name) else {
            if nnet.inputs.contains_key(name) {
                continue;
            }
            return Err(format!("there is no node {name}"));
        };
        left.insert(name, false);
        stack.push((name, true));
        node.input.nodes(&mut |read| {
            // What is entered and not left is on the way from the output to here.
            if left.get(read) != Some(&true) {
                stack.push((read, false));
            }
        });
    }
    Ok(order)
}

/// How often each node is read.
pub(super) fn uses<'n>(nnet: &'n Nnet, order: &[&'n str]) -> HashMap<&'n str, usize> {
    let mut uses = HashMap::new();
    for name in order {
        nnet.nodes[*name].input.nodes(&mut |read| *uses.entry(read).or_insert(0) += 1);
    }
    uses
}
