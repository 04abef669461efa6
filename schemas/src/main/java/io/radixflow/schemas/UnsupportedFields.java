package io.radixflow.schemas;

/** Refuses by name what the API knows and this version can't do yet; values that mean "off" pass. */
final class UnsupportedFields {

    private UnsupportedFields() {}

    static void refuse(RequestFields fields) throws RecordException {
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

    static RecordException unsupported(String what) {
        return new RecordException(ErrorCode.UNSUPPORTED_PARAMETER, what + " is not supported by this version");
    }
}
