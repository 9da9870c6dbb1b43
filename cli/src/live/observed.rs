//! What hangs on the worker's end, where input, image and result are together: the recording, the
//! annotated video, the page.
//!
//! The observer hands copies to a thread of their own through a queue of one. While that is full the
//! worker waits, so that a reader who is slow, or stops, costs frames and never memory.

use super::output::{self, VideoWriter};
use super::web::Page;
use crate::detect::annotate;
use crate::files::Destination;
use anyhow::Result;
use crossbeam_channel::{Receiver, bounded};
use image::RgbImage;
use osprey_detector::Tensor;
use osprey_detector::pipeline::{Detections, Pipeline, Shown};
use osprey_detector::preprocess::{Placement, UprightImage};
use osprey_detector::recording::{Facts, Recorder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

pub(super) struct ObservedOutputs {
    pub(super) labels: Arc<[String]>,
    /// Classes that are made unrecognizable in pictures.
    pub(super) blur: Vec<usize>,
    pub(super) annotated: Option<VideoWriter>,
    pub(super) recorder: Option<Recorder<Destination>>,
    pub(super) page: Option<Page>,
}

/// A frame's result with what the outputs want of the frame.
struct Observed {
    shown: Shown<Detections>,
    input: Option<(Tensor, Placement)>,
    image: Option<RgbImage>,
}

impl ObservedOutputs {
    /// Writes from now on what the pipeline's worker finishes, on a thread that ends after it. Stops
    /// the source should writing fail. `None` if nothing is to be written.
    pub(super) fn attach(
        self,
        pipeline: &Arc<Pipeline>,
        stop: &Arc<AtomicBool>,
    ) -> Option<JoinHandle<Result<()>>> {
        let records = self.recorder.is_some();
        if !records && self.annotated.is_none() && self.page.is_none() {
            return None;
        }
        if let Some(page) = &self.page {
            eprintln!("osprey: live picture at http://{}", page.address());
        }
        let (sender, observed) = bounded(1);
        pipeline.observe(Some(Box::new(move |input, shown| {
            let frame = input.frame();
            // An error: writing failed, and the thread says why.
            let _ = sender.send(Observed {
                shown: shown.clone(),
                input: records.then(|| (frame.input().clone(), *frame.placement())),
                image: input.image().and_then(image),
            });
        })));
        let (pipeline, stop) = (Arc::clone(pipeline), Arc::clone(stop));
        Some(std::thread::spawn(move || {
            let written = self.write(&observed, &pipeline);
            stop.store(true, Ordering::SeqCst);
            written
        }))
    }

    fn write(mut self, observed: &Receiver<Observed>, pipeline: &Pipeline) -> Result<()> {
        let font = annotate::font();
        for Observed { shown, input, mut image } in observed {
            if let (Some(recorder), Some((input, placement))) = (&mut self.recorder, input) {
                recorder.add(&Facts::new(&shown, &placement), &input)?;
            }
            if let Some(image) = &mut image {
                output::blur(image, &shown, &self.blur);
            }
            if let Some(page) = self.page.as_ref().filter(|page| page.viewers().any()) {
                let picture = image.as_ref().filter(|_| page.viewers().look());
                page.show(picture.cloned(), &output::line(&shown, &self.labels), &pipeline.snapshot());
            }
            if let (Some(video), Some(mut image)) = (&mut self.annotated, image) {
                output::draw(&mut image, &shown, &self.labels, &font);
                video.write(&image)?;
            }
        }
        self.annotated.map(VideoWriter::commit).transpose()?;
        self.recorder.map(|r| r.finish().commit()).transpose()?;
        Ok(())
    }
}

fn image(image: &UprightImage) -> Option<RgbImage> {
    RgbImage::from_raw(image.width(), image.height(), image.pixels().to_vec())
}
