package io.radixflow.grammar;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Grammars of requests that mean harm, or that know no better: deep, long, circular, or small with a large meaning. */
public final class HostileGrammars {

    private static final int MANY = 100_000;

    private HostileGrammars() {}

    /** By a name that says what is wrong with each. */
    public static Map<String, GrammarSpec> all() {
        Map<String, GrammarSpec> all = new LinkedHashMap<>();
        documents(all);
        references(all);
        combinations(all);
        numbers(all);
        Map<String, String> patterns = Map.of(
                "nested repetitions", "^(a+)+$",
                "ambiguous choice", "^(a|a)*b$",
                "repeated wildcards", "(.*)*x(.*)*y",
                "states beyond counting", "(a|b)*a(a|b){40}",
                "huge bound", "^[^a]{0,9999999}$",
                "bounds in bounds", "(((a{1,1000}){1,1000}){1,1000}){1,1000}",
                "optional letters", "(a?){5000}(a*)*",
                "lookaheads", "(?=a.*b)(?=.*c.*d)(?=.*e.*f)(?=.*g.*h)(?=.*i.*j)x",
                "groups 100,000 deep", "(".repeat(MANY),
                "2 MB", "x".repeat(2_000_000));
        patterns.forEach((name, pattern) -> {
            all.put("regex: " + name, GrammarSpec.of(Kind.REGEX, pattern));
            all.put("pattern: " + name, schema("{\"type\":\"string\",\"pattern\":\"" + pattern + "\"}"));
        });
        texts(all);
        return all;
    }

    private static GrammarSpec schema(String json) {
        return GrammarSpec.of(Kind.JSON_SCHEMA, json);
    }

    private static String joined(int number, IntFunction<String> part) {
        return IntStream.range(0, number).mapToObj(part).collect(Collectors.joining(","));
    }

    private static void documents(Map<String, GrammarSpec> all) {
        all.put("items 100,000 deep", schema("{\"items\":".repeat(MANY) + "{}" + "}".repeat(MANY)));
        all.put("not 100,000 deep", schema("{\"not\":".repeat(MANY) + "{}" + "}".repeat(MANY)));
        all.put("brackets 100,000 deep", schema("[".repeat(MANY)));
        all.put("items 190 deep", schema("{\"items\":".repeat(190) + "{}" + "}".repeat(190)));
        all.put("not 190 deep", schema("{\"not\":".repeat(190) + "{}" + "}".repeat(190)));
        all.put("2 MB of space", schema(" ".repeat(2_000_000)));
        all.put("1 MB remark", schema("{\"type\":\"null\",\"title\":\"" + "x".repeat(1_000_000) + "\"}"));
        all.put(
                "1 MB of properties",
                schema("{\"properties\":{" + joined(20_000, i -> "\"property" + i + "\":{\"type\":\"string\"}")
                        + "}}"));
        all.put(
                "4,900 properties",
                schema("{\"properties\":{" + joined(4_900, i -> "\"p" + i + "\":{\"type\":\"integer\"}") + "}}"));
        all.put(
                "4,900 properties that are counted",
                schema("{\"minProperties\":2000,\"additionalProperties\":false,\"properties\":{"
                        + joined(4_900, i -> "\"p" + i + "\":{}") + "}}"));
        all.put("enum of 100,000", schema("{\"enum\":[" + joined(MANY, i -> "\"" + i * 7919L + "\"") + "]}"));
        all.put(
                "enum of 20,000 objects",
                schema("{\"enum\":[" + joined(20_000, i -> "{\"a\":" + i + ",\"b\":[" + i + "]}") + "]}"));
        all.put(
                "two enums of 20,000",
                schema("{\"allOf\":[{\"enum\":[" + joined(20_000, i -> "\"a" + i + "\"") + "]},{\"enum\":["
                        + joined(20_000, i -> "\"a" + 2 * i + "\"") + "]}]}"));
        all.put("prefixItems of 50,000", schema("{\"prefixItems\":[" + joined(50_000, i -> "{}") + "]}"));
        String name = "n".repeat(MANY);
        all.put("a long name of a type", schema("{\"type\":\"" + name + "\"}"));
        all.put("a long path", schema("{\"properties\":{\"" + name + "\":{\"type\":3}}}"));
        all.put("a long reference", schema("{\"$ref\":\"" + name + "\"}"));
        all.put("a long format", schema("{\"format\":\"" + name + "\"}"));
        all.put("a long name of a rule", GrammarSpec.of(Kind.EBNF, "root ::= " + name));
        all.put("a long option that is no text", GrammarSpec.of(Kind.CHOICE, "[[\"" + name + "\"]]"));
        all.put("a reference that is no URI", schema("{\"$ref\":\"#/%zz\"}"));
        all.put("an id that is no URI", schema("{\"$id\":\"http://[\",\"type\":\"null\"}"));
        all.put("lone surrogates", schema("{\"properties\":{\"\\ud800\":{\"enum\":[\"\\udfff\"]}}}"));
    }

