# ruff: noqa: E501 (patterns read better unbroken)
"""What customers say in so many words, in the four languages: closed lists, matched on folded text."""

from __future__ import annotations

import re

from bot.answer.words import fold


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split())


# Asking for a person; "human error" and "a person can log in" are not.
HUMAN = re.compile(
    r"""
    \b(?:speak|talk|chat|connect(?:ed)?|transfer(?:red)?|put\s+me\s+through|escalate[d]?|pass(?:ed)?)\s+(?:\w+\s+){0,3}?(?:to|with)\s+
      (?:(?:an?|the|some|your|real|actual|live|human|another)\s+){0,4}(?:human|person|people|someone|somebody|agent|advisor|adviser|representative|rep|manager|supervisor|operator|colleague|support\s+agent)\b
    | \b(?:want|need|get|give|like|prefer)\s+(?:me\s+)?(?:to\s+have\s+)?(?:an?|some)\s+(?:(?:real|actual|live|human)\s+)+(?:human|person|being|agent|answer|reply|representative|operator)\b
    | \b(?:a|an)\s+(?:real|actual|live|human)\s+(?:human|person|being|agent|representative|operator)\b(?!\s+error)
    | \b(?:not|no|stop\s+sending\s+me|instead\s+of|rather\s+than)\s+(?:a\s+|an\s+|more\s+|the\s+|this\s+)?(?:bot|robot|chatbot|machine|ai|automated\s+(?:answer|reply|response)s?)\b
    | \bhuman\s+(?:agent|support|help|assistance|please)\b | \bneed\s+a\s+human\b | \bhuman\s*,?\s*please\b
    | \b(?:call|ring|phone)\s+me(?:\s+back)?\b
    | \b(?:parler|discuter|echanger)\s+(?:\w+\s+){0,2}?(?:a|avec)\s+(?:(?:un|une|quelqu|de|vrai|vraie|votre|l|')\s*)*(?:humain|personne|conseiller|conseillere|agent|operateur|responsable|un\b|interlocuteur)
    | \b(?:un|une)\s+(?:vrai|vraie|veritable)\s+(?:humain|personne|conseiller|conseillere|agent)\b
    | \b(?:etre|soit)\s+(?:rappele|contacte)e?\b | \brappel(?:ez|er)[\s-]+moi\b | \bpas\s+(?:a\s+)?(?:un|une)\s+(?:robot|bot|machine)\b
    | \bmit\s+(?:(?:einem|einer|echten|richtigen|menschlichen|ihrem)\s+)+(?:menschen|mitarbeiter|mitarbeiterin|person|berater|beraterin|kollegen)\b
    | \b(?:echten|richtigen)\s+menschen\b | \brufen\s+sie\s+mich\b | \bkein(?:en)?\s+(?:bot|roboter|chatbot)\b
    | \bhablar\s+con\s+(?:(?:un|una|algun|alguna|el|la)\s+)?(?:humano|persona|agente|alguien|asesor|asesora|operador|representante|encargado)\b
    | \b(?:persona|humano)\s+(?:real|de\s+verdad)\b | \bllamenme\b | \bno\s+(?:con\s+)?un\s+(?:robot|bot)\b
    """,
    re.VERBOSE,
)

# Asking not for the first time; "the light comes on again" is not it.
AGAIN = re.compile(
    r"\b(?:second|third|fourth|fifth|2nd|3rd|4th|5th|tenth)\s+(?:time(?!\s+(?:zone|slot))|e-?mail|message|ticket|request)\b|\b(?:once|yet)\s+again\b|\bagain\s+and\s+again\b"
    r"|\b(?:still|have)\s+(?:\w+\s+)?(?:no|not|never|n't)\s+(?:\w+\s+){0,2}(?:answer|reply|response|answered|replied|heard|received\s+an?\s+(?:answer|reply))"
    r"|\bi\s+(?:have\s+)?already\s+(?:asked|written|wrote|contacted|told|explained|e-?mailed|sent)|\bhow\s+many\s+times\b|\bkeep\s+(?:asking|writing|contacting)"
    r"|\b(?:deuxieme|troisieme|quatrieme|enieme|2e|3e|4e)\s+(?:fois|mail|message|demande|relance)\b|\bencore\s+une\s+fois\b|\btoujours\s+(?:pas|aucune)\s+(?:de\s+|eu\s+de\s+)?reponse|\bdeja\s+(?:ecrit|contacte|demande|signale)"
    r"|\bzum\s+(?:zweiten|dritten|vierten|x-ten)\s+mal\b|\b(?:immer\s+)?noch\s+(?:immer\s+)?keine\s+(?:antwort|ruckmeldung)|\bbereits\s+(?:geschrieben|gemeldet|gefragt|kontaktiert)|\bschon\s+wieder\b"
    r"|\b(?:segunda|tercera|cuarta)\s+vez\b|\botra\s+vez\s+(?:les\s+)?(?:escribo|pregunto)|\b(?:sigo|todavia|aun)\s+(?:sin|no)\s+(?:\w+\s+)?(?:respuesta|recibido)|\bya\s+(?:les\s+)?(?:he\s+)?(?:escrito|escribi|pregunte|contacte)"
)

