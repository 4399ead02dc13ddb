# ruff: noqa: E501, SIM905 (the grammar reads better unbroken)
"""Personal data in 2,000 invented support replies, labelled as they are made, and traps that look like it and are none.

    PERSONAL_SEED=7 python tests/unit/test_tone_redaction.py      prints recall and precision by kind and by language

Every person, number and address is invented; numbers with check digits are made to pass them, as real ones do.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.tone.redaction import PERSONAL, Mark, marks, personal, redact

SEED = int(os.environ.get("PERSONAL_SEED", "7"))
COUNT = 2_000
RECALL, PRECISION = 0.98, 0.95
LANGUAGES = ("en", "fr", "de", "es")
FIRST = {"en": "Olive Harriet Desmond Ruth".split(), "fr": "Élodie Gaëtan Solène Benoît".split(), "de": "Jörg Änne Ottilie Heiko".split(), "es": "Íñigo Lucía Begoña Nuño".split()}  # fmt: skip
LAST = {"en": "Thornbury Whitlock Marsh".split(), "fr": "Vasseur Le-Goff Delmas".split(), "de": "Krüger Hübner Weiß".split(), "es": "Ibáñez Quiroga Peña".split()}  # fmt: skip
DOMAINS = ("mailbox.example", "post.example.org", "firma-nord.example", "correo.example.net", "x1.example")
CITIES = {
    "en": ("Leeds", "Stoke-on-Trent", "Bath", "Kings Lynn", "Milwaukee"), "fr": ("Lyon", "Aix-en-Provence", "Le Mans", "Saint-Étienne"),
    "de": ("Köln", "Frankfurt am Main", "Neuss", "Bad Homburg"), "es": ("Sevilla", "Palma de Mallorca", "San Sebastián", "León"),
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """`spans`: where personal data stands, by kind."""

    language: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


def digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def email(chance: random.Random, language: str) -> str:
    first, last = chance.choice(FIRST[language]).lower(), chance.choice(LAST[language]).lower()
    name = chance.choice([f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}", f"{first}+shop", f"{last}{digits(chance, 2)}", first])
    return chance.choice([f"{name}@{chance.choice(DOMAINS)}", f"{name}@{chance.choice(DOMAINS)}", f"{name.upper()}@{chance.choice(DOMAINS)}"])


def phone(chance: random.Random, language: str) -> str:
    def d(count: int) -> str:
        return digits(chance, count)

    first = chance.choice("123456789")
    shapes = {
        "en": [f"+44 20 {d(4)} {d(4)}", f"020 {first}{d(3)} {d(4)}", f"01{first}{d(2)} {d(6)}", f"07{d(3)} {d(6)}", f"+1 ({first}{d(2)}) {d(3)}-{d(4)}", f"({first}{d(2)}) {d(3)}-{d(4)}", f"{first}{d(2)}-{d(3)}-{d(4)}", f"{first}{d(2)}.{d(3)}.{d(4)}", f"0044 20 {d(4)} {d(4)}", f"+447{d(9)}", f"1-800-{d(3)}-{d(4)}"],
        "fr": [f"0{first} {d(2)} {d(2)} {d(2)} {d(2)}", f"0{first}.{d(2)}.{d(2)}.{d(2)}.{d(2)}", f"0{first}{d(8)}", f"+33 {first} {d(2)} {d(2)} {d(2)} {d(2)}", f"+33{first}{d(8)}", f"0033 {first} {d(2)} {d(2)} {d(2)} {d(2)}", f"0{first}-{d(2)}-{d(2)}-{d(2)}-{d(2)}", f"+33 (0){first} {d(2)} {d(2)} {d(2)} {d(2)}", f"0{first}\u00a0{d(2)}\u00a0{d(2)}\u00a0{d(2)}\u00a0{d(2)}"],
        "de": [f"030 {first}{d(6)}", f"030/{first}{d(6)}", f"0{first}{d(3)}-{d(5)}", f"+49 {first}0 {d(4)} {d(3)}", f"+49 (0)89 {d(6)}", f"0049 40 {d(6)}", f"01{first}{d(1)} {d(8)}", f"(0{first}{d(2)}) {d(6)}", f"+4917{d(9)}", f"0{first}{d(2)} / {d(3)} {d(3)}"],
        "es": [f"+34 6{d(2)} {d(3)} {d(3)}", f"6{d(2)} {d(3)} {d(3)}", f"9{d(1)} {d(3)} {d(2)} {d(2)}", f"+34 6{d(2)} {d(2)} {d(2)} {d(2)}", f"6{d(2)} {d(2)} {d(2)} {d(2)}", f"0034 9{d(2)} {d(3)} {d(3)}", f"+346{d(8)}", f"6{d(8)}", f"9{d(2)}-{d(3)}-{d(3)}"],
    }  # fmt: skip
    return chance.choice(shapes[language])


def card(chance: random.Random, language: str) -> str:
    head, length = chance.choice([("4", 16), ("5" + chance.choice("12345"), 16), ("37", 15)])
    bare = head + digits(chance, length - len(head) - 1)
    bare += next(last for last in "0123456789" if luhn(bare + last))
    groups = [bare[:4], bare[4:10], bare[10:]] if length == 15 else [bare[at : at + 4] for at in range(0, 16, 4)]
    return chance.choice([" ", "-", "", "\u00a0"]).join(groups)


def luhn(number: str) -> bool:
    total = 0
    for at, sign in enumerate(reversed(number)):
        value = int(sign) * (2 if at % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban(chance: random.Random, language: str) -> str:
    country, body = {"en": ("GB", "NWBK" + digits(chance, 14)), "fr": ("FR", digits(chance, 23)), "de": ("DE", digits(chance, 18)), "es": ("ES", digits(chance, 20))}[language]  # fmt: skip
    check = 98 - int("".join(str(int(sign, 36)) for sign in f"{body}{country}00")) % 97
    bare = f"{country}{check:02d}{body}"
    return chance.choice([bare, " ".join(bare[at : at + 4] for at in range(0, len(bare), 4)), bare.lower() if chance.random() < 0.3 else bare])


def address(chance: random.Random, language: str) -> str:
    number, city = chance.randint(1, 280), chance.choice(CITIES[language])
    post = digits(chance, 5)
    match language:
        case "en":
            street = chance.choice(["Harbour Street", "Old Mill Lane", "Elm Ave", "Church Rd.", "Kingfisher Close", "St John's Hill", "Victoria Gardens"])
            end = chance.choice([f", {city} LS{chance.randint(1, 28)} {chance.randint(1, 9)}AB", f", {city}, WI 5{digits(chance, 4)}", f", {city}", ""])
            return f"{number}{chance.choice(['', '', 'B'])} {street}{end}"
        case "fr":
            street = chance.choice(["rue des Lilas", "avenue de la République", "bd Victor Hugo", "place du Marché", "chemin de l'Étang", "rue du 8 mai 1945", "Rue Saint-Jacques", "allée des Tilleuls", "impasse Berthe Morisot"])
            return f"{number}{chance.choice(['', '', ' bis'])}{chance.choice([' ', ', '])}{street}{chance.choice([f', {post} {city}', f' {post} {city}', ''])}"
        case "de":
            street = chance.choice(["Lindenstraße", "Goetheweg", "Bahnhofstr.", "Alte Poststraße", "Marktplatz", "Karl-Marx-Allee", "Mühlgasse", "Rheinufer", "Am Sportplatz"])
            return f"{street} {number}{chance.choice(['', '', 'a', ' b'])}{chance.choice([f', {post} {city}', f', D-{post} {city}', f' in {city}'[:0]])}"
        case _:
            street = chance.choice(["Calle Mayor", "C/ Alcalá", "Avenida de la Constitución", "Plaza de los Reyes", "Paseo del Prado", "Avda. Cervantes", "calle San Juan de Dios"])
            return f"{street}{chance.choice([', ', ' ', ' n.º '])}{number}{chance.choice(['', '', ', 3.º B'])}{chance.choice([f', {post} {city}', ''])}"


def network(chance: random.Random, language: str) -> str:
    return f"{chance.randint(11, 223)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"


KINDS: dict[str, Callable[[random.Random, str], str]] = {
    "email": email, "phone": phone, "card": card, "iban": iban, "address": address, "ip": network,
}  # fmt: skip


def trap(chance: random.Random) -> str:
    """Looks like it and names nobody."""
    d = lambda count: digits(chance, count)  # noqa: E731
    sku = f"{chance.choice('ABT')}{chance.choice('XYW')}-{d(4)}"
    return chance.choice(
        [
            f"A-{d(4)}", f"#{d(5)}", f"INV-2026-{d(5)}", f"FAC-{d(6)}", sku, f"TW{d(3)}", f"v{d(1)}.{d(2)}.{d(1)}", f"{d(1)}.{d(1)}.{d(2)}",
            "868.3 MHz", "2026-03-02", "12.03.2026", "12/03/2026", "10:30", "1 299,00 €", "$1,249.00", "5 000 000", "24 000 km", "8883",
            "ISO 27001", "EN 14604:2005", f"4{d(3)}-{d(4)}", "100 x 200 x 35 mm", "230 V", "2 x 1.5 V", f"1Z{d(3)}AA1{d(7)}",
            "00:1A:2B:3C:4D:5E", "3.000 Stunden", "10-15 minutes", "20-30-40", "WPA2", f"SN {d(4)}-{d(3)}", "12 months", "7 jours", "90 Tage",
            "§ 312g", "5 Way Valve", "Route 2", "Step 3", "1.2.3", "99,9 %", "3 km road", "12 places", "5 cours", "24 h", f"{d(3)} {d(3)}",
            "Platz 3", "Der Platz 12", "El camino 3", "Ring 5", "chemin 2", "Square 4", "2 Way Drive",
        ]
    )  # fmt: skip


FRAMES = {
    "en": ("Please write to {} or look at {}.", "We have noted {} for order {}.", "Your part {} was sent; we tried {} twice.", "Hi, is {} still right? We see {} here.", "Contact: {}, reference {}."),
    "fr": ("Écrivez à {} ou voyez {}.", "Nous avons noté {} pour la commande {}.", "La pièce {} est partie ; nous avons essayé {}.", "Est-ce que {} est exact ? Ici nous voyons {}.", "Contact : {}, référence {}."),
    "de": ("Schreiben Sie an {} oder sehen Sie {} an.", "Wir haben {} zur Bestellung {} vermerkt.", "Teil {} ist unterwegs; wir haben {} versucht.", "Stimmt {} noch? Hier steht {}.", "Kontakt: {}, Vorgang {}."),
    "es": ("Escriba a {} o mire {}.", "Hemos anotado {} para el pedido {}.", "La pieza {} ya salió; probamos {} dos veces.", "¿Es correcto {}? Aquí vemos {}.", "Contacto: {}, referencia {}."),
}  # fmt: skip
PLAIN = {
    "en": "Hold the button for 10 seconds.", "fr": "Maintenez le bouton pendant 10 secondes.",
    "de": "Halten Sie die Taste 10 Sekunden lang.", "es": "Mantenga pulsado el botón durante 10 segundos.",
}  # fmt: skip


def labelled(seed: int = SEED, count: int = COUNT) -> list[Labelled]:
    """Half of the slots hold personal data, half a trap; every seventh text holds none."""
    chance = random.Random(seed)
    made = []
    for at in range(count):
        language = LANGUAGES[at % 4]
        text, spans = "", []
        for frame in chance.sample(FRAMES[language], chance.randint(1, 2)):
            slots = [trap(chance), trap(chance)]
            kinds: list[str | None] = [None, None]
            if at % 7:
                where = chance.randrange(2)
                kinds[where] = chance.choice(tuple(KINDS))
                slots[where] = KINDS[str(kinds[where])](chance, language)
            for piece, kind, slot in zip(frame.split("{}")[:2], kinds, slots, strict=True):
                text += piece
                if kind:
                    spans.append((len(text), len(text) + len(slot), kind))
                text += slot
            text += frame.split("{}")[2] + " "
        made.append(Labelled(language, text + PLAIN[language], tuple(spans)))
    return made


def covered(span: tuple[int, int, str], found: Iterable[Mark], text: str) -> bool:
    """All of its letters and digits are struck out, by a form of any kind."""
    taken = {place for mark in found for place in range(mark.start, mark.end)}
    return all(place in taken for place in range(span[0], span[1]) if text[place].isalnum())


def measured(texts: list[Labelled]) -> tuple[Counter[str], Counter[str], Counter[str], Counter[str], list[str]]:
    """Kinds wanted, kinds found, marks made, marks right, and what was missed or struck out wrongly."""
    wanted, found, made, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    wrong = []
    for one in texts:
        seen = marks(one.text)
        for span in one.spans:
            wanted[span[2]] += 1
            if covered(span, seen, one.text):
                found[span[2]] += 1
            else:
                wrong.append(f"missed {span[2]}: {one.text[span[0] : span[1]]}")
        for mark in seen:
            if mark.kind in PERSONAL:
                made[mark.kind] += 1
                if any(mark.start < span[1] and mark.end > span[0] for span in one.spans):
                    right[mark.kind] += 1
                else:
                    wrong.append(f"struck out as {mark.kind}: {one.text[mark.start : mark.end]}")
    return wanted, found, made, right, wrong


def test_structured_personal_data_is_found_in_2000_texts_and_order_numbers_are_not_taken_for_it() -> None:
    wanted, found, made, right, wrong = measured(labelled())
    assert wanted.total() > 1_500
    assert found.total() / wanted.total() >= RECALL, wrong[:20]
    assert right.total() / made.total() >= PRECISION, wrong[:20]
    assert min(found[kind] / wanted[kind] for kind in KINDS) >= 0.95, wrong[:20]


def test_no_email_phone_or_card_is_left_once_a_text_is_redacted() -> None:
    for one in labelled(SEED + 1, 400):
        left = redact(one.text)
        assert personal(left) == ()
        assert not [one.text[a:b] for a, b, kind in one.spans if kind in ("email", "card") and one.text[a:b] in left]


def main() -> None:
    texts = labelled()
    wanted, found, made, right, wrong = measured(texts)
    print(f"{len(texts)} texts, seed {SEED}")
    for kind in KINDS:
        print(f"{kind:8} recall {found[kind] / wanted[kind]:.4f} of {wanted[kind]:4}   precision {right[kind] / max(1, made[kind]):.4f} of {made[kind]:4}")
    print(f"{'all':8} recall {found.total() / wanted.total():.4f} of {wanted.total():4}   precision {right.total() / made.total():.4f} of {made.total():4}")
    for language in LANGUAGES:
        a, b, c, d, _ = measured([one for one in texts if one.language == language])
        print(f"{language:8} recall {b.total() / a.total():.4f}   precision {d.total() / c.total():.4f}")
    other = Counter(mark.kind for one in texts for mark in marks(one.text) if mark.kind not in PERSONAL)
    print(f"struck out besides, as references that name nobody: {dict(other)}")
    for said, count in Counter(wrong).most_common(40):
        print(f"  {count} x {said}")


if __name__ == "__main__":
    main()
