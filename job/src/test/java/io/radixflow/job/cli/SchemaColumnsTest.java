package io.radixflow.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchemaColumnsTest {

    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(JsonReadFeature.ALLOW_SINGLE_QUOTES).build();

    /** Columns as {@code name=property:TYPE}, an equal property left out. */
    private static String columns(String schema) throws JsonProcessingException {
        return SchemaColumns.of(JSON.readTree(schema), Set.of("text", "id")).columns().stream()
                .map(column -> column.name()
                        + (column.name().equals(column.property()) ? "" : "=" + column.property())
                        + ":" + column.type())
                .collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'properties': {'s': {'type': 'string'}, 'n': {'type': 'integer'}, 'x': {'type': 'number'}, 'b': {'type': 'boolean'}}}"
                        + "|s:TEXT n:LONG x:DOUBLE b:BOOLEAN",
                "{'properties': {'o': {'type': 'object'}, 'l': {'type': 'array'}, 'any': {}, 'z': {'type': 'null'}, 'no': false}}"
                        + "|o:JSON l:JSON any:JSON z:JSON no:JSON",
                "{'properties': {'s': {'type': ['string', 'null']}, 'n': {'anyOf': [{'type': 'integer'}, {'type': 'null'}]}}}"
                        + "|s:TEXT n:LONG",
                "{'properties': {'m': {'type': ['string', 'integer']}, 'x': {'type': ['integer', 'number']}}}|m:JSON x:DOUBLE",
                "{'properties': {'e': {'enum': ['a', 'b', null]}, 'n': {'enum': [1, 2.0]}, 'x': {'enum': [1, 2.5]}, 'b': {'const': true}, 'm': {'enum': [1, 'a']}}}"
                        + "|e:TEXT n:LONG x:DOUBLE b:BOOLEAN m:JSON",
                "{'properties': {'a': {'$ref': '#/$defs/A'}, 'b': {'$ref': '#b'}, 'c': {'$ref': '#/$defs/a%20b~1'}, 'd': {'$ref': 'http://x/y'}},"
                        + " '$defs': {'A': {'enum': ['x']}, 'B': {'$anchor': 'b', 'type': 'integer'}, 'a b/': {'type': 'boolean'}}}"
                        + "|a:TEXT b:LONG c:BOOLEAN d:JSON",
                "{'$ref': '#/$defs/node', '$defs': {'node': {'properties': {'name': {'type': 'string'}, 'next': {'$ref': '#/$defs/node'}}, 'type': 'object'}}}"
                        + "|name:TEXT next:JSON",
                "{'properties': {'n': {'type': 'number'}}, 'allOf': [{'properties': {'n': {'type': ['integer', 'string']}}}, {'properties': {'m': {'type': 'string'}}}]}"
                        + "|n:LONG m:TEXT",
                "{'properties': {'kind': {'type': 'string'}, 'v': {}}, 'oneOf': [{'properties': {'v': {'type': 'integer'}}}, {'properties': {'v': {'type': 'number'}, 'w': {'type': 'boolean'}}}]}"
                        + "|kind:TEXT v:DOUBLE w:BOOLEAN",
                "{'properties': {'v': {'type': ['integer', 'string']}}, 'anyOf': [{'properties': {'v': {'type': 'integer'}}}, {'properties': {'w': {'type': 'boolean'}}}]}"
                        + "|v:JSON w:BOOLEAN",
                "{'if': {'properties': {'a': {'const': 1}}}, 'then': {'properties': {'b': {'type': 'string'}}}, 'properties': {'a': {'type': 'integer'}}}"
                        + "|a:LONG b:TEXT",
                "{'properties': {'a': {'$ref': '#/$defs/A'}}, '$defs': {'A': {'$id': 'http://x/', '$ref': '#/$defs/B', '$defs': {'B': {'type': 'string'}}}, 'B': {'type': 'integer'}}}"
                        + "|a:JSON",
                "{'properties': {'text': {'type': 'string'}, 'ID': {'type': 'integer'}, 'answer_text': {'type': 'boolean'}, '': {'type': 'string'}}}"
                        + "|answer_text=text:TEXT answer_ID=ID:LONG answer_answer_text=answer_text:BOOLEAN answer_=:TEXT",
                "{'type': 'integer'}|value=null:LONG",
                "{'enum': ['yes', 'no']}|value=null:TEXT",
                "{'type': 'array', 'items': {'type': 'string'}}|value=null:JSON",
                "{'type': 'object', 'additionalProperties': {'type': 'integer'}}|value=null:JSON",
                "true|value=null:JSON",
                "{'$ref': '#'}|value=null:JSON",
            })
    void areThePropertiesInTheirTypes(String schema, String expected) throws JsonProcessingException {
        assertThat(columns(schema)).isEqualTo(expected);
    }
}
