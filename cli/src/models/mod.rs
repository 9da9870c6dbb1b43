//! `osprey models`: the models at hand, and a catalogue of one's own.

mod catalogue;

use crate::args::{ModelsArgs, ModelsChange};
use crate::fetch;
use anyhow::{Context, Result, bail, ensure};
pub(crate) use catalogue::Catalogue;
use osprey_detector::model::{LoadOptions, ModelInfo, Task};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(args: &ModelsArgs) -> Result<ExitCode> {
    let mut catalogue = Catalogue::open()?;
    match &args.change {
        None => list(&catalogue)?,
        Some(ModelsChange::Remove { name }) => {
            catalogue.remove(name)?;
            println!("{name} is removed");
        }
        Some(ModelsChange::Add { source, name, sha256, task, replace }) => {
            let (name, sha256) = (name.as_deref(), sha256.as_deref());
            let wanted = Wanted { source, name, sha256, task: task.map(Task::from), replace: *replace };
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
    task: Option<Task>,
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
    ensure!(
        osprey_models::manifest()?.get(&name).is_none(),
        "\"{name}\" is the name of a built-in model; choose another --name"
    );
    let bytes = if is_address {
        fetch::download(wanted.source, &fetch::MODEL)?
    } else {
        read(Path::new(wanted.source))?
    };
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
    let task = match wanted.task {
        Some(task) => task,
        None => task_of(&info).with_context(|| {
            format!(
                "what is {} for? --task detection, classification, digits or motion says so",
                wanted.source
            )
        })?,
    };
    let path = catalogue.add(&name, &sha256, task, &info, &bytes)?;
    println!("{name} is in {}", path.display());
    println!("sha256 {sha256}");
    if info.backend.is_none() {
        println!("no backend can run it: {}", info.reason);
    }
    Ok(())
}

/// What a model is for, by its inputs and outputs; `None` where they may stand for several things.
fn task_of(info: &ModelInfo) -> Option<Task> {
    let picture = |shape: &[usize]| matches!(shape, [1, h, w, 1 | 3] if *h > 1 && *w > 1);
    let input = info.inputs.first().filter(|i| picture(&i.shape))?;
    // Boxes have four coordinates, or come out of the operator that finds them.
    let boxes = info.outputs.iter().any(|o| matches!(o.shape.as_slice(), [1, n, 4] | [1, n, 1, 4] if *n > 1));
    let one_by_class = info.outputs.len() == 1
        && matches!(info.outputs[0].shape.as_slice(), [1, n] | [1, 1, 1, n] if *n > 1);
    match (boxes || info.post_process.is_some(), one_by_class) {
        (true, _) => Some(Task::Detection),
        // Pictures of one channel may be digits, or anything else.
        (_, true) if input.shape[3] == 3 => Some(Task::Classification),
        _ => None,
    }
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

fn list(catalogue: &Catalogue) -> Result<()> {
    let built_in = osprey_models::manifest()?.models;
    let mut rows: Vec<[String; 4]> = Vec::new();
    for model in &built_in {
        let bytes = osprey_models::named(&model.name)?.map_or(0, |m| m.bytes.len());
        let mark = if model.default { " (default)" } else { "" };
        rows.push([
            model.name.clone(),
            size(bytes as u64),
            "built in".into(),
            model.description.clone() + mark,
        ]);
    }
    for model in catalogue.models() {
        let file = std::fs::metadata(catalogue.folder().join(&model.file));
        let size = file.map_or_else(|_| "missing".to_owned(), |m| size(m.len()));
        rows.push([model.name.clone(), size, "added".into(), model.description.clone()]);
    }
    if rows.is_empty() {
        println!(
            "no models yet; `osprey models add FILE.tflite` adds one to {}",
            catalogue.folder().display()
        );
        return Ok(());
    }
    let widest = rows.iter().map(|r| r[0].len()).max().unwrap_or(0).max(4);
    println!("{:<widest$}  {:>9}  {:<8}  description", "name", "size", "from");
    for [name, size, from, description] in rows {
        println!("{name:<widest$}  {size:>9}  {from:<8}  {description}");
    }
    println!("\nadded models lie in {}", catalogue.folder().display());
    Ok(())
}

fn size(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    fetch::limited(file, &path.display().to_string(), fetch::MODEL.bytes)
}
