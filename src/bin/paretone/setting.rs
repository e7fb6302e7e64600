//! The flags that say how to search: a version, and each knob on its own.

use anyhow::anyhow;
use clap::{Arg, ArgMatches, Command, FromArgMatches};

use super::{UsageError, progress};
use paretone::acoustic::Precision;
use paretone::decode::{Knob, KnobUnit, Pruning};
use paretone::recognizer::{Options, Recognizer, Setting, SettingError};

/// How to search; shared by the commands that recognise.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct SettingArgs {
    /// Start from this version of the model, v1 (fastest) to v7 (most accurate) [default: the most
    /// accurate; the model's own setting where it has no versions]
    #[arg(
        long,
        value_name = "VERSION",
        conflicts_with = "setting",
        help_heading = "How to search"
    )]
    pub at: Option<String>,
    /// What `--at` was called before.
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["at", "setting"], hide = true, help_heading = "How to search")]
    pub version: Option<String>,
    /// Start from these knobs and no others, as in "network_beam=11 network_top_n=1500
    /// lattice_beam=4 rescore"
    #[arg(long, value_name = "KNOBS", value_parser = setting, help_heading = "How to search")]
    pub setting: Option<Setting>,
    /// Knobs that differ from that.
    #[command(flatten)]
    pub knobs: KnobArgs,
    /// Leave out the second look with the large language models: faster, less accurate
    #[arg(long, help_heading = "How to search")]
    pub no_rescore: bool,
    /// Let the neural language model take part in the second look, where the model has one: slower,
    /// more accurate
    #[arg(long, conflicts_with = "no_rescore", help_heading = "How to search")]
    pub neural: bool,
    /// Read graph and language models into memory instead of mapping their files: a wide search
    /// takes some per cent less where the system has huge pages, opening 0.1 to 0.2 s more
    #[arg(long, help_heading = "How to search")]
    pub no_mmap: bool,
}

/// The knobs that flags turn, and their values.
#[derive(Clone, Debug, Default)]
pub struct KnobArgs(Vec<(Knob, f64)>);

impl clap::Args for KnobArgs {
    fn augment_args(command: Command) -> Command {
        command.args(Knob::ALL.map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KnobArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let asked = |knob: Knob| Some((knob, *matches.get_one::<f64>(knob.name())?));
        Ok(KnobArgs(Knob::ALL.into_iter().filter_map(asked).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl KnobArgs {
    /// Pruning in which these knobs are turned.
    pub fn over(&self, mut pruning: Pruning) -> Pruning {
        for &(knob, value) in &self.0 {
            pruning.set(knob, value);
        }
        pruning
    }
}

impl SettingArgs {
    /// How these flags want the model opened.
    pub fn options(&self, precision: Precision) -> Options {
        let options = Options::default().precision(precision);
        options.large_model(!self.no_rescore).private_copies(self.no_mmap)
    }

    /// The flags as they would be written again.
    pub fn spelled(&self) -> Vec<String> {
        let at = self.at.as_ref().or(self.version.as_ref()).map(|at| format!("--at {at}"));
        let setting = self.setting.as_ref().map(|setting| format!("--setting \"{setting}\""));
        let mut all: Vec<String> = at.into_iter().chain(setting).collect();
        for (knob, value) in &self.knobs.0 {
            all.push(format!("--{} {value}", knob.entry().flags[0]));
        }
        let flags = [("no-rescore", self.no_rescore), ("neural", self.neural)];
        all.extend(flags.iter().filter(|(_, on)| *on).map(|(flag, _)| format!("--{flag}")));
        all
    }

    /// The setting these flags ask of a model.
    ///
    /// # Errors
    /// A [`UsageError`] if the model has no such version.
    pub fn of(&self, recognizer: &Recognizer) -> anyhow::Result<Setting> {
        if let Some(name) = &self.version {
            progress::tell(&format!("`--version {name}` is now spelt `--at {name}`"));
        }
        let named = self.at.as_ref().or(self.version.as_ref());
        let mut setting = match (named, self.setting) {
            (Some(name), _) => version(recognizer, name)?,
            (None, Some(setting)) => setting,
            (None, None) => recognizer.setting(),
        };
        setting.pruning = self.knobs.over(setting.pruning);
        setting.rescore = (setting.rescore || self.neural) && !self.no_rescore;
        setting.neural = (setting.neural || self.neural) && setting.rescore;
        Ok(setting)
    }
}

/// The setting that a flag spells.
fn setting(text: &str) -> Result<Setting, String> {
    text.parse().map_err(|error: SettingError| match text.contains(['=', ' ']) {
        true => error.to_string(),
        false => format!("{error}; a version is chosen by `--at {text}`"),
    })
}

/// The setting of a version by its name.
///
/// # Errors
/// A [`UsageError`] that lists the names there are.
pub fn version(recognizer: &Recognizer, name: &str) -> anyhow::Result<Setting> {
    let versions = recognizer.versions();
    if let Some(version) = versions.get(name) {
        return Ok(version.setting);
    }
    let names: Vec<&str> = versions.names().collect();
    let error = if names.is_empty() {
        anyhow!("the model has no versions yet: make them with `paretone versions pick`")
    } else {
        anyhow!("no version {name}: the model has {}", names.join(", "))
    };
    Err(UsageError(error).into())
}

/// Every flag that says how to search, by its id; a tolerance tier leaves none of them a say.
pub fn search_flags() -> Vec<&'static str> {
    let others = ["at", "version", "setting", "no_rescore", "neural", "n_best"];
    others.into_iter().chain(Knob::ALL.map(Knob::name)).collect()
}

/// The flag of a knob, whose id is the knob's name.
fn flag(knob: Knob) -> Arg {
    let entry = knob.entry();
    let unit = match entry.unit {
        KnobUnit::Cost => "COST",
        KnobUnit::Count | KnobUnit::Floor => "N",
    };
    let (long, aliases) = entry.flags.split_first().expect("every knob has a flag");
    Arg::new(entry.name)
        .long(*long)
        .help_heading("How to search")
        .visible_aliases(aliases.iter().copied())
        .value_name(unit)
        .help(format!("{}; larger: slower, more accurate", entry.help))
        .allow_negative_numbers(true)
        .value_parser(move |text: &str| value(knob, text))
}

fn value(knob: Knob, text: &str) -> Result<f64, String> {
    match knob.entry().unit {
        KnobUnit::Cost => {
            match text.parse::<f32>() {
                Ok(cost) if cost > 0.0 => Ok(cost.into()),
                _ => Err("a beam is a number above 0, about 8 (fast) to 16 (accurate); inf is off"
                    .into()),
            }
        }
        KnobUnit::Count => match text.parse::<u32>() {
            Ok(count) if count > 0 => Ok(count.into()),
            _ => Err("this is a whole number, 1 or more; leave the flag out for no limit".into()),
        },
        KnobUnit::Floor => match text.parse::<u32>() {
            Ok(count) => Ok(count.into()),
            _ => Err("this is a whole number; 0 keeps what the beam keeps".into()),
        },
    }
}
