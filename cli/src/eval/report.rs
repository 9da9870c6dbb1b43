//! A self-contained page: the figures, the curves, and the pictures with the most mistakes.

use super::plot;
use crate::args::{EvalArgs, MAX_MEGAPIXELS};
use crate::detect::decode::{self, Opened, PictureLimits};
use crate::detect::report::{Escaped, thumbnail};
use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use osprey_evaluate::{Judged, Mistakes, Scores, Truth};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

pub(crate) struct Page<'a> {
    pub(crate) truth: &'a Truth,
    pub(crate) judged: &'a [Judged],
    pub(crate) scores: &'a Scores,
    /// Most mistakes first.
    pub(crate) mistakes: &'a [Mistakes],
    pub(crate) args: &'a EvalArgs,
}

impl Page<'_> {
    pub(crate) fn html(&self, summary: &str) -> Result<String> {
        let mut out = String::new();
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>Osprey: evaluation</title>\n<style>{STYLE}</style>\n\
             <h1>Evaluation</h1>\n<section><pre>{}</pre>{}</section>\n",
            Escaped(summary),
            plot::precision_recall(self.truth, self.scores)
        )?;
        let (missed, wrong, right) = self
            .mistakes
            .iter()
            .fold((0, 0, 0), |(m, w, r), x| (m + x.missed.len(), w + x.wrong.len(), r + x.right.len()));
        write!(
            out,
            "<h2>Pictures with the most mistakes</h2>\n<p>At a score of {} and IoU 0.5: {right} found, \
             <b class=\"missed\">{missed} missed</b>, <b class=\"wrong\">{wrong} wrong</b>.</p>\n<main>\n",
            self.args.report_score
        )?;
        let worst = self.mistakes.iter().filter(|m| !m.missed.is_empty() || !m.wrong.is_empty());
        for m in worst.take(self.args.report_pictures) {
            self.figure(&mut out, m)?;
        }
        out.push_str("</main>\n</html>\n");
        Ok(out)
    }

    fn figure(&self, out: &mut String, m: &Mistakes) -> Result<()> {
        let judged = &self.judged[m.judged];
        let labelled = &self.truth.pictures[judged.picture];
        let limits = PictureLimits::megapixels(MAX_MEGAPIXELS);
        // Read a moment ago, but a picture may vanish meanwhile, or detections come from a file.
        let Ok(picture) = decode::open(&labelled.path, &limits).and_then(Opened::decode) else {
            return Ok(());
        };
        let jpeg = thumbnail(&picture.into_upright())?;
        let (width, height) = judged.size;
        let name = labelled.path.display().to_string();
        write!(
            out,
            "<figure><div class=\"picture\" style=\"aspect-ratio:{width}/{height}\"><img alt=\"{}\" loading=\"lazy\" \
             src=\"data:image/jpeg;base64,{}\">",
            Escaped(&name),
            BASE64_STANDARD.encode(jpeg)
        )?;
        for &position in &m.right {
            self.found_box(out, judged, position, "right")?;
        }
        for &position in &m.wrong {
            self.found_box(out, judged, position, "wrong")?;
        }
        for &position in &m.missed {
            let b = &labelled.boxes[position];
            self.outline(
                out,
                b.place.xywh(judged.size),
                judged.size,
                "missed",
                &self.truth.classes[b.class],
            )?;
        }
        writeln!(
            out,
            "</div><figcaption>{} · <b class=\"missed\">{} missed</b>, <b class=\"wrong\">{} wrong</b>, {} found</figcaption></figure>",
            Escaped(&name),
            m.missed.len(),
            m.wrong.len(),
            m.right.len()
        )?;
        Ok(())
    }

    fn found_box(&self, out: &mut String, judged: &Judged, position: usize, kind: &str) -> Result<()> {
        let f = &judged.found[position];
        let label = format!("{} {:.0} %", self.truth.classes[f.class], f.score * 100.0);
        self.outline(out, f.xywh, judged.size, kind, &label)
    }

    fn outline(
        &self,
        out: &mut String,
        [x, y, w, h]: [f64; 4],
        (width, height): (u32, u32),
        kind: &str,
        label: &str,
    ) -> Result<()> {
        let (across, down) = (f64::from(width) / 100.0, f64::from(height) / 100.0);
        write!(
            out,
            "<i class=\"{kind}\" style=\"left:{:.2}%;top:{:.2}%;width:{:.2}%;height:{:.2}%\"><b>{}</b></i>",
            x / across,
            y / down,
            w / across,
            h / down,
            Escaped(label)
        )?;
        Ok(())
    }
}
