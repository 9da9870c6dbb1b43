//! `osprey models`: the models at hand, and a catalogue of one's own.

mod catalogue;
mod fetch;

use crate::args::{ModelsArgs, ModelsChange};
use anyhow::{Context, Result, bail, ensure};
pub(crate) use catalogue::Catalogue;
use osprey_detector::model::{LoadOptions, ModelInfo};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(args: &ModelsArgs) -> Result<ExitCode> {
    let mut catalogue = Catalogue::open()?;
    match &args.change {
        None => list(&catalogue),
        Some(ModelsChange::Remove { name }) => {
            catalogue.remove(name)?;
            println!("{name} is removed");
        }
        Some(ModelsChange::Add { source, name, sha256, replace }) => {
            let wanted =
                Wanted { source, name: name.as_deref(), sha256: sha256.as_deref(), replace: *replace };
            add(&mut catalogue, &wanted)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A model to be added.
struct Wanted<'a> {
    source: &'a str,
    name: Option<&'a str>,
    sha256: Option<&'a str>,
    replace: bool,
}

fn add(catalogue: &mut Catalogue, wanted: &Wanted<'_>) -> Result<()> {
    let is_address = wanted.source.contains("://");
    if is_address && wanted.sha256.is_none() {
        bail!("a download is checked: pass --sha256 with the value that the model's publisher states");
    }
    let name = match wanted.name {
        Some(name) => name.to_owned(),
        None => name_of(wanted.source)?,
    };
    ensure!(
        wanted.replace || catalogue.get(&name).is_none(),
        "the catalogue has a model \"{name}\"; choose another --name, or --replace it"
    );
    let bytes =
        if is_address { fetch::download(wanted.source)? } else { fetch::read(Path::new(wanted.source))? };
    let sha256 = catalogue::sha256(&bytes);
    if let Some(expected) = wanted.sha256 {
        ensure!(
            sha256 == expected,
            "{} is not the file that was meant: its SHA-256 is {sha256}, expected {expected}",
            wanted.source
        );
    }
    let info = ModelInfo::from_bytes(&bytes, &LoadOptions::default())
        .with_context(|| format!("{} is no model that can be used", wanted.source))?;
    let path = catalogue.add(&name, &sha256, &info, &bytes)?;
    println!("{name} is in {}", path.display());
    println!("sha256 {sha256}");
    if info.backend.is_none() {
        println!("no backend can run it: {}", info.reason);
    }
    Ok(())
}

/// The last part of an address or path, without the extension and what follows a question mark.
fn name_of(source: &str) -> Result<String> {
    let plain = source.split(['?', '#']).next().unwrap_or_default();
    let last = plain.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.strip_suffix(".tflite").unwrap_or(last).to_owned();
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    ensure!(
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(usable),
        "\"{last}\" gives no plain name; choose one with --name"
    );
    Ok(name)
}

fn list(catalogue: &Catalogue) {
    let models = catalogue.models();
    if models.is_empty() {
        println!("no models in {}", catalogue.folder().display());
        println!("osprey models add FILE.tflite adds one");
        return;
    }
    let widest = models.iter().map(|m| m.name.len()).max().unwrap_or(0).max(4);
    println!("{:<widest$}  {:>9}  description", "name", "size");
    for model in models {
        let size = std::fs::metadata(catalogue.folder().join(&model.file)).map(|m| m.len() as f64 / 1e6);
        let size = size.map_or_else(|_| "missing".to_owned(), |s| format!("{s:.2} MB"));
        println!("{:<widest$}  {size:>9}  {}", model.name, model.description);
    }
    println!("\nin {}", catalogue.folder().display());
}
