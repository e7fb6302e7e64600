//! A tiny nnet3 model: written as Kaldi writes it, and computed the slow way, node by node and
//! frame by frame, so that what is read can be held against it.

use std::collections::HashMap;

/// Bytes of Kaldi's binary form.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn token(&mut self, token: &str) -> &mut Self {
        self.0.extend(format!("{token} ").bytes());
        self
    }

    pub fn int(&mut self, value: i32) -> &mut Self {
        self.0.push(4);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn float(&mut self, value: f32) -> &mut Self {
        self.0.push(4);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.0.push(if value { b'T' } else { b'F' });
        self
    }

    pub fn ints(&mut self, values: &[i32]) -> &mut Self {
        self.0.push(4);
        self.0.extend((values.len() as i32).to_le_bytes());
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
        self
    }

    pub fn vector(&mut self, values: &[f32]) -> &mut Self {
        self.token("FV").int(values.len() as i32);
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
        self
    }

    pub fn matrix(&mut self, rows: &[Vec<f32>]) -> &mut Self {
        self.token("FM").int(rows.len() as i32).int(rows[0].len() as i32);
        rows.iter().flatten().for_each(|value| self.0.extend(value.to_le_bytes()));
        self
    }
}

/// What a component computes.
#[derive(Clone)]
pub enum Part {
    Affine(Vec<Vec<f32>>, Vec<f32>),
    /// Older programs' form, and without a bias.
    Linear(Vec<Vec<f32>>),
    FixedAffine(Vec<Vec<f32>>, Vec<f32>),
    Tdnn(Vec<i32>, Vec<Vec<f32>>, Vec<f32>),
    BatchNorm(Vec<f32>, Vec<f32>),
    Scale(Vec<f32>),
    Bias(Vec<f32>),
    ScaleAndOffset(Vec<f32>, Vec<f32>),
    Permute(Vec<i32>),
    Relu(usize),
    Dropout(usize),
    NoOp(usize),
    LogSoftmax(usize),
    /// A type that is not supported.
    Lstm(usize),
}

/// The network: config lines and components by name.
#[derive(Clone, Default)]
pub struct Network {
    pub lines: Vec<String>,
    pub parts: Vec<(String, Part)>,
}

impl Network {
    pub fn line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// A node that runs a component of its name.
    pub fn node(&mut self, name: &str, input: &str, part: Part) {
        self.line(&format!("component-node name={name} component={name} input={input}"));
        self.parts.push((name.to_owned(), part));
    }

    /// All of a `final.mdl` of `pdfs` pdfs, each of a phone of its own.
    pub fn model(&self, pdfs: i32) -> Vec<u8> {
        let mut out = Writer(b"\0B".to_vec());
        transitions(&mut out, pdfs);
        out.token("<Nnet3>");
        out.0.push(b'\n');
        out.0.extend(format!("{}\n\n", self.lines.join("\n")).bytes());
        out.token("<NumComponents>").int(self.parts.len() as i32);
        for (name, part) in &self.parts {
            out.token("<ComponentName>").token(name);
            write(&mut out, part);
        }
        out.token("</Nnet3>").token("<LeftContext>").int(0).token("<RightContext>").int(0);
        out.token("<Priors>").vector(&[]);
        out.0
    }
}

/// One state a phone, loop and way out with pdfs of their own where there are enough.
fn transitions(out: &mut Writer, pdfs: i32) {
    let phones: Vec<i32> = (1..=pdfs / 2).collect();
    let entry_of: Vec<i32> = (0..=pdfs / 2).map(|id| if id == 0 { -1 } else { 0 }).collect();
    out.token("<TransitionModel>").token("<Topology>").ints(&phones).ints(&entry_of);
    out.int(-1).int(1).int(2).int(0).int(1).int(2).int(0).float(0.5).int(1).float(0.5);
    out.int(-1).int(-1).int(0).token("</Topology>").token("<Tuples>").int(pdfs / 2);
    for phone in phones {
        out.int(phone).int(0).int(2 * phone - 2).int(2 * phone - 1);
    }
    out.token("</Tuples>").token("<LogProbs>").vector(&vec![-0.7; pdfs as usize + 1]);
    out.token("</LogProbs>").token("</TransitionModel>");
}

fn head(out: &mut Writer, kind: &str) {
    out.token(&format!("<{kind}>")).token("<MaxChange>").float(0.75);
    out.token("<L2Regularize>").float(0.01).token("<LearningRate>").float(0.001);
}

