//! Embeds the files in this folder and the manifest that describes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A new file comes with a new line in the manifest; the folders of the training are none of this.
    println!("cargo::rerun-if-changed=manifest.toml");
    // A checkout without weights still builds; the program then asks for a model.
    let manifest = match env::var_os("CARGO_FEATURE_WEIGHTS") {
        Some(_) => fs::read_to_string(folder.join("manifest.toml")).unwrap_or_default(),
        None => String::new(),
    };
    let mut files = BTreeMap::new();
    if !manifest.is_empty() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path().canonicalize()?;
            let extension = path.extension().and_then(|e| e.to_str());
            if let (Some("tflite" | "txt"), Some(name)) =
                (extension, path.file_name().and_then(|n| n.to_str()))
            {
                println!("cargo::rerun-if-changed={name}");
                files.insert(name.to_owned(), path);
            }
        }
    }
    let table: String =
        files.iter().map(|(name, path)| format!("({name:?}, include_bytes!({path:?})),\n")).collect();
    let code =
        format!("static MANIFEST: &str = {manifest:?};\nstatic FILES: &[(&str, &[u8])] = &[\n{table}];\n");
    let out = env::var_os("OUT_DIR").ok_or(io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("models.rs"), code)
}
