"""Pages of a kind that the labelled data has none of, made by rule: keyword lists, doorways, one sentence over and over.

They teach the model what repetition weighs, and are no part of any figure but the one that bears their name. Words are ours.
"""

from __future__ import annotations

import random

from spam_mail import Sample

TRADES = [
    "plumber",
    "locksmith",
    "roofer",
    "dentist",
    "lawyer",
    "electrician",
    "cleaner",
    "florist",
    "movers",
    "painter",
    "mechanic",
    "tutor",
    "photographer",
    "caterer",
    "surveyor",
    "glazier",
    "gardener",
    "optician",
    "tiler",
    "chiropractor",
    "accountant",
    "notary",
    "welder",
    "upholsterer",
]
PLACES = [
    "Ashbury",
    "Northvale",
    "Easton",
    "Kingsmere",
    "Westfall",
    "Brookside",
    "Oakdene",
    "Riverton",
    "Millbrook",
    "Lakeview",
    "Stonebridge",
    "Hillcrest",
    "Fairview",
    "Greenlea",
    "Southgate",
    "Marlow",
    "Elmwood",
    "Highfield",
    "Claremont",
    "Redcliff",
    "Whitford",
    "Sandhurst",
    "Thornbury",
    "Glenmore",
]
GOODS = [
    "shoes",
    "boots",
    "sneakers",
    "handbags",
    "wallets",
    "watches",
    "jackets",
    "sunglasses",
    "jewelry",
    "perfume",
    "phones",
    "laptops",
    "tablets",
    "cameras",
    "headphones",
    "mattresses",
    "sofas",
    "curtains",
    "carpets",
    "lamps",
    "vitamins",
    "supplements",
    "creams",
    "shampoo",
    "bikes",
    "helmets",
    "tents",
    "jerseys",
]
PRAISE = [
    "cheap",
    "best",
    "discount",
    "affordable",
    "top",
    "quality",
    "professional",
    "trusted",
    "local",
    "fast",
    "original",
    "genuine",
    "luxury",
    "new",
    "sale",
    "wholesale",
    "official",
    "outlet",
    "online",
    "free",
    "bestseller",
    "clearance",
    "designer",
    "premium",
]
SENTENCES = (
    "Buy the {praise} {goods} at the lowest price and get free shipping on every order today",
    "Play now and claim the {praise} welcome bonus with free spins that pay real money",
    "Our {praise} loan gets you fast cash with no credit check, so apply now",
    "Order {praise} pills online with no prescription and discreet delivery to your door",
    "Get more traffic with {praise} backlinks and rank on the first page of every search engine",
    "Meet {praise} singles in your area tonight, join now, it is totally free",
    "Earn money online from home with our {praise} trading bot and guaranteed returns",
    "Watch the {praise} {goods} video here and download it for free without registration",
)
DOORWAY = (
    "{Trade} {place}. Looking for a {praise} {trade} in {place}? Call our {trade} in {place} today "
    "for the {praise} {trade} price.",
    "We are the {praise} {trade} of {place}. When you need a {trade} near {place}, our {praise} {trade} {place} team is there.",
    "Need {praise} {goods}? {praise} {goods} {place}, {goods} sale {place}, buy {praise} {goods} in {place} "
    "with the best {goods} deals.",
)


def made(count=450, seed=0):
    """Yield pages made by rule; those of one kind and first word are one group."""
    chance = random.Random(seed)
    for number in range(count):
        kind = ("keywords", "doorway", "again")[number % 3]
        text, word = {"keywords": _keywords, "doorway": _doorway, "again": _again}[kind](chance)
        yield Sample(text, 1, f"made:{kind}:{word}", f"made-{kind}")


def _keywords(chance):
    words = chance.sample(GOODS, 8) + chance.sample(PRAISE, 10) + chance.sample(PLACES, chance.randrange(4))
    separator = chance.choice([" ", ", ", " | ", "\n"])
    size = chance.choice([1, 2, 3])
    runs = [" ".join(chance.choice(words) for _ in range(size)) for _ in range(chance.randrange(80, 300) // size)]
    return separator.join(runs), words[0]


def _doorway(chance):
    trade, goods = chance.choice(TRADES), chance.choice(GOODS)
    form, praise = chance.choice(DOORWAY), chance.choice(PRAISE)
    places = chance.sample(PLACES, chance.randrange(5, 20))
    gap = chance.choice(["\n\n", " ", "\n"])
    lines = [form.format(trade=trade, Trade=trade.title(), goods=goods, praise=praise, place=place) for place in places]
    return gap.join(lines), trade


def _again(chance):
    form = chance.choice(SENTENCES)
    said = form.format(praise=chance.choice(PRAISE), goods=chance.choice(GOODS))
    between = chance.choice([". ", "! ", ".\n", " and ", ", then "])
    return between.join([said] * chance.randrange(8, 30)), form[:12]
