//! Figures that vendors and projects publish, recomputed. Each test names where its figure comes from.

use super::decimal::Decimal;
use super::method::{Billed, Part, Quantity, Terms, Traffic, measure, measure_sum};
use super::period::Period;
use super::rank::RankRule;
use super::samples::Frame;
use super::tariff::{Price, Tariff, Tier, charge, invoice};
use super::words::{Method, Missing, Overhead, Proration, Rate, ValidDays, Volume, VolumeUnit};
use crate::time::{Timestamp, Zone};

const MBPS_300_S: u128 = 37_500_000;

pub(super) fn frame(zone: &str, period: &str, slot: u32) -> Frame {
    let zone = Zone::parse(zone).unwrap();
    Frame::new(&Period::parse(period, 1, &zone, Timestamp(0)).unwrap(), slot, None).unwrap()
}

fn tariff(price: &str, digits: u32) -> Tariff {
    Tariff {
        price: Some(Price::Single(Decimal::parse(price).unwrap())),
        commit: None,
        proration: Proration::ValidDays,
        volume_unit: VolumeUnit::Decimal,
        digits,
    }
}

fn mbps(billed: &Billed) -> u128 {
    assert_eq!(billed.quantity.number() % 1_000_000, 0);
    billed.quantity.number() / 1_000_000
}

/// Slots of 1, 2, 3 … Mbps: the billed rate is the billed rank, seen from below.
fn counting(frame: &Frame) -> Vec<u128> {
    (1..=frame.slots().len() as u128).map(|mbps| mbps * MBPS_300_S).collect()
}

fn check_rank(zone: &str, period: &str, rule: RankRule, samples: u64, rank: u64) {
    let frame = frame(zone, period, 300);
    let billed =
        measure(&frame, &Traffic::sent_only(&counting(&frame)), &Terms { rank: rule, ..Terms::default() })
            .unwrap();
    assert_eq!((billed.samples, billed.period_samples), (samples, samples), "{zone} {period}");
    assert_eq!(billed.rank.unwrap().whole, rank, "{zone} {period} {rule:?}");
    let bps = billed.quantity.number();
    assert_eq!(bps, u128::from(samples + 1 - rank) * 1_000_000, "{zone} {period} {rule:?}");
    let at = frame.place(billed.billed.unwrap().slot.start).unwrap() as u64;
    assert_eq!((at + 1, billed.ties), (samples + 1 - rank, 1));
    assert_eq!(billed.driving.len() as u64, rank);
}

/// Aliyun CDN, 计费方式 基础服务计费 (`AlibabaCloudDocs/cdn` @dd60729): of 8640 points the 433rd is billed; in a month of
/// 29 days 417 are dropped and the 418th is billed.
#[test]
fn aliyun_ranks() {
    check_rank("Asia/Shanghai", "2026-11", RankRule::FloorDiscard, 8640, 433);
    check_rank("Asia/Shanghai", "2028-02", RankRule::FloorDiscard, 8352, 418);
}

/// `LibreNMS`'s `Billing.php` @005ea2f, Cacti `graph_variables.php` @8a8541d: where 20 does not divide N they differ.
#[test]
fn the_rule_shows_in_a_month_of_29_days() {
    check_rank("UTC", "2028-02", RankRule::LibreNms, 8352, 419);
    check_rank("UTC", "2028-02", RankRule::Ntopng, 8352, 420);
    check_rank("UTC", "2026-10", RankRule::Cacti, 8928, 448);
    check_rank("UTC", "2026-02", RankRule::FloorDiscard, 8064, 404);
    check_rank("UTC", "2026-02", RankRule::Cacti, 8064, 405);
}

/// The vector of reference/billing.md §1.1: samples of 1 to N Mbps under all seven rules, in kbit/s.
#[test]
fn the_rank_vector() {
    for (period, expected) in [
        ("2026-10", [8_482_000, 8_482_000, 8_482_000, 8_482_000, 8_481_000, 8_481_000, 8_481_650]),
        ("2028-02", [7_935_000, 7_934_000, 7_934_000, 7_934_000, 7_934_000, 7_933_000, 7_934_450]),
    ] {
        let frame = frame("UTC", period, 300);
        let series = counting(&frame);
        let rates = RankRule::ALL.map(|rank| {
            let billed =
                measure(&frame, &Traffic::sent_only(&series), &Terms { rank, ..Terms::default() }).unwrap();
            assert_eq!(billed.billed.is_none(), rank == RankRule::Interpolated);
            billed.quantity.number() / 1000
        });
        assert_eq!(rates, expected, "{period}");
    }
}

