"""Expected values for QuestionDataSetTests: which images are held back for validation, and what the answers without a look at the
picture are worth on them. Written down again from the papers of the generators, not from our source.

    python held_back.py DAQUAR EASY_VQA
"""
import collections
import json
import os
import re
import sys

MASK = 2**64 - 1


def splitmix64(seed):
    """Steele, Lea & Flood (2014)."""
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def xoshiro256plusplus(seed):
    """Blackman & Vigna (2019)."""
    def rotl(x, k):
        return ((x << k) | (x >> (64 - k))) & MASK

    source = splitmix64(seed)
    s = [next(source) for _ in range(4)]
    while True:
        yield (rotl((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)


def held_back(images, count, seed):
    """Fisher-Yates from the end; a number below n is the upper half of the product with n."""
    numbers = xoshiro256plusplus(seed)
    order = list(range(len(images)))
    for i in range(len(images) - 1, 0, -1):
        j = (next(numbers) * (i + 1)) >> 64
        order[i], order[j] = order[j], order[i]
    drawn = set(order[:count])
    return [image for i, image in enumerate(images) if i in drawn]


def report(rows, count):
    images = list(dict.fromkeys(row[0] for row in rows))
    for seed in (1, 2):
        val = held_back(images, count, seed)
        print("seed", seed, len(images), "images,", len(val), "held back with", sum(row[0] in set(val) for row in rows),
              "questions:", val[:4])
    val = set(held_back(images, count, 1))
    training = [row for row in rows if row[0] not in val]
    test = [row for row in rows if row[0] in val]

    def most_frequent(rows):
        return min(collections.Counter(row[2] for row in rows).items(), key=lambda item: (-item[1], item[0].encode()))[0]

    def beginning(question):
        return tuple(re.findall(r"[a-z0-9]+(?:'[a-z0-9]+)*", question.lower())[:2])

    groups = collections.defaultdict(list)
    for row in training:
        groups[beginning(row[1])].append(row)
    best = most_frequent(training)
    answers = [most_frequent(groups[beginning(row[1])]) if beginning(row[1]) in groups else best for row in test]
    single = ["," not in row[2] for row in test]
    print(repr(best), "single", sum(single), "most frequent", sum(row[2] == best for row in test),
          "by beginning", sum(row[2] == answer for row, answer in zip(test, answers)),
          "single by beginning", sum(row[2] == answer for row, answer, one in zip(test, answers, single) if one))


with open(os.path.join(sys.argv[1], "train.tsv"), encoding="utf-8") as file:
    report([tuple(field.strip() for field in line.rstrip("\n").split("\t")) for line in file][1:], 80)
with open(os.path.join(sys.argv[2], "train", "questions.json")) as file:
    report([(image, question, answer) for question, answer, image in json.load(file)], 400)
