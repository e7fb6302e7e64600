//! A network of nnet3: config lines, which say what nodes there are and what each reads, and the
//! components that the nodes run.

mod component;
mod descriptor;
mod fold;
mod form;
mod layer;
mod order;
mod stride;

use std::collections::HashMap;

pub(super) use component::{Component, Convolution};
pub(super) use descriptor::Descriptor;
pub(super) use fold::{Folded, fold};

use super::KaldiError;
use super::input::Input;

/// A node: what it runs, and on what.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// `None` for an output, which hands on what it reads.
    pub component: Option<String>,
    pub input: Descriptor,
}

/// The network, nodes and components by name.
#[derive(Debug, Default)]
pub(super) struct Nnet {
    /// Inputs and their dimensions.
    pub inputs: HashMap<String, usize>,
    pub nodes: HashMap<String, Node>,
    pub components: HashMap<String, Component>,
    /// What to subtract from the output: logarithms of these. Empty for chain models.
    pub priors: Vec<f32>,
}

impl Nnet {
    /// Reads what stands behind the transition model in `final.mdl`, to the end.
    pub fn read(input: &mut Input<'_>) -> Result<Nnet, KaldiError> {
        input.expect("<Nnet3>")?;
        let mut nnet = Nnet::default();
        for line in input.lines()? {
            let added = nnet.add(&line);
            added.map_err(|what| input.error(format!("config line \"{line}\": {what}")))?;
        }
        input.expect("<NumComponents>")?;
        for _ in 0..input.count(2)? {
            input.expect("<ComponentName>")?;
            let name = input.token()?;
            let component = Component::read(input, &name)?;
            nnet.components.insert(name, component);
        }
        input.expect("</Nnet3>")?;
        input.expect("<LeftContext>")?;
        input.int()?;
        input.expect("<RightContext>")?;
        input.int()?;
        input.expect("<Priors>")?;
        nnet.priors = input.vector()?;
        match input.is_at_end() {
            true => Ok(nnet),
            false => Err(input.error("bytes stand behind the model")),
        }
    }

    /// Takes a config line into account.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some((kind, rest)) = line.split_once(char::is_whitespace) else {
            return match line {
                "" => Ok(()),
                _ => Err("it says nothing".into()),
            };
        };
        let values = pairs(rest)?;
        let value = |key: &str| {
            let found = values.iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value.clone()).ok_or(format!("no {key}="))
        };
        let name = value("name")?;
        if self.nodes.contains_key(&name) || self.inputs.contains_key(&name) {
            return Err(format!("there is a node {name} already"));
        }
        match kind {
            "input-node" => {
                let dim = value("dim")?.parse().ok().filter(|dim| (1..1 << 16).contains(dim));
                self.inputs.insert(name, dim.ok_or("dim= is no size")?);
            }
            "component-node" | "output-node" => {
                let component = match kind {
                    "component-node" => Some(value("component")?),
                    _ => None,
                };
                let input = Descriptor::parse(&value("input")?)?;
                self.nodes.insert(name, Node { component, input });
            }
            "dim-range-node" => {
                // Parts of a node are read by recurrent layers; the fold refuses them by name.
                let input = Descriptor::Other("dim-range-node".into());
                self.nodes.insert(name, Node { component: None, input });
            }
            other => return Err(format!("\"{other}\" is no kind of node")),
        }
        Ok(())
    }
}

/// `key=value` pairs; a value goes on to the next key.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for word in text.split_whitespace() {
        let key = word.split_once('=').filter(|(key, _)| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !key.is_empty() && key.chars().all(plain)
        });
        match (key, pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.to_owned(), value.to_owned())),
            (None, Some((_, value))) => {
                value.push(' ');
                value.push_str(word);
            }
            (None, None) => return Err(format!("\"{word}\" stands before any key")),
        }
    }
    Ok(pairs)
}
