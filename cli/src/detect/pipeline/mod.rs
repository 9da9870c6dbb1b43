//! The way of the pictures: decoding and preprocessing on several threads, inference on one, drawing
//! on others, writing on the last. Every queue is bounded, none drops, and results keep the order of the
//! inputs: worker `k` of `n` takes pictures `k`, `k + n`, …, and whoever comes next takes from the
//! workers in turn.

mod budget;

use super::decode::error::{PictureError, PictureErrorKind};
use super::decode::{self, Opened, Picture, PictureLimits};
use super::finder::{Finder, PartsPreparer, Prepared};
use super::inputs::{Input, address};
use super::record::{ImageId, Record, Skipped, Times};
use crate::fetch;
use anyhow::{Result, anyhow};
use budget::{Budget, Permit};
use crossbeam_channel::{Receiver, Sender, bounded};
use osprey_detector::PixelBox;
use std::path::Path;
use std::thread;
use std::time::Instant;

/// Bytes of decoded pictures between decoding and drawing.
const PICTURE_MEMORY: u64 = 512 << 20;
/// Pictures that wait at each worker's door: enough to smooth small differences.
const QUEUE: usize = 2;

/// How the work is shared out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) limits: PictureLimits,
    pub(crate) decoders: usize,
    pub(crate) finishers: usize,
    /// Whether files are told apart by what is in them.
    pub(crate) identify: bool,
}

/// What is done with each picture after inference.
pub(crate) trait Finish: Sync {
    type Output: Send;

    /// Whether pictures are looked at again after inference.
    fn needs_pictures(&self) -> bool;

    /// Drawing and encoding of picture `index`, where pictures are needed; runs on several threads,
    /// in any order.
    fn prepare(&self, index: usize, record: &Record, picture: Option<Picture>) -> Result<Self::Output>;
}

/// What became of a picture.
pub(crate) enum Outcome<T> {
    Found(Record, T),
    Skipped(Skipped),
}

struct Decoded<'a> {
    image_id: ImageId,
    prepared: Prepared,
    /// Width and height of the upright picture in the file.
    size: (u32, u32),
    /// How many of its pixels one of those stands for that the model saw.
    scale: u32,
    /// Kept where something is drawn later.
    picture: Option<(Picture, Permit<'a>)>,
    times: Times,
}

type Fetched<'a> = Result<Decoded<'a>, Skipped>;
/// Index among the inputs, and what inference made of the picture.
type Examined<'a> = (usize, Result<(Record, Option<(Picture, Permit<'a>)>), Skipped>);

/// Takes all pictures through; `collect` gets the outcomes in the order of `inputs`.
pub(crate) fn run<F: Finish>(
    inputs: &[Input],
    plan: &Plan,
    finder: &mut Finder,
    finish: &F,
    mut collect: impl FnMut(Outcome<F::Output>) -> Result<()> + Send,
) -> Result<()> {
    let budget = &Budget::new(PICTURE_MEMORY);
    let (decoders, finishers) = (plan.decoders.clamp(1, inputs.len().max(1)), plan.finishers.max(1));
    thread::scope(|scope| {
        let mut fetched = Vec::new();
        for worker in 0..decoders {
            let (sender, receiver) = bounded(QUEUE);
            fetched.push(receiver);
            let fetcher = Fetcher {
                limits: plan.limits,
                identify: plan.identify,
                keeps_pictures: finish.needs_pictures(),
                preparer: finder.preparer(),
                budget,
            };
            scope.spawn(move || fetcher.run(inputs, (worker..inputs.len()).step_by(decoders), &sender));
        }
        let (mut examined, mut finished) = (Vec::new(), Vec::new());
        for _ in 0..finishers {
            let (sender, receiver) = bounded(QUEUE);
            examined.push(sender);
            let (done, outcomes) = bounded(QUEUE);
            finished.push(outcomes);
            scope.spawn(move || draw(finish, &receiver, &done));
        }
        let collector = scope.spawn(move || -> Result<()> {
            for index in 0..inputs.len() {
                // A closed channel: an earlier stage has given up and says why.
                let Ok(outcome) = finished[index % finishers].recv() else { break };
                collect(outcome?)?;
            }
            Ok(())
        });
        let found = find(inputs, finder, &fetched, &examined);
        drop((fetched, examined));
        let collected = collector.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        collected.and(found)
    })
}

/// From a file or from the network.
fn read(path: &Path, limits: &PictureLimits) -> Result<Vec<u8>, PictureError> {
    match address(path) {
        Some(address) => fetch::download(address, &fetch::PICTURE)
            .map_err(|e| PictureError { kind: PictureErrorKind::Unreadable, message: format!("{e:#}") }),
        None => Ok(decode::read(path, limits)?),
    }
}

