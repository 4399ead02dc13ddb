# ruff: noqa: E501 (word lists)
"""Closed lists of small words that decide what a sentence claims: negation, scope, modality, comparison, measures."""

from __future__ import annotations

from bot.answer.words import fold


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split())


def _group(**lists: str) -> dict[str, str]:
    """Folded word -> group."""
    return {fold(word): name for name, words in lists.items() for word in words.split()}


# A claim and its source must agree on each of these groups.
POLARITY = _group(
    no="""not no cannot cant can't won't don't doesn't isn't aren't wasn't weren't couldn't shouldn't wouldn't didn't hasn't haven't without
    neither nor none nobody nothing unable never impossible
    ne n' pas aucun aucune sans jamais ni impossible
    nicht kein keine keinen keiner keinem ohne niemals nie weder unmoglich
    sin nunca ningun ninguna ninguno ni jamas imposible""",
)
# Words whose presence widens a claim: they must stand in the source. Whose absence widens it: they must stand in the claim.
WIDENING = _group(
    all="all every each entire whole any anyone anybody everyone everybody anything everything anywhere everywhere tous toutes tout toute chaque alle jeder jede jedes todos todas todo cada cualquier",
    always="always constantly toujours immer siempre",
    never="never jamais nie niemals nunca",
    only="only solely exclusively just uniquement seulement seul seule nur lediglich ausschliesslich solo solamente unicamente",
    free="free complimentary gratuit gratuite gratuitement gratuits kostenlos kostenfrei gratis gratuito gratuita",
    now="immediately instantly instant immediate straightaway immediatement sofort umgehend inmediatamente",
    auto="automatically automatic automatiquement automatique automatisch automaticamente automatico",
    sure="guaranteed guarantee guarantees certainly definitely surely garanti garantie garantit garantiert garantieren garantizado garantiza",
    unlimited="unlimited illimite illimitee unbegrenzt ilimitado ilimitada",
    full="full fully complete completely total totally entierement integral integralement vollstandig completo completamente",
    twice="twice double doubled once half dozen quarter both deux-fois double moitie doppelt zweimal halfte einmal doble mitad",
    more="more most less least fewer fewest moins mehr weniger menos",
    also="additionally",
)
NARROWING = _group(
    only="only solely exclusively uniquement seulement seul seule nur lediglich ausschliesslich solo solamente unicamente",
    may="may might could possibly perhaps peut-etre eventuellement vielleicht quizas",
    usually="usually generally typically normally often sometimes most some certain several selected eligible partly partially habituellement generalement parfois souvent certains certaines partiellement meist normalerweise oft manchmal einige bestimmte teilweise normalmente generalmente veces algunos algunas ciertos parcialmente",
    except_="except excluding unless otherwise sauf excepte hormis sinon ausser ausgenommen sonst excepto salvo",
    never="never jamais nie niemals nunca",
    twice="twice once half double zweimal doppelt halfte moitie mitad doble",
    approx="approximately about roughly around environ approximativement etwa ungefahr circa ca aproximadamente",
)
RELATION = _group(
    before="before prior earlier avant vor vorher antes",
    after="after afterwards later following apres nach danach spater despues",
    until="until till jusqu'a jusqu'au jusqu bis hasta",
    since="since depuis seit",
    above="above over exceeding dessus uber oberhalb encima",
    below="below under beneath dessous unter unterhalb debajo",
    with_out="without sans ohne sin",
    instead="instead plutot statt anstatt",
    longer="longer anymore formerly previously",
)
# Conditions: what follows one of these, up to the clause's end, must not be dropped.
CONDITION = _folded("""if unless provided providing except excluding only when whenever until till as-long-as si sauf uniquement lorsque quand tant condition
    wenn falls sofern ausser nur solange bis si salvo excepto solo cuando siempre-que mientras hasta""")