fn write(out: &mut Writer, part: &Part) {
    let kind = match part {
        Part::Affine(weights, bias) => {
            head(out, "NaturalGradientAffineComponent");
            out.token("<LinearParams>").matrix(weights).token("<BiasParams>").vector(bias);
            out.token("<RankIn>").int(20).token("<RankOut>").int(80).token("<UpdatePeriod>").int(4);
            out.token("<NumSamplesHistory>").float(2000.0).token("<Alpha>").float(4.0);
            "NaturalGradientAffineComponent"
        }
        Part::Linear(weights) => {
            head(out, "LinearComponent");
            out.token("<Params>").matrix(weights).token("<OrthonormalConstraint>").float(-1.0);
            out.token("<UseNaturalGradient>").boolean(true).token("<RankInOut>").int(20).int(80);
            out.token("<Alpha>").float(4.0).token("<UpdatePeriod>").int(4);
            "LinearComponent"
        }
        Part::FixedAffine(weights, bias) => {
            out.token("<FixedAffineComponent>").token("<LinearParams>").matrix(weights);
            out.token("<BiasParams>").vector(bias);
            "FixedAffineComponent"
        }
        Part::Tdnn(offsets, weights, bias) => {
            head(out, "TdnnComponent");
            out.token("<TimeOffsets>").ints(offsets).token("<LinearParams>").matrix(weights);
            out.token("<BiasParams>").vector(bias).token("<OrthonormalConstraint>").float(0.0);
            out.token("<UseNaturalGradient>")
                .boolean(true)
                .token("<NumSamplesHistory>")
                .float(2000.0);
            out.token("<AlphaInOut>").float(4.0).float(4.0).token("<RankInOut>").int(20).int(80);
            "TdnnComponent"
        }
        Part::BatchNorm(mean, variance) => {
            out.token("<BatchNormComponent>").token("<Dim>").int(mean.len() as i32);
            out.token("<BlockDim>").int(mean.len() as i32).token("<Epsilon>").float(0.001);
            out.token("<TargetRms>").float(1.0).token("<TestMode>").boolean(false);
            out.token("<Count>").float(1e5).token("<StatsMean>").vector(mean);
            out.token("<StatsVar>").vector(variance);
            "BatchNormComponent"
        }
        Part::Scale(scale) => {
            out.token("<FixedScaleComponent>").token("<Scales>").vector(scale);
            "FixedScaleComponent"
        }
        Part::Bias(bias) => {
            out.token("<FixedBiasComponent>").token("<Bias>").vector(bias);
            "FixedBiasComponent"
        }
        Part::ScaleAndOffset(scale, offset) => {
            head(out, "ScaleAndOffsetComponent");
            out.token("<Dim>").int(scale.len() as i32).token("<Scales>").vector(scale);
            // As many values as the width: a vector, where a convolution has pairs.
            out.token("<Offsets>").vector(offset).token("<UseNaturalGradient>").boolean(true);
            out.token("<Rank>").int(20);
            "ScaleAndOffsetComponent"
        }
        Part::Permute(order) => {
            out.token("<PermuteComponent>").token("<ColumnMap>").ints(order);
            "PermuteComponent"
        }
        Part::Relu(dim) => nonlinearity(out, "RectifiedLinearComponent", *dim),
        Part::LogSoftmax(dim) => nonlinearity(out, "LogSoftmaxComponent", *dim),
        Part::Lstm(dim) => nonlinearity(out, "LstmNonlinearityComponent", *dim),
        Part::Dropout(dim) => {
            out.token("<GeneralDropoutComponent>").token("<Dim>").int(*dim as i32);
            out.token("<BlockDim>").int(*dim as i32).token("<TimePeriod>").int(0);
            out.token("<DropoutProportion>").float(0.1).token("<TestMode>").token("<Continuous>");
            "GeneralDropoutComponent"
        }
        Part::NoOp(dim) => {
            out.token("<NoOpComponent>").token("<Dim>").int(*dim as i32);
            out.token("<BackpropScale>").float(1.0);
            "NoOpComponent"
        }
    };
    out.token(&format!("</{kind}>"));
}

fn nonlinearity(out: &mut Writer, kind: &'static str, dim: usize) -> &'static str {
    out.token(&format!("<{kind}>")).token("<Dim>").int(dim as i32);
    out.token("<ValueAvg>").vector(&[]).token("<DerivAvg>").vector(&[]).token("<Count>").float(0.0);
    out.token("<NumDimsSelfRepaired>").float(0.0).token("<NumDimsProcessed>").float(0.0);
    kind
}

/// The slow way: what a node says of a frame, which may lie outside the recording.
pub struct Slow<'n> {
    network: &'n Network,
    frames: &'n [Vec<f32>],
    known: HashMap<(String, i32), Vec<f64>>,
}

