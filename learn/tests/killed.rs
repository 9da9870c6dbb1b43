//! A training that is killed at random moments loses nothing but the running epoch.

#![cfg(unix)]

use osprey_learn::{Control, Event, Examples, Store, Trainer, TrainingSettings};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const FOLDER: &str = "OSPREY_TEST_KILLED_FOLDER";
const KILLS: u64 = 200;

fn examples() -> Examples {
    let mut set = Examples::with_classes(64, ["a", "b", "c"]).unwrap();
    for i in 0..60usize {
        let row: Vec<f32> = (0..64).map(|k| ((i * 31 + k * 17) % 29) as f32 + (i % 3 * k) as f32).collect();
        set.push(i % 3, &row).unwrap();
    }
    set
}

/// Not a test of its own: what the killed process runs. It says aloud which epochs are finished.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let examples = examples();
    let mut store = Store::<Trainer>::open(folder).unwrap();
    let settings = TrainingSettings { epochs: 1_000_000, batch_size: 4, ..TrainingSettings::default() };
    let mut trainer = match store.latest().unwrap() {
        Some((_, trainer)) => trainer,
        None => Trainer::new(settings, &examples).unwrap(),
    };
    let say = |epoch: usize| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nepoch {epoch}").and_then(|()| out.flush()).unwrap();
    };
    say(trainer.history().len());
    let mut on_event = |event: &Event<'_>| {
        if let Event::Epoch { report, .. } = event {
            say(report.epoch);
        }
    };
    trainer.train(&mut &examples, None, Some(&mut store), &Control::new(), &mut on_event).unwrap();
}

#[test]
fn killed_two_hundred_times() {
    let dir = tempfile::tempdir().unwrap();
    let mut finished = 0;
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let epoch_of = |line: &str| line.strip_prefix("epoch ").and_then(|n| n.parse::<usize>().ok());
        let first =
            lines.by_ref().map_while(Result::ok).find_map(|l| epoch_of(&l)).expect("the child starts");
        assert!(first >= finished, "round {round}: started from epoch {first}, {finished} were finished");
        // Spread over a few epochs, each of which takes a few milliseconds.
        std::thread::sleep(Duration::from_micros(round * 7919 % 40_009));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = lines.map_while(Result::ok).filter_map(|l| epoch_of(&l)).last().unwrap_or(first);

        let store = Store::<Trainer>::open(dir.path()).unwrap();
        let (_, trainer) = store.latest().unwrap().map_or((0, None), |(v, t)| (v, Some(t)));
        finished = trainer.map_or(0, |t| t.history().len());
        // Killed between the checkpoint and the message, one epoch more is on disk than was said.
        assert!(finished == said || finished == said + 1, "round {round}: {finished} stored, {said} said");
        assert!(store.damage().is_empty(), "round {round}");
    }
    assert!(finished > 20, "only {finished} epochs: the rounds were too short to test anything");
}
