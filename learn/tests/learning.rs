//! Learning against scikit-learn, across interruptions, and over many trainings.

use osprey_learn::{
    Control, Ending, Event, Examples, FeatureScaling, KnnSettings, LearnError, Metric, NearestNeighbors,
    Optimizer, Schedule, Store, Trainer, TrainingSettings, Votes,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct ScikitLearn {
    logistic_regression: Vec<Case<Logistic>>,
    neighbors: Vec<Case<Neighbors>>,
}

#[derive(Deserialize)]
struct Case<S> {
    #[serde(flatten)]
    settings: S,
    train: Vec<Vec<f32>>,
    classes: Vec<usize>,
    test: Vec<Vec<f32>>,
    probabilities: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Logistic {
    l2: f32,
    standardize: bool,
}

#[derive(Deserialize)]
struct Neighbors {
    k: usize,
    metric: String,
    weights: String,
}

impl ScikitLearn {
    fn read() -> Self {
        serde_json::from_str(include_str!("data/scikit_learn.json")).unwrap()
    }
}

impl<S> Case<S> {
    fn examples(&self) -> Examples {
        let count = self.classes.iter().max().unwrap() + 1;
        let names = (0..count).map(|c| format!("class {c}"));
        let mut set = Examples::with_classes(self.train[0].len(), names).unwrap();
        for (row, &class) in self.train.iter().zip(&self.classes) {
            set.push(class, row).unwrap();
        }
        set
    }

    fn compare(&self, tolerance: f32, mut ask: impl FnMut(&[f32]) -> Vec<f32>) {
        for (row, expected) in self.test.iter().zip(&self.probabilities) {
            let answer = ask(row);
            for (a, e) in answer.iter().zip(expected) {
                assert!((a - e).abs() <= tolerance, "{answer:?} where scikit-learn has {expected:?}");
            }
        }
    }
}

#[test]
fn a_converged_head_is_logistic_regression() {
    for case in ScikitLearn::read().logistic_regression {
        for (optimizer, learning_rate) in [(Optimizer::SGD, 0.3), (Optimizer::ADAM, 0.05)] {
            let examples = case.examples();
            let settings = TrainingSettings {
                epochs: 12_000,
                batch_size: examples.len(),
                learning_rate,
                optimizer,
                schedule: Schedule::Cosine { last: 0.001 },
                l2: case.settings.l2,
                scaling: match case.settings.standardize {
                    true => FeatureScaling::Standardize,
                    false => FeatureScaling::None,
                },
                ..TrainingSettings::default()
            };
            let mut trainer = Trainer::new(settings, &examples).unwrap();
            trainer.train(&mut &examples, None, None, &Control::new(), &mut |_| {}).unwrap();
            case.compare(1e-3, |row| trainer.head().classify(row).unwrap().probabilities);
        }
    }
}

#[test]
fn neighbours_vote_as_in_scikit_learn() {
    for case in ScikitLearn::read().neighbors {
        let settings = KnnSettings {
            k: case.settings.k,
            metric: if case.settings.metric == "cosine" { Metric::Cosine } else { Metric::Euclidean },
            votes: if case.settings.weights == "uniform" { Votes::Uniform } else { Votes::Distance },
            scaling: FeatureScaling::None,
            reject_beyond: None,
        };
        let mut knn = NearestNeighbors::new(case.examples(), settings).unwrap();
        case.compare(2e-3, |row| knn.classify(row).unwrap().probabilities);
    }
}

/// Two noisy rings of classes, split into training and validation.
fn data(classes: usize) -> (Examples, Examples) {
    let mut set = Examples::with_classes(6, (0..classes).map(|c| format!("class {c}"))).unwrap();
    for i in 0..classes * 40 {
        let (class, noise) =
            (i % classes, |k: usize| ((i * 7919 + k * 104_729) % 1009) as f32 / 1009.0 - 0.5);
        let angle = class as f32 * 1.5 + noise(9);
        set.push(class, &[angle.cos() + noise(1), angle.sin() + noise(2), noise(3), noise(4), noise(5), 1.0])
            .unwrap();
    }
    let split = set.split(0.25, 1).unwrap();
    (set.subset(&split.train), set.subset(&split.held_out))
}

fn settings(epochs: usize) -> TrainingSettings {
    TrainingSettings { epochs, learning_rate: 0.01, ..TrainingSettings::default() }
}

fn trained(epochs: usize) -> Trainer {
    let (train, validation) = data(3);
    let mut trainer = Trainer::new(settings(epochs), &train).unwrap();
    trainer.train(&mut &train, Some(&validation), None, &Control::new(), &mut |_| {}).unwrap();
    trainer
}

#[test]
fn the_same_seed_gives_the_same_head_and_another_does_not() {
    let head = trained(8);
    assert_eq!(head, trained(8));
    let (train, validation) = data(3);
    let mut other = Trainer::new(TrainingSettings { seed: 1, ..settings(8) }, &train).unwrap();
    other.train(&mut &train, Some(&validation), None, &Control::new(), &mut |_| {}).unwrap();
    assert_ne!(other.head(), head.head());
    assert!(head.best().unwrap().0.validation.unwrap().accuracy > 0.8, "{:?}", head.history());
}

#[test]
fn events_come_in_order_and_the_loss_is_a_running_mean() {
    let (train, validation) = data(3);
    let mut trainer = Trainer::new(settings(2), &train).unwrap();
    let mut events = Vec::new();
    let mut batch_losses = Vec::new();
    let mut on_event = |event: &Event<'_>| match *event {
        Event::Begin { done, epochs, batches } => {
            events.push(format!("begin {done} of {epochs}, {batches} batches"))
        }
        Event::Batch { epoch: 1, loss, .. } => batch_losses.push(loss),
        Event::Batch { .. } => {}
        Event::Epoch { report, best } => {
            events.push(format!("epoch {} best {best}", report.epoch));
            if report.epoch == 1 {
                assert_eq!(batch_losses.last(), Some(&report.training.loss));
            }
        }
        Event::End { ending } => events.push(format!("{ending:?}")),
        _ => panic!("{event:?}"),
    };
    trainer.train(&mut &train, Some(&validation), None, &Control::new(), &mut on_event).unwrap();
    assert_eq!(events, ["begin 0 of 2, 6 batches", "epoch 1 best true", "epoch 2 best true", "Finished"]);
    assert_eq!(batch_losses.len(), 6);
    assert!((batch_losses[0] - 3f64.ln()).abs() < 1e-6, "an untrained head holds all classes equally likely");
}

#[test]
fn cancelled_and_resumed_from_disk_is_as_if_never_stopped() {
    let whole = trained(10);
    let (train, validation) = data(3);
    let dir = tempfile::tempdir().unwrap();
    let control = Control::new();
    {
        let mut store = Store::open(dir.path()).unwrap();
        let mut trainer = Trainer::new(settings(10), &train).unwrap();
        let mut cancel = |event: &Event<'_>| {
            if matches!(event, Event::Batch { epoch: 5, batch: 3, .. }) {
                control.cancel();
            }
        };
        let ending = trainer.train(&mut &train, Some(&validation), Some(&mut store), &control, &mut cancel);
        assert_eq!(ending.unwrap(), Ending::Cancelled);
        assert_eq!(trainer.history().len(), 4, "the running epoch is dropped");
        assert_eq!(store.latest().unwrap().unwrap().1, trainer);
    }
    let mut store = Store::<Trainer>::open(dir.path()).unwrap();
    let (_, mut trainer) = store.latest().unwrap().unwrap();
    trainer.train(&mut &train, Some(&validation), Some(&mut store), &Control::new(), &mut |_| {}).unwrap();
    assert_eq!(trainer, whole);
}

