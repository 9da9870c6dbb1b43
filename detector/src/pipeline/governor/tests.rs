use super::*;
use std::fmt::Write as _;

fn reading(at: f64, thermal: Thermal, latency_ms: f64) -> Reading {
    Reading { at, thermal, battery: Battery::default(), latency_ms }
}

fn play(policy: &Policy, readings: impl IntoIterator<Item = Reading>) -> Vec<(Reading, State)> {
    let mut state = State::default();
    readings
        .into_iter()
        .map(|reading| {
            state = decide(&state, &reading, policy);
            (reading, state)
        })
        .collect()
}

fn changes(run: &[(Reading, State)]) -> usize {
    run.windows(2).filter(|w| w[0].1.level != w[1].1.level).count()
}

fn every_second(seconds: u32, f: impl Fn(f64) -> Reading) -> impl Iterator<Item = Reading> {
    (0..seconds).map(move |s| f(f64::from(s)))
}

#[test]
fn a_fast_model_on_a_cool_device_sees_every_frame() {
    let policy = Policy::default();
    let run = play(&policy, every_second(60, |at| reading(at, Thermal::Nominal, 15.0)));
    assert!(run.iter().all(|(_, state)| state.level == 0));
}

#[test]
fn a_slow_model_gets_the_pace_that_it_can_hold() {
    let policy = Policy::default();
    let run = play(&policy, every_second(60, |at| reading(at, Thermal::Nominal, 65.0)));
    let (last_reading, last) = run[run.len() - 1];
    // 65 ms at 10 detections a second are 65 %; at 15 they would be 97.5 %.
    assert_eq!(last.interval(&policy), 3);
    assert!(expected_share(&last_reading, &last, &policy) <= 0.9);
    assert_eq!(changes(&run), 1);
}

#[test]
fn critical_heat_does_not_wait() {
    let policy = Policy::default();
    let hot = |at: f64| reading(at, if at < 10.0 { Thermal::Nominal } else { Thermal::Critical }, 30.0);
    let run = play(&policy, every_second(20, hot));
    assert_eq!(run[9].1.level, 0);
    assert_eq!(run[10].1.interval(&policy), 10);
}

#[test]
fn a_single_slow_second_changes_nothing() {
    let policy = Policy::default();
    let spike = |at: f64| reading(at, Thermal::Nominal, if at == 10.0 { 200.0 } else { 20.0 });
    assert_eq!(changes(&play(&policy, every_second(60, spike))), 0);
}

#[test]
fn at_the_border_it_does_not_swing() {
    let policy = Policy::default();
    // Latency wavers about the limit of the first setting, 30 ms.
    let wavering = |at: f64| reading(at, Thermal::Nominal, 30.0 + 4.0 * (at * 1.7).sin());
    assert!(changes(&play(&policy, every_second(600, wavering))) <= 2);
}

#[test]
fn what_did_not_hold_is_tried_less_and_less() {
    let policy = Policy::default();
    // Half the time fair, half nominal, in turns of 15 s: chasing them would be 40 changes.
    let turns = |at: f64| {
        let thermal = if ((at / 15.0) as u32).is_multiple_of(2) { Thermal::Nominal } else { Thermal::Fair };
        reading(at, thermal, 22.0)
    };
    let run = play(&policy, every_second(600, turns));
    let late = &run[300..];
    assert!(changes(late) <= 4, "{} changes in the second half", changes(late));
}

#[test]
fn a_low_battery_saves_and_a_charger_ends_that() {
    let policy = Policy::default();
    let with = |at: f64, level: f32, charging: bool| Reading {
        battery: Battery { level: Some(level), charging, saving: false },
        ..reading(at, Thermal::Nominal, 22.0)
    };
    let run = play(&policy, every_second(120, |at| with(at, 0.1, at >= 60.0)));
    assert_eq!(run[50].1.interval(&policy), 2);
    assert_eq!(run[119].1.interval(&policy), 1);
}

#[test]
fn nonsense_is_survived() {
    let empty = Policy { intervals: Vec::new(), ..Policy::default() };
    let mut state = State { level: 99, ..State::default() };
    for (at, latency) in
        [(0.0, f64::NAN), (f64::NAN, 10.0), (5.0, -1.0), (-5.0, f64::INFINITY), (1e300, 1e300)]
    {
        for policy in [&empty, &Policy::default()] {
            state = decide(&state, &reading(at, Thermal::Serious, latency), policy);
            assert!(state.interval(policy) >= 1);
        }
    }
}

