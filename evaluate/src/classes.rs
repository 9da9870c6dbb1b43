//! Which of the model's classes is which of the truth's.

use std::collections::HashMap;

/// Names that data sets give the same thing: Pascal VOC's, then COCO's.
const SYNONYMS: [(&str, &str); 6] = [
    ("aeroplane", "airplane"),
    ("motorbike", "motorcycle"),
    ("tvmonitor", "tv"),
    ("diningtable", "dining table"),
    ("pottedplant", "potted plant"),
    ("sofa", "couch"),
];

/// From the names that a model or a file of detections uses to the truth's classes.
#[derive(Debug)]
pub struct ClassMap {
    by_name: HashMap<String, usize>,
}

impl ClassMap {
    /// From the names of the truth's classes.
    pub fn new(truth: &[String]) -> Self {
        Self { by_name: truth.iter().enumerate().map(|(i, name)| (normal(name), i)).collect() }
    }

    /// The truth's class of this name; `None` where the truth says nothing about it.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(&normal(name)).copied()
    }
}

/// Classes of the truth that none of `names` stands for.
pub fn missing<'a>(truth: &'a [String], names: &[String]) -> Vec<&'a str> {
    let known = ClassMap::new(names);
    truth.iter().filter(|class| known.find(class).is_none()).map(String::as_str).collect()
}

fn normal(name: &str) -> String {
    let plain = name.trim().to_lowercase().replace(['_', '-'], " ");
    let synonym = SYNONYMS.iter().find(|(voc, _)| *voc == plain);
    synonym.map_or(plain, |(_, coco)| (*coco).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_data_sets_are_understood() {
        let map = ClassMap::new(&["person".into(), "tv".into(), "Dining Table".into()]);
        assert_eq!(
            ["Person", "tvmonitor", "diningtable", "dining_table", "cat"].map(|n| map.find(n)),
            [Some(0), Some(1), Some(2), Some(2), None]
        );
        assert_eq!(missing(&["sofa".into(), "dog".into()], &["couch".into()]), ["dog"]);
    }
}