# A message that is nothing else: the ticket needs no answer.
CHATTER = re.compile(
    r"""^(?:[\s,.!;:()\-]|\U0001f64f|\U0001f44d|\U0001f60a|\u2764|
      thanks?|thank|thx|ty|you|so|very|much|many|a|lot|again|great|perfect|awesome|excellent|cool|nice|ok|okay|got|it|that|this|works?|worked|
      solved|resolved|fixed|my|the|problem|issue|for|your|help|quick|reply|answer|all|good|now|appreciated?|i|cheers|is|has|been|everything|team|
      merci|beaucoup|bien|super|parfait|genial|c|est|bon|d|accord|pour|votre|vous|aide|reponse|rapide|ca|marche|fonctionne|maintenant|tout|a|resolu|probleme|le|mon|
      danke|vielen|dank|sehr|schon|schoen|prima|alles|klar|hat|geklappt|funktioniert|jetzt|fur|fuer|die|ihre|hilfe|schnelle|antwort|erledigt|
      gracias|muchas|mil|perfecto|genial|vale|resuelto|por|la|su|ayuda|respuesta|funciona|ya|listo|todo|bien)*$""",
    re.VERBOSE,
)
GRATITUDE = re.compile(r"thank|thx|\bty\b|cheers|merci|dank|gracias|great|perfect|parfait|prima|awesome|solved|resol|\bok\b|okay|works|accord|alles klar|vale|\U0001f64f|\U0001f44d")

# Nothing to go by but what is attached.
SEE_ATTACHED = re.compile(
    r"^(?:(?:please|pls|hi|hello|hey|bonjour|hallo|hola|bitte|merci|s'il\s+vous\s+plait|veuillez|por\s+favor)[\s,]+)*"
    r"(?:see|look\s+at|find|check|cf\.?|voir|trouver|regardez?|siehe|ver|vea|adjunt\w*|anbei|ci-joint\w*|attach\w*|screen\s?shots?|capture|picture|photo|image|pj|bild|anhang)"
    r"(?:\s+(?:the|my|this|a|en|la|le|les|l'|mon|ma|im|den|der|el|above|below|is|enclosed|attach\w*|screen\s?shots?|pictures?|photos?|images?|files?|pj|pieces?|jointes?|ci-joint\w*|"
    r"capture|d'ecran|anhang|bild\w*|adjunt\w*|captura|archivo|subject|title|objet))*[\s.!:]*$"
)

