"""Expected values for Porter2StemmerTests by Snowball's own Python code: writes porter2.json beside this file.

    pip install snowballstemmer==2.2.0
    python porter2.py

Later releases (3.0) change the algorithm for a few words; METEOR 1.5 has the older form.
"""
import json
import pathlib

import snowballstemmer

WORDS = """
a at be by man men dog dogs dog's dogs' man's 's 'tis it's o'clock child children woman women girls girl boy boys
consign consigned consigning consignment consist consisted consistency consistent consistently consisting consists consolation
consolations consolatory console consoled consoles consolidate consolidated consolidating consoling consolingly consols
knack knackeries knacks knag knave knaves knavish kneaded kneading knee kneel kneeled kneeling kneels knees knell knelt knew
knick knife knight knightly knights knit knits knitted knitting knives knob knobs knock knocked knocker knockers knocking
skis skies sky dying lying tying idly gently ugly early only singly news howe atlas cosmos bias andes
inning innings outing outings canning herring herrings earring earrings proceed proceeds proceeding exceed exceeded succeed
generate generates generating general generally generic generously communion communism community arsenal arsenic
caresses cries ties tied gas gaps this kiwis us class feed agreed agreedly hopping hoped hoping luxuriated trouble troubled
sized falling hissing fizzed failing filing running runs runner ran bed shed shred bee being sing singing bring bleed
by say sayings cry crying happy sky enjoy playing played plays player boy's buying yellow yelling youth eyes eyed dye dyed
relational conditional rational valenci hesitanci digitizer conformabli radicalli differentli vileli analogousli vietnamization
predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti sensibiliti geology apologetic
quickly slowly bodily really fully hopefully lessli carelessly friendly lovely daily triplicate formative formalize
electriciti electrical hopeful goodness revival allowance inference airliner gyroscopic adjustable defensible irritant
replacement adjustment dependent adoption homologou communism activate angulariti homologous effective bowdlerize
probate rate cease controll roll controlling rolled rolling tall taller tallest small smaller bigger biggest wooden golden
grassy rocky sandy muddy snowy rainy sunny crowded decorated striped spotted colored colorful multicolored bearded shirtless
climbing jumping swimming splashing riding skateboarding snowboarding bicycling biking biker surfer surfing playground grass
glasses sunglasses dresses benches beaches watches brushes boxes buses bus horses houses trees leaves wolves knives babies
puppies bodies pennies flies fries pies stairs clothes pants shorts jeans jersey jerseys people person persons someone
beautiful beautifully beauty national nationality organization university universal possibly possible terribly terrible
hurriedly hurried worried worriedly relaxed exceedingly added adding egg eggs off odd err inn
oed ing ed ly eed ied ies y yy ay aye ya euouae bxs xs ss sses ation ness ement ion tion sion
"""

words = sorted(set(WORDS.split()))
stemmer = snowballstemmer.stemmer("english")
stems = {word: stemmer.stemWord(word) for word in words}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(stems, indent=0, sort_keys=True) + "\n")
print(len(stems), "words")
