package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Tries the ways to write a JSON value, with properties in every order, against a grammar. */
final class Spellings {

    private final LazyStates states;

    Spellings(CompiledGrammar grammar) {
        states = new LazyStates(grammar);
    }

    /** Whether the grammar accepts the value in one of its spellings. */
    boolean accept(JsonNode value) {
        return write(value, Set.of(states.start())).stream().anyMatch(MatchState::isAccepting);
    }

    private Set<MatchState> text(String text, Set<MatchState> from) {
        Set<MatchState> reached = new LinkedHashSet<>();
        for (MatchState start : from) {
            MatchState state = start;
            for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
                state = states.step(state, value & 0xFF);
            }
            if (state != MatchState.DEAD) {
                reached.add(state);
            }
        }
        return reached;
    }

    private Set<MatchState> write(JsonNode value, Set<MatchState> from) {
        if (from.isEmpty()) {
            return from;
        } else if (value.isTextual()) {
            return text(JsonValues.quoted(value.textValue()), from);
        } else if (value.isNumber()) {
            BigDecimal number = value.decimalValue();
            Set<MatchState> reached = new LinkedHashSet<>(text(number.toPlainString(), from));
            reached.addAll(text(number.stripTrailingZeros().toPlainString(), from));
            return reached;
        } else if (value.isArray()) {
            Set<MatchState> at = text("[", from);
            for (int i = 0; i < value.size(); i++) {
                at = write(value.get(i), i == 0 ? at : text(",", at));
            }
            return text("]", at);
        } else if (value.isObject()) {
            List<String> names = new ArrayList<>();
            value.fieldNames().forEachRemaining(names::add);
            return text("}", members(value, names, true, text("{", from)));
        }
        return text(value.toString(), from);
    }

    private Set<MatchState> members(JsonNode value, List<String> left, boolean isFirst, Set<MatchState> from) {
        if (left.isEmpty()) {
            return from;
        }
        Set<MatchState> reached = new LinkedHashSet<>();
        for (String name : left) {
            Set<MatchState> at = text((isFirst ? "" : ",") + JsonValues.quoted(name) + ":", from);
            at = write(value.get(name), at);
            if (!at.isEmpty()) {
                List<String> others = new ArrayList<>(left);
                others.remove(name);
                reached.addAll(members(value, others, false, at));
            }
        }
        return reached;
    }
}
