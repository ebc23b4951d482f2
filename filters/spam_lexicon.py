"""What advertisements of six trades say, and what all say to make the reader act: phrases written for pile, by family.

A phrase counts where its words stand in a row in ``spam_text``'s plain words. They are what sellers write and not what is
written about them: an encyclopedia has "casino", and no "free spins".
"""

from __future__ import annotations

import re

#: Phrases of each family, apart by commas. Numbers are runs of 0.
FAMILIES = {
    "gambling": """
        free spins, free spin, deposit bonus, no deposit bonus, casino bonus, bonus code, online casino, online casinos,
        best casino, casino games, casino games online, play casino, slot machines online, online slots, slots online, play slots,
        online poker, poker bonus, win big, big wins, jackpot today, sports betting tips, betting tips, bet now, place your bets,
        online betting, betting site, betting sites, welcome bonus, real money, cash prize, instant win, sure bets, fixed matches,
        online roulette, live dealer, sportsbook bonus, free bets, free bet, claim your bonus, judi online, slot gacor, agen judi,
        situs judi, online gambling, online bingo, lottery winner, you have won, you won, claim your prize, winning number,
    """,
    "pharma": """
        viagra, cialis, levitra, kamagra, tramadol online, phentermine, xanax online, ambien online, valium online, buy viagra,
        cheap viagra, generic viagra, generic cialis, buy cialis, online pharmacy, online pharmacies, canadian pharmacy,
        no prescription, without prescription, without a prescription, no prescription needed, no prescription required,
        prescription required, cheap meds, discount meds, buy meds, meds online, order pills, diet pills, diet pill,
        weight loss pills, weight loss pill, lose weight fast, lose weight, burn fat, fat burner, miracle cure, herbal remedy,
        herbal viagra, penis enlargement, male enhancement, enlarge your penis, bigger penis, erectile pills,
        human growth hormone,
        growth hormone, anti aging formula, detox tea, keto gummies, cbd gummies, testosterone booster, hair loss cure,
        doctors hate, buy steroids, steroids online, buy xanax, buy tramadol, buy oxycodone,
    """,
    "adult": """
        hot girls, hot girl, hot babes, live girls, live sex, live cams, sex cam, sex cams, webcam girls, cam girls, sexy girls,
        sexy singles, hot singles, local singles, singles in your area, adult dating, adult site, adult sites, adult content,
        adult videos, adult chat, sex chat, sex dating, free porn, porn videos, porn site, porn sites, xxx,
        xxx videos, xxx movies,
        hardcore sex, teen sex, nude pics, nude girls, naked girls, horny, cheating wives, escort service, escort services,
        escorts in, call girls, call girl, call girls in, russian escorts, erotic massage, married women looking, hook up tonight,
        over 00 only, must be 00, 00 or older, members area, uncensored, explicit pictures, onlyfans leak,
    """,
    "money": """
        payday loan, payday loans, instant loan, instant loans, loan approval, quick cash, fast cash, easy cash, cash advance,
        cash loans, bad credit, no credit check, credit repair, debt consolidation, consolidate your debt, get out of debt,
        eliminate debt, lower your payments, refinance now, refinance your, mortgage rates, lowest mortgage, low interest rates,
        interest rates are, loan application, make money, make money online, making money, earn money, earn money online,
        earn extra, extra income, extra cash, work from home, work at home, home based business, financial freedom,
        financially independent, get rich, passive income, double your, guaranteed profit, guaranteed returns, guaranteed income,
        investment opportunity, business opportunity, opportunity of a lifetime, be your own boss, multi level marketing,
        million dollars, million united states dollars, next of kin, foreign account, bank account details, beneficiary,
        confidential transaction, transfer the funds, inheritance fund, crypto signals, crypto trading bot, trading bot,
        bitcoin investment, invest in bitcoin, forex signals, forex trading, binary options, free bitcoin, bitcoin doubler,
        crypto giveaway, token presale, airdrop now, penny stock, stock alert, hot stock, strong buy, life insurance quote,
        insurance quotes, free quote, free quotes, no obligation quote, term life, pennies a day,
    """,
    "goods": """
        replica watches, replica watch, rolex replica, replica rolex, fake rolex, replica handbags, replica bags,
        designer replica,
        designer handbags, louis vuitton outlet, handbags outlet, outlet online, outlet store online, cheap jerseys, cheap nike,
        cheap jordans, cheap shoes, cheap software, oem software, software download, fake passport, fake id, university diploma,
        university diplomas, diplomas from, no tests required, buy degree, degree online, buy followers, buy likes,
        buy instagram, free ringtone, ringtone, ringtones, polyphonic, free iphone, free laptop, free gift card, gift card code,
        free nokia, latest nokia, camera phone, camcorder, cable descrambler, cable box, printer cartridges, toner cartridges,
        inkjet cartridges, free vacation, free trip, prepaid legal, long distance rates, cents per minute,
    """,
    "promotion": """
        email addresses, million email, million emails, bulk email, bulk emails, email marketing, mass mailing, mailing list for,
        targeted traffic, website traffic, more traffic, traffic to your, search engine ranking, search engine rankings,
        search engine submission, search engines, first page of google, rank on google, rank higher, seo services, seo service,
        seo company, seo expert, seo agency, cheap seo, backlinks, quality backlinks, buy backlinks, link building service,
        guest post, guest posts, guest posting service, dofollow, domain authority, article spinner, adsense revenue,
        web hosting plans, near me, best price, best prices, lowest price, lowest prices, cheapest price, cheap price, buy cheap,
        buy online, buy now, order online, for cheap, discount code, coupon code, promo code, free delivery, free shipping,
        lowest price guaranteed, price guarantee, best deals, best deal, sale outlet, discount outlet,
    """,
    "urging": """
        click here, click below, click the link, click on the link, click this link, act now, order now, order today, call now,
        call today, call us today, call free, toll free, reply now, apply now, apply today, sign up now, sign up today, join now,
        join today, visit now, limited time, limited time offer, limited offer, special offer, exclusive offer, amazing offer,
        incredible offer, free trial, risk free, no risk, absolutely free, 000 free, 00 free, totally free, completely free,
        for free, no obligation, no cost, no strings, no catch, money back, money back guarantee, satisfaction guaranteed,
        000 guaranteed, guaranteed, hurry up, don't miss, dont miss, while supplies last, offer expires, offer ends,
        don't delete, one time mailing, to be removed, be removed from, removed from our, remove me, remove in the subject,
        unsubscribe, opt out, optout, opt in, not spam, is not spam, this is not spam, never receive, no longer receive,
        receive further, future mailings, further mailings, our mailing list, reply with remove, dear friend, congratulations,
        you have been selected, been selected to, you've been chosen, claim now, to claim, urgent, txt, text stop, reply stop,
        txt stop, std txt, per week, per msg, per min, po box, national rate, mobile number, valid 00hrs, valid 00 hrs, ur mobile,
        free msg, freemsg, customer service announcement, awarded, prize, guaranteed 0000, cost 00p, 000p, 00p, 0p min, 000ppm,
    """,
}


