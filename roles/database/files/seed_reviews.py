"""Fill the table `auto` with product reviews of car parts: believable, and the same in every run.

Where to is told by libpq's variables PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD:
https://www.postgresql.org/docs/current/libpq-envars.html

Prints {"changed": true, "rows": 250000}. One transaction does it all: a run that is cut short leaves what was before.
The columns are those of the Amazon customer reviews data set.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

try:
    import psycopg
except ImportError:
    sys.exit(
        f"{sys.executable} has no psycopg: pip install 'psycopg[binary]', or name another in database_seed_python."
    )

# A change of what is generated needs another version, or filled tables stay as they are.
VERSION = 1
DEFAULT_ROWS = 250_000
REVIEWS_PER_PRODUCT = 60
LOCK = 20150831  # one seeding at a time

TABLE = """
CREATE TABLE auto_seeding (
    marketplace       text NOT NULL,
    customer_id       bigint NOT NULL,
    review_id         text NOT NULL,
    product_id        text NOT NULL,
    product_parent    bigint NOT NULL,
    product_title     text NOT NULL,
    product_category  text NOT NULL,
    star_rating       smallint NOT NULL CHECK (star_rating BETWEEN 1 AND 5),
    helpful_votes     integer NOT NULL,
    total_votes       integer NOT NULL,
    vine              boolean NOT NULL,
    verified_purchase boolean NOT NULL,
    review_headline   text NOT NULL,
    review_body       text NOT NULL,
    review_date       date NOT NULL,
    year              smallint NOT NULL
)
"""
REPLACE = (
    "DROP TABLE IF EXISTS auto",
    "ALTER TABLE auto_seeding RENAME TO auto",
    "ALTER TABLE auto ADD PRIMARY KEY (review_id)",
)

BRANDS = (
    *("Northgate", "Kestrel", "Autoline", "Ridgeback", "Tornau", "Vantera", "Halden", "Ironpeak", "Lumax", "Delmar"),
    *("Brightway", "Sturm & Voss", "Pacific Crest", "Rovano", "Granite Road", "Everspark", "Oldfield", "TrueTorque"),
)
# Part, variants, what customers say it does well, what they complain about.
FITTED_PARTS = (
    ("Ceramic Brake Pad Set", ("Front", "Rear"), "stops without a squeal", "squealed after a week"),
    ("Drilled Brake Rotor Pair", ("Front", "Rear"), "runs true, no pulsing in the pedal", "warped within a month"),
    ("Beam Wiper Blade", ('18"', '22"', '24"', '26"'), "wipes clean in heavy rain", "leaves a streak right in view"),
    ("LED Headlight Bulb Kit", ("H7", "H11", "9005"), "lights the road far better", "flickers when it is cold"),
    ("Oil Filter", ("Spin-On", "Cartridge", "Pack of 3"), "fits like the original", "came without its gasket"),
    ("Cabin Air Filter", ("Carbon", "Standard"), "took the musty smell away", "is too wide for the housing"),
    ("Engine Air Filter", ("Panel", "Washable"), "went in within two minutes", "lets dust past the edge"),
    ("Iridium Spark Plug Set", ("4 Pack", "6 Pack"), "brought the smooth idle back", "had one cracked plug"),
    ("AGM Car Battery", ("Group 35", "Group 48"), "starts at once on frosty mornings", "was dead after one winter"),
    ("All-Weather Floor Mats", ("Black", "Grey", "Tan"), "catches all the snow and mud", "slides under the pedals"),
    ("Leatherette Seat Cover", ("Front Pair", "Full Set"), "looks as from the factory", "tore at the seam"),
    ("Cargo Net", ("Trunk", "Bed"), "keeps the groceries where they are", "lost a hook at once"),
    ("Windshield Sun Shade", ("Medium", "Large"), "keeps the cabin bearable", "does not fold back into its bag"),
    ("Backup Camera Kit", ("Wired", "Wireless"), "shows a clear picture", "lost its signal in the rain"),
)
OTHER_PARTS = (
    ("Synthetic Motor Oil", ("0W-20, 5 qt", "5W-30, 5 qt"), "keeps the engine quiet", "arrived with a leaking cap"),
    ("Jump Starter", ("1000 A", "2000 A"), "started a dead truck on the first try", "does not hold its charge"),
    ("Digital Tire Inflator", ("12 V", "Cordless"), "stops at the set pressure", "has far too short a hose"),
    ("Magnetic Phone Mount", ("Vent", "Dash"), "holds on the roughest road", "falls off in the heat"),
    ("Dash Camera", ("1080p", "1440p", "4K"), "reads plates even at night", "shuts off in the sun"),
    ("OBD2 Scanner", ("Bluetooth", "Handheld"), "told me which sensor had failed", "would not connect to my car"),
    ("Trailer Hitch Ball Mount", ('2"', '1-1/4"'), "pulls the boat without play", "rusted after one season"),
    ("Ratchet Strap Set", ("4 Pack", "2 Pack"), "held a motorcycle for 800 miles", "jams under load"),
    ("Car Wash Shampoo", ("16 oz", "64 oz", "1 gal"), "leaves no water spots", "foams less than it says"),
    ("Ceramic Coating Spray", ("16 oz", "Kit"), "makes water bead for months", "left hazy marks on black paint"),
    ("Microfiber Towels", ("12 Pack", "24 Pack"), "leaves no lint and no scratches", "sheds more than my cat"),
    ("Headlight Restoration Kit", ("Single", "Double"), "took ten years off the lenses", "did not last"),
    ("Steering Wheel Cover", ("Black", "Red Stitch"), "feels good in the hands", "smells of rubber"),
    ("Torque Wrench", ('1/2" Drive', '3/8" Drive'), "clicks where it should", "came without its certificate"),
    ("Floor Jack", ("2 Ton", "3 Ton"), "lifts the car without effort", "sinks slowly under load"),
    ("Tow Strap with Hooks", ("20 ft", "30 ft"), "pulled a van out of the ditch", "came apart at the stitching"),
)
FITMENTS = (
    *("for Sedans", "for SUVs", "for Pickup Trucks", "for Compact Cars", "for Vans", "for Hatchbacks"),
    *("for 2008-2014 Models", "for 2012-2018 Models", "for 2015-2021 Models", "OE Replacement"),
)
GRADES = ("Heavy Duty", "Premium", "Professional Grade", "Compact", "Value Line", "2nd Generation")
HEADLINES = {
    5: ("Perfect", "Five Stars", "Would buy again", "Better than the original", "Excellent quality", "As described"),
    4: ("Very good", "Four Stars", "Good value for the price", "Works well, small flaws", "Happy with it"),
    3: ("It is okay", "Three Stars", "Does the job", "Expected a bit more", "Average"),
    2: ("Disappointed", "Two Stars", "Not as pictured", "Did not last", "Needs improvement"),
    1: ("Do not buy", "One Star", "Waste of money", "Returned it", "Broke right away"),
}
OPENINGS = (
    *("Bought this for my wife's car.", "Installed it on Saturday morning.", "Second one I have ordered."),
    *("Ordered it after my old one gave up.", "My mechanic recommended it.", "Got it for the truck."),
    *("I have used it for three months now.", "Came a day early and well packed.", "Took me about twenty minutes."),
    *("The instructions are short but clear.", "Compared four others before this one."),
)
CLOSINGS = {
    5: ("Highly recommended.", "Could not be happier.", "Will order another for the second car.", "Great price, too."),
    4: ("One star off for the packaging.", "I would still buy it again.", "Good for the money."),
    3: ("You get what you pay for.", "Fine as a spare.", "Might work better on another car."),
    2: ("I expected more at this price.", "Back to the old brand.", "Not sure I will keep it."),
    1: ("Sent it back.", "Save your money.", "Customer service never answered."),
}


@dataclass(frozen=True)
class Product:
    """A product; `ratings` are the relative frequencies of 1 to 5 stars."""

    id: str
    parent: int
    title: str
    praise: str
    complaint: str
    ratings: tuple[float, ...]


Row = tuple[str, int, str, str, int, str, str, int, int, int, bool, bool, str, str, datetime.date, int]


def products(count: int, chance: random.Random) -> list[Product]:
    """Return `count` products with different titles, the most popular first."""
    kinds = itertools.chain(
        itertools.product(BRANDS, FITTED_PARTS, FITMENTS),
        itertools.product(BRANDS, OTHER_PARTS, GRADES),
    )
    titles = [
        (f"{brand} {name}, {variant}, {detail}", praise, complaint)
        for brand, (name, variants, praise, complaint), detail in kinds
        for variant in variants
    ]
    return [product(*words, chance) for words in chance.sample(titles, count)]


def product(title: str, praise: str, complaint: str, chance: random.Random) -> Product:
    identifier = "B00" + "".join(chance.choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=7))
    quality = chance.betavariate(5, 2)
    ratings = (1.2 - quality, 0.5 * (1.2 - quality), 0.5, 0.5 + quality, 4 * quality)
    return Product(identifier, chance.randrange(10**8, 10**9), title, praise, complaint, ratings)


def reviews(rows: int) -> Iterator[Row]:
    """Yield `rows` reviews. A few products get most of them, as in any shop (Zipf's law)."""
    chance = random.Random(VERSION)
    shelf = products(min(max(rows // REVIEWS_PER_PRODUCT, 25), 5_000), chance)
    popularity = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(shelf))))
    for number in range(rows):
        reviewed = chance.choices(shelf, cum_weights=popularity)[0]
        yield review(number, reviewed, chance)


def review(number: int, reviewed: Product, chance: random.Random) -> Row:
    """Return one review; its identifier holds `number`, so that no two are the same."""
    stars = chance.choices((1, 2, 3, 4, 5), reviewed.ratings)[0]
    votes = int(chance.expovariate(0.6))
    day = datetime.date(2005, 1, 1) + datetime.timedelta(days=int(3895 * chance.random() ** 0.4))
    return (
        *("US", chance.randrange(10_000, 53_000_000), f"R{(number * 7_368_787 + 1_299_709) % 10**10:010}"),
        *(reviewed.id, reviewed.parent, reviewed.title, "Automotive", stars),
        *(chance.randint(0, votes), votes, chance.random() < 0.004, chance.random() < 0.9),
        *(chance.choice(HEADLINES[stars]), body(stars, reviewed, chance), day, day.year),
    )


def body(stars: int, reviewed: Product, chance: random.Random) -> str:
    """Return what a customer writes who gives so many stars."""
    opinion = f"It {reviewed.praise}." if stars > 3 else f"It {reviewed.complaint}."
    if stars == 3:
        opinion = f"On the good side: {reviewed.praise}. But mine {reviewed.complaint}."
    return f"{chance.choice(OPENINGS)} {opinion} {chance.choice(CLOSINGS[stars])}"


def is_filled(connection: psycopg.Connection, rows: int) -> bool:
    """Tell whether the table holds `rows` reviews of this version."""
    found = connection.execute("SELECT obj_description(to_regclass('auto'), 'pg_class')").fetchone()
    if not found or found[0] != remark(rows):
        return False
    counted = connection.execute("SELECT count(*) FROM auto").fetchone()
    return counted is not None and counted[0] == rows


def remark(rows: int) -> str:
    return f"loadlift seed version {VERSION}, {rows} rows"


def fill(connection: psycopg.Connection, rows: int) -> None:
    """Put a newly filled table in the old one's place, in the caller's transaction; readers wait only at its end."""
    connection.execute(TABLE)
    with connection.cursor().copy("COPY auto_seeding FROM STDIN") as copy:
        for row in reviews(rows):
            copy.write_row(row)
    for statement in (*REPLACE, f"COMMENT ON TABLE auto IS '{remark(rows)}'"):
        connection.execute(statement)


def seed(rows: int, check: bool) -> bool:
    """Fill the table where it is not filled yet, and tell whether it was to be."""
    with psycopg.connect(connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if is_filled(connection, rows):
            return False
        if not check:
            fill(connection, rows)
    if not check:
        with psycopg.connect(autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE) auto")
    return True


def row_count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"'{text}'; allowed are 1 to 10000000")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill the table auto with product reviews.")
    parser.add_argument("--rows", type=row_count, default=DEFAULT_ROWS, help="how many, 1 to 10000000 (default 250000)")
    parser.add_argument("--check", action="store_true", help="only tell whether the table would be filled")
    arguments = parser.parse_args()
    try:
        changed = seed(arguments.rows, arguments.check)
    except psycopg.Error as error:
        sys.exit(f"Cannot fill the table auto: {error}")
    print(json.dumps({"changed": changed, "rows": arguments.rows}))


if __name__ == "__main__":
    main()
