//! Probabilities over time, with the steady answer below, as SVG.

use anyhow::{Result, anyhow};
use osprey_detector::model::Labels;
use osprey_senses::motion::Prediction;
use plotters::prelude::*;

const SIZE: (u32, u32) = (1000, 320);
/// Height of the band of answers, on the axis of probabilities.
const BAND: f64 = 0.08;

pub(super) fn draw(predictions: &[Prediction], labels: &Labels) -> Result<String> {
    let mut svg = String::new();
    drawn(&mut svg, predictions, labels).map_err(|e| anyhow!("cannot draw the timeline: {e}"))?;
    Ok(svg)
}

fn drawn(
    svg: &mut String,
    predictions: &[Prediction],
    labels: &Labels,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let start = predictions.first().map_or(0.0, |p| p.time);
    let end = predictions.last().map_or(0.0, |p| p.time - start).max(1.0);
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..end, -2.0 * BAND..1.02)?;
    chart
        .configure_mesh()
        .x_desc("seconds")
        .y_desc("smoothed probability")
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|v| if *v < 0.0 { String::new() } else { format!("{v:.1}") })
        .draw()?;
    let classes = predictions.first().map_or(0, |p| p.smoothed.len());
    for class in 0..classes {
        let color = Palette99::pick(class).to_rgba();
        let line = predictions.iter().map(|p| (p.time - start, f64::from(p.smoothed[class])));
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)))?
            .label(labels.name(class).into_owned())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], color));
    }
    let until = predictions.iter().skip(1).map(|p| p.time - start).chain([end]);
    let bands = predictions.iter().zip(until).filter_map(|(p, until)| {
        let color = Palette99::pick(p.class?).to_rgba();
        Some(Rectangle::new([(p.time - start, -2.0 * BAND), (until, -BAND)], color.filled()))
    });
    chart.draw_series(bands)?;
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw()?;
    area.present()?;
    Ok(())
}
