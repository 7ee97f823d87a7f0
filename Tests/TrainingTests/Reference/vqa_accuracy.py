"""Expected values for VQAAccuracyTests by the data set's authors' vqaEval.py.

    python vqa_accuracy.py VQA    a checkout of https://github.com/GT-Vision-Lab/VQA (VT-vision-lab/VQA)

The file is Python 2; its print statements are dropped here and digits are ASCII's, as Python 2 takes them. Python 2 rounds
halves away from zero and Python 3 to even ones, so the rounding is Python 2's here, too.
"""
import decimal
import os
import re
import sys

ANSWERS = [
    "", "yes", " Yes ", "The Dogs", "a an the", "two", "ten thousand", "None", "dont know", "don't", "Im here", "it's",
    "wasnt've", "couldn'tve", "shouldnt've", "somebody'd", "somebodyd", "y'allll", "twas", "ow's'at", "she'dve", "3.5", "3.",
    ".5", "1.a.2", "1,000", "1,000-2,000", "a, b", "a,b", "red/blue", "red /blue", "red/ blue/green", "what?", "what ?",
    "x-ray", "x -ray-", "(no)", "no (sign)", "e.g. this", "...", "<=.5", "[a] {b}", "tab\tline\nend", "\ta", "he said \"go\"",
    "5 + 5 = 10", "one's", "ONE", "a_b_c", "100%", "$5.00", "#1", "semi;colon", "semi; colon;s", "back\\slash", "at@home",
    "tick`s", "wow!", "\u00e9t\u00e9, caf\u00e9", "\u0663.\u0663", "\u0663,\u0663/x", "a\u00a0b", "." * 40 + "x",
    "1.5.a" + "." * 33, "one two three four five six seven eight nine ten zero none",
]


def official(folder):
    path = os.path.join(folder, "PythonEvaluationTools", "vqaEvaluation", "vqaEval.py")
    lines = [line for line in open(path, encoding="utf-8") if not line.lstrip().startswith("print ")]

    class ASCIIOnly:
        UNICODE = re.UNICODE
        search = staticmethod(re.search)

        @staticmethod
        def compile(pattern):
            return re.compile(pattern, re.ASCII)

    def half_up(value, digits):
        exact = decimal.Decimal(value).quantize(decimal.Decimal(10) ** -digits, rounding=decimal.ROUND_HALF_UP)
        return float(exact)

    names = {}
    exec(compile("".join(lines).replace("import re\n", ""), path, "exec"), {"re": ASCIIOnly, "round": half_up}, names)
    names["VQAEval"].updateProgress = lambda self, progress: None
    return names["VQAEval"]


class Questions:
    def __init__(self, qa):
        self.qa = qa

    def getQuesIds(self):
        return list(self.qa)


def swift(text):
    """A literal."""
    return '"' + "".join("\\" + c if c in '"\\' else c if " " <= c <= "~" else "\\u{%X}" % ord(c) for c in text) + '"'


def main():
    VQAEval = official(sys.argv[1])
    plain = VQAEval(Questions({}), Questions({}))
    for answer in ANSWERS:
        line = answer.replace("\n", " ").replace("\t", " ").strip()
        print("        (%s, %s)," % (swift(answer), swift(plain.processDigitArticle(plain.processPunctuation(line)))))

    # What a linear congruence draws is easily drawn again in Swift.
    state = 1

    def draw(count):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % count

    words = ["yes", "no", "2", "two", "red", "red.", "a dog", "dog", "dont", "don't", "x-ray", "x ray"]
    truth, said = {}, {}
    for question in range(1000):
        common = words[draw(len(words))]
        answers = [common if draw(3) else words[draw(len(words))] for _ in range(10)]
        truth[question] = {
            "question_id": question, "question_type": ["is the", "how many", "what"][draw(3)],
            "answer_type": ["yes/no", "number", "other"][draw(3)],
            "answers": [{"answer": answer, "answer_id": i + 1, "answer_confidence": "yes"} for i, answer in enumerate(answers)]}
        said[question] = {"answer": words[draw(len(words))]}
    evaluation = VQAEval(Questions(truth), Questions(said))
    evaluation.evaluate()
    print(evaluation.accuracy)
    print([evaluation.evalQA[question] for question in range(40)])

    # The table of contractions, as a sum that any order gives.
    table = {key: value for key, value in plain.contractions.items() if key == key.lower() and key != value}
    print(len(table), "contractions", sum(sum(map(ord, key)) * sum(map(ord, value)) for key, value in table.items()))


main()