/// A phone in the hand: heat flows in with work and out with the difference to the air; inference
/// slows down when the system throttles.
fn simulated_phone(minutes: u32) -> Vec<(f64, f64, Thermal, f64, u32)> {
    let policy = Policy::default();
    let mut state = State::default();
    let (mut celsius, air) = (28.0, |at: f64| if at > 480.0 { 18.0 } else { 30.0 });
    let mut rows = Vec::new();
    for second in 0..minutes * 60 {
        let at = f64::from(second);
        let thermal = match celsius {
            c if c < 36.0 => Thermal::Nominal,
            c if c < 40.0 => Thermal::Fair,
            c if c < 44.0 => Thermal::Serious,
            _ => Thermal::Critical,
        };
        let throttling = [1.0, 1.1, 1.4, 2.0][thermal as usize];
        let latency = 20.0 * throttling * (1.0 + 0.08 * (at * 0.9).sin());
        let now = reading(at, thermal, latency);
        state = decide(&state, &now, &policy);
        let share = expected_share(&now, &state, &policy).min(1.0);
        celsius += 0.16 * share - 0.006 * (celsius - air(at));
        rows.push((at, celsius, thermal, latency, state.interval(&policy)));
    }
    rows
}

#[test]
fn a_simulated_phone_stays_out_of_serious_heat() {
    let rows = simulated_phone(15);
    let ungoverned = {
        let mut celsius = 28.0;
        (0..480).for_each(|_| celsius += 0.16 * 0.6 - 0.006 * (celsius - 30.0));
        celsius
    };
    assert!(ungoverned > 44.0, "without a governor it would end in critical heat: {ungoverned}");
    let hottest = rows.iter().map(|r| r.1).fold(0.0, f64::max);
    assert!(hottest < 41.0, "{hottest}");
    let swings = rows.windows(2).filter(|w| w[0].4 != w[1].4).count();
    assert!(swings <= 24, "{swings} changes in a quarter of an hour");
    // Cool again in the end: back at full pace.
    assert_eq!(rows[rows.len() - 1].4, 1);
}

/// `REGENERATE=1` rewrites the plot in the documentation.
#[test]
fn the_plot_in_the_docs_is_current() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/governor.svg");
    let svg = plot(&simulated_phone(15));
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&file, &svg).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap() == svg,
        "run with REGENERATE=1 to redraw {}",
        file.display()
    );
}

fn plot(rows: &[(f64, f64, Thermal, f64, u32)]) -> String {
    let (width, height) = (720.0, 130.0);
    let end = rows.len() as f64;
    let mut svg = String::from(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 800 480' font-family='sans-serif' font-size='12'>\n\
         <rect width='800' height='480' fill='white'/>\n",
    );
    type Value<'a> = Box<dyn Fn(usize) -> f64 + 'a>;
    let panels: [(&str, f64, f64, Value<'_>); 3] = [
        ("case temperature, °C (fair from 36, serious from 40)", 26.0, 44.0, Box::new(|i| rows[i].1)),
        ("latency of inference, ms", 16.0, 32.0, Box::new(|i| rows[i].3)),
        ("detections per second of a 30 FPS camera", 0.0, 32.0, Box::new(|i| 30.0 / f64::from(rows[i].4))),
    ];
    for (index, (title, low, high, value)) in panels.iter().enumerate() {
        let top = 30.0 + index as f64 * 150.0;
        let y = |v: f64| top + height * (1.0 - (v - low) / (high - low));
        let _ = writeln!(svg, "<text x='50' y='{:.0}'>{title}</text>", top - 6.0);
        let _ = writeln!(
            svg,
            "<rect x='50' y='{top:.0}' width='{width:.0}' height='{height:.0}' fill='none' stroke='#bbb'/>"
        );
        for tick in [*low, (low + high) / 2.0, *high] {
            let _ = writeln!(svg, "<text x='44' y='{:.0}' text-anchor='end'>{tick:.0}</text>", y(tick) + 4.0);
        }
        let points: Vec<_> = (0..rows.len())
            .map(|i| format!("{:.1},{:.1}", 50.0 + width * i as f64 / end, y(value(i))))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline fill='none' stroke='#1a6fb0' stroke-width='1.5' points='{}'/>",
            points.join(" ")
        );
    }
    for minute in (0..=15).step_by(3) {
        let x = 50.0 + width * f64::from(minute) * 60.0 / end;
        let _ = writeln!(svg, "<text x='{x:.0}' y='476' text-anchor='middle'>{minute} min</text>");
    }
    svg.push_str("</svg>\n");
    svg
}
