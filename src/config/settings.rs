//! Where settings come from, and the reader that turns them into values.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

/// Raw settings by name (`section.key`).
#[derive(Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
}

/// Everything that is wrong with the settings, a line each.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<String>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

impl Settings {
    /// Sets one value.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// The raw text of one setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Reads the file, if any, and lays the environment over it.
    ///
    /// # Errors
    /// Files that cannot be read, text that is not TOML, tables nested too deep.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigFaults> {
        let mut settings = Self::default();
        let mut faults = Vec::new();
        if let Some(path) = file {
            match std::fs::read_to_string(path).map_err(|e| e.to_string()).and_then(|text| {
                // toml quotes the faulty line, which may hold a secret: keep its place only.
                text.parse::<toml::Table>().map_err(|e| format!("not TOML{}", line_of(&text, e.span())))
            }) {
                Ok(table) => settings.add_tables(&table, &mut faults),
                Err(fault) => faults.push(format!("{}: {fault}", path.display())),
            }
        }
        settings.add_environment(environment(), &mut faults);
        if faults.is_empty() { Ok(settings) } else { Err(ConfigFaults(faults)) }
    }

    fn add_tables(&mut self, table: &toml::Table, faults: &mut Vec<String>) {
        for (section, value) in table {
            let Some(entries) = value.as_table() else {
                faults.push(format!("`{section}` stands outside a [section]"));
                continue;
            };
            for (key, value) in entries {
                match plain_text(value) {
                    Some(text) => {
                        self.values.insert(format!("{section}.{key}"), text);
                    }
                    None => faults
                        .push(format!("`{section}.{key}` must be text, a number, true or false, or a list of these")),
                }
            }
        }
    }

    fn add_environment(&mut self, variables: impl Iterator<Item = (String, String)>, faults: &mut Vec<String>) {
        let mut from_files = Vec::new();
        for (name, value) in variables {
            let Some((section, key)) = name.strip_prefix("SEKISHO_").and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            match key
                .strip_suffix("_file")
                .filter(|key| FILE_SETTINGS.iter().all(|known| *known != format!("{section}.{key}_file")))
            {
                Some(key) => from_files.push((format!("{section}.{key}"), value)),
                None => {
                    self.values.insert(format!("{section}.{key}"), value);
                }
            }
        }
        for (name, path) in from_files {
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    self.values.insert(name, text.trim_end_matches(['\r', '\n']).to_owned());
                }
                Err(error) => faults.push(format!("`{name}` is to be read from {path}: {error}")),
            }
        }
    }
}

/// Settings whose own name ends in `_file`.
const FILE_SETTINGS: [&str; 1] = ["password.breached_file"];

#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn plain_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => Some(items.iter().map(plain_text).collect::<Option<Vec<_>>>()?.join(",")),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or_else(String::new, |before| format!(" at line {}", before.matches('\n').count() + 1))
}

/// Takes settings out by name and notes every fault.
pub(super) struct Reader {
    values: BTreeMap<String, String>,
    known: BTreeSet<String>,
    faults: Vec<String>,
}

impl Reader {
    pub(super) fn new(settings: Settings) -> Self {
        Self { values: settings.values, known: BTreeSet::new(), faults: Vec::new() }
    }

    /// The raw text; an empty value counts as not set.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.known.insert(name.to_owned());
        self.values.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// Whether something is set under this name.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_empty())
    }

    /// The keys and values of a section whose keys are names of the operator's choice; it is known as `section.name`.
    pub(super) fn section(&mut self, section: &str) -> Vec<(String, String)> {
        let prefix = format!("{section}.");
        let of_section = self.values.iter().filter(|(name, _)| name.starts_with(&prefix));
        let found: Vec<_> = of_section.map(|(name, value)| (name[prefix.len()..].to_owned(), value.clone())).collect();
        self.known.insert(format!("{prefix}name"));
        self.known.extend(found.iter().map(|(key, _)| format!("{prefix}{key}")));
        found.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    pub(super) fn required(&mut self, name: &str, what: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            let variable = format!("SEKISHO_{}", name.to_uppercase().replacen('.', "__", 1));
            self.fault(format!("`{name}` is missing: {what} (environment: {variable} or {variable}_FILE)"));
            String::new()
        })
    }

    pub(super) fn secret(&mut self, name: &str, what: &str) -> SecretString {
        self.required(name, what).into()
    }

    /// A value that `read` understands, or the default when it is not set.
    pub(super) fn value<T>(&mut self, name: &str, default: T, read: impl FnOnce(&str) -> Result<T, String>) -> T {
        match self.text(name).as_deref().map(read) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(fault)) => {
                self.fault(format!("`{name}`: {fault}"));
                default
            }
        }
    }

    pub(super) fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display,
    {
        self.value(name, default, |text| {
            text.parse()
                .ok()
                .filter(|number| range.contains(number))
                .ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    pub(super) fn secs(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(name, default, range))
    }

    pub(super) fn millis(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(name, default, range))
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> bool {
        self.value(name, default, |text| text.parse().map_err(|_| "must be true or false".to_owned()))
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// A list of which each item is read; faulty items are told one by one.
    pub(super) fn parsed_list<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let items = self.list(name);
        items
            .iter()
            .filter_map(|item| read(item).map_err(|fault| self.fault(format!("`{name}`: {fault}"))).ok())
            .collect()
    }

    pub(super) fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Every name that was asked for, in order.
    #[cfg(test)]
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// Ends the reading: whatever was never asked for is unknown.
    pub(super) fn finish(mut self) -> Result<(), ConfigFaults> {
        let unknown: Vec<_> = self.values.keys().filter(|name| !self.known.contains(*name)).cloned().collect();
        self.faults.extend(unknown.into_iter().map(|name| format!("`{name}` is not a setting")));
        if self.faults.is_empty() { Ok(()) } else { Err(ConfigFaults(self.faults)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file_and_a_file_can_hold_a_secret() {
        let mut settings = Settings::default().with("redis.url", "from-file").with("http.workers", "1");
        let secret = std::env::temp_dir().join(format!("sekisho-settings-{}", std::process::id()));
        std::fs::write(&secret, "hush\n").unwrap();
        let mut faults = Vec::new();
        let variables = [
            ("SEKISHO_HTTP__WORKERS", "2"),
            ("SEKISHO_REDIS__URL_FILE", secret.to_str().unwrap()),
            ("SEKISHO_DATABASE__URL_FILE", "/nowhere/at/all"),
            ("HOME", "/"),
        ];
        settings.add_environment(variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())), &mut faults);
        std::fs::remove_file(&secret).unwrap();
        assert_eq!(settings.values["http.workers"], "2");
        assert_eq!(settings.values["redis.url"], "hush");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("`database.url`"), "{faults:?}");
    }

    #[test]
    fn a_file_that_is_not_toml_is_told_without_its_text() {
        let path = std::env::temp_dir().join(format!("sekisho-toml-{}", std::process::id()));
        std::fs::write(&path, "[redis]\nurl = hunter2\n").unwrap();
        let fault = Settings::load(Some(&path)).err().unwrap().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(fault.contains("line 2") && !fault.contains("hunter2"), "{fault}");
    }
}