    private static void references(Map<String, GrammarSpec> all) {
        all.put("a schema that is itself", schema("{\"$ref\":\"#\"}"));
        all.put(
                "two schemas that are each other",
                schema("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/b\"}]},"
                        + "\"b\":{\"not\":{\"$ref\":\"#/$defs/a\"}}}}"));
        all.put(
                "two objects that need each other",
                schema(
                        "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{"
                                + "\"b\":{\"$ref\":\"#/$defs/b\"}}},\"b\":{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{"
                                + "\"a\":{\"$ref\":\"#/$defs/a\"}}}}}"));
        all.put(
                "5,000 references in a chain",
                schema("{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
                        + joined(5_000, i -> "\"d" + i + "\":{\"$ref\":\"#/$defs/d" + (i + 1) + "\"}")
                        + ",\"d5000\":{}}}"));
        all.put(
                "2,000 objects in a chain",
                schema("{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
                        + joined(
                                2_000,
                                i -> "\"d" + i + "\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/d" + (i + 1) + "\"}}}")
                        + ",\"d2000\":{}}}"));
        for (String keyword : new String[] {"allOf", "anyOf", "oneOf"}) {
            all.put(
                    keyword + " that doubles 40 times",
                    schema("{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
                            + joined(
                                    40,
                                    i -> "\"d" + i + "\":{\"" + keyword + "\":[{\"$ref\":\"#/$defs/d" + (i + 1)
                                            + "\"},{\"$ref\":\"#/$defs/d" + (i + 1) + "\"}]}")
                            + ",\"d40\":{\"type\":\"string\"}}}"));
        }
    }

    private static void combinations(Map<String, GrammarSpec> all) {
        all.put(
                "2^40 sets of properties",
                schema("{\"type\":\"object\",\"allOf\":["
                        + joined(
                                40,
                                i -> "{\"anyOf\":[{\"required\":[\"a" + i + "\"]},{\"required\":[\"b" + i + "\"]}]}")
                        + "]}"));
        all.put(
                "oneOf of 300 that overlap",
                schema("{\"oneOf\":[" + joined(300, i -> "{\"type\":\"number\",\"minimum\":" + i + "}") + "]}"));
        all.put(
                "not of 200 patterns",
                schema("{\"type\":\"string\",\"allOf\":["
                        + joined(200, i -> "{\"not\":{\"pattern\":\"a" + i + ".*b\"}}") + "]}"));
        all.put(
                "50 dependent schemas",
                schema("{\"dependentSchemas\":{"
                        + joined(
                                50,
                                i -> "\"a" + i + "\":{\"properties\":{\"a" + (i + 1) % 50 + "\":{\"type\":\"null\"}}}")
                        + "}}"));
        all.put(
                "30 conditions",
                schema("{\"allOf\":["
                        + joined(
                                30,
                                i -> "{\"if\":{\"properties\":{\"a" + i
                                        + "\":{\"const\":1}}},\"then\":{\"required\":[\"b" + i
                                        + "\"]},\"else\":{\"required\":[\"c" + i + "\"]}}")
                        + "]}"));
        all.put(
                "1,000 patterns of names",
                schema("{\"patternProperties\":{" + joined(1_000, i -> "\"^x" + i + "\":{\"type\":\"null\"}") + "}}"));
        all.put("contains a billion", schema("{\"contains\":{\"const\":1},\"minContains\":1000000000}"));
        all.put(
                "unique items of a list of 1,000",
                schema("{\"type\":\"array\",\"uniqueItems\":true,\"minItems\":500,\"items\":{\"enum\":["
                        + joined(1_000, i -> "" + i) + "]}}"));
        all.put("a billion items", schema("{\"type\":\"array\",\"minItems\":1000000000}"));
        all.put(
                "items in items a million times each",
                schema("{\"items\":".repeat(20) + "{}"
                        + ",\"minItems\":1000000,\"maxItems\":1000001,\"type\":\"array\"}".repeat(20)));
        all.put("strings of a billion", schema("{\"type\":\"string\",\"minLength\":1000000000}"));
        all.put(
                "a pattern and a long length",
                schema("{\"type\":\"string\",\"pattern\":\"^(ab|c)+$\",\"minLength\":5000,\"maxLength\":100000}"));
    }