#[test]
fn pause_holds_and_resume_goes_on() {
    let (train, _) = data(3);
    let control = Control::new();
    let mut trainer = Trainer::new(settings(3), &train).unwrap();
    let mut events = Vec::new();
    let mut on_event = |event: &Event<'_>| match event {
        Event::Batch { epoch: 2, batch: 1, .. } => control.pause(),
        Event::Paused => {
            events.push("paused");
            let control = control.clone();
            std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                control.set_learning_rate(0.5);
                control.resume();
            });
        }
        Event::Resumed => events.push("resumed"),
        _ => {}
    };
    let ending = trainer.train(&mut &train, None, None, &control, &mut on_event).unwrap();
    assert_eq!((ending, events), (Ending::Finished, vec!["paused", "resumed"]));
    let rates: Vec<f32> = trainer.history().iter().map(|e| e.learning_rate).collect();
    assert_eq!(rates, [0.01, 0.5, 0.5], "the rate set while it ran holds from the next batch on");
}

#[test]
fn patience_ends_a_training_that_no_longer_improves() {
    let (train, validation) = data(3);
    let mut trainer = Trainer::new(TrainingSettings { patience: Some(3), ..settings(500) }, &train).unwrap();
    let ending = trainer.train(&mut &train, Some(&validation), None, &Control::new(), &mut |_| {}).unwrap();
    assert_eq!(ending, Ending::NoProgress);
    assert_eq!(trainer.history().len(), trainer.best().unwrap().0.epoch + 3);
}