MODALITY = _group(
    must="must required need needs needed obligatory mandatory devez doit doivent faut obligatoire necessaire requis requise muss mussen mussten erforderlich notwendig pflicht debe deben obligatorio necesario requiere",
    should="should recommend recommended recommends advise advised recommande conseille devriez sollte sollten empfohlen empfehlen recomendado recomienda deberia",
    can="can able allow allows allowed may permitted possible peut peuvent pouvez pouvons permet possible autorise kann konnen darf durfen moglich erlaubt puede pueden permite permitido posible",
    will="will shall going sera serons serez seront wird werden werde sera seran",
)
FIRST_PERSON = _folded("we our us ours i my me nous notre nos je mon wir unser unsere uns ich nosotros nuestro nuestra yo")
SECOND_PERSON = _folded("you your yours vous votre vos tu sie ihr ihre ihnen du usted ustedes su sus customer customers client clients kunde kunden cliente clientes")
WE = _folded("we us i me nous je wir uns ich nosotros yo")
YOU = _folded("you vous tu sie ihnen du usted ustedes")
COMMITS = _folded("will shall 'll ll promise guarantee commit going have have've ve issued arranged allons avons werden haben vamos hemos")

MEASURES = _group(
    second="second seconds sec secs seconde secondes sekunde sekunden segundo segundos",
    minute="minute minutes min mins minuten minuto minutos",
    hour="hour hours hr hrs heure heures h stunde stunden hora horas",
    day="day days jour jours tag tage tagen dia dias",
    workday="werktag werktage werktagen arbeitstag arbeitstage arbeitstagen",
    week="week weeks semaine semaines woche wochen semana semanas",
    month="month months mois monat monate monaten monats mes meses",
    year="year years an ans annee annees jahr jahre jahren ano anos",
    kb="kb kib ko kilobytes",
    mb="mb mib mo megabytes megabyte",
    gb="gb gib go gigabytes gigabyte",
    tb="tb tib terabytes terabyte",
    km="km kilometres kilometers kilometre",
    kg="kg kilos kilo kilograms kilogram kilogrammes",
    gram="g gram grams grammes gramm gramos",
    metre="m metre metres meter meters metros",
    cm="cm centimetres centimeters",
    mm="mm millimetres millimeters",
    ml="ml millilitres milliliters millilitre mililitros",
    cl="cl centilitres",
    hz="hz hertz",
    khz="khz",
    mhz="mhz megahertz",
    ghz="ghz gigahertz",
    kw="kw kilowatts kilowatt",
    kwh="kwh",
    mah="mah",
    inch="inch inches zoll pouces pulgadas",
    foot="ft feet",
    mile="mile miles millas",
    litre="litre litres liter liters l litro litros",
    bar="bar",
    psi="psi",
    gallon="gallon gallons",
    watt="w watt watts",
    volt="v volt volts",
    degree="degrees degree degres grad grados",
    celsius="celsius",
    fahrenheit="fahrenheit",
    percent="% percent percents pourcent prozent porciento",
    usd="$ usd dollar dollars",
    eur="€ eur euro euros",
    gbp="£ gbp pound pounds",
    chf="chf francs",
)
WORKING = frozenset(["business", "working", "ouvres", "ouvrables", "ouvre", "habiles", "laborables"])

