//! Class names as Ultralytics' exporter packs them behind a model: a dictionary with `names`, as JSON or
//! as Python prints it.

/// The packed files that hold it, of newer and older exporters.
pub(super) const FILES: [&str; 2] = ["metadata.json", "temp_meta.txt"];
/// More classes than any detector tells apart.
const MAX_CLASSES: usize = 1 << 14;

/// Names by class, from `names: {0: 'person', 1: "car's"}` or `names: ["person", "car"]`; `None` where the
/// text has no such list.
pub(super) fn names(text: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(text).ok()?;
    let key = ["\"names\"", "'names'"].into_iter().find_map(|key| Some(text.find(key)? + key.len()))?;
    let rest = text[key..].trim_start().strip_prefix(':')?.trim_start();
    let listed = rest.starts_with('[');
    let mut rest = rest.strip_prefix(['[', '{'])?;
    let mut names: Vec<String> = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.starts_with([']', '}']) {
            return (!names.is_empty()).then_some(names);
        }
        let mut index = names.len();
        if !listed {
            let (number, after) = rest.split_once(':')?;
            index = number.trim().trim_matches(['"', '\'']).parse().ok()?;
            rest = after.trim_start();
        }
        let (name, after) = quoted(rest)?;
        if index >= MAX_CLASSES {
            return None;
        }
        if index >= names.len() {
            names.resize(index + 1, String::new());
        }
        names[index] = name;
        rest = after;
    }
}

/// A text in quotes of either kind, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut name = String::new();
    let mut chars = text[1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            c if c == quote => return Some((name, &text[1 + at + 1..])),
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_form() {
        let of = |text: &str| names(text.as_bytes());
        let two = Some(vec!["person".to_owned(), "car's".to_owned()]);
        assert_eq!(of("{'task': 'detect', 'names': {0: 'person', 1: \"car's\"}, 'imgsz': [640, 640]}"), two);
        assert_eq!(of(r#"{"stride": 32, "names": {"0": "person", "1": "car's"}}"#), two);
        assert_eq!(of(r#"{"names": ["person", "car's"], "args": {}}"#), two);
        assert_eq!(of(r"{'names': {1: 'car\'s', 0: 'person'}}"), two);
        for none in ["", "{}", "names", "{'names': {}}", "{'names': {0: 'person'", "{'names': {0: person}}"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(of("{'names': {99999999: 'x'}}"), None);
        assert_eq!(names(&[0xff, 0xfe]), None);
    }
}