    private static void numbers(Map<String, GrammarSpec> all) {
        String nines = "9".repeat(390);
        all.put("huge exponent", schema("{\"type\":\"number\",\"minimum\":1e999999999}"));
        all.put("tiny exponent", schema("{\"const\":1e-999999999}"));
        all.put(
                "bounds of 390 digits",
                schema("{\"type\":\"integer\",\"minimum\":-" + nines + ",\"maximum\":" + nines + "}"));
        all.put("a number of 100,000 digits", schema("{\"const\":" + "9".repeat(MANY) + "}"));
        all.put(
                "multiples of a large prime",
                schema("{\"type\":\"integer\",\"multipleOf\":1000000007,\"minimum\":" + nines + "}"));
        all.put("multiples of 390 digits", schema("{\"multipleOf\":" + nines + "}"));
        all.put("multiples of almost nothing", schema("{\"multipleOf\":1e-300}"));
        all.put(
                "multiples of many numbers",
                schema("{\"type\":\"integer\",\"allOf\":["
                        + joined(
                                12,
                                i -> "{\"multipleOf\":" + new int[] {7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47}[i]
                                        + "}")
                        + "]}"));
    }

    private static void texts(Map<String, GrammarSpec> all) {
        Map<String, String> grammars = Map.of(
                "groups 100,000 deep", "root ::= " + "(".repeat(MANY),
                "100,000 items", "root ::= " + "\"a\" ".repeat(MANY),
                "bounds in bounds", "root ::= (((\"a\"{1,1000}){1,1000}){1,1000}){1,1000}",
                "a rule that is itself", "root ::= root",
                "ambiguity", "root ::= s\ns ::= \"a\" | \"(\" s s \")\" | \"(\" s \")\" | \"(\" s s s \")\"",
                "any text a million times", "root ::= [\\u0000-\\U0010FFFF]{0,1000000} \"x\"",
                "empty repetitions", "root ::= ((\"a\"?)*)*",
                "20,000 rules in a chain",
                        IntStream.range(0, 20_000)
                                .mapToObj(i -> "r" + i + " ::= \"a\" r" + (i + 1))
                                .collect(Collectors.joining("\n", "root ::= r0\n", "\nr20000 ::= \"b\"")),
                "5,000 rules of two each",
                        IntStream.range(0, 5_000)
                                .mapToObj(i -> "r" + i + " ::= r" + (i + 1) + " r" + (i + 1))
                                .collect(Collectors.joining("\n", "root ::= r0\n", "\nr5000 ::= \"b\"?")));
        grammars.forEach((name, grammar) -> all.put("ebnf: " + name, GrammarSpec.of(Kind.EBNF, grammar)));
        all.put(
                "choice of 100,000",
                GrammarSpec.of(Kind.CHOICE, "[" + joined(MANY, i -> "\"" + i * 7919L + "\"") + "]"));
        all.put(
                "200 tags with a large schema each",
                GrammarSpec.of(
                        Kind.STRUCTURAL_TAG,
                        "{\"triggers\":[\"<\"],\"structures\":["
                                + joined(
                                        200,
                                        i -> "{\"begin\":\"<f" + i + ">\",\"end\":\"</f>\",\"schema\":{\"properties\":{"
                                                + joined(60, j -> "\"p" + j + "\":{\"format\":\"email\"}") + "}}}")
                                + "]}"));
        all.put(
                "1,000 triggers",
                GrammarSpec.of(
                        Kind.STRUCTURAL_TAG,
                        "{\"triggers\":[" + joined(1_000, i -> "\"<" + i + "\"") + "],\"structures\":["
                                + joined(100, i -> "{\"begin\":\"<" + i + "\",\"end\":\"\"}") + "]}"));
    }
}