impl<'n> Slow<'n> {
    pub fn new(network: &'n Network, frames: &'n [Vec<f32>]) -> Self {
        let known = HashMap::new();
        Slow { network, frames, known }
    }

    pub fn node(&mut self, name: &str, time: i32) -> Vec<f64> {
        if name == "input" {
            let at = time.clamp(0, self.frames.len() as i32 - 1);
            return self.frames[at as usize].iter().map(|value| f64::from(*value)).collect();
        }
        let key = (name.to_owned(), time);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let network = self.network;
        let mut lines = network.lines.iter();
        let line = lines.find(|line| line.contains(&format!("name={name} "))).expect("a node");
        let (_, input) = line.split_once("input=").expect("its input");
        let input = input.split(" objective").next().expect("a descriptor");
        let part = network.parts.iter().find(|(part, _)| part == name);
        let value = match part {
            Some((_, Part::Tdnn(offsets, weights, bias))) => {
                let read = offsets.iter().flat_map(|at| self.read(input, time + at)).collect();
                affine(weights, bias, read)
            }
            Some((_, part)) => run(part, self.read(input, time)),
            None => self.read(input, time),
        };
        self.known.insert(key, value.clone());
        value
    }

    fn read(&mut self, text: &str, time: i32) -> Vec<f64> {
        let text = text.trim();
        let Some((function, rest)) = text.split_once('(') else {
            return self.node(text, time);
        };
        let inside = rest.strip_suffix(')').expect("a closing bracket");
        let arguments = split(inside);
        let number = |at: usize| -> f64 { arguments[at].trim().parse().expect("a number") };
        match function {
            "Append" => arguments.iter().flat_map(|part| self.read(part, time)).collect(),
            "Sum" => {
                let mut parts = arguments.iter().map(|part| self.read(part, time));
                let mut sum = parts.next().expect("a part");
                parts
                    .for_each(|part| sum.iter_mut().zip(part).for_each(|(to, value)| *to += value));
                sum
            }
            "Offset" => self.read(&arguments[0], time + number(1) as i32),
            "Scale" => {
                let scale = number(0);
                self.read(&arguments[1], time).iter().map(|value| value * scale).collect()
            }
            other => panic!("{other}"),
        }
    }
}

/// Arguments parted by commas that no bracket holds.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        match c == ',' && depth == 0 {
            true => parts.push(String::new()),
            false => parts.last_mut().expect("a part").push(c),
        }
    }
    parts
}

fn affine(weights: &[Vec<f32>], bias: &[f32], x: Vec<f64>) -> Vec<f64> {
    let product =
        |row: &Vec<f32>| -> f64 { row.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum() };
    let bias = bias.iter().map(|bias| f64::from(*bias)).chain(std::iter::repeat(0.0));
    weights.iter().zip(bias).map(|(row, bias)| product(row) + bias).collect()
}

fn run(part: &Part, x: Vec<f64>) -> Vec<f64> {
    let each = |values: &[f32], act: fn(f64, f64) -> f64| -> Vec<f64> {
        x.iter().zip(values).map(|(x, value)| act(*x, f64::from(*value))).collect()
    };
    match part {
        Part::Affine(weights, bias) | Part::FixedAffine(weights, bias) => affine(weights, bias, x),
        Part::Linear(weights) => affine(weights, &[], x),
        Part::BatchNorm(mean, variance) => {
            let centred: Vec<f64> = each(mean, |x, mean| x - mean);
            let scale = variance.iter().map(|variance| (f64::from(*variance) + 0.001).sqrt());
            centred.iter().zip(scale).map(|(x, scale)| x / scale).collect()
        }
        Part::Scale(scale) => each(scale, |x, scale| x * scale),
        Part::Bias(bias) => each(bias, |x, bias| x + bias),
        Part::ScaleAndOffset(scale, offset) => {
            let scaled = each(scale, |x, scale| x * scale);
            scaled.iter().zip(offset).map(|(x, offset)| x + f64::from(*offset)).collect()
        }
        Part::Permute(order) => order.iter().map(|at| x[*at as usize]).collect(),
        Part::Relu(_) => x.iter().map(|x| x.max(0.0)).collect(),
        Part::Dropout(_) | Part::NoOp(_) => x,
        // Up to what is the same for all values.
        Part::LogSoftmax(_) => x,
        Part::Tdnn(..) | Part::Lstm(_) => panic!("not computed here"),
    }
}
