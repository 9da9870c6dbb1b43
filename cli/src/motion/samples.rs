//! Samples out of a CSV file.

use super::TableArgs;
use anyhow::{Context, Result, bail};
use csv::StringRecord;
use osprey_senses::motion::Channel;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How a column is asked for: by name, or by number from 1.
pub(super) struct Columns {
    channels: Vec<(Channel, String)>,
    time: Option<String>,
}

impl Columns {
    pub(super) fn new(channels: &[Channel], args: &TableArgs) -> Result<Self> {
        let mut named: Vec<(Channel, String)> = channels.iter().map(|&c| (c, c.name().to_owned())).collect();
        for text in &args.column {
            let (channel, column) =
                text.split_once('=').context("--column takes CHANNEL=COLUMN, such as acceleration_x=ax")?;
            let channel: Channel = channel.trim().parse()?;
            match named.iter_mut().find(|(c, _)| *c == channel) {
                Some((_, name)) => *name = column.trim().to_owned(),
                None => bail!("the model takes no {channel}; it takes {}", list(channels)),
            }
        }
        let time = match args.sample_rate {
            Some(rate) if rate > 0.0 && rate.is_finite() => None,
            Some(rate) => bail!("--sample-rate is {rate}; it must be above 0"),
            None => Some(args.time.clone().unwrap_or_else(|| "time".into())),
        };
        Ok(Self { channels: named, time })
    }
}

fn list(channels: &[Channel]) -> String {
    channels.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ")
}

/// The samples of a file, one after another.
pub(super) struct Samples {
    path: PathBuf,
    reader: csv::Reader<Box<dyn Read>>,
    record: StringRecord,
    columns: Vec<usize>,
    time: Option<usize>,
    /// Seconds of the time column's unit, or of a sample.
    seconds: f64,
    count: u64,
}

impl Samples {
    pub(super) fn open(path: &Path, columns: &Columns, args: &TableArgs) -> Result<Self> {
        let input: Box<dyn Read> = match path.as_os_str() == "-" {
            true => Box::new(std::io::stdin()),
            false => Box::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?),
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(!args.no_header)
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(input);
        let header = match args.no_header {
            true => StringRecord::new(),
            false => reader.headers().with_context(|| format!("cannot read {}", path.display()))?.clone(),
        };
        let find = |name: &str| -> Result<usize> {
            let by_name = header.iter().position(|h| h.trim_start_matches('\u{feff}') == name);
            let by_number = name.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            by_name.or(by_number).with_context(|| match args.no_header {
                true => format!("without a header, columns go by number from 1: \"{name}\" is none"),
                false => {
                    let there: Vec<&str> = header.iter().collect();
                    format!("{} has no column \"{name}\"; it has {}", path.display(), there.join(", "))
                }
            })
        };
        let time = columns
            .time
            .as_deref()
            .map(find)
            .transpose()
            .context("pass --time for a column of times, or --sample-rate where there is none")?;
        let found = columns.channels.iter().map(|(channel, name)| {
            find(name).with_context(|| format!("pass --column {channel}=COLUMN for it"))
        });
        let columns = found.collect::<Result<_>>()?;
        let seconds = args.sample_rate.map_or(args.time_unit.seconds(), |rate| 1.0 / rate);
        Ok(Self { path: path.into(), reader, record: StringRecord::new(), columns, time, seconds, count: 0 })
    }

    /// Writes the next sample's values and gives its time in seconds. A field that is missing or no
    /// number is NaN, which the stream leaves out and counts.
    pub(super) fn next(&mut self, values: &mut [f32]) -> Result<Option<f64>> {
        let more = self.reader.read_record(&mut self.record);
        if !more.with_context(|| format!("cannot read {}", self.path.display()))? {
            return Ok(None);
        }
        for (value, &column) in values.iter_mut().zip(&self.columns) {
            *value = self.record.get(column).and_then(|f| f.parse().ok()).unwrap_or(f32::NAN);
        }
        let number = match self.time {
            Some(column) => self.record.get(column).and_then(|f| f.parse().ok()).unwrap_or(f64::NAN),
            None => self.count as f64,
        };
        self.count += 1;
        Ok(Some(number * self.seconds))
    }
}
