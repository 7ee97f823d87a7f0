"""Expected values for WordNetTests by NLTK 3.10, reading the files of Debian's package wordnet-base (WordNet 3.0).

    python wordnet.py                   writes wordnet.json: senses and similarities of a list of words
    python wordnet.py DAQUAR/train.tsv  every answer scored as if it were the answer to the question before

Needs nltk and the package wordnet-base. The set measures are written down here after Malinowski & Fritz (NIPS 2014).
"""
import json
import math
import os
import shutil
import sys
import tempfile
from fractions import Fraction

import nltk
from nltk.corpus.reader.wordnet import NOUN, WordNetCorpusReader

SOURCE = "/usr/share/wordnet"

# Plurals, irregular plurals, words of several parts, of several ways to the root, of many senses, of none.
WORDS = """
chair chairs table night_stand coffee_table book books shelves scissors knife knives box boxes glasses glass men women child
children mouse mice axes Berlin city person chef fireman red blue colour number two 12 lamp_shade garbage_bin monitor television
telephone cat dog wolf wolves cow banana fruit entity qwertyuiop tape_dispenser
""".split()


class English(WordNetCorpusReader):
    """Without the map to other releases of WordNet, which other languages need."""

    def map_wn(self, version="wordnet"):
        return {}


def reader():
    """NLTK asks for a file that Debian leaves out but does not need it for nouns; it reads in its own folders only."""
    folder = tempfile.mkdtemp()
    nltk.data.path.append(folder)
    for name in os.listdir(SOURCE):
        if os.path.isfile(os.path.join(SOURCE, name)):
            shutil.copy(os.path.join(SOURCE, name), folder)
    with open(os.path.join(folder, "lexnames"), "w") as file:
        file.writelines("%02d\tname%d\t1\n" % (number, number) for number in range(45))
    return English(folder, None)


def similarity(wordnet, first, second):
    senses = [wordnet.synsets(word, pos=NOUN) for word in (first, second)]
    if not all(senses):
        return None
    return max([0.0] + [a.wup_similarity(b) or 0.0 for a in senses[0] for b in senses[1]])


def score(measure, answer, truth):
    answer, truth = ([item.strip() for item in text.split(",")] for text in (answer, truth))
    return min(math.prod(max(measure(a, t) for t in truth) for a in answer),
               math.prod(max(measure(t, a) for a in answer) for t in truth))


def main():
    wordnet = reader()
    if len(sys.argv) == 1:
        def exact(value):
            if value is None:
                return None
            fraction = Fraction(value).limit_denominator(200)
            assert float(fraction) == value
            return [fraction.numerator, fraction.denominator]

        senses = [[sense.offset() for sense in wordnet.synsets(word, pos=NOUN)] for word in WORDS]
        values = [[exact(similarity(wordnet, a, b)) for b in WORDS] for a in WORDS]
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "wordnet.json"), "w") as file:
            file.write('{"words": %s,\n"senses": [\n%s\n],\n"similarities": [\n%s\n]}\n' % (
                json.dumps(WORDS), ",\n".join(map(json.dumps, senses)),
                ",\n".join(json.dumps(row, separators=(",", ":")) for row in values)))
        return
    with open(sys.argv[1], encoding="utf-8") as file:
        answers = [line.rstrip("\n").split("\t")[2] for line in file][1:]
    known = {}

    def wups(threshold):
        def measure(a, b):
            if a == b:
                return 1.0
            if (a, b) not in known:
                known[a, b] = similarity(wordnet, a, b) or 0.0
            return known[a, b] * (0.1 if known[a, b] < threshold else 1)
        return measure

    pairs = list(zip(answers[1:], answers))
    for name, measure in [("equality", lambda a, b: float(a == b)), ("0.9", wups(0.9)), ("0.0", wups(0.0))]:
        print(name, "%.12f" % (math.fsum(score(measure, a, t) for a, t in pairs) / len(pairs)))
    print(len(pairs), "answers,", len(known), "pairs of words")


main()
