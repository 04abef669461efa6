package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;

/** Refuses by name what the contract knows and this version can't do yet; values that mean "off" pass. */
final class UnsupportedFields {

    private static final String[] GRAMMARS = {"regex", "ebnf", "json_schema", "structural_tag"};

    private UnsupportedFields() {}

    static void refuse(RequestFields fields) throws RecordException {
        refuseBatchLine(fields);
        refuseCounts(fields);
        for (String grammar : GRAMMARS) {
            if (fields.find(grammar) != null) {
                throw unsupported(grammar);
            }
        }
        refuseResponseFormat(fields);
        refuseTools(fields);
    }

    private static void refuseBatchLine(RequestFields fields) throws RecordException {
        boolean hasBody = fields.find("body") != null;
        boolean hasRoute = fields.find("method") != null && fields.find("url") != null;
        if (hasBody || hasRoute) {
            throw unsupported("body (an OpenAI Batch line; send what is in its body)");
        }
    }

    private static void refuseCounts(RequestFields fields) throws RecordException {
        Integer n = fields.integer("n", 1, 128);
        if (n != null && n > 1) {
            throw unsupported("n above 1");
        }
        Integer priority = fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE);
        if (priority != null && priority != 0) {
            throw unsupported("priority other than 0");
        }
        JsonNode logprobs = fields.find("logprobs");
        if (logprobs != null) {
            // A boolean for chats, a count for completions.
            if (logprobs.isNumber() ? RequestFields.whole("logprobs", logprobs, 0, 20) > 0 : logprobs.booleanValue()) {
                throw unsupported("logprobs");
            }
            if (!logprobs.isNumber() && !logprobs.isBoolean()) {
                throw RequestFields.wrong("logprobs", "true or false", logprobs);
            }
        }
        Integer topLogprobs = fields.integer("top_logprobs", 0, 20);
        if (topLogprobs != null && topLogprobs > 0) {
            throw unsupported("top_logprobs");
        }
        JsonNode logitBias = fields.object("logit_bias");
        if (logitBias != null && !logitBias.isEmpty()) {
            throw unsupported("logit_bias");
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

    private static void refuseTools(RequestFields fields) throws RecordException {
        JsonNode tools = fields.find("tools");
        if (tools != null) {
            if (!tools.isArray()) {
                throw RequestFields.wrong("tools", "a list", tools);
            }
            if (!tools.isEmpty()) {
                throw unsupported("tools");
            }
        }
        JsonNode choice = fields.find("tool_choice");
        if (choice != null) {
            String word = choice.isTextual() ? choice.textValue() : "";
            if (!word.equals("none") && !word.equals("auto")) {
                throw unsupported("tool_choice other than none or auto");
            }
        }
        fields.bool("parallel_tool_calls", true);
    }

    static RecordException unsupported(String what) {
        return new RecordException(ErrorCode.UNSUPPORTED_PARAMETER, what + " is not supported by this version");
    }
}
