//! One self-contained HTML page to look through what was found.

use super::annotate;
use super::record::{Record, Skipped};
use super::summary::Summary;
use crate::files::Destination;
use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::Path;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Longest side of a picture on the page: some 40 KB each.
const LONGEST_SIDE: u32 = 640;
const JPEG_QUALITY: u8 = 80;
/// Skipped pictures that are listed; more are counted.
const LISTED_SKIPS: usize = 200;

/// The page, written picture by picture. Cards wait in a temporary file, as the page starts with
/// figures that are known at the end.
pub(crate) struct Report {
    out: Destination,
    cards: BufWriter<File>,
    shown: usize,
    skipped: Vec<Skipped>,
    settings: Vec<(String, String)>,
}

impl Report {
    /// `settings` are shown at the top.
    pub(crate) fn create(path: &Path, settings: Vec<(String, String)>) -> Result<Self> {
        let spool = tempfile::tempfile().context("cannot make a temporary file")?;
        Ok(Self {
            out: Destination::create(path)?,
            cards: BufWriter::new(spool),
            shown: 0,
            skipped: Vec::new(),
            settings,
        })
    }

    /// `thumbnail` is a JPEG file by [`thumbnail`].
    pub(crate) fn add(&mut self, record: &Record, thumbnail: &[u8]) -> Result<()> {
        self.shown += 1;
        let Record { image, width, height, .. } = record;
        let out = &mut self.cards;
        write!(
            out,
            "<figure data-name=\"{name}\"><div class=\"picture\" style=\"aspect-ratio:{width}/{height}\">\
             <img alt=\"{name}\" loading=\"lazy\" src=\"data:image/jpeg;base64,{data}\">",
            name = Escaped(image),
            data = BASE64_STANDARD.encode(thumbnail),
        )?;
        // The best comes first in a record, and is to lie on top.
        for f in record.found.iter().rev() {
            let (w, h) = (*width as f32 / 100.0, *height as f32 / 100.0);
            let rgb = annotate::color(f.class_id);
            write!(
                out,
                "<i data-class=\"{}\" data-score=\"{:.4}\" style=\"left:{:.2}%;top:{:.2}%;width:{:.2}%;height:{:.2}%;\
                 --c:{};--ink:{}\"><b>{} {:.0} %</b></i>",
                f.class_id,
                f.score,
                f.bbox.x_min / w,
                f.bbox.y_min / h,
                (f.bbox.x_max - f.bbox.x_min) / w,
                (f.bbox.y_max - f.bbox.y_min) / h,
                hex(rgb),
                hex(annotate::ink_on(rgb)),
                Escaped(&f.label),
                f.score * 100.0,
            )?;
        }
        writeln!(
            out,
            "</div><figcaption><span>{}</span><span>{width}×{height} · <span class=\"count\"></span></span>\
             </figcaption></figure>",
            Escaped(image)
        )?;
        Ok(())
    }

    pub(crate) fn skip(&mut self, skipped: &Skipped) {
        if self.skipped.len() < LISTED_SKIPS {
            self.skipped.push(skipped.clone());
        }
    }

    /// Completes the page.
    pub(crate) fn finish(mut self, summary: &Summary) -> Result<()> {
        self.head(summary)?;
        let mut spool = self.cards.into_inner().map_err(io::IntoInnerError::into_error)?;
        spool.rewind()?;
        io::copy(&mut BufReader::new(spool), &mut self.out)?;
        write!(self.out, "</main>\n<dialog></dialog>\n<script>{SCRIPT}</script>\n</html>\n")?;
        self.out.commit()
    }

    fn head(&mut self, summary: &Summary) -> Result<()> {
        let out = &mut self.out;
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>Osprey: {objects} objects in {pictures} pictures</title>\n<style>{STYLE}</style>\n\
             <header><h1>{objects} objects in {pictures} pictures</h1><p>",
            objects = summary.objects(),
            pictures = summary.pictures,
        )?;
        for (name, value) in &self.settings {
            write!(out, "<span><em>{}</em> {}</span> ", Escaped(name), Escaped(value))?;
        }
        write!(
            out,
            "<span><em>speed</em> {:.1} pictures a second</span></p>",
            summary.pictures_per_second()
        )?;
        if (self.shown as u64) < summary.pictures {
            write!(out, "<p>The first {} of {} pictures are shown.</p>", self.shown, summary.pictures)?;
        }
        if let Some(expectation) = summary.expectation() {
            write!(out, "<p>{expectation}.</p>")?;
        }
        self.skips(summary.skipped)?;
        self.controls(summary)
    }

    fn skips(&mut self, total: u64) -> Result<()> {
        if total == 0 {
            return Ok(());
        }
        write!(self.out, "<details><summary>{total} skipped</summary><ul>")?;
        for s in &self.skipped {
            write!(self.out, "<li><code>{}</code> {}</li>", Escaped(&s.image), Escaped(&s.error.message))?;
        }
        let listed = self.skipped.len() as u64;
        if listed < total {
            write!(self.out, "<li>and {} more</li>", total - listed)?;
        }
        write!(self.out, "</ul></details>")?;
        Ok(())
    }

    fn controls(&mut self, summary: &Summary) -> Result<()> {
        let out = &mut self.out;
        write!(
            out,
            "</header>\n<nav><label>Score at least <input type=\"range\" id=\"score\" min=\"0\" max=\"100\" value=\"0\">\
             <output id=\"score-value\">0 %</output></label>\
             <label><input type=\"checkbox\" id=\"found\"> only pictures with objects</label>\
             <label><input type=\"checkbox\" id=\"names\" checked> names</label>\
             <input type=\"search\" id=\"search\" placeholder=\"File name\" aria-label=\"File name\">\
             <span id=\"visible\" aria-live=\"polite\"></span>\n<div class=\"classes\">"
        )?;
        for c in summary.classes() {
            write!(
                out,
                "<button type=\"button\" aria-pressed=\"true\" data-class=\"{}\" style=\"--c:{}\" \
                 title=\"in {} pictures, mean score {:.0} %\">{} <b>{}</b></button>",
                c.class_id,
                hex(annotate::color(c.class_id)),
                c.pictures,
                c.mean_score() * 100.0,
                Escaped(&c.label),
                c.objects,
            )?;
        }
        write!(out, "</div></nav>\n<main>\n")?;
        Ok(())
    }
}

/// A small copy of an upright picture, as a JPEG file.
pub(crate) fn thumbnail(image: &RgbImage) -> Result<Vec<u8>> {
    let (w, h) = image.dimensions();
    let shrink = (LONGEST_SIDE as f32 / w.max(h) as f32).min(1.0);
    let side = |n: u32| ((n as f32 * shrink).round() as u32).max(1);
    let small = if shrink < 1.0 { &imageops::thumbnail(image, side(w), side(h)) } else { image };
    let mut jpeg = Vec::new();
    small.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY))?;
    Ok(jpeg)
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Text that may stand in HTML, in attributes too.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_str(c.encode_utf8(&mut [0; 4]))?,
            }
        }
        Ok(())
    }
}
