#!/usr/bin/env python3
"""Recomputes slots, bills, drivers and dispatch shares from the definitions, and shares no code with the program.

    bill.py generate DIR    writes access.log, servers.csv, places.csv and contracts
    bill.py expect DIR      reads them and prints what must come out, as JSON, for each zone and scheme
    bill.py terms DIR       the same in one zone for other directions, overheads, scopes, methods and sample lengths
    bill.py dispatch DIR    the same for who was served where

Everything is slow and obvious: whole numbers, dictionaries, one record after the other. Zones are written down as the
offsets that held in the days of the log, so no time zone database is needed.
"""

import calendar
import json
import sys
from collections import defaultdict
from fractions import Fraction
from functools import cache
from pathlib import Path

LINES = 100_000
MICROS = 1_000_000
SLOT = 300
# 2026-10-24T00:00:00Z; the days until 2026-11-02 include both nights on which clocks go back.
BEGIN = 1_792_800_000
DAYS = 9

# (from which second, seconds ahead of UTC)
ZONES = {
    "Asia/Shanghai": [(0, 28_800)],
    # Summer time ends on 2026-10-25 at 01:00 UTC (Directive 2000/84/EC).
    "Europe/Berlin": [(0, 7_200), (1_792_890_000, 3_600)],
    # Daylight saving time ends on 2026-11-01 at 02:00 local, 06:00 UTC (15 U.S.C. 260a).
    "America/New_York": [(0, -14_400), (1_793_512_800, -18_000)],
}
SCHEMES = ["time-proportional", "end-spike", "bin-uniform"]
DRIVERS = ["region", "carrier"]
# On 2026-10-28 in Shanghai, Frankfurt has nothing to do.
QUIET_IDC = "fra"
QUIET = (BEGIN + 4 * 86_400 - 28_800, BEGIN + 5 * 86_400 - 28_800)

SERVERS = {
    "10.0.0.1": ("bj", "CN-BJ", "China Telecom"),
    "10.0.0.2": ("bj", "CN-BJ", "China Telecom"),
    "10.0.1.1": ("gz", "CN-GD", "China Unicom"),
    "10.0.2.1": ("fra", "DE", "BGP"),
}
PLACES = {
    "1.2.3": ("CN", "Guangdong", "China Unicom"),
    "1.2.4": ("CN", "Beijing", "China Telecom"),
    "1.2.5": ("CN", "Beijing", "China Unicom"),
    "5.6.7": ("DE", "", ""),
    "9.9.9": None,
}
PROVINCES = {"Guangdong": "CN-GD", "Beijing": "CN-BJ"}