/// A decoding thread.
struct Fetcher<'a> {
    limits: PictureLimits,
    identify: bool,
    keeps_pictures: bool,
    preparer: PartsPreparer,
    budget: &'a Budget,
}

impl<'a> Fetcher<'a> {
    fn run(mut self, inputs: &[Input], indices: impl Iterator<Item = usize>, out: &Sender<Fetched<'a>>) {
        for index in indices {
            let path = &inputs[index].path;
            let start = Instant::now();
            let mut image_id = ImageId::default();
            let opened = read(path, &self.limits).and_then(|file| {
                if self.identify {
                    image_id = ImageId::of(&file);
                }
                Ok(decode::open_bytes(file, &self.limits)?)
            });
            let mut times = Times { decode: start.elapsed(), ..Times::default() };
            let bytes = opened.as_ref().map_or(0, |o| o.bytes);
            let Some(permit) = self.budget.admit(index, bytes) else { return };
            let fetched = match opened.and_then(|o| self.fetch(o, permit, &mut times)) {
                Ok(decoded) => Ok(Decoded { image_id, ..decoded }),
                Err(error) => Err(Skipped { image: path.display().to_string(), image_id, error }),
            };
            if out.send(fetched).is_err() {
                self.budget.cancel();
                return;
            }
        }
    }

    fn fetch(
        &mut self,
        opened: Opened,
        permit: Permit<'a>,
        times: &mut Times,
    ) -> Result<Decoded<'a>, PictureError> {
        let start = Instant::now();
        let size = opened.upright_size();
        // The model sees the same whether the picture is looked at again or not.
        let regions = self.preparer.regions(size);
        let scaled = opened.decode_scaled(self.preparer.wanted(&regions));
        let whole = match &scaled {
            Some(_) if !self.keeps_pictures => None,
            _ => Some(opened.decode()?),
        };
        times.decode += start.elapsed();
        let seen = scaled.as_ref().or(whole.as_ref()).ok_or_else(|| unfit("no picture was decoded"))?;
        let start = Instant::now();
        let prepared = self.preparer.prepare(seen, &regions).map_err(|e| unfit(&format!("{e:#}")))?;
        times.preprocess = start.elapsed();
        let scale = seen.scale;
        let picture = whole.filter(|_| self.keeps_pictures).map(|p| (p, permit));
        Ok(Decoded { image_id: ImageId::default(), prepared, size, scale, picture, times: *times })
    }
}

/// A picture that decoders took and the model cannot.
fn unfit(message: &str) -> PictureError {
    PictureError { kind: PictureErrorKind::Damaged, message: message.to_owned() }
}

/// The inference thread.
fn find<'a>(
    inputs: &[Input],
    finder: &mut Finder,
    fetched: &[Receiver<Fetched<'a>>],
    out: &[Sender<Examined<'a>>],
) -> Result<()> {
    for (index, input) in inputs.iter().enumerate() {
        let fetched = fetched[index % fetched.len()].recv();
        let fetched = fetched.map_err(|_| anyhow!("a decoding thread ended early; please report this"))?;
        let examined = match fetched {
            Ok(Decoded { image_id, prepared, size: (width, height), scale, picture, mut times }) => {
                let mut found = finder.find(&prepared, &mut times)?;
                for f in &mut found {
                    f.bbox = in_file(&f.bbox, scale, (width, height));
                }
                let (image, name) = (input.path.display().to_string(), input.name.clone());
                Ok((Record { image, image_id, name, width, height, found, times }, picture))
            }
            Err(skipped) => Err(skipped),
        };
        if out[index % out.len()].send((index, examined)).is_err() {
            break;
        }
    }
    Ok(())
}

/// From pixels that the model saw to those of the file: the last ones of a row and of a column may
/// reach beyond its edge.
pub(crate) fn in_file(seen: &PixelBox, scale: u32, (width, height): (u32, u32)) -> PixelBox {
    let (scale, right, bottom) = (scale as f32, width as f32, height as f32);
    PixelBox {
        x_min: (seen.x_min * scale).min(right),
        y_min: (seen.y_min * scale).min(bottom),
        x_max: (seen.x_max * scale).min(right),
        y_max: (seen.y_max * scale).min(bottom),
    }
}

/// A drawing thread.
fn draw<'a, F: Finish>(
    finish: &F,
    examined: &Receiver<Examined<'a>>,
    out: &Sender<Result<Outcome<F::Output>>>,
) {
    for (index, result) in examined {
        let outcome = match result {
            Ok((record, kept)) => {
                let (picture, permit) = kept.unzip();
                let output = finish.prepare(index, &record, picture);
                drop(permit);
                output.map(|output| Outcome::Found(record, output))
            }
            Err(skipped) => Ok(Outcome::Skipped(skipped)),
        };
        if out.send(outcome).is_err() {
            break;
        }
    }
}