INJECTION: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "asks to set instructions aside",
        re.compile(
            r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|the|any)\b.{0,30}\b(?:instruction|prompt|rule|polic|guideline|direction)"
            r"|\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}\b(?:instruction|consigne|regle)|\b(?:ignorier|vergiss|vergessen)\w*\b.{0,40}\b(?:anweisung|regel|instruktion)"
            r"|\b(?:ignora|olvida|olvidese)\w*\b.{0,40}\b(?:instruccion|regla|pasaje)"
            r"|\b(?:forget|oublie[zr]?|vergiss|vergessen)\b.{0,30}\b(?:passage|textstelle)"
            r"|\bignora\w*\b.{0,40}\bistruzion|\bnegeer\b.{0,40}\b(?:instructie|regel)"
        ),
    ),
    (
        "speaks to the bot as its operator",
        re.compile(
            r"\b(?:system\s+prompt|developer\s+(?:mode|message)|jailbreak|you\s+are\s+now\b|act\s+as\s+(?:an?|the|if)\b|new\s+instructions?\s*:|"
            r"(?:as\s+an?\s+)?(?:ai|language\s+model)\s+(?:assistant|model|you)|(?:assistant|system|admin|developer)\s*:\s|"
            r"note\s+to\s+(?:the\s+)?(?:ai|bot|assistant|model)|(?:attention|intention)\s+de\s+l'(?:assistant|ia)\b|hinweis\s+an\s+die\s+ki\b|nota\s+para\s+la\s+ia\b|"
            r"nota\s+per\s+l'assistente|opmerking\s+voor\s+de\s+ai\b|(?:maintenance|developpeur|wartungs|mantenimiento|manutenzione|onderhouds)\s?-?(?:mode|modus)\b|mode\s+developpeur|modo\s+de\s+mantenimiento|"
            r"modalita\s+manutenzione|onderhoudsmodus|wartungsmodus|(?:systeme|sistema|systeem)\s*:\s|as\s+the\s+administrator\b|en\s+tant\s+qu'administrateur|als\s+administrator\b|como\s+administrador\b|"
            r"(?:dear|hey)\s+(?:ai|bot|assistant)\b|begin\s+your\s+(?:reply|answer|response)|"
            r"(?:reveal|print|repeat|output|show)\s+(?:me\s+)?(?:your|the)\s+(?:\w+\s+)?(?:prompt|instructions|rules|system))"
        ),
    ),
    (
        "dictates what the reply must say",
        re.compile(
            r"\b(?:include|add|insert|append|put|write|say|reply|answer|respond|tell)\b.{0,60}\b(?:link|url|https?://|www\.|image|phone\s+number|in\s+your\s+(?:reply|answer|response))"
            r"|\b(?:reply|answer|respond)\s+(?:only\s+)?(?:with|exactly|that)\b|\bsay\s+(?:exactly|that\s+(?:i|we|you))\b"
        ),
    ),
)
MARKUP = re.compile(r"<\s*/?\s*(?:script|img|iframe|style|div|span|svg|object|form|input|system|instructions?)\b|!\[[^\]]*\]\(|\]\(\s*(?:javascript|data):|<!--|\[/?INST\]|<\|", re.I)
ENCODED = re.compile(r"(?<![\w/+=-])(?=[A-Za-z0-9+/]{0,80}[0-9+/])(?=[A-Za-z0-9+/]{0,80}[A-Z])[A-Za-z0-9+/]{40,}={0,2}(?![\w/+=-])")

ANGRY = _folded("""angry furious unacceptable terrible horrible awful worst ridiculous disgusting disappointed disappointing frustrated frustrating scam
    fraud useless pathetic incompetent outrageous complaint lawyer sue outraged annoyed annoying upset hate joke shame liar cheated
    inacceptable scandaleux scandale honteux furieux furieuse colere decu decue nul nulle arnaque escroquerie inadmissible plainte avocat enerve lamentable
    unverschamt frechheit wutend enttauscht skandal betrug anwalt katastrophe inakzeptabel furioso inaceptable terrible estafa vergonzoso decepcionado abogado queja""")
PLEASED = _folded("""great love excellent amazing happy awesome wonderful fantastic perfect pleased delighted brilliant helpful
    super genial parfait ravi ravie content contente excellente merveilleux toll zufrieden wunderbar encantado contento excelente""")
URGENT = re.compile(
    r"\b(?:urgent(?:ly|e|es)?|asap|as\s+soon\s+as\s+possible|immediately|emergency|right\s+now|can'?t\s+wait|deadline|production\s+(?:is\s+)?down|outage|"
    r"(?:site|server|system|service|everything)\s+is\s+down|data\s+loss|hacked|security\s+(?:breach|incident)|au\s+plus\s+vite|des\s+que\s+possible|urgence|en\s+panne|"
    r"dringend|sofort|so\s+schnell\s+wie\s+moglich|notfall|ausfall|urgente|cuanto\s+antes|inmediatamente)\b"
)
PRESSING = re.compile(r"\b(?:still\s+(?:waiting|no|not|nothing)|second\s+time|third\s+time|again\s+and\s+again|toujours\s+(?:pas|rien)|immer\s+noch|todavia\s+no|charged\s+twice|locked\s+out|cannot\s+(?:work|log\s*in|access))\b")
