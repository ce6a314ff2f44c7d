//! Two clocks, two labels, one factor: what was put in is found.

use super::*;
use crate::billing::port::{Counts, Shape, Told, Unit};

const DAY: i64 = 86_400;

/// A midnight.
const ORIGIN: i64 = 1_793_462_400;

const ANY: Question = Question {
    label: None,
    lag: None,
    overhead: Overhead::Factor(ONE_PPM),
    rank: RankRule::FloorDiscard,
    tolerance_ppm: 30_000,
    since: None,
    until: None,
};

/// A day of bins of ten seconds, rough enough that no two hours are alike.
fn bins() -> Vec<(i64, u128)> {
    let mut state = 7_u64;
    let mut level = 500_000_u64;
    let bin = |at: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        level = (level * 15 + (state >> 44)) / 16;
        (ORIGIN + at * 10, u128::from(level))
    };
    (0..DAY / 10).map(bin).collect()
}

/// The port of those bins: so many seconds behind, times a factor in millionths.
fn port(curve: &Curve, lag: i64, factor: u64, label: Label) -> Port {
    let sample = |at: i64| {
        let start = ORIGIN + at * 300;
        let bytes = scaled(curve.bytes(start - lag, start + 300 - lag), factor);
        Sample { label: if label == Label::End { start + 300 } else { start }, seconds: 300, bytes }
    };
    Port {
        shape: Shape::Sheet,
        column: "out".to_owned(),
        unit: Unit::BYTES,
        told: Told::File,
        step: 300,
        samples: (0..DAY / 300).map(sample).collect(),
        label: None,
        rows: 288,
        unknown: 0,
        counts: Counts::default(),
        bad_rows: 0,
        faults: Vec::new(),
    }
}

fn audit(curve: &Curve, port: &Port, question: &Question) -> Audit {
    let logs = Logs { curve, span: (ORIGIN, ORIGIN + DAY) };
    compare(port, &logs, question).unwrap()
}

#[test]
fn lags_and_labels_are_found() {
    let curve = Curve::new(10, bins());
    for (lag, label) in
        [(0, Label::End), (90, Label::End), (-90, Label::End), (140, Label::Start), (-50, Label::Start)]
    {
        let found = audit(&curve, &port(&curve, lag, 1_070_000, label), &ANY);
        assert_eq!((found.label, found.label_by), (label, LabelBy::Correlation), "{lag} {label:?}");
        assert_eq!((found.skew.lag, found.skew.best), (lag, lag), "{label:?}");
        assert!(found.factor_ppm.unwrap().abs_diff(1_070_000) < 10, "{:?}", found.factor_ppm);
        assert!(found.skew.correlation.unwrap() > 0.9999);
        assert!(!found.passed, "7 % are too much");
        assert!(found.difference_ppm(&found.adjusted, Decider::P95).unwrap() < -60_000);
        let fitted =
            audit(&curve, &port(&curve, lag, 1_070_000, label), &Question { overhead: Overhead::Fit, ..ANY });
        assert!(fitted.passed && fitted.applied_ppm == found.factor_ppm.unwrap());
    }
}

#[test]
fn a_factor_that_no_overhead_explains_does_not_pass() {
    let curve = Curve::new(10, bins());
    let check = |factor: u64, resembles: Option<Resembles>| {
        let port = port(&curve, 0, factor, Label::End);
        let fit = Question { overhead: Overhead::Fit, ..ANY };
        let fitted = audit(&curve, &port, &fit);
        assert_eq!((fitted.factor_resembles, fitted.passed), (resembles, resembles.is_none()), "{factor}");
        // Who types a factor means it.
        let typed = audit(&curve, &port, &Question { overhead: Overhead::Factor(factor), ..ANY });
        assert!(typed.passed, "{factor}");
    };
    check(970_000, None);
    check(1_299_000, None);
    check(960_000, Some(Resembles::Nothing));
    check(1_310_000, Some(Resembles::Nothing));
    check(0, Some(Resembles::DeadMeter));
    check(133_750, Some(Resembles::Eighth));
    check(8_560_000, Some(Resembles::Eight));
    check(1_070_000_000, Some(Resembles::Thousands));
}