# How a number is bounded, by the words just before it.
BOUNDS: tuple[tuple[str, str], ...] = (
    ("upto", "up to|no more than|not more than|at most|maximum of|a maximum of|max|maximum|jusqu'a|au plus|maximum de|bis zu|hochstens|maximal|hasta|como maximo|maximo de"),
    ("atleast", "at least|a minimum of|minimum of|no less than|not less than|minimum|au moins|minimum de|mindestens|al menos|como minimo|minimo de"),
    ("over", "more than|over|above|exceeding|greater than|plus de|mehr als|uber|mas de"),
    ("under", "less than|under|below|fewer than|moins de|weniger als|unter|menos de"),
    ("about", "about|approximately|around|roughly|approx|environ|etwa|ungefahr|circa|ca|alrededor de|aproximadamente|unos"),
    ("after", "after|apres|nach|despues de|older than|past"),
    ("before", "before|avant|vor|antes de"),
    ("within", "within|in|sous|dans les|dans un delai de|innerhalb von|innerhalb|binnen|dentro de|en"),
    ("every", "every|each|per|tous les|toutes les|alle|jede|cada"),
)  # fmt: skip

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_OTHER = {
    2: "deux zwei dos", 3: "trois drei tres", 4: "quatre vier cuatro", 5: "cinq funf cinco", 6: "six sechs seis", 7: "sept sieben siete", 8: "huit acht ocho",
    9: "neuf neun nueve", 10: "dix zehn diez", 11: "onze elf once", 12: "douze zwolf doce", 13: "treize dreizehn trece", 14: "quatorze vierzehn catorce",
    15: "quinze funfzehn quince", 20: "vingt zwanzig veinte", 30: "trente dreissig treinta", 40: "quarante vierzig cuarenta", 50: "cinquante funfzig cincuenta",
    60: "soixante sechzig sesenta", 90: "neunzig noventa", 100: "cent hundert cien hundred", 1000: "mille tausend mil thousand", 1: "un une ein eine einem einen uno una",
}  # fmt: skip
NUMBER_WORDS: dict[str, int] = {
    **{word: number for number, word in enumerate(_UNITS)},
    **{word: 20 + 10 * at for at, word in enumerate(_TENS)},
    **{word: number for number, words in _OTHER.items() for word in words.split()},
}
# "one of", "the one that", "un article": a number only before a measure.
ARTICLE_LIKE = _folded("one un une ein eine einem einen uno una once")

MONTHS: dict[str, int] = {
    fold(word): at
    for at, words in enumerate(
        ["january jan janvier janv januar enero ene", "february feb fevrier fevr februar febrero", "march mar mars marz marzo", "april apr avril avr abril abr", "may mai mayo", "\n        june jun juin juni junio", "july jul juillet juil juli julio", "august aug aout agosto ago", "september sep sept septembre septiembre", "october oct octobre okt oktober octubre", "\n        november nov novembre noviembre", "december dec decembre dez dezember diciembre dic"],
        start=1,
    )
    for word in words.split()
}

# Groups of words a paraphrase may exchange; stems are made from them per language.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "en": (
        "buy purchase order bought purchased", "begin start commence", "choose select pick", "click press tap hit", "open go navigate visit head", "delete remove erase",
        "email mail e-mail message", "receive get obtain", "send ship dispatch deliver shipped sent", "give provide offer supply", "allow permit let enable", "show display see view shown",
        "change modify edit alter", "update", "pay payment paid", "refund refunds reimburse reimbursement refunded", "return send-back", "sign log login signin",
        "find locate", "use using", "stop end", "contact reach", "create make", "customer customers client user", "item items product products article goods",
        "cost price costs charge fee", "available accessible", "require need", "keep retain store kept stored", "last final",
        "person people", "website site", "window dialog", "page screen", "under beneath", "within inside", "shop store", "complete finish", "fill enter type", "unused unworn",
        "arrive reach arrives", "purchase order", "want wish like", "help support assist", "fix repair", "broken damaged faulty defective", "copy duplicate", "set configure",
    ),
    "fr": ("acheter commander achat", "choisir sélectionner", "cliquer appuyer cliquez appuyez", "supprimer effacer", "recevoir obtenir", "envoyer expédier", "modifier changer", "remboursement rembourser remboursé", "article produit", "prix coût tarif", "ouvrir aller"),
    "de": ("kaufen bestellen", "wählen auswählen", "klicken drücken tippen", "löschen entfernen", "erhalten bekommen", "senden schicken versenden", "ändern bearbeiten", "erstattung erstatten rückerstattung", "artikel produkt ware", "preis kosten"),
    "es": ("comprar pedir", "elegir seleccionar", "pulsar hacer-clic", "eliminar borrar", "recibir obtener", "enviar", "cambiar modificar", "reembolso reembolsar", "artículo producto", "precio coste costo"),
}  # fmt: skip
# Words a paraphrase may add: they claim nothing.
GLUE = _folded("""please simply just then next first afterwards also here following follow note order case way steps step happy able need want wish like go
    yes no sure kindly d'abord ensuite puis veuillez simplement suivant einfach bitte zuerst danach folgende primero luego simplemente siguiente
    you'll you're it's that's there's means mean""")
