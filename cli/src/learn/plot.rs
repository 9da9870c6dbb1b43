//! Loss and accuracy over the epochs, as SVG.

use anyhow::{Result, anyhow};
use osprey_learn::EpochReport;
use plotters::coord::Shift;
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 360);
const TRAINING: RGBColor = RGBColor(31, 119, 180);
const VALIDATION: RGBColor = RGBColor(214, 90, 20);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Two charts side by side: loss, accuracy.
pub(crate) fn history(history: &[EpochReport]) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&area, history).map_err(|e| anyhow!("cannot draw the plot: {e}"))?;
    }
    Ok(svg)
}

fn draw(area: &Area<'_>, history: &[EpochReport]) -> Result<(), Box<dyn std::error::Error>> {
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    let loss: Vec<_> =
        history.iter().map(|e| (e.epoch, e.training.loss, e.validation.map(|v| v.loss))).collect();
    let highest = loss.iter().flat_map(|(_, t, v)| [Some(*t), *v]).flatten().fold(0.0, f64::max);
    chart(&left, "loss", &loss, if highest > 0.0 { 1.05 * highest } else { 1.0 })?;
    let accuracy: Vec<_> =
        history.iter().map(|e| (e.epoch, e.training.accuracy, e.validation.map(|v| v.accuracy))).collect();
    chart(&right, "accuracy", &accuracy, 1.02)?;
    area.present()?;
    Ok(())
}

fn chart(
    area: &Area<'_>,
    title: &str,
    points: &[(usize, f64, Option<f64>)],
    top: f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let last = points.last().map_or(1, |p| p.0).max(2);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(44)
        .build_cartesian_2d(1..last, 0.0..top)?;
    chart.configure_mesh().x_desc("epoch").light_line_style(TRANSPARENT).draw()?;
    let legend = |color: RGBColor| move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], color);
    let training = points.iter().map(|p| (p.0, p.1));
    chart
        .draw_series(LineSeries::new(training, TRAINING.stroke_width(2)))?
        .label("training")
        .legend(legend(TRAINING));
    let validation: Vec<_> = points.iter().filter_map(|p| Some((p.0, p.2?))).collect();
    if !validation.is_empty() {
        let line = LineSeries::new(validation, VALIDATION.stroke_width(2));
        chart.draw_series(line)?.label("validation").legend(legend(VALIDATION));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw()?;
    Ok(())
}
