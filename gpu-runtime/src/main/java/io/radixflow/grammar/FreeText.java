package io.radixflow.grammar;

import java.util.List;

/** Texts up to the first of some words, and texts without them; automata over code points. */
final class FreeText {

    private final Budget budget;
    private final Dfa anyText;
    private final Dfa withWord;
    private final Dfa beyondWord;

    /** @param words at least one, none empty */
    FreeText(List<String> words, Budget budget) {
        this.budget = budget;
        anyText = RegexCompiler.anyText(budget);
        Dfa all = Words.of(words.stream().map(Words::codePoints).toList(), budget);
        withWord = concatenated(concatenated(anyText, all), anyText);
        beyondWord = concatenated(withWord, RegexCompiler.wholeEcmaText("[^]", budget));
    }

    /** Texts with none of the words in them. */
    Dfa without() {
        return DfaOps.minus(anyText, withWord, budget);
    }

    /** Texts that end with {@code word}, one of the words, and had none before. */
    Dfa upTo(String word) {
        Dfa ending = concatenated(anyText, Words.of(List.of(Words.codePoints(word)), budget));
        return DfaOps.minus(ending, beyondWord, budget);
    }

    private Dfa concatenated(Dfa first, Dfa second) {
        Nfa nfa = new Nfa(budget);
        int start = nfa.addState();
        int middle = nfa.addState();
        int accept = nfa.addState();
        nfa.embed(first, start, middle);
        nfa.embed(second, middle, accept);
        return nfa.determinize(start, accept);
    }
}
