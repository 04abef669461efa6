package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;

/** Refuses by name what the API knows and this version can't do yet; values that mean "off" pass. */
final class UnsupportedFields {

    private static final String[] GRAMMARS = {"regex", "ebnf", "json_schema", "structural_tag"};

    private UnsupportedFields() {}

    static void refuse(RequestFields fields) throws RecordException {
        for (String grammar : GRAMMARS) {
            if (fields.find(grammar) != null) {
                throw unsupported(grammar);
            }
        }
        refuseResponseFormat(fields);
        if (fields.bool("echo", false)) {
            throw unsupported("echo (ask for prompt_logprobs to score a prompt)");
        }
        if (fields.find("suffix") != null) {
            throw unsupported("suffix");
        }
        Integer bestOf = fields.integer("best_of", 1, BodyParser.MAX_CHOICES);
        Integer numChoices = fields.integer("n", 1, BodyParser.MAX_CHOICES);
        if (bestOf != null && bestOf != (numChoices == null ? 1 : numChoices)) {
            throw unsupported("best_of other than n");
        }
    }

    private static void refuseResponseFormat(RequestFields fields) throws RecordException {
        JsonNode format = fields.object("response_format");
        if (format == null) {
            return;
        }
        JsonNode type = format.path("type");
        if (!type.isTextual()) {
            throw RequestFields.wrong("response_format.type", "text, json_object or json_schema", type);
        }
        if (!type.textValue().equals("text")) {
            throw unsupported("response_format other than text");
        }
    }

    static RecordException unsupported(String what) {
        return new RecordException(ErrorCode.UNSUPPORTED_PARAMETER, what + " is not supported by this version");
    }
}