/// Months with a clock change (reference/billing.md §1.1): 31 days less an hour, 30 days and an hour.
#[test]
fn months_with_a_clock_change() {
    check_rank("Europe/Berlin", "2026-03", RankRule::FloorDiscard, 8916, 446);
    check_rank("Europe/Berlin", "2026-03", RankRule::Cacti, 8916, 447);
    check_rank("America/New_York", "2026-11", RankRule::FloorDiscard, 8652, 433);
    check_rank("America/New_York", "2026-11", RankRule::Cacti, 8652, 434);
}

/// `BytePlus`, Pay-by-traditional-95th-percentile: 16 days of 288 points, 5 % are 230.4, the 231st is billed; 100 Mbps
/// at 14.3 for 16 of 31 days are 738.0645. Filled with zeros to 31 days, 446 would be discarded instead of 230.
#[test]
fn byteplus_and_valid_days() {
    let frame = frame("Asia/Shanghai", "2026-10", 300);
    let mut series = counting(&frame);
    series[16 * 288..].fill(0);
    let check = |valid_days, samples, rank, days| {
        let terms = Terms { valid_days, ..Terms::default() };
        let billed = measure(&frame, &Traffic::sent_only(&series), &terms).unwrap();
        assert_eq!((billed.samples, billed.rank.unwrap().whole, billed.valid_days), (samples, rank, days));
        assert_eq!(mbps(&billed), u128::from(16 * 288 + 1 - rank), "{valid_days:?}");
        assert_eq!(billed.period_days, 31);
    };
    check(ValidDays::Traffic, 4608, 231, 16);
    check(ValidDays::Use, 4608, 231, 16);
    check(ValidDays::None, 8928, 447, 31);
    check(ValidDays::parse("from:2026-10-16").unwrap(), 8928, 447, 16);
    let charged = charge(Quantity::Rate(100_000_000), (16, 31), &tariff("14.3", 4)).unwrap();
    assert_eq!(charged.total.unwrap().to_string(), "738.0645");
}

/// Aliyun: 900 Mbps at 15 from the 5th of a month of 30 days. Huawei Cloud, `iec_04_0204`: 300 Mbps at 120 for 16
/// of 30 days.
#[test]
fn prorated_fees() {
    let zone = Zone::parse("+08:00").unwrap();
    let period = Period::parse("2026-11", 1, &zone, Timestamp(0)).unwrap();
    let frame = Frame::new(&period, 300, None).unwrap();
    let series = vec![900 * MBPS_300_S; frame.slots().len()];
    let terms = Terms { valid_days: ValidDays::parse("from:2026-11-05").unwrap(), ..Terms::default() };
    let billed = measure(&frame, &Traffic::sent_only(&series), &terms).unwrap();
    assert_eq!((billed.samples, billed.valid_days, billed.period_days), (8640, 26, 30));
    let invoice = invoice(&billed, &tariff("15", 2)).unwrap();
    assert_eq!(invoice.total.unwrap().to_string(), "11700.00");
    let charged = charge(Quantity::Rate(300_000_000), (16, 30), &tariff("120", 2)).unwrap();
    assert_eq!(charged.total.unwrap().to_string(), "19200.00");
}

fn tiers(method: Method, tiers: &[(&str, &str)]) -> Vec<Tier> {
    let read = |(up_to, price): &(&str, &str)| Tier {
        up_to: (!up_to.is_empty())
            .then(|| super::words::parse_commit(up_to, method, VolumeUnit::Decimal).unwrap()),
        price: Decimal::parse(price).unwrap(),
    };
    tiers.iter().map(read).collect()
}