#[test]
fn what_no_factor_holds_for_does_not_pass() {
    let curve = Curve::new(10, bins());
    let mut port = port(&curve, 0, ONE_PPM, Label::End);
    port.samples.iter_mut().for_each(|sample| sample.bytes = 10_u128.pow(33));
    let found = audit(&curve, &port, &Question { overhead: Overhead::Fit, ..ANY });
    assert_eq!((found.factor_ppm, found.factor_resembles), (None, Some(Resembles::Nothing)));
    assert!(!found.passed && found.logs.bytes > 0);
}

#[test]
fn what_is_asked_is_done() {
    let curve = Curve::new(10, bins());
    let port = port(&curve, 90, ONE_PPM, Label::End);
    let found = audit(&curve, &port, &Question { lag: Some(0), ..ANY });
    assert_eq!((found.skew.lag, found.skew.best), (0, 90));
    assert!(found.skew.correlation < found.skew.correlation_best);
    let found = audit(&curve, &port, &Question { label: Some(Label::Start), ..ANY });
    assert_eq!((found.label, found.label_by, found.skew.lag), (Label::Start, LabelBy::Asked, 390));
    let limits = Question { since: Some(ORIGIN + 3600), until: Some(ORIGIN + 7200), ..ANY };
    let found = audit(&curve, &port, &limits);
    assert_eq!((found.pairs.len(), found.decider), (12, Decider::Volume));
    assert_eq!((found.missing_port.samples, found.missing_logs.samples), (0, 0));
}

#[test]
fn a_few_bad_samples_do_not_move_the_factor() {
    let curve = Curve::new(10, bins());
    let mut port = port(&curve, 0, 1_030_000, Label::End);
    // A backup through the same port, and an hour that the meter missed half of.
    for at in 100..106 {
        port.samples[at].bytes *= 20;
    }
    for at in 200..212 {
        port.samples[at].bytes /= 2;
    }
    let found = audit(&curve, &port, &ANY);
    assert_eq!(found.set_aside, 18);
    assert!(found.factor_ppm.unwrap().abs_diff(1_030_000) < 10, "{:?}", found.factor_ppm);
    let mut worst = found.worst(6);
    worst.sort_unstable();
    assert_eq!(worst, [100, 101, 102, 103, 104, 105]);
}

#[test]
fn gaps_of_both_sides_are_named() {
    let bins: Vec<_> =
        bins().into_iter().filter(|(bin, _)| !(3000..3600).contains(&(bin - ORIGIN))).collect();
    let curve = Curve::new(10, bins);
    let mut port = port(&Curve::new(10, super::tests::bins()), 0, ONE_PPM, Label::End);
    port.samples.drain(50..53);
    port.samples.remove(20);
    let after = Sample { label: ORIGIN + DAY + 300, seconds: 300, bytes: 1 };
    port.samples.push(after);
    let found = audit(&curve, &port, &ANY);
    let run = |at: i64, samples: u64| Run {
        start: ORIGIN + at * 300,
        end: ORIGIN + (at + samples.cast_signed()) * 300,
        samples,
    };
    assert_eq!(found.missing_port, Gaps { samples: 4, runs: vec![run(20, 1), run(50, 3)] });
    assert_eq!(found.missing_logs, Gaps { samples: 1, runs: vec![run(288, 1)] });
    assert_eq!(found.silent_logs, Gaps { samples: 2, runs: vec![run(10, 2)] });
    assert_eq!(found.pairs.len(), 284);
}