def _phrases(listed: str) -> tuple[str, ...]:
    return tuple(sorted({" ".join(phrase.split()) for phrase in re.split(",", listed)} - {""}))


PHRASES = {family: _phrases(listed) for family, listed in FAMILIES.items()}


def _keys() -> dict[str, list[tuple[str, str]]]:
    """Return phrases with their family by the one of their words that fewest phrases have: few texts hold it."""
    every = [(phrase, family) for family, phrases in PHRASES.items() for phrase in phrases]
    words = [word for phrase, _ in every for word in phrase.split()]
    keys: dict[str, list[tuple[str, str]]] = {}
    for phrase, family in every:
        rarest = min(phrase.split(), key=lambda word: (words.count(word), -len(word), word))
        keys.setdefault(rarest, []).append((f" {phrase} ", family))
    return keys


_KEYS = _keys()
_KEY_WORDS = frozenset(_KEYS)


def found(feature: str, words: set[str]) -> dict[str, list[str]]:
    """Return the phrases that occur in a line of plain words, of which ``words`` is the set, by family."""
    hits: dict[str, list[str]] = {}
    keys = _KEY_WORDS & words
    if not keys:
        return hits
    padded = f" {feature} "
    for key in sorted(keys):
        for phrase, family in _KEYS[key]:
            if phrase in padded:
                hits.setdefault(family, []).append(phrase.strip())
    return hits
