package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.engine.JsonStyle;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaTest {

    private static final JsonStyle ANY_ORDER = new JsonStyle("", true);

    private static CompiledGrammar compile(String schema) {
        return GrammarCompiler.compile(GrammarSpec.of(Kind.JSON_SCHEMA, schema));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'type':'integer','minimum':-3,'maximum':12} | -3 0 12 7 | -0 -4 13 1.5 01 -03 1e1",
                "{'type':'number','exclusiveMinimum':0.5,'maximum':100} | 0.51 0.500001 100 99.9 100.0 1 | 0.5 0.50 0.4 100.01 101 -1",
                "{'type':'number','multipleOf':0.25} | 0.25 1 -7.5 1.250 0 | 0.3 1.26 0.125",
                "{'type':'integer','multipleOf':7,'minimum':1} | 7 14 700 | 0 8 -7",
                "{'type':'integer','minimum':99999999999999999999999} | 99999999999999999999999 199999999999999999999999 | 99999999999999999999998 1",
                "{'type':'integer','minimum':5,'exclusiveMinimum':true} | 6 | 5",
                "{'const':1.50} | 1.5 | 1.51 2",
                "{'enum':['a',1,null,true]} | `a` 1 null true | `b` false 2",
                "{'type':'string','maxLength':2} | `` `ab` `é😀` `\\u00e9\\n` `\\ud83d\\ude00x` | `abc` ab `\\ud83dx` `a",
                "{'type':'string','minLength':20,'maxLength':5000} | `12345678901234567890` | `1234567890123456789`",
                "{'type':'string','pattern':'^a+$','maxLength':3} | `a` `aaa` | `aaaa` `ab` `` `\\u0061`",
                "{'type':'string','format':'date'} | `2024-02-29` `1999-12-31` `0100-01-01` `2000-02-29` `0004-02-29` | `2023-02-29` `2024-13-01` `2024-04-31` `0000-01-01` `0000-02-29` `1900-02-29` `0100-02-29`",
                "{'type':'string','format':'email'} | `a@b.cc` `a.b+c#d@my-own-host.example.com` `averyveryverylongname12345@x.org` | `a@b` `.a@b.cc` `a..b@c.dd` `a@b--c.dd` `a@-b.cc`",
                "{'type':'string','format':'uri'} | `c:` `mailto:a@b` `http://a.b/c?d#e` `urn:x:y` `a:?q` | `c` `http//a` `1:a` `http://a b`",
                "{'type':'array','items':{'type':'boolean'},'minItems':1,'maxItems':2} | [true] [true,false] | [] [1] [true,true,true]",
                "{'type':'array','maxItems':100000} | [] [1,2] | [1,]",
                "{'prefixItems':[{'type':'null'}],'items':false,'type':'array'} | [] [null] | [null,null] [1]",
                "{'items':[{'type':'null'}],'additionalItems':{'const':1},'type':'array'} | [null,1,1] | [1] [null,2]",
                "{'type':'array','contains':{'const':5},'maxContains':1} | [5] [1,5,2] | [] [5,5] [1]",
                "{'type':'array','items':{'enum':[1,2,3]},'uniqueItems':true} | [] [3,1] [2,1,3] | [1,1] [2,1,2]",
                "{'type':'object','properties':{'a':{},'b':{'type':'null'}},'required':['b'],'additionalProperties':false} | {`b`:null} {`a`:[{}],`b`:null} | {} {`b`:1} {`b`:null,`c`:1}",
                "{'type':'object','patternProperties':{'^x':{'type':'null'}},'additionalProperties':{'const':1}} | {`x`:null,`y`:1} | {`x`:1} {`y`:null} {`\\u0078`:1}",
                "{'type':'object','maxProperties':1,'minProperties':1} | {`a`:1} | {} {`a`:1,`b`:2}",
                "{'type':'object','properties':{'a':true,'b':true,'c':true},'minProperties':2,'additionalProperties':false} | {`a`:1,`c`:1} {`a`:1,`b`:2,`c`:3} | {} {`a`:1}",
                "{'type':'object','propertyNames':{'maxLength':1}} | {`a`:1} | {`ab`:1}",
                "{'type':'object','properties':{'a':{},'b':{}},'dependentRequired':{'a':['b']},'additionalProperties':false} | {} {`b`:1} {`a`:1,`b`:1} | {`a`:1}",
                "{'oneOf':[{'type':'integer'},{'minimum':2}]} | 1 2.5 `s` | 3 1.5",
                "{'not':{'type':['string','null']}} | 1 {} | `a` null",
                "{'if':{'properties':{'k':{'const':1}}},'then':{'required':['v']},'type':'object','required':['k'],'properties':{'k':{'enum':[1,2]},'v':{}},'additionalProperties':false} | {`k`:2} {`k`:1,`v`:0} | {`k`:1}",
                "{'$ref':'#/$defs/t','$defs':{'t':{'type':'array','items':{'$ref':'#/$defs/t'}}}} | [] [[],[[]]] | [1]",
                "{'type':'array','items':{'type':'boolean'},'uniqueItems':true} | [] [true,false] [false] | [true,true] [1]",
                "{'type':'array','items':{'const':'a'},'uniqueItems':true} | [] [`a`] | [`a`,`a`]",
                "{'$ref':'#/$defs/b','type':'object','properties':{'x':{}},'allOf':[{'patternProperties':{'^p':{'type':'null'}}}],'anyOf':[{'required':['x']},{'properties':{'x':{'const':1}}}],'unevaluatedProperties':false,'$defs':{'b':{'properties':{'a':{'const':2}}}}} | {} {`a`:2,`x`:1} {`x`:3,`pq`:null} | {`b`:1} {`a`:3} {`x`:1,`pq`:1} {`x`:1,`y`:1}",
                "{'type':'object','allOf':[{'additionalProperties':{'type':'null'}}],'unevaluatedProperties':false} | {`a`:null} | {`a`:1}",
                "{'type':'object','allOf':[{'properties':{'a':{}}}],'unevaluatedProperties':{'const':1}} | {`a`:2,`b`:1} | {`a`:2,`b`:2}",
                "{'allOf':[{'type':'string','minLength':2},{'maxLength':2}]} | `ab` | `a` `abc`",
                "{'type':'string','not':{'format':'email'}} | `a` `a.b` | `a@b.cc` `\\u0022a\\u0022@b.cc` `\\`a\\`@b.cc`",
                "{'type':'string','not':{'format':'time'}} | `12` `a` | `12:00:00Z` `23:59:60Z`",
                "{'type':'string','not':{'format':'ipv4'}} | `1.2.3` `1.2.3.256` | `1.2.3.4`",
                "{'type':'string','oneOf':[{'format':'email'},{'pattern':'^.a'}]} | `ba` `c@d.ee` | `ba@d.ee` `ca@` `x`",
                "{'anyOf':[{'type':'string'},{'type':'null'}]} | `a` null | 1",
                "true | 1 `a` [{}] {`a`:[]} -1.5e+10 | nul [1,] {`a`} 1.e1 +1",
            })
    void acceptsExactlyTheInstances(String schema, String valid, String invalid) {
        CompiledGrammar grammar = compile(schema.replace('\'', '"'));
        for (String text : valid.split(" ", -1)) {
            assertThat(Vocabularies.accepts(grammar, text.replace('`', '"')))
                    .as(text)
                    .isTrue();
        }
        for (String text : invalid.split(" ", -1)) {
            assertThat(Vocabularies.accepts(grammar, text.replace('`', '"')))
                    .as(text)
                    .isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'properties':{'a':{'$ref':'other.json'}}} | $ref at #/properties/a names other.json",
                "{'type':'array','uniqueItems':true} | uniqueItems",
                "{'properties':{'a':{'anyOf':[{'properties':{'b':{}}}],'unevaluatedProperties':false}}} | unevaluatedProperties at #/properties/a",
                "{'not':{'properties':{'b':{}},'unevaluatedProperties':false}} | unevaluatedProperties at #/not",
                "{'$dynamicRef':'#x'} | $dynamicRef at #",
                "{'items':{'format':'regex'}} | format at #/items",
                "{'pattern':'(?<=a)b'} | pattern at #",
                "{'type':'text'} | type at # names no type",
                "{'multipleOf':0} | multipleOf at #",
                "{'minLength':-1} | minLength at #",
                "{'minimum':'1'} | minimum at #",
                "{'$ref':'#'} | comes back to itself",
                "{'anyOf':[{'$ref':'#'}]} | comes back to itself",
                "{'type':'object','required':['a'],'properties':{'a':{'$ref':'#'}}} | nothing can match",
                "{'enum':[]} | nothing can match",
                "{'type':'string','minLength':3,'maxLength':2} | nothing can match",
                "{'properties':3} | properties at # must be an object",
                "{'allOf':[]} | allOf at #",
                "[] | must be an object or a boolean",
                "{ | not well-formed JSON",
                "{'a':1,'a':2} | not well-formed JSON",
                "{'not':{'items':[{}],'additionalItems':{'type':'null'},'type':'array'}} | items at #/not",
            })
    void refusesByNameAndPath(String schema, String message) {
        assertThatThrownBy(() -> compile(schema.replace('\'', '"')))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining(message);
    }

    @Test
    void strictObjectsHaveNoPropertiesThatAreNotListed() {
        String schema = "{\"type\":\"object\",\"properties\":{\"a\":{}}}";
        CompiledGrammar strict = GrammarCompiler.compile(
                new GrammarSpec(Kind.JSON_SCHEMA, schema, true, JsonStyle.DEFAULT, GrammarSpec.Reasoning.NEVER));
        assertThat(Vocabularies.accepts(strict, "{\"a\":1}")).isTrue();
        assertThat(Vocabularies.accepts(strict, "{\"b\":1}")).isFalse();
        assertThat(Vocabularies.accepts(compile(schema), "{\"b\":1}")).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'type':'object','properties':{'a':{},'b':{'type':'null'},'c':{}},'required':['b'],'additionalProperties':false} | {`b`:null} {`b`:null,`a`:1} {`c`:1,`b`:null,`a`:2} {`a`:1,`b`:null,`c`:3} | {} {`a`:1} {`b`:null,`b`:null} {`a`:1,`b`:null,`a`:1} {`b`:null,} {,`b`:null} {`b`:null,`d`:1} {`b`:1}",
                "{'type':'object','properties':{'a':{},'ab':{}},'required':['a','ab']} | {`ab`:1,`a`:2} {`x`:0,`ab`:1,`y`:0,`a`:2,`z`:0} | {`ab`:1} {`x`:0,`a`:1} {`ab`:1,`a`:2,`ab`:1}",
                "{'type':'object','properties':{'a':{},'b':{},'c':{}},'minProperties':2,'additionalProperties':false} | {`c`:1,`a`:1} {`c`:1,`b`:1,`a`:1} | {} {`b`:1}",
                "{'type':'object','properties':{'a':{}},'maxProperties':2} | {} {`x`:1,`a`:1} {`a`:1,`x`:1} {`x`:1,`y`:1} | {`x`:1,`a`:1,`y`:1} {`a`:1,`a`:1}",
                "{'type':'object','properties':{'a':{},'b':{}},'minProperties':2,'maxProperties':4} | {`x`:1,`a`:2} {`a`:1,`b`:2} {`b`:1,`x`:2,`y`:3} | {`x`:1,`x`:2} {`x`:1} {`a`:1,`b`:2,`x`:3,`y`:4,`z`:5}",
                "{'type':'object','properties':{'a':{},'b':false},'required':['a']} | {`x`:1,`a`:1} | {`b`:1,`a`:1}",
                "{'const':{'a':1,'b':[{'c':2,'d':3}]}} | {`b`:[{`d`:3,`c`:2}],`a`:1} {`a`:1,`b`:[{`c`:2,`d`:3}]} | {`a`:1} {`b`:[{`c`:2}],`a`:1} {`a`:1,`a`:1,`b`:[{`c`:2,`d`:3}]}",
                "{'type':'object','properties':{'a':{},'b':{}},'dependentRequired':{'a':['b']},'additionalProperties':false} | {} {`b`:1,`a`:1} {`a`:1,`b`:1} | {`a`:1}",
            })
    void anyOrderAcceptsEachPropertyOnce(String schema, String valid, String invalid) {
        CompiledGrammar grammar = GrammarCompiler.compile(new GrammarSpec(
                Kind.JSON_SCHEMA, schema.replace('\'', '"'), false, ANY_ORDER, GrammarSpec.Reasoning.NEVER));
        for (String text : valid.split(" ", -1)) {
            assertThat(Vocabularies.accepts(grammar, text.replace('`', '"')))
                    .as(text)
                    .isTrue();
        }
        for (String text : invalid.split(" ", -1)) {
            assertThat(Vocabularies.accepts(grammar, text.replace('`', '"')))
                    .as(text)
                    .isFalse();
        }
    }

    @Test
    void anyOrderIsForAFewProperties() {
        String twelve = properties(AnyOrder.MAX_NAMED);
        CompiledGrammar grammar = GrammarCompiler.compile(
                new GrammarSpec(Kind.JSON_SCHEMA, twelve, true, ANY_ORDER, GrammarSpec.Reasoning.NEVER));
        assertThat(Vocabularies.accepts(grammar, "{\"p11\":[],\"p3\":[],\"p0\":[]}"))
                .isTrue();
        GrammarSpec more = new GrammarSpec(
                Kind.JSON_SCHEMA, properties(AnyOrder.MAX_NAMED + 1), true, ANY_ORDER, GrammarSpec.Reasoning.NEVER);
        assertThatThrownBy(() -> GrammarCompiler.compile(more))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("properties at # has 13 names, any order is for at most 12");
    }

    private static String properties(int number) {
        return IntStream.range(0, number)
                .mapToObj(i -> "\"p" + i + "\":{\"type\":\"array\"}")
                .collect(Collectors.joining(",", "{\"type\":\"object\",\"properties\":{", "}}"));
    }

    @Test
    void localPartsOfMailAddressesMayHaveABacktick() {
        CompiledGrammar grammar = compile("{\"type\":\"string\",\"format\":\"email\"}");
        assertThat(Vocabularies.accepts(grammar, "\"`a`@b.cc\"")).isTrue();
    }

    @Test
    void allowsOneSpaceBetweenTokens() {
        CompiledGrammar grammar = compile("{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"]}");
        assertThat(Vocabularies.accepts(grammar, "{ \"a\" : [ 1 , 2 ] }")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "{\n\"a\":\t1}")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "{  \"a\":1}")).isFalse();
        assertThat(Vocabularies.accepts(grammar, "{\"a\":1} ")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", " *|a", "[]", "[ ]"})
    void spaceIsSpaceOnly(String pattern) {
        GrammarSpec spec = new GrammarSpec(
                Kind.JSON_OBJECT, "", false, new JsonStyle(pattern, false), GrammarSpec.Reasoning.NEVER);
        if (pattern.equals("[ ]")) {
            assertThat(Vocabularies.accepts(GrammarCompiler.compile(spec), "{ }"))
                    .isTrue();
        } else {
            assertThatThrownBy(() -> GrammarCompiler.compile(spec)).hasMessageContaining("white space");
        }
    }
}
