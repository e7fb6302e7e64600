//! Descriptors: what a node of an nnet3 network reads, such as
//! `Append(Offset(input, -1), input, ReplaceIndex(ivector, t, 0))`.
//!
//! Reference: `nnet3/nnet-descriptor.h`.

/// How deep descriptors may nest.
const DEEPEST: usize = 32;

/// What a node reads, by the names of other nodes.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Descriptor {
    Node(String),
    /// One behind the other.
    Append(Vec<Descriptor>),
    Sum(Vec<Descriptor>),
    Offset(Box<Descriptor>, i32),
    Scale(f32, Box<Descriptor>),
    /// The same at all times: of a node whose time is replaced.
    Constant(Box<Descriptor>),
    /// One that only recurrent networks need.
    Other(String),
}

impl Descriptor {
    /// Parses a descriptor.
    pub fn parse(text: &str) -> Result<Descriptor, String> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        let descriptor = parser.descriptor(0)?;
        match parser.next() {
            None => Ok(descriptor),
            Some(token) => Err(format!("\"{token}\" stands behind the descriptor")),
        }
    }

    /// Calls `each` with every node named.
    pub fn nodes<'d>(&'d self, each: &mut impl FnMut(&'d str)) {
        match self {
            Descriptor::Node(name) => each(name),
            Descriptor::Append(parts) | Descriptor::Sum(parts) => {
                parts.iter().for_each(|part| part.nodes(each));
            }
            Descriptor::Offset(part, _)
            | Descriptor::Scale(_, part)
            | Descriptor::Constant(part) => part.nodes(each),
            Descriptor::Other(_) => {}
        }
    }
}

/// Names, numbers, brackets and commas.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')', ',']) {
            tokens.extend([&rest[..at], &rest[at..at + 1]]);
            rest = &rest[at + 1..];
        }
        tokens.push(rest);
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

struct Parser<'t> {
    tokens: Vec<&'t str>,
    at: usize,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.next() {
            Some(found) if found == token => Ok(()),
            Some(found) => Err(format!("\"{token}\" was expected and \"{found}\" found")),
            None => Err(format!("\"{token}\" was expected and nothing found")),
        }
    }

    fn descriptor(&mut self, depth: usize) -> Result<Descriptor, String> {
        if depth > DEEPEST {
            return Err(format!("descriptors nest deeper than {DEEPEST}"));
        }
        let name = self.next().ok_or("the descriptor is empty or ends early")?;
        if self.tokens.get(self.at) != Some(&"(") {
            return match name {
                "(" | ")" | "," => Err(format!("\"{name}\" in place of a node")),
                name => Ok(Descriptor::Node(name.to_owned())),
            };
        }
        self.at += 1;
        let descriptor = match name {
            "Append" => Descriptor::Append(self.list(depth)?),
            "Sum" => Descriptor::Sum(self.list(depth)?),
            "Offset" => {
                let part = self.descriptor(depth + 1)?;
                self.expect(",")?;
                let offset = self.number()?;
                // A third argument shifts `x`, which recordings do not have.
                if self.tokens.get(self.at) == Some(&",") {
                    self.at += 1;
                    self.number::<i32>()?;
                }
                Descriptor::Offset(part.into(), offset)
            }
            "Scale" => {
                let scale = self.number()?;
                self.expect(",")?;
                Descriptor::Scale(scale, self.descriptor(depth + 1)?.into())
            }
            "ReplaceIndex" | "Round" => {
                let part = self.descriptor(depth + 1)?;
                while self.tokens.get(self.at) == Some(&",") {
                    self.at += 2;
                }
                Descriptor::Constant(part.into())
            }
            other => return Ok(Descriptor::Other(other.to_owned())),
        };
        self.expect(")")?;
        Ok(descriptor)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Descriptor>, String> {
        let mut parts = vec![self.descriptor(depth + 1)?];
        while self.tokens.get(self.at) == Some(&",") {
            self.at += 1;
            parts.push(self.descriptor(depth + 1)?);
        }
        Ok(parts)
    }

    fn number<N: std::str::FromStr>(&mut self) -> Result<N, String> {
        let token = self.next().ok_or("a number was expected and nothing found")?;
        token.parse().map_err(|_| format!("\"{token}\" is no such number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> Descriptor {
        Descriptor::Node(name.into())
    }

    #[test]
    fn descriptors_nest() {
        let text = "Append(Offset(input, -1), input, ReplaceIndex(ivector, t, 0))";
        let expected = Descriptor::Append(vec![
            Descriptor::Offset(node("input").into(), -1),
            node("input"),
            Descriptor::Constant(node("ivector").into()),
        ]);
        assert_eq!(Descriptor::parse(text).unwrap(), expected);
        let text = "Sum(Offset(Scale(-1.0,x.y),-1),Offset(x.y,1))";
        let part = Descriptor::Scale(-1.0, node("x.y").into());
        let expected = Descriptor::Sum(vec![
            Descriptor::Offset(part.into(), -1),
            Descriptor::Offset(node("x.y").into(), 1),
        ]);
        assert_eq!(Descriptor::parse(text).unwrap(), expected);
    }

    #[test]
    fn damaged_descriptors_are_errors() {
        for text in
            ["", "Append(", "Append(a", "Append(a,)", "Offset(a, b)", "a b", "Scale(a, 1)", ")"]
        {
            assert!(Descriptor::parse(text).is_err(), "{text}");
        }
        let deep = "Sum(".repeat(100_000);
        assert!(Descriptor::parse(&deep).unwrap_err().contains("deeper"));
    }
}
