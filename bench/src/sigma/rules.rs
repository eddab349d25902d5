//! The public rules.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 5] =
    ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-compliance", "rules-placeholder"];

/// File names and texts.
pub(crate) struct RuleTexts(Vec<(String, String)>);

impl RuleTexts {
    pub(crate) fn read(corpora: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        for folder in FOLDERS {
            files(&corpora.join("sigma-rules").join(folder), "yml", &mut paths)?;
        }
        let read = |path: PathBuf| Ok((path.display().to_string(), std::fs::read_to_string(&path)?));
        let texts: Vec<(String, String)> = paths.into_iter().map(read).collect::<Result<_>>()?;
        if texts.is_empty() {
            bail!("there are no rules in {}", corpora.join("sigma-rules").display());
        }
        Ok(Self(texts))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }
}

/// Every file below a folder with this ending, sorted.
pub(crate) fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, ending, found)?;
        } else if path.extension().is_some_and(|end| end == ending) {
            found.push(path);
        }
    }
    Ok(())
}