#[test]
fn a_class_added_later_is_learned_and_the_others_are_kept() {
    let accuracy = |trainer: &Trainer, set: &Examples, classes: std::ops::Range<usize>| {
        let asked: Vec<_> = set.iter().filter(|(_, label)| classes.contains(label)).collect();
        let right =
            asked.iter().filter(|(x, l)| trainer.head().classify(x).unwrap().class == Some(*l)).count();
        right as f64 / asked.len() as f64
    };
    let mut trainer = trained(20);
    let (train, validation) = data(4);
    let before = accuracy(&trainer, &validation, 0..3);
    assert!(before > 0.8, "{before}");
    let refused = trainer.train(&mut &train, None, None, &Control::new(), &mut |_| {});
    assert!(matches!(refused, Err(LearnError::ClassesDiffer { .. })));

    trainer.add_class("class 3").unwrap();
    assert_eq!(accuracy(&trainer, &validation, 0..3), before, "nothing is lost by growing");
    trainer.set_settings(settings(60)).unwrap();
    trainer.train(&mut &train, Some(&validation), None, &Control::new(), &mut |_| {}).unwrap();
    assert!(accuracy(&trainer, &validation, 3..4) > 0.8);
    assert!(accuracy(&trainer, &validation, 0..3) > before - 0.1);
}

#[test]
fn what_cannot_be_learned_is_refused_and_nothing_is_lost() {
    let (train, _) = data(3);
    for bad in [
        TrainingSettings { epochs: 0, ..settings(1) },
        TrainingSettings { batch_size: 0, ..settings(1) },
        TrainingSettings { learning_rate: f32::NAN, ..settings(1) },
        TrainingSettings { l2: -1.0, ..settings(1) },
        TrainingSettings { patience: Some(0), ..settings(1) },
    ] {
        assert!(matches!(Trainer::new(bad, &train), Err(LearnError::Setting { .. })));
    }
    let mut one_picture = Examples::with_classes(2, ["only"]).unwrap();
    one_picture.push(0, &[1.0, 2.0]).unwrap();
    assert!(matches!(Trainer::new(settings(1), &one_picture), Err(LearnError::TooFewClasses { classes: 1 })));

    let mut trainer = trained(2);
    let before = trainer.clone();
    let wild = TrainingSettings { learning_rate: 1e30, optimizer: Optimizer::SGD, ..settings(500) };
    trainer.set_settings(wild.clone()).unwrap();
    let error = trainer.train(&mut &train, None, None, &Control::new(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, LearnError::Diverged { .. }), "{error}");
    assert_eq!(trainer.head(), before.head(), "the head of the last finished epoch");
}

#[test]
fn a_picture_per_class_is_enough_to_train() {
    let mut set = Examples::with_classes(4, ["a", "b"]).unwrap();
    set.push(0, &[1.0, 0.0, 2.0, 2.0]).unwrap();
    set.push(1, &[0.0, 1.0, 2.0, 2.0]).unwrap();
    let mut trainer = Trainer::new(settings(50), &set).unwrap();
    trainer.train(&mut &set, None, None, &Control::new(), &mut |_| {}).unwrap();
    assert_eq!(trainer.head().classify(&[0.9, 0.1, 2.0, 2.0]).unwrap().class, Some(0));
    assert_eq!(trainer.head().classify(&[0.1, 0.8, 2.0, 2.0]).unwrap().class, Some(1));
}

/// Resident memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_flat_over_a_thousand_trainings() {
    let (train, validation) = data(3);
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let mut after_warm_up = 0;
    for i in 0..1100 {
        let mut trainer = Trainer::new(settings(2), &train).unwrap();
        let store = (i % 100 == 0).then_some(&mut store);
        trainer.train(&mut &train, Some(&validation), store, &Control::new(), &mut |_| {}).unwrap();
        if i == 100 {
            after_warm_up = resident();
        }
    }
    let grown = resident().saturating_sub(after_warm_up);
    // Tests beside this one share the process; a leak of one head per training would be 3 MB.
    assert!(grown < 2 << 20, "{grown} bytes more after 1,000 trainings");
}