class Random:
    """A linear congruential generator: the same numbers in every version of Python."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def generate(folder):
    random = Random(20261024)
    lines = []
    for _ in range(LINES):
        # Busy hours and quiet ones: the larger of two draws leans to the evening.
        second = max(random.below(86_400), random.below(86_400))
        end = (BEGIN + random.below(DAYS) * 86_400 + second) * MICROS + random.below(1000) * 1000
        size = random.below(2_000) if random.below(3) else random.below(40_000_000)
        kind = random.below(10)
        millis = random.below(900) if kind < 7 else random.below(400_000) if kind < 9 else random.below(20_000_000)
        client = f"{list(PLACES)[random.below(len(PLACES))]}.{1 + random.below(250)}"
        server = (list(SERVERS) + ["10.9.9.9"])[random.below(len(SERVERS) + 1)]
        # A quarter are uploads, so that either direction is the larger one in many slots.
        received = random.below(40_000_000) if random.below(4) == 0 else 200 + random.below(1_000)
        start = end - millis * 1000
        if server in SERVERS and SERVERS[server][0] == QUIET_IDC:
            if start < QUIET[1] * MICROS and end >= QUIET[0] * MICROS:
                server = "10.0.0.1"
        lines.append((end, f"{client} - - [{end // MICROS}.{end // 1000 % 1000:03}] \"GET /{size % 7} HTTP/1.1\" "
                      f"200 {size} {millis // 1000}.{millis % 1000:03} {server} {received}"))
    lines.sort()
    (folder / "access.log").write_text("".join(line + "\n" for _, line in lines))
    rows = ["address,idc,region,carrier,price"]
    rows += [f"{address},{idc},{region},{carrier},10" for address, (idc, region, carrier) in SERVERS.items()]
    (folder / "servers.csv").write_text("\n".join(rows) + "\n")
    rows = ["network,country,province,carrier"]
    rows += [f"{net}.0/24,{','.join(place)}" for net, place in PLACES.items() if place]
    (folder / "places.csv").write_text("\n".join(rows) + "\n")
    for name, ports in CONTRACTS.items():
        text = "".join(f'[[port]]\nname = "{idc}"\nidc = ["{idc}"]\n' +
                       "".join(f'{key} = "{value}"\n' for key, value in terms.items())
                       for idc, terms in ports.items())
        (folder / name).write_text(text)


class Record:
    def __init__(self, line):
        words = line.split()
        self.client = words[0]
        seconds, millis = words[3].strip("[]").split(".")
        self.end = int(seconds) * MICROS + int(millis) * 1000
        self.bytes = int(words[9 - 1])
        seconds, millis = words[9].split(".")
        self.start = self.end - (int(seconds) * MICROS + int(millis) * 1000)
        self.server = words[10]
        self.received = int(words[11])
        self.idc = SERVERS[self.server][0] if self.server in SERVERS else None
        place = PLACES[self.client.rsplit(".", 1)[0]]
        self.region = None
        self.carrier = None
        if place:
            country, province, carrier = place
            self.region = PROVINCES.get(province, country)
            self.carrier = carrier or None


def offset(zone, second):
    return [ahead for since, ahead in ZONES[zone] if since <= second][-1]


def midnight(zone, second):
    """The first second of the day that holds a second."""
    ahead = offset(zone, second)
    start = (second + ahead) // 86_400 * 86_400 - ahead
    # Before clocks were set back on the same day, midnight had the earlier offset.
    return start + ahead - offset(zone, start) if offset(zone, start) != ahead else start


def slot_of(zone, second):
    # Whole hours are added to or taken from a day, so slots of five minutes never are cut.
    return midnight(zone, second) + (second - midnight(zone, second)) // SLOT * SLOT


def touched(zone, record):
    slots = []
    slot = slot_of(zone, record.start // MICROS)
    while slot <= record.end // MICROS:
        slots.append(slot)
        slot += SLOT
    return slots


def shares(zone, scheme, record, amount=None):
    slots = touched(zone, record)
    amount = record.bytes if amount is None else amount
    if scheme == "end-spike":
        return {slots[-1]: amount}
    if scheme == "maximum-volume":
        return {slot: amount for slot in slots}
    if scheme == "minimum-volume":
        return {slots[0]: amount} if len(slots) == 1 else {}
    if scheme == "bin-uniform":
        count = len(slots)
        return {slot: amount * (i + 1) // count - amount * i // count for i, slot in enumerate(slots)}
    width = record.end - record.start + 1

    def sent(second):
        return amount * (min(max(second * MICROS, record.start), record.end + 1) - record.start) // width

    return {slot: sent(slot + SLOT) - sent(slot) for slot in slots}


def rate(amount):
    return (amount * 8 * 2 + SLOT) // (2 * SLOT)


def p95(samples):
    """floor-discard: N/20 samples are left out, the next one is billed."""
    return sorted(samples, reverse=True)[len(samples) // 20]


def expect(folder):
    records = [Record(line) for line in (folder / "access.log").read_text().splitlines()]
    return {f"{zone} {scheme}": one(records, zone, scheme) for zone in ZONES for scheme in SCHEMES}


def series(records, zone, scheme):
    bytes_in = defaultdict(int)
    for record in records:
        for slot, share in shares(zone, scheme, record).items():
            bytes_in[slot] += share
    return bytes_in


def one(records, zone, scheme):
    first = slot_of(zone, min(record.end for record in records) // MICROS)
    last = slot_of(zone, max(record.end for record in records) // MICROS)
    period = range(first, last + SLOT, SLOT)
    samples = series(records, zone, scheme)
    inside = {slot: samples.get(slot, 0) for slot in period}
    billed = p95(inside.values())
    days = defaultdict(int)
    for slot, amount in inside.items():
        days[midnight(zone, slot)] = max(days[midnight(zone, slot)], amount)
    requests = defaultdict(int)
    for record in records:
        requests[slot_of(zone, record.end // MICROS)] += 1
    bounds = [series(records, zone, bound) for bound in ("minimum-volume", "maximum-volume", "end-spike")]
    bounds = [rate(p95([bound.get(slot, 0) for slot in period])) for bound in bounds]
    return {
        "slots": [[slot, requests.get(slot, 0), amount] for slot, amount in sorted(inside.items())],
        "samples": len(inside),
        "rank": len(inside) // 20 + 1,
        "billed_bps": rate(billed),
        "billed_slot_epoch": min_slot(inside, billed),
        "outside_bytes": sum(amount for slot, amount in samples.items() if slot not in inside),
        "interval_bps": bounds[:2],
        "end_spike_bps": bounds[2],
        "days": len(days),
        "nth_peak_4_bps": rate(sorted(days.values(), reverse=True)[3]),
        "drivers": drivers(records, zone, scheme, inside, billed),
    }


def min_slot(inside, billed):
    """Of the samples that are ranked from the largest, the earlier of two equal ones comes first."""
    ranked = sorted(inside.items(), key=lambda item: (-item[1], item[0]))
    slot, amount = ranked[len(inside) // 20]
    assert amount == billed
    return slot


def drivers(records, zone, scheme, inside, billed):
    driving = {slot for slot, amount in inside.items() if amount >= billed}
    sums = defaultdict(int)
    overall = defaultdict(int)
    for record in records:
        key = (record.region, record.carrier)
        for slot, share in shares(zone, scheme, record).items():
            if slot in inside:
                overall[key] += share
            if slot in driving:
                sums[key] += share
    total = sum(sums.values())
    whole = sum(overall.values())
    # Descending by bytes, ties by key; what is unknown comes after what is known.
    order = sorted(overall, key=lambda key: (-sums[key], [(part is None, part or "") for part in key]))
    return [{"region": key[0] or "unknown", "carrier": key[1] or "unknown", "bytes": sums[key],
             "share": [sums[key], total], "share_overall": [overall[key], whole]} for key in order]


# What is typed, and the terms that differ from the default ones.
TYPED = [
    {"direction": "in"},
    {"direction": "sum"},
    {"direction": "max-per-sample"},
    {"direction": "max-of-p95"},
    {"overhead": "packets"},
    {"overhead": "1.07"},
    {"overhead": "packets", "direction": "max-per-sample"},
    {"overhead": "1.07", "direction": "max-of-p95", "rank": "interpolated"},
    {"scope": "per-port"},
    {"scope": "per-port", "valid-days": "traffic"},
    {"scope": "per-port", "valid-days": "traffic", "direction": "in", "method": "day-peak-avg"},
    {"mean": "30m"},
    {"mean": "30m", "direction": "max-per-sample"},
    {"method": "day-peak-avg"},
    {"method": "day-peak-avg", "mean": "30m", "overhead": "packets", "scope": "per-port",
     "valid-days": "traffic", "direction": "max-per-sample"},
    {"rank": "interpolated", "mean": "30m", "direction": "sum"},
]
CONTRACTS = {
    "received.toml": {"bj": {"direction": "in"}, "gz": {"direction": "in"}},
    "mixed.toml": {
        "bj": {"overhead": "packets", "mean": "30m"},
        "gz": {"overhead": "1.07", "direction": "sum"},
        "fra": {"direction": "in", "method": "day-peak-avg", "valid_days": "traffic"},
    },
}
DEFAULTS = {"direction": "out", "overhead": "none", "scope": "sum-then-rate", "valid-days": "none", "mean": "5m",
            "method": "p95", "rank": "floor-discard"}
ZONE = "Asia/Shanghai"
MEANS = {"5m": 300, "30m": 1800}
# Every sample has a length that divides five hours: rates are compared in bits per five hours, which are whole.
FIVE_HOURS = 18_000
LOADS = ["time-proportional", "minimum-volume", "maximum-volume", "end-spike"]


class Log:
    """All records of a log, spread once: bytes by (load scheme, flow), then by (idc, region, carrier), then by slot."""

    def __init__(self, records):
        flows = {
            "out": lambda record: record.bytes,
            "in": lambda record: record.received,
            # 40 bytes of headers for every 1460 bytes begun.
            "packets": lambda record: record.bytes + 40 * ((record.bytes + 1459) // 1460),
        }
        self.cells = {(load, flow): defaultdict(lambda: defaultdict(int)) for load in LOADS for flow in flows}
        for record in records:
            key = (record.idc, record.region, record.carrier)
            for flow, amount in flows.items():
                for load in LOADS:
                    cell = self.cells[load, flow][key]
                    for slot, share in shares(ZONE, load, record, amount(record)).items():
                        cell[slot] += share
        first = slot_of(ZONE, min(record.end for record in records) // MICROS)
        last = slot_of(ZONE, max(record.end for record in records) // MICROS)
        self.period = range(first, last + SLOT, SLOT)

    def series(self, load, flow, place):
        sums = defaultdict(int)
        for (idc, _, _), slots in self.cells[load, flow].items():
            if place is EVERYWHERE or idc == place:
                for slot, amount in slots.items():
                    sums[slot] += amount
        return sums


EVERYWHERE = object()


@cache
def sample_of(slot, mean):
    """The first second of the sample that a slot is in, or would be in if the period had all of it."""
    return midnight(ZONE, slot) + (slot - midnight(ZONE, slot)) // mean * mean


def cut(log, sent, received, terms):
    """{start by the clock: [seconds, sent, received]} of the samples."""
    samples = {}
    for slot in log.period:
        sample = samples.setdefault(sample_of(slot, MEANS[terms["mean"]]), [0, 0, 0])
        sample[0] += SLOT
        sample[1] += sent.get(slot, 0)
        sample[2] += received.get(slot, 0)
    return samples


def chosen(sent, received, direction):
    if direction == "sum":
        return sent + received
    if direction == "max-per-sample":
        return max(sent, received)
    return received if direction == "in" else sent


def factor(terms):
    return Fraction(terms["overhead"]) if terms["overhead"] not in ("none", "packets") else Fraction(1)


def bps(rate, terms):
    """Bits per five hours in bit/s, with overhead, rounded half up."""
    return int(Fraction(rate) * factor(terms) / FIVE_HOURS + Fraction(1, 2))


def measure(samples, terms, valid=None):
    """The bill of samples; `valid` are the days that count, if another bill says so."""
    if terms["direction"] == "max-of-p95":
        both = [measure(samples, {**terms, "direction": direction}, valid) for direction in ("out", "in")]
        larger, smaller = both if both[0]["billed_bps"] >= both[1]["billed_bps"] else both[::-1]
        return {**larger, "other_direction_bps": smaller["billed_bps"],
                "left": min((bill["left"] for bill in both), key=lambda left: left[2], default=None),
                "both": both}
    amounts = {start: (seconds, chosen(sent, received, terms["direction"]))
               for start, (seconds, sent, received) in samples.items()}
    days = defaultdict(list)
    for start in amounts:
        days[midnight(ZONE, start)].append(start)
    if valid is None:
        valid = {day for day in days
                 if terms["valid-days"] == "none" or any(amounts[start][1] > 0 for start in days[day])}
    ranked = [(amount * 8 * FIVE_HOURS // seconds, start) for start, (seconds, amount) in amounts.items()
              if terms["valid-days"] == "none" or midnight(ZONE, start) in valid]
    ranked.sort(key=lambda sample: (-sample[0], sample[1]))
    figures = {
        "samples": len(ranked),
        "valid_days": len(valid),
        "period_days": len(days),
        "bytes": sum(amounts[start][1] for _, start in ranked),
        "peak_bps": bps(ranked[0][0], terms),
        "billed_direction": terms["direction"],
        "other_direction_bps": None,
        "valid": valid,
    }
    if terms["method"] == "day-peak-avg":
        peaks = {day: max(rate for rate, start in ranked if midnight(ZONE, start) == day) for day in sorted(valid)}
        figures |= {"billed_bps": bps(Fraction(sum(peaks.values()), len(peaks)), terms), "rank": None,
                    "billed_slot_epoch": None, "left": None,
                    "driving": {start for rate, start in ranked if rate >= peaks[midnight(ZONE, start)]}}
        return figures
    rank, part = len(ranked) // 20 + 1, 0
    if terms["rank"] == "interpolated":
        rank, part = (len(ranked) - 1) // 20 + 1, (len(ranked) - 1) % 20
    upper, start = ranked[rank - 1]
    rate = Fraction(upper * (20 - part) + ranked[rank if part else rank - 1][0] * part, 20)
    billed = bps(rate, terms)
    # r - 1 may be above the sample of rank r, and r above what lies between those of ranks r and r + 1.
    allowed = rank if part else rank - 1
    exceeding = sum(bps(other, terms) > billed for other, _ in ranked)
    return {**figures, "billed_bps": billed, "rank": rank + part / 20 if part else rank,
            "billed_slot_epoch": None if part else start, "left": (allowed, exceeding, allowed - exceeding),
            "driving": {start for other, start in ranked if other >= upper}}


def port(log, place, terms):
    """The bill of one port."""
    sent_flow = "packets" if terms["overhead"] == "packets" else "out"

    def samples(load, flow):
        return cut(log, log.series(load, flow, place), log.series(load, "in", place), terms)

    bill = measure(samples("time-proportional", sent_flow), terms)
    valid = bill["valid"]
    others = [measure(samples(load, sent_flow), terms, valid)["billed_bps"] for load in LOADS[1:]]
    raw = measure(samples("time-proportional", "out"), {**terms, "overhead": "none"}, valid)
    flows = {"out": [sent_flow], "in": ["in"]}.get(terms["direction"], [sent_flow, "in"])
    outside = sum(amount for flow in flows for slot, amount in log.series("time-proportional", flow, place).items()
                  if slot not in log.period)
    names = ["samples", "valid_days", "period_days", "bytes", "peak_bps", "billed_direction", "other_direction_bps",
             "billed_bps", "rank"]
    left = bill["left"] or (None, None, None)
    # A sample that the period has in part begins with the period.
    epoch = bill["billed_slot_epoch"]
    return {
        **{name: bill[name] for name in names},
        "billed_slot_epoch": None if epoch is None else max(epoch, log.period[0]),
        "billed_raw_bps": raw["billed_bps"],
        "interval_bps": others[:2],
        "end_spike_bps": others[2],
        "outside_bytes": outside,
        "left_allowed": left[0], "left_exceeding": left[1], "left": left[2],
        "drivers": port_drivers(log, place, terms, bill, sent_flow),
    }


def port_drivers(log, place, terms, bill, sent_flow):
    """Bytes of each client group in the samples that drive the bill and in all samples, in the direction that is
    billed; where the larger one of a sample is, in that one."""
    direction = bill["billed_direction"]
    samples = cut(log, log.series("time-proportional", sent_flow, place), log.series("time-proportional", "in", place),
                  terms)
    sums, overall = defaultdict(int), defaultdict(int)
    for flow in (sent_flow, "in"):
        for (idc, region, carrier), slots in log.cells["time-proportional", flow].items():
            for slot, amount in slots.items():
                if slot not in log.period or not (place is EVERYWHERE or idc == place):
                    continue
                start = sample_of(slot, MEANS[terms["mean"]])
                _, sent, received = samples[start]
                larger = "in" if received > sent else "out"
                counts = {"sum": ("in", "out"), "max-per-sample": (larger,)}.get(direction, (direction,))
                if ("in" if flow == "in" else "out") in counts:
                    overall[region, carrier] += amount
                    sums[region, carrier] += amount if start in bill["driving"] else 0
    order = sorted((key for key in overall if overall[key]),
                   key=lambda key: (-sums[key], [(part is None, part or "") for part in key]))
    return [{"region": key[0] or "unknown", "carrier": key[1] or "unknown", "bytes": sums[key],
             "share": [sums[key], sum(sums.values())], "share_overall": [overall[key], sum(overall.values())]}
            for key in order]


def peaks(log, ports):
    """Sum of peaks and peak of sum of (place, terms); None where samples of different terms cannot be added."""
    def peak(places, terms):
        direction = "max-per-sample" if terms["direction"] == "max-of-p95" else terms["direction"]
        flow = "packets" if terms["overhead"] == "packets" else "out"
        sums = [defaultdict(int), defaultdict(int)]
        for place in places:
            for sum_of, way in zip(sums, (flow, "in")):
                for slot, amount in log.series("time-proportional", way, place).items():
                    sum_of[slot] += amount
        return max(Fraction(chosen(sent, received, direction) * 8, seconds) * factor(terms)
                   for seconds, sent, received in cut(log, *sums, terms).values())

    sum_of_peaks = sum(peak([place], terms) for place, terms in ports)
    same = len({(terms["direction"], factor(terms), terms["mean"]) for _, terms in ports}) == 1
    peak_of_sum = peak([place for place, _ in ports], ports[0][1]) if same else None
    return {"sum_of_peaks_bps": int(sum_of_peaks + Fraction(1, 2)),
            "peak_of_sum_bps": None if peak_of_sum is None else int(peak_of_sum + Fraction(1, 2))}


def terms_expected(folder):
    records = [Record(line) for line in (folder / "access.log").read_text().splitlines()]
    log = Log(records)
    cases = []
    for typed in TYPED:
        words = [word for name, value in typed.items() for word in (f"--{name}", value)]
        terms = {**DEFAULTS, **typed}
        if terms["scope"] == "per-port":
            places = sorted({record.idc for record in records}, key=lambda idc: (idc is None, idc or ""))
            ports = [(f"all/{idc or 'unknown'}", idc, terms) for idc in places]
        else:
            ports = [("all", EVERYWHERE, terms)]
        cases.append(case(log, words, ports, 0))
    for name, stated in CONTRACTS.items():
        ports = [(idc, idc, {**DEFAULTS, **{key.replace("_", "-"): value for key, value in own.items()}})
                 for idc, own in stated.items()]
        directions = {terms["direction"] for _, _, terms in ports}
        # Bytes sent, unless nobody bills these; those of the period.
        flow = "in" if directions == {"in"} else "out"
        rest = [slots for key, slots in log.cells["time-proportional", flow].items() if key[0] not in stated]
        unbilled = sum(amount for slots in rest for slot, amount in slots.items() if slot in log.period)
        cases.append(case(log, ["--contract", str(folder / name)], ports, unbilled))
    return cases


def case(log, words, ports, unbilled):
    bills = [{"port": name, **port(log, place, terms)} for name, place, terms in ports]
    heading = peaks(log, [(place, terms) for _, place, terms in ports]) if len(ports) > 1 else {}
    if unbilled is not None:
        heading["unbilled_bytes"] = unbilled
    return {"words": words, "heading": heading, "bills": bills}


def fit(site, region, own):
    """How well a site suits a client of this region on this carrier: country first, then carrier, then region."""
    _, place, carrier = site
    return (place[:2] == region[:2], carrier in (own, "BGP"), place == region)


@cache
def judged(region, own, site):
    """The site that suits better wherever and on whichever carrier an unknown client may be, or "possibly"."""
    elsewhere, other = "ZZ", "nobody's"
    worlds = [
        (place, carrier)
        for place in ([region] if region else [place for _, place, _ in SERVERS.values()] + [elsewhere])
        for carrier in ([own] if own else [carrier for _, _, carrier in SERVERS.values()] + [other])
    ]
    others = sorted(set(SERVERS.values()) - {site})
    wins = {other: [fit(other, *world) > fit(site, *world) for world in worlds] for other in others}
    certain = [other for other in others if all(wins[other])]
    if certain:
        # Of several the best in the worst case, each thing for itself; of equals the first by name.
        worst = {other: [min(things) for things in zip(*(fit(other, *world) for world in worlds))] for other in certain}
        return max(certain, key=lambda other: (worst[other], -others.index(other)))[0]
    return "possibly" if any(any(win) for win in wins.values()) else None


def dispatch(folder):
    records = [Record(line) for line in (folder / "access.log").read_text().splitlines()]
    shares = {measure: defaultdict(lambda: [0, 0]) for measure in ("on-net", "in-region", "in-country")}
    matrix = defaultdict(lambda: [0, 0])
    misplaced = defaultdict(lambda: [0, 0])
    possibly = [0, 0]

    def count(cell, record):
        cell[0] += 1
        cell[1] += record.bytes

    for record in records:
        site = SERVERS.get(record.server)
        known = site is not None
        carrier = site[2] in (record.carrier, "BGP") if known and record.carrier else None
        region = site[1] == record.region if known and record.region else None
        country = site[1][:2] == record.region[:2] if known and record.region else None
        for measure, answer in (("on-net", carrier), ("in-region", region), ("in-country", country)):
            count(shares[measure][answer], record)
        count(matrix[(record.region or "unknown", record.idc or "unknown")], record)
        better = known and judged(record.region, record.carrier, site)
        if better == "possibly":
            count(possibly, record)
        elif better:
            count(misplaced[(record.region or "unknown", record.carrier or "unknown", record.idc, better)], record)
    return {
        "shares": {measure: {str(answer): cell for answer, cell in cells.items()} for measure, cells in shares.items()},
        "region_idc": sorted([*key, *cell] for key, cell in matrix.items()),
        "misplaced": sorted([*key, *cell] for key, cell in misplaced.items()),
        "possibly_misplaced": possibly,
    }


def main():
    command, folder = sys.argv[1], Path(sys.argv[2])
    assert calendar.timegm((2026, 10, 24, 0, 0, 0)) == BEGIN
    if command == "generate":
        generate(folder)
    elif command == "terms":
        json.dump(terms_expected(folder), sys.stdout)
    elif command == "dispatch":
        json.dump(dispatch(folder), sys.stdout)
    else:
        json.dump(expect(folder), sys.stdout)


if __name__ == "__main__":
    main()