/// A port that has the samples from `first` on, up to `limit`, of a day of 288.
fn check_missing(lag: i64, first: usize, limit: usize, expected: &[(i64, i64, u64)]) {
    let curve = Curve::new(10, bins());
    let mut port = port(&curve, lag, ONE_PPM, Label::End);
    port.samples = port.samples[first..limit].to_vec();
    let found = audit(&curve, &port, &Question { label: Some(Label::End), lag: Some(lag), ..ANY });
    let runs: Vec<(i64, i64, u64)> = found
        .missing_port
        .runs
        .iter()
        .map(|run| (run.start - ORIGIN, run.end - ORIGIN, run.samples))
        .collect();
    let case = format!("{lag} s, samples {first} to {limit}");
    assert_eq!(runs, expected, "{case}");
    assert_eq!(found.missing_port.samples, expected.iter().map(|run| run.2).sum::<u64>(), "{case}");
}

#[test]
fn a_lag_makes_no_gaps() {
    for lag in [0, 10, 149, 150, 200, 299, 300, 390, 600] {
        check_missing(lag, 0, 288, &[]);
        check_missing(-lag, 0, 288, &[]);
    }
    // What would not be compared either is no gap: a sample in which the logs begin or end, the lag earlier.
    check_missing(0, 1, 287, &[(0, 300, 1), (86_100, 86_400, 1)]);
    check_missing(200, 1, 287, &[(86_100, 86_400, 1)]);
    check_missing(-200, 1, 287, &[(0, 300, 1)]);
    check_missing(200, 3, 285, &[(300, 900, 2), (85_500, 86_400, 3)]);
    check_missing(-200, 3, 285, &[(0, 900, 3), (85_500, 86_100, 2)]);
}

#[test]
fn nothing_in_common_is_an_error() {
    let curve = Curve::new(10, bins());
    let mut port = port(&curve, 0, ONE_PPM, Label::End);
    port.samples.iter_mut().for_each(|sample| sample.label += 10 * DAY);
    let logs = Logs { curve: &curve, span: (ORIGIN, ORIGIN + DAY) };
    assert_eq!(
        compare(&port, &logs, &ANY).unwrap_err(),
        "no sample of the port is of a time that the logs cover"
    );
}

#[test]
fn a_zone_gone_wrong_is_seen() {
    let curve = Curve::new(10, bins());
    let mut port = port(&curve, 0, ONE_PPM, Label::End);
    port.samples.iter_mut().for_each(|sample| sample.label += 8 * 3600);
    let found = audit(&curve, &port, &ANY);
    assert_eq!((found.skew.lag, found.zone_error), (0, Some(8 * 3600)));
    assert_eq!(found.label_by, LabelBy::Default);
}

#[test]
fn flat_traffic_tells_no_lag() {
    let curve = Curve::new(10, (0..DAY / 10).map(|at| (ORIGIN + at * 10, 1000)).collect());
    let found = audit(&curve, &port(&curve, 0, ONE_PPM, Label::End), &ANY);
    assert_eq!((found.skew.lag, found.skew.correlation, found.label_by), (0, None, LabelBy::Default));
    assert!(found.passed);
    let found = audit(&Curve::default(), &port(&curve, 0, ONE_PPM, Label::End), &ANY);
    assert_eq!((found.factor_ppm, found.passed), (None, false));
}

#[test]
fn differences_are_rounded_away_from_zero() {
    assert_eq!(difference_ppm(97, 100), Some(-30_000));
    assert_eq!(difference_ppm(103, 100), Some(30_000));
    assert_eq!(difference_ppm(10_300_001, 10_000_000), Some(30_001));
    assert_eq!(difference_ppm(0, 0), Some(0));
    assert_eq!(difference_ppm(1, 0), None);
    assert_eq!(difference_ppm(u128::MAX, 1), Some(i64::MAX));
    assert_eq!(scaled(1000, 1_070_000), 1070);
    assert_eq!(scaled(u128::MAX, 2_000_000), u128::MAX / 1_000_000);
}
