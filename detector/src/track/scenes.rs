//! Scenes with truth, and a detector's typical faults on top of them.

use super::metrics::Identified;
use crate::frame::Timestamp;
use crate::geometry::{Detection, NormBox};

/// Frames per second of the camera.
pub(super) const FPS: f64 = 60.0;

/// A small generator of reproducible numbers (Steele et al. 2014, SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// About normal, deviation 1: Irwin-Hall of 12.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

#[derive(Clone, Copy)]
pub(super) enum Motion {
    /// Straight on, back at the edges.
    Bounce,
    /// About a middle.
    Swing,
    /// Standing, then off at speed, and standing again.
    Dash,
}

struct Object {
    motion: Motion,
    x: f32,
    y: f32,
    vx: f32,
    vy: f32,
    w: f32,
    h: f32,
    class_id: usize,
    phase: f32,
    /// Seconds between which it is behind something.
    hidden: (f32, f32),
}

impl Object {
    fn at(&self, t: f32) -> NormBox {
        let bounce = |start: f32, speed: f32, size: f32| {
            let room = 1.0 - size;
            let way = (start + speed * t).rem_euclid(2.0 * room);
            size / 2.0 + if way > room { 2.0 * room - way } else { way }
        };
        let (x, y) = match self.motion {
            Motion::Bounce => (bounce(self.x, self.vx, self.w), bounce(self.y, self.vy, self.h)),
            Motion::Swing => (0.5 + 0.35 * (self.phase + self.vx * 4.0 * t).sin(), self.y * 0.6 + 0.2),
            Motion::Dash => {
                let cycle = (t + self.phase).rem_euclid(4.0);
                let way = if cycle < 1.5 { 0.0 } else { ((cycle - 1.5) / 0.6).min(1.0) };
                let back = ((t + self.phase) / 4.0) as i32 % 2 == 1;
                (0.15 + 0.7 * if back { 1.0 - way } else { way }, self.y * 0.6 + 0.2)
            }
        };
        let breathing = 1.0 + 0.1 * (t + self.phase).sin();
        let (w, h) = (self.w * breathing / 2.0, self.h * breathing / 2.0);
        NormBox { x_min: x - w, y_min: y - h, x_max: x + w, y_max: y + h }
    }
}

pub(super) struct Scene {
    objects: Vec<Object>,
    dice: Dice,
    miss_rate: f32,
    false_rate: f32,
}

impl Scene {
    pub(super) fn new(seed: u64, count: usize, motions: &[Motion], faults: f32) -> Self {
        let mut dice = Dice(seed);
        let objects = (0..count)
            .map(|i| {
                let size = dice.between(0.08, 0.2);
                let hidden = dice.between(2.0, 6.0);
                Object {
                    motion: motions[i % motions.len()],
                    x: dice.between(0.1, 0.9),
                    // Spread, so that objects meet but do not lie on top of each other all the time.
                    y: (i as f32 + 0.5) / count as f32,
                    vx: dice.between(-0.5, 0.5),
                    vy: dice.between(-0.15, 0.15),
                    w: size,
                    h: size * dice.between(1.0, 2.0),
                    class_id: i % 3,
                    phase: dice.between(0.0, 6.0),
                    hidden: (hidden, hidden + dice.between(0.1, 0.6)),
                }
            })
            .collect();
        Self { objects, dice, miss_rate: 0.12 * faults, false_rate: 0.15 * faults }
    }

    pub(super) fn time(frame: usize) -> Timestamp {
        Timestamp::from_seconds(frame as f64 / FPS)
    }

    pub(super) fn truth(&self, frame: usize) -> Vec<Identified> {
        let t = (frame as f64 / FPS) as f32;
        let visible = self.objects.iter().enumerate().filter(|(_, o)| t < o.hidden.0 || t > o.hidden.1);
        visible.map(|(i, o)| Identified { id: i as u64 + 1, bbox: o.at(t) }).collect()
    }

    /// What a detector of middling quality makes of the frame.
    pub(super) fn detections(&mut self, frame: usize) -> Vec<Detection> {
        let mut found = Vec::new();
        for object in self.truth(frame) {
            let class_id = self.objects[object.id as usize - 1].class_id;
            let dice = &mut self.dice;
            if dice.unit() < self.miss_rate {
                continue;
            }
            let b = object.bbox;
            let (w, h) = (b.x_max - b.x_min, b.y_max - b.y_min);
            let mut jitter = |size: f32| dice.normal() * 0.025 * size;
            let bbox = NormBox {
                x_min: b.x_min + jitter(w),
                y_min: b.y_min + jitter(h),
                x_max: b.x_max + jitter(w),
                y_max: b.y_max + jitter(h),
            };
            let score = (0.68 + 0.16 * dice.normal()).clamp(0.05, 0.99);
            let wavers = dice.unit() < 0.03;
            found.push(Detection { bbox, class_id: if wavers { 3 } else { class_id }, score });
        }
        if self.dice.unit() < self.false_rate {
            let (x, y, size) = (self.dice.unit() * 0.9, self.dice.unit() * 0.9, self.dice.between(0.05, 0.2));
            let bbox = NormBox { x_min: x, y_min: y, x_max: x + size, y_max: y + size };
            let score = self.dice.between(0.3, 0.7);
            found.push(Detection { bbox, class_id: 1, score });
        }
        found
    }
}
