#!/usr/bin/env python3
"""Recomputes slots, bills, drivers and dispatch shares from the definitions, and shares no code with the program.

    bill.py generate DIR    writes access.log, servers.csv, places.csv
    bill.py expect DIR      reads them and prints what must come out, as JSON, for each zone and scheme
    bill.py dispatch DIR    the same for who was served where

Everything is slow and obvious: whole numbers, dictionaries, one record after the other. Zones are written down as the
offsets that held in the days of the log, so no time zone database is needed.
"""

import calendar
import json
import sys
from collections import defaultdict
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
        lines.append((end, f"{client} - - [{end // MICROS}.{end // 1000 % 1000:03}] "
                      f"\"GET /{size % 7} HTTP/1.1\" 200 {size} {millis // 1000}.{millis % 1000:03} {server}"))
    lines.sort()
    (folder / "access.log").write_text("".join(line + "\n" for _, line in lines))
    rows = ["address,idc,region,carrier,price"]
    rows += [f"{address},{idc},{region},{carrier},10" for address, (idc, region, carrier) in SERVERS.items()]
    (folder / "servers.csv").write_text("\n".join(rows) + "\n")
    rows = ["network,country,province,carrier"]
    rows += [f"{net}.0/24,{','.join(place)}" for net, place in PLACES.items() if place]
    (folder / "places.csv").write_text("\n".join(rows) + "\n")


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


def shares(zone, scheme, record):
    slots = touched(zone, record)
    amount = record.bytes
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


def fit(record, site):
    """How well a site suits a client: region and carrier, carrier, region, neither."""
    _, region, carrier = site
    on_net = record.carrier is not None and carrier in (record.carrier, "BGP")
    in_region = record.region is not None and record.region == region
    return 2 * on_net + in_region


def better(record, site):
    """The site that suits best, if it suits better: of equals one in the client's country, then the first by name."""
    def key(other):
        country = record.region is not None and other[1][:2] == record.region[:2]
        return (-fit(record, other), not country, other[0])

    best = min(set(SERVERS.values()), key=key)
    return best[0] if fit(record, best) > fit(record, site) else None


def dispatch(folder):
    records = [Record(line) for line in (folder / "access.log").read_text().splitlines()]
    shares = {measure: defaultdict(lambda: [0, 0]) for measure in ("on-net", "in-region", "in-country")}
    matrix = defaultdict(lambda: [0, 0])
    misplaced = defaultdict(lambda: [0, 0])

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
        if known and better(record, site):
            key = (record.region or "unknown", record.carrier or "unknown", record.idc, better(record, site))
            count(misplaced[key], record)
    return {
        "shares": {measure: {str(answer): cell for answer, cell in cells.items()} for measure, cells in shares.items()},
        "region_idc": sorted([*key, *cell] for key, cell in matrix.items()),
        "misplaced": sorted([*key, *cell] for key, cell in misplaced.items()),
    }


def main():
    command, folder = sys.argv[1], Path(sys.argv[2])
    assert calendar.timegm((2026, 10, 24, 0, 0, 0)) == BEGIN
    if command == "generate":
        generate(folder)
    elif command == "dispatch":
        json.dump(dispatch(folder), sys.stdout)
    else:
        json.dump(expect(folder), sys.stdout)


if __name__ == "__main__":
    main()
