//! Precision over recall, as an SVG.

use crate::detect::{annotate, report::Escaped};
use osprey_evaluate::{Scores, Truth};
use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 40.0;
/// Side lengths of the plotted area.
const ACROSS: f64 = 540.0;
const DOWN: f64 = 380.0;

/// A thin line for each class, a thick one for their mean; IoU 0.5.
pub(crate) fn precision_recall(truth: &Truth, scores: &Scores) -> String {
    let mut svg = String::new();
    // Writing into a string cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    axes(&mut svg);
    for c in &scores.classes {
        let [r, g, b] = annotate::color(c.class);
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"rgb({r},{g},{b})\" stroke-width=\"1\" opacity=\"0.5\" points=\"{}\">\
             <title>{}: AP50 {:.3}</title></polyline>",
            points(&c.curve),
            Escaped(&truth.classes[c.class]),
            c.ap50
        );
    }
    let _ = writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"#111\" stroke-width=\"3\" points=\"{}\"><title>mean of classes</title></polyline>\n</svg>",
        points(&mean(scores))
    );
    svg
}

fn axes(svg: &mut String) {
    for tenth in 0..=10 {
        let share = f64::from(tenth) / 10.0;
        let (x, y) = (LEFT + share * ACROSS, TOP + (1.0 - share) * DOWN);
        let (right, bottom) = (LEFT + ACROSS, TOP + DOWN);
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {TOP}V{bottom}M{LEFT} {y}H{right}\" stroke=\"#ddd\" fill=\"none\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{share:.1}</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{share:.1}</text>",
            bottom + 18.0,
            LEFT - 8.0,
            y + 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">recall</text>\
         <text x=\"16\" y=\"{}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {})\">precision</text>\
         <text x=\"{LEFT}\" y=\"24\" font-weight=\"bold\">Precision and recall at IoU 0.5: each class, and their mean</text>",
        LEFT + ACROSS / 2.0,
        HEIGHT - 18.0,
        TOP + DOWN / 2.0,
        TOP + DOWN / 2.0
    );
}

fn points(curve: &[f64]) -> String {
    let last = (curve.len().max(2) - 1) as f64;
    let point = |(i, p): (usize, &f64)| {
        format!("{:.1},{:.1}", LEFT + i as f64 / last * ACROSS, TOP + (1.0 - p) * DOWN)
    };
    curve.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

fn mean(scores: &Scores) -> Vec<f64> {
    let count = scores.classes.len().max(1) as f64;
    let length = scores.classes.iter().map(|c| c.curve.len()).max().unwrap_or(0);
    (0..length).map(|i| scores.classes.iter().map(|c| c.curve[i]).sum::<f64>() / count).collect()
}