/// Tencent Cloud CDN, 基础服务计费 @1144e33: 3 TB are 2 · 1000 · 0.21 + 1 · 1000 · 0.20 = 620.
#[test]
fn tencent_slices() {
    let slices = tiers(Method::Volume, &[("2TB", "0.21"), ("10TB", "0.20"), ("", "0.18")]);
    let tariff = Tariff { price: Some(Price::Slices(slices)), proration: Proration::None, ..tariff("0", 2) };
    let charged = charge(Quantity::Volume(3_000_000_000_000), (31, 31), &tariff).unwrap();
    let lines: Vec<String> = charged
        .lines
        .iter()
        .map(|line| {
            format!(
                "{}: {} {} at {} = {}",
                line.description, line.quantity, line.unit, line.price, line.amount
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "measured, 0 to 2000 GB: 2000 GB at 0.21 = 420.00",
            "measured, 2000 to 10000 GB: 1000 GB at 0.20 = 200.00"
        ]
    );
    assert_eq!(charged.total.unwrap().to_string(), "620.00");
}

/// Aliyun CDN, peak bandwidth by the day: 1 Gbps reaches the second tier, so all of it costs 0.58: 580.
#[test]
fn aliyun_reached_tier() {
    let frame = frame("Asia/Shanghai", "2026-11-05..2026-11-05", 300);
    let mut series = vec![0; 288];
    series[200] = 1000 * MBPS_300_S;
    let terms = Terms { method: Method::NthPeak(1), ..Terms::default() };
    let billed = measure(&frame, &Traffic::sent_only(&series), &terms).unwrap();
    let reached = tiers(Method::P95, &[("500Mbps", "0.60"), ("5Gbps", "0.58"), ("", "0.56")]);
    let tariff = Tariff { price: Some(Price::Reached(reached)), ..tariff("0", 2) };
    let total = |quantity| charge(quantity, (1, 1), &tariff).unwrap().total.unwrap().to_string();
    assert_eq!(total(billed.quantity), "580.00");
    assert_eq!(total(Quantity::Rate(500_000_000)), "300.00");
    assert_eq!(total(Quantity::Rate(500_000_001)), "290.00");
    assert_eq!(total(Quantity::Rate(6_000_000_000)), "3360.00");
}

/// Daily peaks of 100, 90, 80, 70, 60 and 50 (reference/billing.md §1.3): the fourth is 70, the mean 75. With less than
/// four days the fourth peak is 0, as Aliyun's prediction API has it.
#[test]
fn fourth_peak_and_mean_of_peaks() {
    let frame = frame("Asia/Shanghai", "2026-11-01..2026-11-06", 300);
    let mut series = vec![0; 6 * 288];
    for (day, peak) in [60, 100, 50, 80, 70, 90].into_iter().enumerate() {
        series[day * 288 + 17 * day + 3] = peak * MBPS_300_S;
    }
    let bill = |method| {
        measure(&frame, &Traffic::sent_only(&series), &Terms { method, ..Terms::default() }).unwrap()
    };
    let fourth = bill(Method::NthPeak(4));
    assert_eq!((mbps(&fourth), fourth.billed.unwrap().rank, fourth.driving.len()), (70, 4, 4));
    let parts: Vec<Part> = fourth.days.iter().map(|day| day.part).collect();
    assert_eq!(parts.iter().position(|part| *part == Part::Billed), Some(4));
    assert_eq!(mbps(&bill(Method::DayPeakAvg)), 75);
    assert_eq!(mbps(&bill(Method::NthPeak(6))), 50);
    let seventh = bill(Method::NthPeak(7));
    assert_eq!((mbps(&seventh), seventh.too_few_days, seventh.billed), (0, Some(6), None));
}

/// Huawei's enhanced 95 and Tencent's monthly top 5: a day counts with its fifth sample, the five highest days are
/// averaged.
#[test]
fn fifth_samples_of_five_days() {
    let frame = frame("Asia/Shanghai", "2026-11-01..2026-11-07", 300);
    let mut series = vec![0; 7 * 288];
    for day in 0..7 {
        series[day * 288..day * 288 + 4].fill(1000 * MBPS_300_S);
        series[day * 288 + 100] = (day as u128 + 1) * 10 * MBPS_300_S;
    }
    let terms = Terms { method: Method::Top5Avg, ..Terms::default() };
    let billed = measure(&frame, &Traffic::sent_only(&series), &terms).unwrap();
    assert_eq!((mbps(&billed), billed.too_few_days), (50, None));
    assert_eq!(billed.days.iter().filter(|day| day.part == Part::Averaged).count(), 5);
    let short = frame_of_days(3);
    let billed = measure(&short, &Traffic::sent_only(&series[..3 * 288]), &terms).unwrap();
    assert_eq!((mbps(&billed), billed.too_few_days), (20, Some(3)));
}

fn frame_of_days(days: u32) -> Frame {
    frame("Asia/Shanghai", &format!("2026-11-01..2026-11-{days:02}"), 300)
}

/// `LibreNMS` #15239 asks for the 95th of two interfaces as a whole, not the sum of theirs; #18481 repaired rows of two
/// pollers, which doubled N. Series are added first, and N stays the number of slots.
#[test]
fn sums_are_ranked_and_rows_are_not_pooled() {
    let frame = frame_of_days(1);
    let (mut one, mut other) = (vec![10 * MBPS_300_S; 288], vec![20 * MBPS_300_S; 288]);
    one[..14].fill(100 * MBPS_300_S);
    other[14..28].fill(200 * MBPS_300_S);
    let ports = [Traffic::sent_only(&one), Traffic::sent_only(&other)];
    let whole = measure_sum(&frame, &ports, &Terms::default()).unwrap();
    assert_eq!((whole.samples, whole.rank.unwrap().whole, mbps(&whole)), (288, 15, 120));
    let each = ports.map(|port| mbps(&measure(&frame, &port, &Terms::default()).unwrap()));
    assert_eq!(each, [10, 20]);
    let pooled = frame_of_days(2);
    let pooled = measure(&pooled, &Traffic::sent_only(&[one, other].concat()), &Terms::default()).unwrap();
    assert_eq!((pooled.samples, mbps(&pooled)), (576, 20), "what pooling rows would have billed");
}

/// reference/billing.md §1.2: bursts in different slots vanish below two ranks, but not below that of their sum.
#[test]
fn percentiles_do_not_add_up() {
    // A hundred slots of five minutes.
    let frame = frame("UTC", "2026-11-01 00:00..2026-11-01 08:20", 300);
    let (mut one, mut other) = (vec![0; 100], vec![0; 100]);
    one[..5].fill(10 * MBPS_300_S);
    other[50..55].fill(10 * MBPS_300_S);
    let ports = [Traffic::sent_only(&one), Traffic::sent_only(&other)];
    let each = ports.map(|port| mbps(&measure(&frame, &port, &Terms::default()).unwrap()));
    assert_eq!(each, [0, 0]);
    assert_eq!(mbps(&measure_sum(&frame, &ports, &Terms::default()).unwrap()), 10);
}

/// Tencent: the bytes of five minutes over 300 s; 30 MB are 0.8 Mbps.
#[test]
fn tencent_point() {
    let frame = frame("UTC", "2026-11-01 08:00..2026-11-01 08:05", 300);
    let bytes = Volume::parse("30MB", VolumeUnit::Decimal).unwrap().0;
    let billed = measure(&frame, &Traffic::sent_only(&[bytes]), &Terms::default()).unwrap();
    assert_eq!(billed.quantity, Quantity::Rate(800_000));
    assert_eq!(Rate::parse("0.8Mbps").unwrap().0, 800_000);
}

/// Huawei Cloud, `cdn_01_0158`: 1 GB = 1024 MB; and its rule that 1 Mbps for a day is 10.54 GB, which counts 1024²
/// bits to the Mbit.
#[test]
fn huawei_gigabytes() {
    let tariff = Tariff { volume_unit: VolumeUnit::Binary, proration: Proration::None, ..tariff("0.2", 2) };
    let gigabytes = |bytes| {
        let charged = charge(Quantity::Volume(bytes), (1, 1), &tariff).unwrap();
        let line = &charged.lines[0];
        format!("{} {} = {}", line.quantity, line.unit, charged.total.unwrap())
    };
    assert_eq!(gigabytes(1 << 30), "1 GiB = 0.20");
    assert_eq!(gigabytes((1 << 20) / 8 * 86_400), "10.546875 GiB = 2.11");
    let slices = vec![
        Tier { up_to: Some(2 << 40), price: Decimal::parse("0.21").unwrap() },
        Tier { up_to: None, price: Decimal::parse("0.20").unwrap() },
    ];
    let tiered = Tariff { price: Some(Price::Slices(slices)), ..tariff.clone() };
    let charged = charge(Quantity::Volume(3 << 40), (1, 1), &tiered).unwrap();
    let lines: Vec<&str> = charged.lines.iter().map(|line| line.description.as_str()).collect();
    assert_eq!(lines, ["measured, 0 to 2048 GiB", "measured, above 2048 GiB"]);
    assert_eq!(Volume::parse("1GB", VolumeUnit::Binary).unwrap().0, 1024 * (1 << 20));
}

/// Aliyun, faq-detail 40164: what is billed is 1.1 times what is logged.
#[test]
fn overhead_is_applied_to_the_exact_result() {
    let frame = frame("UTC", "2026-11-01 08:00..2026-11-01 08:05", 300);
    let bill = |bytes: u128, overhead| {
        let terms = Terms { overhead, ..Terms::default() };
        let billed = measure(&frame, &Traffic::sent_only(&[bytes]), &terms).unwrap();
        (billed.raw.number(), billed.quantity.number())
    };
    assert_eq!(bill(37_500_000, Overhead::Aliyun), (1_000_000, 1_100_000));
    // 17 bytes are 0.4533 bit/s: nothing; 1.1 times that is 0.4987, and 1.15 times 0.5213.
    assert_eq!(bill(17, Overhead::Aliyun), (0, 0));
    assert_eq!(bill(17, Overhead::parse("1.15").unwrap()), (0, 1));
    assert_eq!(bill(37_500_000, Overhead::HeadersV4Ts), (1_000_000, 1_035_900));
}

/// Whatever a bill shows of its samples and days is what it bills, overhead included; bytes are as logged.
#[test]
fn overhead_is_in_the_evidence() {
    let frame = frame_of_days(2);
    let mut series = vec![0; 576];
    (series[7], series[300]) = (10 * MBPS_300_S, 20 * MBPS_300_S);
    let bill = |method| {
        let terms = Terms { method, overhead: Overhead::Aliyun, ..Terms::default() };
        measure(&frame, &Traffic::sent_only(&series), &terms).unwrap()
    };
    for method in [Method::NthPeak(1), Method::DayPeakAvg] {
        let days: Vec<u128> = bill(method).days.iter().map(|day| day.bps).collect();
        assert_eq!(days, [11_000_000, 22_000_000], "{method:?}");
    }
    let highest = bill(Method::NthPeak(1));
    for sample in [highest.billed, highest.peak, highest.around.first().copied()] {
        let sample = sample.unwrap();
        assert_eq!((sample.bps, sample.bytes), (22_000_000, 20 * MBPS_300_S));
    }
    assert_eq!(highest.quantity, Quantity::Rate(22_000_000));
    assert_eq!(bill(Method::DayPeakAvg).quantity, Quantity::Rate(16_500_000));
}

/// Samples of half an hour are those of the clock, wherever a period begins or ends (`accounting.md`).
#[test]
fn longer_samples_are_cut_by_the_clock() {
    let samples = |period: &str, from: usize, until: usize, bytes: &[(usize, u128)]| {
        let frame = frame("UTC", period, 300);
        let covered = frame.with_coverage(from..until);
        let mut series = vec![0; frame.slots().len()];
        for (place, bytes) in bytes {
            series[*place] = *bytes;
        }
        let terms = Terms { mean: Some(1800), method: Method::NthPeak(1), ..Terms::default() };
        let billed = measure(&covered, &Traffic::sent_only(&series), &terms).unwrap();
        let shown = |sample: &super::method::Ranked| {
            ((sample.slot.start % 86_400 / 60, sample.slot.seconds() / 60), sample.bps)
        };
        let around: Vec<_> = billed.around.iter().map(shown).collect();
        (billed.samples, billed.period_samples, around)
    };
    // 08:20 to 09:40: ten minutes, two halves of an hour, ten minutes. 08:20 and 09:35 have 600 s of their own.
    let (of_600_s, of_1800_s) = (1_000_000, 333_333);
    let period = "2026-11-01 08:20..2026-11-01 09:40";
    let busy = [(0, 75_000_000), (3, 75_000_000), (15, 75_000_000)];
    let expected = vec![((500, 10), of_600_s), ((570, 10), of_600_s), ((510, 30), of_1800_s), ((540, 30), 0)];
    assert_eq!(samples(period, 0, 16, &busy), (4, 4, expected));
    // Begun five minutes earlier, the other samples stay as they are.
    let busy = [(1, 75_000_000), (4, 75_000_000), (16, 75_000_000)];
    let expected = vec![((570, 10), of_600_s), ((495, 15), 666_667), ((510, 30), of_1800_s), ((540, 30), 0)];
    assert_eq!(samples("2026-11-01 08:15..2026-11-01 09:40", 0, 17, &busy), (4, 4, expected.clone()));
    // So they do if the logs begin there: only 08:15 to 08:30 is not what it would be with logs from 08:00.
    let busy = [(4, 75_000_000), (7, 75_000_000), (19, 75_000_000)];
    assert_eq!(samples("2026-11-01 08:00..2026-11-01 10:00", 3, 20, &busy), (4, 4, expected));
}

/// A day of 23 hours in samples of two: eleven whole ones and one of an hour, as a grid of that length cuts it.
#[test]
fn longer_samples_of_a_day_with_a_clock_change() {
    for (date, seconds) in [("2026-03-29", 7200), ("2026-10-25", 28_800), ("2026-10-25", 1800)] {
        let frame = frame("Europe/Berlin", &format!("{date}..{date}"), 300);
        let longer = super::figures_tests::frame("Europe/Berlin", &format!("{date}..{date}"), seconds);
        let terms = Terms { mean: Some(seconds), ..Terms::default() };
        let series = vec![1; frame.slots().len()];
        let selected = super::method::select(&frame, &Traffic::sent_only(&series), &terms).unwrap();
        let slots: Vec<_> = selected.ranked.iter().map(|sample| sample.slot).collect();
        assert_eq!(slots, longer.slots(), "{date} {seconds}");
        assert!(selected.ranked.iter().all(|sample| sample.bytes == u128::from(sample.slot.seconds() / 300)));
    }
}

#[test]
fn missing_slots() {
    let zone = Zone::utc();
    let period = Period::parse("2026-11-01..2026-11-02", 1, &zone, Timestamp(0)).unwrap();
    let whole = Frame::new(&period, 300, None).unwrap();
    let (first, last) = (whole.slots()[0], whole.slots()[399]);
    let half = Frame::new(&period, 300, Some((first, last))).unwrap();
    let series = vec![MBPS_300_S; 576];
    let bill = |frame: &Frame, missing| {
        measure(frame, &Traffic::sent_only(&series), &Terms { missing, ..Terms::default() })
    };
    let excluded = bill(&half, Missing::Exclude).unwrap();
    assert_eq!((excluded.samples, excluded.covered_slots, excluded.period_slots), (400, 400, 576));
    assert_eq!((excluded.period_samples, excluded.excluded_bytes), (576, 176 * MBPS_300_S));
    assert_eq!(bill(&half, Missing::Zero).unwrap().samples, 576);
    assert_eq!(
        bill(&half, Missing::Fail).unwrap_err(),
        "the logs cover 400 of 576 slots, and missing slots are to fail"
    );
    assert_eq!(bill(&whole, Missing::Fail).unwrap().samples, 576);
}

#[test]
fn commits() {
    let tariff = Tariff { commit: Some(2_000_000_000), proration: Proration::None, ..tariff("14.3", 2) };
    let below = charge(Quantity::Rate(1_830_000_000), (31, 31), &tariff).unwrap();
    assert_eq!((below.billed, below.below_commit), (Quantity::Rate(2_000_000_000), Some(170_000_000)));
    assert_eq!(
        (below.lines[0].description.as_str(), below.total.unwrap().to_string().as_str()),
        ("commit", "28600.00")
    );
    let above = charge(Quantity::Rate(2_000_000_001), (31, 31), &tariff).unwrap();
    assert_eq!((above.below_commit, above.lines[0].quantity.to_string().as_str()), (None, "2000.000001"));
    let flat = charge(Quantity::Port, (31, 31), &tariff).unwrap();
    assert_eq!((flat.lines[0].unit, flat.total.unwrap().to_string().as_str()), ("port", "14.30"));
    let free = Tariff { price: None, ..tariff };
    assert_eq!(charge(Quantity::Rate(1), (1, 1), &free).unwrap().total, None);
}
