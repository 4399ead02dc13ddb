# ruff: noqa: E501 (word lists)
"""The small words by which a sentence is read, in four languages: what leads a thing in, where a verb stands, what claims nothing."""

from __future__ import annotations

import re

from bot.answer.words import fold

DETERMINED = (["la"], ["une"], ["cette"], ["chaque"], ["toute"], ["autre"], ["meme"])
PARTICLES = frozenset({"on", "off", "up", "out", "back"})
OBJECTS = frozenset({"itself", "themselves", "yourself", "the", "a", "an", "your", "it", "them", "this", "that", "each", "any", "its", "their", "our", "you", "us", "me", "him", "her", "people"})  # fmt: skip
BEFORE_VERBS = frozenset(["to", "can", "could", "may", "might", "must", "should", "will", "would", "not", "cannot", "don't", "doesn't", "please", "you", "we", "they", "i", "never", "be", "been"])  # fmt: skip
PREPOSITIONS = {
    "en": frozenset(["for", "on", "in", "at", "with", "without", "during", "within", "after", "before", "under", "until", "to", "into", "via", "through", "near", "over", "below", "above", "outside", "inside", "by", "from"]),
    "fr": frozenset(["pour", "en", "dans", "avec", "sans", "pendant", "sous", "apres", "avant", "a", "au", "aux", "sur", "hors", "des", "par", "chez", "vers", "jusqu", "lors"]),
    "de": frozenset(["fur", "bei", "beim", "mit", "ohne", "wahrend", "ab", "nach", "vor", "in", "im", "ins", "am", "an", "zum", "zur", "zu", "innerhalb", "unter", "auf", "uber", "durch", "von", "vom", "aus"]),
    "es": frozenset(["para", "en", "con", "sin", "durante", "desde", "tras", "a", "al", "bajo", "por", "hasta", "sobre"]),
}  # fmt: skip
FOREIGN_NUMBERS = {"es": frozenset(), "fr": frozenset({"dos", "once", "tres", "mil", "elf", "die", "four"}), "en": frozenset({"once", "dos", "an", "mil", "elf"}), "de": frozenset({"dos", "once", "mil"})}  # fmt: skip
VERBAL = {"fr": re.compile(r"(?:er|ez|é|ée|és|ées|ir|ons|ent)$"), "es": re.compile(r"(?:[aei]r|[ai]d[oa]s?)$"), "de": re.compile(r"^[a-zäöüß]")}  # fmt: skip
# What a paraphrase may add or leave out: it claims nothing of its own.
LIGHT_WORDS = {
    "en": """please simply just then next here there kindly note also follow following way case thing order able happy sure so that its own one ones like such as
        well too even already still yet therefore thus however sorry thanks hello dear course fact moreover keep mind means be being been is are was were has
        have had having get gets getting got do does did doing done make makes making let lets us take back together along respectively currently format
        version find finds found use uses using remain remains stay stays give gives given during since about at least most within inside per
        come comes coming came go goes going gone put puts provide provides provided providing receive receives received offer offers offered bring brings carry carries apply applies
        happen happens occur occurs see sees seen show shows turn turns become becomes want wants like likes try tries perform performed granted proceed ready say says tell tells told
        know knows known notice look looks person people someone somebody something thing things anyone one ones event occasion course kind type sort sign fact
        either both though although whereas while upon via there another others reach reaches stand stands count counts hear old located able played effort
        option options possibility called named work works own available
        towards toward upon amongst among beside besides itself themselves yourself yourselves ourselves myself himself herself theirs yours ours hers whose""",
    "fr": """veuillez bout simplement alors puis donc voici ainsi afin cas chose bien merci bonjour etre est sont ete ayant avoir ont a avez faire fait faites peut-etre
        deja encore toutefois cependant celui celle ceux celles lors etant dessus dont lequel laquelle partir lieu disposez notamment aussi compter delai eux
        depuis pendant environ durant format version etes sera serez seront vont va voici quelqu'un personne personnes gens fournir fournit fournissez proposer propose
        recevoir recoit recevez recoivent recu mettre mettez met venir vient arriver voir voit voyez montrer montre devenir devient vouloir voulez veut souhaitez savoir dire dit
        effectuer effectue effectuez effectues effectuee proceder retrouver retrouve retrouvez comporter laisser laissez passer option options possibilite obtenir obtenez
        obtient aller figurer figure evenement sorte type genre fait tout-a-fait meme propre trouver trouve trouvez trouvent utiliser utilise utilisez rester reste restent donner donnez chez
        moyennant au moins contre disponible disponibles
        soit soient sois serait seraient aura auront aurez lors envers vers celui-ci celle-ci ceux-ci duquel auquel laquelle lesquels lesquelles desquels chacun chacune leur leurs""",
    "de": """bitte liegt liegen darin einfach dann dazu so also fall weise sache sein ist sind war waren wird werden wurde haben hat hatte tun machen lassen nun bereits noch jedoch
        danke guten tag davon daran damit dabei dafur uns eben zuruck hierzu dieser bei steht stehen finden findet befindet befinden bleiben bleibt geben gibt
        verwenden nutzen gegen seit etwa format version innerhalb binnen pro person personen jemand jemanden leute menschen etwas kommen kommt gehen geht bringen bekommen
        bekommt bieten bietet anbieten sehen sieht zeigen zeigt möchten wollen sagen wissen kennen erfolgen erfolgt vornehmen durchführen option möglichkeit art beliebig beliebige beliebigen
        beliebiger verfügbar dahin per mittels via lässt eigene eigenen
        ab beim ins lang ihr ihre ihres ihrem ihren ihrer unsere unserem unseren unserer unseres seines seinem seinen seiner meines deines dessen deren denen welche welcher welches
        welchen diese diesem diesen dieses jene sei seien seid wäre wären würde würden worden hätte hätten sowie zwar hin her darauf hierfür hiermit daher deshalb""",
    "es": """tomar por favor simplemente entonces luego asi caso cosa gracias hola ser es son esta estan fue sido haber ha han tener tiene hacer hace ya todavia
        sin-embargo ello cual partir dispone vuelva plazo dentro encontrar utilizar usar dar ellos ellas ella desde durante formato contra quedar persona personas alguien algo recibir recibe reciben ofrecer ofrece venir viene llegar poner ponga ver mostrar muestra querer quiere decir saber realizar
        realice efectuar opción posibilidad tipo volver vuelve dejar llevar proporcionar disponer siendo disponible disponibles
        sea sean será serán esté estén haya hayan hemos habrá según mediante ante cuyo cuya quien quienes nuestros nuestras suyo suya mismo misma aquel aquella esos esas al""",
}  # fmt: skip
LIGHT = {language: frozenset(fold(word) for word in listed.split()) for language, listed in LIGHT_WORDS.items()}
# What a paraphrase may leave out, though it may not say it where the passage does not: that a thing is there, was made, or goes on.
FAINT_WORDS = {
    "en": """sent made kept placed issued received given held arrives arrive running runs run carried located situated displayed listed supplied
        provided taken according mean means appear appears surface yourself yourselves itself themselves value amount""",
    "fr": """envoye envoyee envoyes envoyees effectue effectuee effectues effectuees emis emise place placee situe situee recu recue donne donnee tenu
        indique indiquee cours abord vous-meme""",
    "de": """gesendet gesendete gesendeten gemacht erfolgt lauft laufen laufend gestellt ausgestellt angegeben verwendet zuerst zunachst selbst gemass""",
    "es": """enviado enviada enviados enviadas hecho hecha emitido emitida situado situada realizado realizada recibido recibida indicado""",
}
FAINT = {language: frozenset(fold(word) for word in listed.split()) for language, listed in FAINT_WORDS.items()}
# What only tells where in a row of sentences this one stands.
OPENERS = re.compile(
    r"^(?:(?:first|zuerst|d'abord|primero)\s+(?=[^\W\d_]{3,})(?!(?:aid|time|day|month|week|year|order|name|hour)\b)|(?:first|firstly|first of all|second|secondly|finally|lastly|after that|d'abord|tout d'abord|enfin|pour finir|zuerst|zunächst|schließlich|primero|en primer lugar|por último|finalmente),\s+"
    r"|(?:then|next|afterwards|ensuite|puis|danach|dann|luego|después),?\s+)(?=\S)",
    re.IGNORECASE,
)
