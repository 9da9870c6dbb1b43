//! Embeds the models that ship: every entry of `models/manifest.toml`, with its labels file.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

type Any = Box<dyn std::error::Error>;

fn main() -> Result<(), Any> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../models");
    let manifest = folder.join("manifest.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    // A checkout without weights still builds; the program then asks for a model.
    let text = if manifest.exists() { fs::read_to_string(&manifest)? } else { String::new() };
    let mut files = BTreeMap::new();
    for model in
        text.parse::<toml::Table>()?.get("model").and_then(toml::Value::as_array).into_iter().flatten()
    {
        for key in ["file", "labels"] {
            if let Some(name) = model.get(key).and_then(toml::Value::as_str) {
                let path = folder.join(name).canonicalize().map_err(|e| format!("models/{name}: {e}"))?;
                println!("cargo::rerun-if-changed={}", path.display());
                files.insert(name.to_owned(), path);
            }
        }
    }
    let table: String =
        files.iter().map(|(name, path)| format!("({name:?}, include_bytes!({path:?})),\n")).collect();
    let code = format!(
        "pub(super) static MANIFEST: &str = {text:?};\npub(super) static FILES: &[(&str, &[u8])] = &[\n{table}];\n"
    );
    fs::write(Path::new(&env::var("OUT_DIR")?).join("models.rs"), code)?;
    Ok(())
}
