//! Kaldi's configuration files: `--name=value` a line, `#` before comments.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::KaldiError;

/// The options of a file.
#[derive(Debug)]
pub(super) struct Conf {
    path: PathBuf,
    options: Vec<(String, String)>,
}

impl Conf {
    pub fn open(path: &Path) -> Result<Conf, KaldiError> {
        Conf::parse(&super::read(path)?, path)
    }

    /// An option may lack its value where it is a switch.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Conf, KaldiError> {
        let text = String::from_utf8_lossy(bytes);
        let mut conf = Conf { path: path.to_owned(), options: Vec::new() };
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let option = line.strip_prefix("--").ok_or_else(|| {
                conf.error(line, "a line of a configuration is --name=value".into())
            })?;
            let (name, value) = option.split_once('=').unwrap_or((option, "true"));
            // Kaldi reads `_` as `-`.
            let name = name.trim().replace('_', "-");
            conf.options.push((name, value.trim().to_owned()));
        }
        Ok(conf)
    }

    /// The value of an option; the last one counts.
    pub fn text(&self, name: &str) -> Option<&str> {
        let mut options = self.options.iter().rev();
        let found = options.find(|(option, _)| option == name);
        found.map(|(_, value)| value.as_str())
    }

    /// As a number or a truth value, or `default` if the file does not have it.
    pub fn get<T: FromStr>(&self, name: &str, default: T) -> Result<T, KaldiError> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => {
                let value = text.parse();
                value.map_err(|_| self.error(name, format!("\"{text}\" is not usable there")))
            }
        }
    }

    /// An error at an option.
    pub fn error(&self, name: &str, what: String) -> KaldiError {
        KaldiError::Format { path: self.path.clone(), token: name.to_owned(), what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_comments() {
        let text = b"# a comment\n--beam=13.0 # wide\n\n--max_active=7000\n--use-energy\n";
        let conf = Conf::parse(text, Path::new("model.conf")).unwrap();
        assert_eq!(conf.get("beam", 0.0).unwrap(), 13.0);
        assert_eq!(conf.get("max-active", 0).unwrap(), 7000);
        assert!(conf.get("use-energy", false).unwrap());
        assert_eq!(conf.get("min-active", 200).unwrap(), 200);
    }

    #[test]
    fn errors_name_file_and_option() {
        let conf = Conf::parse(b"--beam=wide\n", Path::new("model.conf")).unwrap();
        let error = conf.get("beam", 0.0).unwrap_err().to_string();
        assert!(error.contains("model.conf") && error.contains("beam"), "{error}");
        assert!(Conf::parse(b"beam=13\n", Path::new("model.conf")).is_err());
    }
}
